//! Why a package has nothing of a stream between two of its records.
//!
//! Belongs here: the word, and when none may be said. Does not belong here: which holes there are (`evidence` finds them in the chain),
//! what the journal knows (`web::gaps`).

use anyhow::Result;
use domain::{Gap, GapReason, StreamId};
use ring::{Reader, table::TOLERANCE};
use store::Store;

/// The reason of a hole. `pictures`: the gaps of the camera's pictures that are known by now.
pub(super) fn reason(reader: &Reader, store: &Store, stream: &StreamId, hole: Hole, pictures: &[Gap]) -> Result<GapReason> {
    let Hole { from, to } = hole;
    if !reader.damaged_times(stream, from, to)?.is_empty() {
        return Ok(GapReason::Damaged);
    }
    if !reader.coverage(stream, from, to)?.iter().any(|s| s.from <= from && s.to >= to) {
        return Ok(web::gaps::reason(reader, store, stream, from, to)?);
    }
    let mut there: Vec<_> = reader.records(stream, from, to)?.iter().map(|r| (r.entry.wall, r.entry.wall_end())).collect();
    there.sort_unstable();
    let mut until = from;
    let whole = there.iter().all(|(begin, end)| {
        let goes_on = begin.micros_since(until) <= TOLERANCE;
        until = until.max(*end);
        goes_on
    });
    // It was recorded, and the index does not name it any more: its block cannot be read.
    if there.is_empty() || !whole || to.micros_since(until) > TOLERANCE {
        return Ok(GapReason::Damaged);
    }
    // It is there and was left out: sound where there are no pictures, pictures behind something that was lost.
    Ok(pictures.iter().find(|gap| gap.from < to && gap.to > from).map_or(GapReason::Unknown, |gap| gap.reason))
}

/// A time without records.
#[derive(Clone, Copy)]
pub(super) struct Hole {
    pub(super) from: domain::WallTime,
    pub(super) to: domain::WallTime,
}
