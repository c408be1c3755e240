//! A scenario brought to life: who is where at any moment, and what is true of it.
//!
//! A pure function of scenario and seed. After its last second it begins again without a seam: who is still under way
//! then goes on while the next round has begun.

use super::bodies::{Body, Class, Wish};
use super::dice::Dice;
use super::draw::{Air, Painter, Sight, Sketch, Thing};
use super::light::Light;
use super::places::Place;
use super::scenario::{Event, EventKind, Lights, Mistake, Scenario, Stopped, Timeline, roll_traffic, write_script};

/// Somebody of the scenario.
#[derive(Clone, Debug)]
struct Cast {
    body: Body,
    /// Seconds from the beginning of the round.
    at: f64,
    timeline: Timeline,
    track: u32,
    /// The actor's name; None for ordinary traffic.
    name: Option<String>,
}

/// A violation as the scenario means it.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// `no-parking`, `wrong-way`, …
    pub kind: String,
    /// Whose: the actor's name.
    pub actor: String,
    /// The track of who or what can be seen doing it.
    pub track: u32,
    /// Seconds from the beginning of the round.
    pub from: f64,
    /// Seconds from the beginning of the round.
    pub to: f64,
}

/// A scenario with its place, light and everybody's movement.
#[derive(Clone, Debug)]
pub struct Street {
    place: Place,
    light: Light,
    air: Air,
    seed: u64,
    seconds: f64,
    cast: Vec<Cast>,
    intents: Vec<Intent>,
    events: Vec<Event>,
    signal: Body,
    lights: Lights,
}

/// Tracks of one body: itself, its riders and marked parts.
const TRACKS: u32 = 32;

impl Street {
    /// Builds a scenario with a seed.
    ///
    /// # Errors
    /// A [`Mistake`] naming the actor and step, or the traffic, that does not fit the place.
    pub fn new(scenario: &Scenario, seed: u64) -> Result<Self, Mistake> {
        let mut place = Place::new(scenario.place, seed);
        place.ground.wet = place.ground.wet.max(scenario.weather.rain);
        let light = Light::new(scenario.hour, &place.lamps, place.view.at, &mut Dice::new(seed, "light"));
        let mut street = Self {
            place,
            light,
            air: Air::new(scenario.weather, seed),
            seed,
            seconds: scenario.seconds,
            cast: Vec::new(),
            intents: Vec::new(),
            events: scenario.event.clone(),
            signal: Body::new(Class::TrafficLight, &Wish::default(), &mut Dice::new(seed, "signal")),
            lights: scenario.lights,
        };
        let stopped = street.actors(scenario)?;
        for user in roll_traffic(scenario, &street.place, &stopped, seed)? {
            street.join(user.body, user.at, user.timeline, None);
        }
        Ok(street)
    }

    fn join(&mut self, body: Body, at: f64, timeline: Timeline, name: Option<String>) -> u32 {
        let track = 1 + self.cast.len() as u32 * TRACKS * 2;
        self.cast.push(Cast { body, at, timeline, track, name });
        track
    }

    /// Everybody with a part; tells who stands in the road.
    fn actors(&mut self, scenario: &Scenario) -> Result<Vec<Stopped>, Mistake> {
        let mut stopped = Vec::new();
        // (owner, track, appears) of what was put down, for those who take it away.
        let mut dropped: Vec<(String, usize)> = Vec::new();
        let mut taken: Vec<(String, f64, String)> = Vec::new();
        for (i, actor) in scenario.actor.iter().enumerate() {
            let mut dice = Dice::new(self.seed, &format!("actor {i}"));
            let wish = Wish { colour: actor.colour, kind: actor.kind.clone(), helmets: actor.helmets.clone() };
            let body = Body::new(actor.class, &wish, &mut dice);
            let long = if actor.class.drives() { body.size.x * 0.6 } else { 0.6 };
            let script = write_script(actor, long, &self.place)?;
            let Some(mut timeline) = script.timeline else { continue };
            if timeline.lasts() > 1e9 {
                // Without steps it is there as long as the round.
                let heading = actor.heading.unwrap_or(0.0).to_radians();
                let at = timeline.cue(0.0).map(|c| c.at).unwrap_or_default();
                timeline = Timeline::lying(at, heading, self.seconds - actor.at);
            }
            if actor.class.drives() || actor.class == Class::Stall {
                let half = body.size.y / 2.0;
                stopped.extend(timeline.stands().map(|(from, to, at)| Stopped { from: actor.at + from, to: actor.at + to, at, half }));
            }
            let track = self.join(body, actor.at, timeline, Some(actor.name.clone()));
            for (kind, from, to) in script.violations {
                let (from, to) = (actor.at + from, actor.at + to);
                match self.intents.last_mut() {
                    // Steps that follow one another are one violation.
                    Some(last) if last.kind == kind && last.track == track && (last.to - from).abs() < 1e-6 => last.to = to,
                    _ => self.intents.push(Intent { kind, actor: actor.name.clone(), track, from, to }),
                }
            }
            for (class, when, at, kind) in script.drops {
                let body = Body::new(class, &Wish::default(), &mut dice);
                let from = actor.at + when;
                let lies = Timeline::lying(at, dice.between(0.0, 6.2), (self.seconds - from).max(0.1));
                let track = self.join(body, from, lies, Some(format!("{}: {}", actor.name, class.word())));
                dropped.push((actor.name.clone(), self.cast.len() - 1));
                if let Some(kind) = kind {
                    self.intents.push(Intent { kind, actor: actor.name.clone(), track, from, to: self.seconds });
                }
            }
            taken.extend(script.takes.into_iter().map(|(whose, when)| (whose, actor.at + when, actor.name.clone())));
        }
        for (whose, when, by) in taken {
            let Some((_, index)) = dropped.iter().find(|d| d.0 == whose) else {
                return Err(Mistake { place: format!("actor {by:?}"), reason: format!("take = {whose:?}: no such actor drops anything") });
            };
            let cast = &mut self.cast[*index];
            let (at, heading) = cast.timeline.cue(0.0).map(|c| (c.at, c.heading)).unwrap_or_default();
            cast.timeline = Timeline::lying(at, heading, (when - cast.at).max(0.1));
            let track = cast.track;
            self.intents.iter_mut().filter(|i| i.track == track).for_each(|i| i.to = when);
        }
        Ok(stopped)
    }

