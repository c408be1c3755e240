//! What a block holds, read from its batches alone: for the block a cut left open, for the live edge beside a running
//! daemon, and for rebuilding tables that are lost.

use crate::{
    disk::{DiskFile, read_exact_at},
    format::{
        PAGE,
        batch::{BATCH_HEADER, BatchHeader, ENTRY, Entry},
        block::BlockHeader,
        record::{RECORD_HEADER, RecordHeader},
    },
};
use std::io;

/// How far behind a damaged batch the next one is looked for.
const LOOK_AHEAD: u64 = 32 << 20;

/// A record found by scanning.
#[derive(Clone, Debug)]
pub struct Found {
    /// From the block's start.
    pub offset: u32,
    /// Its header.
    pub header: RecordHeader,
    /// The header's CRC field.
    pub header_crc: u32,
}

/// What a scan found.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Records in the order they lie.
    pub records: Vec<Found>,
    /// Where the last batch kept ends.
    pub data_end: u64,
    /// Batches kept.
    pub batches: u32,
    /// Number the next batch would have.
    pub next_batch: u32,
    /// Records named by a directory and not readable, in batches that had been synced: rot, not a cut.
    pub damaged: u32,
    /// Whether something behind `data_end` was cut off as torn.
    pub torn: bool,
}

struct Batch {
    at: u64,
    header: BatchHeader,
    entries: Vec<Entry>,
}

/// The header of a block file.
///
/// # Errors
/// As the disk says. `None` when the page is no header.
pub fn block_header(file: &dyn DiskFile) -> io::Result<Option<BlockHeader>> {
    let mut page = vec![0; crate::format::block::BLOCK_HEADER];
    read_exact_at(file, 0, &mut page)?;
    Ok(BlockHeader::parse(&page).ok())
}

fn batch_at(file: &dyn DiskFile, block: u64, at: u64, limit: u64) -> io::Result<Option<Batch>> {
    if at.saturating_add(PAGE) > limit {
        return Ok(None);
    }
    let mut front = vec![0; 4096];
    read_exact_at(file, at, &mut front)?;
    let Ok(header) = BatchHeader::parse(&front) else { return Ok(None) };
    if header.block != block || at.saturating_add(u64::from(header.len)) > limit {
        return Ok(None);
    }
    let need = header.records as usize * ENTRY + BATCH_HEADER;
    if need > front.len() {
        front.resize(need, 0);
        read_exact_at(file, at, &mut front)?;
    }
    Ok(header.directory(&front[BATCH_HEADER..]).ok().map(|entries| Batch { at, header, entries }))
}

/// Reads a block's records from batch number `first` on, which begins at `from`.
///
/// Batches known synced (a later batch says so) keep every record but the rotten ones; behind them the first record that
/// is not whole ends the block, because a cut may have kept any part of what followed.
///
/// # Errors
/// As the disk says.
pub fn scan(file: &dyn DiskFile, block: u64, limit: u64, from: u64, first: u32) -> io::Result<Scan> {
    let (mut at, mut number) = (from, first);
    let mut batches: Vec<Batch> = Vec::new();
    let mut out = Scan { data_end: from, next_batch: first, ..Scan::default() };
    let mut hole = None;
    loop {
        let found = match batch_at(file, block, at, limit)? {
            Some(b) if b.header.number == number => Some(b),
            _ => {
                hole.get_or_insert(number);
                look_ahead(file, block, at + PAGE, limit, number)?
            }
        };
        let Some(b) = found else { break };
        (at, number) = (b.at + u64::from(b.header.len), b.header.number.saturating_add(1));
        batches.push(b);
    }
    let synced = batches.iter().map(|b| b.header.synced_below).max().unwrap_or(0);
    let hole = hole.filter(|&n| n >= synced && batches.last().is_some_and(|b| b.header.number > n));
    'batches: for b in batches {
        let promised = b.header.number < synced;
        if hole.is_some_and(|n| b.header.number > n) {
            out.torn = true;
            break;
        }
        let kept = out.records.len();
        for e in &b.entries {
            match record_at(file, block, b.at, e, !promised)? {
                Some(found) => out.records.push(found),
                None if promised => out.damaged += 1,
                None => {
                    out.torn = true;
                    if out.records.len() > kept {
                        out.data_end = b.at + u64::from(b.header.len);
                        out.batches += 1;
                        out.next_batch = b.header.number.saturating_add(1);
                    }
                    break 'batches;
                }
            }
        }
        out.data_end = b.at + u64::from(b.header.len);
        out.batches += 1;
        out.next_batch = b.header.number.saturating_add(1);
    }
    Ok(out)
}

/// Finds the next batch of the block when the one expected is damaged: only a higher number counts.
fn look_ahead(file: &dyn DiskFile, block: u64, from: u64, limit: u64, above: u32) -> io::Result<Option<Batch>> {
    let end = limit.min(from.saturating_add(LOOK_AHEAD));
    let mut chunk = vec![0; 1 << 18];
    let mut at = from;
    while at < end {
        let n = file.read_at(at, &mut chunk)?;
        for (i, page) in chunk.get(..n).unwrap_or(&[]).chunks_exact(4096).enumerate() {
            let here = at + i as u64 * PAGE;
            let fits = BatchHeader::parse(page).is_ok_and(|h| h.block == block && h.number > above);
            if fits
                && here < end
                && let Some(b) = batch_at(file, block, here, limit)?
            {
                return Ok(Some(b));
            }
        }
        if n < chunk.len() {
            break;
        }
        at += n as u64;
    }
    Ok(None)
}

fn record_at(file: &dyn DiskFile, block: u64, batch: u64, e: &Entry, whole: bool) -> io::Result<Option<Found>> {
    let at = batch + u64::from(e.offset);
    let mut bytes = [0; RECORD_HEADER];
    read_exact_at(file, at, &mut bytes)?;
    let Ok(header) = RecordHeader::parse(&bytes) else { return Ok(None) };
    let header_crc = crc_field(&bytes);
    if header.block != block || header_crc != e.header_crc || header.len() != u64::from(e.len) {
        return Ok(None);
    }
    if whole {
        // The directory bounds `len` by the batch, the batch by the block.
        let mut payload = vec![0; header.payload_len as usize];
        read_exact_at(file, at + RECORD_HEADER as u64, &mut payload)?;
        if crc32fast::hash(&payload) != header.payload_crc {
            return Ok(None);
        }
    }
    let Ok(offset) = u32::try_from(at) else { return Ok(None) };
    Ok(Some(Found { offset, header, header_crc }))
}

/// The last four bytes of a record header.
pub(crate) fn crc_field(header: &[u8; RECORD_HEADER]) -> u32 {
    header.last_chunk::<4>().map_or(0, |c| u32::from_le_bytes(*c))
}
