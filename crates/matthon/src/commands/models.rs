//! `matthon models list|verify|pull|bench`.

use super::load;
use crate::{
    cli::{ConfigArg, ModelsCommand},
    exit::Failure,
    models,
};
use anyhow::Context;
use serde_json::json;
use std::{fs::File, path::Path, time::Instant};
use vision::model::{Entry, Installed};

pub(crate) fn models(command: &ModelsCommand) -> Result<(), Failure> {
    match command {
        ModelsCommand::List { json, config } => list(config, *json),
        ModelsCommand::Verify { name, config } => verify(config, name.as_deref()),
        ModelsCommand::Pull { name, from, config } => pull(config, name, from.as_deref()),
        ModelsCommand::Bench { name, video, fps, config } => bench(config, name, video, *fps),
    }
}

fn word(entry: &Entry) -> &'static str {
    match entry.state {
        Installed::Missing => "not installed",
        Installed::Good { .. } if entry.installed.is_none() => "built in",
        Installed::Good { .. } => "installed",
        Installed::Refused(_) => "refused",
    }
}

fn list(config: &ConfigArg, as_json: bool) -> Result<(), Failure> {
    let library = models::library(&load(config)?.config);
    for entry in library.list() {
        let m = &entry.manifest;
        if as_json {
            let line = json!({
                "name": m.name, "state": word(&entry), "licence": m.licence, "source": m.source, "input": m.input, "tells": m.tells(),
                "file": entry.installed.as_ref().map(|p| p.display().to_string()),
            });
            println!("{line}");
            continue;
        }
        println!("{:<14} {:<14} {}x{}  {}", m.name, word(&entry), m.input[0], m.input[1], m.licence);
        if let Some(summary) = &m.summary {
            println!("  {}", summary.en);
        }
        println!("  tells {}", m.tells().join(", "));
        if let Installed::Refused(why) = &entry.state {
            println!("  {why}");
        }
    }
    for problem in library.problems() {
        eprintln!("{problem}");
    }
    Ok(())
}

/// Every installed model, or one, against its manifest.
fn verify(config: &ConfigArg, name: Option<&str>) -> Result<(), Failure> {
    let library = models::library(&load(config)?.config);
    if let Some(name) = name {
        let model = library.load(name)?;
        println!("{name}: good, sha256 {}", model.sha256);
        return Ok(());
    }
    let mut refused = Vec::new();
    for entry in library.list() {
        match entry.state {
            Installed::Missing => println!("{}: not installed", entry.manifest.name),
            Installed::Good { sha256 } => println!("{}: good, sha256 {sha256}", entry.manifest.name),
            Installed::Refused(why) => refused.push(why),
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(Failure::Failed(anyhow::anyhow!(refused.join("\n")))) }
}

fn pull(config: &ConfigArg, name: &str, from: Option<&Path>) -> Result<(), Failure> {
    let library = models::library(&load(config)?.config);
    let installed = match from {
        Some(file) => library.install(name, file)?,
        None => {
            let mut tenths = 0;
            models::download(&library, name, |done, whole| {
                let now = done * 10 / whole.max(1);
                if now > tenths {
                    tenths = now;
                    eprintln!("{name}: {}0 %", now);
                }
            })?
        }
    };
    println!("{name}: installed at {}", installed.display());
    Ok(())
}

/// What a model costs on this machine, on pictures of a real video.
fn bench(config: &ConfigArg, name: &str, video: &Path, fps: f32) -> Result<(), Failure> {
    let config = load(config)?.config;
    let model = models::library(&config).load(name)?;
    let file = File::open(video).with_context(|| format!("cannot open {}", video.display()))?;
    let launcher = models::launcher(&config)?;
    let (mut pictures, mut boxes) = (0u64, 0usize);
    let (mut first, mut last) = (None, None);
    vision::replay(&launcher, model, fps, file, |seen| {
        let now = Instant::now();
        first.get_or_insert(now);
        last = Some(now);
        pictures += 1;
        boxes += seen.detections.len();
    })?;
    let (Some(first), Some(last), true) = (first, last, pictures > 1) else {
        return Err(Failure::Failed(anyhow::anyhow!("{} has fewer than two pictures at {fps} a second", video.display())));
    };
    // Between the first and the last result: starting and loading are not in it.
    let each = (last - first).as_secs_f64() * 1000.0 / (pictures - 1) as f64;
    println!("{name}: {pictures} pictures, {boxes} things seen, {each:.2} ms a picture on one thread, decoding included");
    println!("one thread looks at {:.0} pictures a second: {:.0} cameras at 5 a second", 1000.0 / each, 200.0 / each);
    Ok(())
}
