//! How fast packets leave: a key frame is a hundred of them, and at once they would run over a phone's buffers. Pure: time goes in.

use std::time::{Duration, Instant};

/// One packet after the other: 1200 bytes in this time are 96 Mbit/s.
const GAP: Duration = Duration::from_micros(100);
/// So much may be made up for at once: timers wake a millisecond late.
const SLACK: Duration = Duration::from_millis(2);

/// When the next packet may leave.
#[derive(Debug)]
pub(crate) struct Pace {
    free: Instant,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self { free: now }
    }

    /// Whether a packet may leave now; then it has.
    pub(crate) fn go(&mut self, now: Instant) -> bool {
        if now < self.free {
            return false;
        }
        let since = now.checked_sub(SLACK).unwrap_or(now);
        self.free = self.free.max(since) + GAP;
        true
    }

    /// When the next one may.
    pub(crate) fn free(&self) -> Instant {
        self.free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However late and unevenly it is asked: never more than the slack and one for each gap.
        #[test]
        fn no_burst_is_larger_than_the_slack(waits in proptest::collection::vec(0..5000_u64, 1..200)) {
            let begun = Instant::now();
            let mut now = begun;
            let mut pace = Pace::new(begun);
            let mut sent: Vec<Instant> = Vec::new();
            for wait in waits {
                now += Duration::from_micros(wait);
                while pace.go(now) {
                    sent.push(now);
                }
                prop_assert!(pace.free() > now);
            }
            for (n, at) in sent.iter().enumerate() {
                let before = sent[..n].iter().filter(|earlier| *at - **earlier < Duration::from_millis(10)).count();
                prop_assert!(before <= 100 + 21, "{before} packets within 10 ms");
            }
        }
    }

    #[test]
    fn what_the_timer_was_late_is_made_up_for() {
        let begun = Instant::now();
        let mut pace = Pace::new(begun);
        let mut sent = 0;
        for ms in 0..100 {
            while pace.go(begun + Duration::from_millis(ms)) {
                sent += 1;
            }
        }
        assert!((990..=1001).contains(&sent), "{sent}");
    }
}