    /// How long a round is, seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The violations the scenario means, in the order they begin.
    #[must_use]
    pub fn intents(&self) -> Vec<Intent> {
        let mut intents = self.intents.clone();
        intents.sort_by(|a, b| a.from.total_cmp(&b.from));
        intents
    }

    /// What happens to the camera.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The actor's name behind a track, if it has a part.
    #[must_use]
    pub fn name(&self, track: u32) -> Option<&str> {
        self.cast.get(((track - 1) / (TRACKS * 2)) as usize)?.name.as_deref()
    }

    /// Everybody who is there at a moment. Any number of seconds since the very beginning.
    #[must_use]
    pub fn things(&self, seconds: f64) -> Vec<Thing<'_>> {
        let round = (seconds / self.seconds).floor();
        let now = seconds - round * self.seconds;
        let mut things = Vec::new();
        for cast in &self.cast {
            // This round's, and who is left of the last one.
            for late in [0.0, 1.0] {
                if round < late {
                    continue; // there is no round before the first
                }
                let Some(cue) = cast.timeline.cue(now + late * self.seconds - cast.at) else { continue };
                let odd = ((round - late) as i64).rem_euclid(2) as u32;
                things.push(Thing {
                    track: cast.track + odd * TRACKS,
                    body: &cast.body,
                    at: cue.at,
                    lift: 0.0,
                    heading: cue.heading,
                    gone: cue.gone,
                    brakes: cue.brakes,
                    blinks: cue.blinks,
                    lamps: !cue.stands || cue.blinks,
                    signal: None,
                });
            }
        }
        things.extend(self.signals(seconds));
        things
    }

    /// The place's traffic lights, with tracks behind everybody's.
    fn signals(&self, seconds: f64) -> impl Iterator<Item = Thing<'_>> {
        let first = 1 + self.cast.len() as u32 * TRACKS * 2;
        let shows = self.lights.shows(seconds);
        self.place.signals.iter().zip(0u32..).map(move |((at, heading), i)| Thing {
            track: first + i * TRACKS,
            body: &self.signal,
            at: *at,
            lift: 0.0,
            heading: heading + core::f32::consts::PI,
            gone: 0.0,
            brakes: false,
            blinks: false,
            lamps: true,
            signal: Some(shows),
        })
    }

    /// A painter of its pictures. `width` is a multiple of 8 and `height` of 2.
    #[must_use]
    pub fn painter(&self, width: usize, height: usize) -> Painter {
        Painter::new(&self.place, self.light.clone(), self.air.clone(), width, height)
    }

    /// The reckoner of its truth, for pictures of this shape.
    #[must_use]
    pub fn sketch(&self, width: usize, height: usize) -> Sketch {
        Sketch::new(&self.place, width, height)
    }

    /// Draws the picture of a moment, with what happens to the camera just then.
    pub fn paint(&self, painter: &mut Painter, seconds: f64, picture: &mut [u8]) {
        painter.paint_with(&self.things(seconds), seconds, self.mishap(seconds), picture);
    }

    /// What is in the picture of a moment; nothing while the lens is covered.
    pub fn sights(&self, sketch: &mut Sketch, seconds: f64) -> Vec<Sight> {
        if self.mishap(seconds) == Some(EventKind::Covered) {
            return Vec::new();
        }
        let mut sights = sketch.sights(&self.things(seconds), seconds);
        let (dx, dy) = self.air.shift(seconds);
        for sight in &mut sights {
            sight.shift(dx, dy, sketch.shape());
        }
        sights
    }

    fn mishap(&self, seconds: f64) -> Option<EventKind> {
        let now = seconds.rem_euclid(self.seconds);
        self.events.iter().find(|e| (e.at..e.at + e.lasts).contains(&now)).map(|e| e.kind)
    }
}
