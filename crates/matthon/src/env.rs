//! The outside world as one value: clock, disk, network, worker. Everything the core does to the machine passes here,
//! so that a simulation can stand in for all of it.

use domain::{Clock, MonoTime, WallTime};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// What the core may touch.
#[derive(Clone)]
pub(crate) struct Env {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) disk: Arc<dyn ring::Disk>,
    pub(crate) network: Arc<dyn ingest::Network>,
    pub(crate) worker: Arc<dyn vision::Launcher>,
}

impl Env {
    /// The real machine.
    pub(crate) fn system(config: &config::Config) -> anyhow::Result<Self> {
        Ok(Self {
            clock: clock(),
            disk: disk(),
            network: Arc::new(ingest::RetinaNetwork::new()),
            worker: Arc::new(crate::models::launcher(config)?),
        })
    }
}

/// The real clock, for commands that need nothing else.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

/// The real disk, likewise.
pub(crate) fn disk() -> Arc<dyn ring::Disk> {
    Arc::new(ring::SystemDisk)
}

/// The kernel's clocks.
pub(crate) struct SystemClock {
    boot_id: [u8; 16],
    synchronised: AtomicBool,
    asked_at: AtomicU64,
}

/// How long an answer about synchronisation is reused: the question costs a look at the file system.
const SYNC_ANSWER_MICROS: u64 = 10_000_000;

impl SystemClock {
    pub(crate) fn new() -> Self {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let hex: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let mut boot_id = [0; 16];
        for (byte, pair) in boot_id.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()).unwrap_or(0);
        }
        Self { boot_id, synchronised: AtomicBool::new(ntp_says_synchronised()), asked_at: AtomicU64::new(boot_micros()) }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> WallTime {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(d) => WallTime(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)),
            Err(before) => WallTime(-i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX)),
        }
    }

    fn mono(&self) -> MonoTime {
        MonoTime(boot_micros())
    }

    fn synchronised(&self) -> bool {
        let now = boot_micros();
        if now.saturating_sub(self.asked_at.load(Ordering::Relaxed)) > SYNC_ANSWER_MICROS {
            self.asked_at.store(now, Ordering::Relaxed);
            self.synchronised.store(ntp_says_synchronised(), Ordering::Relaxed);
        }
        self.synchronised.load(Ordering::Relaxed)
    }

    fn boot_id(&self) -> [u8; 16] {
        self.boot_id
    }
}

fn boot_micros() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0) / 1000
}

/// systemd-timesyncd and chrony (Debian's packages) leave these marks once the clock follows a server. A box with
/// neither counts as unsynchronised: it then never erases by age, which keeps too much rather than too little.
fn ntp_says_synchronised() -> bool {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return true;
    }
    // chronyd rewrites its drift file only from a synchronised state; a stale one says nothing.
    let fresh = |p: &str| {
        std::fs::metadata(p).and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok()).is_some_and(|age| age.as_secs() < 7200)
    };
    fresh("/var/lib/chrony/chrony.drift") || fresh("/var/lib/chrony/drift")
}
