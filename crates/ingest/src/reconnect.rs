//! When to try again: a state machine without I/O. Time goes in, a [`Step`] comes out.
//!
//! Each named reason has its own pace. A camera that restarts is tried every few seconds; a wrong password is
//! tried rarely, because cameras lock the account after a handful of wrong log-ins; one that has no session to
//! spare gets time to drop the old one.

use crate::Reason;
use domain::MonoTime;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::Duration;

/// A session that delivered for so long proves the camera sound: the next failure starts a new streak.
pub const STABLE: Duration = Duration::from_secs(30);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first event of all, and the end of every wait.
    Due,
    /// The gate gave this stream its turn to connect.
    Admitted,
    /// The session stands.
    Opened,
    /// A sample came out of it.
    Sample,
    /// It failed or ended.
    Failed(Reason),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the gate for a turn, then tell [`Event::Admitted`].
    Queue,
    /// Open a session.
    Open,
    /// Read the session.
    Read,
    /// Do nothing until then, then tell [`Event::Due`].
    Wait {
        /// When to wake up.
        until: MonoTime,
    },
}

/// First and longest wait after a reason, in milliseconds. Doubles in between.
fn pace(reason: Reason, flowed: bool, ever_flowed: bool) -> (u64, u64) {
    match reason {
        // A stream that just flowed is most likely back at once.
        Reason::Ended | Reason::Frozen if flowed => (500, 5_000),
        Reason::Ended | Reason::Frozen | Reason::Silent | Reason::Refused | Reason::Unreachable => (1_000, 30_000),
        Reason::Garbage | Reason::NoKeyframe => (2_000, 60_000),
        Reason::Crashed => (5_000, 300_000),
        Reason::Busy => (10_000, 120_000),
        Reason::NotFound | Reason::Unsupported => (20_000, 300_000),
        // Some cameras answer 401 for a moment while they start: with a password that worked, look again sooner.
        Reason::Auth if ever_flowed => (10_000, 900_000),
        Reason::Auth => (60_000, 900_000),
    }
}

/// One stream's reconnecting.
#[derive(Debug)]
pub struct Reconnect {
    rng: StdRng,
    /// Failures in a row for the same reason.
    streak: u32,
    last: Option<Reason>,
    flowing_since: Option<MonoTime>,
    ever_flowed: bool,
}

