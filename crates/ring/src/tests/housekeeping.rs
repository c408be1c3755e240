//! What the writer does beside recording, on disks that refuse it and on rings that change their size.

use super::{Source, Village, samples_of, spec, start, verify};
use crate::{Fault, disk::Disk, format::index::BlockState, reader::Reader};
use domain::{Clock, StreamKind};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

fn two_cameras() -> Vec<Source> {
    vec![Source::new("a", StreamKind::Video, 2000), Source::new("b", StreamKind::Video, 900)]
}

fn errors(v: &Village) -> u64 {
    v.core.status().lock().unwrap().errors
}

/// A ring full of recordings, all of them too old, under a clock that is to be trusted.
fn expired(paths: &[&str]) -> Village {
    let mut spec = spec(12, 64 << 10);
    spec.paths = paths.iter().map(PathBuf::from).collect();
    spec.max_age = Some(Duration::from_secs(3600));
    let mut v = Village::new(&spec, two_cameras(), 4);
    v.clock.set_synchronised(true);
    v.live(600);
    v.clock.advance(Duration::from_secs(2 * 3600));
    v
}

fn erased(v: &Village, path: usize) -> usize {
    let slots = v.core.catalog().slots();
    slots.iter().enumerate().filter(|(n, s)| v.spec.place(*n).0 == path && s.state == BlockState::Erased).count()
}

#[test]
fn a_path_that_will_not_erase_is_asked_ever_more_rarely_and_holds_no_other_up() {
    let mut v = expired(&["/one", "/two"]);
    v.disk.fail(&PathBuf::from("/one/block-00000.mtr"), Fault::Write);
    for n in 1..6 {
        v.disk.fail(&PathBuf::from(format!("/one/block-{n:05}.mtr")), Fault::Write);
    }
    let before = errors(&v);
    // Ten minutes of ticks, four a second.
    for _ in 0..2400 {
        v.clock.advance(Duration::from_millis(250));
        v.core.tick();
    }
    let tries = errors(&v) - before;
    assert!((3..=12).contains(&tries), "{tries} tries in ten minutes");
    assert_eq!(erased(&v, 0), 0);
    assert!(erased(&v, 1) >= 4, "{} of the other path's", erased(&v, 1));
    let detail = v.core.status().lock().unwrap().detail.clone();
    assert!(detail.contains("cannot erase") && detail.contains("/one/block-"), "{detail}");
    v.disk.heal();
    for _ in 0..2400 {
        v.clock.advance(Duration::from_millis(250));
        v.core.tick();
    }
    assert!(erased(&v, 0) >= 4, "{} once it heals", erased(&v, 0));
    assert_eq!(errors(&v) - before, tries);
}

#[test]
fn a_dead_path_is_not_asked_at_every_block_and_comes_back() {
    let mut spec = spec(12, 64 << 10);
    spec.paths = vec![PathBuf::from("/one"), PathBuf::from("/two")];
    let mut v = Village::new(&spec, two_cameras(), 4);
    v.live(60);
    v.disk.fail(&PathBuf::from("/two"), Fault::Gone);
    let before = errors(&v);
    let first = v.core.sequence;
    v.live(3000);
    let blocks = v.core.sequence - first;
    let tries = errors(&v) - before;
    assert!(blocks > 60 && tries <= 25, "{tries} refusals, footers included, in {blocks} blocks and five minutes");
    let newest = v.core.status().lock().unwrap().newest.unwrap();
    assert!(v.clock.wall().micros_since(newest) < 1_000_000);
    v.disk.heal();
    v.live(4000);
    let sequence = |path: usize| {
        let slots = v.core.catalog().slots();
        slots.iter().enumerate().filter(|(n, _)| spec.place(*n).0 == path).map(|(_, s)| s.sequence).max().unwrap()
    };
    assert!(sequence(0).abs_diff(sequence(1)) <= 4, "both record: {} and {}", sequence(0), sequence(1));
    verify(&v.reader, &v.all(&v.reader), &v.given);
}

