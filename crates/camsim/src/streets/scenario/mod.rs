//! The scenario language: who is where and when, in TOML.
//!
//! Belongs here: the words of the file and what is wrong with one. `path` and `script` turn steps into movement,
//! `traffic` rolls ordinary road users; `crate::streets::street` plays it all.
//!
//! ```toml
//! title = "A truck parks before a shop"
//! place = "market"            # gate, market, school, rubbish, junction, open-road
//! hour = "day"                # day, dusk, night, infrared
//! seconds = 60                # then it begins again, without a seam
//!
//! [weather]                   # each 0 to 1, 0 when left out
//! wind = 0.3                  # rain, wind, insects, pumping, noise, shake, blur
//!
//! [[traffic]]                 # ordinary road users, rolled from the seed
//! way = "in"
//! per_minute = 14
//! classes = { motorcycle = 6, car = 2, person = 0 }
//! speed = [5, 9]              # metres a second
//!
//! [[actor]]                   # somebody with a part to play
//! name = "truck"
//! class = "truck"
//! at = 4                      # seconds
//! way = "in"                  # it comes from the beginning of this way, or: from = "spot" / [x, y]
//! steps = [
//!   { follow = "in", until = "kerb-right", speed = 6 },
//!   { wait = 30, violation = "no-parking" },
//!   { follow = "in", speed = 6 },
//! ]
//!
//! [lights]                    # of a place that has traffic lights, seconds; the round is a multiple of their sum
//! green = 17
//! amber = 3
//! red = 20
//!
//! [[event]]                   # what happens to the camera: covered, blurred, shaken
//! kind = "covered"
//! at = 40
//! lasts = 5
//! ```

mod path;
mod script;
mod shipped;
mod traffic;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bodies::Class;
use super::draw::Weather;
use super::light::Hour;
use super::mesh::Signal;
use super::places::{Place, PlaceName};

pub(super) use script::{Timeline, write as write_script};
pub use shipped::{SHIPPED, shipped};
pub(super) use traffic::{Stopped, roll as roll_traffic};

/// Longest scenario, seconds.
const LONGEST: f64 = 900.0;
/// Most bodies of one scenario.
const CROWD: usize = 2000;

/// A scenario as written.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line for people.
    pub title: String,
    /// The same in Vietnamese.
    #[serde(default)]
    pub title_vi: Option<String>,
    /// Where.
    pub place: PlaceName,
    /// When.
    pub hour: Hour,
    /// How long until it begins again.
    pub seconds: f64,
    /// Weather and camera.
    #[serde(default)]
    pub weather: Weather,
    /// Ordinary road users.
    #[serde(default)]
    pub traffic: Vec<Traffic>,
    /// Those with a part.
    #[serde(default)]
    pub actor: Vec<Actor>,
    /// How long traffic lights show what.
    #[serde(default)]
    pub lights: Lights,
    /// What happens to the camera.
    #[serde(default)]
    pub event: Vec<Event>,
}

/// The seconds of a traffic light's green, amber and red, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each is its own word")]
pub struct Lights {
    pub green: f64,
    pub amber: f64,
    pub red: f64,
}

impl Default for Lights {
    fn default() -> Self {
        Self { green: 17.0, amber: 3.0, red: 20.0 }
    }
}

impl Lights {
    fn cycle(self) -> f64 {
        self.green + self.amber + self.red
    }

    /// What the light of the road away from the camera shows.
    #[must_use]
    pub fn shows(self, seconds: f64) -> Signal {
        let now = seconds.rem_euclid(self.cycle());
        if now < self.green {
            Signal::Green
        } else if now < self.green + self.amber {
            Signal::Amber
        } else {
            Signal::Red
        }
    }
}

/// Ordinary road users on one way.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// The way they follow.
    pub way: String,
    /// How many come in a minute.
    pub per_minute: f32,
    /// Shares of classes.
    pub classes: BTreeMap<Class, f32>,
    /// Slowest and fastest, metres a second; each class has its own when left out.
    #[serde(default)]
    pub speed: Option<[f32; 2]>,
}

/// Somebody with a part to play.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Its name, in the truth and for other actors.
    pub name: String,
    /// What it is.
    pub class: Class,
    /// When it appears, seconds.
    #[serde(default)]
    pub at: f64,
    /// It comes from the beginning of this way…
    #[serde(default)]
    pub way: Option<String>,
    /// …or it is at this place from the beginning on.
    #[serde(default)]
    pub from: Option<Where>,
    /// Where it looks before it moves, degrees from right to away.
    #[serde(default)]
    pub heading: Option<f32>,
    /// One of the class's kinds.
    #[serde(default)]
    pub kind: Option<String>,
    /// Its colour, sRGB.
    #[serde(default)]
    pub colour: Option<[u8; 3]>,
    /// A helmet or none for each rider, the driver first.
    #[serde(default)]
    pub helmets: Option<Vec<bool>>,
    /// What it does, one after another; it is gone after the last.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// A place in the village.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Where {
    /// A spot of the place.
    Spot(String),
    /// Metres to the right and away.
    Point([f32; 2]),
}

/// One step: exactly one of `follow`, `to`, `wait`, `drop`, `take`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Along this way, from where the actor is…
    #[serde(default)]
    pub follow: Option<String>,
    /// …up to beside this place; to the end of the way when left out.
    #[serde(default)]
    pub until: Option<Where>,
    /// Against the direction of the way.
    #[serde(default)]
    pub against: bool,
    /// Metres to the left of the way, negative to the right.
    #[serde(default)]
    pub side: f32,
    /// Straight to this place.
    #[serde(default)]
    pub to: Option<Where>,
    /// Stands for so many seconds.
    #[serde(default)]
    pub wait: Option<f64>,
    /// Puts down a thing of this class here; it stays.
    #[serde(default)]
    pub drop: Option<Class>,
    /// Takes away what the actor of this name dropped.
    #[serde(default)]
    pub take: Option<String>,
    /// Metres a second.
    #[serde(default)]
    pub speed: Option<f32>,
    /// The kind of violation that lasts as long as this step; of a `drop`, as long as the thing lies there.
    #[serde(default)]
    pub violation: Option<String>,
    /// Blinkers on.
    #[serde(default)]
    pub blink: bool,
}

