//! What is told about vision: the state for people, and the numbers.
//!
//! Belongs here: the shape of the status and where the supervisor writes it. Does not belong here: texts for villagers (`web`).

use crate::protocol::{Counts, Sandbox};
use domain::CameraId;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// In one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisionState {
    /// Streams are looked at.
    Ok,
    /// No model is installed or configured: nothing is looked at, stills are made.
    NoModel,
    /// There is a model, but the worker cannot run it; `detail` says why.
    NoRuntime,
    /// The first worker is not ready yet.
    Starting,
    /// A worker ended; the next one is on its way.
    Restarting,
    /// Workers end again and again; it is still tried.
    Failed,
    /// The worker's program is not there.
    NoWorker,
}

impl VisionState {
    /// `ok`, `no-model`, …: as in the API.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoModel => "no-model",
            Self::NoRuntime => "no-runtime",
            Self::Starting => "starting",
            Self::Restarting => "restarting",
            Self::Failed => "failed",
            Self::NoWorker => "no-worker",
        }
    }
}

/// How vision is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VisionStatus {
    /// In one word.
    pub state: VisionState,
    /// The model's name, if there is one.
    pub model: Option<String>,
    /// The runtime and its version, once a worker has loaded it.
    pub runtime: Option<String>,
    /// More about the state, in English; empty when all is well.
    pub detail: String,
    /// Workers that ended without having been asked to, since the start.
    pub restarts: u64,
    /// What shuts the worker in, once it is ready.
    pub sandbox: Option<Sandbox>,
    /// Sums over all workers since the start.
    pub counts: Counts,
    /// Cameras that are suspected of having ended a worker.
    pub quarantined: Vec<CameraId>,
    /// Each camera that is to be looked at.
    pub cameras: BTreeMap<CameraId, CameraStatus>,
}

/// How one camera is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CameraStatus {
    /// It is fed to a worker now.
    pub fed: bool,
    /// Observations a second, over the last seconds. Low where nothing moves: such pictures are not looked at.
    pub fps: f32,
    /// Times its decoder said no, since the start.
    pub undecodable: u64,
    /// GOPs that were left out because its worker was slow, since the start.
    pub skipped: u64,
}

impl VisionStatus {
    pub(crate) fn starting(model: Option<String>) -> Self {
        Self {
            state: VisionState::Starting,
            model,
            runtime: None,
            detail: String::new(),
            restarts: 0,
            sandbox: None,
            counts: Counts::default(),
            quarantined: Vec::new(),
            cameras: BTreeMap::new(),
        }
    }
}

/// Where the supervisor writes and others read.
#[derive(Debug)]
pub(crate) struct Board(Mutex<VisionStatus>);

impl Board {
    pub(crate) fn new(status: VisionStatus) -> Self {
        Self(Mutex::new(status))
    }

    pub(crate) fn get(&self) -> VisionStatus {
        self.lock().clone()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut VisionStatus)) {
        change(&mut self.lock());
    }

    // Fields are replaced one by one; a half-made change is a slightly old status.
    fn lock(&self) -> MutexGuard<'_, VisionStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
