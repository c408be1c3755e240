//! The table of one block: its records and streams, built record by record, the way the footer will say it.

use crate::{
    format::{
        footer::{Footer, RecordEntry, StreamEntry},
        index::{BlockState, BlockSummary},
        record::{FLAG_CLOCK_UNSYNCED, FLAG_LOSS_BEFORE, RecordHeader},
        samples::{SampleLine, SampleTable},
    },
    recover::Scan,
};
use domain::{StreamId, WallTime};
use media::fmp4::Piece;
use std::collections::HashMap;

/// A hole in time shorter than this is jitter of capture times, not a gap (µs).
pub const TOLERANCE: i64 = 1_000_000;

/// Streams with records in the block, and the records.
#[derive(Clone, Debug, Default)]
pub struct BlockTable {
    /// Streams; only these fields count that speak of this block, until the seal adds the heads of all others.
    pub streams: Vec<StreamEntry>,
    /// Records in the order they lie.
    pub records: Vec<RecordEntry>,
    /// What stands in front of each record's samples; of use only while it has as many lines as there are records.
    samples: SampleTable,
    by_id: HashMap<StreamId, u16>,
}

impl BlockTable {
    /// Line of a stream, if it has one.
    #[must_use]
    pub fn line(&self, stream: &StreamId) -> Option<u16> {
        self.by_id.get(stream).copied()
    }

    /// The sample table, when it speaks of every record.
    #[must_use]
    pub fn samples(&self) -> Option<&SampleTable> {
        (self.samples.len() == self.records.len()).then_some(&self.samples)
    }

    /// What stands in front of the samples of the record at an offset, when the table knows.
    #[must_use]
    pub fn sample_line(&self, offset: u32) -> Option<SampleLine> {
        let mut line = SampleLine::default();
        self.read_sample_line(offset, &mut line).then_some(line)
    }

    /// The same into a line that is there. `false`: the table does not know, and what is in the line means nothing.
    pub fn read_sample_line(&self, offset: u32, line: &mut SampleLine) -> bool {
        let Ok(n) = self.records.binary_search_by_key(&offset, |r| r.offset) else { return false };
        self.samples().is_some_and(|s| s.read(n, line).is_ok())
    }

    /// Adds a record that lies at an offset of the block, and its samples where they are at hand.
    pub fn push(&mut self, header: &RecordHeader, header_crc: u32, offset: u32, pieces: Option<&[Piece]>) {
        // One record without a line, and the block goes without: the counts never agree again.
        if let (Some(pieces), true) = (pieces, self.samples.len() == self.records.len()) {
            let _ = self.samples.push(header.format, header.base_dts, header.front_len, pieces);
        }
        let line = self.line(&header.stream).unwrap_or_else(|| {
            let line = u16::try_from(self.streams.len()).unwrap_or(u16::MAX);
            self.by_id.insert(header.stream.clone(), line);
            self.streams.push(StreamEntry {
                stream: header.stream.clone(),
                records: 0,
                from: WallTime(0),
                to: WallTime(0),
                gaps: false,
                next_seq: 0,
                next_gop: 0,
                last_block: 0,
                chain: [0; 32],
                format: [0; 16],
            });
            line
        });
        if let Some(s) = self.streams.get_mut(usize::from(line)) {
            let (from, to) = (header.wall, header.wall_end());
            if s.records == 0 {
                (s.from, s.to) = (from, to);
            } else {
                s.gaps |= header.flags & FLAG_LOSS_BEFORE != 0 || from.micros_since(s.to).abs() > TOLERANCE;
                (s.from, s.to) = (s.from.min(from), s.to.max(to));
            }
            s.records += 1;
            s.next_seq = header.seq.saturating_add(1);
            s.next_gop = header.gop.saturating_add(1);
            s.last_block = header.block;
            s.chain = header.chain;
            s.format = header.format;
        }
        self.records.push(RecordEntry::of(header, header_crc, line, offset));
    }

    /// The table of what a scan found.
    #[must_use]
    pub fn of(scan: &Scan) -> Self {
        let mut table = Self::default();
        for r in &scan.records {
            table.push(&r.header, r.header_crc, r.offset, None);
        }
        table
    }

    /// The table a footer holds.
    #[must_use]
    pub fn of_footer(footer: Footer) -> Self {
        let by_id = footer.streams.iter().zip(0u16..).map(|(s, n)| (s.stream.clone(), n)).collect();
        Self { streams: footer.streams, records: footer.records, samples: footer.samples.unwrap_or_default(), by_id }
    }

    /// The block in few words.
    #[must_use]
    pub fn summary(&self, sequence: u64, state: BlockState, data_end: u64) -> BlockSummary {
        BlockSummary {
            sequence,
            state,
            clock_unsynced: self.records.iter().any(|r| r.flags & FLAG_CLOCK_UNSYNCED != 0),
            from: self.records.iter().map(|r| r.wall).min().unwrap_or_default(),
            to: self.records.iter().map(RecordEntry::wall_end).max().unwrap_or_default(),
            records: u32::try_from(self.records.len()).unwrap_or(u32::MAX),
            data_end: u32::try_from(data_end).unwrap_or(u32::MAX),
        }
    }
}
