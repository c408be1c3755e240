//! Samples read back one by one: what a detector saw, and what leads to one picture.
//!
//! Belongs here: records taken apart again. Does not belong here: whole clips (`clip`), which never hold their samples in memory.

use super::{Reader, RecordRef, walk::GROUP_BLOCKS};
use crate::{
    error::{Damage, RingError},
    format::record::RecordHeader,
};
use bytes::Bytes;
use domain::{Format, Sample, StreamId, WallTime};
use media::fmp4::Piece;
use std::sync::Arc;

/// How far back the record that shows an instant may begin, µs: longer than any record.
const BEFORE: i64 = 2_000_000;
/// Most bytes of one group that are read to make one picture.
const PICTURE_BYTES: u64 = 64 << 20;

/// What must be decoded to see one picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// From the random access point to the picture, in decoding order; the picture may not be the last.
    pub samples: Vec<Sample>,
    /// The picture's presentation time, 90 kHz.
    pub pts: i64,
    /// When it was captured.
    pub capture: WallTime,
}

/// A record taken apart.
pub(crate) struct Whole {
    pub(crate) header: RecordHeader,
    pub(crate) payload: Bytes,
    pub(crate) format: Arc<Format>,
    pub(crate) pieces: Vec<Piece>,
    /// Where the samples' bytes begin in the payload; all of them lie in it.
    pub(crate) data: usize,
}

impl Reader {
    /// Reads a record whole, checks it as [`Reader::read`] does, and takes it apart.
    pub(crate) fn whole(&self, r: &RecordRef) -> Result<Whole, RingError> {
        let record = self.read(r)?;
        let torn = || self.damaged(r, Damage::Structure);
        let format = self.format(r, &record.header, &record.payload)?.ok_or_else(torn)?;
        let (_, pieces, data) = self.pieces(r, &format, &record.payload)?;
        let sizes: u64 = pieces.iter().map(|p| u64::from(p.size)).sum();
        if sizes > data.len() as u64 {
            return Err(torn());
        }
        let data = record.payload.len() - data.len();
        Ok(Whole { header: record.header, payload: record.payload, format, pieces, data })
    }

    /// The chain a record goes on from: zero for a stream's very first, `None` when the record before it cannot be read.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn chain_before(&self, r: &RecordRef) -> Result<Option<[u8; 32]>, RingError> {
        let Some(seq) = r.entry.seq.checked_sub(1) else { return Ok(Some([0; 32])) };
        // By time it may lie anywhere before (a gap); by sequence it is in this block or an earlier one.
        for (slot, s) in self.in_order().into_iter().rev().filter(|(_, s)| s.sequence <= r.block).take(GROUP_BLOCKS) {
            let Ok(Some(table)) = self.catalog.table(slot, s.sequence) else { continue };
            let Some(line) = table.line(&r.stream) else { continue };
            if let Some(entry) = table.records.iter().find(|e| e.stream == line && e.seq == seq) {
                let before = RecordRef { stream: r.stream.clone(), block: s.sequence, entry: *entry, slot };
                return Ok(self.front(&before).ok().map(|f| f.header.chain));
            }
            if table.records.iter().any(|e| e.stream == line && e.seq < seq) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// The samples of a record, in decoding order, with their times; checked as [`Reader::read`] does. `seq` counts within the record.
    ///
    /// # Errors
    /// As [`Reader::read`]; [`RingError::Damaged`] when no parameters of this record are left in reach.
    pub fn samples(&self, r: &RecordRef) -> Result<Vec<Sample>, RingError> {
        let Whole { header, payload, format, pieces, data } = self.whole(r)?;
        let base_dts = header.base_dts;
        let data = payload.slice(data..);
        let stream = Arc::new(r.stream.clone());
        let mut dts = i64::try_from(base_dts).unwrap_or(i64::MAX);
        let first_pts = pieces.first().map_or(dts, |p| dts.saturating_add(p.cts_offset.into()));
        let mut at = 0usize;
        let mut out = Vec::with_capacity(pieces.len());
        for (n, p) in pieces.iter().enumerate() {
            let end = at.saturating_add(p.size as usize);
            if end > data.len() {
                return Err(self.damaged(r, Damage::Structure));
            }
            let pts = dts.saturating_add(p.cts_offset.into());
            out.push(Sample {
                stream: stream.clone(),
                format: format.clone(),
                seq: n as u64,
                capture: header.wall.plus_micros(pts.saturating_sub(first_pts).saturating_mul(100) / 9),
                pts,
                dts,
                random_access: p.random_access,
                loss_before: n == 0 && r.entry.flags & crate::format::record::FLAG_LOSS_BEFORE != 0,
                data: data.slice(at..end),
            });
            at = end;
            dts = dts.saturating_add(p.duration.into());
        }
        Ok(out)
    }

    /// What shows a stream at an instant: the last picture captured at or before it. `None` when nothing decodable was
    /// recorded within the two seconds before.
    ///
    /// # Errors
    /// When the ring cannot be read; gaps and damage give `None`.
    pub fn picture(&self, stream: &StreamId, at: WallTime) -> Result<Option<Picture>, RingError> {
        let found = self.records(stream, at.plus_micros(-BEFORE), at.plus_micros(1))?;
        // By time: a clock that was set back writes later records with earlier times.
        let Some(last) = found.into_iter().filter(|r| r.entry.wall <= at).max_by_key(|r| r.entry.wall) else { return Ok(None) };
        let Some(mut group) = self.group_before(&last)? else { return Ok(None) };
        group.push(last);
        if group.iter().map(|r| u64::from(r.entry.len)).sum::<u64>() > PICTURE_BYTES {
            return Ok(None);
        }
        let mut samples = Vec::new();
        for r in &group {
            match self.samples(r) {
                Ok(more) => samples.extend(more),
                Err(e) if e.is_gap() => return Ok(None),
                Err(e) => return Err(e),
            }
        }
        // Leading pictures of an open group refer to what is not here.
        let joined = samples.first().map_or(0, |s| s.pts);
        let shown = samples.iter().enumerate().filter(|(_, s)| s.pts >= joined && s.capture <= at).max_by_key(|(_, s)| s.pts);
        let Some((n, shown)) = shown else { return Ok(None) };
        let (pts, capture) = (shown.pts, shown.capture);
        samples.truncate(n + 1);
        samples.retain(|s| s.pts >= joined);
        Ok(Some(Picture { samples, pts, capture }))
    }
}
