//! From samples to cases: the worker looks, rules decide, cases are made. The wiring of it.

mod eyes;
pub(crate) mod footage;
mod gallery;
pub(crate) mod rules;

use crate::{capture::Capture, env::Env, models};
use anyhow::{Context, Result};
use config::Config;
use domain::Channel;
use eyes::{Camera, Eyes, Happened};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use vision::{Vision, Watched};

/// Violations that may wait for the database; then vision waits too, and recording goes on.
const WAITING: usize = 1024;
/// Before a violation that the database refused is offered to it again.
const AGAIN: Duration = Duration::from_secs(1);

/// Vision at work, and what rules have said so far.
pub(crate) struct Seeing {
    pub(crate) vision: Vision,
    happened: Receiver<Happened>,
    writer: JoinHandle<()>,
}

/// Starts the worker's keeper. A missing model or worker is no error: the status says so and everything else works.
pub(crate) fn start(
    config: &Config,
    env: &Env,
    rings: &BTreeMap<String, ring::Recorder>,
    capture: &Capture,
    sightings: &store::Sightings,
    moving: Arc<web::Moving>,
    stop: &CancellationToken,
) -> Result<Seeing> {
    let model = config.vision.as_ref().and_then(|v| match (models::forbidden(config), models::library(config).load(&v.model)) {
        (None, Ok(model)) => Some(model),
        // Recording does not stop for that.
        (Some(error), _) => {
            tracing::warn!(error, "nothing is detected");
            None
        }
        (None, Err(error)) => {
            tracing::warn!(%error, "nothing is detected");
            None
        }
    });
    let (happened, heard) = sync_channel(WAITING);
    let mut watched = Vec::new();
    let mut cameras = BTreeMap::new();
    for camera in &config.cameras {
        let Some((channel, source)) = capture.looked_at(camera) else { continue };
        watched.push(Watched {
            camera: camera.id.clone(),
            name: format!("{}/{channel}", camera.id),
            source: source.clone(),
            analyse: true,
        });
        let recorder = [Channel::Main, Channel::Sub].into_iter().find_map(|c| camera.record.ring(c).and_then(|ring| rings.get(ring)));
        let analytics = analytics::Analytics::new(rules::of(camera)).with_context(|| format!("camera {}", camera.id))?;
        let diary = recorder.map(|r| (r.clone(), vision::Diary::new(&camera.id, channel)));
        cameras.insert(camera.id.clone(), Camera { analytics, gallery: analytics::Gallery::default(), diary });
    }
    let (desk, writer) = gallery::open(sightings.clone())?;
    let detectors = config.vision.as_ref().map_or(1, |v| v.workers);
    let fps = config.vision.as_ref().map_or(5.0, |v| v.fps);
    let vision = Vision::start(
        vision::Config { model, detectors, fps },
        env.worker.clone(),
        env.clock.clone(),
        watched,
        Arc::new(Eyes::new(cameras, happened, desk, moving)),
        stop.clone(),
    )?;
    Ok(Seeing { vision, happened: heard, writer })
}

impl Seeing {
    /// Takes what rules say to the cases, one after the other, on a thread that may wait for the disk. It ends with vision.
    pub(crate) fn take_to(self, cases: cases::Cases, stop: CancellationToken) -> Result<JoinHandle<()>> {
        let work = move || {
            for event in self.happened {
                // An alert is never lost because the database was busy: it is offered again until it is taken.
                while let Err(error) = tell(&cases, &event) {
                    tracing::error!(%error, "a violation is not kept yet");
                    if stop.is_cancelled() {
                        return;
                    }
                    std::thread::sleep(AGAIN);
                }
            }
            // Vision has ended, and with it whoever hands lines in.
            let _ = self.writer.join();
        };
        Ok(std::thread::Builder::new().name("cases".into()).spawn(work)?)
    }
}

fn tell(cases: &cases::Cases, event: &Happened) -> Result<(), cases::CaseError> {
    match event {
        Happened::Raised(camera, violation) => cases.raised(camera, violation).map(|_| ()),
        Happened::Ended(camera, end) => cases.ended(camera, end),
    }
}
