//! What the database remembers of each ring's folders, so that a disk that is not mounted is not taken for a new one: the
//! recordings of weeks are not to be laid out anew on the root's disk because of a line in `/etc/fstab`.

use anyhow::Result;
use ring::{Disk, PathState, Recorder, RingSpec};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use store::Store;

#[derive(Default, Serialize, Deserialize)]
struct Remembered {
    /// The ring's own name, in all its files.
    id: Option<[u8; 16]>,
    /// Folders for which a disk was mounted.
    mounted: Vec<PathBuf>,
}

fn key(ring: &str) -> String {
    format!("ring-{ring}")
}

/// The ring, with what is remembered of it.
pub(crate) fn recall(store: &Store, spec: RingSpec) -> Result<RingSpec> {
    let text = store.meta(&key(&spec.name))?.unwrap_or_default();
    // Nothing remembered, or by a version that wrote otherwise: as at a first start.
    let known: Remembered = serde_json::from_str(&text).unwrap_or_default();
    Ok(RingSpec { id: known.id, mounted: known.mounted, ..spec })
}

/// Remembers what an opened ring lies on. Of folders that are away what was known stays known.
pub(crate) fn keep(store: &Store, spec: &RingSpec, opened: &Recorder, disk: &dyn Disk) -> Result<()> {
    let paths = opened.status().paths;
    let mounted = paths.into_iter().filter(|p| match p.state {
        PathState::Ok => disk.volume(&p.path).is_ok_and(|v| v.own),
        _ => spec.mounted.contains(&p.path),
    });
    let known = Remembered { id: Some(opened.id()), mounted: mounted.map(|p| p.path).collect() };
    Ok(store.set_meta(&key(&spec.name), &serde_json::to_string(&known)?)?)
}
