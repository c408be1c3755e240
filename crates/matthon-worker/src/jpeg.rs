//! I420 → JPEG.
//!
//! Belongs here: the encoder and the range JPEG wants. Does not belong here: which picture, and where the bytes go.

use detect::Picture;
use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor};

/// Quality, 1 to 100: edges of a licence plate stay, the size of a sub picture is about 20 kB.
const QUALITY: u8 = 85;

/// A picture as the encoder asks for it.
struct Rows<'a> {
    picture: &'a Picture,
    planes: detect::picture::Planes<'a>,
    width: u16,
    height: u16,
    luma: [u8; 256],
    chroma: [u8; 256],
}

/// Encodes a picture; `None` when it is none, or larger than a JPEG can be.
#[must_use]
pub fn encode(picture: &Picture) -> Option<Vec<u8>> {
    let planes = picture.planes()?;
    let (width, height) = (u16::try_from(picture.width).ok()?, u16::try_from(picture.height).ok()?);
    // JPEG has full range: 16–235 and 16–240 are stretched.
    let stretch = |from: i32, span: i32, to: i32| {
        std::array::from_fn(|v| ((v as i32 - from) * 255 * 2 + span).div_euclid(2 * span).saturating_add(to).clamp(0, 255) as u8)
    };
    let rows = Rows { picture, planes, width, height, luma: stretch(16, 219, 0), chroma: stretch(128, 224, 128) };
    let mut out = Vec::with_capacity(picture.data.len() / 4);
    let mut encoder = Encoder::new(&mut out, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode_image(rows).ok()?;
    Some(out)
}

impl ImageBuffer for Rows<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let (y, width) = (usize::from(y), self.picture.width as usize);
        let row = &self.planes.y[y * width..][..width];
        buffers[0].extend(row.iter().map(|v| self.luma[usize::from(*v)]));
        // Each chroma sample stands for two pixels; the encoder takes one of both again.
        for (plane, buffer) in [self.planes.u, self.planes.v].into_iter().zip(&mut buffers[1..3]) {
            let row = &plane[y / 2 * self.planes.chroma_width..][..self.planes.chroma_width];
            buffer.extend(row.iter().flat_map(|v| [self.chroma[usize::from(*v)]; 2]).take(width));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
    use super::*;

    #[test]
    fn sizes_of_all_kinds_are_encoded() {
        for (width, height) in [(1, 1), (2, 2), (17, 9), (416, 234), (626, 360)] {
            let data = vec![128; Picture::bytes(width, height).unwrap()];
            let jpeg = encode(&Picture { width, height, data }).unwrap();
            assert_eq!((&jpeg[..2], &jpeg[jpeg.len() - 2..]), (&[0xff, 0xd8][..], &[0xff, 0xd9][..]));
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(encode(&Picture { width: 2, height: 2, data: vec![0; 5] }), None);
        assert_eq!(encode(&Picture { width: 0, height: 0, data: vec![] }), None);
        assert_eq!(encode(&Picture { width: 70_000, height: 2, data: vec![0; 210_000] }), None);
    }
}
