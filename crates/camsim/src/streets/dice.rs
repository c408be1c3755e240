//! Chance that is the same every time: a generator for choices, and noise for surfaces.
//!
//! Everything drawn comes from a seed through here; no clock, no entropy.

use glam::Vec2;

/// A small repeatable generator (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// A generator of its own for `seed`; `purpose` keeps the generators of one seed apart.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a: a name into a number.
        let name = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
        let mut dice = Self(seed ^ name.rotate_left(17));
        dice.roll();
        dice
    }

    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// 0 up to, not including, 1.
    pub fn unit(&mut self) -> f32 {
        (self.roll() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// `low` up to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with a probability of `p`.
    pub fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// 0 up to, not including, `n`; `n` is at least 1.
    pub fn below(&mut self, n: usize) -> usize {
        (self.roll() % n.max(1) as u64) as usize
    }

    /// One of `from`, which is not empty.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// The index of one of `weights`, each as likely as it is heavy.
    pub fn weighted(&mut self, weights: &[f32]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f32>();
        for (i, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return i;
            }
        }
        weights.len() - 1
    }
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number of 0–1 that belongs to a cell of a grid.
#[must_use]
pub(super) fn cell(x: i32, y: i32, salt: u32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x85eb_ca6b) ^ (y as u32).wrapping_mul(0xc2b2_ae35) ^ salt.wrapping_mul(0x27d4_eb2f);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    ((h ^ (h >> 15)) >> 8) as f32 / (1u32 << 24) as f32
}

/// Smooth noise of 0–1 over the plane, about one hill a unit.
#[must_use]
pub(super) fn noise(p: Vec2, salt: u32) -> f32 {
    let floor = p.floor();
    let (x, y) = (floor.x as i32, floor.y as i32);
    let f = p - floor;
    let f = f * f * (Vec2::splat(3.0) - 2.0 * f);
    let top = cell(x, y, salt) + (cell(x + 1, y, salt) - cell(x, y, salt)) * f.x;
    let bottom = cell(x, y + 1, salt) + (cell(x + 1, y + 1, salt) - cell(x, y + 1, salt)) * f.x;
    top + (bottom - top) * f.y
}

/// Three layers of noise, each half as large and half as strong.
#[must_use]
pub(super) fn cloudy(p: Vec2, salt: u32) -> f32 {
    (noise(p, salt) * 4.0 + noise(p * 2.1, salt + 1) * 2.0 + noise(p * 4.3, salt + 2)) / 7.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_roll_the_same() {
        let rolls = |seed, purpose| {
            let mut dice = Dice::new(seed, purpose);
            [dice.roll(), dice.roll()]
        };
        assert_eq!(rolls(7, "trees"), rolls(7, "trees"));
        assert_ne!(rolls(7, "trees"), rolls(8, "trees"));
        assert_ne!(rolls(7, "trees"), rolls(7, "cars"));
    }

    #[test]
    fn noise_is_within_its_bounds_and_smooth() {
        for i in 0..2000 {
            let p = Vec2::new(i as f32 * 0.137 - 100.0, i as f32 * -0.071);
            let here = noise(p, 3);
            assert!((0.0..=1.0).contains(&here));
            assert!((noise(p + Vec2::splat(0.001), 3) - here).abs() < 0.02);
            assert!((0.0..=1.0).contains(&cloudy(p, 3)));
        }
    }

    #[test]
    fn weights_weigh() {
        let mut dice = Dice::new(1, "weights");
        let mut seen = [0; 3];
        for _ in 0..3000 {
            seen[dice.weighted(&[1.0, 0.0, 2.0])] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!(seen[2] > seen[0] * 3 / 2, "{seen:?}");
    }
}
