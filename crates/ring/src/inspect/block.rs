//! One block file from its own bytes: whose it is, what its batches hold, what its footer says.

use crate::{
    catalog::{any_footer, first_batch},
    disk::DiskFile,
    format::{
        PAGE,
        block::BlockHeader,
        footer::Footer,
        index::{BlockState, BlockSummary},
    },
    recover::{self, Scan},
    spec::RingSpec,
    table::BlockTable,
};
use std::io;

/// What a block file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Examined {
    /// Whose it says it is; None when neither header nor footer can be read.
    pub(super) ring: Option<[u8; 16]>,
    /// Its header, when that can be read.
    pub(super) header: Option<BlockHeader>,
    /// The footer of this sequence, whole.
    pub(super) footer: Option<Footer>,
    /// What its batches hold.
    pub(super) scan: Scan,
    /// In few words, as the index would say it.
    pub(super) summary: BlockSummary,
}

/// The sequence a block claims, with a look at its ends only; `None`: it holds nothing of a ring.
pub(super) fn sequence(file: &dyn DiskFile, spec: &RingSpec) -> io::Result<Option<u64>> {
    let header = recover::block_header(file)?.filter(|h| h.block_size == spec.block_size);
    Ok(match header {
        Some(header) => Some(header.sequence),
        None => claimed(file, any_footer(file, spec)?.as_ref())?,
    }
    .filter(|sequence| *sequence > 0))
}

/// What is left of a block without its header says which it was: the newest of it.
fn claimed(file: &dyn DiskFile, footer: Option<&Footer>) -> io::Result<Option<u64>> {
    Ok(first_batch(file)?.max(footer.map(|f| f.sequence)))
}

/// Reads a block.
pub(super) fn examine(file: &dyn DiskFile, spec: &RingSpec) -> io::Result<Examined> {
    let header = recover::block_header(file)?.filter(|h| h.block_size == spec.block_size);
    let footer = any_footer(file, spec)?;
    // The header of a reused file is durable before anything else in it changes. Without one, the newest of what is left
    // of the block says which block it was.
    let sequence = match (&header, &footer) {
        (Some(h), _) => h.sequence,
        (None, footer) => claimed(file, footer.as_ref())?.unwrap_or(0),
    };
    if sequence == 0 {
        return Ok(Examined::default());
    }
    let footer = footer.filter(|f| f.sequence == sequence);
    let ring = header.as_ref().map(|h| h.ring).or(footer.as_ref().map(|f| f.ring));
    let scan = recover::scan(file, sequence, spec.data_limit(), PAGE, 0)?;
    let summary = match &footer {
        Some(f) => BlockTable::of_footer(f.clone()).summary(sequence, BlockState::Sealed, f.data_end.into()),
        None => BlockTable::of(&scan).summary(sequence, BlockState::Open, scan.data_end),
    };
    Ok(Examined { ring, header, footer, scan, summary })
}
