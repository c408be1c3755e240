//! Where every stream was recorded, kept along: so that a month of thirty cameras is answered from memory.
//!
//! Belongs here: when blocks are folded in and taken out, and the snapshot on disk. A cache: what it says follows from the
//! footers, and is made anew from them (in the background) when the snapshot is missing or torn. Does not belong here: the
//! arithmetic of stretches (`stretches`).

mod stretches;

use crate::{
    catalog::Catalog,
    disk::read_exact_at,
    format::{
        index::BlockState,
        spans::{HEADER, Header, Spans, Stretch},
    },
    reader::Span,
    spec::SPANS_NAMES,
    table::BlockTable,
};
use domain::{StreamId, WallTime};
use std::{
    collections::HashSet,
    io::{self, IoSlice},
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// Blocks between two snapshots.
pub(crate) const EVERY: u64 = 64;
/// Blocks before and behind one that goes whose ends are looked at anew: what joined them to it goes with it.
const NEIGHBOURS: usize = 3;

/// Kept for a ring: not there yet, or complete up to the newest seal.
#[derive(Default)]
pub(crate) struct Kept(Mutex<State>);

#[derive(Default)]
struct State {
    ready: Option<Spans>,
    /// Blocks sealed while it was being made.
    meanwhile: Vec<(u64, Arc<BlockTable>)>,
    /// Blocks that went meanwhile though older ones are still there.
    left: Vec<Left>,
    seals: u64,
    /// What some block held is not known any more: times are answered from the footers until the next start.
    given_up: bool,
}

/// A block that goes though older ones stay (a path of the ring refuses, so the others are overwritten alone): a stretch of time
/// is then not cut at its beginning but holed.
#[derive(Clone)]
pub(crate) struct Left {
    sequence: u64,
    gone: Arc<BlockTable>,
    /// The next ones there are; numbers in between were given up or overwritten.
    before: Option<u64>,
    behind: Option<u64>,
    /// The blocks around it, if all of them could be read.
    others: Option<Vec<(u64, Arc<BlockTable>)>>,
}

impl Kept {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Half folded means folded again at the next start; a panic elsewhere leaves nothing worse.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block was sealed. Whether a snapshot is due.
    pub(crate) fn sealed(&self, sequence: u64, table: &Arc<BlockTable>, oldest: u64) -> bool {
        let mut s = self.state();
        let given_up = s.given_up;
        match &mut s.ready {
            Some(coverage) => {
                coverage.fold(sequence, table);
                coverage.forget(oldest);
            }
            // Nobody would ever take it.
            None if given_up => {}
            None => s.meanwhile.push((sequence, table.clone())),
        }
        s.seals += 1;
        s.ready.is_some() && s.seals.is_multiple_of(EVERY)
    }

    /// A block is about to be overwritten or erased. Nothing is to be done for the oldest: that is what `forget` is for.
    pub(crate) fn leaving(&self, catalog: &Catalog, slot: usize) -> Option<Left> {
        let block = catalog.slot(slot);
        let (_, oldest) = catalog.used();
        if block.records == 0 || oldest.is_none_or(|o| o.sequence >= block.sequence) {
            return None;
        }
        let Ok(Some(gone)) = catalog.table(slot, block.sequence) else {
            self.give_up();
            return None;
        };
        let near = catalog.near(block.sequence, NEIGHBOURS);
        let before = near.iter().map(|(_, s)| s.sequence).filter(|n| *n < block.sequence).max();
        let behind = near.iter().map(|(_, s)| s.sequence).filter(|n| *n > block.sequence).min();
        let sealed = near.into_iter().filter(|(_, s)| s.state == BlockState::Sealed);
        // A disk that refuses is not asked in the writer's thread: it may take seconds to say no. Then nothing says where they begin.
        let asked = |n: usize| catalog.paths.is_well(catalog.spec.place(n).0);
        let others = sealed.map(|(n, s)| asked(n).then(|| catalog.table(n, s.sequence).ok()?).flatten().map(|t| (s.sequence, t))).collect();
        let left = Left { sequence: block.sequence, before, behind, gone, others };
        let mut s = self.state();
        let given_up = s.given_up;
        match &mut s.ready {
            Some(coverage) => coverage.let_go(&left),
            None if given_up => {}
            None => s.left.push(left.clone()),
        }
        Some(left)
    }

    fn give_up(&self) {
        *self.state() = State { given_up: true, ..State::default() };
    }

    /// It stayed after all.
    pub(crate) fn stayed(&self, left: &Left) {
        let mut s = self.state();
        match &mut s.ready {
            Some(coverage) => coverage.fold(left.sequence, &left.gone),
            None => s.left.retain(|l| l.sequence != left.sequence),
        }
    }

    /// Writes the snapshot: every block up to `upto` is in it.
    pub(crate) fn save(&self, catalog: &Catalog, upto: u64) -> io::Result<()> {
        let Some(bytes) = self.state().ready.as_ref().map(|c| c.to_bytes(upto)) else { return Ok(()) };
        if catalog.paths.some_away() {
            // It would not know of what comes back with the disk that is missing.
            return Ok(());
        }
        let Some(dir) = catalog.spec.paths.first() else { return Ok(()) };
        // In turn: a cut tears one, the other one stays.
        let turn = usize::from((upto / EVERY) % 2 == 1);
        let path = dir.join(SPANS_NAMES[turn]);
        let file = catalog.disk.create(&path, bytes.len() as u64)?;
        file.write_all_at(&[IoSlice::new(&bytes)], 0)?;
        file.sync_data()
    }

    /// The spans of a stream, when they are known.
    pub(crate) fn spans(&self, catalog: &Catalog, stream: &StreamId, from: WallTime, to: WallTime) -> Option<Vec<Span>> {
        // Asked before the lock: the oldest block's table may have to be read.
        self.state().ready.as_ref()?;
        let (oldest, begins) = catalog.oldest_of(stream);
        Some(self.state().ready.as_ref()?.between(stream, from, to, oldest, &begins))
    }

    /// Whether the list is there.
    pub(crate) fn known(&self) -> bool {
        self.state().ready.is_some()
    }

    /// Times of blocks that cannot be read.
    pub(crate) fn unreadable(&self) -> Vec<Span> {
        let s = self.state();
        s.ready.iter().flat_map(|c| &c.unreadable).map(|s| Span { from: s.from, to: s.to }).collect()
    }
}

/// The newer of the two snapshots; blocks folded and stretches.
fn load(catalog: &Catalog) -> (u64, Spans) {
    let read = |name: &&str| {
        let path = catalog.spec.paths.first()?.join(name);
        let file = catalog.disk.open(&path, false).ok()?;
        let mut head = vec![0; HEADER];
        read_exact_at(&*file, 0, &mut head).ok()?;
        let header = Header::parse(&head)?;
        let mut body = vec![0; usize::try_from(header.len).ok()?];
        read_exact_at(&*file, HEADER as u64, &mut body).ok()?;
        Some((header.upto, header.body(&body)?))
    };
    SPANS_NAMES.iter().filter_map(read).max_by_key(|(upto, _)| *upto).unwrap_or_default()
}

/// Makes the coverage of a ring: from the snapshot, then from the footers behind it. Ends early when the ring is closed.
pub(crate) fn build(catalog: &Weak<Catalog>) {
    let Some(strong) = catalog.upgrade() else { return };
    let (mut upto, mut coverage) = load(&strong);
    let held: HashSet<u64> = strong.slots().iter().filter(|s| s.records > 0).map(|s| s.sequence).collect();
    let (oldest, newest) = (held.iter().min().copied().unwrap_or(0), held.iter().max().copied().unwrap_or(0));
    // Of a ring that began anew in this folder: its blocks count from one again. Or a block went before older ones did, perhaps
    // after the snapshot was made.
    if newest < upto || (oldest..=upto).any(|sequence| !held.contains(&sequence)) {
        (upto, coverage) = Default::default();
    }
    // What could not be read then may be readable now: a disk was missing.
    let again: Vec<u64> = std::mem::take(&mut coverage.unreadable).iter().map(|s| s.first).collect();
    let mut blocks: Vec<_> =
        strong.slots().into_iter().enumerate().filter(|(_, s)| s.state == BlockState::Sealed && s.records > 0).collect();
    drop(strong);
    blocks.sort_by_key(|(_, s)| s.sequence);
    for (slot, s) in blocks.into_iter().filter(|(_, s)| s.sequence > upto || again.contains(&s.sequence)) {
        let Some(catalog) = catalog.upgrade() else { return };
        match catalog.table(slot, s.sequence) {
            Ok(Some(table)) => coverage.fold(s.sequence, &table),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(ring = %catalog.spec.name, block = s.sequence, %error, "block cannot be read: a gap");
                coverage.unreadable.push(Stretch { from: s.from, to: s.to, first: s.sequence, last: s.sequence });
            }
        }
    }
    let Some(catalog) = catalog.upgrade() else { return };
    let mut state = catalog.coverage.state();
    if state.given_up {
        return;
    }
    for (sequence, table) in std::mem::take(&mut state.meanwhile) {
        coverage.fold(sequence, &table);
    }
    for left in std::mem::take(&mut state.left) {
        coverage.let_go(&left);
    }
    coverage.forget(catalog.oldest_sequence());
    state.ready = Some(coverage);
}
