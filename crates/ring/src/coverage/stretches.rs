//! Stretches of time in which a stream was recorded, folded from block tables.
//!
//! Each stretch is one *run*: going on through its blocks, time goes on as well. A clock that is set back begins another, which may
//! lie over the same times. So which blocks a part of a stretch lies in follows from where it is cut, and what is overwritten,
//! in whatever order, is taken out exactly.

use super::Left;
use crate::{
    format::spans::{Spans, Stretch},
    reader::Span,
    table::{BlockTable, TOLERANCE},
};
use domain::{StreamId, WallTime};

/// Two pictures a second that are decoded in another order than shown go back by more than a second; a clock that is set back by
/// so little begins no run. µs.
const BACK: i64 = 3_000_000;

/// Whether what begins here goes on where the other ended.
fn follows(from: WallTime, to: WallTime) -> bool {
    (-BACK..=TOLERANCE).contains(&from.micros_since(to))
}

impl Stretch {
    /// Whether they touch, with what counts as no hole.
    fn meets(&self, other: &Self) -> bool {
        self.from.micros_since(other.to) <= TOLERANCE && other.from.micros_since(self.to) <= TOLERANCE
    }

    /// Takes in a piece of one of its blocks.
    fn takes_own(&mut self, piece: &Self) -> bool {
        let own = self.first <= piece.first && piece.last <= self.last && self.meets(piece);
        own && self.grow(piece)
    }

    /// Takes in a piece of another block that goes on where it ends, or leads up to where it begins.
    fn takes_next(&mut self, piece: &Self) -> bool {
        let goes_on = self.last < piece.first && follows(piece.from, self.to);
        let leads_up = piece.last < self.first && follows(self.from, piece.to);
        (goes_on || leads_up) && self.grow(piece)
    }

    fn grow(&mut self, piece: &Self) -> bool {
        (self.from, self.to) = (self.from.min(piece.from), self.to.max(piece.to));
        (self.first, self.last) = (self.first.min(piece.first), self.last.max(piece.last));
        true
    }
}

/// Adds a piece of one block. The list is in the order of the blocks.
fn add(list: &mut Vec<Stretch>, piece: Stretch) {
    let at = list.partition_point(|s| s.last < piece.first);
    let own = list.get_mut(at..).unwrap_or_default();
    let end = at + own.partition_point(|s| s.first <= piece.last);
    if list.get_mut(at..end).unwrap_or_default().iter_mut().any(|s| s.takes_own(&piece)) {
        return;
    }
    // The usual case: the newest block goes on where the one before ended.
    let n = match (at.checked_sub(1), at == end) {
        (Some(before), true) if list.get_mut(before).is_some_and(|s| s.takes_next(&piece)) => before,
        (_, true) if list.get_mut(at).is_some_and(|s| s.takes_next(&piece)) => return,
        _ => return list.insert(end, piece),
    };
    // It may have closed the hole between two.
    if let Some(next) = list.get(n + 1).copied()
        && list.get_mut(n).is_some_and(|s| s.takes_next(&next))
    {
        list.remove(n + 1);
    }
}

/// What of a stream lies in a block.
fn pieces(sequence: u64, table: &BlockTable, line: usize) -> Vec<Stretch> {
    let piece = |from, to| Stretch { from, to, first: sequence, last: sequence };
    match table.streams.get(line) {
        Some(s) if s.gaps => {
            let own = table.records.iter().filter(|r| usize::from(r.stream) == line);
            own.map(|r| piece(r.wall, r.wall_end())).collect()
        }
        Some(s) => vec![piece(s.from, s.to)],
        None => Vec::new(),
    }
}

/// The runs among a block's pieces: a clock that was set back inside it begins another.
fn runs(pieces: Vec<Stretch>) -> Vec<Stretch> {
    let mut runs: Vec<Stretch> = Vec::new();
    for piece in pieces {
        match runs.last_mut() {
            Some(run) if follows(piece.from, run.to) => {
                (run.from, run.to) = (run.from.min(piece.from), run.to.max(piece.to));
            }
            _ => runs.push(piece),
        }
    }
    runs
}

impl Spans {
    /// Adds what a block holds. The same block twice changes nothing.
    pub(crate) fn fold(&mut self, sequence: u64, table: &BlockTable) {
        for (line, s) in table.streams.iter().enumerate().filter(|(_, s)| s.records > 0) {
            let list = self.streams.entry(s.stream.clone()).or_default();
            let runs = runs(pieces(sequence, table, line));
            if list.last().is_none_or(|last| last.last < sequence) {
                // The newest: only its first run can go on where the last one ended. Times it has gone through before are another's.
                let first = runs.first().is_some_and(|run| list.last_mut().is_some_and(|last| last.takes_next(run)));
                list.extend(runs.into_iter().skip(usize::from(first)));
            } else {
                runs.into_iter().for_each(|run| add(list, run));
            }
        }
    }

