//! Decoded pictures → small I420.
//!
//! Belongs here: scaling, and making one range and one matrix of all there are: BT.601, limited range, as [`Picture`] says.
//! Does not belong here: the size (`detect::fit`), which pictures (see [`crate::grid`]).

use crate::decode::Frame;
use detect::Picture;
use gstreamer as gst;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;

/// Scales pictures of one kind to one size.
#[derive(Debug)]
pub struct Scaler {
    from: gst_video::VideoInfo,
    to: gst_video::VideoInfo,
    converter: gst_video::VideoConverter,
    /// The source has full range, and the converter does not look at ranges when the matrix is the same.
    full_range: bool,
    /// The source has the matrix of high definition. The converter would take that along on the large picture, pixel by
    /// pixel, at the price of a decoded picture; on the small one it costs next to nothing.
    bt709: bool,
}

/// A picture that cannot be scaled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a picture of {format} {width}×{height} cannot be scaled: {reason}")]
pub struct ScaleError {
    format: String,
    width: u32,
    height: u32,
    reason: String,
}

impl Scaler {
    /// For pictures like this one.
    ///
    /// # Errors
    /// When the library cannot convert them.
    pub fn new(from: &gst_video::VideoInfo, size: (u32, u32)) -> Result<Self, ScaleError> {
        let fail = |e: &gst::glib::BoolError| ScaleError::new(from, &e.message);
        let range = if from.is_yuv() { from.colorimetry().range() } else { gst_video::VideoColorRange::Range16_235 };
        let bt709 = from.is_yuv() && from.colorimetry().matrix() == gst_video::VideoColorMatrix::Bt709;
        let colorimetry = gst_video::VideoColorimetry::new(
            range,
            if bt709 { gst_video::VideoColorMatrix::Bt709 } else { gst_video::VideoColorMatrix::Bt601 },
            from.colorimetry().transfer(),
            from.colorimetry().primaries(),
        );
        let to = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, size.0, size.1)
            .fps(from.fps())
            .interlace_mode(from.interlace_mode())
            .colorimetry(&colorimetry)
            .build()
            .map_err(|e| fail(&e))?;
        let mut config = gst_video::VideoConverterConfig::new();
        config.set_resampler_method(gst_video::VideoResamplerMethod::Linear);
        config.set_threads(1);
        let converter = gst_video::VideoConverter::new(from, &to, Some(config)).map_err(|e| fail(&e))?;
        Ok(Self { from: from.clone(), to, converter, full_range: range == gst_video::VideoColorRange::Range0_255, bt709 })
    }

    /// Whether this scaler is right for a picture.
    #[must_use]
    pub fn fits(&self, info: &gst_video::VideoInfo, size: (u32, u32)) -> bool {
        self.from == *info && (self.to.width(), self.to.height()) == size
    }

    /// Scales one picture.
    ///
    /// # Errors
    /// When its memory is not what it says it is.
    pub fn scale(&self, frame: &Frame) -> Result<Picture, ScaleError> {
        let fail = |reason: &str| ScaleError::new(&self.from, reason);
        let source = gst_video::VideoFrameRef::from_buffer_ref_readable(&frame.buffer, &self.from).map_err(|e| fail(&e.message))?;
        let mut memory = gst::Buffer::with_size(self.to.size()).map_err(|e| fail(&e.message))?;
        let target = memory.get_mut().ok_or_else(|| fail("its memory is shared"))?;
        let mut out = gst_video::VideoFrameRef::from_buffer_ref_writable(target, &self.to).map_err(|e| fail(&e.message))?;
        self.converter.frame_ref(&source, &mut out);
        let (width, height) = (self.to.width(), self.to.height());
        let mut data = Vec::with_capacity(Picture::bytes(width, height).unwrap_or(0));
        for (plane, (w, h)) in [(width, height), half(width, height), half(width, height)].into_iter().enumerate() {
            let stride = usize::try_from(out.plane_stride()[plane]).map_err(|_| fail("a row goes backwards"))?.max(1);
            let bytes = out.plane_data(plane as u32).map_err(|e| fail(&e.message))?;
            for row in bytes.chunks(stride).take(h as usize) {
                data.extend_from_slice(row.get(..w as usize).ok_or_else(|| fail("a row is short"))?);
            }
        }
        let mut picture = Picture { width, height, data };
        if self.full_range {
            limit(&mut picture);
        }
        if self.bt709 {
            rematrix(&mut picture);
        }
        if picture.planes().is_some() { Ok(picture) } else { Err(fail("a plane is short")) }
    }
}

/// Scales a picture that is I420 already.
///
/// # Errors
/// When it is no picture.
pub fn picture(picture: &Picture, size: (u32, u32)) -> Result<Picture, ScaleError> {
    let frame = frame(picture)?;
    Scaler::new(&frame.info, size)?.scale(&frame)
}

