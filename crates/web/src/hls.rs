//! Low-Latency HLS over HTTP: playlists that wait, and the files they name.

use crate::{
    app::App,
    guard::Caller,
    problem::{Full, Problem},
    query::Params,
    sight::Sight,
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use live::hls::{At, File, HlsError};
use std::{convert::Infallible, sync::Arc};

/// `GET cameras/{id}/hls/index.m3u8`
pub(crate) async fn playlist(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    let (sight, query) = asked(&app, &caller, &id, &params)?;
    let stream = match sight {
        Sight::Plain(_, stream) => stream.clone(),
        Sight::Rendition(of) => of.begin(&app, &caller)?.stream,
    };
    let at = At::read(params.get("_HLS_msn"), params.get("_HLS_part"));
    let at = at.map_err(|(name, reason)| Problem::Bad { name, reason: reason.into() })?;
    let hls = stream.hls(&app.hls_streams).ok_or(Problem::Full(Full::Live))?;
    let text = app.stop.run_until_cancelled(hls.playlist(at, query)).await.unwrap_or(Err(HlsError::Late));
    let text = text.map_err(|error| refused(error, "_HLS_msn"))?;
    Ok(([(header::CONTENT_TYPE, "application/vnd.apple.mpegurl")], text).into_response())
}

/// `GET cameras/{id}/hls/{file}`
pub(crate) async fn file(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((id, name)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let (sight, _) = asked(&app, &caller, &id, &params)?;
    let stream = match sight {
        Sight::Plain(_, stream) => Some(stream.clone()),
        Sight::Rendition(of) => of.there(&app),
    };
    let unknown = || Problem::Unknown { what: "file", name: name.chars().take(40).collect() };
    let (file, hls) = File::read(&name).zip(stream.and_then(|stream| stream.hls_files())).ok_or_else(unknown)?;
    let pieces = app.stop.run_until_cancelled(hls.file(file)).await.unwrap_or(Err(HlsError::Late));
    let pieces = pieces.map_err(|error| if error == HlsError::Unknown { unknown() } else { refused(error, "file") })?;
    let length: usize = pieces.iter().map(bytes::Bytes::len).sum();
    // The fragments' own buffers, one after the other.
    let body = Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)));
    Ok(([(header::CONTENT_TYPE, "video/mp4".to_owned()), (header::CONTENT_LENGTH, length.to_string())], body).into_response())
}

/// What this user is shown, and what every address of its playlist ends with.
fn asked<'a>(app: &'a App, caller: &Caller, id: &str, params: &Params) -> Result<(Sight<'a>, &'static str), Problem> {
    let (channel, h264) = (params.stream()?, params.h264()?);
    let query = match (channel, h264) {
        (domain::Channel::Main, false) => "",
        (domain::Channel::Main, true) => "?codec=h264",
        (domain::Channel::Sub, false) => "?stream=sub",
        (domain::Channel::Sub, true) => "?stream=sub&codec=h264",
    };
    Ok((caller.sight(&app.context, caller.camera(&app.context, id)?, channel, h264), query))
}

fn refused(error: HlsError, name: &'static str) -> Problem {
    match error {
        HlsError::Far => Problem::Bad { name, reason: error.to_string() },
        HlsError::Unknown => Problem::Unknown { what: "file", name: String::new() },
        HlsError::Late | HlsError::Unfit => Problem::NoPicture(error.to_string()),
        HlsError::Busy => Problem::Full(Full::Live),
    }
}
