//! Named states of cameras: one table for the health page, the metrics and the logs.
//!
//! A state's key is a contract: the texts of the UI (`cam.<key>`), the metric's label and the API use it.

use crate::{CameraId, Channel, WallTime};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Mutex};

/// Where the connection to one camera stream stands: exactly one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// Not tried yet.
    Starting,
    /// Waiting its turn at a recorder that many channels share.
    Queued,
    /// Connecting or describing, first time or again.
    Connecting,
    /// Samples arrive.
    Ok,
    /// The camera refuses the name or password.
    Auth,
    /// The camera answers, but not at this path (404).
    NotFound,
    /// Nothing listens at this address and port.
    Refused,
    /// No route to the address, or its name does not resolve.
    Unreachable,
    /// The port accepts and then says nothing.
    Silent,
    /// The camera has no session to spare (453, 503).
    Busy,
    /// What it answers is not RTSP, or its RTP cannot be read.
    Garbage,
    /// It offers no H.264 or H.265 video.
    Unsupported,
    /// Frames arrive but none that decoding could start with, for 15 s.
    NoKeyframe,
    /// The connection stands, frames stopped.
    Frozen,
    /// The camera ended the session.
    Ended,
}

impl Link {
    /// All of them, in the order of the type.
    pub const ALL: [Self; 15] = [
        Self::Starting,
        Self::Queued,
        Self::Connecting,
        Self::Ok,
        Self::Auth,
        Self::NotFound,
        Self::Refused,
        Self::Unreachable,
        Self::Silent,
        Self::Busy,
        Self::Garbage,
        Self::Unsupported,
        Self::NoKeyframe,
        Self::Frozen,
        Self::Ended,
    ];

    /// The state of a key.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|link| link.key() == key)
    }

    /// The key used in the API, metrics and texts.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Queued => "queued",
            Self::Connecting => "connecting",
            Self::Ok => "ok",
            Self::Auth => "auth",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Silent => "silent",
            Self::Busy => "busy",
            Self::Garbage => "garbage",
            Self::Unsupported => "unsupported",
            Self::NoKeyframe => "no-keyframe",
            Self::Frozen => "frozen",
            Self::Ended => "ended",
        }
    }
}

/// Something worth knowing about a stream that is otherwise in the state [`Link::Ok`]. Any number at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// B-frames, and the depth of their reordering is not known yet.
    BFrames,
    /// Key frames are CRA or recovery points with leading pictures, which are dropped after a join.
    OpenGop,
    /// Key frames come more than 4 s apart.
    LongGop,
    /// H.265: many browsers cannot play it.
    H265,
    /// Packets were lost or malformed in the last minute.
    PacketLoss,
    /// An access unit was larger than a record may be, and was dropped.
    Oversized,
    /// Resolution or parameters changed in the last minute.
    Changed,
    /// The stream's audio codec is not recorded.
    AudioUnsupported,
}

impl Note {
    /// All of them, in the order of the type.
    pub const ALL: [Self; 8] =
        [Self::BFrames, Self::OpenGop, Self::LongGop, Self::H265, Self::PacketLoss, Self::Oversized, Self::Changed, Self::AudioUnsupported];

    /// The key used in the API, metrics and texts.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::BFrames => "b-frames",
            Self::OpenGop => "open-gop",
            Self::LongGop => "long-gop",
            Self::H265 => "h265",
            Self::PacketLoss => "packet-loss",
            Self::Oversized => "oversized",
            Self::Changed => "changed",
            Self::AudioUnsupported => "audio-unsupported",
        }
    }
}

/// What is known about one camera stream now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamHealth {
    /// The connection.
    pub link: Link,
    /// Since when the connection is in that state.
    pub since: WallTime,
    /// What the camera or the network said, in English, without secrets; empty when all is well.
    pub detail: String,
    /// What else is worth knowing.
    pub notes: Vec<Note>,
    /// Codec string of the video, once known.
    pub codec: Option<String>,
    /// Width and height in pixels, once known.
    pub size: Option<(u32, u32)>,
    /// Frames a second, measured over the last seconds.
    pub fps: f32,
    /// Bits a second, measured over the last seconds.
    pub bitrate: u64,
    /// Seconds between the last two random access points.
    pub gop: Option<f32>,
    /// The camera's own clock minus the box's, in seconds, when the camera tells it.
    pub clock_offset: Option<f64>,
    /// Sessions begun since the core started; more than a few a day is a bad cable.
    pub sessions: u64,
    /// When the last sample arrived.
    pub last_sample: Option<WallTime>,
}

impl StreamHealth {
    /// A stream that was not tried yet.
    #[must_use]
    pub fn starting(now: WallTime) -> Self {
        Self {
            link: Link::Starting,
            since: now,
            detail: String::new(),
            notes: Vec::new(),
            codec: None,
            size: None,
            fps: 0.0,
            bitrate: 0,
            gop: None,
            clock_offset: None,
            sessions: 0,
            last_sample: None,
        }
    }
}

/// The state of every configured stream, written by ingest and read by whoever shows it.
#[derive(Debug, Default)]
pub struct Board(Mutex<BTreeMap<(CameraId, Channel), StreamHealth>>);

impl Board {
    /// Replaces what is known about a stream.
    pub fn set(&self, camera: &CameraId, channel: Channel, health: StreamHealth) {
        self.lock().insert((camera.clone(), channel), health);
    }

    /// What is known about one stream.
    #[must_use]
    pub fn get(&self, camera: &CameraId, channel: Channel) -> Option<StreamHealth> {
        self.lock().get(&(camera.clone(), channel)).cloned()
    }

    /// Everything, in the order of camera ids.
    #[must_use]
    pub fn all(&self) -> Vec<(CameraId, Channel, StreamHealth)> {
        self.lock().iter().map(|((c, ch), h)| (c.clone(), *ch, h.clone())).collect()
    }

    /// Cameras whose main stream is [`Link::Ok`], and all cameras.
    #[must_use]
    pub fn up(&self) -> (usize, usize) {
        let board = self.lock();
        let mains = board.iter().filter(|((_, ch), _)| *ch == Channel::Main);
        mains.fold((0, 0), |(up, all), (_, h)| (up + usize::from(h.link == Link::Ok), all + 1))
    }

    // A panic while holding the lock leaves a whole map behind: entries are replaced in one move.
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(CameraId, Channel), StreamHealth>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
