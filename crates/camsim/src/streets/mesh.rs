//! Shapes made of triangles, and the few solids that everything in the village is built from.
//!
//! A body's own axes: x ahead, y to its left, z up; metres. No light here (see `light`), no picture.

use glam::{Mat3, Vec2, Vec3};

/// What a surface is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Skin {
    /// Red, green and blue as linear light, 0–1.
    pub colour: Vec3,
    /// How much of the sky it mirrors, 0–1.
    pub gloss: f32,
    /// Light of its own, 1 is a white wall in the sun; what is switched off by day glows only when [`Lamp`] says so.
    pub glow: f32,
    /// Whether, and when, it shines.
    pub lamp: Lamp,
    /// The pattern of the surface; only what never moves shows one.
    pub grain: Grain,
}

/// The pattern of a surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// One colour.
    Plain,
    /// Weathered plaster: stains, darker towards the ground.
    Plaster,
    /// Rows of roof tiles.
    Tiles,
    /// Leaves: light and dark, and swaying in the wind.
    Leaves,
    /// Corrugated sheet.
    Sheet,
    /// Courses of brick.
    Brick,
}

/// When a surface gives light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lamp {
    /// Its `glow` is there always.
    Always,
    /// Only in the dark.
    Dark,
    /// Only while its body brakes or stands with its engine on.
    Brake,
    /// Blinks while its body says so.
    Blink,
    /// One of a traffic light's three.
    Signal(Signal),
}

/// What a traffic light shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "each is its own word")]
pub enum Signal {
    Red,
    Amber,
    Green,
}

impl Skin {
    /// A dull surface of an sRGB colour.
    #[must_use]
    pub fn matt(rgb: [u8; 3]) -> Self {
        Self { colour: linear(rgb), gloss: 0.0, glow: 0.0, lamp: Lamp::Always, grain: Grain::Plain }
    }

    /// A dull surface with a pattern.
    #[must_use]
    pub fn grained(rgb: [u8; 3], grain: Grain) -> Self {
        Self { grain, ..Self::matt(rgb) }
    }

    /// Paint or wet stone.
    #[must_use]
    pub fn shiny(rgb: [u8; 3], gloss: f32) -> Self {
        Self { gloss, ..Self::matt(rgb) }
    }

    /// A lamp.
    #[must_use]
    pub fn lamp(rgb: [u8; 3], glow: f32, lamp: Lamp) -> Self {
        Self { glow, lamp, ..Self::matt(rgb) }
    }
}

/// sRGB bytes as linear light.
#[must_use]
pub fn linear(rgb: [u8; 3]) -> Vec3 {
    let one = |v: u8| {
        let v = f32::from(v) / 255.0;
        // The square is near enough to the sRGB curve for paint, and the same on every machine.
        v * v
    };
    Vec3::new(one(rgb[0]), one(rgb[1]), one(rgb[2]))
}

/// One triangle, counter-clockwise as seen from outside, with the normals its light is reckoned with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Triangle {
    /// Corners.
    pub p: [Vec3; 3],
    /// Normals at the corners, of length 1.
    pub n: [Vec3; 3],
    /// Index into the skins of the mesh.
    pub skin: u16,
}

/// A shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    /// Its surface.
    pub triangles: Vec<Triangle>,
    /// What the surface is made of.
    pub skins: Vec<Skin>,
}

impl Mesh {
    fn skin(&mut self, skin: Skin) -> u16 {
        let at = self.skins.iter().position(|s| *s == skin).unwrap_or_else(|| {
            self.skins.push(skin);
            self.skins.len() - 1
        });
        at as u16
    }

    fn smooth(&mut self, p: [Vec3; 3], n: [Vec3; 3], skin: u16) {
        self.triangles.push(Triangle { p, n, skin });
    }

    /// A flat polygon, convex, counter-clockwise from outside.
    pub fn polygon(&mut self, corners: &[Vec3], skin: Skin) {
        let skin = self.skin(skin);
        let n = (corners[1] - corners[0]).cross(corners[2] - corners[0]).normalize_or_zero();
        for i in 2..corners.len() {
            self.smooth([corners[0], corners[i - 1], corners[i]], [n; 3], skin);
        }
    }

    /// A box between two corners.
    pub fn cuboid(&mut self, low: Vec3, high: Vec3, skin: Skin) {
        let outline = [Vec2::new(low.x, low.y), Vec2::new(high.x, low.y), Vec2::new(high.x, high.y), Vec2::new(low.x, high.y)];
        self.prism(&outline, low.z, high.z, skin);
    }

