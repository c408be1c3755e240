//! The way to real cameras: RTSP over TCP interleaved, through retina.
//!
//! retina has no deadlines of its own, so every step gets one here. Does not belong here: when to try again, and
//! what the packets mean.

use crate::{AudioParameters, Failure, Network, Packet, Reason, Session, StreamTarget, VideoParameters, retina_failure};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{AudioCodec, CameraId, Channel, VideoCodec};
use futures::StreamExt;
use retina::{
    client::{
        self, Credentials, Demuxed, Described, InitialTimestampPolicy, PlayOptions, SessionGroup, SessionIdPolicy, SessionOptions,
        SetupOptions,
    },
    codec::{CodecItem, FrameFormat, ParametersRef},
};
use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// Longest a camera may take to answer one step.
const STEP: Duration = Duration::from_secs(5);
/// Longest the farewell of the previous session may hold up the next one.
const TEARDOWN: Duration = Duration::from_secs(2);

type Group = Arc<SessionGroup>;

/// Opens RTSP sessions. Remembers each stream's farewells, so that a camera with one session to spare gets it back first.
#[derive(Default)]
pub struct RetinaNetwork {
    groups: Mutex<HashMap<(CameraId, Channel), Group>>,
}

impl RetinaNetwork {
    /// Knows no camera yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn group(&self, target: &StreamTarget) -> Group {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let name = || format!("{}/{}", target.camera, target.channel);
        groups.entry((target.camera.clone(), target.channel)).or_insert_with(|| Arc::new(SessionGroup::default().named(name()))).clone()
    }
}

#[async_trait]
impl Network for RetinaNetwork {
    async fn open(&self, target: &StreamTarget) -> Result<Box<dyn Session>, Failure> {
        let group = self.group(target);
        // An unanswered farewell is retina's to repeat, and no reason to wait longer.
        let _unanswered = timeout(TEARDOWN, group.await_teardown()).await;
        let creds = target.username.clone().map(|username| Credentials {
            username,
            password: target.password.as_ref().map(|p| p.expose().to_owned()).unwrap_or_default(),
        });
        let options = SessionOptions::default()
            .creds(creds)
            .user_agent("matthon".to_owned())
            .session_group(group.clone())
            // Some cameras name another session at each SETUP.
            .session_id(SessionIdPolicy::UseFirst);
        let mut described = step(target, "DESCRIBE", client::Session::describe(target.url.clone(), options)).await?;
        let video = choose_video(&described)?;
        let mut first = VecDeque::new();
        let audio = if target.audio { choose_audio(&described, &mut first) } else { None };
        let setup = || SetupOptions::default().frame_format(FrameFormat::MP4);
        step(target, "SETUP of the video", described.setup(video, setup())).await?;
        if let Some(audio) = &audio {
            step(target, "SETUP of the audio", described.setup(audio.index, setup())).await?;
        }
        let policy = PlayOptions::default().initial_timestamp(InitialTimestampPolicy::Permissive);
        let playing = step(target, "PLAY", described.play(policy)).await?;
        let demuxed = playing.demuxed().map_err(|e| retina_failure::playing(target, "PLAY", &e))?;
        Ok(Box::new(RetinaSession { demuxed, group, target: target.clone(), video, told: false, ready: first }))
    }
}

async fn step<T>(target: &StreamTarget, name: &str, future: impl Future<Output = Result<T, retina::Error>> + Send) -> Result<T, Failure> {
    match timeout(STEP, future).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(retina_failure::opening(target, name, &error).await),
        Err(_) => Err(retina_failure::silent(target, name, STEP).await),
    }
}

fn choose_video(described: &client::Session<Described>) -> Result<usize, Failure> {
    let streams = described.streams();
    let known = |s: &client::Stream| s.media() == "video" && matches!(s.encoding_name(), "h264" | "h265");
    streams.iter().position(known).ok_or_else(|| {
        let offered: Vec<_> = streams.iter().map(|s| format!("{}/{}", s.media(), s.encoding_name())).collect();
        let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
        let detail: String = format!("the camera offers no H.264 or H.265 video, but {offered}").chars().take(240).collect();
        Failure::new(Reason::Unsupported, detail)
    })
}

struct Audio {
    index: usize,
}

