//! Non-maximum suppression: of boxes that mean the same thing, the surest stays.
//!
//! Belongs here: candidates in the model's input pixels, overlap, and the choice among them.
//! Does not belong here: where candidates come from (see the layouts) and boxes as fractions of a picture.

/// Most candidates that are compared with each other: a model gone mad must not cost a second a picture.
pub const CANDIDATES_MAX: usize = 1000;
/// Most boxes that are told of one picture.
pub const KEPT_MAX: usize = 300;

/// A box before suppression, in pixels of the model's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Left, top, right, bottom.
    pub edges: [f32; 4],
    /// 0 to 1.
    pub score: f32,
    /// Index of our word for it: boxes of different words do not suppress each other.
    pub word: usize,
}

impl Candidate {
    fn area(&self) -> f32 {
        (self.edges[2] - self.edges[0]).max(0.0) * (self.edges[3] - self.edges[1]).max(0.0)
    }

    /// Intersection over union, 0 to 1.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> f32 {
        let wide = self.edges[2].min(other.edges[2]) - self.edges[0].max(other.edges[0]);
        let high = self.edges[3].min(other.edges[3]) - self.edges[1].max(other.edges[1]);
        if wide <= 0.0 || high <= 0.0 {
            return 0.0;
        }
        let both = wide * high;
        both / (self.area() + other.area() - both)
    }
}

/// Sorts the surest first (then by box and word, so that the order never depends on luck) and drops every candidate that
/// overlaps a surer one of the same word by more than `limit`.
pub fn suppress(candidates: &mut Vec<Candidate>, limit: f32) {
    candidates.sort_unstable_by(|a, b| {
        let edges = || a.edges.iter().zip(&b.edges).map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne());
        b.score.total_cmp(&a.score).then_with(|| edges().unwrap_or(std::cmp::Ordering::Equal)).then(a.word.cmp(&b.word))
    });
    candidates.truncate(CANDIDATES_MAX);
    let mut kept = 0;
    for i in 0..candidates.len() {
        let one = candidates[i];
        if kept < KEPT_MAX && !candidates[..kept].iter().any(|k| k.word == one.word && k.overlap(&one) > limit) {
            candidates[kept] = one;
            kept += 1;
        }
    }
    candidates.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(edges: [f32; 4], score: f32, word: usize) -> Candidate {
        Candidate { edges, score, word }
    }

    #[test]
    fn overlap_is_intersection_over_union() {
        let a = candidate([0.0, 0.0, 10.0, 10.0], 0.5, 0);
        assert!((a.overlap(&a) - 1.0).abs() < 1e-6);
        assert!((a.overlap(&candidate([5.0, 0.0, 15.0, 10.0], 0.5, 0)) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.overlap(&candidate([10.0, 0.0, 20.0, 10.0], 0.5, 0)), 0.0);
        assert_eq!(a.overlap(&candidate([5.0, 5.0, 5.0, 5.0], 0.5, 0)), 0.0);
    }

    #[test]
    fn the_surest_of_a_word_stays() {
        let mut found = vec![
            candidate([1.0, 0.0, 11.0, 10.0], 0.5, 0),
            candidate([0.0, 0.0, 10.0, 10.0], 0.9, 0),
            candidate([0.0, 0.0, 10.0, 10.0], 0.8, 1),
            candidate([50.0, 0.0, 60.0, 10.0], 0.2, 0),
        ];
        suppress(&mut found, 0.5);
        assert_eq!(found.iter().map(|c| (c.score, c.word)).collect::<Vec<_>>(), [(0.9, 0), (0.8, 1), (0.2, 0)]);
    }

    #[test]
    fn a_model_gone_mad_is_bounded() {
        let mut found: Vec<_> = (0..20_000u16).map(|i| candidate([f32::from(i), 0.0, f32::from(i) + 0.5, 1.0], 0.5, 0)).collect();
        suppress(&mut found, 0.5);
        assert_eq!(found.len(), KEPT_MAX);
    }

    prop_compose! {
        fn any_candidate()(x in 0u8..20, y in 0u8..20, w in 1u8..9, h in 1u8..9, score in 1u8..4, word in 0usize..3) -> Candidate {
            let (x, y, w, h) = (f32::from(x), f32::from(y), f32::from(w), f32::from(h));
            candidate([x, y, x + w, y + h], f32::from(score) / 4.0, word)
        }
    }

    proptest! {
        #[test]
        fn what_stays_does_not_overlap_and_what_goes_does(all in proptest::collection::vec(any_candidate(), 0..40), limit in 0.1f32..0.9) {
            let mut kept = all.clone();
            suppress(&mut kept, limit);
            for (i, a) in kept.iter().enumerate() {
                for b in &kept[i + 1..] {
                    prop_assert!(a.score >= b.score && (a.word != b.word || a.overlap(b) <= limit));
                }
            }
            for gone in all.iter().filter(|c| !kept.contains(c)) {
                prop_assert!(kept.iter().any(|k| k.word == gone.word && k.score >= gone.score && k.overlap(gone) > limit));
            }
            // the order of the rows does not matter
            let mut turned: Vec<_> = all.iter().rev().copied().collect();
            suppress(&mut turned, limit);
            prop_assert_eq!(turned, kept);
        }
    }
}
