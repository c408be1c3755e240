//! Pictures of any kind, format and size onto a canvas of one size, in their shape.
//!
//! Belongs here: converting and scaling into memory that the encoder takes. Does not belong here: what is painted on it.

use super::mark::Planes;
use crate::{decode::Frame, wired};
use domain::{geometry::Point, mask::Mask};
use gstreamer as gst;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;

/// I420 of one size. What comes is scaled to it whole; black around it where its shape is another.
#[derive(Debug)]
pub struct Canvas {
    info: gst_video::VideoInfo,
    converter: Option<(gst_video::VideoInfo, gst_video::VideoConverter)>,
}

impl Canvas {
    /// Of an even size, in the colours of a picture.
    ///
    /// # Errors
    /// In one sentence, when there can be none.
    pub fn new((width, height): (u32, u32), like: &Frame) -> Result<Self, String> {
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, width, height)
            .colorimetry(&like.info.colorimetry())
            // Pictures come when they come.
            .fps(gst::Fraction::new(0, 1))
            .build()
            .map_err(|e| wired::one_line(&e.message))?;
        Ok(Self { info, converter: None })
    }

    /// What it is.
    #[must_use]
    pub fn info(&self) -> &gst_video::VideoInfo {
        &self.info
    }

    /// What masks of a picture are on the canvas, whatever the picture's shape.
    #[must_use]
    pub fn masks(&self, of: &Frame, masks: &[Mask]) -> Vec<Mask> {
        let (x, y, w, h) = place(&of.info, &self.info);
        let moved = |at: f64, from: u32, len: u32, all: u32| (f64::from(from) + at * f64::from(len)) / f64::from(all.max(1));
        let corner = |p: &Point| Point::from([moved(p.x, x, w, self.info.width()), moved(p.y, y, h, self.info.height())]);
        masks.iter().map(|mask| mask.iter().map(corner).collect()).collect()
    }

    /// A picture on a canvas of its own, on which something is painted.
    ///
    /// # Errors
    /// In one sentence, when the library cannot convert it.
    pub fn draw(&mut self, frame: &Frame, paint: impl FnOnce(&mut Planes<'_>)) -> Result<gst::Buffer, String> {
        let fail = |e: gst::glib::BoolError| wired::one_line(&e.message);
        if self.converter.as_ref().is_none_or(|(info, _)| *info != frame.info) {
            self.converter = Some((frame.info.clone(), converter(&frame.info, &self.info).map_err(fail)?));
        }
        let Some((_, converter)) = &self.converter else { return Err("there is no converter".into()) };
        let source = gst_video::VideoFrameRef::from_buffer_ref_readable(&frame.buffer, &frame.info).map_err(fail)?;
        let mut picture = gst::Buffer::with_size(self.info.size()).map_err(fail)?;
        {
            let memory = picture.get_mut().ok_or("its memory is shared")?;
            let mut out = gst_video::VideoFrameRef::from_buffer_ref_writable(memory, &self.info).map_err(fail)?;
            converter.frame_ref(&source, &mut out);
            let strides: Vec<usize> = out.plane_stride().iter().map(|s| usize::try_from(*s).unwrap_or(0)).collect();
            let data = out.planes_data_mut();
            let mut planes = data.into_iter().zip(strides);
            let (Some(luma), Some(blue), Some(red)) = (planes.next(), planes.next(), planes.next()) else {
                return Err("a picture has no three planes".into());
            };
            let size = (self.info.width() as usize, self.info.height() as usize);
            paint(&mut Planes { planes: [luma, blue, red], size });
        }
        Ok(picture)
    }
}

/// Where pictures of a size lie on a canvas: from the left, from the top, width and height, all even.
fn place(from: &gst_video::VideoInfo, canvas: &gst_video::VideoInfo) -> (u32, u32, u32, u32) {
    let (all_w, all_h) = (canvas.width(), canvas.height());
    let shape = |w: u32, h: u32| f64::from(w) / f64::from(h.max(1));
    // Cut to even sizes, or by rounding, the shape is still the same.
    if (shape(from.width(), from.height()) / shape(all_w, all_h) - 1.0).abs() <= 0.02 {
        return (0, 0, all_w, all_h);
    }
    let (width, height) = (u64::from(from.width().max(2)), u64::from(from.height().max(2)));
    let (w, h) = (u64::from(all_w), u64::from(all_h));
    let (w, h) = if width * h >= height * w { (w, height * w / width) } else { (width * h / height, h) };
    let even = |v: u64| u32::try_from((v / 2 * 2).max(2)).unwrap_or(2);
    let (w, h) = (even(w), even(h));
    (all_w.saturating_sub(w) / 4 * 2, all_h.saturating_sub(h) / 4 * 2, w, h)
}

/// From pictures of one kind onto the canvas: whole, in their shape, black around them.
fn converter(from: &gst_video::VideoInfo, canvas: &gst_video::VideoInfo) -> Result<gst_video::VideoConverter, gst::glib::BoolError> {
    let mut config = gst_video::VideoConverterConfig::new();
    config.set_resampler_method(gst_video::VideoResamplerMethod::Linear);
    config.set_threads(1);
    let (x, y, w, h) = place(from, canvas);
    if (w, h) != (canvas.width(), canvas.height()) {
        let signed = |v: u32| i32::try_from(v).unwrap_or(2);
        config.set_dest_x(signed(x));
        config.set_dest_y(signed(y));
        config.set_dest_width(Some(signed(w)));
        config.set_dest_height(Some(signed(h)));
        config.set_fill_border(true);
        config.set_border_argb(0xff00_0000);
    }
    // Of the rate, and of fields, the converter wants to hear that they stay.
    let to = gst_video::VideoInfo::builder(canvas.format(), canvas.width(), canvas.height())
        .fps(from.fps())
        .interlace_mode(from.interlace_mode())
        .colorimetry(&canvas.colorimetry())
        .build()?;
    gst_video::VideoConverter::new(from, &to, Some(config))
}
