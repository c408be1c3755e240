//! Giving back the blocks of a ring that was made smaller. Their files stay until a footer of this run, with the chain
//! heads of every stream, is durable in the ring that stays: before it a start must be able to find the heads in them.

use super::{backoff::Backoff, core::Core};
use crate::{
    format::{PAGE, index::INDEX_ENTRY},
    spec::INDEX_NAME,
};
use std::{io::IoSlice, time::Duration};

/// Waits after a file would not go.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));

/// Slots beyond the ring's size whose files are still there, ascending.
#[derive(Debug, Default)]
pub(super) struct Release {
    slots: Vec<usize>,
    retry: Backoff,
}

impl Release {
    pub(super) fn of(slots: Vec<usize>) -> Self {
        Self { slots, retry: Backoff::default() }
    }
}

impl Core {
    /// Deletes one file, the highest number first: a start looks for left over blocks by counting up.
    pub(super) fn release_next(&mut self) {
        let now = self.clock.mono();
        let Some(&slot) = self.release.slots.last() else { return };
        if !self.sealed_by_this_run || !self.release.retry.is_due(now) {
            return;
        }
        let path = self.catalog.spec.file(slot);
        match self.catalog.disk.delete(&path) {
            Ok(()) => {
                self.release.slots.pop();
                self.release.retry = Backoff::default();
                tracing::info!(ring = %self.catalog.spec.name, path = %path.display(), "the ring is smaller now: a block and its recordings were deleted");
                self.forget_line(slot);
            }
            Err(error) => {
                self.release.retry.refused(now, RETRY.0, RETRY.1);
                self.trouble(&format!("the ring is smaller now, but {} cannot be deleted: {error}; trying again later", path.display()));
            }
        }
    }

    /// Makes the slot's line of the index one of a block that was never begun, for the day the ring grows again.
    fn forget_line(&self, slot: usize) {
        let (path, number) = self.catalog.spec.place(slot);
        let Some(dir) = self.catalog.spec.paths.get(path) else { return };
        let at = PAGE + (number * INDEX_ENTRY) as u64;
        let done = self.catalog.disk.open(&dir.join(INDEX_NAME), true).and_then(|f| f.write_all_at(&[IoSlice::new(&[0; INDEX_ENTRY])], at));
        if let Err(error) = done {
            // A stale line is found out by the header of its block.
            tracing::warn!(ring = %self.catalog.spec.name, dir = %dir.display(), %error, "cannot write the index");
        }
    }
}
