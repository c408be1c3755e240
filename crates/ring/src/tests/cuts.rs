//! The main proof: the power is cut at every disk operation, with any part of what was not synced surviving.

use super::{Dice, EVER, NOON, Source, Village, spec, start, verify};
use crate::{ModelDisk, Pace, reader::Reader};
use domain::{Clock, MonoTime, SimClock, StreamId, StreamKind};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Cut points of the usual run; `MATTHON_RING_CUTS` asks for more.
const CUTS: usize = 100_000;

/// A disk that turns: 10 ms for every read wherever it is, and 125 MB/s.
pub(super) const TURNING: Pace = Pace { read: Duration::from_millis(10), mib: Duration::from_millis(8), sync: Duration::ZERO };

/// A cut in one of the ways disks lose things: all, nothing, whole writes (so that later ones survive earlier ones), single
/// sectors, a prefix, pages.
pub(super) fn cut(disk: &ModelDisk, dice: &mut Dice) -> ModelDisk {
    let way = dice.below(6);
    let seed = dice.roll();
    let keep = dice.below(100);
    let mut sector = 0;
    let mut d = dice.clone();
    disk.cut_sectors(|write, at| {
        sector += 1;
        match way {
            0 => false,
            1 => true,
            2 => Dice(seed ^ write as u64).below(2) == 0,
            3 => d.below(100) < keep,
            4 => sector <= seed % 200,
            // In pages of 4 KiB.
            _ => Dice(seed ^ (write as u64) << 40 ^ (at / 4096)).below(100) < keep,
        }
    })
}

type Promised = BTreeMap<(StreamId, u64), (u64, u32)>;

fn promised(v: &Village) -> Promised {
    v.all(&v.reader).into_iter().map(|r| ((r.stream, r.entry.seq), (r.block, r.entry.header_crc))).collect()
}

#[allow(clippy::too_many_arguments, reason = "what is known of one cut")]
fn check(v: &Village, at: MonoTime, after: &ModelDisk, before: &Promised, still: &Promised, n: usize, dice: &mut Dice) {
    let clock = Arc::new(SimClock::at(v.clock.wall()));
    clock.reboot();
    after.drive(clock.clone());
    after.pace(TURNING);
    let (mut core, _locks) = start(&v.spec, after, &clock);
    let opened = clock.mono();
    // What the test itself reads takes no time.
    after.pace(Pace::default());
    let reader = Reader::of(core.catalog().clone());
    let records = v.all(&reader);
    let found: Promised = records.iter().map(|r| ((r.stream.clone(), r.entry.seq), (r.block, r.entry.header_crc))).collect();
    for (key, place) in before.iter().filter(|(k, _)| still.contains_key(*k)) {
        assert_eq!(found.get(key), Some(place), "{} record {} was promised", key.0, key.1);
    }
    // Samples come every 100 ms: what is missing came after the end of what is there.
    let taken = NOON.plus(Duration::from_micros(at.0));
    for s in &v.sources {
        let end = records.iter().rfind(|r| r.stream == *s.id).map_or(NOON, |r| r.entry.wall_end());
        assert!(taken.micros_since(end) <= 1_000_000, "{}: {} µs are lost", s.id, taken.micros_since(end));
    }
    if n.is_multiple_of(32) {
        verify(&reader, &records, &v.given);
    } else {
        // What lies in the newest blocks is what a cut can have touched.
        let newest = records.iter().map(|r| r.block).max().unwrap_or(0);
        let touched: Vec<_> = records.iter().filter(|r| r.block == newest).cloned().collect();
        for r in &touched {
            reader.read_checked(r).unwrap();
        }
    }
    if n.is_multiple_of(8) {
        let source = &v.sources[0];
        let last = records.iter().rfind(|r| r.stream == *source.id).map(|r| r.entry.seq);
        let mut next = Source { dts: source.dts + 900_000, loss: true, count: 0, ..Source::new("a", StreamKind::Video, 900) };
        for _ in 0..6 {
            core.intake().push(&next.next(clock.wall(), dice), clock.mono());
            clock.advance(Duration::from_millis(100));
        }
        after.pace(TURNING);
        core.tick();
        assert!(clock.mono() <= MonoTime(2_000_000), "opened after {opened:?} and recording again after {:?}", clock.mono());
        after.pace(Pace::default());
        let now = reader.records(&source.id, EVER.0, EVER.1).unwrap();
        let newest = now.last().unwrap();
        assert!(newest.key() || newest.entry.seq > 0);
        let first_new = now.iter().find(|r| last.is_none_or(|l| r.entry.seq > l)).expect("records again in the first turn");
        assert_eq!(Some(first_new.entry.seq), last.map_or(Some(first_new.entry.seq), |l| l.checked_add(1)));
        let fresh = reader.read(first_new).unwrap().header;
        if let Some(l) = now.iter().find(|r| Some(r.entry.seq) == last) {
            assert_eq!(fresh.chain, fresh.chain_after(&reader.read(l).unwrap().header.chain), "chain goes on over the cut");
        }
        core.tick();
        assert!(core.catalog().slots().iter().filter(|s| s.state == crate::format::index::BlockState::Open).count() <= 1, "sealed behind");
    }
}

