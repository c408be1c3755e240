//! A junction with traffic lights: the road away from the camera meets another, a stop line and a post before it.

use core::f32::consts::FRAC_PI_2;
use glam::{Vec2, Vec3};

use super::parts::{bush, house, lamp_post, tree, wires};
use super::{Place, Use, Way};
use crate::streets::dice::Dice;
use crate::streets::ground::{Ground, Outline, Patch, Surface};
use crate::streets::mesh::Mesh;
use crate::streets::view::View;

/// Half of each road, and the middle of the one that crosses, metres.
const HALF: f32 = 4.0;
const CROSS: f32 = 26.0;
/// Where who comes from this side stops.
const STOP: f32 = 20.0;

pub(super) fn build(dice: &mut Dice) -> Place {
    let mut solid = Mesh::default();
    let view = View::new(Vec3::new(-4.6, -2.0, 5.8), Vec3::new(1.2, 17.0, 0.4), 0.0, 1.3);
    for side in [-1.0f32, 1.0] {
        for (from, to) in [(4.0, 15.0), (33.0, 75.0)] {
            let mut y = from;
            while y < to {
                let width = dice.between(4.4, 5.8);
                let at = Vec2::new(side * (HALF + 2.8), y + width / 2.0);
                house(&mut solid, at, -side * FRAC_PI_2, width - 0.1, 1 + dice.below(3), dice.chance(0.7), dice);
                y += width;
            }
        }
        tree(&mut solid, Vec2::new(side * 9.5, CROSS - 7.0), dice.between(4.0, 6.0), dice);
        bush(&mut solid, Vec2::new(side * 8.0, CROSS + 6.0), dice);
    }
    let posts = [Vec2::new(-4.8, 9.0), Vec2::new(-4.8, 34.0), Vec2::new(-4.8, 52.0)];
    let lamps: Vec<_> = posts.iter().map(|at| lamp_post(&mut solid, *at, 0.0)).collect();
    for pair in posts.windows(2) {
        wires(&mut solid, pair[0], pair[1]);
    }
    // Beside the stop line for who comes from here, and across the junction for who comes towards the camera.
    let signals = vec![(Vec2::new(HALF + 0.6, STOP + 0.6), FRAC_PI_2), (Vec2::new(-HALF - 0.6, CROSS + 6.0), -FRAC_PI_2)];
    Place { view, ground: ground(dice), solid, lamps, ways: ways(), spots: spots(), signals }
}

fn ground(dice: &mut Dice) -> Ground {
    let line = |surface, from: Vec2, to: Vec2, half: f32, dash| Patch::new(surface, Outline::Strip { line: vec![from, to], half, dash });
    let along = |surface, x: f32, half, dash| line(surface, Vec2::new(x, -30.0), Vec2::new(x, 140.0), half, dash);
    let across = |surface, y: f32, half, dash| line(surface, Vec2::new(-120.0, y), Vec2::new(120.0, y), half, dash);
    let mut patches = vec![
        along(Surface::Paving, 0.0, HALF + 2.4, None),
        across(Surface::Paving, CROSS, HALF + 2.0, None),
        along(Surface::Asphalt, 0.0, HALF, None),
        across(Surface::Asphalt, CROSS, HALF, None),
        line(Surface::White, Vec2::new(0.2, STOP), Vec2::new(HALF - 0.2, STOP), 0.2, None),
        line(Surface::White, Vec2::new(0.2 - HALF, 2.0 * CROSS - STOP), Vec2::new(-0.2, 2.0 * CROSS - STOP), 0.2, None),
        line(Surface::White, Vec2::new(0.0, -30.0), Vec2::new(0.0, STOP), 0.07, Some((1.5, 2.5))),
        line(Surface::White, Vec2::new(0.0, 2.0 * CROSS - STOP), Vec2::new(0.0, 140.0), 0.07, Some((1.5, 2.5))),
    ];
    for i in 0..9 {
        let x = (i as f32 - 4.0) * 0.85;
        patches.push(line(Surface::White, Vec2::new(x, STOP + 0.6), Vec2::new(x, STOP + 2.0), 0.2, None));
    }
    Ground { base: Surface::Soil, patches, salt: dice.roll() as u32, wet: 0.0 }
}

fn ways() -> Vec<Way> {
    let line = |points: &[[f32; 2]]| points.iter().copied().map(Vec2::from).collect();
    vec![
        Way { name: "in", kind: Use::Lane, line: line(&[[1.9, -16.0], [1.9, 100.0]]) },
        Way { name: "out", kind: Use::Lane, line: line(&[[-1.9, 100.0], [-1.9, -16.0]]) },
        Way { name: "from-left", kind: Use::Lane, line: line(&[[-60.0, CROSS - 1.9], [60.0, CROSS - 1.9]]) },
        Way { name: "from-right", kind: Use::Lane, line: line(&[[60.0, CROSS + 1.9], [-60.0, CROSS + 1.9]]) },
        Way { name: "pavement-left", kind: Use::Walk, line: line(&[[-5.2, 16.0], [-5.2, -12.0]]) },
        Way { name: "pavement-right", kind: Use::Walk, line: line(&[[5.2, -12.0], [5.2, 16.0]]) },
        Way { name: "crossing", kind: Use::Walk, line: line(&[[-16.0, 21.3], [-4.6, 21.3], [4.6, 21.3], [16.0, 21.3]]) },
    ]
}

fn spots() -> Vec<(&'static str, Vec2)> {
    vec![("stop-line", Vec2::new(1.9, STOP - 1.2)), ("middle", Vec2::new(1.9, CROSS)), ("corner", Vec2::new(6.0, 19.0))]
}
