//! How full the evidence store is: what it holds against its quota and the disk under it.
//!
//! Belongs here: the numbers, and the judgement over them. Does not belong here: what is done about it (`evidence` here, the
//! copies of footage and the packages in the binary), SQL (`store`).

use serde::Serialize;
use std::path::PathBuf;
use store::{EvidenceUse, Store, StoreError};

/// Free bytes that evidence leaves to the database: without it nothing could be shown, for nothing could be audited.
pub const LEFT_FREE: u64 = 1 << 30;
/// Warned from here on, in per cent of the quota.
const WARN_AT: u64 = 80;

/// How full it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fullness {
    /// There is room.
    Roomy,
    /// Somebody should look after it.
    Filling,
    /// New evidence keeps pictures and times only.
    Full,
}

/// What the store holds and may hold, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Room {
    /// Pictures and clips of cases.
    pub cases: u64,
    /// Footage kept at somebody's tap.
    pub kept: u64,
    /// Packages for authorities that lie ready.
    pub packages: u64,
    /// All of them may have so much.
    pub quota: u64,
    /// What the disk still takes.
    pub free: u64,
}

impl Room {
    /// All evidence.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.cases.saturating_add(self.kept).saturating_add(self.packages)
    }

    /// How full it is.
    #[must_use]
    pub fn fullness(&self) -> Fullness {
        let used = u128::from(self.used());
        if used >= u128::from(self.quota) || self.free <= LEFT_FREE {
            Fullness::Full
        } else if used * 100 >= u128::from(self.quota) * u128::from(WARN_AT) || self.free <= 2 * LEFT_FREE {
            Fullness::Filling
        } else {
            Fullness::Roomy
        }
    }

    /// Whether so many bytes more may be written.
    #[must_use]
    pub fn takes(&self, bytes: u64) -> bool {
        self.used().saturating_add(bytes) <= self.quota && self.free >= bytes.saturating_add(LEFT_FREE)
    }
}

/// Asks how full the store is.
#[derive(Clone, Debug)]
pub struct Gauge {
    store: Store,
    dir: PathBuf,
    quota: Option<u64>,
}

impl Gauge {
    /// Of the evidence below a folder. Without a quota it may have half of the disk the folder lies on.
    #[must_use]
    pub fn new(store: Store, dir: PathBuf, quota: Option<u64>) -> Self {
        Self { store, dir, quota }
    }

    /// How it is now.
    ///
    /// # Errors
    /// When the database fails. A disk that cannot be measured counts as full: nothing is written to it blindly.
    pub fn now(&self) -> Result<Room, StoreError> {
        let EvidenceUse { cases, kept, packages } = self.store.evidence_use()?;
        let (free, size) = match rustix::fs::statvfs(&self.dir) {
            Ok(disk) => (disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize)),
            Err(error) => {
                tracing::warn!(%error, dir = %self.dir.display(), "the disk of the evidence cannot be measured");
                (0, 0)
            }
        };
        Ok(Room { cases, kept, packages, quota: self.quota.unwrap_or(size / 2), free })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GB: u64 = 1_000_000_000;

    #[test]
    fn it_warns_first_and_then_is_full() {
        let with = |cases, free| Room { cases, kept: GB, packages: GB, quota: 10 * GB, free }.fullness();
        assert_eq!(with(5 * GB, 100 * GB), Fullness::Roomy);
        assert_eq!(with(6 * GB - 1, 100 * GB), Fullness::Roomy);
        assert_eq!(with(6 * GB, 100 * GB), Fullness::Filling);
        assert_eq!(with(8 * GB - 1, 100 * GB), Fullness::Filling);
        assert_eq!(with(8 * GB, 100 * GB), Fullness::Full);
        assert_eq!(with(0, 2 * LEFT_FREE), Fullness::Filling, "the disk fills, whoever fills it");
        assert_eq!(with(0, LEFT_FREE), Fullness::Full);
    }

    proptest! {
        #[test]
        fn more_never_makes_it_roomier(cases: u64, kept: u64, packages: u64, quota: u64, free: u64, more: u64) {
            let room = Room { cases, kept, packages, quota, free };
            let then = Room { cases: cases.saturating_add(more), free: free.saturating_sub(more), ..room };
            prop_assert!(then.fullness() >= room.fullness());
            // What is full takes nothing; what takes something is not full.
            prop_assert!(!(room.fullness() == Fullness::Full && room.takes(1)));
            prop_assert!(!room.takes(more) || then.used() <= quota);
        }
    }
}
