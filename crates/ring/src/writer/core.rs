//! The writer without its thread: `tick` is called with time passed, samples wait in the intake, the disk is a trait.
//! So a test can live through years of it and cut the power anywhere.

use super::{
    backoff::Backoff,
    builder::{Built, Circumstances, Fate, Head, Stream},
    mend::{self, Inbox, Mends},
    release::Release,
    report::Figures,
};
use crate::{
    catalog::Catalog,
    disk::DiskFile,
    intake::Intake,
    sign::Signer,
    status::{RingState, RingStatus},
    table::BlockTable,
};
use domain::{Clock, ClockTrust, MonoTime, StreamId, WallTime};
use metrics::counter;
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long batches are gathered at most.
const GATHER: Duration = Duration::from_millis(250);
/// Shortest pause after every path refused in one turn; the longest is eight times that.
const RETRY: Duration = Duration::from_secs(1);

/// The block being written.
pub(crate) struct OpenBlock {
    pub(crate) slot: usize,
    pub(super) sequence: u64,
    pub(super) file: Arc<dyn DiskFile>,
    /// Where the next batch goes.
    pub(crate) at: u64,
    pub(super) batches: u32,
    pub(super) table: Arc<BlockTable>,
}

/// A block that waits for its footer, with the chain heads as they were at its end.
pub(crate) struct Unsealed {
    pub(super) slot: usize,
    pub(super) sequence: u64,
    pub(super) data_end: u64,
    pub(super) batches: u32,
    pub(super) table: Arc<BlockTable>,
    pub(super) heads: BTreeMap<Arc<StreamId>, Head>,
    pub(super) flags: u32,
    pub(super) tries: u32,
    pub(super) retry: Backoff,
}

pub(crate) struct Core {
    pub(super) catalog: Arc<Catalog>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) signer: Arc<dyn Signer>,
    pub(super) intake: Arc<Intake>,
    pub(super) ring: [u8; 16],
    /// Every stream the ring remembers, as durable on disk: what a seal may say.
    pub(super) heads: BTreeMap<Arc<StreamId>, Head>,
    streams: BTreeMap<Arc<StreamId>, Stream>,
    /// Closed and not yet durable, oldest first.
    pub(super) ready: VecDeque<Built>,
    pub(crate) open: Option<OpenBlock>,
    pub(crate) unsealed: VecDeque<Unsealed>,
    /// Highest sequence ever given.
    pub(crate) sequence: u64,
    pub(super) last_seal: [u8; 32],
    /// Paths that refused, until one of their blocks takes a batch again.
    pub(super) refused: BTreeMap<usize, Backoff>,
    /// Refusals since the last success.
    pub(super) refusals: usize,
    retry_at: Option<MonoTime>,
    /// Paths that would not erase.
    pub(super) unerased: BTreeMap<usize, Backoff>,
    /// Nothing expires before then.
    pub(super) expire_at: MonoTime,
    /// Blocks left over from a larger ring.
    pub(super) release: Release,
    /// A footer with the chain heads of this run is on the disk.
    pub(super) sealed_by_this_run: bool,
    pub(super) trust: ClockTrust,
    pub(super) recount: bool,
    /// The wall's time, while it is to be trusted.
    pub(super) trusted: Option<WallTime>,
    pub(super) figures: Figures,
    pub(super) status: Arc<Mutex<RingStatus>>,
    /// What others ask for, and where they ask.
    pub(super) inbox: Inbox,
    mends: Mends,
    /// Everything received before then is durable, since boot: true also while the thread hangs in the disk.
    synced_at: Arc<AtomicU64>,
}

/// What the start found.
pub(crate) struct Found {
    pub(crate) ring: [u8; 16],
    pub(crate) heads: BTreeMap<Arc<StreamId>, Head>,
    pub(crate) unsealed: VecDeque<Unsealed>,
    pub(crate) sequence: u64,
    pub(crate) last_seal: [u8; 32],
    pub(crate) trust: ClockTrust,
    /// Block files beyond the ring's size: path and slot, ascending.
    pub(crate) leftover: Vec<usize>,
    /// The index still says that there were more paths.
    pub(crate) recount: bool,
}

impl Core {
    pub(crate) fn new(catalog: Arc<Catalog>, clock: Arc<dyn Clock>, signer: Arc<dyn Signer>, intake: Arc<Intake>, found: Found) -> Self {
        let spec = &catalog.spec;
        let status = RingStatus {
            name: spec.name.clone(),
            size: spec.blocks() as u64 * spec.block_size,
            available: 0,
            blocks: spec.blocks() as u64,
            block_size: spec.block_size,
            used: 0,
            oldest: None,
            newest: None,
            written_bytes: 0,
            write_rate_bps: 0,
            days_forecast: None,
            days_promised: spec.max_age.map(|age| age.as_secs_f64() / 86_400.0),
            last_sync_micros_ago: 0,
            last_sync_took_micros: 0,
            dropped_gops: 0,
            oversized: 0,
            in_flight_bytes: 0,
            errors: 0,
            state: RingState::Ok,
            detail: String::new(),
            paths: catalog.paths.status(),
        };
        let now = clock.mono();
        let (mends, inbox) = mend::channel();
        let mut core = Self {
            inbox,
            mends,
            ring: found.ring,
            heads: found.heads,
            streams: BTreeMap::new(),
            ready: VecDeque::new(),
            open: None,
            unsealed: found.unsealed,
            sequence: found.sequence,
            last_seal: found.last_seal,
            refused: BTreeMap::new(),
            refusals: 0,
            retry_at: None,
            unerased: BTreeMap::new(),
            expire_at: MonoTime(0),
            release: Release::of(found.leftover),
            sealed_by_this_run: false,
            trust: found.trust,
            recount: found.recount,
            trusted: None,
            figures: Figures { last_sync: now, ..Figures::default() },
            status: Arc::new(Mutex::new(status)),
            synced_at: Arc::new(AtomicU64::new(now.0)),
            catalog,
            clock,
            signer,
            intake,
        };
        core.figures.newest = core.catalog.slots().iter().filter(|s| s.records > 0).max_by_key(|s| s.sequence).map(|s| s.to);
        core.report(now);
        core
    }

