//! The road before the school: a wall with a gate, a wide forecourt, a road across the picture.

use core::f32::consts::{FRAC_PI_2, PI};
use glam::{Vec2, Vec3};

use super::parts::{bush, house, lamp_post, sign, tree, wall, wires};
use super::{Place, Use, Way};
use crate::streets::dice::Dice;
use crate::streets::ground::{Ground, Outline, Patch, Surface};
use crate::streets::mesh::{Grain, Lamp, Mesh, Skin};
use crate::streets::view::View;

/// The middle of the road, which runs along x, and half of it, metres.
const ROAD: f32 = 11.0;
const HALF: f32 = 3.4;

pub(super) fn build(dice: &mut Dice) -> Place {
    let mut solid = Mesh::default();
    let view = View::new(Vec3::new(-7.0, 0.0, 5.0), Vec3::new(2.0, 13.0, 0.4), 0.0, 1.3);
    let plaster = Skin::grained([222, 196, 120], Grain::Plaster);
    wall(&mut solid, &[Vec2::new(-60.0, 19.0), Vec2::new(-1.0, 19.0)], 1.9, plaster);
    wall(&mut solid, &[Vec2::new(7.0, 19.0), Vec2::new(60.0, 19.0)], 1.9, plaster);
    gate(&mut solid);
    block(&mut solid, Vec2::new(3.0, 38.0), dice);
    block(&mut solid, Vec2::new(-24.0, 34.0), dice);
    for i in 0..4 {
        house(&mut solid, Vec2::new(24.0 + 5.4 * i as f32, 21.0), 0.0, 5.2, 1 + dice.below(3), dice.chance(0.5), dice);
    }
    for (x, y) in [(-12.0, 22.0), (-5.0, 24.0), (11.0, 23.0), (17.0, 24.0), (-19.0, 22.0)] {
        tree(&mut solid, Vec2::new(x + dice.between(-1.0, 1.0), y), dice.between(5.0, 7.5), dice);
    }
    for _ in 0..6 {
        bush(&mut solid, Vec2::new(dice.between(9.0, 40.0), 18.0), dice);
    }
    let posts = [Vec2::new(-22.0, 16.6), Vec2::new(-3.4, 16.6), Vec2::new(16.0, 16.6), Vec2::new(36.0, 16.6)];
    let mut lamps: Vec<_> = posts.iter().map(|at| lamp_post(&mut solid, *at, -FRAC_PI_2)).collect();
    lamps.push(lamp_post(&mut solid, Vec2::new(7.5, 24.5), PI)); // the one in the yard
    for pair in posts.windows(2) {
        wires(&mut solid, pair[0], pair[1]);
    }
    sign(&mut solid, Vec2::new(-4.6, 15.6), PI, [250, 250, 250]);
    Place { view, ground: ground(dice), solid, lamps, ways: ways(), spots: spots(), signals: Vec::new() }
}

fn gate(mesh: &mut Mesh) {
    let stone = Skin::grained([196, 120, 72], Grain::Plaster);
    for x in [-0.7, 6.7] {
        mesh.cuboid(Vec3::new(x - 0.45, 18.5, 0.0), Vec3::new(x + 0.45, 19.4, 4.2), stone);
    }
    mesh.cuboid(Vec3::new(-1.2, 18.7, 3.7), Vec3::new(7.2, 19.2, 4.7), Skin::matt([32, 84, 158]));
    for i in 0..12 {
        let x = -0.5 + 0.58 * i as f32;
        mesh.cuboid(Vec3::new(x, 18.66, 3.95), Vec3::new(x + 0.36, 18.7, 4.45), Skin::matt([246, 246, 240]));
    }
    // The sliding gate, half open.
    for i in 0..12 {
        let x = 3.0 + 0.3 * i as f32;
        mesh.cuboid(Vec3::new(x, 19.2, 0.1), Vec3::new(x + 0.05, 19.25, 1.9), Skin::matt([60, 92, 120]));
    }
    mesh.cuboid(Vec3::new(3.0, 19.2, 1.7), Vec3::new(6.4, 19.26, 1.8), Skin::matt([60, 92, 120]));
}

