//! Samples come back one by one: the right picture for an instant, and what a detector saw.

use super::{EVER, NOON, Source, Village, spec};
use domain::StreamKind;

#[test]
fn an_instant_gives_the_last_picture_before_it_and_all_it_needs() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400)], 1);
    v.live(60);
    v.core.finish();
    let stream = (*v.sources[0].id).clone();
    // Groups of 12 frames of 100 ms; frame n is captured at n × 100 ms.
    for (ms, frame) in [(0, 0), (99, 0), (100, 1), (1_150, 11), (1_200, 12), (3_333, 33), (5_950, 59), (6_500, 59)] {
        let p = v.reader.picture(&stream, NOON.plus_micros(ms * 1000)).unwrap().unwrap();
        assert_eq!((p.pts, p.capture), (frame * 9_000, NOON.plus_micros(frame * 100_000)), "{ms}");
        let first = frame / 12 * 12;
        let numbers: Vec<i64> = p.samples.iter().map(|s| s.dts / 9_000).collect();
        assert_eq!(numbers, (first..=frame).collect::<Vec<_>>());
        assert!(p.samples[0].random_access);
        for s in &p.samples {
            assert_eq!(v.given[&(stream.clone(), s.dts as u64)], s.data);
        }
    }
    assert!(v.reader.picture(&stream, NOON.plus_micros(-1)).unwrap().is_none(), "before the recording");
    assert!(v.reader.picture(&stream, NOON.plus_micros(60_000_000)).unwrap().is_none(), "long after it");
}

#[test]
fn a_picture_whose_group_is_damaged_is_none() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400)], 1);
    v.live(24);
    v.core.finish();
    let stream = (*v.sources[0].id).clone();
    let key = v.reader.records(&stream, EVER.0, EVER.1).unwrap().into_iter().rfind(super::super::reader::RecordRef::key).unwrap();
    v.disk.flip(&v.spec.file(key.slot), u64::from(key.entry.offset + key.entry.len - 3), 4);
    assert!(v.reader.picture(&stream, NOON.plus_micros(2_300_000)).unwrap().is_none());
    assert!(v.reader.picture(&stream, NOON.plus_micros(1_100_000)).unwrap().is_some(), "the group before it is whole");
}

#[test]
fn what_a_detector_saw_comes_back_with_its_times() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Observations, 200)], 1);
    v.live(30);
    v.core.finish();
    let stream = (*v.sources[0].id).clone();
    let mut seen = Vec::new();
    for r in v.reader.records(&stream, EVER.0, EVER.1).unwrap() {
        seen.extend(v.reader.samples(&r).unwrap());
    }
    assert_eq!(seen.len(), 30);
    for s in &seen {
        assert_eq!(v.given[&(stream.clone(), s.dts as u64)], s.data);
    }
}
