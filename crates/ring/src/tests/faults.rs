//! Disks that fail, clocks that step, bits that rot, and a ring that goes round.

use super::{Dice, NOON, Source, Village, samples_of, spec, start, verify};
use crate::{Damage, Fault, RingError, disk::Disk, format::index::BlockState, reader::Reader, status::RingState};
use domain::{Clock, StreamKind, WallTime};
use std::{path::PathBuf, sync::Arc, time::Duration};

fn two_cameras() -> Vec<Source> {
    vec![Source::new("a", StreamKind::Video, 2000), Source::new("b", StreamKind::Video, 900)]
}

#[test]
fn rot_costs_only_its_record() {
    let mut v = Village::new(&spec(8, 256 << 10), two_cameras(), 5);
    v.live(150);
    let records = v.all(&v.reader);
    let mut dice = Dice(9);
    let mut lost = 0;
    for _ in 0..1000 {
        let r = &records[dice.below(records.len() as u64) as usize];
        let at = u64::from(r.entry.offset) + dice.below(r.entry.len.into());
        let (file, mask) = (v.spec.file(r.slot), 1 << dice.below(8));
        v.disk.flip(&file, at, mask);
        let bad: Vec<_> = records.iter().filter(|r| v.reader.clone().read(r).is_err()).collect();
        assert_eq!(bad, [r], "flip at {at}");
        assert!(matches!(v.reader.read(r), Err(RingError::Damaged { .. })));
        v.disk.flip(&file, at, mask);
        lost += bad.len();
        if lost >= 100 && std::env::var("MATTHON_RING_CUTS").is_err() {
            break;
        }
    }
    // Rot in a block that was never sealed: recovery keeps everything else.
    let newest = records.iter().map(|r| r.block).max().unwrap();
    let first = records.iter().find(|r| r.block == newest).unwrap();
    v.disk.flip(&v.spec.file(first.slot), u64::from(first.entry.offset) + 9, 1);
    let after = v.disk.cut(|_| false);
    let (core, _locks) = start(&v.spec, &after, &v.clock);
    assert_eq!(v.all(&Reader::of(core.catalog().clone())).len(), records.len() - 1);
}

#[test]
fn a_rotten_payload_is_named() {
    let mut v = Village::new(&spec(4, 64 << 10), two_cameras(), 5);
    v.live(30);
    let r = v.all(&v.reader).pop().unwrap();
    v.disk.flip(&v.spec.file(r.slot), u64::from(r.entry.offset + r.entry.len - 1), 1);
    let e = v.reader.read(&r).unwrap_err();
    assert!(matches!(e, RingError::Damaged { what: Damage::Payload, .. }), "{e}");
    assert!(e.to_string().contains("block-0000"), "{e}");
}

#[test]
fn it_goes_round_many_times_and_forgets_the_oldest_only() {
    let mut v = Village::new(&spec(5, 64 << 10), two_cameras(), 2);
    let stale = {
        v.live(30);
        v.all(&v.reader).remove(0)
    };
    v.live(3000);
    assert!(v.core.catalog().slots().iter().map(|s| s.sequence).max().unwrap() > 60);
    let records = v.all(&v.reader);
    verify(&v.reader, &records, &v.given);
    assert!(matches!(v.reader.read(&stale), Err(RingError::Gone { .. })));
    let newest = records.iter().map(|r| r.entry.wall_end()).max().unwrap();
    assert!(v.clock.wall().micros_since(newest) < 1_000_000);
    for s in v.core.catalog().slots().iter().filter(|s| s.state == BlockState::Sealed) {
        let slot = v.core.catalog().slots().iter().position(|x| x == s).unwrap();
        assert!(v.core.catalog().footer(slot, s.sequence).unwrap().unwrap().signed());
    }
}

