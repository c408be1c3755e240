//! A network of scripted cameras, for tests and simulations. Time is tokio's, so it can be paused.

use crate::{Failure, Network, Packet, Reason, Session, StreamTarget};
use async_trait::async_trait;
use domain::{CameraId, Channel};
use std::{
    collections::{HashMap, VecDeque},
    future::pending,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// What a camera does when somebody connects.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// Fails, by name.
    Fail(Failure),
    /// Never answers.
    Hang,
    /// Plays these cues, then ends the session.
    Play(Vec<Cue>),
}

impl Attempt {
    /// Fails with a reason.
    #[must_use]
    pub fn fail(reason: Reason) -> Self {
        Self::Fail(Failure::new(reason, reason.key()))
    }
}

/// One moment of a session.
#[derive(Clone, Debug)]
pub enum Cue {
    /// Sends a packet.
    Send(Packet),
    /// Lets time pass.
    Wait(Duration),
    /// Sends nothing more, and keeps the connection.
    Freeze,
    /// Fails, by name.
    Fail(Failure),
    /// Makes the reader panic, as a defect in a parser would.
    Panic,
}

#[derive(Debug, Default)]
struct Script {
    attempts: VecDeque<Attempt>,
    connects: Vec<Instant>,
}

/// The scripted network. A camera without a script left refuses.
#[derive(Debug, Default)]
pub struct SimNetwork(Mutex<HashMap<(CameraId, Channel), Script>>);

impl SimNetwork {
    /// Without cameras.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds attempts to a stream's script, one per connect.
    pub fn script(&self, camera: &CameraId, channel: Channel, attempts: impl IntoIterator<Item = Attempt>) {
        self.lock().entry((camera.clone(), channel)).or_default().attempts.extend(attempts);
    }

    /// When somebody connected to a stream.
    #[must_use]
    pub fn connects(&self, camera: &CameraId, channel: Channel) -> Vec<Instant> {
        self.lock().get(&(camera.clone(), channel)).map(|s| s.connects.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(CameraId, Channel), Script>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Network for SimNetwork {
    async fn open(&self, target: &StreamTarget) -> Result<Box<dyn Session>, Failure> {
        let attempt = {
            let mut cameras = self.lock();
            let script = cameras.entry((target.camera.clone(), target.channel)).or_default();
            script.connects.push(Instant::now());
            script.attempts.pop_front()
        };
        match attempt.unwrap_or_else(|| Attempt::fail(Reason::Refused)) {
            Attempt::Fail(failure) => Err(failure),
            Attempt::Hang => pending().await,
            Attempt::Play(cues) => Ok(Box::new(SimSession { cues: cues.into(), wake: None })),
        }
    }
}

struct SimSession {
    cues: VecDeque<Cue>,
    /// End of the wait that is under way: a cancelled `next` goes on with it.
    wake: Option<Instant>,
}

#[async_trait]
impl Session for SimSession {
    async fn next(&mut self) -> Result<Packet, Failure> {
        loop {
            match self.cues.front() {
                None => return Err(Failure::new(Reason::Ended, "the script is over")),
                Some(Cue::Wait(time)) => {
                    let wake = *self.wake.get_or_insert_with(|| Instant::now() + *time);
                    sleep(wake.saturating_duration_since(Instant::now())).await;
                    self.wake = None;
                }
                Some(Cue::Freeze) => pending().await,
                Some(Cue::Send(_) | Cue::Fail(_) | Cue::Panic) => {}
            }
            match self.cues.pop_front() {
                Some(Cue::Send(packet)) => return Ok(packet),
                Some(Cue::Fail(failure)) => return Err(failure),
                Some(Cue::Panic) => std::panic::panic_any("a scripted defect"),
                Some(Cue::Wait(_) | Cue::Freeze) | None => {}
            }
        }
    }

    async fn close(self: Box<Self>) {}
}
