//! A village for tests: a clock on tokio's time, a sink that keeps, and frames a decoder's parser accepts.
#![allow(dead_code, missing_docs, unreachable_pub)]

use bytes::Bytes;
use domain::{Board, CameraId, Channel, Clock, Link, MonoTime, Note, Sample, StreamHealth, StreamKind, VideoCodec, WallTime};
use matthon_ingest::{HostGate, Ingest, Limits, Network, Packet, Sink, StreamTarget, VideoParameters, sim::Cue};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// x264, baseline 128×96, told not to reorder.
pub const AVCC_SMALL: &str = "0142c00affe100176742c00ada0836c044000003000400000300503c489a8001000468ce0fc8";
/// x264, main 64×64, B-frames.
pub const AVCC_B: &str = "014d400affe10017674d400aeca2136022000003000200000300281e244b2c01000568eae3cb20";
/// x265, 128×96.
pub const HVCC: &str = "0101600000009000000000001ef000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003001e959009a10001002942010101600000030090000003000003001ea01020616595924932bc05a02000000300200000030141a2000100074401c172b42240";

pub fn hex(text: &str) -> Bytes {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect::<Vec<_>>().into()
}

pub fn parameters(config: &str) -> Packet {
    let codec = if config == HVCC { VideoCodec::H265 } else { VideoCodec::H264 };
    Packet::VideoParameters(VideoParameters { codec, config: hex(config) })
}

fn nal(bytes: &[u8], size: usize) -> Bytes {
    let mut out = (bytes.len().max(size) as u32).to_be_bytes().to_vec();
    out.extend_from_slice(bytes);
    out.resize(4 + bytes.len().max(size), 0x55);
    out.into()
}

pub fn idr() -> Bytes {
    nal(&[0x65, 0x88, 0x84, 0x00], 200)
}
pub fn p() -> Bytes {
    nal(&[0x41, 0x9a, 0x24, 0x6c], 60)
}
pub fn cra() -> Bytes {
    nal(&[0x2a, 0x01, 0xac, 0x10], 200)
}
pub fn rasl() -> Bytes {
    nal(&[0x10, 0x01, 0xe0, 0x20], 60)
}
pub fn trail() -> Bytes {
    nal(&[0x02, 0x01, 0xd0, 0x30], 60)
}

pub fn video(timestamp: i64, lost: u32, data: Bytes) -> Cue {
    Cue::Send(Packet::Video { timestamp, lost, data })
}

pub fn wait(ms: u64) -> Cue {
    Cue::Wait(Duration::from_millis(ms))
}

/// A sound H.264 stream at 10 fps, a key frame a second.
pub fn stream(from: i64, frames: i64) -> Vec<Cue> {
    (from..from + frames).flat_map(|n| [wait(100), video(n * 9_000, 0, if n % 10 == 0 { idr() } else { p() })]).collect()
}

pub fn play(config: &str, cues: impl IntoIterator<Item = Cue>) -> matthon_ingest::sim::Attempt {
    matthon_ingest::sim::Attempt::Play([Cue::Send(parameters(config))].into_iter().chain(cues).collect())
}

/// Both clocks run on tokio's time.
pub struct TestClock(Instant);

impl Clock for TestClock {
    fn wall(&self) -> WallTime {
        WallTime::from_secs(1_795_430_520).plus(self.0.elapsed())
    }
    fn mono(&self) -> MonoTime {
        MonoTime(77_000_000).plus(self.0.elapsed())
    }
    fn synchronised(&self) -> bool {
        true
    }
    fn boot_id(&self) -> [u8; 16] {
        [7; 16]
    }
}

#[derive(Default)]
pub struct Kept(Mutex<Vec<Sample>>);

impl Sink for Kept {
    fn sample(&self, sample: Sample) {
        self.0.lock().expect("sink").push(sample);
    }
}

pub struct Village {
    pub board: Arc<Board>,
    pub kept: Arc<Kept>,
    pub ingest: Ingest,
    pub stop: CancellationToken,
}

impl Village {
    pub fn new(network: Arc<dyn Network>) -> Self {
        let (board, kept) = (Arc::new(Board::default()), Arc::new(Kept::default()));
        let ingest = Ingest {
            network,
            clock: Arc::new(TestClock(Instant::now())),
            gate: Arc::new(HostGate::default()),
            board: board.clone(),
            sink: kept.clone(),
            limits: Limits { max_access_unit: 10_000 },
        };
        Self { board, kept, ingest, stop: CancellationToken::new() }
    }

    pub fn start(&self, target: StreamTarget) -> tokio::task::JoinHandle<()> {
        tokio::spawn(self.ingest.clone().run(target, self.stop.clone()))
    }

    pub fn health(&self, camera: &str) -> Option<StreamHealth> {
        self.board.get(&CameraId::new(camera).expect("id"), Channel::Main)
    }

    pub async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        for _ in 0..20_000 {
            if condition(self) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("never: {what}; board: {:?}", self.board.all());
    }

    pub async fn link(&self, camera: &str, link: Link) -> StreamHealth {
        self.until(&format!("{camera} {link:?}"), |v| v.health(camera).is_some_and(|h| h.link == link)).await;
        self.health(camera).expect("health")
    }

    pub async fn note(&self, camera: &str, note: Note) {
        self.until(&format!("{camera} {note:?}"), |v| v.health(camera).is_some_and(|h| h.notes.contains(&note))).await;
    }

    pub fn samples(&self, camera: &str, kind: StreamKind) -> Vec<Sample> {
        let all = self.kept.0.lock().expect("sink");
        all.iter().filter(|s| s.stream.camera.as_str() == camera && s.stream.kind == kind).cloned().collect()
    }
}

pub fn target(camera: &str, url: &str) -> StreamTarget {
    StreamTarget {
        camera: CameraId::new(camera).expect("id"),
        channel: Channel::Main,
        url: url::Url::parse(url).expect("url"),
        username: None,
        password: None,
        audio: true,
    }
}

/// What every consumer relies on, whatever happened on the way.
pub fn assert_bargain(samples: &[Sample]) {
    assert!(samples.first().is_none_or(|s| s.random_access && s.loss_before && s.dts >= 0), "starts anew at a random access point");
    assert!(samples.iter().all(|s| s.dts <= s.pts));
    for pair in samples.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq + 1);
        if pair[1].loss_before {
            assert!(pair[1].random_access, "a loss ends at a random access point");
        } else {
            assert!(pair[1].dts > pair[0].dts && pair[1].capture >= pair[0].capture);
        }
    }
}
