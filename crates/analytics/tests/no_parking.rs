//! Plans for `no-parking`: who parks, who does not, and what must not confuse it.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod common;
use common::{RATES, actor, car, ended, moto, no_parking, none, one, play, second};
use domain::{EndReason, ViolationKind::NoParking};

/// Drives in within 3 s, stands at (0.5, 0.6), and leaves at `until`.
fn parks(until: f64) -> common::Actor {
    car(&[(0.0, 0.0, 0.6), (3.0, 0.5, 0.6), (until, 0.5, 0.6), (until + 3.0, 1.0, 0.6)])
}

#[test]
fn a_parked_car_is_one_violation_from_its_stop_to_its_leaving() {
    for fps in RATES {
        let about = format!("{fps} fps");
        let outcome = play(fps, 80.0, &[parks(60.0)]).run(&no_parking(30));
        let v = one(&outcome, NoParking, 2.0, 4.0, &about);
        assert!((31.0..=36.0).contains(&second(v.raised)), "{about}: raised at {}", second(v.raised));
        assert!((30.0..=31.0).contains(&v.measured["dwell_s"]), "{about}: {:?}", v.measured);
        assert!((v.bbox.ground().x - 0.5).abs() < 0.02);
        assert_eq!(v.why.vi, "Nghi vấn ô tô đỗ trong vùng “le-duong” đã 30 giây, quá mức cho phép 30 giây.");
        assert!(v.why.en.starts_with("Suspected: a car has stood"), "{}", v.why.en);
        ended(&outcome, EndReason::Left, 59.5, 61.5, &about);
    }
}

#[test]
fn standing_a_little_less_than_the_limit_is_none() {
    for fps in RATES {
        none(&play(fps, 60.0, &[parks(31.0)]).run(&no_parking(30)), &format!("{fps} fps"));
    }
}

#[test]
fn other_classes_and_places_outside_the_zone_are_none() {
    let stands = |class, x: f64| actor(class, (0.1, 0.1), &[(0.0, x, 0.6), (60.0, x, 0.6)]);
    none(&play(5.0, 60.0, &[stands("person", 0.5), stands("motorcycle", 0.3), stands("car", 0.04)]).run(&no_parking(20)), "bystanders");
}

#[test]
fn a_road_full_of_moving_vehicles_is_none() {
    let mut actors = Vec::new();
    for i in 0..14 {
        let t = f64::from(i) * 4.0;
        actors.push(car(&[(t, -0.1, 0.5), (t + 7.0, 1.1, 0.5)]));
        actors.push(moto(&[(t + 1.0, 1.1, 0.7), (t + 5.0, -0.1, 0.7)]));
        actors.push(actor("truck", (0.22, 0.25), &[(t + 2.0, 1.2, 0.85), (t + 12.0, -0.2, 0.85)]));
    }
    for fps in [5.0, 15.0] {
        none(&play(fps, 70.0, &actors).run(&no_parking(15)), &format!("{fps} fps"));
    }
}

#[test]
fn a_queue_that_moves_up_is_none_whoever_stands_where() {
    // Every 10 s each car takes the place of the one before it; each place is occupied for more than a minute.
    let step = 0.2;
    let actors: Vec<_> = (0..8)
        .map(|i| {
            let mut path = Vec::new();
            for k in 0..10 {
                let (t, x) = (f64::from(k) * 10.0, 0.85 + step * f64::from(i) - step * f64::from(k));
                path.extend([(t, x, 0.6), (t + 8.0, x, 0.6)]);
            }
            path.retain(|p| (-0.1..1.1).contains(&p.1));
            car(&path)
        })
        .filter(|a| a.path.len() > 1)
        .collect();
    for fps in RATES {
        none(&play(fps, 90.0, &actors).run(&no_parking(20)), &format!("{fps} fps"));
    }
}

#[test]
fn creeping_is_none() {
    for fps in RATES {
        none(&play(fps, 90.0, &[car(&[(0.0, 0.1, 0.6), (90.0, 0.9, 0.6)])]).run(&no_parking(30)), &format!("{fps} fps"));
    }
}

#[test]
fn a_bus_before_it_for_ten_seconds_does_not_end_a_stay() {
    for fps in RATES {
        let about = format!("{fps} fps");
        let bus = actor("bus", (0.35, 0.4), &[(11.0, 1.2, 0.75), (15.0, 0.5, 0.75), (21.0, 0.5, 0.75), (25.0, -0.2, 0.75)]);
        let outcome = play(fps, 60.0, &[parks(55.0).hidden(14.0, 22.0), bus]).run(&no_parking(30));
        one(&outcome, NoParking, 2.0, 4.0, &about);
    }
}

#[test]
fn a_violation_outlives_half_a_minute_of_darkness() {
    for fps in RATES {
        let about = format!("{fps} fps");
        let outcome = play(fps, 140.0, &[parks(130.0).hidden(50.0, 85.0)]).run(&no_parking(30));
        one(&outcome, NoParking, 2.0, 4.0, &about);
        ended(&outcome, EndReason::Left, 129.0, 132.0, &about);
    }
}

#[test]
fn a_motorcycle_that_covers_its_lower_half_moves_nothing() {
    for fps in RATES {
        let outcome = play(fps, 60.0, &[parks(55.0).cut(12.0, 16.0).cut(20.0, 21.0)]).run(&no_parking(30));
        let v = one(&outcome, NoParking, 2.0, 4.0, &format!("{fps} fps"));
        assert!(second(v.raised) < 36.0);
    }
}

