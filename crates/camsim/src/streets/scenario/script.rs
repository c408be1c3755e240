//! From steps to movement: a timeline that says where an actor is at any moment.

use glam::Vec2;

use super::path::Path;
use super::{Actor, Mistake, Step, mistake, way};
use crate::streets::bodies::Class;
use crate::streets::places::Place;

/// How fast one gets going and stops, metres a second each second.
const WHEELS: f32 = 2.2;
const FEET: f32 = 2.5;

/// One stretch of time.
#[derive(Clone, Debug, PartialEq)]
struct Leg {
    /// Seconds from the actor's appearance.
    begins: f64,
    lasts: f64,
    /// Metres along the path at its beginning, and gone in it.
    along: f32,
    length: f32,
    /// Metres a second at its beginning, its middle and its end; all 0 while waiting.
    speed: [f32; 3],
    pull: f32,
    blink: bool,
}

/// Where somebody is, from their first moment to their last.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::streets) struct Timeline {
    path: Path,
    legs: Vec<Leg>,
    /// Looks this way as long as it has not moved.
    heading: f32,
    long: f32,
}

/// A moment of a timeline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::streets) struct Cue {
    pub(in crate::streets) at: Vec2,
    pub(in crate::streets) heading: f32,
    pub(in crate::streets) gone: f32,
    pub(in crate::streets) brakes: bool,
    pub(in crate::streets) blinks: bool,
    pub(in crate::streets) stands: bool,
}

/// What a script leaves behind besides movement.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::streets) struct Script {
    pub(in crate::streets) timeline: Option<Timeline>,
    /// Kind, seconds from the actor's appearance: begin and end.
    pub(in crate::streets) violations: Vec<(String, f64, f64)>,
    /// What was put down: class, when, where, and the kind of violation it is.
    pub(in crate::streets) drops: Vec<(Class, f64, Vec2, Option<String>)>,
    /// Whose things were taken away, and when.
    pub(in crate::streets) takes: Vec<(String, f64)>,
}

impl Timeline {
    /// A timeline at one speed along a line, for ordinary traffic.
    pub(super) fn cruise(points: impl IntoIterator<Item = Vec2>, speed: f32, long: f32) -> Self {
        let path = Path::new(points);
        let length = path.length();
        let lasts = f64::from(length / speed);
        let leg = Leg { begins: 0.0, lasts, along: 0.0, length, speed: [speed; 3], pull: WHEELS, blink: false };
        Self { path, legs: vec![leg], heading: 0.0, long }
    }

    /// A thing that lies somewhere.
    pub(in crate::streets) fn lying(at: Vec2, heading: f32, lasts: f64) -> Self {
        let leg = Leg { begins: 0.0, lasts, along: 0.0, length: 0.0, speed: [0.0; 3], pull: 1.0, blink: false };
        Self { path: Path::new([at]), legs: vec![leg], heading, long: 1.0 }
    }

    /// Seconds from the first moment to the last.
    pub(in crate::streets) fn lasts(&self) -> f64 {
        self.legs.last().map_or(0.0, |l| l.begins + l.lasts)
    }

    /// The moment `seconds` after the first; None before it and after the last.
    pub(in crate::streets) fn cue(&self, seconds: f64) -> Option<Cue> {
        if seconds < 0.0 || seconds >= self.lasts() {
            return None;
        }
        let leg = self.legs.iter().rev().find(|l| l.begins <= seconds)?;
        let (gone, slows) = leg.gone((seconds - leg.begins) as f32);
        let along = leg.along + gone;
        Some(Cue {
            at: self.path.at(along),
            heading: self.path.heading(along, self.long).unwrap_or(self.heading),
            gone: along,
            brakes: slows || leg.length == 0.0,
            blinks: leg.blink && (seconds * 1.5).fract() < 0.5,
            stands: leg.length == 0.0,
        })
    }

    /// The stretches it stands still: seconds from its first moment, and where.
    pub(in crate::streets) fn stands(&self) -> impl Iterator<Item = (f64, f64, Vec2)> + '_ {
        self.legs.iter().filter(|l| l.length == 0.0).map(|l| (l.begins, l.begins + l.lasts, self.path.at(l.along)))
    }
}

