//! The ground: which surface lies where, and what it looks like close up.
//!
//! Patches lie on one another, the last on top; all of them at height 0. No light here (see `light`).

use glam::{Vec2, Vec3};

use super::dice::{cell, cloudy, noise};
use super::mesh::linear;

/// What one walks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Village road, patched.
    Asphalt,
    /// Slabs with joints.
    Concrete,
    /// Verge.
    Grass,
    /// Rice field, green rows.
    Paddy,
    /// Trodden earth.
    Soil,
    /// Red paving bricks.
    Paving,
    /// Canal.
    Water,
    /// Road markings, worn.
    White,
    /// Road markings, worn.
    Yellow,
}

/// An outline on the ground.
#[derive(Clone, Debug, PartialEq)]
pub enum Outline {
    /// Any simple polygon.
    Polygon(Vec<Vec2>),
    /// A line of some width; with `dash`, metres painted and metres left out.
    Strip {
        /// Its middle line.
        line: Vec<Vec2>,
        /// Half its width, metres.
        half: f32,
        /// On and off.
        dash: Option<(f32, f32)>,
    },
}

/// A surface within an outline.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    outline: Outline,
    surface: Surface,
    low: Vec2,
    high: Vec2,
}

impl Patch {
    /// A patch; its bounds are reckoned once.
    #[must_use]
    pub fn new(surface: Surface, outline: Outline) -> Self {
        let (points, margin) = match &outline {
            Outline::Polygon(points) => (points, 0.0),
            Outline::Strip { line, half, .. } => (line, *half),
        };
        let low = points.iter().fold(Vec2::MAX, |a, b| a.min(*b)) - margin;
        let high = points.iter().fold(Vec2::MIN, |a, b| a.max(*b)) + margin;
        Self { outline, surface, low, high }
    }

    fn holds(&self, p: Vec2) -> bool {
        if p.cmplt(self.low).any() || p.cmpgt(self.high).any() {
            return false;
        }
        match &self.outline {
            Outline::Polygon(points) => inside(points, p),
            Outline::Strip { line, half, dash } => on_strip(line, *half, *dash, p),
        }
    }
}

/// Whether a point is in a polygon (even-odd).
#[must_use]
pub(super) fn inside(points: &[Vec2], p: Vec2) -> bool {
    let mut odd = false;
    let mut before = points[points.len() - 1];
    for at in points {
        if (at.y > p.y) != (before.y > p.y) && p.x < (before.x - at.x) * (p.y - at.y) / (before.y - at.y) + at.x {
            odd = !odd;
        }
        before = *at;
    }
    odd
}

fn on_strip(line: &[Vec2], half: f32, dash: Option<(f32, f32)>, p: Vec2) -> bool {
    let mut begun = 0.0;
    for ends in line.windows(2) {
        let way = ends[1] - ends[0];
        let length = way.length();
        let along = ((p - ends[0]).dot(way) / length).clamp(0.0, length);
        if (ends[0] + way * (along / length) - p).length_squared() <= half * half {
            return dash.is_none_or(|(on, off)| (begun + along) % (on + off) < on);
        }
        begun += length;
    }
    false
}

/// The whole ground of a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// Where no patch lies.
    pub base: Surface,
    /// Later ones lie on earlier ones.
    pub patches: Vec<Patch>,
    /// Varies stains and blades of grass.
    pub salt: u32,
    /// Wet after rain: darker and mirroring, 0–1.
    pub wet: f32,
}

impl Ground {
    /// What lies at a point. Points far away are told coarsely.
    pub(super) fn surface(&self, p: Vec2) -> Surface {
        self.patches.iter().rev().find(|patch| patch.holds(p)).map_or(self.base, |patch| patch.surface)
    }

