//! Fire and smoke: puffs that rise, grow and fade.

use glam::{Vec2, Vec3};

use super::{Body, Wish};
use crate::streets::dice::{Dice, cell};

/// Where puffs come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Source {
    /// Half width of what burns, metres.
    radius: f32,
    /// How high it reaches, metres.
    height: f32,
    /// Flames, or the smoke above them.
    flames: bool,
    salt: u32,
}

/// One round cloud, towards the camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::streets) struct Puff {
    /// Its middle, in the body's axes.
    pub(in crate::streets) at: Vec3,
    /// Metres.
    pub(in crate::streets) radius: f32,
    /// Linear light.
    pub(in crate::streets) colour: Vec3,
    /// How much it covers in its middle, 0–1.
    pub(in crate::streets) cover: f32,
    /// Whether it gives light rather than takes it.
    pub(in crate::streets) glows: bool,
}

pub(super) fn fire(_: &Wish, dice: &mut Dice) -> Body {
    let (radius, height) = (dice.between(0.35, 0.8), dice.between(0.8, 1.8));
    burning(radius, height, true, dice)
}

pub(super) fn smoke(_: &Wish, dice: &mut Dice) -> Body {
    let (radius, height) = (dice.between(0.5, 1.0), dice.between(2.5, 5.0));
    burning(radius, height, false, dice)
}

fn burning(radius: f32, height: f32, flames: bool, dice: &mut Dice) -> Body {
    let source = Source { radius, height, flames, salt: dice.roll() as u32 };
    let wide = radius * if flames { 2.0 } else { 3.4 };
    Body { size: Vec3::new(wide, wide, height), puffs: Some(source), ..Body::default() }
}

impl Source {
    /// The puffs of a moment, farthest from the ground last.
    pub(in crate::streets) fn puffs(&self, seconds: f32) -> Vec<Puff> {
        let (count, life) = if self.flames { (26, 0.9) } else { (34, 4.0) };
        let mut puffs: Vec<_> = (0..count)
            .map(|i| {
                let age = seconds / life + i as f32 / count as f32;
                let (round, age) = (age.floor() as i32, age.fract());
                let chance = |k: i32| cell(i * 8 + k, round, self.salt) - 0.5;
                let drift = Vec2::new(chance(0), chance(1)) * 2.0;
                self.puff(age, drift, chance(2))
            })
            .collect();
        puffs.sort_by(|a, b| a.at.z.total_cmp(&b.at.z));
        puffs
    }

    fn puff(&self, age: f32, drift: Vec2, chance: f32) -> Puff {
        if self.flames {
            // Flames narrow upwards and turn from yellow to red.
            let at = (drift * self.radius * 0.55 * (1.0 - 0.8 * age)).extend(self.height * 0.9 * age * (0.8 + 0.5 * chance) + 0.1);
            let colour = Vec3::new(2.2, 1.5 - 1.15 * age, 0.45 * (1.0 - age) * (1.0 - age));
            Puff { at, radius: self.radius * (0.42 - 0.28 * age), colour, cover: 0.85 * (1.0 - age * age), glows: true }
        } else {
            let bend = Vec2::new(0.35, 0.1) * age * age * self.height;
            let at = (drift * self.radius * (0.3 + 0.5 * age) + bend).extend(self.height * age * 0.9 + 0.3);
            let grey = 0.22 + 0.12 * chance + 0.18 * age;
            let radius = self.radius * (0.35 + 0.55 * age);
            Puff { at, radius, colour: Vec3::splat(grey), cover: 0.5 * (1.0 - age) * (age * 8.0).min(1.0), glows: false }
        }
    }
}
