//! A network of scripted cameras, for tests and simulations. Time is tokio's, so it can be paused.

use crate::{Failure, Network, Packet, Reason, Session, StreamTarget};
use async_trait::async_trait;
use domain::{CameraId, Channel};
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::pending,
    iter::Peekable,
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
    /// The same, with cues that are made as they are played.
    Flow(Flow),
}

/// Cues made one by one: a session of days need not lie in memory.
pub struct Flow(Mutex<Option<Box<dyn Iterator<Item = Cue> + Send>>>);

impl Flow {
    /// From whatever makes them.
    #[must_use]
    pub fn new(cues: impl Iterator<Item = Cue> + Send + 'static) -> Self {
        Self(Mutex::new(Some(Box::new(cues))))
    }
}

impl Clone for Flow {
    /// The cues go with the clone: they can be played once.
    fn clone(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).take()))
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flow")
    }
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
    /// Lets time pass until then.
    Until(Instant),
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

type Director = Box<dyn Fn(&StreamTarget) -> Attempt + Send + Sync>;

/// The scripted network. A camera without a script left refuses.
#[derive(Default)]
pub struct SimNetwork {
    scripts: Mutex<HashMap<(CameraId, Channel), Script>>,
    director: Option<Director>,
}

impl fmt::Debug for SimNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimNetwork").field("scripts", &self.scripts).finish_non_exhaustive()
    }
}

impl SimNetwork {
    /// Without cameras.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Somebody who says, at each connect, what the camera does: nothing needs to be scripted before.
    #[must_use]
    pub fn directed(director: impl Fn(&StreamTarget) -> Attempt + Send + Sync + 'static) -> Self {
        Self { scripts: Mutex::default(), director: Some(Box::new(director)) }
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
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Network for SimNetwork {
    async fn open(&self, target: &StreamTarget) -> Result<Box<dyn Session>, Failure> {
        let attempt = if let Some(director) = &self.director {
            Some(director(target))
        } else {
            let mut cameras = self.lock();
            let script = cameras.entry((target.camera.clone(), target.channel)).or_default();
            script.connects.push(Instant::now());
            script.attempts.pop_front()
        };
        match attempt.unwrap_or_else(|| Attempt::fail(Reason::Refused)) {
            Attempt::Fail(failure) => Err(failure),
            Attempt::Hang => pending().await,
            Attempt::Play(cues) => Ok(Box::new(SimSession::of(Box::new(cues.into_iter())))),
            Attempt::Flow(flow) => {
                let cues = flow.0.into_inner().unwrap_or_else(PoisonError::into_inner);
                Ok(Box::new(SimSession::of(cues.unwrap_or_else(|| Box::new(std::iter::empty())))))
            }
        }
    }
}

struct SimSession {
    cues: Peekable<Box<dyn Iterator<Item = Cue> + Send>>,
    /// End of the wait that is under way: a cancelled `next` goes on with it.
    wake: Option<Instant>,
}

impl SimSession {
    fn of(cues: Box<dyn Iterator<Item = Cue> + Send>) -> Self {
        Self { cues: cues.peekable(), wake: None }
    }
}

#[async_trait]
impl Session for SimSession {
    async fn next(&mut self) -> Result<Packet, Failure> {
        loop {
            match self.cues.peek() {
                None => return Err(Failure::new(Reason::Ended, "the script is over")),
                Some(Cue::Wait(time)) => {
                    let wake = *self.wake.get_or_insert_with(|| Instant::now() + *time);
                    sleep(wake.saturating_duration_since(Instant::now())).await;
                    self.wake = None;
                }
                Some(Cue::Until(wake)) => sleep(wake.saturating_duration_since(Instant::now())).await,
                Some(Cue::Freeze) => pending().await,
                Some(Cue::Send(_) | Cue::Fail(_) | Cue::Panic) => {}
            }
            match self.cues.next() {
                Some(Cue::Send(packet)) => return Ok(packet),
                Some(Cue::Fail(failure)) => return Err(failure),
                Some(Cue::Panic) => std::panic::panic_any("a scripted defect"),
                Some(Cue::Wait(_) | Cue::Until(_) | Cue::Freeze) | None => {}
            }
        }
    }

    async fn close(self: Box<Self>) {}
}
