//! One camera: its streams, their sessions, and what each session gets of every access unit.
//!
//! A session begins with a random access point. DESCRIBE needs one access unit (the server blocks it at the payloader
//! to learn the parameters); if PLAY comes before the next one is due, the stream goes on from there without a
//! gap, else it goes on at a random access point after PLAY. [`Join`] says where random access points come from.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_rtsp_server as rtsp;

use crate::encoder::Encoder;
use crate::faults::Faults;
use crate::nal;
use crate::spec::{Audio, Codec, Join, Login};
use crate::stamp;
use crate::timeline::{Timeline, unix_ns};
use crate::truth::{Sent, Truth};
use crate::unit::AccessUnit;

/// Access units a client may leave unread before it loses some (and goes on at a random access point).
const BACKLOG: u64 = 90;
/// RTSP connections remembered for `kick`.
const CLIENTS: usize = 4096;

/// A camera as clients see it.
pub(crate) struct Camera {
    pub(crate) id: String,
    pub(crate) login: Option<Login>,
    pub(crate) audio: Option<Audio>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) feeds: Vec<Arc<Feed>>,
    clients: Mutex<VecDeque<gst::glib::WeakRef<rtsp::RTSPClient>>>,
}

impl Camera {
    /// A camera of these streams.
    pub(crate) fn new(id: &str, login: Option<Login>, audio: Option<Audio>, faults: Arc<Faults>, feeds: Vec<Arc<Feed>>) -> Self {
        Self { id: id.into(), login, audio, faults, feeds, clients: Mutex::default() }
    }

    /// Remembers who asked for this camera.
    pub(crate) fn met(&self, client: &rtsp::RTSPClient) {
        let mut clients = lock(&self.clients);
        clients.retain(|c| c.upgrade().is_some_and(|c| c != *client));
        clients.truncate(CLIENTS);
        clients.push_back(client.downgrade());
    }

    /// Closes the connections of everyone who asked for this camera; how many there were.
    pub(crate) fn kick(&self) -> usize {
        let clients: Vec<_> = lock(&self.clients).drain(..).filter_map(|c| c.upgrade()).collect();
        for feed in &self.feeds {
            feed.forget();
        }
        clients.iter().for_each(rtsp::prelude::RTSPClientExt::close);
        clients.len()
    }
}

/// One stream of a camera: numbers and stamps access units and hands them to its sessions.
pub(crate) struct Feed {
    /// `camera/stream`.
    pub(crate) name: String,
    camera: String,
    pub(crate) stream: &'static str,
    phase: Duration,
    join: Join,
    faults: Arc<Faults>,
    truth: Option<Arc<Truth>>,
    timeline: Timeline,
    encoder: Mutex<Arc<Encoder>>,
    number: AtomicU32,
    watched: AtomicBool,
    sessions: Mutex<Vec<Session>>,
    last_session: AtomicU64,
}

/// What a feed is made of.
pub(crate) struct FeedParts<'a> {
    pub(crate) camera: &'a str,
    pub(crate) stream: &'static str,
    pub(crate) phase: Duration,
    pub(crate) join: Join,
    pub(crate) faults: Arc<Faults>,
    pub(crate) truth: Option<Arc<Truth>>,
    pub(crate) timeline: Timeline,
    pub(crate) encoder: Arc<Encoder>,
}

/// One client's pipeline.
struct Session {
    id: u64,
    video: gst_app::AppSrc,
    audio: Option<gst_app::AppSrc>,
    playing: bool,
    at: At,
    audio_prerolled: bool,
}

/// How far a session's video is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing handed over yet.
    Start,
    /// One access unit handed over, the very last one, and PLAY not seen.
    Described,
    /// Every access unit is handed over.
    Flowing,
    /// Some were left out: waiting for PLAY and a random access point.
    Waiting,
}

impl Session {
    /// Whether this session takes an access unit, and whether it would have liked a random access point instead.
    fn takes(&mut self, key: bool, join: Join) -> (bool, bool) {
        let enters = key || join == Join::Middle;
        match self.at {
            At::Start if enters => {
                self.at = At::Described;
                (true, false)
            }
            At::Start => (false, true),
            At::Described if !self.playing => {
                self.at = At::Waiting;
                (false, false)
            }
            At::Described => {
                self.at = At::Flowing;
                (true, false)
            }
            At::Waiting if self.playing && enters => {
                self.at = At::Flowing;
                (true, false)
            }
            At::Waiting => (false, self.playing),
            At::Flowing if self.video.current_level_buffers() > BACKLOG => {
                self.at = At::Waiting;
                (false, false)
            }
            At::Flowing => (true, false),
        }
    }
}

impl Feed {
    /// A stream that begins at number 0.
    pub(crate) fn new(parts: FeedParts<'_>) -> Self {
        Self {
            name: format!("{}/{}", parts.camera, parts.stream),
            camera: parts.camera.into(),
            stream: parts.stream,
            phase: parts.phase,
            join: parts.join,
            faults: parts.faults,
            truth: parts.truth,
            timeline: parts.timeline,
            encoder: Mutex::new(parts.encoder),
            number: AtomicU32::new(0),
            watched: AtomicBool::new(false),
            sessions: Mutex::default(),
            last_session: AtomicU64::new(0),
        }
    }

