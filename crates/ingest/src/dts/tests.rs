//! Reordering: known, learned, contradicted, and anything at all.

use super::*;
use proptest::prelude::*;

/// Presentation order numbers in decoding order: I P B b b style pyramids of the given depth.
fn reorder(depth: usize, frames: usize) -> Vec<i64> {
    // A mini-GOP of 2^depth: the anchor first, then halves, each before its own middle.
    fn middle(low: i64, high: i64, out: &mut Vec<i64>) {
        if high - low > 1 {
            let m = i64::midpoint(low, high);
            out.push(m);
            middle(low, m, out);
            middle(m, high, out);
        }
    }
    let span = 1i64 << depth;
    let mut order = vec![0];
    while order.len() < frames {
        let low = order.len() as i64 - 1;
        order.push(low + span);
        middle(low, low + span, &mut order);
    }
    order.truncate(frames);
    order
}

/// Places frames as the assembler does: after a refusal it waits for the next key frame.
fn run(dts: &mut Dts, frames: &[(i64, bool)]) -> Vec<Times> {
    let (mut waiting, mut out): (bool, Vec<Times>) = (false, Vec::new());
    let mut from = i64::MIN;
    for (pts, key) in frames {
        if waiting && !key {
            dts.learn(*pts);
            continue;
        }
        if waiting {
            dts.begin_again();
            from = *pts;
        }
        waiting = false;
        if *pts < from {
            continue;
        }
        match dts.place(*pts) {
            Ok(times) => out.push(times),
            Err(Refused) => waiting = true,
        }
    }
    out
}

fn assert_rising(times: &[Times]) {
    for pair in times.windows(2) {
        assert!(pair[1].dts > pair[0].dts, "{pair:?}");
    }
    assert!(times.iter().all(|t| t.dts <= t.pts), "{times:?}");
}

#[test]
fn without_b_frames_both_times_are_equal() {
    let mut dts = Dts::new(Some(0), 0, Some(6_000));
    for n in 0..100 {
        assert_eq!(dts.place(n * 6_000), Ok(Times { pts: n * 6_000, dts: n * 6_000 }));
    }
}

#[test]
fn a_told_depth_is_exact_from_the_first_frame() {
    for depth in 1..=3 {
        let mut dts = Dts::new(Some(depth), 0, Some(3_000));
        let lead = dts.lead();
        let frames: Vec<_> = reorder(depth.into(), 200).into_iter().map(|n| (lead + n * 3_000, n == 0)).collect();
        let times = run(&mut dts, &frames);
        assert_eq!(times.len(), 200);
        for (n, (times, (pts, _))) in times.iter().zip(&frames).enumerate() {
            assert_eq!(*times, Times { pts: *pts, dts: n as i64 * 3_000 }, "depth {depth}, frame {n}");
        }
    }
}

#[test]
fn an_untold_depth_is_learned_once() {
    for depth in 1..=3u8 {
        let mut dts = Dts::new(None, 0, Some(3_000));
        // GOPs of 25 frames: closed, so the last mini-GOP ends at the next key frame.
        let gop = 3 * (1 << depth) + 1;
        let frames: Vec<_> = (0..20)
            .flat_map(|g| reorder(depth.into(), gop).into_iter().map(move |n| (100_000 + g * 1_000_000 + n * 3_000, n == 0)))
            .collect();
        let times = run(&mut dts, &frames);
        assert_rising(&times);
        assert_eq!(dts.depth(), depth);
        // Only the rest of the first GOP is missing, and no presentation time was bent.
        assert!(times.len() > 19 * gop, "{} of {}", times.len(), 20 * gop);
        let all: Vec<_> = frames.iter().map(|f| f.0).collect();
        assert!(times.iter().all(|t| all.contains(&t.pts)));
        let mut again = Dts::new(None, dts.depth(), Some(3_000));
        assert_eq!(run(&mut again, &frames).len(), frames.len());
    }
}

#[test]
fn a_stumble_is_moved_up_and_a_lying_sps_found_out() {
    let mut dts = Dts::new(Some(0), 0, None);
    let times: Vec<_> = [0, 6_000, 5_000, 12_000].into_iter().map(|pts| dts.place(pts)).collect();
    assert_eq!(times[2], Ok(Times { pts: 6_001, dts: 6_001 }));
    assert_eq!(dts.depth(), 0);
    let frames: Vec<_> =
        (0..10).flat_map(|g| reorder(1, 25).into_iter().map(move |n| (100_000 + g * 100_000 + n * 3_000, n == 0))).collect();
    assert_rising(&run(&mut dts, &frames));
    assert_eq!(dts.depth(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn random_gops_come_out_whole_and_in_order(
        depth in 0..4u8,
        tell in any::<bool>(),
        steps in prop::collection::vec(1..20_000i64, 300),
        gop in 10..60usize,
    ) {
        // Presentation times with random distances; closed GOPs of pyramids.
        let mut at = 0;
        let shown: Vec<i64> = steps.iter().map(|s| { at += s + 16; at }).collect();
        let span = 1usize << depth;
        let gop = gop / span * span + 1;
        let frames: Vec<_> = (0..300 / gop)
            .flat_map(|g| reorder(depth.into(), gop).into_iter().map(move |n| (g * gop + n as usize, n == 0)))
            .map(|(i, key)| (shown[i], key))
            .collect();
        let mut dts = Dts::new(tell.then_some(depth), 0, None);
        let times = run(&mut dts, &frames);
        assert_rising(&times);
        let inexact = if tell { 0 } else { gop * (usize::from(depth) + 1) };
        prop_assert!(times.len() + inexact >= frames.len(), "{} of {}", times.len(), frames.len());
        let raised = times.iter().filter(|t| !frames.iter().any(|f| f.0 == t.pts)).count();
        prop_assert_eq!(raised, 0);
    }

    #[test]
    fn anything_at_all_still_rises(
        told in prop::option::of(0..40u8),
        frames in prop::collection::vec((prop_oneof![8 => -20_000..20_000i64, 1 => any::<i64>()], any::<bool>(), 0..100u8), 1..300),
    ) {
        let mut dts = Dts::new(told, 0, None);
        let mut out = Vec::new();
        let mut at = 0i64;
        for (step, key, other) in frames {
            at = at.saturating_add(step).clamp(i64::MIN / 4, i64::MAX / 4);
            match other {
                0 => dts.begin_again(),
                1 => dts.retell(Some(3), Some(1)),
                2 => dts.learn(at),
                _ => out.extend(run(&mut dts, &[(at, key)])),
            }
            prop_assert!(dts.held.len() <= usize::from(MAX_DEPTH));
        }
        assert_rising(&out);
    }
}
