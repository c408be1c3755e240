//! What a camera's analysis needs to know.
//!
//! Belongs here: the values, and the check that they can work. Does not belong here: how they are written in a file.

use crate::tracker::TrackerConfig;
use domain::{Class, ViolationKind, geometry::Point};
use std::time::Duration;

/// One camera's tracker and rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The tracker.
    pub tracker: TrackerConfig,
    /// The rules, in the file's order.
    pub rules: Vec<Rule>,
}

/// An area of the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// At least 3 corners, fractions of the picture.
    pub polygon: Vec<Point>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Where it holds.
    pub zone: Zone,
    /// Whom it concerns; empty: everything that drives.
    pub classes: Vec<Class>,
    /// What is forbidden.
    pub what: What,
}

/// What a rule forbids.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Standing in the zone for `after` or longer.
    NoParking {
        /// How long is too long.
        after: Duration,
    },
    /// Moving in the zone against the way `from` → `to`.
    WrongWay {
        /// A point on the permitted way.
        from: Point,
        /// A later point on it.
        to: Point,
        /// Degrees, above 0 and below 180: a movement that deviates from the exact opposite of the permitted way by
        /// less than this is against it. At 60, a turn of more than 120 from the permitted way counts; crossing does not.
        tolerance: f64,
        /// How far it must have moved, fraction of the picture, above 0.
        min_travel: f64,
    },
}

impl What {
    /// The rule's kind.
    #[must_use]
    pub fn kind(&self) -> ViolationKind {
        match self {
            Self::NoParking { .. } => ViolationKind::NoParking,
            Self::WrongWay { .. } => ViolationKind::WrongWay,
        }
    }
}

impl Rule {
    /// Whether the rule concerns a class.
    pub(crate) fn concerns(&self, class: &Class) -> bool {
        if self.classes.is_empty() { crate::classes::drives(class) } else { self.classes.contains(class) }
    }
}

/// A configuration that cannot work. The rule is named by its place in the list, from 1 as people count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A zone is no area.
    #[error("rule {rule}: the zone `{zone}` is no area: give at least 3 corners, each a finite number")]
    Zone {
        /// Which rule.
        rule: usize,
        /// Its zone.
        zone: String,
    },
    /// A number of a rule is out of its range.
    #[error("rule {rule}: {what}")]
    Number {
        /// Which rule.
        rule: usize,
        /// What is wrong and what to write.
        what: &'static str,
    },
    /// Thresholds of the tracker contradict each other.
    #[error("the tracker needs 0 <= weak <= strong <= begin <= 1 and confirm of at least 1")]
    Tracker,
}

impl Config {
    /// # Errors
    /// The first value that cannot work.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let t = &self.tracker;
        if !(0.0 <= t.weak && t.weak <= t.strong && t.strong <= t.begin && t.begin <= 1.0 && t.confirm >= 1) {
            return Err(ConfigError::Tracker);
        }
        let finite = |p: &Point| p.x.is_finite() && p.y.is_finite();
        for (i, r) in self.rules.iter().enumerate() {
            let rule = i + 1;
            if r.zone.polygon.len() < 3 || !r.zone.polygon.iter().all(finite) {
                return Err(ConfigError::Zone { rule, zone: r.zone.name.clone() });
            }
            let wrong = match &r.what {
                What::NoParking { after } => after.is_zero().then_some("`after` must be longer than nothing"),
                What::WrongWay { from, to, .. } if !finite(from) || !finite(to) || from == to => {
                    Some("`direction` needs two different points")
                }
                What::WrongWay { tolerance, .. } if !(*tolerance > 0.0 && *tolerance < 180.0) => {
                    Some("`tolerance` must be above 0 and below 180 degrees")
                }
                What::WrongWay { min_travel, .. } if !(*min_travel > 0.0 && min_travel.is_finite()) => Some("`min_travel` must be above 0"),
                What::WrongWay { .. } => None,
            };
            if let Some(what) = wrong {
                return Err(ConfigError::Number { rule, what });
            }
        }
        Ok(())
    }
}
