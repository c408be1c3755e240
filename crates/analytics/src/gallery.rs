//! Tracks → sightings: one line for each thing that came by, for whoever searches later.
//!
//! Belongs here: which picture shows a thing best, on which colour most pictures agree, when a line is told. Does not belong here:
//! where lines are kept and found again (`store`), following (the tracker).
//!
//! A line is told soon after its thing is sure (somebody may search while it still stands there), again from time to time while it
//! stays, and once more when it is gone; a later telling replaces an earlier one of the same track and `first`. A thing that stays
//! for hours gets a new line every [`PART`]: so nothing that was there at a moment began more than that before it, and a search needs
//! to look no further back.

use domain::{
    BBox, Colour, Detection, Heading, Observation, Sighting, Track, TrackId, TrackState, WallTime, geometry::Point, sighting::PERSON,
};
use std::{collections::BTreeMap, time::Duration};

/// Longest stay in one line.
pub const PART: Duration = Duration::from_secs(600);
/// Seen for so long, a thing is told of while it is still there, µs.
const SOON: i64 = 1_000_000;
/// And again so often, µs.
const AGAIN: i64 = 30_000_000;
/// A detection is the track's when they overlap by at least this (intersection over union).
const SAME: f64 = 0.4;

/// One camera's lines that are not finished.
#[derive(Debug, Default)]
pub struct Gallery {
    open: BTreeMap<TrackId, Open>,
}

#[derive(Debug)]
struct Open {
    line: Sighting,
    /// Where it stood on the first picture, and on the last.
    from: Point,
    to: Point,
    /// Scores of the pictures on which it had a colour.
    votes: [f64; Colour::ALL.len()],
    /// How well the best picture shows it.
    shown: f64,
    /// Its last picture when it was told.
    told: Option<WallTime>,
}

impl Gallery {
    /// Takes the next picture and what is followed after it ([`crate::Analytics::tracks`]); answers the lines to be written now.
    pub fn observe(&mut self, o: &Observation, tracks: &[Track]) -> Vec<Sighting> {
        let mut due = self.gone(tracks);
        let seen = |t: &&Track| t.state == TrackState::Confirmed && t.last_seen == o.capture && t.class.as_str() != PERSON;
        for track in tracks.iter().filter(seen) {
            let part = i64::try_from(PART.as_micros()).unwrap_or(i64::MAX);
            if let Some(long) = self.open.get(&track.id).filter(|open| o.capture.micros_since(open.line.first) >= part) {
                due.extend(long.untold());
                self.open.insert(track.id, Open::begin(track, o.capture, track.bbox));
            }
            // The pictures until a track is sure are its own, too.
            let open = self.open.entry(track.id).or_insert_with(|| Open::begin(track, track.first_seen, track.born));
            open.take(o, track);
            due.extend(open.tell());
        }
        due
    }

    /// The end: lines that are not told as they are now.
    pub fn finish(&mut self) -> Vec<Sighting> {
        self.gone(&[])
    }

    /// Closes the lines of those that are followed no longer.
    fn gone(&mut self, tracks: &[Track]) -> Vec<Sighting> {
        let there = |id: &TrackId| tracks.binary_search_by_key(id, |t| t.id).is_ok();
        let gone: Vec<_> = self.open.extract_if(.., |id, _| !there(id)).collect();
        gone.iter().filter_map(|(_, open)| open.untold()).collect()
    }
}

impl Open {
    fn begin(track: &Track, first: WallTime, at: BBox) -> Self {
        let line = Sighting {
            track: track.id,
            class: track.class.clone(),
            colour: None,
            heading: Heading::Still,
            first,
            last: first,
            best: track.last_seen,
            bbox: track.bbox,
            score: track.score,
        };
        Self { line, from: at.ground(), to: at.ground(), votes: [0.0; Colour::ALL.len()], shown: -1.0, told: None }
    }

    fn take(&mut self, o: &Observation, track: &Track) {
        self.to = track.bbox.ground();
        let line = &mut self.line;
        line.last = o.capture;
        line.class = track.class.clone();
        line.heading = Heading::between(self.from, self.to);
        if let Some(colour) = own(&o.detections, track).and_then(|d| d.colour) {
            self.votes[colour as usize] += track.score.max(0.0);
            let most = Colour::ALL.iter().zip(self.votes).max_by(|a, b| a.1.total_cmp(&b.1));
            line.colour = most.map(|(colour, _)| *colour);
        }
        let shown = shows(&track.bbox, track.score);
        if shown > self.shown {
            (self.shown, line.best, line.bbox, line.score) = (shown, o.capture, track.bbox, track.score);
        }
    }

    fn tell(&mut self) -> Option<Sighting> {
        let due = match self.told {
            None => self.line.last.micros_since(self.line.first) >= SOON,
            Some(told) => self.line.last.micros_since(told) >= AGAIN,
        };
        due.then(|| {
            self.told = Some(self.line.last);
            self.line.clone()
        })
    }

    fn untold(&self) -> Option<Sighting> {
        (self.told != Some(self.line.last)).then(|| self.line.clone())
    }
}

/// The detection a track was followed by on this picture.
fn own<'a>(detections: &'a [Detection], track: &Track) -> Option<&'a Detection> {
    let overlaps = detections.iter().map(|d| (d, overlap(&d.bbox, &track.bbox)));
    let (best, by) = overlaps.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (by >= SAME && best.class.as_str() != PERSON).then_some(best)
}

fn overlap(a: &BBox, b: &BBox) -> f64 {
    let side = |a1: f64, a2: f64, b1: f64, b2: f64| (a2.min(b2) - a1.max(b1)).max(0.0);
    let both = side(a.x1, a.x2, b.x1, b.x2) * side(a.y1, a.y2, b.y1, b.y2);
    let area = |x: &BBox| (x.x2 - x.x1).max(0.0) * (x.y2 - x.y1).max(0.0);
    let all = area(a) + area(b) - both;
    if all > 0.0 { both / all } else { 0.0 }
}

/// Large, sure and whole is best: what the picture's edge cuts shows half.
fn shows(bbox: &BBox, score: f64) -> f64 {
    let within = |v: f64| v.clamp(0.0, 1.0);
    let area = (within(bbox.x2) - within(bbox.x1)).max(0.0) * (within(bbox.y2) - within(bbox.y1)).max(0.0);
    let whole = bbox.x1 > 0.005 && bbox.y1 > 0.005 && bbox.x2 < 0.995 && bbox.y2 < 0.995;
    score.max(0.0) * area.sqrt() * if whole { 1.0 } else { 0.5 }
}
