//! The page that judges packages, over a package as large as an authority ever gets: made here, judged by `matthon verify` and by
//! the page in a browser (`tests/browser/weigh.mjs`, which measures).

use crate::storage::{BEGIN, Bench};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use domain::{CameraId, Channel, StreamId, StreamKind};
use evidence::{
    Manifest, Package,
    manifest::{CameraWord, ClockWord, Export, FORMAT, Maker, Place},
};
use ring::{Ed25519Signer, clip::Wish};
use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

const CAMERA: &str = "cong-lang";
/// Pictures a second.
const RATE: i64 = 15;
/// A second of G.711 comes in as many pieces.
const SOUNDS: i64 = 50;
/// So far before its end the film is changed.
const NEAR_THE_END: u64 = 1000;

/// Makes the package, has it measured, and takes everything away.
pub(crate) fn run(dir: &Path, megabytes: u64, mbps: f64) -> Result<()> {
    let (zip, at) = package(dir, megabytes, mbps)?;
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/browser/weigh.mjs");
    let done = std::process::Command::new("node").arg(script).arg(&zip).arg(tests::program("matthon")).arg(at.to_string()).status();
    std::fs::remove_dir_all(dir)?;
    ensure!(done.context("no node")?.success(), "the page was not measured");
    Ok(())
}

/// A package of one camera with sound, and where in it a byte of its film lies that is near the end.
fn package(dir: &Path, megabytes: u64, mbps: f64) -> Result<(PathBuf, u64)> {
    let ring = dir.join("ring");
    let bytes = megabytes * 1_000_000;
    let it = Bench::new(&ring, bytes + bytes / 10 + (512 << 20))?;
    let camera = CameraId::new(CAMERA)?;
    let stream = |kind| Arc::new(StreamId::new(camera.clone(), Channel::Main, kind));
    let (video, audio) = (stream(StreamKind::Video), stream(StreamKind::Audio));
    let picture = Bytes::from(vec![0x41; (mbps * 1e6 / 8.0 / RATE as f64) as usize]);
    let sound = Bytes::from(vec![0xd5; 8000 / SOUNDS as usize]);
    let seconds = bytes as i64 / (picture.len() as i64 * RATE + 8000);
    for second in 0..seconds {
        let mut pieces: Vec<_> = (0..RATE).map(|n| (n * 1_000_000 / RATE, true, n)).collect();
        pieces.extend((0..SOUNDS).map(|n| (n * 1_000_000 / SOUNDS, false, n)));
        pieces.sort_unstable();
        for (micros, pictured, n) in pieces {
            let at = BEGIN.plus_micros(second * 1_000_000 + micros);
            let first = second == 0 && n == 0;
            if pictured {
                it.push(&video, second * RATE + n, at, n == 0, first, &picture);
            } else {
                it.push(&audio, second * SOUNDS + n, at, true, first, &sound);
            }
        }
        it.clock.advance(Duration::from_secs(1));
        it.breathe();
    }
    let reader = it.recorder.reader();
    it.recorder.close()?;
    let begun = Instant::now();
    let to = BEGIN.plus(Duration::from_secs(seconds.unsigned_abs()));
    let plan = ring::clip::plan(&reader, &Wish { camera: &camera, channel: Channel::Main, from: BEGIN, to, audio: true, captions: None })?;
    let place = Place::named("Asia/Ho_Chi_Minh");
    let zip = dir.join("goi.zip");
    let mut package = Package::new(BufWriter::with_capacity(1 << 20, File::create(&zip)?), |_| true);
    let masters = package.add_master(&format!("goc/{CAMERA}-main"), &plan, &place)?;
    ensure!(masters.holes.is_empty(), "the ring has holes: {:?}", masters.holes.first());
    package.add("verify.html", "page", evidence::VERIFY_PAGE)?;
    let manifest = Manifest {
        format: FORMAT.into(),
        export: Export { purpose: "đo trang kiểm tra".into(), ..Export::default() },
        made_by: Maker { site: "thôn đo".into(), ..Maker::default() },
        clock: ClockWord::default(),
        from: place.moment(BEGIN),
        to: place.moment(to),
        cameras: vec![CameraWord { id: CAMERA.into(), name: "Cổng làng".into(), ..CameraWord::default() }],
        tracks: masters.tracks,
        gaps: vec![],
        cases: vec![],
        redaction: "none".into(),
        notes: vec![],
        files: vec![],
    };
    let (out, _) = package.finish(manifest, &Ed25519Signer::from_secret(&[7; 32]))?;
    out.into_inner().context("the package cannot be written")?.sync_all()?;
    println!(
        "package: {} MB, {seconds} s of {mbps} Mbps with sound, written in {:.1} s",
        std::fs::metadata(&zip)?.len() / 1_000_000,
        begun.elapsed().as_secs_f64()
    );
    // What follows needs the room.
    std::fs::remove_dir_all(&ring)?;
    // The film is the archive's first file: in front of its bytes is only the header.
    Ok((zip, plan.len() - NEAR_THE_END))
}
