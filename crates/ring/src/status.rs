//! How a ring is doing, for the health page, `/healthz` and `matthon ring status --json`.

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
    /// Microseconds since everything received by then was durable.
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
}
