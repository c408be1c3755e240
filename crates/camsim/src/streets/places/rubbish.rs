//! The collection point for rubbish: a concrete bay and green bins by the canal, a lane past it, fields beyond.

use core::f32::consts::{FRAC_PI_2, PI};
use glam::{Vec2, Vec3};

use super::parts::{bush, house, lamp_post, sign, tree, wall};
use super::{Place, Use, Way};
use crate::streets::dice::Dice;
use crate::streets::ground::{Ground, Outline, Patch, Surface};
use crate::streets::mesh::{Grain, Mesh, Skin};
use crate::streets::view::View;

pub(super) fn build(dice: &mut Dice) -> Place {
    let mut solid = Mesh::default();
    let view = View::new(Vec3::new(-5.0, -1.0, 4.6), Vec3::new(1.4, 11.0, 0.2), 0.0, 1.25);
    // The bay: three low walls, open to the lane.
    let brick = Skin::grained([168, 96, 70], Grain::Brick);
    wall(&mut solid, &[Vec2::new(4.4, 10.0), Vec2::new(8.4, 10.0), Vec2::new(8.4, 15.0), Vec2::new(4.4, 15.0)], 1.1, brick);
    for y in [10.9, 12.0] {
        bin(&mut solid, Vec2::new(7.6, y));
    }
    sign(&mut solid, Vec2::new(4.2, 16.0), -FRAC_PI_2 - 0.4, [250, 250, 250]);
    wall(&mut solid, &[Vec2::new(-3.6, 20.0), Vec2::new(-3.6, 60.0)], 1.5, Skin::grained([190, 190, 182], Grain::Plaster));
    for i in 0..3 {
        house(&mut solid, Vec2::new(-5.4, 24.0 + 8.0 * i as f32), FRAC_PI_2, 6.0, 1 + dice.below(2), false, dice);
    }
    for _ in 0..8 {
        tree(&mut solid, Vec2::new(dice.between(13.0, 26.0), dice.between(14.0, 60.0)), dice.between(4.0, 8.0), dice);
    }
    for _ in 0..10 {
        bush(&mut solid, Vec2::new(dice.between(8.9, 10.6), dice.between(5.0, 40.0)), dice);
    }
    let lamps = vec![lamp_post(&mut solid, Vec2::new(3.9, 18.0), PI), lamp_post(&mut solid, Vec2::new(3.9, 44.0), PI)];
    Place { view, ground: ground(dice), solid, lamps, ways: ways(), spots: spots(), signals: Vec::new() }
}

fn bin(mesh: &mut Mesh, at: Vec2) {
    let green = Skin::shiny([30, 104, 58], 0.15);
    let low = [[-0.26, -0.3], [0.26, -0.3], [0.26, 0.3], [-0.26, 0.3]].map(|p| Vec2::from(p) + at);
    let high = [[-0.34, -0.38], [0.34, -0.38], [0.34, 0.38], [-0.34, 0.38]].map(|p| Vec2::from(p) + at);
    mesh.frustum(&low, &high, 0.12, 1.05, green);
    mesh.cuboid(Vec3::new(at.x - 0.37, at.y - 0.4, 1.05), Vec3::new(at.x + 0.37, at.y + 0.4, 1.14), Skin::matt([24, 84, 48]));
}

fn ground(dice: &mut Dice) -> Ground {
    let strip = |surface, x: f32, half: f32| {
        Patch::new(surface, Outline::Strip { line: vec![Vec2::new(x, -30.0), Vec2::new(x, 140.0)], half, dash: None })
    };
    let bay = Outline::Polygon([[2.6, 9.6], [8.6, 9.6], [8.6, 15.4], [2.6, 15.4]].map(Vec2::from).to_vec());
    let field = Outline::Polygon([[13.4, -20.0], [90.0, -20.0], [90.0, 120.0], [13.4, 120.0]].map(Vec2::from).to_vec());
    let patches = vec![
        Patch::new(Surface::Paddy, field),
        strip(Surface::Water, 11.8, 1.3),
        strip(Surface::Soil, 0.0, 3.6),
        Patch::new(Surface::Concrete, bay),
        strip(Surface::Concrete, 0.0, 2.4),
        strip(Surface::White, -2.2, 0.05),
        strip(Surface::White, 2.2, 0.05),
    ];
    Ground { base: Surface::Grass, patches, salt: dice.roll() as u32, wet: 0.0 }
}

fn ways() -> Vec<Way> {
    let line = |points: &[[f32; 2]]| points.iter().copied().map(Vec2::from).collect();
    vec![
        Way { name: "in", kind: Use::Lane, line: line(&[[1.2, -14.0], [1.2, 100.0]]) },
        Way { name: "out", kind: Use::Lane, line: line(&[[-1.2, 100.0], [-1.2, -14.0]]) },
        Way { name: "verge", kind: Use::Walk, line: line(&[[-2.9, 60.0], [-2.9, -12.0]]) },
        Way { name: "to-bay", kind: Use::Walk, line: line(&[[2.8, 60.0], [2.9, 16.5], [4.6, 12.6]]) },
        Way { name: "from-bay", kind: Use::Walk, line: line(&[[4.6, 12.6], [2.9, 9.0], [2.8, -12.0]]) },
        Way { name: "canal-path", kind: Use::Walk, line: line(&[[9.6, -10.0], [9.6, 60.0]]) },
    ]
}

fn spots() -> Vec<(&'static str, Vec2)> {
    vec![("bay", Vec2::new(6.2, 12.6)), ("lane-side", Vec2::new(2.9, 8.0)), ("canal-bank", Vec2::new(9.8, 9.5))]
}
