//! Number plates: drawn, and never a real one: there is no province 00.

use glam::Vec3;

use crate::streets::dice::Dice;
use crate::streets::mesh::{Mesh, Skin};

/// 3×5 pixels, a row an octal digit from the top.
const DIGITS: [u16; 10] = [0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71111, 0o75757, 0o75717];
const LETTERS: [u16; 6] = [0o75755, 0o65656, 0o74447, 0o65556, 0o74647, 0o72222];
const DASH: u16 = 0o00700;
const DOT: u16 = 0o00002;

/// Adds a plate that faces ahead or back.
pub(super) fn plate(mesh: &mut Mesh, centre: Vec3, ahead: bool, two_rows: bool, dice: &mut Dice) {
    let (half, tall) = if two_rows { (0.1, 0.075) } else { (0.25, 0.06) };
    let face = if ahead { 1.0 } else { -1.0 };
    let quad = |mesh: &mut Mesh, left: f32, right: f32, bottom: f32, top: f32, out: f32, skin: Skin| {
        // Left and right as one reads it.
        let corner = |across: f32, up: f32| centre + Vec3::new(face * out, face * across, up);
        mesh.polygon(&[corner(left, bottom), corner(right, bottom), corner(right, top), corner(left, top)], skin);
    };
    quad(mesh, -half, half, -tall, tall, 0.0, Skin::matt([236, 236, 232]));
    let ink = Skin::matt([24, 24, 30]);
    let mut digit = || DIGITS[dice.below(10)];
    let number = [digit(), digit(), digit(), DOT, digit(), digit()];
    let series = [DIGITS[0], DIGITS[0], DASH, LETTERS[dice.below(6)], DIGITS[1 + dice.below(9)]];
    let rows: Vec<(Vec<u16>, f32, f32)> = if two_rows {
        vec![(series.to_vec(), tall * 0.08, tall * 0.86), (number.to_vec(), -tall * 0.86, -tall * 0.08)]
    } else {
        vec![(series.iter().chain(&number).copied().collect(), -tall * 0.7, tall * 0.7)]
    };
    for (glyphs, bottom, top) in rows {
        let pitch = 2.0 * half * 0.92 / (glyphs.len() * 4) as f32;
        let row = (top - bottom) / 5.0;
        for (i, glyph) in glyphs.iter().enumerate() {
            for line in 0..5 {
                let bits = glyph >> (12 - 3 * line) & 7;
                let mut x = 0;
                while x < 3 {
                    let run = (x..3).take_while(|b| bits >> (2 - b) & 1 == 1).count();
                    if run == 0 {
                        x += 1;
                        continue;
                    }
                    let left = -half * 0.92 + pitch * (i * 4 + x) as f32;
                    let upper = top - row * line as f32;
                    quad(mesh, left, left + pitch * run as f32, upper - row, upper, 0.006, ink);
                    x += run;
                }
            }
        }
    }
}
