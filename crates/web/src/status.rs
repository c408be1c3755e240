//! `GET status`: the rings in numbers, and everything that is not as it should be, each with the key of its text.

use crate::{
    app::App,
    context::Context,
    disks::{self, Disk},
    guard::{Caller, blocking},
    health::{self, CameraCount},
    problem::Problem,
    reach::{self, Reach},
    vision::Seeing,
};
use axum::{Extension, Json, extract::State};
use cases::{Fullness, Room};
use domain::{CameraId, Channel, Link};
use ring::{RingState, RingStatus};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Serialize)]
pub(crate) struct Status {
    version: String,
    started: String,
    now: String,
    cameras: CameraCount,
    rings: Vec<Value>,
    disks: Vec<Disk>,
    evidence: Evidence,
    push: Phones,
    reach: Reach,
    problems: Vec<Trouble>,
    vision: Value,
}

/// What is kept beside the rings; bytes.
#[derive(Serialize)]
struct Evidence {
    state: Fullness,
    used: u64,
    #[serde(flatten)]
    room: Room,
    /// How long evidence of cases is kept that nobody confirmed, seconds.
    keep_unconfirmed_s: u64,
}

/// Phones that are told of cases.
#[derive(Serialize)]
struct Phones {
    /// Whether they can sign up: the configuration has `[push]`.
    offered: bool,
    phones: u64,
}

/// One thing to look after. `text_key` names the sentence in the page's texts.
#[derive(Serialize, Default)]
struct Trouble {
    key: &'static str,
    text_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    camera: Option<CameraId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ring: Option<String>,
    /// A folder or a disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    detail: String,
}

