//! Houses, trees, walls, posts: what places are furnished with.
//!
//! Each part is added to a place's mesh. No layout here.

use glam::{Mat3, Vec2, Vec3};

use crate::streets::dice::Dice;
use crate::streets::mesh::{Grain, Lamp, Mesh, Skin};

const WALLS: [[u8; 3]; 7] =
    [[226, 206, 158], [214, 222, 216], [216, 182, 150], [190, 206, 186], [232, 226, 208], [196, 200, 212], [226, 190, 120]];
const ROOFS: [[u8; 3]; 4] = [[150, 72, 54], [124, 62, 52], [110, 112, 118], [70, 96, 128]];
const SHUTTERS: [[u8; 3]; 5] = [[92, 106, 120], [60, 92, 84], [128, 84, 60], [176, 178, 180], [52, 84, 130]];
const BOARDS: [[u8; 3]; 6] = [[196, 40, 40], [30, 90, 170], [240, 190, 40], [30, 130, 90], [236, 236, 236], [210, 90, 30]];

/// A turn about the vertical, radians.
pub(super) fn turned(heading: f32) -> Mat3 {
    Mat3::from_rotation_z(heading)
}

/// A tube house of 1–3 floors: front towards −y of its own axes, which begin at the middle of its front.
pub(super) fn house(mesh: &mut Mesh, at: Vec2, heading: f32, width: f32, floors: usize, shop: bool, dice: &mut Dice) {
    let mut own = Mesh::default();
    let depth = dice.between(7.0, 12.0);
    let half = width / 2.0;
    let wall = Skin::grained(dice.pick(&WALLS), Grain::Plaster);
    let plain = Skin::matt([236, 232, 222]);
    let glass = Skin::shiny([40, 52, 60], 0.7);
    let storey = 3.3;
    let top = storey * floors as f32;
    own.cuboid(Vec3::new(-half, 0.0, 0.0), Vec3::new(half, depth, top), wall);
    for floor in 0..floors {
        let z = storey * floor as f32;
        if floor == 0 {
            front(&mut own, half, shop, dice);
        } else {
            let bays = (width / 2.2).max(1.0) as usize;
            for bay in 0..bays {
                let x = (bay as f32 + 0.5) / bays as f32 * width - half;
                own.cuboid(Vec3::new(x - 0.55, -0.03, z + 0.9), Vec3::new(x + 0.55, 0.02, z + 2.4), glass);
                own.cuboid(Vec3::new(x - 0.65, -0.05, z + 2.4), Vec3::new(x + 0.65, 0.02, z + 2.52), plain);
            }
            // A balcony.
            own.cuboid(Vec3::new(-half, -1.0, z - 0.12), Vec3::new(half, 0.0, z), plain);
            own.cuboid(Vec3::new(-half, -1.0, z), Vec3::new(half, -0.94, z + 0.8), Skin::matt(dice.pick(&SHUTTERS)));
        }
    }
    let roof = dice.pick(&ROOFS);
    if floors == 1 || dice.chance(0.4) {
        gable(&mut own, half + 0.3, -0.5, depth + 0.3, top, width * 0.3, Skin::grained(roof, Grain::Tiles), wall);
    } else {
        own.cuboid(Vec3::new(-half - 0.1, -0.1, top), Vec3::new(half + 0.1, depth + 0.1, top + 0.25), plain);
        // The water tank of every roof.
        let tank = Vec3::new(half * 0.4, depth * 0.6, top + 0.25);
        own.bar(tank, tank + Vec3::Z * 1.2, [0.5; 2], 10, Skin::shiny([176, 182, 188], 0.4));
    }
    mesh.add(&own, turned(heading), at.extend(0.0));
}

/// A ridge roof along y.
#[allow(clippy::too_many_arguments, reason = "seven measures of one roof")]
fn gable(mesh: &mut Mesh, half: f32, front: f32, back: f32, top: f32, rise: f32, tiles: Skin, wall: Skin) {
    let corner = |x: f32, y: f32, z: f32| Vec3::new(x, y, top + z);
    for side in [-1.0, 1.0] {
        let mut slope =
            [corner(side * half, front, -0.1), corner(side * half, back, -0.1), corner(0.0, back, rise), corner(0.0, front, rise)];
        if side < 0.0 {
            slope.reverse();
        }
        mesh.polygon(&slope, tiles);
    }
    mesh.polygon(&[corner(-half, front + 0.4, -0.1), corner(half, front + 0.4, -0.1), corner(0.0, front + 0.4, rise)], wall);
    mesh.polygon(&[corner(half, back - 0.4, -0.1), corner(-half, back - 0.4, -0.1), corner(0.0, back - 0.4, rise)], wall);
}