    /// Colour (linear) and gloss at a point seen from `distance` metres.
    pub(super) fn look(&self, p: Vec2, distance: f32) -> (Vec3, f32) {
        let surface = self.surface(p);
        // Patterns finer than a pixel would only flicker: they fade with distance.
        let fine = 1.0 / (1.0 + distance * distance * 0.0008);
        let large = cloudy(p * 0.35, self.salt) - 0.5;
        let small = (noise(p * 9.0, self.salt + 7) - 0.5) * fine;
        let grain = (cell((p.x * 38.0).floor() as i32, (p.y * 38.0).floor() as i32, self.salt) - 0.5) * fine * fine;
        let (colour, gloss) = match surface {
            Surface::Asphalt => {
                let crack = (noise(p * 0.8, self.salt + 21) - 0.5).abs();
                let worn = if crack < 0.008 { 0.72 } else { 1.0 };
                (linear([104, 103, 101]) * ((1.0 + 0.35 * large + 0.22 * small + 0.3 * grain) * worn), 0.04)
            }
            Surface::Concrete => {
                let joint = (p.x / 4.0).fract().abs().min((p.y / 4.0).fract().abs());
                let line = if joint < 0.008 { 0.6 } else { 1.0 };
                (linear([158, 153, 143]) * ((1.0 + 0.4 * large + 0.12 * small + 0.12 * grain) * line), 0.03)
            }
            Surface::Grass => {
                let dry = (cloudy(p * 0.7, self.salt + 3) * 1.6 - 0.4).clamp(0.0, 1.0);
                (linear([82, 104, 52]).lerp(linear([132, 122, 80]), dry) * (1.0 + 0.5 * large + 0.7 * small + 0.6 * grain), 0.0)
            }
            Surface::Paddy => {
                let rows = 0.5 + 0.5 * libm::sinf(p.x * 9.0) * fine;
                (linear([88, 128, 54]) * (0.75 + 0.3 * rows + 0.4 * large + 0.3 * small), 0.02)
            }
            Surface::Soil => (linear([142, 120, 94]) * (1.0 + 0.5 * large + 0.3 * small + 0.25 * grain), 0.0),
            Surface::Paving => {
                let row = (p.y * 5.0).floor();
                let brick = Vec2::new(p.x * 2.5 + 0.5 * (row % 2.0).abs(), p.y * 5.0);
                let tone = (cell(brick.x.floor() as i32, row as i32, self.salt) - 0.5) * fine;
                let joint = if brick.x.fract().abs() < 0.06 || brick.y.fract().abs() < 0.1 { 1.0 - 0.35 * fine } else { 1.0 };
                (linear([150, 104, 84]) * ((1.0 + 0.3 * large + 0.3 * tone) * joint), 0.03)
            }
            Surface::Water => (linear([52, 66, 60]) * (1.0 + 0.3 * large), 0.55),
            Surface::White => (linear([206, 206, 200]) * (0.9 + 0.5 * large + 0.2 * small), 0.04),
            Surface::Yellow => (linear([204, 166, 60]) * (0.9 + 0.5 * large + 0.2 * small), 0.04),
        };
        (colour.max(Vec3::splat(0.004)) * (1.0 - 0.45 * self.wet), gloss + 0.35 * self.wet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_patch_lies_on_top() {
        let square = |s: f32| Outline::Polygon([[-s, -s], [s, -s], [s, s], [-s, s]].map(Vec2::from).to_vec());
        let ground = Ground {
            base: Surface::Grass,
            patches: vec![Patch::new(Surface::Asphalt, square(4.0)), Patch::new(Surface::White, square(1.0))],
            salt: 1,
            wet: 0.0,
        };
        let at = |x| ground.surface(Vec2::new(x, 0.5));
        assert_eq!([at(0.0), at(2.0), at(6.0)], [Surface::White, Surface::Asphalt, Surface::Grass]);
    }

    #[test]
    fn dashes_leave_gaps() {
        let line = vec![Vec2::ZERO, Vec2::new(0.0, 20.0)];
        let patch = Patch::new(Surface::White, Outline::Strip { line, half: 0.1, dash: Some((2.0, 3.0)) });
        let on = |y| patch.holds(Vec2::new(0.05, y));
        assert_eq!([on(1.0), on(3.0), on(6.0), on(8.0)], [true, false, true, false]);
    }
}
