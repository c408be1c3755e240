//! From a picture to the model's input: colours, order, mean and scale, padding; all in one pass over the picture.
//!
//! Belongs here: the planar `f32` input and how it is filled. Does not belong here: scaling (the picture comes in its final
//! size, see [`crate::fit`]) and inference.

use crate::{DetectError, Picture};
use vision::protocol::{ChannelOrder, ModelSpec};

// BT.601, limited range: what sub streams are coded in.
const LUMA: f32 = 255.0 / 219.0;
const RED_V: f32 = 1.596_027;
const GREEN_U: f32 = 0.391_762;
const GREEN_V: f32 = 0.812_968;
const BLUE_U: f32 = 2.017_232;

/// A model's input, 1 × 3 × height × width, used again for every picture.
#[derive(Debug)]
pub struct Input {
    width: usize,
    height: usize,
    /// Which plane red, green and blue go to.
    planes: [usize; 3],
    /// A colour value times the first plus the second is what the model wants; for red, green, blue.
    affine: [(f32, f32); 3],
    /// The padding, for planes 0, 1, 2.
    pad: [f32; 3],
    values: Vec<f32>,
    /// What the last picture covered; beyond it is padding already.
    covered: (usize, usize),
    /// What chroma adds to red, green and blue: for two rows at a time, one value a pixel.
    chroma: [Vec<f32>; 3],
}

impl Input {
    /// An input as the specification wants it, all padding. The specification's sizes must have been checked
    /// (see [`crate::Detector::new`]): that many floats are allocated.
    #[must_use]
    pub fn new(spec: &ModelSpec) -> Self {
        let (width, height) = (spec.input.0 as usize, spec.input.1 as usize);
        let planes = match spec.channels {
            ChannelOrder::Rgb => [0, 1, 2],
            ChannelOrder::Bgr => [2, 1, 0],
        };
        let affine = |plane: usize| (1.0 / spec.scale[plane], -spec.mean[plane] / spec.scale[plane]);
        let pad = [0, 1, 2].map(|plane| f32::from(spec.pad) * affine(plane).0 + affine(plane).1);
        let mut values = Vec::with_capacity(3 * width * height);
        for value in pad {
            values.extend(std::iter::repeat_n(value, width * height));
        }
        Self { width, height, planes, affine: planes.map(affine), pad, values, covered: (0, 0), chroma: [(); 3].map(|()| vec![0.0; width]) }
    }

    /// The values, plane after plane, row after row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Its shape: 1, 3, height, width.
    #[must_use]
    pub fn shape(&self) -> [usize; 4] {
        [1, 3, self.height, self.width]
    }

    /// Lays a picture into the upper left corner; the rest is padding.
    ///
    /// # Errors
    /// [`DetectError::Picture`] when it is none or larger than the input.
    pub fn fill(&mut self, picture: &Picture) -> Result<(), DetectError> {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let Some(source) = picture.planes().filter(|_| width <= self.width && height <= self.height) else {
            return Err(DetectError::Picture {
                width: picture.width,
                height: picture.height,
                len: picture.data.len(),
                input_width: u32::try_from(self.width).unwrap_or(u32::MAX),
                input_height: u32::try_from(self.height).unwrap_or(u32::MAX),
            });
        };
        if self.covered != (width, height) {
            self.clear();
            self.covered = (width, height);
        }
        let area = self.width * self.height;
        let (first, rest) = self.values.split_at_mut(area);
        let (second, third) = rest.split_at_mut(area);
        let mut planes = [Some(first), Some(second), Some(third)];
        let [red, green, blue] = self.planes.map(|p| planes[p].take().unwrap_or_default());
        let [red_chroma, green_chroma, blue_chroma] = &mut self.chroma;
        let [red_affine, green_affine, blue_affine] = self.affine;
        let rows = red.chunks_exact_mut(self.width).zip(green.chunks_exact_mut(self.width)).zip(blue.chunks_exact_mut(self.width));
        for (row, (((red, green), blue), y)) in rows.zip(source.y.chunks_exact(width)).enumerate() {
            if row % 2 == 0 {
                let from = row / 2 * source.chroma_width;
                let (u, v) = (&source.u[from..][..source.chroma_width], &source.v[from..][..source.chroma_width]);
                spread(red_chroma, u, v, 0.0, RED_V);
                spread(green_chroma, u, v, -GREEN_U, -GREEN_V);
                spread(blue_chroma, u, v, BLUE_U, 0.0);
            }
            colour(&mut red[..width], y, red_chroma, red_affine);
            colour(&mut green[..width], y, green_chroma, green_affine);
            colour(&mut blue[..width], y, blue_chroma, blue_affine);
        }
        Ok(())
    }

