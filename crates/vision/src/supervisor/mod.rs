//! Keeping workers alive and streams fed, on a thread of its own.
//!
//! Belongs here: the handle others hold, the thread. Does not belong here: when to do what (`keeper`).

mod engine;
mod feed;
mod hand;
mod jobs;
mod meter;
mod notes;
pub(crate) mod status;
#[cfg(test)]
mod tests;

use crate::{
    Model,
    keeper::Timing,
    launcher::Launcher,
    protocol::{DETECTORS_MAX, STREAMS_MAX, StillError},
    still::{self, Still},
};
use domain::{CameraId, Clock, Observation, Sample, WallTime, mask::Mask};
use engine::{Engine, Parts};
use feed::Lane;
use hub::Fanout;
use status::{Board, VisionState, VisionStatus};
use std::{fs::File, io, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Core and worker are built together: they say the same.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Stills that may wait for a worker, all together; more are told that it is busy.
const STILLS_MAX: usize = 64;

/// Longest wait for what still runs when all is over.
const SHUTDOWN: Duration = Duration::from_millis(500);

/// How vision is to be.
#[derive(Clone, Debug)]
pub struct Config {
    /// The model; none: nothing is looked at, stills are made.
    pub model: Option<Model>,
    /// Detector threads of the main worker.
    pub detectors: usize,
    /// Pictures a second to be analysed of each stream.
    pub fps: f64,
}

/// A stream that may be looked at.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Whose it is; each camera at most once.
    pub camera: CameraId,
    /// For log lines: `cong-lang/sub`.
    pub name: String,
    /// Where its samples come from.
    pub source: Fanout<Sample>,
    /// Whether anybody wants its observations; else it is not fed.
    pub analyse: bool,
}

/// Who takes observations.
pub trait Eyes: Send + Sync + 'static {
    /// A picture was looked at. Tells whether further pictures are wanted even where nothing moves.
    /// Called on vision's thread; may take about 100 µs.
    fn seen(&self, camera: &CameraId, observation: Observation) -> bool;
}

/// The running supervisor; clones are the same one.
#[derive(Clone, Debug)]
pub struct Vision {
    jobs: mpsc::Sender<Job>,
    board: Arc<Board>,
    ended: CancellationToken,
}

/// A still that somebody waits for.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) what: JobSource,
    pub(crate) max_width: u32,
    pub(crate) masks: Vec<Mask>,
    pub(crate) answer: oneshot::Sender<Result<Still, StillError>>,
}

#[derive(Debug)]
pub(crate) enum JobSource {
    Recent { camera: CameraId, capture: WallTime },
    Samples { file: File, pts: i64 },
}

impl Vision {
    /// Starts the thread `vision`, which starts the worker and keeps it alive until `stop`.
    ///
    /// # Errors
    /// When there are more streams than a worker takes, a number of the configuration cannot be, or no thread can be had.
    /// A worker that cannot be started is no error: the status tells, and it is tried again.
    pub fn start(
        config: Config,
        launcher: Arc<dyn Launcher>,
        clock: Arc<dyn Clock>,
        watched: Vec<Watched>,
        eyes: Arc<dyn Eyes>,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        Self::start_with(Timing::default(), config, launcher, clock, watched, eyes, stop)
    }

    pub(crate) fn start_with(
        timing: Timing,
        config: Config,
        launcher: Arc<dyn Launcher>,
        clock: Arc<dyn Clock>,
        watched: Vec<Watched>,
        eyes: Arc<dyn Eyes>,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        check(&config, &watched)?;
        let (jobs, asked) = mpsc::channel(STILLS_MAX);
        let board = Arc::new(Board::new(VisionStatus::starting(config.model.as_ref().map(|m| m.name.clone()))));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(8).build()?;
        let vision = Self { jobs, board: board.clone(), ended: CancellationToken::new() };
        let end = End { board: board.clone(), stop: stop.clone(), ended: vision.ended.clone() };
        let lanes = watched.into_iter().map(|w| Arc::new(Lane::new(w))).collect();
        std::thread::Builder::new().name("vision".into()).spawn(move || {
            let _end = end;
            let engine = Engine::new(Parts { config, launcher, clock, lanes, eyes, board, timing });
            runtime.block_on(engine.run(asked, stop));
            // A process the kernel does not let go must not hold up the end of the core.
            runtime.shutdown_timeout(SHUTDOWN);
        })?;
        Ok(vision)
    }

    /// The picture of an observation that was just made, in the size it was looked at.
    ///
    /// # Errors
    /// When it is not there any more, no worker is, or all are busy.
    pub async fn recent(&self, camera: CameraId, capture: WallTime, max_width: u32) -> Result<Still, StillError> {
        self.job(JobSource::Recent { camera, capture }, max_width, &[]).await
    }

    /// The picture shown at `pts` (90 kHz), or the last one before it, from samples that begin at a random access point.
    /// Their bytes are not copied within the core. What lies in `masks` is painted black.
    ///
    /// # Errors
    /// When they cannot be decoded, are more than 64 MiB, no worker is there, or all are busy.
    pub async fn still(&self, samples: Vec<Sample>, pts: i64, max_width: u32, masks: &[Mask]) -> Result<Still, StillError> {
        let file = tokio::task::spawn_blocking(move || still::samples(&samples, pts)).await.map_err(|_| StillError::Busy)??;
        self.job(JobSource::Samples { file, pts }, max_width, masks).await
    }

    /// How vision is now.
    #[must_use]
    pub fn status(&self) -> VisionStatus {
        self.board.get()
    }

    /// Waits until the thread has ended, its workers with it (after `stop`).
    pub async fn join(&self) {
        self.ended.cancelled().await;
    }

    async fn job(&self, what: JobSource, max_width: u32, masks: &[Mask]) -> Result<Still, StillError> {
        let (answer, result) = oneshot::channel();
        self.jobs.try_send(Job { what, max_width, masks: masks.to_vec(), answer }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StillError::Busy,
            mpsc::error::TrySendError::Closed(_) => StillError::NoWorker,
        })?;
        result.await.unwrap_or(Err(StillError::NoWorker))
    }
}

/// Tells when the thread has ended, however it did.
struct End {
    board: Arc<Board>,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            let told = "the supervisor itself failed: nothing is looked at until the program is restarted";
            tracing::error!("{told}");
            self.board.update(|s| (s.state, s.detail) = (VisionState::Failed, told.to_owned()));
        }
        self.ended.cancel();
    }
}

fn check(config: &Config, watched: &[Watched]) -> io::Result<()> {
    let bad = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if watched.len() > STREAMS_MAX {
        return bad(format!("{} streams are to be looked at; a worker takes {STREAMS_MAX}", watched.len()));
    }
    if !(1..=DETECTORS_MAX).contains(&config.detectors) {
        return bad(format!("{} detector threads are configured; use 1 to {DETECTORS_MAX}", config.detectors));
    }
    if !(config.fps > 0.0 && config.fps <= 120.0) {
        return bad(format!("{} pictures a second are configured; use more than 0, up to 120", config.fps));
    }
    Ok(())
}

/// What a worker said, fit for a log line: one line, bounded.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
