//! Which records there are of a range, block by block, and which lead up to one. Their bytes are read elsewhere.

use super::{Reader, RecordRef};
use crate::{
    error::RingError,
    format::{
        footer::RecordEntry,
        index::{BlockState, BlockSummary},
    },
    table::BlockTable,
};
use domain::{StreamId, WallTime};
use std::{
    collections::VecDeque,
    sync::{Arc, mpsc::sync_channel},
};

/// How many blocks a group's first record is looked for backwards.
pub(super) const GROUP_BLOCKS: usize = 256;
/// From so many blocks on, tables are read ahead …
const MANY: usize = 8;
/// … so many.
const AHEAD: usize = 2;
/// A batch has no more records of one stream.
const LOOK_BACK: usize = 512;

impl Reader {
    /// Blocks that may hold something of a range, oldest first.
    fn blocks_of(&self, from: WallTime, to: WallTime) -> Result<Vec<(usize, u64)>, RingError> {
        self.catalog.refresh()?;
        // The index knows the span of an open block only in the writer's own process.
        let unknown = |s: &BlockSummary| self.catalog.foreign && s.state == BlockState::Open;
        let may = self.in_order().into_iter().filter(|(_, s)| unknown(s) || (s.from < to && s.to > from));
        Ok(may.map(|(slot, s)| (slot, s.sequence)).collect())
    }

    /// A block's table; `None` when it is not that block any more. One that cannot be read is a gap, told in the log.
    fn table_or_gap(&self, slot: usize, block: u64) -> Option<Arc<BlockTable>> {
        let warn = |error: &RingError| tracing::warn!(ring = %self.catalog.spec.name, block, %error, "block cannot be read: a gap");
        self.catalog.table(slot, block).inspect_err(warn).ok().flatten()
    }

    /// Tables of the blocks that may hold something of a range.
    pub(super) fn tables(&self, from: WallTime, to: WallTime) -> Result<Vec<(usize, u64, Arc<BlockTable>)>, RingError> {
        let blocks = self.blocks_of(from, to)?.into_iter();
        Ok(blocks.filter_map(|(slot, block)| Some((slot, block, self.table_or_gap(slot, block)?))).collect())
    }

    /// The records of a stream that overlap a range of time, in the order they were written.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn records(&self, stream: &StreamId, from: WallTime, to: WallTime) -> Result<Vec<RecordRef>, RingError> {
        let mut out: Vec<RecordRef> = Vec::new();
        self.walk(
            stream,
            from,
            to,
            |_| {},
            |r, _| {
                out.push(r);
                Ok(())
            },
        )?;
        Ok(out)
    }

    /// The same, handed over one by one with the table of the block each lies in: of a day's thousands of tables few are held at a time,
    /// and each is read once. `begin` sees the table of every block that may hold something of the range.
    pub(crate) fn walk(
        &self,
        stream: &StreamId,
        from: WallTime,
        to: WallTime,
        mut begin: impl FnMut(&BlockTable),
        mut see: impl FnMut(RecordRef, &Arc<BlockTable>) -> Result<(), RingError>,
    ) -> Result<(), RingError> {
        let mut twice = Twice::default();
        let mut each = |slot, block, table: &Arc<BlockTable>| {
            begin(table);
            let Some(line) = table.line(stream) else { return Ok(()) };
            for entry in table.records.iter().filter(|r| r.stream == line && r.wall < to && r.wall_end() > from) {
                if !twice.met(block, entry) {
                    see(RecordRef { stream: stream.clone(), block, entry: *entry, slot }, table)?;
                }
            }
            Ok(())
        };
        let blocks = self.blocks_of(from, to)?;
        let read = |(slot, block)| Some((slot, block, self.table_or_gap(slot, block)?));
        let mut each = |(slot, block, table)| each(slot, block, &table);
        if blocks.len() < MANY {
            return blocks.into_iter().filter_map(read).try_for_each(each);
        }
        // Of a long range the next tables are read while this one is looked through.
        std::thread::scope(|both| {
            let (give, take) = sync_channel(AHEAD);
            let ahead = blocks.clone();
            let reading = std::thread::Builder::new().name("tables".into()).spawn_scoped(both, move || {
                // Until whoever looks through them has left.
                let _ = ahead.into_iter().filter_map(read).try_for_each(|table| give.send(table));
            });
            match reading {
                Ok(_) => take.into_iter().try_for_each(&mut each),
                // A box that can start no thread reads on without one.
                Err(_) => blocks.into_iter().filter_map(read).try_for_each(&mut each),
            }
        })
    }

    /// The records of the same group before this one, its first (with the init segment) at the front. `None` when the
    /// group's beginning is gone.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn group_before(&self, r: &RecordRef) -> Result<Option<Vec<RecordRef>>, RingError> {
        let mut found = Vec::new();
        if r.key() {
            return Ok(Some(found));
        }
        let mut next = r.entry.seq;
        for (slot, s) in self.in_order().into_iter().rev().filter(|(_, s)| s.sequence <= r.block).take(GROUP_BLOCKS) {
            // A block on a dead disk is a gap like any other.
            let Ok(Some(table)) = self.catalog.table(slot, s.sequence) else { continue };
            let Some(line) = table.line(&r.stream) else { continue };
            let mine = table.records.iter().rev().filter(|e| e.stream == line && e.gop == r.entry.gop && e.seq < r.entry.seq);
            for e in mine {
                if e.seq.checked_add(1) != Some(next) {
                    if e.seq >= next {
                        continue;
                    }
                    return Ok(None);
                }
                next = e.seq;
                let here = RecordRef { stream: r.stream.clone(), block: s.sequence, entry: *e, slot };
                let first = here.key();
                found.push(here);
                if first {
                    found.reverse();
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }
}

/// The records of one stream met last, in the order they lie. A batch whose sync was refused was written again to the next block, and may
/// be in both.
#[derive(Default)]
struct Twice {
    block: u64,
    recent: VecDeque<(u64, u64, WallTime)>,
}

impl Twice {
    /// Whether this record was met already, in a block before; remembers it if not.
    fn met(&mut self, block: u64, entry: &RecordEntry) -> bool {
        let this = (entry.seq, entry.gop, entry.wall);
        let behind = self.recent.back().is_some_and(|(seq, ..)| *seq >= entry.seq);
        if behind && self.block < block && self.recent.contains(&this) {
            return true;
        }
        self.block = block;
        if self.recent.len() == LOOK_BACK {
            self.recent.pop_front();
        }
        self.recent.push_back(this);
        false
    }
}