    fn clear(&mut self) {
        for (plane, value) in self.values.chunks_exact_mut(self.width * self.height).zip(self.pad) {
            plane.fill(value);
        }
    }
}

/// What a row of chroma adds to one colour, each sample for two pixels, luma's offset included.
fn spread(out: &mut [f32], u: &[u8], v: &[u8], by_u: f32, by_v: f32) {
    let offset = -16.0 * LUMA - 128.0 * (by_u + by_v);
    for ((pair, u), v) in out.chunks_mut(2).zip(u).zip(v) {
        pair.fill(f32::from(*u) * by_u + f32::from(*v) * by_v + offset);
    }
}

/// One row of one colour. Nothing but arithmetic on equally long slices: the compiler turns it into vector instructions.
fn colour(out: &mut [f32], y: &[u8], chroma: &[f32], (by, plus): (f32, f32)) {
    for ((out, y), chroma) in out.iter_mut().zip(y).zip(chroma) {
        *out = (f32::from(*y) * LUMA + chroma).clamp(0.0, 255.0) * by + plus;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vision::protocol::Layout;

    fn spec(channels: ChannelOrder) -> ModelSpec {
        ModelSpec {
            name: "test".to_owned(),
            layout: Layout::Yolox,
            input: (32, 32),
            channels,
            mean: [103.53, 116.28, 123.675],
            scale: [57.375, 57.12, 58.395],
            pad: 114,
            labels: vec![Some("car".to_owned())],
            threshold: 0.1,
            nms: 0.5,
        }
    }

    /// Pixel by pixel, as the standard writes it, in `f64`: red, green, blue.
    fn pixel(p: &Picture, x: usize, y: usize) -> [f64; 3] {
        let planes = p.planes().unwrap();
        let at = y / 2 * planes.chroma_width + x / 2;
        let luma = (f64::from(planes.y[y * p.width as usize + x]) - 16.0) / 219.0;
        let (cb, cr) = ((f64::from(planes.u[at]) - 128.0) / 224.0, (f64::from(planes.v[at]) - 128.0) / 224.0);
        let (kr, kb) = (0.299, 0.114);
        let (red, blue) = (luma + 2.0 * (1.0 - kr) * cr, luma + 2.0 * (1.0 - kb) * cb);
        let green = (luma - kr * (luma + 2.0 * (1.0 - kr) * cr) - kb * (luma + 2.0 * (1.0 - kb) * cb)) / (1.0 - kr - kb);
        [red, green, blue].map(|c| (c * 255.0).clamp(0.0, 255.0))
    }

    fn picture() -> impl Strategy<Value = Picture> {
        (1u32..=32, 1u32..=32).prop_flat_map(|(width, height)| {
            let bytes = Picture::bytes(width, height).unwrap();
            proptest::collection::vec(any::<u8>(), bytes).prop_map(move |data| Picture { width, height, data })
        })
    }

    fn check(input: &Input, picture: &Picture, spec: &ModelSpec) {
        for (i, value) in input.values().iter().enumerate() {
            let (plane, y, x) = (i / 1024, i / 32 % 32, i % 32);
            let inside = x < picture.width as usize && y < picture.height as usize;
            let colour = if spec.channels == ChannelOrder::Rgb { plane } else { 2 - plane };
            let raw = if inside { pixel(picture, x, y)[colour] } else { f64::from(spec.pad) };
            let want = (raw - f64::from(spec.mean[plane])) / f64::from(spec.scale[plane]);
            assert!((f64::from(*value) - want).abs() < 1e-3, "plane {plane}, {x}/{y}: {value} instead of {want}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_pixel_is_what_the_standard_says_and_nothing_of_the_last_picture_stays(
            pictures in proptest::collection::vec(picture(), 1..4), rgb: bool
        ) {
            let spec = spec(if rgb { ChannelOrder::Rgb } else { ChannelOrder::Bgr });
            let mut input = Input::new(&spec);
            prop_assert_eq!(input.shape(), [1, 3, 32, 32]);
            for picture in &pictures {
                input.fill(picture).unwrap();
                check(&input, picture, &spec);
            }
        }
    }

    #[test]
    fn filling_allocates_nothing_anew() {
        let mut input = Input::new(&spec(ChannelOrder::Bgr));
        let (at, chroma) = (input.values.as_ptr(), input.chroma[0].as_ptr());
        for side in [32, 2, 17] {
            let bytes = Picture::bytes(side, side).unwrap();
            input.fill(&Picture { width: side, height: side, data: vec![90; bytes] }).unwrap();
        }
        assert!(input.values.as_ptr() == at && input.chroma[0].as_ptr() == chroma);
    }
}