#[test]
fn what_was_promised_survives_a_cut_anywhere() {
    let goal = std::env::var("MATTHON_RING_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(CUTS);
    let mut cuts = 0;
    for seed in 0.. {
        if cuts >= goal {
            break;
        }
        let mut dice = Dice(seed);
        let sources = vec![
            Source::new("a", StreamKind::Video, 200 + dice.below(1500)),
            Source::new("a", StreamKind::Audio, 200),
            Source::new("b", StreamKind::Video, 200 + dice.below(3000)),
            Source { step: 9_000, ..Source::new("b", StreamKind::Observations, 60) },
        ];
        let mut v = Village::new(&spec(4 + dice.below(3), 64 << 10), sources, seed);
        v.disk.drive(v.clock.clone());
        v.disk.watch();
        let mut before = Promised::new();
        for _ in 0..40 {
            v.live(3 * (1 + v.sources.len() as u64 % 2));
            let still = promised(&v);
            for disk in v.disk.take_history() {
                for _ in 0..8 {
                    cuts += 1;
                    check(&v, disk.taken(), &cut(&disk, &mut dice), &before, &still, cuts, &mut dice);
                }
            }
            before = still;
        }
    }
    println!("{cuts} cuts");
}

#[test]
fn no_sample_stays_unsynced_longer_than_promised() {
    let sources = vec![Source::new("a", StreamKind::Video, 2000), Source::new("a", StreamKind::Audio, 200)];
    let mut v = Village::new(&spec(6, 128 << 10), sources, 1);
    for _ in 0..400 {
        v.step();
        v.core.tick();
        // The disk as a cut would leave it, nothing unsynced kept.
        let after = v.disk.cut(|_| false);
        let (core, _locks) = start(&v.spec, &after, &v.clock);
        let reader = Reader::of(core.catalog().clone());
        for s in &v.sources {
            let Some(last) = reader.records(&s.id, EVER.0, EVER.1).unwrap().pop() else {
                assert!(s.count < 10, "nothing of {} after {} samples", s.id, s.count);
                continue;
            };
            let end = reader.read(&last).unwrap().header;
            let durable = (end.base_dts + u64::from(end.duration)) as i64;
            let oldest_missing = (s.dts - durable) / s.step;
            // The first that is missing came when? Not before what the status promises.
            let came = MonoTime(u64::try_from(durable / s.step).unwrap() * 100_000);
            let promised = v.core.synced_at().load(std::sync::atomic::Ordering::Relaxed);
            assert!(came.0 >= promised, "{}: the one of {came:?} is missing, all before {promised} are promised", s.id);
            assert!(oldest_missing * 100 <= 800, "{}: {} ms are missing", s.id, oldest_missing * 100);
        }
    }
}
