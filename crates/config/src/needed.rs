//! The configuration as needed: checked, complete, with units in the type. Each part can be compared with its
//! successor at a reload; no part shows a secret in `Debug`.

use domain::{CameraId, Channel, Secret, geometry::Point, mask::Mask};
use ipnet::IpNet;
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;

/// Everything the file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `demo = true`: a demonstration with simulated cameras; nothing real may be expected of it.
    pub demo: bool,
    /// Where the simulated cameras tell what they will show; only with `demo`.
    pub demo_story: Option<PathBuf>,
    /// The village.
    pub site: Site,
    /// Who answers for the pictures; `None` when the file does not say (a warning was given).
    pub privacy: Option<Privacy>,
    /// What is kept beside the rings.
    pub evidence: Evidence,
    /// Where everything but the rings lies.
    pub storage: Storage,
    /// Disk rings, at least one, names unique; the first takes what no camera sends elsewhere.
    pub rings: Vec<Ring>,
    /// The HTTP server.
    pub web: Web,
    /// Detection; `None` records and shows only.
    pub vision: Option<Vision>,
    /// TVs.
    pub wall: Wall,
    /// Phones that are told of cases; `None`: no phone can sign up.
    pub push: Option<Push>,
    /// Servers that are told of cases, names unique.
    pub webhooks: Vec<Webhook>,
    /// Cameras in the file's order, ids unique.
    pub cameras: Vec<Camera>,
}

/// `[wall]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wall {
    /// From when to when TVs of public places show no camera, minutes after midnight; `None`: they always do.
    pub off: Option<(u16, u16)>,
}

/// `[site]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Shown on every page.
    pub name: String,
    /// IANA name of the time zone, known to exist.
    pub timezone: String,
    /// Language of pages and alerts until somebody chooses another.
    pub language: Language,
}

/// Languages the product speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Tiếng Việt.
    Vi,
    /// English.
    En,
}

impl Language {
    /// `vi` or `en`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }
}

/// `[privacy]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// The office that answers for the pictures.
    pub controller: String,
    /// The oldest a recording gets in a ring that says nothing else.
    pub keep: Option<Duration>,
    /// Pictures and clips of cases that nobody confirmed are deleted after this long; `None`: [`Config::keep_unconfirmed`] says.
    pub keep_unconfirmed: Option<Duration>,
}

/// `[evidence]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Bytes that pictures and clips of cases, kept footage and packages may take together; `None`: half of the disk they lie on.
    pub quota: Option<u64>,
}

/// `[storage]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Folder of the database, keys and evidence; absolute when the file's own folder is known.
    pub data: PathBuf,
    /// Where root's `matthon-smart.timer` writes what disks say of themselves.
    pub smart: PathBuf,
}

/// `[[ring]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// `a-z A-Z 0-9 - _`.
    pub name: String,
    /// Folders of the block files, at least one, no folder twice in the whole file.
    pub paths: Vec<PathBuf>,
    /// Bytes on all paths together.
    pub size: u64,
    /// Bytes of a block file; a multiple of 4096. `size` holds at least [`Ring::BLOCKS_MIN`] of them on each path.
    pub block_size: u64,
    /// No received sample stays unsynced longer: 100 ms to 10 s.
    pub sync: Duration,
    /// Recordings older than this are erased; `None` keeps them until their block is recycled.
    pub max_age: Option<Duration>,
    /// Takes file systems other than ext4 and xfs, for tests: promises about power cuts then do not hold.
    pub any_filesystem: bool,
}

impl Ring {
    /// Fewest blocks a path may hold: one written, one being recovered, and something to look at.
    pub const BLOCKS_MIN: u64 = 4;
}

/// `[web]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// Where to listen. Not loopback only with a certificate or `insecure`. Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The installer accepts plain HTTP on a network.
    pub insecure: bool,
    /// What HTTPS is spoken with; `None`: plain HTTP.
    pub certificate: Option<Certificate>,
    /// The address under which the page is reached from outside: `https`, a host, perhaps a port, and nothing behind.
    pub public_url: Option<Url>,
    /// Whose word on who asks, how, and for which host is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where live pictures come from by WebRTC, over UDP; `None`: they do not. Port 0 lets the system choose.
    pub webrtc: Option<SocketAddr>,
}

/// `certificate` and `key` of `[web]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// `"local"`: the box's own authority makes it.
    Local,
    /// Two PEM files. Whether they can be used is not asked here: they change while the box runs, and must not keep it from
    /// starting.
    Files {
        /// The certificate and its chain.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

/// `[vision]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Vision {
    /// Name of a model manifest, `models/NAME.toml`; `a-z A-Z 0-9 . _ -`, no path.
    pub model: String,
    /// Detector threads, 1 to 64.
    pub workers: usize,
    /// Frames a second analysed of each camera, above 0 to 30.
    pub fps: f64,
    /// The ONNX Runtime library to load; `None`: the one that came with the program, or the system's.
    pub runtime: Option<PathBuf>,
    /// A folder of weights and further manifests, looked into before the places that are always looked into.
    pub models: Option<PathBuf>,
    /// Bytes the worker may take, 256 MB to 1 TB.
    pub memory: u64,
}

