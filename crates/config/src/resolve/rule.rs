//! `[[camera.rule]]`: one table of kinds and their keys; the kinds of later versions are read too, and answered with a warning.

use super::{count, known, shape};
use crate::{
    needed::Rule,
    reader::{Field, Texts},
    source::{Source, Wrong, nearest, show},
    units, written,
};
use std::time::Duration;

/// Kinds and the keys each takes besides `kind`; the last column: in this version. A kind that takes a zone or a line
/// needs it, but for those in [`ANYWHERE`].
const KINDS: &[(&str, &[&str], bool)] = &[
    ("no-parking", &["zone", "classes", "after"], true),
    ("wrong-way", &["zone", "classes", "direction", "tolerance", "min_travel"], true),
    ("line-crossing", &["line", "classes", "way"], false),
    ("no-entry", &["line", "classes", "way"], false),
    ("speeding", &["zone", "classes", "ground", "metres", "limit"], false),
    ("banned-vehicle", &["zone", "classes", "hours"], false),
    ("red-light", &["line", "classes", "lamp"], false),
    ("loitering", &["zone", "classes", "after", "count"], false),
    ("intrusion", &["zone", "classes", "after", "count"], false),
    ("crowd", &["zone", "classes", "after", "count"], false),
    ("littering", &["zone", "classes", "after"], false),
    ("road-obstruction", &["zone", "classes", "after"], false),
    ("no-helmet", &["zone", "classes"], false),
    ("too-many-riders", &["zone", "classes", "count"], false),
    ("livestock", &["zone", "classes", "after", "hours"], false),
    ("fire-smoke", &["zone", "after"], false),
    ("camera-tamper", &["after"], false),
];

/// Kinds that mean the whole picture when they name no zone.
const ANYWHERE: &[&str] = &["fire-smoke", "no-helmet", "too-many-riders"];

/// Names of a camera's zones and lines; `None`: they could not be read, and no reference to them is judged.
pub(super) struct Shapes {
    pub(super) zones: Option<Vec<String>>,
    pub(super) lines: Option<Vec<String>>,
}

