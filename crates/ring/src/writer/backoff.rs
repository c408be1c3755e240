//! When to try again what the disk refused. Pure.

use domain::MonoTime;
use std::time::Duration;

/// Waits that double from `first` to `longest`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    due: MonoTime,
    wait: Duration,
}

impl Backoff {
    /// It was refused now.
    pub(crate) fn refused(&mut self, now: MonoTime, first: Duration, longest: Duration) {
        self.wait = (self.wait * 2).clamp(first, longest);
        self.due = now.plus(self.wait);
    }

    /// When it may be tried again.
    pub(crate) fn due(&self) -> MonoTime {
        self.due
    }

    /// Whether it may be tried now.
    pub(crate) fn is_due(&self, now: MonoTime) -> bool {
        now >= self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(5));
        let mut backoff = Backoff::default();
        assert!(backoff.is_due(MonoTime(0)));
        let mut now = MonoTime(7);
        for wait in [1, 2, 4, 5, 5] {
            backoff.refused(now, first, longest);
            assert_eq!(backoff.due(), now.plus(Duration::from_secs(wait)));
            assert!(!backoff.is_due(now) && backoff.is_due(backoff.due()));
            now = backoff.due();
        }
    }
}
