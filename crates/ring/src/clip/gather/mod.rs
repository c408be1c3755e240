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
    table::BlockTable,
};
use domain::{StreamId, WallTime};
use media::progressive::ClipTrack;
use std::sync::Arc;

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

/// The records of a range, beginning at a random access point: at or before its start, or else the first behind it. Each comes with
/// its block's table where that is at hand. `begin` sees the table of every block that may hold something of the range.
fn from_key(
    reader: &Reader,
    stream: &StreamId,
    from: WallTime,
    to: WallTime,
    begin: impl FnMut(&BlockTable),
    mut see: impl FnMut(RecordRef, Option<&Arc<BlockTable>>) -> Result<(), RingError>,
) -> Result<(), RingError> {
    let mut last: Option<u64> = None;
    reader.walk(stream, from, to, begin, |r, table| {
        // The range begins in the middle of a group; where the clock was set back, it begins once more.
        let begins = last.is_none_or(|last| last.checked_add(1) != Some(r.entry.seq) && !r.key());
        if begins && let Some(before) = reader.group_before(&r)? {
            for b in before.into_iter().filter(|b| last.is_none_or(|last| b.entry.seq > last)) {
                see(b, None)?;
            }
        }
        last = Some(r.entry.seq);
        see(r, Some(table))
    })
}
