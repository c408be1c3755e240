//! Every kept input and every past crash, through every target, without libFuzzer: in `cargo test`, on stable.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_fuzz::{TARGETS, block, mend, seeds, target};
use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

fn folder(kind: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target);
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries.map(|e| e.unwrap().path()).map(|p| (p.display().to_string(), fs::read(&p).unwrap())).collect()
}

#[test]
fn the_corpus_and_every_past_crash_hold() {
    let mut failed = Vec::new();
    for t in TARGETS {
        let corpus = folder("corpus", t.name);
        assert!(!corpus.is_empty(), "{} has no corpus: cargo run --release --example fuzz-seeds", t.name);
        for (name, bytes) in corpus.into_iter().chain(folder("regressions", t.name)) {
            assert!(bytes.len() <= t.max_len, "{name} is longer than the {} bytes of its target", t.max_len);
            if catch_unwind(AssertUnwindSafe(|| (t.run)(&bytes))).is_err() {
                failed.push(name);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// What the writers write today is read: a target that refuses everything would find nothing.
#[test]
fn every_target_reads_what_the_house_writes() {
    let mut read = BTreeSet::new();
    for (name, seed, bytes) in seeds::all() {
        let t = target(name).unwrap_or_else(|| panic!("{name} is no target"));
        assert!(bytes.len() <= t.max_len, "{name}/{seed}: {} bytes", bytes.len());
        if (t.run)(&bytes) {
            read.insert(name);
        }
    }
    assert_eq!(read, TARGETS.iter().map(|t| t.name).collect());
}

/// The places of the check sums are those of the format: mending what was written changes nothing.
#[test]
fn what_is_whole_needs_no_mending() {
    let mut mended = 0;
    for (target, seed, bytes) in seeds::all() {
        let again = match (target, &*seed) {
            ("block", "sealed") => {
                let limit = usize::try_from(block::spec().data_limit()).unwrap();
                block::packed(&mend::block(&block::unpacked(&bytes), limit))
            }
            ("footer", "three-streams") => mend::footer(&bytes),
            ("record", "header") => mend::sealed(&bytes, bytes.len()),
            _ => continue,
        };
        assert!(again == bytes, "{target}/{seed}");
        mended += 1;
    }
    assert_eq!(mended, 3);
}

/// A folder nobody replays would be a promise nobody keeps.
#[test]
fn every_folder_is_a_targets() {
    for kind in ["corpus", "regressions"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind);
        for entry in fs::read_dir(dir).into_iter().flatten().map(Result::unwrap).filter(|e| e.path().is_dir()) {
            let name = entry.file_name();
            assert!(target(name.to_str().unwrap()).is_some(), "{name:?} is no target");
        }
    }
}
