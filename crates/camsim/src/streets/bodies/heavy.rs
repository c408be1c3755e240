//! Trucks, buses and farm vehicles.

use glam::{Vec2, Vec3};

use super::car::lamps;
use super::person::{Dress, sitter};
use super::plate::plate;
use super::{Body, Class, Headlamp, Part, Wish};
use crate::streets::dice::Dice;
use crate::streets::mesh::{Mesh, Skin};

const CABS: [[u8; 3]; 7] = [[36, 74, 150], [230, 230, 226], [34, 120, 90], [212, 170, 50], [180, 40, 40], [120, 150, 180], [60, 64, 70]];
const LOADS: [[u8; 3]; 5] = [[190, 160, 90], [150, 130, 110], [170, 90, 70], [90, 120, 60], [206, 204, 196]];

fn glass() -> Skin {
    Skin::shiny([24, 30, 36], 0.75)
}

/// Pairs of wheels at places along the body.
fn wheels(mesh: &mut Mesh, places: &[f32], half: f32, radius: f32, wide: f32) {
    let (tyre, rim) = (Skin::matt([26, 26, 28]), Skin::matt([120, 120, 122]));
    for x in places {
        for y in [-1.0f32, 1.0] {
            mesh.wheel(Vec3::new(*x, y * (half - wide / 2.0), radius), radius, wide, tyre, rim);
        }
    }
}

fn with_plates(mesh: Mesh, front: f32, back: f32, height: f32, dice: &mut Dice) -> Vec<Part> {
    let mut parts = vec![Part { mesh, ..Part::default() }];
    for (x, ahead) in [(front, true), (back, false)] {
        let mut own = Mesh::default();
        plate(&mut own, Vec3::new(x, 0.0, height), ahead, false, dice);
        parts.push(Part { mesh: own, joint: None, mark: Some(Class::Plate) });
    }
    parts
}

pub(super) fn truck(wish: &Wish, dice: &mut Dice) -> Body {
    let kinds = ["flatbed", "box", "dump"];
    let kind = wish.kind.as_deref().filter(|k| kinds.contains(k)).unwrap_or(kinds[dice.weighted(&[0.45, 0.35, 0.2])]);
    let scale = dice.between(0.85, 1.15);
    let (long, half) = (5.9 * scale, 1.0 * scale.min(1.08));
    let (front, cab) = (long / 2.0, 1.55 * scale);
    let paint = Skin::shiny(wish.colour.unwrap_or_else(|| dice.pick(&CABS)), 0.3);
    let mut mesh = Mesh::default();
    let dark = Skin::matt([44, 44, 46]);
    mesh.cuboid(Vec3::new(-front, -0.4, 0.5), Vec3::new(front - 0.2, 0.4, 0.75), dark);
    // The cab: doors, windscreen, side windows, bumper.
    let top = 2.05 * scale;
    let rear = front - cab;
    let outline = [[rear, 0.5], [front, 0.5], [front, 1.15 * scale], [front - 0.28, top], [rear, top + 0.04]].map(Vec2::from);
    mesh.profile(&outline, half, 1.2, 0.05, &[paint, paint, glass(), paint, paint]);
    let window = [[rear + 0.35, 1.2 * scale], [front - 0.16, 1.2 * scale], [front - 0.36, top - 0.16], [rear + 0.35, top - 0.16]];
    mesh.profile(&window.map(Vec2::from), half + 0.012, 1.2, 0.05, &[glass()]);
    mesh.cuboid(Vec3::new(front - 0.1, -half, 0.4), Vec3::new(front + 0.08, half, 0.68), Skin::matt([210, 210, 206]));
    mesh.cuboid(Vec3::new(front - 0.02, -half * 0.6, 0.78), Vec3::new(front + 0.03, half * 0.6, 1.05), dark);
    for y in [-1.0f32, 1.0] {
        mesh.cuboid(Vec3::new(front - 0.25, y * (half + 0.14) - 0.06, 1.35), Vec3::new(front - 0.15, y * (half + 0.14) + 0.06, 1.75), dark);
    }
    let bed = (-front, rear - 0.12);
    match kind {
        "box" => {
            let white = Skin::shiny(dice.pick(&[[232, 232, 228], [220, 222, 226], [206, 60, 50], [60, 110, 170]]), 0.1);
            mesh.cuboid(Vec3::new(bed.0, -half, 0.85), Vec3::new(bed.1, half, 2.7 * scale), white);
            mesh.cuboid(Vec3::new(bed.0 - 0.02, -0.03, 0.9), Vec3::new(bed.0, 0.03, 2.6 * scale), dark);
        }
        "dump" => tub(&mut mesh, bed, half, Skin::matt(dice.pick(&CABS)), 1.75 * scale, dice),
        _ => sideboards(&mut mesh, bed, half, Skin::matt(dice.pick(&CABS)), dice),
    }
    wheels(&mut mesh, &[front - 0.85 * scale, -front + 1.25 * scale], half, 0.44 * scale, 0.3);
    lamps(&mut mesh, front + 0.03, half, 0.72);
    let lamp = |y: f32| Headlamp { at: Vec3::new(front + 0.05, y, 0.8), power: 1.1 };
    let headlamps = vec![lamp(half * 0.7), lamp(-half * 0.7)];
    Body { parts: with_plates(mesh, front + 0.1, -front - 0.08, 0.55, dice), headlamps, ..Body::default() }.measured()
}

