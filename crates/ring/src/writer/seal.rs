//! Footers: which blocks wait for one, what it says, and what becomes of a block that cannot get one.

use super::{
    backoff::Backoff,
    core::{Core, OpenBlock, Unsealed},
    place::small,
};
use crate::format::{
    footer::{Footer, SEAL_CLOCK_UNSYNCED, SEAL_RECOVERED, STREAM_ENTRY, StreamEntry},
    index::BlockState,
};
use domain::{MonoTime, WallTime};
use std::{io::IoSlice, time::Duration};

/// A block whose footer was refused so often is no longer spared: it is recycled and erased like any other.
const SEAL_TRIES: u32 = 5;
/// Waits between tries.
const SEAL_RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));

impl Unsealed {
    /// Whether its footer can still be expected soon.
    pub(super) fn is_fresh(&self) -> bool {
        self.tries < SEAL_TRIES
    }
}

impl Core {
    /// Puts a block aside for its footer.
    pub(super) fn retire(&mut self, open: OpenBlock, flags: u32) {
        self.unsealed.push_back(Unsealed {
            slot: open.slot,
            sequence: open.sequence,
            data_end: open.at,
            batches: open.batches,
            table: open.table,
            heads: self.heads.clone(),
            flags,
            tries: 0,
            retry: Backoff::default(),
        });
        self.seal_next();
    }

    /// Writes one footer that is due.
    pub(super) fn seal_next(&mut self) {
        let now = self.clock.mono();
        if let Some(at) = self.unsealed.iter().position(|u| u.retry.is_due(now)) {
            self.seal(at, now);
        }
    }

    /// Writes every footer that can be written, due or not.
    pub(super) fn seal_all(&mut self) {
        let now = self.clock.mono();
        for _ in 0..self.unsealed.len() {
            self.seal(0, now);
        }
    }

    fn seal(&mut self, at: usize, now: MonoTime) {
        let Some(mut u) = self.unsealed.remove(at) else { return };
        if self.catalog.slot(u.slot).sequence != u.sequence {
            return;
        }
        let mut footer = self.footer(&u);
        let (bytes, digest) = footer.seal(&*self.signer);
        let path = self.catalog.spec.file(u.slot);
        let done = self.catalog.disk.open(&path, true).and_then(|f| {
            f.write_all_at(&[IoSlice::new(&bytes)], self.catalog.spec.data_limit())?;
            f.sync_data()
        });
        match done {
            Ok(()) => {
                self.last_seal = digest;
                let summary = u.table.summary(u.sequence, BlockState::Sealed, u.data_end);
                self.write_index(u.slot, &summary, false);
                // Known to be covered before it is open no longer: whoever asks this moment finds it in one of both.
                let oldest = self.catalog.oldest_sequence();
                let due = self.catalog.coverage.sealed(u.sequence, &u.table, oldest);
                self.catalog.set(u.slot, summary);
                if due {
                    self.save_coverage();
                }
                self.forget_older_than(oldest);
                self.sealed_by_this_run |= u.flags & SEAL_RECOVERED == 0;
            }
            Err(error) => {
                u.tries += 1;
                u.retry.refused(now, SEAL_RETRY.0, SEAL_RETRY.1);
                let what = format!("cannot write the footer of {}: {error}; trying again later", path.display());
                self.trouble(&what);
                self.unsealed.push_back(u);
            }
        }
    }

    /// Writes the snapshot of what is covered. A cache: that it could not be written is told, and costs a slower start.
    pub(crate) fn save_coverage(&mut self) {
        let open = self.open.iter().map(|o| o.sequence).chain(self.unsealed.iter().map(|u| u.sequence)).min();
        let upto = open.map_or(self.sequence, |first| first.saturating_sub(1));
        if let Err(error) = self.catalog.coverage.save(&self.catalog, upto) {
            self.trouble(&format!("cannot write the list of what is covered: {error}; trying again later"));
        }
    }

    /// Heads of streams none of whose records is left are not carried on for ever.
    fn forget_older_than(&mut self, oldest: u64) {
        let live = self.live_streams();
        self.heads.retain(|id, h| h.last_block >= oldest || live.contains(id));
    }

    fn footer(&self, u: &Unsealed) -> Footer {
        let summary = u.table.summary(u.sequence, BlockState::Sealed, u.data_end);
        let mut streams = u.table.streams.clone();
        let mut others: Vec<_> = u.heads.iter().filter(|(id, _)| u.table.line(id).is_none()).collect();
        others.sort_by_key(|(_, h)| std::cmp::Reverse(h.last_block));
        // Streams without a record here are named as far as there is room, the latest first: after cameras were renamed
        // both sets can be more than `fitting` counted, and the footer must never run past the end of the file.
        let spec = &self.catalog.spec;
        let room = spec.footer_size().saturating_sub(Footer::size(0, u.table.records.len()) as u64);
        let lines = usize::try_from(room).unwrap_or(usize::MAX) / STREAM_ENTRY;
        others.truncate(lines.min(spec.max_streams()).saturating_sub(streams.len()));
        streams.extend(others.into_iter().map(|(id, h)| StreamEntry {
            stream: (**id).clone(),
            records: 0,
            from: WallTime(0),
            to: WallTime(0),
            gaps: false,
            next_seq: h.next_seq,
            next_gop: h.next_gop,
            last_block: h.last_block,
            chain: h.chain,
            format: h.format,
        }));
        // A cache: it is left out where it finds no room.
        let tables = Footer::size(streams.len(), u.table.records.len()) as u64;
        let samples = u.table.samples().filter(|t| tables + t.size() as u64 <= spec.footer_size()).cloned();
        Footer {
            ring: self.ring,
            sequence: u.sequence,
            flags: u.flags | if summary.clock_unsynced { SEAL_CLOCK_UNSYNCED } else { 0 },
            from: summary.from,
            to: summary.to,
            data_end: small(u.data_end),
            batches: u.batches,
            sealed: self.clock.wall(),
            previous: self.last_seal,
            streams,
            samples,
            records: u.table.records.clone(),
            public_key: [0; 32],
            signature: [0; 64],
        }
    }
}
