//! A ring judged from its blocks alone: what is whole is called whole, what is not is named with its seconds.

use super::{Dice, Source, Village, signer, spec, start};
use crate::{
    ModelDisk, RingError, RingSpec,
    disk::Disk,
    format::record::RECORD_HEADER,
    inspect::{self, BlockWord, Seal, Verdict, What},
    reader::{Reader, RecordRef},
};
use domain::{Clock, StreamKind};
use std::{path::PathBuf, sync::Arc, time::Duration};

fn village(blocks: u64) -> Village {
    let sources =
        vec![Source::new("a", StreamKind::Video, 2000), Source::new("b", StreamKind::Video, 900), Source::new("a", StreamKind::Audio, 160)];
    Village::new(&spec(blocks, 64 << 10), sources, 5)
}

fn judged(spec: &RingSpec, disk: &ModelDisk) -> Verdict {
    inspect::verify(spec.clone(), Arc::new(disk.clone()), Some(signer().public_key()), |_, _| {}).unwrap()
}

/// What a start from this disk can read.
fn readable(v: &Village, disk: &ModelDisk) -> Vec<RecordRef> {
    let (core, _locks) = start(&v.spec, disk, &v.clock);
    v.all(&Reader::of(core.catalog().clone()))
}

#[test]
fn a_ring_that_goes_round_is_good_beside_its_daemon_and_after_a_cut() {
    let mut v = village(7);
    for _ in 0..12 {
        v.live(90);
        let verdict = judged(&v.spec, &v.disk);
        assert!(verdict.good(), "{:?}", verdict.findings);
        assert_eq!(verdict.records, v.all(&v.reader).len() as u64);
        assert_eq!(verdict.unhashed, 0);
    }
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let after = v.disk.cut(|_| dice.below(2) == 0);
        assert!(judged(&v.spec, &after).good(), "cut {seed}");
        let mut again = Village::on(after.clone(), v.clock.clone(), &v.spec, vec![Source::new("b", StreamKind::Video, 900)], seed);
        again.live(60);
        let verdict = judged(&v.spec, &after);
        assert!(verdict.good(), "cut {seed}: {:?}", verdict.findings);
    }
}

#[test]
fn every_flipped_bit_of_a_record_is_found_and_costs_only_its_record() {
    let mut v = village(6);
    v.live(260);
    let records = v.all(&v.reader);
    let disk = v.disk.cut(|_| true);
    let newest = records.iter().map(|r| r.block).max().unwrap();
    let mut dice = Dice(77);
    for n in 0..1_000u64 {
        let r = &records[dice.below(records.len() as u64) as usize];
        let at = u64::from(r.entry.offset) + dice.below(r.entry.len.into());
        let (file, mask) = (v.spec.file(r.slot), 1 << dice.below(8));
        disk.flip(&file, at, mask);
        let reader = inspect::reader(v.spec.clone(), Arc::new(disk.clone())).unwrap();
        let bad: Vec<_> = records.iter().filter(|r| reader.read(r).is_err()).collect();
        assert_eq!(bad, [r], "flip {n} at {at}");
        // The whole verdict is slower: now and then. In the last batch of a block without a footer nothing tells rot from
        // the end of what a cut left, which is no damage.
        if n.is_multiple_of(20) && r.block != newest {
            let verdict = judged(&v.spec, &disk);
            let f = verdict.findings.iter().find(|f| f.what.costs()).unwrap_or_else(|| panic!("flip {n} at {at}: nothing found"));
            assert_eq!(verdict.found, 1, "{:?}", verdict.findings);
            assert_eq!(f.block, r.block);
            let header = at - u64::from(r.entry.offset) < RECORD_HEADER as u64;
            assert_eq!(f.what, if header { What::RecordHeader } else { What::Payload });
            if f.stream.is_some() {
                assert_eq!(
                    (f.stream.as_deref(), f.from, f.to),
                    (Some(&*r.stream.to_string()), Some(r.entry.wall), Some(r.entry.wall_end()))
                );
            }
        }
        disk.flip(&file, at, mask);
    }
    assert!(judged(&v.spec, &disk).good());
}

#[test]
fn a_flip_in_what_only_leads_to_records_costs_none() {
    let mut v = village(6);
    v.live(260);
    let records = v.all(&v.reader);
    let sealed: Vec<_> =
        v.core.catalog().slots().into_iter().enumerate().filter(|(_, s)| s.state == crate::format::index::BlockState::Sealed).collect();
    let (slot, s) = sealed[1];
    let file = v.spec.file(slot);
    // The block's header, its first batch's, that batch's directory, and the footer's front and tables.
    let footer = v.spec.data_limit();
    for (at, what) in [
        (20, What::BlockHeader),
        (4096 + 17, What::Directory),
        (4096 + 70, What::Directory),
        (footer + 30, What::Footer),
        (footer + 400, What::Footer),
    ] {
        let disk = v.disk.cut(|_| true);
        disk.flip(&file, at, 4);
        let verdict = judged(&v.spec, &disk);
        assert_eq!(verdict.findings.iter().map(|f| (f.what, f.block)).collect::<Vec<_>>(), [(what, s.sequence)], "at {at}");
        assert!(!what.costs());
        assert_eq!(verdict.records, records.len() as u64, "at {at}");
        assert_eq!(readable(&v, &disk).len(), records.len(), "at {at}");
    }
}

