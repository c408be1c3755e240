//! Raw pictures in, H.264 access units out, on the calling thread.
//!
//! Belongs here: one x264 encoder between two pads of our own, as the decoder is called. Does not belong here: what is on the
//! pictures, where they go.
//!
//! Without B-frames: units come out in the order pictures went in, so that times are the caller's business alone.

use crate::wired::{Wired, one_line};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video as gst_video;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Quality: x264's constant rate factor; 23 is its own default, which eyes find close to the original.
const QUALITY: u32 = 23;
/// Pictures between key frames at most: a player jumps to within some seconds.
const KEY_EVERY: u32 = 60;
/// The rate holds over so many milliseconds.
const VBV: u32 = 2000;
/// The same of what is watched as it happens.
const LIVE_VBV: u32 = 1000;
/// What is watched as it happens: the level that every TV's decoder takes, and key frames where they are due, nowhere else.
const LIVE: &str = "level=4.1:scenecut=0";

/// One encoder. It has no thread of its own.
pub struct Encoder {
    wired: Wired,
    out: Arc<Mutex<Out>>,
}

/// One encoded picture.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Decoding may start here.
    pub random_access: bool,
    /// Length-prefixed NAL units.
    pub buffer: gst::Buffer,
}

#[derive(Default)]
struct Out {
    config: Option<Vec<u8>>,
    units: VecDeque<Encoded>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("wired", &self.wired).finish_non_exhaustive()
    }
}

fn lock(out: &Mutex<Out>) -> MutexGuard<'_, Out> {
    out.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Encoder {
    /// For pictures of this kind (I420, even sizes), at most so many kbit/s.
    ///
    /// # Errors
    /// In one sentence, when there is no encoder or it does not take such pictures.
    pub fn new(info: &gst_video::VideoInfo, kbit: u32) -> Result<Self, String> {
        let element = element(kbit)?;
        element.set_property_from_str("speed-preset", "veryfast");
        element.set_property("vbv-buf-capacity", VBV);
        element.set_property("key-int-max", KEY_EVERY);
        Self::wire(element, info)
    }

    /// The same for what is watched as it happens: nothing is held back, a key frame every so many pictures, level 4.1.
    ///
    /// # Errors
    /// As [`Encoder::new`].
    pub fn live(info: &gst_video::VideoInfo, kbit: u32, gop: u32) -> Result<Self, String> {
        let element = element(kbit)?;
        element.set_property_from_str("tune", "zerolatency");
        element.set_property_from_str("speed-preset", "superfast");
        element.set_property("vbv-buf-capacity", LIVE_VBV);
        element.set_property("key-int-max", gop);
        element.set_property("option-string", LIVE);
        Self::wire(element, info)
    }

    fn wire(element: gst::Element, info: &gst_video::VideoInfo) -> Result<Self, String> {
        let refused = |why: &dyn std::fmt::Display| format!("the encoder x264 does not start ({})", one_line(&why.to_string()));
        let out = Arc::new(Mutex::new(Out::default()));
        let caps = info.to_caps().map_err(|e| refused(&e))?;
        let wired = Wired::new(element, output(&out), &caps, "it does not take such pictures").map_err(|e| refused(&e))?;
        Ok(Self { wired, out })
    }

    /// Encodes one picture, shown so many µs after the first. Units that come out wait for [`Encoder::take`].
    ///
    /// # Errors
    /// What the encoder says; it is of no more use then.
    pub fn push(&self, mut picture: gst::Buffer, micros: u64) -> Result<(), String> {
        if let Some(b) = picture.get_mut() {
            b.set_pts(gst::ClockTime::from_useconds(micros));
        }
        let flow = self.wired.push(picture);
        match (self.wired.heard(), flow) {
            (Some(said), _) => Err(said),
            (None, Err(e)) => Err(format!("the encoder stopped: {e}")),
            (None, Ok(_)) => Ok(()),
        }
    }

    /// Makes the next picture a key frame, before it would be one.
    pub fn begin_anew(&self) {
        self.wired.tell(gst_video::DownstreamForceKeyUnitEvent::builder().all_headers(true).build());
    }

    /// Lets out what is held back.
    pub fn finish(&self) {
        self.wired.finish();
    }

    /// The body of `avcC`, once it is known.
    #[must_use]
    pub fn config(&self) -> Option<Vec<u8>> {
        lock(&self.out).config.clone()
    }

    /// The next unit that came out.
    #[must_use]
    pub fn take(&self) -> Option<Encoded> {
        lock(&self.out).units.pop_front()
    }
}

/// What all encoders have in common.
fn element(kbit: u32) -> Result<gst::Element, String> {
    let element = gst::ElementFactory::make("x264enc")
        .build()
        .map_err(|_| "the encoder x264enc is missing: install the package gstreamer1.0-plugins-ugly".to_owned())?;
    element.set_property_from_str("pass", "qual");
    element.set_property("quantizer", QUALITY);
    element.set_property("bitrate", kbit.clamp(100, 100_000));
    element.set_property("bframes", 0u32);
    // It makes way: detection and recording have the other cores.
    element.set_property("threads", 1u32);
    element.set_property("sync-lookahead", 0i32);
    element.set_property("qos", false);
    Ok(element)
}

/// The pad that units come out at; its caps choose the form.
fn output(out: &Arc<Mutex<Out>>) -> gst::Pad {
    let (chain, events) = (out.clone(), out.clone());
    let wanted = gst::Caps::builder("video/x-h264").field("stream-format", "avc").field("alignment", "au").field("profile", "high").build();
    gst::Pad::builder(gst::PadDirection::Sink)
        .name("out")
        .chain_function(move |_, _, buffer| {
            let random_access = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
            lock(&chain).units.push_back(Encoded { random_access, buffer });
            Ok(gst::FlowSuccess::Ok)
        })
        .event_function(move |_, _, event| {
            if let gst::EventView::Caps(caps) = event.view() {
                let data = caps.caps().structure(0).and_then(|s| s.get::<gst::Buffer>("codec_data").ok());
                lock(&events).config = data.and_then(|b| b.map_readable().ok().map(|m| m.to_vec()));
            }
            true
        })
        .query_function(move |pad, parent, query| {
            if let gst::QueryViewMut::Caps(q) = query.view_mut() {
                let result = q.filter().map_or_else(|| wanted.clone(), |f| f.intersect_with_mode(&wanted, gst::CapsIntersectMode::First));
                q.set_result(&result);
                return true;
            }
            gst::Pad::query_default(pad, parent, query)
        })
        .build()
}
