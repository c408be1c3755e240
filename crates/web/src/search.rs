//! `POST search`: what came by, found again. Whoever searches says what for, and both stand in the audit log.
//!
//! Does not belong here: how lines are found (`store`), their pictures (`snapshot`). Persons are in no line: see `domain::sighting`.

use crate::{
    app::App,
    audit,
    body::{self, Body},
    guard::{Caller, blocking},
    problem::{Full, Problem},
    query::{brief, in_order},
};
use axum::{Extension, Json, extract::State};
use domain::{Audited, BBox, CameraId, Class, Colour, Heading, Sighting, TrackId, WallTime};
use serde::{Deserialize, Serialize};
use std::{str::FromStr, sync::Arc, time::Duration};
use store::{SightingFilter, SightingKey};
use tokio::time::timeout;

/// How long a search waits for the one before it.
const WAIT: Duration = Duration::from_secs(10);
/// Longest time searched at once, seconds.
const LONGEST: i64 = 31 * 86_400;
/// Lines on a page when nothing is said, and at most.
const USUAL: usize = 24;
const MOST: usize = 100;
/// Characters of a purpose.
const PURPOSE: std::ops::RangeInclusive<usize> = 3..=200;
/// Words in a list at most: classes of a model, colours.
const WORDS: usize = 100;

const EXAMPLE: &str = r#"{"from":…,"to":…,"purpose":…}; cameras, classes, colours, headings, before and limit may be there"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    from: String,
    to: String,
    purpose: String,
    #[serde(default)]
    cameras: Vec<String>,
    #[serde(default)]
    classes: Vec<String>,
    #[serde(default)]
    colours: Vec<String>,
    #[serde(default)]
    headings: Vec<String>,
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(crate) struct Found {
    now: String,
    found: Vec<Line>,
    /// For the next page; none: that was all.
    before: Option<String>,
}

#[derive(Serialize)]
struct Line {
    camera: CameraId,
    class: Class,
    colour: Option<Colour>,
    heading: Heading,
    first: String,
    last: String,
    best: String,
    #[serde(rename = "box")]
    bbox: BBox,
    score: f64,
}

impl From<(CameraId, Sighting)> for Line {
    fn from((camera, s): (CameraId, Sighting)) -> Self {
        let Sighting { class, colour, heading, first, last, best, bbox, score, .. } = s;
        let (first, last, best) = (first.to_string(), last.to_string(), best.to_string());
        Self { camera, class, colour, heading, first, last, best, bbox, score }
    }
}

/// `POST search`
pub(crate) async fn search(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>, sent: Body) -> Result<Json<Found>, Problem> {
    let sent: Search = body::read(sent, EXAMPLE)?;
    let limit = sent.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::Bad { name: "limit", reason: format!("write a whole number from 1 to {MOST}") });
    }
    let filter = filter(&app, &caller, &sent)?;
    audit::look(&app, &caller, row(&sent)).await?;
    let turn = timeout(WAIT, Arc::clone(&app.searches).acquire_owned()).await;
    let turn = turn.map_err(|_| Problem::Full(Full::Searches))?.map_err(Problem::internal)?;
    let sightings = app.context.sightings.clone();
    let found = blocking(move || {
        let found = sightings.find(&filter, limit + 1);
        drop(turn);
        found
    });
    let mut found = found.await?.map_err(Problem::internal)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let before = found.last().filter(|_| more).map(|(camera, s)| format!("{}-{}-{camera}", s.first.0, s.track));
    Ok(Json(Found { now: app.context.clock.wall().to_string(), found: found.into_iter().map(Line::from).collect(), before }))
}

fn filter(app: &App, caller: &Caller, sent: &Search) -> Result<SightingFilter, Problem> {
    let instant = |name, text: &str| WallTime::parse(text).map_err(|reason| Problem::Bad { name, reason: brief(reason) });
    let (from, to) = in_order(instant("from", &sent.from)?, instant("to", &sent.to)?, LONGEST)?;
    if !PURPOSE.contains(&sent.purpose.trim().chars().count()) || sent.purpose.chars().any(char::is_control) {
        let reason = format!("say in {} to {} characters what the search is for", PURPOSE.start(), PURPOSE.end());
        return Err(Problem::Bad { name: "purpose", reason });
    }
    let cameras = if sent.cameras.is_empty() {
        app.context.cameras.iter().map(|c| c.id.clone()).filter(|id| caller.may_see(id)).collect()
    } else {
        sent.cameras.iter().map(|id| Ok(caller.camera(&app.context, id)?.id.clone())).collect::<Result<_, Problem>>()?
    };
    if sent.classes.len() > WORDS || sent.classes.iter().any(|c| c.is_empty() || c.len() > WORDS) {
        return Err(Problem::Bad { name: "classes", reason: format!("at most {WORDS} short words") });
    }
    Ok(SightingFilter {
        from,
        to,
        cameras: Some(cameras),
        classes: sent.classes.iter().map(|c| Class::from(c.as_str())).collect(),
        colours: words("colours", &sent.colours)?,
        headings: words("headings", &sent.headings)?,
        before: sent.before.as_deref().map(key).transpose()?,
    })
}

fn words<T: FromStr<Err = String>>(name: &'static str, list: &[String]) -> Result<Vec<T>, Problem> {
    list.iter().take(WORDS).map(|word| word.parse().map_err(|reason| Problem::Bad { name, reason: brief(reason) })).collect()
}

/// Where a page before ended, as it was answered.
fn key(text: &str) -> Result<SightingKey, Problem> {
    let read = || {
        let (first, rest) = text.split_once('-')?;
        let (track, camera) = rest.split_once('-')?;
        Some(SightingKey { first: WallTime(first.parse().ok()?), track: TrackId(track.parse().ok()?), camera: CameraId::new(camera).ok()? })
    };
    read().ok_or_else(|| Problem::Bad { name: "before", reason: "send what the page before answered".into() })
}

/// What for, and what: the pages of one search are one row.
fn row(sent: &Search) -> audit::Own {
    let Search { from, to, purpose, cameras, classes, colours, headings, .. } = sent;
    let lists = [("classes", classes), ("colours", colours), ("headings", headings)];
    let said: Vec<_> =
        lists.iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| format!(" {name}={}", list.join(","))).collect();
    let detail = format!("{}; from={from} to={to}{}", purpose.trim(), said.concat());
    audit::Own { what: Audited::Searched, subject: cameras.join(","), detail }
}
