//! Packages made to keep whoever judges them busy: refused, and with no more reading than a good one takes.

use super::*;
use crate::{
    chain::Reader as Records,
    verify::{Source, What},
};
use ring::format::record::{RECORD_HEADER, RecordHeader};
use std::cell::Cell;

const FILM: &str = "goc/cong-lang-main.mp4";
const RECORDS: &str = "goc/cong-lang-main.chuoi";

struct Counted<'a>(&'a [u8], Cell<u64>);

impl Source for Counted<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.read_at(offset, buf)?;
        self.1.set(self.1.get() + n as u64);
        Ok(n)
    }
}

/// The verdict, and how often every byte was read on average.
fn cost(zip: &[u8]) -> (Verdict, f64) {
    let source = Counted(zip, Cell::new(0));
    let verdict = verify(&source, None);
    (verdict, source.1.get() as f64 / zip.len() as f64)
}

fn found(verdict: &Verdict, what: What) -> bool {
    verdict.findings.iter().any(|f| f.what == what)
}

fn made() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    package(&recorded(dir.path()), 3_250, 18_000, &box_key())
}

fn file<'a>(files: &'a mut [(String, Vec<u8>)], name: &str) -> &'a mut Vec<u8> {
    &mut files.iter_mut().find(|(n, _)| n == name).unwrap().1
}

/// A package whose manifest names three hundred films more, all of which lie where the one does.
pub(super) fn three_hundred_in_one_place(zip: &[u8]) -> Vec<u8> {
    let mut all = files(zip);
    let mut manifest: Manifest = serde_json::from_slice(file(&mut all, "manifest.json")).unwrap();
    let film = manifest.files.iter().find(|f| f.name == FILM).unwrap().clone();
    let name = |n: u32| format!("goc/{n}.mp4");
    manifest.files.extend((0..300).map(|n| crate::FileEntry { name: name(n), ..film.clone() }));
    let text = serde_json::to_vec(&manifest).unwrap();
    *file(&mut all, "manifest.sig") = crate::signature::write(&box_key(), &text).into_bytes();
    *file(&mut all, "manifest.json") = text;
    all.extend((0..300).map(|n| (name(n), vec![])));
    let mut crafted = pack(&all);
    let named =
        |bytes: &[u8], at: usize, name: &str| bytes[at..].starts_with(b"PK\x01\x02") && bytes[at + 46..].starts_with(name.as_bytes());
    let entry = |bytes: &[u8], name: &str| (0..bytes.len() - 46).find(|at| named(bytes, *at, name)).unwrap();
    // Sizes and place of the film's line of the directory, for all of them.
    let line = entry(&crafted, FILM);
    let (sizes, place) = (crafted[line + 20..line + 28].to_vec(), crafted[line + 42..line + 46].to_vec());
    let mut at = entry(&crafted, "goc/0.mp4");
    for n in 0..300 {
        assert!(named(&crafted, at, &name(n)));
        crafted[at + 20..at + 28].copy_from_slice(&sizes);
        crafted[at + 42..at + 46].copy_from_slice(&place);
        at += 46 + name(n).len();
    }
    crafted
}

#[test]
fn two_files_in_one_place_are_one_too_many() {
    let zip = made();
    let (verdict, good) = cost(&zip);
    assert!(verdict.good() && good < 4.0, "{good}");
    let crafted = three_hundred_in_one_place(&zip);
    let (verdict, often) = cost(&crafted);
    assert_eq!(verdict.findings.iter().filter(|f| f.what == What::FileExtra).count(), 300);
    // Beside the bytes themselves a buffer's worth for the local header of each.
    let headers = 300.0 * 16_384.0 / crafted.len() as f64;
    assert!(often < good + headers && headers < 50.0, "{often} times, {headers} for their headers");
}

/// A package whose manifest names fifty files of records for its one film.
pub(super) fn fifty_files_of_records(zip: &[u8]) -> Vec<u8> {
    forged(zip, &box_key(), |files, manifest| {
        let records = file(files, RECORDS).clone();
        for n in 0..50 {
            let chain_file = format!("goc/{n}.chuoi");
            files.push((chain_file.clone(), records.clone()));
            let more: Vec<_> = manifest.tracks.iter().filter(|t| t.chain_file == RECORDS).cloned().collect();
            manifest.tracks.extend(more.into_iter().map(|t| crate::Track { chain_file: chain_file.clone(), ..t }));
        }
    })
}

#[test]
fn a_film_is_looked_at_with_one_file_of_records() {
    let (verdict, often) = cost(&fifty_files_of_records(&made()));
    assert!(found(&verdict, What::Track) && often < 4.0, "{often} times");
}

/// A package whose records tell of sixty cameras more, each with all of the one film.
pub(super) fn sixty_cameras_in_one_film(zip: &[u8]) -> Vec<u8> {
    forged(zip, &box_key(), |files, manifest| {
        let bytes = file(files, RECORDS).clone();
        // Where each record of the video begins and ends.
        let (mut left, mut ends) = (&bytes[..], vec![]);
        let mut reader = Records::new(&mut left);
        let mut count = 0;
        while reader.next().unwrap().is_some() {
            count += 1;
        }
        for n in 0..=count {
            let mut left = &bytes[..];
            let mut reader = Records::new(&mut left);
            (0..n).for_each(|_| drop(reader.next().unwrap()));
            drop(reader);
            ends.push(bytes.len() - left.len());
        }
        let track = manifest.tracks.iter().find(|t| t.stream.ends_with("video")).unwrap().clone();
        let mut more = bytes.clone();
        for n in 0..60 {
            let camera = CameraId::new(&format!("c{n}")).unwrap();
            for span in ends.windows(2) {
                let record = &bytes[span[0]..span[1]];
                // In front of some lies what announces their parameters: those are left as they are.
                let Ok(header) = RecordHeader::parse(record.get(2..2 + RECORD_HEADER).unwrap_or_default()) else { continue };
                let stream = StreamId { camera: camera.clone(), ..header.stream.clone() };
                more.extend_from_slice(&record[..2]);
                more.extend_from_slice(&RecordHeader { stream, ..header }.to_bytes());
                more.extend_from_slice(&record[2 + RECORD_HEADER..]);
            }
            manifest.tracks.push(crate::Track { stream: format!("c{n}/main/video"), ..track.clone() });
        }
        *file(files, RECORDS) = more;
    })
}

#[test]
fn streams_that_share_a_film_do_not_each_read_it() {
    let (verdict, often) = cost(&sixty_cameras_in_one_film(&made()));
    assert!(found(&verdict, What::Foreign) && often < 4.0, "{often} times");
}

/// A directory of a gigabyte is not taken into memory.
#[test]
fn an_endless_directory_is_none() {
    let names = |n: usize| (0..n).map(|n| (format!("{n}/{}", "x".repeat(180)), vec![])).collect::<Vec<_>>();
    let zip = pack(&names(60_000));
    let mut twice = zip.clone();
    // As an archive with room for more files tells it: the directory begins where the whole file does.
    let end = twice.len() - 22;
    let len = (end as u32).to_le_bytes();
    twice[end + 12..end + 16].copy_from_slice(&len);
    for zip in [&zip, &twice] {
        let (verdict, often) = cost(zip);
        assert!(!verdict.good() && found(&verdict, What::NotAPackage) && often < 4.0, "{often} times");
    }
}
