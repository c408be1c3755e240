//! The one clock of the server: every encoder and every session counts from the same instant.
//!
//! All pipelines run on the system clock with the same base time, so an access unit keeps one presentation time
//! from the encoder to each client, and RTCP sender reports say the truth about it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gst::prelude::*;
use gstreamer as gst;

/// Time since the server started.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    clock: gst::Clock,
    base: gst::ClockTime,
}

impl Timeline {
    /// Begins now.
    pub(crate) fn start() -> Self {
        let clock = gst::SystemClock::obtain();
        let base = clock.time();
        Self { clock, base }
    }

    /// Time since the beginning.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.clock.time().saturating_sub(self.base).nseconds())
    }

    /// Makes a pipeline's running time this timeline.
    pub(crate) fn rule(&self, pipeline: &gst::Pipeline) {
        pipeline.use_clock(Some(&self.clock));
        pipeline.set_start_time(gst::ClockTime::NONE);
        pipeline.set_base_time(self.base);
    }
}

/// Unix time in nanoseconds.
pub(crate) fn unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
}
