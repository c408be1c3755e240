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

/// Bytes read at once: a disk that turns needs as long for a page as for a megabyte, and a start must not wait for thousands.
const AHEAD: u64 = 8 << 20;

struct Batch {
    at: u64,
    header: BatchHeader,
    /// What the directory says, and the record where it says so.
    records: Vec<(Entry, Option<Found>)>,
}

/// A block file read front to back in large pieces.
struct Ahead<'a> {
    file: &'a dyn DiskFile,
    limit: u64,
    at: u64,
    bytes: Vec<u8>,
}

impl<'a> Ahead<'a> {
    fn new(file: &'a dyn DiskFile, limit: u64) -> Self {
        Self { file, limit, at: 0, bytes: Vec::new() }
    }

    fn get(&mut self, at: u64, len: usize) -> io::Result<&[u8]> {
        let end = at.saturating_add(len as u64);
        if at < self.at || end > self.at + self.bytes.len() as u64 {
            self.fill(at, AHEAD.max(len as u64).min(self.limit.saturating_sub(at)).max(len as u64)).or_else(|_| {
                // A bad sector ahead is none of this question's.
                self.fill(at, len as u64)
            })?;
        }
        let from = usize::try_from(at - self.at).unwrap_or(usize::MAX);
        self.bytes.get(from..from.saturating_add(len)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn fill(&mut self, at: u64, len: u64) -> io::Result<()> {
        self.bytes.resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
        self.at = at;
        let done = self.file.read_at(at, &mut self.bytes);
        self.bytes.truncate(*done.as_ref().unwrap_or(&0));
        done.map(|_| ())
    }
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

fn batch_at(file: &mut Ahead<'_>, block: u64, at: u64) -> io::Result<Option<Batch>> {
    let limit = file.limit;
    if at.saturating_add(PAGE) > limit {
        return Ok(None);
    }
    let Ok(header) = BatchHeader::parse(file.get(at, BATCH_HEADER)?) else { return Ok(None) };
    if header.block != block || at.saturating_add(u64::from(header.len)) > limit {
        return Ok(None);
    }
    // The length holds the directory: that was checked with the header.
    let front = file.get(at, header.records as usize * ENTRY + BATCH_HEADER)?;
    let Ok(entries) = header.directory(front.get(BATCH_HEADER..).unwrap_or(&[])) else { return Ok(None) };
    let mut records = Vec::with_capacity(entries.len());
    for e in entries {
        let found = record_at(file, block, at, &e)?;
        records.push((e, found));
    }
    Ok(Some(Batch { at, header, records }))
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
    let mut file = Ahead::new(file, limit);
    loop {
        let found = match batch_at(&mut file, block, at)? {
            Some(b) if b.header.number == number => Some(b),
            _ => {
                hole.get_or_insert(number);
                look_ahead(&mut file, block, at + PAGE, number)?
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
        for (e, found) in b.records {
            let whole = match found {
                Some(found) if promised || is_whole(&mut file, b.at, &e, &found.header)? => Some(found),
                _ => None,
            };
            match whole {
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
fn look_ahead(file: &mut Ahead<'_>, block: u64, from: u64, above: u32) -> io::Result<Option<Batch>> {
    let end = file.limit.min(from.saturating_add(LOOK_AHEAD));
    let mut at = from;
    while at + PAGE <= end {
        let fits = match file.get(at, BATCH_HEADER) {
            Ok(front) => BatchHeader::parse(front).is_ok_and(|h| h.block == block && h.number > above),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(e) => return Err(e),
        };
        if fits && let Some(b) = batch_at(file, block, at)? {
            return Ok(Some(b));
        }
        at += PAGE;
    }
    Ok(None)
}

fn record_at(file: &mut Ahead<'_>, block: u64, batch: u64, e: &Entry) -> io::Result<Option<Found>> {
    let at = batch + u64::from(e.offset);
    let Some(bytes) = file.get(at, RECORD_HEADER)?.first_chunk::<RECORD_HEADER>() else { return Ok(None) };
    let Ok(header) = RecordHeader::parse(bytes) else { return Ok(None) };
    let header_crc = crc_field(bytes);
    if header.block != block || header_crc != e.header_crc || header.len() != u64::from(e.len) {
        return Ok(None);
    }
    let Ok(offset) = u32::try_from(at) else { return Ok(None) };
    Ok(Some(Found { offset, header, header_crc }))
}

/// Whether the payload is what the header says.
fn is_whole(file: &mut Ahead<'_>, batch: u64, e: &Entry, header: &RecordHeader) -> io::Result<bool> {
    // The directory bounds the length by the batch, the batch by the block.
    let at = batch + u64::from(e.offset) + RECORD_HEADER as u64;
    Ok(crc32fast::hash(file.get(at, header.payload_len as usize)?) == header.payload_crc)
}

/// The last four bytes of a record header.
pub(crate) fn crc_field(header: &[u8; RECORD_HEADER]) -> u32 {
    header.last_chunk::<4>().map_or(0, |c| u32::from_le_bytes(*c))
}
