//! What cameras send.

use super::{NOON, id};
use bytes::Bytes;
use domain::{Channel, Format, Sample, StreamId, StreamKind, VideoCodec};
use std::sync::Arc;

/// High profile, level 1.3, 320 × 240, 25 frames a second.
const AVCC: &[u8] = &[
    1, 0x64, 0, 0x0d, 0xff, 0xe1, 0, 25, 0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20,
    0xf1, 0x42, 0x99, 0x60, 1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0,
];

pub(crate) fn format() -> Arc<Format> {
    Arc::new(Format::Video(media::params::video_format(VideoCodec::H264, AVCC).unwrap()))
}

/// H.265, as no browser here plays it.
pub(crate) fn h265() -> Arc<Format> {
    const HVCC: &str = "0101600000009000000000001ef000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003001e959009a10001002942010101600000030090000003000003001ea01020616595924932bc05a02000000300200000030141a2000100074401c172b42240";
    let bytes: Vec<u8> = (0..HVCC.len()).step_by(2).map(|at| u8::from_str_radix(&HVCC[at..at + 2], 16).unwrap()).collect();
    Arc::new(Format::Video(media::params::video_format(VideoCodec::H265, &bytes).unwrap()))
}

/// Frame `n` of a stream at 25 frames a second, a key frame every second; its bytes say which one it is.
pub(crate) fn frame(format: &Arc<Format>, camera: &str, n: i64) -> Sample {
    let key = n % 25 == 0;
    let mut data = vec![0, 0, 1, 0, if key { 0x65 } else { 0x41 }];
    data.extend_from_slice(&[0xaa; 247]);
    data.extend_from_slice(&n.to_be_bytes());
    Sample {
        stream: Arc::new(StreamId::new(id(camera), Channel::Main, StreamKind::Video)),
        format: Arc::clone(format),
        seq: n as u64,
        capture: NOON.plus_micros(n * 40_000),
        pts: n * 3600,
        dts: n * 3600,
        random_access: key,
        loss_before: n == 0,
        data: Bytes::from(data),
    }
}

/// Packet `n` of G.711, 40 ms each, captured beside the frame of that number.
pub(crate) fn packet(camera: &str, n: i64) -> Sample {
    let format = Format::Audio(media::params::g711_format(domain::AudioCodec::PcmU, 8_000, 1));
    Sample {
        stream: Arc::new(StreamId::new(id(camera), Channel::Main, StreamKind::Audio)),
        random_access: true,
        data: Bytes::from(vec![n as u8; 320]),
        ..frame(&Arc::new(format), camera, n)
    }
}
