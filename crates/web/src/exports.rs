//! Packages for authorities: asked for, watched, called off, fetched, deleted.
//!
//! Who may have what: police and admin any time of the cameras they may see; an official the case he has confirmed. All of
//! them see that a package was made: nobody takes pictures out of the village unseen.

use crate::{
    app::App,
    body::{self, Body},
    case_files,
    guard::{Caller, blocking},
    health, kept,
    problem::Problem,
};
use async_trait::async_trait;
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use cases::{Fullness, Room};
use domain::{Audited, CaseId, CaseState, Role};
use evidence::ExportRequest;
use serde::Serialize;
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};
use store::{AuditEntry, ExportRow, ExportState, User};

/// Packages listed.
const LISTED: usize = 100;

/// Makes packages. The binary does; nothing here knows how.
#[async_trait]
pub trait Exports: Send + Sync {
    /// Begins a package and answers its id; it is kept, audited and told by then.
    async fn begin(&self, request: ExportRequest, by: &User) -> Result<String, NoExport>;
    /// How much of the work is done and how much there is in all (about bytes), of one that is being made.
    fn progress(&self, id: &str) -> Option<(u64, u64)>;
    /// Calls one off. Whether it was being made.
    fn cancel(&self, id: &str) -> bool;
    /// Where the whole package lies.
    fn file(&self, id: &str) -> PathBuf;
}

/// Why no package is begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoExport {
    /// One is being made.
    #[error("another package is being made; wait until it is done")]
    Busy,
    /// The evidence store does not take so much more.
    #[error(
        "the package needs about {} MB; the evidence store holds {} of its {} MB, with {} MB free on its disk ({} MB of them stay free): delete packages that were \
         fetched, let go footage and cases that nobody needs, raise [evidence] quota, ask for less, or have it written to a disk of its own \
         with `matthon export`",
        need / 1_000_000, room.used() / 1_000_000, room.quota / 1_000_000, room.free / 1_000_000, cases::LEFT_FREE / 1_000_000
    )]
    NoRoom {
        /// Bytes of the package, about.
        need: u64,
        /// How full it is.
        room: Room,
    },
    /// Something of ours failed.
    #[error("{0}")]
    Failed(String),
}

#[derive(Serialize)]
pub(crate) struct List {
    exports: Vec<View>,
}

/// A package as the API tells it.
#[derive(Serialize)]
pub(crate) struct View {
    id: String,
    asked: String,
    by: String,
    role: String,
    state: &'static str,
    request: Value,
    done: u64,
    total: u64,
    bytes: u64,
    trouble: String,
    /// Whether it lies in this box, to be fetched.
    here: bool,
}

fn view(app: &App, row: ExportRow) -> View {
    let (done, total) = app.context.exports.progress(&row.id).unwrap_or((row.bytes, row.bytes));
    View {
        asked: row.asked.to_string(),
        by: row.by,
        role: row.role,
        state: row.state.as_str(),
        request: serde_json::from_str(&row.request).unwrap_or_default(),
        done,
        total,
        bytes: row.bytes,
        trouble: row.trouble,
        here: row.here,
        id: row.id,
    }
}

