//! Renditions made by the real program, and what is in their pictures.
//!
//! Belongs here: feeding and decoding. Does not belong here: assertions.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
#![allow(dead_code, unreachable_pub, reason = "each file uses a part")]

use super::{Worker, clip::Clip, viewing::Luma};
use domain::{WallTime, mask::Mask};
use gstreamer::{self as gst, prelude::*};
use gstreamer_app as gst_app;
use gstreamer_video::{self as gst_video, prelude::*};
use matthon_worker::decode::{Decoder, Frame, Order, Tap, Unit, caps};
use std::{
    io::{Read, Write},
    net::Shutdown,
    os::{fd::AsFd, unix::net::UnixStream},
    thread::JoinHandle,
    time::Duration,
};
use vision::protocol::{
    Codec, Down, ToWorker,
    rendition::{Spec, Up},
    stream,
};

/// A worker that converts.
pub struct Rendition {
    pub worker: Worker,
    socket: UnixStream,
    taking: JoinHandle<Result<Vec<Made>, String>>,
}

/// An encoded picture, and the format that came before it.
#[derive(Clone)]
pub struct Made {
    pub config: Option<Vec<u8>>,
    pub capture: WallTime,
    pub pts: i64,
    pub random_access: bool,
    pub data: Vec<u8>,
}

impl Rendition {
    pub fn start(spec: &Spec) -> Self {
        let worker = Worker::start(None);
        let (socket, theirs) = UnixStream::pair().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        worker.tell(&ToWorker::Rendition(spec.clone()), &[theirs.as_fd()]);
        let from = socket.try_clone().unwrap();
        Self { worker, socket, taking: std::thread::spawn(move || taken(from)) }
    }

    pub fn feed(&mut self, clip: &Clip) {
        self.socket.write_all(&stream::encode(&Down::Format(clip.codec.clone())).unwrap()).unwrap();
        for (head, data) in &clip.samples {
            self.socket.write_all(&stream::encode(&Down::Sample(*head)).unwrap()).unwrap();
            self.socket.write_all(data).unwrap();
        }
    }

    /// All it made of what it was fed.
    pub fn end(self) -> Vec<Made> {
        self.socket.shutdown(Shutdown::Write).unwrap();
        self.taking.join().unwrap().unwrap()
    }

    /// Why it made nothing.
    pub fn refused(self) -> String {
        self.taking.join().unwrap().err().unwrap()
    }
}

fn taken(mut from: UnixStream) -> Result<Vec<Made>, String> {
    let (mut made, mut config) = (Vec::new(), None);
    while let Some(up) = stream::read(&mut from).unwrap() {
        match up {
            Up::Format(told) => config = Some(told),
            Up::Picture { capture, pts, random_access, len } => {
                let mut data = vec![0; len as usize];
                from.read_exact(&mut data).unwrap();
                made.push(Made { config: config.take(), capture, pts, random_access, data });
            }
            Up::Undecodable(_) => {}
            Up::Failed(why) => return Err(why),
            Up::End => panic!("a rendition ended by itself"),
        }
    }
    Ok(made)
}

#[derive(Default)]
struct Kept(Vec<Frame>);

impl Tap for Kept {
    fn picture(&mut self, frame: Frame) {
        self.0.push(frame);
    }
}

/// Three planes with their strides, and the size.
pub struct Planes {
    pub planes: Vec<(Vec<u8>, usize)>,
    pub size: (usize, usize),
}

fn planes(frame: &Frame) -> Planes {
    let picture = gst_video::VideoFrameRef::from_buffer_ref_readable(&frame.buffer, &frame.info).unwrap();
    let planes = (0..3).map(|n| (picture.plane_data(n).unwrap().to_vec(), picture.plane_stride()[n as usize] as usize)).collect();
    Planes { planes, size: (frame.info.width() as usize, frame.info.height() as usize) }
}

/// Decodes what came, of one size.
pub fn pictures(made: &[Made]) -> Vec<Planes> {
    gst::init().unwrap();
    let config = made[0].config.clone().unwrap();
    let format = media::params::video_format(domain::VideoCodec::H264, &config).unwrap();
    let mut decoder = Decoder::new(&caps(&Codec::from(&format)), Order::Exact, Kept::default()).unwrap();
    for one in made {
        let (pts, capture, random_access, data) = (one.pts, one.capture, one.random_access, one.data.clone());
        decoder.push(Unit { pts, dts: pts, capture, random_access, data }).unwrap();
    }
    decoder.finish();
    decoder.tap(|t| t.0.iter().map(planes).collect())
}

/// Their luma alone, rows tight.
pub fn luma(made: &[Made]) -> Vec<Luma> {
    let tight = |p: Planes| {
        let ((width, height), (bytes, stride)) = (p.size, &p.planes[0]);
        Luma { width, height, bytes: bytes.chunks(*stride).take(height).flat_map(|row| row[..width].to_vec()).collect() }
    };
    pictures(made).into_iter().map(tight).collect()
}

/// A JPEG, decoded by another decoder than ours.
pub fn jpeg(bytes: &[u8]) -> Planes {
    gst::init().unwrap();
    let launch = "appsrc name=in ! jpegdec ! videoconvert ! video/x-raw,format=I420 ! appsink name=out sync=false";
    let pipeline = gst::parse::launch(launch).unwrap().downcast::<gst::Pipeline>().unwrap();
    let source = pipeline.by_name("in").unwrap().downcast::<gst_app::AppSrc>().unwrap();
    let sink = pipeline.by_name("out").unwrap().downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    source.push_buffer(gst::Buffer::from_slice(bytes.to_vec())).unwrap();
    source.end_of_stream().unwrap();
    let sample = sink.pull_sample().unwrap();
    let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let shown = planes(&Frame { pts: 0, capture: WallTime(0), buffer: sample.buffer_owned().unwrap(), info });
    pipeline.set_state(gst::State::Null).unwrap();
    shown
}

/// The brightest luma and the most colour of all pixels of which any part lies in a mask: of their centres and corners.
pub fn brightest(picture: &Planes, mask: &Mask) -> (u8, u8) {
    let (w, h) = picture.size;
    let corners: Vec<(f64, f64)> = mask.iter().map(|p| (p.x * w as f64, p.y * h as f64)).collect();
    let within = |x: f64, y: f64| {
        (0..corners.len()).fold(false, |inside, n| {
            let ((ax, ay), (bx, by)) = (corners[n], corners[(n + 1) % corners.len()]);
            inside ^ ((ay <= y) != (by <= y) && x < ax + (y - ay) / (by - ay) * (bx - ax))
        })
    };
    let (mut luma, mut chroma) = (0, 0);
    for (x, y) in (0..h).flat_map(|y| (0..w).map(move |x| (x, y))) {
        let touched = [(0.5, 0.5), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)];
        if touched.iter().any(|(dx, dy)| within(x as f64 + dx, y as f64 + dy)) {
            let at = |n: usize, x: usize, y: usize| picture.planes[n].0[y * picture.planes[n].1 + x];
            luma = luma.max(at(0, x, y));
            chroma = chroma.max(at(1, x / 2, y / 2).abs_diff(128)).max(at(2, x / 2, y / 2).abs_diff(128));
        }
    }
    (luma, chroma)
}