fn sideboards(mesh: &mut Mesh, bed: (f32, f32), half: f32, paint: Skin, dice: &mut Dice) {
    let (floor, tall) = (0.88, dice.between(0.4, 0.65));
    mesh.cuboid(Vec3::new(bed.0, -half, floor - 0.1), Vec3::new(bed.1, half, floor), Skin::matt([110, 92, 70]));
    for y in [-half, half - 0.05] {
        mesh.cuboid(Vec3::new(bed.0, y, floor), Vec3::new(bed.1, y + 0.05, floor + tall), paint);
    }
    for x in [bed.0, bed.1 - 0.05] {
        mesh.cuboid(Vec3::new(x, -half, floor), Vec3::new(x + 0.05, half, floor + tall), paint);
    }
    match dice.below(3) {
        0 => {}
        1 => {
            for _ in 0..6 {
                let at = Vec3::new(dice.between(bed.0 + 0.5, bed.1 - 0.5), dice.between(-half + 0.4, half - 0.4), floor + 0.35);
                mesh.ellipsoid(at, Vec3::new(0.45, 0.35, dice.between(0.3, 0.7)), 8, Skin::matt(dice.pick(&LOADS)));
            }
        }
        _ => {
            let high = floor + dice.between(0.7, 1.4);
            mesh.cuboid(
                Vec3::new(bed.0 + 0.1, -half + 0.08, floor),
                Vec3::new(bed.1 - 0.1, half - 0.08, high),
                Skin::matt(dice.pick(&LOADS)),
            );
        }
    }
}

fn tub(mesh: &mut Mesh, bed: (f32, f32), half: f32, paint: Skin, top: f32, dice: &mut Dice) {
    let rectangle = |grow: f32| {
        let (x0, x1, y) = (bed.0 - grow, bed.1 + grow * 0.2, half - 0.15 + grow);
        [[x0, -y], [x1, -y], [x1, y], [x0, y]].map(Vec2::from)
    };
    mesh.frustum(&rectangle(0.0), &rectangle(0.13), 0.85, top, paint);
    let heap = Vec3::new((bed.0 + bed.1) / 2.0, 0.0, top - 0.05);
    let reach = (bed.1 - bed.0) / 2.0 - 0.15;
    mesh.dome(heap, Vec3::new(reach, half - 0.15, dice.between(0.15, 0.55)), 12, 0.0, 1.0, Skin::matt(dice.pick(&LOADS)));
}

