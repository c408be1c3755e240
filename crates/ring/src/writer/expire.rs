//! Erasing by age, and when the clock is to be trusted with it: a clock that reads 2099 must not wipe the evidence.

use super::core::Core;
use crate::format::{
    PAGE,
    index::{BlockState, BlockSummary},
};
use domain::{MonoTime, WallTime};
use std::time::Duration;

/// Wall and monotonic time seen together under a synchronised clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchor {
    pub(crate) wall: WallTime,
    pub(crate) mono: MonoTime,
}

/// How far wall and monotonic time may part before the wall is distrusted: 5 s, and 1 in 2000 for a bad crystal.
const SLACK: i64 = 5_000_000;
/// How long the two must have agreed since the start before anything is erased.
const SETTLE: Duration = Duration::from_secs(600);

impl Anchor {
    fn agrees(&self, wall: WallTime, mono: MonoTime) -> bool {
        let elapsed = i64::try_from(mono.since(self.mono).as_micros()).unwrap_or(i64::MAX);
        let parted = wall.micros_since(self.wall).saturating_sub(elapsed).saturating_abs();
        parted <= SLACK + elapsed / 2000
    }
}

impl Core {
    /// Erases one block whose recordings are all too old, the oldest first.
    pub(super) fn expire(&mut self) {
        let Some(max_age) = self.catalog.spec.max_age else { return };
        let Some(now) = self.trusted_wall() else { return };
        let mut slots: Vec<(usize, BlockSummary)> =
            self.catalog.slots().into_iter().enumerate().filter(|(_, s)| s.sequence > 0 && s.records > 0).collect();
        slots.sort_by_key(|(_, s)| s.sequence);
        let horizon = now.minus(max_age);
        // In the order of writing: a block in the middle that claims to be old was written under a wrong clock.
        let Some((slot, oldest)) = slots.first().copied() else { return };
        if oldest.state != BlockState::Sealed || expiry(&slots, now).is_none_or(|at| at > horizon) {
            return;
        }
        let erased = BlockSummary { state: BlockState::Erased, records: 0, data_end: PAGE as u32, ..oldest };
        // Unpublished first: whoever reads it this moment is told that it is gone.
        self.catalog.set(slot, erased);
        let path = self.catalog.spec.file(slot);
        let done = self.catalog.disk.open(&path, true).and_then(|f| {
            f.zero_range(PAGE, self.catalog.spec.block_size - PAGE)?;
            f.sync_data()
        });
        match done {
            Ok(()) => {
                tracing::info!(ring = %self.catalog.spec.name, block = oldest.sequence, until = %oldest.to, "recordings expired and were erased");
                self.write_index(slot, &erased, false);
            }
            Err(error) => {
                self.figures.errors += 1;
                tracing::warn!(path = %path.display(), %error, "cannot erase expired recordings: trying again");
                self.catalog.set(slot, oldest);
            }
        }
    }

    /// Wall time, when it is synchronised and has gone along with monotonic time for a while.
    fn trusted_wall(&mut self) -> Option<WallTime> {
        let (wall, mono) = (self.clock.wall(), self.clock.mono());
        if !self.clock.synchronised() {
            self.anchor = None;
            return None;
        }
        let anchor = *self.anchor.get_or_insert(Anchor { wall, mono });
        (anchor.agrees(wall, mono) && mono.since(anchor.mono) >= SETTLE).then_some(wall)
    }
}

/// When the first block's recordings end, by the first clock on the way that can be right.
fn expiry(slots: &[(usize, BlockSummary)], now: WallTime) -> Option<WallTime> {
    let (_, first) = slots.first()?;
    if !first.clock_unsynced && first.to <= now {
        return Some(first.to);
    }
    slots.iter().skip(1).find(|(_, s)| !s.clock_unsynced && s.to <= now).map(|(_, s)| s.from)
}
