//! `matthon run`: start in order, stop in order.

use super::load;
use crate::{
    capture::Capture,
    cli::ConfigArg,
    control::Control,
    disks::{self, Disks},
    doors,
    env::Env,
    exit::Failure,
    exporting::{Sources, desk},
    fingerprint, journal, keeping, keys, phones,
    preparing::Preparing,
    remembered, rendition, seeing, telemetry, telling, tidying, wall,
    wiring::{self, camera_view},
};
use anyhow::{Context, Result};
use config::Config;
use domain::{Audited, Channel, hex};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Where the database keeps what the configuration was.
const CONFIGURATION: &str = "configuration-sha256";
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
    let env = Env::system(&loaded.config)?;
    let started = env.clock.wall();

    let store = wiring::open_store(&loaded.config.storage.data)?;
    let _alone = wiring::lock_data(&loaded.config.storage.data)?;
    let key: Arc<dyn ring::Signer> = Arc::new(keys::open(&loaded.config.storage.data)?);
    let rings = open_rings(&loaded.config, &env, &store, &key)?;

    booked(&loaded, &store, &env)?;

    let capture = Capture::start(&loaded.config, &env, &rings, STOP_PATIENCE)?;
    let serving =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(16).enable_all().thread_name("web").build()?;
    let board = capture.board.clone();
    let result = serving.block_on(serve(&loaded.config, &env, store, &key, &rings, &capture, started, render));

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

fn open_rings(
    config: &Config,
    env: &Env,
    store: &store::Store,
    key: &Arc<dyn ring::Signer>,
) -> Result<BTreeMap<String, ring::Recorder>, Failure> {
    let mut rings = BTreeMap::new();
    for ring in &config.rings {
        let spec = remembered::recall(store, wiring::ring_spec(config, &ring.name)?)?;
        let mut preparing = Preparing::of(&ring.name);
        let told = &mut |progress| preparing.tell(progress);
        let recorder = ring::Recorder::open_telling(spec.clone(), env.disk.clone(), env.clock.clone(), key.clone(), told);
        let recorder = recorder.map_err(|e| match e {
            ring::RingError::FileSystem { .. } => Failure::usage(e),
            other => other.into(),
        })?;
        remembered::keep(store, &spec, &recorder, &*env.disk)?;
        rings.insert(ring.name.clone(), recorder);
    }
    Ok(rings)
}

/// The start itself and a configuration that changed stand in the audit log.
fn booked(loaded: &config::Loaded, store: &store::Store, env: &Env) -> Result<()> {
    let entry = |what, detail: String| store::AuditEntry {
        at: env.clock.wall(),
        who: String::new(),
        role: String::new(),
        what,
        subject: String::new(),
        detail,
    };
    store.audit(&entry(Audited::Started, concat!("matthon ", env!("CARGO_PKG_VERSION")).into()))?;
    // The debug form shows no secret; what of it stands for what is configured changes when that changes.
    let digest = hex(&Sha256::digest(format!("{:?}", loaded.config)));
    if store.meta(CONFIGURATION)?.as_ref() != Some(&digest) {
        store.audit(&entry(Audited::Configuration, digest.clone()))?;
        store.set_meta(CONFIGURATION, &digest)?;
    }
    Ok(())
}

