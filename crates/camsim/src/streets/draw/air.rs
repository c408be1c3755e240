//! Between the village and the file: wind in the leaves, rain, insects, exposure, the sensor's noise, a shaking pole.
//!
//! All of it is done on the finished picture, in I420, and depends on the seed and the time alone.

use serde::Deserialize;

use crate::streets::dice::{Dice, cell};
use crate::streets::scenario::EventKind;

/// Weather and camera, each 0 (none) to 1 (as bad as it gets) unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weather {
    /// Rain: streaks, a wet road.
    pub rain: f32,
    /// Wind in the leaves.
    pub wind: f32,
    /// Insects before the lens.
    pub insects: f32,
    /// Exposure that hunts up and down.
    pub pumping: f32,
    /// Sensor noise.
    pub noise: f32,
    /// A pole that shakes.
    pub shake: f32,
    /// Soft focus, or dust on the dome.
    pub blur: f32,
}

/// The weather of one camera, ready to be applied.
#[derive(Clone, Debug)]
pub struct Air {
    weather: Weather,
    salt: u32,
    /// Noise of about ±3 deviations, one table read from changing places.
    grain: Vec<i8>,
}

const GRAIN: usize = 1 << 16;

impl Air {
    /// The air of a seed.
    #[must_use]
    pub fn new(weather: Weather, seed: u64) -> Self {
        let mut dice = Dice::new(seed, "air");
        let deviation = weather.noise * 9.0;
        let grain = (0..GRAIN).map(|_| ((dice.unit() + dice.unit() + dice.unit() + dice.unit() - 2.0) * 1.73 * deviation) as i8).collect();
        Self { weather, salt: dice.roll() as u32, grain }
    }

    /// How far the picture is shifted, in parts of its width.
    #[must_use]
    pub fn shift(&self, seconds: f64) -> (f32, f32) {
        let t = seconds as f32;
        let wave = |a: f32, b: f32, c: f32| libm::sinf(t * a + c) + 0.6 * libm::sinf(t * b + 2.0 * c);
        let reach = self.weather.shake * 0.006;
        (wave(7.3, 17.1, 0.3) * reach, wave(9.1, 23.7, 1.1) * reach * 0.7)
    }

    /// Leaves in the wind: each is replaced by a neighbour that comes and goes.
    pub(super) fn sway(&self, leaves: &[u32], still: &[u8], width: usize, seconds: f64, picture: &mut [u8]) {
        if self.weather.wind <= 0.0 {
            return;
        }
        let reach = self.weather.wind * width as f32 * 0.006;
        let mut table = [0i32; 64];
        for (i, shift) in table.iter_mut().enumerate() {
            let phase = i as f32 * 0.9;
            let t = seconds as f32;
            *shift = (reach * (libm::sinf(t * 2.3 + phase) + 0.5 * libm::sinf(t * 5.9 + 1.7 * phase))).round() as i32;
        }
        for &leaf in leaves {
            let leaf = leaf as usize;
            let (x, y) = (leaf % width, leaf / width);
            let shift = table[(x / 12 + y / 9 * 7) % 64];
            let from = (x as i32 + shift).clamp(0, width as i32 - 1) as usize;
            picture[leaf] = still[y * width + from];
        }
    }

    /// Everything between the street and the encoder.
    pub(super) fn pass(&self, width: usize, height: usize, seconds: f64, grey: bool, mishap: Option<EventKind>, picture: &mut [u8]) {
        let frame = (seconds * 1000.0).round() as i64 as i32;
        let weather = &self.weather;
        let (luma, chroma) = picture.split_at_mut(width * height);
        if weather.rain > 0.0 {
            self.rain(width, height, frame, luma);
        }
        if weather.insects > 0.0 {
            self.insects(width, height, seconds as f32, luma);
        }
        let blur = weather.blur * 0.004 + if mishap == Some(EventKind::Blurred) { 0.03 } else { 0.0 };
        if blur > 0.0 {
            soften(luma, width, (blur * width as f32).ceil() as usize);
        }
        let (mut dx, mut dy) = self.shift(seconds);
        if mishap == Some(EventKind::Shaken) {
            let t = seconds as f32;
            (dx, dy) = (dx + 0.03 * libm::sinf(t * 13.0), dy + 0.02 * libm::sinf(t * 17.0 + 1.0));
        }
        shift(luma, width, (dx * width as f32).round() as i32, (dy * width as f32).round() as i32);
        let (us, vs) = chroma.split_at_mut(width * height / 4);
        for plane in [us, vs] {
            shift(plane, width / 2, (dx * width as f32 / 2.0).round() as i32, (dy * width as f32 / 2.0).round() as i32);
        }
        if grey {
            chroma.fill(128);
        }
        if mishap == Some(EventKind::Covered) {
            // A hand or a cloth: dark, with a little light at the rim.
            for (i, v) in luma.iter_mut().enumerate() {
                let rim = (i % width).min(width - 1 - i % width).min(i / width).min(height - 1 - i / width);
                *v = 22 + (12.0 / (1.0 + rim as f32 * 0.05)) as u8;
            }
            chroma.fill(128);
        }
        if weather.pumping > 0.0 {
            let t = seconds as f32;
            let gain = 1.0 + weather.pumping * (0.16 * libm::sinf(t * 0.9) + 0.12 * libm::sinf(t * 2.3 + 1.0));
            let table: Vec<u8> = (0..=255u8).map(|v| ((f32::from(v) - 16.0) * gain + 16.0).clamp(16.0, 235.0) as u8).collect();
            luma.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
        }
        if weather.noise > 0.0 {
            for (y, row) in luma.chunks_exact_mut(width).enumerate() {
                let start = (cell(frame, y as i32, self.salt) * GRAIN as f32) as usize % (GRAIN / 2);
                for (v, g) in row.iter_mut().zip(self.grain[start..].iter().cycle()) {
                    *v = v.saturating_add_signed(*g);
                }
            }
        }
    }