    /// Takes away what a block held. The blocks around it say themselves where they begin and end; where they cannot, what is no hole
    /// between two blocks is left to them.
    pub(super) fn let_go(&mut self, left: &Left) {
        let (sequence, gone) = (left.sequence, &left.gone);
        let margin = if left.others.is_some() { TOLERANCE } else { 0 };
        for (line, s) in gone.streams.iter().enumerate().filter(|(_, s)| s.records > 0) {
            let Some(list) = self.streams.get_mut(&s.stream) else { continue };
            let held = runs(pieces(sequence, gone, line));
            let mut kept = Vec::with_capacity(list.len() + 1);
            for whole in list.drain(..) {
                if whole.last < sequence || whole.first > sequence {
                    kept.push(whole);
                    continue;
                }
                // Where the run begins or ends with the block, its own part lies there; another of the block's runs may lie over the rest.
                let near = |a: WallTime, b: WallTime| a.micros_since(b).abs() <= BACK;
                let own = |run: &Stretch| {
                    let (begins, ends) = (whole.first == sequence, whole.last == sequence);
                    !(begins || ends) || (begins && near(run.from, whole.from)) || (ends && near(run.to, whole.to))
                };
                // What joined it to its neighbours goes with it.
                let here = held.iter().filter(|run| whole.meets(run) && own(run));
                let from = here.clone().map(|p| p.from).min().map(|t| t.plus_micros(-margin));
                let to = here.map(|p| p.to).max().map(|t| t.plus_micros(margin));
                let (Some(from), Some(to)) = (from, to) else {
                    kept.push(whole);
                    continue;
                };
                if let Some(last) = left.before.filter(|before| *before >= whole.first && whole.from < from) {
                    kept.push(Stretch { to: from, last, ..whole });
                }
                if let Some(first) = left.behind.filter(|behind| *behind <= whole.last && whole.to > to) {
                    kept.push(Stretch { from: to, first, ..whole });
                }
            }
            *list = kept;
        }
        for (sequence, table) in left.others.iter().flatten() {
            self.fold(*sequence, table);
        }
    }

    /// Drops what lies in blocks before this one only.
    pub(super) fn forget(&mut self, oldest: u64) {
        for list in self.streams.values_mut().chain([&mut self.unreadable]) {
            list.retain(|s| s.last >= oldest);
        }
        self.streams.retain(|_, list| !list.is_empty());
    }

    /// The spans of a stream that overlap a range, in no order; they may overlap each other. `begins`: where the stream begins in
    /// the oldest block there is.
    pub(super) fn between(&self, stream: &StreamId, from: WallTime, to: WallTime, oldest: u64, begins: &[WallTime]) -> Vec<Span> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::footer::StreamEntry;
    use crate::{
        coverage::NEIGHBOURS,
        format::spans::{HEADER, Header},
    };
    use domain::{CameraId, Channel, StreamKind};
    use proptest::prelude::*;
    use std::sync::Arc;

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
        /// Whatever time the clock says in whatever block, and whichever of them go, in whatever order: what is covered is what the
        /// blocks that are left cover.
        #[test]
        fn covers_what_the_blocks_cover(
            close in any::<bool>(),
            steps in prop::collection::vec((-60i64..60, 1i64..12, 0u8..8, any::<prop::sample::Index>()), 1..60),
        ) {
            // A clock that is set back by no more than `BACK` begins no run: exact only while the neighbours of what goes can be read.
            let second = if close { BACK } else { BACK + TOLERANCE };
            let (mut coverage, mut there, mut now) = (Spans::default(), Vec::<(u64, Arc<BlockTable>)>::new(), 300i64);
            for (n, (step, len, what, which)) in steps.into_iter().enumerate() {
                let sequence = n as u64 + 1;
                // Three in four go on where the last one ended.
                now += if what % 4 == 0 { step } else { 0 };
                let block = Arc::new(table(now * second, (now + len) * second));
                now += len;
                coverage.fold(sequence, &block);
                if what == 1 {
                    coverage.fold(sequence, &block);
                }
                there.push((sequence, block));
                if what >= 4 {
                    // One goes: the oldest is forgotten, any other punched out; some stay after all.
                    let at = which.index(there.len());
                    let (sequence, gone) = there.remove(at);
                    if at == 0 && what != 5 {
                        coverage.forget(there.first().map_or(u64::MAX, |(first, _)| *first));
                    } else {
                        let near = |n: &usize| (at.saturating_sub(NEIGHBOURS)..at + NEIGHBOURS).contains(n);
                        let others = (0..there.len()).filter(near).map(|n| there[n].clone()).collect();
                        coverage.let_go(&Left {
                            sequence,
                            gone: gone.clone(),
                            before: at.checked_sub(1).map(|n| there[n].0),
                            behind: there.get(at).map(|t| t.0),
                            others: Some(others).filter(|_| close || what != 6),
                        });
                    }
                    if what == 5 {
                        coverage.fold(sequence, &gone);
                        there.insert(at, (sequence, gone));
                    }
                }
                let list = coverage.streams.get(&id()).cloned().unwrap_or_default();
                prop_assert!(list.windows(2).all(|w| w[0].last <= w[1].first), "{list:?}");
            }
            let bytes = coverage.to_bytes(7);
            let header = Header::parse(&bytes).unwrap();
            prop_assert_eq!(header.upto, 7);
            let read = header.body(&bytes[HEADER..]).unwrap();
            let oldest = there.first();
            let begins: Vec<_> = oldest.iter().map(|(_, t)| t.streams[0].from).collect();
            let spans = read.between(&id(), WallTime(i64::MIN), WallTime(i64::MAX), oldest.map_or(u64::MAX, |(n, _)| *n), &begins);
            for t in -4000..4000 {
                let moment = WallTime(t * second + second / 2);
                let covered = there.iter().any(|(_, b)| b.streams[0].from <= moment && moment < b.streams[0].to);
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