impl Leg {
    /// Metres gone after `t` seconds, and whether it slows down.
    fn gone(&self, t: f32) -> (f32, bool) {
        if self.length == 0.0 {
            return (0.0, false);
        }
        let [first, cruise, last] = self.speed;
        let (up, down) = ((cruise - first) / self.pull, (cruise - last) / self.pull);
        let level = self.lasts as f32 - up - down;
        if t < up {
            return (first * t + self.pull * t * t / 2.0, false);
        }
        let risen = (first + cruise) / 2.0 * up;
        if t < up + level {
            return (risen + cruise * (t - up), false);
        }
        let t = t - up - level;
        ((risen + cruise * level + cruise * t - self.pull * t * t / 2.0).min(self.length), true)
    }

    /// Fits speeds to a length: too short a way never reaches its speed.
    fn moving(begins: f64, along: f32, length: f32, speed: f32, from_rest: bool, to_rest: bool, pull: f32) -> Self {
        let ramps = f32::from(u8::from(from_rest)) + f32::from(u8::from(to_rest));
        let cruise = if ramps > 0.0 { speed.min((2.0 * pull * length / ramps).sqrt()) } else { speed };
        let first = if from_rest { 0.0 } else { cruise };
        let last = if to_rest { 0.0 } else { cruise };
        let ramp = cruise * cruise / (2.0 * pull) * ramps;
        let lasts = f64::from(ramps * cruise / pull + (length - ramp).max(0.0) / cruise);
        Self { begins, lasts, along, length, speed: [first, cruise, last], pull, blink: false }
    }
}

/// The speed of a class when nothing is said, metres a second.
pub(super) fn usual_speed(class: Class) -> [f32; 2] {
    match class {
        Class::Person => [1.0, 1.7],
        Class::Bicycle => [2.6, 4.2],
        Class::Motorcycle => [5.5, 9.0],
        Class::Tractor => [3.0, 4.5],
        Class::Dog => [1.2, 2.6],
        Class::Cow => [0.6, 1.0],
        _ => [5.0, 8.0],
    }
}

/// Turns an actor's steps into movement.
///
/// # Errors
/// A [`Mistake`] naming the actor and the step.
pub(in crate::streets) fn write(actor: &Actor, long: f32, place: &Place) -> Result<Script, Mistake> {
    let name = format!("actor {:?}", actor.name);
    let start = match (&actor.way, &actor.from) {
        (Some(line), _) => {
            let line = Path::new(way(place, line, &name)?.line.iter().copied());
            let first = actor.steps.first();
            let line = if first.is_some_and(|s| s.against) { line.reversed() } else { line };
            line.piece(0.0, 0.1, first.map_or(0.0, |s| s.side))[0]
        }
        (None, Some(from)) => from.point(place, &name)?,
        (None, None) => return Err(mistake(name, "needs either way or from")),
    };
    let mut script = Script::default();
    let mut path = Path::new([start]);
    let mut legs: Vec<Leg> = Vec::new();
    let mut now = 0.0;
    let pull = if actor.class.drives() { WHEELS } else { FEET };
    for (i, step) in actor.steps.iter().enumerate() {
        let who = format!("{name}, step {}", i + 1);
        let begun = now;
        match kind(step, &who)? {
            Kind::Wait(seconds) => {
                let along = path.length();
                legs.push(Leg { begins: now, lasts: seconds, along, length: 0.0, speed: [0.0; 3], pull, blink: step.blink });
                now += seconds;
            }
            Kind::Move => {
                let from = path.at(path.length());
                let before = path.length();
                for p in target(step, from, place, &who)? {
                    path.push(p);
                }
                let length = path.length() - before;
                if length < 0.05 {
                    return Err(mistake(who, "the actor is there already: nothing to go"));
                }
                let [low, high] = usual_speed(actor.class);
                let speed = step.speed.unwrap_or((low + high) / 2.0);
                if !(0.1..=40.0).contains(&speed) {
                    return Err(mistake(who, "speed must be 0.1 to 40 metres a second"));
                }
                let moves = |s: Option<&Step>| s.is_some_and(|s| s.follow.is_some() || s.to.is_some());
                // Who comes from a spot stood there; who comes along a way does not begin at rest, nor end so.
                let from_rest = if i == 0 { actor.way.is_none() } else { !moves(actor.steps.get(i - 1)) };
                let to_rest = i + 1 < actor.steps.len() && !moves(actor.steps.get(i + 1));
                let mut leg = Leg::moving(now, before, length, speed, from_rest, to_rest, pull);
                leg.blink = step.blink;
                now += leg.lasts;
                legs.push(leg);
            }
            Kind::Drop(class) => {
                let along = path.length();
                // Beside the actor, not under its feet.
                let heading = path.heading(along, long).unwrap_or(0.0);
                let beside = path.at(along) + Vec2::new(libm::sinf(heading), -libm::cosf(heading)) * 0.55;
                script.drops.push((class, now, beside, step.violation.clone()));
                continue;
            }
            Kind::Take(whose) => {
                script.takes.push((whose, now));
                continue;
            }
        }
        if let Some(kind) = &step.violation {
            script.violations.push((kind.clone(), begun, now));
        }
    }
    let heading = actor.heading.unwrap_or(0.0).to_radians();
    if legs.is_empty() {
        // Without steps: it is there all the time.
        legs.push(Leg { begins: 0.0, lasts: f64::MAX, along: 0.0, length: 0.0, speed: [0.0; 3], pull, blink: false });
    }
    script.timeline = Some(Timeline { path, legs, heading, long });
    Ok(script)
}

