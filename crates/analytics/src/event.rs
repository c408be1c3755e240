//! What analysis tells the rest of the house.
//!
//! Belongs here: the output, and what rules need to write it. Does not belong here: the decision to write.

use crate::{
    config::Rule,
    plane::{Rect, Shape},
    tracker::Tracked,
};
use domain::{EndReason, Violation, ViolationEnd, ViolationId, WallTime, Why};
use std::collections::BTreeMap;

/// Something the house should know.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A rule is sure.
    Raised(Violation),
    /// A violation that was raised is over.
    Ended(ViolationEnd),
}

/// One picture as the rules see it.
pub(crate) struct Scene<'a> {
    pub(crate) now: WallTime,
    /// Time that was really looked at since the last picture, µs: a camera that was away for an hour saw nothing of it.
    pub(crate) looked: i64,
    pub(crate) shape: Shape,
    pub(crate) tracks: &'a [Tracked],
}

impl Scene<'_> {
    pub(crate) fn visible(&self) -> impl Iterator<Item = &Tracked> {
        self.tracks.iter().filter(|t| t.is_visible())
    }

    pub(crate) fn find(&self, id: domain::TrackId) -> Option<&Tracked> {
        self.tracks.iter().find(|t| t.id == id && t.is_visible())
    }
}

/// What a rule is sure of, before it has a name.
pub(crate) struct Claim<'a> {
    pub(crate) track: &'a Tracked,
    pub(crate) start: WallTime,
    pub(crate) rect: Rect,
    pub(crate) why: Why,
    pub(crate) measured: &'a [(&'static str, f64)],
}

/// Where rules write.
#[derive(Debug)]
pub(crate) struct Out {
    next: u64,
    pub(crate) events: Vec<Event>,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self { next: 1, events: Vec::new() }
    }

    pub(crate) fn raise(&mut self, scene: &Scene<'_>, index: usize, rule: &Rule, claim: Claim<'_>) -> ViolationId {
        let id = ViolationId(self.next);
        self.next += 1;
        // A thousandth is finer than any picture shows, and keeps the numbers readable.
        let tidy = |v: f64| (v * 1000.0).round() / 1000.0;
        let measured: BTreeMap<_, _> = claim.measured.iter().map(|&(k, v)| (k.to_owned(), tidy(v))).collect();
        self.events.push(Event::Raised(Violation {
            id,
            kind: rule.what.kind(),
            rule: index,
            zone: rule.zone.name.clone(),
            track: claim.track.id,
            class: claim.track.class().clone(),
            start: claim.start,
            raised: scene.now,
            bbox: scene.shape.bbox(&claim.rect),
            why: claim.why,
            measured,
        }));
        id
    }

    pub(crate) fn end(&mut self, id: ViolationId, end: WallTime, reason: EndReason) {
        self.events.push(Event::Ended(ViolationEnd { id, end, reason }));
    }
}
