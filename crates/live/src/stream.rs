//! One camera stream that may be watched: starts its mux for the first viewer, ends it after the last.

use crate::{
    hls::Hls,
    mux::{Mux, Piece},
    sound::{self, Listener},
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
    /// The sound beside the pictures, where it may be heard.
    sound: Option<Fanout<Sample>>,
    stage: Mutex<Stage>,
    /// The same as files, while somebody asks for them.
    hls: crate::hls::Place,
}

#[derive(Default)]
struct Stage {
    viewers: usize,
    listeners: usize,
    /// Counts the mux runs, so that the end of an old one never takes away a new one.
    number: u64,
    /// The same of the muxes of sound.
    sounds: u64,
    running: Option<Running>,
}

struct Running {
    pieces: Fanout<Piece>,
    stop: CancellationToken,
    /// While somebody listens.
    sound: Option<sound::Running>,
}

impl LiveStream {
    /// A stream fed by the samples of one camera's video; `name` is for logs.
    #[must_use]
    pub fn new(source: Fanout<Sample>, name: impl Into<String>) -> Self {
        Self::made(source, None, name.into())
    }

    /// The same, with the camera's sound beside it.
    #[must_use]
    pub fn with_sound(source: Fanout<Sample>, sound: Fanout<Sample>, name: impl Into<String>) -> Self {
        Self::made(source, Some(sound), name.into())
    }

    fn made(source: Fanout<Sample>, sound: Option<Fanout<Sample>>, name: String) -> Self {
        Self(Arc::new(Inner { name, source, sound, stage: Mutex::default(), hls: crate::hls::Place::default() }))
    }

    /// Sits a viewer down: first what the current group of pictures holds so far, then each frame as it comes.
    /// Must be called within a tokio runtime, on which the mux runs.
    #[must_use]
    pub fn watch(&self) -> Viewer {
        let inner = &self.0;
        let mut stage = inner.lock();
        stage.viewers += 1;
        let pieces = inner.running(&mut stage).pieces.clone();
        drop(stage);
        metrics::gauge!("matthon_live_viewers", "stream" => inner.name.clone()).increment(1.0);
        let seat = Seat { inner: Arc::clone(inner), listens: false };
        Viewer::new(pieces.subscribe(Join::CurrentGop, capacity(), "live"), seat)
    }

    /// Sits somebody down who hears what the viewers see, from now on. `None`: this stream's sound is not for hearing.
    /// Must be called within a tokio runtime, on which the mux runs.
    #[must_use]
    pub fn listen(&self) -> Option<Listener> {
        let inner = &self.0;
        let source = inner.sound.as_ref()?;
        let mut stage = inner.lock();
        stage.listeners += 1;
        stage.sounds += 1;
        let number = stage.sounds;
        let running = inner.running(&mut stage);
        let pieces = match &running.sound {
            Some(sound) => sound.pieces.clone(),
            None => {
                let sound = listen(inner, running, source, number);
                let pieces = sound.pieces.clone();
                running.sound = Some(sound);
                pieces
            }
        };
        drop(stage);
        metrics::gauge!("matthon_live_listeners", "stream" => inner.name.clone()).increment(1.0);
        let seat = Seat { inner: Arc::clone(inner), listens: true };
        // Of sound there is no group: the newest packet and what follows.
        Some(Listener::new(pieces.subscribe(Join::CurrentGop, sound::capacity(), "live-sound"), seat))
    }

    /// Whether this stream has sound that is for hearing, whether or not any came yet.
    #[must_use]
    pub fn sound_allowed(&self) -> bool {
        self.0.sound.is_some()
    }

    /// Whether sound came from the camera that can be heard live, at any time since the start.
    #[must_use]
    pub fn has_sound(&self) -> bool {
        let newest = |sound: &Fanout<Sample>| sound.subscribe(Join::CurrentGop, Capacity { items: 1, bytes: 1 }, "sound-look").try_next();
        matches!(self.0.sound.as_ref().and_then(newest), Some(Delivery::Item(sample)) if sound::sends(&sample.format))
    }

    /// The samples themselves, for whoever makes something else of them: what the current group of pictures holds so far, then each as
    /// it comes. `consumer` labels what he loses when he is slow. No fragment is made for him.
    #[must_use]
    pub fn samples(&self, consumer: &'static str) -> Consumer<Sample> {
        self.0.source.subscribe(Join::CurrentGop, capacity(), consumer).hurry()
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

    /// Whether the mux of the sound is running: only while somebody listens.
    #[must_use]
    pub fn sounding(&self) -> bool {
        self.0.lock().running.as_ref().is_some_and(|running| running.sound.is_some())
    }

    /// Whether the mux is running: only while somebody watches.
    #[must_use]
    pub fn running(&self) -> bool {
        self.0.lock().running.is_some()
    }
}

impl Inner {
    /// The mux, started if need be.
    fn running<'a>(self: &Arc<Self>, stage: &'a mut Stage) -> &'a mut Running {
        let Stage { number, running, .. } = stage;
        running.get_or_insert_with(|| {
            *number += 1;
            start(self, *number)
        })
    }

    // Nothing under the lock can panic half way: counters and one option.
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A viewer's or a listener's place; giving it up is what ends the mux.
pub(crate) struct Seat {
    inner: Arc<Inner>,
    listens: bool,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut stage = self.inner.lock();
        let count = if self.listens { &mut stage.listeners } else { &mut stage.viewers };
        *count = count.saturating_sub(1);
        if stage.listeners == 0
            && let Some(sound) = stage.running.as_mut().and_then(|running| running.sound.take())
        {
            sound.stop.cancel();
        }
        if stage.viewers + stage.listeners == 0
            && let Some(running) = stage.running.take()
        {
            running.stop.cancel();
        }
        drop(stage);
        let gauge = if self.listens { "matthon_live_listeners" } else { "matthon_live_viewers" };
        metrics::gauge!(gauge, "stream" => self.inner.name.clone()).decrement(1.0);
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
    Running { pieces, stop, sound: None }
}

/// Starts the mux of the sound beside that of the pictures.
fn listen(inner: &Arc<Inner>, running: &Running, source: &Fanout<Sample>, number: u64) -> sound::Running {
    let pieces = Fanout::new(format!("{}/sound", inner.name));
    let stop = running.stop.child_token();
    let pictures = running.pieces.subscribe(Join::CurrentGop, mux_capacity(), "sound-mux");
    let sounds = source.subscribe(Join::CurrentGop, sound::mux_capacity(), "sound-mux");
    let end = SoundEnd { inner: Arc::clone(inner), number };
    let run = sound::run(inner.name.clone(), pictures, sounds, pieces.clone(), stop.clone());
    tokio::spawn(async move {
        run.await;
        drop(end);
    });
    sound::Running { pieces, stop, number }
}

/// However that task ends, its listeners learn it and the next one starts a new one.
struct SoundEnd {
    inner: Arc<Inner>,
    number: u64,
}

impl Drop for SoundEnd {
    fn drop(&mut self) {
        if let Some(running) = &mut self.inner.lock().running
            && running.sound.as_ref().is_some_and(|sound| sound.number == self.number)
        {
            running.sound = None;
        }
    }
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
