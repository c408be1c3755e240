//! `[vision]`: which model looks, with how much of the box; and what needs it.

use super::{between, count, path};
use crate::{
    needed::{Camera, Vision},
    reader::Field,
    source::{Place, Source, Wrong, show},
    units, written,
};
use std::path::Path;

/// Enough for a large model and decoders of 30 cameras.
const MEMORY: u64 = 2_000_000_000;

/// `None` after noting a mistake.
pub(super) fn vision(w: written::Vision, base: &Path, source: &mut Source<'_>) -> Option<Vision> {
    let model = w.model.then(source, |t| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let fix = "write the name of a model (`matthon models list`): \"yolox-nano\"";
        if t.is_empty() || t.len() > 64 || t.starts_with('.') || !t.chars().all(plain) {
            return Err(Wrong::new(format!("{} is not a model's name", show(&t)), fix));
        }
        Ok(t)
    });
    let model = model.needed(source);
    let workers = w.workers.then(source, |n| count(n, 64, "2")).or(2);
    let fps = w.fps.then(source, |n| between(n, 0.1, 30.0, "5")).or(5.0);
    let runtime = w.runtime.then(source, |t| path(&t, base)).optional();
    let models = w.models.then(source, |t| path(&t, base)).optional();
    let memory = w.memory.then(source, |t| memory(&t)).or(MEMORY);
    Some(Vision {
        model: model?.0,
        workers: workers?,
        fps: fps?,
        runtime: runtime?.map(|(p, _)| p),
        models: models?.map(|(p, _)| p),
        memory: memory?,
    })
}

fn memory(text: &str) -> Result<u64, Wrong> {
    let bytes = units::size(text, "2GB")?;
    if (256_000_000..=1_000_000_000_000).contains(&bytes) {
        return Ok(bytes);
    }
    Err(Wrong::new(format!("{} is out of bounds", show(text)), "write what the worker may take, 256MB to 1TB: \"2GB\""))
}

/// Where the first rule of the file was written.
pub(super) fn first_rule(cameras: &Field<Vec<written::Camera>>) -> Option<Place> {
    let Field::Is(cameras, _) = cameras else { return None };
    cameras.iter().find_map(|camera| camera.rule.place().cloned())
}

/// Warns once that nothing looks for what the rules describe. `place`: the first rule.
pub(super) fn rules_without(cameras: &[Camera], place: &Place, source: &mut Source<'_>) {
    let with = cameras.iter().filter(|c| !c.rules.is_empty()).count();
    if with == 0 {
        return;
    }
    let who = if with == 1 { "a camera has rules".to_owned() } else { format!("{with} cameras have rules") };
    let problem = format!("{who}, but there is no [vision]: nothing looks for what they describe");
    source.warning(place, Wrong::new(problem, "write [vision] with model = \"yolox-nano\", or remove the rules"));
}
