//! Observations → tracks → violations, and lines of what came by.
//!
//! Belongs here: the tracker, the rules, and nothing that is not computed from what is passed in: no clock, no file, no
//! randomness, no order of a hash map. The same observations give the same events, on any machine, live or replayed.
//! Does not belong here: detection (`vision`), what becomes of a violation (`cases`).
//!
//! ```
//! use analytics::{Analytics, Config};
//! use domain::{Observation, WallTime};
//! # use matthon_analytics as analytics;
//! let mut camera = Analytics::new(Config::default())?;
//! let seen = Observation { capture: WallTime::from_secs(1), width: 640, height: 360, motion: 0.0, detections: vec![] };
//! assert!(camera.observe(&seen).is_empty());
//! # Ok::<(), analytics::ConfigError>(())
//! ```

mod assign;
mod classes;
mod config;
mod event;
mod gallery;
mod kalman;
mod plane;
mod rules;
mod tracker;
mod why;

pub use assign::assign;
pub use config::{Config, ConfigError, Rule, What, Zone};
pub use event::Event;
pub use gallery::{Gallery, PART as GALLERY_PART};
pub use tracker::{MAX_DETECTIONS, MAX_TRACKS, TrackerConfig};

use domain::{EndReason, Observation, Track, WallTime};
use event::{Out, Scene};
use plane::Shape;
use rules::RuleState;
use tracker::Tracker;

/// Time between two pictures that still counts as looking without a break, µs.
const LOOKING: i64 = 2_000_000;
/// A clock set back by less than this is a late picture, which is left out; by more, a new beginning. µs.
const LATE: i64 = 1_000_000;

/// Everything that is known about one camera's picture.
#[derive(Debug)]
pub struct Analytics {
    config: Config,
    tracker: Tracker,
    rules: Vec<RuleState>,
    last: Option<(WallTime, Shape)>,
    out: Out,
}

impl Analytics {
    /// Starts with an empty road.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let tracker = Tracker::new(config.tracker.clone());
        let rules = config.rules.iter().map(RuleState::new).collect();
        Ok(Self { config, tracker, rules, last: None, out: Out::new() })
    }

    /// Takes the next picture and says what follows from it. A picture that is not later than the last one is left out.
    pub fn observe(&mut self, o: &Observation) -> Vec<Event> {
        let Some(shape) = Shape::of(o) else { return Vec::new() };
        let now = o.capture;
        let mut dt = 0;
        if let Some((last, before)) = self.last {
            dt = now.micros_since(last);
            if dt < -LATE || !shape.is_like(before) {
                self.interrupt();
                dt = 0;
            } else if dt <= 0 {
                return Vec::new();
            }
        }
        self.last = Some((now, shape));
        // Beyond a minute nothing is left of a prediction, and its numbers would only grow.
        self.tracker.observe(now, dt.min(60_000_000) as f64 / 1e6, shape, &o.detections);
        let scene = Scene { now, looked: dt.min(LOOKING), shape, tracks: self.tracker.tracks() };
        for (i, (state, rule)) in self.rules.iter_mut().zip(&self.config.rules).enumerate() {
            state.observe(&scene, i, rule, &mut self.out);
        }
        std::mem::take(&mut self.out.events)
    }

    /// The tracks after the latest picture, in order of their ids.
    #[must_use]
    pub fn tracks(&self) -> Vec<Track> {
        self.last.map_or_else(Vec::new, |(_, shape)| self.tracker.tracks().iter().map(|t| t.public(shape)).collect())
    }

    /// Whether something is being followed or waited for: then pictures are wanted even where nothing moves.
    #[must_use]
    pub fn wants_pictures(&self) -> bool {
        !self.tracker.tracks().is_empty() || self.rules.iter().any(RuleState::waits)
    }

    /// Goes on with another configuration. Rules that did not change keep what they know; violations of those that are
    /// gone end.
    ///
    /// # Errors
    /// When the configuration cannot work; then nothing changed.
    pub fn reconfigure(&mut self, config: Config) -> Result<Vec<Event>, ConfigError> {
        config.check()?;
        self.tracker.set_config(config.tracker.clone());
        let mut old: Vec<_> = std::mem::take(&mut self.rules).into_iter().zip(&self.config.rules).collect();
        let mut rules = Vec::new();
        for rule in &config.rules {
            let same = old.iter().position(|(_, r)| *r == rule);
            rules.push(same.map_or_else(|| RuleState::new(rule), |i| old.remove(i).0));
        }
        for (mut gone, _) in old {
            gone.interrupt(&mut self.out);
        }
        self.rules = rules;
        self.config = config;
        Ok(std::mem::take(&mut self.out.events))
    }

    /// Ends what is still going on: the camera is removed, or the file is over.
    pub fn finish(&mut self) -> Vec<Event> {
        self.interrupt();
        self.last = None;
        std::mem::take(&mut self.out.events)
    }

    fn interrupt(&mut self) {
        self.tracker.clear();
        for rule in &mut self.rules {
            rule.interrupt(&mut self.out);
        }
    }
}

/// Why a violation ends when its evidence breaks off.
const BROKEN: EndReason = EndReason::Interrupted;