/// The first audio stream, if it is one that is recorded; what it is goes to `ready`.
fn choose_audio(described: &client::Session<Described>, ready: &mut VecDeque<Packet>) -> Option<Audio> {
    let (index, stream) = described.streams().iter().enumerate().find(|(_, s)| s.media() == "audio")?;
    let codec = match stream.encoding_name() {
        "mpeg4-generic" => Some(AudioCodec::Aac),
        "pcma" => Some(AudioCodec::PcmA),
        "pcmu" => Some(AudioCodec::PcmU),
        _ => None,
    };
    // Without parameters (a broken fmtp line) the whole session would fail later: do without the audio instead.
    let (Some(codec), Some(ParametersRef::Audio(parameters))) = (codec, stream.parameters()) else {
        ready.push_back(Packet::AudioUnsupported(stream.encoding_name().chars().take(40).collect()));
        return None;
    };
    let config = if codec == AudioCodec::Aac { Bytes::copy_from_slice(parameters.extra_data()) } else { Bytes::new() };
    let channels = u8::try_from(parameters.channels().get()).unwrap_or(1);
    ready.push_back(Packet::AudioParameters(AudioParameters { codec, sample_rate: stream.clock_rate_hz(), channels, config }));
    Some(Audio { index })
}

struct RetinaSession {
    demuxed: Demuxed,
    group: Group,
    target: StreamTarget,
    video: usize,
    /// The video's parameters were told.
    told: bool,
    ready: VecDeque<Packet>,
}

impl RetinaSession {
    fn take(&mut self, item: CodecItem) {
        match item {
            CodecItem::VideoFrame(frame) if frame.stream_id() == self.video => {
                if frame.has_new_parameters() || !self.told {
                    self.tell_parameters();
                }
                let (timestamp, lost) = (frame.timestamp().timestamp(), frame.loss().into());
                self.ready.push_back(Packet::Video { timestamp, lost, data: frame.into_data().into() });
            }
            CodecItem::AudioFrame(frame) => {
                let data = Bytes::copy_from_slice(frame.data());
                self.ready.push_back(Packet::Audio { timestamp: frame.timestamp().timestamp(), lost: frame.loss().into(), data });
            }
            CodecItem::Rtcp(report) if report.stream_id() == self.video => {
                let told = report.pkts().next().and_then(|p| p.as_sender_report().ok().flatten()).map(|r| r.ntp_timestamp().0);
                if let Some(micros) = told.and_then(unix_micros) {
                    self.ready.push_back(Packet::CameraClock(micros));
                }
            }
            _ => {}
        }
    }

    fn tell_parameters(&mut self) {
        let Some(stream) = self.demuxed.streams().get(self.video) else { return };
        let codec = if stream.encoding_name() == "h265" { VideoCodec::H265 } else { VideoCodec::H264 };
        if let Some(ParametersRef::Video(parameters)) = stream.parameters() {
            let config = Bytes::copy_from_slice(parameters.extra_data());
            self.told = true;
            self.ready.push_back(Packet::VideoParameters(VideoParameters { codec, config }));
        }
    }
}

#[async_trait]
impl Session for RetinaSession {
    async fn next(&mut self) -> Result<Packet, Failure> {
        loop {
            if let Some(packet) = self.ready.pop_front() {
                return Ok(packet);
            }
            match self.demuxed.next().await {
                Some(Ok(item)) => self.take(item),
                Some(Err(error)) => return Err(retina_failure::playing(&self.target, "the stream", &error)),
                None => return Err(Failure::new(Reason::Ended, "the camera closed the connection")),
            }
        }
    }

    async fn close(self: Box<Self>) {
        let Self { demuxed, group, .. } = *self;
        drop(demuxed);
        let _unanswered = timeout(TEARDOWN, group.await_teardown()).await;
    }
}

/// NTP's 32.32 seconds since 1900 to microseconds since 1970; `None` for a clock that was never set.
fn unix_micros(ntp: u64) -> Option<i64> {
    let (seconds, fraction) = (ntp >> 32, ntp & 0xffff_ffff);
    let seconds = i64::try_from(seconds).ok()?.checked_sub(2_208_988_800)?;
    let micros = i64::try_from((fraction * 1_000_000) >> 32).ok()?;
    (seconds >= 0).then_some(seconds * 1_000_000 + micros)
}
