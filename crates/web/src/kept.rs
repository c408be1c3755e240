//! “Giữ đoạn hình này”: footage copied out of the ring at once, and the paper later.

use crate::{
    app::App,
    body::{self, Body},
    case_files,
    guard::{Caller, blocking},
    problem::Problem,
};
use async_trait::async_trait;
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use domain::{Audited, CameraId, WallTime};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc, time::Duration};
use store::{AuditEntry, KeptRow};

/// Longest footage kept with one tap.
const LONGEST: i64 = 2 * 3600;
/// Most cameras at once.
const CAMERAS_MAX: usize = 64;
/// Longest note, characters.
const NOTE_MAX: usize = 300;
/// How long it is kept unless somebody holds it.
pub const KEPT: Duration = Duration::from_secs(14 * 86_400);
/// Rows listed.
const LISTED: usize = 100;

/// Copies footage. The binary does.
#[async_trait]
pub trait Keeping: Send + Sync {
    /// Begins to copy; the row says later how it came out.
    fn begin(&self, id: &str, row: KeptRow);
    /// Where a camera's film lies.
    fn film(&self, id: &str, camera: &CameraId) -> PathBuf;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    cameras: Vec<CameraId>,
    from: String,
    to: String,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    hold: bool,
}

/// Footage that is kept, as the API tells it.
#[derive(Serialize)]
pub(crate) struct View {
    id: String,
    asked: String,
    by: String,
    cameras: Vec<CameraId>,
    from: String,
    to: String,
    note: String,
    /// None: held.
    until: Option<String>,
    state: &'static str,
    bytes: u64,
    trouble: String,
}

#[derive(Serialize)]
pub(crate) struct List {
    kept: Vec<View>,
}

fn view(row: KeptRow) -> View {
    View {
        id: row.id,
        asked: row.asked.to_string(),
        by: row.by,
        cameras: row.cameras,
        from: row.from.to_string(),
        to: row.to.to_string(),
        note: row.note,
        until: row.until.map(|t| t.to_string()),
        state: row.state.as_str(),
        bytes: row.bytes,
        trouble: row.trouble,
    }
}

/// `POST kept`
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<(StatusCode, Json<View>), Problem> {
    let wish: Wish = body::read(sent, r#"{"cameras":[…],"from":…,"to":…,"note":…}"#)?;
    let time = |name, text: &str| WallTime::parse(text).map_err(|reason| Problem::Bad { name, reason });
    let (from, to) = (time("from", &wish.from)?, time("to", &wish.to)?);
    let now = app.context.clock.wall();
    let bad = |name, reason: &str| Err(Problem::Bad { name, reason: reason.into() });
    if wish.cameras.is_empty() || wish.cameras.len() > CAMERAS_MAX {
        return bad("cameras", "name 1 to 64 cameras");
    }
    if to <= from || to.micros_since(from) > LONGEST * 1_000_000 {
        return bad("to", "must be later than from, by 2 h at most");
    }
    if from >= now {
        return Err(Problem::NoRecording);
    }
    if wish.note.chars().count() > NOTE_MAX || wish.note.chars().any(char::is_control) {
        return bad("note", "write at most 300 characters, no line breaks");
    }
    for id in &wish.cameras {
        let camera = caller.camera(&app.context, id.as_str())?;
        if camera.main_recorded.is_none() && camera.sub_recorded.is_none() {
            return Err(Problem::NoRecording);
        }
    }
    let cameras: Vec<_> = wish.cameras.iter().map(ToString::to_string).collect();
    let row = KeptRow {
        id: String::new(),
        asked: now,
        by: caller.user.name.clone(),
        cameras: wish.cameras,
        from,
        to,
        note: wish.note,
        until: Some(now.plus(KEPT)),
        state: store::KeptState::Copying,
        bytes: 0,
        trouble: String::new(),
    };
    let entry = entry(&caller, now, format!("{} {from} {to}", cameras.join(",")));
    let (store, kept) = (app.context.store.clone(), row.clone());
    let id = blocking(move || store.add_kept(&kept, &entry)).await?.map_err(Problem::internal)?;
    app.context.keeping.begin(&id, KeptRow { id: id.clone(), ..row });
    Ok((StatusCode::CREATED, Json(view(find(&app, &caller, &id).await?))))
}

fn entry(caller: &Caller, at: WallTime, detail: String) -> AuditEntry {
    let (who, role) = (caller.user.name.clone(), caller.user.role.to_string());
    AuditEntry { at, who, role, what: Audited::Kept, subject: String::new(), detail }
}

/// `GET kept`
pub(crate) async fn list(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Result<Json<List>, Problem> {
    let (store, cameras) = (app.context.store.clone(), caller.user.cameras.clone());
    let rows = blocking(move || store.all_kept(cameras.as_deref(), LISTED)).await?.map_err(Problem::internal)?;
    Ok(Json(List { kept: rows.into_iter().filter(|row| may_see(&caller, row)).map(view).collect() }))
}

/// `POST kept/{id}`: holds it for as long as there is a reason, or lets it go in 14 days.
pub(crate) async fn hold(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    sent: Body,
) -> Result<Json<View>, Problem> {
    let Hold { hold } = body::read(sent, r#"{"hold":true} or {"hold":false}"#)?;
    find(&app, &caller, &id).await?;
    let now = app.context.clock.wall();
    let until = (!hold).then(|| now.plus(KEPT));
    let entry = entry(&caller, now, if hold { "hold" } else { "let go" }.into());
    let (store, name) = (app.context.store.clone(), id.clone());
    blocking(move || store.hold_kept(&name, until, &entry)).await?.map_err(Problem::internal)?;
    Ok(Json(view(find(&app, &caller, &id).await?)))
}

/// `GET kept/{id}/{camera}`: the film, `CAMERA.mp4`.
pub(crate) async fn film(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = find(&app, &caller, &id).await?;
    let camera = name.strip_suffix(".mp4").and_then(|name| row.cameras.iter().find(|c| c.as_str() == name));
    let camera = camera.ok_or(Problem::NoEvidence("film"))?;
    caller.must_see_all_of_id(&app.context, camera)?;
    let when = crate::clip::stamp(row.from, &app.context.site.timezone);
    let file = case_files::Sent { word: "film", media: "video/mp4", name: format!("{camera}_{when}.mp4"), inline: false };
    case_files::send_file(&file, Some(app.context.keeping.film(&id, camera)), &headers).await
}

/// A case or a package takes what is kept of the same time: it is held.
pub(crate) async fn take(
    app: &Arc<App>,
    caller: &Caller,
    cameras: Vec<CameraId>,
    from: WallTime,
    to: WallTime,
    by: String,
) -> Result<(), Problem> {
    let entry = entry(caller, app.context.clock.wall(), format!("held by {by}"));
    let store = app.context.store.clone();
    blocking(move || store.take_kept(&cameras, from, to, &entry)).await?.map(drop).map_err(Problem::internal)
}

/// Whoever may see all of its cameras.
fn may_see(caller: &Caller, row: &KeptRow) -> bool {
    row.cameras.iter().all(|c| caller.may_see(c))
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<KeptRow, Problem> {
    let unknown = || Problem::Unknown { what: "kept footage", name: id.chars().take(40).collect() };
    let (store, name) = (app.context.store.clone(), id.to_owned());
    let row = blocking(move || store.kept(&name)).await?.map_err(Problem::internal)?.ok_or_else(unknown)?;
    if may_see(caller, &row) { Ok(row) } else { Err(unknown()) }
}
