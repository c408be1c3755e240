//! What the page says of disks: how each folder of a ring is doing, and what the disks say of themselves.
//!
//! Belongs here: the shape, and which of it is trouble. Does not belong here: finding it out (the binary does).

use ring::{PathState, RingStatus};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A disk and its own word about its health. What it does not tell is left out.
#[derive(Clone, Debug, Serialize)]
pub struct Disk {
    /// Its name in the kernel: `sda`, `nvme0n1`.
    pub device: String,
    /// Folders of rings that lie on it.
    pub paths: Vec<PathBuf>,
    /// `ok`, `warning`, `failing` or `unmeasured`: `smart.<word>` in the texts.
    pub state: &'static str,
    /// What is wrong, or why nothing was measured.
    pub detail: String,
    /// The same in a form that has its words in the texts; empty when nothing was measured.
    pub reasons: Vec<Reason>,
    /// Maker and model.
    pub model: String,
    /// Serial number: what stands on its label.
    pub serial: String,
    /// When it was measured.
    pub measured: Option<String>,
    /// Sectors replaced by spare ones.
    pub reallocated: Option<u64>,
    /// Sectors that could not be read.
    pub pending: Option<u64>,
    /// Errors that could not be corrected.
    pub uncorrectable: Option<u64>,
    /// How much of its life is used, in per cent.
    pub worn_percent: Option<u64>,
    /// Degrees Celsius.
    pub temperature: Option<i64>,
    /// Hours it ran.
    pub hours: Option<u64>,
}

/// One thing that is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// `smart.why.<key>` in the texts.
    pub key: &'static str,
    /// How many, where it can be counted.
    pub n: u64,
}

/// Something to look after: the key of its sentence, the ring if one is meant, the folder or disk, since when, and the details.
pub(crate) struct DiskTrouble {
    pub(crate) text_key: String,
    pub(crate) ring: Option<String>,
    pub(crate) disk: String,
    pub(crate) since: Option<String>,
    pub(crate) detail: String,
}

/// Everything that is wrong with folders and disks.
pub(crate) fn troubles(rings: &[RingStatus], disks: &[Disk]) -> Vec<DiskTrouble> {
    let paths = rings.iter().flat_map(|ring| ring.paths.iter().map(move |path| (ring, path)));
    let folders = paths.clone().filter(|(_, path)| path.state != PathState::Ok).map(|(ring, path)| DiskTrouble {
        text_key: format!("disk.{}", path.state.as_str()),
        ring: Some(ring.name.clone()),
        disk: path.path.display().to_string(),
        since: path.since.map(|t| t.to_string()),
        detail: path.detail.clone(),
    });
    let unread = paths.filter(|(_, path)| path.read_errors > 0).map(|(ring, path)| DiskTrouble {
        text_key: "disk.read-errors".into(),
        ring: Some(ring.name.clone()),
        disk: path.path.display().to_string(),
        since: None,
        detail: path.read_errors.to_string(),
    });
    let sick = disks.iter().filter(|disk| matches!(disk.state, "warning" | "failing")).map(|disk| DiskTrouble {
        text_key: format!("smart.{}", disk.state),
        ring: None,
        disk: [disk.device.as_str(), &disk.model, &disk.serial].iter().filter(|s| !s.is_empty()).copied().collect::<Vec<_>>().join(" "),
        since: None,
        detail: disk.detail.clone(),
    });
    folders.chain(unread).chain(sick).collect()
}

/// The folders of a ring, their times in RFC 3339.
pub(crate) fn paths(ring: &RingStatus) -> Result<Value, serde_json::Error> {
    let mut all = Vec::with_capacity(ring.paths.len());
    for path in &ring.paths {
        let mut view = serde_json::to_value(path)?;
        view["since"] = json!(path.since.map(|t| t.to_string()));
        all.push(view);
    }
    Ok(all.into())
}