#[test]
fn restarts_continue_chains_and_streams_come_and_go() {
    let mut v = Village::new(&spec(30, 64 << 10), two_cameras(), 3);
    let mut given = v.given.clone();
    for round in 0..6 {
        v.live(24);
        if round % 2 == 0 {
            v.core.finish();
        }
        given.append(&mut v.given);
        let disk = v.disk.cut(|_| round % 2 == 1);
        let (spec, clock) = (v.spec.clone(), v.clock.clone());
        let mut sources = std::mem::take(&mut v.sources);
        drop(v);
        for s in &mut sources {
            s.loss = true;
            s.count = 0;
        }
        if round == 3 {
            sources.push(Source::new("c", StreamKind::Video, 500));
        }
        v = Village::on(disk, clock, &spec, sources, 100 + round);
    }
    v.live(24);
    given.append(&mut v.given);
    let records = v.all(&v.reader);
    assert!(records.iter().map(|r| r.block).min() == Some(1), "nothing was overwritten");
    verify(&v.reader, &records, &given);
    assert_eq!(v.reader.streams().len(), 3);
    let spans = v.reader.coverage(&v.sources[0].id, NOON, v.clock.wall()).unwrap();
    assert!(spans.iter().all(|s| s.from < s.to && s.from >= NOON));
}

#[test]
fn a_disk_that_fails_heals_by_itself_and_nothing_in_memory_is_lost() {
    for fault in [Fault::Write, Fault::Sync, Fault::NoSpace, Fault::Gone] {
        let mut v = Village::new(&spec(16, 64 << 10), two_cameras(), 4);
        v.live(30);
        v.disk.fail(&PathBuf::from("/ring"), fault);
        v.live(30);
        let status = v.core.status().lock().unwrap().clone();
        assert_eq!(status.state, RingState::Failed, "{fault:?}");
        assert!(status.detail.contains("/ring/block-"), "{}", status.detail);
        v.disk.heal();
        v.live(60);
        assert_eq!(v.core.status().lock().unwrap().state, RingState::Slow, "{fault:?}: late for a while");
        let records = v.all(&v.reader);
        verify(&v.reader, &records, &v.given);
        let samples: usize = records.iter().map(|r| usize::from(r.entry.samples)).sum();
        assert!(samples >= 2 * 114, "{fault:?}: {samples} of 240");
        assert_eq!(v.core.intake().counts().dropped_gops, 0);
    }
}

#[test]
fn a_disk_that_refuses_for_long_costs_no_old_recording() {
    for fault in [Fault::Write, Fault::Sync, Fault::NoSpace, Fault::Gone] {
        let mut v = Village::new(&spec(16, 64 << 10), two_cameras(), 4);
        v.live(400);
        let before = v.all(&v.reader);
        v.disk.fail(&PathBuf::from("/ring"), fault);
        v.live(1200);
        v.disk.heal();
        for r in &before {
            v.reader.read(r).unwrap();
        }
        let after = v.disk.cut(|_| false);
        let (core, _l) = start(&v.spec, &after, &v.clock);
        let reader = Reader::of(core.catalog().clone());
        let (then, now) = (before.len(), v.all(&reader).len());
        assert!(now >= then, "{fault:?}: {now} of {then}");
    }
}

#[test]
fn one_dead_path_of_two_costs_no_second() {
    let mut spec = spec(12, 64 << 10);
    spec.paths = vec![PathBuf::from("/one"), PathBuf::from("/two")];
    let mut v = Village::new(&spec, two_cameras(), 4);
    v.live(60);
    v.disk.fail(&PathBuf::from("/two"), Fault::Gone);
    v.live(300);
    let newest = v.core.status().lock().unwrap().newest.unwrap();
    assert!(v.clock.wall().micros_since(newest) < 1_000_000);
    let one: Vec<_> = v.all(&v.reader).into_iter().filter(|r| spec.place(r.slot).0 == 0).collect();
    for r in &one {
        v.reader.read(r).unwrap();
    }
}

