//! `matthon export … --out F.zip`: a signed package, made here and written into the audit log first.

use super::{load, recorded};
use crate::{
    cli::ExportArgs,
    control::{self, Answer, Request},
    env,
    exit::Failure,
    exporting::{self, By, Job, Picture, Progress, Sources, desk, stills},
    keys, models, whole_file, wiring,
};
use anyhow::{Context, anyhow};
use config::Config;
use evidence::{ExportRequest, Manifest};
use ring::Signer;
use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write},
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use store::ExportState;
use tokio_util::sync::CancellationToken;
use vision::{Vision, VisionState};

/// A worker that is not ready by then is done without.
const READY: Duration = Duration::from_secs(20);
/// The role of whoever sits at the box itself.
const LOCAL: &str = "local";

pub(super) fn package(args: &ExportArgs) -> Result<(), Failure> {
    let needed = |value: &Option<String>, name: &str| {
        value
            .clone()
            .ok_or_else(|| Failure::usage(format!("--{name}: must be said for a package: it stands in the papers and in the audit log")))
    };
    let request = ExportRequest {
        cameras: args.camera.clone(),
        from: args.from,
        to: args.to,
        stream: args.stream,
        audio: true,
        viewing_copy: !args.no_viewing_copy,
        purpose: needed(&args.purpose, "purpose")?,
        officer: needed(&args.officer, "officer")?,
        authority: args.unit.clone().unwrap_or_default(),
        document: args.document.clone().unwrap_or_default(),
        case: args.case,
    };
    request.check().map_err(|(name, reason)| Failure::usage(format!("{name}: {reason}")))?;
    let loaded = load(&args.config)?;
    let mut rings = BTreeMap::new();
    for id in &request.cameras {
        let ring = recorded(&loaded.config, id, request.stream)?;
        rings.insert(ring.to_owned(), ring::Reader::open(wiring::ring_spec(&loaded.config, ring)?, env::disk())?);
    }
    let data = loaded.config.storage.data.clone();
    let signer: Arc<dyn Signer> =
        Arc::new(keys::read(&data)?.ok_or_else(|| anyhow!("{} holds no key to sign with: was this box ever started?", data.display()))?);
    let worker = Arc::new(models::launcher(&loaded.config)?);
    let sources = Sources {
        store: wiring::open_store(&data)?,
        config: Arc::new(loaded.config),
        rings,
        signer,
        clock: env::clock(),
        offsets: Arc::new(|_| None),
        worker,
    };
    let name = std::env::var("SUDO_USER")
        .or_else(|_| std::env::var("USER"))
        .unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()));
    let id = begun(&sources.config, &sources, &request, &name)?;
    let progress = Arc::new(Progress::default());
    let made = made(&sources, &request, &By { id: id.clone(), name, role: LOCAL.into() }, &args.out, &progress);
    let (state, bytes, trouble) = match &made {
        Ok(_) => (ExportState::Done, std::fs::metadata(&args.out).map_or(0, |m| m.len()), String::new()),
        Err(_) if progress.stop.load(Ordering::Relaxed) => (ExportState::Cancelled, 0, String::new()),
        Err(error) => (ExportState::Failed, 0, format!("{error:#}")),
    };
    ask(&data, &sources, Request::ExportEnded { id, state: state.as_str().into(), bytes, trouble })?;
    for note in made.with_context(|| format!("{} was not written", args.out.display()))?.notes {
        println!("{note}");
    }
    println!("{}: {bytes} bytes, signed by {}", args.out.display(), evidence::fingerprint(&sources.signer.public_key()));
    Ok(())
}

fn made(sources: &Sources, request: &ExportRequest, by: &By, out: &Path, progress: &Arc<Progress>) -> anyhow::Result<Manifest> {
    let shown = Shown::start(progress.clone())?;
    let pictures = shown.runtime.as_ref().map_or_else(|| Ok(Vec::new()), |r| r.block_on(pictures(sources, request, progress)))?;
    let absolute = std::path::absolute(out)?;
    let scratch = absolute.parent().unwrap_or(Path::new("/"));
    let job = Job { request, by, pictures: &pictures, estimate: exporting::estimate(sources, request)?, scratch };
    whole_file::write(out, |file| exporting::make(sources, &job, file, progress))
}

