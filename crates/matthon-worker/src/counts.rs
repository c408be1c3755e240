//! What the worker has done since its start.
//!
//! Belongs here: counters that many threads raise. Does not belong here: when they are told (see [`crate::session`]).

use std::sync::atomic::{AtomicU64, Ordering};

/// Raised by the threads of the streams; the detectors keep their own (`detect::Stats`).
#[derive(Debug, Default)]
pub struct Tally {
    decoded: AtomicU64,
    quiet: AtomicU64,
    inferred: AtomicU64,
    inference_micros: AtomicU64,
    untold: AtomicU64,
}

impl Tally {
    /// Pictures came out of a decoder.
    pub fn decoded(&self, pictures: u64) {
        self.decoded.fetch_add(pictures, Ordering::Relaxed);
    }

    /// A picture was not looked at, because nothing moved on it and nobody was interested.
    pub fn quiet(&self) {
        self.quiet.fetch_add(1, Ordering::Relaxed);
    }

    /// A picture was inferred outside of the pool (a replay).
    pub fn inferred(&self, micros: u64) {
        self.inferred.fetch_add(1, Ordering::Relaxed);
        self.inference_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// An observation was dropped because the core did not take it.
    pub fn untold(&self) {
        self.untold.fetch_add(1, Ordering::Relaxed);
    }

    /// All of it, with the CPU time of the whole process.
    #[must_use]
    pub fn read(&self) -> vision::protocol::Counts {
        vision::protocol::Counts {
            decoded: self.decoded.load(Ordering::Relaxed),
            inferred: self.inferred.load(Ordering::Relaxed),
            superseded: self.untold.load(Ordering::Relaxed),
            quiet: self.quiet.load(Ordering::Relaxed),
            inference_micros: self.inference_micros.load(Ordering::Relaxed),
            cpu_micros: cpu_micros(),
        }
    }
}

/// CPU time of this process, µs.
#[must_use]
pub fn cpu_micros() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0) / 1000
}