/// `[push]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Whom push services ask when we make trouble: `mailto:` or `https://`, with a public name.
    pub contact: String,
    /// Phones may sign up with an address on this box itself, for tests.
    pub allow_loopback: bool,
}

/// `[[webhook]]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// `a-z A-Z 0-9 - _`: metrics and the queue of what it still has to be told go by it.
    pub name: String,
    /// `https`, or `http` to this box itself; without user name and password.
    pub url: Url,
    /// What deliveries are signed with.
    pub secret: Secret,
}

impl fmt::Debug for Webhook {
    /// Of the address only scheme, host and port: paths and queries of hooks carry tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.url.port_or_known_default().unwrap_or(0);
        let url = format!("{}://{}:{port}/…", self.url.scheme(), self.url.host_str().unwrap_or(""));
        f.debug_struct("Webhook").field("name", &self.name).field("url", &url).field("secret", &self.secret).finish()
    }
}

/// `[[camera]]`.
#[derive(Clone, PartialEq)]
pub struct Camera {
    /// The id.
    pub id: CameraId,
    /// What people call it.
    pub name: String,
    /// What packages for authorities say of it.
    pub about: About,
    /// RTSP address of the full picture, without user name and password.
    pub main: Url,
    /// RTSP address of the small picture.
    pub sub: Option<Url>,
    /// Who signs in; comes with `password`.
    pub username: Option<String>,
    /// The password, read from wherever the file says it is.
    pub password: Option<Secret>,
    /// Record and play the camera's sound.
    pub audio: bool,
    /// Which ring takes which stream.
    pub record: Record,
    /// Bits a second of `main`, when the installer knows; only for the forecast.
    pub bitrate: Option<u64>,
    /// Parts of the picture that only the police see: at most 16 outlines of 3 to 16 corners, none of which crosses itself.
    pub masks: Vec<Mask>,
    /// Areas, names unique on this camera.
    pub zones: Vec<Zone>,
    /// Lines, names unique on this camera.
    pub lines: Vec<Line>,
    /// What to look for.
    pub rules: Vec<Rule>,
}

/// A camera in words, for papers: each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Where it hangs.
    pub place: String,
    /// Where it looks.
    pub direction: String,
    /// Maker and model.
    pub make: String,
    /// Serial number.
    pub serial: String,
}

impl Camera {
    /// The RTSP address of a channel, if the camera has it.
    #[must_use]
    pub fn url(&self, channel: Channel) -> Option<&Url> {
        match channel {
            Channel::Main => Some(&self.main),
            Channel::Sub => self.sub.as_ref(),
        }
    }
}

impl fmt::Debug for Camera {
    /// Of the addresses only host and port: paths of cheap cameras carry the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = |u: &Url| format!("{}://{}:{}/…", u.scheme(), u.host_str().unwrap_or(""), u.port().unwrap_or(554));
        f.debug_struct("Camera")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("main", &host(&self.main))
            .field("sub", &self.sub.as_ref().map(host))
            .field("username", &self.username)
            .field("password", &self.password)
            .field("audio", &self.audio)
            .field("record", &self.record)
            .field("bitrate", &self.bitrate)
            .field("masks", &self.masks)
            .field("zones", &self.zones)
            .field("lines", &self.lines)
            .field("rules", &self.rules)
            .finish()
    }
}

/// Names of the rings that take a camera's streams; `None`: that stream is not recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Takes `main`.
    pub main: Option<String>,
    /// Takes `sub`.
    pub sub: Option<String>,
}

impl Record {
    /// The ring that takes a channel.
    #[must_use]
    pub fn ring(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Main => self.main.as_deref(),
            Channel::Sub => self.sub.as_deref(),
        }
    }
}

/// An area of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// 3 to 64 corners in order; the outline does not cross itself.
    pub polygon: Vec<Point>,
}

/// A line across a picture, from A to B.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// A.
    pub from: Point,
    /// B; not A.
    pub to: Point,
}

/// What to look for.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Something stands in a zone too long.
    NoParking {
        /// A zone of this camera.
        zone: String,
        /// Classes it concerns, at least one.
        classes: Vec<String>,
        /// How long is too long.
        after: Duration,
    },
    /// Something moves against the permitted way.
    WrongWay {
        /// A zone of this camera.
        zone: String,
        /// Classes it concerns; empty: everything that drives.
        classes: Vec<String>,
        /// A point on the permitted way.
        from: Point,
        /// A later point on the permitted way; not `from`.
        to: Point,
        /// Degrees, above 0 and below 180.
        tolerance: f64,
        /// How far something must have moved, as a fraction of the picture, above 0 to 1.
        min_travel: f64,
    },
}

impl Rule {
    /// The kind's name in the file.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoParking { .. } => "no-parking",
            Self::WrongWay { .. } => "wrong-way",
        }
    }
}

impl Config {
    /// How long evidence of cases that nobody confirmed is kept: 30 days where the file says nothing.
    #[must_use]
    pub fn keep_unconfirmed(&self) -> Duration {
        const USUAL: Duration = Duration::from_secs(30 * 86_400);
        self.privacy.as_ref().and_then(|p| p.keep_unconfirmed).unwrap_or(USUAL)
    }

    /// The camera with this id.
    #[must_use]
    pub fn camera(&self, id: &CameraId) -> Option<&Camera> {
        self.cameras.iter().find(|c| c.id == *id)
    }
}
