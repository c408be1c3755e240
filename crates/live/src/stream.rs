//! One camera stream that may be watched: starts its mux for the first viewer, ends it after the last.

use crate::{
    hls::Hls,
    mux::{Mux, Piece},
    viewer::Viewer,
};
use domain::Sample;
use hub::{Capacity, Consumer, Delivery, Fanout, Join};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// A stream of fragments for any number of viewers. Costs nothing while nobody watches. Cheap to clone.
#[derive(Clone)]
pub struct LiveStream(Arc<Inner>);

struct Inner {
    /// `camera/channel`, for logs and metrics.
    name: String,
    source: Fanout<Sample>,
    stage: Mutex<Stage>,
    /// The same as files, while somebody asks for them.
    hls: crate::hls::Place,
}

#[derive(Default)]
struct Stage {
    viewers: usize,
    /// Counts the mux runs, so that the end of an old one never takes away a new one.
    number: u64,
    running: Option<Running>,
}

struct Running {
    pieces: Fanout<Piece>,
    stop: CancellationToken,
}

impl LiveStream {
    /// A stream fed by the samples of one camera's video; `name` is for logs.
    #[must_use]
    pub fn new(source: Fanout<Sample>, name: impl Into<String>) -> Self {
        Self(Arc::new(Inner { name: name.into(), source, stage: Mutex::default(), hls: crate::hls::Place::default() }))
    }

    /// Sits a viewer down: first what the current group of pictures holds so far, then each frame as it comes.
    /// Must be called within a tokio runtime, on which the mux runs.
    #[must_use]
    pub fn watch(&self) -> Viewer {
        let inner = &self.0;
        let mut stage = inner.lock();
        stage.viewers += 1;
        let pieces = match &stage.running {
            Some(running) => running.pieces.clone(),
            None => {
                stage.number += 1;
                let running = start(inner, stage.number);
                let pieces = running.pieces.clone();
                stage.running = Some(running);
                pieces
            }
        };
        drop(stage);
        metrics::gauge!("matthon_live_viewers", "stream" => inner.name.clone()).increment(1.0);
        let seat = Seat(Arc::clone(inner));
        Viewer::new(pieces.subscribe(Join::CurrentGop, capacity(), "live"), seat)
    }

    /// The same pictures as the files of Low-Latency HLS, from now on until nobody has asked for a while. `room` bounds how many
    /// streams are kept as files at once; `None`: it is used up. Must be called within a tokio runtime.
    #[must_use]
    pub fn hls(&self, room: &Arc<Semaphore>) -> Option<Hls> {
        self.0.hls.ask(self, room)
    }

    /// The files, if they are being made: only who has a playlist knows their names.
    #[must_use]
    pub fn hls_files(&self) -> Option<Hls> {
        self.0.hls.there()
    }

    pub(crate) fn hls_place(&self) -> &crate::hls::Place {
        &self.0.hls
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// How many are watching now.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.0.lock().viewers
    }

    /// Whether the mux is running: only while somebody watches.
    #[must_use]
    pub fn running(&self) -> bool {
        self.0.lock().running.is_some()
    }
}

impl Inner {
    // Nothing under the lock can panic half way: counters and one option.
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A viewer's place; giving it up is what ends the mux.
pub(crate) struct Seat(Arc<Inner>);

impl Drop for Seat {
    fn drop(&mut self) {
        let mut stage = self.0.lock();
        stage.viewers = stage.viewers.saturating_sub(1);
        if stage.viewers == 0
            && let Some(running) = stage.running.take()
        {
            running.stop.cancel();
        }
        drop(stage);
        metrics::gauge!("matthon_live_viewers", "stream" => self.0.name.clone()).decrement(1.0);
    }
}

/// What may wait for one viewer: about ten seconds. Who is further behind skips to the present.
fn capacity() -> Capacity {
    Capacity { items: 300, bytes: 8 << 20 }
}

/// What may wait for the mux, which only copies: reached only when the machine itself is stuck.
fn mux_capacity() -> Capacity {
    Capacity { items: 64, bytes: 8 << 20 }
}

fn start(inner: &Arc<Inner>, number: u64) -> Running {
    let pieces = Fanout::new(format!("{}/live", inner.name));
    let stop = CancellationToken::new();
    // Subscribed before the task first runs, so that not even the frame published meanwhile is missed.
    let samples = inner.source.subscribe(Join::CurrentGop, mux_capacity(), "live-mux").hurry();
    let end = End { inner: Arc::clone(inner), number };
    tokio::spawn(mux(samples, pieces.clone(), stop.clone(), end));
    Running { pieces, stop }
}

/// Drives one run of the mux: one wake-up a sample, no timer, no batch.
async fn mux(mut samples: Consumer<Sample>, pieces: Fanout<Piece>, stop: CancellationToken, end: End) {
    let mut mux = Mux::default();
    loop {
        let delivery = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            delivery = samples.next() => delivery,
        };
        match delivery {
            None => break,
            Some(Delivery::Skipped { .. }) => mux.skipped(),
            Some(Delivery::Item(sample)) => match mux.push(&sample) {
                Ok(Some(piece)) => pieces.publish(piece),
                Ok(None) => {}
                Err(reason) => tracing::warn!(stream = end.inner.name, %reason, "samples that cannot be shown live"),
            },
        }
    }
}

/// However the task ends, its viewers learn it and the next viewer starts a new one.
struct End {
    inner: Arc<Inner>,
    number: u64,
}

impl Drop for End {
    fn drop(&mut self) {
        let mut stage = self.inner.lock();
        if stage.number == self.number {
            stage.running = None;
        }
    }
}
