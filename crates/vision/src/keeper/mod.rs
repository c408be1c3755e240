//! When to start, end and restart workers, and which stream goes to which: a state machine without I/O.
//!
//! Time goes in with every call, what is to be done comes out of [`Keeper::next`]. One *main* worker has all streams.
//! When it ends unasked, streams at which it was at work are *suspects*: each goes to a *quarantine* worker of its own, so
//! that the culprit cannot take the others along again. One that behaves there is let back; one that ends its worker again
//! waits longer each time.
//!
//! Belongs here: decisions. Does not belong here: processes, sockets, clocks, memory cells.

mod quarantine;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use words::{Action, Event, Role, Timing, Why, WorkerId};

use domain::MonoTime;
use quarantine::Inmate;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Main workers that end so many times without a healthy while in between: it is not bad luck.
const FAILING: u32 = 5;

/// The state machine.
#[derive(Debug)]
pub(crate) struct Keeper {
    timing: Timing,
    lanes: Vec<Lane>,
    workers: BTreeMap<WorkerId, Worker>,
    main: Option<WorkerId>,
    /// When there is no main worker: start the next one then.
    restart_at: MonoTime,
    /// Ends of main workers without a healthy while in between.
    failures: u32,
    inmates: BTreeMap<u32, Inmate>,
    last_id: u64,
    actions: VecDeque<Action>,
}

/// One stream.
#[derive(Clone, Debug, Default)]
struct Lane {
    wanted: bool,
    open: Option<WorkerId>,
    /// The worker it was given to last, even if that has let it go: a dying worker's sockets close one by one.
    last: Option<WorkerId>,
    reopen_at: Option<MonoTime>,
    /// How often a main worker ended while at work on it; halved after a healthy while. The culprit of several ends was
    /// noted at all of them, bystanders were not.
    score: u32,
    arrests: u32,
    released: Option<MonoTime>,
}

#[derive(Clone, Debug)]
struct Worker {
    role: Role,
    phase: Phase,
    since: MonoTime,
    pings: u64,
    ping_at: MonoTime,
    pong_due: Option<MonoTime>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Ready {
        sees: bool,
    },
    /// Ended by us, not gone yet.
    Dying {
        why: Why,
        blamed: Vec<u32>,
    },
}

/// How the main worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    Starting,
    Ready,
    Restarting,
    Failing,
}

impl Keeper {
    /// One lane a stream: whether it is wanted at all.
    pub(crate) fn new(timing: Timing, wanted: impl IntoIterator<Item = bool>, now: MonoTime) -> Self {
        let lanes = wanted.into_iter().map(|wanted| Lane { wanted, ..Lane::default() }).collect();
        Self {
            timing,
            lanes,
            workers: BTreeMap::new(),
            main: None,
            restart_at: now,
            failures: 0,
            inmates: BTreeMap::new(),
            last_id: 0,
            actions: VecDeque::new(),
        }
    }