#[test]
fn too_much_waiting_drops_whole_groups_and_says_so() {
    let mut v = Village::new(&spec(64, 1 << 20), vec![Source { gop: 10, ..Source::new("a", StreamKind::Video, 700_000) }], 4);
    v.disk.fail(&PathBuf::from("/ring"), Fault::Gone);
    v.live(120);
    let counts = v.core.intake().counts();
    assert!(counts.dropped_gops > 0 && counts.bytes <= 24 << 20, "{counts:?}");
    v.disk.heal();
    v.live(60);
    let records = v.all(&v.reader);
    verify(&v.reader, &records, &v.given);
    let holes: Vec<_> = records.iter().filter(|r| r.entry.flags & 4 != 0).collect();
    assert!(!holes.is_empty() && holes.iter().all(|r| r.key()), "resumes at a random access point, marked");
}

#[test]
fn a_clock_that_reads_2099_erases_nothing_and_a_trusted_one_erases_in_order() {
    let mut spec = spec(40, 64 << 10);
    spec.max_age = Some(Duration::from_secs(3600));
    let mut v = Village::new(&spec, two_cameras(), 4);
    v.live(300);
    let before = v.all(&v.reader).len();
    for bad in ["2099-01-01T00:00:00Z", "1970-01-01T00:00:10Z"] {
        v.clock.step_wall(WallTime::parse(bad).unwrap());
        v.clock.advance(Duration::from_secs(700));
        for _ in 0..50 {
            v.core.tick();
        }
        assert!(v.all(&v.reader).len() >= before, "{bad}");
    }
    // The same after a restart in 2099 with a clock that claims to be right: it must first agree with itself for a while.
    v.clock.step_wall(WallTime::parse("2099-01-01T00:00:00Z").unwrap());
    let (mut core, _l) = start(&spec, &v.disk.cut(|_| false), &v.clock);
    for _ in 0..50 {
        core.tick();
    }
    assert!(core.catalog().slots().iter().all(|s| s.state != BlockState::Erased));
    // Right again, an hour later, unsynchronised at first.
    v.clock.step_wall(NOON.plus(Duration::from_secs(3600)));
    v.clock.set_synchronised(false);
    v.core.tick();
    v.clock.advance(Duration::from_secs(700));
    v.core.tick();
    assert!(v.core.catalog().slots().iter().all(|s| s.state != BlockState::Erased));
    v.clock.set_synchronised(true);
    v.core.tick();
    v.clock.advance(Duration::from_secs(700));
    for _ in 0..50 {
        v.core.tick();
    }
    let slots = v.core.catalog().slots();
    let erased: Vec<_> = slots.iter().filter(|s| s.state == BlockState::Erased).collect();
    assert!(!erased.is_empty());
    assert!(slots.iter().filter(|s| s.records > 0).all(|s| s.sequence > erased.iter().map(|e| e.sequence).max().unwrap()));
}

#[test]
fn a_lost_or_stale_index_is_rebuilt_from_the_blocks() {
    let mut v = Village::new(&spec(6, 64 << 10), two_cameras(), 8);
    v.live(200);
    let want = v.all(&v.reader);
    let after = v.disk.cut(|_| false);
    after.remove(&PathBuf::from("/ring/ring.index"));
    let (core, _l) = start(&v.spec, &after, &v.clock);
    assert_eq!(v.all(&Reader::of(core.catalog().clone())), want);
    // An index from long ago.
    let mut old = Village::new(&spec(6, 64 << 10), two_cameras(), 8);
    old.disk.fail(&PathBuf::from("/ring/ring.index"), Fault::Write);
    old.live(200);
    let want = old.all(&old.reader);
    let (core, _l) = start(&old.spec, &old.disk.cut(|_| false), &old.clock);
    assert_eq!(old.all(&Reader::of(core.catalog().clone())), want);
}

