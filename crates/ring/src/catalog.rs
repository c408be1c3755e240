//! Which blocks there are and what they hold, shared by the writer and the readers of one process; beside another
//! process's daemon it is read anew from the index. Small: one summary a block, and a bounded cache of tables.

mod files;

pub(crate) use files::{Index, any_footer, first_batch, index_size, read_footer, read_index, summary_from_block};

use crate::{
    disk::{Disk, DiskFile},
    error::RingError,
    format::{
        PAGE,
        footer::Footer,
        index::{BlockState, BlockSummary},
    },
    paths::Paths,
    recover,
    spec::RingSpec,
    table::BlockTable,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Records in cached tables, in all: 48 bytes each.
const CACHED_RECORDS: usize = 100_000;
/// Damaged records remembered; the oldest are forgotten first, and found again when somebody reads them.
const KNOWN_DAMAGED: usize = 4096;
/// Files kept open.
const CACHED_FILES: usize = 64;

pub(crate) struct Catalog {
    pub(crate) spec: RingSpec,
    pub(crate) disk: Arc<dyn Disk>,
    /// Another process writes: its index is read again before each question.
    pub(crate) foreign: bool,
    /// Where every stream was recorded, of a ring this process writes.
    pub(crate) coverage: crate::coverage::Kept,
    /// How each of its directories is doing.
    pub(crate) paths: Paths,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: Vec<BlockSummary>,
    /// Every slot by its sequence, and those that hold recordings: kept along, so that the writer never walks them all.
    /// Of a foreign ring, whose slots come anew with each question, they say nothing.
    order: BTreeSet<(u64, usize)>,
    used: BTreeSet<(u64, usize)>,
    /// Tables of blocks that are not sealed, by sequence.
    open: BTreeMap<u64, Open>,
    cache: HashMap<u64, (u64, Arc<BlockTable>)>,
    cached_records: usize,
    clock: u64,
    files: HashMap<usize, (u64, Arc<dyn DiskFile>)>,
    /// The oldest block, when its table could not be read.
    silent: Option<u64>,
    /// Records found damaged, by block and offset: an index that is read from tables alone would name them again.
    damaged: BTreeSet<(u64, u32)>,
    /// Records that the disk could not read, until one of its folders comes back: a cable is no rot.
    unreadable: (u64, BTreeSet<(u64, u32)>),
}

struct Open {
    table: Arc<BlockTable>,
    data_end: u64,
    next_batch: u32,
}

impl State {
    fn put(&mut self, slot: usize, summary: BlockSummary) {
        let Some(place) = self.slots.get_mut(slot) else { return };
        let old = std::mem::replace(place, summary);
        if old.sequence != summary.sequence {
            self.order.remove(&(old.sequence, slot));
            self.order.insert((summary.sequence, slot));
        }
        if (old.sequence, old.records > 0) != (summary.sequence, summary.records > 0) {
            self.used.remove(&(old.sequence, slot));
            if summary.records > 0 {
                self.used.insert((summary.sequence, slot));
            }
        }
    }
}

impl Catalog {
    pub(crate) fn new(spec: RingSpec, disk: Arc<dyn Disk>, foreign: bool, slots: Vec<BlockSummary>) -> Self {
        let order = slots.iter().enumerate().map(|(n, s)| (s.sequence, n)).collect();
        let used = slots.iter().enumerate().filter(|(_, s)| s.records > 0).map(|(n, s)| (s.sequence, n)).collect();
        Self {
            paths: Paths::new(&spec),
            spec,
            disk,
            foreign,
            coverage: crate::coverage::Kept::default(),
            state: Mutex::new(State { slots, order, used, ..State::default() }),
        }
    }

    /// The same ring, with what is known of its directories.
    pub(crate) fn with_paths(self, paths: Paths) -> Self {
        Self { paths, ..self }
    }

    /// The same ring with fewer blocks: what is known of those that stay.
    pub(crate) fn shrunk(self, spec: RingSpec) -> Self {
        let State { mut slots, mut open, .. } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        slots.truncate(spec.blocks());
        open.retain(|sequence, _| slots.iter().any(|s| s.sequence == *sequence));
        let small = Self { paths: self.paths, ..Self::new(spec, self.disk, self.foreign, slots) };
        small.state().open = open;
        small
    }

    /// How many blocks hold recordings, and the oldest of them.
    pub(crate) fn used(&self) -> (usize, Option<BlockSummary>) {
        let s = self.state();
        let oldest = s.used.first().and_then(|(_, slot)| s.slots.get(*slot)).copied();
        (s.used.len(), oldest)
    }

    /// The lowest sequence any block has, but 0.
    pub(crate) fn oldest_sequence(&self) -> u64 {
        self.state().order.range((1, 0)..).next().map_or(0, |(sequence, _)| *sequence)
    }

    /// The sequence of the oldest block with recordings, and where a stream begins in it, if it is in it: more than one time when
    /// it begins more than once, because the clock was set back meanwhile or something is missing.
    pub(crate) fn oldest_of(&self, stream: &domain::StreamId) -> (u64, Vec<domain::WallTime>) {
        // Everything expired: nothing that was covered is there any more.
        let Some((sequence, slot)) = self.state().used.first().copied() else { return (u64::MAX, Vec::new()) };
        // A disk that gave nothing may take half a minute to give nothing again: then the summary must do, which is in memory.
        let silent = self.state().silent == Some(sequence) && !self.paths.is_well(self.spec.place(slot).0);
        let table =
            if silent { None } else { self.table(slot, sequence).inspect_err(|_| self.state().silent = Some(sequence)).ok().flatten() };
        let Some(table) = table else { return (sequence, vec![self.slot(slot).from]) };
        let line = table.line(stream).and_then(|n| Some((n, table.streams.get(usize::from(n))?)));
        let begins = match line.filter(|(_, s)| s.records > 0) {
            Some((n, s)) if s.gaps => table.records.iter().filter(|r| r.stream == n).map(|r| r.wall).collect(),
            Some((_, s)) => vec![s.from],
            // A stream that is not in it lost at least what the block itself covers.
            None => vec![self.slot(slot).from],
        };
        (sequence, begins)
    }

    /// So many blocks before and behind a sequence, as far as there are any.
    pub(crate) fn near(&self, sequence: u64, count: usize) -> Vec<(usize, BlockSummary)> {
        let s = self.state();
        let before = s.used.range(..(sequence, 0)).rev().take(count);
        let behind = s.used.range((sequence + 1, 0)..).take(count);
        before.chain(behind).filter_map(|(_, n)| Some((*n, *s.slots.get(*n)?))).collect()
    }

    /// The first `count` slots that are let through, those never written first, then the oldest.
    pub(crate) fn oldest_slots(&self, count: usize, pass: impl Fn(usize) -> bool) -> Vec<usize> {
        self.state().order.iter().map(|(_, slot)| *slot).filter(|slot| pass(*slot)).take(count).collect()
    }

    /// Walks the blocks that hold recordings, the oldest first, until told to stop.
    pub(crate) fn walk<B>(&self, mut see: impl FnMut(usize, &BlockSummary) -> std::ops::ControlFlow<B>) -> Option<B> {
        let s = self.state();
        for (_, slot) in &s.used {
            if let Some(summary) = s.slots.get(*slot)
                && let std::ops::ControlFlow::Break(found) = see(*slot, summary)
            {
                return Some(found);
            }
        }
        None
    }

    /// Remembers that a record cannot be read.
    pub(crate) fn note_damaged(&self, block: u64, offset: u32) {
        let mut s = self.state();
        if s.damaged.insert((block, offset)) && s.damaged.len() > KNOWN_DAMAGED {
            s.damaged.pop_first();
        }
    }

    /// Remembers that the disk could not read a record, for as long as its folders are as they are.
    pub(crate) fn note_unreadable(&self, block: u64, offset: u32) {
        let returns = self.paths.returns();
        let mut s = self.state();
        let (since, known) = &mut s.unreadable;
        if *since != returns {
            (*since, *known) = (returns, BTreeSet::new());
        }
        if known.insert((block, offset)) && known.len() > KNOWN_DAMAGED {
            known.pop_first();
        }
    }

    /// Records known to be damaged or unreadable, by block and offset.
    pub(crate) fn damaged(&self) -> BTreeSet<(u64, u32)> {
        let returns = self.paths.returns();
        let s = self.state();
        let mut all = s.damaged.clone();
        if s.unreadable.0 == returns {
            all.extend(&s.unreadable.1);
        }
        all
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment or one push: a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn io(&self, what: &'static str, path: PathBuf, source: io::Error) -> RingError {
        self.paths.unread(&path, &source);
        RingError::Io { ring: self.spec.name.clone(), what, path, source }
    }

    pub(crate) fn slots(&self) -> Vec<BlockSummary> {
        self.state().slots.clone()
    }

    /// Blocks of this process that are not sealed, and hold recordings.
    pub(crate) fn open_slots(&self) -> Vec<(usize, BlockSummary)> {
        let s = self.state();
        // Usually two: the one being written, and one that waits for its footer.
        let lines = s.open.keys().rev().filter_map(|sequence| s.order.range((*sequence, 0)..=(*sequence, usize::MAX)).next());
        lines.filter_map(|(_, n)| Some((*n, *s.slots.get(*n)?))).filter(|(_, b)| b.state == BlockState::Open).collect()
    }

    pub(crate) fn slot(&self, slot: usize) -> BlockSummary {
        self.state().slots.get(slot).copied().unwrap_or_default()
    }

    /// Replaces what is known of a block; forgets the tables of the sequence it had.
    pub(crate) fn set(&self, slot: usize, summary: BlockSummary) {
        let mut s = self.state();
        let old = s.slots.get(slot).copied().unwrap_or_default();
        s.put(slot, summary);
        if old.sequence != summary.sequence || !matches!(summary.state, BlockState::Open) {
            s.open.remove(&old.sequence);
        }
        if (old.sequence != summary.sequence || summary.state == BlockState::Erased)
            && let Some((_, table)) = s.cache.remove(&old.sequence)
        {
            s.cached_records -= table.records.len();
        }
    }

    /// Publishes the table of a block that is not sealed, in one step with its summary.
    pub(crate) fn publish(
        &self,
        slot: usize,
        sequence: u64,
        table: Arc<BlockTable>,
        data_end: u64,
        next_batch: u32,
        summary: BlockSummary,
    ) {
        let mut s = self.state();
        s.put(slot, summary);
        s.open.insert(sequence, Open { table, data_end, next_batch });
    }

    /// A block's file, kept open.
    pub(crate) fn file(&self, slot: usize) -> io::Result<Arc<dyn DiskFile>> {
        let mut s = self.state();
        s.clock += 1;
        let now = s.clock;
        if let Some((used, file)) = s.files.get_mut(&slot) {
            *used = now;
            return Ok(file.clone());
        }
        drop(s);
        let file = self.disk.open(&self.spec.file(slot), false)?;
        let mut s = self.state();
        if s.files.len() >= CACHED_FILES
            && let Some(oldest) = s.files.iter().min_by_key(|(_, (used, _))| *used).map(|(k, _)| *k)
        {
            s.files.remove(&oldest);
        }
        s.files.insert(slot, (now, file.clone()));
        Ok(file)
    }

    /// The table of a block, wherever it is to be had. `None` when the block is not that sequence any more.
    pub(crate) fn table(&self, slot: usize, sequence: u64) -> Result<Option<Arc<BlockTable>>, RingError> {
        let mut s = self.state();
        let summary = s.slots.get(slot).copied().unwrap_or_default();
        if summary.sequence != sequence || !matches!(summary.state, BlockState::Open | BlockState::Sealed) {
            return Ok(None);
        }
        if summary.state == BlockState::Open
            && !self.foreign
            && let Some(open) = s.open.get(&sequence)
        {
            return Ok(Some(open.table.clone()));
        }
        s.clock += 1;
        let now = s.clock;
        if let Some((used, table)) = s.cache.get_mut(&sequence) {
            *used = now;
            return Ok(Some(table.clone()));
        }
        drop(s);
        if summary.state == BlockState::Sealed
            && let Some(footer) = self.footer(slot, sequence)?
        {
            let table = Arc::new(BlockTable::of_footer(footer));
            self.remember(sequence, table.clone());
            return Ok(Some(table));
        }
        self.scanned(slot, sequence).map(Some)
    }

    fn remember(&self, sequence: u64, table: Arc<BlockTable>) {
        let mut s = self.state();
        s.cached_records += table.records.len();
        s.clock += 1;
        let now = s.clock;
        if let Some((_, old)) = s.cache.insert(sequence, (now, table)) {
            s.cached_records -= old.records.len();
        }
        while s.cached_records > CACHED_RECORDS && s.cache.len() > 1 {
            let Some(oldest) = s.cache.iter().min_by_key(|(_, (used, _))| *used).map(|(k, _)| *k) else { break };
            if let Some((_, old)) = s.cache.remove(&oldest) {
                s.cached_records -= old.records.len();
            }
        }
    }

    /// The footer of a sealed block, if it is whole and of that sequence.
    pub(crate) fn footer(&self, slot: usize, sequence: u64) -> Result<Option<Footer>, RingError> {
        let path = || self.spec.file(slot);
        let file = self.file(slot).map_err(|e| self.io("open", path(), e))?;
        read_footer(&*file, &self.spec, sequence).map_err(|e| self.io("read the footer of", path(), e))
    }

    /// The table by hopping over the batches, going on where the last look ended.
    fn scanned(&self, slot: usize, sequence: u64) -> Result<Arc<BlockTable>, RingError> {
        let path = || self.spec.file(slot);
        let (mut table, from, first) = match self.state().open.get(&sequence) {
            Some(open) => (open.table.clone(), open.data_end, open.next_batch),
            None => (Arc::default(), PAGE, 0),
        };
        let file = self.file(slot).map_err(|e| self.io("open", path(), e))?;
        let whose = recover::block_header(&*file).map_err(|e| self.io("read", path(), e))?;
        // A header that cannot be read says nothing; each batch repeats whose it is.
        if whose.is_some_and(|h| h.sequence != sequence) {
            return Ok(table);
        }
        let scan =
            recover::scan(&*file, sequence, self.spec.data_limit(), from, first).map_err(|e| self.io("read the batches of", path(), e))?;
        if !scan.records.is_empty() {
            let grown = Arc::make_mut(&mut table);
            for r in &scan.records {
                grown.push(&r.header, r.header_crc, r.offset, None);
            }
        }
        // A torn end may be a batch being written this moment: it is looked at again next time.
        if !scan.torn {
            let open = Open { table: table.clone(), data_end: scan.data_end, next_batch: scan.next_batch };
            self.state().open.insert(sequence, open);
        }
        Ok(table)
    }

    /// Reads the index again, beside another process's daemon.
    pub(crate) fn refresh(&self) -> Result<(), RingError> {
        if !self.foreign {
            return Ok(());
        }
        let index = read_index(&self.spec, &*self.disk, |n| self.paths.is_in(n))?;
        let mut s = self.state();
        let live: Vec<u64> = index.slots.iter().filter(|b| b.state == BlockState::Open).map(|b| b.sequence).collect();
        s.open.retain(|sequence, _| live.contains(sequence));
        s.slots = index.slots;
        Ok(())
    }
}