    /// The next thing to be done.
    pub(crate) fn next(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Takes in what happened.
    pub(crate) fn handle(&mut self, now: MonoTime, event: Event) {
        match event {
            Event::NotLaunched(worker) => self.gone(now, worker, Vec::new()),
            Event::Exited { worker, noted } => self.gone(now, worker, noted),
            Event::Ready { worker, sees } => self.ready(now, worker, sees),
            Event::Pong { worker, number } => {
                if let Some(w) = self.workers.get_mut(&worker).filter(|w| w.pings == number) {
                    w.pong_due = None;
                }
            }
            Event::Misbehaved { worker, why, streams } => self.kill(worker, why, streams),
            Event::Dropped { worker, stream } => {
                let reopen_at = now.plus(self.timing.reopen);
                if let Some(lane) = self.lane(stream).filter(|l| l.open == Some(worker)) {
                    (lane.open, lane.reopen_at) = (None, Some(reopen_at));
                    self.actions.push_back(Action::Close { worker, stream });
                }
            }
            Event::Over { stream } => self.over(stream),
        }
        self.tick(now);
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, now: MonoTime) {
        if self.main.is_none() && self.restart_at <= now {
            self.main = Some(self.launch(now, Role::Main));
        }
        self.watch(now);
        self.visit_quarantine(now);
        for stream in 0..self.lanes.len() as u32 {
            if self.lane(stream).is_some_and(|l| l.reopen_at.is_some_and(|at| at <= now)) {
                self.place(stream);
            }
        }
    }

    /// How the main worker is.
    pub(crate) fn outlook(&self) -> Outlook {
        let ready = self.main.and_then(|id| self.workers.get(&id)).is_some_and(|w| matches!(w.phase, Phase::Ready { .. }));
        match self.failures {
            _ if ready => Outlook::Ready,
            0 => Outlook::Starting,
            n if n < FAILING => Outlook::Restarting,
            _ => Outlook::Failing,
        }
    }

    /// The worker that has a stream now.
    pub(crate) fn open_in(&self, stream: u32) -> Option<WorkerId> {
        self.lanes.get(stream as usize)?.open
    }

    /// The main worker, when it is ready.
    pub(crate) fn main(&self) -> Option<WorkerId> {
        self.main.filter(|_| self.outlook() == Outlook::Ready)
    }

    /// Streams that are suspected, in their order.
    pub(crate) fn quarantined(&self) -> impl Iterator<Item = u32> {
        self.inmates.keys().copied()
    }

    fn lane(&mut self, stream: u32) -> Option<&mut Lane> {
        self.lanes.get_mut(stream as usize)
    }

    fn launch(&mut self, now: MonoTime, role: Role) -> WorkerId {
        self.last_id += 1;
        let worker = WorkerId(self.last_id);
        let state = Worker { role, phase: Phase::Starting, since: now, pings: 0, ping_at: now, pong_due: None };
        self.workers.insert(worker, state);
        self.actions.push_back(Action::Launch { worker, role });
        worker
    }

    fn kill(&mut self, worker: WorkerId, why: Why, blamed: Vec<u32>) {
        let Some(w) = self.workers.get_mut(&worker) else { return };
        if !matches!(w.phase, Phase::Dying { .. }) {
            w.phase = Phase::Dying { why, blamed };
            self.actions.push_back(Action::Kill { worker, why });
        }
    }

    fn ready(&mut self, now: MonoTime, worker: WorkerId, sees: bool) {
        let Some(w) = self.workers.get_mut(&worker).filter(|w| w.phase == Phase::Starting) else { return };
        (w.phase, w.since, w.ping_at) = (Phase::Ready { sees }, now, now.plus(self.timing.ping));
        match w.role {
            Role::Main => (0..self.lanes.len() as u32).for_each(|stream| self.place(stream)),
            Role::Quarantine(stream) => self.place(stream),
        }
    }

    /// Gives a stream to the worker it belongs to, if that is ready and can see.
    fn place(&mut self, stream: u32) {
        let worker = match self.inmates.get(&stream) {
            Some(inmate) => inmate.worker,
            None => self.main,
        };
        let Some(worker) = worker.filter(|id| self.workers.get(id).is_some_and(|w| w.phase == Phase::Ready { sees: true })) else { return };
        let Some(lane) = self.lane(stream).filter(|l| l.wanted && l.open.is_none()) else { return };
        let fresh = lane.last.replace(worker).is_some();
        (lane.open, lane.reopen_at) = (Some(worker), None);
        self.actions.push_back(Action::Open { worker, stream, fresh });
    }

    /// Too late for ready, too late for a pong, time for a ping.
    fn watch(&mut self, now: MonoTime) {
        let mut late = Vec::new();
        for (&worker, w) in &mut self.workers {
            match w.phase {
                Phase::Starting if now.since(w.since) >= self.timing.ready => late.push((worker, Why::NotReady)),
                Phase::Ready { .. } if w.pong_due.is_some_and(|due| due <= now) => late.push((worker, Why::NoPong)),
                Phase::Ready { .. } if w.ping_at <= now => {
                    w.ping_at = now.plus(self.timing.ping);
                    // One question at a time: the answer to the first is waited for.
                    if w.pong_due.is_none() {
                        w.pings += 1;
                        w.pong_due = Some(now.plus(self.timing.pong));
                        self.actions.push_back(Action::Ping { worker, number: w.pings });
                    }
                }
                _ => {}
            }
        }
        for (worker, why) in late {
            self.kill(worker, why, Vec::new());
        }
    }

    fn gone(&mut self, now: MonoTime, worker: WorkerId, noted: Vec<u32>) {
        let Some(w) = self.workers.remove(&worker) else { return };
        // Only what it really had can be its undoing: the notes are the worker's word.
        let had: Vec<u32> = (0u32..).zip(&self.lanes).filter(|(_, l)| l.last == Some(worker)).map(|(n, _)| n).collect();
        self.lanes.iter_mut().filter(|l| l.open == Some(worker)).for_each(|l| l.open = None);
        let (why, blamed) = match w.phase {
            Phase::Dying { why, blamed } => (Some(why), blamed),
            _ => (None, Vec::new()),
        };
        // Whose thread hung is known exactly: the others were only at work when their worker was ended.
        let mut suspects = if blamed.is_empty() && why != Some(Why::Hung) { noted } else { blamed };
        suspects.retain(|s| had.contains(s));
        suspects.sort_unstable();
        suspects.dedup();
        match w.role {
            Role::Main => self.main_gone(now, now.since(w.since), &suspects),
            Role::Quarantine(stream) if why.is_none_or(Why::is_fault) => self.crashed_alone(now, stream, worker),
            Role::Quarantine(_) => {}
        }
    }

    fn main_gone(&mut self, now: MonoTime, lived: Duration, suspects: &[u32]) {
        self.main = None;
        if lived >= self.timing.healthy {
            self.failures = 0;
            self.lanes.iter_mut().for_each(|lane| lane.score /= 2);
        }
        self.failures = self.failures.saturating_add(1);
        // At once the first time: whoever kills a healthy worker shall see it back within two seconds.
        self.restart_at = match self.failures {
            1 => now,
            n => now.plus(doubled(self.timing.restart, n - 2, self.timing.restart_max)),
        };
        self.arrest(now, suspects);
    }

    fn over(&mut self, stream: u32) {
        let Some(lane) = self.lane(stream) else { return };
        (lane.wanted, lane.reopen_at) = (false, None);
        let open = lane.open.take();
        match self.inmates.remove(&stream).map(|inmate| inmate.worker) {
            Some(Some(worker)) => self.kill(worker, Why::Over, Vec::new()),
            Some(None) => {}
            None => self.actions.extend(open.map(|worker| Action::Close { worker, stream })),
        }
    }
}

/// `start` doubled `times` times, at most `max`.
fn doubled(start: Duration, times: u32, max: Duration) -> Duration {
    start.saturating_mul(1 << times.min(20)).min(max)
}
