//! One file of the model: what a reader sees, what a cut certainly leaves, and what may or may not be there afterwards.

use super::pages::{PAGE, Pages, pieces};
use std::{collections::BTreeSet, sync::Arc};

/// What disks write whole or not at all.
pub(super) const SECTOR: usize = 512;

#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) len: u64,
    /// What a reader sees.
    pub(super) now: Pages,
    /// What a cut certainly leaves.
    durable: Pages,
    /// Written since the last sync, in order.
    pending: Vec<Write>,
    /// Written before a sync that was refused: readers see it, and no later sync makes it durable, until its page is written
    /// again. That is what Linux does: a refused page counts as clean.
    doubtful: Vec<Write>,
}

#[derive(Clone)]
struct Write {
    offset: u64,
    data: Arc<[u8]>,
}

impl File {
    /// Zeros.
    pub(super) fn of(len: u64) -> Self {
        Self { len, ..Self::default() }
    }

    pub(super) fn write(&mut self, offset: u64, data: Arc<[u8]>) {
        self.len = self.len.max(offset + data.len() as u64);
        self.now.put(offset, &data);
        self.pending.push(Write { offset, data });
    }

    pub(super) fn sync(&mut self) {
        let mut pages = BTreeSet::new();
        for w in std::mem::take(&mut self.pending) {
            self.durable.share(&self.now, w.offset, w.data.len());
            pages.extend(pieces(w.offset, w.data.len(), PAGE).map(|(at, _)| at / PAGE as u64));
        }
        self.doubtful.retain(|w| !pages.contains(&(w.offset / PAGE as u64)));
    }

    pub(super) fn sync_refused(&mut self) {
        for w in std::mem::take(&mut self.pending) {
            for (at, place) in pieces(w.offset, w.data.len(), PAGE) {
                self.doubtful.push(Write { offset: at, data: w.data[place].into() });
            }
        }
    }

    /// Whether a cut may leave it otherwise than it is.
    pub(super) fn unsettled(&self) -> bool {
        !self.pending.is_empty() || !self.doubtful.is_empty()
    }

    pub(super) fn unsynced(&self) -> usize {
        self.pending.len() + self.doubtful.len()
    }

    /// As a cut leaves it: of every write that no sync confirmed, those sectors that `choice` says. `write` counts writes.
    pub(super) fn cut(&self, write: &mut usize, choice: &mut impl FnMut(usize, u64) -> bool) -> Self {
        let mut pages = self.durable.clone();
        for w in self.doubtful.iter().chain(&self.pending) {
            for (at, place) in pieces(w.offset, w.data.len(), SECTOR) {
                if choice(*write, at) {
                    pages.put(at, &w.data[place]);
                }
            }
            *write += 1;
        }
        Self { len: self.len, now: pages.clone(), durable: pages, pending: Vec::new(), doubtful: Vec::new() }
    }

    /// Flips bits of a byte, durably.
    pub(super) fn flip(&mut self, offset: u64, mask: u8) {
        for pages in [&mut self.now, &mut self.durable] {
            let mut byte = [0];
            pages.get(offset, &mut byte);
            pages.put(offset, &[byte[0] ^ mask]);
        }
    }
}