/// A picture as a decoder would have given it.
///
/// # Errors
/// When it is no picture.
pub fn frame(picture: &Picture) -> Result<Frame, ScaleError> {
    let refused = |reason: &str| ScaleError { format: "I420".into(), width: picture.width, height: picture.height, reason: reason.into() };
    picture.planes().ok_or_else(|| refused("its bytes do not fit its size"))?;
    let colorimetry = gst_video::VideoColorimetry::new(
        gst_video::VideoColorRange::Range16_235,
        gst_video::VideoColorMatrix::Bt601,
        gst_video::VideoTransferFunction::Unknown,
        gst_video::VideoColorPrimaries::Unknown,
    );
    let (width, luma) = (picture.width, picture.width as usize * picture.height as usize);
    let (chroma_width, chroma_height) = half(picture.width, picture.height);
    let chroma = chroma_width as usize * chroma_height as usize;
    let signed = |v: u32| i32::try_from(v).unwrap_or(i32::MAX);
    // The rows are tight, which is not what the library would assume.
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, width, picture.height)
        .offset(&[0, luma, luma + chroma])
        .stride(&[signed(width), signed(chroma_width), signed(chroma_width)])
        .size(picture.data.len())
        .colorimetry(&colorimetry)
        .build()
        .map_err(|e| refused(&e.message))?;
    let buffer = gst::Buffer::from_slice(picture.data.clone());
    Ok(Frame { pts: 0, capture: domain::WallTime(0), buffer, info })
}

impl ScaleError {
    fn new(from: &gst_video::VideoInfo, reason: &str) -> Self {
        Self { format: from.name().to_owned(), width: from.width(), height: from.height(), reason: crate::wired::one_line(reason) }
    }
}

fn half(width: u32, height: u32) -> (u32, u32) {
    (width.div_ceil(2), height.div_ceil(2))
}

/// 0–255 → 16–235 (luma), 16–240 (chroma).
fn limit(picture: &mut Picture) {
    let luma: Vec<u8> = (0..=255u32).map(|v| ((v * 219 + 127) / 255 + 16) as u8).collect();
    let chroma: Vec<u8> = (0..=255i32).map(|v| (((v - 128) * 224).div_euclid(255) + 128) as u8).collect();
    let split = (picture.width as usize * picture.height as usize).min(picture.data.len());
    let (y, uv) = picture.data.split_at_mut(split);
    y.iter_mut().for_each(|v| *v = luma[usize::from(*v)]);
    uv.iter_mut().for_each(|v| *v = chroma[usize::from(*v)]);
}

/// BT.709 → BT.601, both limited: with the luma weights of both, `Y' = Y + 0.1016 U + 0.1961 V`, `U' = 0.9899 U - 0.1107 V`,
/// `V' = 0.9834 V - 0.0725 U`, around 128. In 1/65536.
fn rematrix(picture: &mut Picture) {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let split = (width * height).min(picture.data.len());
    let (luma, chroma) = picture.data.split_at_mut(split);
    let (us, vs) = chroma.split_at_mut(chroma.len() / 2);
    let chroma_width = width.div_ceil(2).max(1);
    let clamp = |v: i32| v.clamp(0, 255) as u8;
    let mut shift = vec![0i32; chroma_width];
    for ((us, vs), rows) in us.chunks_mut(chroma_width).zip(vs.chunks_mut(chroma_width)).zip(luma.chunks_mut(2 * width.max(1))) {
        for ((blue, red), shift) in us.iter_mut().zip(vs.iter_mut()).zip(&mut shift) {
            let (u, v) = (i32::from(*blue) - 128, i32::from(*red) - 128);
            *shift = (6657 * u + 12_850 * v + 32_768) >> 16;
            *blue = clamp(((64_871 * u - 7252 * v + 32_768) >> 16) + 128);
            *red = clamp(((64_448 * v - 4748 * u + 32_768) >> 16) + 128);
        }
        for row in rows.chunks_mut(width.max(1)) {
            for (pixels, shift) in row.chunks_mut(2).zip(&shift) {
                pixels.iter_mut().for_each(|y| *y = clamp(i32::from(*y) + shift));
            }
        }
    }
}

/// Keeps the scaler of the last picture, and makes another only when pictures change.
#[derive(Debug, Default)]
pub struct Scaling {
    scaler: Option<Scaler>,
}

