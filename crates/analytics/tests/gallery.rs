//! Lines of what came by: one for each thing, told soon, with the picture that shows it best.

mod common;

use common::{Play, actor, car, moto, play};
use domain::{Colour, Heading, Observation, Sighting, TrackId, TrackState, WallTime};
use matthon_analytics::{Analytics, Config, GALLERY_PART, Gallery};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What a play leaves behind: the last telling of each line; and every telling with the time it was told.
struct Left {
    lines: BTreeMap<(WallTime, TrackId), Sighting>,
    tellings: Vec<(WallTime, Sighting)>,
    /// Tracks that were confirmed, and were no persons.
    followed: BTreeSet<TrackId>,
}

fn watch(play: &Play, paint: impl Fn(&mut Observation)) -> Left {
    let mut analytics = Analytics::new(Config::default()).expect("the usual works");
    let mut gallery = Gallery::default();
    let mut left = Left { lines: BTreeMap::new(), tellings: Vec::new(), followed: BTreeSet::new() };
    let mut now = WallTime(0);
    for mut observation in play.observations() {
        paint(&mut observation);
        now = observation.capture;
        analytics.observe(&observation);
        let tracks = analytics.tracks();
        let sure = tracks.iter().filter(|t| t.state == TrackState::Confirmed && t.class.as_str() != "person");
        left.followed.extend(sure.map(|t| t.id));
        left.tellings.extend(gallery.observe(&observation, &tracks).into_iter().map(|line| (now, line)));
    }
    left.tellings.extend(gallery.finish().into_iter().map(|line| (now, line)));
    left.lines = left.tellings.iter().map(|(_, line)| ((line.first, line.track), line.clone())).collect();
    left
}

fn painted(colour: Colour) -> impl Fn(&mut Observation) {
    move |o| o.detections.iter_mut().for_each(|d| d.colour = Some(colour))
}

#[test]
fn a_car_that_drives_by_is_one_line() {
    let left = watch(&play(5.0, 8.0, &[car(&[(1.0, 0.1, 0.5), (6.0, 0.9, 0.55)])]), painted(Colour::White));
    assert_eq!(left.lines.len(), 1);
    let line = left.lines.values().next().unwrap();
    assert_eq!((line.class.as_str(), line.colour, line.heading), ("car", Some(Colour::White), Heading::Right));
    let stay = line.last.micros_since(line.first);
    assert!((4_500_000..=5_300_000).contains(&stay), "{stay}");
    assert!(line.first <= line.best && line.best <= line.last);
    // Told while it was still there, and again when it was gone.
    let first = left.tellings[0].0;
    assert!(first.micros_since(line.first) <= 1_500_000, "{}", first.micros_since(line.first));
    assert_eq!(left.tellings.len(), 2);
}

#[test]
fn the_best_picture_is_the_large_and_whole_one() {
    // Comes nearer and leaves over the lower edge: the last pictures are the largest, and cut.
    let mut near = car(&[(0.0, 0.5, 0.3), (6.0, 0.5, 1.1)]);
    near.size = (0.3, 0.3);
    let left = watch(&play(5.0, 7.0, &[near.jitter(0.0)]), |_| {});
    let line = left.lines.values().next().unwrap();
    assert!(line.bbox.y2 < 0.995, "{:?}", line.bbox);
    assert_eq!((line.heading, line.colour), (Heading::Near, None));
}

#[test]
fn nobody_is_written_down() {
    let left = watch(&play(5.0, 8.0, &[actor("person", (0.05, 0.2), &[(1.0, 0.1, 0.5), (6.0, 0.9, 0.5)])]), painted(Colour::Red));
    assert!(left.tellings.is_empty());
}

#[test]
fn what_most_pictures_say_is_the_colour() {
    let left = watch(&play(5.0, 8.0, &[moto(&[(1.0, 0.1, 0.5), (6.0, 0.9, 0.5)])]), |o| {
        let shadow = o.capture.0 % 1_000_000 == 0;
        o.detections.iter_mut().for_each(|d| d.colour = Some(if shadow { Colour::Black } else { Colour::Red }));
    });
    assert_eq!(left.lines.values().next().unwrap().colour, Some(Colour::Red));
}

#[test]
fn a_long_stay_is_told_in_parts_that_touch() {
    let left = watch(&play(1.0, 2_000.0, &[car(&[(0.0, 0.5, 0.5), (1_990.0, 0.5, 0.5)]).jitter(0.0)]), |_| {});
    let parts: Vec<_> = left.lines.values().collect();
    assert_eq!(parts.len(), 4);
    for pair in parts.windows(2) {
        let hole = pair[1].first.micros_since(pair[0].last);
        assert!((0..=1_000_000).contains(&hole), "{hole}");
    }
    // Told at least every half a minute while it stands, so that a power cut costs little.
    for pair in left.tellings.windows(2) {
        assert!(pair[1].0.micros_since(pair[0].0) <= 31_000_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_thing_has_its_lines_and_no_line_is_longer_than_a_part(
        seed in 1u64..1_000, fps in prop_oneof![Just(2.0), Just(5.0), Just(12.5)],
        ways in proptest::collection::vec((0usize..3, 0.0f64..20.0, 1.0f64..25.0, 0.05f64..0.95, 0.2f64..0.95, 0.05f64..0.95, 0.2f64..0.95), 0..7),
        gap in proptest::option::of((0.0f64..30.0, 0.5f64..6.0)),
    ) {
        let actors: Vec<_> = ways.into_iter().map(|(class, begin, stay, x1, y1, x2, y2)| {
            actor(["car", "motorcycle", "person"][class], (0.08, 0.1), &[(begin, x1, y1), (begin + stay, x2, y2)])
        }).collect();
        let mut play = play(fps, 50.0, &actors).seed(seed);
        if let Some((from, long)) = gap {
            play = play.gap(from, from + long);
        }
        let left = watch(&play, painted(Colour::Blue));
        let told: BTreeSet<_> = left.lines.values().map(|line| line.track).collect();
        prop_assert_eq!(&told, &left.followed);
        for line in left.lines.values() {
            prop_assert!(line.first <= line.best && line.best <= line.last);
            prop_assert!(line.last.micros_since(line.first) <= i64::try_from(GALLERY_PART.as_micros()).unwrap() + 3_000_000);
            prop_assert!(line.class.as_str() != "person");
        }
        // A later telling of a line says no less than an earlier one.
        let mut last: BTreeMap<_, WallTime> = BTreeMap::new();
        for (_, line) in &left.tellings {
            let before = last.insert((line.first, line.track), line.last);
            prop_assert!(before.is_none_or(|before| before < line.last));
        }
    }
}
