//! The index file: one line a block, so that a start need not visit every block. A cache.

use super::{
    FormatError,
    cursor::{Cursor, Fields, check},
    sequence,
};
use domain::WallTime;

const MAGIC: [u8; 4] = *b"MTIX";
const ENTRY_MAGIC: [u8; 4] = *b"MTIE";
/// Bytes of the fields at the front of the index file; entries begin at the next page.
pub const INDEX_HEADER: usize = 64;
/// Bytes of one entry; a divisor of the sector, so that an entry is never half written.
pub const INDEX_ENTRY: usize = 64;

/// The front of an index file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexHeader {
    /// The ring.
    pub ring: [u8; 16],
    /// Bytes of each block file.
    pub block_size: u64,
    /// Entries that follow.
    pub blocks: u32,
    /// Directories the ring had when this was written; 0 in files of before this was known.
    pub paths: u32,
}

impl IndexHeader {
    /// As bytes of the disk.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; INDEX_HEADER] {
        Fields::start(MAGIC).bytes(&[0, 0]).bytes(&self.ring).u64(self.block_size).u32(self.blocks).u32(self.paths).sealed()
    }

    /// Reads the front of an index file.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let bytes = bytes.get(..INDEX_HEADER).ok_or(FormatError::Short)?;
        let mut c = Cursor::new(bytes);
        c.start(MAGIC)?;
        check(bytes)?;
        c.u16()?;
        Ok(Self { ring: c.array()?, block_size: c.u64()?, blocks: c.u32()?, paths: c.u32()? })
    }
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BlockState {
    /// Never written, or not readable as a block of this ring.
    #[default]
    Empty,
    /// Being written, or left behind by a cut.
    Open,
    /// Ends in a footer.
    Sealed,
    /// Its recordings expired and were erased.
    Erased,
}

/// A block in few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BlockSummary {
    /// Sequence; 0 when empty.
    pub sequence: u64,
    /// What became of it.
    pub state: BlockState,
    /// Whether any record was begun under a clock that was not synchronised.
    pub clock_unsynced: bool,
    /// Earliest start of a record.
    pub from: WallTime,
    /// Latest end of a record.
    pub to: WallTime,
    /// Records.
    pub records: u32,
    /// Where the last batch ends.
    pub data_end: u32,
}

impl BlockSummary {
    /// As bytes of the disk.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; INDEX_ENTRY] {
        let state = match self.state {
            BlockState::Empty => 0,
            BlockState::Open => 1,
            BlockState::Sealed => 2,
            BlockState::Erased => 3,
        };
        Fields::start(ENTRY_MAGIC)
            .bytes(&[state, u8::from(self.clock_unsynced)])
            .u64(self.sequence)
            .i64(self.from.0)
            .i64(self.to.0)
            .u32(self.records)
            .u32(self.data_end)
            .sealed()
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let bytes = bytes.get(..INDEX_ENTRY).ok_or(FormatError::Short)?;
        let mut c = Cursor::new(bytes);
        c.start(ENTRY_MAGIC)?;
        check(bytes)?;
        let state = match c.u8()? {
            0 => BlockState::Empty,
            1 => BlockState::Open,
            2 => BlockState::Sealed,
            3 => BlockState::Erased,
            _ => return Err(FormatError::Value("block state")),
        };
        Ok(Self {
            state,
            clock_unsynced: c.u8()? & 1 != 0,
            sequence: sequence(c.u64()?)?,
            from: WallTime(c.i64()?),
            to: WallTime(c.i64()?),
            records: c.u32()?,
            data_end: c.u32()?,
        })
    }
}
