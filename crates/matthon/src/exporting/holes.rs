//! Why a package has nothing of a stream between two of its records.
//!
//! Belongs here: the word, and when none may be said. Does not belong here: which holes there are (`evidence` finds them in the chain),
//! what the journal knows (`web::gaps`).

use anyhow::Result;
use domain::{Gap, GapReason, StreamId, WallTime};
use ring::{Reader, table::TOLERANCE};
use store::Store;

/// What rounding makes of a time on two ways, at most: some ticks of 90 kHz, µs.
const ROUNDING: i64 = 100;

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
    pub(super) from: WallTime,
    pub(super) to: WallTime,
}

/// Whether a gap tells of a time already. The same hole is found between records and by what is damaged, and ticks of 90 kHz do not
/// round to the same microsecond from both sides.
pub(super) fn covers(gap: &Gap, from: WallTime, to: WallTime) -> bool {
    gap.from.micros_since(from) <= ROUNDING && to.micros_since(gap.to) <= ROUNDING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_told_once_however_its_ends_were_rounded() {
        let at = |micros: i64| WallTime::from_secs(1_795_430_520).plus_micros(micros);
        let gap = Gap { from: at(515_650), to: at(848_972), reason: GapReason::Damaged };
        for (from, to) in [(515_650, 848_972), (515_651, 848_973), (515_649, 848_971), (600_000, 700_000)] {
            assert!(covers(&gap, at(from), at(to)), "{from} {to}");
        }
        for (from, to) in [(400_000, 848_972), (515_650, 950_000), (0, 100_000), (900_000, 990_000)] {
            assert!(!covers(&gap, at(from), at(to)), "{from} {to}");
        }
    }
}
