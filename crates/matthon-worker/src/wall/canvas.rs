//! The picture that a wall is drawn on: I420, its rows tight.
//!
//! Belongs here: rectangles of one colour, pictures laid into it, where a line of text goes. Does not belong here: what is drawn when.

use crate::film::mark::{Line, Planes};
use detect::Picture;
use vision::protocol::wall::{Rect, SIZE};

/// A colour: luma and both chromas.
pub type Colour = [u8; 3];

/// What nothing was drawn on.
pub const BLACK: Colour = [16, 128, 128];
/// A tile without a picture.
pub const GREY: Colour = [44, 130, 126];

/// Where in a rectangle a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// At the bottom, from the left.
    BottomLeft,
    /// At the top, from the left.
    TopLeft,
    /// At the top, to the right.
    TopRight,
    /// In the middle, so many rows below it.
    Middle(i32),
}

/// Three planes of [`SIZE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    bytes: Vec<u8>,
}

const WIDTH: usize = SIZE.0 as usize;
const HEIGHT: usize = SIZE.1 as usize;

impl Default for Canvas {
    fn default() -> Self {
        let mut bytes = vec![BLACK[0]; WIDTH * HEIGHT];
        bytes.resize(WIDTH * HEIGHT * 3 / 2, BLACK[1]);
        Self { bytes }
    }
}

impl Canvas {
    /// All of it, plane behind plane.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn planes(&mut self) -> Planes<'_> {
        let (luma, chroma) = self.bytes.split_at_mut(WIDTH * HEIGHT);
        let (blue, red) = chroma.split_at_mut(WIDTH * HEIGHT / 4);
        Planes { planes: [(luma, WIDTH), (blue, WIDTH / 2), (red, WIDTH / 2)], size: (WIDTH, HEIGHT) }
    }

    /// Fills a rectangle, which is inside and even.
    pub fn fill(&mut self, place: Rect, colour: Colour) {
        self.rows(place, |plane, _, row| row.fill(colour[plane]));
    }

    /// Lays a picture in the middle of a rectangle; what would lie outside is cut. The rest of the rectangle becomes black.
    pub fn lay(&mut self, place: Rect, picture: &Picture) {
        let (w, h) = (picture.width.min(place.w) / 2 * 2, picture.height.min(place.h) / 2 * 2);
        let middle = Rect { x: place.x + (place.w - w) / 4 * 2, y: place.y + (place.h - h) / 4 * 2, w, h };
        if middle != place {
            self.fill(place, BLACK);
        }
        let (width, height) = (picture.width as usize, picture.height as usize);
        let (half, luma) = (width.div_ceil(2), width * height);
        let chroma = half * height.div_ceil(2);
        let starts = [(0, width), (luma, half), (luma + chroma, half)];
        self.rows(middle, |plane, n, row| {
            let (start, stride) = starts[plane];
            let from = start + n * stride;
            if let Some(source) = picture.data.get(from..from + row.len()) {
                row.copy_from_slice(source);
            }
        });
    }

    /// Goes through the rows of a rectangle, plane by plane.
    fn rows(&mut self, place: Rect, mut each: impl FnMut(usize, usize, &mut [u8])) {
        let [x, y, w, h] = [place.x, place.y, place.w, place.h].map(|n| n as usize);
        for (n, (plane, stride)) in self.planes().planes.into_iter().enumerate() {
            let part = if n == 0 { 1 } else { 2 };
            let from = x / part;
            for (row, line) in plane.chunks_mut(stride).skip(y / part).take(h / part).enumerate() {
                if let Some(pixels) = line.get_mut(from..from + w / part) {
                    each(n, row, pixels);
                }
            }
        }
    }

    /// Writes a line.
    pub fn write(&mut self, line: &Line, place: Rect, at: At) {
        let [x, y, w, h] = [place.x, place.y, place.w, place.h].map(|n| n as usize);
        let (right, bottom) = (x + w.saturating_sub(line.width), y + h.saturating_sub(line.height));
        let corner = match at {
            At::BottomLeft => (x, bottom),
            At::TopLeft => (x, y),
            At::TopRight => (right, y),
            At::Middle(below) => {
                let down = i64::try_from((y + bottom) / 2).unwrap_or(0) + i64::from(below);
                ((x + right) / 2, usize::try_from(down).unwrap_or(0))
            }
        };
        line.burn(&mut self.planes(), corner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, value: u8) -> Picture {
        let bytes = Picture::bytes(width, height).unwrap_or(0);
        Picture { width, height, data: vec![value; bytes] }
    }

    fn luma(canvas: &Canvas, x: usize, y: usize) -> u8 {
        canvas.bytes()[y * WIDTH + x]
    }

    #[test]
    fn pictures_lie_where_they_are_laid_and_nowhere_else() {
        let mut canvas = Canvas::default();
        let place = Rect { x: 100, y: 200, w: 320, h: 180 };
        canvas.lay(place, &picture(320, 180, 99));
        for (x, y, is) in [(100, 200, 99), (419, 379, 99), (99, 200, 16), (420, 379, 16), (100, 199, 16), (419, 380, 16)] {
            assert_eq!(luma(&canvas, x, y), is, "{x} {y}");
        }
        let chroma = &canvas.bytes()[WIDTH * HEIGHT..];
        assert_eq!((chroma[100 * 960 + 50], chroma[100 * 960 + 49], chroma[189 * 960 + 209], chroma[190 * 960 + 209]), (99, 128, 99, 128));
    }

    #[test]
    fn what_is_smaller_lies_in_the_middle_on_black_and_what_is_larger_is_cut() {
        let mut canvas = Canvas::default();
        let place = Rect { x: 0, y: 60, w: 320, h: 180 };
        canvas.fill(place, GREY);
        canvas.lay(place, &picture(240, 180, 200));
        assert_eq!((luma(&canvas, 10, 100), luma(&canvas, 160, 100), luma(&canvas, 310, 100)), (16, 200, 16));
        canvas.lay(place, &picture(640, 360, 50));
        assert_eq!((luma(&canvas, 319, 239), luma(&canvas, 320, 239), luma(&canvas, 319, 240)), (50, 16, 16));
    }
}
