//! CPU of a wall: `cargo run --release --workspace --example walling`.
//!
//! Belongs here: numbers for `benches/README.md`: decoding, scaling, drawing and encoding, as the worker does it, on one thread, as fast as
//! it goes. The core's share (sockets) is not in it but for the other ends of them.

#![allow(clippy::unwrap_used, reason = "a measurement that fails has no result")]

#[path = "../tests/support/mod.rs"]
mod support;

use domain::WallTime;
use matthon_worker::{counts::Tally, counts::cpu_micros, media, note::Notes, wall};
use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    thread,
};
use support::clip::{Clip, Wanted, samples};
use vision::{
    protocol::{
        notes, stream,
        wall::{Down, Screen, Spec, Tile, Up},
    },
    wall::layout,
};

const NOW: WallTime = WallTime(1_700_000_000_000_000);
/// Seconds of wall.
const SECONDS: usize = 10;

/// CPU ms of a second of wall, and its kilobits.
fn once(clip: &Clip, cameras: u16, veiled: bool) -> (f64, f64) {
    let (core, theirs) = UnixStream::pair().unwrap();
    let mut font = support::memfd(0);
    font.write_all(&support::viewing::font()).unwrap();
    let font = std::fs::File::open(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&font))).unwrap();
    let notes = Notes::new(support::memfd(notes::LEN).into()).unwrap();
    let worker = thread::spawn(move || wall::run(&theirs, &Spec { kbit: 6000 }, font.into(), &notes, &Tally::default()));
    let tile = |(source, place)| Tile { source, place, name: format!("Camera {source}"), caption: String::new(), masks: Vec::new() };
    let tiles = (0..cameras).zip(layout::even(cameras.into())).map(tile).collect();
    let screen = Screen {
        head: ("Thôn".into(), "12:00".into()),
        head_place: Some(layout::head()),
        tiles,
        lost: "Mất hình".into(),
        lines: Vec::new(),
        veiled,
    };
    let say = |message: &Down, data: &[u8]| {
        (&core).write_all(&stream::encode(message).unwrap()).unwrap();
        (&core).write_all(data).unwrap();
    };
    let cpu = cpu_micros();
    say(&Down::Screen(screen), &[]);
    (0..cameras).for_each(|source| say(&Down::Format { source, codec: clip.codec.clone() }, &[]));
    let (mut sent, mut bytes) = (0, 0);
    for n in 0..SECONDS * 10 {
        let at = NOW.plus_micros(n as i64 * 100_000);
        // Fifteen pictures a second of each.
        let due = (n + 1) * 15 / 10;
        for (head, data) in &clip.samples[sent..due] {
            (0..cameras)
                .for_each(|source| say(&Down::Sample { source, head: vision::protocol::SampleHead { capture: at, ..*head } }, data));
        }
        sent = due;
        say(&Down::Draw { at, pts: n as i64 * 9000 }, &[]);
        while let Some(up) = stream::read::<Up>(&mut &core).unwrap() {
            if let Up::Picture { len, .. } = up {
                std::io::copy(&mut (&core).take(len.into()), &mut std::io::sink()).unwrap();
                bytes += len as usize;
                break;
            }
        }
    }
    let cpu = cpu_micros() - cpu;
    drop(core);
    worker.join().unwrap();
    (cpu as f64 / 1000.0 / SECONDS as f64, bytes as f64 * 8.0 / 1000.0 / SECONDS as f64)
}

fn main() {
    media::load().unwrap();
    println!("{:<34} {:>16} {:>12} {:>10}", "wall", "CPU ms a second", "of a core", "kbit/s");
    for (width, height) in [(640, 360), (1280, 720)] {
        let clip = samples(&Wanted { width, height, pictures: SECONDS as i32 * 15, gop: 30, ..Wanted::default() });
        for (cameras, veiled) in [(30, false), (30, true), (9, false)] {
            // The least of three: the machine is shared.
            let runs = (0..3).map(|_| once(&clip, cameras, veiled));
            let (cpu, kbit) = runs.fold((f64::MAX, 0.0), |least, run| if run.0 < least.0 { run } else { least });
            let name = format!("{cameras} of {width}x{height}{}", if veiled { ", public" } else { "" });
            println!("{name:<34} {cpu:>16.0} {:>11.0}% {kbit:>10.0}", cpu / 10.0);
        }
    }
}
