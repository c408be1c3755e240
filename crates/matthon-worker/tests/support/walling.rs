//! A wall composed by the real program, and what is in its pictures.
//!
//! Belongs here: feeding and decoding. Does not belong here: assertions.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
#![allow(dead_code, unreachable_pub, reason = "each file uses a part")]

use super::{Worker, clip::Clip, viewing::font};
use domain::WallTime;
use gstreamer_video::{self as gst_video, prelude::*};
use matthon_worker::decode::{Decoder, Frame, Order, Tap, Unit, caps};
use std::{
    io::{Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    time::Duration,
};
use vision::protocol::{
    Codec, SampleHead, ToWorker, stream,
    wall::{Down, Screen, Spec, Up},
};

/// A worker that composes.
pub struct Wall {
    pub worker: Worker,
    pub socket: UnixStream,
    asked: i64,
}

/// An encoded picture.
pub struct Made {
    pub at: WallTime,
    pub random_access: bool,
    pub data: Vec<u8>,
}

impl Wall {
    pub fn start(screen: &Screen) -> Self {
        let worker = Worker::start(None);
        let (socket, theirs) = UnixStream::pair().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut letters = super::memfd(0);
        letters.write_all(&font()).unwrap();
        // As the core hands it over: read from its beginning.
        std::io::Seek::rewind(&mut letters).unwrap();
        worker.tell(&ToWorker::Wall(Spec { kbit: 6000 }), &[theirs.as_fd(), letters.as_fd()]);
        let mut wall = Self { worker, socket, asked: 0 };
        wall.say(&Down::Screen(screen.clone()), &[]);
        wall
    }

    pub fn say(&mut self, message: &Down, data: &[u8]) {
        self.socket.write_all(&stream::encode(message).unwrap()).unwrap();
        self.socket.write_all(data).unwrap();
    }

    pub fn format(&mut self, source: u16, codec: &Codec) {
        self.say(&Down::Format { source, codec: codec.clone() }, &[]);
    }

    /// Sends samples that were captured at a time.
    pub fn feed(&mut self, source: u16, samples: &[(SampleHead, Vec<u8>)], capture: WallTime) {
        for (head, data) in samples {
            self.say(&Down::Sample { source, head: SampleHead { capture, ..*head } }, data);
        }
    }

    /// A clip's first samples, captured now.
    pub fn begin(&mut self, source: u16, clip: &Clip, now: WallTime) {
        self.format(source, &clip.codec);
        self.feed(source, &clip.samples, now);
    }

    pub fn up(&mut self) -> (Up, Vec<u8>) {
        let mut prefix = [0; 4];
        self.socket.read_exact(&mut prefix).unwrap();
        let mut head = vec![0; stream::length(prefix).unwrap()];
        self.socket.read_exact(&mut head).unwrap();
        let up: Up = stream::decode(&head).unwrap();
        let mut data = Vec::new();
        if let Up::Picture { len, .. } = &up {
            data.resize(*len as usize, 0);
            self.socket.read_exact(&mut data).unwrap();
        }
        (up, data)
    }

    /// Asks for so many pictures, a tenth of a second apart, and takes them; the format the first time.
    pub fn draw(&mut self, pictures: usize, from: WallTime) -> (Option<Vec<u8>>, Vec<Made>) {
        let (mut config, mut made) = (None, Vec::new());
        for n in 0..pictures {
            self.asked += 1;
            self.say(&Down::Draw { at: from.plus_micros(n as i64 * 100_000), pts: self.asked * 9000 }, &[]);
            loop {
                match self.up() {
                    (Up::Format(told), _) => config = Some(told),
                    (Up::Picture { at, random_access, .. }, data) => {
                        made.push(Made { at, random_access, data });
                        break;
                    }
                    (Up::Undecodable { .. }, _) => {}
                    (other, _) => panic!("{other:?}"),
                }
            }
        }
        (config, made)
    }
}

#[derive(Default)]
struct Kept(Vec<Frame>);

impl Tap for Kept {
    fn picture(&mut self, frame: Frame) {
        self.0.push(frame);
    }
}

/// Three planes, decoded.
pub struct Shown {
    planes: Vec<(Vec<u8>, usize)>,
}

impl Shown {
    /// Luma and chroma at a pixel.
    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let pixel = |n: usize, x: u32, y: u32| self.planes[n].0[y as usize * self.planes[n].1 + x as usize];
        [pixel(0, x, y), pixel(1, x / 2, y / 2), pixel(2, x / 2, y / 2)]
    }

    /// How far luma is from its mean: its standard deviation.
    pub fn contrast(&self, x: std::ops::Range<u32>, y: std::ops::Range<u32>) -> f64 {
        let all: Vec<f64> = y.flat_map(|y| x.clone().map(move |x| (x, y))).map(|(x, y)| f64::from(self.at(x, y)[0])).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        (all.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt()
    }
}

/// Decodes what came.
pub fn decoded(config: &[u8], made: &[Made]) -> Vec<Shown> {
    gstreamer::init().unwrap();
    let codec = Codec { h265: false, config: config.to_vec(), width: 1920, height: 1080 };
    let mut decoder = Decoder::new(&caps(&codec), Order::Exact, Kept::default()).unwrap();
    for (n, one) in made.iter().enumerate() {
        let pts = n as i64 * 9000;
        decoder.push(Unit { pts, dts: pts, capture: one.at, random_access: one.random_access, data: one.data.clone() }).unwrap();
    }
    decoder.finish();
    decoder.tap(|t| t.0.iter().map(shown).collect())
}

fn shown(frame: &Frame) -> Shown {
    let picture = gst_video::VideoFrameRef::from_buffer_ref_readable(&frame.buffer, &frame.info).unwrap();
    let planes = (0..3).map(|n| (picture.plane_data(n).unwrap().to_vec(), picture.plane_stride()[n as usize] as usize)).collect();
    Shown { planes }
}
