//! Repairs while recording goes on, and headers that rot.

use super::{Source, Village, signer, spec, start, verify};
use crate::{
    Reader,
    format::{PAGE, index::BlockState},
    inspect,
};
use domain::StreamKind;
use std::sync::Arc;

fn village(blocks: u64) -> Village {
    let sources = vec![Source::new("a", StreamKind::Video, 2000), Source::new("b", StreamKind::Video, 900)];
    Village::new(&spec(blocks, 64 << 10), sources, 6)
}

#[test]
fn footers_and_index_come_back_beside_the_writer_that_goes_on() {
    let mut v = village(300);
    v.live(300);
    let slots = v.core.catalog().slots();
    let sealed: Vec<usize> = (0..slots.len()).filter(|n| slots[*n].state == BlockState::Sealed).collect();
    assert!(sealed.len() > 6);
    assert!(v.core.sequence < 100, "it does not go round");
    // Three footers rot, and the whole index.
    for slot in &sealed[1..4] {
        v.disk.flip(&v.spec.file(*slot), v.spec.data_limit() + 40, 1);
    }
    for at in (0..v.spec.blocks() as u64).map(|n| PAGE + 64 * n) {
        v.disk.flip(&v.spec.paths[0].join("ring.index"), at, 1);
    }
    let (catalog, mends) = (v.core.catalog().clone(), v.core.mends());
    let mut steps = Vec::new();
    let rebuilt = std::thread::scope(|scope| {
        let steps = &mut steps;
        let asking = scope.spawn(move || inspect::beside(&catalog, &mends, super::NOON, |done, total| steps.push((done, total))).unwrap());
        // Recording goes on all the while: every turn writes, then mends one piece.
        while !asking.is_finished() {
            v.live(3);
            std::thread::yield_now();
        }
        asking.join().unwrap()
    });
    assert_eq!((rebuilt.footers, rebuilt.refused), (3, 0), "{rebuilt:?}");
    assert!(rebuilt.blocks as usize >= sealed.len() && steps.last().is_some_and(|(done, total)| done == total));
    // Not a picture is missing, before, meanwhile or after.
    let records = v.all(&v.reader);
    verify(&v.reader, &records, &v.given);
    v.live(30);
    let after = v.disk.cut(|_| true);
    let verdict = inspect::verify(v.spec.clone(), Arc::new(after.clone()), Some(signer().public_key()), |_, _| {}).unwrap();
    assert!(verdict.good(), "{:?}", verdict.findings);
    let (core, _l) = start(&v.spec, &after, &v.clock);
    assert!(v.all(&Reader::of(core.catalog().clone())).len() >= records.len());
}

#[test]
fn a_block_the_start_could_not_read_is_taken_in_again() {
    let mut v = village(300);
    v.live(300);
    let slots = v.core.catalog().slots();
    let lost = (0..slots.len()).find(|n| slots[*n].state == BlockState::Sealed && slots[*n].sequence > 2).unwrap();
    let before = v.all(&v.reader);
    // As a start leaves it that met header and footer in a bad moment.
    v.core.catalog().set(lost, crate::format::index::BlockSummary::default());
    assert!(v.all(&v.reader).len() < before.len());
    let (catalog, mends) = (v.core.catalog().clone(), v.core.mends());
    std::thread::scope(|scope| {
        let asking = scope.spawn(move || inspect::beside(&catalog, &mends, super::NOON, |_, _| {}).unwrap());
        while !asking.is_finished() {
            v.core.tick();
            std::thread::yield_now();
        }
        assert_eq!(asking.join().unwrap().refused, 0);
    });
    assert_eq!(v.all(&v.reader), before);
}

#[test]
fn a_rotten_header_of_the_block_being_written_costs_nothing() {
    for index_too in [false, true] {
        let mut v = village(40);
        v.live(320);
        // In the middle of a block that was used before as well: its old footer still lies at its end.
        while v.core.sequence < 50 || v.core.open.as_ref().is_none_or(|o| o.at < PAGE * 6) {
            v.live(3);
        }
        let open = v.core.open.as_ref().unwrap().slot;
        let records = v.all(&v.reader);
        v.disk.flip(&v.spec.file(open), 30, 1);
        let after = v.disk.cut(|_| false);
        let found = inspect::verify(v.spec.clone(), Arc::new(after.clone()), None, |_, _| {}).unwrap();
        let what: Vec<_> = found.findings.iter().map(|f| f.what).collect();
        assert_eq!(what, [inspect::What::BlockHeader], "named, and nothing else");
        if index_too {
            after.remove(&v.spec.paths[0].join("ring.index"));
        }
        let (mut core, _l) = start(&v.spec, &after, &v.clock);
        let reader = Reader::of(core.catalog().clone());
        assert_eq!(v.all(&reader), records, "index lost as well: {index_too}");
        core.tick();
        assert_eq!(core.catalog().slot(open).state, BlockState::Sealed, "it gets its footer");
        assert_eq!(v.all(&reader), records);
    }
}
