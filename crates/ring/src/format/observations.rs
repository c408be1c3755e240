//! The payload of an observations record: times and opaque texts, one a sample. It is what `moof mdat` is for media.

use super::{FormatError, cursor::Cursor};

const MAGIC: [u8; 4] = *b"MTOB";
/// Bytes in front of the table.
pub const OBSERVATIONS_HEADER: usize = 24;
const ROW: usize = 16;

/// One sample's row: the same fields as a fragment's piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// 90 kHz.
    pub duration: u32,
    /// Presentation minus decoding time, 90 kHz.
    pub cts_offset: i32,
    /// Bytes.
    pub size: u32,
    /// Can be read without the samples before it.
    pub random_access: bool,
}

/// What precedes the samples' bytes.
#[must_use]
pub fn header(encoding: u8, base_dts: u64, rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::with_capacity(OBSERVATIONS_HEADER + rows.len() * ROW);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&super::VERSION.to_le_bytes());
    out.extend_from_slice(&[encoding, 0]);
    out.extend_from_slice(&base_dts.to_le_bytes());
    out.extend_from_slice(&u32::try_from(rows.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    for row in rows {
        out.extend_from_slice(&row.duration.to_le_bytes());
        out.extend_from_slice(&row.cts_offset.to_le_bytes());
        out.extend_from_slice(&row.size.to_le_bytes());
        out.extend_from_slice(&u32::from(row.random_access).to_le_bytes());
    }
    out
}

/// A parsed payload; the samples' bytes begin at `data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observations {
    /// Version of the samples' encoding.
    pub encoding: u8,
    /// Decoding time of the first sample, 90 kHz.
    pub base_dts: u64,
    /// One a sample.
    pub rows: Vec<Row>,
    /// Where the samples' bytes begin in the payload.
    pub data: usize,
}

/// Reads a payload.
///
/// # Errors
/// What is wrong with the bytes, or rows that claim more bytes than there are.
pub fn parse(payload: &[u8]) -> Result<Observations, FormatError> {
    let mut c = Cursor::new(payload);
    c.start(MAGIC)?;
    let encoding = c.u8()?;
    c.u8()?;
    let base_dts = c.u64()?;
    let count = c.u32()? as usize;
    c.u32()?;
    let mut table = Cursor::new(c.slice(count.checked_mul(ROW).ok_or(FormatError::Value("row count"))?)?);
    let data = OBSERVATIONS_HEADER + count * ROW;
    let mut rows = Vec::with_capacity(count);
    let mut bytes = 0u64;
    for _ in 0..count {
        let row = Row {
            duration: table.u32()?,
            cts_offset: i32::from_le_bytes(table.array()?),
            size: table.u32()?,
            random_access: table.u32()? & 1 != 0,
        };
        bytes += u64::from(row.size);
        rows.push(row);
    }
    if bytes != (payload.len() - data) as u64 {
        return Err(FormatError::Value("sample sizes"));
    }
    Ok(Observations { encoding, base_dts, rows, data })
}
