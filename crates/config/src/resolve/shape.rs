//! Zones, lines and directions: points inside the picture, outlines that make sense.

use super::{Given, title};
use crate::{
    needed::{Line, Zone},
    source::{Source, Wrong},
    written,
};
use domain::{
    geometry::Point,
    mask::{MASK_CORNERS, MASKS_MAX, Mask},
};

/// More corners than a hand draws; keeps the crossing test trivial.
const CORNERS_MAX: usize = 64;

pub(super) fn zone(w: written::Zone, given: &mut Given, source: &mut Source<'_>) -> Option<Zone> {
    let zone_name = w.name.then(source, |t| title(&t)).needed(source).and_then(|(name, place)| {
        given.give("a zone of this camera", &name, &place, source)?;
        Some(name)
    });
    let polygon = w.polygon.then(source, |p| polygon(&p)).needed(source);
    Some(Zone { name: zone_name?, polygon: polygon?.0 })
}

pub(super) fn line(w: written::Line, given: &mut Given, source: &mut Source<'_>) -> Option<Line> {
    let line_name = w.name.then(source, |t| title(&t)).needed(source).and_then(|(name, place)| {
        given.give("a line of this camera", &name, &place, source)?;
        Some(name)
    });
    let points = w.points.then(source, |p| two(&p)).needed(source);
    let (from, to) = points?.0;
    Some(Line { name: line_name?, from, to })
}

/// Corners of an area.
pub(super) fn polygon(list: &[[f64; 2]]) -> Result<Vec<Point>, Wrong> {
    let points = inside(list)?;
    let fix = "write at least 3 corners in order around the area: [[0.1,0.6],[0.9,0.6],[0.5,0.9]]";
    if points.len() < 3 {
        return Err(Wrong::new(format!("has {} corners", points.len()), fix));
    }
    if points.len() > CORNERS_MAX {
        return Err(Wrong::new(format!("has {} corners", points.len()), format!("write at most {CORNERS_MAX}")));
    }
    let n = points.len();
    if let Some(i) = (0..n).find(|i| points[*i] == points[(i + 1) % n]) {
        return Err(Wrong::new(format!("corners {} and {} are the same point", i + 1, (i + 1) % n + 1), "leave one of them out"));
    }
    if points.iter().all(|p| side(points[0], points[1], *p).abs() < 1e-9) {
        return Err(Wrong::new("all corners lie on one line", fix));
    }
    for i in 0..n {
        let (a, b) = (points[i], points[(i + 1) % n]);
        for j in i + 1..n {
            let (c, d) = (points[j], points[(j + 1) % n]);
            // Neighbouring sides share a corner: that is no crossing, unless they run back over each other.
            let next = j == i + 1;
            let last = (j + 1) % n == i;
            let bad = match (next, last) {
                (true, false) => on(a, b, d),
                (false, true) => on(a, b, c),
                (true, true) => false,
                (false, false) => cross(a, b, c, d),
            };
            if bad {
                let problem = format!("the sides after corners {} and {} cross", i + 1, j + 1);
                return Err(Wrong::new(problem, "write the corners in order around the area"));
            }
        }
    }
    Ok(points)
}

/// Parts of the picture that are covered. All of them share one key: whatever is wrong is told with which one it is.
pub(super) fn masks(list: &[Vec<[f64; 2]>]) -> Result<Vec<Mask>, Wrong> {
    if list.len() > MASKS_MAX {
        return Err(Wrong::new(
            format!("has {} areas", list.len()),
            format!("write at most {MASKS_MAX}: one may cover what lies close together"),
        ));
    }
    let mask = |(n, corners): (usize, &Vec<[f64; 2]>)| {
        let points = polygon(corners).map_err(|wrong| wrong.of(&format!("area {}", n + 1)))?;
        if points.len() > *MASK_CORNERS.end() {
            let problem = format!("area {} has {} corners", n + 1, points.len());
            return Err(Wrong::new(problem, format!("write at most {}, or two areas", MASK_CORNERS.end())));
        }
        Ok(points)
    };
    list.iter().enumerate().map(mask).collect()
}

/// Two points that differ.
pub(super) fn two(list: &[[f64; 2]]) -> Result<(Point, Point), Wrong> {
    let fix = "write two points, from and to: [[0.5,0.9],[0.5,0.1]]";
    match inside(list)?.as_slice() {
        [a, b] if a != b => Ok((*a, *b)),
        [_, _] => Err(Wrong::new("both points are the same", fix)),
        other => Err(Wrong::new(format!("has {} points", other.len()), fix)),
    }
}

fn inside(list: &[[f64; 2]]) -> Result<Vec<Point>, Wrong> {
    match list.iter().position(|p| !p.iter().all(|v| (0.0..=1.0).contains(v))) {
        Some(i) => {
            let [x, y] = list[i];
            let problem = format!("point {} is [{x}, {y}], outside the picture", i + 1);
            Err(Wrong::new(problem, "write fractions of the picture, 0 to 1, origin top left"))
        }
        None => Ok(list.iter().map(|p| Point::from(*p)).collect()),
    }
}

/// Twice the signed area of the triangle: which side of `a → b` the point is on.
fn side(a: Point, b: Point, p: Point) -> f64 {
    (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)
}

/// Whether `p` lies on the segment.
fn on(a: Point, b: Point, p: Point) -> bool {
    side(a, b, p) == 0.0 && p.x >= a.x.min(b.x) && p.x <= a.x.max(b.x) && p.y >= a.y.min(b.y) && p.y <= a.y.max(b.y)
}

/// Whether the segments have a point in common.
fn cross(a: Point, b: Point, c: Point, d: Point) -> bool {
    let apart = |p: f64, q: f64| (p > 0.0 && q < 0.0) || (p < 0.0 && q > 0.0);
    let through = apart(side(a, b, c), side(a, b, d)) && apart(side(c, d, a), side(c, d, b));
    through || on(a, b, c) || on(a, b, d) || on(c, d, a) || on(c, d, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines() {
        let good: [&[[f64; 2]]; 4] = [
            &[[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]],
            &[[0.05, 0.60], [0.45, 0.60], [0.45, 0.95], [0.05, 0.95]],
            // an L, once in each direction
            &[[0.1, 0.1], [0.5, 0.1], [0.5, 0.3], [0.3, 0.3], [0.3, 0.9], [0.1, 0.9]],
            &[[0.1, 0.9], [0.3, 0.9], [0.3, 0.3], [0.5, 0.3], [0.5, 0.1], [0.1, 0.1]],
        ];
        for list in good {
            assert!(polygon(list).is_ok(), "{list:?}");
        }
        let bad: [&[[f64; 2]]; 8] = [
            &[],
            &[[0.1, 0.1], [0.2, 0.2]],
            // a bow tie
            &[[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]],
            // a corner twice
            &[[0.1, 0.1], [0.1, 0.1], [0.9, 0.1], [0.1, 0.9]],
            // all on one line
            &[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]],
            // a spike that runs back over itself
            &[[0.1, 0.1], [0.9, 0.1], [0.5, 0.1], [0.5, 0.9]],
            // a corner on another side
            &[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.0], [0.0, 1.0]],
            &[[0.0, 0.0], [1.0, 0.0], [0.5, 1.1]],
        ];
        for list in bad {
            assert!(polygon(list).is_err(), "{list:?}");
        }
        assert!(polygon(&[[0.1, 0.2]; 65]).is_err());
    }
}
