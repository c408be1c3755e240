//! The supervisor's loop: reports and time into the keeper, its decisions into the world.
//!
//! Belongs here: carrying decisions out. Does not belong here: making them (`keeper`), one stream's bytes (`feed`).

mod orders;
mod telling;

use super::{
    Config, Eyes, Job, VERSION,
    feed::{self, FeedEnd, Lane},
    hand::{Hand, Report},
    jobs::Jobs,
    meter::Meter,
    notes::Cells,
    plain,
    status::Board,
};
use crate::{
    keeper::{Action, Event, Keeper, Role, Why, WorkerId},
    launcher::{Exit, Launcher, Purpose},
    protocol::{FromWorker, Ready, ToWorker},
};
use domain::{Clock, MonoTime};
use std::{collections::BTreeMap, io, os::fd::AsFd, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// How often time passes for the keeper; its shortest duration is twice as long.
const TICK: Duration = Duration::from_millis(100);
/// How often the notes are read and the status is written.
const LOOK: Duration = Duration::from_secs(1);
/// Workers are killed at the end; more time than this is not worth waiting.
const GOODBYE: Duration = Duration::from_secs(1);

pub(super) struct Engine {
    config: Config,
    launcher: Arc<dyn Launcher>,
    clock: Arc<dyn Clock>,
    lanes: Vec<Arc<Lane>>,
    eyes: Arc<dyn Eyes>,
    board: Arc<Board>,
    keeper: Keeper,
    stalled: Duration,
    hung: Duration,
    hands: BTreeMap<WorkerId, Hand>,
    reports: (mpsc::Sender<Report>, mpsc::Receiver<Report>),
    jobs: Jobs,
    meter: Meter,
    /// Observations of each lane so far and a second, at the last look.
    paces: Vec<(u64, f32)>,
    looked: MonoTime,
    /// Why the main worker does not detect, in its words.
    trouble: Option<String>,
    /// How the last worker ended, or why none can be started.
    detail: String,
    missing: bool,
    restarts: u64,
}

/// What an engine is made of.
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) launcher: Arc<dyn Launcher>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lanes: Vec<Arc<Lane>>,
    pub(super) eyes: Arc<dyn Eyes>,
    pub(super) board: Arc<Board>,
    pub(super) timing: crate::keeper::Timing,
}

