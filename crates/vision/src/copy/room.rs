//! How many bytes of a viewing copy are believed, by what was sent to be copied. Pure.

use crate::protocol::copy::PICTURE_MAX;
use domain::WallTime;

/// Bytes a worker may send beyond what its rate allows: a first picture, headers, complaints.
pub(super) const SPARE: u64 = 2 * PICTURE_MAX as u64;
/// So many times the rate it was told; the encoder keeps to it but for pictures that come unevenly.
const RATES: u64 = 2;
/// How long a picture is shown at least and at most, as far as the rate is concerned, µs: pictures of a clock that is set
/// back still need some bytes, and a gap needs none.
const SHOWN: std::ops::RangeInclusive<u64> = 40_000..=10_000_000;

/// How many bytes a worker may have sent: a broken or taken one must not fill the disk, or keep a package waiting without end.
pub(super) struct Room {
    kbit: u64,
    last: Option<WallTime>,
    /// µs, by the times of capture, as the encoder counts.
    shown: u64,
    came: u64,
}

impl Room {
    pub(super) fn new(kbit: u32) -> Self {
        Self { kbit: kbit.into(), last: None, shown: 0, came: 0 }
    }

    /// One more sample is sent to it.
    pub(super) fn sample(&mut self, capture: WallTime) {
        let step = self.last.replace(capture).map_or(0, |last| capture.0.abs_diff(last.0));
        self.shown = self.shown.saturating_add(step.clamp(*SHOWN.start(), *SHOWN.end()));
    }

    /// Bytes came. Says whether they are more than a copy of what was sent can have.
    pub(super) fn came(&mut self, bytes: usize) -> bool {
        self.came = self.came.saturating_add(bytes as u64);
        // 125 bytes a kbit, a million µs a second.
        let rate = self.shown.saturating_mul(self.kbit) / 8000;
        self.came > rate.saturating_mul(RATES).saturating_add(SPARE)
    }
}
