//! The market road: shops on both sides, a pavement of paving bricks where no car may stand, parasols and goods.

use core::f32::consts::FRAC_PI_2;
use glam::{Vec2, Vec3};

use super::parts::{house, lamp_post, sign, tree, wires};
use super::{Place, Use, Way};
use crate::streets::dice::Dice;
use crate::streets::ground::{Ground, Outline, Patch, Surface};
use crate::streets::mesh::{Grain, Mesh, Skin};
use crate::streets::view::View;

/// Half the road, and its pavements to each side, metres.
const HALF: f32 = 4.0;
const PAVEMENT: f32 = 2.6;

pub(super) fn build(dice: &mut Dice) -> Place {
    let mut solid = Mesh::default();
    let view = View::new(Vec3::new(-5.4, -2.0, 5.6), Vec3::new(1.6, 16.0, 0.2), 0.0, 1.3);
    for side in [-1.0, 1.0] {
        let mut y = if side < 0.0 { 6.0 } else { 2.0 };
        while y < 75.0 {
            let width = dice.between(4.2, 5.8);
            let at = Vec2::new(side * (HALF + PAVEMENT + 0.2), y + width / 2.0);
            house(&mut solid, at, -side * FRAC_PI_2, width - 0.1, 1 + dice.below(3), dice.chance(0.85), dice);
            y += width;
        }
    }
    let kerb = Skin::grained([176, 172, 164], Grain::Plaster);
    for side in [-1.0, 1.0] {
        let x = side * (HALF + 0.1);
        solid.cuboid(Vec3::new(x - 0.1, -20.0, 0.0), Vec3::new(x + 0.1, 100.0, 0.12), kerb);
    }
    let posts = [Vec2::new(4.6, 8.0), Vec2::new(4.6, 26.0), Vec2::new(4.6, 46.0)];
    let lamps: Vec<_> = posts.iter().map(|at| lamp_post(&mut solid, *at, core::f32::consts::PI)).collect();
    for pair in posts.windows(2) {
        wires(&mut solid, pair[0], pair[1]);
    }
    sign(&mut solid, Vec2::new(4.5, 14.0), -FRAC_PI_2, [34, 66, 150]);
    for y in [20.0, 36.0, 52.0] {
        tree(&mut solid, Vec2::new(-HALF - 0.9, y), dice.between(4.0, 5.5), dice);
    }
    Place { view, ground: ground(dice), solid, lamps, ways: ways(), spots: spots(), signals: Vec::new() }
}

fn ground(dice: &mut Dice) -> Ground {
    let strip = |surface, x: f32, half: f32, dash| {
        Patch::new(surface, Outline::Strip { line: vec![Vec2::new(x, -30.0), Vec2::new(x, 140.0)], half, dash })
    };
    let mut patches = vec![
        strip(Surface::Paving, -HALF - PAVEMENT / 2.0, PAVEMENT / 2.0, None),
        strip(Surface::Paving, HALF + PAVEMENT / 2.0, PAVEMENT / 2.0, None),
        strip(Surface::Asphalt, 0.0, HALF, None),
        strip(Surface::White, -HALF + 0.25, 0.06, None),
        strip(Surface::White, HALF - 0.25, 0.06, None),
        strip(Surface::White, 0.0, 0.07, Some((1.5, 2.5))),
    ];
    for i in 0..9 {
        // A crossing.
        let x = (i as f32 - 4.0) * 0.85;
        let line = vec![Vec2::new(x, 22.0), Vec2::new(x, 25.0)];
        patches.push(Patch::new(Surface::White, Outline::Strip { line, half: 0.22, dash: None }));
    }
    Ground { base: Surface::Soil, patches, salt: dice.roll() as u32, wet: 0.0 }
}

fn ways() -> Vec<Way> {
    let line = |points: &[[f32; 2]]| points.iter().copied().map(Vec2::from).collect();
    vec![
        Way { name: "in", kind: Use::Lane, line: line(&[[1.9, -16.0], [1.9, 100.0]]) },
        Way { name: "out", kind: Use::Lane, line: line(&[[-1.9, 100.0], [-1.9, -16.0]]) },
        Way { name: "pavement-left", kind: Use::Walk, line: line(&[[-5.2, 80.0], [-5.2, -12.0]]) },
        Way { name: "pavement-right", kind: Use::Walk, line: line(&[[5.4, -12.0], [5.4, 80.0]]) },
        Way {
            name: "crossing",
            kind: Use::Walk,
            line: line(&[[-5.2, 60.0], [-5.0, 24.0], [-4.2, 23.5], [4.2, 23.5], [5.3, 24.0], [5.3, 60.0]]),
        },
        Way { name: "strolling", kind: Use::Walk, line: line(&[[-5.0, 70.0], [-4.8, 30.0], [4.8, 12.0], [5.2, -12.0]]) },
    ]
}

fn spots() -> Vec<(&'static str, Vec2)> {
    vec![
        ("kerb-right", Vec2::new(3.0, 16.0)),
        ("kerb-far", Vec2::new(3.0, 30.0)),
        ("stall-right", Vec2::new(5.3, 12.0)),
        ("stall-left", Vec2::new(-5.2, 18.0)),
        ("road-middle", Vec2::new(0.2, 18.0)),
    ]
}
