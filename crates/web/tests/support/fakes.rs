//! What stands for the workers and the disk: pictures, packages, walls and renditions out of nothing.

use super::NOON;
use async_trait::async_trait;
use bytes::Bytes;
use cases::{ClipInfo, Footage, Gauge, Missing, Still};
use domain::{CameraId, Channel, Sample, WallMode, WallTime};
use hub::Fanout;
use live::LiveStream;
use matthon_web::{NoPicture, Snapshot};
use ring::{RingState, RingStatus};
use std::{collections::BTreeMap, path::Path, sync::Mutex};
use store::Store;

/// The picture of every case; nobody decodes it here.
pub(crate) const MAIN_STILL: &[u8] = b"\xff\xd8 from the main stream \xff\xd9";
/// The clip of every case: 100 000 bytes that differ.
pub(crate) fn clip_bytes() -> Vec<u8> {
    (0..100_000_u32).flat_map(|n| n.to_le_bytes()).take(100_000).collect()
}

/// Pictures and clips out of nothing.
pub(super) struct Pictures;

#[async_trait]
impl Footage for Pictures {
    async fn recent(&self, _: &CameraId, _: WallTime) -> Result<Still, Missing> {
        Err(Missing::Never("no worker".into()))
    }

    async fn still(&self, _: &CameraId, _: WallTime) -> Result<Still, Missing> {
        Ok(Still { jpeg: Bytes::from_static(MAIN_STILL), width: 16, height: 9 })
    }

    async fn clip(&self, _: &CameraId, from: WallTime, to: WallTime, out: &Path) -> Result<ClipInfo, Missing> {
        let bytes = clip_bytes();
        std::fs::write(out, &bytes).map_err(|e| Missing::NotYet(e.to_string()))?;
        Ok(ClipInfo { from, to, bytes: bytes.len() as u64 })
    }
}

#[async_trait]
impl Snapshot for Pictures {
    async fn snapshot(&self, camera: &CameraId, _: Channel) -> Result<Bytes, NoPicture> {
        match camera.as_str() {
            "cong-lang" => Ok(Bytes::from_static(MAIN_STILL)),
            _ => Err(NoPicture("the camera is away".into())),
        }
    }

    async fn picture(&self, camera: &CameraId, at: WallTime) -> Result<Bytes, NoPicture> {
        match camera.as_str() {
            "cong-lang" if at >= NOON => Ok(Bytes::from_static(MAIN_STILL)),
            _ => Err(NoPicture(format!("nothing was recorded at {at}"))),
        }
    }
}

/// Packages that are ready at once and hold ten bytes.
pub(super) struct Packages {
    pub(super) store: Store,
    pub(super) gauge: Gauge,
    pub(super) dir: std::path::PathBuf,
}

#[async_trait]
impl matthon_web::Exports for Packages {
    async fn begin(&self, request: evidence::ExportRequest, by: &store::User) -> Result<String, matthon_web::NoExport> {
        let room = self.gauge.now().unwrap();
        if !room.takes(10) {
            return Err(matthon_web::NoExport::NoRoom { need: 10, room });
        }
        let (who, role) = (by.name.clone(), by.role.to_string());
        let entry = store::AuditEntry {
            at: NOON,
            who,
            role,
            what: domain::Audited::Export,
            subject: String::new(),
            detail: request.purpose.clone(),
        };
        let id = self.store.add_export(&serde_json::to_string(&request).unwrap(), &entry, |_| Vec::new()).unwrap();
        std::fs::write(self.file(&id), b"0123456789").unwrap();
        self.store.end_export(&id, store::ExportState::Done, 10, "", NOON).unwrap();
        Ok(id)
    }

    fn progress(&self, _: &str) -> Option<(u64, u64)> {
        None
    }

    fn cancel(&self, _: &str) -> bool {
        false
    }

    fn file(&self, id: &str) -> std::path::PathBuf {
        self.dir.join(format!("{id}.zip"))
    }
}

/// Footage that is kept at once: ten bytes a camera.
pub(super) struct Films {
    pub(super) store: Store,
    pub(super) dir: std::path::PathBuf,
}

