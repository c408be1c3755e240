//! What never moves, drawn once and with care: each pixel is lit on its own, with the shadows of houses and trees.
//!
//! The result is a canvas that moving things are drawn over, frame after frame.

use glam::{Vec2, Vec3};

use super::raster::{Canvas, Corner, nearest};
use super::screen::Screen;
use crate::streets::dice::{cell, cloudy, noise};
use crate::streets::light::Light;
use crate::streets::mesh::{Grain, Mesh, Skin, Triangle};
use crate::streets::places::Place;

/// The ground ends here, and the hills begin, metres.
const FAR: f32 = 420.0;

/// The drawn place.
#[derive(Clone, Debug)]
pub(super) struct Backdrop {
    pub(super) canvas: Canvas,
    /// What headlights would make of each pixel, 0–255; empty by day.
    pub(super) bare: Vec<[u8; 4]>,
    /// Whether a pixel is a leaf.
    pub(super) leaf: Vec<bool>,
}

/// Draws a place on a canvas of this size.
pub(super) fn draw(place: &Place, light: &Light, screen: &Screen) -> Backdrop {
    let (width, height) = (screen.width, screen.height);
    let mut canvas = Canvas::new(width, height);
    let mut which = vec![0u32; width * height];
    for (i, triangle) in place.solid.triangles.iter().enumerate() {
        screen.clipped(triangle.p, |corners| nearest(width, height, corners, i as u32, &mut canvas.near, &mut which));
    }
    let shadows = Shadows::new(&place.solid, light);
    let mut bare = Vec::new();
    if light.dark {
        bare.reserve(width * height);
    }
    let mut leaf = Vec::with_capacity(width * height);
    let surfaces = Surfaces { place, light, shadows: &shadows };
    for y in 0..height {
        for x in 0..width {
            let i = y * width + x;
            let ray = screen.view.ray(screen.place(x as f32 + 0.5, y as f32 + 0.5));
            let pixel = match which[i].checked_sub(1) {
                Some(n) => surfaces.solid(&place.solid.triangles[n as usize], ray, 1.0 / canvas.near[i]),
                None => surfaces.open(ray, &mut canvas.near[i]),
            };
            canvas.colour[i] = bytes(light.developed(pixel.light));
            if light.dark {
                bare.push(bytes(Vec3::splat(255.0) * pixel.colour));
            }
            leaf.push(pixel.leaf);
        }
    }
    Backdrop { canvas, bare, leaf }
}

/// The distance of the ground where nothing stands on it, and of the sky.
pub(super) fn lay_ground(screen: &Screen, near: &mut [f32]) {
    for (i, near) in near.iter_mut().enumerate().filter(|(_, near)| **near == 0.0) {
        let ray = screen.view.ray(screen.place((i % screen.width) as f32 + 0.5, (i / screen.width) as f32 + 0.5));
        let depth = -screen.view.at.z / ray.z;
        *near = if ray.z < 0.0 && depth < FAR { 1.0 / depth } else { 1.0 / (FAR * 2.0) };
    }
}

pub(super) fn bytes(colour: Vec3) -> [u8; 4] {
    [colour.x as u8, colour.y as u8, colour.z as u8, 0]
}

/// One pixel's surface: its own colour, and the light that comes from it.
struct Pixel {
    colour: Vec3,
    light: Vec3,
    leaf: bool,
}

struct Surfaces<'a> {
    place: &'a Place,
    light: &'a Light,
    shadows: &'a Shadows,
}

impl Surfaces<'_> {
    fn solid(&self, triangle: &Triangle, ray: Vec3, depth: f32) -> Pixel {
        let at = self.place.view.at + ray * depth;
        let skin = self.place.solid.skins[usize::from(triangle.skin)];
        let mut normal = normal_at(triangle, at);
        let leaf = skin.grain == Grain::Leaves;
        let colour = grain(&skin, at, normal, self.place.ground.salt);
        if leaf {
            // Leaves look everywhere.
            let turn = Vec3::new(noise(Vec2::new(at.x + at.y, at.z) * 7.0, 5), noise(Vec2::new(at.x - at.y, at.z) * 7.0, 6), 0.9);
            normal = (normal * 0.6 + (turn - Vec3::splat(0.5)) * 1.4).normalize_or(Vec3::Z);
        }
        let eye = -ray.normalize();
        let sunlit = self.shadows.sunlit(at + normal * 0.05, self.light);
        let mut light = self.light.seen(&skin, colour, at, normal, eye, sunlit);
        light += self.light.shines(&skin, false, false, None);
        Pixel { colour, light: self.hazy(light, ray, depth), leaf }
    }

    /// Ground, hills or sky.
    fn open(&self, ray: Vec3, near: &mut f32) -> Pixel {
        let to = ray.normalize();
        let distance = -self.place.view.at.z / to.z;
        if to.z < 0.0 && distance < FAR {
            let depth = distance / ray.length();
            *near = 1.0 / depth;
            let at = self.place.view.at + ray * depth;
            let (colour, gloss) = self.place.ground.look(at.truncate(), distance);
            let skin = Skin { gloss, ..Skin::matt([0; 3]) };
            let sunlit = self.shadows.sunlit(at, self.light);
            let light = self.light.seen(&skin, colour, at, Vec3::Z, -to, sunlit);
            return Pixel { colour, light: self.hazy(light, ray, depth), leaf: false };
        }
        *near = 1.0 / (FAR * 2.0);
        let heaven = self.light.heaven(to);
        let round = Vec2::new(libm::atan2f(to.y, to.x) * 6.0, 0.0);
        let ridge = 0.015 + 0.09 * cloudy(round, self.place.ground.salt + 40);
        if to.z < ridge {
            let green = Vec3::new(0.10, 0.14, 0.11) * self.light.falls(self.place.view.at + to * FAR, Vec3::Z, 1.0);
            return Pixel { colour: Vec3::splat(0.1), light: green.lerp(self.light.horizon, 0.55), leaf: false };
        }
        let cloud = (cloudy(Vec2::new(to.x, to.y) / (to.z + 0.12) * 1.3, self.place.ground.salt + 50) * 2.2 - 1.0).clamp(0.0, 1.0);
        let light = heaven.lerp(self.light.horizon * 1.15, cloud * 0.6);
        Pixel { colour: Vec3::ZERO, light, leaf: false }
    }

    fn hazy(&self, light: Vec3, ray: Vec3, depth: f32) -> Vec3 {
        let fade = 1.0 - libm::expf(-depth * ray.length() * self.light.haze);
        light.lerp(self.light.horizon, fade)
    }
}

