//! Things that lie or stand about: rubbish bags, market stalls, traffic lights.

use glam::{Vec2, Vec3};

use super::{Body, Part, Wish};
use crate::streets::dice::Dice;
use crate::streets::mesh::{Lamp, Mesh, Signal, Skin};

const PLASTIC: [[u8; 3]; 6] = [[28, 28, 30], [228, 228, 224], [50, 90, 170], [60, 130, 80], [190, 50, 50], [200, 186, 150]];
const GOODS: [[u8; 3]; 7] = [[200, 60, 40], [90, 150, 60], [230, 180, 50], [150, 80, 140], [230, 130, 50], [240, 236, 220], [120, 90, 60]];
const CLOTH: [[u8; 3]; 6] = [[200, 40, 44], [40, 90, 170], [240, 190, 50], [50, 140, 90], [232, 232, 228], [220, 110, 40]];

pub(super) fn bag(wish: &Wish, dice: &mut Dice) -> Body {
    let mut mesh = Mesh::default();
    let count = 1 + dice.weighted(&[0.55, 0.25, 0.2]);
    for i in 0..count {
        let r = dice.between(0.2, 0.36);
        let turn = i as f32 * 2.3;
        let at = Vec3::new(libm::cosf(turn), libm::sinf(turn), 0.0) * (0.3 * i.min(1) as f32);
        let tall = r * dice.between(0.9, 1.3);
        let plastic = Skin::shiny(wish.colour.unwrap_or_else(|| dice.pick(&PLASTIC)), 0.15);
        mesh.dome(at + Vec3::Z * tall * 0.72, Vec3::new(r, r * dice.between(0.8, 1.0), tall), 10, -0.72, 1.0, plastic);
        let knot = at + Vec3::Z * tall * 1.65;
        mesh.bar(knot, knot + Vec3::new(0.03, 0.0, 0.14), [0.05, 0.09], 6, plastic);
    }
    Body { parts: vec![Part { mesh, ..Part::default() }], ..Body::default() }.measured()
}

pub(super) fn stall(wish: &Wish, dice: &mut Dice) -> Body {
    let mut mesh = Mesh::default();
    let (half_x, half_y) = (dice.between(0.7, 1.0), dice.between(0.45, 0.6));
    let wood = Skin::matt([140, 108, 74]);
    mesh.cuboid(Vec3::new(-half_x, -half_y, 0.68), Vec3::new(half_x, half_y, 0.76), wood);
    for x in [-half_x + 0.06, half_x - 0.06] {
        for y in [-half_y + 0.06, half_y - 0.06] {
            mesh.bar(Vec3::new(x, y, 0.0), Vec3::new(x, y, 0.7), [0.035; 2], 5, wood);
        }
    }
    for i in 0..6 {
        let at = Vec3::new((i % 3) as f32 * half_x * 0.6 - half_x * 0.6, (i / 3) as f32 * half_y - half_y * 0.5, 0.78);
        let r = dice.between(0.16, 0.26);
        mesh.dome(at, Vec3::new(r, r * 0.8, dice.between(0.1, 0.3)), 8, 0.0, 1.0, Skin::matt(dice.pick(&GOODS)));
    }
    mesh.cuboid(Vec3::new(-half_x, half_y + 0.05, 0.0), Vec3::new(-half_x + 0.5, half_y + 0.45, 0.35), Skin::matt(dice.pick(&CLOTH)));
    let cloth = Skin::matt(wish.colour.unwrap_or_else(|| dice.pick(&CLOTH)));
    let pole = Skin::matt([190, 190, 186]);
    if dice.chance(0.6) {
        let top = Vec3::new(-0.2, 0.0, dice.between(2.1, 2.5));
        mesh.bar(Vec3::new(-0.2, 0.0, 0.0), top, [0.03; 2], 5, pole);
        let reach = dice.between(1.1, 1.5);
        let second = Skin::matt(dice.pick(&CLOTH));
        parasol(&mut mesh, top, reach, cloth, second);
    } else {
        let (x, y) = (half_x + 0.3, half_y + 0.4);
        for (px, py, tall) in [(-x, -y, 2.0), (x, -y, 2.0), (-x, y, 2.3), (x, y, 2.3)] {
            mesh.bar(Vec3::new(px, py, 0.0), Vec3::new(px, py, tall), [0.03; 2], 5, pole);
        }
        let sheet = [Vec3::new(-x, -y, 2.0), Vec3::new(x, -y, 2.0), Vec3::new(x, y, 2.3), Vec3::new(-x, y, 2.3)];
        mesh.polygon(&sheet, cloth);
        mesh.polygon(&[sheet[3], sheet[2], sheet[1], sheet[0]], cloth);
    }
    Body { parts: vec![Part { mesh, ..Part::default() }], ..Body::default() }.measured()
}

/// A post with three lamps that look along x, red on top.
pub(super) fn traffic_light() -> Body {
    let mut mesh = Mesh::default();
    let (foot, box_low, box_high) = (2.5, 2.5, 3.7);
    mesh.bar(Vec3::ZERO, Vec3::Z * foot, [0.08, 0.07], 8, Skin::matt([150, 152, 150]));
    mesh.cuboid(Vec3::new(-0.14, -0.22, box_low), Vec3::new(0.14, 0.22, box_high), Skin::matt([30, 34, 32]));
    // Dark glass until it shines.
    let lamps = [(Signal::Green, [6, 40, 16], 0.2), (Signal::Amber, [52, 34, 4], 0.6), (Signal::Red, [52, 6, 6], 1.0)];
    for (signal, glass, up) in lamps {
        let at = Vec3::new(0.14, 0.0, box_low + up);
        mesh.ellipsoid(at, Vec3::new(0.05, 0.15, 0.15), 10, Skin::lamp(glass, 60.0, Lamp::Signal(signal)));
        mesh.cuboid(at + Vec3::new(0.0, -0.17, 0.15), at + Vec3::new(0.16, 0.17, 0.18), Skin::matt([24, 26, 26]));
    }
    Body { parts: vec![Part { mesh, ..Part::default() }], ..Body::default() }.measured()
}

/// Eight slices in two colours, drooping at the rim.
fn parasol(mesh: &mut Mesh, top: Vec3, reach: f32, first: Skin, second: Skin) {
    let rim = |i: usize| {
        let turn = i as f32 * core::f32::consts::FRAC_PI_4;
        top + (Vec2::new(libm::cosf(turn), libm::sinf(turn)) * reach).extend(-0.45)
    };
    for i in 0..8 {
        let skin = if i % 2 == 0 { first } else { second };
        let (a, b) = (rim(i), rim(i + 1));
        mesh.polygon(&[a, b, top], skin);
        mesh.polygon(&[b, a, top], skin);
        let drop = Vec3::Z * 0.14;
        mesh.polygon(&[a - drop, b - drop, b, a], skin);
    }
}
