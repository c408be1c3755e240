//! `no-parking`: a vehicle stands in a zone for too long.
//!
//! Belongs here: stays. A stay is bound to a *place*, not to a track id: a passing bus that hides the car, or a tracker
//! that gives it a new id, does not end it. Does not belong here: whether anything is a vehicle (`classes`).
//!
//! What keeps a queue from being a car park: a track that travelled into a place someone just left begins its own stay;
//! only a track *born* in that place, or sitting there to the box the moment the old one vanished, carries a stay on.

use crate::{
    classes::Group,
    config::Rule,
    event::{Claim, Out, Scene},
    plane::{Rect, Vec2, contains, moved},
    tracker::{MAX_TRACKS, Tracked},
    why,
};
use domain::{EndReason, TrackId, ViolationId, WallTime};
use std::time::Duration;

/// Displacement, in scales of the box, up to which a thing is still in its place.
const STILL: f64 = 0.4;
/// The place is the mean over this first part of a stay, µs.
const SETTLE: i64 = 1_000_000;
/// A thing seen elsewhere for this long has left, µs. The time between allows its id to have been stolen.
const LEFT: i64 = 3_000_000;
/// How long a stay that is not raised bridges being unseen, µs.
const BRIDGE: i64 = 15_000_000;
/// How long a raised one does, in time that was looked at, µs.
const BRIDGE_RAISED: i64 = 60_000_000;
/// Nobody knows who stands there after the camera was away for this long, µs.
const AWAY: i64 = 600_000_000;
/// A swap of ids happens within this time, µs.
const SWAP: i64 = 1_000_000;
/// No second violation in the same place before this time has passed since the first ended, µs.
const COOL: i64 = 60_000_000;

/// Something stands, or stood a moment ago, in one place.
#[derive(Debug)]
struct Stay {
    track: TrackId,
    group: Group,
    /// The box in its place, and how many boxes it is the mean of.
    place: Rect,
    boxes: u32,
    /// Mean displacement from the place over the whole stay, and how many sights it is the mean of.
    drift: Vec2,
    sights: u32,
    start: WallTime,
    /// Last seen in its place.
    seen: WallTime,
    /// Time looked at since then, µs.
    unseen: i64,
    /// Time looked at between the first and the last sight, µs, and the part of it with sight.
    dwell: i64,
    sighted: i64,
    /// Since when its track is somewhere else.
    elsewhere: Option<WallTime>,
    raised: Option<ViolationId>,
    occupied: bool,
}

impl Stay {
    fn new(t: &Tracked, now: WallTime) -> Self {
        Self {
            track: t.id,
            group: t.group.clone(),
            place: t.rect(),
            boxes: 1,
            drift: Vec2::default(),
            sights: 1,
            start: now,
            seen: now,
            unseen: 0,
            dwell: 0,
            sighted: 0,
            elsewhere: None,
            raised: None,
            occupied: true,
        }
    }

    fn holds(&self, r: &Rect) -> bool {
        moved(&self.place, r).length() <= STILL * self.place.scale() || self.place.iou(r) >= 0.7
    }

    /// Whether a track of another id may be the one that stands here.
    fn may_continue(&self, t: &Tracked, now: WallTime) -> bool {
        let rect = t.rect();
        let born_here = t.first_seen >= self.start && (self.holds(&t.born) || self.place.iou(&t.born) >= 0.5);
        let swapped = now.micros_since(self.seen) <= SWAP && self.place.iou(&rect) >= 0.7;
        t.group == self.group && self.holds(&rect) && (born_here || swapped)
    }

    fn sight(&mut self, t: &Tracked, scene: &Scene<'_>) {
        self.track = t.id;
        if scene.now.micros_since(self.start) <= SETTLE {
            self.place = self.place.mean_with(self.boxes, &t.rect());
            self.boxes = self.boxes.saturating_add(1);
        }
        self.sights = self.sights.saturating_add(1);
        let off = moved(&self.place, &t.rect()).minus(self.drift);
        self.drift = self.drift.plus(off.times(1.0 / f64::from(self.sights)));
        self.dwell = self.dwell.saturating_add(self.unseen).saturating_add(scene.looked);
        self.sighted = self.sighted.saturating_add(scene.looked);
        (self.seen, self.unseen, self.elsewhere, self.occupied) = (scene.now, 0, None, true);
    }

    /// Why the stay is over, if it is.
    fn over(&self, now: WallTime) -> Option<EndReason> {
        let gap = now.micros_since(self.seen);
        if self.elsewhere.is_some_and(|since| now.micros_since(since) >= LEFT) {
            return Some(EndReason::Left);
        }
        match self.raised {
            Some(_) if gap > AWAY => Some(EndReason::Interrupted),
            Some(_) if self.unseen > BRIDGE_RAISED => Some(EndReason::Lost),
            None if gap > BRIDGE => Some(EndReason::Lost),
            _ => None,
        }
    }
}

