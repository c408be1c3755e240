//! Renditions: streams in H.264 for browsers that cannot play what the camera sends, and covered ones of cameras that have masks.
//!
//! Belongs here: how many there are at a time, when a worker is started, ended, started again. Does not belong here: pixels (the worker), who
//! may see which (`web`).

use crate::{capture::Capture, env::Env};
use config::Config;
use domain::{CameraId, Channel, Clock, MonoTime, StreamId, StreamKind};
use hub::Fanout;
use live::LiveStream;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use web::NoRendition;

/// At a time, all cameras together: each is a decoder and an encoder at work beside detection.
const ROOM: usize = 4;
/// How often somebody looks whether it is still watched.
const LOOK: Duration = Duration::from_secs(1);
/// So long after the last viewer it goes on: who turns a page or loses his line comes back to a picture.
const LINGER: Duration = Duration::from_secs(5);
/// Before a worker that failed is started again: doubling up to the second.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// A worker that ran this long had begun well.
const WELL: Duration = Duration::from_secs(60);

/// All there may be, by camera, stream and whether it is covered.
pub(crate) struct Renditions {
    all: BTreeMap<(CameraId, Channel, bool), Arc<Entry>>,
    room: Arc<Semaphore>,
    launcher: Arc<dyn vision::Launcher>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

struct Entry {
    made: vision::rendition::Rendition,
    live: LiveStream,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: bool,
    /// When somebody asked for it last.
    asked: MonoTime,
}

/// Prepares one for each stream, and a covered one where there are masks; they cost nothing until somebody watches.
pub(crate) fn prepare(config: &Config, env: &Env, capture: &Capture, tasks: &TaskTracker, stop: &CancellationToken) -> Arc<Renditions> {
    let mut all = BTreeMap::new();
    for camera in &config.cameras {
        for channel in [Channel::Main, Channel::Sub] {
            let Some(source) = capture.streams.get(&(camera.id.clone(), channel)) else { continue };
            for covered in [false, true] {
                if covered && camera.masks.is_empty() {
                    continue;
                }
                let out = Fanout::new(format!("{}/{channel}/{}", camera.id, if covered { "covered" } else { "h264" }));
                let made = vision::rendition::Rendition {
                    name: out.name().to_owned(),
                    stream: Arc::new(StreamId::new(camera.id.clone(), channel, StreamKind::Video)),
                    source: source.clone(),
                    masks: if covered { camera.masks.clone() } else { Vec::new() },
                    out: out.clone(),
                };
                let live = LiveStream::new(out.clone(), out.name());
                let entry = Entry { made, live, clock: env.clock.clone(), state: Mutex::default() };
                all.insert((camera.id.clone(), channel, covered), Arc::new(entry));
            }
        }
    }
    let room = Arc::new(Semaphore::new(ROOM));
    Arc::new(Renditions { all, room, launcher: env.worker.clone(), tasks: tasks.clone(), stop: stop.clone() })
}

impl web::Renditions for Renditions {
    fn room(&self) -> usize {
        ROOM
    }

    fn begin(&self, camera: &CameraId, channel: Channel, covered: bool) -> Result<LiveStream, NoRendition> {
        let entry = self.all.get(&(camera.clone(), channel, covered)).ok_or(NoRendition::Never)?;
        let mut state = entry.lock();
        state.asked = entry.clock.mono();
        if !state.running {
            let place = Arc::clone(&self.room).try_acquire_owned().map_err(|_| NoRendition::Full(ROOM))?;
            state.running = true;
            let (entry, launcher, stop) = (entry.clone(), self.launcher.clone(), self.stop.clone());
            self.tasks.spawn(async move {
                let _panicked = Panicked(entry.clone());
                let _ = stop.run_until_cancelled(entry.keep(launcher, place)).await;
            });
        }
        Ok(entry.live.clone())
    }

    fn there(&self, camera: &CameraId, channel: Channel, covered: bool) -> Option<LiveStream> {
        self.all.get(&(camera.clone(), channel, covered)).map(|entry| entry.live.clone())
    }
}

/// A task that fails inside this program must not close its rendition for good.
struct Panicked(Arc<Entry>);

impl Drop for Panicked {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().running = false;
        }
    }
}

impl Entry {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Converts until nobody has watched for a while, whatever becomes of workers meanwhile.
    async fn keep(&self, launcher: Arc<dyn vision::Launcher>, place: OwnedSemaphorePermit) {
        tracing::info!(stream = self.made.name, "a rendition is watched");
        let workers = async {
            let mut wait = AGAIN.0;
            loop {
                let begun = self.clock.mono();
                let error = self.made.convert(launcher.clone()).await;
                if self.clock.mono().since(begun) > WELL {
                    wait = AGAIN.0;
                }
                metrics::counter!("matthon_rendition_failures_total").increment(1);
                tracing::warn!(stream = self.made.name, %error, "a rendition is not made");
                // Who comes now waits for a picture of now.
                self.made.out.forget();
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(AGAIN.1);
            }
        };
        tokio::select! {
            () = workers => {}
            () = self.watched(place) => {}
        }
        self.made.out.forget();
        tracing::info!(stream = self.made.name, "nobody watches the rendition");
    }

    /// Until nobody has watched for a while; whoever asks from then on begins it anew, and finds its place free.
    async fn watched(&self, place: OwnedSemaphorePermit) {
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            every.tick().await;
            let mut state = self.lock();
            let now = self.clock.mono();
            if self.live.viewers() > 0 {
                state.asked = now;
            } else if now.since(state.asked) > LINGER {
                state.running = false;
                drop(place);
                return;
            }
        }
    }
}