#[test]
fn both_paths_are_asked_in_turn_while_both_refuse() {
    let mut spec = spec(12, 64 << 10);
    spec.paths = vec![PathBuf::from("/one"), PathBuf::from("/two")];
    let mut v = Village::new(&spec, two_cameras(), 4);
    v.live(60);
    for path in ["/one", "/two"] {
        v.disk.fail(&PathBuf::from(path), Fault::Gone);
    }
    v.live(300);
    v.disk.heal();
    v.disk.fail(&PathBuf::from("/one"), Fault::Gone);
    v.live(120);
    let newest = v.core.status().lock().unwrap().newest.unwrap();
    assert!(v.clock.wall().micros_since(newest) < 1_000_000, "the path that came back is found within seconds");
}

#[test]
fn a_footer_that_was_refused_is_written_once_the_disk_takes_it() {
    let mut v = Village::new(&spec(100, 64 << 10), two_cameras(), 4);
    v.live(60);
    let slot = v.core.catalog().slots().iter().position(|s| s.sequence == v.core.sequence).unwrap();
    let sequence = v.core.sequence;
    // The block is full, its footer refused; recording goes on in the others.
    while v.core.sequence == sequence {
        v.live(3);
        if v.core.open.as_ref().is_some_and(|o| o.slot == slot && o.at > v.spec.data_limit() - (24 << 10)) {
            v.disk.fail(&v.spec.file(slot), Fault::Write);
        }
    }
    v.disk.fail(&v.spec.file(slot), Fault::Write);
    v.live(300);
    assert_eq!(v.core.catalog().slot(slot).state, BlockState::Open);
    let tries = errors(&v);
    assert!((3..=8).contains(&tries), "{tries} tries in half a minute");
    v.disk.heal();
    v.live(700);
    assert_eq!(v.core.catalog().slot(slot).state, BlockState::Sealed);
    assert!(v.core.catalog().footer(slot, sequence).unwrap().unwrap().signed());
    verify(&v.reader, &v.all(&v.reader), &v.given);
}

#[test]
fn a_block_that_never_gets_its_footer_is_recycled_like_any_other() {
    let mut v = Village::new(&spec(6, 64 << 10), two_cameras(), 4);
    v.live(60);
    let open = v.core.open.as_ref().unwrap().slot;
    let sequence = v.core.sequence;
    v.disk.fail(&v.spec.file(open), Fault::Write);
    v.live(100);
    v.disk.heal();
    v.live(3000);
    assert!(v.core.catalog().slots().iter().all(|s| s.sequence > sequence), "all have gone round");
    assert!(v.core.unsealed.is_empty());
}

