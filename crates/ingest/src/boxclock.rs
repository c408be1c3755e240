//! Capture time on the box's own clock, from arrival times and the camera's timestamps.
//!
//! Frames arrive late by a varying amount and never early, so the smallest recent (arrival − pts) is the best
//! guess of the camera's zero on our clock: the *lower envelope*. A burst after a TCP stall lies above it and
//! bends nothing. The envelope is followed gently, so that a camera crystal 100 ppm off is tracked within
//! milliseconds and no single frame moves the time of the next ones.
//!
//! All of this happens on the monotonic clock. The wall clock enters only at the end, as the present difference
//! between the two, so a stepped wall clock is followed like this:
//! * forwards: at once, captures jump with it;
//! * backwards: captures stand still (they never go back within a session) until the next random access point,
//!   which follows the step and is told as the start of a new session ([`Capture::stepped`]).

use domain::{MonoTime, WallTime};
use std::collections::VecDeque;

/// Seconds the envelope looks back. Long enough for any stall that is not `frozen`, short enough for drift.
const WINDOW_S: u64 = 30;
/// In this first part of a session the envelope follows at once: the camera may begin with a burst.
const LEARNING_MICROS: u64 = 10_000_000;
/// Afterwards, microseconds of correction a second: downwards (late evidence was taken for the truth) …
const SLEW_DOWN_PPM: i64 = 20_000;
/// … and upwards (the camera's clock is slow, or the path got longer).
const SLEW_UP_PPM: i64 = 500;
/// A wall clock that went back by less is waited for.
const STEP_MICROS: i64 = 200_000;

/// When something arrived, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Monotonic clock.
    pub mono: MonoTime,
    /// Wall clock, read at the same moment.
    pub wall: WallTime,
}

impl Arrival {
    /// Reads both.
    #[must_use]
    pub fn now(clock: &dyn domain::Clock) -> Self {
        Self { mono: clock.mono(), wall: clock.wall() }
    }
}

/// A capture time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    /// When it was captured, never before the previous one unless `stepped`.
    pub at: WallTime,
    /// The wall clock had gone back and is followed from here on.
    pub stepped: bool,
}

/// One stream's mapping from its timeline to the box's clock, for one session.
#[derive(Debug, Default)]
pub struct BoxClock {
    /// Smallest (arrival − pts) of each second of the window, oldest first.
    seconds: VecDeque<(u64, i64)>,
    /// The envelope in use, in microseconds.
    offset: Option<i64>,
    begun: MonoTime,
    previous: MonoTime,
    last_mono: i64,
    last_wall: Option<WallTime>,
}

impl BoxClock {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says when a frame was captured. `pts` in 90 kHz on a timeline without jumps; `may_step` where a
    /// new beginning is harmless (a random access point).
    pub fn capture(&mut self, arrival: Arrival, pts: i64, may_step: bool) -> Capture {
        let now = micros(arrival.mono);
        let pts = media_micros(pts);
        let target = self.observe(arrival.mono, now.saturating_sub(pts));
        let offset = self.follow(arrival.mono, target);
        // Nothing is captured after it arrived, and time does not go back.
        let at = pts.saturating_add(offset).min(now).max(self.last_mono.min(now));
        self.last_mono = at;
        self.on_the_wall(arrival.wall.plus_micros(at.saturating_sub(now)), may_step)
    }

    /// How far, in microseconds, a frame with this pts would lie in the future by what is known; negative: in the past.
    #[must_use]
    pub fn ahead(&self, now: MonoTime, pts: i64) -> Option<i64> {
        Some(media_micros(pts).saturating_add(self.envelope()?).saturating_sub(micros(now)))
    }

    /// The pts a frame captured now would have, by what is known.
    #[must_use]
    pub fn pts_at(&self, now: MonoTime) -> Option<i64> {
        let elapsed = micros(now).saturating_sub(self.envelope()?);
        Some(elapsed.saturating_mul(9) / 100)
    }

    fn envelope(&self) -> Option<i64> {
        self.seconds.iter().map(|(_, least)| *least).min()
    }

    fn observe(&mut self, at: MonoTime, distance: i64) -> i64 {
        let second = at.0 / 1_000_000;
        match self.seconds.back_mut() {
            Some((s, least)) if *s == second => *least = (*least).min(distance),
            _ => self.seconds.push_back((second, distance)),
        }
        while self.seconds.front().is_some_and(|(s, _)| s.saturating_add(WINDOW_S) <= second) {
            self.seconds.pop_front();
        }
        self.envelope().unwrap_or(distance)
    }

    fn follow(&mut self, at: MonoTime, target: i64) -> i64 {
        let Some(offset) = self.offset else {
            self.begun = at;
            self.previous = at;
            self.offset = Some(target);
            return target;
        };
        let elapsed = i64::try_from(at.0.saturating_sub(self.previous.0)).unwrap_or(i64::MAX).min(10_000_000);
        self.previous = at;
        let learning = at.0.saturating_sub(self.begun.0) < LEARNING_MICROS;
        let step = if target < offset {
            if learning { target.saturating_sub(offset) } else { target.saturating_sub(offset).max(-(elapsed * SLEW_DOWN_PPM / 1_000_000)) }
        } else {
            target.saturating_sub(offset).min(elapsed * SLEW_UP_PPM / 1_000_000)
        };
        let offset = offset.saturating_add(step);
        self.offset = Some(offset);
        offset
    }

    fn on_the_wall(&mut self, at: WallTime, may_step: bool) -> Capture {
        let capture = match self.last_wall {
            Some(last) if at < last => {
                let stepped = may_step && last.micros_since(at) > STEP_MICROS;
                Capture { at: if stepped { at } else { last }, stepped }
            }
            _ => Capture { at, stepped: false },
        };
        self.last_wall = Some(capture.at);
        capture
    }
}

