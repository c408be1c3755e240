//! A small picture, and how large it has to be.
//!
//! Belongs here: I420 pictures and the size a decoder should scale to. Does not belong here: scaling itself (the decoder does
//! it on the way) or tensors (see [`crate::tensor`]).

/// A picture as a decoder gives it: I420 (planes Y, U, V; U and V of half the size, rounded up), BT.601, limited range,
/// rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// [`Picture::bytes`] of them.
    pub data: Vec<u8>,
}

/// The planes of a [`Picture`].
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Luma, `width` × `height`.
    pub y: &'a [u8],
    /// Blue difference, `chroma_width` a row.
    pub u: &'a [u8],
    /// Red difference.
    pub v: &'a [u8],
    /// Bytes in a row of `u` and `v`.
    pub chroma_width: usize,
}

impl Picture {
    /// Bytes of a picture of that size; `None` when no picture is that large.
    #[must_use]
    pub fn bytes(width: u32, height: u32) -> Option<usize> {
        let luma = (width as usize).checked_mul(height as usize)?;
        let chroma = (width.div_ceil(2) as usize).checked_mul(height.div_ceil(2) as usize)?;
        luma.checked_add(chroma.checked_mul(2)?)
    }

    /// Its planes; `None` when its bytes do not fit its size, or it has none.
    #[must_use]
    pub fn planes(&self) -> Option<Planes<'_>> {
        if self.width == 0 || self.height == 0 || self.data.len() != Self::bytes(self.width, self.height)? {
            return None;
        }
        let luma = self.width as usize * self.height as usize;
        let chroma_width = self.width.div_ceil(2) as usize;
        let (y, chroma) = self.data.split_at(luma);
        let (u, v) = chroma.split_at(chroma.len() / 2);
        Some(Planes { y, u, v, chroma_width })
    }
}

/// The size a picture has to be scaled to so that it just fits into the model's input: the same aspect, even sizes (I420
/// has no half chroma samples then), at least 2×2. Small pictures are scaled up: that is how the models were trained.
#[must_use]
pub fn fit(input: (u32, u32), picture: (u32, u32)) -> (u32, u32) {
    let (input_width, input_height) = (u64::from(input.0), u64::from(input.1));
    let (width, height) = (u64::from(picture.0.max(1)), u64::from(picture.1.max(1)));
    // The nearest even size, by integers: 2·round(size / 2).
    let even = |length: u64, by: u64, over: u64, most: u64| {
        let size = (length * by + over) / (2 * over) * 2;
        u32::try_from(size.min(most / 2 * 2).max(2)).unwrap_or(u32::MAX)
    };
    if width * input_height >= height * input_width {
        (even(width, input_width, width, input_width), even(height, input_width, width, input_height))
    } else {
        (even(width, input_height, height, input_width), even(height, input_height, height, input_height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_pictures_fit() {
        assert_eq!(fit((416, 416), (640, 360)), (416, 234));
        assert_eq!(fit((416, 416), (640, 352)), (416, 228));
        assert_eq!(fit((416, 416), (626, 360)), (416, 240));
        assert_eq!(fit((416, 416), (352, 288)), (416, 340));
        assert_eq!(fit((416, 416), (360, 640)), (234, 416));
        assert_eq!(fit((640, 384), (640, 360)), (640, 360));
        assert_eq!(fit((416, 416), (0, 0)), (416, 416));
        assert_eq!(fit((416, 416), (u32::MAX, 1)), (416, 2));
    }

    #[test]
    fn planes_are_told_apart() {
        let p = Picture { width: 3, height: 3, data: [vec![1; 9], vec![2; 4], vec![3; 4]].concat() };
        let planes = p.planes().unwrap();
        assert!(planes.y == [1; 9] && planes.u == [2; 4] && planes.v == [3; 4] && planes.chroma_width == 2);
        assert!(Picture { data: vec![0; 16], ..p.clone() }.planes().is_none());
        assert!(Picture { width: 0, height: 0, data: vec![] }.planes().is_none());
        assert!(Picture { width: u32::MAX, height: u32::MAX, ..p }.planes().is_none());
    }

    proptest! {
        #[test]
        fn every_picture_fits(iw in 1u32..64, ih in 1u32..64, w in 1u32..10_000, h in 1u32..10_000) {
            let (iw, ih) = (iw * 32, ih * 32);
            let (fw, fh) = fit((iw, ih), (w, h));
            prop_assert!(fw % 2 == 0 && fh % 2 == 0 && fw >= 2 && fh >= 2 && fw <= iw && fh <= ih);
            prop_assert!(fw == iw || fh == ih);
            // never more than a pixel away from the true aspect
            let scale = (f64::from(iw) / f64::from(w)).min(f64::from(ih) / f64::from(h));
            prop_assert!((f64::from(fw) - f64::from(w) * scale).abs() <= 2.0 && (f64::from(fh) - f64::from(h) * scale).abs() <= 2.0);
        }
    }
}
