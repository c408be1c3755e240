//! Access units in, pictures out, on the calling thread.
//!
//! Belongs here: one libav decoder between two pads of our own (`wired`), so that everything that happens to an access unit happens
//! inside of [`Decoder::push`] and can be noted. Does not belong here: which pictures are wanted ([`Tap`]), scaling, sockets.
//!
//! Times go through the decoder as timestamps counted from the first sample; a picture finds its capture time by them, in
//! whatever order pictures come out.

use crate::wired::Wired;
use domain::{WallTime, time::MEDIA_HZ};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video as gst_video;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vision::protocol::Codec;

/// Room below the first sample's time, 90 kHz: samples shown before the first one, and decoding times before all.
const ROOM: i64 = 10 * MEDIA_HZ;
/// Furthest a time may be from the first sample's; a clock that goes further has been set anew.
const REACH: i64 = 48 * 3600 * MEDIA_HZ;
/// Most access units on their way. No standard lets a decoder hold back more than 16 pictures.
const PENDING_MAX: usize = 64;
/// Decoding errors in a row, without a picture between them, that make a decoder give up.
const ERRORS_MAX: i32 = 8;
/// Access units without any picture, after which a stream counts as undecodable.
const SILENT_MAX: u32 = 150;

/// A decoded picture, in the decoder's own memory and format.
#[derive(Clone, Debug)]
pub struct Frame {
    /// 90 kHz, of the sample it was made from.
    pub pts: i64,
    /// Capture time of that sample.
    pub capture: WallTime,
    /// The pixels.
    pub buffer: gst::Buffer,
    /// What they are.
    pub info: gst_video::VideoInfo,
}

/// Takes pictures as they come out; called inside of [`Decoder::push`] and [`Decoder::finish`].
pub trait Tap: Send + 'static {
    /// One picture. What is not kept costs nothing more.
    fn picture(&mut self, frame: Frame);
}

/// An access unit, length-prefixed as its `avcC`/`hvcC` says.
#[derive(Debug)]
pub struct Unit {
    /// 90 kHz.
    pub pts: i64,
    /// 90 kHz.
    pub dts: i64,
    /// Comes back with the picture.
    pub capture: WallTime,
    /// Decoding may start here.
    pub random_access: bool,
    /// The bytes.
    pub data: Vec<u8>,
}

/// Why nothing more comes out of a decoder: make a new one, at a random access point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The decoder does not exist or does not take these parameters.
    #[error("no decoder takes {0}")]
    Refused(String),
    /// It gave up.
    #[error("{0}")]
    Failed(String),
    /// It takes everything and gives nothing.
    #[error("no picture came out of {0} access units")]
    Silent(u32),
    /// A presentation time is more than two days from the first one's.
    #[error("the stream's clock jumped")]
    Jumped,
}

/// How long a decoder may wait before it gives a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As little as the stream's parameters allow: for looking at what happens now.
    Prompt,
    /// As long as the standard demands: every picture comes out, in its order.
    Exact,
}

/// One decoder. It has no thread of its own.
pub struct Decoder<T: Tap> {
    wired: Wired,
    inner: Arc<Mutex<Inner<T>>>,
    first: Option<i64>,
    failing: bool,
}

struct Inner<T> {
    tap: T,
    info: Option<gst_video::VideoInfo>,
    pending: VecDeque<(i64, WallTime)>,
    first: i64,
    decoded: u64,
    silent: u32,
}

impl<T: Tap> std::fmt::Debug for Decoder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("wired", &self.wired).field("first", &self.first).finish_non_exhaustive()
    }
}

/// The media type of a stream as the core tells it.
#[must_use]
pub fn caps(codec: &Codec) -> gst::Caps {
    let (name, format) = if codec.h265 { ("video/x-h265", "hvc1") } else { ("video/x-h264", "avc") };
    let mut caps = gst::Caps::builder(name)
        .field("stream-format", format)
        .field("alignment", "au")
        .field("parsed", true)
        .field("codec_data", gst::Buffer::from_slice(codec.config.clone()));
    if let (Ok(width @ 1..), Ok(height @ 1..)) = (i32::try_from(codec.width), i32::try_from(codec.height)) {
        caps = caps.field("width", width).field("height", height);
    }
    caps.build()
}

