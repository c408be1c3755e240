//! Scenarios: a session of ours and a viewer made of str0m's other half talk over a line in memory, in simulated time.

mod film;
mod room;
mod scenarios;
mod viewer;

use bytes::Bytes;
use domain::{CameraId, Channel, Format, Sample, StreamId, StreamKind, VideoCodec, WallTime};
use media::params::{avc_config, video_format};
use std::sync::Arc;

/// High profile, 320 × 240.
const SPS: &[u8] =
    &[0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 1, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20, 0xf1, 0x42, 0x99, 0x60];
const PPS: &[u8] = &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];

/// A camera with 25 frames a second and a key frame each second.
struct Camera {
    format: Arc<Format>,
    stream: Arc<StreamId>,
    /// Bytes of a key frame; others have an eighth of it.
    size: usize,
}

impl Camera {
    fn new(size: usize) -> Self {
        let config = avc_config(SPS, PPS).unwrap();
        let stream = StreamId::new(CameraId::new("cong-lang").unwrap(), Channel::Sub, StreamKind::Video);
        Self { format: Arc::new(Format::Video(video_format(VideoCodec::H264, &config).unwrap())), stream: Arc::new(stream), size }
    }

    /// The NAL unit of frame `n`: it says which one it is, throughout.
    fn unit(&self, n: i64) -> Vec<u8> {
        let key = n % 25 == 0;
        let length = if key { self.size } else { self.size / 8 };
        let head: &[u8] = if key { &[0x65, 0x88, 0x80] } else { &[0x41, 0xc0] };
        let body = (0..length).map(|at| (at as u8 ^ n as u8) | 1);
        [head, &n.to_be_bytes().map(|b| b | 0x80)[..], &body.collect::<Vec<u8>>()[..]].concat()
    }

    fn frame(&self, n: i64) -> Sample {
        let unit = self.unit(n);
        Sample {
            stream: Arc::clone(&self.stream),
            format: Arc::clone(&self.format),
            seq: n as u64,
            capture: WallTime(n * 40_000),
            pts: n * 3600,
            dts: n * 3600,
            random_access: n % 25 == 0,
            loss_before: false,
            data: Bytes::from([&u32::try_from(unit.len()).unwrap().to_be_bytes()[..], &unit].concat()),
        }
    }

    /// What a decoder is to get of frame `n`.
    fn shown(&self, n: i64) -> Vec<u8> {
        let start = [0, 0, 0, 1];
        let sets: Vec<u8> = if n % 25 == 0 { [&start[..], SPS, &start, PPS].concat() } else { Vec::new() };
        [&sets[..], &start, &self.unit(n)].concat()
    }
}
