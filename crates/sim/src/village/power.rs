//! What befalls the village: power cuts, clocks that are set, disks that fail.

use super::{Boot, End, TURNING, Village};
use crate::{Violation, clock::BoxClock, dice::Dice, fate::Happening};
use domain::{Clock, MonoTime};
use ring::{Fault, ModelDisk, RingState};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Most that a cut may cost, µs: promised.
const LOST: u64 = 1_000_000;
/// Where a cut forgets more than a second because the disk hung, the ring knows only afterwards.
const HANGS: Duration = Duration::from_millis(100);

impl Village {
    /// Cuts the power somewhere within the writer's next turn. Says what must have survived.
    pub(super) fn cut(&mut self, boot: &mut Boot, synced: MonoTime) -> Result<MonoTime, Violation> {
        let well = boot.ring.status().state == RingState::Ok && !self.faults.values().any(|f| !matches!(f, Fault::Slow(d) if *d <= HANGS));
        self.disk.watch();
        boot.ring.tick();
        let mut history = self.disk.take_history();
        let (disk, within) = match usize::try_from(self.dice.below(history.len() as u64 + 1)) {
            Ok(n) if n < history.len() => {
                let disk = history.swap_remove(n);
                let within = disk.taken();
                (disk, within.0)
            }
            _ => (self.disk.clone(), self.disk_time.mono().0),
        };
        let now = MonoTime(boot.clock.mono().0 + within);
        let (way, keep, seed) = (self.dice.below(5), self.dice.below(100), self.dice.roll());
        let mut chance = Dice::new(seed, 3);
        self.disk = disk.cut_sectors(|write, at| match way {
            0 => false,
            1 => true,
            2 => Dice::new(seed, write as u64).once_in(2),
            3 => chance.below(100) < keep,
            _ => Dice::new(seed, (write as u64) << 40 ^ (at / 4096)).below(100) < keep,
        });
        if self.plan.lying_disk {
            self.disk = ModelDisk::new();
        }
        self.disk_time.reboot();
        self.tell(&format!(
            "the power goes within a turn of the writer, way {way}; all was well: {well}; durable: all before {synced:?} of {now:?}"
        ));
        // What it says of itself is its promise: all is well means at most a second is lost.
        let second = if well { now.0.saturating_sub(LOST) } else { 0 };
        let mut ledger = self.ledger();
        ledger.trace.number(now.0);
        drop(ledger);
        self.well_until = well.then_some(now);
        Ok(MonoTime(synced.0.max(second)))
    }

    /// Lets happen what is due. An end of the boot is given back.
    pub(super) fn befall(&mut self, clock: &BoxClock) -> Option<End> {
        while let Some((_, happening)) = self.fate.next_if(|(at, _)| *at <= self.began.elapsed()) {
            self.tell(&format!("{happening:?}"));
            let end = match happening {
                Happening::Cut { off, wrong, synchronised } => Some(End::Cut { off, wrong, synchronised }),
                Happening::Restart { blocks } => Some(End::Restart { blocks }),
                Happening::Clock { wrong, synchronised } => {
                    self.report.steps += 1;
                    self.wall = (wrong, synchronised);
                    clock.set(wrong, synchronised);
                    None
                }
                Happening::Disk { path, fault } => {
                    self.report.faults += u64::from(fault.is_some());
                    self.alone = true;
                    match fault {
                        Some(fault) => self.faults.insert(path, fault),
                        None => self.faults.remove(&path),
                    };
                    // What is there again is looked at before it is overwritten.
                    self.next_look = Instant::now();
                    self.furnish();
                    None
                }
            };
            if end.is_some() {
                return end;
            }
        }
        None
    }

    /// Time and faults of the disk, which a cut made anew.
    pub(super) fn furnish(&self) {
        self.disk.drive(self.disk_time.clone());
        self.disk.pace(TURNING);
        self.disk.heal();
        for (path, fault) in &self.faults {
            if let Some(dir) = self.spec.paths.get(*path) {
                self.disk.fail(dir, *fault);
            }
        }
    }

    /// Time without the box: what befalls the disk and the clock meanwhile is seen when it is back.
    pub(super) async fn pass(&mut self, time: Duration) {
        sleep(time).await;
    }
}
