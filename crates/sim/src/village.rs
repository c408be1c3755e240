//! The village itself: boots of the box one after the other, turn by turn of the writer.
//!
//! Belongs here: the order of things. Does not belong here: how a boot begins (`boot`), what befalls it (`power`), what it is held to
//! (`promises`).

mod boot;
mod power;
mod promises;

use crate::{
    Plan, Report, Violation,
    camera::Camera,
    clock::BoxClock,
    dice::Dice,
    fate::{self, Happening},
    ledger::Ledger,
};
use domain::{Clock, MonoTime, SimClock};
use ring::{Ed25519Signer, Fault, ModelDisk, Pace, Reader, RingSpec, Signer, Stepped};
use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// Small, so that the ring goes round every quarter of an hour.
const BLOCK: u64 = 4 << 20;
/// How often everything new in the ring is looked at: well below the time it takes to go round, with one path of two gone too.
const LOOK: Duration = Duration::from_secs(150);
/// A disk that turns.
const TURNING: Pace = Pace { read: Duration::from_millis(10), mib: Duration::from_millis(8), sync: Duration::from_millis(6) };
/// Happenings kept for whoever asks.
const TOLD: usize = 40;

pub(crate) struct Village {
    plan: Plan,
    began: Instant,
    cameras: Vec<Arc<Camera>>,
    connects: Arc<Vec<AtomicU64>>,
    fate: std::iter::Peekable<std::vec::IntoIter<(Duration, Happening)>>,
    dice: Dice,
    disk: ModelDisk,
    disk_time: Arc<SimClock>,
    faults: BTreeMap<usize, Fault>,
    spec: RingSpec,
    signer: Arc<dyn Signer>,
    ledger: Arc<Mutex<Ledger>>,
    report: Report,
    boots: u64,
    /// What the wall clock says beside the truth, and whether it is synchronised.
    wall: (i64, bool),
    /// When the power went, since that boot, if the ring said that all is well.
    well_until: Option<MonoTime>,
    told: VecDeque<String>,
    /// The ring was made smaller once.
    shrunk: bool,
    /// A path did wrong since the last look.
    alone: bool,
    next_look: Instant,
    /// This boot's ring began with all its paths.
    whole: bool,
}

/// One boot of the box.
struct Boot {
    clock: Arc<BoxClock>,
    ring: Stepped,
    reader: Reader,
    tasks: JoinSet<()>,
}

/// How a boot ends.
enum End {
    Cut { off: Duration, wrong: i64, synchronised: bool },
    Restart { blocks: Option<u64> },
    Over,
}

