//! Lines of what came by: found again, replaced, forgotten; and a file that is broken costs no start.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{BBox, CameraId, Colour, Heading, Sighting, TrackId, WallTime};
use matthon_store::{SightingFilter, SightingKey, Sightings};
use proptest::prelude::*;

const NOON: WallTime = WallTime::from_secs(1_795_430_520);

fn at(seconds: i64) -> WallTime {
    NOON.plus_micros(seconds * 1_000_000)
}

fn camera(id: &str) -> CameraId {
    CameraId::new(id).unwrap()
}

fn sighting(track: u64, class: &str, first: i64, stay: i64) -> Sighting {
    Sighting {
        track: TrackId(track),
        class: class.into(),
        colour: Some(Colour::White),
        heading: Heading::Left,
        first: at(first),
        last: at(first + stay),
        best: at(first + stay / 2),
        bbox: BBox::from([0.25, 0.5, 0.75, 1.0]),
        score: 0.875,
    }
}

fn empty() -> (tempfile::TempDir, Sightings) {
    let dir = tempfile::tempdir().unwrap();
    let sightings = Sightings::open(&dir.path().join("sightings.db")).unwrap();
    (dir, sightings)
}

fn day() -> SightingFilter {
    SightingFilter { from: NOON, to: at(86_400), ..SightingFilter::default() }
}

fn tracks(found: &[(CameraId, Sighting)]) -> Vec<u64> {
    found.iter().map(|(_, s)| s.track.0).collect()
}

#[test]
fn what_was_kept_is_found_and_a_later_word_replaces_the_earlier() {
    let (_dir, sightings) = empty();
    let first = sighting(1, "car", 10, 5);
    sightings.keep(&[(camera("cho"), first.clone())]).unwrap();
    let found = sightings.find(&day(), 10).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0.as_str(), found[0].1.track, &found[0].1.class), ("cho", first.track, &first.class));
    assert!((found[0].1.bbox.x1 - 0.25).abs() < 1e-4 && (found[0].1.score - 0.875).abs() < 1e-9);
    let later = Sighting { last: at(40), colour: None, class: "truck".into(), heading: Heading::Near, best: at(30), ..first };
    sightings.keep(&[(camera("cho"), later.clone())]).unwrap();
    let found = sightings.find(&day(), 10).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].1.colour, found[0].1.class.as_str(), found[0].1.heading, found[0].1.last), (None, "truck", Heading::Near, at(40)));
    // The same track of another camera is another thing.
    sightings.keep(&[(camera("dinh"), later)]).unwrap();
    assert_eq!(sightings.find(&day(), 10).unwrap().len(), 2);
}

#[test]
fn pages_go_on_where_the_last_one_ended() {
    let (_dir, sightings) = empty();
    // Three at the same moment on two cameras.
    let mut lines: Vec<_> = (0..40).map(|n| (camera("cho"), sighting(n, "car", i64::try_from(n).unwrap() / 3, 4))).collect();
    lines.extend((0..40).map(|n| (camera("dinh"), sighting(n, "car", i64::try_from(n).unwrap() / 3, 4))));
    sightings.keep(&lines).unwrap();
    let (mut seen, mut filter) = (Vec::new(), day());
    loop {
        let page = sightings.find(&filter, 7).unwrap();
        let Some((camera, last)) = page.last() else { break };
        filter.before = Some(SightingKey { first: last.first, camera: camera.clone(), track: last.track });
        seen.extend(page.iter().map(|(c, s)| (s.first, c.clone(), s.track)));
    }
    assert_eq!(seen.len(), 80);
    assert!(seen.windows(2).all(|pair| pair[0].0 >= pair[1].0), "newest first");
    let mut each = seen.clone();
    each.sort();
    each.dedup();
    assert_eq!(each.len(), 80);
    // A page after a camera nobody knows any more goes on, too.
    filter.before = Some(SightingKey { first: at(5), camera: camera("gone"), track: TrackId(0) });
    assert!(sightings.find(&filter, 100).unwrap().iter().all(|(_, s)| s.first < at(5)));
}

#[test]
fn what_is_over_is_forgotten_and_what_reaches_into_the_rest_stays() {
    let (_dir, sightings) = empty();
    let lines: Vec<_> = (0..30).map(|n| (camera("cho"), sighting(n, "car", i64::try_from(n).unwrap() * 10, 15))).collect();
    sightings.keep(&lines).unwrap();
    assert_eq!(sightings.forget(at(100), None).unwrap(), 9, "those that ended before");
    let left = sightings.find(&day(), 100).unwrap();
    assert_eq!((left.len(), sightings.count().unwrap()), (21, 21));
    assert!(left.iter().all(|(_, s)| s.last >= at(100)));
    assert_eq!(sightings.forget(at(100), None).unwrap(), 0);
}

#[test]
fn each_camera_is_forgotten_as_far_as_its_own_recordings_go() {
    let (_dir, sightings) = empty();
    let lines: Vec<_> =
        (0..30).flat_map(|n| ["cho", "dinh"].map(|id| (camera(id), sighting(n, "car", i64::try_from(n).unwrap() * 10, 5)))).collect();
    sightings.keep(&lines).unwrap();
    assert_eq!(sightings.forget(at(200), Some(&[camera("cho"), camera("gone")])).unwrap(), 20);
    assert_eq!(sightings.forget(at(200), Some(&[])).unwrap(), 0);
    let left = sightings.find(&day(), 100).unwrap();
    assert_eq!(left.iter().filter(|(c, _)| c.as_str() == "dinh").count(), 30);
    assert!(left.iter().all(|(c, s)| c.as_str() == "dinh" || s.last >= at(200)));
}

