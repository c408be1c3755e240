//! How a ring is doing, for the health page, `/healthz` and `matthon ring status --json`.

use crate::paths::PathStatus;
use domain::WallTime;
use serde::Serialize;

/// Whether the ring keeps its promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum RingState {
    /// Samples are durable in time.
    #[default]
    Ok,
    /// They are, but later than promised.
    Slow,
    /// They are not: see `detail`.
    Failed,
}

/// A ring in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RingStatus {
    /// Its name.
    pub name: String,
    /// Bytes of all blocks.
    pub size: u64,
    /// Bytes of those that can be written to now: fewer while a disk is away.
    pub available: u64,
    /// Blocks.
    pub blocks: u64,
    /// Bytes of a block.
    pub block_size: u64,
    /// Blocks that hold recordings.
    pub used: u64,
    /// Start of the oldest recording.
    pub oldest: Option<WallTime>,
    /// End of the newest recording.
    pub newest: Option<WallTime>,
    /// Bytes written since the recorder started, with headers and padding.
    pub written_bytes: u64,
    /// Bits a second written, over the last minute or so.
    pub write_rate_bps: u64,
    /// How many days of recording fit at that rate.
    pub days_forecast: Option<f64>,
    /// How many days of recording were promised; `None`: as many as fit.
    pub days_promised: Option<f64>,
    /// Everything received before so many microseconds ago is durable.
    pub last_sync_micros_ago: u64,
    /// Microseconds the last `fdatasync` took.
    pub last_sync_took_micros: u64,
    /// Groups of pictures dropped because the disk was too slow or gone, since the start.
    pub dropped_gops: u64,
    /// Samples larger than a record may be, since the start.
    pub oversized: u64,
    /// Bytes received and not yet durable.
    pub in_flight_bytes: u64,
    /// Writes and syncs that failed, since the start.
    pub errors: u64,
    /// Whether the ring keeps its promise.
    pub state: RingState,
    /// Why not, or which housekeeping (erasing, footers) the disk refused, with the file and what to do; empty when all is well.
    pub detail: String,
    /// Each of its directories.
    pub paths: Vec<PathStatus>,
}

/// A forecast within this of the promise is told before it is broken.
const MARGIN: f64 = 1.1;

impl RingStatus {
    /// What is to be said when recordings will be kept for fewer days than promised, and what to change. `None`: all is well, or
    /// nothing is known yet.
    #[must_use]
    pub fn shortage(&self) -> Option<String> {
        shortage(&self.name, self.available as f64, self.days_forecast?, self.days_promised?, self.write_rate_bps as f64)
    }
}

/// The sentence of [`RingStatus::shortage`], from its numbers: bytes, days, days, bits a second.
#[must_use]
pub fn shortage(name: &str, size: f64, forecast: f64, promised: f64, rate: f64) -> Option<String> {
    if forecast >= promised * MARGIN {
        return None;
    }
    let needed = (size / forecast.max(0.01) * promised * MARGIN / 1e12).max(0.1);
    let rate = rate / 1e6;
    Some(format!(
        "{forecast:.1} days fit at today's {rate:.1} Mbit/s, {promised:.0} are promised: make `size` of [[ring]] {name} at least \
         {needed:.1}TB, lower the cameras' bitrates, or promise less ([privacy] keep)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(forecast: Option<f64>, promised: Option<f64>) -> RingStatus {
        RingStatus {
            name: "main".into(),
            size: 8_000_000_000_000,
            available: 8_000_000_000_000,
            blocks: 1,
            block_size: 1,
            used: 0,
            oldest: None,
            newest: None,
            written_bytes: 0,
            write_rate_bps: 60_000_000,
            days_forecast: forecast,
            days_promised: promised,
            last_sync_micros_ago: 0,
            last_sync_took_micros: 0,
            dropped_gops: 0,
            oversized: 0,
            in_flight_bytes: 0,
            errors: 0,
            state: RingState::Ok,
            detail: String::new(),
            paths: Vec::new(),
        }
    }

    #[test]
    fn a_promise_that_will_be_broken_is_told_before() {
        assert_eq!(status(None, Some(15.0)).shortage(), None);
        assert_eq!(status(Some(3.0), None).shortage(), None);
        assert_eq!(status(Some(16.6), Some(15.0)).shortage(), None);
        let said = status(Some(15.5), Some(15.0)).shortage().unwrap();
        assert!(said.contains("15.5 days fit at today's 60.0 Mbit/s, 15 are promised") && said.contains("at least 8.5TB"), "{said}");
    }
}
