//! The camera on its pole: where a point of the village falls in the picture, and which ray a pixel looks along.
//!
//! The village is in metres: x to the right, y away, z up; the ground is z = 0. Picture coordinates are in widths of
//! the picture from its middle, y downwards, so that they do not depend on the resolution.

use glam::{Vec2, Vec3};

/// Nearer than this to the lens nothing is drawn, metres.
pub(super) const NEAR: f32 = 0.4;

/// A camera's place and direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Where the lens is.
    pub at: Vec3,
    forward: Vec3,
    right: Vec3,
    up: Vec3,
    /// Distance of the picture plane in half widths.
    focal: f32,
}

impl View {
    /// A camera at `at` that looks at `target`, turned about its axis by `roll` radians, `angle` radians wide.
    #[must_use]
    pub fn new(at: Vec3, target: Vec3, roll: f32, angle: f32) -> Self {
        let forward = (target - at).normalize();
        let level = forward.cross(Vec3::Z).normalize();
        let upright = level.cross(forward);
        let (sin, cos) = (libm::sinf(roll), libm::cosf(roll));
        Self { at, forward, right: level * cos + upright * sin, up: upright * cos - level * sin, focal: 1.0 / libm::tanf(angle / 2.0) }
    }

    /// Distance along the axis, metres.
    pub(super) fn depth(&self, p: Vec3) -> f32 {
        (p - self.at).dot(self.forward)
    }

    /// Where a point falls (half widths from the middle, y downwards) and its depth; the depth may be below [`NEAR`].
    pub(super) fn project(&self, p: Vec3) -> (Vec2, f32) {
        let v = p - self.at;
        let depth = v.dot(self.forward);
        let scale = self.focal / depth.max(1e-3);
        (Vec2::new(v.dot(self.right) * scale, -v.dot(self.up) * scale), depth)
    }

    /// The direction a place of the picture looks in; its depth grows by 1 for each unit.
    pub(super) fn ray(&self, place: Vec2) -> Vec3 {
        self.forward + (self.right * place.x - self.up * place.y) / self.focal
    }

    /// How many half widths one metre takes at a depth.
    pub(super) fn scale(&self, depth: f32) -> f32 {
        self.focal / depth.max(NEAR)
    }

    /// Where a place of the picture (half widths from the middle) meets the ground; None for the sky and beyond `far` metres.
    #[must_use]
    pub fn ground(&self, place: Vec2, far: f32) -> Option<Vec2> {
        let ray = self.ray(place);
        let t = -self.at.z / ray.z;
        (ray.z < -1e-4 && t < far).then(|| (self.at + ray * t).truncate())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_goes_through_what_was_projected() {
        let view = View::new(Vec3::new(1.0, -2.0, 5.0), Vec3::new(3.0, 15.0, 0.5), 0.03, 1.3);
        for p in [Vec3::new(0.0, 8.0, 0.0), Vec3::new(6.0, 20.0, 0.0), Vec3::new(-4.0, 11.0, 0.0)] {
            let (place, depth) = view.project(p);
            assert!((view.at + view.ray(place) * depth - p).length() < 1e-3);
            assert!((view.ground(place, 100.0).unwrap_or_default() - p.truncate()).length() < 1e-3);
        }
    }

    #[test]
    fn right_is_right_and_up_is_up() {
        let view = View::new(Vec3::new(0.0, 0.0, 5.0), Vec3::new(0.0, 10.0, 5.0), 0.0, 1.2);
        assert!(view.project(Vec3::new(1.0, 10.0, 5.0)).0.x > 0.0);
        assert!(view.project(Vec3::new(0.0, 10.0, 6.0)).0.y < 0.0);
    }
}