fn normal_at(triangle: &Triangle, at: Vec3) -> Vec3 {
    let [a, b, c] = triangle.p;
    let (ab, ac, ap) = (b - a, c - a, at - a);
    let cross = ab.cross(ac);
    let square = cross.length_squared().max(1e-12);
    let v = ap.cross(ac).dot(cross) / square;
    let w = ab.cross(ap).dot(cross) / square;
    let [na, nb, nc] = triangle.n;
    (na * (1.0 - v - w) + nb * v + nc * w).normalize_or(na)
}

/// The colour of a patterned surface at a point.
fn grain(skin: &Skin, at: Vec3, normal: Vec3, salt: u32) -> Vec3 {
    // Along the surface: sideways and up.
    let side = if normal.x.abs() > normal.y.abs() { at.y } else { at.x };
    let p = Vec2::new(side, at.z);
    let factor = match skin.grain {
        Grain::Plain => 1.0,
        Grain::Plaster => {
            let stain = cloudy(Vec2::new(side * 1.1, at.z * 0.35), salt + 11) - 0.5;
            let damp = 0.22 * (1.0 - at.z / 0.7).clamp(0.0, 1.0);
            1.0 + 0.35 * stain - damp
        }
        Grain::Tiles => {
            let row = (at.z * 4.0 + if normal.z > 0.9 { at.y } else { 0.0 }).floor();
            0.82 + 0.3 * cell(row as i32, (side * 4.0).floor() as i32, salt) + if (at.z * 4.0).fract() < 0.2 { -0.15 } else { 0.0 }
        }
        Grain::Leaves => 0.45 + 1.1 * noise(Vec2::new(at.x + at.y * 0.7, at.z + at.y * 0.3) * 9.0, salt + 13),
        Grain::Sheet => 0.86 + 0.14 * libm::sinf(side * 40.0),
        Grain::Brick => {
            let row = (p.y * 12.0).floor();
            let joint = (p.x * 5.0 + 0.5 * (row % 2.0)).fract().abs() < 0.06 || (p.y * 12.0).fract() < 0.14;
            if joint { 1.15 } else { 0.85 + 0.25 * cell((p.x * 5.0).floor() as i32, row as i32, salt) }
        }
    };
    skin.colour * factor
}

/// How far the sun reaches: heights towards the sun, seen from it.
struct Shadows {
    across: Vec3,
    along: Vec3,
    map: Vec<f32>,
}

/// Pixels of the map to each side, and the metres it covers.
const MAP: usize = 1400;
const REACH: f32 = 120.0;
/// What the map is centred on: the ground before the camera.
const CENTRE: Vec3 = Vec3::new(0.0, 26.0, 0.0);
/// Heights are kept positive.
const LIFT: f32 = 500.0;

impl Shadows {
    fn new(solid: &Mesh, light: &Light) -> Self {
        let across = light.sun_at.cross(Vec3::Y).normalize_or(Vec3::X);
        let along = light.sun_at.cross(across);
        let mut shadows = Self { across, along, map: Vec::new() };
        if light.sun == Vec3::ZERO {
            return shadows;
        }
        let mut map = vec![0.0; MAP * MAP];
        let mut which = vec![0; MAP * MAP];
        for triangle in &solid.triangles {
            let corners = triangle.p.map(|p| {
                let (x, y) = shadows.place(p);
                Corner { x, y, near: (p - CENTRE).dot(light.sun_at) + LIFT, colour: Vec3::ZERO }
            });
            nearest(MAP, MAP, &corners, 0, &mut map, &mut which);
        }
        shadows.map = map;
        shadows
    }

    fn place(&self, p: Vec3) -> (f32, f32) {
        let scale = MAP as f32 / REACH;
        let v = p - CENTRE;
        (v.dot(self.across) * scale + MAP as f32 / 2.0, v.dot(self.along) * scale + MAP as f32 / 2.0)
    }

    /// 1 in the sun, 0 in the shadow.
    fn sunlit(&self, at: Vec3, light: &Light) -> f32 {
        if self.map.is_empty() {
            return 1.0;
        }
        let (x, y) = self.place(at);
        let height = (at - CENTRE).dot(light.sun_at) + LIFT + 0.12;
        let mut lit = 0.0;
        for (dx, dy) in [(-0.7, -0.3), (0.3, -0.7), (0.7, 0.3), (-0.3, 0.7)] {
            let (x, y) = (x + dx, y + dy);
            let outside = x < 0.0 || y < 0.0 || x >= MAP as f32 || y >= MAP as f32;
            if outside || self.map[y as usize * MAP + x as usize] <= height {
                lit += 0.25;
            }
        }
        lit
    }
}
