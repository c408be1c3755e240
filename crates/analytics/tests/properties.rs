//! What holds for any input, sensible or not.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod common;

use common::{car, moto, no_parking, play, wrong_way};
use domain::{BBox, Class, Detection, Observation, TrackState, WallTime};
use matthon_analytics::{Analytics, Config, ConfigError, Event, MAX_DETECTIONS, MAX_TRACKS, TrackerConfig, What};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn both() -> Config {
    Config { tracker: TrackerConfig::default(), rules: vec![no_parking(5), wrong_way()] }
}

fn detection() -> impl Strategy<Value = Detection> {
    let class = prop::sample::select(vec!["car", "truck", "motorcycle", "person", "con trâu"]);
    let place = (0.0_f64..1.0, 0.0_f64..1.0, -0.05_f64..0.3, 0.01_f64..0.4);
    let odd = prop::sample::select(vec![0.0, 0.0, 0.0, 0.0, 0.0, f64::NAN, f64::INFINITY, 1e300]);
    (class, place, 0.0_f64..1.0, odd).prop_map(|(class, (x, y, w, h), score, odd)| Detection {
        class: Class::from(class),
        score,
        bbox: BBox { x1: x, y1: y + odd, x2: x + w, y2: y + h },
        colour: None,
    })
}

/// Pictures of a few things that persist with noise, some clutter, and a clock that stumbles.
fn observations() -> impl Strategy<Value = Vec<Observation>> {
    let step =
        prop::sample::select(vec![66_667_i64, 200_000, 200_000, 200_000, 500_000, 0, -300_000, 4_000_000, 700_000_000, -5_000_000_000]);
    let picture = (step, prop::collection::vec(detection(), 0..4), prop::collection::vec(-0.02_f64..0.02, 6));
    let things = prop::collection::vec(detection(), 1..6);
    (things, prop::collection::vec(picture, 1..60)).prop_map(|(things, pictures)| {
        let mut at = WallTime::from_secs(1_795_420_000);
        let picture = |(step, mut clutter, wobble): (i64, Vec<Detection>, Vec<f64>)| {
            at = at.plus_micros(step);
            clutter.extend(things.iter().zip(wobble).map(|(d, by)| {
                let mut d = d.clone();
                (d.score, d.bbox.x1, d.bbox.x2) = (0.9, d.bbox.x1 + by, d.bbox.x2 + by);
                d
            }));
            Observation { capture: at, width: 640, height: 360, motion: 0.0, detections: clutter }
        };
        pictures.into_iter().map(picture).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_same_pictures_give_the_same_events_whatever_the_order_of_detections(pictures in observations(), seed in 0_usize..1000) {
        let (mut a, mut b) = (Analytics::new(both()).unwrap(), Analytics::new(both()).unwrap());
        for (i, o) in pictures.iter().enumerate() {
            let mut shuffled = o.clone();
            let n = shuffled.detections.len().max(1);
            shuffled.detections.rotate_left((seed + i) % n);
            if (seed + i) % 3 == 0 {
                shuffled.detections.reverse();
            }
            prop_assert_eq!(a.observe(o), b.observe(&shuffled));
            prop_assert_eq!(a.tracks(), b.tracks());
        }
        prop_assert_eq!(a.finish(), b.finish());
    }

    #[test]
    fn ids_are_never_reused_and_every_violation_ends_once(pictures in observations()) {
        let mut a = Analytics::new(both()).unwrap();
        let (mut gone, mut alive, mut open, mut raised) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut events = Vec::new();
        for o in &pictures {
            events.extend(a.observe(o));
            let now: BTreeSet<_> = a.tracks().iter().map(|t| t.id).collect();
            prop_assert!(now.is_disjoint(&gone));
            gone.extend(alive.difference(&now).copied());
            for t in a.tracks() {
                prop_assert!(<[f64; 4]>::from(t.bbox).iter().all(|v| v.is_finite()), "{:?}", t);
                prop_assert!(t.state != TrackState::Confirmed || t.last_seen >= t.first_seen);
            }
            alive = now;
        }
        events.extend(a.finish());
        for e in events {
            match e {
                Event::Raised(v) => {
                    prop_assert!(raised.insert(v.id), "raised twice");
                    prop_assert!(v.start <= v.raised);
                    prop_assert!(v.measured.values().all(|n| n.is_finite()));
                    open.insert(v.id);
                }
                Event::Ended(e) => prop_assert!(open.remove(&e.id), "ended without being raised"),
            }
        }
        prop_assert!(open.is_empty());
    }
}

#[test]
fn a_detector_gone_mad_fills_no_memory() {
    let mut a = Analytics::new(both()).unwrap();
    let mut noise = common::Noise::new(1);
    for i in 0..40 {
        let mad = |_| {
            let (x, y) = (noise.next().abs(), noise.next().abs());
            Detection { class: "car".into(), score: 0.9, bbox: [x, y, x + 0.02, y + 0.02].into(), colour: None }
        };
        let detections = (0..4 * MAX_DETECTIONS).map(mad).collect();
        a.observe(&Observation { capture: WallTime(i * 200_000), width: 640, height: 360, motion: 1.0, detections });
        assert!(a.tracks().len() <= MAX_TRACKS);
    }
}

#[test]
fn a_picture_of_no_size_or_an_empty_road_says_nothing() {
    let mut a = Analytics::new(both()).unwrap();
    let mut o = play(5.0, 1.0, &[]).observations().remove(0);
    assert!(a.observe(&o).is_empty());
    o.height = 0;
    assert!(a.observe(&o).is_empty());
    assert!(a.tracks().is_empty() && !a.wants_pictures());
}

#[test]
fn another_size_of_the_same_view_changes_nothing_but_another_shape_begins_anew() {
    let stands = car(&[(0.0, 0.5, 0.6), (60.0, 0.5, 0.6)]);
    let mut a = Analytics::new(both()).unwrap();
    let mut ids = Vec::new();
    for (i, mut o) in play(5.0, 12.0, &[stands]).observations().into_iter().enumerate() {
        match i {
            20..40 => (o.width, o.height) = (1920, 1080),
            40.. => (o.width, o.height) = (640, 480),
            _ => {}
        }
        a.observe(&o);
        ids.push(a.tracks()[0].id);
    }
    assert_eq!(ids[5], ids[39]);
    assert_ne!(ids[39], ids[45]);
}

#[test]
fn a_rule_that_did_not_change_keeps_its_stay_and_one_that_did_ends_its_violation() {
    let pictures = play(5.0, 60.0, &[car(&[(0.0, 0.5, 0.6), (60.0, 0.5, 0.6)])]).observations();
    let (first, rest) = pictures.split_at(75);
    let mut a = Analytics::new(Config { rules: vec![no_parking(10), no_parking(20)], ..Default::default() }).unwrap();
    let raised: Vec<_> = first.iter().flat_map(|o| a.observe(o)).collect();
    assert_eq!(raised.len(), 1, "{raised:?}");
    let events = a.reconfigure(Config { rules: vec![no_parking(20)], ..Default::default() }).unwrap();
    assert!(matches!(&events[..], [Event::Ended(_)]), "{events:?}");
    let later: Vec<_> = rest.iter().flat_map(|o| a.observe(o)).collect();
    let [Event::Raised(v)] = &later[..] else { panic!("{later:?}") };
    assert_eq!(v.rule, 0);
    assert!((20.0..22.0).contains(&common::second(v.raised)), "the stay went on: {}", common::second(v.raised));
}

#[test]
fn a_configuration_that_cannot_work_is_refused_by_name() {
    let with = |change: &dyn Fn(&mut Config)| {
        let mut c = both();
        change(&mut c);
        Analytics::new(c).unwrap_err()
    };
    let e = with(&|c| c.rules[0].zone.polygon.truncate(2));
    assert_eq!(e.to_string(), "rule 1: the zone `le-duong` is no area: give at least 3 corners, each a finite number");
    let e = with(&|c| {
        let What::WrongWay { tolerance, .. } = &mut c.rules[1].what else { return };
        *tolerance = f64::NAN;
    });
    assert_eq!(e.to_string(), "rule 2: `tolerance` must be above 0 and below 180 degrees");
    assert_eq!(with(&|c| c.tracker.weak = 0.9), ConfigError::Tracker);
}

#[test]
fn a_fast_motorcycle_that_never_overlaps_itself_is_one_track() {
    for fps in [2.0, 3.0, 5.0, 15.0] {
        let mut a = Analytics::new(Config::default()).unwrap();
        let mut ids = BTreeSet::new();
        for o in play(fps, 8.0, &[moto(&[(0.0, 0.1, 0.3), (7.0, 0.9, 0.8)])]).observations() {
            a.observe(&o);
            ids.extend(a.tracks().iter().map(|t| t.id));
        }
        assert_eq!(ids.len(), 1, "{fps} fps");
    }
}
