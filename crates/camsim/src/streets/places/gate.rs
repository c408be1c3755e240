//! The village gate: a concrete road runs through it away from the camera, fields and a culvert before it, houses behind.

use glam::{Vec2, Vec3};

use super::parts::{bush, house, lamp_post, sign, tree, turned, wall, wires};
use super::{Place, Use, Way};
use crate::streets::dice::Dice;
use crate::streets::ground::{Ground, Outline, Patch, Surface};
use crate::streets::mesh::{Grain, Mesh, Skin};
use crate::streets::view::View;

/// Half the road, metres.
const HALF: f32 = 3.2;

pub(super) fn build(dice: &mut Dice) -> Place {
    let mut solid = Mesh::default();
    let post = Vec2::new(6.2, -1.0);
    let view = View::new(post.extend(5.2), Vec3::new(-0.6, 15.0, 0.3), 0.0, 1.25);
    gateway(&mut solid, 24.0);
    // Houses behind the gate, a wall with bushes before them.
    for (x, y, heading) in
        [(-6.2, 27.0, -1.0), (-6.2, 33.0, -1.0), (-6.2, 39.0, -1.0), (6.2, 31.0, 1.0), (6.2, 37.5, 1.0), (6.4, 45.0, 1.0)]
    {
        let floors = 1 + dice.below(3);
        house(&mut solid, Vec2::new(x, y), -heading * core::f32::consts::FRAC_PI_2, dice.between(4.6, 5.8), floors, dice.chance(0.4), dice);
    }
    let plaster = Skin::grained([208, 196, 160], Grain::Plaster);
    wall(&mut solid, &[Vec2::new(-16.0, 24.0), Vec2::new(-4.6, 24.0)], 1.7, plaster);
    wall(&mut solid, &[Vec2::new(4.6, 24.0), Vec2::new(16.0, 24.0)], 1.7, plaster);
    for i in 0..9 {
        let side = if i % 2 == 0 { -1.0 } else { 1.0 };
        let at = Vec2::new(side * dice.between(7.5, 14.0), dice.between(12.0, 50.0));
        tree(&mut solid, at, dice.between(4.5, 8.0), dice);
    }
    for _ in 0..10 {
        let side = if dice.chance(0.5) { -1.0 } else { 1.0 };
        bush(&mut solid, Vec2::new(side * dice.between(5.4, 9.0), dice.between(9.0, 23.0)), dice);
    }
    // The culvert's two parapets.
    for side in [-1.0, 1.0] {
        let x = side * (HALF + 0.35);
        solid.cuboid(Vec3::new(x - 0.15, 7.4, 0.0), Vec3::new(x + 0.15, 10.2, 0.55), Skin::grained([184, 180, 170], Grain::Plaster));
    }
    let posts = [Vec2::new(-5.2, 12.0), Vec2::new(-5.2, 30.0), Vec2::new(-5.4, 48.0)];
    let lamps: Vec<_> = posts.iter().map(|at| lamp_post(&mut solid, *at, 0.0)).collect();
    for pair in posts.windows(2) {
        wires(&mut solid, pair[0], pair[1]);
    }
    sign(&mut solid, Vec2::new(4.4, 16.0), -core::f32::consts::FRAC_PI_2, [34, 66, 150]);
    Place { view, ground: ground(dice), solid, lamps, ways: ways(), spots: spots(), signals: Vec::new() }
}

