//! From records to the sample tables of a clip: runs without a hole, durations from decoding times, sound in step.

mod audio;
mod building;
mod edges;
mod video;

pub(super) use audio::audio;
pub(super) use edges::Shown;
pub(super) use video::video;

use crate::{
    error::RingError,
    reader::{Reader, RecordRef},
};
use domain::{StreamId, WallTime};
use media::progressive::ClipTrack;

/// Bytes of one record that follow one another in the file.
pub(super) struct Stretch {
    pub(super) track: usize,
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) record: u32,
    pub(super) from: u32,
    pub(super) len: u32,
    /// When its first sample is decoded, in the clip, 90 kHz.
    pub(super) media: i64,
}

/// A part of the clip without a hole.
pub(super) struct Run {
    /// Wall time of its first frame.
    pub(super) wall: WallTime,
    /// Wall time at which its last frame ends.
    pub(super) wall_end: WallTime,
    /// Where it begins among the decoding times of the video, 90 kHz.
    pub(super) media: i64,
}

pub(super) struct Gathered {
    pub(super) track: ClipTrack,
    pub(super) stretches: Vec<Stretch>,
    pub(super) records: Vec<RecordRef>,
    pub(super) runs: Vec<Run>,
}

/// When a sample of a record is shown, by the wall.
fn shown_at(r: &RecordRef, first_pts: i64, pts: i64) -> WallTime {
    r.entry.wall.plus_micros(pts.saturating_sub(first_pts).saturating_mul(100) / 9)
}

/// The records of a range, beginning at a random access point: at or before its start, or else the first behind it.
fn from_key(reader: &Reader, stream: &StreamId, from: WallTime, to: WallTime) -> Result<Vec<RecordRef>, RingError> {
    let mut records = reader.records(stream, from, to)?;
    if let Some(first) = records.first().cloned()
        && let Some(mut before) = reader.group_before(&first)?
    {
        before.append(&mut records);
        records = before;
    }
    // Where the clock was set back the range begins once more, in the middle of a group.
    let mut out: Vec<RecordRef> = Vec::with_capacity(records.len());
    for r in records {
        let jumps = out.last().filter(|last| last.entry.seq.checked_add(1) != Some(r.entry.seq) && !r.key());
        if let Some(last) = jumps.map(|last| last.entry.seq)
            && let Some(before) = reader.group_before(&r)?
        {
            out.extend(before.into_iter().filter(|b| b.entry.seq > last));
        }
        out.push(r);
    }
    Ok(out)
}
