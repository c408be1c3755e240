//! When a stream was recorded, what has expired, and how far the ring is sealed.

use super::Reader;
use crate::{
    error::RingError,
    format::index::BlockState,
    table::{BlockTable, TOLERANCE},
};
use domain::{StreamId, WallTime};
use serde::Serialize;
use std::sync::Arc;

/// A stretch of time with recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Start of the first record.
    pub from: WallTime,
    /// End of the last one.
    pub to: WallTime,
}

impl Reader {
    /// Tables of the blocks that have no footer yet: in memory.
    fn open_tables(&self, from: WallTime, to: WallTime) -> Vec<(usize, u64, Arc<BlockTable>)> {
        let open = self.catalog.open_slots().into_iter().filter(|(_, s)| s.from < to && s.to > from);
        open.filter_map(|(slot, s)| Some((slot, s.sequence, self.catalog.table(slot, s.sequence).ok().flatten()?))).collect()
    }

    /// About how many bytes of a stream are recorded between two times.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn bytes_between(&self, stream: &StreamId, from: WallTime, to: WallTime) -> Result<u64, RingError> {
        Ok(self.records(stream, from, to)?.iter().map(|r| u64::from(r.entry.len)).sum())
    }

    /// Whether times are answered from memory yet: shortly after a start the list is still being read.
    #[must_use]
    pub fn coverage_known(&self) -> bool {
        !self.catalog.foreign && self.catalog.coverage.known()
    }

    /// Times of blocks that cannot be read, as far as they are known.
    #[must_use]
    pub fn unreadable_times(&self) -> Vec<Span> {
        self.catalog.coverage.unreadable()
    }

    /// When a stream was recorded and cannot be read, as far as somebody has met it ([`crate::ClipPlan::check`] looks for it).
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn damaged_times(&self, stream: &StreamId, from: WallTime, to: WallTime) -> Result<Vec<Span>, RingError> {
        let known = self.known_damaged();
        let mut out: Vec<Span> = Vec::new();
        if known.is_empty() {
            return Ok(out);
        }
        for r in self.records(stream, from, to)?.iter().filter(|r| known.contains(&(r.block, r.entry.offset))) {
            let here = Span { from: r.entry.wall.max(from), to: r.entry.wall_end().min(to) };
            match out.last_mut() {
                Some(last) if here.from >= last.from && here.from.micros_since(last.to) <= TOLERANCE => last.to = last.to.max(here.to),
                _ => out.push(here),
            }
        }
        Ok(out)
    }

    /// Where the oldest recording begins; `None` while nothing has been overwritten or erased yet.
    #[must_use]
    pub fn expired_before(&self) -> Option<WallTime> {
        let (_, oldest) = self.catalog.used();
        oldest.filter(|s| s.sequence > 1).map(|s| s.from)
    }

    /// The digest of the newest seal, and the block it ends: what a day's fingerprint names.
    #[must_use]
    pub fn newest_seal(&self) -> Option<(u64, [u8; 32])> {
        self.catalog.refresh().ok()?;
        let sealed = self.in_order().into_iter().rev().find(|(_, s)| s.state == BlockState::Sealed)?;
        let footer = self.catalog.footer(sealed.0, sealed.1.sequence).ok()??;
        Some((sealed.1.sequence, footer.digest()))
    }

    /// The digest of a block's seal, when the block is still there.
    #[must_use]
    pub fn seal_of(&self, sequence: u64) -> Option<[u8; 32]> {
        self.catalog.refresh().ok()?;
        let (slot, _) = self.in_order().into_iter().find(|(_, s)| s.sequence == sequence)?;
        Some(self.catalog.footer(slot, sequence).ok()??.digest())
    }

    /// Where a stream was recorded between two times, oldest first, cut to them. Holes under a second are none.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn coverage(&self, stream: &StreamId, from: WallTime, to: WallTime) -> Result<Vec<Span>, RingError> {
        // First what is open: a block that is sealed between both looks is in the second.
        let open = if self.catalog.foreign { Vec::new() } else { self.open_tables(from, to) };
        let kept = if self.catalog.foreign { None } else { self.catalog.coverage.spans(&self.catalog, stream, from, to) };
        let (mut spans, tables) = match kept {
            Some(spans) => (spans, open),
            None => (Vec::new(), self.tables(from, to)?),
        };
        for (_, _, table) in tables {
            let Some((line, s)) = table.line(stream).and_then(|n| Some((n, table.streams.get(usize::from(n))?))) else { continue };
            if s.records == 0 {
                continue;
            }
            if s.gaps {
                spans.extend(table.records.iter().filter(|r| r.stream == line).map(|r| Span { from: r.wall, to: r.wall_end() }));
            } else {
                spans.push(Span { from: s.from, to: s.to });
            }
        }
        // By time, not by sequence: a clock that was set back writes later blocks with earlier times.
        spans.sort_by_key(|s| (s.from, s.to));
        let mut out: Vec<Span> = Vec::new();
        for s in spans {
            match out.last_mut() {
                Some(last) if s.from.micros_since(last.to) <= TOLERANCE => last.to = last.to.max(s.to),
                _ => out.push(s),
            }
        }
        let cut = |s: Span| Span { from: s.from.max(from), to: s.to.min(to) };
        Ok(out.into_iter().map(cut).filter(|s| s.from < s.to).collect())
    }
}
