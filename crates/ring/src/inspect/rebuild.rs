//! Index and footers written anew from the blocks alone. The recordings themselves are not touched.

use super::block::{self, Examined};
use crate::{
    catalog::Catalog,
    disk::Disk,
    error::RingError,
    format::{
        footer::{Footer, SEAL_CLOCK_UNSYNCED, SEAL_RECOVERED},
        index::{BlockState, BlockSummary},
    },
    paths,
    sign::Signer,
    spec::RingSpec,
    table::BlockTable,
    writer::{
        self,
        mend::{Mend, Mends},
    },
};
use domain::WallTime;
use serde::{Deserialize, Serialize};
use std::io::IoSlice;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// Takes the ring's locks, reads every block once, writes missing footers and the whole index.
///
/// # Errors
/// [`RingError::Locked`] beside a running daemon, which is asked instead ([`crate::Recorder::rebuild`]); else as the disk says.
pub fn rebuild(spec: &RingSpec, disk: &dyn Disk, signer: &dyn Signer, now: WallTime) -> Result<Rebuilt, RingError> {
    spec.check()?;
    let (paths, _locks) = paths::open(spec, disk, now)?;
    let mut out = Rebuilt::default();
    let mut slots = vec![BlockSummary::default(); spec.blocks()];
    let mut order = Vec::new();
    for slot in 0..spec.blocks() {
        // Its number alone: what a block holds is read when its turn comes.
        match disk.open(&spec.file(slot), false).and_then(|file| block::sequence(&*file, spec)) {
            Ok(Some(sequence)) => order.push((sequence, slot)),
            Ok(None) => {}
            Err(error) => refused(spec, slot, &error, &mut out),
        }
    }
    order.sort_unstable();
    let newest = order.last().map_or(0, |(sequence, _)| *sequence);
    let (mut ring, mut previous) = (None, [0; 32]);
    for (sequence, slot) in order {
        let seen = match disk.open(&spec.file(slot), false).and_then(|file| block::examine(&*file, spec)) {
            Ok(seen) => seen,
            Err(error) => {
                refused(spec, slot, &error, &mut out);
                continue;
            }
        };
        if seen.ring.is_some() && ring.is_some() && seen.ring != ring {
            continue;
        }
        ring = ring.or(seen.ring);
        let Some(place) = slots.get_mut(slot) else { continue };
        *place = seen.summary;
        if seen.summary.records == 0 {
            place.state = BlockState::Erased;
            continue;
        }
        out.blocks += 1;
        out.records += u64::from(seen.summary.records);
        if let Some(footer) = &seen.footer {
            previous = footer.digest();
        } else if sequence != newest && paths.is_in(spec.place(slot).0) {
            // The newest is left to the recorder's own start, which knows how to.
            let mut footer = footer_of(&seen, ring.unwrap_or_default(), previous, now);
            let (bytes, digest) = footer.seal(signer);
            let done = disk.open(&spec.file(slot), true).and_then(|file| {
                file.write_all_at(&[IoSlice::new(&bytes)], spec.data_limit())?;
                file.sync_data()
            });
            match done {
                Ok(()) => {
                    out.footers += 1;
                    place.state = BlockState::Sealed;
                    previous = digest;
                }
                Err(error) => refused(spec, slot, &error, &mut out),
            }
        }
    }
    if let Some(ring) = ring {
        for (n, dir) in spec.paths.iter().enumerate().filter(|(n, _)| paths.is_in(*n)) {
            let failed = writer::start::io_error(spec, "write the index of", dir);
            writer::start::write_index(spec, disk, n, spec.paths.len(), ring, &slots).map_err(failed)?;
        }
    }
    Ok(out)
}

fn refused(spec: &RingSpec, slot: usize, error: &std::io::Error, out: &mut Rebuilt) {
    tracing::warn!(ring = %spec.name, path = %spec.file(slot).display(), %error, "the disk does not give or take this block");
    out.refused += 1;
}

/// The footer of a block that has none, as its batches say; not signed yet.
fn footer_of(seen: &Examined, ring: [u8; 16], previous: [u8; 32], now: WallTime) -> Footer {
    let table = BlockTable::of(&seen.scan);
    let s = table.summary(seen.summary.sequence, BlockState::Sealed, seen.scan.data_end);
    Footer {
        ring,
        sequence: s.sequence,
        flags: SEAL_RECOVERED | if s.clock_unsynced { SEAL_CLOCK_UNSYNCED } else { 0 },
        from: s.from,
        to: s.to,
        data_end: s.data_end,
        batches: seen.scan.batches,
        sealed: now,
        previous,
        samples: None,
        streams: table.streams,
        records: table.records,
        public_key: [0; 32],
        signature: [0; 64],
    }
}

/// The same beside the writer: blocks are read here, in the thread of whoever asks; each footer and the index are handed
/// to the writer, which puts them down between its batches. The block being written is never touched. `progress` is called
/// with blocks done and in all.
pub(crate) fn beside(catalog: &Catalog, mends: &Mends, now: WallTime, mut progress: impl FnMut(u64, u64)) -> Result<Rebuilt, RingError> {
    let (spec, mut out) = (&catalog.spec, Rebuilt::default());
    let mut order = Vec::new();
    for slot in (0..spec.blocks()).filter(|n| catalog.paths.is_in(spec.place(*n).0)) {
        match catalog.slot(slot).sequence {
            // Nobody knows it; the file may know better.
            0 => match disk_sequence(catalog, slot) {
                Ok(found) => order.extend(found.map(|sequence| (sequence, slot))),
                Err(error) => refused(spec, slot, &error, &mut out),
            },
            sequence => order.push((sequence, slot)),
        }
    }
    order.sort_unstable();
    let total = order.len() as u64;
    let mut previous = [0; 32];
    for (n, (sequence, slot)) in order.into_iter().enumerate() {
        progress(n as u64, total);
        let s = catalog.slot(slot);
        if s.state == BlockState::Erased || (s.sequence != 0 && s.sequence != sequence) || s.state == BlockState::Open {
            // The writer looks after what it has open, and after footers it still owes.
            continue;
        }
        out.blocks += 1;
        if s.state == BlockState::Sealed
            && let Ok(Some(footer)) = catalog.footer(slot, sequence)
        {
            out.records += u64::from(s.records);
            previous = footer.digest();
            continue;
        }
        let seen = match catalog.file(slot).and_then(|file| block::examine(&*file, spec)) {
            Ok(seen) => seen,
            Err(error) => {
                refused(spec, slot, &error, &mut out);
                continue;
            }
        };
        if seen.summary.sequence != sequence || seen.summary.records == 0 {
            continue;
        }
        out.records += u64::from(seen.summary.records);
        let footer = footer_of(&seen, seen.ring.unwrap_or_default(), previous, now);
        match mends.ask(Mend::Footer { slot, footer: Box::new(footer) }) {
            Ok(Some(digest)) => {
                out.footers += 1;
                previous = digest;
            }
            // Recycled meanwhile, or another ring's.
            Ok(None) => {}
            Err(error) => refused(spec, slot, &error, &mut out),
        }
    }
    progress(total, total);
    mends
        .ask(Mend::Index)
        .map_err(|e| catalog.io("write the index of", catalog.paths.first_in().map(Into::into).unwrap_or_default(), e))?;
    Ok(out)
}

fn disk_sequence(catalog: &Catalog, slot: usize) -> std::io::Result<Option<u64>> {
    block::sequence(&*catalog.file(slot)?, &catalog.spec)
}
