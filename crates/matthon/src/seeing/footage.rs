//! Pictures and clips for cases and pages: what to decode comes from the ring or from the live stream, the worker decodes.

use async_trait::async_trait;
use bytes::Bytes;
use cases::{ClipInfo, Missing, Still};
use domain::{CameraId, Channel, Clock, Sample, StreamId, StreamKind, WallTime, mask::Mask};
use hub::{Capacity, Delivery, Fanout, Join};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{BufWriter, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};
use vision::{Vision, protocol::StillError};

/// Stills are at most this wide: more is no evidence on a phone, and the clip has it.
const STILL_WIDTH: u32 = 1920;
/// Snapshots for pages.
const SNAPSHOT_WIDTH: u32 = 1280;
/// Pictures of the past for pages: lists of them.
const SMALL_WIDTH: u32 = 640;
/// What is not readable this long after it happened was not recorded.
const RECORDED_BY_THEN: Duration = Duration::from_secs(15);

/// A picture this much older than what was asked for shows another moment, µs.
const OTHER_MOMENT: i64 = 1_500_000;

/// One camera's sources.
pub(crate) struct Source {
    /// Readers of the rings that record it, the full picture first.
    pub(crate) recorded: Vec<(Channel, ring::Reader)>,
    /// The full picture, live.
    pub(crate) live: Fanout<Sample>,
    /// The small picture, live, if the camera has one: little work to decode, for pages that ask again and again.
    pub(crate) live_sub: Option<Fanout<Sample>>,
    pub(crate) audio: bool,
    /// What is black on pictures for pages. Evidence stays as it was recorded.
    pub(crate) masks: Vec<Mask>,
}

/// Gives pictures and clips.
pub(crate) struct Footage {
    pub(crate) cameras: BTreeMap<CameraId, Source>,
    pub(crate) vision: Vision,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Footage {
    fn source(&self, camera: &CameraId) -> Result<&Source, Missing> {
        self.cameras.get(camera).ok_or_else(|| Missing::Never(format!("camera {camera} is configured no longer")))
    }

    /// Not yet, as long as it may still come.
    fn not_yet(&self, at: WallTime, what: &str) -> Missing {
        let late = self.clock.wall() > at.plus(RECORDED_BY_THEN);
        if late { Missing::Never(format!("{what} was not recorded")) } else { Missing::NotYet(format!("{what} is not recorded yet")) }
    }
}

fn missing(error: StillError) -> Missing {
    match error {
        StillError::Busy => Missing::NotYet("the worker has no time".into()),
        StillError::Crashed => Missing::NotYet("the worker ended meanwhile".into()),
        StillError::NoWorker => Missing::NotYet("there is no worker".into()),
        StillError::Gone => Missing::Never("the picture is gone".into()),
        StillError::Undecodable => Missing::Never("the picture cannot be decoded".into()),
    }
}

fn still(made: vision::Still) -> Still {
    Still { jpeg: made.jpeg, width: made.width, height: made.height }
}

/// Ring errors of one moment may be gone the next; what is damaged stays so.
fn unreadable(error: &ring::RingError) -> Missing {
    if error.is_gap() { Missing::Never(error.to_string()) } else { Missing::NotYet(error.to_string()) }
}

#[async_trait]
impl cases::Footage for Footage {
    async fn recent(&self, camera: &CameraId, capture: WallTime) -> Result<Still, Missing> {
        self.vision.recent(camera.clone(), capture, 0).await.map(still).map_err(missing)
    }

    async fn still(&self, camera: &CameraId, at: WallTime) -> Result<Still, Missing> {
        let source = self.source(camera)?;
        for (channel, reader) in &source.recorded {
            let (reader, stream) = (reader.clone(), StreamId::new(camera.clone(), *channel, StreamKind::Video));
            let looked = tokio::task::spawn_blocking(move || reader.picture(&stream, at)).await;
            let found = looked.map_err(|_| Missing::NotYet("reading was interrupted".into()))?.map_err(|e| unreadable(&e))?;
            // A picture well before the moment means that the moment itself is still on its way to the disk.
            let reached = |p: &ring::Picture| at.micros_since(p.capture) < 300_000 || self.clock.wall() > at.plus(RECORDED_BY_THEN);
            if let Some(picture) = found.filter(reached) {
                return self.vision.still(picture.samples, picture.pts, STILL_WIDTH, &[]).await.map(still).map_err(missing);
            }
        }
        Err(self.not_yet(at, &format!("{camera} at {at}")))
    }

