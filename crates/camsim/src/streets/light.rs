//! The light of an hour: sun, sky, street lamps, the camera's infrared.
//!
//! Belongs here: how bright a surface is. Does not belong here: which surfaces there are, and weather between them
//! and the lens (`draw::air`).

use glam::Vec3;
use serde::Deserialize;

use super::dice::Dice;
use super::mesh::{Lamp, Signal, Skin};

/// The hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hour {
    /// Sun, or a bright overcast sky.
    Day,
    /// A low warm sun, lamps just on.
    Dusk,
    /// Street lamps and headlights.
    Night,
    /// Dark, seen by the camera's own infrared: grey, bright near the pole.
    Infrared,
}

impl Hour {
    /// Every hour.
    pub const ALL: [Self; 4] = [Self::Day, Self::Dusk, Self::Night, Self::Infrared];
}

/// A street lamp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StreetLamp {
    /// Where it hangs.
    pub at: Vec3,
    /// Linear light at one metre.
    pub colour: Vec3,
}

/// All light there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Light {
    /// Towards the sun, length 1.
    pub(super) sun_at: Vec3,
    /// Its light on a surface that faces it.
    pub(super) sun: Vec3,
    /// What the sky gives a surface that looks up.
    pub(super) sky: Vec3,
    /// What the ground gives back to one that looks down.
    pub(super) ground: Vec3,
    /// The colour of the sky at the horizon and overhead.
    pub(super) horizon: Vec3,
    pub(super) zenith: Vec3,
    /// Street lamps that are on.
    pub(super) lamps: Vec<StreetLamp>,
    /// The camera's infrared: where it is and its strength at one metre.
    pub(super) infrared: Option<(Vec3, f32)>,
    /// Whether headlamps are on.
    pub(super) dark: bool,
    /// Share of light that remains in a shadow of the sun on the ground.
    pub(super) shadow: f32,
    /// How soon distance fades into the horizon, 1 / metres.
    pub(super) haze: f32,
    exposure: f32,
}

impl Light {
    /// The light of an hour. `lamps` hang where the place has them; `lens` is where the camera is.
    #[must_use]
    pub fn new(hour: Hour, lamps: &[Vec3], lens: Vec3, dice: &mut Dice) -> Self {
        let turn = dice.between(0.0, core::f32::consts::TAU);
        let sun = |height: f32| Vec3::new(libm::cosf(turn) * libm::cosf(height), libm::sinf(turn) * libm::cosf(height), libm::sinf(height));
        let mut light = match hour {
            Hour::Day => {
                let cloud = if dice.chance(0.4) { dice.between(0.6, 1.0) } else { dice.between(0.0, 0.3) };
                let blue = Vec3::new(0.30, 0.42, 0.62).lerp(Vec3::splat(0.62), cloud);
                Self {
                    sun_at: sun(dice.between(0.5, 1.35)),
                    sun: Vec3::new(1.0, 0.94, 0.84) * (1.15 * (1.0 - cloud)),
                    sky: Vec3::new(0.30, 0.34, 0.40).lerp(Vec3::splat(0.62), cloud),
                    ground: Vec3::new(0.16, 0.15, 0.12),
                    horizon: Vec3::new(0.72, 0.78, 0.82).lerp(Vec3::splat(0.72), cloud),
                    zenith: blue,
                    shadow: 0.42 + 0.5 * cloud,
                    haze: dice.between(0.001, 0.006),
                    exposure: dice.between(0.85, 1.15),
                    ..Self::nothing()
                }
            }
            Hour::Dusk => Self {
                sun_at: sun(dice.between(0.10, 0.3)),
                sun: Vec3::new(0.42, 0.22, 0.08) * dice.between(0.3, 1.0),
                sky: Vec3::new(0.16, 0.15, 0.19),
                ground: Vec3::new(0.05, 0.04, 0.04),
                horizon: Vec3::new(0.62, 0.40, 0.28),
                zenith: Vec3::new(0.14, 0.16, 0.28),
                dark: true,
                shadow: 0.75,
                haze: dice.between(0.002, 0.006),
                exposure: dice.between(1.1, 1.7),
                ..Self::nothing()
            },
            Hour::Night => Self {
                sky: Vec3::new(0.010, 0.012, 0.020) * dice.between(0.6, 2.0),
                ground: Vec3::splat(0.003),
                horizon: Vec3::new(0.03, 0.028, 0.03),
                zenith: Vec3::new(0.006, 0.007, 0.014),
                dark: true,
                shadow: 0.7,
                haze: 0.001,
                exposure: dice.between(1.6, 2.6),
                ..Self::nothing()
            },
            Hour::Infrared => Self {
                sky: Vec3::splat(0.008),
                ground: Vec3::splat(0.002),
                infrared: Some((lens, dice.between(28.0, 60.0))),
                dark: true,
                shadow: 0.8,
                exposure: dice.between(1.2, 1.8),
                ..Self::nothing()
            },
        };
        if light.dark && hour != Hour::Infrared {
            // Old sodium or new LED; the strength of a lamp over a village road.
            let colour = if dice.chance(0.5) { Vec3::new(1.0, 0.62, 0.25) } else { Vec3::new(0.86, 0.93, 1.0) };
            let power = if hour == Hour::Dusk { 1.5 } else { dice.between(4.0, 9.0) };
            light.lamps = lamps.iter().map(|at| StreetLamp { at: *at, colour: colour * power }).collect();
        }
        light
    }

