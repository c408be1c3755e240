//! Stills: which worker makes one, and handing the job over.

use super::{
    super::{Job, JobSource, jobs::DEADLINE},
    Engine,
};
use crate::{
    keeper::WorkerId,
    memory,
    protocol::{StillError, StillSource, ToWorker},
    still,
};
use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

impl Engine {
    pub(super) fn begin(&mut self, job: Job) {
        if let Err((job, error)) = self.try_begin(job) {
            // Nobody may wait any more.
            let _ = job.answer.send(Err(error));
        }
    }

    /// Gives a job to a worker; or back, with the reason.
    fn try_begin(&mut self, job: Job) -> Result<(), (Job, StillError)> {
        let (worker, source, samples) = match self.still_source(&job.what) {
            Ok(found) if self.jobs.has_room() => found,
            Ok(_) => return Err((job, StillError::Busy)),
            Err(e) => return Err((job, e)),
        };
        let Some(hand) = self.hands.get(&worker) else { return Err((job, StillError::NoWorker)) };
        let room = match still::room() {
            Ok(room) => room,
            Err(e) => {
                tracing::warn!(error = %e, "no memory for a still");
                return Err((job, StillError::Busy));
            }
        };
        let number = self.jobs.number();
        let deadline_ms = u32::try_from(DEADLINE.as_millis()).unwrap_or(u32::MAX);
        let ask = ToWorker::Still { job: number, source, max_width: job.max_width, masks: job.masks.clone(), deadline_ms };
        let descriptors: Vec<_> = std::iter::once(room.as_fd()).chain(samples.as_ref().map(AsFd::as_fd)).collect();
        match hand.say(&ask, &descriptors) {
            Ok(()) => {
                self.jobs.begun(self.clock.mono(), number, worker, room, job);
                Ok(())
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err((job, StillError::Busy)),
            Err(_) => Err((job, StillError::Crashed)),
        }
    }

    fn still_source(&self, what: &JobSource) -> Result<(WorkerId, StillSource, Option<OwnedFd>), StillError> {
        match what {
            JobSource::Samples { file, pts } => {
                let worker = self.keeper.main().ok_or(StillError::NoWorker)?;
                // Read-only and at its beginning, whatever was written through the other descriptor.
                let samples = memory::reopen(file).map_err(|_| StillError::Busy)?;
                Ok((worker, StillSource::Samples { pts: *pts }, Some(samples)))
            }
            JobSource::Recent { camera, capture } => {
                let lane = (0u32..).zip(&self.lanes).find(|(_, l)| l.watched.camera == *camera);
                let (stream, _) = lane.ok_or(StillError::Gone)?;
                let worker = self.keeper.open_in(stream).ok_or(StillError::Gone)?;
                Ok((worker, StillSource::Recent { stream, capture: *capture }, None))
            }
        }
    }
}
