//! Viewing copies made by the real program, and what is in them.
//!
//! Belongs here: making and decoding. Does not belong here: assertions.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
#![allow(dead_code, unreachable_pub, reason = "each file uses a part")]

use super::clip::Clip;
use domain::{Channel, Format, Sample, StreamId, StreamKind, VideoCodec, VideoFormat, WallTime, mask::Mask};
use gstreamer_video::{self as gst_video, prelude::*};
use matthon_worker::decode::{Decoder, Frame, Order, Tap, Unit, caps};
use std::{path::PathBuf, sync::Arc};
use vision::{
    Copied, CopyError, Made, SystemLauncher, Wanted,
    protocol::{Codec, copy::Spec},
};

pub const TITLE: &str = "BẢN XEM – KHÔNG PHẢI BẢN GỐC";

/// A copy.
#[derive(Debug)]
pub struct Film {
    pub format: VideoFormat,
    pub pictures: Vec<(WallTime, bool, Vec<u8>)>,
    pub copied: Copied,
}

pub fn launcher() -> SystemLauncher {
    SystemLauncher {
        program: PathBuf::from(option_env!("CARGO_BIN_EXE_matthon-worker").expect("built for a test")),
        runtime: None,
        state: PathBuf::from(option_env!("CARGO_TARGET_TMPDIR").expect("built for a test")),
        memory: 2 << 30,
    }
}

pub fn font() -> Vec<u8> {
    std::fs::read("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf").expect("fonts-dejavu-core is installed")
}

/// Samples as the core holds them.
pub fn samples(clips: &[Clip]) -> Vec<Sample> {
    let stream = Arc::new(StreamId::new("cong".parse().unwrap(), Channel::Main, StreamKind::Video));
    let of = |clip: &Clip| {
        let codec = if clip.codec.h265 { VideoCodec::H265 } else { VideoCodec::H264 };
        let format = Arc::new(Format::Video(media::params::video_format(codec, &clip.codec.config).unwrap()));
        let stream = stream.clone();
        clip.samples.clone().into_iter().enumerate().map(move |(n, (head, data))| Sample {
            stream: stream.clone(),
            format: format.clone(),
            seq: n as u64,
            capture: head.capture,
            pts: head.pts,
            dts: head.dts,
            random_access: head.random_access,
            loss_before: head.loss_before,
            data: data.into(),
        })
    };
    clips.iter().flat_map(of).collect()
}

pub fn copy(samples: Vec<Sample>, from: WallTime, to: WallTime, font: &[u8]) -> Result<Film, CopyError> {
    let spec = Spec { from, to, title: TITLE.into(), fit: (1920, 1080), kbit: 4000, masks: Vec::new() };
    let words = |at: WallTime| format!("Cổng làng – {}", at.0 / 1_000_000);
    made(samples, &Wanted { spec, font, words: &words, go_on: &|| true })
}

/// All of it without words, black where masks are.
pub fn try_covered(samples: Vec<Sample>, masks: Vec<Mask>) -> Result<Film, CopyError> {
    let spec = Spec { from: WallTime(i64::MIN), to: WallTime(i64::MAX), title: String::new(), fit: (1920, 1080), kbit: 4000, masks };
    made(samples, &Wanted { spec, font: &[], words: &|_| String::new(), go_on: &|| true })
}

pub fn covered(samples: Vec<Sample>, masks: Vec<Mask>) -> Film {
    try_covered(samples, masks).unwrap()
}

fn made(samples: Vec<Sample>, wanted: &Wanted<'_>) -> Result<Film, CopyError> {
    let (mut format, mut pictures) = (None, Vec::new());
    let copied = vision::copy(&launcher(), wanted, samples.into_iter().map(Ok), |made| {
        match made {
            Made::Format(f) => format = Some(f),
            Made::Picture { capture, random_access, data, .. } => pictures.push((capture, random_access, data)),
        }
        Ok(())
    })?;
    Ok(Film { format: format.unwrap(), pictures, copied })
}

/// All of it, whatever its times.
pub fn whole(clips: &[Clip]) -> Film {
    copy(samples(clips), WallTime(i64::MIN), WallTime(i64::MAX), &font()).unwrap()
}

#[derive(Default)]
struct Kept(Vec<Frame>);

impl Tap for Kept {
    fn picture(&mut self, frame: Frame) {
        self.0.push(frame);
    }
}

/// Luma of a picture, its rows tight.
pub struct Luma {
    pub width: usize,
    pub height: usize,
    pub bytes: Vec<u8>,
}

fn luma(frame: &Frame) -> Luma {
    let (width, height) = (frame.info.width() as usize, frame.info.height() as usize);
    let picture = gst_video::VideoFrameRef::from_buffer_ref_readable(&frame.buffer, &frame.info).unwrap();
    let stride = picture.plane_stride()[0] as usize;
    let bytes = picture.plane_data(0).unwrap().chunks(stride).take(height).flat_map(|row| row[..width].to_vec()).collect();
    Luma { width, height, bytes }
}

fn decoded(codec: &Codec, units: impl Iterator<Item = Unit>) -> Vec<Luma> {
    gstreamer::init().unwrap();
    let mut decoder = Decoder::new(&caps(codec), Order::Exact, Kept::default()).unwrap();
    for unit in units {
        decoder.push(unit).unwrap();
    }
    decoder.finish();
    decoder.tap(|t| t.0.iter().map(luma).collect())
}

impl Clip {
    /// Its pictures in the order of showing.
    pub fn pictures(&self) -> Vec<Luma> {
        let unit = |(head, data): &(vision::protocol::SampleHead, Vec<u8>)| Unit {
            pts: head.pts,
            dts: head.dts,
            capture: head.capture,
            random_access: head.random_access,
            data: data.clone(),
        };
        decoded(&self.codec, self.samples.iter().map(unit))
    }
}

impl Film {
    pub fn luma(&self) -> Vec<Luma> {
        let units = self.pictures.iter().zip(0i64..).map(|((capture, random_access, data), n)| Unit {
            pts: n * 6000,
            dts: n * 6000,
            capture: *capture,
            random_access: *random_access,
            data: data.clone(),
        });
        decoded(&Codec::from(&self.format), units)
    }
}

impl Luma {
    /// Peak signal to noise over some rows, dB.
    pub fn psnr(&self, other: &Self, rows: std::ops::Range<usize>) -> f64 {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let part = rows.start * self.width..rows.end * self.width;
        let pairs = self.bytes[part.clone()].iter().zip(&other.bytes[part.clone()]);
        let square: f64 = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        10.0 * (255.0 * 255.0 / (square / part.len() as f64).max(1e-9)).log10()
    }
}
