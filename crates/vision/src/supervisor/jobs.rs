//! Stills somebody waits for.
//!
//! Belongs here: which answer belongs to whom, and giving up in time. Does not belong here: which worker makes one (`engine`).

use super::Job;
use crate::{
    keeper::WorkerId,
    protocol::{StillDone, StillError},
    still::{self, Still},
};
use domain::MonoTime;
use std::{collections::BTreeMap, fs::File, time::Duration};
use tokio::sync::oneshot;

/// The worker gives up after this.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// The core gives up on the worker this much later.
const GRACE: Duration = Duration::from_secs(1);
/// Stills that may be on their way at a time.
const PENDING_MAX: usize = 64;

/// All stills on their way.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    last: u64,
    pending: BTreeMap<u64, Pending>,
}

#[derive(Debug)]
struct Pending {
    worker: WorkerId,
    room: File,
    samples: bool,
    expires: MonoTime,
    answer: oneshot::Sender<Result<Still, StillError>>,
}

impl Jobs {
    /// Whether one more may be begun.
    pub(super) fn has_room(&self) -> bool {
        self.pending.len() < PENDING_MAX
    }

    /// The number of the next job.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// A job is with a worker.
    pub(super) fn begun(&mut self, now: MonoTime, number: u64, worker: WorkerId, room: File, job: Job) {
        let samples = matches!(job.what, super::JobSource::Samples { .. });
        let pending = Pending { worker, room, samples, expires: now.plus(DEADLINE + GRACE), answer: job.answer };
        self.pending.insert(number, pending);
    }

    /// A worker's answer. `Err` when it cannot be one.
    pub(super) fn answered(&mut self, worker: WorkerId, number: u64, outcome: Result<StillDone, StillError>) -> Result<(), &'static str> {
        if number > self.last || self.pending.get(&number).is_some_and(|p| p.worker != worker) {
            return Err("it answers for a still nobody asked it for");
        }
        // Else it comes after the core gave up.
        let Some(pending) = self.pending.remove(&number) else { return Ok(()) };
        let result = outcome.and_then(|done| still::collect(&pending.room, done).ok_or(StillError::Crashed));
        let nonsense = outcome.is_ok() && result.is_err();
        // Nobody may wait any more: that is their right.
        let _ = pending.answer.send(result);
        if nonsense { Err("what it wrote is no picture") } else { Ok(()) }
    }

    /// A worker is gone. If it was at work on samples, the oldest job with samples was its undoing: that must not be asked
    /// for again, or it would end one worker after the other.
    pub(super) fn gone(&mut self, worker: WorkerId, at_samples: bool) {
        let lost: Vec<u64> = self.pending.iter().filter(|(_, p)| p.worker == worker).map(|(n, _)| *n).collect();
        let mut culprit = at_samples;
        for number in lost {
            let Some(pending) = self.pending.remove(&number) else { continue };
            let guilty = pending.samples && std::mem::take(&mut culprit);
            let _ = pending.answer.send(Err(if guilty { StillError::Undecodable } else { StillError::Crashed }));
        }
    }

    /// Gives up what took too long, and what nobody waits for.
    pub(super) fn expire(&mut self, now: MonoTime) {
        let late: Vec<u64> = self.pending.iter().filter(|(_, p)| p.expires <= now || p.answer.is_closed()).map(|(n, _)| *n).collect();
        for pending in late.into_iter().filter_map(|number| self.pending.remove(&number)) {
            let _ = pending.answer.send(Err(StillError::Busy));
        }
    }
}