/// `GET status`
pub(crate) async fn status(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Result<Json<Status>, Problem> {
    let rings = health::statuses(&app).await?;
    let disks = health::disks(&app, &rings).await?;
    let context = &app.context;
    let mut problems: Vec<Trouble> = rings.iter().filter_map(ring_trouble).collect();
    problems.extend(disks::troubles(&rings, &disks).into_iter().map(|t| Trouble {
        key: "disk",
        text_key: t.text_key,
        ring: t.ring,
        disk: Some(t.disk),
        since: t.since,
        detail: t.detail,
        ..Trouble::default()
    }));
    if !context.clock.synchronised() {
        let detail = "the box's clock is not set by the network; times of recordings may be wrong".to_owned();
        problems.push(Trouble { key: "clock", text_key: "clock.unsynchronised".into(), detail, ..Trouble::default() });
    }
    problems.extend(rings.iter().filter_map(|ring| {
        let detail = ring.shortage()?;
        Some(Trouble { key: "ring", text_key: "ring.short".into(), ring: Some(ring.name.clone()), detail, ..Trouble::default() })
    }));
    let room = health::room(&app).await?;
    problems.extend(evidence_trouble(&room));
    let (reach, door) = reach::now(&context.doors, context.clock.wall());
    problems.extend(door.map(|t| Trouble { key: "door", text_key: t.text_key, detail: t.detail, ..Trouble::default() }));
    let (mut up, mut total) = (0, 0);
    for (camera, stream, health) in context.board.all() {
        if !caller.may_see(&camera) {
            continue;
        }
        if stream == Channel::Main {
            total += 1;
            up += usize::from(health.link == Link::Ok);
        }
        if let Some(detail) = over_bitrate(context, &camera, stream, health.bitrate) {
            let (camera, stream) = (Some(camera.clone()), Some(stream));
            problems.push(Trouble { key: "bitrate", text_key: "cam.over-bitrate".into(), camera, stream, detail, ..Trouble::default() });
        }
        if health.link != Link::Ok {
            problems.push(Trouble {
                key: "camera",
                text_key: format!("cam.{}", health.link.key()),
                camera: Some(camera),
                stream: Some(stream),
                since: Some(health.since.to_string()),
                detail: health.detail,
                ..Trouble::default()
            });
        }
    }
    let store = context.store.clone();
    let phones = blocking(move || store.count_phones()).await?.map_err(Problem::internal)?;
    let seeing = Seeing::new((context.vision)());
    problems.extend(vision_troubles(&seeing, &caller));
    let rings = rings.iter().map(ring_view).collect::<Result<_, _>>().map_err(Problem::internal)?;
    Ok(Json(Status {
        version: context.version.clone(),
        started: context.started.to_string(),
        now: context.clock.wall().to_string(),
        cameras: CameraCount { up, total },
        rings,
        disks,
        evidence: Evidence {
            state: room.fullness(),
            used: room.used(),
            room,
            keep_unconfirmed_s: context.cases.keep_unconfirmed().as_secs(),
        },
        push: Phones { offered: context.push.is_some(), phones },
        reach,
        problems,
        vision: seeing.cut_for(&caller),
    }))
}

/// A camera that sends more than twice what was declared shortens everybody's days.
fn over_bitrate(context: &Context, camera: &CameraId, stream: Channel, bitrate: u64) -> Option<String> {
    let declared = context.cameras.iter().find(|c| c.id == *camera)?.declared.filter(|_| stream == Channel::Main)?;
    let mbps = |bits: u64| bits as f64 / 1e6;
    (bitrate > declared.saturating_mul(2)).then(|| format!("{:.1} > 2 × {:.1} Mbit/s", mbps(bitrate), mbps(declared)))
}

fn ring_trouble(ring: &RingStatus) -> Option<Trouble> {
    let text_key = match ring.state {
        _ if !health::synced(ring) => "ring.failed",
        RingState::Failed => "ring.failed",
        RingState::Slow => "ring.slow",
        RingState::Ok => return None,
    };
    let detail = if ring.detail.is_empty() {
        format!("nothing was written for {} s", ring.last_sync_micros_ago / 1_000_000)
    } else {
        ring.detail.clone()
    };
    Some(Trouble { key: "ring", text_key: text_key.into(), ring: Some(ring.name.clone()), detail, ..Trouble::default() })
}

/// A store that fills is told before it is full.
fn evidence_trouble(room: &Room) -> Option<Trouble> {
    let text_key = match room.fullness() {
        Fullness::Roomy => return None,
        Fullness::Filling => "evidence.filling",
        Fullness::Full => "evidence.full",
    };
    let megabytes = |bytes: u64| bytes / 1_000_000;
    let (used, quota, free) = (megabytes(room.used()), megabytes(room.quota), megabytes(room.free));
    let detail = format!("{used} of {quota} MB are used, {free} MB are free on the disk");
    Some(Trouble { key: "evidence", text_key: text_key.into(), detail, ..Trouble::default() })
}

/// What is not as it could be with detection, and the cameras that are tried apart. None of it touches the recording.
fn vision_troubles(seeing: &Seeing, caller: &Caller) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if !matches!(seeing.state(), "ok" | "starting") {
        // The sentence may name any camera: it is for those who see all of them.
        let detail = if caller.user.cameras.is_none() { seeing.detail() } else { "" };
        troubles.push(Trouble {
            key: "vision",
            text_key: format!("vision.{}", seeing.state()),
            detail: detail.to_owned(),
            ..Trouble::default()
        });
    }
    let mine = seeing.quarantined().filter(|camera| caller.may_see(camera));
    troubles.extend(mine.map(|camera| Trouble {
        key: "quarantine",
        text_key: "vision.quarantine".into(),
        detail: format!("a worker ended while it looked at {camera}; it is tried apart"),
        camera: Some(camera),
        ..Trouble::default()
    }));
    troubles
}

/// The ring's own numbers, its times in RFC 3339 like all others.
fn ring_view(ring: &RingStatus) -> Result<Value, serde_json::Error> {
    let mut view = serde_json::to_value(ring)?;
    for (name, time) in [("oldest", ring.oldest), ("newest", ring.newest)] {
        view[name] = json!(time.map(|t| t.to_string()));
    }
    view["paths"] = disks::paths(ring)?;
    Ok(view)
}
