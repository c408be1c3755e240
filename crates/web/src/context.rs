//! What the binary hands in: everything a request may touch, as values.

use crate::{
    disks::Disk, doors::Doors, exports::Exports, film::Films, glance::Glances, kept::Keeping, moving::Moving, push::Push,
    rendition::Renditions, snapshot::Snapshot, wall::Wall,
};
use cases::{Cases, Gauge};
use domain::{Board, CameraId, Channel, Clock, WallTime};
use live::LiveStream;
use ring::{Reader, RingStatus};
use std::sync::Arc;
use store::{Sightings, Store};

/// The place this box serves.
#[derive(Clone, Debug)]
pub struct Site {
    /// `Thôn Duyên Hy`.
    pub name: String,
    /// IANA name: `Asia/Ho_Chi_Minh`.
    pub timezone: String,
    /// `vi` or `en`: what the page starts in.
    pub language: String,
    /// A demonstration with simulated cameras: the page says so.
    pub demo: bool,
}

/// One camera as the API sees it.
#[derive(Clone)]
pub struct Camera {
    /// Its id.
    pub id: CameraId,
    /// What people call it.
    pub name: String,
    /// Live pictures of the main stream, as they come. Who is shown them is `sight`'s to say.
    pub main: LiveStream,
    /// Live pictures of the sub stream, if the camera has one; likewise.
    pub sub: Option<LiveStream>,
    /// Reads the ring that records the main stream, if one does.
    pub main_recorded: Option<Reader>,
    /// Reads the ring that records the sub stream, if one does.
    pub sub_recorded: Option<Reader>,
    /// Bits a second of the main stream as the installer declared them.
    pub declared: Option<u64>,
    /// Parts of its picture are for the police alone.
    pub masked: bool,
}

impl Camera {
    /// The reader of a channel's recording.
    #[must_use]
    pub fn recorded(&self, channel: Channel) -> Option<&Reader> {
        match channel {
            Channel::Main => self.main_recorded.as_ref(),
            Channel::Sub => self.sub_recorded.as_ref(),
        }
    }
}

/// Finds the disks under rings.
pub type DisksOf = Arc<dyn Fn(&[RingStatus]) -> Vec<Disk> + Send + Sync>;

/// Everything requests are answered from.
pub struct Context {
    /// The place.
    pub site: Site,
    /// Configured cameras, in the order of the configuration.
    pub cameras: Vec<Camera>,
    /// How the box is reached.
    pub doors: Doors,
    /// Named states of all streams.
    pub board: Arc<Board>,
    /// Users, sessions and tokens.
    pub store: Store,
    /// Cases and their evidence.
    pub cases: Cases,
    /// How detection is, as `vision` tells it: `state`, `model`, `detail`, `restarts`, `quarantined`, `cameras`, …
    pub vision: Arc<dyn Fn() -> serde_json::Value + Send + Sync>,
    /// Which cameras see something move now.
    pub moving: Arc<Moving>,
    /// What the demo's drawn cameras will show; none for real ones.
    pub story: Option<crate::story::Story>,
    /// Takes pictures of cameras.
    pub snapshot: Arc<dyn Snapshot>,
    /// Makes packages for authorities.
    pub exports: Arc<dyn Exports>,
    /// Copies footage that somebody has kept.
    pub keeping: Arc<dyn Keeping>,
    /// What came by.
    pub sightings: Sightings,
    /// The walls for TVs.
    pub wall: Arc<dyn Wall>,
    /// Live pictures by WebRTC; none: it is off, or its port could not be had.
    pub webrtc: Option<rtc::Room>,
    /// What is converted for browsers, and covered.
    pub renditions: Arc<dyn Renditions>,
    /// Makes films of what is recorded, for whoever may not have or cannot play it.
    pub films: Arc<dyn Films>,
    /// What phones are offered; `None`: they cannot sign up.
    pub push: Option<Push>,
    /// Pictures for phones that were told.
    pub glances: Arc<Glances>,
    /// Tells how full the evidence store is.
    pub evidence: Gauge,
    /// The fingerprint of the box's key.
    pub key: String,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The state of every ring now.
    pub rings: Arc<dyn Fn() -> Vec<RingStatus> + Send + Sync>,
    /// The disks under these rings, and what they say of themselves.
    pub disks: DisksOf,
    /// Metrics in the Prometheus text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// When the core started.
    pub started: WallTime,
    /// The program's version.
    pub version: String,
}
