//! A village simulated from one seed: thirty cameras, the real core, one thread, days in minutes.
//!
//! Real here: ingest (sessions, reconnecting, gates, clocks, decoding times), the ring (writer, recovery, reader, coverage, verify),
//! the hub, tracker and rules. Simulated: cameras and network (`ingest::sim`), disk (`ring::ModelDisk`), the worker, clocks, and what
//! befalls all of them
//! (`fate`). Belongs here: driving them and holding them to their promises. Does not belong here: any behaviour of the product.
//!
//! Time is tokio's. The runtime must be one thread's with its time paused, which only tests and examples may ask for:
//! see `examples/sim.rs`. Everything follows from the seed; the same seed gives the same [`Report::trace`].

mod camera;
mod clock;
mod content;
mod dice;
mod fate;
mod ledger;
mod viewer;
mod village;
mod worker;

use std::{fmt, time::Duration};

/// A village to be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// How long it lives.
    pub length: Duration,
    /// How many cameras it has, at most 250.
    pub cameras: u8,
    /// A disk that says it synced and did not: what the simulation must find out.
    pub lying_disk: bool,
}

impl Plan {
    /// Thirty cameras for so long.
    #[must_use]
    pub fn new(seed: u64, length: Duration) -> Self {
        Self { seed, length, cameras: 30, lying_disk: false }
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Violation {
    /// Which.
    pub what: String,
}

impl Violation {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

/// What a village went through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Samples that came out of the cameras.
    pub samples: u64,
    /// Of them, dropped because the disk was gone for long.
    pub dropped: u64,
    /// Records that were read back, sample by sample.
    pub records: u64,
    /// Samples in them.
    pub found: u64,
    /// Power cuts, orderly restarts, steps of the clock, and times a path did wrong.
    pub cuts: u64,
    /// Orderly restarts.
    pub restarts: u64,
    /// Steps of the clock.
    pub steps: u64,
    /// Times a path did wrong.
    pub faults: u64,
    /// Starts that waited for a path to come back.
    pub refused: u64,
    /// Trucks that stood too long, as the rules told.
    pub raised: u64,
    /// Times the whole ring was verified from its blocks alone.
    pub verified: u64,
    /// The longest that was lost to a cut while the ring said that all is well, µs.
    pub lost: u64,
    /// The slowest start of a ring, µs of the model disk.
    pub opening: u64,
    /// Blocks begun.
    pub blocks: u64,
    /// Memory of this process without its model disk, KiB: after an hour, and the most since then. No part of the trace.
    pub memory: (u64, u64),
    /// Everything that happened, hashed.
    pub trace: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} samples ({} dropped), {} records read back, {} blocks; {} cuts, {} restarts ({} waited for a disk), {} clock steps, {} disk faults; {} trucks told; \
             {} times verified whole; at most {} ms lost, ring open after {} ms at most; memory {} → {} MiB; trace {:016x}",
            self.samples,
            self.dropped,
            self.records,
            self.blocks,
            self.cuts,
            self.restarts,
            self.refused,
            self.steps,
            self.faults,
            self.raised,
            self.verified,
            self.lost / 1000,
            self.opening / 1000,
            self.memory.0 >> 10,
            self.memory.1 >> 10,
            self.trace
        )
    }
}

/// Lets a village live.
///
/// # Errors
/// The promise that was broken, with the time in the village.
pub async fn live(plan: Plan) -> Result<Report, Violation> {
    village::Village::new(plan)?.live().await
}
