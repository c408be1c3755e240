//! TVs: how a screen is paired, what it may ask, and who may let it go.
//!
//! Belongs here: the endpoints. Does not belong here: codes (`pairing`), rows (`store`), what the wall shows (`matthon`).
//!
//! A TV is no user. Its cookie is one of its own, and only the endpoints for TVs look at it: whatever else the box has to show or to
//! change is out of its reach, because nothing else knows its cookie.

pub(crate) mod pairing;

use crate::{
    app::App,
    audit,
    body::{self, Body},
    cameras::SiteView,
    crowd,
    guard::{Caller, Credential, blocking},
    live_socket,
    origin::Origin,
    problem::{Full, Problem},
    session::{self, SetCookie},
    wall::{CAMERA, Turn, View},
    want::Want,
    watch::Watch,
    way::Way,
};
use axum::{
    Extension, Json,
    extract::{Path, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::StatusCode,
    response::Response,
};
use domain::{Audited, Channel, Secret, WallMode};
use pairing::{CODE_LIFE, Refused};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use store::{BOUND_LIFE, NoTv, Store, Tv};

/// The cookie of a TV.
pub(crate) const COOKIE: &str = "matthon_tv";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    secret: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTv {
    code: String,
    name: String,
    mode: WallMode,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    turn: Turn,
}

/// A code for a screen to show, and the secret it keeps.
#[derive(Serialize)]
pub(crate) struct Pairing {
    code: String,
    secret: String,
    seconds: u64,
    site: SiteView,
}

/// How far a pairing is.
#[derive(Serialize)]
pub(crate) struct Standing {
    state: &'static str,
}

/// A TV as those who let it in see it.
#[derive(Serialize)]
pub(crate) struct TvView {
    id: i64,
    name: String,
    mode: WallMode,
    by: String,
    created: String,
    seen: String,
}

#[derive(Serialize)]
pub(crate) struct Tvs {
    now: String,
    tvs: Vec<TvView>,
}

/// A TV as it sees itself.
#[derive(Serialize)]
pub(crate) struct Own {
    name: String,
    mode: WallMode,
    site: SiteView,
    now: String,
    view: View,
}

/// The TV that asks; noted by [`crate::guard::admit_tv`].
#[derive(Clone)]
pub(crate) struct Asks(pub(crate) Tv, pub(crate) Caller);

impl TvView {
    fn of(tv: Tv) -> Self {
        Self { id: tv.id, name: tv.name, mode: tv.mode, by: tv.by, created: tv.created.to_string(), seen: tv.seen.to_string() }
    }
}

/// `POST tv/pairing`
pub(crate) async fn ask(State(app): State<Arc<App>>, Extension(way): Extension<Way>) -> Result<(StatusCode, Json<Pairing>), Problem> {
    if way.origin == Origin::Other {
        return Err(Problem::Origin);
    }
    let secret = Store::tv_secret().map_err(Problem::internal)?;
    let digest = Store::tv_digest(secret.expose());
    let code = app.pairings.ask(digest, way.client.map(crowd::household), app.context.clock.mono(), rand::random::<u32>);
    let code = code.ok_or(Problem::Full(Full::Pairings))?;
    let site = SiteView::of(&app.context.site);
    Ok((StatusCode::CREATED, Json(Pairing { code, secret: secret.expose().to_owned(), seconds: CODE_LIFE.as_secs(), site })))
}

/// `POST tv/pairing/look`: a screen asks whether somebody typed its code. Then its cookie is set.
pub(crate) async fn look(
    State(app): State<Arc<App>>,
    Extension(way): Extension<Way>,
    body: Body,
) -> Result<(Option<SetCookie>, Json<Standing>), Problem> {
    if way.origin == Origin::Other {
        return Err(Problem::Origin);
    }
    let Proof { secret } = body::read(body, r#"{"secret":"tv_…"}"#)?;
    let digest = Store::tv_digest(secret.expose());
    let (store, now, asked) = (app.context.store.clone(), app.context.clock.wall(), secret.clone());
    if blocking(move || store.tv(asked.expose(), now)).await?.map_err(Problem::internal)?.is_some() {
        let cookie = session::named_cookie(COOKIE, secret.expose(), way.secure(), BOUND_LIFE)?;
        return Ok((Some(cookie), Json(Standing { state: "paired" })));
    }
    let state = if app.pairings.waits(&digest, app.context.clock.mono()) { "waiting" } else { "over" };
    Ok((None, Json(Standing { state })))
}

/// `POST tvs`: somebody types the code that a screen shows.
pub(crate) async fn pair(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<(StatusCode, Json<TvView>), Problem> {
    // A wall shows all cameras, and outlives whoever let it in.
    if caller.user.cameras.is_some() {
        return Err(Problem::AllCameras);
    }
    let NewTv { code, name, mode } = body::read(body, r#"{"code":"123456","name":"Nhà văn hóa","mode":"public"}"#)?;
    // People read them in two groups of three.
    let code: String = code.chars().filter(char::is_ascii_digit).take(7).collect();
    let digest = app.pairings.typed(&code, app.context.clock.mono()).map_err(|refused| match refused {
        Refused::Unknown => Problem::Unknown { what: "TV with the code", name: code.clone() },
        Refused::Locked(seconds) => Problem::WrongCodes { seconds },
    })?;
    let (store, now, by) = (app.context.store.clone(), app.context.clock.wall(), caller.user.name.clone());
    let added = blocking(move || store.add_tv(&digest, &name, mode, &by, now)).await?.map_err(Problem::internal)?;
    let tv = added.map_err(|no| match no {
        NoTv::BadName => {
            Problem::Bad { name: "name", reason: format!("write 1 to {} characters, as people call that TV", store::TV_NAME_MAX) }
        }
        NoTv::TooMany => Problem::Conflict(format!("there are {} TVs already: let one go first", store::TVS_MAX)),
        NoTv::Paired => Problem::Conflict("that TV is paired already".into()),
    })?;
    app.pairings.done(&digest);
    audit::about_people(&app, &caller, Audited::DeviceBound, &tv.name, &format!("tv mode={mode}")).await?;
    Ok((StatusCode::CREATED, Json(TvView::of(tv))))
}

/// `GET tvs`
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Tvs>, Problem> {
    let (store, now) = (app.context.store.clone(), app.context.clock.wall());
    let tvs = blocking(move || store.tvs()).await?.map_err(Problem::internal)?;
    Ok(Json(Tvs { now: now.to_string(), tvs: tvs.into_iter().map(TvView::of).collect() }))
}

/// `DELETE tvs/{id}`
pub(crate) async fn release(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let unknown = || Problem::Unknown { what: "TV", name: id.chars().take(20).collect() };
    let number: i64 = id.parse().map_err(|_| unknown())?;
    let store = app.context.store.clone();
    let gone = blocking(move || store.release_tv(number)).await?.map_err(Problem::internal)?.ok_or_else(unknown)?;
    audit::about_people(&app, &caller, Audited::DeviceReleased, &gone.name, &format!("tv mode={}", gone.mode)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET tv`: asked at each opening; the cookie begins anew.
pub(crate) async fn own(
    State(app): State<Arc<App>>,
    Extension(Asks(tv, caller)): Extension<Asks>,
    Extension(way): Extension<Way>,
) -> Result<(Option<SetCookie>, Json<Own>), Problem> {
    let renewed = match &caller.credential {
        Credential::Tv(secret) => Some(session::named_cookie(COOKIE, secret.expose(), way.secure(), BOUND_LIFE)?),
        Credential::Session(_) | Credential::Token(_) | Credential::OneCase(_) => None,
    };
    let context = &app.context;
    let view = context.wall.view(tv.mode);
    Ok((
        renewed,
        Json(Own { name: tv.name, mode: tv.mode, site: SiteView::of(&context.site), now: context.clock.wall().to_string(), view }),
    ))
}

/// `POST tv/turn`: a key of the remote control. What is on a wall is no secret and nothing of it is kept.
pub(crate) async fn turn(State(app): State<Arc<App>>, Extension(Asks(tv, _)): Extension<Asks>, body: Body) -> Result<Json<View>, Problem> {
    let Key { turn } = body::read(body, r#"{"turn":"next"}"#)?;
    Ok(Json(app.context.wall.turn(tv.mode, turn)))
}

/// `DELETE tv`: the TV lets itself go.
pub(crate) async fn leave(
    State(app): State<Arc<App>>,
    Extension(Asks(tv, caller)): Extension<Asks>,
    Extension(way): Extension<Way>,
) -> Result<(SetCookie, StatusCode), Problem> {
    let (store, id) = (app.context.store.clone(), tv.id);
    if blocking(move || store.release_tv(id)).await?.map_err(Problem::internal)?.is_some() {
        audit::about_people(&app, &caller, Audited::DeviceReleased, &tv.name, &format!("tv mode={}", tv.mode)).await?;
    }
    Ok((session::named_cookie(COOKIE, "", way.secure(), Duration::ZERO)?, StatusCode::NO_CONTENT))
}

/// `GET tv/live`
pub(crate) async fn live(
    State(app): State<Arc<App>>,
    Extension(Asks(tv, caller)): Extension<Asks>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let watch = watch(&app, tv.mode, None)?;
    live_socket::open(app, caller, vec![watch], Want::all(1), upgrade)
}

/// The wall as one camera on a socket.
pub(crate) fn watch(app: &App, mode: WallMode, ch: Option<u8>) -> Result<Watch, Problem> {
    let camera = CAMERA.parse().map_err(Problem::internal)?;
    Ok(Watch::new(camera, Channel::Main, app.context.wall.watch(mode), ch).without_state())
}
