//! Privacy masks painted onto pictures.
//!
//! Belongs here: which pixels a mask covers at a size, and blackening them. Does not belong here: which camera has which masks.
//!
//! A pixel is covered when any of it lies in a mask or within `RIM` pixels of one: scaling mixes neighbours, and a colour stands for four
//! pixels.

use super::mark::Planes;
use detect::Picture;
use domain::mask::Mask;
use std::ops::Range;

/// How far beyond its edge a mask reaches, pixels.
const RIM: f64 = 2.0;
/// From a pixel's centre to its corners.
const CORNER: f64 = std::f64::consts::FRAC_1_SQRT_2;
/// Black, of luma and of both chromas.
const BLACK: [u8; 3] = [16, 128, 128];

/// What is covered at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    size: (usize, usize),
    luma: Vec<Run>,
    chroma: Vec<Run>,
}

/// Pixels side by side in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    row: usize,
    pixels: Range<usize>,
}

impl Cover {
    /// For pictures of a size.
    #[must_use]
    pub fn new(masks: &[Mask], (width, height): (usize, usize)) -> Self {
        let mut map = Map { width, height, covered: vec![false; width * height] };
        for mask in masks {
            let corners: Vec<_> = mask.iter().map(|p| (p.x * width as f64, p.y * height as f64)).collect();
            for row in 0..height {
                map.inside(&corners, row);
            }
            for (n, from) in corners.iter().enumerate() {
                map.edge(*from, corners[(n + 1) % corners.len()]);
            }
        }
        Self { size: (width, height), luma: map.runs(), chroma: map.halved().runs() }
    }

    /// Blackens a picture of that size.
    pub fn paint(&self, on: &mut Planes<'_>) {
        debug_assert_eq!(on.size, self.size);
        for (n, (plane, stride)) in on.planes.iter_mut().enumerate() {
            for run in if n == 0 { &self.luma } else { &self.chroma } {
                let start = run.row * *stride;
                if let Some(pixels) = plane.get_mut(start + run.pixels.start..start + run.pixels.end) {
                    pixels.fill(BLACK[n]);
                }
            }
        }
    }
}

/// Keeps the cover of the last size.
#[derive(Debug, Default)]
pub struct Covers(Option<(Vec<Mask>, Cover)>);

impl Covers {
    /// Blackens a picture of any size.
    pub fn paint(&mut self, masks: &[Mask], picture: &mut Picture) {
        if masks.is_empty() {
            return;
        }
        let (width, height) = (picture.width as usize, picture.height as usize);
        let kept = self.0.take().filter(|(of, cover)| of == masks && cover.size == (width, height));
        let (_, cover) = self.0.insert(kept.unwrap_or_else(|| (masks.to_vec(), Cover::new(masks, (width, height)))));
        let chroma = width.div_ceil(2);
        let ends = (width * height, chroma * height.div_ceil(2));
        let planes = picture.data.split_at_mut_checked(ends.0).and_then(|(luma, rest)| Some((luma, rest.split_at_mut_checked(ends.1)?)));
        match planes {
            Some((luma, (blue, red))) if red.len() >= ends.1 => {
                cover.paint(&mut Planes { planes: [(luma, width), (blue, chroma), (red, chroma)], size: (width, height) });
            }
            // A picture that is not as long as it says has no known place to cover: nothing of it is shown.
            _ => picture.data.fill(BLACK[0]),
        }
    }
}

/// One flag a pixel.
struct Map {
    width: usize,
    height: usize,
    covered: Vec<bool>,
}

impl Map {
    /// Covers a part of a row, in pixels from the left; what lies outside is cut.
    fn fill(&mut self, row: usize, from: f64, to: f64) {
        let clamp = |v: f64| (v.max(0.0) as usize).min(self.width);
        let (from, to) = (clamp(from.floor()), clamp(to.ceil()));
        if let Some(pixels) = self.covered.get_mut(row * self.width + from..row * self.width + to.max(from)) {
            pixels.fill(true);
        }
    }

