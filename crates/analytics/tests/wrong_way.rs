//! Plans for `wrong-way`; up the picture is permitted.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod common;
use common::{Noise, RATES, actor, car, ended, moto, none, one, play, second, wrong_way};
use domain::{EndReason, ViolationKind::WrongWay};

#[test]
fn a_motorcycle_against_the_way_is_one_violation() {
    for fps in RATES {
        for x in [0.2, 0.5, 0.8] {
            let about = format!("{fps} fps at {x}");
            let outcome = play(fps, 20.0, &[moto(&[(1.0, x, 0.1), (7.0, x, 1.1)])]).run(&wrong_way());
            let v = one(&outcome, WrongWay, 1.0, 3.5, &about);
            assert!(v.measured["angle_deg"] > 165.0, "{about}: {:?}", v.measured);
            assert!((0.1..0.35).contains(&v.measured["travel"]), "{about}: {:?}", v.measured);
            assert!(v.why.vi.starts_with("Nghi vấn xe máy đi ngược chiều trong vùng “le-duong”"), "{}", v.why.vi);
            ended(&outcome, EndReason::Left, 5.0, 6.2, &about);
        }
    }
}

#[test]
fn a_slow_and_a_near_one_count_too() {
    for fps in RATES {
        let slow = car(&[(0.0, 0.5, 0.3), (15.0, 0.5, 0.6)]);
        one(&play(fps, 16.0, &[slow]).run(&wrong_way()), WrongWay, 0.0, 4.0, &format!("slow, {fps} fps"));
        let near = actor("truck", (0.35, 0.5), &[(0.0, 0.5, 0.4), (5.0, 0.5, 0.9)]);
        one(&play(fps, 6.0, &[near]).run(&wrong_way()), WrongWay, 0.0, 3.0, &format!("near, {fps} fps"));
    }
}

#[test]
fn the_permitted_way_crossing_and_turning_off_are_none() {
    for fps in RATES {
        let actors = [
            moto(&[(1.0, 0.3, 1.0), (6.0, 0.3, 0.1)]),
            car(&[(2.0, 0.0, 0.5), (9.0, 1.0, 0.5)]),
            car(&[(11.0, 1.0, 0.35), (18.0, 0.0, 0.55)]),
            actor("person", (0.04, 0.15), &[(0.0, 0.7, 0.2), (20.0, 0.7, 0.9)]),
        ];
        none(&play(fps, 20.0, &actors).run(&wrong_way()), &format!("{fps} fps"));
    }
}

#[test]
fn reversing_a_little_standing_with_jitter_and_being_half_hidden_are_none() {
    for fps in RATES {
        for seed in 0..4 {
            let about = format!("{fps} fps, seed {seed}");
            let reverses = car(&[(0.0, 0.25, 0.85), (4.0, 0.25, 0.45), (8.0, 0.25, 0.45), (11.0, 0.25, 0.53), (40.0, 0.25, 0.53)]);
            let trembles = actor("car", (0.3, 0.3), &[(0.0, 0.65, 0.7), (60.0, 0.65, 0.7)]).jitter(0.1);
            none(&play(fps, 60.0, &[reverses, trembles]).seed(seed).run(&wrong_way()), &about);
            let uncovered = actor("truck", (0.3, 0.5), &[(0.0, 0.5, 0.8), (40.0, 0.5, 0.8)]).cut(0.0, 5.0).cut(10.0, 15.0).cut(20.0, 22.0);
            none(&play(fps, 40.0, &[uncovered]).seed(seed).run(&wrong_way()), &about);
        }
    }
}

#[test]
fn a_crowd_going_the_right_way_is_none() {
    // Two lanes of motorcycles closely behind each other, some not seen for moments: ids get mixed up.
    let mut noise = Noise::new(3);
    let mut actors = Vec::new();
    for i in 0..40 {
        let (t, lane) = (f64::from(i) * 0.7, 0.3 + 0.08 * f64::from(i % 4));
        let mut a = moto(&[(t, lane, 1.05), (t + 5.0 + noise.next(), lane + 0.1, 0.1)]).jitter(0.04);
        let h = t + 2.0 + noise.next();
        a = a.hidden(h, h + 0.8);
        actors.push(a);
    }
    for fps in RATES {
        for seed in 0..4 {
            none(&play(fps, 35.0, &actors).seed(seed).run(&wrong_way()), &format!("{fps} fps, seed {seed}"));
        }
    }
}

