//! A made-up camera: samples with a real avcC and pictures that are only bytes.

#![allow(dead_code, reason = "each test uses its part")]

use bytes::Bytes;
use domain::{CameraId, Channel, Format, Sample, StreamId, StreamKind, VideoCodec, WallTime};
use std::sync::Arc;

/// High profile, level 1.3, 320 × 240, 25 frames a second, two frames reordered.
const AVCC: &[u8] = &[
    1, 0x64, 0, 0x0d, 0xff, 0xe1, 0, 25, 0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20,
    0xf1, 0x42, 0x99, 0x60, 1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0,
];

pub(crate) fn format() -> Arc<Format> {
    Arc::new(Format::Video(media::params::video_format(VideoCodec::H264, AVCC).unwrap()))
}

/// High profile, level 1, another picture size: what a camera sends whose settings were changed.
const SMALLER: &[u8] = &[
    1, 0x64, 0, 0x0a, 0xff, 0xe1, 0, 0x19, 0x67, 0x64, 0, 0x0a, 0xac, 0x72, 0x84, 0x44, 0x26, 0x84, 0, 0, 3, 0, 4, 0, 0, 3, 0, 0xca, 0x3c,
    0x48, 0x96, 0x11, 0x80, 1, 0, 7, 0x68, 0xe8, 0x43, 0x8f, 0x13, 0x21, 0x30, 0xfd, 0xf8, 0xf8, 0,
];

pub(crate) fn smaller() -> Arc<Format> {
    Arc::new(Format::Video(media::params::video_format(VideoCodec::H264, SMALLER).unwrap()))
}

pub(crate) fn stream() -> Arc<StreamId> {
    Arc::new(StreamId::new(CameraId::new("cong-lang").unwrap(), Channel::Main, StreamKind::Video))
}

/// A frame whose bytes say which one it is.
pub(crate) fn sample(format: &Arc<Format>, seq: u64, dts: i64, pts: i64, random_access: bool) -> Sample {
    let mut data = vec![0, 0, 0, 9, if random_access { 0x65 } else { 0x41 }];
    data.extend_from_slice(&seq.to_be_bytes());
    Sample {
        stream: stream(),
        format: Arc::clone(format),
        seq,
        capture: WallTime::from_secs(1_795_430_520).plus_micros(dts * 100 / 9),
        pts,
        dts,
        random_access,
        loss_before: false,
        data: Bytes::from(data),
    }
}

/// Which frame a fragment carries.
pub(crate) fn number(fragment: &[u8]) -> u64 {
    u64::from_be_bytes(fragment[fragment.len() - 8..].try_into().unwrap())
}