/// The rules of this version. `None` after noting a mistake.
pub(super) fn rules(field: Field<Vec<written::Rule>>, shapes: &Shapes, source: &mut Source<'_>) -> Option<Vec<Rule>> {
    let list = field.or(Vec::new())?;
    let rules: Vec<_> = list.into_iter().map(|w| rule(w, shapes, source)).collect();
    Some(rules.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The values of a rule after their own look; which of them a kind needs is decided by the kind.
struct Read {
    zone: Field<String>,
    classes: Field<Vec<String>>,
    after: Field<Duration>,
    direction: Field<(domain::geometry::Point, domain::geometry::Point)>,
    tolerance: Field<f64>,
    min_travel: Field<f64>,
}

/// `Some(None)`: a kind of a later version, a warning was given.
fn rule(w: written::Rule, shapes: &Shapes, source: &mut Source<'_>) -> Option<Option<Rule>> {
    let names = || KINDS.iter().map(|(name, ..)| *name);
    let (kind, place) = w
        .kind
        .then(source, |t| {
            KINDS.iter().find(|(name, ..)| *name == t).ok_or_else(|| {
                let fix = match nearest(&t, names()) {
                    Some(near) => format!("write \"{near}\""),
                    None => format!("write one of {}", names().collect::<Vec<_>>().join(", ")),
                };
                Wrong::new(format!("{} is not a kind of rule", show(&t)), fix)
            })
        })
        .needed(source)?;
    let (kind, keys, now) = *kind;

    let before = source.count();
    macro_rules! of_kind {
        ($($key:ident),*) => {
            $(if let (Some(place), false) = (w.$key.place(), keys.contains(&stringify!($key))) {
                let problem = format!("a {kind} rule has no key `{}`", stringify!($key));
                source.mistake(place, Wrong::new(problem, format!("remove it; a {kind} rule takes {}", keys.join(", "))));
            })*
        };
    }
    of_kind!(zone, line, classes, after, direction, tolerance, min_travel, way, ground, metres, limit, hours, lamp, count);

    let zone = named(w.zone, "zone", &shapes.zones, "write [[camera.zone]] for this camera first", source);
    let line = named(w.line, "line", &shapes.lines, "write [[camera.line]] for this camera first", source);
    let read = Read {
        zone,
        classes: w.classes.then(source, classes),
        after: w.after.then(source, |t| after(&t)),
        direction: w.direction.then(source, |p| shape::two(&p)),
        tolerance: w.tolerance.then(source, |t| tolerance(&t)),
        min_travel: w.min_travel.then(source, min_travel),
    };
    // Kinds of later versions: their values are looked at, so that a file written for them is right when they come.
    let _ = w.way.then(source, |t| match t.as_str() {
        "right" | "left" | "both" => Ok(()),
        _ => Err(Wrong::new(format!("{} is not a way across a line", show(&t)), "write \"right\", \"left\" or \"both\"")),
    });
    let _ = w.ground.then(source, |p| ground(&p));
    let _ = w.metres.then(source, metres);
    let _ = w.limit.then(source, |t| limit(&t));
    let _ = w.hours.then(source, |t| hours(&t));
    let _ = w.lamp.then(source, lamp);
    let _ = w.count.then(source, |n| count(n, 1000, "3"));
    if !now {
        for (key, field) in [("zone", read.zone), ("line", line)] {
            if keys.contains(&key) && !ANYWHERE.contains(&kind) {
                let _ = field.needed(source);
            }
        }
        if source.count() > before {
            return None;
        }
        source.warning(
            &place,
            Wrong::new(
                format!("{kind} is known, but not in this version: the rule does nothing"),
                "remove the rule until then, or leave it",
            ),
        );
        return Some(None);
    }
    let rule = of_this_version(kind, read, source)?;
    (source.count() == before).then_some(Some(rule))
}

fn of_this_version(kind: &str, read: Read, source: &mut Source<'_>) -> Option<Rule> {
    let zone = read.zone.needed(source);
    if kind == "no-parking" {
        let classes = read.classes.needed(source);
        let after = read.after.needed(source);
        return Some(Rule::NoParking { zone: zone?.0, classes: classes?.0, after: after?.0 });
    }
    let classes = read.classes.or(Vec::new());
    let direction = read.direction.needed(source);
    let (tolerance, min_travel) = (read.tolerance.or(60.0), read.min_travel.or(0.1));
    let (from, to) = direction?.0;
    Some(Rule::WrongWay { zone: zone?.0, classes: classes?, from, to, tolerance: tolerance?, min_travel: min_travel? })
}

fn named(field: Field<String>, what: &str, names: &Option<Vec<String>>, none: &str, source: &mut Source<'_>) -> Field<String> {
    match names {
        Some(names) => field.then(source, |t| known(&t, what, names.iter().map(String::as_str), none)),
        None => field,
    }
}

fn classes(list: Vec<String>) -> Result<Vec<String>, Wrong> {
    let plain = |t: &String| {
        !t.is_empty() && t.len() <= 48 && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_ ".contains(&b))
    };
    let fix = "write classes of the model: [\"car\", \"truck\"]";
    if list.is_empty() {
        return Err(Wrong::new("names no class", fix));
    }
    if let Some(bad) = list.iter().find(|t| !plain(t)) {
        return Err(Wrong::new(format!("{} is not a class", show(bad)), fix));
    }
    match list.iter().enumerate().find(|(i, t)| list.iter().take(*i).any(|u| u == *t)) {
        Some((_, twice)) => Err(Wrong::new(format!("{} is listed twice", show(twice)), "list it once")),
        None => Ok(list),
    }
}

fn after(text: &str) -> Result<Duration, Wrong> {
    let after = units::duration(text, "30s")?;
    if after < Duration::from_secs(1) || after > Duration::from_secs(86_400) {
        return Err(Wrong::new(format!("{} is out of bounds", show(text)), "write 1s to 24h: \"30s\""));
    }
    Ok(after)
}

fn tolerance(text: &str) -> Result<f64, Wrong> {
    let degrees = units::angle(text)?;
    if degrees > 0.0 && degrees < 180.0 {
        return Ok(degrees);
    }
    Err(Wrong::new(format!("{} is out of bounds", show(text)), "write more than 0 and less than 180 degrees: \"60deg\""))
}

fn min_travel(number: f64) -> Result<f64, Wrong> {
    if number > 0.0 && number <= 1.0 {
        return Ok(number);
    }
    Err(Wrong::new(format!("{number} is out of bounds"), "write a fraction of the picture, above 0 to 1: 0.1"))
}

fn ground(list: &[[f64; 2]]) -> Result<(), Wrong> {
    let points = shape::polygon(list)?;
    if points.len() == 4 {
        Ok(())
    } else {
        Err(Wrong::new(format!("has {} points", points.len()), "write the 4 corners of a rectangle on the ground"))
    }
}

fn metres([width, length]: [f64; 2]) -> Result<(), Wrong> {
    let fine = |m: f64| m > 0.0 && m <= 1000.0;
    if fine(width) && fine(length) {
        Ok(())
    } else {
        Err(Wrong::new("is out of bounds", "write width and length on the ground in metres: [3.5, 20]"))
    }
}

fn limit(text: &str) -> Result<(), Wrong> {
    let kmh = units::speed(text)?;
    if (5.0..=200.0).contains(&kmh) {
        Ok(())
    } else {
        Err(Wrong::new(format!("{} is out of bounds", show(text)), "write 5km/h to 200km/h"))
    }
}

/// `22:00-05:00`, one or several.
fn hours(texts: &Texts) -> Result<(), Wrong> {
    let minute = |t: &str| {
        let (h, m) = t.split_once(':')?;
        let two = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u32>().ok()).flatten();
        let (h, m) = (two(h)?, two(m)?);
        (m < 60 && h * 60 + m <= 24 * 60).then_some(h * 60 + m)
    };
    for text in &texts.0 {
        let good = text.split_once('-').and_then(|(from, to)| Some(minute(from)? != minute(to)?));
        if good != Some(true) {
            return Err(Wrong::new(format!("{} is no part of a day", show(text)), "write from-to: \"22:00-05:00\""));
        }
    }
    if texts.0.is_empty() { Err(Wrong::new("names no hours", "write from-to: \"22:00-05:00\"")) } else { Ok(()) }
}

fn lamp([x1, y1, x2, y2]: [f64; 4]) -> Result<(), Wrong> {
    let inside = [x1, y1, x2, y2].iter().all(|v| (0.0..=1.0).contains(v));
    if inside && x1 < x2 && y1 < y2 {
        Ok(())
    } else {
        Err(Wrong::new("is no box inside the picture", "write [left, top, right, bottom], each 0 to 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Keys as _;

    #[test]
    fn every_key_of_a_kind_is_a_key_of_the_table() {
        for (kind, keys, _) in KINDS {
            for key in *keys {
                assert!(written::Rule::KEYS.contains(key), "{kind}: {key}");
            }
        }
    }

    #[test]
    fn parts_of_a_day() {
        let fine = |t: &str| hours(&Texts(vec![t.to_owned()])).is_ok();
        assert!(fine("22:00-05:00") && fine("00:00-24:00"));
        for bad in ["", "22-5", "22:00", "25:00-26:00", "10:60-11:00", "10:00-10:00", "+1:00-02:00"] {
            assert!(!fine(bad), "{bad}");
        }
    }
}
