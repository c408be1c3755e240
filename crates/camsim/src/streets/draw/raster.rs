//! Triangles into pixels: nearest surface, its colour, and whose it is.
//!
//! Belongs here: the canvas and the loop that fills it. Does not belong here: light, cameras, what is drawn.

use glam::Vec3;

/// A corner on the canvas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corner {
    /// Canvas pixels.
    pub(super) x: f32,
    pub(super) y: f32,
    /// One over the distance: linear over a flat surface in the picture, larger is nearer.
    pub(super) near: f32,
    /// Red, green, blue, 0–255, ready to be seen.
    pub(super) colour: Vec3,
}

/// What a triangle is drawn into.
#[derive(Clone, Debug, Default)]
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Red, green, blue of each pixel; the fourth byte is not used.
    pub(super) colour: Vec<[u8; 4]>,
    /// One over the distance of the nearest surface.
    pub(super) near: Vec<f32>,
    /// Whose surface it is, 0 for what never moves.
    pub(super) owner: Vec<u16>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        let pixels = width * height;
        Self { width, height, colour: vec![[0; 4]; pixels], near: vec![0.0; pixels], owner: vec![0; pixels] }
    }
}

/// One row of a triangle: pixels `from..to` of row `y`, and the values at the first and from one to the next.
struct Span {
    y: usize,
    from: usize,
    to: usize,
    near: f32,
    near_step: f32,
    colour: Vec3,
    colour_step: Vec3,
}

/// Cuts a triangle into rows. Triangles that share an edge leave no gap and no pixel twice.
fn spans(width: usize, height: usize, corners: &[Corner; 3], mut row: impl FnMut(Span)) {
    let [a, b, c] = corners;
    let area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
    if area.abs() < 1e-6 {
        return;
    }
    // Slopes of the two values over x and y: a plane through the three corners.
    let slope_x = |va: f32, vb: f32, vc: f32| ((vb - va) * (c.y - a.y) - (vc - va) * (b.y - a.y)) / area;
    let slope_y = |va: f32, vb: f32, vc: f32| ((vc - va) * (b.x - a.x) - (vb - va) * (c.x - a.x)) / area;
    let near_x = slope_x(a.near, b.near, c.near);
    let near_y = slope_y(a.near, b.near, c.near);
    let flat = a.colour == b.colour && b.colour == c.colour;
    let each = |f: &dyn Fn(f32, f32, f32) -> f32| {
        if flat {
            return Vec3::ZERO;
        }
        Vec3::new(f(a.colour.x, b.colour.x, c.colour.x), f(a.colour.y, b.colour.y, c.colour.y), f(a.colour.z, b.colour.z, c.colour.z))
    };
    let (colour_x, colour_y) = (each(&slope_x), each(&slope_y));
    let first = (a.y.min(b.y).min(c.y) - 0.5).ceil().max(0.0) as usize;
    let last = (a.y.max(b.y).max(c.y) - 0.5).ceil().clamp(0.0, height as f32) as usize;
    for y in first..last {
        let middle = y as f32 + 0.5;
        let (mut left, mut right) = (f32::MAX, f32::MIN);
        for (p, q) in [(a, b), (b, c), (c, a)] {
            // Always from the upper end, so that the neighbour finds the very same edge.
            let (p, q) = if (p.y, p.x) <= (q.y, q.x) { (p, q) } else { (q, p) };
            if p.y <= middle && middle < q.y {
                let x = p.x + (middle - p.y) * (q.x - p.x) / (q.y - p.y);
                (left, right) = (left.min(x), right.max(x));
            }
        }
        let from = (left - 0.5).ceil().clamp(0.0, width as f32) as usize;
        let to = (right - 0.5).ceil().clamp(0.0, width as f32) as usize;
        if from >= to {
            continue;
        }
        let (dx, dy) = (from as f32 + 0.5 - a.x, middle - a.y);
        row(Span {
            y,
            from,
            to,
            near: a.near + near_x * dx + near_y * dy,
            near_step: near_x,
            colour: a.colour + colour_x * dx + colour_y * dy,
            colour_step: colour_x,
        });
    }
}

impl Canvas {
    /// Draws a triangle of `owner` where nothing is nearer.
    pub(super) fn triangle(&mut self, corners: &[Corner; 3], owner: u16) {
        let (width, height) = (self.width, self.height);
        spans(width, height, corners, |span| {
            let row = span.y * width;
            let range = row + span.from..row + span.to;
            let pixels = self.near[range.clone()].iter_mut().zip(&mut self.colour[range.clone()]).zip(&mut self.owner[range]);
            let (mut near, mut colour) = (span.near, span.colour);
            for ((depth, pixel), whose) in pixels {
                if near > *depth {
                    *depth = near;
                    *pixel = [colour.x as u8, colour.y as u8, colour.z as u8, 0];
                    *whose = owner;
                }
                near += span.near_step;
                colour += span.colour_step;
            }
        });
    }

