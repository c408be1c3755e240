//! What was given to the ring, and what must be found in it: the promises of a recorder, held against it.

use crate::{Violation, content};
use bytes::Bytes;
use domain::{MonoTime, Sample, StreamId, StreamKind, WallTime};
use media::fmp4::parse_fragment;
use ring::{Reader, Record, RecordRef};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

const EVER: (WallTime, WallTime) = (WallTime(i64::MIN), WallTime(i64::MAX));

/// FNV-1a over everything that happened: two runs of a seed have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trace(pub(crate) u64);

impl Trace {
    pub(crate) fn note(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn number(&mut self, n: u64) {
        self.note(&n.to_le_bytes());
    }
}

/// One stream.
#[derive(Default)]
struct Line {
    /// Given and not yet found in the ring: whether it must be, and its number.
    waiting: VecDeque<(Due, u64)>,
    last_given: Option<u64>,
    last_found: Option<Found>,
}

/// Whether a sample must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// It came then, since this boot.
    At(MonoTime),
    /// It was durable when an earlier boot ended.
    Must,
    /// It was not, and may have survived.
    Maybe,
}

/// The last record found.
#[derive(Clone, Copy)]
struct Found {
    seq: u64,
    chain: [u8; 32],
    /// Its last sample's.
    number: u64,
    block: u64,
}

/// All streams.
pub(crate) struct Ledger {
    lines: BTreeMap<Arc<StreamId>, Line>,
    pub(crate) trace: Trace,
    pub(crate) given: u64,
    pub(crate) dropped: u64,
    pub(crate) records: u64,
    pub(crate) found: u64,
    /// Trucks that stood too long, and were told.
    pub(crate) raised: u64,
    /// What a consumer saw that it must not see.
    pub(crate) violation: Option<String>,
    /// The newest block at the last look.
    seen: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        let trace = Trace(0xcbf2_9ce4_8422_2325);
        Self { lines: BTreeMap::new(), trace, given: 0, dropped: 0, records: 0, found: 0, raised: 0, violation: None, seen: 0 }
    }
}

impl Ledger {
    /// A sample came out of a camera and went into the ring, which kept it or not.
    pub(crate) fn given(&mut self, s: &Sample, at: MonoTime, kept: bool) {
        let Some(name) = content::read(&s.data, s.stream.kind) else {
            return self.complain(format!("{}: a sample is not what the camera sent", s.stream));
        };
        for n in [u64::from(name.camera), name.number, s.dts as u64, s.capture.0 as u64, at.0, u64::from(kept)] {
            self.trace.number(n);
        }
        self.given += 1;
        self.dropped += u64::from(!kept);
        let line = self.lines.entry(s.stream.clone()).or_default();
        if line.last_given.is_some_and(|last| name.number <= last) {
            self.complain(format!("{}: sample {} came twice or out of order", s.stream, name.number));
            return;
        }
        line.last_given = Some(name.number);
        if kept {
            line.waiting.push_back((Due::At(at), name.number));
        }
    }

    pub(crate) fn complain(&mut self, what: String) {
        self.violation.get_or_insert(what);
    }

    /// Looks at every record that is new since the last look: it is whole, follows from the one before, holds what was sent,
    /// nothing twice; and everything that came before `promised` is there.
    ///
    /// `alone`: a path refused meanwhile, so that another may have been overwritten alone, all of it: what it held is rightly gone.
    pub(crate) fn look(&mut self, reader: &Reader, promised: MonoTime, alone: bool) -> Result<(), Violation> {
        let blocks = reader.blocks().map_err(|e| Violation::new(e.to_string()))?;
        let paths = reader.spec().paths.len();
        let oldest = |path: usize| blocks.iter().skip(path).step_by(paths).map(|b| b.sequence).min();
        let overwritten: Vec<u64> = (0..paths).filter(|_| alone).filter_map(oldest).filter(|first| *first > self.seen).collect();
        let mut lines = std::mem::take(&mut self.lines);
        for (stream, line) in &mut lines {
            self.look_at(reader, stream, line, promised, &overwritten)?;
        }
        self.lines = lines;
        self.seen = blocks.iter().map(|b| b.sequence).max().unwrap_or(0);
        Ok(())
    }

