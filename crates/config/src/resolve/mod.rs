//! From the file as written to the configuration as needed: values get their meaning, names are looked up.
//! Here: the file as a whole, its small tables, and names. Rings, cameras and the web server have modules of their own.

mod camera;
mod push;
mod ring;
mod rule;
mod secret;
mod shape;
mod url;
mod vision;
mod wall;
mod web;
mod webhook;

use crate::{
    needed::{Config, Evidence, Language, Privacy, Site, Storage},
    reader::Field,
    source::{Place, Source, Wrong, nearest, show},
    units, written,
};
use jiff::tz::TimeZoneDatabase;
use std::{collections::BTreeMap, path::Path, time::Duration};

const DAY: Duration = Duration::from_secs(86_400);

/// `None` after noting at least one mistake. `open_to_all`: every user of the box may read the file.
pub(crate) fn config(file: written::File, base: &Path, open_to_all: bool, source: &mut Source<'_>) -> Option<Config> {
    let demo = file.demo.or(false);
    let demo_story = file.demo_story.optional().and_then(|story| match story {
        Some((_, place)) if demo != Some(true) => {
            source.mistake(
                &place,
                Wrong::new("tells what simulated cameras will show, and these are real", "write demo = true, or leave it out"),
            );
            None
        }
        story => Some(story),
    });
    let site = file.site.needed(source).and_then(|(w, _)| site(w, source));
    let privacy = privacy(file.privacy, source);
    let evidence = evidence(file.evidence, source);
    let storage = file.storage.needed(source).and_then(|(w, _)| storage(w, base, source));
    let keep = privacy.as_ref().and_then(|p| p.as_ref().and_then(|p| p.keep));
    let rings = ring::rings(file.ring, base, keep, source);
    let web = web::web(file.web, base, source);
    let vision = match file.vision.optional() {
        Some(Some((w, _))) => vision::vision(w, base, source).map(Some),
        Some(None) => Some(None),
        None => None,
    };
    let wall = wall::wall(file.wall, source);
    let push = push::push(file.push, source);
    let webhooks = webhook::webhooks(file.webhook, base, open_to_all, source);
    let names: Vec<String> = rings.names;
    let first_rule = vision::first_rule(&file.camera);
    let cameras = camera::cameras(file.camera, base, &names, open_to_all, source);
    if let (Some(None), Some(cameras), Some(place)) = (&vision, &cameras, first_rule) {
        vision::rules_without(cameras, &place, source);
    }
    Some(Config {
        demo: demo?,
        demo_story: demo_story?.map(|(path, _)| base.join(path)),
        site: site?,
        privacy: privacy?,
        evidence: evidence?,
        storage: storage?,
        rings: rings.rings?,
        web: web?,
        vision: vision?,
        wall: wall?,
        push: push?,
        webhooks: webhooks?,
        cameras: cameras?,
    })
}

fn site(w: written::Site, source: &mut Source<'_>) -> Option<Site> {
    let name = w.name.then(source, |t| title(&t)).needed(source);
    let timezone = w.timezone.then(source, |t| timezone(&t)).or("Asia/Ho_Chi_Minh".to_owned());
    let language = w
        .language
        .then(source, |t| match t.as_str() {
            "vi" => Ok(Language::Vi),
            "en" => Ok(Language::En),
            _ => Err(Wrong::new(format!("{} is not a language of this product", show(&t)), "write \"vi\" or \"en\"")),
        })
        .or(Language::Vi);
    Some(Site { name: name?.0, timezone: timezone?, language: language? })
}

fn timezone(text: &str) -> Result<String, Wrong> {
    let known = TimeZoneDatabase::bundled();
    // The database forgives case and knows aliases; browsers want the name as it is spelled there.
    if known.get(text).is_ok() {
        let spelled = known.available().map(|name| name.as_str().to_owned()).find(|name| name.eq_ignore_ascii_case(text));
        return Ok(spelled.unwrap_or_else(|| text.to_owned()));
    }
    let names: Vec<String> = known.available().map(|name| name.as_str().to_owned()).collect();
    let near = nearest(text, names.iter().map(String::as_str)).unwrap_or("Asia/Ho_Chi_Minh");
    Err(Wrong::new(format!("{} is not a time zone", show(text)), format!("write an IANA name: \"{near}\"")))
}