    async fn clip(&self, camera: &CameraId, from: WallTime, to: WallTime, out: &Path) -> Result<ClipInfo, Missing> {
        let source = self.source(camera)?;
        let mut why = self.not_yet(to, &format!("{camera} from {from} to {to}"));
        for (channel, reader) in &source.recorded {
            let (reader, camera, channel, audio, out) = (reader.clone(), camera.clone(), *channel, source.audio, out.to_owned());
            let written = tokio::task::spawn_blocking(move || write_clip(&reader, &camera, channel, from, to, audio, &out)).await;
            match written.map_err(|_| Missing::NotYet("writing was interrupted".into()))? {
                Ok(Some(clip)) => return Ok(clip),
                Ok(None) => {}
                Err(e) => why = e,
            }
        }
        Err(why)
    }
}

/// As [`write_film`], into a new file.
fn write_clip(
    reader: &ring::Reader,
    camera: &CameraId,
    channel: Channel,
    from: WallTime,
    to: WallTime,
    audio: bool,
    out: &Path,
) -> Result<Option<ClipInfo>, Missing> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out);
    let file = file.map_err(|e| Missing::NotYet(format!("cannot write {}: {e}", out.display())))?;
    let written = write_film(reader, camera, channel, from, to, audio, file)?;
    if written.is_none() {
        // Another stream may have it, and wants the place.
        std::fs::remove_file(out).map_err(|e| Missing::NotYet(format!("cannot remove {}: {e}", out.display())))?;
    }
    Ok(written)
}

/// `None`: nothing of this stream is recorded there. What turns out damaged while it is copied costs its seconds, not the film: the
/// film is begun again without.
pub(crate) fn write_film(
    reader: &ring::Reader,
    camera: &CameraId,
    channel: Channel,
    from: WallTime,
    to: WallTime,
    audio: bool,
    file: File,
) -> Result<Option<ClipInfo>, Missing> {
    let wish = ring::clip::Wish { camera, channel, from, to, audio, captions: None };
    let disk = |e: std::io::Error| Missing::NotYet(format!("cannot write: {e}"));
    let mut to = BufWriter::with_capacity(1 << 20, file);
    let mut again = true;
    loop {
        let plan = match ring::clip::plan(reader, &wish) {
            Ok(plan) => plan,
            Err(ring::ClipError::Nothing { .. }) => return Ok(None),
            Err(ring::ClipError::Ring(e)) => return Err(unreadable(&e)),
            Err(e) => return Err(Missing::Never(e.to_string())),
        };
        match ring::clip::write_to(&plan, &mut to) {
            Ok(()) => {}
            Err(ring::ClipError::Ring(e)) if e.is_gap() && std::mem::take(&mut again) => {
                tracing::warn!(error = %e, "a recording of a film cannot be read: it is written again without");
                plan.check(|| true).map_err(|e| Missing::NotYet(e.to_string()))?;
                to.rewind().and_then(|()| to.get_ref().set_len(0)).map_err(disk)?;
                continue;
            }
            Err(ring::ClipError::Ring(e)) => return Err(unreadable(&e)),
            Err(e) => return Err(Missing::NotYet(e.to_string())),
        }
        to.flush().map_err(disk)?;
        return Ok(Some(ClipInfo { from: plan.starts_at(), to: plan.ends_at(), bytes: plan.len() }));
    }
}

#[async_trait]
impl web::Snapshot for Footage {
    async fn snapshot(&self, camera: &CameraId, channel: Channel) -> Result<Bytes, web::NoPicture> {
        let source = self.cameras.get(camera).ok_or_else(|| web::NoPicture("no such camera".into()))?;
        let live = source.live_sub.as_ref().filter(|_| channel == Channel::Sub).unwrap_or(&source.live);
        let mut consumer = live.subscribe(Join::CurrentGop, Capacity { items: 1, bytes: 1 }, "snapshot");
        // What is there now is the current group: its last picture is the present.
        let mut samples = Vec::new();
        while let Some(Delivery::Item(sample)) = consumer.try_next() {
            samples.push(sample);
        }
        drop(consumer);
        let Some(pts) = samples.iter().map(|s| s.pts).max() else {
            return Err(web::NoPicture("no picture has come yet".into()));
        };
        let made = self.vision.still(samples, pts, SNAPSHOT_WIDTH, &source.masks).await;
        made.map(|s| s.jpeg).map_err(|e| web::NoPicture(format!("the picture could not be made: {}", missing(e))))
    }

    async fn picture(&self, camera: &CameraId, at: WallTime) -> Result<Bytes, web::NoPicture> {
        let source = self.cameras.get(camera).ok_or_else(|| web::NoPicture("no such camera".into()))?;
        // The small stream first: the picture will be small, and it was the one that was looked at.
        for (channel, reader) in source.recorded.iter().rev() {
            let (reader, stream) = (reader.clone(), StreamId::new(camera.clone(), *channel, StreamKind::Video));
            let looked = tokio::task::spawn_blocking(move || reader.picture(&stream, at)).await;
            let found = looked.map_err(|_| web::NoPicture("reading was interrupted".into()))?;
            let found = found.map_err(|e| web::NoPicture(e.to_string()))?;
            if let Some(picture) = found.filter(|p| at.micros_since(p.capture) < OTHER_MOMENT) {
                let made = self.vision.still(picture.samples, picture.pts, SMALL_WIDTH, &source.masks).await;
                return made.map(|s| s.jpeg).map_err(|e| web::NoPicture(format!("the picture could not be made: {}", missing(e))));
            }
        }
        Err(web::NoPicture(format!("nothing was recorded at {at}")))
    }
}