/// A school building: two floors of windows under a red roof.
fn block(mesh: &mut Mesh, at: Vec2, dice: &mut Dice) {
    let wall = Skin::grained([236, 206, 128], Grain::Plaster);
    let (half, tall) = (dice.between(9.0, 12.0), 7.2);
    let corner = |x: f32, y: f32, z: f32| Vec3::new(at.x + x, at.y + y, z);
    mesh.cuboid(corner(-half, 0.0, 0.0), corner(half, 8.0, tall), wall);
    for floor in [0.9, 4.5] {
        for i in 0..9 {
            let x = (i as f32 - 4.0) * half / 4.6;
            let lit = dice.chance(0.2);
            let pane = if lit { Skin::lamp([255, 236, 190], 0.8, Lamp::Dark) } else { Skin::shiny([46, 66, 78], 0.6) };
            mesh.cuboid(corner(x - 0.7, -0.05, floor), corner(x + 0.7, 0.0, floor + 1.5), pane);
        }
    }
    mesh.cuboid(corner(-half, -1.4, 3.5), corner(half, 0.0, 3.7), Skin::matt([240, 236, 226]));
    let low = [[-half - 0.6, -1.6], [half + 0.6, -1.6], [half + 0.6, 8.6], [-half - 0.6, 8.6]].map(|p| Vec2::from(p) + at);
    let high = [[-half + 2.0, 3.4], [half - 2.0, 3.4], [half - 2.0, 3.6], [-half + 2.0, 3.6]].map(|p| Vec2::from(p) + at);
    mesh.frustum(&low, &high, tall, tall + 2.2, Skin::grained([168, 66, 48], Grain::Tiles));
}

fn ground(dice: &mut Dice) -> Ground {
    let strip = |surface, y: f32, half: f32, dash| {
        Patch::new(surface, Outline::Strip { line: vec![Vec2::new(-120.0, y), Vec2::new(120.0, y)], half, dash })
    };
    let court = Outline::Polygon([[-3.0, ROAD], [9.0, ROAD], [9.0, 30.0], [-3.0, 30.0]].map(Vec2::from).to_vec());
    let mut patches = vec![
        strip(Surface::Soil, ROAD, HALF + 1.0, None),
        Patch::new(Surface::Paving, court),
        strip(Surface::Asphalt, ROAD, HALF, None),
        strip(Surface::White, ROAD - HALF + 0.2, 0.06, None),
        strip(Surface::White, ROAD + HALF - 0.2, 0.06, None),
        strip(Surface::Yellow, ROAD, 0.07, Some((2.0, 2.0))),
    ];
    for i in 0..8 {
        // Zebra stripes before the gate.
        let y = ROAD + (i as f32 - 3.5) * 0.8;
        let line = vec![Vec2::new(1.5, y), Vec2::new(4.5, y)];
        patches.push(Patch::new(Surface::White, Outline::Strip { line, half: 0.2, dash: None }));
    }
    Ground { base: Surface::Grass, patches, salt: dice.roll() as u32, wet: 0.0 }
}

fn ways() -> Vec<Way> {
    let line = |points: &[[f32; 2]]| points.iter().copied().map(Vec2::from).collect();
    vec![
        Way { name: "in", kind: Use::Lane, line: line(&[[-40.0, ROAD - 1.7], [60.0, ROAD - 1.7]]) },
        Way { name: "out", kind: Use::Lane, line: line(&[[60.0, ROAD + 1.7], [-40.0, ROAD + 1.7]]) },
        Way { name: "verge-near", kind: Use::Walk, line: line(&[[-30.0, 6.9], [50.0, 6.9]]) },
        Way { name: "verge-far", kind: Use::Walk, line: line(&[[50.0, 15.4], [-30.0, 15.4]]) },
        Way {
            name: "to-school",
            kind: Use::Walk,
            line: line(&[[-30.0, 7.0], [2.2, 7.2], [2.8, 15.0], [1.2, 18.0], [1.2, 30.0], [-8.0, 33.0]]),
        },
        Way {
            name: "from-school",
            kind: Use::Walk,
            line: line(&[[-8.0, 33.0], [1.6, 30.0], [1.8, 17.0], [3.4, 15.0], [3.2, 7.2], [50.0, 7.0]]),
        },
    ]
}

fn spots() -> Vec<(&'static str, Vec2)> {
    vec![
        ("gate-front", Vec2::new(3.0, 15.6)),
        ("forecourt", Vec2::new(6.0, 16.4)),
        ("wall", Vec2::new(-8.0, 17.0)),
        ("yard", Vec2::new(3.6, 22.5)),
    ]
}
