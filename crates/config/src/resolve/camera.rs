//! `[[camera]]`: addresses, where its streams go, its zones, lines and rules.

use super::{Given, known, rule, secret, shape, title, url::rtsp};
use crate::{
    needed::{About, Camera, Line, Record, Zone},
    reader::Field,
    source::{Place, Source, Wrong},
    units, written,
};
use domain::CameraId;
use std::{collections::BTreeMap, path::Path};
use url::Url;

/// The picture of all cameras, which goes by this name among them.
const WALL: &str = "wall";

/// All cameras; `None` after noting a mistake in any of them.
pub(super) fn cameras(
    field: Field<Vec<written::Camera>>,
    base: &Path,
    rings: &[String],
    open_to_all: bool,
    source: &mut Source<'_>,
) -> Option<Vec<Camera>> {
    let list = match field.optional()? {
        Some((list, _)) if !list.is_empty() => list,
        _ => {
            let place = Place { key: "camera".to_owned(), ..Place::default() };
            let fix = "write [[camera]] with id = \"cong-lang\" and main = \"rtsp://…\"";
            source.warning(&place, Wrong::new("there is no camera: nothing is recorded", fix));
            return Some(Vec::new());
        }
    };
    let mut seen = Seen::default();
    let cameras: Vec<_> = list.into_iter().map(|w| camera(w, base, rings, open_to_all, &mut seen, source)).collect();
    cameras.into_iter().collect()
}

/// What may be there once.
#[derive(Default)]
struct Seen {
    ids: Given,
    /// Addresses of main streams, with the line of each.
    mains: BTreeMap<Url, usize>,
}

fn camera(
    w: written::Camera,
    base: &Path,
    rings: &[String],
    open_to_all: bool,
    seen: &mut Seen,
    source: &mut Source<'_>,
) -> Option<Camera> {
    let fix = "write id = \"cong-lang\": 1 to 48 of a-z, 0-9 and -";
    let id =
        w.id.then(source, |t| match CameraId::new(&t) {
            Ok(id) if id.as_str() == WALL => Err(Wrong::new("\"wall\" is what the TVs show, and no camera's id", fix)),
            Ok(id) => Ok(id),
            Err(_) => Err(Wrong::new(format!("{} is not a camera id", crate::source::show(&t)), fix)),
        })
        .needed(source)
        .and_then(|(id, place)| {
            seen.ids.give("the id of a camera", id.as_str(), &place, source)?;
            Some(id)
        });
    let name = w.name.then(source, |t| title(&t)).optional();
    let mut words = |field: Field<String>| field.then(source, |t| title(&t)).optional().map(|t| t.map(|(t, _)| t).unwrap_or_default());
    let (place, direction, make, serial) = (words(w.location), words(w.direction), words(w.make), words(w.serial));
    let main = w.main.then(source, |t| rtsp(&t)).needed(source);
    if let Some((url, place)) = &main {
        let line = source.line(place);
        if let Some(first) = seen.mains.get(url) {
            let fix = "write each camera once: most allow few connections";
            source.warning(place, Wrong::new(format!("is the same address as in line {first}"), fix));
        }
        seen.mains.entry(url.clone()).or_insert(line);
    }
    let has_sub = w.sub.there();
    let sub = w.sub.then(source, |t| rtsp(&t)).optional();
    let sign_in = secret::SignIn {
        username: w.username,
        password: w.password,
        password_file: w.password_file,
        password_env: w.password_env,
        open_to_all,
    };
    let credentials = secret::sign_in(sign_in, &w.place, base, source);
    let audio = w.audio.or(true);
    let bitrate = w.bitrate.then(source, |t| units::bitrate(&t)).optional();
    let record = record(w.record, rings, has_sub, source);
    let masks = w.masks.then(source, |list| shape::masks(&list.0)).or(Vec::new());
    let (zones, zone_names) = zones(w.zone, source);
    let (lines, line_names) = lines(w.line, source);
    let rules = rule::rules(w.rule, &rule::Shapes { zones: zone_names, lines: line_names }, source);
    let id = id?;
    let credentials = credentials?;
    let (username, password) = credentials.map_or((None, None), |(name, secret)| (Some(name), Some(secret)));
    Some(Camera {
        name: name?.map_or_else(|| id.to_string(), |(name, _)| name),
        id,
        about: About { place: place?, direction: direction?, make: make?, serial: serial? },
        main: main?.0,
        sub: sub?.map(|(url, _)| url),
        username,
        password,
        audio: audio?,
        record: record?,
        bitrate: bitrate?.map(|(b, _)| b),
        masks: masks?,
        zones: zones?,
        lines: lines?,
        rules: rules?,
    })
}

/// Without `record` both streams go to the first ring; with it only those it lists are recorded.
fn record(field: Field<written::Record>, rings: &[String], has_sub: bool, source: &mut Source<'_>) -> Option<Record> {
    let Some((w, _)) = field.optional()? else {
        let first = rings.first().cloned();
        return Some(Record { sub: first.clone().filter(|_| has_sub), main: first });
    };
    let ring = |t: String| known(&t, "ring", rings.iter().map(String::as_str), "write [[ring]] first");
    let main = w.main.then(source, ring).optional();
    let sub = w.sub.then(source, ring).then(source, |name| {
        if has_sub {
            Ok(name)
        } else {
            Err(Wrong::new("this camera has no sub stream to record", "write sub = \"rtsp://…\" for the camera, or remove this"))
        }
    });
    let sub = sub.optional();
    Some(Record { main: main?.map(|(n, _)| n), sub: sub?.map(|(n, _)| n) })
}

/// The zones, and the names that rules may use even when a polygon has a mistake.
fn zones(field: Field<Vec<written::Zone>>, source: &mut Source<'_>) -> (Option<Vec<Zone>>, Option<Vec<String>>) {
    let Some(list) = field.or(Vec::new()) else { return (None, None) };
    let mut given = Given::default();
    let zones: Vec<_> = list.into_iter().map(|w| shape::zone(w, &mut given, source)).collect();
    (zones.into_iter().collect(), Some(given.names().map(str::to_owned).collect()))
}

/// Likewise the lines.
fn lines(field: Field<Vec<written::Line>>, source: &mut Source<'_>) -> (Option<Vec<Line>>, Option<Vec<String>>) {
    let Some(list) = field.or(Vec::new()) else { return (None, None) };
    let mut given = Given::default();
    let lines: Vec<_> = list.into_iter().map(|w| shape::line(w, &mut given, source)).collect();
    (lines.into_iter().collect(), Some(given.names().map(str::to_owned).collect()))
}
