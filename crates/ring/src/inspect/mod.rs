//! A ring seen without trusting its index and its footers: behind `matthon ring scan`, `verify`, `rebuild` and `extract`.
//!
//! Belongs here: reading blocks from their own bytes, judging them, writing caches anew. Does not belong here: recording,
//! and questions about a range of time (`reader`). Everything but [`rebuild()`] only reads, beside a running daemon too; what
//! a running daemon rebuilds it writes itself.

mod block;
mod chains;
mod rebuild;
mod scan;
mod verify;

pub(crate) use rebuild::beside;
pub use rebuild::{Rebuilt, rebuild};
pub use scan::{BlockReport, BlockWord, Seal, scan};
pub use verify::{Finding, Verdict, What, verify};

use crate::{
    catalog::Catalog,
    disk::Disk,
    error::RingError,
    format::index::{BlockState, BlockSummary},
    reader::Reader,
    spec::RingSpec,
};
use std::sync::Arc;

/// A reader that believes blocks alone: its index is made anew, in memory. Reads every batch of blocks without a footer.
///
/// # Errors
/// When the ring cannot be laid out as the spec says. A block that cannot be read is a gap.
pub fn reader(spec: RingSpec, disk: Arc<dyn Disk>) -> Result<Reader, RingError> {
    spec.check()?;
    let mut slots = vec![BlockSummary::default(); spec.blocks()];
    let mut ring = None;
    for (slot, place) in slots.iter_mut().enumerate() {
        match disk.open(&spec.file(slot), false).and_then(|file| block::examine(&*file, &spec)) {
            Ok(seen) => {
                // Files of another ring are none of this one's.
                let own = ring.is_none() || seen.ring.is_none() || seen.ring == ring;
                if own {
                    ring = ring.or(seen.ring);
                    *place = seen.summary;
                }
            }
            Err(error) => tracing::warn!(ring = %spec.name, path = %spec.file(slot).display(), %error, "block cannot be read: a gap"),
        }
    }
    for slot in &mut slots {
        if slot.state == BlockState::Open && slot.records == 0 {
            *slot = BlockSummary { state: BlockState::Erased, ..*slot };
        }
    }
    Ok(Reader::of(Arc::new(Catalog::new(spec, disk, false, slots))))
}