/// The element that decodes a media type, if there is one we use.
#[must_use]
pub fn element_for(caps: &gst::CapsRef) -> Option<&'static str> {
    let s = caps.structure(0)?;
    Some(match s.name().as_str() {
        "video/x-h264" => "avdec_h264",
        "video/x-h265" => "avdec_h265",
        "video/mpeg" if s.get::<i32>("mpegversion") == Ok(4) => "avdec_mpeg4",
        "video/mpeg" => "avdec_mpeg2video",
        "video/x-vp8" => "avdec_vp8",
        "video/x-vp9" => "avdec_vp9",
        "image/jpeg" => "avdec_mjpeg",
        _ => return None,
    })
}

fn lock<T>(inner: &Mutex<Inner<T>>) -> MutexGuard<'_, Inner<T>> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Tap> Decoder<T> {
    /// Makes a decoder for a media type.
    ///
    /// # Errors
    /// [`Fault::Refused`].
    pub fn new(caps: &gst::Caps, order: Order, tap: T) -> Result<Self, Fault> {
        let what = || caps.structure(0).map_or_else(String::new, |s| s.name().to_string());
        let refused = |why: &dyn std::fmt::Display| Fault::Refused(format!("{} ({why})", what()));
        let name = element_for(caps).ok_or_else(|| Fault::Refused(what()))?;
        let element = gst::ElementFactory::make(name).build().map_err(|e| refused(&e))?;
        configure(&element, order);
        let inner = Arc::new(Mutex::new(Inner { tap, info: None, pending: VecDeque::new(), first: 0, decoded: 0, silent: 0 }));
        let wired = Wired::new(element, output(&inner), caps, "its parameters make no sense").map_err(|e| refused(&e))?;
        Ok(Self { wired, inner, first: None, failing: false })
    }

    /// Decodes one access unit; pictures that come out go to the tap before this returns.
    ///
    /// # Errors
    /// When this decoder is of no more use. Pictures that came out before stay valid.
    pub fn push(&mut self, unit: Unit) -> Result<(), Fault> {
        if self.failing {
            return Err(Fault::Failed("the decoder has failed before".to_owned()));
        }
        let first = *self.first.get_or_insert(unit.pts);
        let Some(pts) = stamp(unit.pts, first) else {
            self.failing = true;
            return Err(Fault::Jumped);
        };
        {
            let mut inner = lock(&self.inner);
            inner.first = first;
            inner.silent += 1;
            inner.pending.push_back((unit.pts, unit.capture));
            if inner.pending.len() > PENDING_MAX {
                inner.pending.pop_front();
            }
        }
        let mut buffer = gst::Buffer::from_mut_slice(unit.data);
        if let Some(b) = buffer.get_mut() {
            b.set_pts(pts);
            b.set_dts(stamp(unit.dts, first));
            if !unit.random_access {
                b.set_flags(gst::BufferFlags::DELTA_UNIT);
            }
        }
        // The lock is not held: the tap is called from in here.
        let flow = self.wired.push(buffer);
        let heard = self.wired.heard();
        let silent = lock(&self.inner).silent;
        let fault = match (flow, heard) {
            (Ok(_), None) if silent <= SILENT_MAX => return Ok(()),
            (Ok(_), None) => Fault::Silent(silent),
            (_, Some(said)) => Fault::Failed(said),
            (Err(e), None) => Fault::Failed(format!("the decoder stopped: {e}")),
        };
        self.failing = true;
        Err(fault)
    }

    /// Lets out what is held back.
    pub fn finish(&mut self) {
        if !self.failing {
            self.wired.finish();
            self.failing = true;
        }
    }

    /// Works on the tap.
    pub fn tap<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut lock(&self.inner).tap)
    }

    /// Pictures that came out since this was asked last.
    #[must_use]
    pub fn take_decoded(&self) -> u64 {
        std::mem::take(&mut lock(&self.inner).decoded)
    }
}

