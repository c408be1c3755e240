//! What is covered, from memory: the same as from the footers, whatever happened; and after a restart.

use super::{Dice, EVER, NOON, Source, Village, spec};
use crate::{coverage::build, reader::Reader};
use domain::{Clock, StreamKind};
use std::{sync::Arc, time::Duration};

fn same_as_the_footers(v: &Village) {
    // Another process's reader knows nothing but index and footers.
    let footers = Reader::open(v.spec.clone(), Arc::new(v.disk.fork())).unwrap();
    let mut dice = Dice(9);
    for s in &v.sources {
        for n in 0..20 {
            let (mut from, mut to) = EVER;
            if n > 0 {
                from = NOON.plus_micros(dice.below(4_000_000_000) as i64 - 100_000_000);
                to = from.plus_micros(1 + dice.below(2_000_000_000) as i64);
            }
            assert_eq!(v.reader.coverage(&s.id, from, to).unwrap(), footers.coverage(&s.id, from, to).unwrap(), "{from}..{to}");
        }
    }
}

#[test]
fn memory_and_footers_say_the_same_through_gaps_wrapping_and_clock_steps() {
    let sources = vec![Source::new("a", StreamKind::Video, 900), Source::new("b", StreamKind::Video, 300)];
    let mut v = Village::new(&spec(6, 64 << 10), sources, 3);
    build(&Arc::downgrade(v.core.catalog()));
    for round in 0..12 {
        v.live(60 + round * 7);
        same_as_the_footers(&v);
        match round % 4 {
            // A hole for all, a hole for one, a step of the clock.
            0 => v.clock.advance(Duration::from_secs(30)),
            1 => {
                v.sources[0].loss = true;
                v.sources[0].dts += 90_000;
            }
            _ => {}
        }
    }
    v.core.finish();
    same_as_the_footers(&v);
    let first = v.reader.coverage(&v.sources[0].id, EVER.0, EVER.1).unwrap()[0];
    assert!(first.from > NOON, "the ring went round: {first:?}");
    assert_eq!(v.reader.expired_before().map(|t| t <= first.from), Some(true));
}

#[test]
fn a_snapshot_spares_the_footers_and_a_torn_one_costs_nothing_but_time() {
    let mut v = Village::new(&spec(6, 64 << 10), vec![Source::new("a", StreamKind::Video, 900)], 3);
    build(&Arc::downgrade(v.core.catalog()));
    v.live(400);
    v.core.finish();
    let paths = ["ring.spans-a", "ring.spans-b"].map(|n| v.spec.paths[0].join(n));
    let want = v.reader.coverage(&v.sources[0].id, EVER.0, EVER.1).unwrap();
    let again = |disk: crate::ModelDisk| {
        let (core, _locks) = crate::recorder::prepare(v.spec.clone(), Arc::new(disk), v.clock.clone(), super::signer()).unwrap();
        build(&Arc::downgrade(core.catalog()));
        Reader::of(core.catalog().clone()).coverage(&v.sources[0].id, EVER.0, EVER.1).unwrap()
    };
    assert_eq!(again(v.disk.fork()), want);
    for path in &paths {
        let disk = v.disk.fork();
        disk.flip(path, 40, 1);
        disk.flip(path, 20, 1);
        assert_eq!(again(disk), want, "{}", path.display());
    }
}

#[test]
fn a_path_that_refuses_leaves_holes_and_they_are_told() {
    let mut spec = spec(12, 64 << 10);
    spec.paths = vec!["/one".into(), "/two".into()];
    let mut v = Village::new(&spec, vec![Source::new("a", StreamKind::Video, 900), Source::new("b", StreamKind::Video, 300)], 3);
    build(&Arc::downgrade(v.core.catalog()));
    v.live(600);
    for round in 0..4 {
        v.disk.fail(&spec.paths[round % 2], crate::Fault::NoSpace);
        for _ in 0..6 {
            v.live(40);
            same_as_the_footers(&v);
        }
        v.disk.heal();
        v.live(150);
        same_as_the_footers(&v);
        // And after a start, whatever the last snapshot said.
        v.core.save_coverage();
    }
    v.disk.fail(&spec.paths[1], crate::Fault::NoSpace);
    v.live(100);
    let (core, _locks) = crate::recorder::prepare(spec, Arc::new(v.disk.cut(|_| false)), v.clock.clone(), super::signer()).unwrap();
    build(&Arc::downgrade(core.catalog()));
    let again = Reader::of(core.catalog().clone());
    let (from, to) = (EVER.0, v.clock.wall().plus_micros(-3_000_000));
    for s in &v.sources {
        assert_eq!(again.coverage(&s.id, from, to).unwrap(), v.reader.coverage(&s.id, from, to).unwrap());
    }
}

#[test]
fn a_clock_set_back_inside_the_oldest_block_hides_nothing_that_is_gone() {
    let mut v =
        Village::new(&spec(6, 64 << 10), vec![Source::new("a", StreamKind::Video, 900), Source::new("b", StreamKind::Video, 300)], 3);
    build(&Arc::downgrade(v.core.catalog()));
    v.live(90);
    v.clock.step_wall(v.clock.wall().plus_micros(-3_600_000_000));
    for s in &mut v.sources {
        (s.loss, s.count, s.dts) = (true, 0, s.dts + 90_000);
    }
    // Until the block with the step is the oldest, and then gone.
    for _ in 0..40 {
        v.live(12);
        same_as_the_footers(&v);
    }
}

/// Beside blocks on a disk that refuses, ends are exact to what is no hole.
fn near_the_footers(v: &Village) {
    let footers = Reader::open(v.spec.clone(), Arc::new(v.disk.fork())).unwrap();
    for s in &v.sources {
        let (said, truth) = (v.reader.coverage(&s.id, EVER.0, EVER.1).unwrap(), footers.coverage(&s.id, EVER.0, EVER.1).unwrap());
        let near = |a: domain::WallTime, b: domain::WallTime| a.micros_since(b).abs() <= 1_000_000;
        let same = said.len() == truth.len() && said.iter().zip(&truth).all(|(a, b)| near(a.from, b.from) && near(a.to, b.to));
        assert!(same, "{said:?}\n{truth:?}");
    }
}

#[test]
fn a_clock_set_back_a_little_inside_a_long_run_hides_nothing_and_shows_nothing_that_is_gone() {
    for back in [4_000_000, 20_000_000, 50_000_000] {
        let sources = vec![Source::new("a", StreamKind::Video, 900), Source::new("b", StreamKind::Video, 300)];
        let mut spec = spec(14, 64 << 10);
        spec.paths = vec!["/one".into(), "/two".into()];
        let mut v = Village::new(&spec, sources, 3);
        build(&Arc::downgrade(v.core.catalog()));
        v.live(615);
        v.clock.step_wall(v.clock.wall().plus_micros(-back));
        for s in &mut v.sources {
            (s.loss, s.count, s.dts) = (true, 0, s.dts + 90_000);
        }
        // Until the block with the step is the oldest, and then gone; meanwhile one path is overwritten alone.
        for n in 0..70 {
            v.live(15);
            near_the_footers(&v);
            match n {
                4 => v.disk.fail(&spec.paths[1], crate::Fault::NoSpace),
                9 => v.disk.heal(),
                _ => {}
            }
        }
    }
}