fn micros(t: MonoTime) -> i64 {
    i64::try_from(t.0).unwrap_or(i64::MAX)
}

fn media_micros(pts: i64) -> i64 {
    pts.saturating_mul(100) / 9
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    const WALL: i64 = 1_795_430_000_000_000;

    /// A camera at 15 fps whose clock is `ppm` fast, sent over a path given as extra delay per frame (µs).
    /// Returns each frame's error: capture as told − true capture, µs (the path's least delay is part of no error).
    fn errors(seconds: u32, ppm: i64, mut delay: impl FnMut(i64) -> i64) -> Vec<i64> {
        let mut clock = BoxClock::new();
        let mut last_arrival = 0;
        let mut last_capture = i64::MIN;
        (0..i64::from(seconds) * 15)
            .map(|n| {
                let truth = 50_000_000 + n * 1_000_000 / 15;
                let pts = (n * 6_000) + n * 6_000 * ppm / 1_000_000;
                // TCP keeps the order: nothing overtakes.
                let arrival = (truth + delay(truth)).max(last_arrival);
                last_arrival = arrival;
                let arrived = Arrival { mono: MonoTime(arrival as u64), wall: WallTime(WALL + arrival) };
                let capture = clock.capture(arrived, pts, true);
                assert!(!capture.stepped && capture.at.0 >= last_capture && capture.at.0 <= WALL + arrival);
                last_capture = capture.at.0;
                capture.at.0 - WALL - truth
            })
            .collect()
    }

    fn largest(errors: &[i64]) -> i64 {
        errors.iter().map(|e| e.abs()).max().unwrap_or(0)
    }

    #[test]
    fn jitter_is_ironed_out() {
        let mut rng = StdRng::seed_from_u64(1);
        let errors = errors(300, 0, |_| rng.random_range(0..40_000));
        assert!(largest(&errors[75..]) < 3_000, "{} µs", largest(&errors[75..]));
    }

    #[test]
    fn a_reader_that_rests_unevenly_bends_nothing() {
        // It looks at the sockets only every 97, 139, 109, 127 ms, as the capture thread does while nobody watches.
        let mut looks = [97_000, 139_000, 109_000, 127_000].into_iter().cycle();
        let mut next = 50_000_000;
        let errors = errors(300, 0, |truth| {
            while next < truth {
                next += looks.next().unwrap_or(0);
            }
            next - truth
        });
        assert!(largest(&errors[75..]) < 3_000, "{} µs", largest(&errors[75..]));
    }

    #[test]
    fn a_burst_after_a_stall_bends_nothing() {
        // Every 40 s the network stands still for 6 s, then everything comes at once.
        let errors = errors(300, 0, |t| {
            let phase = t % 40_000_000;
            if (20_000_000..26_000_000).contains(&phase) { 26_000_000 - phase } else { 2_000 }
        });
        assert!(largest(&errors[30..]) < 5_000, "{} µs", largest(&errors[30..]));
    }

    #[test]
    fn crystals_100_ppm_off_are_tracked() {
        for ppm in [-100, 100] {
            let mut rng = StdRng::seed_from_u64(2);
            let errors = errors(3_600, ppm, |_| rng.random_range(0..5_000));
            assert!(largest(&errors[150..]) < 6_000, "{ppm} ppm: {} µs", largest(&errors[150..]));
        }
    }

    #[test]
    fn a_session_that_begins_with_a_burst_settles_within_its_first_seconds() {
        // The camera sends its last 3 s at once when play begins.
        let errors = errors(60, 0, |t| if t < 53_000_000 { 53_000_000 - t } else { 0 });
        assert!(largest(&errors[60..]) < 1_000, "{} µs", largest(&errors[60..]));
    }

    #[test]
    fn a_path_that_grew_longer_is_adopted_slowly() {
        let errors = errors(300, 0, |t| if t < 100_000_000 { 0 } else { 10_000 });
        let between: Vec<_> = errors.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(largest(&between) < 100, "{} µs from frame to frame", largest(&between));
        assert!((9_000..=10_000).contains(errors.last().expect("frames")));
    }

    fn walk(clock: &mut BoxClock, n: i64, wall_off: i64, may_step: bool) -> Capture {
        let mono = 1_000_000 + n * 100_000;
        clock.capture(Arrival { mono: MonoTime(mono as u64), wall: WallTime(WALL + mono + wall_off) }, n * 9_000, may_step)
    }

    #[test]
    fn a_wall_clock_stepped_forwards_is_followed_at_once() {
        let mut clock = BoxClock::new();
        let before = walk(&mut clock, 0, 0, true);
        let after = walk(&mut clock, 1, 3_600_000_000, false);
        assert_eq!(after.at.micros_since(before.at), 3_600_100_000);
        assert!(!after.stepped);
    }

    #[test]
    fn a_wall_clock_stepped_back_holds_until_a_random_access_point() {
        let mut clock = BoxClock::new();
        walk(&mut clock, 0, 0, true);
        let held = walk(&mut clock, 1, 0, false);
        for n in 2..10 {
            assert_eq!(walk(&mut clock, n, -3_600_000_000, false), held);
        }
        let next = walk(&mut clock, 10, -3_600_000_000, true);
        assert!(next.stepped);
        assert_eq!(next.at.micros_since(held.at), -3_600_000_000 + 900_000);
        assert!(!walk(&mut clock, 11, -3_600_000_000, true).stepped);
    }
}