/// Something that happens to the camera.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Seconds.
    pub at: f64,
    /// Seconds.
    pub lasts: f64,
}

/// What can happen to a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// Something is held before the lens.
    Covered,
    /// Out of focus.
    Blurred,
    /// Somebody shakes the pole.
    Shaken,
}

/// What is wrong with a scenario: where, what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Mistake {
    /// `actor "truck", step 2` or a line of the file.
    pub place: String,
    /// A sentence.
    pub reason: String,
}

fn mistake(place: impl Into<String>, reason: impl Into<String>) -> Mistake {
    Mistake { place: place.into(), reason: reason.into() }
}

impl Scenario {
    /// Reads a scenario and checks what can be checked without its place.
    ///
    /// # Errors
    /// A [`Mistake`] with line and column, or the actor and step.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let scenario: Self = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(0, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
            mistake(format!("line {line}"), e.message().to_owned())
        })?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), Mistake> {
        if !(1.0..=LONGEST).contains(&self.seconds) {
            return Err(mistake("seconds", format!("{} must be 1 to {LONGEST}", self.seconds)));
        }
        let weather = &self.weather;
        for (name, v) in [
            ("rain", weather.rain),
            ("wind", weather.wind),
            ("insects", weather.insects),
            ("pumping", weather.pumping),
            ("noise", weather.noise),
            ("shake", weather.shake),
            ("blur", weather.blur),
        ] {
            if !(0.0..=1.0).contains(&v) {
                return Err(mistake(format!("weather, {name}"), format!("{v} must be 0 to 1")));
            }
        }
        let crowd: f64 = self.traffic.iter().map(|t| f64::from(t.per_minute) * self.seconds / 60.0).sum();
        if !(0.0..=CROWD as f64).contains(&crowd) {
            return Err(mistake("traffic", format!("{crowd:.0} road users are more than {CROWD}: lower per_minute or seconds")));
        }
        for traffic in &self.traffic {
            let good = traffic.classes.values().all(|w| w.is_finite() && *w >= 0.0) && traffic.classes.values().sum::<f32>() > 0.0;
            if !good || !traffic.per_minute.is_finite() || traffic.per_minute < 0.0 {
                return Err(mistake(
                    format!("traffic on {:?}", traffic.way),
                    "per_minute and the shares of classes must be 0 or more, one of them above",
                ));
            }
            if traffic.speed.is_some_and(|[low, high]| !(0.1..=40.0).contains(&low) || !(low..=40.0).contains(&high)) {
                return Err(mistake(
                    format!("traffic on {:?}", traffic.way),
                    "speed must be [slowest, fastest] within 0.1 and 40 metres a second",
                ));
            }
        }
        for (i, actor) in self.actor.iter().enumerate() {
            if self.actor[..i].iter().any(|a| a.name == actor.name) {
                return Err(mistake(format!("actor {:?}", actor.name), "there is another one of this name"));
            }
            if actor.way.is_some() == actor.from.is_some() {
                return Err(mistake(format!("actor {:?}", actor.name), "needs either way or from: where it comes from"));
            }
            if !(0.0..self.seconds).contains(&actor.at) {
                return Err(mistake(format!("actor {:?}", actor.name), format!("at must be 0 or more and below {}", self.seconds)));
            }
            if actor.helmets.as_ref().is_some_and(|h| h.is_empty() || h.len() > 4) {
                return Err(mistake(format!("actor {:?}", actor.name), "helmets must be for 1 to 4 riders"));
            }
        }
        if self.place == PlaceName::Junction {
            let Lights { green, amber, red } = self.lights;
            let good = [green, amber, red].iter().all(|s| (1.0..=300.0).contains(s));
            let rounds = self.seconds / self.lights.cycle();
            if !good || (rounds - rounds.round()).abs() > 1e-6 {
                return Err(mistake(
                    "lights",
                    format!("green, amber and red must be 1 to 300 seconds, and seconds = {} a multiple of their sum", self.seconds),
                ));
            }
        }
        for event in &self.event {
            if !(0.0..=self.seconds).contains(&event.at) || !(0.0..=self.seconds).contains(&event.lasts) {
                return Err(mistake("event", "at and lasts must lie within the scenario"));
            }
        }
        Ok(())
    }
}

impl Where {
    /// Where that is in `place`.
    fn point(&self, place: &Place, who: &str) -> Result<glam::Vec2, Mistake> {
        match self {
            Self::Point(p) if p.iter().all(|v| v.abs() < 500.0) => Ok((*p).into()),
            Self::Point(_) => Err(mistake(who, "a point must be within 500 metres")),
            Self::Spot(name) => place.spot(name).ok_or_else(|| {
                let known: Vec<_> = place.spots.iter().map(|s| s.0).collect();
                mistake(who, format!("{name:?} is no spot of this place; there are {}", known.join(", ")))
            }),
        }
    }
}

/// The way of a name, or a mistake that lists those there are.
fn way<'a>(place: &'a Place, name: &str, who: &str) -> Result<&'a super::places::Way, Mistake> {
    place.way(name).ok_or_else(|| {
        let known: Vec<_> = place.ways.iter().map(|w| w.name).collect();
        mistake(who, format!("{name:?} is no way of this place; there are {}", known.join(", ")))
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