    fn rain(&self, width: usize, height: usize, frame: i32, luma: &mut [u8]) {
        let drops = (self.weather.rain * width as f32 * 0.7) as i32;
        for i in 0..drops {
            let chance = |k: i32| cell(i * 4 + k, frame, self.salt);
            let (x, y) = ((chance(0) * width as f32) as usize, (chance(1) * height as f32) as usize);
            let long = ((0.02 + 0.07 * chance(2)) * height as f32) as usize;
            let bright = 14 + (34.0 * chance(3)) as u8;
            for step in 0..long {
                let (x, y) = (x + step / 7, y + step);
                if x < width && y < height {
                    luma[y * width + x] = luma[y * width + x].saturating_add(bright);
                }
            }
        }
    }

    fn insects(&self, width: usize, height: usize, seconds: f32, luma: &mut [u8]) {
        let count = (self.weather.insects * 7.0).ceil() as i32;
        for i in 0..count {
            // Each flies through in about a second, then rests for some.
            let life = 1.2 + cell(i, 0, self.salt) * 2.5;
            let (round, age) = ((seconds / life).floor() as i32, (seconds / life).fract());
            let chance = |k: i32| cell(i * 16 + k, round, self.salt ^ 0x5eed);
            if chance(0) > 0.6 {
                continue;
            }
            let turn = chance(1) * core::f32::consts::TAU;
            let wave = libm::sinf(age * 19.0 + chance(2) * 6.0) * 0.05;
            let x = (chance(3) + (age - 0.5) * 1.1 * libm::cosf(turn) + wave) * width as f32;
            let y = (chance(4) + (age - 0.5) * 1.1 * libm::sinf(turn) - wave) * height as f32;
            let radius = (0.006 + 0.02 * chance(5)) * width as f32;
            blob(luma, width, height, x, y, radius, 70.0 + 120.0 * chance(6));
        }
    }
}

fn blob(luma: &mut [u8], width: usize, height: usize, x: f32, y: f32, radius: f32, bright: f32) {
    let rows = (y - radius).max(0.0) as usize..((y + radius).max(0.0) as usize).min(height);
    let columns = (x - radius).max(0.0) as usize..((x + radius).max(0.0) as usize).min(width);
    for row in rows {
        for column in columns.clone() {
            let (dx, dy) = (column as f32 - x, row as f32 - y);
            let share = 1.0 - (dx * dx + dy * dy) / (radius * radius);
            if share > 0.0 {
                let v = &mut luma[row * width + column];
                *v = v.saturating_add((share * bright) as u8);
            }
        }
    }
}

/// Averages along the rows over `reach` pixels to each side.
fn soften(plane: &mut [u8], width: usize, reach: usize) {
    let mut before = vec![0u8; width];
    let count = (2 * reach + 1) as u32;
    for row in plane.chunks_exact_mut(width) {
        before.copy_from_slice(row);
        let at = |x: isize| u32::from(before[x.clamp(0, width as isize - 1) as usize]);
        let mut sum: u32 = (-(reach as isize)..=reach as isize).map(at).sum();
        for (x, v) in row.iter_mut().enumerate() {
            *v = (sum / count) as u8;
            sum = sum + at((x + reach + 1) as isize) - at(x as isize - reach as isize);
        }
    }
}

/// Moves a plane; its edges are stretched.
fn shift(plane: &mut [u8], width: usize, dx: i32, dy: i32) {
    if dx == 0 && dy == 0 {
        return;
    }
    let height = plane.len() / width;
    let before = plane.to_vec();
    for (y, row) in plane.chunks_exact_mut(width).enumerate() {
        let from = (y as i32 - dy).clamp(0, height as i32 - 1) as usize;
        let source = &before[from * width..(from + 1) * width];
        let by = dx.unsigned_abs() as usize;
        if dx >= 0 {
            row[by..].copy_from_slice(&source[..width - by]);
            row[..by].fill(source[0]);
        } else {
            row[..width - by].copy_from_slice(&source[by..]);
            row[width - by..].fill(source[width - 1]);
        }
    }
}