    /// `overwritten`: the oldest blocks of the paths that hold nothing of what was there at the last look.
    fn look_at(
        &mut self,
        reader: &Reader,
        stream: &StreamId,
        line: &mut Line,
        promised: MonoTime,
        overwritten: &[u64],
    ) -> Result<(), Violation> {
        let failed = |what: String| Violation::new(format!("{stream}: {what}"));
        let all = reader.records(stream, EVER.0, EVER.1).map_err(|e| failed(e.to_string()))?;
        let new: Vec<&RecordRef> =
            all.iter().filter(|r| line.last_found.is_none_or(|last| (r.block, r.entry.seq) > (last.block, last.seq))).collect();
        let mut found = Vec::new();
        // Samples that were in what was overwritten: from the first of these numbers to the second.
        let mut gone = Vec::new();
        for r in new {
            let record = reader.read(r).map_err(|e| failed(format!("record {} cannot be read: {e}", r.entry.seq)))?;
            let header = &record.header;
            if !record.media_verified {
                return Err(failed(format!("record {} has no parameters in reach", header.seq)));
            }
            let before = line.last_found.map_or((0, [0; 32]), |last| (last.seq + 1, last.chain));
            let behind = line.last_found.map_or(0, |last| last.block);
            let hole = header.seq > before.0 && overwritten.iter().any(|first| behind < *first);
            // A start without one of the paths counts on from what it finds on the others.
            let era = r.block / ring::ERA != behind / ring::ERA;
            let hole = hole || era;
            if header.seq != before.0 && !hole {
                let (first, block) = (all.first().map_or(0, |r| r.entry.seq), r.block);
                return Err(failed(format!(
                    "record {} is followed by {} in block {block}: a hole; the oldest there is {first}",
                    before.0.wrapping_sub(1),
                    header.seq
                )));
            }
            if !hole && header.chain != header.chain_after(&before.1) {
                return Err(failed(format!("record {} breaks the chain", header.seq)));
            }
            let mut last = line.last_found.map(|last| last.number);
            let before_hole = last.filter(|_| hole);
            for data in samples(&record).ok_or_else(|| failed(format!("record {} cannot be taken apart", header.seq)))? {
                let name = content::read(&data, stream.kind);
                let number = name.map(|n| n.number).ok_or_else(|| failed(format!("record {} holds what nobody sent", header.seq)))?;
                if last.is_some_and(|last| number <= last) {
                    return Err(failed(format!("sample {number} is recorded twice or out of order, in record {}", header.seq)));
                }
                if let Some(before) = before_hole.filter(|before| last == Some(*before)) {
                    gone.push((before, number));
                }
                last = Some(number);
                found.push(number);
            }
            self.records += 1;
            self.trace.number(header.seq);
            self.trace.note(&header.chain);
            line.last_found = Some(Found { seq: header.seq, chain: header.chain, number: last.unwrap_or(0), block: r.block });
        }
        self.found += found.len() as u64;
        let mut found = found.into_iter().peekable();
        let upto = line.last_found.map(|last| last.number);
        line.waiting.retain(|(_, n)| !gone.iter().any(|(before, next)| before < n && n < next));
        while let Some(&(due, number)) = line.waiting.front() {
            if found.next_if(|n| *n < number).is_some() {
                return Err(failed(format!("a sample before {number} is recorded and was never given")));
            }
            if found.next_if_eq(&number).is_none() {
                match due {
                    Due::Maybe => {}
                    Due::At(at) if at >= promised && upto.is_none_or(|upto| number > upto) => break,
                    Due::Must | Due::At(_) => {
                        return Err(failed(format!("sample {number} came {due:?}, all before {promised:?} is durable, and it is lost")));
                    }
                }
            }
            line.waiting.pop_front();
        }
        match found.next() {
            Some(number) => Err(failed(format!("sample {number} is recorded and was never given"))),
            None => Ok(()),
        }
    }

    /// What was not found will never be: the power is gone. How long before `now` the oldest of it came, µs.
    pub(crate) fn forget(&mut self, now: MonoTime) -> u64 {
        let came = |l: &Line| match l.waiting.front() {
            Some((Due::At(at), _)) => Some(now.0.saturating_sub(at.0)),
            _ => None,
        };
        let lost = self.lines.values().filter_map(came).max();
        for line in self.lines.values_mut() {
            line.waiting.clear();
        }
        lost.unwrap_or(0)
    }

    /// The boot is over, and the ring cannot be looked at: what was durable then must be found when it can.
    pub(crate) fn carry(&mut self, promised: MonoTime) {
        for (due, _) in self.lines.values_mut().flat_map(|l| &mut l.waiting) {
            if let Due::At(at) = *due {
                *due = if at < promised { Due::Must } else { Due::Maybe };
            }
        }
    }

    pub(crate) fn streams(&self) -> Vec<Arc<StreamId>> {
        self.lines.keys().cloned().collect()
    }
}

fn samples(record: &Record) -> Option<Vec<Bytes>> {
    let (mut at, sizes): (usize, Vec<u32>) = if record.header.stream.kind == StreamKind::Observations {
        let seen = ring::format::observations::parse(&record.payload).ok()?;
        (seen.data, seen.rows.iter().map(|r| r.size).collect())
    } else {
        let fragment = parse_fragment(&record.payload).ok()?;
        (fragment.data.start, fragment.pieces.iter().map(|p| p.size).collect())
    };
    let mut out = Vec::with_capacity(sizes.len());
    for size in sizes {
        let end = at + size as usize;
        if end > record.payload.len() {
            return None;
        }
        out.push(record.payload.slice(at..end));
        at = end;
    }
    Some(out)
}
