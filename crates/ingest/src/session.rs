//! Reads one session to its end: packets to samples, silence to named states.

use crate::{
    Failure, Packet, Reason, Session, Sink, assemble::Assembler, audio::AudioAssembler, boxclock::Arrival, reconnect::Event,
    report::Reporter, run::Kept,
};
use domain::{Clock, Link, Note, StreamKind};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// No video for so long: the stream is frozen, whatever the connection says.
pub(crate) const FROZEN: Duration = Duration::from_secs(10);
/// No random access point for so long: say so …
pub(crate) const NO_KEYFRAME: Duration = Duration::from_secs(15);
/// … and for so long: try a new session. Not sooner, for "smart" encoders send key frames a minute apart.
pub(crate) const HOPELESS: Duration = Duration::from_secs(90);
const TICK: Duration = Duration::from_secs(1);

/// Everything one session works on.
pub(crate) struct Reading<'a> {
    pub(crate) video: Assembler,
    pub(crate) audio: AudioAssembler,
    pub(crate) reporter: &'a mut Reporter,
    pub(crate) kept: &'a Kept,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) sink: &'a dyn Sink,
}

impl Reading<'_> {
    /// Reads until the session is over, and says why. Cancelling it loses at most what is in flight.
    pub(crate) async fn run(&mut self, session: &mut dyn Session) -> Failure {
        let mut tick = Instant::now() + TICK;
        let mut last_video = Instant::now();
        let mut waiting_since = last_video;
        loop {
            if let Ok(packet) = timeout_at(tick, session.next()).await {
                let packet = match packet {
                    Ok(packet) => packet,
                    Err(failure) => return failure,
                };
                if matches!(packet, Packet::Video { .. }) {
                    last_video = Instant::now();
                }
                if let Err(failure) = self.take(packet) {
                    return failure;
                }
                if !self.video.is_waiting() {
                    waiting_since = last_video;
                }
            }
            let now = Instant::now();
            if now < tick {
                continue;
            }
            tick = now + TICK;
            if now.duration_since(last_video) >= FROZEN {
                return Failure::new(Reason::Frozen, format!("no video for {} s on an open connection", FROZEN.as_secs()));
            }
            let waited = now.duration_since(waiting_since);
            if waited >= HOPELESS {
                return Failure::new(Reason::NoKeyframe, format!("no key frame for {} s, connecting anew", HOPELESS.as_secs()));
            }
            if waited >= NO_KEYFRAME {
                self.reporter.link_is(Link::NoKeyframe, "frames arrive, but no key frame: set a shorter key frame interval in the camera");
            }
            self.reporter.tick();
        }
    }

    fn take(&mut self, packet: Packet) -> Result<(), Failure> {
        let arrival = Arrival::now(self.clock);
        match packet {
            Packet::VideoParameters(parameters) => {
                let (format, replaced) = self.video.parameters(&parameters)?;
                self.reporter.format_is(&format, replaced);
            }
            Packet::AudioParameters(parameters) => {
                if let Err(failure) = self.audio.parameters(&parameters) {
                    tracing::warn!(detail = %failure.detail, "audio is not recorded");
                    self.reporter.note(Note::AudioUnsupported, true);
                }
            }
            Packet::Video { timestamp, lost, data } => self.take_video(arrival, timestamp, lost, data),
            Packet::Audio { timestamp, lost, data } => {
                if let Some(sample) = self.audio.frame(arrival, timestamp, lost, data) {
                    self.reporter.sample(StreamKind::Audio, sample.data.len());
                    self.sink.sample(sample);
                }
            }
            Packet::CameraClock(told) => self.reporter.camera_clock(told.saturating_sub(arrival.wall.0) as f64 / 1e6),
            Packet::AudioUnsupported(name) => {
                tracing::info!(encoding = %name, "the camera's audio is not recorded");
                self.reporter.note(Note::AudioUnsupported, true);
            }
        }
        Ok(())
    }

    fn take_video(&mut self, arrival: Arrival, timestamp: i64, lost: u32, data: bytes::Bytes) {
        if lost > 0 {
            self.reporter.lost(lost);
        }
        match self.video.frame(arrival, timestamp, lost, data) {
            Ok((sample, key)) => {
                self.reporter.sample(StreamKind::Video, sample.data.len());
                // First the viewers and the disk, then the book-keeping.
                self.sink.sample(sample);
                if let Some(key) = key {
                    self.reporter.key_frame(key.open_gop, key.gop);
                    self.reporter.note(Note::BFrames, self.video.is_learning());
                }
                if self.reporter.link() != Link::Ok {
                    self.reporter.link_is(Link::Ok, "");
                }
                self.kept.machine().handle(arrival.mono, Event::Sample);
            }
            Err(why) => self.reporter.dropped(why),
        }
    }
}
