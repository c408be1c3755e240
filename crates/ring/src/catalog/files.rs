//! What is read of a ring's files to know its blocks: the index, and of a block its footer, its header or its first batch.

use crate::{
    disk::{Disk, DiskFile, read_exact_at},
    error::RingError,
    format::{
        PAGE,
        batch::{BATCH_HEADER, BatchHeader},
        footer::{FOOTER_HEADER, Footer},
        index::{BlockState, BlockSummary, INDEX_ENTRY, INDEX_HEADER, IndexHeader},
    },
    recover,
    spec::{INDEX_NAME, RingSpec},
};
use std::io;

/// What the index files say. `damaged` counts entries that could not be read and were read from their blocks instead.
pub(crate) struct Index {
    pub(crate) ring: Option<[u8; 16]>,
    pub(crate) slots: Vec<BlockSummary>,
    pub(crate) damaged: usize,
    /// Directories the ring had when they were written: the most that any of them says.
    pub(crate) paths: usize,
    /// Some of them says another number than there are now.
    pub(crate) differ: bool,
}

pub(crate) fn read_footer(file: &dyn DiskFile, spec: &RingSpec, sequence: u64) -> io::Result<Option<Footer>> {
    Ok(any_footer(file, spec)?.filter(|f| f.sequence == sequence))
}

/// The footer that lies at a block's end, of whichever sequence.
pub(crate) fn any_footer(file: &dyn DiskFile, spec: &RingSpec) -> io::Result<Option<Footer>> {
    let mut bytes = vec![0; FOOTER_HEADER];
    read_exact_at(file, spec.data_limit(), &mut bytes)?;
    let Ok(len) = Footer::len_of(&bytes) else { return Ok(None) };
    if len as u64 > spec.footer_size() {
        return Ok(None);
    }
    bytes.resize(len, 0);
    read_exact_at(file, spec.data_limit(), &mut bytes)?;
    Ok(Footer::parse(&bytes).ok())
}

/// A block's summary from the block alone.
pub(crate) fn summary_from_block(
    file: &dyn DiskFile,
    spec: &RingSpec,
    ring: Option<[u8; 16]>,
) -> io::Result<(Option<[u8; 16]>, BlockSummary)> {
    let empty = (None, BlockSummary::default());
    let sealed = |f: &Footer| BlockSummary {
        sequence: f.sequence,
        state: BlockState::Sealed,
        clock_unsynced: f.flags & crate::format::footer::SEAL_CLOCK_UNSYNCED != 0,
        from: f.from,
        to: f.to,
        records: u32::try_from(f.records.len()).unwrap_or(u32::MAX),
        data_end: f.data_end,
    };
    let Some(header) = recover::block_header(file)? else {
        // A rotten header costs nothing: footer and batches repeat whose they are, and the newer of both is right.
        let footer = any_footer(file, spec)?.filter(|f| ring.is_none_or(|r| r == f.ring));
        let written = first_batch(file)?.filter(|n| footer.as_ref().is_none_or(|f| *n > f.sequence));
        if let Some(sequence) = written {
            return Ok((None, BlockSummary { sequence, state: BlockState::Open, ..BlockSummary::default() }));
        }
        return Ok(footer.map_or(empty, |f| (Some(f.ring), sealed(&f))));
    };
    if header.block_size != spec.block_size || ring.is_some_and(|r| r != header.ring) {
        return Ok(empty);
    }
    let summary = match read_footer(file, spec, header.sequence)? {
        Some(f) => sealed(&f),
        None => BlockSummary { sequence: header.sequence, state: BlockState::Open, ..BlockSummary::default() },
    };
    Ok((Some(header.ring), summary))
}

/// The block that the batch at a file's front says it belongs to.
pub(crate) fn first_batch(file: &dyn DiskFile) -> io::Result<Option<u64>> {
    let mut page = vec![0; BATCH_HEADER];
    read_exact_at(file, PAGE, &mut page)?;
    Ok(BatchHeader::parse(&page).ok().map(|b| b.block))
}

/// Reads the index files of the paths that are asked; a missing or damaged line is read from its block. The blocks of
/// the others are as if they had never been begun.
pub(crate) fn read_index(spec: &RingSpec, disk: &dyn Disk, asked: impl Fn(usize) -> bool) -> Result<Index, RingError> {
    let blocks = spec.blocks();
    let mut out = Index { ring: None, slots: vec![BlockSummary::default(); blocks], damaged: 0, paths: 0, differ: false };
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for (n, dir) in spec.paths.iter().enumerate() {
        if !asked(n) {
            lines.push(Vec::new());
            continue;
        }
        let mut bytes = vec![0; usize::try_from(index_size(spec.blocks_in(n))).unwrap_or(0)];
        let read = disk.open(&dir.join(INDEX_NAME), false).and_then(|f| f.read_at(0, &mut bytes));
        let header = IndexHeader::parse(&bytes).ok().filter(|h| h.block_size == spec.block_size);
        match (read, header) {
            (Ok(_), Some(h)) if out.ring.is_none_or(|r| r == h.ring) => {
                out.ring = Some(h.ring);
                out.paths = out.paths.max(h.paths as usize);
                out.differ |= h.paths as usize != spec.paths.len();
                lines.push(bytes);
            }
            (Ok(_), Some(_)) => {
                let reason =
                    format!("{} belongs to another ring than the paths before it: move its files away or correct `paths`", dir.display());
                return Err(RingError::Spec { ring: spec.name.clone(), reason });
            }
            _ => lines.push(Vec::new()),
        }
    }
    for slot in 0..blocks {
        let (path, number) = spec.place(slot);
        if !asked(path) {
            continue;
        }
        let at = usize::try_from(PAGE).unwrap_or(0) + number * INDEX_ENTRY;
        let line = lines.get(path).and_then(|l| l.get(at..at + INDEX_ENTRY));
        let summary = match line.map(BlockSummary::parse) {
            Some(Ok(summary)) => summary,
            // A line of zeros is a block that was never begun.
            Some(Err(_)) if line.is_some_and(|l| l.iter().all(|&b| b == 0)) => BlockSummary::default(),
            _ => {
                out.damaged += 1;
                let found = disk.open(&spec.file(slot), false).and_then(|f| summary_from_block(&*f, spec, out.ring));
                // A block that cannot be read holds nothing that could be.
                let (ring, summary) = found.unwrap_or_default();
                out.ring = out.ring.or(ring);
                summary
            }
        };
        if let Some(place) = out.slots.get_mut(slot) {
            *place = summary;
        }
    }
    Ok(out)
}

/// Bytes of an index file of so many blocks.
pub(crate) fn index_size(blocks: usize) -> u64 {
    PAGE + (blocks * INDEX_ENTRY) as u64
}

const _: () = assert!(INDEX_HEADER as u64 <= PAGE);
