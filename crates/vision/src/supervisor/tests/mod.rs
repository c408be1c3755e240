//! The supervisor against workers that speak the true protocol: what comes, what is asked, what is survived.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod faults;
mod stills;
mod streams;

use super::*;
use crate::{
    fake::{FakeLauncher, FakeWorker, Log, PATIENCE, follow, look, model},
    launcher::Purpose,
    protocol::{Down, ToWorker},
};
use bytes::Bytes;
use domain::{Channel, Format, MonoTime, StreamId, StreamKind, VideoCodec, VideoFormat};
use std::{
    os::fd::OwnedFd,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    time::Instant,
};

/// Durations with which tests need not wait.
fn quick() -> Timing {
    let ms = Duration::from_millis;
    Timing { restart: ms(50), restart_max: ms(200), crash: ms(100), parole: ms(800), hung: ms(500), ..Timing::default() }
}

/// The machine's clock.
#[derive(Debug)]
struct RealClock(Instant);

impl Clock for RealClock {
    fn wall(&self) -> WallTime {
        WallTime::from_secs(1_795_430_520).plus(self.0.elapsed())
    }
    fn mono(&self) -> MonoTime {
        MonoTime(1_000_000).plus(self.0.elapsed())
    }
    fn synchronised(&self) -> bool {
        true
    }
    fn boot_id(&self) -> [u8; 16] {
        [0; 16]
    }
}

/// Eyes that remember what they saw and want what the test says.
#[derive(Debug, Default)]
struct Memory {
    seen: Log<(CameraId, WallTime)>,
    wants: AtomicBool,
}

impl Eyes for Memory {
    fn seen(&self, camera: &CameraId, observation: Observation) -> bool {
        self.seen.push((camera.clone(), observation.capture));
        self.wants.load(SeqCst)
    }
}

/// A message of a stream, as a worker heard it: worker's number, stream, message, first byte of a sample.
type Heard = (u32, u32, Down, u8);

/// A village of fake cameras and a supervisor that looks at them.
struct Village {
    vision: Vision,
    launcher: Arc<FakeLauncher>,
    eyes: Arc<Memory>,
    cameras: Vec<Camera>,
    stop: CancellationToken,
}

struct Camera {
    id: CameraId,
    source: Fanout<Sample>,
    format: Arc<Format>,
    seq: AtomicU64,
}

impl Camera {
    fn new(id: &str) -> Self {
        let video = VideoFormat {
            codec: VideoCodec::H264,
            width: 640,
            height: 352,
            config: Bytes::from_static(&[1, 2, 3]),
            codecs: "avc1.640016".into(),
            frame_duration: None,
            reorder: None,
        };
        let format = Arc::new(Format::Video(video));
        Self { id: CameraId::new(id).unwrap(), source: Fanout::new(format!("{id}/sub/video")), format, seq: AtomicU64::new(0) }
    }

    /// The next sample: every tenth begins a GOP; its bytes are all the low byte of its number.
    fn sample(&self, len: usize) -> Sample {
        let seq = self.seq.fetch_add(1, SeqCst);
        Sample {
            stream: Arc::new(StreamId::new(self.id.clone(), Channel::Sub, StreamKind::Video)),
            format: self.format.clone(),
            seq,
            capture: capture(seq),
            pts: seq as i64 * 6000,
            dts: seq as i64 * 6000,
            random_access: seq.is_multiple_of(10),
            loss_before: false,
            data: vec![seq as u8; len].into(),
        }
    }

    fn publish(&self, count: usize, len: usize) {
        (0..count).for_each(|_| self.source.publish(self.sample(len)));
    }
}

fn capture(seq: u64) -> WallTime {
    WallTime::from_secs(1_795_430_520).plus_micros(seq as i64 * 66_667)
}

impl Village {
    fn new(cameras: &[&str], script: impl Fn(FakeWorker) + Send + Sync + 'static) -> Self {
        Self::with(Some(model()), cameras, FakeLauncher::new(script))
    }

    fn with(model: Option<Model>, cameras: &[&str], launcher: Arc<FakeLauncher>) -> Self {
        let cameras: Vec<Camera> = cameras.iter().map(|id| Camera::new(id)).collect();
        let watched = |c: &Camera| Watched { camera: c.id.clone(), name: format!("{}/sub", c.id), source: c.source.clone(), analyse: true };
        let (eyes, stop) = (Arc::new(Memory::default()), CancellationToken::new());
        let config = Config { model, detectors: 2, fps: 5.0 };
        let (watched, clock) = (cameras.iter().map(watched).collect(), Arc::new(RealClock(Instant::now())));
        let vision = Vision::start_with(quick(), config, launcher.clone(), clock, watched, eyes.clone(), stop.clone()).unwrap();
        Self { vision, launcher, eyes, cameras, stop }
    }

    /// Waits until the status is as wanted.
    fn status(&self, what: &str, mut is: impl FnMut(&VisionStatus) -> bool) -> VisionStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            let status = self.vision.status();
            if is(&status) {
                return status;
            }
            assert!(Instant::now() < until, "{what}: it is {status:?}");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Waits until a camera is given to a worker.
    fn fed(&self, camera: usize) {
        let id = &self.cameras[camera].id;
        self.status("fed", |s| s.cameras.get(id).is_some_and(|c| c.fed) && self.cameras[camera].source.subscribers() > 0);
    }

    fn end(self) {
        let Self { vision, stop, eyes, .. } = self;
        stop.cancel();
        block_on(async { tokio::time::timeout(PATIENCE, vision.join()).await.unwrap() });
        assert_eq!(Arc::strong_count(&eyes), 1, "nobody holds the eyes any longer");
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What an ordinary worker does with an order: looks at every sample of its streams, and lets the test hear them.
fn ordinary(worker: &FakeWorker, message: &ToWorker, descriptors: Vec<OwnedFd>, heard: &Arc<Log<Heard>>) {
    if let ToWorker::Open { stream, .. } = *message {
        let (number, heard) = (worker.number, heard.clone());
        let socket = worker.stream(descriptors.into_iter().next().unwrap());
        follow(socket, move |socket, message, data| {
            if let Down::Sample(head) = message {
                look(socket, head);
            }
            heard.push((number, stream, message, data.first().copied().unwrap_or(0)));
        });
    }
}

fn heads(heard: &[Heard], worker: u32, stream: u32) -> Vec<crate::protocol::SampleHead> {
    let of = |h: &&Heard| (h.0, h.1) == (worker, stream);
    heard.iter().filter(of).filter_map(|h| if let Down::Sample(head) = h.2 { Some(head) } else { None }).collect()
}
