//! The output layout of YOLOX.
//!
//! One row a cell of three grids (strides 8, 16, 32; row by row), each `x y w h objectness class…`: the centre as an offset in
//! cells, the size as its logarithm in cells, objectness and classes between 0 and 1 already.
//!
//! Belongs here: rows → candidates. Does not belong here: sessions, suppression, words.

use crate::nms::Candidate;

/// The grids, finest first.
pub const STRIDES: [u32; 3] = [8, 16, 32];
/// Values of a row before its classes.
pub const HEAD: usize = 5;

/// Rows a model with that input gives.
#[must_use]
pub fn rows(input: (u32, u32)) -> usize {
    STRIDES.iter().map(|s| (input.0 / s) as usize * (input.1 / s) as usize).sum()
}

/// Reads an output of [`rows`] rows of [`HEAD`] + `words.len()` values into `out` (which is cleared first): each row's likeliest
/// class when it is a wanted one (`words`: our word's index for each class) and `threshold` or surer. A row with values that
/// make no sound box is passed over.
pub fn read(values: &[f32], input: (u32, u32), words: &[Option<usize>], threshold: f32, out: &mut Vec<Candidate>) {
    out.clear();
    let mut rows = values.chunks_exact(HEAD + words.len());
    for stride in STRIDES {
        for (gy, gx) in (0..input.1 / stride).flat_map(|y| (0..input.0 / stride).map(move |x| (y, x))) {
            let Some(row) = rows.next() else { return };
            // Most rows end here: a class is never surer than 1.
            if row[4] >= threshold
                && let Some(candidate) = candidate(row, gx as f32, gy as f32, stride as f32, words, threshold)
            {
                out.push(candidate);
            }
        }
    }
}

fn candidate(row: &[f32], gx: f32, gy: f32, stride: f32, words: &[Option<usize>], threshold: f32) -> Option<Candidate> {
    let (class, likely) = row[HEAD..].iter().enumerate().fold((0, f32::MIN), |best, (i, v)| if *v > best.1 { (i, *v) } else { best });
    let word = *words.get(class)?.as_ref()?;
    let score = (row[4] * likely).min(1.0);
    let (x, y) = ((row[0] + gx) * stride, (row[1] + gy) * stride);
    let (w, h) = (row[2].exp() * stride, row[3].exp() * stride);
    let edges = [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
    let sound = edges.iter().all(|e| e.is_finite()) && w > 0.0 && h > 0.0;
    (sound && score >= threshold).then_some(Candidate { edges, score, word })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INPUT: (u32, u32) = (64, 32);
    const WORDS: [Option<usize>; 3] = [Some(0), None, Some(1)];

    fn empty() -> Vec<f32> {
        vec![0.0; rows(INPUT) * (HEAD + WORDS.len())]
    }

    fn with(row: usize, values: [f32; 8]) -> Vec<Candidate> {
        let mut all = empty();
        all[row * 8..][..8].copy_from_slice(&values);
        let mut out = vec![];
        read(&all, INPUT, &WORDS, 0.3, &mut out);
        out
    }

    #[test]
    fn rows_are_counted() {
        assert_eq!((rows((416, 416)), rows((640, 640)), rows((832, 832)), rows(INPUT)), (3549, 8400, 14196, 42));
    }

    #[test]
    fn a_row_is_a_cell_of_its_grid() {
        // stride 8: 8 × 4 cells; row 10 is column 2 of row 1
        let found = with(10, [0.5, 0.25, 2f32.ln(), 0.0, 0.8, 0.1, 0.2, 0.9]);
        assert_eq!(found.len(), 1);
        assert!(found[0].word == 1 && (found[0].score - 0.72).abs() < 1e-6);
        assert!(found[0].edges.iter().zip([12.0, 6.0, 28.0, 14.0]).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-4), "{found:?}");
        // stride 16 begins at 32: its row 5 is column 1 of row 1; stride 32 begins at 40
        assert!((with(37, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0])[0].edges[0] - 8.0).abs() < 1e-4);
        assert!((with(41, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0])[0].edges[2] - 48.0).abs() < 1e-4);
    }

    #[test]
    fn weak_unwanted_and_unsound_rows_are_passed_over() {
        assert_eq!(with(0, [0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0]), [], "0.25 is below the threshold");
        assert_eq!(with(0, [0.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.9, 0.0]), [], "its likeliest class is not wanted");
        assert_eq!(with(0, [0.0, 0.0, 1000.0, 0.0, 1.0, 1.0, 0.0, 0.0]), [], "infinitely wide");
        assert_eq!(with(0, [f32::NAN, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]), []);
        assert_eq!(with(0, [0.0, 0.0, 0.0, 0.0, f32::NAN, 1.0, 0.0, 0.0]), []);
        assert_eq!(with(0, [0.0, 0.0, 0.0, 0.0, 1.0, f32::NAN, f32::NAN, f32::NAN]), []);
        assert_eq!(with(0, [0.0, 0.0, 0.0, 0.0, 9.0, 9.0, 0.0, 0.0])[0].score, 1.0, "a probability");
    }

    proptest! {
        #[test]
        fn any_output_gives_sound_candidates(values in proptest::collection::vec(any::<f32>(), 0..400), short in 0usize..400) {
            let mut out = vec![];
            read(&values[..values.len().min(short)], INPUT, &WORDS, 0.0, &mut out);
            prop_assert!(out.iter().all(|c| c.edges.iter().all(|e| e.is_finite()) && (0.0..=1.0).contains(&c.score) && c.word < 2));
        }
    }
}