/// A place where a violation ended a moment ago.
#[derive(Debug)]
struct Cooling {
    place: Rect,
    group: Group,
    until: WallTime,
}

/// What the rule remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    stays: Vec<Stay>,
    cooling: Vec<Cooling>,
}

impl State {
    pub(crate) fn observe(&mut self, scene: &Scene<'_>, index: usize, rule: &Rule, after: Duration, out: &mut Out) {
        let now = scene.now;
        self.cooling.retain(|c| c.until > now);
        // Before, so that nothing is continued that was over while nobody looked; after, so that a leaving is told at once.
        self.close(now, out);
        self.follow(scene);
        self.close(now, out);
        self.open(scene, rule);
        let after_us = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        for stay in self.stays.iter_mut().filter(|s| s.raised.is_none() && s.occupied && s.dwell >= after_us) {
            let cools = self.cooling.iter().any(|c| c.group == stay.group && c.place.iou(&stay.place) > 0.3);
            // The zone asks where it stands on the mean of the stay, not where one jittering box happened to touch.
            let inside = contains(&rule.zone.polygon, scene.shape.fraction(stay.place.ground().plus(stay.drift)));
            let Some(track) = scene.find(stay.track) else { continue };
            if cools || !inside || stay.sighted < stay.dwell / 2 || !rule.concerns(track.class()) {
                continue;
            }
            let dwell = stay.dwell as f64 / 1e6;
            let measured = [
                ("dwell_s", dwell),
                ("seen_s", stay.sighted as f64 / 1e6),
                ("limit_s", after.as_secs_f64()),
                ("drift", moved(&stay.place, &track.rect()).length() / stay.place.scale()),
            ];
            let why = why::no_parking(track.class(), &rule.zone.name, dwell, after);
            let claim = Claim { track, start: stay.start, rect: track.rect(), why, measured: &measured };
            stay.raised = Some(out.raise(scene, index, rule, claim));
        }
    }

    /// Finds who stands in each place now: first by id, then by place.
    fn follow(&mut self, scene: &Scene<'_>) {
        let mut used: Vec<TrackId> = Vec::new();
        for stay in &mut self.stays {
            stay.occupied = false;
            match scene.find(stay.track) {
                Some(t) if stay.holds(&t.rect()) && !used.contains(&t.id) => {
                    stay.sight(t, scene);
                    used.push(t.id);
                }
                Some(_) => drop(stay.elsewhere.get_or_insert(scene.now)),
                None => {}
            }
        }
        for stay in self.stays.iter_mut().filter(|s| !s.occupied) {
            match scene.visible().find(|t| !used.contains(&t.id) && stay.may_continue(t, scene.now)) {
                Some(t) => {
                    stay.sight(t, scene);
                    used.push(t.id);
                }
                None => stay.unseen = stay.unseen.saturating_add(scene.looked),
            }
        }
    }

    fn close(&mut self, now: WallTime, out: &mut Out) {
        let cooling = &mut self.cooling;
        self.stays.retain(|s| {
            let Some(reason) = s.over(now) else { return true };
            if let Some(id) = s.raised {
                out.end(id, s.seen, reason);
                if cooling.len() < MAX_TRACKS {
                    cooling.push(Cooling { place: s.place, group: s.group.clone(), until: s.seen.plus_micros(COOL) });
                }
            }
            false
        });
    }

    fn open(&mut self, scene: &Scene<'_>, rule: &Rule) {
        for t in scene.visible() {
            let stands = self.stays.iter().any(|s| s.occupied && s.track == t.id);
            let inside = contains(&rule.zone.polygon, scene.shape.fraction(t.rect().ground()));
            if stands || !inside || !rule.concerns(t.class()) {
                continue;
            }
            // Short stops of a moving thing leave nothing behind; the longer one may come back under another id.
            self.stays.retain(|s| s.track != t.id || s.raised.is_some() || s.dwell >= LEFT);
            if self.stays.len() < 2 * MAX_TRACKS {
                self.stays.push(Stay::new(t, scene.now));
            }
        }
    }

    pub(crate) fn waits(&self) -> bool {
        !self.stays.is_empty()
    }

    pub(crate) fn interrupt(&mut self, out: &mut Out) {
        for s in self.stays.drain(..) {
            if let Some(id) = s.raised {
                out.end(id, s.seen, crate::BROKEN);
            }
        }
        self.cooling.clear();
    }
}
