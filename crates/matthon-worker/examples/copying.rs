//! CPU of a picture of a viewing copy: `cargo run --release -p matthon-worker --example copying [H264.mp4…]`.
//!
//! Belongs here: numbers for `benches/README.md`: decode, scale, mark and encode, as the worker does it, on one thread. The core's
//! share (sockets, the file) is not in it.

#![allow(clippy::unwrap_used, reason = "a measurement that fails has no result")]

#[path = "../tests/support/mod.rs"]
mod support;

use domain::WallTime;
use matthon_worker::{copy, counts::Tally, counts::cpu_micros, media, note::Notes};
use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    thread,
    time::Instant,
};
use support::clip::{Clip, Wanted, from_file, samples};
use vision::protocol::{
    copy::{Down, Spec, Up},
    notes, stream,
};

/// CPU µs, wall µs, and bytes of the copy.
fn once(clip: &Clip) -> (u64, u64, usize) {
    let (core, theirs) = UnixStream::pair().unwrap();
    let mut font = support::memfd(0);
    font.write_all(&support::viewing::font()).unwrap();
    let font = std::fs::File::open(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&font))).unwrap();
    let spec = Spec {
        from: WallTime(i64::MIN),
        to: WallTime(i64::MAX),
        title: support::viewing::TITLE.into(),
        fit: (1920, 1080),
        kbit: 4000,
        masks: Vec::new(),
    };
    let notes = Notes::new(support::memfd(notes::LEN).into()).unwrap();
    let (cpu, wall) = (cpu_micros(), Instant::now());
    let worker = thread::spawn(move || copy::run(&theirs, &spec, font.into(), &notes, &Tally::default()));
    let mut down = core.try_clone().unwrap();
    let clip = clip.clone();
    let feeding = thread::spawn(move || {
        down.write_all(&stream::encode(&Down::Format(clip.codec.clone())).unwrap()).unwrap();
        for (head, data) in &clip.samples {
            let words = format!("Cổng làng, đầu thôn – 26/11/2026 17:42:{:02} (+07:00)", head.capture.0 / 1_000_000 % 60);
            down.write_all(&stream::encode(&Down::Sample { head: *head, words }).unwrap()).unwrap();
            down.write_all(data).unwrap();
        }
        down.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut up = core;
    let mut bytes = 0;
    loop {
        match stream::read::<Up>(&mut up).unwrap().expect("it says its end") {
            Up::Picture { len, .. } => {
                std::io::copy(&mut (&up).take(len.into()), &mut std::io::sink()).unwrap();
                bytes += len as usize;
            }
            Up::End => break,
            Up::Format(_) => {}
            other => panic!("{other:?}"),
        }
    }
    feeding.join().unwrap();
    worker.join().unwrap();
    (cpu_micros() - cpu, u64::try_from(wall.elapsed().as_micros()).unwrap(), bytes)
}

fn report(name: &str, clip: &Clip) {
    // The least of three: the machine is shared.
    let (cpu, wall, bytes) = (0..3).map(|_| once(clip)).min().unwrap();
    let pictures = clip.samples.len() as f64;
    let per_second = |micros: u64| pictures * 1e6 / micros as f64;
    let size: usize = clip.samples.iter().map(|(_, d)| d.len()).sum();
    println!(
        "{name:<26} {:>10.1} {:>14.0} {:>14.0} {:>14.2}",
        cpu as f64 / 1000.0 / pictures,
        per_second(cpu),
        per_second(wall),
        bytes as f64 / size as f64
    );
}

fn main() {
    media::load().unwrap();
    println!("{:<26} {:>10} {:>14} {:>14} {:>14}", "viewing copy", "CPU ms", "pictures/s CPU", "pictures/s", "bytes/master's");
    for path in std::env::args_os().skip(1).map(std::path::PathBuf::from) {
        report(&path.file_name().unwrap().to_string_lossy(), &from_file(&path));
    }
    for (width, height) in [(1280, 720), (1920, 1080), (2560, 1440)] {
        for h265 in [false, true] {
            let wanted = Wanted { width, height, h265, pictures: 150, gop: 50, pattern: "zone-plate", ..Wanted::default() };
            report(&format!("{width}x{height} {}", if h265 { "H.265" } else { "H.264" }), &samples(&wanted));
        }
    }
}
