//! An I420 picture and the few things drawn into it: rectangles, discs, the burnt-in caption.
//!
//! Pure: no scene (see `scene`), no clock, no codec.

use crate::spec::Size;

/// A colour as video sees it (BT.601, studio range): luma, blue and red difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Colour {
    /// From red, green and blue of 0–255.
    pub(crate) fn rgb(r: u8, g: u8, b: u8) -> Self {
        let (r, g, b) = (f32::from(r), f32::from(g), f32::from(b));
        let clamp = |v: f32| v.round().clamp(16.0, 240.0) as u8;
        Self(
            clamp(16.0 + 0.257 * r + 0.504 * g + 0.098 * b),
            clamp(128.0 - 0.148 * r - 0.291 * g + 0.439 * b),
            clamp(128.0 + 0.439 * r - 0.368 * g - 0.071 * b),
        )
    }
}

/// One picture in I420: planes Y, U, V without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    size: Size,
    data: Vec<u8>,
}

impl Picture {
    /// A black picture.
    pub(crate) fn new(size: Size) -> Self {
        let luma = size.width as usize * size.height as usize;
        let mut data = vec![16; luma];
        data.resize(luma * 3 / 2, 128);
        Self { size, data }
    }

    /// Width and height.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// All three planes, one after another.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// All three planes, to be written.
    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// Fills `width`×`height` pixels from (`x`, `y`); what lies outside is cut off. Colour edges fall on even pixels.
    pub(crate) fn rectangle(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Colour) {
        for row in y.max(0)..y.saturating_add(height).min(self.size.height as i32) {
            self.span(row, x, x.saturating_add(width), colour);
        }
    }

    /// Fills a disc.
    pub(crate) fn disc(&mut self, x: i32, y: i32, radius: i32, colour: Colour) {
        for row in -radius..=radius {
            let half = f64::from(radius * radius - row * row).sqrt() as i32;
            self.span(y + row, x - half, x + half + 1, colour);
        }
    }

    /// Fills the pixels from `from` up to, not including, `to` of one row.
    pub(crate) fn span(&mut self, row: i32, from: i32, to: i32, Colour(luma, u, v): Colour) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let Ok(row) = usize::try_from(row) else { return };
        let from = usize::try_from(from.max(0)).unwrap_or(0);
        let to = usize::try_from(to.max(0)).unwrap_or(0).min(width);
        if row >= height || from >= to {
            return;
        }
        self.data[row * width + from..row * width + to].fill(luma);
        if row.is_multiple_of(2) {
            let (chroma, plane) = (width / 2, width * height);
            let (start, end) = (row / 2 * chroma + from / 2, row / 2 * chroma + to.div_ceil(2).min(chroma));
            self.data[plane + start..plane + end].fill(u);
            let plane = plane + plane / 4;
            self.data[plane + start..plane + end].fill(v);
        }
    }

    /// Writes one line of text in a dark box at the top left, sized to the picture. Characters without a glyph leave a blank.
    pub(crate) fn caption(&mut self, text: &str) {
        let scale = (self.size.width as i32 / 320).max(1);
        let (left, top) = (4 * scale, 4 * scale);
        let length = i32::try_from(text.chars().count()).unwrap_or(i32::MAX / 64);
        self.rectangle(left, top, (length * 6 + 3) * scale, 11 * scale, Colour(16, 128, 128));
        let white = Colour(235, 128, 128);
        for (i, c) in text.chars().enumerate() {
            let x = left + (2 + 6 * i as i32) * scale;
            for (row, bits) in glyph(c).into_iter().enumerate() {
                let y = top + (2 + row as i32) * scale;
                for column in 0..5 {
                    if bits & (0x10 >> column) != 0 {
                        self.rectangle(x + column * scale, y, scale, scale, white);
                    }
                }
            }
        }
    }
}

/// 5×7 pixels, one row a byte, the leftmost pixel in bit 4.
fn glyph(c: char) -> [u8; 7] {
    match c {
        '0' => [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e],
        '1' => [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e],
        '2' => [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f],
        '3' => [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e],
        '4' => [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
        '5' => [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e],
        '6' => [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
        '7' => [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
        '8' => [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e],
        '9' => [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
        '-' => [0, 0, 0, 0x1f, 0, 0, 0],
        '+' => [0, 0x04, 0x04, 0x1f, 0x04, 0x04, 0],
        ':' => [0, 0x0c, 0x0c, 0, 0x0c, 0x0c, 0],
        '.' => [0, 0, 0, 0, 0, 0x0c, 0x0c],
        '#' => [0x0a, 0x0a, 0x1f, 0x0a, 0x1f, 0x0a, 0x0a],
        _ => [0; 7],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 64, height: 64 };

    #[test]
    fn drawing_outside_is_cut_off() {
        let mut picture = Picture::new(SIZE);
        let white = Colour::rgb(255, 255, 255);
        picture.rectangle(-10, -10, 20, 20, white);
        picture.rectangle(60, 60, 1000, i32::MAX, white);
        picture.disc(64, 0, 30, white);
        picture.rectangle(i32::MAX - 3, 3, i32::MAX, 3, white);
        assert_eq!(picture.data().len(), 64 * 64 * 3 / 2);
        assert_eq!((picture.data()[9 * 64 + 9], picture.data()[10 * 64 + 10]), (white.0, 16));
        assert_eq!((picture.data()[63 * 64 + 63], picture.data()[40 * 64 + 20]), (white.0, 16));
    }

    #[test]
    fn different_captions_look_different() {
        let draw = |text: &str| {
            let mut picture = Picture::new(Size { width: 640, height: 360 });
            picture.caption(text);
            picture
        };
        assert_eq!(draw("12:00 #7"), draw("12:00 #7"));
        assert_ne!(draw("12:00 #7"), draw("12:00 #8"));
    }

    #[test]
    fn colours_are_studio_range() {
        assert_eq!(Colour::rgb(0, 0, 0), Colour(16, 128, 128));
        assert_eq!(Colour::rgb(255, 255, 255).0, 235);
    }
}
