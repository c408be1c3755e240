//! Pictures of a camera: `snapshot.jpg` of now, `picture.jpg` of a moment that is recorded; and where they come from.

use crate::{
    app::App,
    guard::Caller,
    problem::{Full, Problem},
    query::Params,
};
use async_trait::async_trait;
use axum::{
    Extension,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{CameraId, Channel, WallTime};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a request waits for its turn, and then for its picture.
const WAIT: Duration = Duration::from_secs(5);
const TAKE: Duration = Duration::from_secs(10);

/// Why there is no picture now: one sentence for whoever asked, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPicture(pub String);

/// Takes pictures of cameras.
#[async_trait]
pub trait Snapshot: Send + Sync + 'static {
    /// The newest picture of a camera's stream, as a JPEG; of the main one where there is no sub.
    ///
    /// # Errors
    /// [`NoPicture`]: the camera is away, or nobody can decode it now.
    async fn snapshot(&self, camera: &CameraId, channel: Channel) -> Result<Bytes, NoPicture>;

    /// A small picture of a moment that is recorded, as a JPEG.
    ///
    /// # Errors
    /// [`NoPicture`]: nothing was recorded then, or nobody can decode it now.
    async fn picture(&self, camera: &CameraId, at: WallTime) -> Result<Bytes, NoPicture>;
}

/// `GET cameras/{id}/snapshot.jpg`
pub(crate) async fn snapshot(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    let channel = params.stream()?;
    let camera = caller.camera(&app.context, &id)?.id.clone();
    let source = Arc::clone(&app.context.snapshot);
    taken(&app, async move { source.snapshot(&camera, channel).await }).await
}

/// `GET cameras/{id}/picture.jpg?at=…`
pub(crate) async fn picture(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    let camera = caller.camera(&app.context, &id)?.id.clone();
    let at = params.instant("at")?;
    let source = Arc::clone(&app.context.snapshot);
    taken(&app, async move { source.picture(&camera, at).await }).await
}

async fn taken(app: &App, picture: impl Future<Output = Result<Bytes, NoPicture>> + Send + 'static) -> Result<Response, Problem> {
    let turn = timeout(WAIT, Arc::clone(&app.snapshots).acquire_owned()).await;
    let turn = turn.map_err(|_| Problem::Full(Full::Snapshots))?.map_err(Problem::internal)?;
    // The turn ends with the work and not with whoever waits for it: behind it is a thread that may hang in a disk.
    let work = tokio::spawn(async move {
        let made = picture.await;
        drop(turn);
        made
    });
    let jpeg = timeout(TAKE, work).await.map_err(|_| Problem::NoPicture("it was not there in time".into()))?.map_err(Problem::internal)?;
    let jpeg = jpeg.map_err(|NoPicture(reason)| Problem::NoPicture(reason))?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}
