//! The task that keeps a stream's window while somebody asks for it, and those who wait for what comes next.

use super::{
    address::{At, File},
    window::{Found, Fragment, Reach, Window},
};
use crate::{message::Message, stream::LiveStream, viewer::Viewer};
use bytes::Bytes;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, timeout_at},
};

/// Nobody asked for so long: the window is let go. A player that has stalled asks again within a target duration.
const IDLE: Duration = Duration::from_secs(12);
/// How long a request waits for what comes next, and for the first picture.
const WAIT: Duration = Duration::from_secs(6);
/// Requests that wait for one stream at once; each holds one of the server's connections.
const WAITING: usize = 64;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HlsError {
    /// Farther ahead than a player has reason to ask.
    #[error("is farther ahead than the playlist goes")]
    Far,
    /// No playlist names it, or no longer.
    #[error("no playlist names this file, or no longer")]
    Unknown,
    /// It was not there in time.
    #[error("the camera sent too little in time")]
    Late,
    /// Too many wait already.
    #[error("too many requests wait for this camera at once")]
    Busy,
    /// The stream's key frames are too far apart.
    #[error("the camera's key frames are too far apart, or too large, for HLS")]
    Unfit,
}

/// A stream as files. Cheap to clone.
#[derive(Clone)]
pub struct Hls(Arc<Shared>);

struct Shared {
    window: Mutex<Window>,
    /// Counts what is new in the window; closed when the stream has ended.
    news: watch::Sender<u64>,
    asked: Mutex<Instant>,
    waiting: AtomicUsize,
}

/// Where a stream has its window, while there is one.
#[derive(Default)]
pub(crate) struct Place(Mutex<Option<Arc<Shared>>>);

impl Place {
    /// The window that is there, or a new one.
    pub(crate) fn ask(&self, live: &LiveStream, room: &Arc<Semaphore>) -> Option<Hls> {
        let mut place = lock(&self.0);
        if let Some(shared) = &*place {
            *lock(&shared.asked) = Instant::now();
            return Some(Hls(Arc::clone(shared)));
        }
        let permit = Arc::clone(room).try_acquire_owned().ok()?;
        let shared = Arc::new(Shared {
            window: Mutex::new(Window::new()),
            news: watch::Sender::new(0),
            asked: Mutex::new(Instant::now()),
            waiting: AtomicUsize::new(0),
        });
        *place = Some(Arc::clone(&shared));
        drop(place);
        // Seated before the task first runs, so that the current group of pictures is not missed.
        let viewer = live.watch();
        tokio::spawn(keep(Arc::clone(&shared), viewer, End { live: live.clone(), shared: Arc::clone(&shared), _room: permit }));
        Some(Hls(shared))
    }

    /// The window that is there.
    pub(crate) fn there(&self) -> Option<Hls> {
        let place = lock(&self.0);
        let shared = place.as_ref()?;
        *lock(&shared.asked) = Instant::now();
        Some(Hls(Arc::clone(shared)))
    }

    /// Gives the window up if nobody asked for `IDLE`; else until when to wait.
    fn give_up(&self, shared: &Arc<Shared>) -> Option<Instant> {
        let mut place = lock(&self.0);
        let until = *lock(&shared.asked) + IDLE;
        if Instant::now() < until {
            return Some(until);
        }
        if place.as_ref().is_some_and(|there| Arc::ptr_eq(there, shared)) {
            *place = None;
        }
        None
    }
}

/// However the task ends, the next who asks starts a new one.
struct End {
    live: LiveStream,
    shared: Arc<Shared>,
    _room: OwnedSemaphorePermit,
}

impl Drop for End {
    fn drop(&mut self) {
        let mut place = lock(&self.live.hls_place().0);
        if place.as_ref().is_some_and(|there| Arc::ptr_eq(there, &self.shared)) {
            *place = None;
        }
    }
}

/// Fills the window until nobody asks any more, or the stream is gone.
async fn keep(shared: Arc<Shared>, mut viewer: Viewer, end: End) {
    tracing::debug!(stream = end.live.name(), "HLS begins");
    let mut until = Instant::now() + IDLE;
    loop {
        match timeout_at(until, viewer.next()).await {
            Err(_) => match end.live.hls_place().give_up(&shared) {
                Some(later) => until = later,
                None => break,
            },
            Ok(None) => break,
            Ok(Some(message)) => {
                if take(&mut lock(&shared.window), message) {
                    shared.news.send_modify(|n| *n += 1);
                }
            }
        }
    }
    tracing::debug!(stream = end.live.name(), "HLS ends");
}

fn take(window: &mut Window, message: Message) -> bool {
    match message {
        Message::Format(_) => false,
        Message::Init(bytes) => {
            window.init(bytes);
            false
        }
        Message::Skipped { .. } => {
            window.skipped();
            false
        }
        Message::Fragment { bytes, random_access, capture, time, loss_before } => {
            window.push(Fragment { bytes, random_access, time, capture, loss_before })
        }
    }
}

impl Hls {
    /// The playlist, once it has reached `at`. `query` follows each address in it: `?stream=sub`.
    ///
    /// # Errors
    /// [`HlsError`]: `at` is too far ahead, or it did not come in time.
    pub async fn playlist(&self, at: Option<At>, query: &str) -> Result<String, HlsError> {
        self.wait(|window| {
            if window.unfit() {
                return Err(HlsError::Unfit);
            }
            if !window.ready() {
                return Ok(None);
            }
            match at.map_or(Reach::Here, |at| window.reach(at)) {
                Reach::Here => Ok(Some(window.playlist(query))),
                Reach::Soon => Ok(None),
                Reach::Far => Err(HlsError::Far),
            }
        })
        .await
    }

    /// A file that a playlist named, or hinted at: its bytes in order.
    ///
    /// # Errors
    /// [`HlsError`]: there is no such file, or it did not come in time.
    pub async fn file(&self, file: File) -> Result<Vec<Bytes>, HlsError> {
        self.wait(|window| match window.file(file) {
            Found::Here(bytes) => Ok(Some(bytes)),
            Found::Soon => Ok(None),
            Found::Never => Err(HlsError::Unknown),
        })
        .await
    }

    /// Looks at the window whenever there is something new, until `look` has an answer.
    async fn wait<T>(&self, look: impl Fn(&Window) -> Result<Option<T>, HlsError>) -> Result<T, HlsError> {
        let shared = &self.0;
        // Marked as seen before the look, so that nothing new falls between.
        let mut news = shared.news.subscribe();
        if let Some(answer) = look(&lock(&shared.window))? {
            return Ok(answer);
        }
        let place = Waiting(&shared.waiting);
        if place.0.fetch_add(1, Ordering::Relaxed) >= WAITING {
            return Err(HlsError::Busy);
        }
        let until = Instant::now() + WAIT;
        loop {
            match timeout_at(until, news.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Err(HlsError::Late),
            }
            if let Some(answer) = look(&lock(&shared.window))? {
                return Ok(answer);
            }
        }
    }
}

/// One who waits.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

// A window is changed by one task, in whole steps; the rest are single values.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
