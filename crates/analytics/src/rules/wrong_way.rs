//! `wrong-way`: something moves in a zone against the permitted way.
//!
//! Belongs here: walks, the way a track took in the zone. Does not belong here: lines and counting across them.
//!
//! The evidence is the way back from the farthest point reached along the permitted way: reversing a little, or standing
//! with a trembling box, never adds up to `min_travel`; and because no single step may carry the claim, a swap of ids
//! between two vehicles, one jump against the way, is none either.

use crate::{
    classes::Group,
    config::Rule,
    event::{Claim, Out, Scene},
    plane::{Rect, Vec2, contains, moved},
    tracker::{MAX_TRACKS, Tracked},
    why,
};
use domain::{EndReason, TrackId, ViolationId, WallTime, geometry::Point};
use std::collections::VecDeque;

/// Steps are at least this far apart, so that evidence does not depend on the frame rate, µs.
const STEP: i64 = 200_000;
/// Evidence older than this is forgotten, µs; at [`STEP`] this bounds a walk to 100 steps.
const MEMORY: i64 = 20_000_000;
/// Out of the zone for longer than this is outside, µs.
const OUT: i64 = 1_000_000;
/// A walk whose track vanished is continued by a new one for this long, µs.
const BRIDGE: i64 = 3_000_000;
/// A new track becomes visible to the rules this much later than it appeared, at most, µs.
const LAG: i64 = 2_000_000;
/// After a violation the same track raises no second one for this long, µs.
const COOL: i64 = 10_000_000;
/// Steps shorter than this part of the box's scale are trembling.
const TREMBLE: f64 = 0.03;

/// The permitted way.
pub(crate) struct Way {
    pub(crate) from: Point,
    pub(crate) to: Point,
    pub(crate) tolerance: f64,
    pub(crate) min_travel: f64,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    at: WallTime,
    rect: Rect,
}

/// The way one thing took.
#[derive(Debug)]
struct Walk {
    track: TrackId,
    group: Group,
    steps: VecDeque<Step>,
    velocity: Vec2,
    /// Last seen in the zone, and anywhere.
    inside: WallTime,
    seen: WallTime,
    raised: Option<ViolationId>,
    /// A violation of this walk has ended.
    done: bool,
}

/// What the steps prove.
struct Proof {
    start: WallTime,
    angle: f64,
    travel: f64,
    seconds: f64,
}

impl Walk {
    fn new(t: &Tracked, now: WallTime) -> Self {
        let steps = VecDeque::new();
        let (track, group, velocity) = (t.id, t.group.clone(), t.velocity());
        Self { track, group, steps, velocity, inside: now, seen: now, raised: None, done: false }
    }

    fn push(&mut self, at: WallTime, rect: Rect) {
        if self.steps.back().is_none_or(|s| at.micros_since(s.at) >= STEP) {
            self.steps.push_back(Step { at, rect });
        }
        while self.steps.front().is_some_and(|s| at.micros_since(s.at) > MEMORY) {
            self.steps.pop_front();
        }
    }

    /// Whether a new track may be the one this walk lost: it appeared after the loss, near to where it was expected.
    fn may_be(&self, t: &Tracked, now: WallTime) -> bool {
        let Some(last) = self.steps.back() else { return false };
        let away = t.first_seen.micros_since(self.seen);
        if t.group != self.group || now.micros_since(self.seen) > BRIDGE + LAG || away < 0 {
            return false;
        }
        let dt = t.first_seen.micros_since(last.at) as f64 / 1e6;
        let expected = last.rect.centre().plus(self.velocity.times(dt));
        let reach = last.rect.scale() + 0.5 * self.velocity.length() * dt;
        t.born.centre().minus(expected).length() <= reach
    }

