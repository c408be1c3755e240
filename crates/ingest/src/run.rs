//! The entrance: one call per camera stream, which never returns before it is told to stop.
//!
//! Each stream is a task of its own. One that panics is restarted here, with the reason named, and no other
//! stream notices.

use crate::{Failure, HostGate, Network, Reason, StreamTarget, memory::Memory, reconnect::Reconnect, stream::Stream};
use domain::{Board, Clock, Sample};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Where samples go.
pub trait Sink: Send + Sync + 'static {
    /// Takes a sample. Must not block: the next frame of the camera waits for it.
    fn sample(&self, sample: Sample);
}

/// Bounds that others set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one access unit: what a ring record can hold.
    pub max_access_unit: usize,
}

/// What every stream shares.
#[derive(Clone)]
pub struct Ingest {
    /// The way to the cameras.
    pub network: Arc<dyn Network>,
    /// The box's clock.
    pub clock: Arc<dyn Clock>,
    /// Who may connect when.
    pub gate: Arc<HostGate>,
    /// Where states are told.
    pub board: Arc<Board>,
    /// Where samples go.
    pub sink: Arc<dyn Sink>,
    /// Bounds.
    pub limits: Limits,
}

/// What survives a crash of the stream's task.
pub(crate) struct Kept {
    pub(crate) video: Arc<Memory>,
    pub(crate) audio: Arc<Memory>,
    pub(crate) machine: Mutex<Reconnect>,
}

impl Ingest {
    /// Keeps one stream coming until `stop`; then says goodbye to the camera and returns, within about 2 s.
    /// Dropping the future stops it at once.
    pub async fn run(self, target: StreamTarget, stop: CancellationToken) {
        let kept = Arc::new(Kept {
            video: Arc::default(),
            audio: Arc::default(),
            machine: Mutex::new(Reconnect::new(seed(&target, &self.clock.boot_id()))),
        });
        let mut crash = None;
        while !stop.is_cancelled() {
            let stream = Stream::new(self.clone(), target.clone(), kept.clone(), stop.clone());
            let task = AbortOnDropHandle::new(tokio::spawn(stream.keep(crash.take())));
            match task.await {
                Ok(()) => return,
                Err(error) if error.is_panic() => crash = Some(crashed(error.into_panic().as_ref())),
                // The runtime is going down: nothing can be restarted.
                Err(_) => return,
            }
        }
    }
}

fn crashed(payload: &(dyn std::any::Any + Send)) -> Failure {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text: String = text.unwrap_or("unknown").chars().take(200).collect();
    Failure::new(Reason::Crashed, format!("reading this stream failed inside this program, please report it: {text}"))
}

/// Another jitter for each stream and each boot (FNV-1a), and the same one again in a simulation.
fn seed(target: &StreamTarget, boot: &[u8; 16]) -> u64 {
    let bytes = target.camera.as_str().bytes().chain(target.channel.as_str().bytes()).chain(boot.iter().copied());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

impl Kept {
    /// One step of the reconnecting.
    pub(crate) fn machine(&self) -> std::sync::MutexGuard<'_, Reconnect> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