#[test]
fn a_stay_survives_new_ids_while_the_box_trembles_on_the_edge_of_the_zone() {
    // Its ground is 0.01 inside; every few seconds it is not detected for 3 s, longer than a track is kept.
    for fps in RATES {
        for seed in 0..5 {
            let about = format!("{fps} fps, seed {seed}");
            let mut a = car(&[(0.0, 0.5, 0.89), (90.0, 0.5, 0.89)]).jitter(0.06);
            for k in 1..5 {
                a = a.hidden(f64::from(k) * 9.0, f64::from(k) * 9.0 + 3.0);
            }
            let outcome = play(fps, 85.0, &[a]).seed(seed).run(&no_parking(30));
            let v = one(&outcome, NoParking, 0.0, 4.0, &about);
            assert!(outcome.ended.is_empty(), "{about}");
            assert!(v.measured["seen_s"] < v.measured["dwell_s"], "{:?}", v.measured);
        }
    }
}

#[test]
fn a_box_that_trembles_on_the_outer_side_of_the_edge_is_none() {
    for seed in 0..5 {
        let a = car(&[(0.0, 0.5, 0.906), (60.0, 0.5, 0.906)]).jitter(0.1);
        for fps in RATES {
            none(&play(fps, 60.0, std::slice::from_ref(&a)).seed(seed).run(&no_parking(20)), &format!("{fps} fps, seed {seed}"));
        }
    }
}

#[test]
fn a_class_that_flickers_between_car_and_truck_is_one_vehicle() {
    let mut p = play(5.0, 50.0, &[parks(45.0)]).observations();
    for (i, o) in p.iter_mut().enumerate() {
        if i % 3 == 0 {
            o.detections.iter_mut().for_each(|d| d.class = "truck".into());
        }
        if i % 7 == 0 && !o.detections.is_empty() {
            let mut twice = o.detections[0].clone();
            (twice.class, twice.score) = ("bus".into(), 0.7);
            o.detections.push(twice);
        }
    }
    let mut a = matthon_analytics::Analytics::new(matthon_analytics::Config { rules: vec![no_parking(30)], ..Default::default() }).unwrap();
    let mut outcome = common::Outcome::default();
    p.iter().for_each(|o| outcome.take(a.observe(o)));
    let v = one(&outcome, NoParking, 2.0, 4.0, "flicker");
    assert_eq!(v.class.as_str(), "car");
    assert!(a.tracks().len() <= 1);
}

#[test]
fn the_second_car_in_the_place_of_the_first_is_a_second_violation_after_the_cool_down() {
    let second_car = car(&[(61.0, 0.0, 0.6), (66.0, 0.5, 0.6), (170.0, 0.5, 0.6)]);
    let outcome = play(5.0, 170.0, &[parks(60.0), second_car]).run(&no_parking(20));
    assert_eq!(outcome.raised.len(), 2, "{outcome:#?}");
    let (a, b) = (&outcome.raised[0], &outcome.raised[1]);
    assert_ne!(a.id, b.id);
    assert!((65.0..68.0).contains(&second(b.start)), "{}", second(b.start));
    assert!(second(b.raised) >= 119.0, "not before the place has cooled: {}", second(b.raised));
}

#[test]
fn time_the_camera_was_away_is_no_dwell() {
    for fps in RATES {
        let about = format!("{fps} fps");
        // 10 s, a gap of 40 s, and 20 s more: nobody saw it stand for 30 s.
        none(&play(fps, 72.0, &[parks(90.0)]).gap(13.0, 53.0).run(&no_parking(30)), &about);
        // A gap of 8 s is bridged and counts for what was looked at.
        let outcome = play(fps, 60.0, &[parks(90.0)]).gap(13.0, 21.0).run(&no_parking(30));
        let v = one(&outcome, NoParking, 2.0, 4.0, &about);
        assert!((38.0..=42.0).contains(&second(v.raised)), "{about}: {}", second(v.raised));
        // Already raised, it is the same car after the camera was away for five minutes.
        let outcome = play(fps, 480.0, &[parks(470.0)]).gap(50.0, 350.0).run(&no_parking(30));
        one(&outcome, NoParking, 2.0, 4.0, &about);
        ended(&outcome, EndReason::Left, 469.0, 472.0, &about);
    }
}

#[test]
fn a_clock_set_back_ends_what_is_raised_and_begins_anew() {
    let mut a = matthon_analytics::Analytics::new(matthon_analytics::Config { rules: vec![no_parking(30)], ..Default::default() }).unwrap();
    let mut outcome = common::Outcome::default();
    let p = play(5.0, 50.0, &[parks(90.0)]).observations();
    p.iter().for_each(|o| outcome.take(a.observe(o)));
    one(&outcome, NoParking, 2.0, 4.0, "before");
    for o in &p {
        let mut o = o.clone();
        o.capture = o.capture.plus_micros(-3_600_000_000);
        outcome.take(a.observe(&o));
    }
    assert_eq!(outcome.raised.len(), 2);
    ended(&outcome, EndReason::Interrupted, 49.0, 50.0, "set back");
    assert!(a.wants_pictures());
    outcome.take(a.finish());
    assert_eq!(outcome.ended.len(), 2);
    assert!(!a.wants_pictures());
}
