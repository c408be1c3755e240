//! Detections of successive pictures become tracks, in the manner of ByteTrack.
//!
//! Belongs here: association, birth and end of tracks. Does not belong here: rules.
//!
//! Four rounds, each an exact assignment: (1) confirmed and lost tracks with strong detections; (2) tracks seen a moment
//! ago with weak detections (a half-hidden thing scores low, but it is there); (3) tentative tracks with the strong ones
//! left; (4) what is left on both sides, with boxes grown by the filter's own doubt, so that a fast motorcycle at two
//! frames a second, which never overlaps itself, is still one motorcycle. Appearance is not used: a camera of a village
//! stands still, and the place says enough.

use crate::{
    assign::assign,
    classes::{Group, group},
    kalman::BoxFilter,
    plane::{Rect, Shape},
};
use domain::{Class, Detection, Track, TrackId, TrackState, WallTime};
use std::time::Duration;

/// Thresholds of the tracker.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackerConfig {
    /// A detection at or above this is strong.
    pub strong: f64,
    /// A detection below this is not looked at.
    pub weak: f64,
    /// A detection at or above this may begin a track.
    pub begin: f64,
    /// Pictures until a track is confirmed.
    pub confirm: u32,
    /// How long a track that is not seen is waited for.
    pub keep: Duration,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self { strong: 0.5, weak: 0.1, begin: 0.6, confirm: 3, keep: Duration::from_secs(2) }
    }
}

/// Most tracks at a time; more things than that are not followed.
pub const MAX_TRACKS: usize = 128;
/// Most detections of a picture; the weakest above that are not looked at.
pub const MAX_DETECTIONS: usize = 128;
/// Most classes a track remembers votes for.
const MAX_VOTES: usize = 8;
/// How long a tentative track may be missing.
const TENTATIVE_KEEP: i64 = 150_000;

/// One track, as the rules see it.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    pub(crate) id: TrackId,
    pub(crate) group: Group,
    pub(crate) state: TrackState,
    pub(crate) score: f64,
    pub(crate) first_seen: WallTime,
    pub(crate) last_seen: WallTime,
    pub(crate) born: Rect,
    filter: BoxFilter,
    votes: Vec<(Class, f64)>,
    hits: u32,
}

impl Tracked {
    fn new(id: TrackId, now: WallTime, d: &Seen) -> Self {
        Self {
            id,
            group: d.group.clone(),
            state: TrackState::Tentative,
            score: d.score,
            first_seen: now,
            last_seen: now,
            born: d.rect,
            filter: BoxFilter::new(&d.rect),
            votes: vec![(d.class.clone(), d.score)],
            hits: 1,
        }
    }

    fn take(&mut self, now: WallTime, d: &Seen, confirm: u32) {
        self.filter.correct(&d.rect);
        self.last_seen = now;
        self.score = d.score;
        self.hits = self.hits.saturating_add(1);
        if self.hits >= confirm {
            self.state = TrackState::Confirmed;
        }
        if let Some((_, votes)) = self.votes.iter_mut().find(|(c, _)| *c == d.class) {
            *votes += d.score;
        } else if self.votes.len() < MAX_VOTES {
            self.votes.push((d.class.clone(), d.score));
        }
    }

    pub(crate) fn rect(&self) -> Rect {
        self.filter.rect()
    }

    pub(crate) fn velocity(&self) -> crate::plane::Vec2 {
        self.filter.velocity()
    }

    /// Seen on this picture, and sure.
    pub(crate) fn is_visible(&self) -> bool {
        self.state == TrackState::Confirmed
    }

    /// What most pictures, weighed by their scores, say.
    pub(crate) fn class(&self) -> &Class {
        let mut best = &self.votes[0];
        for vote in &self.votes[1..] {
            if vote.1 > best.1 {
                best = vote;
            }
        }
        &best.0
    }

    pub(crate) fn public(&self, shape: Shape) -> Track {
        Track {
            id: self.id,
            class: self.class().clone(),
            state: self.state,
            bbox: shape.bbox(&self.rect()),
            velocity: shape.fraction(self.velocity()),
            score: self.score,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            born: shape.bbox(&self.born),
        }
    }
}

/// A detection in the plane.
struct Seen {
    class: Class,
    group: Group,
    score: f64,
    rect: Rect,
}

/// Follows things. Tracks are ordered by id.
#[derive(Debug)]
pub(crate) struct Tracker {
    config: TrackerConfig,
    tracks: Vec<Tracked>,
    next: u64,
}

impl Tracker {
    pub(crate) fn new(config: TrackerConfig) -> Self {
        Self { config, tracks: Vec::new(), next: 1 }
    }

    pub(crate) fn tracks(&self) -> &[Tracked] {
        &self.tracks
    }

    /// Goes on with other thresholds.
    pub(crate) fn set_config(&mut self, config: TrackerConfig) {
        self.config = config;
    }

    /// Forgets all tracks; ids go on.
    pub(crate) fn clear(&mut self) {
        self.tracks.clear();
    }

