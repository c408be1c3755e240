//! The village itself: boots of the box one after the other, with what befalls it between turns of the writer.

use crate::{
    Plan, Report, Violation,
    camera::Camera,
    clock::{BoxClock, WriterClock},
    dice::Dice,
    fate::{self, Happening},
    ledger::Ledger,
    viewer,
};
use domain::{Board, Clock, MonoTime, Sample, SimClock, StreamKind, WallTime};
use hub::Fanout;
use ingest::{HostGate, Ingest, SimNetwork, Sink};
use ring::{
    Disk, Ed25519Signer, Fault, Inlet, ModelDisk, Pace, PathState, Reader, RingSpec, RingState, RingStatus, Signer, Stepped, inspect,
};
use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// Small, so that the ring goes round every quarter of an hour.
const BLOCK: u64 = 4 << 20;
/// How often everything new in the ring is looked at: well below the time it takes to go round, with one path of two gone too.
const LOOK: Duration = Duration::from_secs(150);
/// A disk that turns.
const TURNING: Pace = Pace { read: Duration::from_millis(10), mib: Duration::from_millis(8), sync: Duration::from_millis(6) };
/// Longest start of a ring, and most that a cut may cost: promised.
const OPENING: u64 = 2_000_000;
const LOST: u64 = 1_000_000;
/// Where a cut forgets more than a second because the disk hung, the ring knows only afterwards.
const HANGS: Duration = Duration::from_millis(100);
/// From then on memory is flat: within this, KiB (a backlog while a disk is gone; what the allocator does not give back).
const SETTLED: Duration = Duration::from_secs(3_600);
const GROWTH: u64 = 128 << 10;
/// Happenings kept for whoever asks.
const TOLD: usize = 40;
/// Most the ring may hold that is not durable: its own bound.
const IN_FLIGHT: u64 = 64 << 20;

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

