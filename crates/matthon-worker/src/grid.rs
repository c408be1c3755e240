//! Which pictures are analysed: `fps` of them a second, on a grid of presentation times.
//!
//! Belongs here: the choice by time. Does not belong here: the choice by motion (see [`crate::motion`]).

use domain::time::MEDIA_HZ;

/// How early a picture may be for its place on the grid, 90 kHz: times are rounded, and cameras wobble.
const EARLY: i64 = MEDIA_HZ / 500;

/// A grid of times; each of its places takes the first picture that comes.
#[derive(Clone, Debug)]
pub struct Grid {
    period: f64,
    last: Option<i64>,
}

impl Grid {
    /// So many pictures a second; what makes no sense becomes the nearest that does.
    #[must_use]
    pub fn new(fps: f32) -> Self {
        let fps = if fps.is_finite() { fps.clamp(0.05, 60.0) } else { 5.0 };
        Self { period: MEDIA_HZ as f64 / f64::from(fps), last: None }
    }

    /// Whether the picture shown at `pts` (90 kHz) is wanted; it counts as taken then.
    pub fn wants(&mut self, pts: i64) -> bool {
        let place = (pts.saturating_add(EARLY) as f64 / self.period).floor() as i64;
        // Any other place will do, also an earlier one: a camera's clock may step back.
        let wanted = self.last != Some(place);
        self.last = Some(place);
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_third_picture_of_fifteen() {
        let mut grid = Grid::new(5.0);
        let taken: Vec<i64> = (0..15).filter(|n| grid.wants(n * 6000)).collect();
        assert_eq!(taken, [0, 3, 6, 9, 12]);
    }

    #[test]
    fn all_pictures_when_they_are_fewer() {
        let mut grid = Grid::new(5.0);
        assert!((0..20).all(|n| grid.wants(n * 30_000)));
    }

    proptest! {
        #[test]
        fn the_rate_is_kept(start in -1_000_000i64..1_000_000, step in 1000i64..4000, wobble in 0i64..170) {
            let mut grid = Grid::new(5.0);
            let pictures = 90_000 * 20 / step;
            let taken = (0..pictures).filter(|n| grid.wants(start + n * step + (n * 7919) % (wobble + 1))).count();
            prop_assert!((99..=102).contains(&taken), "{taken} in 20 s");
        }

        #[test]
        fn any_number_is_taken(fps: f32, pts: i64) {
            let mut grid = Grid::new(fps);
            prop_assert!(grid.wants(pts));
            prop_assert!(!grid.wants(pts));
        }
    }
}