impl Scaling {
    /// Scales to a size.
    ///
    /// # Errors
    /// As [`Scaler::new`] and [`Scaler::scale`].
    pub fn to(&mut self, frame: &Frame, size: (u32, u32)) -> Result<Picture, ScaleError> {
        if self.scaler.as_ref().is_none_or(|s| !s.fits(&frame.info, size)) {
            self.scaler = Some(Scaler::new(&frame.info, size)?);
        }
        match &self.scaler {
            Some(scaler) => scaler.scale(frame),
            None => Err(ScaleError::new(&frame.info, "there is no scaler")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
    use super::*;

    fn frame(width: u32, height: u32, format: gst_video::VideoFormat, range: gst_video::VideoColorRange, value: u8) -> Frame {
        gst::init().unwrap();
        let colorimetry = gst_video::VideoColorimetry::new(
            range,
            gst_video::VideoColorMatrix::Bt601,
            gst_video::VideoTransferFunction::Bt709,
            gst_video::VideoColorPrimaries::Bt709,
        );
        let info = gst_video::VideoInfo::builder(format, width, height).colorimetry(&colorimetry).build().unwrap();
        let buffer = gst::Buffer::from_mut_slice(vec![value; info.size()]);
        Frame { pts: 0, capture: domain::WallTime(0), buffer, info }
    }

    #[test]
    fn pictures_become_small_and_tight() {
        use gst_video::{VideoColorRange as R, VideoFormat as F};
        for (width, height, format, value) in
            [(626, 360, F::I420, 100), (640, 360, F::Nv12, 90), (637, 361, F::Y42b, 77), (352, 288, F::I420, 50)]
        {
            let frame = frame(width, height, format, R::Range16_235, value);
            let size = detect::fit((416, 416), (width, height));
            let picture = Scaling::default().to(&frame, size).unwrap();
            assert_eq!((picture.width, picture.height), size);
            assert!(picture.data.iter().all(|v| *v == value), "{width}×{height} {format:?}");
        }
    }

    #[test]
    fn full_range_becomes_limited() {
        for (value, luma) in [(0, 16), (255, 235), (128, 126)] {
            let frame = frame(64, 64, gst_video::VideoFormat::I420, gst_video::VideoColorRange::Range0_255, value);
            let picture = Scaling::default().to(&frame, (32, 32)).unwrap();
            assert_eq!(picture.data[100], luma);
        }
    }

    #[test]
    fn high_definition_gets_the_colours_the_library_would_give() {
        gst::init().unwrap();
        let colours = |matrix| {
            use gst_video::{VideoColorPrimaries, VideoColorRange, VideoColorimetry, VideoTransferFunction};
            VideoColorimetry::new(VideoColorRange::Range16_235, matrix, VideoTransferFunction::Bt709, VideoColorPrimaries::Bt709)
        };
        let info =
            |matrix| gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, 64, 64).colorimetry(&colours(matrix)).build().unwrap();
        let (from, to) = (info(gst_video::VideoColorMatrix::Bt709), info(gst_video::VideoColorMatrix::Bt601));
        for (y, u, v) in [(60, 90, 200), (120, 128, 128), (170, 160, 100), (90, 60, 90), (100, 150, 150)] {
            let mut bytes = vec![y; 64 * 64];
            bytes.extend(vec![u; 32 * 32]);
            bytes.extend(vec![v; 32 * 32]);
            let buffer = gst::Buffer::from_mut_slice(bytes);
            let frame = Frame { pts: 0, capture: domain::WallTime(0), buffer: buffer.clone(), info: from.clone() };
            let ours = Scaling::default().to(&frame, (64, 64)).unwrap();
            let source = gst_video::VideoFrame::from_buffer_readable(buffer, &from).unwrap();
            let mut theirs = gst_video::VideoFrame::from_buffer_writable(gst::Buffer::with_size(to.size()).unwrap(), &to).unwrap();
            gst_video::VideoConverter::new(&from, &to, None).unwrap().frame(&source, &mut theirs);
            let middle = |plane: u32, at: usize| i32::from(theirs.plane_data(plane).unwrap()[at]);
            for (ours, theirs) in [(0, middle(0, 2080)), (4096, middle(1, 528)), (5120, middle(2, 528))]
                .map(|(at, t)| (i32::from(ours.data[at + if at == 0 { 2080 } else { 528 }]), t))
            {
                assert!((ours - theirs).abs() <= 2, "{y} {u} {v}: {ours} instead of {theirs}");
            }
        }
    }

    #[test]
    fn a_change_of_format_makes_another_scaler() {
        let mut scaling = Scaling::default();
        let limited = gst_video::VideoColorRange::Range16_235;
        let first = frame(640, 360, gst_video::VideoFormat::I420, limited, 20);
        assert_eq!(scaling.to(&first, (416, 234)).unwrap().width, 416);
        let second = frame(352, 288, gst_video::VideoFormat::I420, limited, 20);
        assert_eq!(scaling.to(&second, (416, 340)).unwrap().height, 340);
    }

    #[test]
    fn a_short_buffer_is_refused() {
        let mut frame = frame(64, 64, gst_video::VideoFormat::I420, gst_video::VideoColorRange::Range16_235, 1);
        frame.buffer = gst::Buffer::from_mut_slice(vec![0; 100]);
        assert!(Scaling::default().to(&frame, (32, 32)).is_err());
    }
}
