//! The audit log: written for every request whose row of the table says so, and read by those who may.

use crate::{
    app::App,
    guard::{Caller, blocking},
    problem::Problem,
    query::Params,
};
use axum::{
    Extension, Json,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Audited, MonoTime, spoken};
use serde::Serialize;
use std::{collections::HashMap, sync::Arc, time::Duration};
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

/// Who did what to what, how long ago.
pub(crate) type Looks = HashMap<(i64, Audited, String, String), MonoTime>;

/// Writes the row of a request that is let in, before its answer leaves. What cannot be written does not happen.
pub(crate) async fn write(State(book): State<Book>, request: Request, next: Next) -> Response {
    let (subject, detail) = about(&request);
    // Of a package its state is asked for all the time; taken is the package itself.
    if book.what == Audited::ExportTaken && !subject.ends_with(".zip") {
        return next.run(request).await;
    }
    let caller = request.extensions().get::<Caller>().cloned();
    let response = next.run(request).await;
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
    if !matches!(book.what, Audited::CaseMade | Audited::CaseAnswered) {
        let key = (caller.user.id, book.what, subject.clone(), detail.clone());
        let mut looks = book.app.looks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if looks.get(&key).is_some_and(|at| now.since(*at) < AGAIN) {
            return Ok(());
        }
        if looks.len() >= REMEMBERED {
            looks.retain(|_, at| now.since(*at) < AGAIN);
            if looks.len() >= REMEMBERED {
                looks.clear();
            }
        }
        looks.insert(key, now);
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
    blocking(move || store.audit(&entry)).await?.map(drop).map_err(Problem::internal)
}

/// What a request is about: the camera, case or export of its path, and its range of time.
fn about(request: &Request) -> (String, String) {
    let path = request.uri().path();
    let mut parts = path.strip_prefix("/api/v1/").unwrap_or_default().split('/').skip(1);
    let subject = parts.next().unwrap_or_default().to_owned();
    let wanted = ["cameras", "from", "to", "stream"];
    let query = request.uri().query().unwrap_or_default();
    let said = query.split('&').filter(|p| wanted.contains(&p.split('=').next().unwrap_or_default()));
    (subject, parts.chain(said).collect::<Vec<_>>().join(" "))
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
        let (words, hash) = (spoken(&r.hash), r.hash.iter().map(|b| format!("{b:02x}")).collect::<String>());
        let line = format!("Dấu vân tay ngày {} – {site}: {words} – {hash}", r.day);
        Fingerprint { day: r.day, at: r.at.to_string(), words, hash, line }
    };
    Ok(Json(Fingerprints { key: app.context.key.clone(), fingerprints: rows.into_iter().map(fingerprint).collect() }))
}

/// Signing in and out have no caller yet, or no longer: they write their own rows.
pub(crate) async fn signing(app: &App, what: Audited, who: String, role: String, detail: &str) -> Result<(), Problem> {
    let entry = AuditEntry { at: app.context.clock.wall(), who, role, what, subject: String::new(), detail: detail.to_owned() };
    let store = app.context.store.clone();
    blocking(move || store.audit(&entry)).await?.map(drop).map_err(Problem::internal)
}
