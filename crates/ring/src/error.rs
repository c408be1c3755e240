//! What can go wrong with a ring, as a kind for code and a sentence for people.

use crate::format::FormatError;
use std::{io, path::PathBuf};

/// Errors of a ring.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The ring cannot be laid out as asked.
    #[error("ring `{ring}`: {reason}")]
    Spec {
        /// The ring's name.
        ring: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Another process records into this path.
    #[error("ring `{ring}`: {path} is in use by another matthon (it holds ring.lock): stop that one first, or give this ring another path")]
    Locked {
        /// The ring's name.
        ring: String,
        /// The path.
        path: PathBuf,
    },
    /// Not enough space for the blocks.
    #[error("ring `{ring}`: {path} needs {need} bytes more but only {free} are free: make `size` smaller in [[ring]], or free some space")]
    Space {
        /// The ring's name.
        ring: String,
        /// The path.
        path: PathBuf,
        /// Bytes still to be allocated.
        need: u64,
        /// Bytes free.
        free: u64,
    },
    /// The file system keeps no promise about power cuts.
    #[error(
        "ring `{ring}`: {path} lies on {kind}; only ext4 and xfs are taken, for only they keep through a power cut what was promised: \
         format a disk for it (mkfs.ext4), mount it there, or name a folder on such a disk in `paths`"
    )]
    FileSystem {
        /// The ring's name.
        ring: String,
        /// The path.
        path: PathBuf,
        /// The file system's name.
        kind: String,
    },
    /// None of the directories can be written to.
    #[error("ring `{ring}`: none of its paths can be recorded to ({why})")]
    NoPath {
        /// The ring's name.
        ring: String,
        /// What is wrong with each.
        why: String,
    },
    /// The file system said no.
    #[error("ring `{ring}`: cannot {what} {path}: {source}")]
    Io {
        /// The ring's name.
        ring: String,
        /// What was being done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The block was recycled while, or before, it was read: the recording is no longer there.
    #[error("ring `{ring}`: this recording has been overwritten (block {block} is gone)")]
    Gone {
        /// The ring's name.
        ring: String,
        /// Its sequence.
        block: u64,
    },
    /// The bytes are not what was written.
    #[error("ring `{ring}`: block {block} ({path}) is damaged at byte {offset}: {what}")]
    Damaged {
        /// The ring's name.
        ring: String,
        /// Its sequence.
        block: u64,
        /// Its file.
        path: PathBuf,
        /// From the file's start.
        offset: u64,
        /// What does not match.
        what: Damage,
    },
    /// The writer thread is gone.
    #[error("ring `{ring}`: the recorder did not stop in time: {reason}")]
    Stop {
        /// The ring's name.
        ring: String,
        /// Why.
        reason: String,
    },
}

/// What of a record does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The header.
    #[error("record header: {0}")]
    Header(FormatError),
    /// The payload's check sum.
    #[error("payload check sum")]
    Payload,
    /// The payload's structure.
    #[error("payload structure")]
    Structure,
    /// The samples' hash.
    #[error("media hash")]
    MediaHash,
    /// The disk gives an error for it, and not for the rest of its file: a sector that cannot be read.
    #[error("the disk cannot read it")]
    Sector,
}

impl RingError {
    /// Whether the recording was there once and is not any more, or is unreadable: a gap rather than a failure.
    #[must_use]
    pub fn is_gap(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Damaged { .. })
    }
}