/// One thread, nothing broken shown, and an end to errors.
fn configure(element: &gst::Element, order: Order) {
    let has = |name: &str| element.find_property(name).is_some();
    if has("max-threads") {
        element.set_property("max-threads", 1i32);
    }
    if has("output-corrupt") {
        element.set_property("output-corrupt", false);
    }
    if has("discard-corrupted-frames") {
        element.set_property("discard-corrupted-frames", true);
    }
    if has("qos") {
        element.set_property("qos", false);
    }
    if has("max-errors") {
        element.set_property("max-errors", ERRORS_MAX);
    }
    if has("std-compliance") {
        // libav waits for the longest reordering the level allows only when it is told to be strict.
        element.set_property_from_str("std-compliance", if order == Order::Exact { "strict" } else { "normal" });
    }
}

/// A time as the decoder is told it; none when it cannot be told.
fn stamp(ticks: i64, first: i64) -> Option<gst::ClockTime> {
    let from = ticks.checked_sub(first).filter(|d| d.abs() <= REACH)?.checked_add(ROOM)?;
    let ticks = u64::try_from(from).ok()?;
    Some(gst::ClockTime::from_nseconds((ticks * 100_000 + 4) / 9))
}

/// The time as it was before [`stamp`].
fn ticks(stamp: gst::ClockTime, first: i64) -> i64 {
    let ticks = (u128::from(stamp.nseconds()) * 9 + 50_000) / 100_000;
    i64::try_from(ticks).unwrap_or(i64::MAX).saturating_sub(ROOM).saturating_add(first)
}

/// The pad that pictures come out at.
fn output<T: Tap>(inner: &Arc<Mutex<Inner<T>>>) -> gst::Pad {
    let (chain, events) = (inner.clone(), inner.clone());
    gst::Pad::builder(gst::PadDirection::Sink)
        .name("out")
        .chain_function(move |_, _, buffer| {
            lock(&chain).take(buffer);
            Ok(gst::FlowSuccess::Ok)
        })
        .event_function(move |_, _, event| {
            if let gst::EventView::Caps(caps) = event.view() {
                let info = gst_video::VideoInfo::from_caps(caps.caps()).ok();
                let known = info.is_some();
                lock(&events).info = info;
                return known;
            }
            true
        })
        .query_function(|pad, parent, query| {
            if let gst::QueryViewMut::Allocation(allocation) = query.view_mut() {
                // Without this the decoder copies each picture into memory without padding.
                allocation.add_allocation_meta::<gst_video::VideoMeta>(None);
                return true;
            }
            gst::Pad::query_default(pad, parent, query)
        })
        .build()
}

impl<T: Tap> Inner<T> {
    fn take(&mut self, buffer: gst::Buffer) {
        self.decoded += 1;
        self.silent = 0;
        let Some(info) = self.info.clone() else { return };
        let Some(pts) = buffer.pts().map(|stamp| ticks(stamp, self.first)) else { return };
        // Fields of one picture, or a stamp the decoder made up, find the nearest.
        let nearest = self.pending.iter().enumerate().min_by_key(|(_, (p, _))| p.abs_diff(pts)).map(|(n, _)| n);
        let Some((pts, capture)) = nearest.and_then(|n| self.pending.remove(n)) else { return };
        self.tap.picture(Frame { pts, capture, buffer, info });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn times_come_back_as_they_went(first: i64, ahead in -ROOM..REACH) {
            prop_assume!(first.checked_add(ahead).is_some());
            let there = stamp(first + ahead, first);
            prop_assert_eq!(there.map(|s| ticks(s, first)), Some(first + ahead));
        }

        #[test]
        fn any_time_is_taken_or_refused(first: i64, at: i64) {
            let _ = stamp(at, first);
        }
    }
}
