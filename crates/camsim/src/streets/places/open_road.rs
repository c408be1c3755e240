//! A street that is all chance: for training, where no picture should be like another.
//!
//! Ways run along the road and across it; where the pole stands, how high and how the camera looks is rolled as well.

use core::f32::consts::FRAC_PI_2;
use glam::{Vec2, Vec3};

use super::parts::{bush, house, lamp_post, sign, tree, wall, wires};
use super::{Place, Use, Way};
use crate::streets::dice::Dice;
use crate::streets::ground::{Ground, Outline, Patch, Surface};
use crate::streets::mesh::{Grain, Mesh, Skin};
use crate::streets::view::View;

pub(super) fn build(dice: &mut Dice) -> Place {
    let mut solid = Mesh::default();
    let half = dice.between(2.2, 5.5);
    let high = dice.between(3.2, 6.8);
    let side = if dice.chance(0.5) { -1.0 } else { 1.0 };
    let at = Vec3::new(side * dice.between(0.0, half + 3.5), dice.between(-3.0, 1.0), high);
    let aim = Vec3::new(dice.between(-3.5, 3.5), dice.between(8.0, 22.0), dice.between(-0.5, 1.0));
    let view = View::new(at, aim, dice.between(-0.04, 0.04), dice.between(0.75, 1.65));
    let verge = dice.between(0.8, 4.0);
    for side in [-1.0f32, 1.0] {
        edge(&mut solid, side, half + verge, dice);
    }
    let mut lamps = Vec::new();
    let post_side = if dice.chance(0.5) { -1.0 } else { 1.0 };
    let posts: Vec<_> = (0..4).map(|i| Vec2::new(post_side * (half + 0.7), 10.0 + 17.0 * i as f32)).collect();
    if dice.chance(0.8) {
        for at in &posts {
            lamps.push(lamp_post(&mut solid, *at, if post_side < 0.0 { 0.0 } else { core::f32::consts::PI }));
        }
        for pair in posts.windows(2) {
            wires(&mut solid, pair[0], pair[1]);
        }
    }
    for _ in 0..dice.below(3) {
        let faces = [[34, 66, 150], [250, 250, 250], [240, 200, 40]];
        let x = half + 0.5;
        sign(
            &mut solid,
            Vec2::new(if dice.chance(0.5) { x } else { -x }, dice.between(8.0, 40.0)),
            dice.between(-2.2, -0.9),
            dice.pick(&faces),
        );
    }
    let ground = ground(half, verge, dice);
    Place { view, ground, solid, lamps, ways: ways(half, dice), spots: Vec::new(), signals: Vec::new() }
}

/// What stands along one side of the road.
fn edge(mesh: &mut Mesh, side: f32, from: f32, dice: &mut Dice) {
    let mut y = dice.between(-2.0, 10.0);
    let built = dice.unit();
    while y < 80.0 {
        let length = dice.between(4.0, 9.0);
        let roll = dice.unit();
        if roll < built * 0.85 {
            let at = Vec2::new(side * (from + dice.between(0.2, 3.0)), y + length / 2.0);
            house(mesh, at, -side * FRAC_PI_2, length.min(6.5), 1 + dice.below(3), dice.chance(0.5), dice);
        } else if roll < 0.6 {
            let x = side * (from + dice.between(0.2, 1.5));
            let tones = [[206, 194, 158], [186, 184, 176], [168, 96, 70], [120, 140, 120]];
            let grain = if dice.chance(0.3) { Grain::Brick } else { Grain::Plaster };
            wall(mesh, &[Vec2::new(x, y), Vec2::new(x, y + length)], dice.between(0.6, 2.2), Skin::grained(dice.pick(&tones), grain));
        } else {
            for _ in 0..1 + dice.below(2) {
                let at = Vec2::new(side * (from + dice.between(0.6, 7.0)), y + dice.between(0.0, length));
                if dice.chance(0.6) {
                    tree(mesh, at, dice.between(3.0, 9.0), dice);
                } else {
                    bush(mesh, at, dice);
                }
            }
        }
        y += length + dice.between(0.0, 3.0);
    }
}

fn ground(half: f32, verge: f32, dice: &mut Dice) -> Ground {
    let strip = |surface, x: f32, half: f32, dash| {
        Patch::new(surface, Outline::Strip { line: vec![Vec2::new(x, -40.0), Vec2::new(x, 160.0)], half, dash })
    };
    let base = dice.pick(&[Surface::Grass, Surface::Soil, Surface::Paddy, Surface::Grass, Surface::Concrete]);
    let shoulder = dice.pick(&[Surface::Soil, Surface::Paving, Surface::Grass, Surface::Concrete]);
    let road = dice.pick(&[Surface::Asphalt, Surface::Asphalt, Surface::Concrete, Surface::Soil]);
    let mut patches = vec![strip(shoulder, 0.0, half + verge, None)];
    if dice.chance(0.25) {
        let y = dice.between(6.0, 30.0);
        let line = vec![Vec2::new(-90.0, y), Vec2::new(90.0, y)];
        patches.push(Patch::new(
            dice.pick(&[Surface::Water, Surface::Asphalt, Surface::Concrete]),
            Outline::Strip { line, half: dice.between(1.0, 3.0), dash: None },
        ));
    }
    patches.push(strip(road, 0.0, half, None));
    if road != Surface::Soil && dice.chance(0.8) {
        let paint = dice.pick(&[Surface::White, Surface::Yellow]);
        patches.push(strip(paint, 0.0, 0.07, Some((dice.between(1.0, 3.0), dice.between(1.5, 4.0)))));
        if dice.chance(0.6) {
            patches.push(strip(Surface::White, half - 0.2, 0.06, None));
            patches.push(strip(Surface::White, 0.2 - half, 0.06, None));
        }
        if dice.chance(0.3) {
            let y = dice.between(8.0, 25.0);
            for i in 0..10 {
                let x = (i as f32 - 4.5) * 0.8;
                let line = vec![Vec2::new(x, y), Vec2::new(x, y + 2.6)];
                patches.push(Patch::new(Surface::White, Outline::Strip { line, half: 0.2, dash: None }));
            }
        }
    }
    let wet = if dice.chance(0.15) { dice.between(0.3, 1.0) } else { 0.0 };
    Ground { base, patches, salt: dice.roll() as u32, wet }
}

fn ways(half: f32, dice: &mut Dice) -> Vec<Way> {
    let line = |points: &[[f32; 2]]| points.iter().copied().map(Vec2::from).collect();
    let lane = half * 0.5;
    let cross = dice.between(7.0, 25.0);
    vec![
        Way { name: "in", kind: Use::Lane, line: line(&[[lane, -14.0], [lane, 90.0]]) },
        Way { name: "out", kind: Use::Lane, line: line(&[[-lane, 90.0], [-lane, -14.0]]) },
        Way { name: "verge-left", kind: Use::Walk, line: line(&[[-half - 0.6, 60.0], [-half - 0.6, -10.0]]) },
        Way { name: "verge-right", kind: Use::Walk, line: line(&[[half + 0.6, -10.0], [half + 0.6, 60.0]]) },
        Way { name: "across", kind: Use::Walk, line: line(&[[-30.0, cross], [30.0, cross + 2.0]]) },
    ]
}