/// The ground floor of a house: a shop under an awning, or a door and a window.
fn front(own: &mut Mesh, half: f32, shop: bool, dice: &mut Dice) {
    let shutter = Skin::grained(dice.pick(&SHUTTERS), Grain::Sheet);
    if !shop {
        own.cuboid(Vec3::new(-0.6, -0.04, 0.0), Vec3::new(0.6, 0.02, 2.3), Skin::matt([104, 70, 46]));
        own.cuboid(Vec3::new(half * 0.45, -0.04, 0.9), Vec3::new(half * 0.9, 0.02, 2.1), Skin::shiny([44, 58, 66], 0.6));
        return;
    }
    let open = dice.chance(0.65);
    let inside = if open { Skin::matt([58, 50, 44]) } else { shutter };
    own.cuboid(Vec3::new(-half * 0.88, -0.03, 0.0), Vec3::new(half * 0.88, 0.02, 2.6), inside);
    if open {
        let inner = Skin::lamp([255, 226, 170], 0.5, Lamp::Dark);
        own.cuboid(Vec3::new(-half * 0.8, -0.05, 2.2), Vec3::new(half * 0.8, -0.03, 2.5), inner);
        for i in 0..5 {
            let x = (i as f32 - 2.0) * half * 0.34;
            let goods = Skin::matt(dice.pick(&BOARDS));
            let height = dice.between(0.5, 1.4);
            own.cuboid(Vec3::new(x - half * 0.13, -0.28, 0.0), Vec3::new(x + half * 0.13, -0.04, height), goods);
        }
    }
    own.cuboid(Vec3::new(-half, -0.18, 2.7), Vec3::new(half, 0.0, 3.5), Skin::matt(dice.pick(&BOARDS)));
    for i in 0..7 {
        // What could be letters.
        let x = (i as f32 - 3.0) * half * 0.23;
        own.cuboid(Vec3::new(x - half * 0.07, -0.2, 2.95), Vec3::new(x + half * 0.07, -0.17, 3.25), Skin::matt([250, 250, 244]));
    }
    let cloth = Skin::grained(dice.pick(&BOARDS), Grain::Sheet);
    let reach = dice.between(1.2, 2.2);
    let (outer, inner) = (Vec3::new(half, -reach, 2.35), Vec3::new(half, 0.0, 2.75));
    let left = |p: Vec3| Vec3::new(-p.x, p.y, p.z);
    own.polygon(&[left(outer), outer, inner, left(inner)], cloth);
    own.polygon(&[outer, left(outer), left(inner), inner], cloth);
}

/// A tree with a round crown, or a palm.
pub(super) fn tree(mesh: &mut Mesh, at: Vec2, tall: f32, dice: &mut Dice) {
    let foot = at.extend(0.0);
    if dice.chance(0.25) {
        return palm(mesh, foot, tall, dice);
    }
    let bark = Skin::matt([96, 78, 60]);
    let fork = foot + Vec3::new(dice.between(-0.3, 0.3), dice.between(-0.3, 0.3), tall * 0.5);
    mesh.bar(foot, fork, [tall * 0.035 + 0.06, tall * 0.02 + 0.03], 7, bark);
    let greens = [[58, 88, 40], [74, 104, 48], [48, 78, 44], [92, 112, 56]];
    let crown = tall * 0.3;
    for _ in 0..9 {
        let turn = dice.between(0.0, core::f32::consts::TAU);
        let out = dice.between(0.1, 0.75) * crown;
        let centre = fork + Vec3::new(libm::cosf(turn) * out, libm::sinf(turn) * out, dice.between(0.15, 0.95) * crown);
        let r = crown * dice.between(0.35, 0.6);
        mesh.bar(fork, centre, [0.05, 0.02], 4, bark);
        mesh.ellipsoid(centre, Vec3::new(r, r, r * 0.75), 10, Skin::grained(dice.pick(&greens), Grain::Leaves));
    }
}

