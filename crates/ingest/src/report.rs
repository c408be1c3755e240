//! What is known about a stream, told to the board and to the metrics.
//!
//! The board is written when a state, a note or a format changes, and at most once a second for the rates.

use crate::{Failure, StreamTarget, rates::Rates};
use domain::{Board, CameraId, Channel, Clock, Format, Link, MonoTime, Note, StreamHealth, StreamKind};
use metrics::{Counter, Gauge, counter, gauge};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long a passing trouble stays on the page.
const PASSING: Duration = Duration::from_secs(60);
/// Key frames further apart than this are worth a note, in seconds.
const LONG_GOP: f32 = 4.0;

/// Keeps one stream's health.
pub struct Reporter {
    camera: CameraId,
    channel: Channel,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    health: StreamHealth,
    /// Notes and until when they hold; `None`: until cleared.
    notes: BTreeMap<Note, Option<MonoTime>>,
    rates: Rates,
    metrics: Metrics,
    next_tick: MonoTime,
}

struct Metrics {
    up: Gauge,
    samples: Counter,
    audio: Counter,
    sessions: Counter,
    lost: Counter,
}

impl Reporter {
    /// Continues from what the board knows of the stream.
    #[must_use]
    pub fn new(target: &StreamTarget, board: Arc<Board>, clock: Arc<dyn Clock>) -> Self {
        let (camera, channel) = (target.camera.clone(), target.channel);
        let health = board.get(&camera, channel).unwrap_or_else(|| StreamHealth::starting(clock.wall()));
        let labels = || [("camera", camera.to_string()), ("stream", channel.to_string())];
        let metrics = Metrics {
            up: gauge!("matthon_camera_up", &labels()),
            samples: counter!("matthon_samples_received_total", &labels()),
            audio: counter!("matthon_audio_samples_received_total", &labels()),
            sessions: counter!("matthon_sessions_total", &labels()),
            lost: counter!("matthon_packets_lost_total", &labels()),
        };
        let mut reporter = Self {
            camera,
            channel,
            board,
            clock,
            health,
            notes: BTreeMap::new(),
            rates: Rates::default(),
            metrics,
            next_tick: MonoTime(0),
        };
        for link in Link::ALL {
            reporter.state_gauge(link).set(f64::from(u8::from(link == reporter.health.link)));
        }
        reporter.metrics.up.set(f64::from(u8::from(reporter.health.link == Link::Ok)));
        reporter.publish();
        reporter
    }

    /// The state now shown.
    #[must_use]
    pub fn link(&self) -> Link {
        self.health.link
    }

    /// Shows a state. Repeating the same one keeps its beginning.
    pub fn link_is(&mut self, link: Link, detail: &str) {
        if link == self.health.link && detail == self.health.detail {
            return;
        }
        if link != self.health.link {
            self.state_gauge(self.health.link).set(0.0);
            self.state_gauge(link).set(1.0);
            self.metrics.up.set(f64::from(u8::from(link == Link::Ok)));
            self.health.link = link;
            self.health.since = self.clock.wall();
        }
        detail.clone_into(&mut self.health.detail);
        self.publish();
    }

    /// A session stands.
    pub fn session_begins(&mut self) {
        self.metrics.sessions.increment(1);
        self.health.sessions += 1;
        self.notes.retain(|_, until| until.is_some());
        self.health.gop = None;
        self.health.clock_offset = None;
        self.publish();
    }

    /// A session failed or ended.
    pub fn failed(&mut self, failure: &Failure) {
        let reason = failure.reason;
        counter!("matthon_session_ends_total", "camera" => self.camera.to_string(), "stream" => self.channel.to_string(), "reason" => reason.key())
            .increment(1);
        tracing::warn!(camera = %self.camera, stream = %self.channel, reason = reason.key(), detail = %failure.detail, "camera stream failed");
        (self.health.fps, self.health.bitrate) = (0.0, 0);
        self.rates = Rates::default();
        self.link_is(reason.link(), &failure.detail);
        self.publish();
    }

    /// The video's parameters are known, or have changed.
    pub fn format_is(&mut self, format: &Format, replaced: bool) {
        if let Some(video) = format.video() {
            self.health.codec = Some(video.codecs.clone());
            self.health.size = Some((video.width, video.height));
            self.note(Note::H265, video.codec == domain::VideoCodec::H265);
        }
        if replaced {
            self.passing(Note::Changed);
        }
        self.publish();
    }

    /// A sample was handed on.
    pub fn sample(&mut self, kind: StreamKind, bytes: usize) {
        if kind != StreamKind::Video {
            return self.metrics.audio.increment(1);
        }
        self.metrics.samples.increment(1);
        self.rates.count(self.clock.mono(), bytes);
        self.health.last_sample = Some(self.clock.wall());
    }

    /// A key frame went by.
    pub fn key_frame(&mut self, open_gop: bool, gop: Option<f32>) {
        if open_gop {
            self.note(Note::OpenGop, true);
        }
        if let Some(seconds) = gop {
            self.health.gop = Some(seconds);
            self.note(Note::LongGop, seconds > LONG_GOP);
        }
    }

    /// Packets were lost.
    pub fn lost(&mut self, packets: u32) {
        self.metrics.lost.increment(packets.into());
        self.passing(Note::PacketLoss);
    }

    /// A frame was dropped.
    pub fn dropped(&mut self, why: crate::assemble::Drop) {
        use crate::assemble::Drop;
        counter!("matthon_frames_dropped_total", "camera" => self.camera.to_string(), "stream" => self.channel.to_string(), "reason" => why.key())
            .increment(1);
        match why {
            Drop::Oversized => self.passing(Note::Oversized),
            Drop::Malformed => self.passing(Note::PacketLoss),
            Drop::Reordered => self.note(Note::BFrames, true),
            Drop::NoParameters | Drop::Empty | Drop::Waiting | Drop::Leading => {}
        }
    }

    /// The camera's clock minus the box's, in seconds.
    pub fn camera_clock(&mut self, offset: f64) {
        self.health.clock_offset = Some(offset);
    }

    /// Sets or clears a note that lasts.
    pub fn note(&mut self, note: Note, holds: bool) {
        let changed = if holds { self.notes.insert(note, None).is_none() } else { self.notes.remove(&note).is_some() };
        if changed {
            self.publish();
        }
    }

    /// Refreshes rates and lets notes expire, if a second has passed.
    pub fn tick(&mut self) {
        let now = self.clock.mono();
        if now < self.next_tick {
            return;
        }
        self.next_tick = now.plus(Duration::from_secs(1));
        (self.health.fps, self.health.bitrate) = self.rates.measure(now);
        self.publish();
    }

    fn passing(&mut self, note: Note) {
        let until = self.clock.mono().plus(PASSING);
        if self.notes.insert(note, Some(until)).is_none() {
            self.publish();
        }
    }

    fn publish(&mut self) {
        let now = self.clock.mono();
        self.notes.retain(|_, until| until.is_none_or(|until| now < until));
        self.health.notes = self.notes.keys().copied().collect();
        self.board.set(&self.camera, self.channel, self.health.clone());
    }

    fn state_gauge(&self, link: Link) -> Gauge {
        gauge!("matthon_camera_state", "camera" => self.camera.to_string(), "stream" => self.channel.to_string(), "state" => link.key())
    }
}
