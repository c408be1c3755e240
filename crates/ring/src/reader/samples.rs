//! Samples read back one by one: what a detector saw, and what leads to one picture.
//!
//! Belongs here: records taken apart again. Does not belong here: whole clips (`clip`), which never hold their samples in memory.

use super::{Reader, RecordRef};
use crate::error::RingError;
use domain::{Sample, StreamId, WallTime};
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

impl Reader {
    /// The samples of a record, in decoding order, with their times; checked as [`Reader::read`] does. `seq` counts within the record.
    ///
    /// # Errors
    /// As [`Reader::read`]; [`RingError::Damaged`] when no parameters of this record are left in reach.
    pub fn samples(&self, r: &RecordRef) -> Result<Vec<Sample>, RingError> {
        let record = self.read(r)?;
        let Some(format) = self.format(r, &record.header, &record.payload)? else {
            return Err(self.damaged(r, crate::error::Damage::Structure));
        };
        let (base_dts, pieces, data) = self.pieces(r, &format, &record.payload)?;
        let data = record.payload.slice_ref(data);
        let stream = Arc::new(r.stream.clone());
        let mut dts = i64::try_from(base_dts).unwrap_or(i64::MAX);
        let first_pts = pieces.first().map_or(dts, |p| dts.saturating_add(p.cts_offset.into()));
        let mut at = 0usize;
        let mut out = Vec::with_capacity(pieces.len());
        for (n, p) in pieces.iter().enumerate() {
            let end = at.saturating_add(p.size as usize);
            if end > data.len() {
                return Err(self.damaged(r, crate::error::Damage::Structure));
            }
            let pts = dts.saturating_add(p.cts_offset.into());
            out.push(Sample {
                stream: stream.clone(),
                format: format.clone(),
                seq: n as u64,
                capture: record.header.wall.plus_micros(pts.saturating_sub(first_pts).saturating_mul(100) / 9),
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