#[test]
fn a_file_that_is_only_busy_is_not_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sightings.db");
    Sightings::open(&path).unwrap().keep(&[(camera("cho"), sighting(1, "car", 1, 1))]).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    assert!(Sightings::open(&path).is_err());
    drop(other);
    assert!(!dir.path().join("sightings.db.bad").exists());
    assert_eq!(Sightings::open(&path).unwrap().count().unwrap(), 1);
    // Meanwhile the box works with what passes.
    let passing = Sightings::passing().unwrap();
    passing.keep(&[(camera("cho"), sighting(1, "car", 1, 1))]).unwrap();
    assert_eq!(passing.find(&day(), 9).unwrap().len(), 1);
}

#[test]
fn damage_in_the_middle_is_found_named_and_put_aside_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sightings.db");
    let sightings = Sightings::open(&path).unwrap();
    let lines: Vec<_> = (0..2_000).map(|n| (camera("cho"), sighting(n, "car", i64::try_from(n).unwrap(), 4))).collect();
    sightings.keep(&lines).unwrap();
    drop(sightings);
    // Everything behind the first two pages, where the header and the schema are.
    let mut bytes = std::fs::read(&path).unwrap();
    let len = bytes.len();
    assert!(len > 16_384);
    bytes[8_192..].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let sightings = Sightings::open(&path).unwrap();
    let error = sightings.find(&day(), 3_000).unwrap_err().to_string();
    assert!(error.contains("put aside at the next start"), "{error}");
    drop(sightings);
    let sightings = Sightings::open(&path).unwrap();
    assert_eq!(sightings.count().unwrap(), 0);
    assert_eq!(std::fs::read(dir.path().join("sightings.db.bad")).unwrap(), bytes);
    assert!(!dir.path().join("sightings.db.damaged").exists());
}

#[test]
fn a_broken_file_is_put_aside_and_the_box_starts() {
    for rubbish in [&b"this is no database, and was never one; it is long enough to be looked at as one ......."[..], &[0xff; 8192]] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sightings.db");
        std::fs::write(&path, rubbish).unwrap();
        let sightings = Sightings::open(&path).unwrap();
        sightings.keep(&[(camera("cho"), sighting(1, "car", 1, 1))]).unwrap();
        assert_eq!(std::fs::read(dir.path().join("sightings.db.bad")).unwrap(), rubbish);
        drop(sightings);
        assert_eq!(Sightings::open(&path).unwrap().count().unwrap(), 1, "a whole file stays");
    }
    // The database of people is none of these.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("matthon.db");
    drop(matthon_store::Store::open(&path).unwrap());
    drop(Sightings::open(&path).unwrap());
    assert!(dir.path().join("matthon.db.bad").exists());
}

/// A thing as the model of a test has it.
fn thing() -> impl Strategy<Value = (usize, Sighting)> {
    let colour = proptest::option::of(proptest::sample::select(Colour::ALL));
    let class = prop_oneof![Just("car"), Just("truck"), Just("motorcycle")];
    (0usize..3, 0u64..40, class, colour, proptest::sample::select(Heading::ALL), 0i64..3_000, 0i64..600).prop_map(
        |(camera, track, class, colour, heading, first, stay)| {
            (camera, Sighting { colour, heading, ..sighting(track, class, first, stay) })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_search_finds_exactly_what_fits(
        things in proptest::collection::vec(thing(), 0..80), from in 0i64..3_600, long in 1i64..3_600,
        cameras in proptest::option::of(proptest::collection::vec(0usize..3, 0..3)),
        classes in proptest::sample::subsequence(vec!["car", "truck", "bus"], 0..=3),
        colours in proptest::sample::subsequence(Colour::ALL.to_vec(), 0..=3), headings in proptest::sample::subsequence(Heading::ALL.to_vec(), 0..=2),
    ) {
        let names = ["cho", "cong-lang", "dinh"];
        let (_dir, sightings) = empty();
        let mut model = std::collections::BTreeMap::new();
        for (n, one) in things {
            sightings.keep(&[(camera(names[n]), one.clone())]).unwrap();
            model.insert((one.first, names[n], one.track.0), one);
        }
        let filter = SightingFilter {
            from: at(from),
            to: at(from + long),
            cameras: cameras.as_ref().map(|list| list.iter().map(|n| camera(names[*n])).collect()),
            classes: classes.iter().map(|c| (*c).into()).collect(),
            colours: colours.clone(),
            headings: headings.clone(),
            before: None,
        };
        let fits = |(_, name, _): &(WallTime, &str, u64), s: &Sighting| {
            s.first < at(from + long)
                && s.last >= at(from)
                && cameras.as_ref().is_none_or(|list| list.iter().any(|n| names[*n] == *name))
                && (classes.is_empty() || classes.contains(&s.class.as_str()))
                && (colours.is_empty() || s.colour.is_some_and(|c| colours.contains(&c)))
                && (headings.is_empty() || headings.contains(&s.heading))
        };
        let mut expected: Vec<_> = model.iter().filter(|(k, s)| fits(k, s)).map(|(k, _)| *k).collect();
        let found = sightings.find(&filter, 1000).unwrap();
        let mut got: Vec<_> = found.iter().map(|(c, s)| (s.first, *names.iter().find(|n| **n == c.as_str()).unwrap(), s.track.0)).collect();
        prop_assert!(got.windows(2).all(|pair| pair[0].0 >= pair[1].0));
        expected.sort();
        got.sort();
        prop_assert_eq!(&got, &expected);
        let few = sightings.find(&filter, 3).unwrap();
        prop_assert_eq!(tracks(&few), tracks(&found[..found.len().min(3)]));
    }
}
