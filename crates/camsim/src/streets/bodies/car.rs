//! Cars: sedan, hatch, SUV, van, pickup.

use glam::{Vec2, Vec3};

use super::plate::plate;
use super::{Body, Class, Headlamp, Part, Wish};
use crate::streets::dice::Dice;
use crate::streets::mesh::{Lamp, Mesh, Skin};

const PAINT: [[u8; 3]; 12] = [
    [232, 232, 230],
    [232, 232, 230],
    [186, 188, 192],
    [186, 188, 192],
    [34, 35, 38],
    [34, 35, 38],
    [110, 114, 120],
    [164, 30, 36],
    [36, 56, 104],
    [122, 92, 62],
    [176, 150, 110],
    [62, 92, 76],
];

/// Measures of a kind: the greenhouse as (x, z) from its lower rear corner, forward and round.
struct Shape {
    kind: &'static str,
    length: f32,
    half: f32,
    /// Height of bonnet and boot.
    bonnet: f32,
    boot: f32,
    greenhouse: [[f32; 2]; 4],
    wheel: f32,
}

const SHAPES: [Shape; 5] = [
    Shape {
        kind: "sedan",
        length: 4.5,
        half: 0.88,
        bonnet: 0.86,
        boot: 0.98,
        greenhouse: [[-1.75, 0.95], [1.05, 0.88], [0.3, 1.42], [-0.95, 1.45]],
        wheel: 0.32,
    },
    Shape {
        kind: "hatch",
        length: 3.8,
        half: 0.85,
        bonnet: 0.92,
        boot: 0.95,
        greenhouse: [[-1.85, 0.93], [1.05, 0.92], [0.35, 1.5], [-1.5, 1.5]],
        wheel: 0.3,
    },
    Shape {
        kind: "suv",
        length: 4.7,
        half: 0.94,
        bonnet: 1.08,
        boot: 1.1,
        greenhouse: [[-2.25, 1.08], [0.95, 1.06], [0.3, 1.76], [-2.0, 1.78]],
        wheel: 0.38,
    },
    Shape {
        kind: "van",
        length: 5.1,
        half: 0.96,
        bonnet: 1.15,
        boot: 1.2,
        greenhouse: [[-2.5, 1.18], [2.2, 1.12], [1.4, 2.08], [-2.45, 2.12]],
        wheel: 0.34,
    },
    Shape {
        kind: "pickup",
        length: 5.2,
        half: 0.93,
        bonnet: 1.1,
        boot: 1.1,
        greenhouse: [[-0.75, 1.08], [1.3, 1.06], [0.65, 1.76], [-0.65, 1.78]],
        wheel: 0.39,
    },
];

pub(super) fn car(wish: &Wish, dice: &mut Dice) -> Body {
    let shape = wish
        .kind
        .as_ref()
        .and_then(|kind| SHAPES.iter().find(|s| s.kind == kind))
        .unwrap_or_else(|| &SHAPES[dice.weighted(&[0.32, 0.2, 0.26, 0.12, 0.1])]);
    let paint = Skin::shiny(wish.colour.unwrap_or_else(|| dice.pick(&PAINT)), 0.4);
    let mut mesh = Mesh::default();
    body(&mut mesh, shape, paint);
    wheels(&mut mesh, shape);
    lamps(&mut mesh, shape.length / 2.0, shape.half, 0.68 * shape.bonnet);
    let mut marks = Vec::new();
    for ahead in [true, false] {
        let x = if ahead { shape.length / 2.0 + 0.03 } else { -shape.length / 2.0 - 0.03 };
        let mut own = Mesh::default();
        plate(&mut own, Vec3::new(x, 0.0, if ahead { 0.45 } else { 0.6 }), ahead, false, dice);
        marks.push(Part { mesh: own, joint: None, mark: Some(Class::Plate) });
    }
    let at = |y: f32| Headlamp { at: Vec3::new(shape.length / 2.0, y, 0.66 * shape.bonnet), power: 1.0 };
    let headlamps = vec![at(shape.half * 0.72), at(-shape.half * 0.72)];
    let mut parts = vec![Part { mesh, ..Part::default() }];
    parts.append(&mut marks);
    Body { parts, headlamps, ..Body::default() }.measured()
}

