//! Which cameras see something move now: pages that spare data show single pictures until one does.
//!
//! Belongs here: the table, and how long a movement counts. Does not belong here: what moved (`analytics`), how pages hear of it
//! (`events`, `cameras`).

use domain::{CameraId, Clock, MonoTime};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;

/// So long after its last movement a camera counts as moving: who looks up late still sees what it was.
const STAYS: Duration = Duration::from_secs(10);
/// A smaller part of the picture is unrest: what lies above it passes the worker's gate.
const QUIET: f64 = 0.001;

/// When each camera last saw something move. One entry a camera that is looked at.
pub struct Moving {
    clock: Arc<dyn Clock>,
    last: watch::Sender<BTreeMap<CameraId, MonoTime>>,
}

impl Moving {
    /// Nothing has moved yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: watch::Sender::new(BTreeMap::new()) }
    }

    /// A picture was looked at; this part of it moved. Waits for nobody.
    pub fn seen(&self, camera: &CameraId, part: f64) {
        if part <= QUIET {
            return;
        }
        let now = self.clock.mono();
        // Whoever listens is woken by a beginning, not by each picture.
        self.last.send_if_modified(|last| match last.get_mut(camera) {
            Some(at) => now.since(std::mem::replace(at, now)) >= STAYS,
            None => last.insert(camera.clone(), now).is_none(),
        });
    }

    /// Those that move now.
    pub(crate) fn now(&self) -> BTreeSet<CameraId> {
        let now = self.clock.mono();
        self.last.borrow().iter().filter(|(_, at)| now.since(**at) < STAYS).map(|(id, _)| id.clone()).collect()
    }

    /// Changes when a camera begins to move. That one stopped is found by looking.
    pub(crate) fn begins(&self) -> watch::Receiver<BTreeMap<CameraId, MonoTime>> {
        self.last.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SimClock;

    fn id(text: &str) -> CameraId {
        CameraId::new(text).unwrap()
    }

    #[test]
    fn a_camera_moves_until_ten_seconds_after() {
        let clock = Arc::new(SimClock::default());
        let moving = Moving::new(clock.clone());
        moving.seen(&id("cho"), QUIET);
        assert!(moving.now().is_empty(), "unrest is no movement");
        moving.seen(&id("cho"), 0.01);
        clock.advance(Duration::from_secs(9));
        assert_eq!(moving.now(), BTreeSet::from([id("cho")]));
        moving.seen(&id("cho"), 0.01);
        clock.advance(Duration::from_secs(9));
        assert_eq!(moving.now(), BTreeSet::from([id("cho")]), "it went on");
        clock.advance(Duration::from_secs(1));
        assert!(moving.now().is_empty());
    }

    #[test]
    fn only_beginnings_wake_whoever_listens() {
        let clock = Arc::new(SimClock::default());
        let moving = Moving::new(clock.clone());
        let mut begins = moving.begins();
        moving.seen(&id("cho"), 0.01);
        assert!(begins.has_changed().unwrap());
        begins.mark_unchanged();
        for _ in 0..20 {
            clock.advance(Duration::from_secs(1));
            moving.seen(&id("cho"), 0.01);
        }
        assert!(!begins.has_changed().unwrap());
        clock.advance(STAYS);
        moving.seen(&id("cho"), 0.01);
        assert!(begins.has_changed().unwrap());
    }
}