    /// Covers what of a row's middle lies inside, by the even-odd rule; the outline crosses itself nowhere.
    fn inside(&mut self, corners: &[(f64, f64)], row: usize) {
        let y = row as f64 + 0.5;
        let mut crossings: Vec<f64> = (0..corners.len())
            .filter_map(|n| {
                let ((ax, ay), (bx, by)) = (corners[n], corners[(n + 1) % corners.len()]);
                ((ay <= y) != (by <= y)).then(|| ax + (y - ay) / (by - ay) * (bx - ax))
            })
            .collect();
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            self.fill(row, pair[0], pair[1]);
        }
    }

    /// Covers what is near an edge: more than the rim where the edge is flat, never less.
    fn edge(&mut self, (ax, ay): (f64, f64), (bx, by): (f64, f64)) {
        let near = RIM + CORNER;
        let rows = (ay.min(by) - near).floor().max(0.0) as usize..((ay.max(by) + near).ceil().max(0.0) as usize).min(self.height);
        for row in rows {
            let y = row as f64 + 0.5;
            // The part of the edge that is near this row.
            let at = |limit: f64| if by == ay { None } else { Some(((limit - ay) / (by - ay)).clamp(0.0, 1.0)) };
            let (from, to) = (at(y - near).unwrap_or(0.0), at(y + near).unwrap_or(1.0));
            let (x, end) = (ax + from * (bx - ax), ax + to * (bx - ax));
            self.fill(row, x.min(end) - near, x.max(end) + near);
        }
    }

    /// The same for chroma, where one sample stands for four pixels.
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut half = Self { width, height, covered: vec![false; width * height] };
        for (n, _) in self.covered.iter().enumerate().filter(|(_, covered)| **covered) {
            half.covered[n / self.width / 2 * width + n % self.width / 2] = true;
        }
        half
    }

    fn runs(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        for (row, pixels) in self.covered.chunks(self.width.max(1)).enumerate() {
            let mut at = 0;
            while let Some(start) = pixels[at..].iter().position(|c| *c).map(|n| at + n) {
                let end = pixels[start..].iter().position(|c| !c).map_or(pixels.len(), |n| start + n);
                runs.push(Run { row, pixels: start..end });
                at = end;
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::geometry::Point;
    use proptest::prelude::*;

    fn mask(corners: &[[f64; 2]]) -> Mask {
        corners.iter().map(|c| Point::from(*c)).collect()
    }

    fn painted(masks: &[Mask], width: u32, height: u32) -> Picture {
        let mut picture = Picture { width, height, data: vec![200; Picture::bytes(width, height).unwrap_or(0)] };
        Covers::default().paint(masks, &mut picture);
        picture
    }

    /// Whether nothing is left of a pixel, in any plane.
    fn gone(picture: &Picture, x: usize, y: usize) -> bool {
        let (w, h) = (picture.width as usize, picture.height as usize);
        let (luma, half) = (w * h, w.div_ceil(2));
        let chroma = half * h.div_ceil(2);
        let at = y / 2 * half + x / 2;
        [picture.data[y * w + x], picture.data[luma + at], picture.data[luma + chroma + at]] == BLACK
    }

    /// How far a point is from a mask's edges.
    fn distance(corners: &[(f64, f64)], (x, y): (f64, f64)) -> f64 {
        let of = |n: usize| {
            let ((ax, ay), (bx, by)) = (corners[n], corners[(n + 1) % corners.len()]);
            let (dx, dy) = (bx - ax, by - ay);
            let t = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).max(1e-12)).clamp(0.0, 1.0);
            (x - ax - t * dx).hypot(y - ay - t * dy)
        };
        (0..corners.len()).map(of).fold(f64::INFINITY, f64::min)
    }

    fn within(corners: &[(f64, f64)], (x, y): (f64, f64)) -> bool {
        (0..corners.len()).fold(false, |inside, n| {
            let ((ax, ay), (bx, by)) = (corners[n], corners[(n + 1) % corners.len()]);
            inside ^ ((ay <= y) != (by <= y) && x < ax + (y - ay) / (by - ay) * (bx - ax))
        })
    }

    #[test]
    fn a_square_and_its_rim_are_black_and_the_rest_is_as_it_was() {
        let picture = painted(&[mask(&[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]])], 40, 40);
        for (x, y, black) in
            [(20, 20, true), (10, 10, true), (8, 20, true), (31, 20, true), (20, 8, true), (20, 31, true), (2, 20, false), (38, 38, false)]
        {
            assert_eq!(gone(&picture, x, y), black, "{x} {y}");
        }
        assert_eq!(
            (picture.data[5 * 40 + 20], picture.data[20 * 40 + 5], picture.data[20 * 40 + 35]),
            (200, 200, 200),
            "it reaches no farther"
        );
    }

    #[test]
    fn all_of_a_picture_can_be_covered_and_no_mask_covers_nothing() {
        let whole = painted(&[mask(&[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])], 33, 17);
        assert!((0..33).all(|x| (0..17).all(|y| gone(&whole, x, y))));
        assert!(painted(&[], 33, 17).data.iter().all(|v| *v == 200));
    }

    fn polygon() -> impl Strategy<Value = Vec<[f64; 2]>> {
        // Corners around a middle, in order: an outline that does not cross itself, of any shape from thin to star.
        let corner = (0.02f64..0.6, 0.0f64..1.0);
        (0.1f64..0.9, 0.1f64..0.9, prop::collection::vec(corner, 3..=16)).prop_map(|(x, y, corners)| {
            let count = corners.len() as f64;
            let place = |(n, (far, turn)): (usize, (f64, f64))| {
                let angle = (n as f64 + turn * 0.9) / count * std::f64::consts::TAU;
                [(x + far * angle.cos()).clamp(0.0, 1.0), (y + far * angle.sin()).clamp(0.0, 1.0)]
            };
            corners.into_iter().enumerate().map(place).collect()
        })
    }

    proptest! {
        #[test]
        fn nothing_in_a_mask_or_beside_its_edge_is_left(
            corners in polygon(), w in 8u32..160, h in 8u32..120, points in prop::collection::vec((0.0f64..1.0, 0.0f64..1.0), 60),
        ) {
            let picture = painted(&[mask(&corners)], w, h);
            let scaled: Vec<_> = corners.iter().map(|c| (c[0] * f64::from(w), c[1] * f64::from(h))).collect();
            let (mut beyond, mut untouched) = (0, 0);
            for (x, y) in points {
                let at = (x * f64::from(w), y * f64::from(h));
                let (inside, far) = (within(&scaled, at), distance(&scaled, at));
                let pixel = (at.0 as usize, at.1 as usize);
                if inside || far <= RIM {
                    prop_assert!(gone(&picture, pixel.0, pixel.1), "{pixel:?} of {w} × {h}, inside {inside}, {far} from the edge");
                } else if far > 8.0 {
                    beyond += 1;
                    untouched += usize::from(picture.data[pixel.1 * w as usize + pixel.0] == 200);
                }
            }
            prop_assert_eq!(beyond, untouched, "and nothing far from it is touched");
        }
    }
}
