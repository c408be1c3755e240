//! From the village to canvas pixels: the camera at one resolution.

use glam::{Vec2, Vec3};

use super::raster::Corner;
use crate::streets::view::{NEAR, View};

/// A camera and the canvas it falls on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    pub(super) view: View,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Screen {
    /// Canvas pixels of a place in half widths from the middle.
    pub(super) fn pixel(&self, place: Vec2) -> (f32, f32) {
        let half = self.width as f32 / 2.0;
        (half + place.x * half, self.height as f32 / 2.0 + place.y * half)
    }

    /// The place of a canvas pixel.
    pub(super) fn place(&self, x: f32, y: f32) -> Vec2 {
        let half = self.width as f32 / 2.0;
        Vec2::new((x - half) / half, (y - self.height as f32 / 2.0) / half)
    }

    /// A corner without colour; None before the lens.
    pub(super) fn corner(&self, p: Vec3) -> Option<Corner> {
        let (place, depth) = self.view.project(p);
        let (x, y) = self.pixel(place);
        (depth >= NEAR).then_some(Corner { x, y, near: 1.0 / depth, colour: Vec3::ZERO })
    }

    /// Canvas pixels a metre takes at a depth.
    pub(super) fn metre(&self, depth: f32) -> f32 {
        self.view.scale(depth) * self.width as f32 / 2.0
    }

    /// A triangle of the village without colours, cut off before the lens: none, one or two triangles.
    pub(super) fn clipped(&self, p: [Vec3; 3], mut emit: impl FnMut(&[Corner; 3])) {
        let depth = p.map(|p| self.view.depth(p));
        let mut kept: [Vec3; 4] = [Vec3::ZERO; 4];
        let mut count = 0;
        for i in 0..3 {
            let j = (i + 1) % 3;
            if depth[i] >= NEAR {
                kept[count] = p[i];
                count += 1;
            }
            if (depth[i] >= NEAR) != (depth[j] >= NEAR) {
                // A hair behind the plane, so that rounding does not put it before.
                kept[count] = p[i].lerp(p[j], (NEAR + 1e-3 - depth[i]) / (depth[j] - depth[i]));
                count += 1;
            }
        }
        for i in 2..count {
            if let (Some(a), Some(b), Some(c)) = (self.corner(kept[0]), self.corner(kept[i - 1]), self.corner(kept[i])) {
                emit(&[a, b, c]);
            }
        }
    }
}
