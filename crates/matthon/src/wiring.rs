//! From the configuration as needed to what each stage takes: the only place that knows both.

use crate::exit::Failure;
use anyhow::{Context, Result};
use config::Config;
use domain::{Sample, StreamKind};
use hub::Fanout;
use std::{os::unix::fs::PermissionsExt, path::Path};

/// What the ring crate needs to know about a ring of the configuration.
pub(crate) fn ring_spec(config: &Config, name: &str) -> Result<ring::RingSpec, Failure> {
    let ring = config.rings.iter().find(|r| r.name == name).with_context(|| format!("no ring is named {name}"))?;
    Ok(ring::RingSpec {
        name: ring.name.clone(),
        paths: ring.paths.clone(),
        size: ring.size,
        block_size: ring.block_size,
        sync: ring.sync,
        max_age: ring.max_age,
    })
}

/// Opens the database in the data folder, which belongs to the daemon alone.
pub(crate) fn open_store(data: &Path) -> Result<store::Store> {
    std::fs::create_dir_all(data).with_context(|| format!("cannot make the data folder {}", data.display()))?;
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot close {} to others", data.display()))?;
    Ok(store::Store::open(&data.join("matthon.db"))?)
}

/// Where the samples of one camera stream go: viewers first, they are waiting; then the disk, which gathers anyway.
pub(crate) struct Outlet {
    pub(crate) video: Fanout<Sample>,
    pub(crate) audio: Fanout<Sample>,
    pub(crate) recorder: Option<ring::Recorder>,
}

impl Outlet {
    /// The largest access unit taken: what the ring of this stream can hold, or any ring where none records it.
    pub(crate) fn max_access_unit(&self) -> usize {
        self.recorder.as_ref().map_or(ring::MAX_ACCESS_UNIT, ring::Recorder::max_access_unit)
    }
}

impl ingest::Sink for Outlet {
    fn sample(&self, sample: Sample) {
        // Cloning a sample is a few reference counts; its bytes stay where they are.
        let kept = self.recorder.as_ref().map(|recorder| (recorder, sample.clone()));
        match sample.stream.kind {
            StreamKind::Video => self.video.publish(sample),
            StreamKind::Audio | StreamKind::Observations => self.audio.publish(sample),
        }
        if let Some((recorder, sample)) = kept {
            recorder.push(&sample);
        }
    }
}
