//! What is about to happen before the demo's drawn cameras.
//!
//! Belongs here: the story as the simulated cameras tell it, cut to what a user may see. A box with real cameras has
//! none. Does not belong here: reading the file (the binary), the countdown (the page).

use crate::{app::App, guard::Caller, problem::Problem};
use axum::{Extension, Json, extract::State};
use domain::{CameraId, WallTime};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A story that begins again when it is over, on several cameras.
#[derive(Clone, Debug, Deserialize)]
pub struct Story {
    /// Unix seconds at which the first round began.
    pub begun: f64,
    /// The cameras that play it; others are in the list without one.
    pub cameras: Vec<Scene>,
}

/// One camera of the story.
#[derive(Clone, Debug, Deserialize)]
pub struct Scene {
    /// Its id.
    pub id: String,
    /// What it shows; none for other sources.
    pub story: Option<Round>,
}

/// What happens in one round.
#[derive(Clone, Debug, Deserialize)]
pub struct Round {
    /// How long until it begins again, seconds.
    pub seconds: f64,
    /// What happens in it.
    pub violations: Vec<Event>,
}

/// Something that happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// `no-parking`, …
    pub kind: String,
    /// Seconds from the beginning of the round.
    pub from: f64,
    /// Seconds from the beginning of the round.
    pub to: f64,
    /// Whether a rule of this box looks for it.
    #[serde(default)]
    pub ruled: bool,
}

#[derive(Serialize)]
pub(crate) struct View {
    now: String,
    begun: String,
    scenes: Vec<SceneView>,
}

#[derive(Serialize)]
struct SceneView {
    camera: CameraId,
    seconds: f64,
    events: Vec<Event>,
}

/// `GET demo`
pub(crate) async fn story(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Result<Json<View>, Problem> {
    let story = app.context.story.as_ref().ok_or_else(|| Problem::Unknown { what: "story", name: "demo".to_owned() })?;
    let scene = |scene: &Scene| {
        let camera = CameraId::new(&scene.id).ok().filter(|id| caller.may_see(id))?;
        let round = scene.story.as_ref()?;
        Some(SceneView { camera, seconds: round.seconds, events: round.violations.clone() })
    };
    Ok(Json(View {
        now: app.context.clock.wall().to_string(),
        begun: WallTime((story.begun * 1e6) as i64).to_string(),
        scenes: story.cameras.iter().filter_map(scene).collect(),
    }))
}