/// The port of WebRTC. Pictures come by other ways as well: where it cannot be had that is said, and nothing else.
async fn webrtc(config: &Config, tasks: &TaskTracker, stop: &CancellationToken) -> Option<rtc::Room> {
    let address = config.web.webrtc?;
    match rtc::Room::open(address).await {
        Ok(room) => {
            tracing::info!(address = %room.address(), "WebRTC hears here");
            tasks.spawn(room.clone().serve(stop.clone()));
            Some(room)
        }
        Err(error) => {
            tracing::warn!(%address, %error, "no WebRTC: its UDP port cannot be had; choose another address, webrtc under [web], or \"off\"");
            None
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "everything the core is made of, once")]
async fn serve(
    config: &Config,
    env: &Env,
    store: store::Store,
    key: &Arc<dyn ring::Signer>,
    rings: &BTreeMap<String, ring::Recorder>,
    capture: &Capture,
    started: domain::WallTime,
    render: metrics_exporter_prometheus::PrometheusHandle,
) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let all: Vec<ring::Recorder> = rings.values().cloned().collect();

    let control = Arc::new(Control::new(store.clone(), env.clock.clone(), all.clone()));
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

    // Seen and told: the worker looks, rules decide, cases keep, alerts tell.
    // The box records without it, and says so.
    let sightings = store::Sightings::open(&config.storage.data.join("sightings.db")).or_else(|error| {
        tracing::error!(%error, "what comes by is kept for searching until the next start only");
        store::Sightings::passing()
    })?;
    let moving = Arc::new(web::Moving::new(env.clock.clone()));
    let seeing = seeing::start(config, env, rings, capture, &sightings, moving.clone(), &stop)?;
    let vision = seeing.vision.clone();
    let footage = Arc::new(wiring::footage(config, env, rings, capture, vision.clone()));
    let cases = wiring::open_cases(config, env, store.clone(), footage.clone())?;
    let taking = seeing.take_to(cases.clone(), stop.clone())?;
    tasks.spawn(cases.clone().run(stop.clone()));
    let phones = phones::open(config, env, &store)?;
    telling::start(config, env, &store, &cases, phones.book, &tasks, &stop)?;

    tasks.spawn(journal::keep(store.clone(), env.clone(), capture.board.clone(), stop.clone()));
    let readers: BTreeMap<String, ring::Reader> = rings.iter().map(|(name, ring)| (name.clone(), ring.reader())).collect();
    let timezone = config.site.timezone.clone();
    tasks.spawn(fingerprint::keep(store.clone(), readers.clone(), env.clock.clone(), timezone, stop.clone()));
    let board = capture.board.clone();
    let sources = Sources {
        config: Arc::new(config.clone()),
        rings: readers,
        store: store.clone(),
        signer: key.clone(),
        clock: env.clock.clone(),
        offsets: Arc::new(move |camera| board.get(camera, Channel::Main)?.clock_offset),
        worker: env.worker.clone(),
    };
    let (gauge, data) = (wiring::gauge(config, &store), &config.storage.data);
    let exports = Arc::new(desk::Exports(desk::Desk::open(sources, vision.clone(), gauge.clone())?));
    let keeper = keeping::Keeper::open(store.clone(), env.clock.clone(), wiring::recorded(config, rings), data, gauge.clone())?;
    keeper.resume();
    let steward = tidying::Steward::new(store.clone(), env.clock.clone(), cases.clone(), keeper.clone(), gauge.clone(), data);
    let keep = config.privacy.as_ref().and_then(|p| p.keep);
    let past = tidying::Past { sightings: sightings.clone(), oldest: wiring::oldest(config, rings), keep, looks: 0 };
    tasks.spawn(steward.of_the_past(past).run(stop.clone()));

    let disks = Disks::reading(&config.storage.smart);
    tasks.spawn(disks::watch(disks.clone(), config.clone(), all.clone(), store.clone(), env.clone(), stop.clone()));

    let doors = doors::open(config, env.clock.wall())?;
    let renewed = Arc::new(tokio::sync::Notify::new());
    tasks.spawn(doors::keep(doors.clone(), config.clone(), env.clock.clone(), renewed.clone(), stop.clone()));

    let webrtc = webrtc(config, &tasks, &stop).await;

    let seen = vision.clone();
    let wall = wall::start(config, env, capture, &cases, &tasks, &stop);
    let films = Arc::new(wiring::films(config, env, rings));
    let renditions = rendition::prepare(config, env, capture, &tasks, &stop);
    let context = web::Context {
        site: web::Site {
            name: config.site.name.clone(),
            timezone: config.site.timezone.clone(),
            language: config.site.language.as_str().to_owned(),
            demo: config.demo,
        },
        cameras: config.cameras.iter().map(|camera| camera_view(camera, rings, capture)).collect(),
        doors,
        board: capture.board.clone(),
        store,
        clock: env.clock.clone(),
        rings: Arc::new(move || all.iter().map(ring::Recorder::status).collect()),
        disks: Arc::new(move |rings| disks.of(rings)),
        metrics: Arc::new(move || render.render()),
        cases,
        vision: Arc::new(move || serde_json::to_value(seen.status()).unwrap_or_default()),
        moving,
        story: crate::story::read(config),
        snapshot: footage,
        exports,
        keeping: Arc::new(keeping::Kept(keeper)),
        sightings,
        wall,
        webrtc,
        renditions,
        films,
        push: phones.offer,
        glances: phones.glances,
        evidence: gauge,
        key: evidence::fingerprint(&key.public_key()),
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
            _ = hangup.recv() => {
                tracing::info!("SIGHUP: certificates are looked at; reloading the configuration is not in this version, restart instead");
                renewed.notify_one();
            }
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
    if tokio::time::timeout(STOP_PATIENCE, vision.join()).await.is_err() {
        tracing::warn!("the worker did not end in time");
    }
    // The last thing a rule said is kept before the database closes; nobody says more once vision has ended.
    if tokio::time::timeout(STOP_PATIENCE, tokio::task::spawn_blocking(move || taking.join())).await.is_err() {
        tracing::warn!("the last violations are still being kept");
    }
    ended
}