impl Village {
    pub(crate) fn new(plan: Plan) -> Result<Self, Violation> {
        let mut dice = Dice::new(plan.seed, 2);
        let cameras: Option<Vec<_>> = (0..plan.cameras).map(|n| Camera::new(plan.seed, n).map(Arc::new)).collect();
        let cameras = cameras.ok_or_else(|| Violation::new("a camera has no name"))?;
        let paths = vec![PathBuf::from("/one"), PathBuf::from("/two")];
        let mut spec = RingSpec { block_size: BLOCK, ..RingSpec::new("main", paths, dice.between(48, 96) * BLOCK) };
        spec.max_age = dice.once_in(3).then(|| Duration::from_secs(dice.between(600, 3_600)));
        Ok(Self {
            plan,
            began: Instant::now(),
            connects: Arc::new(cameras.iter().map(|_| AtomicU64::new(0)).collect()),
            cameras,
            fate: fate::draw(plan.seed, plan.length).into_iter().peekable(),
            dice,
            disk: ModelDisk::new(),
            disk_time: Arc::new(SimClock::default()),
            faults: BTreeMap::new(),
            spec,
            signer: Arc::new(Ed25519Signer::from_secret(&[7; 32])),
            ledger: Arc::default(),
            report: Report::default(),
            boots: 0,
            wall: (0, true),
            well_until: None,
            told: VecDeque::new(),
            shrunk: false,
            alone: false,
            next_look: Instant::now(),
            whole: true,
        })
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn live(mut self) -> Result<Report, Violation> {
        let lived = self.boots().await;
        let at = self.began.elapsed();
        let told = self.told.iter().map(String::as_str).collect::<Vec<_>>().join("\n  ");
        let hours = at.as_secs_f64() / 3600.0;
        lived.map_err(|v| Violation::new(format!("{} (after {hours:.3} h of the village)\n  {told}", v.what)))?;
        let ledger = self.ledger();
        let mut report = self.report.clone();
        (report.samples, report.dropped) = (ledger.given, ledger.dropped);
        (report.records, report.found, report.trace) = (ledger.records, ledger.found, ledger.trace.0);
        report.raised = ledger.raised;
        Ok(report)
    }

    async fn boots(&mut self) -> Result<(), Violation> {
        // What must be found at the next start.
        let mut promised = MonoTime(0);
        loop {
            let Some(mut boot) = self.boot(promised).await? else { return Ok(()) };
            let (end, after) = self.run(&mut boot).await?;
            boot.tasks.shutdown().await;
            promised = after;
            match end {
                End::Cut { off, wrong, synchronised } => {
                    self.report.cuts += 1;
                    drop(boot);
                    self.wall = (wrong, synchronised);
                    self.pass(off).await;
                }
                End::Restart { blocks } => {
                    self.report.restarts += 1;
                    boot.ring.finish();
                    self.catch_up().await;
                    self.settle(&boot)?;
                    // Everything is in it, or the disk would not take it.
                    promised = if self.faults.is_empty() { MonoTime(u64::MAX) } else { boot.ring.synced_at() };
                    let readable = self.readable();
                    if readable {
                        self.look(&boot.reader, promised)?;
                        promised = MonoTime(0);
                        self.forget();
                    }
                    drop(boot);
                    // What nobody could look at before must not be given back.
                    if let Some(blocks) = blocks.filter(|_| readable && self.faults.is_empty()) {
                        self.shrunk |= blocks * BLOCK < self.spec.size;
                        self.spec.size = blocks * BLOCK;
                    }
                    self.pass(Duration::from_secs(2)).await;
                }
                End::Over => {
                    boot.ring.finish();
                    self.settle(&boot)?;
                    return if self.readable() { self.look(&boot.reader, promised) } else { Ok(()) };
                }
            }
        }
    }

    /// Turns of the writer, until the power goes, the box is restarted, or time is over. Says what must be durable then.
    async fn run(&mut self, boot: &mut Boot) -> Result<(End, MonoTime), Violation> {
        self.next_look = Instant::now() + LOOK;
        loop {
            sleep(boot.ring.period()).await;
            let end = self.befall(&boot.clock);
            let synced = boot.ring.synced_at();
            if let Some(End::Cut { .. }) = end {
                return Ok((end.unwrap_or(End::Over), self.cut(boot, synced)?));
            }
            boot.ring.tick();
            self.catch_up().await;
            if let Some(end) = end {
                return Ok((end, boot.ring.synced_at()));
            }
            if Instant::now() >= self.next_look {
                self.next_look = Instant::now() + LOOK;
                self.inspect(boot)?;
            }
            if self.over() {
                return Ok((End::Over, boot.ring.synced_at()));
            }
        }
    }

    /// The last few things that happened: whoever reads of a broken promise wants to know.
    fn tell(&mut self, what: &str) {
        if self.told.len() >= TOLD {
            self.told.pop_front();
        }
        self.told.push_back(format!("{:.3} h: {what}", self.began.elapsed().as_secs_f64() / 3600.0));
    }

    fn readable(&self) -> bool {
        self.whole && !self.faults.values().any(|f| *f == Fault::Gone)
    }

    /// The time the disk took has passed for everybody.
    async fn catch_up(&self) {
        let took = Duration::from_micros(self.disk_time.mono().0);
        self.disk_time.reboot();
        if !took.is_zero() {
            sleep(took).await;
        }
    }

    fn over(&self) -> bool {
        self.began.elapsed() >= self.plan.length
    }
}
