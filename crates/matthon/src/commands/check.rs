//! `matthon check`: every mistake of the configuration, and what it promises.

use crate::{cli::ConfigArg, doors, env, exit::Failure, models, phones};
use serde_json::json;

pub(crate) fn check(arg: &ConfigArg, as_json: bool) -> Result<(), Failure> {
    let loaded = match config::load(&arg.config) {
        Err(mistakes) => return Err(refused(mistakes.mistakes.iter().map(ToString::to_string).collect(), arg, as_json)),
        Ok(loaded) => loaded,
    };
    if let Some(why) = models::forbidden(&loaded.config) {
        return Err(refused(vec![format!("{}: {why}", arg.config.display())], arg, as_json));
    }
    let foreign = file_systems(&loaded.config);
    if !foreign.is_empty() {
        return Err(refused(foreign.into_iter().map(|why| format!("{}: {why}", arg.config.display())).collect(), arg, as_json));
    }
    let door = doors::judge(&loaded, env::clock().wall());
    let door = door.map_err(|mistake| refused(vec![mistake.to_string()], arg, as_json))?;
    let mut warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    warnings.extend(models::trouble(&loaded.config));
    warnings.extend(door.warnings.iter().map(ToString::to_string));
    let phones = phones::told(&loaded.config);
    let forecast: Vec<String> = loaded.config.forecast().iter().map(describe).collect();
    if as_json {
        println!("{}", json!({ "ok": true, "warnings": warnings, "forecast": forecast, "phones": phones, "door": door.lines }));
        return Ok(());
    }
    for line in &warnings {
        println!("warning: {line}");
    }
    for line in forecast.iter().chain(&door.lines) {
        println!("{line}");
    }
    println!("{phones}");
    println!("{}: good, {} cameras", arg.config.display(), loaded.config.cameras.len());
    Ok(())
}

/// Rings on file systems that keep no promise; a folder that is not there yet is judged by where it will be made.
fn file_systems(config: &config::Config) -> Vec<String> {
    let disk = env::disk();
    let rings = config.rings.iter().filter(|ring| !ring.any_filesystem);
    let paths = rings.flat_map(|ring| ring.paths.iter().map(move |path| (ring, path)));
    let foreign = paths.filter_map(|(ring, path)| {
        let volume = disk.volume(path).ok().filter(|v| !v.keeps())?;
        Some(ring::RingError::FileSystem { ring: ring.name.clone(), path: path.clone(), kind: volume.kind }.to_string())
    });
    foreign.collect()
}

/// The mistakes, as text or as JSON.
fn refused(mut lines: Vec<String>, arg: &ConfigArg, as_json: bool) -> Failure {
    if as_json {
        println!("{}", json!({ "ok": false, "mistakes": lines }));
        return Failure::Usage(Vec::new());
    }
    let n = lines.len();
    lines.push(format!("{n} {} in {}; nothing was started", if n == 1 { "mistake" } else { "mistakes" }, arg.config.display()));
    Failure::Usage(lines)
}

/// One line a ring: what it will hold before a single frame was recorded.
fn describe(ring: &config::RingForecast) -> String {
    let (name, gb) = (&ring.ring, ring.size as f64 / 1e9);
    match ring.days {
        Some(days) => format!(
            "ring {name}: {gb:.1} GB for {} streams at about {:.1} GB a day: {}",
            ring.streams,
            ring.bytes_per_day as f64 / 1e9,
            if days >= 2.0 { format!("{days:.1} days") } else { format!("{:.1} hours", days * 24.0) }
        ),
        None => format!("ring {name}: {gb:.1} GB, and no stream is recorded into it"),
    }
}
