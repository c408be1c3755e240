//! Where every stream was recorded, kept along: so that a month of thirty cameras is answered from memory.
//!
//! Belongs here: stretches of time folded from block tables, and their snapshot on disk. A cache: what it says follows from the
//! footers, and is made anew from them (in the background) when the snapshot is missing or torn.

use crate::{
    catalog::Catalog,
    disk::read_exact_at,
    format::{
        index::{BlockState, BlockSummary},
        spans::{HEADER, Header, Spans, Stretch},
    },
    reader::Span,
    spec::SPANS_NAMES,
    table::{BlockTable, TOLERANCE},
};
use domain::{StreamId, WallTime};
use std::{
    collections::HashSet,
    io::{self, IoSlice},
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// Blocks between two snapshots.
pub(crate) const EVERY: u64 = 64;

/// Adds a piece; by time, for a clock that was set back writes later blocks with earlier times.
fn add(list: &mut Vec<Stretch>, piece: Stretch) {
    match list.last_mut() {
        Some(last) if piece.from.micros_since(last.to).abs() <= TOLERANCE => {
            (last.to, last.last, last.first) = (last.to.max(piece.to), last.last.max(piece.last), last.first.min(piece.first));
        }
        Some(last) if piece.from < last.to => {
            list.push(piece);
            list.sort_by_key(|s| (s.from, s.to));
            let mut merged: Vec<Stretch> = Vec::with_capacity(list.len());
            for s in list.drain(..) {
                match merged.last_mut() {
                    Some(m) if s.from.micros_since(m.to) <= TOLERANCE => {
                        (m.to, m.first, m.last) = (m.to.max(s.to), m.first.min(s.first), m.last.max(s.last));
                    }
                    _ => merged.push(s),
                }
            }
            *list = merged;
        }
        _ => list.push(piece),
    }
}

impl Spans {
    /// Adds what a block holds. The same block twice changes nothing.
    pub(crate) fn fold(&mut self, sequence: u64, table: &BlockTable) {
        let piece = |from, to| Stretch { from, to, first: sequence, last: sequence };
        for (line, s) in table.streams.iter().enumerate().filter(|(_, s)| s.records > 0) {
            let list = self.streams.entry(s.stream.clone()).or_default();
            if s.gaps {
                for r in table.records.iter().filter(|r| usize::from(r.stream) == line) {
                    add(list, piece(r.wall, r.wall_end()));
                }
            } else {
                add(list, piece(s.from, s.to));
            }
        }
    }

    /// Takes away what a block held. `others`: the blocks that hold something of the same times.
    fn punch(&mut self, gone: &BlockTable, others: &[(u64, Arc<BlockTable>)]) {
        for s in gone.streams.iter().filter(|s| s.records > 0) {
            let Some(list) = self.streams.get_mut(&s.stream) else { continue };
            // What joined it to its neighbours goes with it: they say themselves where they begin and end.
            let (from, to) = (s.from.plus_micros(-TOLERANCE), s.to.plus_micros(TOLERANCE));
            let mut kept = Vec::with_capacity(list.len() + 1);
            for whole in list.drain(..) {
                if whole.to <= from || whole.from >= to {
                    kept.push(whole);
                    continue;
                }
                kept.extend((whole.from < from).then_some(Stretch { to: from, ..whole }));
                kept.extend((whole.to > to).then_some(Stretch { from: to, ..whole }));
            }
            *list = kept;
        }
        for (sequence, table) in others {
            self.fold(*sequence, table);
        }
    }

    /// Drops what lies in blocks before this one only.
    pub(crate) fn forget(&mut self, oldest: u64) {
        for list in self.streams.values_mut().chain([&mut self.unreadable]) {
            list.retain(|s| s.last >= oldest);
        }
        self.streams.retain(|_, list| !list.is_empty());
    }

    /// The spans of a stream that overlap a range. `begins`: where the stream begins in the oldest block there is.
    fn between(&self, stream: &StreamId, from: WallTime, to: WallTime, oldest: u64, begins: &[WallTime]) -> Vec<Span> {
        let list = self.streams.get(stream).map(Vec::as_slice).unwrap_or_default();
        let kept = list.iter().filter(|s| s.last >= oldest && s.from < to && s.to > from).map(|s| {
            if s.first >= oldest {
                return Span { from: s.from, to: s.to };
            }
            let here = begins.iter().copied().filter(|b| *b >= s.from && *b <= s.to).min();
            let start = here.or_else(|| begins.iter().copied().min()).unwrap_or(s.from);
            Span { from: s.from.max(start), to: s.to }
        });
        kept.filter(|s| s.from < s.to).collect()
    }
}

/// A block whose clock was set by decades overlaps every other: so many footers are not read in the writer's thread.
const OVERLAPPING: usize = 64;

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
    others: Vec<(u64, Arc<BlockTable>)>,
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
        let (from, to) = (block.from.plus_micros(-TOLERANCE), block.to.plus_micros(TOLERANCE));
        let same_times = |s: &&(usize, BlockSummary)| {
            s.0 != slot && s.1.records > 0 && s.1.state == BlockState::Sealed && s.1.from <= to && s.1.to >= from
        };
        let slots: Vec<_> = catalog.slots().into_iter().enumerate().filter(|s| same_times(&s)).collect();
        if slots.len() > OVERLAPPING {
            self.give_up();
            return None;
        }
        let others = slots.iter().filter_map(|(n, s)| Some((s.sequence, catalog.table(*n, s.sequence).ok()??)));
        let left = Left { sequence: block.sequence, gone, others: others.collect() };
        let mut s = self.state();
        let given_up = s.given_up;
        match &mut s.ready {
            Some(coverage) => coverage.punch(&left.gone, &left.others),
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
        coverage.punch(&left.gone, &left.others);
    }
    coverage.forget(catalog.oldest_sequence());
    state.ready = Some(coverage);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::footer::StreamEntry;
    use domain::{CameraId, Channel, StreamKind};
    use proptest::prelude::*;

    fn id() -> StreamId {
        StreamId::new(CameraId::new("a").unwrap(), Channel::Main, StreamKind::Video)
    }

    fn table(from: i64, to: i64) -> BlockTable {
        let mut table = BlockTable::default();
        table.streams.push(StreamEntry {
            stream: id(),
            records: 1,
            from: WallTime(from),
            to: WallTime(to),
            gaps: false,
            next_seq: 1,
            next_gop: 1,
            last_block: 0,
            chain: [0; 32],
            format: [0; 16],
        });
        table
    }

    proptest! {
        /// Whatever blocks come in whatever order of time, folded and written and read: the same moments are covered.
        #[test]
        fn covers_what_the_blocks_cover(blocks in prop::collection::vec((0i64..300, 1i64..40), 1..40)) {
            let second = 10 * TOLERANCE;
            let mut coverage = Spans::default();
            for (n, (from, len)) in blocks.iter().enumerate() {
                coverage.fold(n as u64 + 1, &table(from * second, (from + len) * second));
                if n % 3 == 0 {
                    coverage.fold(n as u64 + 1, &table(from * second, (from + len) * second));
                }
            }
            let bytes = coverage.to_bytes(7);
            let header = Header::parse(&bytes).unwrap();
            prop_assert_eq!(header.upto, 7);
            let read = header.body(&bytes[HEADER..]).unwrap();
            let spans = read.between(&id(), WallTime(i64::MIN), WallTime(i64::MAX), 0, &[]);
            prop_assert!(spans.windows(2).all(|w| w[0].to < w[1].from));
            for t in 0..345 {
                let moment = WallTime(t * second + second / 2);
                let covered = blocks.iter().any(|(from, len)| *from <= t && t < from + len);
                prop_assert_eq!(spans.iter().any(|s| s.from <= moment && moment < s.to), covered, "at {}", t);
            }
        }

        #[test]
        fn any_snapshot_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Header::parse(&bytes);
            let _ = Spans::parse(&bytes);
        }
    }
}
