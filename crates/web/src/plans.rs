//! Plans of clips, kept for a moment: whoever asks for one film in a hundred ranges has it planned once.
//!
//! Belongs here: how many, how long, and of which times. Does not belong here: planning (`ring::clip`), who may have a clip.

use domain::{CameraId, Channel, MonoTime, WallTime};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Most plans kept.
const MOST: usize = 8;
/// Most minutes of film in all of them: a plan holds the sample table of its time, about 30 kB a minute.
const MINUTES: i64 = 120;
/// A plan is kept for so long after it was made: what the ring overwrites meanwhile, its reader is told.
const KEPT: Duration = Duration::from_secs(60);
/// Of a time that ends later than this ago, more may be written at the next question.
const SETTLED: Duration = Duration::from_secs(15);

/// What a plan is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) camera: CameraId,
    pub(crate) channel: Channel,
    pub(crate) from: WallTime,
    pub(crate) to: WallTime,
    pub(crate) audio: bool,
}

impl Wish {
    fn minutes(&self) -> i64 {
        self.to.micros_since(self.from) / 60_000_000 + 1
    }
}

struct Entry<P> {
    wish: Wish,
    made: MonoTime,
    plan: Arc<P>,
}

/// The plans, oldest first.
pub(crate) struct Plans<P>(Mutex<Vec<Entry<P>>>);

impl<P> Default for Plans<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<P> Plans<P> {
    /// The plan that was made for this a moment ago.
    pub(crate) fn get(&self, wish: &Wish, now: MonoTime) -> Option<Arc<P>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|entry| now.since(entry.made) < KEPT);
        all.iter().find(|entry| entry.wish == *wish).map(|entry| Arc::clone(&entry.plan))
    }

    /// Keeps a plan, unless its time is not over yet or it is larger than all may be; the oldest give way.
    pub(crate) fn put(&self, wish: Wish, plan: &Arc<P>, now: MonoTime, wall: WallTime) {
        if wish.to.plus(SETTLED) > wall || wish.minutes() > MINUTES {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|entry| entry.wish != wish);
        all.push(Entry { wish, made: now, plan: Arc::clone(plan) });
        while all.len() > MOST || all.iter().map(|entry| entry.wish.minutes()).sum::<i64>() > MINUTES {
            all.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: WallTime = WallTime::from_secs(1_795_430_400);

    fn wish(minute: u64, minutes: u64) -> Wish {
        let from = NOON.plus(Duration::from_secs(60 * minute));
        let (camera, to) = (CameraId::new("cho").unwrap(), from.plus(Duration::from_secs(60 * minutes - 1)));
        Wish { camera, channel: Channel::Main, from, to, audio: true }
    }

    fn at(seconds: u64) -> MonoTime {
        MonoTime::default().plus(Duration::from_secs(seconds))
    }

    const LATER: WallTime = NOON.plus_micros(86_400_000_000);

    #[test]
    fn a_plan_is_found_for_a_minute_and_for_its_own_wish_only() {
        let plans = Plans::default();
        plans.put(wish(0, 1), &Arc::new(7), at(0), LATER);
        assert_eq!(plans.get(&wish(0, 1), at(59)).as_deref(), Some(&7));
        assert!(plans.get(&Wish { audio: false, ..wish(0, 1) }, at(59)).is_none());
        assert!(plans.get(&Wish { channel: Channel::Sub, ..wish(0, 1) }, at(59)).is_none());
        assert!(plans.get(&wish(0, 1), at(60)).is_none());
    }

    #[test]
    fn they_are_few_and_none_is_of_what_is_still_written() {
        let plans = Plans::default();
        for n in 0..20 {
            plans.put(wish(n, 1), &Arc::new(n), at(n), LATER);
        }
        let found = |from, to| (from..to).filter(|n| plans.get(&wish(*n, 1), at(20)).is_some()).collect::<Vec<_>>();
        assert_eq!(found(0, 20), (12..20).collect::<Vec<_>>());
        plans.put(wish(100, 118), &Arc::new(99), at(20), LATER);
        assert_eq!(found(0, 20), [18, 19], "the minutes count, not only the plans");
        plans.put(wish(300, 121), &Arc::new(99), at(20), LATER);
        assert!(plans.get(&wish(300, 121), at(20)).is_none(), "too large for all of the room");
        let now = wish(500, 1);
        plans.put(now.clone(), &Arc::new(99), at(20), now.to.plus(Duration::from_secs(14)));
        assert!(plans.get(&now, at(20)).is_none(), "its end may still be on the way to the disk");
        plans.put(now.clone(), &Arc::new(99), at(20), now.to.plus(Duration::from_secs(15)));
        assert!(plans.get(&now, at(20)).is_some());
    }
}