    /// An outline of the ground (convex, counter-clockwise) drawn up from `bottom` to `top`.
    pub fn prism(&mut self, outline: &[Vec2], bottom: f32, top: f32, skin: Skin) {
        self.frustum(outline, outline, bottom, top, skin);
    }

    /// Two outlines of equally many corners, joined: a prism that narrows.
    pub fn frustum(&mut self, low: &[Vec2], high: &[Vec2], bottom: f32, top: f32, skin: Skin) {
        let lift = |p: &Vec2, z: f32| p.extend(z);
        for i in 0..low.len() {
            let j = (i + 1) % low.len();
            self.polygon(&[lift(&low[i], bottom), lift(&low[j], bottom), lift(&high[j], top), lift(&high[i], top)], skin);
        }
        let roof: Vec<_> = high.iter().map(|p| lift(p, top)).collect();
        self.polygon(&roof, skin);
        let floor: Vec<_> = low.iter().rev().map(|p| lift(p, bottom)).collect();
        self.polygon(&floor, skin);
    }

    /// A side profile (x, z; convex parts in a fan from its first corner, counter-clockwise seen from the right) as wide
    /// as ±`half`, narrowed at the top by `lean` for each metre above `waist`.
    pub fn profile(&mut self, outline: &[Vec2], half: f32, waist: f32, lean: f32, skins: &[Skin]) {
        let at = |p: &Vec2, side: f32| Vec3::new(p.x, side * (half - (p.y - waist).max(0.0) * lean), p.y);
        for i in 0..outline.len() {
            let j = (i + 1) % outline.len();
            let skin = skins[i.min(skins.len() - 1)];
            self.polygon(&[at(&outline[i], 1.0), at(&outline[j], 1.0), at(&outline[j], -1.0), at(&outline[i], -1.0)], skin);
        }
        let right: Vec<_> = outline.iter().map(|p| at(p, -1.0)).collect();
        let left: Vec<_> = outline.iter().rev().map(|p| at(p, 1.0)).collect();
        let side = *skins.last().unwrap_or(&Skin::matt([128; 3]));
        self.polygon(&right, side);
        self.polygon(&left, side);
    }

    /// A rounded solid about `centre` with three half axes.
    pub fn ellipsoid(&mut self, centre: Vec3, radius: Vec3, around: usize, skin: Skin) {
        self.dome(centre, radius, around, -1.0, 1.0, skin);
    }

    /// The part of an ellipsoid between two heights, −1 its bottom and 1 its top.
    pub fn dome(&mut self, centre: Vec3, radius: Vec3, around: usize, from: f32, to: f32, skin: Skin) {
        let skin = self.skin(skin);
        let rings = (around / 2).max(2);
        let (low, high) = (libm::asinf(from), libm::asinf(to));
        let point = |ring: usize, step: usize| {
            let up = low + (high - low) * ring as f32 / rings as f32;
            let turn = core::f32::consts::TAU * (step % around) as f32 / around as f32;
            let unit = Vec3::new(libm::cosf(up) * libm::cosf(turn), libm::cosf(up) * libm::sinf(turn), libm::sinf(up));
            (centre + unit * radius, (unit / radius).normalize())
        };
        for ring in 0..rings {
            for step in 0..around {
                let corners = [point(ring, step), point(ring, step + 1), point(ring + 1, step + 1), point(ring + 1, step)];
                for [a, b, c] in [[0, 1, 2], [0, 2, 3]] {
                    if (corners[a].0 - corners[b].0).cross(corners[a].0 - corners[c].0).length_squared() > 1e-12 {
                        self.smooth([corners[a].0, corners[b].0, corners[c].0], [corners[a].1, corners[b].1, corners[c].1], skin);
                    }
                }
            }
        }
    }

