//! A track as it grows: its samples, and which bytes of which records they are.

use super::Stretch;
use crate::{format::samples::SampleLine, reader::RecordRef};
use media::progressive::ClipSample;

/// Appends samples to a track, and remembers which bytes they are.
pub(super) struct Building {
    track: usize,
    pub(super) samples: Vec<ClipSample>,
    pub(super) stretches: Vec<Stretch>,
    pub(super) records: Vec<RecordRef>,
    base: usize,
}

impl Building {
    pub(super) fn new(track: usize, base: usize) -> Self {
        Self { track, samples: Vec::new(), stretches: Vec::new(), records: Vec::new(), base }
    }

    pub(super) fn begin(&mut self, r: &RecordRef) -> u32 {
        self.records.push(r.clone());
        u32::try_from(self.base + self.records.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn push(&mut self, sample: ClipSample, record: u32, from: u32, media: i64) {
        let first = self.samples.len();
        self.samples.push(sample);
        match self.stretches.last_mut() {
            Some(s) if s.record == record && s.from + s.len == from => {
                s.count += 1;
                s.len += sample.size;
            }
            _ => self.stretches.push(Stretch { track: self.track, first, count: 1, record, from, len: sample.size, media }),
        }
    }

    /// Takes all samples of a record, of which nothing was taken before.
    pub(super) fn extend(&mut self, format: u16, line: &SampleLine, record: u32, media: i64) {
        let (first, count) = (self.samples.len(), line.pieces.len());
        let mut len = 0;
        self.samples.extend(line.pieces.iter().map(|p| {
            len += p.size;
            ClipSample { format, duration: p.duration, cts_offset: p.cts_offset, size: p.size, random_access: p.random_access }
        }));
        self.stretches.push(Stretch { track: self.track, first, count, record, from: line.front, len, media });
    }

    /// Takes the samples behind the first so many away, and the records that held nothing else.
    /// Answers how long they were, 90 kHz.
    pub(super) fn truncate(&mut self, needed: usize) -> i64 {
        let mut length = 0;
        while let Some(last) = self.samples.get(needed..).and_then(<[_]>::last) {
            if let Some(s) = self.stretches.last_mut() {
                (s.count, s.len) = (s.count - 1, s.len - last.size);
                if s.count == 0 {
                    self.stretches.pop();
                }
            }
            length += i64::from(last.duration);
            self.samples.pop();
        }
        let held = self.stretches.iter().map(|s| s.record as usize + 1).max().unwrap_or(self.base);
        self.records.truncate(held - self.base);
        length
    }
}
