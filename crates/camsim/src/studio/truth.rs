//! Ground truth as JSON lines.
//!
//! | line | fields |
//! |---|---|
//! | `scenario`, first | `scenario`, `title`, `place`, `hour`, `seconds`, `seed`, `fps`, `width`, `height` |
//! | `picture`, one a frame | `n`, `t` (seconds), `objects`: `track`, `class`, `of` (the track it belongs to), `box` (left, top, right, bottom as fractions of the picture), `inside` (share of it within the picture), `visible` (share of that which nothing hides), `riders`, `helmets`, `signal` (of a traffic light), `name` (an actor's) |
//! | `violation`, at the end | `violation` (kind), `actor`, `track`, `from`, `to` (seconds), `seen` (first and last second in which at least half of it can be seen; null when never) |
//! | `camera`, at the end | `event`, `from`, `to` |
//!
//! Tracks are those of the first round.

use std::io::{self, BufWriter, Write};

use anyhow::Result;
use camsim::streets::draw::{Sight, Sketch};
use camsim::streets::scenario::Scenario;
use camsim::streets::street::{Intent, Street};
use serde::Serialize;
use serde_json::json;

use crate::cli::{Picture, Truth};

#[derive(Serialize)]
struct Object<'a> {
    #[serde(flatten)]
    sight: &'a Sight,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// A truth being written.
pub(super) struct Log<'a, W: Write> {
    street: &'a Street,
    sketch: Sketch,
    out: W,
    intents: Vec<(Intent, Option<(f64, f64)>)>,
}

impl<'a, W: Write> Log<'a, W> {
    pub(super) fn begin(which: &str, scenario: &Scenario, street: &'a Street, picture: &Picture, mut out: W) -> Result<Self> {
        let head = json!({
            "line": "scenario", "scenario": which, "title": scenario.title, "place": scenario.place,
            "hour": format!("{:?}", scenario.hour).to_lowercase(), "seconds": scenario.seconds, "seed": picture.seed, "fps": picture.fps,
            "width": picture.size.width, "height": picture.size.height,
        });
        writeln!(out, "{head}")?;
        let sketch = street.sketch(picture.size.width as usize, picture.size.height as usize);
        Ok(Self { street, sketch, out, intents: street.intents().into_iter().map(|i| (i, None)).collect() })
    }

    pub(super) fn picture(&mut self, n: u64, t: f64) -> Result<()> {
        let sights = self.street.sights(&mut self.sketch, t);
        for (intent, seen) in &mut self.intents {
            let visible = |s: &&Sight| s.track == intent.track && s.visible * s.inside >= 0.5;
            if (intent.from..=intent.to).contains(&t) && sights.iter().find(visible).is_some() {
                *seen = Some(seen.map_or((t, t), |(first, _)| (first, t)));
            }
        }
        let objects: Vec<_> = sights.iter().map(|sight| Object { sight, name: self.street.name(sight.track) }).collect();
        writeln!(self.out, "{}", json!({ "line": "picture", "n": n, "t": rounded(t), "objects": objects }))?;
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<()> {
        for (intent, seen) in &self.intents {
            let line = json!({
                "line": "violation", "violation": intent.kind, "actor": intent.actor, "track": intent.track,
                "from": rounded(intent.from), "to": rounded(intent.to), "seen": seen.map(|(a, b)| [rounded(a), rounded(b)]),
            });
            writeln!(self.out, "{line}")?;
        }
        for event in self.street.events() {
            writeln!(self.out, "{}", json!({ "line": "camera", "event": event.kind, "from": event.at, "to": event.at + event.lasts }))?;
        }
        self.out.flush()?;
        Ok(())
    }
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// When the frames of a clip are, seconds.
pub(super) fn moments(picture: &Picture, street: &Street) -> impl Iterator<Item = (u64, f64)> + use<> {
    let seconds = picture.seconds.unwrap_or(street.seconds());
    let fps = f64::from(picture.fps);
    (0..(seconds * fps).round() as u64).map(move |n| (n, n as f64 / fps))
}

/// `camsim truth`: to standard output.
pub(crate) fn truth(args: &Truth) -> Result<()> {
    let (scenario, street) = super::street(&args.picture.scenario, args.picture.seed)?;
    let out = BufWriter::new(io::stdout().lock());
    let mut log = Log::begin(&args.picture.scenario, &scenario, &street, &args.picture, out)?;
    for (n, t) in moments(&args.picture, &street) {
        log.picture(n, t)?;
    }
    log.end()
}
