//! The audit log: written for every request whose row of the table says so, and read by those who may.

use crate::{
    app::App,
    guard::{Caller, blocking},
    problem::Problem,
    query::Params,
};
use axum::{
    Extension, Json,
    extract::{FromRequestParts, MatchedPath, Query, RawPathParams, Request, State},
    http::{Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Audited, CaseId, MonoTime, WallTime, hex, spoken};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};
use store::AuditEntry;

/// The same look by the same person is one row for so long: a player asks for one film a hundred times.
const AGAIN: Duration = Duration::from_secs(600);
/// Looks remembered for that.
const REMEMBERED: usize = 4096;
/// Rows on a page when nothing is said, and at most.
const USUAL: usize = 100;
const MOST: usize = 1000;

/// What an endpoint's row asks for.
#[derive(Clone)]
pub(crate) struct Book {
    pub(crate) app: Arc<App>,
    pub(crate) what: Audited,
}

/// Who did what to what.
type Look = (i64, Audited, String, String);
/// And how long ago.
pub(crate) type Looks = HashMap<Look, MonoTime>;

/// Writes the row of a request that is let in, before its answer leaves. What cannot be written does not happen.
pub(crate) async fn write(State(book): State<Book>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if !changes {
        return written(book, request, next).await;
    }
    // What was changed stands in the log also when whoever asked has left meanwhile.
    match tokio::spawn(written(book, request, next)).await {
        Ok(response) => response,
        Err(fell) => Problem::internal(fell).into_response(),
    }
}

