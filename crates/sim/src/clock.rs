//! The box's clocks: both follow tokio's time; the wall may be wrong.

use domain::{Clock, MonoTime, SimClock, WallTime};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};
use tokio::time::Instant;

/// The true time when a village begins.
pub(crate) const BEGIN: WallTime = WallTime::from_secs(1_795_430_400);
/// What a boot takes before the server runs, on the monotonic clock.
const BOOT: u64 = 9_000_000;

/// The clocks of one boot.
pub(crate) struct BoxClock {
    began: Instant,
    booted: Instant,
    /// Wall minus true time, µs.
    wrong: AtomicI64,
    synchronised: AtomicBool,
    boot: u64,
}

impl BoxClock {
    pub(crate) fn new(began: Instant, boot: u64, wrong: i64, synchronised: bool) -> Self {
        Self { began, booted: Instant::now(), wrong: AtomicI64::new(wrong), synchronised: AtomicBool::new(synchronised), boot }
    }

    /// Steps the wall clock.
    pub(crate) fn set(&self, wrong: i64, synchronised: bool) {
        self.wrong.store(wrong, Ordering::Relaxed);
        self.synchronised.store(synchronised, Ordering::Relaxed);
    }

    /// Wall minus true time, µs.
    pub(crate) fn wrong(&self) -> i64 {
        self.wrong.load(Ordering::Relaxed)
    }
}

impl Clock for BoxClock {
    fn wall(&self) -> WallTime {
        BEGIN.plus(self.began.elapsed()).plus_micros(self.wrong())
    }

    fn mono(&self) -> MonoTime {
        MonoTime(BOOT).plus(self.booted.elapsed())
    }

    fn synchronised(&self) -> bool {
        self.synchronised.load(Ordering::Relaxed)
    }

    fn boot_id(&self) -> [u8; 16] {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&self.boot.to_le_bytes());
        id
    }
}

/// The same as the ring's writer sees them: while it waits for the disk, its time goes on and nobody else's. The village
/// catches up after its turn, as the other threads of the real server do meanwhile.
pub(crate) struct WriterClock {
    pub(crate) clock: Arc<BoxClock>,
    /// Moved by the disk during one turn.
    pub(crate) disk: Arc<SimClock>,
}

impl Clock for WriterClock {
    fn wall(&self) -> WallTime {
        self.clock.wall().plus_micros(i64::try_from(self.disk.mono().0).unwrap_or(i64::MAX))
    }

    fn mono(&self) -> MonoTime {
        MonoTime(self.clock.mono().0 + self.disk.mono().0)
    }

    fn synchronised(&self) -> bool {
        self.clock.synchronised()
    }

    fn boot_id(&self) -> [u8; 16] {
        self.clock.boot_id()
    }
}
