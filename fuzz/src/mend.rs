//! Check sums made to fit after a mutation, at the places `crates/ring/FORMAT.md` gives: without this nothing but the sums
//! themselves would ever be tried. That these places are right is a test: mending what the writer wrote changes nothing.

use ring::format::{
    PAGE,
    batch::{BATCH_HEADER, ENTRY},
    block::BLOCK_HEADER,
    footer::FOOTER_HEADER,
    record::RECORD_HEADER,
};
use sha2::{Digest, Sha256};

/// CRC of a record's payload.
const PAYLOAD_LEN: usize = 128;
const PAYLOAD_CRC: usize = 132;
/// Of a batch: how many records, and the CRC of its directory.
const RECORDS: usize = 24;
const DIRECTORY_CRC: usize = 40;
/// Of a footer: the SHA-256 of its tables.
const TABLES_HASH: usize = 112;

fn number(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b) as usize)
}

/// The CRC of a structure of `len` bytes at `at`, in its last four.
pub fn seal(bytes: &mut [u8], at: usize, len: usize) -> Option<u32> {
    let (body, last) = bytes.get_mut(at..at.checked_add(len)?)?.split_last_chunk_mut::<4>()?;
    let crc = crc32fast::hash(body);
    *last = crc.to_le_bytes();
    Some(crc)
}

/// A structure whose check sum lies in the last of its `len` bytes.
#[must_use]
pub fn sealed(bytes: &[u8], len: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    seal(&mut out, 0, len);
    out
}

/// A footer and its tables.
#[must_use]
pub fn footer(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    seal(&mut out, 0, FOOTER_HEADER);
    // How far its tables go it says itself, once its front holds.
    if let Ok(len) = ring::format::footer::Footer::len_of(&out)
        && let Some(tables) = out.get(FOOTER_HEADER..len)
    {
        let hash = Sha256::digest(tables);
        out[TABLES_HASH..TABLES_HASH + 32].copy_from_slice(&hash);
        seal(&mut out, 0, FOOTER_HEADER);
    }
    out
}

/// A whole block file: its header, every batch at a page's beginning, every record its directory names. `data_limit`: where
/// its footer begins.
#[must_use]
pub fn block(bytes: &[u8], data_limit: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    seal(&mut out, 0, BLOCK_HEADER);
    for at in (PAGE as usize..out.len()).step_by(PAGE as usize) {
        if out[at..].starts_with(b"MTBT") {
            batch(&mut out, at);
        }
    }
    if let Some(end) = out.get(data_limit..) {
        let mended = footer(end);
        out.truncate(data_limit);
        out.extend_from_slice(&mended);
    }
    out
}

/// A batch that begins at `at`: records, directory, header.
pub fn batch(out: &mut [u8], at: usize) {
    let room = out.len().saturating_sub(at + BATCH_HEADER) / ENTRY;
    let records = number(out, at + RECORDS).min(room);
    for n in 0..records {
        let entry = at + BATCH_HEADER + n * ENTRY;
        let here = at.saturating_add(number(out, entry));
        if !out.get(here..).is_some_and(|b| b.starts_with(b"MTRC")) {
            continue;
        }
        let payload = here + RECORD_HEADER;
        let len = number(out, here + PAYLOAD_LEN);
        if let Some(crc) = out.get(payload..payload.saturating_add(len)).map(crc32fast::hash) {
            out[here + PAYLOAD_CRC..here + PAYLOAD_CRC + 4].copy_from_slice(&crc.to_le_bytes());
        }
        if let Some(crc) = seal(out, here, RECORD_HEADER) {
            out[entry + 8..entry + 12].copy_from_slice(&crc.to_le_bytes());
        }
    }
    let directory = at + BATCH_HEADER;
    if let Some(crc) = out.get(directory..directory + records * ENTRY).map(crc32fast::hash) {
        out[at + DIRECTORY_CRC..at + DIRECTORY_CRC + 4].copy_from_slice(&crc.to_le_bytes());
        seal(out, at, BATCH_HEADER);
    }
}