#[test]
fn a_reader_beside_the_daemon_sees_the_live_edge() {
    let mut v = Village::new(&spec(6, 64 << 10), two_cameras(), 8);
    let disk: Arc<dyn Disk> = Arc::new(v.disk.clone());
    let beside = Reader::open(v.spec.clone(), disk).unwrap();
    for _ in 0..60 {
        v.live(9);
        assert_eq!(v.all(&beside), v.all(&v.reader));
        let records = v.all(&beside);
        verify(&beside, &records, &v.given);
        assert_eq!(beside.streams(), v.reader.streams());
    }
}

#[test]
fn two_daemons_are_refused_by_name() {
    let v = Village::new(&spec(6, 64 << 10), two_cameras(), 8);
    let disk: Arc<dyn Disk> = Arc::new(v.disk.clone());
    let clock: Arc<dyn Clock> = v.clock.clone();
    let e = crate::Recorder::open(v.spec, disk, clock, super::signer()).unwrap_err();
    assert!(matches!(e, RingError::Locked { .. }) && e.to_string().contains("/ring"), "{e}");
}

#[test]
fn a_ring_that_does_not_fit_is_refused_with_numbers() {
    let disk = crate::ModelDisk::new();
    disk.set_free(100_000);
    let disk: Arc<dyn Disk> = Arc::new(disk);
    let clock: Arc<dyn Clock> = Arc::new(domain::SimClock::at(NOON));
    let e = crate::Recorder::open(spec(6, 64 << 10), disk, clock, super::signer()).unwrap_err();
    assert!(matches!(e, RingError::Space { need: 393_216, free: 100_000, .. }), "{e}");
}

#[test]
fn a_frame_beyond_the_budget_and_one_beyond_the_limit() {
    let big = Source { size: 40_000, ..Source::new("a", StreamKind::Video, 40_000) };
    let mut v = Village::new(&spec(8, 64 << 10), vec![big], 8);
    v.live(60);
    let records = v.all(&v.reader);
    assert!(!records.is_empty());
    for r in &records {
        for (_, data) in samples_of(&v.reader.read(r).unwrap()) {
            assert!(data.len() <= v.spec.max_access_unit());
        }
    }
    assert!(v.core.intake().counts().oversized > 0);
}

#[test]
fn a_block_whose_footer_was_refused_is_found_behind_newer_seals_after_a_cut() {
    let mut spec = spec(40, 64 << 10);
    spec.paths = vec![PathBuf::from("/one"), PathBuf::from("/two")];
    for bad in 0..2 {
        let mut v = Village::new(&spec, two_cameras(), 4);
        v.live(60);
        v.disk.fail(&spec.paths[bad], Fault::NoSpace);
        v.live(120);
        let before = v.all(&v.reader);
        verify(&v.reader, &before, &v.given);
        let after = v.disk.cut(|_| false);
        let (mut core, _l) = start(&spec, &after, &v.clock);
        let reader = Reader::of(core.catalog().clone());
        assert_eq!(v.all(&reader), before);
        // It gets its footer then, and nothing is wrong with any chain.
        for _ in 0..20 {
            core.tick();
        }
        core.finish();
        let verdict = crate::inspect::verify(spec.clone(), Arc::new(after), None, |_, _| {}).unwrap();
        assert!(verdict.good(), "{:?}", verdict.findings);
        assert_eq!(verdict.records, before.len() as u64);
    }
}

#[test]
fn what_a_clock_that_wrongly_claims_to_be_right_has_stamped_is_not_erased_for_its_age() {
    let mut spec = spec(40, 64 << 10);
    spec.max_age = Some(Duration::from_secs(3600));
    let mut v = Village::new(&spec, two_cameras(), 4);
    v.live(6);
    v.clock.advance(Duration::from_secs(700));
    v.live(6);
    let right = v.clock.wall();
    v.clock.step_wall(WallTime::parse("1970-01-01T00:00:10Z").unwrap());
    v.live(300);
    v.clock.step_wall(right.plus(Duration::from_secs(30)));
    v.live(300);
    assert!(v.core.catalog().slots().iter().all(|s| s.state != BlockState::Erased));
}