    /// Darkens what lies under a triangle of shadow, once: where `shadow` owns the pixel it is dark already. Only what
    /// never moves is darkened, and only where the triangle lies on it.
    pub(super) fn shadow(&mut self, corners: &[Corner; 3], shadow: u16, keep: f32) {
        let (width, height) = (self.width, self.height);
        let keep = (keep * 256.0) as u32;
        spans(width, height, corners, |span| {
            let row = span.y * width;
            let range = row + span.from..row + span.to;
            let pixels = self.near[range.clone()].iter().zip(&mut self.colour[range.clone()]).zip(&mut self.owner[range]);
            let mut near = span.near;
            for ((depth, pixel), whose) in pixels {
                // 3 % of the distance: kerbs and markings lie on the ground, walls do not.
                if *whose == 0 && (near - *depth).abs() < 0.03 * near {
                    *whose = shadow;
                    for v in &mut pixel[..3] {
                        *v = ((u32::from(*v) * keep) >> 8) as u8;
                    }
                }
                near += span.near_step;
            }
        });
    }

    /// Hands out the pixels of a triangle that lies on what never moves, with the triangle's colour there and the
    /// pixel's index: for light on the road.
    pub(super) fn shine(&mut self, corners: &[Corner; 3], mut each: impl FnMut(&mut [u8], Vec3, usize)) {
        let (width, height) = (self.width, self.height);
        spans(width, height, corners, |span| {
            let (mut near, mut colour) = (span.near, span.colour);
            for i in span.y * width + span.from..span.y * width + span.to {
                if (self.near[i] - near).abs() < 0.03 * near {
                    each(&mut self.colour[i][..3], colour, i);
                }
                near += span.near_step;
                colour += span.colour_step;
            }
        });
    }

    /// Counts the pixels of a triangle: those not yet marked with `owner` in `mark`, whoever is nearer. For the share
    /// of a thing that can be seen.
    pub(super) fn cover(&self, corners: &[Corner; 3], owner: u16, mark: &mut [u16]) -> u32 {
        let mut count = 0;
        spans(self.width, self.height, corners, |span| {
            for whose in &mut mark[span.y * self.width + span.from..span.y * self.width + span.to] {
                if *whose != owner {
                    *whose = owner;
                    count += 1;
                }
            }
        });
        count
    }
}

/// The nearest of many triangles for each pixel, without colours: for what is lit pixel by pixel afterwards, and for
/// shadow maps. `which` gets the index + 1.
pub(super) fn nearest(width: usize, height: usize, corners: &[Corner; 3], index: u32, near: &mut [f32], which: &mut [u32]) {
    spans(width, height, corners, |span| {
        let range = span.y * width + span.from..span.y * width + span.to;
        let mut value = span.near;
        for (depth, tag) in near[range.clone()].iter_mut().zip(&mut which[range]) {
            if value > *depth {
                *depth = value;
                *tag = index + 1;
            }
            value += span.near_step;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corner(x: f32, y: f32) -> Corner {
        Corner { x, y, near: 1.0, colour: Vec3::splat(200.0) }
    }

    #[test]
    fn a_fan_covers_its_polygon_once() {
        let canvas = Canvas::new(64, 64);
        let middle = corner(31.3, 30.9);
        let rim: Vec<_> = (0..9)
            .map(|i| {
                let turn = i as f32 * core::f32::consts::TAU / 9.0;
                corner(32.0 + 29.0 * libm::cosf(turn), 32.0 + 29.0 * libm::sinf(turn))
            })
            .collect();
        let mut seen = vec![0u8; 64 * 64];
        for i in 0..9 {
            let mut mark = vec![0; 64 * 64];
            canvas.cover(&[middle, rim[i], rim[(i + 1) % 9]], 1, &mut mark);
            seen.iter_mut().zip(mark).for_each(|(s, m)| *s += m as u8);
        }
        assert_eq!(seen.iter().max(), Some(&1));
        let covered = seen.iter().filter(|s| **s == 1).count() as f32;
        let polygon = 9.0 / 2.0 * 29.0 * 29.0 * libm::sinf(core::f32::consts::TAU / 9.0);
        assert!((covered / polygon - 1.0).abs() < 0.02, "{covered} of {polygon}");
    }

    #[test]
    fn the_nearer_one_is_seen_and_nothing_is_drawn_outside() {
        let mut canvas = Canvas::new(32, 16);
        let far = [corner(-500.0, -500.0), corner(900.0, -500.0), corner(0.0, 900.0)];
        let near = far.map(|c| Corner { near: 2.0, colour: Vec3::splat(10.0), ..c });
        canvas.triangle(&near, 1);
        canvas.triangle(&far, 2);
        assert!(canvas.owner.iter().all(|o| *o == 1));
        assert!(canvas.colour.iter().all(|c| c[0] == 10));
    }
}
