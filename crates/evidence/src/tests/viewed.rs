//! A master read back out of a package that is still being written, and a viewing copy put beside it.

use super::*;
use crate::{Recorded, View, verify::What};
use std::{cell::RefCell, fs::File, io::BufWriter};

/// A package on a disk with one master, and what is needed to read that back.
fn begun(
    reader: &Reader,
    path: &std::path::Path,
    from_ms: i64,
    to_ms: i64,
) -> (Package<BufWriter<File>>, Recorded, File, crate::package::Masters) {
    let at = |ms: i64| NOON.plus_micros(ms * 1000);
    let camera = CameraId::new("cong-lang").unwrap();
    let wish = Wish { camera: &camera, channel: Channel::Main, from: at(from_ms), to: at(to_ms), audio: true, captions: None };
    let plan = ring::clip::plan(reader, &wish).unwrap();
    let file = File::options().read(true).write(true).create(true).truncate(true).open(path).unwrap();
    let back = file.try_clone().unwrap();
    let mut package = Package::new(BufWriter::with_capacity(1 << 20, file), |_| true);
    package.add("truoc.txt", "text", b"something before it").unwrap();
    let masters = package.add_master("goc/cong-lang-main", &plan, &place()).unwrap();
    package.flush().unwrap();
    (package, masters.recorded.clone(), back, masters)
}

#[test]
fn what_is_read_back_is_what_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let reader = recorded(&dir.path().join("ring"));
    let (_, recorded, file, _) = begun(&reader, &dir.path().join("goi.zip"), 3_250, 20_000);
    let samples: Vec<Sample> = recorded.pictures(&file).map(Result::unwrap).collect();
    // From the key frame before; a hole of five seconds behind the hundredth picture.
    let want: Vec<i64> = (30..150).collect();
    assert_eq!(samples.len(), want.len());
    for (sample, n) in samples.iter().zip(want) {
        let hole = if n >= 100 { 5_000_000 } else { 0 };
        assert_eq!(sample.capture, NOON.plus_micros(n * 100_000 + hole));
        assert_eq!((sample.random_access, sample.loss_before), (n % 10 == 0, n == 30 || n == 100), "{n}");
        let data: Vec<u8> = (0..900 + n % 7).map(|i| (i * 7 + n * 13 + 1) as u8).collect();
        assert_eq!(sample.data, data, "{n}");
        assert_eq!(sample.format.video().unwrap().width, 64);
    }
    assert!(samples.windows(2).all(|w| w[1].dts > w[0].dts));
}

#[test]
fn bytes_that_are_cut_off_are_an_error_and_no_end() {
    let dir = tempfile::tempdir().unwrap();
    let reader = recorded(&dir.path().join("ring"));
    let (_, recorded, file, _) = begun(&reader, &dir.path().join("goi.zip"), 0, 20_000);
    file.set_len(recorded.chain + recorded.chain_len / 2).unwrap();
    let read: Vec<_> = recorded.pictures(&file).collect();
    assert!(read.last().unwrap().is_err() && read[..read.len() - 1].iter().all(Result::is_ok));
}

#[test]
fn a_viewing_copy_is_a_file_of_its_own_and_no_master() {
    let dir = tempfile::tempdir().unwrap();
    let reader = recorded(&dir.path().join("ring"));
    let path = dir.path().join("goi.zip");
    let (mut package, recorded, file, masters) = begun(&reader, &path, 0, 20_000);
    let view = RefCell::new(View::new(tempfile::tempfile_in(dir.path()).unwrap()));
    view.borrow_mut().format(h264().video().unwrap().clone());
    for sample in recorded.pictures(&file) {
        let s = sample.unwrap();
        view.borrow_mut().picture(s.pts, s.loss_before, s.random_access, &s.data[..100]).unwrap();
    }
    package.add_view("ban-xem.mp4", view.into_inner()).unwrap();
    let manifest = Manifest {
        format: FORMAT.into(),
        export: Export::default(),
        made_by: Maker::default(),
        clock: crate::manifest::ClockWord::default(),
        from: place().moment(NOON),
        to: place().moment(NOON.plus_micros(20_000_000)),
        cameras: vec![],
        tracks: masters.tracks,
        gaps: masters
            .holes
            .into_iter()
            .map(|(stream, from, to)| Gap { stream, from: place().moment(from), to: place().moment(to), reason: "camera".into() })
            .collect(),
        cases: vec![],
        redaction: "none".into(),
        notes: vec![],
        files: vec![],
    };
    let (out, manifest) = package.finish(manifest, &box_key()).unwrap();
    drop(out.into_inner().unwrap());
    let entry = manifest.files.iter().find(|f| f.what == "view").unwrap();
    assert_eq!(entry.name, "ban-xem.mp4");
    let zip = std::fs::read(&path).unwrap();
    let verdict = judge(&zip);
    assert!(verdict.good(), "{:?}", verdict.findings);
    assert!(manifest.tracks.iter().all(|t| t.file != "ban-xem.mp4"));
    let film = files(&zip).into_iter().find(|(n, _)| n == "ban-xem.mp4").unwrap().1;
    let places = media::demux::pictures(film.len() as u64, |at, into| {
        into.copy_from_slice(&film[at as usize..at as usize + into.len()]);
        Ok(())
    })
    .unwrap();
    assert_eq!(places.len(), 150);

    // Changed, it is found like any other file.
    let mut bad = zip.clone();
    let at = zip.windows(film.len()).position(|w| w == film.as_slice()).unwrap();
    bad[at + film.len() - 50] ^= 1;
    let verdict = judge(&bad);
    assert_eq!(verdict.findings.iter().map(|f| (f.what, f.file.as_str())).collect::<Vec<_>>(), [(What::FileChanged, "ban-xem.mp4")]);
}
