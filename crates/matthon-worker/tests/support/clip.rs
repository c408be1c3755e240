//! Clips made on the spot: a moving ball, or pictures that can be told apart by their brightness.
//!
//! Belongs here: encoding and muxing for tests. Does not belong here: what is done with clips.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::capture;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use std::{fs::File, io::Write, path::Path};
use vision::protocol::{Codec, Down, SampleHead, stream};

/// What to make.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub width: u32,
    pub height: u32,
    pub fps: i32,
    pub pictures: i32,
    pub h265: bool,
    pub b_frames: u32,
    /// Pictures between key frames.
    pub gop: u32,
    /// `videotestsrc` pattern; `steps`: picture n is plain, of luma `20 + 3n`.
    pub pattern: &'static str,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { width: 640, height: 360, fps: 15, pictures: 60, h265: false, b_frames: 0, gop: 30, pattern: "ball" }
    }
}

/// Samples of a clip.
#[derive(Clone, Debug)]
pub struct Clip {
    pub codec: Codec,
    pub samples: Vec<(SampleHead, Vec<u8>)>,
}

fn encoder(w: &Wanted) -> String {
    if w.h265 {
        format!(
            "x265enc speed-preset=ultrafast key-int-max={} option-string=bframes={}:pools=1:frame-threads=1:log-level=none ! h265parse ! video/x-h265,stream-format=hvc1,alignment=au",
            w.gop, w.b_frames
        )
    } else {
        format!(
            "x264enc speed-preset=veryfast bitrate=700 threads=1 key-int-max={} bframes={} b-adapt=false ! video/x-h264,profile=main ! h264parse ! video/x-h264,stream-format=avc,alignment=au",
            w.gop, w.b_frames
        )
    }
}

/// The pictures before they are encoded, through `appsrc` when they are plain.
fn pictures(w: &Wanted) -> String {
    let caps = format!("video/x-raw,format=I420,width={},height={},framerate={}/1", w.width, w.height, w.fps);
    if w.pattern == "steps" {
        format!("appsrc name=in format=time caps={caps}")
    } else {
        let source = if w.pattern == "zone-plate" {
            "videotestsrc pattern=zone-plate kx2=20 ky2=20 kt=3".to_owned()
        } else {
            format!("videotestsrc pattern={}", w.pattern)
        };
        format!("{source} num-buffers={} ! {caps}", w.pictures)
    }
}

fn feed(pipeline: &gst::Pipeline, w: &Wanted) {
    let Some(source) = pipeline.by_name("in") else { return };
    let source = source.downcast::<gst_app::AppSrc>().unwrap();
    source.set_max_bytes(1 << 30);
    let (luma, chroma) = ((w.width * w.height) as usize, (w.width * w.height / 2) as usize);
    for n in 0..w.pictures {
        let mut bytes = vec![step(n); luma];
        bytes.extend(vec![128; chroma]);
        let mut buffer = gst::Buffer::from_mut_slice(bytes);
        let at = |n: i32| gst::ClockTime::from_nseconds(n as u64 * 1_000_000_000 / w.fps as u64);
        buffer.get_mut().unwrap().set_pts(at(n));
        buffer.get_mut().unwrap().set_duration(at(1));
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
}

/// Luma of picture `n` of the pattern `steps`.
pub fn step(n: i32) -> u8 {
    u8::try_from(20 + 3 * n).unwrap()
}

fn run(launch: &str, w: &Wanted, mut each: impl FnMut(&gst::Sample)) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(launch).unwrap().downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("out").and_then(|e| e.downcast::<gst_app::AppSink>().ok());
    pipeline.set_state(gst::State::Playing).unwrap();
    feed(&pipeline, w);
    if let Some(sink) = sink {
        while let Ok(sample) = sink.pull_sample() {
            each(&sample);
        }
    }
    let bus = pipeline.bus().unwrap();
    let end = bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &[gst::MessageType::Eos, gst::MessageType::Error]).unwrap();
    assert!(matches!(end.view(), gst::MessageView::Eos(_)), "{end:?}");
    pipeline.set_state(gst::State::Null).unwrap();
}

/// Encodes samples, times from 0.
pub fn samples(w: &Wanted) -> Clip {
    let clip = collect(&format!("{} ! {} ! appsink name=out sync=false", pictures(w), encoder(w)), w);
    assert_eq!(clip.samples.len(), w.pictures as usize);
    clip
}

/// Samples of an H.264 file in MP4.
pub fn from_file(path: &Path) -> Clip {
    let parse = "qtdemux ! h264parse ! video/x-h264,stream-format=avc,alignment=au ! appsink name=out sync=false";
    collect(&format!("filesrc location={} ! {parse}", path.display()), &Wanted::default())
}

fn collect(launch: &str, w: &Wanted) -> Clip {
    let mut clip = Clip { codec: Codec { h265: w.h265, config: Vec::new(), width: w.width, height: w.height }, samples: Vec::new() };
    let mut first = None;
    run(launch, w, |sample| {
        let config: gst::Buffer = sample.caps().unwrap().structure(0).unwrap().get("codec_data").unwrap();
        clip.codec.config = config.map_readable().unwrap().to_vec();
        let buffer = sample.buffer().unwrap();
        let zero = *first.get_or_insert(buffer.pts().unwrap().nseconds());
        let ticks = |t: gst::ClockTime| ((t.nseconds() as i64 - zero as i64) * 9 + 50_000).div_euclid(100_000);
        let (pts, data) = (ticks(buffer.pts().unwrap()), buffer.map_readable().unwrap().to_vec());
        let head = SampleHead {
            capture: capture(pts),
            pts,
            dts: buffer.dts().map_or(pts, ticks),
            random_access: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            loss_before: false,
            len: u32::try_from(data.len()).unwrap(),
        };
        clip.samples.push((head, data));
    });
    clip
}

/// Writes a film; the container follows the extension.
pub fn film(w: &Wanted, path: &Path) {
    let mux = match path.extension().unwrap().to_str().unwrap() {
        "mp4" => "mp4mux",
        "mkv" => "matroskamux",
        "ts" => "mpegtsmux",
        other => panic!("{other}"),
    };
    run(
        &format!("{} ! {} ! {mux} ! filesink location={}", pictures(w), encoder(w).split(" ! video/").next().unwrap(), path.display()),
        w,
        |_| {},
    );
}

impl Clip {
    /// As a still job's samples.
    pub fn memfd(&self) -> File {
        let mut file = super::memfd(0);
        file.write_all(&stream::encode(&Down::Format(self.codec.clone())).unwrap()).unwrap();
        for (head, data) in &self.samples {
            file.write_all(&stream::encode(&Down::Sample(*head)).unwrap()).unwrap();
            file.write_all(data).unwrap();
        }
        file
    }

    /// The same, later.
    pub fn later(&self, ticks: i64) -> Self {
        let mut clip = self.clone();
        for (head, _) in &mut clip.samples {
            head.pts += ticks;
            head.dts += ticks;
            head.capture = capture(head.pts);
        }
        clip
    }
}
