//! Where sound lies on the viewers' timeline. Pure: pictures and sounds go in as capture times.
//!
//! The timeline is the picture's (see `timeline`): it closes up over pauses, so sound cannot keep its own times. Each picture is a
//! [`Fix`]: what was captured then lies there. Sound captured at another moment lies as far from it. Between such corrections
//! sound follows sound without a seam: what is off by less than anybody notices stays so, what is more off becomes silence, or is
//! left out.
//!
//! A browser plays what all its tracks have, so a hole in the sound would stop the picture. Therefore there is none: where sound is
//! missing there is silence, also when none comes any more, as long as pictures do.

use domain::WallTime;

/// Sound may lie so far from its picture, 90 kHz (60 ms), before it is corrected: less than anybody sees at lips.
const TOLERANCE: i64 = 5_400;
/// The same where a packet is longer than that, 90 kHz (200 ms): corrections are whole packets.
const TOLERANCE_MOST: i64 = 18_000;
/// Sound so far behind the newest picture, 90 kHz (1 s), is not waited for any longer …
const LATE: u64 = 90_000;
/// … and from then on silence keeps so close behind it (0.5 s), until there is sound again.
const QUIET: u64 = 45_000;
/// How far sound may go ahead of the newest picture and the one expected next, 90 kHz (1 s): beyond it the picture stands, and
/// what is said meanwhile would be heard with a later one.
const AHEAD: i64 = 90_000;
/// Sound captured so long before the newest picture, 90 kHz (5 s), is not placed: one of the two clocks was just set.
const BEFORE: i64 = 450_000;
/// Longest silence that is made, 90 kHz (30 s); a longer hole is left to the player.
const SILENCE_MOST: u64 = 2_700_000;

/// A picture: a moment, and where it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fix {
    /// When it was captured.
    pub(crate) capture: WallTime,
    /// Where it is shown, 90 kHz.
    pub(crate) time: u64,
    /// How long it is assumed to be shown, 90 kHz.
    pub(crate) step: u32,
}

/// Where a frame of sound lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Where it begins, 90 kHz.
    pub(crate) time: u64,
    /// How long it is, 90 kHz.
    pub(crate) duration: u32,
}

/// One stream's sound beside its pictures.
#[derive(Debug, Default)]
pub(crate) struct Line {
    fix: Option<Fix>,
    track: Option<Track>,
    /// No sound since the silence of the last pictures.
    quiet: bool,
}

/// What was placed so far, counted in samples, so that no rounding adds up.
#[derive(Clone, Copy, Debug)]
struct Track {
    origin: u64,
    samples: u64,
    rate: u32,
}

impl Track {
    fn after(&self, samples: u64) -> u64 {
        let ticks = u128::from(samples) * 90_000 / u128::from(self.rate.max(1));
        self.origin.saturating_add(u64::try_from(ticks).unwrap_or(u64::MAX))
    }

    fn end(&self) -> u64 {
        self.after(self.samples)
    }

    /// A hole of so many ticks, in samples; too long a one is stepped over, and what comes is a new beginning.
    fn silence(&mut self, ticks: u64) -> u32 {
        if ticks > SILENCE_MOST {
            *self = Self { origin: self.end().saturating_add(ticks), samples: 0, rate: self.rate };
            return 0;
        }
        u32::try_from(ticks * u64::from(self.rate) / 90_000).unwrap_or(u32::MAX)
    }
}

impl Line {
    /// The next picture. Returns how many samples of silence are due.
    pub(crate) fn picture(&mut self, fix: Fix) -> u32 {
        self.fix = Some(fix);
        let Some(track) = &mut self.track else { return 0 };
        let behind = fix.time.saturating_sub(track.end());
        if behind <= if self.quiet { QUIET } else { LATE } {
            return 0;
        }
        self.quiet = true;
        track.silence(behind - QUIET)
    }

    /// Sound of `samples` at `rate` that was captured then. Returns how many samples of silence go before it; `None`: it has no place.
    pub(crate) fn sound(&mut self, capture: WallTime, samples: u32, rate: u32) -> Option<u32> {
        if let Some(track) = self.track.as_mut().filter(|track| track.rate != rate) {
            *track = Track { origin: track.end(), samples: 0, rate };
        }
        let fix = self.fix?;
        let apart = capture.micros_since(fix.capture).saturating_mul(9) / 100;
        if apart < -BEFORE || apart > AHEAD + 2 * i64::from(fix.step) {
            return None;
        }
        let ideal = fix.time.saturating_add_signed(apart);
        let track = self.track.get_or_insert(Track { origin: ideal, samples: 0, rate });
        let off = i64::try_from(i128::from(ideal) - i128::from(track.end())).unwrap_or(0);
        let long = i64::from(samples) * 90_000 / i64::from(rate.max(1));
        let tolerance = long.clamp(TOLERANCE, TOLERANCE_MOST);
        if off < -tolerance {
            return None;
        }
        self.quiet = false;
        Some(if off > tolerance { track.silence(off.unsigned_abs()) } else { 0 })
    }

    /// The number of the sample that comes next.
    pub(crate) fn next(&self) -> u64 {
        self.track.map_or(0, |track| track.samples)
    }

    /// Where the next so many samples lie. Nothing before the first sound had a place.
    pub(crate) fn take(&mut self, samples: u32) -> Option<Slot> {
        let track = self.track.as_mut()?;
        let time = track.end();
        track.samples += u64::from(samples);
        Some(Slot { time, duration: u32::try_from(track.end() - time).unwrap_or(u32::MAX) })
    }
}