    fn proof(&self, scene: &Scene<'_>, way: &Way) -> Option<Proof> {
        let along = scene.shape.point(way.to).minus(scene.shape.point(way.from));
        let along = along.times(1.0 / along.length());
        let progress = |s: &Step| s.rect.ground().dot(along);
        let mut far = 0;
        for (i, s) in self.steps.iter().enumerate() {
            if progress(s) >= progress(&self.steps[far]) {
                far = i;
            }
        }
        let (first, last) = (self.steps.get(far)?, self.steps.back()?);
        let way_back = moved(&first.rect, &last.rect);
        let length = way_back.length();
        let part = scene.shape.fraction(way_back);
        let travel = part.x.hypot(part.y);
        let angle = (way_back.dot(along) / length.max(1e-12)).clamp(-1.0, 1.0).acos().to_degrees();
        if travel < way.min_travel || length < 0.3 * last.rect.scale() || angle <= 180.0 - way.tolerance {
            return None;
        }
        let (mut back, mut forth, mut longest) = (0.0, 0.0, 0.0_f64);
        for (a, b) in self.steps.range(far..).zip(self.steps.range(far + 1..)) {
            let by = progress(b) - progress(a);
            if by.abs() < TREMBLE * b.rect.scale() {
                continue;
            }
            if by < 0.0 {
                back -= by;
                longest = longest.max(-by);
            } else {
                forth += by;
            }
        }
        let steady = self.steps.len() - far >= 3 && back - longest >= 0.45 * back && forth <= 0.25 * (back + forth);
        let seconds = last.at.micros_since(first.at) as f64 / 1e6;
        steady.then_some(Proof { start: first.at, angle, travel, seconds })
    }
}

/// What the rule remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    walks: Vec<Walk>,
}

impl State {
    pub(crate) fn observe(&mut self, scene: &Scene<'_>, index: usize, rule: &Rule, way: &Way, out: &mut Out) {
        let now = scene.now;
        for t in scene.visible() {
            let inside = contains(&rule.zone.polygon, scene.shape.fraction(t.rect().ground()));
            let Some(i) = self.walk_of(t, scene, rule, inside && rule.concerns(t.class())) else { continue };
            let walk = &mut self.walks[i];
            (walk.seen, walk.velocity) = (now, t.velocity());
            if !inside {
                continue;
            }
            walk.inside = now;
            walk.push(now, t.rect());
            if walk.raised.is_some() || walk.done || !rule.concerns(t.class()) {
                continue;
            }
            let Some(p) = walk.proof(scene, way) else { continue };
            let why = why::wrong_way(t.class(), &rule.zone.name, p.angle, p.travel);
            let measured = [("angle_deg", p.angle), ("travel", p.travel), ("seconds_s", p.seconds)];
            walk.raised = Some(out.raise(scene, index, rule, Claim { track: t, start: p.start, rect: t.rect(), why, measured: &measured }));
        }
        self.close(now, out);
    }

    /// The walk of a track: its own, one it continues, or (where it may begin one) a new one.
    fn walk_of(&mut self, t: &Tracked, scene: &Scene<'_>, rule: &Rule, may_begin: bool) -> Option<usize> {
        if let Some(i) = self.walks.iter().position(|w| w.track == t.id) {
            return Some(i);
        }
        if !may_begin {
            return None;
        }
        if let Some(i) = self.walks.iter().position(|w| scene.find(w.track).is_none() && w.may_be(t, scene.now)) {
            self.walks[i].track = t.id;
            return Some(i);
        }
        if self.walks.len() >= 2 * MAX_TRACKS {
            return None;
        }
        let mut walk = Walk::new(t, scene.now);
        // Where it was first seen is evidence too: at two frames a second a third of the way is over by now.
        let begun = scene.now.micros_since(t.first_seen) <= LAG;
        if begun && contains(&rule.zone.polygon, scene.shape.fraction(t.born.ground())) {
            walk.push(t.first_seen, t.born);
        }
        self.walks.push(walk);
        Some(self.walks.len() - 1)
    }

    fn close(&mut self, now: WallTime, out: &mut Out) {
        self.walks.retain_mut(|w| {
            let unseen = now.micros_since(w.seen) > BRIDGE;
            let outside = now.micros_since(w.inside) > OUT && w.seen > w.inside;
            if unseen || outside {
                w.steps.clear();
                if let Some(id) = w.raised.take() {
                    out.end(id, w.inside, if outside { EndReason::Left } else { EndReason::Lost });
                    w.done = true;
                }
            }
            if w.done { now.micros_since(w.seen) <= COOL } else { !(unseen || outside) }
        });
    }

    pub(crate) fn waits(&self) -> bool {
        self.walks.iter().any(|w| w.raised.is_some())
    }

    pub(crate) fn interrupt(&mut self, out: &mut Out) {
        for w in self.walks.drain(..) {
            if let Some(id) = w.raised {
                out.end(id, w.inside, crate::BROKEN);
            }
        }
    }
}
