//! What colour most of a thing has.
//!
//! Belongs here: the pixels inside a box → one of the words of [`Colour`], or none. Does not belong here: agreeing over many pictures
//! (`analytics::Gallery`). Persons are not asked about: what somebody wears is nobody's business.
//!
//! Small pictures, cheap cameras, dusk: the answer is the word most pixels of the box's inner part would get, and none where no word
//! has a clear share. Grey pixels (glass, tyres, shadow, road) are on everything, so a colour counts double against them.

use crate::{Picture, picture::Planes};
use domain::{BBox, Colour};

/// A box narrower or lower than this says nothing, pixels.
const SMALLEST: f64 = 8.0;
/// The inner part that is looked at, of width and height: the rest is mostly road.
const INNER: f64 = 0.6;
/// Points looked at along each side, at most.
const POINTS: usize = 24;
/// The share of all votes the winner needs.
const CLEAR: f64 = 0.4;

/// The colour of what is in a box of a picture (fractions of it).
#[must_use]
pub fn of(picture: &Picture, bbox: &BBox) -> Option<Colour> {
    let planes = picture.planes()?;
    let (xs, ys) = (inner(bbox.x1, bbox.x2, picture.width)?, inner(bbox.y1, bbox.y2, picture.height)?);
    let mut votes = [0_u32; Colour::ALL.len()];
    for y in ys.points() {
        for x in xs.points() {
            let colour = word(rgb(&planes, picture.width as usize, x, y)?);
            votes[colour as usize] += if matches!(colour, Colour::Black | Colour::Grey | Colour::White) { 1 } else { 2 };
        }
    }
    let all: u32 = votes.iter().sum();
    let (most, count) = Colour::ALL.iter().zip(votes).max_by_key(|(_, count)| *count)?;
    (f64::from(count) >= CLEAR * f64::from(all)).then_some(*most)
}

/// Pixels of one side, first and how many.
struct Side {
    from: usize,
    len: usize,
}

impl Side {
    fn points(&self) -> impl Iterator<Item = usize> + '_ {
        let n = self.len.min(POINTS);
        (0..n).map(move |i| self.from + i * self.len / n)
    }
}

/// The inner part of an edge from `a` to `b`; `None` when the edge is too short or outside.
fn inner(a: f64, b: f64, size: u32) -> Option<Side> {
    let size = f64::from(size);
    let (a, b) = ((a * size).clamp(0.0, size), (b * size).clamp(0.0, size));
    // An edge that is not a number is too short as well.
    if (b - a).is_nan() || b - a < SMALLEST {
        return None;
    }
    let (middle, half) = (a.midpoint(b), (b - a) * INNER / 2.0);
    Some(Side { from: (middle - half) as usize, len: ((2.0 * half) as usize).max(1) })
}

/// 0 to 1 each. BT.601, limited range, as everywhere here.
fn rgb(planes: &Planes<'_>, width: usize, x: usize, y: usize) -> Option<[f32; 3]> {
    let at = y / 2 * planes.chroma_width + x / 2;
    let luma = 1.164_384 * (f32::from(*planes.y.get(y * width + x)?) - 16.0);
    let (u, v) = (f32::from(*planes.u.get(at)?) - 128.0, f32::from(*planes.v.get(at)?) - 128.0);
    let [r, g, b] = [luma + 1.596_027 * v, luma - 0.391_762 * u - 0.812_968 * v, luma + 2.017_232 * u];
    Some([r, g, b].map(|c| (c / 255.0).clamp(0.0, 1.0)))
}

