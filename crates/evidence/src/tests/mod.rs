//! A small recording on a real disk, packages made of it, and everything somebody might do to one.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod busy;
mod film;
mod good;
mod tampered;
mod viewed;

use crate::{
    Package,
    manifest::{Export, FORMAT, Gap, Maker, Manifest, Place},
    verify::{Verdict, verify},
};
use bytes::Bytes;
use domain::{CameraId, Channel, Format, Sample, SimClock, StreamId, StreamKind, VideoCodec, WallTime};
use ring::{Ed25519Signer, Reader, Recorder, RingSpec, SystemDisk, clip::Wish};
use std::{
    io::{Cursor, Read},
    sync::Arc,
    time::Duration,
};

const NOON: WallTime = WallTime::from_secs(1_795_430_400);
const SECONDS: i64 = 20;

fn box_key() -> Ed25519Signer {
    Ed25519Signer::from_secret(&[7; 32])
}

fn place() -> Place {
    Place::named("Asia/Ho_Chi_Minh")
}

/// A real H.264 High format of 64×64.
fn h264() -> Arc<Format> {
    let config = [
        1, 0x64, 0, 10, 0xff, 0xe1, 0, 0x19, 0x67, 0x64, 0x00, 10, 0xac, 0x72, 0x84, 0x44, 0x26, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00,
        0x00, 0x03, 0x00, 0xca, 0x3c, 0x48, 0x96, 0x11, 0x80, 1, 0, 7, 0x68, 0xe8, 0x43, 0x8f, 0x13, 0x21, 0x30, 0xfd, 0xf8, 0xf8, 0,
    ];
    Arc::new(Format::Video(media::params::video_format(VideoCodec::H264, &config).unwrap()))
}

/// Twenty seconds of one camera with sound, ten pictures a second, with a hole of five seconds after the first ten.
fn recorded(dir: &std::path::Path) -> Reader {
    std::fs::create_dir_all(dir).unwrap();
    let spec = RingSpec { block_size: 256 << 10, any_filesystem: true, ..RingSpec::new("main", vec![dir.to_owned()], 8 << 20) };
    let clock = Arc::new(SimClock::at(NOON));
    let recorder = Recorder::open(spec, Arc::new(SystemDisk), clock.clone(), Arc::new(box_key())).unwrap();
    let camera = CameraId::new("cong-lang").unwrap();
    let id = |kind| Arc::new(StreamId::new(camera.clone(), Channel::Main, kind));
    let (video, sound) = (id(StreamKind::Video), id(StreamKind::Audio));
    let (h264, alaw) = (h264(), Arc::new(Format::Audio(media::params::g711_format(domain::AudioCodec::PcmA, 8000, 1))));
    for n in 0..SECONDS * 10 {
        let hole = if n >= 100 { 5_000_000 } else { 0 };
        let capture = NOON.plus_micros(n * 100_000 + hole);
        let ticks = n * 9_000 + hole * 9 / 100;
        for (stream, format, size) in [(&video, &h264, 900 + n % 7), (&sound, &alaw, 160)] {
            let picture = stream.kind == StreamKind::Video;
            let data: Vec<u8> = (0..size).map(|i| (i * 7 + n * 13 + i64::from(picture)) as u8).collect();
            recorder.push(&Sample {
                stream: stream.clone(),
                format: format.clone(),
                seq: n as u64,
                capture,
                pts: ticks,
                dts: ticks,
                random_access: !picture || n % 10 == 0,
                loss_before: n == 0 || n == 100,
                data: Bytes::from(data),
            });
        }
    }
    clock.advance(Duration::from_secs(SECONDS as u64 + 5));
    let reader = recorder.reader();
    recorder.close().unwrap();
    reader
}

/// The package of a range, as the product makes it, signed by `signer`.
fn package(reader: &Reader, from_ms: i64, to_ms: i64, signer: &Ed25519Signer) -> Vec<u8> {
    let at = |ms: i64| NOON.plus_micros(ms * 1000);
    let camera = CameraId::new("cong-lang").unwrap();
    let wish = Wish { camera: &camera, channel: Channel::Main, from: at(from_ms), to: at(to_ms), audio: true, captions: None };
    let plan = ring::clip::plan(reader, &wish).unwrap();
    let mut package = Package::new(Cursor::new(Vec::new()), |_| true);
    let masters = package.add_master("goc/cong-lang-main", &plan, &place()).unwrap();
    package.add("anh/cong-lang-1.jpg", "still", b"a picture").unwrap();
    package.add("verify.html", "page", b"<!doctype html>").unwrap();
    let gap =
        |(stream, from, to): (String, _, _)| Gap { stream, from: place().moment(from), to: place().moment(to), reason: "camera".into() };
    let manifest = Manifest {
        format: FORMAT.into(),
        export: Export { purpose: "kiểm thử".into(), ..Export::default() },
        made_by: Maker::default(),
        clock: crate::manifest::ClockWord::default(),
        from: place().moment(at(from_ms)),
        to: place().moment(at(to_ms)),
        cameras: vec![],
        tracks: masters.tracks,
        gaps: masters.holes.into_iter().map(gap).collect(),
        cases: vec![],
        redaction: "none".into(),
        notes: vec![],
        files: vec![],
    };
    package.finish(manifest, signer).unwrap().0.into_inner()
}

fn judge(zip: &[u8]) -> Verdict {
    verify(&zip, None)
}

/// The files of a package.
fn files(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..archive.len())
        .map(|n| {
            // As it lies there: whether the archive's own check sums still hold is the unpacker's business.
            let mut file = archive.by_index_raw(n).unwrap();
            let (mut bytes, name) = (Vec::new(), String::from_utf8_lossy(file.name_raw()).into_owned());
            file.read_to_end(&mut bytes).unwrap();
            (name, bytes)
        })
        .collect()
}

/// Packs files as they are.
fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in files {
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// What a forger with a key of his own can do: everything but sign as the box. Sums and manifest fit the changed files.
fn forged(zip: &[u8], key: &Ed25519Signer, change: impl FnOnce(&mut Vec<(String, Vec<u8>)>, &mut Manifest)) -> Vec<u8> {
    let mut all = files(zip);
    let text = all.iter().find(|(n, _)| n == "manifest.json").unwrap().1.clone();
    let mut manifest: Manifest = serde_json::from_slice(&text).unwrap();
    let whats: Vec<_> = manifest.files.iter().map(|f| (f.name.clone(), f.what.clone())).collect();
    all.retain(|(n, _)| !["manifest.json", "manifest.sig", "SHA256SUMS"].contains(&n.as_str()));
    change(&mut all, &mut manifest);
    let mut package = Package::new(Cursor::new(Vec::new()), |_| true);
    for (name, bytes) in &all {
        let what = whats.iter().find(|(n, _)| n == name).map_or("text", |(_, w)| w);
        package.add(name, what, bytes).unwrap();
    }
    package.finish(manifest, key).unwrap().0.into_inner()
}