    pub(crate) fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The ring's own name, in all its files.
    pub(crate) fn ring(&self) -> [u8; 16] {
        self.ring
    }

    pub(crate) fn mends(&self) -> Mends {
        self.mends.clone()
    }

    pub(crate) fn intake(&self) -> &Arc<Intake> {
        &self.intake
    }

    pub(crate) fn synced_at(&self) -> Arc<AtomicU64> {
        self.synced_at.clone()
    }

    pub(crate) fn status(&self) -> Arc<Mutex<RingStatus>> {
        self.status.clone()
    }

    /// Bytes written so far.
    #[cfg(test)]
    pub(crate) fn figures_written(&self) -> u64 {
        self.figures.written
    }

    /// How long the thread may sleep between ticks.
    pub(crate) fn period(&self) -> Duration {
        GATHER.min(self.catalog.spec.sync / 3)
    }

    /// Lets time have passed: takes what came, writes what is due, then does one piece of housekeeping.
    pub(crate) fn tick(&mut self) {
        let now = self.clock.mono();
        self.gather(now, false);
        if self.retry_at.is_none_or(|at| now >= at) {
            self.write(now);
        }
        // Recording comes first: seals and erasing only behind a turn that left nothing waiting.
        if self.ready.is_empty() {
            self.seal_next();
            self.expire();
            self.release_next();
            self.mend_next();
            self.recount();
        }
        let after = self.clock.mono();
        self.report(after);
    }

    /// Writes whatever is there, and seals in order.
    pub(crate) fn finish(&mut self) {
        let now = self.clock.mono();
        self.intake.close();
        self.gather(now, true);
        self.write(now);
        if let Some(open) = self.open.take() {
            self.retire(open, crate::format::footer::SEAL_CLOSED);
        }
        self.seal_all();
        self.save_coverage();
        self.report(self.clock.mono());
    }

    /// Samples into records; records that cannot wait for their next sample are closed without it.
    fn gather(&mut self, now: MonoTime, all: bool) {
        // A clock that claims to be right and has parted from itself is not: what it stamps must not expire by it.
        let synchronised = self.clock.synchronised();
        self.trusted = self.trust.reading(self.clock.wall(), now, synchronised);
        let clock_synchronised = synchronised && !self.trust.is_doubtful();
        let circumstances = Circumstances { boot: self.clock.boot_id(), clock_synchronised };
        let max = self.catalog.spec.max_access_unit();
        let mut out = Vec::new();
        for arrived in self.intake.take() {
            let id = arrived.sample.stream.clone();
            let weight = crate::intake::weight(&arrived.sample);
            let head = || self.heads.get(&id).cloned().unwrap_or_default();
            let stream = self.streams.entry(id.clone()).or_insert_with(|| Stream::new(id.clone(), head(), max));
            if let Fate::Dropped(why) = stream.accept(arrived, circumstances, &mut out) {
                self.intake.release(&id, weight);
                tracing::debug!(stream = %id, why, "sample not recorded");
                counter!("matthon_ring_samples_dropped_total", "ring" => self.catalog.spec.name.clone()).increment(1);
            }
        }
        // What is in a record at the next tick must still be written and synced within the promise.
        let sync = self.catalog.spec.sync;
        let spare = sync.saturating_sub(self.period()).saturating_sub(sync / 8);
        for stream in self.streams.values_mut() {
            if stream.waiting_since().is_some_and(|since| all || now.since(since) >= spare) {
                stream.close(None, circumstances, &mut out);
            }
        }
        // Stream by stream, each in its order.
        out.sort_by(|a, b| a.stream.cmp(&b.stream).then(a.header.seq.cmp(&b.header.seq)));
        self.ready.extend(out);
    }

    /// Writes what is ready until nothing is left or the disk refuses.
    fn write(&mut self, now: MonoTime) {
        let mut refusals = 0;
        while !self.ready.is_empty() {
            match self.write_batch() {
                Ok(synced) => {
                    self.retry_at = None;
                    self.figures.failing = false;
                    if self.figures.slow_until.is_none() {
                        self.figures.detail.clear();
                    }
                    if let Some(oldest) = synced {
                        self.note_delay(oldest);
                    }
                }
                Err(why) => {
                    self.figures.errors += 1;
                    self.figures.failing = true;
                    tracing::warn!(ring = %self.catalog.spec.name, %why, "cannot record");
                    counter!("matthon_ring_errors_total", "ring" => self.catalog.spec.name.clone()).increment(1);
                    self.figures.detail = why;
                    refusals += 1;
                    if refusals >= self.catalog.paths.count_in() {
                        self.retry_at = Some(now.plus(RETRY * u32::try_from(self.refusals / 2).unwrap_or(8).clamp(1, 8)));
                        return;
                    }
                }
            }
        }
        // Not the end of the write: what came meanwhile, and what still waits in a record for its next sample, is not durable.
        let waiting = self.streams.values().filter_map(Stream::waiting_since).min();
        self.figures.last_sync = waiting.map_or(now, |since| since.min(now));
        self.synced_at.store(self.figures.last_sync.0, Ordering::Relaxed);
    }

    pub(super) fn live_streams(&self) -> HashSet<Arc<StreamId>> {
        self.streams.keys().cloned().collect()
    }
}
