//! Suspects: who is arrested, for how long, and when one is let back.

use super::{Action, Keeper, Phase, Role, Why, WorkerId, doubled};
use domain::MonoTime;

/// Most quarantine workers at a time: each costs a process with its own decoder and detector.
pub(super) const QUARANTINE_MAX: usize = 4;

/// A suspected stream.
#[derive(Clone, Debug)]
pub(super) struct Inmate {
    /// Its worker, if one is started.
    pub(super) worker: Option<WorkerId>,
    /// When there is none: start one then.
    retry_at: MonoTime,
    /// Crashes in quarantine.
    crashes: u32,
    since: MonoTime,
}

impl Keeper {
    /// Takes suspects out of the main worker's hands. When there are more than fit, those that were suspected most often
    /// come first (the culprit was there each time), then those never arrested before; the rest stay with the others.
    pub(super) fn arrest(&mut self, now: MonoTime, suspects: &[u32]) {
        for &stream in suspects {
            if let Some(lane) = self.lane(stream) {
                lane.score += 1;
            }
        }
        let mut order: Vec<u32> = suspects.to_vec();
        order.sort_by_key(|&s| self.lanes.get(s as usize).map(|l| (std::cmp::Reverse(l.score), l.arrests, s)));
        for stream in order.into_iter().take(QUARANTINE_MAX) {
            if self.inmates.values().filter(|i| i.worker.is_some()).count() >= QUARANTINE_MAX && !self.release_one(now) {
                return;
            }
            let forgotten = self.timing.forgotten;
            if let Some(lane) = self.lane(stream) {
                if lane.released.is_some_and(|at| now.since(at) >= forgotten) {
                    lane.arrests = 0;
                }
                lane.arrests += 1;
                lane.reopen_at = None;
            }
            let worker = self.launch(now, Role::Quarantine(stream));
            self.inmates.insert(stream, Inmate { worker: Some(worker), retry_at: now, crashes: 0, since: now });
        }
    }

    /// A crash with nobody else in the worker is proof.
    pub(super) fn crashed_alone(&mut self, now: MonoTime, stream: u32, worker: WorkerId) {
        let timing = self.timing;
        if let Some(inmate) = self.inmates.get_mut(&stream).filter(|i| i.worker == Some(worker)) {
            inmate.retry_at = now.plus(doubled(timing.crash, inmate.crashes, timing.crash_max));
            inmate.crashes = inmate.crashes.saturating_add(1);
            inmate.worker = None;
        }
    }

    /// Next tries, and paroles.
    pub(super) fn visit_quarantine(&mut self, now: MonoTime) {
        let running = self.inmates.values().filter(|i| i.worker.is_some()).count();
        let due: Vec<u32> = self.inmates.iter().filter(|(_, i)| i.worker.is_none() && i.retry_at <= now).map(|(s, _)| *s).collect();
        for stream in due.into_iter().take(QUARANTINE_MAX.saturating_sub(running)) {
            let worker = self.launch(now, Role::Quarantine(stream));
            if let Some(inmate) = self.inmates.get_mut(&stream) {
                (inmate.worker, inmate.since) = (Some(worker), now);
            }
        }
        let served: Vec<u32> = self.inmates.keys().copied().filter(|&stream| self.has_served(now, stream)).collect();
        served.into_iter().for_each(|stream| self.release(now, stream));
    }

    fn has_served(&self, now: MonoTime, stream: u32) -> bool {
        let Some(worker) = self.inmates.get(&stream).and_then(|i| i.worker).and_then(|id| self.workers.get(&id)) else { return false };
        let arrests = self.lanes.get(stream as usize).map_or(1, |l| l.arrests);
        let term = doubled(self.timing.parole, arrests.saturating_sub(1), self.timing.forgotten);
        matches!(worker.phase, Phase::Ready { .. }) && now.since(worker.since) >= term
    }

    /// Lets the longest-held suspect go that did nothing in quarantine; false when all of them did.
    fn release_one(&mut self, now: MonoTime) -> bool {
        let innocent = self.inmates.iter().filter(|(_, i)| i.crashes == 0 && i.worker.is_some() && i.since < now);
        let longest = innocent.min_by_key(|(_, i)| i.since).map(|(stream, _)| *stream);
        longest.map(|stream| self.release(now, stream)).is_some()
    }

    fn release(&mut self, now: MonoTime, stream: u32) {
        let Some(inmate) = self.inmates.remove(&stream) else { return };
        if let Some(worker) = inmate.worker {
            self.kill(worker, Why::Paroled, Vec::new());
            if let Some(lane) = self.lane(stream).filter(|l| l.open == Some(worker)) {
                lane.open = None;
                self.actions.push_back(Action::Close { worker, stream });
            }
        }
        if let Some(lane) = self.lane(stream) {
            (lane.released, lane.score) = (Some(now), 0);
        }
        self.place(stream);
    }
}
