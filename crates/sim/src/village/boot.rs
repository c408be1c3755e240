//! A boot: the ring is opened, what was promised is looked for, and the cameras come.

use super::{Boot, Village};
use crate::{
    Violation,
    clock::{BoxClock, WriterClock},
    ledger::Ledger,
    viewer,
    worker::{self, Look},
};
use domain::{Board, Clock, MonoTime, Sample, StreamKind};
use hub::Fanout;
use ingest::{HostGate, Ingest, SimNetwork, Sink};
use ring::{Disk, Inlet, Pace, PathState, RingStatus, Stepped};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

/// Longest start of a ring, µs: promised.
const OPENING: u64 = 2_000_000;

/// Where samples of one camera go.
struct Outlet {
    video: Fanout<Sample>,
    audio: Fanout<Sample>,
    inlet: Inlet,
    clock: Arc<BoxClock>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Sink for Outlet {
    fn sample(&self, sample: Sample) {
        let at = self.clock.mono();
        let kept = self.inlet.push(&sample, at);
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).given(&sample, at, kept);
        let fan = if sample.stream.kind == StreamKind::Video { &self.video } else { &self.audio };
        fan.publish(sample);
    }
}

impl Village {
    /// Opens the ring, as often as it takes, looks for what was promised, and lets the cameras come. `None`: time is over.
    pub(super) async fn boot(&mut self, promised: MonoTime) -> Result<Option<Boot>, Violation> {
        self.boots += 1;
        let clock = Arc::new(BoxClock::new(self.began, self.boots, self.wall.0, self.wall.1));
        let ring = loop {
            self.furnish();
            let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
            let writer = Arc::new(WriterClock { clock: clock.clone(), disk: self.disk_time.clone() });
            match Stepped::open(self.spec.clone(), disk, writer, self.signer.clone()) {
                Ok(ring) => break ring,
                Err(error) if self.faults.is_empty() => return Err(Violation::new(format!("the ring does not open: {error}"))),
                Err(_) => {
                    self.report.refused += 1;
                    self.catch_up().await;
                    sleep(Duration::from_secs(5)).await;
                    if self.over() {
                        return Ok(None);
                    }
                    self.befall(&clock);
                }
            }
        };
        if self.faults.is_empty() {
            let took = self.disk_time.mono().0;
            self.report.opening = self.report.opening.max(took);
            if took > OPENING {
                return Err(Violation::new(format!("the ring was open after {} ms only, with {} reads", took / 1000, self.disk.reads())));
            }
        }
        self.tell(&format!("boot {}: {} blocks, wall {:?}", self.boots, self.spec.blocks(), self.wall));
        self.catch_up().await;
        let reader = ring.reader();
        self.disk.pace(Pace::default());
        ring.learn();
        // With a path gone what lies there is looked for when it is back.
        self.whole = is_whole(&ring.status());
        if self.readable() {
            self.look(&reader, promised)?;
            self.forget();
        } else {
            self.well_until = None;
            self.ledger().carry(promised);
        }
        self.furnish();
        let mut boot = Boot { clock, ring, reader, tasks: JoinSet::new() };
        self.connect(&mut boot);
        Ok(Some(boot))
    }

    fn connect(&self, boot: &mut Boot) {
        let (connects, cameras, began) = (self.connects.clone(), self.cameras.clone(), self.began);
        let network = Arc::new(SimNetwork::directed(move |target| {
            let found = cameras.iter().zip(connects.iter()).find(|(c, _)| c.id == target.camera);
            match found {
                Some((camera, count)) => camera.attempt(count.fetch_add(1, Ordering::Relaxed), began, began.elapsed()),
                None => ingest::sim::Attempt::Hang,
            }
        }));
        let (gate, board) = (Arc::new(HostGate::default()), Arc::new(Board::default()));
        let up = Arc::new(AtomicBool::new(false));
        boot.tasks.spawn(worker::lives(self.plan.seed, self.boots, up.clone()));
        for camera in &self.cameras {
            let Some(target) = camera.target() else { continue };
            let outlet = Outlet {
                video: Fanout::new(camera.id.as_str()),
                audio: Fanout::new(camera.id.as_str()),
                inlet: boot.ring.inlet(),
                clock: boot.clock.clone(),
                ledger: self.ledger.clone(),
            };
            if camera.number.is_multiple_of(5) {
                let pause = Duration::from_millis(700 * (1 + u64::from(camera.number)));
                boot.tasks.spawn(viewer::watch(outlet.video.clone(), pause, self.ledger.clone()));
            }
            if camera.number.is_multiple_of(worker::EVERY) {
                let look = Look {
                    seed: self.plan.seed,
                    camera: camera.clone(),
                    began,
                    clock: boot.clock.clone(),
                    inlet: boot.ring.inlet(),
                    ledger: self.ledger.clone(),
                    up: up.clone(),
                };
                boot.tasks.spawn(look.run(outlet.video.clone()));
            }
            let ingest = Ingest {
                network: network.clone(),
                clock: boot.clock.clone(),
                gate: gate.clone(),
                board: board.clone(),
                limits: ingest::Limits { max_access_unit: self.spec.max_access_unit() },
                sink: Arc::new(outlet),
            };
            boot.tasks.spawn(ingest.run(target, CancellationToken::new()));
        }
    }
}

/// Whether no path was left out by the start.
fn is_whole(status: &RingStatus) -> bool {
    status.paths.iter().all(|p| p.state == PathState::Ok)
}
