//! `film.mp4`: a time that is recorded as this user may see it, decoded, covered where the camera has masks and encoded in H.264 while it is
//! sent. For whoever may not have the recording itself, and for browsers that cannot play it.
//!
//! Belongs here: who gets which film, how many are made at a time, for how long somebody may still watch. Does not belong here: making one
//! (`matthon`), the recording itself ([`crate::clip`]).
//!
//! It has no length, cannot be sought, and ends where the recording has a hole: from its beginning on, its time and the wall's run alike.

use crate::{
    app::App,
    clip::answer,
    guard::Caller,
    problem::{Full, Problem},
    pump::may_still,
    query::Params,
};
use async_trait::async_trait;
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::{HeaderName, Method, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use domain::{CameraId, Channel, WallTime};
use futures::{Stream, stream::unfold};
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Made at a time: each is a decoder and an encoder at work, as fast as they go.
const ROOM: usize = 2;
/// Longest film, seconds.
const LONGEST: i64 = 600;
/// How long a request waits for films before it to end.
const WAIT: Duration = Duration::from_secs(5);
/// How often it is looked whether somebody may still watch.
const CHECK: Duration = Duration::from_secs(5);

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilmWish {
    /// Whose.
    pub camera: CameraId,
    /// Which of its streams.
    pub channel: Channel,
    /// Pictures captured at or after.
    pub from: WallTime,
    /// Pictures captured before.
    pub to: WallTime,
    /// Without what lies in the camera's masks.
    pub covered: bool,
}

/// A film on its way.
#[derive(Debug)]
pub struct Film {
    /// When its first picture was captured.
    pub starts_at: WallTime,
    /// Its codec as RFC 6381 writes it.
    pub codecs: String,
    /// The init segment and then fragments, in pieces of any size, and an empty one at its end: without that it broke off.
    pub pieces: mpsc::Receiver<io::Result<Bytes>>,
}

/// Why there is no film.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFilm {
    /// Nothing was recorded then, or it can be read no longer.
    #[error("nothing was recorded there in that time")]
    Nothing,
    /// Nobody can make it now: one sentence without secrets.
    #[error("the film cannot be made: {0}")]
    Cannot(String),
}

/// Makes films.
#[async_trait]
pub trait Films: Send + Sync + 'static {
    /// Begins one, and is back with its first picture. It is made until its receiver is dropped or `stop` is cancelled; `place` is given back when
    /// nothing of it is at work any more, whoever still has its last bytes.
    ///
    /// # Errors
    /// [`NoFilm`], before anything of it was sent.
    async fn begin(&self, wish: FilmWish, stop: CancellationToken, place: OwnedSemaphorePermit) -> Result<Film, NoFilm>;
}

/// The films being made.
pub(crate) struct Makings {
    room: Arc<Semaphore>,
    newest: Mutex<Newest>,
}

/// Each user's newest film, by a number that is new for each.
#[derive(Default)]
struct Newest {
    number: u64,
    of: HashMap<i64, (u64, CancellationToken)>,
}

impl Default for Makings {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM)), newest: Mutex::default() }
    }
}

/// A film as its user's newest; the film ends with it.
struct Making {
    all: Arc<App>,
    user: i64,
    number: u64,
    stop: CancellationToken,
    _ends: DropGuard,
}

impl Makings {
    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a film of this user, whose film before it ends: nobody watches two, and whoever seeks begins another one.
    async fn turn(app: &Arc<App>, user: i64) -> Result<(Making, OwnedSemaphorePermit), Problem> {
        let stop = CancellationToken::new();
        let number = {
            let mut newest = app.films.newest();
            newest.number += 1;
            let number = newest.number;
            if let Some((_, before)) = newest.of.insert(user, (number, stop.clone())) {
                before.cancel();
            }
            number
        };
        let making = Making { all: Arc::clone(app), user, number, stop: stop.clone(), _ends: stop.clone().drop_guard() };
        let place = tokio::select! {
            place = timeout(WAIT, Arc::clone(&app.films.room).acquire_owned()) => place,
            // He asked for another one meanwhile.
            () = stop.cancelled() => return Err(Problem::Full(Full::Films)),
        };
        let place = place.map_err(|_| Problem::Full(Full::Films))?.map_err(Problem::internal)?;
        Ok((making, place))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let mut newest = self.all.films.newest();
        if newest.of.get(&self.user).is_some_and(|(number, _)| *number == self.number) {
            newest.of.remove(&self.user);
        }
    }
}

/// `GET cameras/{id}/film.mp4`
pub(crate) async fn film(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    method: Method,
) -> Result<Response, Problem> {
    let camera = caller.camera(&app.context, &id)?;
    let channel = params.stream()?;
    let (from, to) = params.time(LONGEST)?;
    camera.recorded(channel).ok_or(Problem::NoRecording)?;
    // A film is made for whoever watches it.
    if method == Method::HEAD {
        return answer(StatusCode::OK, vec![(header::CONTENT_TYPE, "video/mp4".to_owned())], Body::empty());
    }
    let covered = !caller.sees_all_of(camera);
    let wish = FilmWish { camera: camera.id.clone(), channel, from, to, covered };
    let (making, place) = Makings::turn(&app, caller.user.id).await?;
    let film = app.context.films.begin(wish, making.stop.clone(), place).await.map_err(|no| match no {
        NoFilm::Nothing => Problem::NoRecording,
        NoFilm::Cannot(why) => Problem::NoFilm(why),
    })?;
    let fields = vec![
        (header::CONTENT_TYPE, "video/mp4".to_owned()),
        // What it shows depends on who asks.
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (HeaderName::from_static("x-matthon-starts-at"), film.starts_at.to_string()),
        (HeaderName::from_static("x-matthon-codecs"), film.codecs.clone()),
    ];
    let watch = (camera.id.clone(), !covered);
    let showing = Showing { app, caller, watch, film, checked: Instant::now(), making };
    answer(StatusCode::OK, fields, Body::from_stream(pieces(showing)))
}

/// A film that is being sent.
struct Showing {
    app: Arc<App>,
    caller: Caller,
    /// The camera, and whether it is shown uncovered.
    watch: (CameraId, bool),
    film: Film,
    checked: Instant,
    making: Making,
}

/// Ends with an error where it is not whole: a film that breaks off must not pass for one that ends.
fn pieces(showing: Showing) -> impl Stream<Item = io::Result<Bytes>> {
    unfold(Some(showing), |showing| async move {
        let mut showing = showing?;
        if showing.checked.elapsed() > CHECK {
            showing.checked = Instant::now();
            if !may_still(Arc::clone(&showing.app), showing.caller.clone(), vec![showing.watch.clone()]).await {
                return Some((Err(io::Error::new(io::ErrorKind::PermissionDenied, "signed out")), None));
            }
        }
        let next = tokio::select! {
            next = showing.film.pieces.recv() => match next {
                Some(Ok(end)) if end.is_empty() => return None,
                Some(next) => next,
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            },
            () = showing.making.stop.cancelled() => Err(io::Error::other("another film was asked for")),
            () = showing.app.stop.cancelled() => Err(io::Error::other("the server stops")),
        };
        let goes_on = next.is_ok();
        Some((next, goes_on.then_some(showing)))
    })
}
