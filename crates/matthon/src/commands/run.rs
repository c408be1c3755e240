//! `matthon run`: start in order, stop in order.

use super::load;
use crate::{
    cli::ConfigArg,
    control::Control,
    env::Env,
    exit::Failure,
    keys, telemetry,
    wiring::{self, Outlet},
};
use anyhow::{Context, Result};
use config::Config;
use domain::{Board, CameraId, Channel, Sample};
use hub::Fanout;
use ingest::{HostGate, Ingest, StreamTarget};
use live::LiveStream;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// After SIGTERM the whole stop must fit in 5 s: this is each part's share before it is left behind with a word.
const STOP_PATIENCE: Duration = Duration::from_millis(1500);

pub(crate) fn run(arg: &ConfigArg) -> Result<(), Failure> {
    let loaded = load(arg)?;
    telemetry::init_logs();
    telemetry::end_with_the_writer();
    telemetry::raise_file_limit();
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let render = telemetry::init_metrics()?;
    let env = Env::system();
    let started = env.clock.wall();

    let store = wiring::open_store(&loaded.config.storage.data)?;
    let key: Arc<dyn ring::Signer> = Arc::new(keys::open(&loaded.config.storage.data)?);
    let rings = open_rings(&loaded.config, &env, &key)?;

    // Cameras have a thread of their own: one page that is slow to answer must not delay a sample, and with one
    // thread a sample passes from socket to queue without waking another.
    let capture = Capture::start(&loaded.config, &env, &rings)?;
    let serving =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(16).enable_all().thread_name("web").build()?;
    let board = capture.board.clone();
    let result = serving.block_on(serve(&loaded.config, &env, store, &rings, &capture, started, render));

    // Producers first, then the writers, so that what was received is on the disk; the order is the promise.
    capture.stop();
    // Side by side: a slow disk of one ring must not take the other's time.
    std::thread::scope(|scope| {
        for (name, ring) in rings {
            scope.spawn(move || match ring.close() {
                Ok(()) => tracing::info!(ring = name, "closed"),
                Err(error) => tracing::error!(ring = name, %error, "not closed cleanly"),
            });
        }
    });
    serving.shutdown_timeout(Duration::from_millis(200));
    let (up, total) = board.up();
    tracing::info!(cameras_up = up, cameras = total, "stopped");
    result
}

fn open_rings(config: &Config, env: &Env, key: &Arc<dyn ring::Signer>) -> Result<BTreeMap<String, ring::Recorder>, Failure> {
    let mut rings = BTreeMap::new();
    for ring in &config.rings {
        let spec = wiring::ring_spec(config, &ring.name)?;
        let recorder = ring::Recorder::open(spec, env.disk.clone(), env.clock.clone(), key.clone())?;
        rings.insert(ring.name.clone(), recorder);
    }
    Ok(rings)
}

/// The cameras' side: one thread, one task a stream.
struct Capture {
    board: Arc<Board>,
    streams: BTreeMap<(CameraId, Channel), Fanout<Sample>>,
    stop: CancellationToken,
    thread: std::thread::JoinHandle<()>,
}