async fn written(book: Book, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let (subject, detail) = about(&mut parts).await;
    let caller = parts.extensions.get::<Caller>().cloned();
    let response = next.run(Request::from_parts(parts, body)).await;
    // Of a package its state is asked for all the time; taken is the package itself, whatever its address looks like.
    let package = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/zip");
    if book.what == Audited::ExportTaken && !package {
        return response;
    }
    let status = response.status();
    // A page's question whether its copy is still good shows nothing new, and was audited when it was.
    if !(status.is_success() || status.as_u16() == 101) {
        return response;
    }
    let Some(caller) = caller else { return response };
    match note(&book, &caller, subject, detail).await {
        Ok(()) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn note(book: &Book, caller: &Caller, subject: String, detail: String) -> Result<(), Problem> {
    let context = &book.app.context;
    let now = context.clock.mono();
    let detail = match &caller.by_link_of {
        Some(maker) => format!("{detail} link by={maker}").trim().to_owned(),
        None => detail,
    };
    let look = !matches!(book.what, Audited::CaseMade | Audited::CaseAnswered | Audited::CaseHeld);
    let key = (caller.user.id, book.what, subject.clone(), detail.clone());
    if look && seen(&book.app, &key, now) {
        // Who watches by files or single pictures asks all the time: one viewing, however long, until there is a pause.
        if matches!(book.what, Audited::Live | Audited::Snapshot) {
            remember(&book.app, key, now);
        }
        return Ok(());
    }
    let entry = AuditEntry {
        at: context.clock.wall(),
        who: caller.user.name.clone(),
        role: caller.user.role.to_string(),
        what: book.what,
        subject,
        detail,
    };
    let store = context.store.clone();
    blocking(move || store.audit(&entry)).await?.map_err(Problem::internal)?;
    // Only what was written need not be written again.
    if look {
        remember(&book.app, key, now);
    }
    Ok(())
}

/// Whether the same was written a moment ago.
fn seen(app: &App, key: &Look, now: MonoTime) -> bool {
    let looks = app.looks.lock().unwrap_or_else(PoisonError::into_inner);
    looks.get(key).is_some_and(|at| now.since(*at) < AGAIN)
}

fn remember(app: &App, key: Look, now: MonoTime) {
    let mut looks = app.looks.lock().unwrap_or_else(PoisonError::into_inner);
    if looks.len() >= REMEMBERED {
        looks.retain(|_, at| now.since(*at) < AGAIN);
        if looks.len() >= REMEMBERED {
            looks.clear();
        }
    }
    looks.insert(key, now);
}

/// What a request is about: the camera, case or export of its path, and its range of time.
async fn about(parts: &mut Parts) -> (String, String) {
    // As the handler will read them: an address can be written in many ways.
    let names = RawPathParams::from_request_parts(parts, &()).await;
    let mut names = names.iter().flatten().map(|(_, value)| value.to_owned()).collect::<Vec<_>>().into_iter();
    let subject = names.next().unwrap_or_default();
    let file = parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let file = names.next().or((!file.is_empty() && file != subject).then_some(file));
    // A playlist and its hundreds of files are one viewing, whichever is asked for first.
    let hls = parts.extensions.get::<MatchedPath>().is_some_and(|path| path.as_str().contains("/hls/"));
    let file = if hls { Some("hls".to_owned()) } else { file };
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|Query(q)| q).unwrap_or_default();
    let wanted = ["cameras", "from", "to", "stream"];
    let said = query.into_iter().filter_map(|(name, value)| match name.as_str() {
        "at" => hour(&value),
        name if wanted.contains(&name) => Some(format!("{name}={value}")),
        _ => None,
    });
    (subject, file.into_iter().chain(said).collect::<Vec<_>>().join(" "))
}

/// The hour of a moment that was looked at: a list of small pictures is a few rows, and says of when they are.
fn hour(at: &str) -> Option<String> {
    const HOUR: i64 = 3_600_000_000;
    let at = WallTime::parse(&at.replace(' ', "+")).ok()?;
    Some(format!("hour={}", WallTime(at.0.saturating_sub(at.0.rem_euclid(HOUR)))))
}

#[derive(Serialize)]
pub(crate) struct Log {
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    seq: i64,
    at: String,
    who: String,
    role: String,
    what: String,
    subject: String,
    detail: String,
}

/// `GET audit`
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Log>, Problem> {
    let limit = params.count("limit", USUAL, MOST)?;
    let before = params.get("before").map(str::parse::<i64>).transpose();
    let before = before.map_err(|_| Problem::Bad { name: "before", reason: "write the number of a row".into() })?;
    let store = app.context.store.clone();
    let rows = blocking(move || store.audit_rows(before, limit)).await?.map_err(Problem::internal)?;
    let row = |r: store::AuditRow| Row {
        seq: r.seq,
        at: r.at.to_string(),
        who: r.who,
        role: r.role,
        what: r.what,
        subject: r.subject,
        detail: r.detail,
    };
    Ok(Json(Log { rows: rows.into_iter().map(row).collect() }))
}

#[derive(Serialize)]
pub(crate) struct Fingerprints {
    /// The box's key, as people compare it.
    key: String,
    fingerprints: Vec<Fingerprint>,
}

#[derive(Serialize)]
struct Fingerprint {
    day: String,
    at: String,
    words: String,
    hash: String,
    /// One line, ready to be sent away.
    line: String,
}

/// `GET fingerprints`: of the last month.
pub(crate) async fn fingerprints(State(app): State<Arc<App>>, Extension(_): Extension<Caller>) -> Result<Json<Fingerprints>, Problem> {
    let store = app.context.store.clone();
    let rows = blocking(move || store.fingerprints(31)).await?.map_err(Problem::internal)?;
    let site = &app.context.site.name;
    let fingerprint = |r: store::FingerprintRow| {
        let (words, hash) = (spoken(&r.hash), hex(&r.hash));
        let line = format!("Dấu vân tay ngày {} – {site}: {words} – {hash}", r.day);
        Fingerprint { day: r.day, at: r.at.to_string(), words, hash, line }
    };
    Ok(Json(Fingerprints { key: app.context.key.clone(), fingerprints: rows.into_iter().map(fingerprint).collect() }))
}

/// Wrong passwords are one row a name for so long, however many there are: nobody fills the log from outside.
pub(crate) async fn refused(app: &App, who: String, role: String, detail: &str) -> Result<(), Problem> {
    let (key, now) = ((0, Audited::SignInRefused, who.clone(), String::new()), app.context.clock.mono());
    if seen(app, &key, now) {
        return Ok(());
    }
    signing(app, Audited::SignInRefused, who, role, detail).await?;
    remember(app, key, now);
    Ok(())
}

/// Somebody's phone shows a case's picture without being signed in.
pub(crate) async fn glanced(app: &App, who: String, role: String, case: CaseId) -> Result<(), Problem> {
    of(app, who, role, Own { what: Audited::Evidence, subject: case.to_string(), detail: "push".to_owned() }).await
}

/// Signing in and out have no caller yet, or no longer: they write their own rows.
pub(crate) async fn signing(app: &App, what: Audited, who: String, role: String, detail: &str) -> Result<(), Problem> {
    of(app, who, role, Own { what, subject: String::new(), detail: detail.to_owned() }).await
}

/// What concerns people and their devices: the row names whom, which no address says.
pub(crate) async fn about_people(app: &App, caller: &Caller, what: Audited, subject: &str, detail: &str) -> Result<(), Problem> {
    let row = Own { what, subject: subject.to_owned(), detail: detail.to_owned() };
    of(app, caller.user.name.clone(), caller.user.role.to_string(), row).await
}

/// A look whose row the endpoint writes itself: the same again at once is the same look.
pub(crate) async fn look(app: &App, caller: &Caller, row: Own) -> Result<(), Problem> {
    let (key, now) = ((caller.user.id, row.what, row.subject.clone(), row.detail.clone()), app.context.clock.mono());
    if seen(app, &key, now) {
        return Ok(());
    }
    of(app, caller.user.name.clone(), caller.user.role.to_string(), row).await?;
    remember(app, key, now);
    Ok(())
}

/// A row that an endpoint writes itself.
pub(crate) struct Own {
    pub(crate) what: Audited,
    pub(crate) subject: String,
    pub(crate) detail: String,
}

/// Writes a row in somebody's name.
pub(crate) async fn of(app: &App, who: String, role: String, row: Own) -> Result<(), Problem> {
    let Own { what, subject, detail } = row;
    let entry = AuditEntry { at: app.context.clock.wall(), who, role, what, subject, detail };
    let store = app.context.store.clone();
    blocking(move || store.audit(&entry)).await?.map(drop).map_err(Problem::internal)
}
