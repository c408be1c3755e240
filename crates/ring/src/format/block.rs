//! The block header: whose block this is and which generation of it.

use super::{
    FormatError, VERSION,
    cursor::{Cursor, Fields, check},
    sequence,
};
use domain::{MonoTime, WallTime};

const MAGIC: [u8; 4] = *b"MTBK";
/// Bytes of the header that carry fields; the page they open is zero behind them.
pub const BLOCK_HEADER: usize = 256;

/// What the first page of a block file says. The rest of the file belongs to it only where it repeats `sequence`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// The ring this file belongs to.
    pub ring: [u8; 16],
    /// Counts the blocks of the ring from 1; a recycled file gets the next number, so it is the file's generation.
    pub sequence: u64,
    /// Bytes of the file.
    pub block_size: u64,
    /// Bytes at the file's end kept for the footer.
    pub footer_size: u32,
    /// Whether the wall clock was to be trusted when the block was begun.
    pub clock_synchronised: bool,
    /// When the block was begun, by the wall.
    pub wall: WallTime,
    /// When the block was begun, since boot.
    pub mono: MonoTime,
    /// Which boot.
    pub boot: [u8; 16],
    /// The key that will sign the seal.
    pub public_key: [u8; 32],
}

impl BlockHeader {
    /// As bytes of the disk.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BLOCK_HEADER] {
        Fields::start(MAGIC)
            .bytes(&u16::from(self.clock_synchronised).to_le_bytes())
            .bytes(&self.ring)
            .u64(self.sequence)
            .u64(self.block_size)
            .u32(self.footer_size)
            .u32(0)
            .i64(self.wall.0)
            .u64(self.mono.0)
            .bytes(&self.boot)
            .bytes(&self.public_key)
            .sealed()
    }

    /// Reads the front of a block file.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let bytes = bytes.get(..BLOCK_HEADER).ok_or(FormatError::Short)?;
        let mut c = Cursor::new(bytes);
        c.start(MAGIC)?;
        check(bytes)?;
        let flags = c.u16()?;
        let header = Self {
            ring: c.array()?,
            sequence: sequence(c.u64()?)?,
            block_size: c.u64()?,
            footer_size: c.u32()?,
            clock_synchronised: flags & 1 != 0,
            wall: {
                c.u32()?;
                WallTime(c.i64()?)
            },
            mono: MonoTime(c.u64()?),
            boot: c.array()?,
            public_key: c.array()?,
        };
        if header.sequence == 0 {
            return Err(FormatError::Value("block sequence"));
        }
        Ok(header)
    }
}

const _: () = assert!(VERSION == 1);