fn body(mesh: &mut Mesh, shape: &Shape, paint: Skin) {
    let front = shape.length / 2.0;
    let (bonnet, boot) = (shape.bonnet, shape.boot);
    let [_, screen, _, _] = shape.greenhouse;
    let lower = [
        [-front, 0.36],
        [-front + 0.15, 0.22],
        [front - 0.15, 0.22],
        [front, 0.36],
        [front, bonnet * 0.74],
        [front - 0.18, bonnet * 0.87],
        [screen[0] - 0.05, bonnet],
        [-front + 0.12, boot],
        [-front, boot - 0.14],
    ]
    .map(Vec2::from);
    mesh.profile(&lower, shape.half, bonnet * 0.6, 0.12, &[paint]);
    let trim = Skin::matt([40, 41, 44]);
    mesh.cuboid(Vec3::new(-front - 0.03, -shape.half * 0.93, 0.3), Vec3::new(-front + 0.1, shape.half * 0.93, 0.46), trim);
    mesh.cuboid(Vec3::new(front - 0.1, -shape.half * 0.8, 0.28), Vec3::new(front + 0.02, shape.half * 0.8, 0.42), trim);
    mesh.cuboid(
        Vec3::new(front - 0.06, -shape.half * 0.45, bonnet * 0.58),
        Vec3::new(front + 0.015, shape.half * 0.45, bonnet * 0.7),
        trim,
    );
    let glass = Skin::shiny([26, 32, 38], 0.75);
    let outline = shape.greenhouse.map(Vec2::from);
    let half = shape.half - 0.05;
    let waist = outline[0].y.min(outline[1].y);
    mesh.profile(&outline, half, waist, 0.28, &[paint, glass, paint, glass]);
    // Pillars and the edge of the roof, a finger's breadth outside the glass.
    let [rear_low, front_low, front_top, rear_top] = outline;
    let pillar = |mesh: &mut Mesh, low: f32, top: f32, wide: f32| {
        let strip = [[low, waist], [low + wide, waist], [top + wide, front_top.y], [top, front_top.y]].map(Vec2::from);
        mesh.profile(&strip, half + 0.012, waist, 0.28, &[paint]);
    };
    pillar(mesh, rear_low.x, rear_top.x - 0.02, 0.22);
    pillar(mesh, front_low.x - 0.1, front_top.x - 0.07, 0.07);
    let doors = if shape.greenhouse[1][0] - shape.greenhouse[0][0] > 2.6 { 2 } else { 1 };
    for i in 1..=doors {
        let x = rear_low.x + (front_low.x - rear_low.x) * (i as f32 / (doors + 1) as f32) - 0.1;
        pillar(mesh, x, x, 0.09);
    }
    let roof = front_top.y.max(rear_top.y);
    let edge = [[rear_top.x, roof - 0.07], [front_top.x + 0.02, roof - 0.07], [front_top.x - 0.04, roof + 0.02], [rear_top.x, roof + 0.02]];
    mesh.profile(&edge.map(Vec2::from), half + 0.015, waist, 0.28, &[paint]);
    if shape.kind == "pickup" {
        let bed = Vec3::new(-front + 0.15, -shape.half + 0.12, boot - 0.03);
        mesh.cuboid(bed, Vec3::new(rear_low.x - 0.1, shape.half - 0.12, boot + 0.012), Skin::matt([46, 46, 48]));
    }
    for y in [-1.0f32, 1.0] {
        let at = Vec3::new(front_low.x - 0.22, y * (shape.half + 0.06), waist + 0.1);
        mesh.ellipsoid(at, Vec3::new(0.09, 0.1, 0.07), 6, paint);
    }
}

fn wheels(mesh: &mut Mesh, shape: &Shape) {
    let (tyre, rim) = (Skin::matt([24, 24, 26]), Skin::shiny([150, 152, 156], 0.3));
    let base = shape.length * 0.3;
    for x in [-base, base] {
        for y in [-1.0f32, 1.0] {
            let centre = Vec3::new(x, y * (shape.half - 0.1), shape.wheel);
            // As high as it is round: it must not reach into the ground.
            let arch = Vec3::new(x, y * (shape.half + 0.004), shape.wheel * 1.17);
            let deep = Vec3::Y * 0.1 * y;
            mesh.bar(arch - deep, arch, [shape.wheel * 1.17; 2], 12, Skin::matt([20, 20, 21]));
            mesh.wheel(centre + Vec3::Y * 0.012 * y, shape.wheel, 0.21, tyre, rim);
        }
    }
}

/// Head-, tail- and brake lamps and blinkers, at a height, for anything with four wheels.
pub(super) fn lamps(mesh: &mut Mesh, front: f32, half: f32, height: f32) {
    let white = Skin::lamp([240, 238, 226], 6.0, Lamp::Dark);
    let red = Skin::lamp([190, 20, 24], 1.5, Lamp::Dark);
    let brake = Skin::lamp([230, 26, 30], 4.0, Lamp::Brake);
    let amber = Skin::lamp([236, 140, 30], 5.0, Lamp::Blink);
    for y in [-1.0f32, 1.0] {
        let block = |mesh: &mut Mesh, x: f32, low: f32, high: f32, z: f32, tall: f32, skin: Skin| {
            let (a, b) = (y * half * low, y * half * high);
            mesh.cuboid(Vec3::new(x - 0.04, a.min(b), z), Vec3::new(x + 0.04, a.max(b), z + tall), skin);
        };
        block(mesh, front, 0.58, 0.9, height, 0.14, white);
        block(mesh, front - 0.01, 0.9, 0.99, height, 0.12, amber);
        block(mesh, -front, 0.66, 0.95, height + 0.08, 0.18, red);
        block(mesh, -front - 0.01, 0.5, 0.66, height + 0.08, 0.12, brake);
        block(mesh, -front - 0.01, 0.85, 0.97, height + 0.27, 0.08, amber);
    }
}