/// Where samples of one camera go.
struct Outlet {
    video: Fanout<Sample>,
    audio: Fanout<Sample>,
    inlet: Inlet,
    clock: Arc<BoxClock>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Sink for Outlet {
    fn sample(&self, sample: Sample) {
        let at = self.clock.mono();
        let kept = self.inlet.push(&sample, at);
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).given(&sample, at, kept);
        let fan = if sample.stream.kind == StreamKind::Video { &self.video } else { &self.audio };
        fan.publish(sample);
    }
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
                    if let Some(blocks) = blocks.filter(|_| self.faults.is_empty()) {
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

    /// Opens the ring, as often as it takes, looks for what was promised, and lets the cameras come. `None`: time is over.
    async fn boot(&mut self, promised: MonoTime) -> Result<Option<Boot>, Violation> {
        self.boots += 1;
        let clock = Arc::new(BoxClock::new(self.began, self.boots, self.wall.0, self.wall.1));
        let ring = loop {
            self.furnish();
            let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
            let writer = Arc::new(WriterClock { clock: clock.clone(), disk: self.disk_time.clone() });
            match Stepped::open(self.spec.clone(), disk, writer, self.signer.clone()) {
                Ok(ring) => break ring,
                Err(error) if self.faults.is_empty() => return Err(Violation::new(format!("the ring does not open: {error}"))),
                Err(_) => {
                    self.report.refused += 1;
                    self.catch_up().await;
                    sleep(Duration::from_secs(5)).await;
                    if self.over() {
                        return Ok(None);
                    }
                    self.befall(&clock);
                }
            }
        };
        if self.faults.is_empty() {
            let took = self.disk_time.mono().0;
            self.report.opening = self.report.opening.max(took);
            if took > OPENING {
                return Err(Violation::new(format!("the ring was open after {} ms only, with {} reads", took / 1000, self.disk.reads())));
            }
        }
        self.tell(&format!("boot {}: {} blocks, wall {:?}", self.boots, self.spec.blocks(), self.wall));
        self.catch_up().await;
        let reader = ring.reader();
        self.disk.pace(Pace::default());
        ring.learn();
        // With a path gone what lies there is looked for when it is back.
        self.whole = is_whole(&ring.status());
        if self.readable() {
            self.look(&reader, promised)?;
            self.forget();
        } else {
            self.well_until = None;
            self.ledger().carry(promised);
        }
        self.furnish();
        let mut boot = Boot { clock, ring, reader, tasks: JoinSet::new() };
        self.connect(&mut boot);
        Ok(Some(boot))
    }

    fn connect(&self, boot: &mut Boot) {
        let (connects, cameras, began) = (self.connects.clone(), self.cameras.clone(), self.began);
        let network = Arc::new(SimNetwork::directed(move |target| {
            let found = cameras.iter().zip(connects.iter()).find(|(c, _)| c.id == target.camera);
            match found {
                Some((camera, count)) => camera.attempt(count.fetch_add(1, Ordering::Relaxed), began, began.elapsed()),
                None => ingest::sim::Attempt::Hang,
            }
        }));
        let (gate, board) = (Arc::new(HostGate::default()), Arc::new(Board::default()));
        for camera in &self.cameras {
            let Some(target) = camera.target() else { continue };
            let outlet = Outlet {
                video: Fanout::new(camera.id.as_str()),
                audio: Fanout::new(camera.id.as_str()),
                inlet: boot.ring.inlet(),
                clock: boot.clock.clone(),
                ledger: self.ledger.clone(),
            };
            if camera.number.is_multiple_of(5) {
                let pause = Duration::from_millis(700 * (1 + u64::from(camera.number)));
                boot.tasks.spawn(viewer::watch(outlet.video.clone(), pause, self.ledger.clone()));
            }
            let ingest = Ingest {
                network: network.clone(),
                clock: boot.clock.clone(),
                gate: gate.clone(),
                board: board.clone(),
                limits: ingest::Limits { max_access_unit: self.spec.max_access_unit() },
                sink: Arc::new(outlet),
            };
            boot.tasks.spawn(ingest.run(target, CancellationToken::new()));
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

    /// Cuts the power somewhere within the writer's next turn. Says what must have survived.
    fn cut(&mut self, boot: &mut Boot, synced: MonoTime) -> Result<MonoTime, Violation> {
        let well = boot.ring.status().state == RingState::Ok && !self.faults.values().any(|f| !matches!(f, Fault::Slow(d) if *d <= HANGS));
        self.disk.watch();
        boot.ring.tick();
        let mut history = self.disk.take_history();
        let (disk, within) = match usize::try_from(self.dice.below(history.len() as u64 + 1)) {
            Ok(n) if n < history.len() => {
                let disk = history.swap_remove(n);
                let within = disk.taken();
                (disk, within.0)
            }
            _ => (self.disk.clone(), self.disk_time.mono().0),
        };
        let now = MonoTime(boot.clock.mono().0 + within);
        let (way, keep, seed) = (self.dice.below(5), self.dice.below(100), self.dice.roll());
        let mut chance = Dice::new(seed, 3);
        self.disk = disk.cut_sectors(|write, at| match way {
            0 => false,
            1 => true,
            2 => Dice::new(seed, write as u64).once_in(2),
            3 => chance.below(100) < keep,
            _ => Dice::new(seed, (write as u64) << 40 ^ (at / 4096)).below(100) < keep,
        });
        if self.plan.lying_disk {
            self.disk = ModelDisk::new();
        }
        self.disk_time.reboot();
        self.tell(&format!(
            "the power goes within a turn of the writer, way {way}; all was well: {well}; durable: all before {synced:?} of {now:?}"
        ));
        // What it says of itself is its promise: all is well means at most a second is lost.
        let second = if well { now.0.saturating_sub(LOST) } else { 0 };
        let mut ledger = self.ledger();
        ledger.trace.number(now.0);
        drop(ledger);
        self.well_until = well.then_some(now);
        Ok(MonoTime(synced.0.max(second)))
    }

    /// Everything new in the ring, the list of what is covered, figures.
    fn inspect(&mut self, boot: &Boot) -> Result<(), Violation> {
        let status = boot.ring.status();
        if status.in_flight_bytes > IN_FLIGHT {
            return Err(Violation::new(format!("{} bytes are in flight", status.in_flight_bytes)));
        }
        if status.days_forecast.is_some_and(|days| !days.is_finite() || days <= 0.0) {
            return Err(Violation::new(format!("{:?} days are forecast", status.days_forecast)));
        }
        if self.readable() {
            let synced = boot.ring.synced_at();
            self.look(&boot.reader, synced)?;
            self.same_coverage(boot)?;
        }
        let newest = boot.reader.blocks().map_err(|e| Violation::new(e.to_string()))?.iter().map(|b| b.sequence).max();
        self.report.blocks = newest.unwrap_or(0);
        self.memory()
    }

    /// What all but the model disk takes, is flat: after an hour, in which the ring went round, it grows no more.
    fn memory(&mut self) -> Result<(), Violation> {
        let rss = resident().saturating_sub(self.disk.held() >> 10);
        if self.began.elapsed() < SETTLED {
            self.report.memory = (rss, rss);
        }
        self.report.memory.1 = self.report.memory.1.max(rss);
        if rss > self.report.memory.0 + GROWTH {
            return Err(Violation::new(format!("memory grew from {} to {rss} KiB", self.report.memory.0)));
        }
        Ok(())
    }

    /// The list of what is covered says what the footers say.
    fn same_coverage(&mut self, boot: &Boot) -> Result<(), Violation> {
        let streams = self.ledger().streams();
        let footers = Reader::open(self.spec.clone(), Arc::new(self.disk.fork())).map_err(|e| Violation::new(e.to_string()))?;
        for _ in 0..2 {
            let Some(stream) = streams.get(usize::try_from(self.dice.below(streams.len() as u64)).unwrap_or(0)) else { continue };
            let (from, to) = (WallTime(i64::MIN), WallTime(i64::MAX));
            let said = boot.reader.coverage(stream, from, to).map_err(|e| Violation::new(e.to_string()))?;
            let truth = footers.coverage(stream, from, to).map_err(|e| Violation::new(e.to_string()))?;
            // Within a second: of a batch whose sync was refused, a stranger's look at the open block may find a record more.
            let near = |a: WallTime, b: WallTime| a.micros_since(b).abs() <= 1_000_000;
            if said.len() != truth.len() || !said.iter().zip(&truth).all(|(a, b)| near(a.from, b.from) && near(a.to, b.to)) {
                return Err(Violation::new(format!("{stream} is said to be covered {said:?}, and the footers say {truth:?}")));
            }
        }
        Ok(())
    }

    /// After an orderly stop: the whole ring, from its blocks alone.
    fn settle(&mut self, boot: &Boot) -> Result<(), Violation> {
        self.disk_time.reboot();
        if !self.faults.is_empty() {
            return Ok(());
        }
        let key = Some(self.signer.public_key());
        let verdict = inspect::verify(boot.reader.spec().clone(), Arc::new(self.disk.fork()), key, |_, _| {});
        let verdict = verdict.map_err(|e| Violation::new(e.to_string()))?;
        self.report.verified += 1;
        // What lay in blocks that a smaller ring gave back, or that went before their turn while the other path refused, is missing,
        // and rightly named.
        let given_back = |what| {
            (self.shrunk || self.report.faults > 0)
                && matches!(what, inspect::What::Missing | inspect::What::BlockGone | inspect::What::Seal)
        };
        match verdict.findings.iter().find(|f| f.what.costs() && !given_back(f.what)) {
            Some(finding) => Err(Violation::new(format!("verify finds {finding:?}"))),
            None => Ok(()),
        }
    }

    fn look(&mut self, reader: &Reader, promised: MonoTime) -> Result<(), Violation> {
        self.disk.pace(Pace::default());
        let alone = std::mem::replace(&mut self.alone, !self.faults.is_empty());
        let looked = self.ledger().look(reader, promised, alone);
        self.disk.pace(TURNING);
        looked?;
        let said = self.ledger().violation.take();
        said.map_or(Ok(()), |what| Err(Violation::new(what)))
    }

    /// What was not found after a cut is gone.
    fn forget(&mut self) {
        let cut = self.well_until.take();
        let lost = self.ledger().forget(cut.unwrap_or(MonoTime(0)));
        self.report.lost = self.report.lost.max(lost);
    }

    /// Lets happen what is due. An end of the boot is given back.
    fn befall(&mut self, clock: &BoxClock) -> Option<End> {
        while let Some((_, happening)) = self.fate.next_if(|(at, _)| *at <= self.began.elapsed()) {
            self.tell(&format!("{happening:?}"));
            let end = match happening {
                Happening::Cut { off, wrong, synchronised } => Some(End::Cut { off, wrong, synchronised }),
                Happening::Restart { blocks } => Some(End::Restart { blocks }),
                Happening::Clock { wrong, synchronised } => {
                    self.report.steps += 1;
                    self.wall = (wrong, synchronised);
                    clock.set(wrong, synchronised);
                    None
                }
                Happening::Disk { path, fault } => {
                    self.report.faults += u64::from(fault.is_some());
                    self.alone = true;
                    match fault {
                        Some(fault) => self.faults.insert(path, fault),
                        None => self.faults.remove(&path),
                    };
                    // What is there again is looked at before it is overwritten.
                    self.next_look = Instant::now();
                    self.furnish();
                    None
                }
            };
            if end.is_some() {
                return end;
            }
        }
        None
    }

    /// The last few things that happened: whoever reads of a broken promise wants to know.
    fn tell(&mut self, what: &str) {
        if self.told.len() >= TOLD {
            self.told.pop_front();
        }
        self.told.push_back(format!("{:.3} h: {what}", self.began.elapsed().as_secs_f64() / 3600.0));
    }

    /// Time and faults of the disk, which a cut made anew.
    fn furnish(&self) {
        self.disk.drive(self.disk_time.clone());
        self.disk.pace(TURNING);
        self.disk.heal();
        for (path, fault) in &self.faults {
            if let Some(dir) = self.spec.paths.get(*path) {
                self.disk.fail(dir, *fault);
            }
        }
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

    /// Time without the box: what befalls the disk and the clock meanwhile is seen when it is back.
    async fn pass(&mut self, time: Duration) {
        sleep(time).await;
    }

    fn over(&self) -> bool {
        self.began.elapsed() >= self.plan.length
    }
}

/// Whether no path was left out by the start.
fn is_whole(status: &RingStatus) -> bool {
    status.paths.iter().all(|p| p.state == PathState::Ok)
}

/// Resident memory of this process, KiB.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4
}
