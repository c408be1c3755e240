//! Counts what cameras send: `cargo run -p matthon-ingest --example count -- URL…`; one line a stream every 5 s.

use domain::{Board, CameraId, Channel, Clock, MonoTime, Sample, WallTime};
use matthon_ingest::{HostGate, Ingest, Limits, RetinaNetwork, Sink, StreamTarget};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio_util::sync::CancellationToken;

struct SystemClock(Instant);

impl Clock for SystemClock {
    fn wall(&self) -> WallTime {
        WallTime::default().plus(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }
    fn mono(&self) -> MonoTime {
        MonoTime::default().plus(self.0.elapsed())
    }
    fn synchronised(&self) -> bool {
        true
    }
    fn boot_id(&self) -> [u8; 16] {
        [0; 16]
    }
}

#[derive(Default)]
struct Count {
    samples: AtomicU64,
    losses: AtomicU64,
}

impl Sink for Count {
    fn sample(&self, sample: Sample) {
        self.samples.fetch_add(1, Ordering::Relaxed);
        self.losses.fetch_add(u64::from(sample.loss_before), Ordering::Relaxed);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (board, count) = (Arc::new(Board::default()), Arc::new(Count::default()));
    let ingest = Ingest {
        network: Arc::new(RetinaNetwork::new()),
        clock: Arc::new(SystemClock(Instant::now())),
        gate: Arc::new(HostGate::default()),
        board: board.clone(),
        sink: count.clone(),
        limits: Limits { max_access_unit: 8 << 20 },
    };
    let stop = CancellationToken::new();
    for (n, url) in std::env::args().skip(1).enumerate() {
        let camera = CameraId::new(&format!("c{n}"))?;
        let target = StreamTarget { camera, channel: Channel::Main, url: url.parse()?, username: None, password: None, audio: true };
        tokio::spawn(ingest.clone().run(target, stop.clone()));
    }
    let mut every = tokio::time::interval(Duration::from_secs(5));
    loop {
        every.tick().await;
        let (samples, losses) = (count.samples.load(Ordering::Relaxed), count.losses.load(Ordering::Relaxed));
        println!("up {:?}, {samples} samples, {losses} beginnings", board.up());
        for (camera, _, h) in board.all() {
            let key = h.link.key();
            println!(
                "  {camera} {key} {:?} {:.1} fps {} kbit/s gop {:?} sessions {} {:?} {}",
                h.size,
                h.fps,
                h.bitrate / 1000,
                h.gop,
                h.sessions,
                h.notes,
                h.detail
            );
        }
    }
}
