//! `/healthz` for whatever restarts the box, `/metrics` for whatever draws curves.

use crate::{app::App, disks::Disk, guard::blocking, problem::Problem};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use cases::{Fullness, Room};
use ring::{PathState, RingState, RingStatus};
use serde::Serialize;
use std::sync::Arc;

/// A ring that did not sync for this long, in microseconds, does not record.
const SYNCED_WITHIN: u64 = 5_000_000;

/// Cameras that deliver, and all of them.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct CameraCount {
    pub(crate) up: usize,
    pub(crate) total: usize,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    cameras: CameraCount,
    rings: Vec<RingHealth>,
}

#[derive(Serialize)]
struct RingHealth {
    name: String,
    synced: bool,
}

/// Whether a ring keeps what it is given.
pub(crate) fn synced(ring: &RingStatus) -> bool {
    ring.state != RingState::Failed && ring.last_sync_micros_ago <= SYNCED_WITHIN
}

/// `GET /healthz`. No names, no pictures: it needs no login.
pub(crate) async fn healthz(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let rings = statuses(&app).await?;
    let (up, total) = app.context.board.up();
    let recording = rings.iter().all(synced);
    // A database that does not answer is not well; that the box records it need not say.
    let room = room(&app).await.is_ok_and(|room| room.fullness() != Fullness::Full);
    let whole = |ring: &RingStatus| ring.state == RingState::Ok && ring.paths.iter().all(|path| path.state == PathState::Ok);
    let well = up == total && room && rings.iter().all(whole);
    let status = match (recording, well) {
        (false, _) => "failing",
        (true, true) => "ok",
        (true, false) => "degraded",
    };
    let code = if recording { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let rings = rings.iter().map(|ring| RingHealth { name: ring.name.clone(), synced: synced(ring) }).collect();
    Ok((code, Json(Health { status, cameras: CameraCount { up, total }, rings })).into_response())
}

/// The state of all rings; asked where waiting for their locks holds up nobody.
pub(crate) async fn statuses(app: &Arc<App>) -> Result<Vec<RingStatus>, Problem> {
    let rings = Arc::clone(&app.context.rings);
    blocking(move || rings()).await
}

/// The disks under these rings.
pub(crate) async fn disks(app: &Arc<App>, rings: &[RingStatus]) -> Result<Vec<Disk>, Problem> {
    let (disks, rings) = (Arc::clone(&app.context.disks), rings.to_vec());
    blocking(move || disks(&rings)).await
}

/// How full the evidence store is.
pub(crate) async fn room(app: &Arc<App>) -> Result<Room, Problem> {
    let gauge = app.context.evidence.clone();
    blocking(move || gauge.now()).await?.map_err(Problem::internal)
}

/// `GET /metrics`
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let render = Arc::clone(&app.context.metrics);
    let text = blocking(move || render()).await?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
