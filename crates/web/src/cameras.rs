//! The list of cameras with their state, and what is recorded of one.

use crate::{
    app::App,
    context::{Camera, Context, Site},
    gaps,
    guard::{Caller, blocking},
    problem::Problem,
    query::Params,
    vision::Seeing,
};
use axum::{
    Extension, Json,
    extract::{Path, State},
};
use domain::{CameraId, Channel, GapReason, Link, Note, StreamHealth, StreamId, StreamKind, WallTime};
use serde::Serialize;
use std::sync::Arc;

/// Longest time a timeline shows: a year and a month.
const LONGEST: i64 = 400 * 86_400;

/// Pictures of the last seconds are not on the disk yet, µs.
const ON_ITS_WAY: i64 = 5_000_000;

/// The site as the page needs it.
#[derive(Serialize)]
pub(crate) struct SiteView {
    name: String,
    timezone: String,
    language: String,
    /// Whether this is a demonstration with simulated cameras.
    demo: bool,
}

impl SiteView {
    pub(crate) fn of(site: &Site) -> Self {
        Self { name: site.name.clone(), timezone: site.timezone.clone(), language: site.language.clone(), demo: site.demo }
    }
}

/// [`StreamHealth`] with its times in RFC 3339.
#[derive(Serialize)]
struct HealthView {
    link: Link,
    since: String,
    detail: String,
    notes: Vec<Note>,
    codec: Option<String>,
    size: Option<(u32, u32)>,
    fps: f32,
    bitrate: u64,
    gop: Option<f32>,
    clock_offset: Option<f64>,
    sessions: u64,
    last_sample: Option<String>,
}

impl From<StreamHealth> for HealthView {
    fn from(h: StreamHealth) -> Self {
        Self {
            link: h.link,
            since: h.since.to_string(),
            detail: h.detail,
            notes: h.notes,
            codec: h.codec,
            size: h.size,
            fps: h.fps,
            bitrate: h.bitrate,
            gop: h.gop,
            clock_offset: h.clock_offset,
            sessions: h.sessions,
            last_sample: h.last_sample.map(|t| t.to_string()),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct List {
    site: SiteView,
    now: String,
    cameras: Vec<CameraView>,
}

#[derive(Serialize)]
struct CameraView {
    id: CameraId,
    name: String,
    streams: Streams,
    recorded: Recorded,
    /// Whether sound came of it that can be heard live.
    sound: Sound,
    /// Whether its pictures are looked at: see [`Seeing::of`].
    detection: &'static str,
    /// Something moves in its picture, or did ten seconds ago; never where nothing is looked at.
    moving: bool,
    /// Parts of its picture are black for this user, who cannot play its recordings.
    masked: bool,
}

#[derive(Serialize)]
struct Streams {
    main: HealthView,
    sub: Option<HealthView>,
}

#[derive(Serialize)]
struct Recorded {
    main: bool,
    sub: bool,
}

#[derive(Serialize)]
struct Sound {
    main: bool,
    sub: bool,
}

/// `GET cameras`
pub(crate) async fn list(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Json<List> {
    let context = &app.context;
    let seen = context.cameras.iter().filter(|c| caller.may_see(&c.id));
    let seeing = Seeing::new((context.vision)());
    let moving = context.moving.now();
    let cameras = seen.map(|camera| {
        let moves = moving.contains(&camera.id);
        view(context, camera, &seeing, moves, !caller.sees_all_of(camera))
    });
    let cameras = cameras.collect();
    Json(List { site: SiteView::of(&context.site), now: context.clock.wall().to_string(), cameras })
}

fn view(context: &Context, camera: &Camera, seeing: &Seeing, moving: bool, masked: bool) -> CameraView {
    CameraView {
        id: camera.id.clone(),
        name: camera.name.clone(),
        streams: Streams {
            main: health(context, camera, Channel::Main),
            sub: camera.sub.as_ref().map(|_| health(context, camera, Channel::Sub)),
        },
        recorded: Recorded { main: camera.main_recorded.is_some(), sub: camera.sub_recorded.is_some() },
        // What is made of a camera's stream comes without.
        sound: Sound {
            main: !masked && camera.main.has_sound(),
            sub: !masked && camera.sub.as_ref().is_some_and(live::LiveStream::has_sound),
        },
        detection: seeing.of(&camera.id),
        moving,
        masked,
    }
}

fn health(context: &Context, camera: &Camera, channel: Channel) -> HealthView {
    context.board.get(&camera.id, channel).unwrap_or_else(|| StreamHealth::starting(context.started)).into()
}

#[derive(Serialize)]
pub(crate) struct Timeline {
    from: String,
    to: String,
    stream: Channel,
    spans: Vec<SpanView>,
    gaps: Vec<GapView>,
}

/// A time that is not recorded, and why.
#[derive(Serialize)]
struct GapView {
    from: String,
    to: String,
    reason: GapReason,
}

#[derive(Serialize)]
struct SpanView {
    from: String,
    to: String,
}

/// `GET cameras/{id}/timeline`
pub(crate) async fn timeline(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<Timeline>, Problem> {
    let camera = caller.camera(&app.context, &id)?;
    let stream = params.stream()?;
    let (from, to) = params.time(LONGEST)?;
    let (spans, gaps) = match camera.recorded(stream).cloned() {
        None => (Vec::new(), Vec::new()),
        Some(reader) => {
            let video = StreamId::new(camera.id.clone(), stream, StreamKind::Video);
            let turn = app.reads_turn().await?;
            let (store, now) = (app.context.store.clone(), app.context.clock.wall());
            let found = blocking(move || {
                let spans: Vec<_> = reader.coverage(&video, from, to)?.into_iter().map(|s| (s.from, s.to)).collect();
                // What is still on its way to the disk is no gap.
                let until = to.min(now.plus_micros(-ON_ITS_WAY));
                let gaps = gaps::between(&reader, &store, &video, &spans, from, until);
                drop(turn);
                Ok::<_, gaps::GapError>((spans, gaps?))
            });
            found.await?.map_err(Problem::internal)?
        }
    };
    let text = |t: WallTime| t.to_string();
    let spans = spans.into_iter().map(|(from, to)| SpanView { from: text(from), to: text(to) }).collect();
    let gaps = gaps.into_iter().map(|g| GapView { from: text(g.from), to: text(g.to), reason: g.reason }).collect();
    Ok(Json(Timeline { from: text(from), to: text(to), stream, spans, gaps }))
}
