//! The live endpoints up to the upgrade: which cameras, for whom, and whether there is room.
//!
//! A socket of one camera has bare binaries. One of many, and one with sound, carries `ch` in its texts, and each binary begins with
//! it in one byte: the camera's place in the list; with sound 0 for the picture and 1 for the sound, whose `format` says
//! `"kind": "audio"`. Sound lies on the timeline of the picture's fragments and has no hole as long as pictures come.

use crate::{
    app::App,
    guard::Caller,
    problem::{Full, Problem},
    pump,
    query::Params,
    tv, wall,
    want::{CAMERAS_MAX, Want},
    watch::Watch,
};
use axum::{
    Extension,
    extract::{Path, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::Response,
};
use domain::{Channel, WallMode};
use std::sync::Arc;

/// Viewers send pongs, goodbyes, and which of the cameras they want: nothing longer.
const MESSAGE_MAX: usize = 4 << 10;

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// `GET cameras/{id}/live`
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    let channel = params.stream()?;
    let watch = watch(&app, &caller, &id, channel, params.h264()?, None)?;
    open(app, caller, vec![watch], Want::all(1), upgrade)
}

/// `GET cameras/{id}/live/sound`
pub(crate) async fn with_sound(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    let channel = params.stream()?;
    let watch = watch(&app, &caller, &id, channel, params.h264()?, Some(0))?;
    let none = || Problem::Unknown { what: "sound of the camera", name: id.chars().take(domain::ids::CAMERA_ID_MAX).collect() };
    open(app, caller, vec![watch.with_sound(1).ok_or_else(none)?], Want::all(1), upgrade)
}

/// `GET live?cameras=a,b,…`, and `&want=0,3` where not all of them are wanted from the start.
pub(crate) async fn many(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    params: Params,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    let ids: Vec<&str> = params.need("cameras")?.split(',').take(CAMERAS_MAX + 1).collect();
    if ids.len() > CAMERAS_MAX {
        return Err(Problem::Bad { name: "cameras", reason: format!("at most {CAMERAS_MAX} over one socket") });
    }
    let channel = params.stream()?;
    let h264 = params.h264()?;
    let watches = ids.iter().zip(0_u8..).map(|(id, ch)| watch(&app, &caller, id, channel, h264, Some(ch)));
    let watches = watches.collect::<Result<_, _>>()?;
    let want = params.get("want").map_or(Ok(Want::all(ids.len())), |text| Want::asked(text, ids.len()));
    let want = want.map_err(|_| Problem::Bad { name: "want", reason: "write places in `cameras`, from 0 on: 0,3".into() })?;
    open(app, caller, watches, want, upgrade)
}

fn watch(app: &Arc<App>, caller: &Caller, id: &str, channel: Channel, h264: bool, ch: Option<u8>) -> Result<Watch, Problem> {
    // Whoever may see all cameras may see what the hall sees of them.
    if id == wall::CAMERA && caller.user.cameras.is_none() {
        return tv::watch(app, WallMode::Public, ch);
    }
    let camera = caller.camera(&app.context, id)?;
    let watch = Watch::of(camera.id.clone(), caller.sight(&app.context, camera, channel, h264), ch);
    Ok(if h264 { watch.in_h264(channel) } else { watch })
}

pub(crate) fn open(app: Arc<App>, caller: Caller, watches: Vec<Watch>, want: Want, upgrade: Upgrade) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| Problem::NotWebSocket)?;
    let place = Arc::clone(&app.live_sockets).try_acquire_owned().map_err(|_| Problem::Full(Full::Live))?;
    let upgrade = upgrade.max_message_size(MESSAGE_MAX).max_frame_size(MESSAGE_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        pump::run(socket, &app, &caller, watches, want).await;
        drop(place);
    }))
}
