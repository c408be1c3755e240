//! Every block file in a line: what it is, what it holds, whether its seal is good.

use super::block::{self, Examined};
use crate::{disk::Disk, error::RingError, format::footer::Footer, spec::RingSpec};
use domain::WallTime;
use serde::Serialize;
use std::path::PathBuf;

/// What a block file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockWord {
    /// Never written, or erased.
    Empty,
    /// Has no footer: being written, or left by a cut.
    Open,
    /// Has its footer.
    Sealed,
    /// Belongs to another ring.
    Foreign,
    /// The disk does not give it.
    Unreadable,
}

/// What a seal is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Seal {
    /// There is none.
    None,
    /// The signature is that of the key it names.
    Good,
    /// It is not.
    Bad,
}

/// A block file in a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockReport {
    /// Its file.
    pub path: PathBuf,
    /// What it is.
    pub state: BlockWord,
    /// Its sequence, 0 when it has none.
    pub sequence: u64,
    /// Records that can be found in it.
    pub records: u32,
    /// Earliest start of a record.
    pub from: Option<WallTime>,
    /// Latest end of a record.
    pub to: Option<WallTime>,
    /// Bytes up to the end of its last batch.
    pub data_end: u64,
    /// Whether something behind that was cut off as torn.
    pub torn: bool,
    /// Records that were durable once and cannot be read.
    pub damaged: u32,
    /// Whether its header can be read.
    pub header: bool,
    /// What its seal is worth.
    pub seal: Seal,
}

/// Looks at every block file, in the order of the files.
///
/// # Errors
/// When the ring cannot be laid out as the spec says; what the disk refuses is told of the block alone.
pub fn scan(spec: &RingSpec, disk: &dyn Disk, mut each: impl FnMut(BlockReport)) -> Result<(), RingError> {
    spec.check()?;
    let mut ring = None;
    for slot in 0..spec.blocks() {
        let path = spec.file(slot);
        let seen = disk.open(&path, false).and_then(|file| block::examine(&*file, spec));
        each(match seen {
            Ok(seen) => {
                ring = ring.or(seen.ring);
                report(path, &seen, seen.ring.is_some() && seen.ring != ring)
            }
            Err(error) => {
                tracing::warn!(ring = %spec.name, path = %path.display(), %error, "cannot be read");
                BlockReport { state: BlockWord::Unreadable, ..report(path, &Examined::default(), false) }
            }
        });
    }
    Ok(())
}

fn report(path: PathBuf, seen: &Examined, foreign: bool) -> BlockReport {
    let s = &seen.summary;
    let state = match (&seen.footer, s.records) {
        _ if foreign => BlockWord::Foreign,
        (Some(_), _) => BlockWord::Sealed,
        (None, 0) => BlockWord::Empty,
        (None, _) => BlockWord::Open,
    };
    let some = |t| (s.records > 0).then_some(t);
    BlockReport {
        path,
        state,
        sequence: s.sequence,
        records: s.records,
        from: some(s.from),
        to: some(s.to),
        data_end: s.data_end.into(),
        torn: seen.scan.torn && seen.footer.is_none(),
        damaged: seen.scan.damaged,
        header: seen.header.is_some(),
        seal: seal(seen.footer.as_ref()),
    }
}

pub(super) fn seal(footer: Option<&Footer>) -> Seal {
    match footer {
        None => Seal::None,
        Some(f) if f.signed() => Seal::Good,
        Some(_) => Seal::Bad,
    }
}
