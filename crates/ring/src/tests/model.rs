//! Writer and reader against a list in memory: whatever is given comes back, whole, in order, at its time.

use super::{Dice, EVER, Source, Village, samples_of, spec, verify};
use domain::{StreamKind, WallTime};
use proptest::prelude::*;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Act {
    Live(u64),
    Loss(usize),
    Wider(usize),
    Jump(usize),
    Restart(bool),
    Clock(i64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1u64..25).prop_map(Act::Live),
        1 => (0usize..3).prop_map(Act::Loss),
        1 => (0usize..3).prop_map(Act::Wider),
        1 => (0usize..3).prop_map(Act::Jump),
        1 => any::<bool>().prop_map(Act::Restart),
        1 => (-4000i64..4000).prop_map(Act::Clock),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn what_is_given_comes_back(acts in proptest::collection::vec(act(), 1..24), seed in any::<u64>()) {
        let sources =
            vec![Source::new("a", StreamKind::Video, 900), Source::new("a", StreamKind::Audio, 160), Source::new("b", StreamKind::Observations, 80)];
        // Large enough that nothing is overwritten: the list in memory forgets nothing either.
        let mut v = Village::new(&spec(64, 64 << 10), sources, seed);
        let mut given = std::collections::BTreeMap::new();
        for act in acts {
            match act {
                Act::Live(n) => v.live(n),
                Act::Loss(n) => { v.sources[n].loss = true; v.sources[n].count = 0; v.sources[n].dts += 90_000; }
                Act::Wider(n) => if v.sources[n].id.kind == StreamKind::Video {
                    v.sources[n].format = super::h264(10 + v.dice.below(20) as u8);
                    v.sources[n].count = 0;
                },
                Act::Jump(n) => { v.sources[n].dts += 9_000_000; v.sources[n].count = 0; v.sources[n].loss = true; }
                Act::Clock(s) => { use domain::Clock; let to = v.clock.wall().plus_micros(s * 1_000_000); v.clock.step_wall(to); }
                Act::Restart(clean) => {
                    // Everything is written before the cut, so that the list in memory and the disk agree on what there is.
                    v.core.finish();
                    let disk = v.disk.cut(|_| clean);
                    given.append(&mut v.given);
                    let (clock, spec) = (v.clock.clone(), v.spec.clone());
                    let mut sources = std::mem::take(&mut v.sources);
                    drop(v);
                    for s in &mut sources { s.loss = true; s.count = 0; }
                    v = Village::on(disk, clock, &spec, sources, seed ^ 1);
                }
            }
        }
        v.core.finish();
        given.append(&mut v.given);
        let records = v.all(&v.reader);
        verify(&v.reader, &records, &given);
        let mut back = 0;
        for r in &records {
            let record = v.reader.read(r).unwrap();
            prop_assert!(record.media_verified);
            let samples = samples_of(&record);
            back += samples.len();
            prop_assert!(samples.last().unwrap().0 - samples[0].0 <= 36_000, "longer than 400 ms");
            if r.key() && r.stream.kind == StreamKind::Video {
                prop_assert!(record.header.init_len > 0);
            }
            // Found again by its own time, however the clock went.
            let mid = r.entry.wall.plus_micros(1);
            prop_assert!(v.reader.records(&r.stream, mid, mid.plus_micros(1)).unwrap().contains(r));
        }
        prop_assert_eq!(back, given.len());
        for s in &v.sources {
            for span in v.reader.coverage(&s.id, EVER.0, EVER.1).unwrap() {
                prop_assert!(span.from < span.to);
            }
        }
    }
}

#[test]
fn coverage_tells_gaps_and_nothing_else() {
    let mut v = Village::new(&spec(16, 64 << 10), vec![Source::new("a", StreamKind::Video, 500)], 1);
    let begin = super::NOON;
    v.live(60);
    v.core.finish();
    let (disk, clock) = (v.disk.cut(|_| true), v.clock.clone());
    clock.advance(Duration::from_secs(20));
    let mut source = v.sources.pop().unwrap();
    (source.loss, source.count) = (true, 0);
    let mut v = Village::on(disk, clock, &v.spec.clone(), vec![source], 2);
    v.live(60);
    v.core.finish();
    let spans = v.reader.coverage(&v.sources[0].id, begin, WallTime(i64::MAX)).unwrap();
    assert_eq!(spans.len(), 2, "{spans:?}");
    assert_eq!(spans[0].from, begin);
    assert_eq!(spans[1].from.micros_since(spans[0].to), 20_000_000);
    let _ = Dice(0);
}
