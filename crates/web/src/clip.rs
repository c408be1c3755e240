//! `clip.mp4`: a time of one camera as a file with a length, a tag and ranges, made of ring records while it is sent.

use crate::{
    app::App,
    context::Camera,
    guard::{Caller, blocking},
    plans,
    problem::{Full, Problem},
    query::Params,
    range::{self, Part},
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{Channel, WallTime};
use futures::{Stream, stream::try_unfold};
use ring::{
    ClipPlan, Reader, RingError,
    clip::{self, ClipError, Wish},
};
use std::{io, ops::Range, sync::Arc, time::Duration};
use tokio::{
    sync::OwnedSemaphorePermit,
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

/// Longest clip, in seconds.
const LONGEST: i64 = 24 * 3600;
/// Bytes read and sent at a time; one such piece is read ahead.
const PIECE: u64 = 256 << 10;
/// How long a request waits for clips before it to end.
const WAIT: Duration = Duration::from_secs(5);

/// `GET cameras/{id}/clip.mp4`
pub(crate) async fn clip(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let camera = caller.camera(&app.context, &id)?;
    caller.must_see_all_of(camera)?;
    let channel = params.stream()?;
    let (from, to) = params.time(LONGEST)?;
    let audio = params.get("audio") != Some("0");
    let reader = camera.recorded(channel).cloned().ok_or(Problem::NoRecording)?;
    let place = place(&app, from, to).await?;
    let wish = plans::Wish { camera: camera.id.clone(), channel, from, to, audio };
    let (plan, place) = match app.plans.get(&wish, app.context.clock.mono()) {
        // One that met a damaged recording would break off there again.
        Some(plan) if !plan.is_broken() => (plan, place),
        _ => planned(&app, wish, reader, place).await?,
    };
    let etag = format!("\"{}\"", plan.etag());
    let length = plan.len();
    let (status, bytes) = match range::of(&headers, length, &etag) {
        _ if range::unchanged(&headers, &etag) => (StatusCode::NOT_MODIFIED, 0..0),
        Part::Whole => (StatusCode::OK, 0..length),
        Part::Bytes(first, end) => (StatusCode::PARTIAL_CONTENT, first..end),
        Part::Outside => return Err(Problem::Range { length }),
    };
    let name = file_name(camera, channel, plan.starts_at(), &app.context.site.timezone);
    let mut fields = vec![
        (header::ETAG, etag),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        // Kept by the browser only to be asked about again: who signs out must not leave pictures usable.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::HeaderName::from_static("x-matthon-starts-at"), plan.starts_at().to_string()),
    ];
    if status == StatusCode::NOT_MODIFIED {
        return answer(status, fields, Body::empty());
    }
    fields.push((header::CONTENT_TYPE, "video/mp4".to_owned()));
    fields.push((header::CONTENT_LENGTH, (bytes.end - bytes.start).to_string()));
    if status == StatusCode::PARTIAL_CONTENT {
        fields.push((header::CONTENT_RANGE, format!("bytes {}-{}/{length}", bytes.start, bytes.end.saturating_sub(1))));
    }
    answer(status, fields, Body::from_stream(pieces(plan, bytes, place)))
}

/// Plans a clip, and keeps the plan for whoever asks for the next range of it.
async fn planned(
    app: &App,
    wish: plans::Wish,
    reader: Reader,
    place: OwnedSemaphorePermit,
) -> Result<(Arc<ClipPlan>, OwnedSemaphorePermit), Problem> {
    let zone = jiff::tz::TimeZone::get(&app.context.site.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let turn = app.reads_turn().await?;
    let asked = wish.clone();
    // Before it is made: what is recorded while it is made may not be in it.
    let wall = app.context.clock.wall();
    // Place and turn go along: a planner whose client has left still works, and must count until it is done.
    let planned = blocking(move || {
        let plan = {
            let stamp = |at: WallTime| caption(at, &zone);
            let plans::Wish { camera, channel, from, to, audio } = &asked;
            let wish = Wish { camera, channel: *channel, from: *from, to: *to, audio: *audio, captions: Some(&stamp) };
            clip::plan(&reader, &wish)
        };
        drop(turn);
        (plan, place)
    });
    let (plan, place) = planned.await?;
    let plan = Arc::new(plan.map_err(refused)?);
    app.plans.put(wish, &plan, app.context.clock.mono(), wall);
    Ok((plan, place))
}

pub(crate) fn answer(status: StatusCode, fields: Vec<(header::HeaderName, String)>, body: Body) -> Result<Response, Problem> {
    let mut response = (status, body).into_response();
    for (name, value) in fields {
        response.headers_mut().insert(name, HeaderValue::from_str(&value).map_err(Problem::internal)?);
    }
    Ok(response)
}

/// Room for a clip of that length; held until its last byte is sent.
async fn place(app: &App, from: WallTime, to: WallTime) -> Result<OwnedSemaphorePermit, Problem> {
    let minutes = u32::try_from(to.micros_since(from) / 60_000_000).unwrap_or(u32::MAX).saturating_add(1);
    let acquired = timeout(WAIT, Arc::clone(&app.clip_minutes).acquire_many_owned(minutes)).await;
    acquired.map_err(|_| Problem::Full(Full::Clips))?.map_err(Problem::internal)
}

fn refused(error: ClipError) -> Problem {
    match error {
        ClipError::Nothing { .. } => Problem::NoRecording,
        ClipError::Ring(RingError::Gone { .. }) => Problem::Gone,
        other => Problem::internal(other),
    }
}

/// `cong-lang_2026-11-23_17-42-00.mp4`
fn file_name(camera: &Camera, channel: Channel, at: WallTime, timezone: &str) -> String {
    let sub = if channel == Channel::Sub { "_sub" } else { "" };
    format!("{}{sub}_{}.mp4", camera.id, stamp(at, timezone))
}

/// `2026-11-23_17-42-00`, by the village's clock; in UTC with a `Z` where its rules are not installed.
pub(crate) fn stamp(at: WallTime, timezone: &str) -> String {
    let instant = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    match jiff::tz::TimeZone::get(timezone) {
        Ok(zone) => instant.to_zoned(zone).strftime("%Y-%m-%d_%H-%M-%S").to_string(),
        Err(_) => instant.strftime("%Y-%m-%d_%H-%M-%SZ").to_string(),
    }
}

/// `26/11/2026 17:42:05 +07`: what the clip's subtitles say.
fn caption(at: WallTime, zone: &jiff::tz::TimeZone) -> String {
    let instant = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    instant.to_zoned(zone.clone()).strftime("%d/%m/%Y %H:%M:%S %Z").to_string()
}

/// A download under way. No thread waits for a slow client: pieces are read when there is room for them.
struct Download {
    plan: Arc<ClipPlan>,
    left: Range<u64>,
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
    _place: OwnedSemaphorePermit,
}

fn pieces(plan: Arc<ClipPlan>, left: Range<u64>, place: OwnedSemaphorePermit) -> impl Stream<Item = io::Result<Bytes>> {
    let download = Download { plan, left, ahead: None, _place: place };
    try_unfold(download, |mut download| async move {
        let Some(reading) = download.ahead.take().or_else(|| download.read()) else { return Ok(None) };
        let bytes = reading.await.map_err(io::Error::other)?.inspect_err(|error| tracing::warn!(%error, "a clip broke off"))?;
        download.ahead = download.read();
        Ok(Some((bytes, download)))
    })
}

impl Download {
    /// Starts reading the next piece; `None` at the end.
    fn read(&mut self) -> Option<JoinHandle<io::Result<Bytes>>> {
        let size = (self.left.end - self.left.start).min(PIECE);
        if size == 0 {
            return None;
        }
        let at = self.left.start;
        self.left.start += size;
        let plan = Arc::clone(&self.plan);
        Some(spawn_blocking(move || {
            let mut piece = vec![0; usize::try_from(size).map_err(io::Error::other)?];
            let mut filled = 0;
            while let Some(rest) = piece.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match plan.read_at(at + filled as u64, rest).map_err(io::Error::other)? {
                    // The length was promised; a shorter file must not pass for a whole one.
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    n => filled += n,
                }
            }
            Ok(piece.into())
        }))
    }
}
