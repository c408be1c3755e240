//! Wall time, monotonic time, and the clock that tells both.
//!
//! `Clock` is a trait so that a month of a village can be simulated in minutes; the real clock
//! lives in the binary, because nothing here may read one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

/// Ticks a second of media time (`pts`, `dts`, durations), everywhere.
pub const MEDIA_HZ: i64 = 90_000;

/// The box's wall clock: microseconds since 1970-01-01T00:00:00Z. Written as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallTime(
    /// Microseconds since the Unix epoch.
    pub i64,
);

impl WallTime {
    /// From whole seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000)
    }

    /// Seconds since the epoch, with fraction.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// This time plus a signed number of microseconds; stops at the ends of the range.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This time plus a duration.
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        self.plus_micros(i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    }

    /// This time minus a duration.
    #[must_use]
    pub fn minus(self, d: Duration) -> Self {
        self.plus_micros(-i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    }

    /// Signed microseconds from `earlier` to `self`.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads an instant as people and programs write it: RFC 3339 with an offset
    /// (`2026-11-23T17:42:00+07:00`, `…Z`) or Unix seconds with an optional fraction.
    ///
    /// # Errors
    /// A sentence that names what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Ok(secs) = text.parse::<f64>()
            && secs.is_finite()
            && secs.abs() < 1e11
        {
            return Ok(Self((secs * 1e6).round() as i64));
        }
        text.parse::<Timestamp>()
            .map(|t| Self(t.as_microsecond()))
            .map_err(|_| format!("`{text}` is not a time: write RFC 3339 with an offset (2026-11-23T17:42:00+07:00) or Unix seconds"))
    }
}

impl fmt::Display for WallTime {
    /// RFC 3339 in UTC, to the microsecond where there is a fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_microsecond(self.0) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Microseconds since the box booted; never steps, never goes back, counts through suspend.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MonoTime(
    /// Microseconds since boot.
    pub u64,
);

impl MonoTime {
    /// This time plus a duration.
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_micros()).unwrap_or(u64::MAX)))
    }

    /// Time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// Tells the time. The binary has the system's; tests and simulations have [`SimClock`].
pub trait Clock: Send + Sync + 'static {
    /// Wall time of the box.
    fn wall(&self) -> WallTime;
    /// Time since boot.
    fn mono(&self) -> MonoTime;
    /// Whether wall time is disciplined by the network (or a good RTC), so that erasing by age may trust it.
    fn synchronised(&self) -> bool;
    /// Identifies this boot of the box (the kernel's boot id), so that monotonic times can be compared.
    fn boot_id(&self) -> [u8; 16];
}

/// A clock that stands still until told to move.
#[derive(Debug, Default)]
pub struct SimClock {
    wall: AtomicI64,
    mono: AtomicU64,
    unsynchronised: AtomicBool,
    boot: AtomicU64,
}

impl SimClock {
    /// Starts at the given wall time, synchronised, at monotonic zero.
    #[must_use]
    pub fn at(wall: WallTime) -> Self {
        Self { wall: AtomicI64::new(wall.0), ..Self::default() }
    }

    /// Lets time pass: both clocks advance.
    pub fn advance(&self, d: Duration) {
        let micros = u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        self.mono.fetch_add(micros, Ordering::SeqCst);
        self.wall.fetch_add(i64::try_from(micros).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Steps only the wall clock, as NTP or a dead RTC battery does.
    pub fn step_wall(&self, to: WallTime) {
        self.wall.store(to.0, Ordering::SeqCst);
    }

    /// Says whether the wall clock is to be trusted.
    pub fn set_synchronised(&self, yes: bool) {
        self.unsynchronised.store(!yes, Ordering::SeqCst);
    }

    /// A new boot: monotonic time starts again at zero under another boot id.
    pub fn reboot(&self) {
        self.mono.store(0, Ordering::SeqCst);
        self.boot.fetch_add(1, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn wall(&self) -> WallTime {
        WallTime(self.wall.load(Ordering::SeqCst))
    }
    fn mono(&self) -> MonoTime {
        MonoTime(self.mono.load(Ordering::SeqCst))
    }
    fn synchronised(&self) -> bool {
        !self.unsynchronised.load(Ordering::SeqCst)
    }
    fn boot_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.boot.load(Ordering::SeqCst).to_le_bytes());
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_rfc_3339_or_unix_seconds() {
        let t = WallTime::from_secs(1_795_430_520);
        assert_eq!(WallTime::parse("1795430520"), Ok(t));
        assert_eq!(WallTime::parse("1795430520.25"), Ok(t.plus_micros(250_000)));
        assert_eq!(WallTime::parse(&t.to_string()), Ok(t));
        assert_eq!(WallTime::parse("2026-11-23T17:42:00+07:00"), WallTime::parse("2026-11-23T10:42:00Z"));
        for bad in ["", "yesterday", "NaN", "2026-11-23", "2026-11-23T17:42:00", "1e300"] {
            assert!(WallTime::parse(bad).is_err(), "{bad}");
        }
    }
}
