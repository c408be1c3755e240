//! Motorbikes and bicycles, and those who ride them.

use glam::Vec3;

use super::person::{Dress, sitter};
use super::plate::plate;
use super::{Body, Class, Headlamp, Part, Wish};
use crate::streets::dice::Dice;
use crate::streets::mesh::{Lamp, Mesh, Skin};

const PAINT: [[u8; 3]; 9] = [
    [180, 30, 34],
    [30, 32, 36],
    [228, 228, 224],
    [40, 70, 150],
    [90, 94, 100],
    [200, 170, 60],
    [120, 150, 170],
    [60, 110, 80],
    [150, 60, 40],
];

pub(super) fn motorcycle(wish: &Wish, dice: &mut Dice) -> Body {
    let scooter = match wish.kind.as_deref() {
        Some(kind) => kind == "scooter",
        None => dice.chance(0.45),
    };
    let paint = Skin::shiny(wish.colour.unwrap_or_else(|| dice.pick(&PAINT)), 0.3);
    let mut mesh = Mesh::default();
    frame(&mut mesh, scooter, paint);
    let riders = riders(wish, dice);
    if riders.len() < 3 && dice.chance(0.15) {
        goods(&mut mesh, dice);
    }
    let mut rear = Mesh::default();
    plate(&mut rear, Vec3::new(-0.93, 0.0, 0.55), false, true, dice);
    let parts = vec![Part { mesh, ..Part::default() }, Part { mesh: rear, joint: None, mark: Some(Class::Plate) }];
    let headlamps = vec![Headlamp { at: Vec3::new(0.66, 0.0, 0.92), power: 0.8 }];
    Body { parts, headlamps, riders, ..Body::default() }.measured()
}

fn frame(mesh: &mut Mesh, scooter: bool, paint: Skin) {
    let (tyre, rim) = (Skin::matt([26, 26, 28]), Skin::shiny([130, 132, 136], 0.3));
    let dark = Skin::matt([38, 38, 40]);
    let radius = if scooter { 0.24 } else { 0.29 };
    for x in [-0.62f32, 0.64] {
        mesh.wheel(Vec3::new(x, 0.0, radius), radius, 0.11, tyre, rim);
        mesh.dome(Vec3::new(x, 0.0, radius + 0.02), Vec3::new(radius + 0.05, 0.08, radius + 0.04), 8, 0.45, 1.0, paint);
    }
    let (axle, head) = (Vec3::new(0.64, 0.0, radius), Vec3::new(0.42, 0.0, 0.95));
    for y in [-0.07f32, 0.07] {
        mesh.bar(axle + Vec3::Y * y, head + Vec3::Y * y, [0.025; 2], 5, rim);
    }
    // The shield before the legs, the floor or the engine, the tail.
    mesh.bar(Vec3::new(0.4, 0.0, 0.36), Vec3::new(0.45, 0.0, 0.95), [0.17, 0.15], 8, paint);
    if scooter {
        mesh.cuboid(Vec3::new(-0.15, -0.16, 0.28), Vec3::new(0.42, 0.16, 0.36), dark);
        mesh.ellipsoid(Vec3::new(-0.42, 0.0, 0.55), Vec3::new(0.46, 0.19, 0.24), 10, paint);
    } else {
        mesh.ellipsoid(Vec3::new(0.08, 0.0, 0.36), Vec3::new(0.25, 0.13, 0.16), 8, Skin::matt([92, 94, 98]));
        mesh.ellipsoid(Vec3::new(0.05, 0.0, 0.6), Vec3::new(0.42, 0.08, 0.12), 8, paint);
        mesh.ellipsoid(Vec3::new(-0.48, 0.0, 0.62), Vec3::new(0.42, 0.13, 0.14), 10, paint);
    }
    mesh.ellipsoid(Vec3::new(-0.3, 0.0, 0.76), Vec3::new(0.48, 0.14, 0.07), 10, Skin::matt([24, 24, 26]));
    mesh.bar(Vec3::new(-0.1, -0.15, 0.26), Vec3::new(-0.85, -0.17, 0.34), [0.035, 0.06], 6, Skin::shiny([110, 110, 112], 0.4));
    mesh.bar(head + Vec3::new(-0.02, -0.34, 0.07), head + Vec3::new(-0.02, 0.34, 0.07), [0.022; 2], 5, dark);
    for y in [-0.32f32, 0.32] {
        // Mirrors.
        let at = head + Vec3::new(0.03, y, 0.22);
        mesh.bar(head + Vec3::new(-0.02, y * 0.8, 0.07), at, [0.01; 2], 3, dark);
        mesh.ellipsoid(at, Vec3::new(0.015, 0.055, 0.035), 6, dark);
    }
    mesh.ellipsoid(head + Vec3::new(0.13, 0.0, 0.0), Vec3::new(0.1, 0.12, 0.1), 8, paint);
    mesh.ellipsoid(head + Vec3::new(0.2, 0.0, -0.02), Vec3::new(0.05, 0.085, 0.07), 8, Skin::lamp([250, 244, 224], 5.0, Lamp::Dark));
    mesh.ellipsoid(Vec3::new(-0.9, 0.0, 0.7), Vec3::new(0.05, 0.09, 0.05), 6, Skin::lamp([210, 24, 24], 1.6, Lamp::Dark));
}

