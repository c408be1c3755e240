//! `GET events`: server-sent events, so that a page knows at once that a case changed or a camera sees something move.
//!
//! The protocol: `event: case` with `id:` its place in the order and data `{"id","what","state","camera"}`; every 15 s,
//! and first of all, `event: beat` with data `{"now"}`, by which a page tells a quiet box from a dead connection.
//! `event: motion` with data `{"camera","moving"}` when something begins or has ceased to move; what moves already is told first.
//! `Last-Event-ID` goes on where a broken connection ended; without it only what happens from now on is told. It counts cases alone.

use crate::{
    app::App,
    cases::ask,
    guard::{self, Caller},
    problem::{Full, Problem},
};
use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::sse::{Event, Sse},
};
use cases::Event as Happened;
use domain::{CameraId, MonoTime};
use futures::{Stream, stream::unfold};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Interval, MissedTickBehavior, interval},
};

/// How often it is asked whether the user may still listen.
const LOOK: Duration = Duration::from_secs(5);
/// Every so many looks: a sign of life.
const LOOKS_A_BEAT: u32 = 3;
/// Events read at a time.
const PAGE: usize = 200;
/// What a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(3);

/// One listener.
struct Listener {
    app: Arc<App>,
    caller: Caller,
    latest: watch::Receiver<i64>,
    /// The last event that was told or passed over.
    seq: i64,
    ready: VecDeque<Happened>,
    begins: watch::Receiver<BTreeMap<CameraId, MonoTime>>,
    /// Cameras that were said to move.
    moving: BTreeSet<CameraId>,
    /// Those that began or ceased, not yet told: at most one entry a camera.
    stirred: Vec<(CameraId, bool)>,
    look: Interval,
    looks: u32,
    _place: OwnedSemaphorePermit,
}

/// `GET events`
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, Problem> {
    let place = Arc::clone(&app.event_streams).try_acquire_owned().map_err(|_| Problem::Full(Full::Events))?;
    let mut latest = app.context.cases.subscribe();
    let now = *latest.borrow_and_update();
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    // A number from before a restored backup would wait for ever; one that was never given tells nothing.
    let seq = last.filter(|seq| (0..=now).contains(seq)).unwrap_or(now);
    if seq < now {
        latest.mark_changed();
    }
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener {
        begins: app.context.moving.begins(),
        app,
        caller,
        latest,
        seq,
        ready: VecDeque::new(),
        moving: BTreeSet::new(),
        stirred: Vec::new(),
        look,
        looks: 0,
        _place: place,
    };
    Ok(Sse::new(unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    })))
}

impl Listener {
    /// What to tell next; `None` when there is nobody to tell any more, or nothing to tell it from.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(event) = self.ready.pop_front() {
                if self.caller.may_see(&event.camera) {
                    return Some(told(&event));
                }
            }
            if let Some((camera, moving)) = self.stirred.pop() {
                return Some(Event::default().event("motion").data(json!({"camera": camera, "moving": moving}).to_string()));
            }
            let app = Arc::clone(&self.app);
            tokio::select! {
                biased;
                () = app.stop.cancelled() => return None,
                _ = self.look.tick() => {
                    if self.looks > 0 && !self.may_listen().await {
                        return None;
                    }
                    self.stir();
                    let beat = self.looks.is_multiple_of(LOOKS_A_BEAT);
                    let first = self.looks == 0;
                    self.looks = self.looks.wrapping_add(1).max(1);
                    if beat {
                        return Some(self.beat(first));
                    }
                }
                changed = self.begins.changed() => {
                    changed.ok()?;
                    self.stir();
                }
                changed = self.latest.changed() => {
                    changed.ok()?;
                    self.read().await?;
                }
            }
        }
    }

    /// Reads what happened since; a database that fails ends the stream, and the page connects again.
    async fn read(&mut self) -> Option<()> {
        let seq = self.seq;
        let events = match ask(&self.app, move |cases| cases.events_since(seq, PAGE)).await {
            Ok(events) => events,
            Err(problem) => {
                tracing::error!(%problem, "events cannot be read");
                return None;
            }
        };
        if events.len() == PAGE {
            self.latest.mark_changed();
        }
        if let Some(last) = events.last() {
            self.seq = last.seq;
        }
        self.ready.extend(events);
        Some(())
    }

    /// Finds what began and what ceased to move since it was told. Called only when all of that was told.
    fn stir(&mut self) {
        let mut now = self.app.context.moving.now();
        now.retain(|camera| self.caller.may_see(camera));
        self.stirred = self.moving.symmetric_difference(&now).map(|camera| (camera.clone(), now.contains(camera))).collect();
        self.moving = now;
    }

    /// Asks anew who this is: signed out, another role, another list of cameras.
    async fn may_listen(&mut self) -> bool {
        match guard::recognise(&self.app.context, &self.caller.credential).await {
            Ok(Some(user)) => {
                self.caller.user = user;
                self.caller.in_role()
            }
            Ok(None) => false,
            // A database that is busy for a moment signs nobody out; the next look asks again.
            Err(_) => true,
        }
    }

    fn beat(&self, first: bool) -> Event {
        let data = json!({"now": self.app.context.clock.wall().to_string()}).to_string();
        let event = Event::default().event("beat").data(data);
        if first { event.retry(RETRY) } else { event }
    }
}

fn told(event: &Happened) -> Event {
    let data = json!({"id": event.case, "what": event.what, "state": event.state, "camera": event.camera});
    Event::default().id(event.seq.to_string()).event("case").data(data.to_string())
}
