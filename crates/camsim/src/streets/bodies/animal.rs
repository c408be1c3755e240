//! Dogs and cattle.

use glam::Vec3;

use super::{Body, Joint, Part, Wish};
use crate::streets::dice::Dice;
use crate::streets::mesh::{Mesh, Skin};

/// Four legs that walk.
fn legs(parts: &mut Vec<Part>, places: [f32; 2], half: f32, top: f32, radius: [f32; 2], skin: Skin, hoof: Skin) {
    for (i, x) in places.into_iter().enumerate() {
        for (j, side) in [-1.0f32, 1.0].into_iter().enumerate() {
            let pivot = Vec3::new(x, side * half, top);
            let foot = Vec3::new(x + 0.02, side * half, 0.0);
            let mut mesh = Mesh::default();
            let knee = pivot.lerp(foot, 0.5) + Vec3::X * if i == 0 { -0.03 } else { 0.03 };
            mesh.bar(pivot, knee, radius, 6, skin);
            mesh.bar(knee, foot + Vec3::Z * 0.04, [radius[1], radius[1] * 0.75], 6, skin);
            mesh.bar(foot, foot + Vec3::Z * 0.05, [radius[1] * 0.9; 2], 6, hoof);
            // A walk: diagonal legs go together.
            let phase = if (i + j) % 2 == 0 { 0.0 } else { core::f32::consts::PI };
            parts.push(Part { mesh, joint: Some(Joint { pivot, swing: 0.35, phase }), mark: None });
        }
    }
}

pub(super) fn dog(wish: &Wish, dice: &mut Dice) -> Body {
    let coats = [[150, 104, 58], [40, 36, 34], [214, 206, 192], [190, 150, 90], [110, 84, 60]];
    let coat = Skin::matt(wish.colour.unwrap_or_else(|| dice.pick(&coats)));
    let size = dice.between(0.85, 1.15);
    let mut mesh = Mesh::default();
    let back = 0.44 * size;
    mesh.ellipsoid(Vec3::new(0.0, 0.0, back), Vec3::new(0.36, 0.12, 0.14) * size, 10, coat);
    mesh.ellipsoid(Vec3::new(0.2, 0.0, back + 0.01), Vec3::new(0.17, 0.125, 0.16) * size, 8, coat);
    mesh.bar(
        Vec3::new(0.28, 0.0, back + 0.06),
        Vec3::new(0.42, 0.0, back + 0.22) * Vec3::new(size, 1.0, 1.0),
        [0.08 * size, 0.07 * size],
        6,
        coat,
    );
    let head = Vec3::new(0.44 * size, 0.0, back + 0.24 * size);
    mesh.ellipsoid(head, Vec3::new(0.11, 0.085, 0.09) * size, 8, coat);
    mesh.bar(head, head + Vec3::new(0.19, 0.0, -0.04) * size, [0.06 * size, 0.035 * size], 6, coat);
    for y in [-0.055f32, 0.055] {
        mesh.bar(head + Vec3::new(-0.02, y, 0.05) * size, head + Vec3::new(-0.03, y * 1.2, 0.15) * size, [0.035 * size, 0.0], 4, coat);
    }
    let tail = Vec3::new(-0.34 * size, 0.0, back + 0.05);
    mesh.bar(tail, tail + Vec3::new(-0.1, 0.0, 0.22) * size, [0.03, 0.02], 5, coat);
    mesh.bar(tail + Vec3::new(-0.1, 0.0, 0.22) * size, tail + Vec3::new(0.02, 0.0, 0.3) * size, [0.02, 0.015], 5, coat);
    let mut parts = vec![Part { mesh, ..Part::default() }];
    legs(&mut parts, [0.23 * size, -0.25 * size], 0.075 * size, back - 0.03, [0.055 * size, 0.03 * size], coat, coat);
    Body { parts, stride: 0.6 * size, ..Body::default() }.measured()
}

pub(super) fn cow(wish: &Wish, dice: &mut Dice) -> Body {
    let buffalo = wish.kind.as_deref() == Some("buffalo") || (wish.kind.is_none() && dice.chance(0.4));
    let coats = [[168, 112, 60], [190, 140, 84], [130, 84, 50], [206, 180, 140]];
    let coat = Skin::matt(if buffalo { [70, 66, 64] } else { wish.colour.unwrap_or_else(|| dice.pick(&coats)) });
    let size = dice.between(0.82, 1.1);
    let mut mesh = Mesh::default();
    let back = 1.02 * size;
    mesh.ellipsoid(Vec3::new(-0.1, 0.0, back), Vec3::new(0.82, 0.33, 0.37) * size, 12, coat);
    mesh.ellipsoid(Vec3::new(0.42, 0.0, back + 0.04), Vec3::new(0.42, 0.28, 0.36) * size, 10, coat);
    mesh.ellipsoid(Vec3::new(-0.62, 0.0, back + 0.02), Vec3::new(0.34, 0.29, 0.33) * size, 10, coat);
    let head = Vec3::new(1.08, 0.0, 1.12) * size;
    mesh.bar(Vec3::new(0.62, 0.0, 1.1) * size, head, [0.23 * size, 0.15 * size], 8, coat);
    mesh.bar(head + Vec3::new(-0.05, 0.0, 0.06) * size, head + Vec3::new(0.34, 0.0, -0.22) * size, [0.14 * size, 0.085 * size], 8, coat);
    mesh.ellipsoid(head + Vec3::new(0.35, 0.0, -0.23) * size, Vec3::splat(0.09 * size), 6, Skin::matt([60, 50, 46]));
    let horn = Skin::matt([70, 62, 52]);
    let reach = if buffalo { 0.55 } else { 0.2 };
    for y in [-1.0f32, 1.0] {
        let root = head + Vec3::new(0.0, y * 0.09, 0.15) * size;
        let bend = root + Vec3::new(-0.06, y * reach * 0.6, 0.06) * size;
        mesh.bar(root, bend, [0.04 * size, 0.032 * size], 5, horn);
        mesh.bar(bend, root + Vec3::new(-0.2, y * reach * 0.8, 0.24) * size, [0.032 * size, 0.0], 5, horn);
        mesh.ellipsoid(head + Vec3::new(-0.04, y * 0.22, 0.07) * size, Vec3::new(0.04, 0.1, 0.05) * size, 6, coat);
    }
    let tail = Vec3::new(-0.95, 0.0, 1.15) * size;
    mesh.bar(tail, tail - Vec3::new(0.06, 0.0, 0.65) * size, [0.035, 0.025], 5, coat);
    let mut parts = vec![Part { mesh, ..Part::default() }];
    legs(&mut parts, [0.48 * size, -0.62 * size], 0.19 * size, 0.85 * size, [0.13 * size, 0.065 * size], coat, Skin::matt([40, 36, 34]));
    Body { parts, stride: 1.2 * size, ..Body::default() }.measured()
}