/// `None`: mistake noted. `Some(None)`: the file does not say, a warning was given.
fn privacy(field: Field<written::Privacy>, source: &mut Source<'_>) -> Option<Option<Privacy>> {
    let fix = "write [privacy] with controller = \"UBND xã …\" and keep = \"15d\"";
    let (w, _) = match field.optional()? {
        Some(w) => w,
        None => {
            let place = Place { key: "privacy".to_owned(), ..Place::default() };
            source.warning(&place, Wrong::new("nobody is named who answers for the pictures (Law 91/2025)", fix));
            return Some(None);
        }
    };
    let controller = w.controller.then(source, |t| title(&t)).needed(source);
    let keep = w.keep.then(source, |t| age(&t)).optional();
    let unconfirmed = w.keep_unconfirmed.then(source, |t| age(&t)).optional();
    Some(Some(Privacy { controller: controller?.0, keep: keep?.map(|(d, _)| d), keep_unconfirmed: unconfirmed?.map(|(d, _)| d) }))
}

/// How old a recording may get.
fn age(text: &str) -> Result<Duration, Wrong> {
    let age = units::duration(text, "15d")?;
    if age < Duration::from_secs(60) || age > DAY * 3660 {
        return Err(Wrong::new(format!("{} is no time to keep recordings", show(text)), "write 1m to 3660d: \"15d\""));
    }
    Ok(age)
}

fn evidence(field: Field<written::Evidence>, source: &mut Source<'_>) -> Option<Evidence> {
    let Some((w, _)) = field.optional()? else { return Some(Evidence::default()) };
    let quota = w.quota.then(source, |t| quota(&t)).optional();
    Some(Evidence { quota: quota?.map(|(bytes, _)| bytes) })
}

fn quota(text: &str) -> Result<u64, Wrong> {
    let bytes = units::size(text, "200GB")?;
    if bytes < 1_000_000 {
        return Err(Wrong::new(format!("{} holds no clip", show(text)), "write 1MB or more: \"200GB\", or leave it out: half of the disk"));
    }
    Ok(bytes)
}

fn storage(w: written::Storage, base: &Path, source: &mut Source<'_>) -> Option<Storage> {
    let data = w.data.then(source, |t| path(&t, base)).needed(source);
    let smart = w.smart.then(source, |t| path(&t, base)).or("/run/matthon/smart".into());
    Some(Storage { data: data?.0, smart: smart? })
}

/// A text shown to people.
fn title(text: &str) -> Result<String, Wrong> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 120 || text.chars().any(char::is_control) {
        return Err(Wrong::new("is empty, longer than 120 characters, or has control characters", "write a short name on one line"));
    }
    Ok(text.to_owned())
}

/// A name that metrics and file names use as well.
fn name(text: &str) -> Result<String, Wrong> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if text.is_empty() || text.len() > domain::ids::CAMERA_ID_MAX || !text.bytes().all(plain) {
        return Err(Wrong::new(format!("{} is not a plain name", show(text)), "write 1 to 48 of a-z, A-Z, 0-9, - and _: \"main\""));
    }
    Ok(text.to_owned())
}

fn path(text: &str, base: &Path) -> Result<std::path::PathBuf, Wrong> {
    if text.is_empty() || text.contains('\0') {
        return Err(Wrong::new("is not a path", "write a path, relative ones start at this file's folder"));
    }
    // Without the dots, so that the same folder is the same text.
    Ok(base.join(text).components().collect())
}

fn between(number: f64, low: f64, high: f64, example: &str) -> Result<f64, Wrong> {
    if (low..=high).contains(&number) {
        return Ok(number);
    }
    Err(Wrong::new(format!("{number} is out of bounds"), format!("write {low} to {high}: {example}")))
}

fn count(number: f64, high: u32, example: &str) -> Result<usize, Wrong> {
    if number.fract() == 0.0 && (1.0..=f64::from(high)).contains(&number) {
        return Ok(number as usize);
    }
    Err(Wrong::new(format!("{number} is out of bounds"), format!("write a whole number, 1 to {high}: {example}")))
}

/// Names given so far, to find one given twice.
#[derive(Default)]
struct Given(BTreeMap<String, Place>);

impl Given {
    /// `None` after noting that the name was given before.
    fn give(&mut self, what: &str, name: &str, place: &Place, source: &mut Source<'_>) -> Option<()> {
        if let Some(first) = self.0.get(name) {
            let line = source.line(first);
            source.mistake(place, Wrong::new(format!("{} is already {what} in line {line}", show(name)), "write another"));
            return None;
        }
        self.0.insert(name.to_owned(), place.clone());
        Some(())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A name that must have been given somewhere else in the file.
fn known<'n>(text: &str, what: &str, names: impl Iterator<Item = &'n str> + Clone, none: &str) -> Result<String, Wrong> {
    if names.clone().any(|n| n == text) {
        return Ok(text.to_owned());
    }
    let fix = match (nearest(text, names.clone()), names.clone().next()) {
        (Some(near), _) => format!("write \"{near}\""),
        (None, Some(_)) => format!("write one of {}", names.collect::<Vec<_>>().join(", ")),
        (None, None) => none.to_owned(),
    };
    Err(Wrong::new(format!("there is no {what} {}", show(text)), fix))
}