impl Engine {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { config, launcher, clock, lanes, eyes, board, timing } = parts;
        let now = clock.mono();
        // Without a model nothing is looked at, and what is not looked at need not be decoded.
        let wanted: Vec<bool> = lanes.iter().map(|l| l.watched.analyse && config.model.is_some()).collect();
        Self {
            keeper: Keeper::new(timing, wanted, now),
            stalled: timing.stalled,
            hung: timing.hung,
            paces: vec![(0, 0.0); lanes.len()],
            hands: BTreeMap::new(),
            reports: mpsc::channel(256),
            jobs: Jobs::default(),
            meter: Meter::default(),
            looked: now,
            trouble: None,
            detail: String::new(),
            missing: false,
            restarts: 0,
            config,
            launcher,
            clock,
            lanes,
            eyes,
            board,
        }
    }

    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>, stop: CancellationToken) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut news = true;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(report) = self.reports.1.recv() => {
                    news = true;
                    self.report(report);
                }
                Some(job) = jobs.recv() => self.begin(job),
                _ = tick.tick() => news |= self.time_passes(),
            }
            while let Some(action) = self.keeper.next() {
                news = true;
                self.carry_out(action);
            }
            if std::mem::take(&mut news) {
                self.tell();
            }
        }
        self.goodbye().await;
    }

    fn now(&self) -> MonoTime {
        self.clock.mono()
    }

    fn event(&mut self, event: Event) {
        self.keeper.handle(self.clock.mono(), event);
    }

    /// Tells whether the status is due.
    fn time_passes(&mut self) -> bool {
        let now = self.now();
        self.keeper.tick(now);
        let passed = now.since(self.looked);
        let due = passed >= LOOK;
        if due {
            self.looked = now;
            self.jobs.expire(now);
            self.read_notes(now);
            self.pace(passed);
        }
        due
    }

    fn read_notes(&mut self, now: MonoTime) {
        let mut events = Vec::new();
        for (&worker, hand) in self.hands.iter_mut().filter(|(_, h)| h.ready) {
            if let Some(hung) = hand.watch.look(now, &Cells::read(&hand.notes), self.hung) {
                events.push(Event::Misbehaved { worker, why: Why::Hung, streams: hung.streams });
            }
        }
        events.into_iter().for_each(|e| self.event(e));
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Said { worker, message } => self.said(worker, message),
            Report::Silent { worker, nonsense } => {
                if let Some(what) = nonsense {
                    self.nonsense(worker, Vec::new(), &what);
                }
                // It closed its only ear: whether it is gone or not, it is of no use.
                if let Some(hand) = self.hands.get_mut(&worker) {
                    hand.end(worker, self.reports.0.clone());
                }
            }
            Report::Exited { worker, exit } => self.exited(worker, exit),
            Report::Fed { worker, stream, end } => {
                if let Some(hand) = self.hands.get_mut(&worker) {
                    hand.feeds.remove(&stream);
                }
                match end {
                    FeedEnd::Dropped => self.event(Event::Dropped { worker, stream }),
                    FeedEnd::Over => self.event(Event::Over { stream }),
                    FeedEnd::Nonsense(what) => self.nonsense(worker, vec![stream], &what),
                    FeedEnd::Stalled => self.event(Event::Misbehaved { worker, why: Why::Stalled, streams: vec![stream] }),
                }
            }
        }
    }

    fn nonsense(&mut self, worker: WorkerId, streams: Vec<u32>, what: &str) {
        if let Some(hand) = self.hands.get(&worker) {
            tracing::error!(worker = %hand.purpose, pid = hand.pid, streams = %self.names(&streams), what = plain(what), "the worker does not keep to the protocol");
        }
        self.event(Event::Misbehaved { worker, why: Why::Nonsense, streams });
    }

    fn said(&mut self, worker: WorkerId, message: FromWorker) {
        let Some(hand) = self.hands.get_mut(&worker) else { return };
        match message {
            FromWorker::Ready(_) if hand.ready => self.nonsense(worker, Vec::new(), "it is ready twice"),
            FromWorker::Ready(ready) => {
                hand.ready = true;
                self.ready(worker, &ready);
            }
            FromWorker::Still { job, outcome } => {
                if let Err(what) = self.jobs.answered(worker, job, outcome) {
                    self.nonsense(worker, Vec::new(), what);
                }
            }
            FromWorker::Counts(counts) => self.meter.take(&mut hand.counts, counts),
            FromWorker::Pong(number) => self.event(Event::Pong { worker, number }),
        }
    }

    fn ready(&mut self, worker: WorkerId, ready: &Ready) {
        let Some(hand) = self.hands.get(&worker) else { return };
        tracing::info!(worker = %hand.purpose, pid = hand.pid, runtime = ?ready.runtime, trouble = ?ready.trouble, sandbox = ?ready.sandbox, "worker ready");
        if ready.version != VERSION {
            return self.event(Event::Misbehaved { worker, why: Why::Stranger, streams: Vec::new() });
        }
        let sees = self.config.model.is_some() && ready.trouble.is_none();
        if hand.role == Role::Main {
            self.trouble = ready.trouble.as_deref().map(plain);
            let runtime = ready.runtime.as_deref().map(plain);
            self.board.update(|s| (s.runtime, s.sandbox) = (runtime, Some(ready.sandbox)));
        }
        self.event(Event::Ready { worker, sees });
    }

    fn exited(&mut self, worker: WorkerId, exit: Exit) {
        let Some(hand) = self.hands.remove(&worker) else { return };
        let cells = Cells::read(&hand.notes);
        let noted: Vec<u32> = cells.streams().into_iter().filter(|s| (*s as usize) < self.lanes.len()).collect();
        self.jobs.gone(worker, cells.still());
        if hand.killed.is_none_or(Why::is_fault) {
            let reason = hand.killed.map_or(exit.key(), Why::key);
            metrics::counter!("matthon_worker_restarts_total", "reason" => reason).increment(1);
            self.restarts += 1;
            let how = hand.killed.map_or_else(|| exit.to_string(), |why| why.to_string());
            let at = if noted.is_empty() { String::new() } else { format!(" while at work on {}", self.names(&noted)) };
            tracing::warn!(worker = %hand.purpose, pid = hand.pid, reason, exit = %exit, at_work_on = self.names(&noted), "a worker ended");
            self.detail = format!("the worker ({}) {how}{at}", hand.purpose);
        }
        self.event(Event::Exited { worker, noted });
    }

    fn carry_out(&mut self, action: Action) {
        let result = match action {
            Action::Launch { worker, role } => return self.launch(worker, role),
            Action::Kill { worker, why } => return self.kill(worker, why),
            Action::Open { worker, stream, fresh } => self.open(worker, stream, fresh),
            Action::Close { worker, stream } => {
                let Some(hand) = self.hands.get_mut(&worker) else { return };
                hand.feeds.remove(&stream);
                hand.say(&ToWorker::Close { stream }, &[]).map_err(|e| (worker, e))
            }
            Action::Ping { worker, number } => {
                let Some(hand) = self.hands.get(&worker) else { return };
                hand.say(&ToWorker::Ping(number), &[]).map_err(|e| (worker, e))
            }
        };
        match (result, action) {
            (Ok(()), _) => {}
            (Err((worker, e)), _) if e.kind() == io::ErrorKind::WouldBlock => {
                self.event(Event::Misbehaved { worker, why: Why::Deaf, streams: Vec::new() });
            }
            // No descriptors left, or the worker is gone, which its socket's end tells: either way it is tried again.
            (Err((worker, e)), Action::Open { stream, .. }) => {
                tracing::warn!(stream = self.names(&[stream]), error = %e, "a stream cannot be given to its worker yet");
                self.event(Event::Dropped { worker, stream });
            }
            (Err(_), _) => {}
        }
    }

    fn launch(&mut self, worker: WorkerId, role: Role) {
        let purpose = match role {
            Role::Main => Purpose::Main,
            Role::Quarantine(stream) => Purpose::Quarantine(self.names(&[stream])),
        };
        match Hand::start(worker, role, purpose, &self.config, self.launcher.as_ref(), self.reports.0.clone()) {
            Ok(hand) => {
                if role == Role::Main {
                    self.missing = false;
                }
                tracing::info!(worker = %hand.purpose, pid = hand.pid, "worker started");
                self.hands.insert(worker, hand);
            }
            Err(e) => {
                let told = e.to_string();
                if self.detail != told {
                    tracing::error!(error = told, "no worker");
                }
                metrics::counter!("matthon_worker_restarts_total", "reason" => "not-started").increment(1);
                self.missing = e.kind() == io::ErrorKind::NotFound;
                self.detail = told;
                self.event(Event::NotLaunched(worker));
            }
        }
    }

    fn kill(&mut self, worker: WorkerId, why: Why) {
        let Some(hand) = self.hands.get_mut(&worker) else { return };
        tracing::info!(worker = %hand.purpose, pid = hand.pid, reason = why.key(), "worker is ended");
        hand.killed = Some(why);
        hand.end(worker, self.reports.0.clone());
    }

    fn open(&mut self, worker: WorkerId, stream: u32, fresh: bool) -> Result<(), (WorkerId, io::Error)> {
        let (Some(lane), Some(hand)) = (self.lanes.get(stream as usize), self.hands.get_mut(&worker)) else { return Ok(()) };
        let (ours, theirs) = feed::sockets().map_err(|e| (worker, e))?;
        let open = ToWorker::Open { stream, name: lane.watched.name.clone(), fps: self.config.fps as f32 };
        hand.say(&open, &[theirs.as_fd()]).map_err(|e| (worker, e))?;
        let feed = feed::run(lane.clone(), ours, fresh, self.stalled, self.eyes.clone());
        let reports = self.reports.0.clone();
        let task = tokio::spawn(async move {
            let end = feed.await;
            // The engine may have stopped.
            let _ = reports.send(Report::Fed { worker, stream, end }).await;
        });
        hand.feeds.insert(stream, AbortOnDropHandle::new(task));
        Ok(())
    }

    fn names(&self, streams: &[u32]) -> String {
        let names: Vec<_> = streams.iter().filter_map(|s| self.lanes.get(*s as usize)).map(|l| l.watched.name.as_str()).collect();
        names.join(", ")
    }

    /// Ends all workers and waits a moment for their ends.
    async fn goodbye(&mut self) {
        for (&worker, hand) in &mut self.hands {
            hand.feeds.clear();
            hand.end(worker, self.reports.0.clone());
        }
        let until = Instant::now() + GOODBYE;
        while !self.hands.is_empty() {
            match timeout_at(until, self.reports.1.recv()).await {
                Ok(Some(Report::Exited { worker, .. })) => drop(self.hands.remove(&worker)),
                Ok(Some(_)) => {}
                _ => return tracing::warn!(workers = self.hands.len(), "workers do not end"),
            }
        }
    }
}
