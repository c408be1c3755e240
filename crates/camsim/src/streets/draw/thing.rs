//! A body at its place in the village, as triangles on a canvas.
//!
//! Belongs here: posing, lighting and projecting one body, its shadow and its lamps. Does not belong here: which
//! bodies there are (`scenario`), the picture they end up in (`painter`).

use glam::{Mat3, Vec2, Vec3};

use super::raster::Corner;
use super::screen::Screen;
use crate::streets::bodies::{Body, Part};
use crate::streets::light::Light;
use crate::streets::mesh::{Mesh, Signal, Skin};

/// A body and how it stands.
#[derive(Clone, Copy, Debug)]
pub struct Thing<'a> {
    /// Which track it is, and the first of the tracks of its riders.
    pub track: u32,
    /// Its shape.
    pub body: &'a Body,
    /// Where it stands.
    pub at: Vec2,
    /// Its height above the ground: a bag in a hand.
    pub lift: f32,
    /// Where it looks, radians from x towards y.
    pub heading: f32,
    /// Metres gone so far: moves the limbs.
    pub gone: f32,
    /// Whether its brake lights are on.
    pub brakes: bool,
    /// Whether its blinkers are lit just now.
    pub blinks: bool,
    /// Whether its engine, and with it its lamps, are on.
    pub lamps: bool,
    /// What a traffic light shows.
    pub signal: Option<Signal>,
}

/// A body's axes in the village.
#[derive(Clone, Copy)]
pub(super) struct Stance {
    pub(super) turn: Mat3,
    pub(super) at: Vec3,
}

impl Thing<'_> {
    pub(super) fn stance(&self) -> Stance {
        Stance { turn: Mat3::from_rotation_z(self.heading), at: self.at.extend(self.lift) }
    }

    /// The body's own height and reach, for a first look whether it is in the picture: a ball about its middle.
    pub(super) fn ball(&self) -> (Vec3, f32) {
        let size = self.body.size;
        // Riders are higher than their bike.
        let tall = if self.body.riders.is_empty() { size.z } else { size.z.max(2.0) };
        (self.at.extend(self.lift + tall / 2.0), (size.x * size.x + size.y * size.y + tall * tall).sqrt() / 2.0 + 0.3)
    }
}

/// How a part stands in its body.
pub(super) fn pose(part: &Part, stance: &Stance, gone: f32, stride: f32) -> Stance {
    let Some(joint) = part.joint.filter(|_| stride > 0.0) else { return *stance };
    let turn = Mat3::from_rotation_y(joint.swing * libm::sinf(gone / stride * core::f32::consts::TAU + joint.phase));
    Stance { turn: stance.turn * turn, at: stance.at + stance.turn * (joint.pivot - turn * joint.pivot) }
}

/// The visible triangles of a mesh, without colour.
pub(super) fn outline(mesh: &Mesh, stance: &Stance, screen: &Screen, mut emit: impl FnMut(&[Corner; 3])) {
    for triangle in &mesh.triangles {
        let Some(corners) = facing(triangle.p.map(|p| stance.turn * p + stance.at), screen) else { continue };
        emit(&corners);
    }
}

/// The corners of a triangle that faces the camera, before the lens and not behind it.
fn facing(p: [Vec3; 3], screen: &Screen) -> Option<[Corner; 3]> {
    if (p[1] - p[0]).cross(p[2] - p[0]).dot(screen.view.at - p[0]) <= 0.0 {
        return None;
    }
    Some([screen.corner(p[0])?, screen.corner(p[1])?, screen.corner(p[2])?])
}

/// The visible triangles of a mesh in the light there is.
pub(super) fn lit(mesh: &Mesh, stance: &Stance, thing: &Thing<'_>, screen: &Screen, light: &Light, mut emit: impl FnMut(&[Corner; 3])) {
    // Light changes slowly over a metre or two: what falls is reckoned where the body stands.
    let middle = stance.at + Vec3::Z;
    let eye = (screen.view.at - middle).normalize();
    let shade = |skin: &Skin, normal: Vec3| {
        let seen = light.seen(skin, skin.colour, middle, normal, eye, 1.0);
        let own = if skin.glow > 0.0 && (thing.lamps || skin.lamp == crate::streets::mesh::Lamp::Always) {
            light.shines(skin, thing.brakes, thing.blinks, thing.signal)
        } else {
            Vec3::ZERO
        };
        light.developed(seen + own)
    };
    for triangle in &mesh.triangles {
        let Some(mut corners) = facing(triangle.p.map(|p| stance.turn * p + stance.at), screen) else { continue };
        let skin = &mesh.skins[usize::from(triangle.skin)];
        if triangle.n[0] == triangle.n[1] && triangle.n[1] == triangle.n[2] {
            let colour = shade(skin, stance.turn * triangle.n[0]);
            corners.iter_mut().for_each(|c| c.colour = colour);
        } else {
            for (corner, n) in corners.iter_mut().zip(triangle.n) {
                corner.colour = shade(skin, stance.turn * n);
            }
        }
        emit(&corners);
    }
}

/// The shadow of a mesh on the ground.
pub(super) fn shadow(mesh: &Mesh, stance: &Stance, screen: &Screen, towards: Vec3, mut emit: impl FnMut(&[Corner; 3])) {
    for triangle in &mesh.triangles {
        let normal = stance.turn * triangle.n[0];
        if normal.dot(towards) <= 0.0 {
            continue; // the sides turned away throw the same shadow once more
        }
        let flat = triangle.p.map(|p| {
            let p = stance.turn * p + stance.at;
            // A low sun throws shadows without end: three heights are enough.
            p - towards * (p.z / towards.z.max(0.32))
        });
        let flat = flat.map(|p| Vec3::new(p.x, p.y, 0.0));
        if let (Some(a), Some(b), Some(c)) = (screen.corner(flat[0]), screen.corner(flat[1]), screen.corner(flat[2])) {
            emit(&[a, b, c]);
        }
    }
}