#[test]
fn a_smaller_ring_gives_its_blocks_back_and_chains_go_on() {
    for cut in [false, true] {
        let mut v = Village::new(&spec(20, 64 << 10), two_cameras(), 4);
        // The newest blocks are among those that go.
        while v.core.sequence < 17 {
            v.live(3);
        }
        let newest: BTreeMap<_, _> = v.all(&v.reader).iter().map(|r| (r.stream.clone(), v.reader.read(r).unwrap().header)).collect();
        let sequence = v.core.sequence;
        let small = spec(8, 64 << 10);
        let mut given = std::mem::take(&mut v.given);
        let disk = v.disk.cut(|_| true);
        let mut sources = std::mem::take(&mut v.sources);
        sources.iter_mut().for_each(|s| (s.count, s.loss) = (0, true));
        let clock = v.clock.clone();
        drop(v);
        let files = |disk: &crate::ModelDisk| {
            let names = disk.list(&PathBuf::from("/ring")).unwrap();
            names.into_iter().filter(|(name, _)| name.starts_with("block-")).count()
        };
        let mut v = Village::on(disk.clone(), clock.clone(), &small, sources, 5);
        assert_eq!((files(&disk), v.core.sequence), (20, sequence), "nothing goes before the new is safe");
        if cut {
            // A start that came to nothing changes nothing.
            v.live(6);
            given.append(&mut v.given);
            let after = v.disk.cut(|_| false);
            let sources = std::mem::take(&mut v.sources);
            drop(v);
            v = Village::on(after, clock, &small, sources, 6);
            v.sources.iter_mut().for_each(|s| s.loss = true);
            v.live(1);
        }
        v.live(900);
        given.append(&mut v.given);
        assert_eq!(files(&v.disk), 8);
        let records = v.all(&v.reader);
        for (stream, last) in &newest {
            let next = records.iter().find(|r| r.stream == *stream && r.block > sequence).map(|r| v.reader.read(r).unwrap());
            let next = next.expect("it goes on");
            assert!(next.header.seq > last.seq, "{stream}: no number is given twice");
            if next.header.seq == last.seq + 1 {
                assert_eq!(next.header.chain, next.header.chain_after(&last.chain), "{stream}: the chain goes on");
            }
        }
        for r in &records {
            for (dts, data) in samples_of(&v.reader.read(r).unwrap()) {
                assert_eq!(given.get(&(r.stream.clone(), dts)), Some(&data));
            }
        }
        // A ring that grows again finds no stale blocks.
        let again = v.disk.cut(|_| true);
        let (core, _l) = start(&spec(20, 64 << 10), &again, &v.clock);
        assert!(core.catalog().slots().iter().skip(8).all(|s| s.sequence == 0));
        assert_eq!(v.all(&Reader::of(core.catalog().clone())), records);
    }
}

#[test]
fn files_that_cannot_be_deleted_are_named_and_tried_again() {
    let mut v = Village::new(&spec(12, 64 << 10), two_cameras(), 4);
    v.live(600);
    let (disk, clock) = (v.disk.cut(|_| true), v.clock.clone());
    let sources = std::mem::take(&mut v.sources);
    drop(v);
    let mut v = Village::on(disk, clock, &spec(6, 64 << 10), sources, 5);
    v.disk.fail(&PathBuf::from("/ring/block-00011.mtr"), Fault::Write);
    v.live(600);
    let detail = v.core.status().lock().unwrap().detail.clone();
    assert!(detail.contains("block-00011.mtr cannot be deleted"), "{detail}");
    assert!(errors(&v) < 10, "{}", errors(&v));
    v.disk.heal();
    v.live(1200);
    assert!(v.disk.list(&PathBuf::from("/ring")).unwrap().iter().all(|(name, _)| !name.starts_with("block-00011")));
}

#[test]
fn what_is_kept_along_agrees_with_the_slots() {
    let mut v = expired(&["/ring"]);
    for round in 0..200 {
        v.live(5);
        v.core.tick();
        let slots = v.core.catalog().slots();
        let (used, oldest) = v.core.catalog().used();
        assert_eq!(used, slots.iter().filter(|s| s.records > 0).count(), "round {round}");
        assert_eq!(oldest, slots.iter().filter(|s| s.records > 0).min_by_key(|s| s.sequence).copied());
        assert_eq!(v.core.catalog().oldest_sequence(), slots.iter().map(|s| s.sequence).filter(|s| *s > 0).min().unwrap_or(0));
        let mut order: Vec<usize> = (0..slots.len()).collect();
        order.sort_by_key(|&n| (slots[n].sequence, n));
        assert_eq!(v.core.catalog().oldest_slots(100, |_| true), order);
    }
}

#[test]
fn a_real_file_is_deleted_once_and_for_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("block-00000.mtr");
    crate::SystemDisk.create(&path, 64 << 10).unwrap();
    crate::SystemDisk.delete(&path).unwrap();
    assert!(!path.exists());
    crate::SystemDisk.delete(&path).unwrap();
    assert!(crate::SystemDisk.delete(dir.path()).is_err(), "a folder is no file");
}
