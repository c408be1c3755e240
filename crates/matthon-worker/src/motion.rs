//! The motion gate: what part of a picture moved.
//!
//! Belongs here: a pure judge over small luma planes. Does not belong here: what follows from it (see [`crate::live`]).
//!
//! The picture becomes a grid of cells, each the mean of its pixels, which is held against a running background. A change
//! that a gain and an offset explain for the whole picture is exposure, not motion; each cell's usual unrest (leaves, noise,
//! a flag) is learnt and taken off. Only neighbours moving together count, or a cell that changed beyond doubt.

use detect::Picture;

/// Above this a picture is looked at: two cells of a picture 416 wide.
pub const QUIET: f64 = 0.001;

/// Side of a cell, pixels: a motorbike at the far end of a village road.
const CELL: usize = 8;
/// How much of a new picture goes into the background: at 5 pictures a second half of it within 1.7 s.
const LEARN: f32 = 0.08;
/// Smallest change that can be motion, in luma steps of a cell's mean.
const STEP: f32 = 5.0;
/// A change this large needs no moving neighbour.
const SURE: f32 = 24.0;
/// A change has to exceed the picture's median change by this factor, which is 4.5 standard deviations of plain noise.
const NOISE: f32 = 6.7;
/// A cell has to exceed its usual unrest by this factor.
const UNREST: f32 = 3.5;
/// Above this part of the picture it is another picture: the camera was turned, or switched to infrared.
const OTHER: f64 = 0.6;

/// Remembers one stream's background.
#[derive(Clone, Debug, Default)]
pub struct Motion {
    columns: usize,
    background: Vec<f32>,
    unrest: Vec<f32>,
}

impl Motion {
    /// Takes the next picture; tells the part of it that moved, 0 to 1. The first picture of a size tells 0.
    pub fn look(&mut self, picture: &Picture) -> f64 {
        let Some((columns, cells)) = cells(picture) else { return 0.0 };
        if columns != self.columns || cells.len() != self.background.len() {
            self.restart(columns, cells);
            return 0.0;
        }
        let (gain, offset) = exposure(&self.background, &cells);
        // The background follows the exposure, so that a cell is held against what it would be now.
        let expected: Vec<f32> = self.background.iter().map(|b| gain * b + offset).collect();
        let rest: Vec<f32> = cells.iter().zip(&expected).map(|(c, e)| (c - e).abs()).collect();
        // Beyond the worst noise it is the picture that changed.
        let noise = (NOISE * median(rest.clone())).min(3.0 * STEP);
        let over: Vec<bool> = rest.iter().enumerate().map(|(n, r)| *r > self.bar(n, cells[n], expected[n]).max(noise)).collect();
        let moved = (0..cells.len()).filter(|n| over[*n] && (rest[*n] > SURE || self.neighbour(&over, *n))).count();
        let part = moved as f64 / cells.len() as f64;
        if part > OTHER {
            self.restart(columns, cells);
            return part;
        }
        for (n, cell) in cells.iter().enumerate() {
            // What moves is learnt slowly, else a slow lorry would become background under its own wheels.
            let learn = if over[n] { LEARN / 3.0 } else { LEARN };
            self.background[n] = expected[n] + learn * (cell - expected[n]);
            self.unrest[n] += LEARN / 2.0 * (rest[n].min(4.0 * STEP) - self.unrest[n]);
        }
        part
    }

    fn restart(&mut self, columns: usize, cells: Vec<f32>) {
        self.columns = columns;
        self.unrest = vec![STEP / UNREST; cells.len()];
        self.background = cells;
    }

    /// What a cell's change has to exceed.
    fn bar(&self, n: usize, cell: f32, expected: f32) -> f32 {
        let bar = STEP.max(UNREST * self.unrest[n]);
        // A cell at the end of the range does not follow the exposure.
        let clipped = |v: f32| !(22.0..=229.0).contains(&v);
        if clipped(cell) || clipped(expected) { 2.0 * bar } else { bar }
    }

    fn neighbour(&self, over: &[bool], n: usize) -> bool {
        let (rows, column, row) = (over.len() / self.columns, n % self.columns, n / self.columns);
        let around = |at: usize, end: usize| at.saturating_sub(1)..(at + 2).min(end);
        around(row, rows).any(|y| around(column, self.columns).any(|x| (x, y) != (column, row) && over[y * self.columns + x]))
    }
}

/// Means of all whole cells, row by row; `None` for a picture without one.
fn cells(picture: &Picture) -> Option<(usize, Vec<f32>)> {
    let width = picture.width as usize;
    let (columns, rows) = (width / CELL, picture.height as usize / CELL);
    let luma = picture.planes()?.y;
    if columns == 0 || rows == 0 {
        return None;
    }
    let mut cells = Vec::with_capacity(columns * rows);
    let mut sums = vec![0u32; columns];
    for band in luma.chunks_exact(width * CELL).take(rows) {
        sums.fill(0);
        for row in band.chunks_exact(width) {
            for (sum, pixels) in sums.iter_mut().zip(row.as_chunks::<CELL>().0) {
                *sum += pixels.iter().map(|p| u32::from(*p)).sum::<u32>();
            }
        }
        cells.extend(sums.iter().map(|s| *s as f32 / (CELL * CELL) as f32));
    }
    Some((columns, cells))
}

/// Gain and offset that bring the background nearest to the picture, what moves left out.
fn exposure(background: &[f32], cells: &[f32]) -> (f32, f32) {
    let (mut gain, mut offset) = fit(background, cells, |_, _| true);
    for _ in 0..2 {
        let rest = background.iter().zip(cells).map(|(b, c)| (c - gain * b - offset).abs()).collect();
        let bar = (2.5 * median(rest)).max(1.0);
        (gain, offset) = fit(background, cells, |b, c| (c - gain * b - offset).abs() <= bar);
    }
    (gain, offset)
}

fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f32::total_cmp).1 }
}

/// Least squares over the cells that count.
fn fit(background: &[f32], cells: &[f32], counts: impl Fn(f32, f32) -> bool) -> (f32, f32) {
    let (mut n, mut sb, mut sc, mut sbb, mut sbc) = (0.0f64, 0.0, 0.0, 0.0, 0.0);
    for (b, c) in background.iter().zip(cells).filter(|(b, c)| counts(**b, **c)) {
        let (b, c) = (f64::from(*b), f64::from(*c));
        n += 1.0;
        sb += b;
        sc += c;
        sbb += b * b;
        sbc += b * c;
    }
    if n < 1.0 {
        return (1.0, 0.0);
    }
    let spread = n * sbb - sb * sb;
    // A flat background says nothing about gain, and no camera's exposure doubles between two pictures.
    let gain = if spread > n * n { ((n * sbc - sb * sc) / spread).clamp(0.5, 2.0) } else { 1.0 };
    (gain as f32, ((sc - gain * sb) / n) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: usize = 416;
    const H: usize = 234;

    /// A road scene: a gradient with texture; `gain` is the exposure, `noise` its amplitude, `seed` the picture.
    fn scene(gain: f32, noise: u32, seed: u32, object: Option<(usize, usize, usize, u8)>) -> Picture {
        let mut data = vec![128; W * H * 3 / 2];
        let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
        for y in 0..H {
            for x in 0..W {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let jitter = if noise == 0 { 0 } else { (state >> 8) % (2 * noise + 1) } as i32 - noise as i32;
                let base = 50 + (x * 60 / W) + (y * 40 / H) + if (x / 23 + y / 17) % 2 == 0 { 25 } else { 0 };
                let seen = match object {
                    Some((ox, oy, size, luma)) if (ox..ox + size).contains(&x) && (oy..oy + size).contains(&y) => f32::from(luma),
                    _ => base as f32,
                };
                data[y * W + x] = (gain * seen).round().clamp(16.0, 235.0) as u8;
                data[y * W + x] = (i32::from(data[y * W + x]) + jitter).clamp(0, 255) as u8;
            }
        }
        Picture { width: W as u32, height: H as u32, data }
    }

    #[test]
    fn nothing_moves_in_noise() {
        for noise in [0, 3, 12, 25] {
            let mut motion = Motion::default();
            for n in 0..30 {
                let part = motion.look(&scene(1.0, noise, n, None));
                assert!(part <= QUIET, "noise {noise}, picture {n}: {part}");
            }
        }
    }

    #[test]
    fn exposure_is_not_motion() {
        let mut motion = Motion::default();
        for n in 0..60u32 {
            let gain = 1.0 + 0.35 * (n as f32 / 4.0).sin();
            let part = motion.look(&scene(gain, 3, n, None));
            assert!(part <= QUIET, "picture {n}, gain {gain}: {part}");
        }
    }

    #[test]
    fn something_that_comes_is_seen_also_while_the_exposure_moves() {
        for (size, luma) in [(16, 30), (24, 200), (60, 220)] {
            let mut motion = Motion::default();
            for n in 0..20 {
                motion.look(&scene(1.0, 3, n, None));
            }
            for n in 0..10u32 {
                let gain = 1.0 - 0.02 * n as f32;
                let part = motion.look(&scene(gain, 3, 100 + n, Some((40 + 12 * n as usize, 100, size, luma))));
                assert!(part > QUIET, "size {size}, picture {n}: {part}");
            }
        }
    }

    #[test]
    fn something_that_stays_becomes_background() {
        let mut motion = Motion::default();
        for n in 0..10 {
            motion.look(&scene(1.0, 3, n, None));
        }
        let parts: Vec<f64> = (0..300).map(|n| motion.look(&scene(1.0, 3, 50 + n, Some((100, 100, 40, 220))))).collect();
        assert!(parts[0] > QUIET && parts[10] > QUIET, "{:?}", &parts[..12]);
        assert!(parts[250..].iter().all(|p| *p <= QUIET), "{:?}", &parts[250..260]);
    }

    #[test]
    fn another_picture_is_told_once() {
        let mut motion = Motion::default();
        for n in 0..10 {
            motion.look(&scene(1.0, 3, n, None));
        }
        let turned = |n: u32| {
            let mut picture = scene(1.0, 3, n, None);
            let luma = W * H;
            picture.data[..luma].reverse();
            for (n, v) in picture.data[..luma].iter_mut().enumerate() {
                *v = if (n / 31) % 2 == 0 { 235 - *v / 2 } else { *v / 2 };
            }
            picture
        };
        assert!(motion.look(&turned(1)) > QUIET);
        let later: Vec<f64> = (2..200).map(|n| motion.look(&turned(n))).collect();
        assert!(later[190..].iter().all(|p| *p <= QUIET), "{:?}", &later[190..]);
    }

    #[test]
    fn a_change_of_size_and_a_picture_without_cells_are_no_motion() {
        let mut motion = Motion::default();
        motion.look(&scene(1.0, 0, 1, None));
        let small = Picture { width: 64, height: 64, data: vec![99; 64 * 64 * 3 / 2] };
        assert_eq!(motion.look(&small).to_bits(), 0.0f64.to_bits());
        let tiny = Picture { width: 4, height: 4, data: vec![99; 24] };
        assert_eq!(motion.look(&tiny).to_bits(), 0.0f64.to_bits());
        let broken = Picture { width: 64, height: 64, data: vec![0; 3] };
        assert_eq!(motion.look(&broken).to_bits(), 0.0f64.to_bits());
    }
}