fn gateway(mesh: &mut Mesh, y: f32) {
    let stone = Skin::grained([206, 178, 128], Grain::Plaster);
    let red = Skin::grained([150, 58, 46], Grain::Tiles);
    for side in [-1.0, 1.0] {
        let x = side * 4.1;
        mesh.cuboid(Vec3::new(x - 0.5, y - 0.5, 0.0), Vec3::new(x + 0.5, y + 0.5, 5.0), stone);
        mesh.cuboid(Vec3::new(x - 0.65, y - 0.65, 0.0), Vec3::new(x + 0.65, y + 0.65, 0.5), Skin::matt([170, 150, 116]));
    }
    mesh.cuboid(Vec3::new(-4.6, y - 0.4, 4.4), Vec3::new(4.6, y + 0.4, 5.6), stone);
    mesh.cuboid(Vec3::new(-3.0, y - 0.46, 4.6), Vec3::new(3.0, y - 0.4, 5.4), Skin::matt([168, 34, 34]));
    for i in 0..9 {
        // Letters of the name board.
        let x = (i as f32 - 4.0) * 0.6;
        mesh.cuboid(Vec3::new(x - 0.19, y - 0.49, 4.8), Vec3::new(x + 0.19, y - 0.46, 5.2), Skin::matt([240, 206, 90]));
    }
    let low = [[-5.2, y - 0.9], [5.2, y - 0.9], [5.2, y + 0.9], [-5.2, y + 0.9]].map(Vec2::from);
    let high = [[-4.0, y - 0.1], [4.0, y - 0.1], [4.0, y + 0.1], [-4.0, y + 0.1]].map(Vec2::from);
    mesh.frustum(&low, &high, 5.6, 6.5, red);
    for side in [-1.0f32, 1.0] {
        let mut tip = Mesh::default();
        tip.frustum(
            &[[-0.5, -0.4], [0.5, -0.4], [0.5, 0.4], [-0.5, 0.4]].map(Vec2::from),
            &[[-0.05, -0.05], [0.05, -0.05], [0.05, 0.05], [-0.05, 0.05]].map(Vec2::from),
            0.0,
            0.9,
            red,
        );
        mesh.add(&tip, turned(0.0), Vec3::new(side * 4.1, y, 6.1));
    }
}

fn ground(dice: &mut Dice) -> Ground {
    let straight = |x: f32| vec![Vec2::new(x, -30.0), Vec2::new(x, 140.0)];
    let strip = |surface, x: f32, half: f32, dash| Patch::new(surface, Outline::Strip { line: straight(x), half, dash });
    let field = |x0: f32, x1: f32| Outline::Polygon([[x0, 4.0], [x1, 4.0], [x1, 23.0], [x0, 23.0]].map(Vec2::from).to_vec());
    let canal = Outline::Polygon([[-60.0, 7.8], [60.0, 7.8], [60.0, 9.8], [-60.0, 9.8]].map(Vec2::from).to_vec());
    let patches = vec![
        Patch::new(Surface::Paddy, field(-60.0, -8.0)),
        Patch::new(Surface::Paddy, field(9.5, 60.0)),
        Patch::new(Surface::Water, canal),
        strip(Surface::Soil, 0.0, HALF + 1.3, None),
        strip(Surface::Concrete, 0.0, HALF, None),
        strip(Surface::White, -HALF + 0.2, 0.06, None),
        strip(Surface::White, HALF - 0.2, 0.06, None),
        strip(Surface::Yellow, 0.0, 0.07, Some((2.0, 3.0))),
    ];
    Ground { base: Surface::Grass, patches, salt: dice.roll() as u32, wet: 0.0 }
}

fn ways() -> Vec<Way> {
    let line = |points: &[[f32; 2]]| points.iter().copied().map(Vec2::from).collect();
    vec![
        // Away from the camera on the right; Viet Nam drives on the right.
        Way { name: "in", kind: Use::Lane, line: line(&[[1.6, -14.0], [1.6, 110.0]]) },
        Way { name: "out", kind: Use::Lane, line: line(&[[-1.6, 110.0], [-1.6, -14.0]]) },
        Way { name: "verge-left", kind: Use::Walk, line: line(&[[-3.9, 70.0], [-3.7, 26.0], [-3.0, 23.0], [-3.8, 20.0], [-3.9, -14.0]]) },
        Way { name: "verge-right", kind: Use::Walk, line: line(&[[3.9, -14.0], [3.9, 20.0], [3.1, 23.0], [3.7, 26.0], [3.9, 70.0]]) },
        Way { name: "across", kind: Use::Walk, line: line(&[[-24.0, 14.0], [-4.0, 13.0], [4.0, 13.0], [24.0, 12.0]]) },
    ]
}

fn spots() -> Vec<(&'static str, Vec2)> {
    vec![("before-gate", Vec2::new(2.0, 19.0)), ("culvert", Vec2::new(2.4, 9.0)), ("field-edge", Vec2::new(-7.0, 15.0))]
}