fn palm(mesh: &mut Mesh, foot: Vec3, tall: f32, dice: &mut Dice) {
    let top = foot + Vec3::new(dice.between(-0.5, 0.5), dice.between(-0.5, 0.5), tall);
    mesh.bar(foot, top, [0.2, 0.12], 7, Skin::matt([128, 116, 98]));
    let leaf = Skin::grained([76, 106, 52], Grain::Leaves);
    for i in 0..11 {
        let turn = i as f32 / 11.0 * core::f32::consts::TAU + dice.between(-0.2, 0.2);
        let out = Vec3::new(libm::cosf(turn), libm::sinf(turn), 0.0);
        let side = Vec3::new(-out.y, out.x, 0.0) * 0.28;
        let middle = top + out * 1.3 + Vec3::Z * 0.35;
        let tip = top + out * 2.4 - Vec3::Z * dice.between(0.4, 1.2);
        for quad in [[top - side * 0.3, middle - side, middle + side, top + side * 0.3], [middle - side, tip, tip, middle + side]] {
            mesh.polygon(&[quad[0], quad[1], quad[2]], leaf);
            mesh.polygon(&[quad[0], quad[2], quad[3]], leaf);
            mesh.polygon(&[quad[2], quad[1], quad[0]], leaf);
            mesh.polygon(&[quad[3], quad[2], quad[0]], leaf);
        }
    }
}

/// A wall along a line, `height` metres.
pub(super) fn wall(mesh: &mut Mesh, line: &[Vec2], height: f32, skin: Skin) {
    for ends in line.windows(2) {
        let side = (ends[1] - ends[0]).normalize_or_zero().perp() * 0.11;
        let outline = [ends[0] - side, ends[1] - side, ends[1] + side, ends[0] + side];
        mesh.prism(&outline, 0.0, height, skin);
        let cap = side * 1.5;
        let outline = [ends[0] - cap, ends[1] - cap, ends[1] + cap, ends[0] + cap];
        mesh.prism(&outline, height, height + 0.08, Skin::matt([186, 180, 168]));
    }
}

/// A concrete post with a lamp on an arm towards `heading`; tells where the lamp hangs.
pub(super) fn lamp_post(mesh: &mut Mesh, at: Vec2, heading: f32) -> Vec3 {
    let (foot, tall) = (at.extend(0.0), 7.0);
    let concrete = Skin::matt([150, 148, 142]);
    mesh.bar(foot, foot + Vec3::Z * tall, [0.17, 0.1], 8, concrete);
    let arm = foot + turned(heading) * Vec3::new(1.6, 0.0, 6.4);
    mesh.bar(foot + Vec3::Z * 6.2, arm, [0.04; 2], 5, Skin::matt([120, 120, 122]));
    let glow = Skin::lamp([255, 240, 210], 6.0, Lamp::Dark);
    mesh.cuboid(arm - Vec3::new(0.3, 0.12, 0.12), arm + Vec3::new(0.3, 0.12, 0.0), Skin::matt([90, 92, 96]));
    mesh.cuboid(arm - Vec3::new(0.22, 0.09, 0.15), arm + Vec3::new(0.22, 0.09, -0.12), glow);
    arm - Vec3::Z * 0.2
}

/// Wires between the tops of two posts.
pub(super) fn wires(mesh: &mut Mesh, from: Vec2, to: Vec2) {
    let dark = Skin::matt([36, 36, 38]);
    for (height, sag) in [(6.9, 0.5), (6.6, 0.6), (6.3, 0.45)] {
        let point = |share: f32| from.lerp(to, share).extend(height - 4.0 * sag * share * (1.0 - share));
        for i in 0..6 {
            mesh.bar(point(i as f32 / 6.0), point((i + 1) as f32 / 6.0), [0.018; 2], 3, dark);
        }
    }
}

/// A round sign on a post, facing `heading`.
pub(super) fn sign(mesh: &mut Mesh, at: Vec2, heading: f32, face: [u8; 3]) {
    let mut own = Mesh::default();
    own.bar(Vec3::ZERO, Vec3::Z * 2.4, [0.03; 2], 5, Skin::matt([190, 190, 190]));
    own.bar(Vec3::new(0.03, 0.0, 2.3), Vec3::new(0.06, 0.0, 2.3), [0.33; 2], 14, Skin::matt([200, 30, 36]));
    own.bar(Vec3::new(0.05, 0.0, 2.3), Vec3::new(0.075, 0.0, 2.3), [0.25; 2], 14, Skin::matt(face));
    mesh.add(&own, turned(heading), at.extend(0.0));
}

/// A bush.
pub(super) fn bush(mesh: &mut Mesh, at: Vec2, dice: &mut Dice) {
    let greens = [[70, 96, 46], [88, 108, 54], [56, 84, 44]];
    for _ in 0..3 {
        let r = dice.between(0.25, 0.6);
        let centre = at.extend(r * 0.6) + Vec3::new(dice.between(-0.5, 0.5), dice.between(-0.5, 0.5), 0.0);
        mesh.ellipsoid(centre, Vec3::new(r, r, r * 0.8), 8, Skin::grained(dice.pick(&greens), Grain::Leaves));
    }
}