    /// The detections worth looking at, in an order that does not depend on the order they came in.
    fn canonical(&self, shape: Shape, detections: &[Detection]) -> Vec<Seen> {
        let sound = |d: &&Detection| d.bbox.is_sound() && d.score.is_finite() && d.score >= self.config.weak;
        let mut list: Vec<&Detection> = detections.iter().filter(sound).collect();
        list.sort_by(|a, b| {
            let key = |d: &Detection| <[f64; 4]>::from(d.bbox);
            let place = || key(a).iter().zip(&key(b)).map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne());
            b.score.total_cmp(&a.score).then_with(|| place().unwrap_or(std::cmp::Ordering::Equal)).then_with(|| a.class.cmp(&b.class))
        });
        list.truncate(MAX_DETECTIONS);
        let seen = |d: &Detection| Seen { class: d.class.clone(), group: group(&d.class), score: d.score, rect: shape.rect(&d.bbox) };
        list.into_iter().map(seen).collect()
    }

    /// Takes the next picture; `dt` is the time since the last one, in seconds.
    pub(crate) fn observe(&mut self, now: WallTime, dt: f64, shape: Shape, detections: &[Detection]) {
        let seen = self.canonical(shape, detections);
        // A camera that was away for longer than a track is kept must not have its old tracks guess where they are.
        let keep = i64::try_from(self.config.keep.as_micros()).unwrap_or(i64::MAX);
        self.tracks.retain(|t| now.micros_since(t.last_seen) <= keep);
        for t in &mut self.tracks {
            t.filter.predict(dt, t.state == TrackState::Lost);
        }
        let strong = seen.partition_point(|d| d.score >= self.config.strong);
        let mut round = Round { tracks: &mut self.tracks, seen: &seen, now, confirm: self.config.confirm, taken: vec![None; seen.len()] };
        let overlap = |t: &Tracked, d: &Seen| 1.0 - t.rect().iou(&d.rect);
        round.pair(0.8, 0..strong, |t| t.state != TrackState::Tentative, |t, d| 1.0 - (1.0 - overlap(t, d)) * d.score.min(1.0));
        round.pair(0.5, strong..seen.len(), |t| t.state == TrackState::Confirmed, overlap);
        round.pair(0.7, 0..strong, |t| t.state == TrackState::Tentative, overlap);
        round.pair(0.85, 0..strong, |_| true, near);
        let taken = round.taken;
        self.end(now, keep);
        self.begin(now, &seen[..strong], &taken);
    }

    /// Marks what was not seen as lost, and lets go of what was lost for too long.
    fn end(&mut self, now: WallTime, keep: i64) {
        self.tracks.retain_mut(|t| {
            let missing = now.micros_since(t.last_seen);
            if missing == 0 {
                return true;
            }
            let tentative = t.state == TrackState::Tentative;
            if !tentative {
                t.state = TrackState::Lost;
            }
            missing <= if tentative { TENTATIVE_KEEP } else { keep }
        });
    }

    fn begin(&mut self, now: WallTime, strong: &[Seen], taken: &[Option<TrackId>]) {
        for (i, d) in strong.iter().enumerate() {
            // A second box on a thing that is already followed (a van that is also a truck) is no second thing.
            let double = |(j, o): (usize, &Seen)| taken[j].is_some() && o.group == d.group && o.rect.iou(&d.rect) > 0.7;
            if taken[i].is_some() || d.score < self.config.begin || strong.iter().enumerate().any(double) {
                continue;
            }
            if self.tracks.len() >= MAX_TRACKS {
                let oldest = self.tracks.iter().enumerate().filter(|(_, t)| t.state == TrackState::Lost).min_by_key(|(_, t)| t.last_seen);
                match oldest.map(|(i, _)| i) {
                    Some(i) => drop(self.tracks.remove(i)),
                    None => return,
                }
            }
            self.tracks.push(Tracked::new(TrackId(self.next), now, d));
            self.next += 1;
        }
    }
}

/// Cost of the last round: overlap of boxes grown by what the filter does not know, for things of like size.
fn near(t: &Tracked, d: &Seen) -> f64 {
    let r = t.rect();
    let like = (r.scale() / d.rect.scale()).ln().abs();
    if like > 0.5 {
        return 1.0;
    }
    let margin = t.filter.doubt().min(1.2 * r.scale()) * 0.6;
    1.0 - r.grown(margin).iou(&d.rect.grown(margin))
}

/// One picture's association in progress.
struct Round<'a> {
    tracks: &'a mut [Tracked],
    seen: &'a [Seen],
    now: WallTime,
    confirm: u32,
    /// Which track took which detection.
    taken: Vec<Option<TrackId>>,
}

impl Round<'_> {
    fn pair(
        &mut self,
        limit: f64,
        range: std::ops::Range<usize>,
        takes_part: impl Fn(&Tracked) -> bool,
        cost: impl Fn(&Tracked, &Seen) -> f64,
    ) {
        let open = |t: &Tracked| t.last_seen != self.now && takes_part(t);
        let rows: Vec<usize> = self.tracks.iter().enumerate().filter(|(_, t)| open(t)).map(|(i, _)| i).collect();
        let columns: Vec<usize> = range.filter(|&i| self.taken[i].is_none()).collect();
        let pairs = assign(rows.len(), columns.len(), limit, |r, c| {
            let (t, d) = (&self.tracks[rows[r]], &self.seen[columns[c]]);
            if t.group == d.group { cost(t, d) } else { limit }
        });
        for (r, c) in pairs {
            let t = &mut self.tracks[rows[r]];
            t.take(self.now, &self.seen[columns[c]], self.confirm);
            self.taken[columns[c]] = Some(t.id);
        }
    }
}