/// `POST exports`
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<(StatusCode, Json<View>), Problem> {
    let request: ExportRequest = body::read(sent, r#"{"cameras":[…],"from":…,"to":…,"purpose":…,"officer":…}"#)?;
    request.check().map_err(|(name, reason)| Problem::Bad { name, reason })?;
    for id in &request.cameras {
        caller.camera(&app.context, id.as_str())?.recorded(request.stream).ok_or(Problem::NoRecording)?;
    }
    match (caller.user.role, request.case) {
        (Role::Official, _) => his_case(&app, &caller, &request).await?,
        (_, Some(id)) => named_case(&app, &caller, &request, id).await?,
        (_, None) => {}
    }
    if request.to > app.context.clock.wall() {
        return Err(Problem::Bad { name: "to", reason: "lies in the future: a package tells of what has happened".into() });
    }
    if health::room(&app).await?.fullness() == Fullness::Full {
        return Err(Problem::Conflict(
            "the evidence store is full: let go what nobody needs, or have it written to a disk of its own with `matthon export`".into(),
        ));
    }
    let (cameras, from, to) = (request.cameras.clone(), request.from, request.to);
    let id = app.context.exports.begin(request, &caller.user).await.map_err(|e| match e {
        NoExport::Busy => Problem::Conflict(e.to_string()),
        NoExport::NoRoom { need, room } => Problem::NoRoom { need, room, said: e.to_string() },
        NoExport::Failed(why) => Problem::internal(why),
    })?;
    kept::take(&app, &caller, cameras, from, to, format!("package {id}")).await?;
    Ok((StatusCode::CREATED, Json(view(&app, row(&app, &id).await?))))
}

/// A package says of a case only what its reader may know, and only of a camera that is in it.
async fn named_case(app: &Arc<App>, caller: &Caller, request: &ExportRequest, id: CaseId) -> Result<(), Problem> {
    let case = crate::cases::seen(app, caller.clone(), &id.to_string()).await?;
    if !request.cameras.contains(&case.camera) {
        return Err(Problem::Bad { name: "case", reason: "its camera is not among those asked for".into() });
    }
    Ok(())
}

/// An official takes out what a case he confirmed shows, and nothing else.
async fn his_case(app: &Arc<App>, caller: &Caller, request: &ExportRequest) -> Result<(), Problem> {
    let refused = |reason: &str| Problem::Bad { name: "case", reason: reason.into() };
    let id = request.case.ok_or_else(|| refused("name the case: an official takes out the pictures of a case only"))?;
    let case = crate::cases::seen(app, caller.clone(), &id.to_string()).await?;
    if case.state != CaseState::Confirmed {
        return Err(refused("confirm the case first"));
    }
    let (from, to) = (case.clip_from.unwrap_or(case.start), case.clip_to.unwrap_or(case.raised));
    // To the second: the page writes whole seconds.
    let inside = request.from >= from.plus_micros(-1_000_000) && request.to <= to.plus_micros(1_000_000);
    if request.cameras != [case.camera] || !inside {
        return Err(refused("ask for the camera and the time of the case's clip"));
    }
    Ok(())
}

/// `GET exports`
pub(crate) async fn list(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Result<Json<List>, Problem> {
    let (store, cameras) = (app.context.store.clone(), caller.user.cameras.clone());
    // Filtered before it is cut: who sees one camera sees its hundred, not those among the village's.
    let rows = blocking(move || store.exports(cameras.as_deref(), LISTED)).await?.map_err(Problem::internal)?;
    let exports = rows.into_iter().filter(|row| may_see(&caller, row)).map(|row| view(&app, row)).collect();
    Ok(Json(List { exports }))
}

/// `GET exports/{id}`, and the package itself as `GET exports/{id}.zip`.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (name, package) = id.strip_suffix(".zip").map_or((id.as_str(), false), |name| (name, true));
    let row = row(&app, name).await?;
    if !may_see(&caller, &row) {
        return Err(unknown(name));
    }
    if !package {
        return Ok(Json(view(&app, row)).into_response());
    }
    // Seen by all, taken by whom it is for.
    if row.by != caller.user.name && !matches!(caller.user.role, Role::Admin | Role::Police) {
        return Err(Problem::Role(caller.user.role));
    }
    let path = (row.state == ExportState::Done && row.here).then(|| app.context.exports.file(&row.id));
    let file = case_files::Sent { word: "package", media: "application/zip", name: format!("matthon-{}.zip", row.id), inline: false };
    case_files::send_file(&file, path, &headers).await
}

/// `DELETE exports/{id}`: calls one off that is being made, deletes one that lies ready.
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let row = row(&app, &id).await?;
    if !may_see(&caller, &row) {
        return Err(unknown(&id));
    }
    let role = caller.user.role;
    let ready = row.state == ExportState::Done && row.here;
    if row.by != caller.user.name && role != Role::Admin && !(ready && role == Role::Police) {
        return Err(Problem::Role(role));
    }
    let gone = if ready { delete(&app, &caller, row.id).await? } else { app.context.exports.cancel(&row.id) };
    if gone { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::Conflict("it is not being made, and no package of it lies here".into())) }
}

/// The row and its line in the log first, in one change: what the list says is there, is there.
async fn delete(app: &App, caller: &Caller, id: String) -> Result<bool, Problem> {
    let (who, role) = (caller.user.name.clone(), caller.user.role.to_string());
    let at = app.context.clock.wall();
    let entry = AuditEntry { at, who, role, what: Audited::ExportDeleted, subject: String::new(), detail: String::new() };
    let (store, path) = (app.context.store.clone(), app.context.exports.file(&id));
    let deleted = move || {
        let gone = store.delete_export(&id, &entry)?;
        if gone
            && let Err(error) = std::fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            // An orphan now, which is taken away when the next package has been made.
            tracing::warn!(path = %path.display(), %error, "a package that somebody deleted stays on the disk for now");
        }
        Ok::<_, store::StoreError>(gone)
    };
    // On a task of its own: whoever asked may leave, and a row that says gone has no file.
    tokio::spawn(blocking(deleted)).await.map_err(Problem::internal)??.map_err(Problem::internal)
}

/// Whoever may see all of its cameras.
fn may_see(caller: &Caller, row: &ExportRow) -> bool {
    let request: Option<ExportRequest> = serde_json::from_str(&row.request).ok();
    caller.user.cameras.is_none() || request.is_some_and(|r| r.cameras.iter().all(|c| caller.may_see(c)))
}

async fn row(app: &App, id: &str) -> Result<ExportRow, Problem> {
    let (store, name) = (app.context.store.clone(), id.to_owned());
    blocking(move || store.export(&name)).await?.map_err(Problem::internal)?.ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Problem {
    Problem::Unknown { what: "export", name: id.chars().take(40).collect() }
}
