//! Index and footers written anew from the blocks alone. The recordings themselves are not touched.

use super::block;
use crate::{
    disk::Disk,
    error::RingError,
    format::{
        footer::{Footer, SEAL_CLOCK_UNSYNCED, SEAL_RECOVERED},
        index::{BlockState, BlockSummary},
    },
    sign::Signer,
    spec::RingSpec,
    table::BlockTable,
    writer,
};
use domain::WallTime;
use serde::Serialize;
use std::io::IoSlice;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Blocks with recordings.
    pub blocks: u64,
    /// Records in them.
    pub records: u64,
    /// Footers that were missing or damaged, and are there again, signed.
    pub footers: u64,
    /// Blocks the disk did not give or take: they are as they were.
    pub refused: u64,
}

/// Takes the ring's locks, reads every block, writes missing footers and the whole index.
///
/// # Errors
/// [`RingError::Locked`] beside a running daemon, which keeps both itself; else as the disk says.
pub fn rebuild(spec: &RingSpec, disk: &dyn Disk, signer: &dyn Signer, now: WallTime) -> Result<Rebuilt, RingError> {
    spec.check()?;
    let _locks = writer::start::lock(spec, disk)?;
    let mut out = Rebuilt::default();
    let mut ring = None;
    let mut slots = vec![BlockSummary::default(); spec.blocks()];
    let mut order = Vec::new();
    for (slot, place) in slots.iter_mut().enumerate() {
        let Ok(seen) = disk.open(&spec.file(slot), false).and_then(|file| block::examine(&*file, spec)) else {
            out.refused += 1;
            continue;
        };
        if seen.ring.is_some() && ring.is_some() && seen.ring != ring {
            continue;
        }
        ring = ring.or(seen.ring);
        *place = seen.summary;
        if seen.summary.records == 0 && seen.summary.sequence > 0 {
            *place = BlockSummary { state: BlockState::Erased, ..seen.summary };
        } else if seen.summary.sequence > 0 {
            order.push((seen.summary.sequence, slot));
        }
    }
    order.sort_unstable();
    let mut previous = [0; 32];
    let newest = order.last().map_or(0, |(sequence, _)| *sequence);
    for (sequence, slot) in order {
        out.blocks += 1;
        out.records += u64::from(slots.get(slot).map_or(0, |s| s.records));
        let sealed = reseal(spec, disk, signer, now, ring.unwrap_or_default(), slot, sequence == newest, &mut previous);
        match sealed {
            Ok(true) => {
                out.footers += 1;
                if let Some(s) = slots.get_mut(slot) {
                    s.state = BlockState::Sealed;
                }
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(ring = %spec.name, path = %spec.file(slot).display(), %error, "no footer could be written");
                out.refused += 1;
            }
        }
    }
    if let Some(ring) = ring {
        writer::start::write_index(spec, disk, ring, &slots)?;
    }
    Ok(out)
}

/// Gives a block its footer if it has none. The newest is left to the recorder's own start, which knows how to.
#[allow(clippy::too_many_arguments, reason = "one block and all that its footer says")]
fn reseal(
    spec: &RingSpec,
    disk: &dyn Disk,
    signer: &dyn Signer,
    now: WallTime,
    ring: [u8; 16],
    slot: usize,
    newest: bool,
    previous: &mut [u8; 32],
) -> std::io::Result<bool> {
    let file = disk.open(&spec.file(slot), true)?;
    let seen = block::examine(&*file, spec)?;
    if let Some(footer) = &seen.footer {
        *previous = footer.digest();
        return Ok(false);
    }
    if newest {
        return Ok(false);
    }
    let table = BlockTable::of(&seen.scan);
    let s = table.summary(seen.summary.sequence, BlockState::Sealed, seen.scan.data_end);
    let mut footer = Footer {
        ring,
        sequence: s.sequence,
        flags: SEAL_RECOVERED | if s.clock_unsynced { SEAL_CLOCK_UNSYNCED } else { 0 },
        from: s.from,
        to: s.to,
        data_end: s.data_end,
        batches: seen.scan.batches,
        sealed: now,
        previous: *previous,
        samples: None,
        streams: table.streams,
        records: table.records,
        public_key: [0; 32],
        signature: [0; 64],
    };
    let (bytes, digest) = footer.seal(signer);
    file.write_all_at(&[IoSlice::new(&bytes)], spec.data_limit())?;
    file.sync_data()?;
    *previous = digest;
    Ok(true)
}