impl Reconnect {
    /// `seed` decides the jitter; give each stream its own, so that thirty do not come back in step.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), streak: 0, last: None, flowing_since: None, ever_flowed: false }
    }

    /// Takes what happened, says what to do.
    pub fn handle(&mut self, now: MonoTime, event: Event) -> Step {
        match event {
            Event::Due => Step::Queue,
            Event::Admitted => Step::Open,
            Event::Opened => Step::Read,
            Event::Sample => {
                self.flowing_since.get_or_insert(now);
                self.ever_flowed = true;
                Step::Read
            }
            Event::Failed(reason) => Step::Wait { until: now.plus(self.delay(now, reason)) },
        }
    }

    /// Failures in a row for the last reason.
    #[must_use]
    pub fn streak(&self) -> u32 {
        self.streak
    }

    fn delay(&mut self, now: MonoTime, reason: Reason) -> Duration {
        let flowed_for = self.flowing_since.take().map(|since| now.since(since));
        if self.last != Some(reason) || flowed_for.is_some_and(|d| d >= STABLE) {
            self.streak = 0;
        }
        self.last = Some(reason);
        let (first, longest) = pace(reason, flowed_for.is_some(), self.ever_flowed);
        let full = first.saturating_mul(1 << self.streak.min(20)).min(longest);
        self.streak = self.streak.saturating_add(1);
        // Half fixed, half chance: never much too early, and never thirty at the same moment.
        Duration::from_millis(full / 2 + self.rng.random_range(0..=full / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scenario: each line is what happens, how long after the previous line, and what must come of it.
    struct Plan {
        machine: Reconnect,
        now: MonoTime,
    }

    impl Plan {
        fn new(seed: u64) -> Self {
            let mut plan = Self { machine: Reconnect::new(seed), now: MonoTime(5_000_000) };
            assert_eq!(plan.happens(0.0, Event::Due), Step::Queue);
            plan
        }

        fn happens(&mut self, after: f64, event: Event) -> Step {
            self.now = self.now.plus(Duration::from_secs_f64(after));
            self.machine.handle(self.now, event)
        }

        fn refuses(&mut self, reason: Reason) -> f64 {
            assert_eq!(self.happens(0.01, Event::Admitted), Step::Open);
            self.fails(0.01, reason)
        }

        fn accepts(&mut self) {
            assert_eq!(self.happens(0.01, Event::Admitted), Step::Open);
            assert_eq!(self.happens(0.1, Event::Opened), Step::Read);
            assert_eq!(self.happens(0.1, Event::Sample), Step::Read);
        }

        /// Returns the wait in seconds, and lets it pass.
        fn fails(&mut self, after: f64, reason: Reason) -> f64 {
            let Step::Wait { until } = self.happens(after, Event::Failed(reason)) else { panic!("no wait after {reason:?}") };
            let wait = until.since(self.now).as_secs_f64();
            assert_eq!(self.happens(wait, Event::Due), Step::Queue);
            wait
        }
    }

    fn assert_within(wait: f64, low: f64, high: f64) {
        assert!((low..=high).contains(&wait), "waited {wait} s, expected {low} to {high}");
    }

    #[test]
    fn refuses_three_times_then_accepts_then_freezes_then_flaps() {
        for seed in 0..50 {
            let mut plan = Plan::new(seed);
            assert_within(plan.refuses(Reason::Refused), 0.5, 1.0);
            assert_within(plan.refuses(Reason::Refused), 1.0, 2.0);
            assert_within(plan.refuses(Reason::Refused), 2.0, 4.0);
            plan.accepts();
            assert_within(plan.fails(3600.0, Reason::Frozen), 0.25, 0.5);
            plan.accepts();
            assert_within(plan.fails(5.0, Reason::Frozen), 0.5, 1.0);
            for _ in 0..10 {
                plan.accepts();
                assert_within(plan.fails(5.0, Reason::Frozen), 0.5, 5.0);
            }
            plan.accepts();
            assert_within(plan.fails(60.0, Reason::Frozen), 0.25, 0.5);
        }
    }

    #[test]
    fn a_wrong_password_is_tried_rarely_and_one_that_worked_sooner() {
        let mut plan = Plan::new(1);
        assert_within(plan.refuses(Reason::Auth), 30.0, 60.0);
        assert_within(plan.refuses(Reason::Auth), 60.0, 120.0);
        for _ in 0..10 {
            assert_within(plan.refuses(Reason::Auth), 60.0, 900.0);
        }
        let hour: f64 = (0..4).map(|_| plan.refuses(Reason::Auth)).sum();
        assert!(hour >= 1800.0, "four attempts within {hour} s");
        plan.accepts();
        plan.fails(100.0, Reason::Ended);
        assert_within(plan.refuses(Reason::Auth), 5.0, 10.0);
    }

    #[test]
    fn a_busy_camera_gets_time_and_another_reason_starts_anew() {
        let mut plan = Plan::new(2);
        assert_within(plan.refuses(Reason::Busy), 5.0, 10.0);
        assert_within(plan.refuses(Reason::Busy), 10.0, 20.0);
        assert_within(plan.refuses(Reason::Unreachable), 0.5, 1.0);
        assert_within(plan.refuses(Reason::Busy), 5.0, 10.0);
    }

    #[test]
    fn no_reason_waits_for_ever_nor_not_at_all() {
        for reason in Reason::ALL {
            let mut plan = Plan::new(3);
            for _ in 0..100 {
                assert_within(plan.refuses(reason), 0.25, 900.0);
            }
        }
    }
}