/// Nobody watches anything here.
struct Blind;

impl vision::Eyes for Blind {
    fn seen(&self, _: &domain::CameraId, _: domain::Observation) -> bool {
        false
    }
}

/// Stills, by a worker of this command's own. Without one there are none, and that is said.
async fn pictures(sources: &Sources, request: &ExportRequest, progress: &Progress) -> anyhow::Result<Vec<Picture>> {
    let stop = CancellationToken::new();
    let config = vision::Config { model: None, detectors: 1, fps: 1.0 };
    let vision = Vision::start(config, sources.worker.clone(), sources.clock.clone(), Vec::new(), Arc::new(Blind), stop.clone())?;
    let made = match ready(&vision, progress).await {
        Ok(()) => stills::pictures(&vision, sources, request, progress).await,
        Err(why) => {
            eprintln!("no stills: {why}");
            Ok(Vec::new())
        }
    };
    stop.cancel();
    vision.join().await;
    made
}

async fn ready(vision: &Vision, progress: &Progress) -> Result<(), String> {
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let begun = Instant::now();
    loop {
        every.tick().await;
        let status = vision.status();
        match status.state {
            VisionState::Ok | VisionState::NoModel | VisionState::NoRuntime => return Ok(()),
            VisionState::Starting | VisionState::Restarting if begun.elapsed() < READY && !progress.stop.load(Ordering::Relaxed) => {}
            _ => return Err(if status.detail.is_empty() { "the worker is not ready".to_owned() } else { status.detail }),
        }
    }
}

/// Kept, audited and told before the first byte is written.
fn begun(config: &Config, sources: &Sources, request: &ExportRequest, name: &str) -> Result<String, Failure> {
    let now = sources.clock.wall();
    let by = By { id: String::new(), name: name.to_owned(), role: LOCAL.into() };
    let parcels = desk::parcels(config, request, &by, now).into_iter().map(|p| (p.channel, p.body)).collect();
    let asked = Request::ExportBegun { request: Box::new(request.clone()), name: name.to_owned(), role: LOCAL.into(), parcels };
    match ask(&config.storage.data, sources, asked)? {
        Answer::Export(id) => Ok(id),
        _ => Err(Failure::Failed(anyhow!("the daemon answered something else; is it another version?"))),
    }
}

/// Through the daemon when one runs, so that the log has one writer; else on the database itself.
fn ask(data: &Path, sources: &Sources, request: Request) -> Result<Answer, Failure> {
    let answer = match control::ask(data, &request)? {
        Some(answer) => answer,
        None => control::on_store(&sources.store, &*sources.clock, request),
    };
    match answer {
        Answer::Failed(why) => Err(Failure::Failed(anyhow!(why))),
        answer => Ok(answer),
    }
}

/// A line that counts, where somebody watches; and an ear for Ctrl-C, which calls the export off.
struct Shown {
    runtime: Option<tokio::runtime::Runtime>,
}

impl Shown {
    fn start(progress: Arc<Progress>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let stop = progress.clone();
        runtime.spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.stop.store(true, Ordering::Relaxed);
            }
        });
        if std::io::stderr().is_terminal() {
            runtime.spawn(async move {
                let mut every = tokio::time::interval(Duration::from_millis(500));
                loop {
                    every.tick().await;
                    let (done, total) = (progress.done.load(Ordering::Relaxed), progress.total.load(Ordering::Relaxed).max(1));
                    // A terminal that went away is no reason to stop.
                    let _ = write!(std::io::stderr(), "\r{:3} %", (done.saturating_mul(100) / total).min(100));
                }
            });
        }
        Ok(Self { runtime: Some(runtime) })
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        if std::io::stderr().is_terminal() {
            let _ = writeln!(std::io::stderr());
        }
    }
}
