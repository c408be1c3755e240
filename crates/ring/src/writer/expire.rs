//! Erasing by age, under a clock that is to be trusted with it (`domain::ClockTrust`): one that reads 2099 must not wipe the evidence.

use super::core::Core;
use crate::format::{
    PAGE,
    index::{BlockState, BlockSummary},
};
use domain::MonoTime;
use std::{collections::HashSet, ops::ControlFlow, time::Duration};

/// How often it is looked whether something has expired, while nothing has.
const LOOK: Duration = Duration::from_secs(1);
/// Waits after a path would not erase.
const ERASE_RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

impl Core {
    /// Erases one block whose recordings are all too old, the oldest first.
    pub(super) fn expire(&mut self) {
        let Some(max_age) = self.catalog.spec.max_age else { return };
        let Some(now) = self.trusted else { return };
        let mono = self.clock.mono();
        if mono < self.expire_at {
            return;
        }
        let spec = &self.catalog.spec;
        let held: HashSet<usize> =
            self.unsealed.iter().filter(|u| u.is_fresh()).map(|u| u.slot).chain(self.open.as_ref().map(|o| o.slot)).collect();
        let horizon = now.minus(max_age);
        // In the order of writing: a block in the middle that claims to be old was written under a wrong clock.
        // Paths that would not erase are passed over: one bad disk must not keep what lies on the others.
        let due = |slot: usize| {
            let path = spec.place(slot).0;
            self.catalog.paths.is_in(path) && self.unerased.get(&path).is_none_or(|b| b.is_due(mono))
        };
        let mut first: Option<(usize, BlockSummary)> = None;
        let ends = self.catalog.walk(|slot, s| match first {
            None if !due(slot) => ControlFlow::Continue(()),
            None if held.contains(&slot) => ControlFlow::Break(None),
            None => {
                first = Some((slot, *s));
                if s.clock_unsynced || s.to > now { ControlFlow::Continue(()) } else { ControlFlow::Break(Some(s.to)) }
            }
            // The first clock on the way that can be right says when the oldest recordings end.
            Some(_) if !s.clock_unsynced && s.to <= now => ControlFlow::Break(Some(s.from)),
            Some(_) => ControlFlow::Continue(()),
        });
        match (first, ends.flatten()) {
            (Some((slot, oldest)), Some(end)) if end <= horizon => self.erase(slot, oldest, mono),
            _ => self.expire_at = mono.plus(LOOK),
        }
    }

    fn erase(&mut self, slot: usize, oldest: BlockSummary, now: MonoTime) {
        let erased = BlockSummary { state: BlockState::Erased, records: 0, data_end: PAGE as u32, ..oldest };
        let left = self.catalog.coverage.leaving(&self.catalog, slot);
        // Unpublished first: whoever reads it this moment is told that it is gone.
        self.catalog.set(slot, erased);
        let path = self.catalog.spec.file(slot);
        let zeroed = self.catalog.disk.open(&path, true).and_then(|f| {
            f.zero_range(PAGE, self.catalog.spec.block_size - PAGE)?;
            Ok(f)
        });
        let stayed = zeroed.is_err();
        if !stayed {
            // No footer is written over zeros.
            self.unsealed.retain(|u| u.slot != slot);
        }
        let done = zeroed.and_then(|f| f.sync_data());
        let place = self.catalog.spec.place(slot).0;
        match done {
            Ok(()) => {
                tracing::info!(ring = %self.catalog.spec.name, block = oldest.sequence, until = %oldest.to, "recordings expired and were erased");
                self.unerased.remove(&place);
                self.write_index(slot, &erased, false);
            }
            Err(error) => {
                // Once zeros lie over it nothing of it can be shown, also while the disk does not say that they are durable: a start
                // that finds it again erases it again.
                if stayed {
                    self.catalog.set(slot, oldest);
                    if let Some(left) = &left {
                        self.catalog.coverage.stayed(left);
                    }
                }
                self.unerased.entry(place).or_default().refused(now, ERASE_RETRY.0, ERASE_RETRY.1);
                self.trouble(&format!(
                    "cannot erase the expired recordings of {}: {error}; trying again later (look at the disk's cables and health)",
                    path.display()
                ));
            }
        }
    }
}
