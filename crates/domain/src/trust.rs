//! When the wall clock may decide that something is over: a box that reads 2099 for an hour must delete nothing.
//!
//! Belongs here: the judgement over readings that are passed in. Does not belong here: what is deleted, and reading a clock.

use crate::{MonoTime, WallTime};
use std::time::Duration;

/// How far wall and monotonic time may part before the wall is distrusted: 5 s, and 1 in 2000 for a bad crystal.
const SLACK: i64 = 5_000_000;
/// How long the two must have agreed before anything is deleted.
pub const SETTLE: Duration = Duration::from_secs(600);

/// What was seen of the clocks so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClockTrust {
    anchor: Option<(WallTime, MonoTime)>,
    stepped: bool,
}

impl ClockTrust {
    /// Goes on from a reading of an earlier run in the same boot, taken under a disciplined clock.
    #[must_use]
    pub fn since(wall: WallTime, mono: MonoTime) -> Self {
        Self { anchor: Some((wall, mono)), stepped: false }
    }

    /// Whether the wall was stepped although it is said to be disciplined, and has not gone along for [`SETTLE`] since: what it
    /// stamps now may be wrong.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        self.stepped
    }

    /// One more reading: the wall time, when the network has disciplined it for [`SETTLE`] and it has gone along with
    /// monotonic time since. A clock that was stepped is watched anew for as long.
    pub fn reading(&mut self, wall: WallTime, mono: MonoTime, synchronised: bool) -> Option<WallTime> {
        if !synchronised {
            *self = Self::default();
            return None;
        }
        let (then, since) = *self.anchor.get_or_insert((wall, mono));
        let elapsed = i64::try_from(mono.since(since).as_micros()).unwrap_or(i64::MAX);
        let parted = wall.micros_since(then).saturating_sub(elapsed).saturating_abs();
        if parted > SLACK + elapsed / 2000 || mono < since {
            self.anchor = Some((wall, mono));
            self.stepped = true;
            return None;
        }
        let settled = mono.since(since) >= SETTLE;
        self.stepped &= !settled;
        settled.then_some(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: WallTime = WallTime::from_secs(1_795_430_400);

    fn at(seconds: u64) -> (WallTime, MonoTime) {
        (NOON.plus(Duration::from_secs(seconds)), MonoTime::default().plus(Duration::from_secs(seconds)))
    }

    #[test]
    fn a_clock_is_trusted_after_ten_minutes_of_agreement() {
        let mut trust = ClockTrust::default();
        let mut say = |seconds, synchronised| {
            let (wall, mono) = at(seconds);
            trust.reading(wall, mono, synchronised).is_some()
        };
        assert!(!say(0, true) && !say(599, true) && say(600, true));
        assert!(!say(601, false), "the network is away");
        assert!(!say(602, true) && !say(1201, true) && say(1202, true));
    }

    #[test]
    fn a_step_is_watched_anew() {
        let mut trust = ClockTrust::default();
        assert!(trust.reading(NOON, MonoTime::default(), true).is_none());
        let (wall, mono) = at(700);
        assert!(trust.reading(wall, mono, true).is_some());
        // 2099, under a server that lies.
        let far = wall.plus(Duration::from_secs(73 * 365 * 86_400));
        let (_, later) = at(760);
        assert!(!trust.is_doubtful());
        assert!(trust.reading(far, later, true).is_none() && trust.is_doubtful());
        // Back to the truth: another step.
        let (wall, mono) = at(820);
        assert!(trust.reading(wall, mono, true).is_none());
        let (wall, mono) = at(1419);
        assert!(trust.reading(wall, mono, true).is_none());
        assert!(trust.is_doubtful());
        let (wall, mono) = at(1420);
        assert_eq!(trust.reading(wall, mono, true), Some(wall));
        assert!(!trust.is_doubtful(), "corrected, and steady since");
        // What a run before this one saw in the same boot counts.
        let mut trust = ClockTrust::since(NOON, MonoTime::default());
        let (wall, mono) = at(600);
        assert_eq!(trust.reading(wall, mono, true), Some(wall));
    }
}
