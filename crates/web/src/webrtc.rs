//! WHEP: live pictures by WebRTC, up to the answer; and who watches so, until he leaves, may not any more, or the server stops.
//!
//! Belongs here: HTTP, who may, how long. Does not belong here: the protocol behind the answer (see `rtc`).
//!
//! Of WHEP (draft-ietf-wish-whep) there is POST and DELETE. There is nothing to trickle: the answer has all candidates, and the offer's are
//! not looked at, so PATCH is answered with 405, as it says.

use crate::{
    app::App,
    body::Body,
    context::Context,
    guard::Caller,
    problem::{Full, Problem},
    pump,
    query::Params,
    sight::Sight,
    way::Way,
};
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{CameraId, Channel, Sample};
use hub::{Consumer, Delivery};
use live::LiveStream;
use rtc::{Refused, Visit};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

const SDP: &str = "application/sdp";
/// A camera that shows nothing by then is away.
const FIRST_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether the viewer may still watch.
const CHECK: Duration = Duration::from_secs(5);
/// Sessions of one person at a time: a page has so many tiles, and others come by WebRTC, too.
const EACH: usize = rtc::VIEWERS / 2;
/// What his place in the stream is called in the metrics.
const CONSUMER: &str = "webrtc";

/// Who watches, by the name of his session.
#[derive(Default)]
pub(crate) struct Visits(Mutex<HashMap<String, Here>>);

#[derive(Clone)]
struct Here {
    user: i64,
    camera: CameraId,
    stop: CancellationToken,
}

impl Visits {
    // Nothing under the lock can panic half way.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Here>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down who came; he is forgotten when what comes back is dropped. `None`: he is here so often already.
    fn enter(app: &Arc<App>, name: &str, here: &Here) -> Option<Gone> {
        let mut all = app.visits.lock();
        if all.values().filter(|other| other.user == here.user).count() >= EACH {
            return None;
        }
        all.insert(name.to_owned(), here.clone());
        Some(Gone { app: Arc::clone(app), name: name.to_owned() })
    }
}

/// Whether pictures can come by WebRTC on the way a request came.
pub(crate) fn offered(context: &Context, way: &Way) -> bool {
    !way.public && host(context, way).is_ok()
}

fn host<'a>(context: &'a Context, way: &Way) -> Result<(&'a rtc::Room, IpAddr, SocketAddr), Problem> {
    let room =
        context.webrtc.as_ref().ok_or(Problem::NoWebRtc("it is off in this box's configuration, or another program has its port"))?;
    // Behind a proxy this box's own address leads nowhere, and is nobody's business.
    if way.passed_on {
        return Err(Problem::NoWebRtc("what a proxy passes on has no UDP"));
    }
    let host = way.client.and_then(|client| Some((client, room.host_for(client)?)));
    let (client, host) = host.ok_or(Problem::NoWebRtc("its port hears nothing from your address: see webrtc under [web]"))?;
    Ok((room, client, host))
}

/// `POST cameras/{id}/webrtc`
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(way): Extension<Way>,
    Path(id): Path<String>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let camera = caller.camera(&app.context, &id)?;
    let Sight::Plain(channel, stream) = caller.sight(&app.context, camera, params.stream()?, false) else {
        return Err(Problem::CoveredOnly);
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(SDP)) {
        return Err(Problem::NotSdp);
    }
    let offer = body.map_err(|_| Problem::TooLarge)?;
    let offer = std::str::from_utf8(&offer).map_err(|_| Problem::Bad { name: "offer", reason: "is no UTF-8".into() })?;
    let (room, client, host) = host(&app.context, &way)?;
    // It counts among the live viewers, whose goodbyes the end of the server waits for.
    let place = Arc::clone(&app.live_sockets).try_acquire_owned().map_err(|_| Problem::Full(Full::Live))?;
    let (visit, answer) = room.enter(offer, client, host).map_err(|e| refused(&e))?;
    let here = Here { user: caller.user.id, camera: camera.id.clone(), stop: app.stop.child_token() };
    let gone = Visits::enter(&app, visit.name(), &here).ok_or(Problem::Full(Full::Visits))?;
    fits(&app, stream).await?;
    let location = format!("/api/v1/cameras/{}/webrtc/{}", camera.id, visit.name());
    tokio::spawn(watch(Arc::clone(&app), caller, (camera.id.clone(), channel), stream.clone(), visit, here.stop, (gone, place)));
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, SDP.to_owned()), (header::LOCATION, location)], answer).into_response())
}

/// `DELETE cameras/{id}/webrtc/{session}`
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let visits = app.visits.lock();
    let own = visits.get(&name).filter(|here| here.user == caller.user.id && here.camera.as_str() == id);
    let Some(here) = own else { return Err(Problem::Unknown { what: "session", name: name.chars().take(40).collect() }) };
    here.stop.cancel();
    Ok(StatusCode::NO_CONTENT)
}

/// Looks at what the camera sends now, before anybody is promised a picture.
async fn fits(app: &App, stream: &LiveStream) -> Result<(), Problem> {
    let mut samples = stream.samples(CONSUMER);
    let first = app.stop.run_until_cancelled(timeout(FIRST_WITHIN, samples.next())).await;
    let first = first.and_then(Result::ok).flatten().ok_or_else(|| Problem::NoPicture("the camera sends nothing now".into()))?;
    let rest = std::iter::from_fn(|| samples.try_next());
    let group: Vec<Sample> = std::iter::once(first).chain(rest).filter_map(item).collect();
    rtc::fits(&group).map_err(Problem::NotByWebRtc)
}

fn item(delivery: Delivery<Sample>) -> Option<Sample> {
    match delivery {
        Delivery::Item(sample) => Some(sample),
        Delivery::Skipped { .. } => None,
    }
}

/// Shows the stream for as long as it may be shown.
async fn watch(
    app: Arc<App>,
    caller: Caller,
    (camera, channel): (CameraId, Channel),
    stream: LiveStream,
    visit: Visit,
    stop: CancellationToken,
    held: (Gone, OwnedSemaphorePermit),
) {
    let samples = move || -> Consumer<Sample> { stream.samples(CONSUMER) };
    let showing = visit.run(samples, stop.clone());
    let checking = async {
        let mut every = interval(CHECK);
        every.set_missed_tick_behavior(MissedTickBehavior::Skip);
        every.tick().await;
        loop {
            every.tick().await;
            if !pump::may_still(Arc::clone(&app), caller.clone(), vec![(camera.clone(), true)]).await {
                // The showing says goodbye and ends.
                stop.cancel();
                return std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        end = showing => tracing::debug!(%camera, %channel, %end, "a viewer by WebRTC is gone"),
        () = checking => {}
    }
    drop(held);
}

/// However the showing ends, the session is known no longer.
struct Gone {
    app: Arc<App>,
    name: String,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.app.visits.lock().remove(&self.name);
    }
}

fn refused(refused: &Refused) -> Problem {
    match refused {
        Refused::Full => Problem::Full(Full::Live),
        Refused::Offer(_) | Refused::Lines | Refused::NoH264 => Problem::Bad { name: "offer", reason: refused.to_string() },
    }
}
