//! The bytes on the disk, one module a structure: pure parsing and writing, little-endian, as `FORMAT.md` describes them.
//!
//! Belongs here: offsets, magics, checks. Does not belong here: files, clocks, decisions. Every parser takes hostile bytes:
//! it answers with an error, never with a panic, and allocates nothing from a length it has not checked.

pub mod batch;
pub mod block;
pub mod cursor;
pub mod footer;
pub mod index;
pub mod observations;
pub mod record;
pub mod samples;
pub mod spans;

/// Version of every structure of this format.
pub const VERSION: u16 = 1;
/// Batches, headers and footers begin on this boundary: what one `fdatasync` has made durable shares no page with a later write.
pub const PAGE: u64 = 4096;

/// Why bytes are not the structure they were read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Fewer bytes than the structure has.
    #[error("too short")]
    Short,
    /// The first bytes are something else.
    #[error("no magic")]
    Magic,
    /// Written by a newer program.
    #[error("version {0} is newer than this program reads")]
    Version(u16),
    /// The check sum does not match.
    #[error("check sum does not match")]
    Crc,
    /// A field holds what it cannot.
    #[error("impossible {0}")]
    Value(&'static str),
}

/// No block is counted higher: bytes that say so are not a ring's, and counting on from them must not overflow.
pub const MAX_SEQUENCE: u64 = 1 << 62;

/// A block's sequence as read from a disk.
pub(crate) fn sequence(n: u64) -> Result<u64, FormatError> {
    if n > MAX_SEQUENCE { Err(FormatError::Value("block sequence")) } else { Ok(n) }
}

/// Rounds up to a whole number of pages; saturates.
#[must_use]
pub const fn page_up(n: u64) -> u64 {
    n.saturating_add(PAGE - 1) / PAGE * PAGE
}
