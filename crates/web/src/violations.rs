//! `GET violations`: what rules raised in a time, oldest first, for the marks on a timeline.

use crate::{app::App, cases::ask, guard::Caller, problem::Problem, query::Params};
use axum::{Extension, Json, extract::State};
use cases::{Case, Filter};
use domain::{BBox, CameraId, CaseId, CaseState, Why};
use serde::Serialize;
use std::sync::Arc;

/// Longest time, in seconds: as a timeline's.
const LONGEST: i64 = 400 * 86_400;
/// Most marks in one answer; the newest are kept, and `more` says that there are others.
const MOST: usize = 1000;

#[derive(Serialize)]
pub(crate) struct Violations {
    from: String,
    to: String,
    more: bool,
    violations: Vec<View>,
}

#[derive(Serialize)]
struct View {
    /// The case's number.
    id: CaseId,
    camera: CameraId,
    kind: String,
    state: CaseState,
    start: String,
    raised: String,
    end: Option<String>,
    class: Option<String>,
    zone: Option<String>,
    #[serde(rename = "box")]
    bbox: Option<BBox>,
    why: Why,
}

impl From<Case> for View {
    fn from(case: Case) -> Self {
        Self {
            id: case.id,
            camera: case.camera,
            kind: case.kind,
            state: case.state,
            start: case.start.to_string(),
            raised: case.raised.to_string(),
            end: case.end.map(|t| t.to_string()),
            class: case.class,
            zone: case.zone,
            bbox: case.bbox,
            why: case.why,
        }
    }
}

/// `GET violations?from=&to=&camera=`
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    params: Params,
) -> Result<Json<Violations>, Problem> {
    let (from, to) = params.time(LONGEST)?;
    let cameras = match params.get("camera") {
        Some(id) => Some(vec![caller.camera(&app.context, id)?.id.clone()]),
        None => caller.user.cameras,
    };
    let filter = Filter { cameras, from: Some(from), to: Some(to), by_rule: true, limit: MOST, ..Filter::default() };
    let cases = ask(&app, move |cases| cases.list(&filter)).await?;
    let more = cases.len() == MOST;
    let violations = cases.into_iter().rev().map(View::from).collect();
    Ok(Json(Violations { from: from.to_string(), to: to.to_string(), more, violations }))
}
