//! `matthon replay`: a camera's rules over a video file. The same file, the same model and the same rules say the same.

use super::load;
use crate::{cli::ReplayArgs, exit::Failure, models, seeing::rules};
use analytics::{Analytics, Event};
use anyhow::Context;
use domain::{Violation, ViolationEnd, WallTime};
use serde_json::json;
use std::fs::File;

/// A violation and, once it is over, its end.
struct Found {
    violation: Violation,
    end: Option<ViolationEnd>,
}

pub(crate) fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let config = load(&args.config)?.config;
    let camera = config.camera(&args.camera).ok_or_else(|| {
        let known: Vec<_> = config.cameras.iter().map(|c| c.id.as_str()).collect();
        Failure::usage(format!("--camera {}: no such camera; the configuration has {}", args.camera, known.join(", ")))
    })?;
    let vision = config.vision.as_ref().ok_or_else(|| Failure::usage("the configuration has no [vision]: add it with a model's name"))?;
    let file = File::open(&args.video).with_context(|| format!("cannot open {}", args.video.display()))?;
    let model = models::library(&config).load(&vision.model)?;
    let mut analytics = Analytics::new(rules::of(camera))?;
    let mut found: Vec<Found> = Vec::new();
    let mut last = WallTime(0);
    let replayed = vision::replay(&models::launcher(&config)?, model, vision.fps as f32, file, |seen| {
        last = seen.capture;
        note(&mut found, analytics.observe(&seen));
    })
    .with_context(|| format!("{} cannot be replayed", args.video.display()))?;
    note(&mut found, analytics.finish());
    // By the first evidence: what a person looks for in the film.
    found.sort_by_key(|a| (a.violation.start, a.violation.id));
    for f in &found {
        println!("{}", if args.json { line(f, last) } else { sentence(f, last) });
    }
    if !args.json {
        println!("{} violations in {:.1} s, {} pictures decoded", found.len(), replayed.length_micros as f64 / 1e6, replayed.decoded);
    }
    Ok(())
}

fn note(found: &mut Vec<Found>, events: Vec<Event>) {
    for event in events {
        match event {
            Event::Raised(violation) => found.push(Found { violation, end: None }),
            Event::Ended(end) => {
                if let Some(f) = found.iter_mut().find(|f| f.violation.id == end.id) {
                    f.end = Some(end);
                }
            }
        }
    }
}

/// Times in a file begin at 0.
fn seconds(t: WallTime) -> f64 {
    t.0 as f64 / 1e6
}

fn end(f: &Found, last: WallTime) -> WallTime {
    f.end.as_ref().map_or(last, |e| e.end)
}

/// The contract: `kind`, `start_s`, `end_s`, `track`, `box` on the picture the rule became sure on, `why`, `measured`.
fn line(f: &Found, last: WallTime) -> String {
    let v = &f.violation;
    json!({
        "kind": v.kind, "zone": v.zone, "class": v.class, "track": v.track,
        "start_s": seconds(v.start), "raised_s": seconds(v.raised), "end_s": seconds(end(f, last)),
        "box": v.bbox, "why": v.why, "measured": v.measured,
    })
    .to_string()
}

fn sentence(f: &Found, last: WallTime) -> String {
    let v = &f.violation;
    format!("{:8.1} s – {:8.1} s  {}  {}", seconds(v.start), seconds(end(f, last)), v.kind.as_str(), v.why.vi)
}
