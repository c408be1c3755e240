//! What of a time was not recorded, and why: the ring says what is there, the journal in the database what was the matter.

use domain::{Gap, GapReason, StreamId, WallTime, gap};
use ring::{Reader, RingError};
use store::{Store, StoreError};

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum GapError {
    /// The ring cannot be read.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The holes of a stream in a time; cut `to` to now, for the future is no hole.
///
/// # Errors
/// When ring or database cannot be read.
pub fn of(reader: &Reader, store: &Store, stream: &StreamId, from: WallTime, to: WallTime) -> Result<Vec<Gap>, GapError> {
    let spans: Vec<_> = reader.coverage(stream, from, to)?.into_iter().map(|s| (s.from, s.to)).collect();
    between(reader, store, stream, &spans, from, to)
}

/// Why a stream has nothing between two times.
///
/// # Errors
/// As [`of`].
pub fn reason(reader: &Reader, store: &Store, stream: &StreamId, from: WallTime, to: WallTime) -> Result<GapReason, GapError> {
    Ok(between(reader, store, stream, &[], from, to)?.first().map_or(GapReason::Unknown, |g| g.reason))
}

/// The holes between spans that are known already.
pub(crate) fn between(
    reader: &Reader,
    store: &Store,
    stream: &StreamId,
    spans: &[(WallTime, WallTime)],
    from: WallTime,
    to: WallTime,
) -> Result<Vec<Gap>, GapError> {
    if from >= to {
        return Ok(Vec::new());
    }
    let runs = store.box_runs(from, to)?;
    let links = store.link_changes(&stream.camera, stream.channel, from, to)?;
    let damaged: Vec<_> = reader.unreadable_times().into_iter().map(|s| (s.from, s.to)).collect();
    let journal = gap::Journal { runs: &runs, links: &links, damaged: &damaged, expired_before: reader.expired_before() };
    Ok(gap::explain(spans, from, to, &journal))
}
