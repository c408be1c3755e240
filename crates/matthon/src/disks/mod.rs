//! The disks under the rings: which disk each folder lies on, what it says of itself, and who is told when one fails.
//!
//! Belongs here: joining what rings know of their folders with what `matthon-smart.timer` wrote down, and watching both.
//! Does not belong here: reading a device. The daemon may not and does not; root's own unit does (`systemd/matthon-smart`).

mod place;
mod smart;
mod watch;

pub(crate) use watch::watch;

use ring::RingStatus;
use smart::Reading;
use std::path::{Path, PathBuf};

/// Where root's unit writes, and where the kernel tells of its devices.
#[derive(Clone, Debug)]
pub(crate) struct Disks {
    readings: PathBuf,
    devices: PathBuf,
}

impl Disks {
    /// Reads what lies in this folder.
    pub(crate) fn reading(readings: &Path) -> Self {
        Self { readings: readings.to_owned(), devices: "/sys/dev/block".into() }
    }

    /// Every disk under these rings, with its folders. A folder whose disk cannot be named stands alone, unmeasured.
    pub(crate) fn of(&self, rings: &[RingStatus]) -> Vec<web::Disk> {
        let mut disks: Vec<web::Disk> = Vec::new();
        for path in rings.iter().flat_map(|r| r.paths.iter()) {
            // A folder that stands in for a disk that is not mounted says nothing about that disk.
            let lies_there = !matches!(path.state, ring::PathState::Unmounted | ring::PathState::Missing);
            let names = if lies_there { place::disks(&path.path, &self.devices) } else { Vec::new() };
            for name in names {
                match disks.iter_mut().find(|d| d.device == name) {
                    Some(disk) => disk.paths.push(path.path.clone()),
                    None => disks.push(self.disk(name, path.path.clone())),
                }
            }
        }
        disks
    }

    fn disk(&self, device: String, path: PathBuf) -> web::Disk {
        let reading = smart::read(&self.readings.join(format!("{device}.json")));
        let state = reading.as_ref().map_or("unmeasured", Reading::state);
        let (reading, detail) = match reading {
            Ok(reading) => {
                let detail = reading.trouble.join("; ");
                (reading, detail)
            }
            Err(why) => (Reading::default(), why),
        };
        web::Disk {
            device,
            paths: vec![path],
            state,
            detail,
            reasons: reading.reasons,
            model: reading.model,
            serial: reading.serial,
            measured: reading.measured.map(|t| t.to_string()),
            reallocated: reading.reallocated,
            pending: reading.pending,
            uncorrectable: reading.uncorrectable,
            worn_percent: reading.worn_percent,
            temperature: reading.temperature,
            hours: reading.hours,
        }
    }
}
