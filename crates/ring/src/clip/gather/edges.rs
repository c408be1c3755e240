//! What of the gathered pictures is shown: the first and the last one asked for.

use crate::format::record::wall_end;
use domain::WallTime;

/// What of the video is shown: of the group it begins in, and of the pictures others refer to, only what was asked for.
pub(crate) struct Shown {
    /// Wall time of the first picture shown.
    pub(crate) from: WallTime,
    /// Wall time at which the last one ends.
    pub(crate) to: WallTime,
    /// How much of the video lies before it, 90 kHz.
    pub(crate) skip: i64,
    /// How long it is, 90 kHz.
    pub(crate) length: i64,
}

/// Finds out what is shown while samples are gathered in decoding order.
pub(super) struct Edges {
    /// Earliest presentation time of all.
    first: i64,
    /// The first picture asked for: presentation and wall time.
    begin: Option<(i64, WallTime)>,
    /// The last one: presentation time, and when it ends by the wall.
    last: Option<(i64, WallTime)>,
    /// The first picture behind the end.
    behind: Option<i64>,
}

impl Default for Edges {
    fn default() -> Self {
        Self { first: i64::MAX, begin: None, last: None, behind: None }
    }
}

impl Edges {
    /// Whether a picture is inside of what is shown already, and none of those before it in the clip.
    pub(super) fn inside(&self, pts: i64) -> bool {
        self.first <= pts && self.begin.is_some_and(|(begin, _)| begin <= pts)
    }

    /// Pictures were taken, in the order they are shown, up to one of this presentation time that ends then.
    pub(super) fn until(&mut self, pts: i64, ends: WallTime) {
        if self.last.is_none_or(|(last, _)| pts > last) {
            self.last = Some((pts, ends));
        }
    }

    /// The clock was set back: what was behind the end is no measure of what comes now.
    pub(super) fn behind_forgotten(&mut self) {
        self.behind = None;
    }

    pub(super) fn see(&mut self, pts: i64, duration: u32, wall: WallTime, from: WallTime, to: WallTime) {
        self.first = self.first.min(pts);
        if wall >= to {
            self.behind = Some(self.behind.map_or(pts, |b| b.min(pts)));
            return;
        }
        if wall >= from && self.begin.is_none_or(|(b, _)| pts < b) {
            self.begin = Some((pts, wall));
        }
        self.until(pts, wall_end(wall, duration));
    }

    pub(super) fn shown(&self, all: i64) -> Option<Shown> {
        let ((begin, from), (last, to)) = (self.begin?, self.last?);
        let end = self.behind.filter(|b| *b > last).unwrap_or(all);
        Some(Shown { from, to, skip: begin - self.first, length: end - begin })
    }
}
