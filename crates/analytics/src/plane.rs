//! The plane in which tracks and rules measure: the picture with square units, one unit = the picture's height.
//!
//! Belongs here: boxes, distances, areas. Does not belong here: anything that knows time.
//! Fractions of a picture are not square (0.1 across a 16:9 picture is longer than 0.1 down), so angles and distances
//! are taken here and only results go back to fractions.

use domain::{BBox, Observation, geometry::Point};

/// A point or a displacement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Vec2 {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Vec2 {
    pub(crate) fn minus(self, o: Self) -> Self {
        Self { x: self.x - o.x, y: self.y - o.y }
    }
    pub(crate) fn plus(self, o: Self) -> Self {
        Self { x: self.x + o.x, y: self.y + o.y }
    }
    pub(crate) fn times(self, f: f64) -> Self {
        Self { x: self.x * f, y: self.y * f }
    }
    pub(crate) fn dot(self, o: Self) -> f64 {
        self.x * o.x + self.y * o.y
    }
    pub(crate) fn length(self) -> f64 {
        self.dot(self).sqrt()
    }
}

/// The picture's width over its height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape(f64);

impl Shape {
    /// `None` for a picture without a size, or one no camera makes.
    pub(crate) fn of(o: &Observation) -> Option<Self> {
        let aspect = f64::from(o.width) / f64::from(o.height);
        (aspect.is_finite() && (0.05..=20.0).contains(&aspect)).then_some(Self(aspect))
    }

    /// Whether two pictures show the same view: another size is, another shape is not.
    pub(crate) fn is_like(self, o: Self) -> bool {
        (self.0 / o.0 - 1.0).abs() < 0.02
    }

    pub(crate) fn point(self, p: Point) -> Vec2 {
        Vec2 { x: p.x * self.0, y: p.y }
    }

    pub(crate) fn fraction(self, v: Vec2) -> Point {
        Point { x: v.x / self.0, y: v.y }
    }

    pub(crate) fn rect(self, b: &BBox) -> Rect {
        Rect { x1: b.x1 * self.0, y1: b.y1, x2: b.x2 * self.0, y2: b.y2 }
    }

    pub(crate) fn bbox(self, r: &Rect) -> BBox {
        BBox { x1: r.x1 / self.0, y1: r.y1, x2: r.x2 / self.0, y2: r.y2 }
    }
}

/// An upright box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x1: f64,
    pub(crate) y1: f64,
    pub(crate) x2: f64,
    pub(crate) y2: f64,
}

impl Rect {
    pub(crate) fn width(&self) -> f64 {
        self.x2 - self.x1
    }
    pub(crate) fn height(&self) -> f64 {
        self.y2 - self.y1
    }
    fn area(&self) -> f64 {
        self.width() * self.height()
    }
    /// The side of a square of the same area: the measure of how big a thing looks.
    pub(crate) fn scale(&self) -> f64 {
        self.area().max(0.0).sqrt().max(1e-6)
    }
    pub(crate) fn ground(&self) -> Vec2 {
        Vec2 { x: self.x1.midpoint(self.x2), y: self.y2 }
    }
    pub(crate) fn centre(&self) -> Vec2 {
        Vec2 { x: self.x1.midpoint(self.x2), y: self.y1.midpoint(self.y2) }
    }

    /// Intersection over union, 0 to 1.
    pub(crate) fn iou(&self, o: &Self) -> f64 {
        let w = self.x2.min(o.x2) - self.x1.max(o.x1);
        let h = self.y2.min(o.y2) - self.y1.max(o.y1);
        if w <= 0.0 || h <= 0.0 {
            return 0.0;
        }
        let both = w * h;
        both / (self.area() + o.area() - both).max(1e-12)
    }

    /// The box with `margin` more on every side.
    pub(crate) fn grown(&self, margin: f64) -> Self {
        Self { x1: self.x1 - margin, y1: self.y1 - margin, x2: self.x2 + margin, y2: self.y2 + margin }
    }

    /// The mean of this box, counted `n` times, and another.
    pub(crate) fn mean_with(&self, n: u32, o: &Self) -> Self {
        let k = 1.0 / f64::from(n + 1);
        let mix = |a: f64, b: f64| a + (b - a) * k;
        Self { x1: mix(self.x1, o.x1), y1: mix(self.y1, o.y1), x2: mix(self.x2, o.x2), y2: mix(self.y2, o.y2) }
    }
}

/// How far a thing moved between two of its boxes. When the box changed its proportions the thing was cut by something
/// in front of it (or by the picture's edge): then only what opposite edges agree on counts as movement, so that a
/// motorcycle passing before a parked car moves nothing.
pub(crate) fn moved(from: &Rect, to: &Rect) -> Vec2 {
    let bent = ((to.height() / from.height()) / (to.width() / from.width())).ln().abs();
    if bent < 0.25 {
        return to.ground().minus(from.ground());
    }
    let agreed = |a: f64, b: f64| {
        if a * b <= 0.0 {
            0.0
        } else if a.abs() < b.abs() {
            a
        } else {
            b
        }
    };
    Vec2 { x: agreed(to.x1 - from.x1, to.x2 - from.x2), y: agreed(to.y1 - from.y1, to.y2 - from.y2) }
}

/// Whether a point (fractions of the picture) is inside a polygon, by the even-odd rule.
pub(crate) fn contains(polygon: &[Point], p: Point) -> bool {
    let mut inside = false;
    let mut previous = polygon.last();
    for b in polygon {
        if let Some(a) = previous
            && (a.y > p.y) != (b.y > p.y)
            && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x
        {
            inside = !inside;
        }
        previous = Some(b);
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAR: Rect = Rect { x1: 0.2, y1: 0.4, x2: 0.6, y2: 0.6 };

    #[test]
    fn a_box_cut_from_below_has_not_moved_but_a_shifted_one_has() {
        assert_eq!(moved(&CAR, &Rect { y2: 0.5, ..CAR }), Vec2 { x: 0.0, y: 0.0 });
        assert_eq!(moved(&CAR, &Rect { x1: 0.4, ..CAR }).length(), 0.0);
        let on = Rect { x1: 0.3, x2: 0.7, ..CAR };
        assert!((moved(&CAR, &on).x - 0.1).abs() < 1e-12);
        // coming nearer: grows with its proportions kept
        let near = Rect { x1: 0.1, y1: 0.4, x2: 0.7, y2: 0.7 };
        assert!((moved(&CAR, &near).y - 0.1).abs() < 1e-12);
    }

    #[test]
    fn overlap_is_one_with_itself_and_nothing_with_a_neighbour() {
        assert!((CAR.iou(&CAR) - 1.0).abs() < 1e-9);
        assert_eq!(CAR.iou(&Rect { x1: 0.6, x2: 1.0, ..CAR }), 0.0);
    }

    #[test]
    fn a_notched_zone_does_not_hold_its_notch() {
        let u = [[0.0, 0.0], [0.3, 0.0], [0.3, 0.7], [0.7, 0.7], [0.7, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]].map(Point::from);
        assert!(contains(&u, Point { x: 0.1, y: 0.5 }));
        assert!(!contains(&u, Point { x: 0.5, y: 0.5 }));
        assert!(contains(&u, Point { x: 0.5, y: 0.8 }));
        assert!(!contains(&[], Point { x: 0.5, y: 0.8 }));
    }
}