enum Kind {
    Move,
    Wait(f64),
    Drop(Class),
    Take(String),
}

fn kind(step: &Step, who: &str) -> Result<Kind, Mistake> {
    let moves = [step.follow.is_some(), step.to.is_some()];
    let said = moves.iter().filter(|m| **m).count()
        + usize::from(step.wait.is_some())
        + usize::from(step.drop.is_some())
        + usize::from(step.take.is_some());
    if said != 1 {
        return Err(mistake(who, "needs exactly one of follow, to, wait, drop, take"));
    }
    if let Some(seconds) = step.wait {
        return if (0.1..=900.0).contains(&seconds) {
            Ok(Kind::Wait(seconds))
        } else {
            Err(mistake(who, "wait must be 0.1 to 900 seconds"))
        };
    }
    if let Some(class) = step.drop {
        return Ok(Kind::Drop(class));
    }
    Ok(step.take.clone().map_or(Kind::Move, Kind::Take))
}

/// The points a moving step goes through.
fn target(step: &Step, from: Vec2, place: &Place, who: &str) -> Result<Vec<Vec2>, Mistake> {
    if let Some(to) = &step.to {
        return Ok(vec![to.point(place, who)?]);
    }
    let line = Path::new(way(place, step.follow.as_deref().unwrap_or_default(), who)?.line.iter().copied());
    let line = if step.against { line.reversed() } else { line };
    let begin = line.nearest(from, 0.0);
    let end = match &step.until {
        Some(until) => line.nearest(until.point(place, who)?, begin),
        None => line.length(),
    };
    // Who stands beside the way joins it a little farther on, as wheels must.
    let joins = if (line.at(begin) - from).length() > 0.6 { (begin + 5.0).min(end) } else { begin };
    Ok(line.piece(joins, end, step.side))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_ends_where_and_when_it_should() {
        for (length, speed) in [(30.0, 6.0), (1.0, 6.0), (8.0, 1.2)] {
            for (rest, stop) in [(true, true), (false, true), (true, false), (false, false)] {
                let leg = Leg::moving(0.0, 0.0, length, speed, rest, stop, WHEELS);
                let mut before = 0.0;
                for i in 0..=100 {
                    let (gone, _) = leg.gone(leg.lasts as f32 * i as f32 / 100.0);
                    assert!(gone >= before - 1e-3, "goes back");
                    before = gone;
                }
                assert!((before - length).abs() < 0.02 * length + 0.02, "{before} of {length} at {speed} {rest} {stop}");
            }
        }
    }

    #[test]
    fn who_cruises_is_gone_at_the_end() {
        let line = Timeline::cruise([Vec2::ZERO, Vec2::new(10.0, 0.0)], 5.0, 2.0);
        assert!((line.lasts() - 2.0).abs() < 1e-6);
        assert_eq!(line.cue(1.0).map(|c| c.at.x.round()), Some(5.0));
        assert_eq!(line.cue(2.0), None);
        assert_eq!(line.cue(-0.1), None);
    }
}