/// By hue, saturation and value. The bounds are where people change the word, not where a colour circle is divided evenly.
fn word([r, g, b]: [f32; 3]) -> Colour {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let spread = most - least;
    let saturation = if most > 0.0 { spread / most } else { 0.0 };
    // Dark things keep a cast of the camera's: what is hardly lit has no colour.
    if most < 0.2 {
        return Colour::Black;
    }
    if saturation < 0.22 || spread < 0.08 {
        return match most {
            v if v < 0.3 => Colour::Black,
            v if v < 0.72 => Colour::Grey,
            _ => Colour::White,
        };
    }
    let sixth = if most == r {
        ((g - b) / spread).rem_euclid(6.0)
    } else if most == g {
        (b - r) / spread + 2.0
    } else {
        (r - g) / spread + 4.0
    };
    match sixth * 60.0 {
        h if !(14.0..340.0).contains(&h) => Colour::Red,
        h if h < 42.0 => Colour::Brown,
        h if h < 68.0 && most < 0.45 => Colour::Brown,
        h if h < 68.0 => Colour::Yellow,
        h if h < 170.0 => Colour::Green,
        h if h < 300.0 => Colour::Blue,
        _ => Colour::Red,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: BBox = BBox { x1: 0.0, y1: 0.0, x2: 1.0, y2: 1.0 };

    /// A picture of one colour, as a decoder gives it.
    fn painted(width: u32, height: u32, [r, g, b]: [u8; 3]) -> Picture {
        let [r, g, b] = [r, g, b].map(f32::from);
        let byte = |v: f32| v.round().clamp(0.0, 255.0) as u8;
        let y = byte(16.0 + 0.256_788 * r + 0.504_129 * g + 0.097_906 * b);
        let u = byte(128.0 - 0.148_223 * r - 0.290_993 * g + 0.439_216 * b);
        let v = byte(128.0 + 0.439_216 * r - 0.367_788 * g - 0.071_427 * b);
        let (luma, chroma) = ((width * height) as usize, (width.div_ceil(2) * height.div_ceil(2)) as usize);
        let data = [vec![y; luma], vec![u; chroma], vec![v; chroma]].concat();
        Picture { width, height, data }
    }

    #[test]
    fn the_colours_of_a_village_get_their_words() {
        for (what, rgb, colour) in [
            ("a white van", [235, 236, 232], Colour::White),
            ("a silver car", [165, 168, 170], Colour::Grey),
            ("a black car", [22, 22, 25], Colour::Black),
            ("a red lorry", [178, 34, 30], Colour::Red),
            ("a dark red motorcycle", [110, 20, 28], Colour::Red),
            ("a yellow excavator", [240, 190, 20], Colour::Yellow),
            ("a brown cow", [120, 72, 40], Colour::Brown),
            ("an orange bus", [230, 110, 30], Colour::Brown),
            ("a blue lorry", [30, 70, 160], Colour::Blue),
            ("a violet scooter", [110, 60, 160], Colour::Blue),
            ("a green bus", [20, 120, 60], Colour::Green),
        ] {
            assert_eq!(of(&painted(64, 48, rgb), &WHOLE), Some(colour), "{what}");
        }
    }

    #[test]
    fn the_middle_counts_and_not_the_road_around() {
        // Grey road, and a blue car whose windows are black.
        let mut picture = painted(96, 96, [120, 120, 118]);
        let (car, glass) = (painted(96, 96, [30, 60, 170]), painted(96, 96, [25, 25, 28]));
        let planes = [(0, 96, 96), (96 * 96, 48, 48), (96 * 96 * 5 / 4, 48, 48)];
        for (start, width, height) in planes {
            for y in height / 4..height * 3 / 4 {
                for x in width / 4..width * 3 / 4 {
                    let from = if y < height * 2 / 5 { &glass } else { &car };
                    picture.data[start + y * width + x] = from.data[start + y * width + x];
                }
            }
        }
        assert_eq!(of(&picture, &BBox { x1: 0.2, y1: 0.2, x2: 0.8, y2: 0.8 }), Some(Colour::Blue));
        assert_eq!(of(&picture, &BBox { x1: 0.0, y1: 0.0, x2: 0.22, y2: 1.0 }), Some(Colour::Grey));
    }

    #[test]
    fn no_clear_share_and_too_few_pixels_are_no_colour() {
        // Five stripes of five colours over the inner part.
        let stripes = [[200, 30, 30], [20, 140, 60], [20, 60, 180], [240, 190, 20], [120, 72, 40]].map(|rgb| painted(80, 80, rgb));
        let mut picture = stripes[0].clone();
        for (start, width, height) in [(0, 80, 80), (6400, 40, 40), (8000, 40, 40)] {
            for at in 0..width * height {
                // From a fifth to four fifths of the width.
                let stripe = (at % width * 10 / width).clamp(2, 6) - 2;
                picture.data[start + at] = stripes[stripe].data[start + at];
            }
        }
        assert_eq!(of(&picture, &BBox { x1: 0.0, y1: 0.0, x2: 0.9, y2: 1.0 }), None);
        assert_eq!(of(&painted(64, 64, [200, 30, 30]), &BBox { x1: 0.5, y1: 0.5, x2: 0.6, y2: 0.9 }), None);
    }

    proptest! {
        #[test]
        fn no_picture_and_no_box_is_a_panic(
            (width, height) in (0u32..70, 0u32..70), cut in 0usize..3, corners in proptest::array::uniform4(prop_oneof![-2.0f64..3.0, any::<f64>()]), seed in any::<u8>(),
        ) {
            let mut picture = painted(width, height, [seed, seed.wrapping_mul(7), seed.wrapping_mul(31)]);
            picture.data.truncate(picture.data.len().saturating_sub(cut));
            let _ = of(&picture, &corners.into());
        }
    }
}
