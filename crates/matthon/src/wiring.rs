//! From the configuration as needed to what each stage takes: the only place that knows both.

use crate::exit::Failure;
use crate::{
    capture::Capture,
    env::Env,
    film::{self, Films},
    seeing::footage,
};
use anyhow::{Context, Result, bail};
use config::Config;
use domain::{CameraId, Channel, Sample, StreamKind, WallTime};
use hub::Fanout;
use live::LiveStream;
use std::{
    collections::BTreeMap,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
    time::Duration,
};

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
        mounted: Vec::new(),
        id: None,
        any_filesystem: ring.any_filesystem,
    })
}

/// Opens the database in the data folder, which belongs to the daemon alone.
pub(crate) fn open_store(data: &Path) -> Result<store::Store> {
    std::fs::create_dir_all(data).with_context(|| format!("cannot make the data folder {}", data.display()))?;
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot close {} to others", data.display()))?;
    Ok(store::Store::open(&data.join("matthon.db"))?)
}

/// Keeps every other daemon off this data folder, also one whose rings lie elsewhere, as long as the file is held.
pub(crate) fn lock_data(data: &Path) -> Result<std::fs::File> {
    let path = data.join("lock");
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            bail!(
                "another matthon works with the data folder {}: stop it first, or give this one a [storage] data of its own",
                data.display()
            )
        }
        Err(e) => Err(e).with_context(|| format!("cannot lock {}", path.display())),
    }
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

pub(crate) fn camera_view(camera: &config::Camera, rings: &BTreeMap<String, ring::Recorder>, capture: &Capture) -> web::Camera {
    let reader = |channel| camera.record.ring(channel).and_then(|ring| rings.get(ring)).map(ring::Recorder::reader);
    let live = |channel| {
        let key = (camera.id.clone(), channel);
        let (source, name) = (capture.streams.get(&key)?.clone(), format!("{}/{channel}", camera.id));
        Some(match capture.sounds.get(&key) {
            Some(sound) => LiveStream::with_sound(source, sound.clone(), name),
            None => LiveStream::new(source, name),
        })
    };
    web::Camera {
        id: camera.id.clone(),
        name: camera.name.clone(),
        main: live(Channel::Main).expect("every camera has a main stream: `main` is a required key"),
        sub: live(Channel::Sub),
        main_recorded: reader(Channel::Main),
        sub_recorded: reader(Channel::Sub),
        declared: camera.bitrate,
        masked: !camera.masks.is_empty(),
    }
}

/// Where pictures and clips of every camera come from.
pub(crate) fn footage(
    config: &Config,
    env: &Env,
    rings: &BTreeMap<String, ring::Recorder>,
    capture: &Capture,
    vision: vision::Vision,
) -> footage::Footage {
    let source = |camera: &config::Camera| {
        let reader = |channel| Some((channel, camera.record.ring(channel).and_then(|ring| rings.get(ring))?.reader()));
        Some(footage::Source {
            recorded: [Channel::Main, Channel::Sub].into_iter().filter_map(reader).collect(),
            live: capture.streams.get(&(camera.id.clone(), Channel::Main))?.clone(),
            live_sub: capture.streams.get(&(camera.id.clone(), Channel::Sub)).cloned(),
            audio: camera.audio,
            masks: camera.masks.clone(),
        })
    };
    let cameras = config.cameras.iter().filter_map(|c| Some((c.id.clone(), source(c)?))).collect();
    footage::Footage { cameras, vision, clock: env.clock.clone() }
}

/// The readers of every camera's recordings, the full picture first; and whether its sound is recorded.
pub(crate) fn recorded(
    config: &Config,
    rings: &BTreeMap<String, ring::Recorder>,
) -> BTreeMap<domain::CameraId, (Vec<(Channel, ring::Reader)>, bool)> {
    let readers = |camera: &config::Camera| {
        let reader = |channel| Some((channel, camera.record.ring(channel).and_then(|ring| rings.get(ring))?.reader()));
        [Channel::Main, Channel::Sub].into_iter().filter_map(reader).collect()
    };
    config.cameras.iter().map(|c| (c.id.clone(), (readers(c), c.audio))).collect()
}

/// Makes films of what is recorded.
pub(crate) fn films(config: &Config, env: &Env, rings: &BTreeMap<String, ring::Recorder>) -> Films {
    let mut recorded = recorded(config, rings);
    let source = |camera: &config::Camera| {
        let (recorded, _) = recorded.remove(&camera.id)?;
        Some((camera.id.clone(), film::Source { recorded, masks: camera.masks.clone() }))
    };
    Films { cameras: config.cameras.iter().filter_map(source).collect(), launcher: env.worker.clone() }
}

/// Since when there are recordings of each camera, asked again each time.
pub(crate) fn oldest(config: &Config, rings: &BTreeMap<String, ring::Recorder>) -> Box<dyn Fn() -> Vec<(CameraId, WallTime)> + Send> {
    let of = |camera: &config::Camera| -> Vec<ring::Recorder> {
        [Channel::Main, Channel::Sub].into_iter().filter_map(|c| rings.get(camera.record.ring(c)?).cloned()).collect()
    };
    let cameras: Vec<_> = config.cameras.iter().map(|c| (c.id.clone(), of(c))).collect();
    Box::new(move || {
        let oldest = |rings: &[ring::Recorder]| rings.iter().filter_map(|ring| ring.status().oldest).min();
        cameras.iter().filter_map(|(camera, rings)| Some((camera.clone(), oldest(rings)?))).collect()
    })
}

/// How full the evidence store is; its folders lie in the data folder.
pub(crate) fn gauge(config: &Config, store: &store::Store) -> cases::Gauge {
    cases::Gauge::new(store.clone(), config.storage.data.clone(), config.evidence.quota)
}

/// How long before the first evidence, and after the raise, a clip reaches.
const CLIP_AROUND: Duration = Duration::from_secs(10);

/// The cases in the data folder.
pub(crate) fn open_cases(config: &Config, env: &Env, store: store::Store, footage: Arc<footage::Footage>) -> Result<cases::Cases> {
    let needs = cases::Config {
        evidence: config.storage.data.join("evidence"),
        keep_unconfirmed: config.keep_unconfirmed(),
        before: CLIP_AROUND,
        after: CLIP_AROUND,
        site: config.site.name.clone(),
        cameras: config.cameras.iter().map(|c| (c.id.clone(), c.name.clone())).collect(),
        timezone: config.site.timezone.clone(),
        channels: crate::telling::channels(config),
    };
    let gauge = gauge(config, &store);
    Ok(cases::Cases::open(needs, store, env.clock.clone(), footage, gauge)?)
}
