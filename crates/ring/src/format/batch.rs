//! The batch: a page-aligned header with a directory, records behind it, padding to the page.

use super::{
    FormatError, PAGE,
    cursor::{Cursor, Fields, check},
    page_up,
    record::RECORD_HEADER,
    sequence,
};
use domain::WallTime;

const MAGIC: [u8; 4] = *b"MTBT";
/// Bytes of the batch header.
pub const BATCH_HEADER: usize = 64;
/// Bytes of one directory entry.
pub const ENTRY: usize = 12;
/// Most records of one batch: bounds what a reader allocates for a directory.
pub const MAX_RECORDS: usize = 16 * 1024;

/// Where a record lies in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From the batch's start.
    pub offset: u32,
    /// Header and payload.
    pub len: u32,
    /// The record header's own CRC field.
    pub header_crc: u32,
}

/// What stands in front of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Sequence of the block: a batch of an earlier generation of the file is not one of this block.
    pub block: u64,
    /// Counts the batches of the block from 0.
    pub number: u32,
    /// Batches below this number were durable before this one was written.
    pub synced_below: u32,
    /// Records.
    pub records: u32,
    /// Bytes from the header to the end of the padding.
    pub len: u32,
    /// When it was laid out.
    pub wall: WallTime,
    /// CRC-32 of the directory.
    directory_crc: u32,
}

impl BatchHeader {
    /// Bytes of header and directory for `records` records.
    #[must_use]
    pub const fn front(records: usize) -> usize {
        BATCH_HEADER + records * ENTRY
    }

    /// Bytes a batch of these records takes, padded.
    #[must_use]
    pub const fn total(records: usize, record_bytes: u64) -> u64 {
        page_up(Self::front(records) as u64 + record_bytes)
    }

    /// Header and directory as bytes of the disk.
    #[must_use]
    pub fn write(block: u64, number: u32, synced_below: u32, len: u32, wall: WallTime, entries: &[Entry]) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::front(entries.len()));
        out.resize(BATCH_HEADER, 0);
        for e in entries {
            out.extend_from_slice(&e.offset.to_le_bytes());
            out.extend_from_slice(&e.len.to_le_bytes());
            out.extend_from_slice(&e.header_crc.to_le_bytes());
        }
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let header: [u8; BATCH_HEADER] = Fields::start(MAGIC)
            .bytes(&[0, 0])
            .u64(block)
            .u32(number)
            .u32(synced_below)
            .u32(count)
            .u32(len)
            .i64(wall.0)
            .u32(crc32fast::hash(&out[BATCH_HEADER..]))
            .sealed();
        out[..BATCH_HEADER].copy_from_slice(&header);
        out
    }

    /// Reads the header; the directory follows [`BATCH_HEADER`] bytes behind.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let bytes = bytes.get(..BATCH_HEADER).ok_or(FormatError::Short)?;
        let mut c = Cursor::new(bytes);
        c.start(MAGIC)?;
        check(bytes)?;
        c.u16()?;
        let header = Self {
            block: sequence(c.u64()?)?,
            number: c.u32()?,
            synced_below: c.u32()?,
            records: c.u32()?,
            len: c.u32()?,
            wall: WallTime(c.i64()?),
            directory_crc: c.u32()?,
        };
        let records = header.records as usize;
        if records == 0 || records > MAX_RECORDS {
            return Err(FormatError::Value("record count"));
        }
        let least = Self::total(records, (records * RECORD_HEADER) as u64);
        if u64::from(header.len) < least || u64::from(header.len) % PAGE != 0 {
            return Err(FormatError::Value("batch length"));
        }
        Ok(header)
    }

    /// Reads the directory that belongs to this header.
    ///
    /// # Errors
    /// What is wrong with the bytes, or entries that leave the batch or overlap.
    pub fn directory(&self, bytes: &[u8]) -> Result<Vec<Entry>, FormatError> {
        let records = self.records as usize;
        let bytes = bytes.get(..records * ENTRY).ok_or(FormatError::Short)?;
        if crc32fast::hash(bytes) != self.directory_crc {
            return Err(FormatError::Crc);
        }
        let mut c = Cursor::new(bytes);
        let mut entries = Vec::with_capacity(records);
        let mut end = Self::front(records) as u64;
        for _ in 0..records {
            let e = Entry { offset: c.u32()?, len: c.u32()?, header_crc: c.u32()? };
            if u64::from(e.offset) < end || (e.len as usize) < RECORD_HEADER {
                return Err(FormatError::Value("directory entry"));
            }
            end = u64::from(e.offset) + u64::from(e.len);
            entries.push(e);
        }
        if end > u64::from(self.len) {
            return Err(FormatError::Value("directory entry"));
        }
        Ok(entries)
    }
}
