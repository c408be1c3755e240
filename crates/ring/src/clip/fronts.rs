//! What stands in front of a record's samples, for whoever makes an index of them: from the sample table of its block where there
//! is one (a day of a camera is then a read a block), from the record itself otherwise.

use crate::{
    error::RingError,
    format::{record::RECORD_HEADER, samples::SampleLine},
    reader::{Front, Reader, RecordRef},
    table::BlockTable,
};
use domain::Format;
use media::fmp4::{Piece, fragment_header};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// Reads tables, one block's after the other's.
pub(super) struct Fronts<'a> {
    reader: &'a Reader,
    held: Option<(u64, Arc<BlockTable>)>,
    line: SampleLine,
    /// A sample table still names what has rotted since: it is left out once somebody has met it.
    damaged: BTreeSet<(u64, u32)>,
}

impl<'a> Fronts<'a> {
    pub(super) fn new(reader: &'a Reader) -> Self {
        Self { reader, held: None, line: SampleLine::default(), damaged: reader.known_damaged() }
    }

    /// A record's tables. `None`: it was overwritten, is damaged, or is not what this program writes: a gap, told in the log.
    ///
    /// A sample table is believed as far as it adds up to the record's length: its block's seal covers it, and every byte of a record
    /// is checked when it is read.
    /// `table`: that of the record's block, if it is at hand.
    pub(super) fn of(&mut self, r: &RecordRef, table: Option<&Arc<BlockTable>>) -> Result<Option<&SampleLine>, RingError> {
        if self.damaged.contains(&(r.block, r.entry.offset)) {
            return Ok(None);
        }
        if self.held.as_ref().is_none_or(|(block, _)| *block != r.block) {
            let table = match table {
                Some(table) => Some(Arc::clone(table)),
                None => self.reader.block_table(r)?,
            };
            self.held = table.map(|t| (r.block, t));
        }
        let known = self.held.as_ref().is_some_and(|(_, table)| table.read_sample_line(r.entry.offset, &mut self.line));
        let data: u64 = self.line.pieces.iter().map(|p| u64::from(p.size)).sum();
        if !known || RECORD_HEADER as u64 + u64::from(self.line.front) + data != u64::from(r.entry.len) {
            let Some(line) = or_gap(self.reader.front(r))?.as_ref().and_then(line) else { return Ok(None) };
            self.line = line;
        }
        // Times are reckoned with signs.
        Ok((self.line.base_dts <= i64::MAX.unsigned_abs()).then_some(&self.line))
    }
}

impl Reader {
    /// The sizes of a record's samples, without reading them: enough to look for a sequence of pictures, not to believe one.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn sizes(&self, r: &RecordRef) -> Result<Vec<u32>, RingError> {
        if let Some(line) = self.block_table(r)?.and_then(|t| t.sample_line(r.entry.offset)) {
            return Ok(line.pieces.iter().map(|p| p.size).collect());
        }
        let front = self.front(r)?;
        Ok(line(&front).map(|t| t.pieces.iter().map(|p| p.size).collect()).unwrap_or_default())
    }
}

/// Reads the boxes in front of the samples. They are what `fragment_header` wrote or nothing: the result is written again
/// and compared, so that no field is believed that was not understood.
fn line(front: &Front) -> Option<SampleLine> {
    let boxes = front.bytes.get(front.header.init_len as usize..)?;
    let word = |at: usize| Some(u32::from_be_bytes(boxes.get(at..at + 4)?.try_into().ok()?));
    let (sequence, track, count) = (word(20)?, word(44)?, word(80)? as usize);
    let base_dts = u64::from_be_bytes(boxes.get(60..68)?.try_into().ok()?);
    let rows = boxes.get(88..)?.get(..count.checked_mul(16)?)?;
    let pieces: Vec<Piece> = rows
        .as_chunks::<16>()
        .0
        .iter()
        .map(|row| {
            let field = |n: usize| row.get(n..n + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes);
            Piece { duration: field(0), size: field(4), cts_offset: field(12) as i32, random_access: field(8) == 0x0200_0000 }
        })
        .collect();
    let data: u64 = pieces.iter().map(|p| u64::from(p.size)).sum();
    let fits = data + u64::from(front.header.front_len) == u64::from(front.header.payload_len);
    (fits && fragment_header(sequence, track, base_dts, &pieces) == boxes).then_some(())?;
    Some(SampleLine { format: front.header.format, base_dts, front: front.header.front_len, pieces })
}

/// A gap for what was overwritten or is damaged; other errors end the clip.
fn or_gap(front: Result<Front, RingError>) -> Result<Option<Front>, RingError> {
    match front {
        Ok(front) => Ok(Some(front)),
        Err(e) if e.is_gap() => {
            tracing::warn!(error = %e, "left out of a clip");
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

/// Formats of a track, each once.
#[derive(Default)]
pub(super) struct Formats {
    pub(super) list: Vec<Arc<Format>>,
    by_print: HashMap<[u8; 16], u16>,
}

impl Formats {
    /// The number of a format in the track. One not seen before is read from the record, which has it when it is a key.
    pub(super) fn index(&mut self, reader: &Reader, r: &RecordRef, print: [u8; 16]) -> Result<Option<u16>, RingError> {
        if let Some(&n) = self.by_print.get(&print) {
            return Ok(Some(n));
        }
        if !r.key() {
            return Ok(None);
        }
        let Some(front) = or_gap(reader.front(r))? else { return Ok(None) };
        let init = front.bytes.get(..front.header.init_len as usize).filter(|i| !i.is_empty());
        let (Some(init), Ok(n)) = (init, u16::try_from(self.list.len())) else { return Ok(None) };
        let Some(format) = reader.learn(init) else { return Ok(None) };
        self.list.push(format);
        self.by_print.insert(front.header.format, n);
        Ok((front.header.format == print).then_some(n))
    }
}