#[test]
fn one_against_the_crowd_is_found_and_only_that_one() {
    let mut actors: Vec<_> = (0..10).map(|i| f64::from(i) * 1.7).map(|t| moto(&[(t, 0.35, 1.05), (t + 6.0, 0.35, 0.1)])).collect();
    actors.push(moto(&[(6.0, 0.6, 0.15), (13.0, 0.6, 1.0)]));
    for fps in [5.0, 15.0] {
        let v = one(&play(fps, 25.0, &actors).run(&wrong_way()), WrongWay, 6.0, 9.0, &format!("{fps} fps"));
        assert!((v.bbox.ground().x - 0.6).abs() < 0.05);
    }
}

#[test]
fn hidden_on_the_way_and_found_under_a_new_id_is_still_one() {
    for fps in [5.0, 15.0] {
        // Not seen for 2.5 s: longer than a track is kept.
        let a = moto(&[(0.0, 0.5, 0.2), (12.0, 0.5, 0.9)]).hidden(4.0, 6.5);
        let outcome = play(fps, 16.0, &[a]).run(&wrong_way());
        one(&outcome, WrongWay, 0.0, 3.0, &format!("{fps} fps"));
        // Hidden before it travelled far enough: the parts before and after are added up.
        let a = moto(&[(0.0, 0.5, 0.3), (12.0, 0.5, 0.48)]).hidden(4.0, 6.5);
        let outcome = play(fps, 14.0, &[a]).run(&wrong_way());
        let v = one(&outcome, WrongWay, 0.0, 3.0, &format!("in two parts, {fps} fps"));
        assert!(second(v.raised) > 6.5);
    }
}

#[test]
fn a_turn_back_in_the_same_zone_is_no_second_violation() {
    let a = moto(&[(0.0, 0.5, 0.25), (5.0, 0.5, 0.8), (10.0, 0.5, 0.3), (15.0, 0.5, 0.85), (20.0, 0.5, 1.1)]);
    one(&play(5.0, 25.0, &[a]).run(&wrong_way()), WrongWay, 0.0, 3.0, "there and back");
}

#[test]
fn angles_are_those_of_the_road_and_not_of_squeezed_pixels() {
    // On 16:9, a step of (0.1, 0.1) of the picture goes more across than down: 119 degrees off the way up, so not
    // against it at 60; in squeezed fractions it would be 135.
    let a = car(&[(0.0, 0.15, 0.25), (8.0, 0.75, 0.85)]);
    for fps in RATES {
        none(&play(fps, 8.0, std::slice::from_ref(&a)).run(&wrong_way()), &format!("{fps} fps"));
    }
}

#[test]
fn a_gap_of_the_clock_makes_no_movement() {
    // Before the gap a car at the top, after it another at the bottom.
    let a = car(&[(0.0, 0.5, 0.3), (10.0, 0.5, 0.29)]);
    let b = car(&[(10.2, 0.5, 0.8), (30.0, 0.5, 0.79)]);
    for fps in RATES {
        none(&play(fps, 30.0, &[a.clone(), b.clone()]).gap(9.0, 11.0).run(&wrong_way()), &format!("{fps} fps"));
        none(&play(fps, 30.0, &[a.clone(), b.clone()]).run(&wrong_way()), &format!("{fps} fps, no gap"));
    }
}

#[test]
fn a_jump_back_to_the_next_vehicle_is_no_way_back() {
    // One vanishes, and the one behind it, seen for the first time at that moment, inherits its id.
    for fps in RATES {
        for back in [0.10, 0.12, 0.14, 0.16, 0.2] {
            let a = car(&[(0.0, 0.5, 0.85), (5.0, 0.5, 0.5)]);
            let b = car(&[(5.01, 0.5, 0.5 + back), (12.0, 0.5, 0.2)]);
            none(&play(fps, 14.0, &[a, b]).run(&wrong_way()), &format!("{fps} fps, {back} behind"));
        }
    }
}

#[test]
fn a_big_thing_trembles_by_more_than_min_travel_and_stands() {
    for fps in RATES {
        for seed in 0..6 {
            let a = actor("truck", (0.5, 0.6), &[(0.0, 0.5, 0.75), (120.0, 0.5, 0.75)]).jitter(0.15);
            none(&play(fps, 120.0, &[a]).seed(seed).run(&wrong_way()), &format!("{fps} fps, seed {seed}"));
        }
    }
}