pub(super) fn bus(wish: &Wish, dice: &mut Dice) -> Body {
    let (long, half, top) = if dice.chance(0.5) { (7.2, 1.08, 2.8) } else { (11.0, 1.24, 3.3) };
    let front = long / 2.0;
    let paints = [[220, 60, 40], [240, 240, 236], [40, 110, 180], [60, 150, 90], [240, 180, 40], [150, 60, 130]];
    let paint = Skin::shiny(wish.colour.unwrap_or_else(|| dice.pick(&paints)), 0.35);
    let mut mesh = Mesh::default();
    let shell = [
        [-front, 0.4],
        [front - 0.1, 0.4],
        [front, 0.9],
        [front - 0.05, 1.25],
        [front - 0.35, top - 0.3],
        [front - 0.6, top],
        [-front + 0.15, top],
        [-front, top - 0.25],
    ];
    let skins = [paint, paint, paint, glass(), paint, paint, paint, paint];
    mesh.profile(&shell.map(Vec2::from), half, 1.3, 0.03, &skins);
    let band = [[-front + 0.3, 1.3], [front - 0.35, 1.3], [front - 0.5, top - 0.5], [-front + 0.3, top - 0.5]].map(Vec2::from);
    mesh.profile(&band, half + 0.012, 1.3, 0.03, &[glass()]);
    let count = (long / 1.3) as usize;
    for i in 1..count {
        let x = -front + 0.3 + (long - 0.8) * i as f32 / count as f32;
        let post = [[x, 1.28], [x + 0.07, 1.28], [x + 0.07, top - 0.48], [x, top - 0.48]].map(Vec2::from);
        mesh.profile(&post, half + 0.02, 1.3, 0.03, &[paint]);
    }
    let stripe = Skin::matt(dice.pick(&paints));
    mesh.cuboid(Vec3::new(-front + 0.05, -half - 0.012, 0.75), Vec3::new(front - 0.15, half + 0.012, 0.98), stripe);
    mesh.cuboid(Vec3::new(-front - 0.012, -half * 0.8, 1.5), Vec3::new(-front + 0.05, half * 0.8, top - 0.55), glass());
    wheels(&mut mesh, &[front - long * 0.2, -front + long * 0.24], half, 0.46, 0.3);
    lamps(&mut mesh, front - 0.04, half, 0.62);
    let lamp = |y: f32| Headlamp { at: Vec3::new(front, y, 0.72), power: 1.2 };
    let headlamps = vec![lamp(half * 0.72), lamp(-half * 0.72)];
    Body { parts: with_plates(mesh, front + 0.03, -front - 0.05, 0.52, dice), headlamps, ..Body::default() }.measured()
}

pub(super) fn tractor(wish: &Wish, dice: &mut Dice) -> Body {
    if dice.chance(0.45) { classic(wish, dice) } else { cong_nong(wish, dice) }
}

/// Công nông: a single-cylinder engine on wheels that draws a cart.
fn cong_nong(wish: &Wish, dice: &mut Dice) -> Body {
    let mut mesh = Mesh::default();
    let paint = Skin::matt(wish.colour.unwrap_or_else(|| dice.pick(&[[170, 50, 40], [50, 90, 130], [80, 110, 70]])));
    let iron = Skin::matt([58, 56, 54]);
    mesh.cuboid(Vec3::new(0.9, -0.3, 0.55), Vec3::new(2.2, 0.3, 0.8), iron);
    mesh.cuboid(Vec3::new(1.45, -0.28, 0.8), Vec3::new(2.15, 0.28, 1.25), paint);
    mesh.wheel(Vec3::new(1.75, -0.42, 1.0), 0.34, 0.1, iron, paint);
    mesh.bar(Vec3::new(1.6, 0.15, 1.25), Vec3::new(1.6, 0.15, 1.85), [0.05; 2], 6, iron);
    mesh.bar(Vec3::new(1.4, 0.0, 0.9), Vec3::new(0.95, 0.0, 1.35), [0.03; 2], 5, iron);
    mesh.bar(Vec3::new(0.95, -0.3, 1.35), Vec3::new(0.95, 0.3, 1.35), [0.025; 2], 5, iron);
    mesh.cuboid(Vec3::new(0.25, -0.25, 0.75), Vec3::new(0.65, 0.25, 0.9), Skin::matt([40, 38, 36]));
    mesh.bar(Vec3::new(1.0, 0.0, 0.62), Vec3::new(0.0, 0.0, 0.62), [0.06; 2], 5, iron);
    wheels(&mut mesh, &[1.7], 0.62, 0.4, 0.2);
    sideboards(&mut mesh, (-2.2, 0.15), 0.85, Skin::matt(dice.pick(&CABS)), dice);
    wheels(&mut mesh, &[-1.2], 0.9, 0.4, 0.2);
    let rider = driver(Vec3::new(0.42, 0.0, 0.88), Vec3::new(0.92, 0.25, 1.36), Vec3::new(0.9, 0.22, 0.66), dice);
    let headlamps = vec![Headlamp { at: Vec3::new(2.2, 0.0, 1.05), power: 0.7 }];
    Body { parts: vec![Part { mesh, ..Part::default() }], headlamps, riders: vec![rider], ..Body::default() }.measured()
}

