//! The cameras' side: one thread, one task a stream.
//!
//! Cameras have a thread of their own: one page that is slow to answer must not delay a sample, and with one thread a
//! sample passes from socket to queue without waking another.

mod rest;

use crate::{env::Env, wiring::Outlet};
use anyhow::Result;
use config::Config;
use domain::{Board, CameraId, Channel, Sample};
use hub::{Fanout, Haste};
use ingest::{HostGate, Ingest, Network, StreamTarget};
use rest::{Hasty, Rest};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Cameras being pulled.
pub(crate) struct Capture {
    pub(crate) board: Arc<Board>,
    pub(crate) streams: BTreeMap<(CameraId, Channel), Fanout<Sample>>,
    /// The sound of those whose sound is recorded.
    pub(crate) sounds: BTreeMap<(CameraId, Channel), Fanout<Sample>>,
    pub(crate) stop: CancellationToken,
    thread: std::thread::JoinHandle<()>,
}

impl Capture {
    /// Begins to pull every stream of the configuration; goodbyes at the end may take `patience`.
    pub(crate) fn start(config: &Config, env: &Env, rings: &BTreeMap<String, ring::Recorder>, patience: Duration) -> Result<Self> {
        let board = Arc::new(Board::default());
        let stop = CancellationToken::new();
        let gate = Arc::new(HostGate::default());
        let haste = Haste::default();
        let (mut streams, mut sounds) = (BTreeMap::new(), BTreeMap::new());
        let mut jobs = Vec::new();
        for camera in &config.cameras {
            for channel in [Channel::Main, Channel::Sub] {
                let Some(url) = camera.url(channel) else { continue };
                let name = format!("{}/{channel}", camera.id);
                let video = Fanout::hastened(name.clone(), haste.clone());
                let outlet = Outlet {
                    video: video.clone(),
                    audio: Fanout::hastened(name, haste.clone()),
                    recorder: camera.record.ring(channel).and_then(|ring| rings.get(ring)).cloned(),
                };
                if camera.audio {
                    sounds.insert((camera.id.clone(), channel), outlet.audio.clone());
                }
                streams.insert((camera.id.clone(), channel), video);
                board.set(&camera.id, channel, domain::StreamHealth::starting(env.clock.wall()));
                let target = StreamTarget {
                    camera: camera.id.clone(),
                    channel,
                    url: url.clone(),
                    username: camera.username.clone(),
                    password: camera.password.clone(),
                    audio: camera.audio,
                };
                jobs.push((target, Arc::new(outlet)));
            }
        }
        let rest = Rest::new(haste.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().on_thread_park(move || rest.take()).build()?;
        let network: Arc<dyn Network> = Arc::new(Hasty { network: env.network.clone(), haste });
        let (env, board_in, stop_in) = (env.clone(), board.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("capture".into()).spawn(move || {
            runtime.block_on(async move {
                let tasks = TaskTracker::new();
                for (target, outlet) in jobs {
                    let ingest = Ingest {
                        network: network.clone(),
                        clock: env.clock.clone(),
                        gate: gate.clone(),
                        board: board_in.clone(),
                        limits: ingest::Limits { max_access_unit: outlet.max_access_unit() },
                        sink: outlet,
                    };
                    tasks.spawn(ingest.run(target, stop_in.clone()));
                }
                tasks.close();
                stop_in.cancelled().await;
                // Saying goodbye to cameras is a courtesy; recording what came is the duty.
                if tokio::time::timeout(patience, tasks.wait()).await.is_err() {
                    tracing::warn!("some cameras did not answer the goodbye in time");
                }
            });
            // Not `drop`: that would wait for a name look-up that no server answers.
            runtime.shutdown_background();
        })?;
        Ok(Self { board, streams, sounds, stop, thread })
    }

    /// The small picture of a camera, or the full one where there is no small: what is looked at.
    pub(crate) fn looked_at(&self, camera: &config::Camera) -> Option<(Channel, &Fanout<Sample>)> {
        [Channel::Sub, Channel::Main].into_iter().find_map(|c| self.streams.get(&(camera.id.clone(), c)).map(|s| (c, s)))
    }

    pub(crate) fn stop(self) {
        self.stop.cancel();
        if self.thread.join().is_err() {
            tracing::error!("the capture thread had panicked");
        }
    }
}