    /// A round bar from one end to the other, its radius at each.
    pub fn bar(&mut self, from: Vec3, to: Vec3, radius: [f32; 2], around: usize, skin: Skin) {
        let axis = (to - from).normalize_or(Vec3::Z);
        let side = if axis.z.abs() > 0.9 { Vec3::X } else { Vec3::Z }.cross(axis).normalize();
        let other = axis.cross(side);
        let index = self.skin(skin);
        let spoke = |step: usize| {
            let turn = core::f32::consts::TAU * (step % around) as f32 / around as f32;
            side * libm::cosf(turn) + other * libm::sinf(turn)
        };
        for step in 0..around {
            let (a, b) = (spoke(step), spoke(step + 1));
            let (low_a, low_b) = (from + a * radius[0], from + b * radius[0]);
            let (high_a, high_b) = (to + a * radius[1], to + b * radius[1]);
            self.smooth([low_a, low_b, high_b], [a, b, b], index);
            self.smooth([low_a, high_b, high_a], [a, b, a], index);
        }
        let end = |centre: Vec3, r: f32, up: bool| -> Vec<Vec3> {
            (0..around).map(|i| centre + spoke(if up { i } else { around - i }) * r).collect()
        };
        if radius[0] > 0.0 {
            self.polygon(&end(from, radius[0], false), skin);
        }
        if radius[1] > 0.0 {
            self.polygon(&end(to, radius[1], true), skin);
        }
    }

    /// A wheel with its axle along y.
    pub fn wheel(&mut self, centre: Vec3, radius: f32, width: f32, tyre: Skin, rim: Skin) {
        let half = Vec3::new(0.0, width / 2.0, 0.0);
        self.bar(centre - half, centre + half, [radius; 2], 10, tyre);
        let out = Vec3::new(0.0, width / 2.0 + 0.01, 0.0);
        self.bar(centre - out, centre + out, [radius * 0.58; 2], 8, rim);
    }

    /// Takes in another shape, turned and moved.
    pub fn add(&mut self, other: &Mesh, turn: Mat3, shift: Vec3) {
        let skins: Vec<_> = other.skins.iter().map(|s| self.skin(*s)).collect();
        self.triangles.extend(other.triangles.iter().map(|t| Triangle {
            p: t.p.map(|p| turn * p + shift),
            n: t.n.map(|n| turn * n),
            skin: skins[usize::from(t.skin)],
        }));
    }

    /// A quadrilateral of two triangles that need not lie in one plane, counter-clockwise from outside.
    pub fn quad(&mut self, c: [Vec3; 4], skin: Skin) {
        let skin = self.skin(skin);
        for p in [[c[0], c[1], c[2]], [c[0], c[2], c[3]]] {
            let n = (p[1] - p[0]).cross(p[2] - p[0]);
            if n.length_squared() > 1e-12 {
                self.smooth(p, [n.normalize(); 3], skin);
            }
        }
    }

    /// Cross-sections along x, rearmost first: each is its x and its left half (y, z) from the bottom upwards; the right
    /// half mirrors it. All have equally many points.
    pub fn sections(&mut self, stations: &[(f32, Vec<Vec2>)], skin: Skin) {
        let from = self.triangles.len();
        let ring = |(x, half): &(f32, Vec<Vec2>)| -> Vec<Vec3> {
            let left = half.iter().map(|p| Vec3::new(*x, p.x, p.y));
            left.chain(half.iter().rev().map(|p| Vec3::new(*x, -p.x, p.y))).collect()
        };
        for pair in stations.windows(2) {
            let (a, b) = (ring(&pair[0]), ring(&pair[1]));
            for i in 0..a.len() {
                let j = (i + 1) % a.len();
                self.quad([a[i], a[j], b[j], b[i]], skin);
            }
        }
        for (station, front) in [(stations.first(), false), (stations.last(), true)] {
            let Some(station) = station else { continue };
            let points = ring(station);
            for i in 0..points.len() / 2 - 1 {
                let (a, b, c, d) = (points[i], points[i + 1], points[points.len() - 2 - i], points[points.len() - 1 - i]);
                self.quad(if front { [a, b, c, d] } else { [d, c, b, a] }, skin);
            }
        }
        self.soften(from, 0.8);
    }