#[test]
fn a_ring_none_of_whose_paths_takes_anything_forecasts_nothing() {
    let mut v = Village::new(&spec(16, 64 << 10), two_cameras(), 4);
    v.live(240);
    let forecast = |v: &Village| v.core.status().lock().unwrap().days_forecast;
    assert!(forecast(&v).is_some_and(|days| days > 0.0));
    v.disk.fail(&PathBuf::from("/ring"), Fault::Sync);
    v.live(30);
    assert_eq!(forecast(&v), None);
    v.disk.heal();
    v.live(60);
    assert!(forecast(&v).is_some_and(|days| days > 0.0));
}

#[test]
fn a_clock_that_was_corrected_is_believed_again_and_what_it_stamped_before_is_marked() {
    let mut v = Village::new(&spec(60, 64 << 10), two_cameras(), 4);
    v.live(30);
    v.clock.advance(Duration::from_secs(700));
    v.live(30);
    // A time server corrects it by an hour: for ten minutes nobody knows which of both was right.
    v.clock.step_wall(v.clock.wall().plus(Duration::from_secs(3600)));
    v.live(30);
    v.clock.advance(Duration::from_secs(300));
    v.live(30);
    v.clock.advance(Duration::from_secs(400));
    v.live(30);
    let marks: Vec<bool> = v.all(&v.reader).iter().map(|r| r.entry.flags & crate::format::record::FLAG_CLOCK_UNSYNCED != 0).collect();
    let turns = marks.windows(2).filter(|w| w[0] != w[1]).count();
    // Two cameras: right, in doubt, right.
    assert!(turns == 4 && !marks[0] && marks.last() == Some(&false), "{marks:?}");
}

#[test]
fn an_open_block_behind_many_newer_ones_is_still_covered() {
    let mut v = Village::new(&spec(90, 64 << 10), two_cameras(), 4);
    v.live(20);
    let first = v.core.open.as_ref().unwrap().slot;
    // From now on the disk takes nothing of this block: neither its next batch nor its footer.
    v.disk.fail(&v.spec.file(first), Fault::Write);
    while v.core.sequence < 80 {
        v.live(100);
    }
    assert!(v.core.catalog().slot(first).state == BlockState::Open);
    for stream in [&v.sources[0].id, &v.sources[1].id] {
        let covered = v.reader.coverage(stream, NOON, v.clock.wall()).unwrap();
        assert!(covered[0].from.micros_since(NOON) < 1_000_000, "{covered:?}");
    }
}

#[test]
fn what_was_erased_is_not_shown_when_the_disk_will_not_say_that_it_is_gone() {
    let mut spec = spec(40, 64 << 10);
    spec.max_age = Some(Duration::from_secs(600));
    spec.paths = vec!["/one".into(), "/two".into()];
    let mut v = Village::new(&spec, two_cameras(), 4);
    crate::coverage::build(&Arc::downgrade(v.core.catalog()));
    v.live(300);
    v.clock.advance(Duration::from_secs(620));
    v.disk.fail(&spec.paths[0], Fault::Sync);
    v.live(60);
    let erased = v.core.catalog().slots().iter().filter(|s| s.state == BlockState::Erased).count();
    assert!(erased > 0);
    let beside = Reader::open(spec.clone(), Arc::new(v.disk.fork())).unwrap();
    for r in v.all(&v.reader) {
        v.reader.read(&r).unwrap();
    }
    for s in &v.sources {
        let (said, truth) = (&v.reader, &beside);
        let covered = |r: &Reader| r.coverage(&s.id, super::EVER.0, NOON.plus(Duration::from_secs(600))).unwrap();
        assert_eq!(covered(said), covered(truth));
    }
    // A start finds what the index says and no recording behind it.
    let after = v.disk.cut(|_| true);
    let (core, _l) = start(&spec, &after, &v.clock);
    let reader = Reader::of(core.catalog().clone());
    for r in v.all(&reader) {
        reader.read(&r).unwrap();
    }
}