impl matthon_web::Keeping for Films {
    fn begin(&self, id: &str, row: store::KeptRow) {
        for camera in &row.cameras {
            std::fs::write(self.film(id, camera), b"0123456789").unwrap();
        }
        self.store.end_kept(id, store::KeptState::Done, 10, "").unwrap();
    }

    fn film(&self, id: &str, camera: &CameraId) -> std::path::PathBuf {
        self.dir.join(format!("{id}-{camera}.mp4"))
    }
}

/// Walls that nobody composes: tests publish their samples.
pub(crate) struct Walls {
    pub(crate) sources: [Fanout<Sample>; 2],
    streams: [LiveStream; 2],
    pub(crate) turns: Mutex<Vec<(WallMode, matthon_web::Turn)>>,
}

impl Default for Walls {
    fn default() -> Self {
        let sources = WallMode::ALL.map(|mode| Fanout::new(format!("wall/{mode}")));
        let streams = [0, 1].map(|n: usize| LiveStream::new(sources[n].clone(), sources[n].name()));
        Self { sources, streams, turns: Mutex::default() }
    }
}

impl matthon_web::Wall for Walls {
    fn watch(&self, mode: WallMode) -> LiveStream {
        self.streams[mode as usize].clone()
    }

    fn view(&self, _: WallMode) -> matthon_web::View {
        matthon_web::View { page: 1, pages: 2, tiles: 9, night: false, trouble: String::new() }
    }

    fn turn(&self, mode: WallMode, turn: matthon_web::Turn) -> matthon_web::View {
        self.turns.lock().unwrap().push((mode, turn));
        self.view(mode)
    }
}

const ROOM: usize = 4;

/// Renditions that nobody makes: tests publish their samples. There is room for four.
#[derive(Default)]
pub(crate) struct Made {
    all: Mutex<BTreeMap<String, (Fanout<Sample>, LiveStream)>>,
    /// What was begun, in order: `camera/channel/covered`.
    pub(crate) begun: Mutex<Vec<String>>,
}

impl Made {
    /// Where the samples of one come from.
    pub(crate) fn source(&self, name: &str) -> Option<Fanout<Sample>> {
        self.all.lock().unwrap().get(name).map(|(source, _)| source.clone())
    }

    /// One is made no longer; whoever wants it again begins it anew.
    pub(crate) fn end(&self, name: &str) {
        self.all.lock().unwrap().remove(name);
    }
}

fn made_name(camera: &CameraId, channel: Channel, covered: bool) -> String {
    format!("{camera}/{channel}/{}", if covered { "covered" } else { "h264" })
}

impl matthon_web::Renditions for Made {
    fn room(&self) -> usize {
        ROOM
    }

    fn begin(&self, camera: &CameraId, channel: Channel, covered: bool) -> Result<LiveStream, matthon_web::NoRendition> {
        let (name, mut all) = (made_name(camera, channel, covered), self.all.lock().unwrap());
        if all.len() == ROOM && !all.contains_key(&name) {
            return Err(matthon_web::NoRendition::Full(ROOM));
        }
        self.begun.lock().unwrap().push(name.clone());
        let (_, stream) = all.entry(name.clone()).or_insert_with(|| {
            let source = Fanout::new(name.clone());
            (source.clone(), LiveStream::new(source, name))
        });
        Ok(stream.clone())
    }

    fn there(&self, camera: &CameraId, channel: Channel, covered: bool) -> Option<LiveStream> {
        self.all.lock().unwrap().get(&made_name(camera, channel, covered)).map(|(_, stream)| stream.clone())
    }
}

/// A ring that is well.
pub(crate) fn ring_status(name: &str) -> RingStatus {
    RingStatus {
        name: name.into(),
        size: 1 << 30,
        available: 1 << 30,
        blocks: 8,
        block_size: 1 << 27,
        used: 1,
        oldest: Some(NOON),
        newest: None,
        written_bytes: 0,
        write_rate_bps: 0,
        days_forecast: None,
        days_promised: None,
        last_sync_micros_ago: 1000,
        last_sync_took_micros: 1000,
        dropped_gops: 0,
        oversized: 0,
        in_flight_bytes: 0,
        errors: 0,
        state: RingState::Ok,
        detail: String::new(),
        paths: Vec::new(),
    }
}
