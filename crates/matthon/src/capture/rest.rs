//! Short rests of the capture thread. Thirty cameras send 450 pictures a second, and woken for each the thread spends more on waking up
//! than on the pictures. So while nobody looks at one the moment it comes, it sleeps a little before it waits again, and then takes
//! what all cameras sent meanwhile in one go. The sockets hold that long what comes; recording gathers for longer anyway. Whoever begins to
//! look ends a rest that is under way.
//!
//! Does not belong here: what is done with what came.

use async_trait::async_trait;
use hub::Haste;
use ingest::{Failure, Network, Session, StreamTarget};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// How long the rests are, in turn, milliseconds. Uneven and without a common divisor: a rest as long as the time between a camera's
/// pictures would have each picture wait equally long, and the box's clock would take that for the way from the camera.
const RESTS: [u64; 4] = [97, 139, 109, 127];

/// Decides about each rest.
#[derive(Debug, Default)]
pub(super) struct Rest {
    haste: Haste,
    turn: AtomicUsize,
}

impl Rest {
    pub(super) fn new(haste: Haste) -> Self {
        Self { haste, turn: AtomicUsize::new(0) }
    }

    /// How long to sleep before waiting for the sockets; `None` while somebody is in a hurry.
    fn next(&self) -> Option<Duration> {
        if self.haste.any() {
            return None;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        RESTS.get(turn % RESTS.len()).copied().map(Duration::from_millis)
    }

    /// Called when the thread has nothing left to do.
    pub(super) fn take(&self) {
        if let Some(rest) = self.next() {
            self.haste.rest(rest);
        }
    }
}

/// So long after a session was opened there is no rest either: what comes first tells how long the way from the camera is at least, and pictures
/// that waited here would make it seem longer.
const SETTLES: Duration = Duration::from_secs(5);

/// Opening a session is question and answer, several times: meanwhile there is no rest, or a start would take as many rests longer.
pub(super) struct Hasty {
    pub(super) network: Arc<dyn Network>,
    pub(super) haste: Haste,
}

#[async_trait]
impl Network for Hasty {
    async fn open(&self, target: &StreamTarget) -> Result<Box<dyn Session>, Failure> {
        let hurry = self.haste.hurry();
        let session = self.network.open(target).await?;
        tokio::spawn(async move {
            tokio::time::sleep(SETTLES).await;
            drop(hurry);
        });
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_are_uneven_short_and_none_while_somebody_waits() {
        let haste = Haste::default();
        let rest = Rest::new(haste.clone());
        let taken: Vec<_> = (0..8).filter_map(|_| rest.next()).collect();
        assert_eq!(taken.len(), 8);
        assert!(taken.windows(2).all(|w| w[0] != w[1]));
        assert!(taken.iter().all(|r| *r <= Duration::from_millis(150)));
        let hurry = haste.hurry();
        assert_eq!(rest.next(), None);
        drop(hurry);
        assert!(rest.next().is_some());
    }
}