impl Capture {
    fn start(config: &Config, env: &Env, rings: &BTreeMap<String, ring::Recorder>) -> Result<Self> {
        let board = Arc::new(Board::default());
        let stop = CancellationToken::new();
        let gate = Arc::new(HostGate::default());
        let mut streams = BTreeMap::new();
        let mut jobs = Vec::new();
        for camera in &config.cameras {
            for channel in [Channel::Main, Channel::Sub] {
                let Some(url) = camera.url(channel) else { continue };
                let name = format!("{}/{channel}", camera.id);
                let video = Fanout::new(name.clone());
                let outlet = Outlet {
                    video: video.clone(),
                    audio: Fanout::new(name),
                    recorder: camera.record.ring(channel).and_then(|ring| rings.get(ring)).cloned(),
                };
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
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (env, board_in, stop_in) = (env.clone(), board.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("capture".into()).spawn(move || {
            runtime.block_on(async move {
                let tasks = TaskTracker::new();
                for (target, outlet) in jobs {
                    let ingest = Ingest {
                        network: env.network.clone(),
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
                if tokio::time::timeout(STOP_PATIENCE, tasks.wait()).await.is_err() {
                    tracing::warn!("some cameras did not answer the goodbye in time");
                }
            });
            // Not `drop`: that would wait for a name look-up that no server answers.
            runtime.shutdown_background();
        })?;
        Ok(Self { board, streams, stop, thread })
    }

    fn stop(self) {
        self.stop.cancel();
        if self.thread.join().is_err() {
            tracing::error!("the capture thread had panicked");
        }
    }
}

async fn serve(
    config: &Config,
    env: &Env,
    store: store::Store,
    rings: &BTreeMap<String, ring::Recorder>,
    capture: &Capture,
    started: domain::WallTime,
    render: metrics_exporter_prometheus::PrometheusHandle,
) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let all: Vec<ring::Recorder> = rings.values().cloned().collect();

    let control = Arc::new(Control { store: store.clone(), clock: env.clock.clone(), rings: all.clone() });
    tasks.spawn(control.serve(Control::listen(&config.storage.data)?, stop.clone()));

    let upkeep = render.clone();
    let stop_upkeep = stop.clone();
    tasks.spawn(async move {
        // Folds histogram samples together; without it they would pile up between scrapes.
        let mut every = tokio::time::interval(Duration::from_secs(5));
        while stop_upkeep.run_until_cancelled(every.tick()).await.is_some() {
            upkeep.run_upkeep();
        }
    });

    let cameras = config.cameras.iter().map(|camera| camera_view(camera, rings, capture)).collect();
    let context = web::Context {
        site: web::Site {
            name: config.site.name.clone(),
            timezone: config.site.timezone.clone(),
            language: config.site.language.as_str().to_owned(),
        },
        cameras,
        board: capture.board.clone(),
        store,
        clock: env.clock.clone(),
        rings: Arc::new(move || all.iter().map(ring::Recorder::status).collect()),
        metrics: Arc::new(move || render.render()),
        started,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let listener = tokio::net::TcpListener::bind(config.web.listen).await.with_context(|| {
        format!("cannot listen on {}: another program has it, or [web] listen is not an address of this box", config.web.listen)
    })?;
    tracing::info!(listen = %listener.local_addr()?, cameras = config.cameras.len(), "serving");
    let web = tasks.spawn(web::serve(listener, Arc::new(context), stop.clone()));
    // Under systemd the unit counts as started only now; elsewhere there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut web = web;
    let ended = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            _ = hangup.recv() => tracing::info!("SIGHUP: reloading the configuration is not in this version; restart instead"),
            ended = &mut web => break Err(Failure::Failed(match ended {
                Ok(Ok(())) => anyhow::anyhow!("the web server ended by itself"),
                Ok(Err(e)) => anyhow::Error::from(e).context("the web server failed"),
                Err(e) => anyhow::Error::from(e).context("the web server failed"),
            })),
        }
    };
    tracing::info!("stopping");
    // Cameras and viewers are told together; both goodbyes fit into one share of the time.
    capture.stop.cancel();
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    stop.cancel();
    tasks.close();
    if tokio::time::timeout(STOP_PATIENCE, tasks.wait()).await.is_err() {
        tracing::warn!("some viewers did not leave in time");
    }
    ended
}

fn camera_view(camera: &config::Camera, rings: &BTreeMap<String, ring::Recorder>, capture: &Capture) -> web::Camera {
    let reader = |channel| camera.record.ring(channel).and_then(|ring| rings.get(ring)).map(ring::Recorder::reader);
    let live = |channel| {
        let source = capture.streams.get(&(camera.id.clone(), channel))?;
        Some(LiveStream::new(source.clone(), format!("{}/{channel}", camera.id)))
    };
    web::Camera {
        id: camera.id.clone(),
        name: camera.name.clone(),
        main: live(Channel::Main).expect("every camera has a main stream: `main` is a required key"),
        sub: live(Channel::Sub),
        main_recorded: reader(Channel::Main),
        sub_recorded: reader(Channel::Sub),
    }
}
