//! A line to move along: points, and how far along it each place is.

use glam::Vec2;

/// A polyline with its lengths.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    points: Vec<Vec2>,
    /// Metres from the beginning to each point.
    upto: Vec<f32>,
}

impl Path {
    /// A path through points; those that repeat the one before are left out. A single point is a path of no length.
    pub(super) fn new(points: impl IntoIterator<Item = Vec2>) -> Self {
        let mut path = Self { points: Vec::new(), upto: Vec::new() };
        for p in points {
            path.push(p);
        }
        path
    }

    pub(super) fn push(&mut self, p: Vec2) {
        match self.points.last() {
            None => self.upto.push(0.0),
            Some(last) if last.distance(p) < 1e-3 => return,
            Some(last) => self.upto.push(self.length() + last.distance(p)),
        }
        self.points.push(p);
    }

    pub(super) fn length(&self) -> f32 {
        self.upto.last().copied().unwrap_or(0.0)
    }

    /// The place `along` metres from the beginning; the ends go on straight.
    pub(super) fn at(&self, along: f32) -> Vec2 {
        let n = self.points.len();
        if n < 2 {
            return self.points.first().copied().unwrap_or_default();
        }
        let i = self.upto.partition_point(|u| *u <= along).clamp(1, n - 1);
        let share = (along - self.upto[i - 1]) / (self.upto[i] - self.upto[i - 1]);
        self.points[i - 1] + (self.points[i] - self.points[i - 1]) * share
    }

    /// The direction something of some length has at `along`: from where its back is to where its front is. None on a
    /// path of no length.
    pub(super) fn heading(&self, along: f32, long: f32) -> Option<f32> {
        if self.points.len() < 2 {
            return None;
        }
        let half = (long / 2.0).max(0.3);
        let way = self.at((along + half).min(self.length() + half)) - self.at(along - half);
        Some(libm::atan2f(way.y, way.x))
    }

    /// How far along the place nearest to `p` is, not before `from`.
    pub(super) fn nearest(&self, p: Vec2, from: f32) -> f32 {
        let mut best = (f32::MAX, from);
        for i in 1..self.points.len() {
            let (a, b) = (self.points[i - 1], self.points[i]);
            let length = self.upto[i] - self.upto[i - 1];
            let along = ((p - a).dot(b - a) / length).clamp(0.0, length).max((from - self.upto[i - 1]).min(length));
            let far = (a + (b - a) * (along / length)).distance_squared(p);
            if far < best.0 && self.upto[i - 1] + along >= from - 1e-3 {
                best = (far, self.upto[i - 1] + along);
            }
        }
        best.1
    }

    /// The same path from the other end.
    pub(super) fn reversed(&self) -> Self {
        Self::new(self.points.iter().rev().copied())
    }

    /// The piece from `from` to `to`, `side` metres to its left.
    pub(super) fn piece(&self, from: f32, to: f32, side: f32) -> Vec<Vec2> {
        let mut stops = vec![from];
        stops.extend(self.upto.iter().copied().filter(|u| *u > from + 0.05 && *u < to - 0.05));
        stops.push(to);
        stops
            .into_iter()
            .map(|along| {
                let heading = self.heading(along, 1.0).unwrap_or(0.0);
                self.at(along) + Vec2::new(-libm::sinf(heading), libm::cosf(heading)) * side
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_along_a_corner() {
        let path = Path::new([[0.0, 0.0], [10.0, 0.0], [10.0, 5.0]].map(Vec2::from));
        assert_eq!(path.length(), 15.0);
        assert_eq!(path.at(12.0), Vec2::new(10.0, 2.0));
        assert_eq!(path.nearest(Vec2::new(4.0, -3.0), 0.0), 4.0);
        assert_eq!(path.nearest(Vec2::new(4.0, -3.0), 6.0), 6.0);
        assert_eq!(path.nearest(Vec2::new(11.0, 4.0), 0.0), 14.0);
        assert_eq!(path.reversed().at(1.0), Vec2::new(10.0, 4.0));
        assert!((path.heading(10.0, 4.0).unwrap_or(0.0) - 0.785).abs() < 0.01);
        let left = path.piece(0.0, 5.0, 1.0);
        assert!(left[0].distance(Vec2::new(0.0, 1.0)) < 1e-5, "{left:?}");
    }
}