#[test]
fn what_was_taken_out_or_put_in_shows() {
    let mut v = village(8);
    v.live(300);
    let records = v.all(&v.reader);
    let middle = records.iter().map(|r| r.block).max().unwrap() - 2;
    let inside: Vec<_> = records.iter().filter(|r| r.block == middle && r.stream == *v.sources[0].id).collect();
    let file = v.spec.file(inside[0].slot);
    let put = |disk: &ModelDisk, at: u64, bytes: &[u8]| {
        disk.open(&file, true).unwrap().write_all_at(&[std::io::IoSlice::new(bytes)], at).unwrap()
    };
    let raw = |r: &RecordRef| {
        let mut bytes = vec![0; r.entry.len as usize];
        v.disk.open(&v.spec.file(r.slot), false).unwrap().read_at(r.entry.offset.into(), &mut bytes).unwrap();
        bytes
    };

    // A record's samples replaced and every check sum made to fit, by somebody without the key.
    let disk = v.disk.cut(|_| true);
    let r = inside.iter().find(|r| !r.key()).unwrap();
    let mut bytes = raw(r);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let payload_crc = crc32fast::hash(&bytes[RECORD_HEADER..]);
    bytes[132..136].copy_from_slice(&payload_crc.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..252]);
    bytes[252..256].copy_from_slice(&crc.to_le_bytes());
    put(&disk, r.entry.offset.into(), &bytes);
    let verdict = judged(&v.spec, &disk);
    assert!(verdict.findings.iter().any(|f| f.what == What::MediaHash && f.from == Some(r.entry.wall)), "{:?}", verdict.findings);

    // A whole block file put back to zeros.
    let disk = v.disk.cut(|_| true);
    let size = v.spec.block_size;
    put(&disk, 0, &vec![0; size as usize]);
    let verdict = judged(&v.spec, &disk);
    let found: Vec<_> = verdict.findings.iter().map(|f| f.what).collect();
    assert!(found.contains(&What::BlockGone) && found.contains(&What::Missing), "{found:?}");

    // Signed by another box.
    let verdict = inspect::verify(v.spec.clone(), Arc::new(v.disk.clone()), Some([7; 32]), |_, _| {}).unwrap();
    assert!(verdict.findings.iter().any(|f| f.what == What::Key));
    // A signature that is not one.
    let disk = v.disk.cut(|_| true);
    let footer_at = v.spec.data_limit();
    let mut front = [0; 320];
    disk.open(&file, false).unwrap().read_at(footer_at, &mut front).unwrap();
    front[230] ^= 1;
    let crc = crc32fast::hash(&front[..316]);
    front[316..].copy_from_slice(&crc.to_le_bytes());
    put(&disk, footer_at, &front);
    assert!(judged(&v.spec, &disk).findings.iter().any(|f| f.what == What::Signature && f.block == middle));
}

#[test]
fn index_and_footers_come_back_from_blocks_alone() {
    let mut v = village(8);
    v.live(500);
    let records = v.all(&v.reader);
    let disk = v.disk.cut(|_| true);
    disk.remove(&PathBuf::from("/ring/ring.index"));
    disk.create(&PathBuf::from("/ring/ring.index"), 8192).unwrap();
    let slots = v.core.catalog().slots();
    for (slot, _) in slots.iter().enumerate().filter(|(_, s)| s.state == crate::format::index::BlockState::Sealed) {
        disk.flip(&v.spec.file(slot), v.spec.data_limit(), 0xff);
    }
    let found = judged(&v.spec, &disk);
    assert!(found.findings.iter().all(|f| f.what == What::Footer) && found.found > 2, "{:?}", found.findings);
    let alone = inspect::reader(v.spec.clone(), Arc::new(disk.clone())).unwrap();
    assert_eq!(v.all(&alone), records);

    let rebuilt = inspect::rebuild(&v.spec, &disk, &*signer(), v.clock.wall()).unwrap();
    assert_eq!((rebuilt.footers, rebuilt.records, rebuilt.refused), (found.found, records.len() as u64, 0));
    let disk = disk.cut(|_| false);
    let verdict = judged(&v.spec, &disk);
    assert!(verdict.good() && verdict.records == records.len() as u64, "{:?}", verdict.findings);
    assert_eq!(readable(&v, &disk), records);
    // Where all is well there is nothing to do.
    assert_eq!(inspect::rebuild(&v.spec, &disk, &*signer(), v.clock.wall()).unwrap().footers, 0);
    // Beside a daemon it is refused by name.
    let refused = inspect::rebuild(&v.spec, &v.disk, &*signer(), v.clock.wall()).unwrap_err();
    assert!(matches!(refused, RingError::Locked { .. }), "{refused}");
}

#[test]
fn a_scan_says_what_each_block_is() {
    let mut v = village(6);
    v.live(150);
    v.clock.advance(Duration::from_secs(1));
    let mut lines = Vec::new();
    inspect::scan(&v.spec, &v.disk, |line| lines.push(line)).unwrap();
    assert_eq!(lines.len(), 6);
    let count = |state| lines.iter().filter(|l| l.state == state).count();
    assert_eq!(count(BlockWord::Open), 1);
    assert!(count(BlockWord::Sealed) > 1, "{lines:?}");
    assert_eq!(count(BlockWord::Sealed) + count(BlockWord::Empty) + 1, 6);
    assert!(lines.iter().filter(|l| l.state == BlockWord::Sealed).all(|l| l.seal == Seal::Good && l.header && l.damaged == 0));
    assert_eq!(lines.iter().map(|l| l.records as usize).sum::<usize>(), v.all(&v.reader).len());
}