    fn nothing() -> Self {
        Self {
            sun_at: Vec3::Z,
            sun: Vec3::ZERO,
            sky: Vec3::ZERO,
            ground: Vec3::ZERO,
            horizon: Vec3::ZERO,
            zenith: Vec3::ZERO,
            lamps: Vec::new(),
            infrared: None,
            dark: false,
            shadow: 1.0,
            haze: 0.0,
            exposure: 1.0,
        }
    }

    /// Whether the picture has no colours.
    pub(super) fn grey(&self) -> bool {
        self.infrared.is_some()
    }

    /// The light that falls on a surface; `sunlit` is 0 in the shadow.
    pub(super) fn falls(&self, at: Vec3, normal: Vec3, sunlit: f32) -> Vec3 {
        let up = normal.z * 0.5 + 0.5;
        let mut sum = self.sky * up + self.ground * (1.0 - up) + self.sun * (normal.dot(self.sun_at).max(0.0) * sunlit);
        for lamp in &self.lamps {
            sum += lamp.colour * point(lamp.at - at, normal);
        }
        if let Some((lens, power)) = self.infrared {
            sum += Vec3::splat(power * point(lens - at, normal));
        }
        sum
    }

    /// The colour of the sky in a direction of length 1.
    pub(super) fn heaven(&self, to: Vec3) -> Vec3 {
        let up = to.z.clamp(0.0, 1.0).sqrt();
        self.horizon.lerp(self.zenith, up)
    }

    /// What a surface sends towards `eye` (length 1, from the surface).
    pub(super) fn seen(&self, skin: &Skin, colour: Vec3, at: Vec3, normal: Vec3, eye: Vec3, sunlit: f32) -> Vec3 {
        let mut out = colour * self.falls(at, normal, sunlit);
        if skin.gloss > 0.0 {
            let mirror = 2.0 * normal.dot(eye) * normal - eye;
            // Mirrors mirror more the flatter one looks (Schlick).
            let flat = (1.0 - normal.dot(eye).clamp(0.0, 1.0)).powi(4);
            out += self.heaven(mirror) * (skin.gloss * (0.25 + 0.75 * flat));
            out += self.sun * (sunlit * skin.gloss * mirror.dot(self.sun_at).max(0.0).powi(24) * 2.0);
        }
        out
    }

    /// What a lamp adds; `signal` is what a traffic light shows.
    pub(super) fn shines(&self, skin: &Skin, brakes: bool, blinks: bool, signal: Option<Signal>) -> Vec3 {
        let on = match skin.lamp {
            Lamp::Always => true,
            Lamp::Dark => self.dark,
            Lamp::Brake => brakes,
            Lamp::Blink => blinks,
            Lamp::Signal(own) => signal == Some(own),
        };
        if on { skin.colour * skin.glow } else { Vec3::ZERO }
    }

    /// Light as the sensor writes it down: 0–255.
    pub(super) fn developed(&self, light: Vec3) -> Vec3 {
        let light = light * self.exposure;
        let light = if self.grey() { Vec3::splat(light.x * 0.4 + light.y * 0.4 + light.z * 0.2) } else { light };
        // A soft shoulder, then gamma 2.
        let one = |v: f32| (v / (1.0 + 0.28 * v)).min(1.0).sqrt() * 255.0;
        Vec3::new(one(light.x), one(light.y), one(light.z))
    }
}

/// How much of a lamp at `way` from a surface reaches it.
fn point(way: Vec3, normal: Vec3) -> f32 {
    let square = way.length_squared().max(1.0);
    normal.dot(way).max(0.0) / (square * square.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_brighter_than_nights_and_infrared_is_grey() {
        let lens = Vec3::new(0.0, 0.0, 5.0);
        for seed in 0..50 {
            let light = |hour| Light::new(hour, &[Vec3::new(2.0, 10.0, 6.0)], lens, &mut Dice::new(seed, "light"));
            let road = |hour| light(hour).developed(0.3 * light(hour).falls(Vec3::new(0.0, 10.0, 0.0), Vec3::Z, 1.0));
            assert!(road(Hour::Day).y > road(Hour::Night).y + 20.0, "{} {}", road(Hour::Day), road(Hour::Night));
            let grey = road(Hour::Infrared);
            assert!(grey.x == grey.y && grey.y == grey.z && grey.x > 20.0, "{grey}");
        }
    }
}