    /// Elliptic rings along u × v, each its centre and its half axes along u and v: a limb, a trunk.
    pub fn loft(&mut self, [u, v]: [Vec3; 2], rings: &[(Vec3, f32, f32)], around: usize, skin: Skin) {
        let index = self.skin(skin);
        let spot = |ring: &(Vec3, f32, f32), step: usize| {
            let turn = core::f32::consts::TAU * (step % around) as f32 / around as f32;
            let (sin, cos) = (libm::sinf(turn), libm::cosf(turn));
            (ring.0 + u * (cos * ring.1) + v * (sin * ring.2), (u * (cos * ring.2) + v * (sin * ring.1)).normalize_or(u))
        };
        for pair in rings.windows(2) {
            for step in 0..around {
                let (a, b) = (spot(&pair[0], step), spot(&pair[0], step + 1));
                let (c, d) = (spot(&pair[1], step + 1), spot(&pair[1], step));
                self.smooth([a.0, b.0, c.0], [a.1, b.1, c.1], index);
                self.smooth([a.0, c.0, d.0], [a.1, c.1, d.1], index);
            }
        }
        for (ring, top) in [(rings.first(), false), (rings.last(), true)] {
            let Some(ring) = ring else { continue };
            let cap: Vec<_> = (0..around).map(|i| spot(ring, if top { i } else { around - i }).0).collect();
            self.polygon(&cap, skin);
        }
    }

    /// A cone that stands on `base`, with its underside.
    pub fn cone(&mut self, base: Vec3, radius: f32, height: f32, around: usize, skin: Skin) {
        let index = self.skin(skin);
        let rim = |step: f32| {
            let turn = core::f32::consts::TAU * step / around as f32;
            let out = Vec3::new(libm::cosf(turn), libm::sinf(turn), 0.0);
            (base + out * radius, (out * height + Vec3::Z * radius).normalize())
        };
        for step in 0..around {
            let (a, b) = (rim(step as f32), rim((step + 1) as f32));
            let tip = base + Vec3::Z * height;
            self.smooth([a.0, b.0, tip], [a.1, b.1, rim(step as f32 + 0.5).1], index);
        }
        let floor: Vec<_> = (0..around).rev().map(|i| rim(i as f32).0).collect();
        self.polygon(&floor, skin);
    }

    /// Rounds the edges of the triangles from the `from`th on that meet at less than an angle of this cosine.
    pub fn soften(&mut self, from: usize, cosine: f32) {
        let flat: Vec<_> = self.triangles[from..].iter().map(|t| (t.p, t.skin, (t.p[1] - t.p[0]).cross(t.p[2] - t.p[0]))).collect();
        for (triangle, (_, _, own)) in self.triangles[from..].iter_mut().zip(&flat) {
            let own = own.normalize_or(triangle.n[0]);
            for (p, n) in triangle.p.iter().zip(&mut triangle.n) {
                let near = flat.iter().filter(|(q, skin, m)| {
                    *skin == triangle.skin && m.dot(own) > cosine * m.length() && q.iter().any(|q| q.distance_squared(*p) < 1e-8)
                });
                *n = near.map(|(_, _, m)| *m).sum::<Vec3>().normalize_or(own);
            }
        }
    }

    /// Its lowest and highest corner.
    #[must_use]
    pub fn bounds(&self) -> (Vec3, Vec3) {
        let corners = self.triangles.iter().flat_map(|t| t.p);
        corners.fold((Vec3::MAX, Vec3::MIN), |(low, high), p| (low.min(p), high.max(p)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six times the volume; positive when all triangles face outwards.
    fn volume(mesh: &Mesh) -> f32 {
        mesh.triangles.iter().map(|t| t.p[0].dot(t.p[1].cross(t.p[2]))).sum()
    }

    #[test]
    fn solids_face_outwards() {
        let skin = Skin::matt([200; 3]);
        let shift = Vec3::new(3.0, -2.0, 1.0);
        let close = |mesh: &Mesh, expected: f32| {
            let v = volume(mesh) / 6.0;
            assert!((v / expected - 1.0).abs() < 0.2, "{v} for {expected}");
        };
        let mut cuboid = Mesh::default();
        cuboid.cuboid(shift, shift + Vec3::new(1.0, 2.0, 3.0), skin);
        close(&cuboid, 6.0);
        let mut ball = Mesh::default();
        ball.ellipsoid(shift, Vec3::new(1.0, 2.0, 1.0), 16, skin);
        close(&ball, 8.38);
        for to in [Vec3::Z, Vec3::X, Vec3::new(0.3, -1.0, 0.2)] {
            let mut bar = Mesh::default();
            bar.bar(shift, shift + to * 2.0, [1.0, 1.0], 16, skin);
            close(&bar, core::f32::consts::TAU * to.length());
        }
        let mut car = Mesh::default();
        let outline = [[-1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [-1.0, 1.0]].map(Vec2::from);
        car.profile(&outline, 0.5, 0.5, 0.0, &[skin]);
        close(&car, 2.0);
    }
}
