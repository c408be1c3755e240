//! CPU of a decoded picture without inference: `cargo run --release -p matthon-worker --example cost [H264.mp4…]`.
//!
//! Belongs here: numbers for `benches/README.md` and for whoever changes the decoder. It measures itself only.

#![allow(clippy::unwrap_used, reason = "a measurement that fails has no result")]

#[path = "../tests/support/mod.rs"]
mod support;

use detect::{DetectError, Done, Hooks, Look, Picture};
use matthon_worker::{
    counts::{Tally, cpu_micros},
    decode::{Decoder, Frame, Order, Tap, Unit, caps},
    live::Live,
    look::Tag,
    media,
    note::Notes,
    uplink::Uplink,
};
use std::{io::Write, os::unix::net::UnixStream, sync::Arc, thread};
use support::clip::{Clip, Wanted, from_file, samples};
use vision::protocol::{Down, notes, stream};

struct Drop_;
impl Tap for Drop_ {
    fn picture(&mut self, _: Frame) {}
}

struct Blind;
impl Look for Blind {
    fn look(&mut self, _: &Picture) -> Result<Vec<domain::Detection>, DetectError> {
        Ok(Vec::new())
    }
}

struct Silent;
impl Hooks<Tag> for Silent {
    fn before(&self, _: usize, _: u32) {}
    fn after(&self, _: usize, _: u32) {}
    fn done(&self, _: Done<Tag>) {}
}

fn bare(clip: &Clip) {
    let mut decoder = Decoder::new(&caps(&clip.codec), Order::Prompt, Drop_).unwrap();
    for (head, data) in &clip.samples {
        let unit = Unit { pts: head.pts, dts: head.dts, capture: head.capture, random_access: head.random_access, data: data.clone() };
        decoder.push(unit).unwrap();
    }
}

fn watched(clip: &Clip) {
    let (mut core, ours) = UnixStream::pair().unwrap();
    let hooks: Arc<dyn Hooks<Tag>> = Arc::new(Silent);
    let live = Live {
        stream: 0,
        name: "cost".into(),
        fps: 5.0,
        uplink: Arc::new(Uplink::prompt(ours.try_clone().unwrap()).unwrap()),
        socket: ours,
        pool: Some(Arc::new(detect::Pool::start(vec![Blind], &hooks).unwrap())),
        input: (416, 416),
        notes: Notes::new(support::memfd(notes::LEN).into()).unwrap(),
        tally: Arc::new(Tally::default()),
    };
    let thread = thread::spawn(move || live.run().unwrap());
    core.write_all(&stream::encode(&Down::Format(clip.codec.clone())).unwrap()).unwrap();
    for (head, data) in &clip.samples {
        core.write_all(&stream::encode(&Down::Sample(*head)).unwrap()).unwrap();
        core.write_all(data).unwrap();
    }
    drop(core);
    thread.join().unwrap();
}

/// The least of five: the machine is shared.
fn least(clip: &Clip, work: fn(&Clip)) -> f64 {
    let once = || {
        let begin = cpu_micros();
        work(clip);
        (cpu_micros() - begin) as f64 / 1000.0 / clip.samples.len() as f64
    };
    (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
}

fn report(name: &str, clip: &Clip) {
    println!("{name:<22} {:>12.3} {:>28.3}", least(clip, bare), least(clip, watched));
}

fn main() {
    media::load().unwrap();
    println!("{:<22} {:>12} {:>28}", "CPU ms a picture", "decode only", "watched at 5/s (no model)");
    for path in std::env::args_os().skip(1).map(std::path::PathBuf::from) {
        report(&path.file_name().unwrap().to_string_lossy(), &from_file(&path));
    }
    for (width, height) in [(640, 360), (1280, 720)] {
        for h265 in [false, true] {
            let wanted = Wanted { width, height, h265, pictures: 300, gop: 50, pattern: "zone-plate", ..Wanted::default() };
            let clip = samples(&wanted);
            report(&format!("{width}x{height} {}", if h265 { "H.265" } else { "H.264" }), &clip);
        }
    }
}
