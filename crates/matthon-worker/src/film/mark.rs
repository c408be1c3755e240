//! Words burnt into a picture: white letters on a dark strip.
//!
//! Belongs here: setting a line of text as coverage, and laying it over I420 planes. Does not belong here: which words.

use ab_glyph::{Font as _, FontVec, Glyph, PxScale, ScaleFont, point};

/// How much of the picture stays under the strip, and of white over a letter.
const DARK: u32 = 5;
const BLACK: u32 = 16;
const WHITE: i32 = 235;
/// Smaller letters nobody can read, pixels.
const SMALLEST: f32 = 10.0;

/// A font that was read.
pub struct Font(FontVec);

impl std::fmt::Debug for Font {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Font")
    }
}

/// One line of text: how much of each pixel letters cover, with a rim for the strip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    coverage: Vec<u8>,
}

/// Three planes of a picture that can be written.
pub struct Planes<'a> {
    /// Luma, chroma, chroma: bytes and bytes a row.
    pub planes: [(&'a mut [u8], usize); 3],
    /// Pixels.
    pub size: (usize, usize),
}

impl Font {
    /// Reads TrueType or OpenType outlines.
    #[must_use]
    pub fn read(bytes: Vec<u8>) -> Option<Self> {
        FontVec::try_from_vec(bytes).ok().map(Self)
    }

    /// Sets a line so high, smaller when it would be wider than `most`.
    #[must_use]
    pub fn line(&self, text: &str, height: f32, most: usize) -> Line {
        let mut size = height.max(SMALLEST);
        let rim = |size: f32| (size * 0.3).ceil() as usize;
        let room = most as f32;
        let wide = self.set(text, size).1 + 2.0 * rim(size) as f32;
        if wide > room {
            size = (size * room / wide).floor().max(1.0);
        }
        let (glyphs, advance) = self.set(text, size);
        let scaled = self.0.as_scaled(PxScale::from(size));
        let outlines: Vec<_> = glyphs.into_iter().filter_map(|g| self.0.outline_glyph(g)).collect();
        // Stacked accents on capitals (Ẩ) rise above what the font calls its height.
        let (top, bottom) = outlines
            .iter()
            .map(|o| o.px_bounds())
            .fold((0.0, scaled.height()), |(top, bottom): (f32, f32), b| (top.min(b.min.y), bottom.max(b.max.y)));
        let rim = rim(size);
        let width = (advance.ceil() as usize + 2 * rim).min(most.max(2)).next_multiple_of(2);
        let rows = ((bottom - top).ceil() as usize + rim).next_multiple_of(2);
        let mut line = Line { width, height: rows, coverage: vec![0; width * rows] };
        for outline in outlines {
            let bounds = outline.px_bounds();
            let (left, above) = (bounds.min.x as i64 + rim as i64, (bounds.min.y - top) as i64 + rim as i64 / 2);
            outline.draw(|x, y, covered| line.cover(left + i64::from(x), above + i64::from(y), covered));
        }
        line
    }

    /// Glyphs one behind the other, and how far they reach.
    fn set(&self, text: &str, size: f32) -> (Vec<Glyph>, f32) {
        let font = self.0.as_scaled(PxScale::from(size));
        let (mut x, mut last) = (0.0, None);
        let mut glyphs = Vec::with_capacity(text.len());
        for c in text.chars() {
            let id = font.glyph_id(c);
            x += last.map_or(0.0, |last| font.kern(last, id));
            glyphs.push(id.with_scale_and_position(PxScale::from(size), point(x, font.ascent())));
            x += font.h_advance(id);
            last = Some(id);
        }
        (glyphs, x)
    }
}

impl Line {
    fn cover(&mut self, x: i64, y: i64, covered: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.width
            && let Some(cell) = self.coverage.get_mut(y * self.width + x)
        {
            *cell = (*cell).max((covered.clamp(0.0, 1.0) * 255.0) as u8);
        }
    }

    /// Lays it over a picture, its corner at even pixels; what lies outside is cut.
    pub fn burn(&self, on: &mut Planes<'_>, at: (usize, usize)) {
        let (left, top) = (at.0 & !1, at.1 & !1);
        let (width, height) = (self.width.min(on.size.0.saturating_sub(left)), self.height.min(on.size.1.saturating_sub(top)));
        let [luma, chroma @ ..] = &mut on.planes;
        for (y, covered) in self.coverage.chunks(self.width.max(1)).take(height).enumerate() {
            let start = (top + y) * luma.1 + left;
            for (pixel, covered) in luma.0.get_mut(start..start + width).into_iter().flatten().zip(covered) {
                let dark = ((u32::from(*pixel) + (DARK - 1) * BLACK) / DARK) as i32;
                *pixel = (dark + (WHITE - dark) * i32::from(*covered) / 255) as u8;
            }
        }
        for (plane, stride) in chroma {
            for y in 0..height / 2 {
                let start = (top / 2 + y) * *stride + left / 2;
                for pixel in plane.get_mut(start..start + width / 2).into_iter().flatten() {
                    *pixel = ((u32::from(*pixel) + (DARK - 1) * 128) / DARK) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
    use super::*;
    use proptest::prelude::*;

    fn font() -> Font {
        Font::read(std::fs::read("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf").unwrap()).unwrap()
    }

    fn rows(line: &Line) -> Vec<bool> {
        line.coverage.chunks(line.width).map(|row| row.iter().any(|c| *c > 100)).collect()
    }

    #[test]
    fn stacked_accents_are_whole_and_letters_differ() {
        let font = font();
        // Every accent rises above the letter without it, and none touches the rim.
        let top = |text: &str| rows(&font.line(text, 60.0, 1000)).iter().position(|r| *r).unwrap();
        for (with, without) in [("Ẩ", "A"), ("Ễ", "E"), ("Ố", "O"), ("Ữ", "U"), ("ắ", "a")] {
            assert!(top(with) < top(without) && top(with) > 0, "{with}: {} and {}", top(with), top(without));
        }
        assert_ne!(font.line("Cổng làng", 40.0, 1000).coverage, font.line("Cong lang", 40.0, 1000).coverage);
        assert_eq!(font.line("17:42:05", 40.0, 1000).width, font.line("08:31:14", 40.0, 1000).width, "a clock does not jump");
    }

    #[test]
    fn what_is_too_wide_is_set_smaller() {
        let line = font().line("BẢN XEM – KHÔNG PHẢI BẢN GỐC", 40.0, 320);
        assert!(line.width <= 320 && line.height < 40 && line.coverage.iter().any(|c| *c > 200), "{} × {}", line.width, line.height);
    }

    #[test]
    fn bytes_that_are_no_font_are_refused() {
        assert!(Font::read(b"letters".to_vec()).is_none());
    }

    proptest! {
        #[test]
        fn words_of_any_kind_change_only_their_own_pixels(
            text in "\\PC{0,60}", width in 1usize..100, height in 1usize..80, x in 0usize..120, y in 0usize..120, letters in 1f32..90.0,
        ) {
            let (w, h) = (width * 2, height * 2);
            let mut luma = vec![200; w * h];
            let (mut blue, mut red) = (vec![90; w * h / 4], vec![90; w * h / 4]);
            let line = font().line(&text, letters, w);
            let planes = [(&mut luma[..], w), (&mut blue[..], w / 2), (&mut red[..], w / 2)];
            line.burn(&mut Planes { planes, size: (w, h) }, (x, y));
            let (left, top) = (x & !1, y & !1);
            for (n, pixel) in luma.iter().enumerate() {
                let inside = (left..left + line.width).contains(&(n % w)) && (top..top + line.height).contains(&(n / w));
                prop_assert!(inside || *pixel == 200);
            }
        }
    }
}