/// Who rides: the driver, someone behind, sometimes a child between or before them.
fn riders(wish: &Wish, dice: &mut Dice) -> Vec<Body> {
    let helmets = wish.helmets.clone().unwrap_or_else(|| {
        let count = 1 + dice.weighted(&[0.62, 0.28, 0.07, 0.03]);
        (0..count).map(|i| dice.chance(if i == 0 { 0.88 } else { 0.75 })).collect()
    });
    let grown = |kind: &str, dice: &mut Dice| Dress::new(&Wish { kind: Some(kind.into()), ..Wish::default() }, dice);
    let count = helmets.len();
    let spacing = if count > 2 { 0.27 } else { 0.36 };
    helmets
        .iter()
        .enumerate()
        .map(|(i, helmet)| {
            // The third is a child in the middle, the fourth one before the driver.
            let child = (count == 3 && i == 1 && dice.chance(0.7)) || i == 3;
            let dress = grown(if child { "child" } else { "adult" }, dice).riding(*helmet, dice);
            let x = if i == 3 { 0.16 } else { -0.12 - spacing * i as f32 };
            let seat = Vec3::new(x, 0.0, 0.76);
            let (hands, feet) = if i == 0 {
                (Vec3::new(0.4, 0.3, 1.03), Vec3::new(0.18, 0.17, 0.36))
            } else {
                (Vec3::new(x + 0.26, 0.16, 1.0), Vec3::new(x + 0.14, 0.2, 0.42))
            };
            sitter(&dress, seat, hands, feet, true)
        })
        .collect()
}

fn goods(mesh: &mut Mesh, dice: &mut Dice) {
    let at = Vec3::new(-0.78, 0.0, 0.82);
    match dice.below(3) {
        0 => {
            for y in [-0.34f32, 0.34] {
                let basket = at + Vec3::new(0.0, y, -0.32);
                mesh.bar(basket, basket + Vec3::Z * 0.42, [0.2, 0.26], 8, Skin::matt([170, 136, 84]));
            }
        }
        1 => mesh.cuboid(at + Vec3::new(-0.22, -0.26, 0.0), at + Vec3::new(0.2, 0.26, 0.42), Skin::matt([236, 130, 40])),
        _ => mesh.ellipsoid(at + Vec3::Z * 0.22, Vec3::new(0.26, 0.36, 0.24), 8, Skin::matt([206, 200, 186])),
    }
}

pub(super) fn bicycle(wish: &Wish, dice: &mut Dice) -> Body {
    let mut mesh = Mesh::default();
    let paint = Skin::shiny(wish.colour.unwrap_or_else(|| dice.pick(&PAINT)), 0.2);
    let (tyre, steel) = (Skin::matt([30, 30, 32]), Skin::matt([150, 152, 156]));
    for x in [-0.52f32, 0.52] {
        ring(&mut mesh, Vec3::new(x, 0.0, 0.33), 0.33, tyre, steel);
    }
    let (rear, front) = (Vec3::new(-0.52, 0.0, 0.33), Vec3::new(0.52, 0.0, 0.33));
    let (crank, saddle, head) = (Vec3::new(-0.05, 0.0, 0.3), Vec3::new(-0.2, 0.0, 0.82), Vec3::new(0.38, 0.0, 0.88));
    for (a, b) in
        [(rear, crank), (crank, saddle), (crank, head), (saddle - Vec3::Z * 0.15, head - Vec3::Z * 0.1), (rear, saddle), (front, head)]
    {
        mesh.bar(a, b, [0.02; 2], 5, paint);
    }
    mesh.ellipsoid(saddle + Vec3::Z * 0.04, Vec3::new(0.14, 0.08, 0.04), 6, tyre);
    mesh.bar(head + Vec3::new(-0.03, -0.27, 0.12), head + Vec3::new(-0.03, 0.27, 0.12), [0.016; 2], 5, steel);
    mesh.bar(head, head + Vec3::Z * 0.12, [0.018; 2], 5, steel);
    if dice.chance(0.6) {
        mesh.cuboid(head + Vec3::new(0.06, -0.15, -0.12), head + Vec3::new(0.34, 0.15, 0.1), Skin::matt([160, 162, 164]));
    }
    let kind = if dice.chance(0.4) { "child" } else { "adult" };
    let mut dress = Dress::new(&Wish { kind: Some(kind.into()), ..Wish::default() }, dice).riding(false, dice);
    if kind == "adult" && dice.chance(0.35) {
        dress = Dress::new(&Wish { kind: Some("cone-hat".into()), ..Wish::default() }, dice);
    }
    let low = if dress.tall() < 1.4 { 0.1 } else { 0.0 };
    let rider = sitter(&dress, saddle - Vec3::Z * low, Vec3::new(0.33, 0.25, 1.0), Vec3::new(0.0, 0.12, 0.24), true);
    Body { parts: vec![Part { mesh, ..Part::default() }], riders: vec![rider], ..Body::default() }.measured()
}

/// A thin wheel that one can see through: a rim of bars and a few spokes.
fn ring(mesh: &mut Mesh, centre: Vec3, radius: f32, tyre: Skin, spoke: Skin) {
    let point = |i: usize| {
        let turn = i as f32 / 12.0 * core::f32::consts::TAU;
        centre + Vec3::new(libm::cosf(turn), 0.0, libm::sinf(turn)) * radius
    };
    for i in 0..12 {
        mesh.bar(point(i), point(i + 1), [0.022; 2], 4, tyre);
        if i % 2 == 0 {
            mesh.bar(centre, point(i), [0.006; 2], 3, spoke);
        }
    }
}
