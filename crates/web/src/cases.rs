//! Cases: listed, read, made by hand, answered, taken back. A case of a camera that is not for this user does not exist for him.

use crate::{
    app::App,
    body::{self, Body},
    guard::{Caller, blocking},
    kept,
    problem::Problem,
    query::Params,
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use cases::{Case, CaseError, Cases, Filter};
use domain::{Answer, CaseId, CaseState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Cases on a page when nothing is said, and at most.
const USUAL: usize = 50;
const MOST: usize = 200;

#[derive(Serialize)]
pub(crate) struct List {
    now: String,
    /// Cases nobody has answered, on all cameras of this user and whatever the filter.
    todo: u64,
    cases: Vec<Case>,
}

/// A case, and the box's clock: the page counts the seconds in which an answer can be taken back.
#[derive(Serialize)]
pub(crate) struct One {
    now: String,
    #[serde(flatten)]
    case: Case,
}

impl One {
    pub(crate) fn new(app: &App, case: Case) -> Json<Self> {
        Json(Self { now: app.context.clock.wall().to_string(), case })
    }
}

#[derive(Deserialize)]
struct ByHand {
    camera: String,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    hold: bool,
}

#[derive(Deserialize)]
struct Answered {
    answer: Answer,
}

/// `GET cases`
pub(crate) async fn list(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>, params: Params) -> Result<Json<List>, Problem> {
    let state = params.word::<CaseState>("state")?;
    let before = params.word::<CaseId>("before")?;
    let limit = params.count("limit", USUAL, MOST)?;
    let mine = caller.user.cameras.clone();
    let cameras = match params.get("camera") {
        Some(id) => Some(vec![caller.camera(&app.context, id)?.id.clone()]),
        None => mine.clone(),
    };
    let found = ask(&app, move |cases| {
        let waiting = Filter { cameras: mine, state: Some(CaseState::Raised), ..Filter::default() };
        let page = Filter { cameras, state, before, limit, ..Filter::default() };
        Ok((cases.count(&waiting)?, cases.list(&page)?))
    });
    let (todo, cases) = found.await?;
    Ok(Json(List { now: app.context.clock.wall().to_string(), todo, cases }))
}

/// `GET cases/{id}`
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<One>, Problem> {
    let case = seen(&app, caller, &id).await?;
    Ok(One::new(&app, case))
}

/// `POST cases`
pub(crate) async fn by_hand(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<(StatusCode, Json<One>), Problem> {
    let sent: ByHand = body::read(sent, r#"{"camera":…,"note":…}"#)?;
    let camera = caller.camera(&app.context, &sent.camera)?.id.clone();
    let made = ask(&app, move |cases| cases.get(cases.by_hand(&camera, &caller.user.name, &sent.note)?));
    Ok((StatusCode::CREATED, One::new(&app, made.await?)))
}

/// `POST cases/{id}/answer`
pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    sent: Body,
) -> Result<Json<One>, Problem> {
    let Answered { answer } = body::read(sent, r#"{"answer":"confirm"} or {"answer":"false-alarm"}"#)?;
    let by = caller.user.name.clone();
    let id = seen(&app, caller.clone(), &id).await?.id;
    let case = ask(&app, move |cases| cases.answer(id, answer, &by)).await?;
    if case.state == CaseState::Confirmed {
        take_kept(&app, &caller, &case).await?;
    }
    Ok(One::new(&app, case))
}

/// `POST cases/{id}/undo`
pub(crate) async fn undo(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<One>, Problem> {
    let by = caller.user.name.clone();
    let id = seen(&app, caller, &id).await?.id;
    let case = ask(&app, move |cases| cases.undo(id, &by)).await?;
    Ok(One::new(&app, case))
}

/// `POST cases/{id}/hold`: its evidence does not expire, or does again.
pub(crate) async fn hold(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    sent: Body,
) -> Result<Json<One>, Problem> {
    let Hold { hold } = body::read(sent, r#"{"hold":true} or {"hold":false}"#)?;
    let by = caller.user.name.clone();
    let id = seen(&app, caller.clone(), &id).await?.id;
    let case = ask(&app, move |cases| cases.hold(id, hold, &by)).await?;
    if hold {
        take_kept(&app, &caller, &case).await?;
    }
    Ok(One::new(&app, case))
}

/// Footage kept of a case's time belongs to it from now on: it is not deleted after 14 days.
async fn take_kept(app: &Arc<App>, caller: &Caller, case: &Case) -> Result<(), Problem> {
    let (from, to) = (case.clip_from.unwrap_or(case.start), case.clip_to.unwrap_or(case.raised));
    kept::take(app, caller, vec![case.camera.clone()], from, to, format!("case {}", case.id)).await
}

/// The case of that number with its history, if this user may see its camera.
pub(crate) async fn seen(app: &Arc<App>, caller: Caller, id: &str) -> Result<Case, Problem> {
    // Only as much of a made-up number comes back as a real one could have.
    let unknown = || Problem::Unknown { what: "case", name: id.chars().take(20).collect() };
    let number: CaseId = id.parse().map_err(|_| unknown())?;
    let case = ask(app, move |cases| cases.get(number)).await?;
    if caller.may_see(&case.camera) { Ok(case) } else { Err(unknown()) }
}

/// Asks the desk where waiting for the database holds up nobody.
pub(crate) async fn ask<T: Send + 'static>(
    app: &Arc<App>,
    question: impl FnOnce(&Cases) -> Result<T, CaseError> + Send + 'static,
) -> Result<T, Problem> {
    let cases = app.context.cases.clone();
    blocking(move || question(&cases)).await?.map_err(Problem::from)
}

impl From<CaseError> for Problem {
    fn from(error: CaseError) -> Self {
        match error {
            CaseError::NoSuchCase(id) => Self::Unknown { what: "case", name: id.to_string() },
            CaseError::NoSuchCamera(id) => Self::Unknown { what: "camera", name: id.to_string() },
            CaseError::Refused(reason) => Self::Conflict(reason.to_string()),
            CaseError::EvidenceGone => Self::Conflict(error.to_string()),
            CaseError::BadNote { .. } => Self::Bad { name: "note", reason: error.to_string() },
            other => Self::internal(other),
        }
    }
}