/// A small tractor with two large wheels behind.
fn classic(wish: &Wish, dice: &mut Dice) -> Body {
    let mut mesh = Mesh::default();
    let paint = Skin::shiny(wish.colour.unwrap_or_else(|| dice.pick(&[[200, 50, 36], [40, 90, 160], [230, 110, 30], [50, 120, 60]])), 0.2);
    let dark = Skin::matt([40, 40, 42]);
    mesh.cuboid(Vec3::new(0.05, -0.3, 0.6), Vec3::new(1.5, 0.3, 1.2), paint);
    mesh.cuboid(Vec3::new(1.48, -0.26, 0.62), Vec3::new(1.53, 0.26, 1.12), dark);
    mesh.cuboid(Vec3::new(-1.1, -0.25, 0.5), Vec3::new(0.1, 0.25, 0.8), dark);
    for y in [-0.72f32, 0.72] {
        mesh.wheel(Vec3::new(-0.75, y, 0.66), 0.66, 0.32, Skin::matt([28, 28, 30]), Skin::matt([220, 190, 60]));
        mesh.wheel(Vec3::new(1.1, y * 0.85, 0.38), 0.38, 0.2, Skin::matt([28, 28, 30]), Skin::matt([220, 190, 60]));
        mesh.dome(Vec3::new(-0.75, y, 0.7), Vec3::new(0.78, 0.2, 0.74), 8, 0.55, 1.0, paint);
    }
    mesh.bar(Vec3::new(0.9, 0.2, 1.2), Vec3::new(0.9, 0.2, 1.75), [0.04; 2], 6, dark);
    mesh.bar(Vec3::new(0.15, 0.0, 1.1), Vec3::new(-0.1, 0.0, 1.4), [0.025; 2], 5, dark);
    mesh.bar(Vec3::new(-0.08, 0.0, 1.36), Vec3::new(-0.12, 0.0, 1.42), [0.2; 2], 10, dark);
    mesh.cuboid(Vec3::new(-0.9, -0.25, 0.85), Vec3::new(-0.45, 0.25, 0.98), dark);
    if dice.chance(0.5) {
        for (x, y) in [(-1.0f32, -0.55f32), (-1.0, 0.55), (0.1, -0.55), (0.1, 0.55)] {
            mesh.bar(Vec3::new(x, y, 0.9), Vec3::new(x, y, 2.05), [0.03; 2], 5, dark);
        }
        mesh.cuboid(Vec3::new(-1.15, -0.7, 2.05), Vec3::new(0.25, 0.7, 2.12), paint);
    }
    let rider = driver(Vec3::new(-0.65, 0.0, 0.95), Vec3::new(-0.12, 0.17, 1.42), Vec3::new(0.0, 0.25, 0.72), dice);
    let headlamps = vec![Headlamp { at: Vec3::new(1.55, 0.25, 1.0), power: 0.7 }, Headlamp { at: Vec3::new(1.55, -0.25, 1.0), power: 0.7 }];
    Body { parts: vec![Part { mesh, ..Part::default() }], headlamps, riders: vec![rider], ..Body::default() }.measured()
}

fn driver(seat: Vec3, hands: Vec3, feet: Vec3, dice: &mut Dice) -> Body {
    let kind = if dice.chance(0.4) { "cone-hat" } else { "adult" };
    let dress = Dress::new(&Wish { kind: Some(kind.into()), ..Wish::default() }, dice);
    sitter(&dress, seat, hands, feet, false)
}