    /// How long after the encoder this stream sends.
    pub(crate) fn phase(&self) -> Duration {
        self.phase
    }

    /// Whether it has sessions.
    pub(crate) fn watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    /// The encoder it is fed by.
    pub(crate) fn encoder(&self) -> Arc<Encoder> {
        lock(&self.encoder).clone()
    }

    /// Replaces the encoder; the caller attaches this feed to the new one.
    pub(crate) fn switch(&self, encoder: Arc<Encoder>) {
        *lock(&self.encoder) = encoder;
    }

    /// The codec of its video.
    pub(crate) fn codec(&self) -> Codec {
        self.encoder().profile().codec
    }

    /// Opens a session; returns its id.
    pub(crate) fn open(&self, video: gst_app::AppSrc, audio: Option<gst_app::AppSrc>) -> u64 {
        let id = self.last_session.fetch_add(1, Ordering::Relaxed) + 1;
        let mut sessions = lock(&self.sessions);
        sessions.push(Session { id, video, audio, playing: false, at: At::Start, audio_prerolled: false });
        self.watched.store(true, Ordering::Relaxed);
        drop(sessions);
        if self.join == Join::Force {
            self.encoder().force_key();
        }
        id
    }

    /// The client of a session sent PLAY (or PAUSE).
    pub(crate) fn play(&self, id: u64, playing: bool) {
        let mut sessions = lock(&self.sessions);
        if let Some(session) = sessions.iter_mut().find(|s| s.id == id) {
            session.playing = playing;
            if !playing && session.at == At::Flowing {
                session.at = At::Waiting;
            }
        }
    }

    /// A session has ended.
    pub(crate) fn close(&self, id: u64) {
        let mut sessions = lock(&self.sessions);
        sessions.retain(|s| s.id != id);
        self.watched.store(!sessions.is_empty(), Ordering::Relaxed);
    }

    /// All sessions get nothing more.
    fn forget(&self) {
        lock(&self.sessions).clear();
        self.watched.store(false, Ordering::Relaxed);
    }

    /// The next access unit: counted always, sent to who may have it.
    pub(crate) fn hand(&self, unit: &AccessUnit) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let mut sessions = lock(&self.sessions);
        if sessions.is_empty() {
            return;
        }
        if self.faults.frozen(self.timeline.now()) {
            for session in sessions.iter_mut().filter(|s| s.at != At::Start) {
                session.at = At::Waiting;
            }
            return;
        }
        let mut wanted = false;
        let takers: Vec<&Session> = sessions
            .iter_mut()
            .filter_map(|session| {
                let (takes, wants) = session.takes(unit.key, self.join);
                wanted |= wants;
                takes.then_some(&*session)
            })
            .collect();
        if !takers.is_empty() {
            self.send(unit, number, &takers);
        }
        if wanted && self.join == Join::Force {
            self.encoder().force_key();
        }
    }

    fn send(&self, unit: &AccessUnit, number: u32, takers: &[&Session]) {
        let sent = unix_ns();
        let stamp = stamp::nal(unit.codec(), sent, number, &self.name);
        let filler = match self.faults.swollen() {
            0 => Vec::new(),
            bytes => nal::filler(unit.codec(), bytes as usize),
        };
        let mut buffer = gst::Buffer::from_slice(unit.byte_stream(&stamp, &filler));
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(time(unit.pts));
        }
        let mut handed = false;
        for session in takers {
            // A session that is just ending refuses: it is forgotten when its media says so.
            handed |= session.video.push_buffer(buffer.clone()).is_ok();
        }
        if let (true, Some(truth)) = (handed, &self.truth) {
            let (bytes, sha256) = unit.canonical(&stamp, &filler);
            let pts90k = u64::try_from((unit.pts.as_nanos() * 9 + 50_000) / 100_000).unwrap_or(u64::MAX);
            let (camera, stream) = (self.camera.as_str(), self.stream);
            truth.write(&Sent { camera, stream, n: number, t_ns: sent, pts90k, key: unit.key, bytes, sha256 });
        }
    }

    /// The next piece of sound: one to each session that is being described, all to those whose picture flows.
    pub(crate) fn hand_audio(&self, buffer: &gst::Buffer, caps: &gst::Caps) {
        let mut sessions = lock(&self.sessions);
        if sessions.is_empty() || self.faults.frozen(self.timeline.now()) {
            return;
        }
        for session in sessions.iter_mut() {
            let Some(audio) = &session.audio else { continue };
            if session.audio_prerolled && (session.at != At::Flowing || audio.current_level_buffers() > 2 * BACKLOG) {
                continue;
            }
            if !session.audio_prerolled {
                audio.set_caps(Some(caps));
                session.audio_prerolled = true;
            }
            let _ = audio.push_buffer(buffer.clone()); // as above
        }
    }
}

/// A [`Duration`] as GStreamer has it.
pub(crate) fn time(duration: Duration) -> gst::ClockTime {
    gst::ClockTime::from_nseconds(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
