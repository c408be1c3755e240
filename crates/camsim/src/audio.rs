//! One live audio encoder a codec, shared by every camera with that sound: a quiet tick each second.
//!
//! Sessions and faults are `camera`'s business.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context, Result, anyhow};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use crate::camera::Feed;
use crate::spec::Audio;
use crate::timeline::Timeline;

/// A running audio encoder.
pub(crate) struct AudioEncoder {
    pipeline: gst::Pipeline,
    feeds: Arc<Mutex<Vec<Weak<Feed>>>>,
}

impl AudioEncoder {
    /// Starts ticking.
    pub(crate) fn start(audio: Audio, timeline: &Timeline) -> Result<Self> {
        let (rate, samples, encode) = match audio {
            Audio::Aac => (16_000, 1024, "avenc_aac bitrate=32000 ! aacparse ! audio/mpeg,mpegversion=4,stream-format=raw"),
            Audio::Pcma => (8_000, 320, "alawenc"),
            Audio::Pcmu => (8_000, 320, "mulawenc"),
        };
        let pipeline = gst::parse::launch(&format!(
            "audiotestsrc is-live=true wave=ticks volume=0.3 samplesperbuffer={samples} ! \
             audio/x-raw,rate={rate},channels=1 ! audioconvert ! {encode} ! \
             appsink name=out sync=false max-buffers=8 enable-last-sample=false"
        ))?
        .downcast::<gst::Pipeline>()
        .map_err(|_| anyhow!("not a pipeline"))?;
        timeline.rule(&pipeline);
        let feeds: Arc<Mutex<Vec<Weak<Feed>>>> = Arc::default();
        let listeners = feeds.clone();
        let output = pipeline.by_name("out").and_then(|e| e.downcast::<gst_app::AppSink>().ok()).context("no appsink")?;
        output.set_callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    hand(&sample, &listeners);
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
        pipeline.set_state(gst::State::Playing).context("the audio encoder does not start")?;
        Ok(Self { pipeline, feeds })
    }

    /// From now on `feed` gets the sound.
    pub(crate) fn attach(&self, feed: &Arc<Feed>) {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(feed));
    }
}

fn hand(sample: &gst::Sample, feeds: &Mutex<Vec<Weak<Feed>>>) {
    let (Some(mut buffer), Some(caps)) = (sample.buffer_owned(), sample.caps_owned()) else { return };
    let running = sample.segment().and_then(|s| s.downcast_ref::<gst::ClockTime>()?.to_running_time(buffer.pts()?));
    // What the encoder says of before the beginning (its priming) has no place on the timeline.
    let Some(running) = running else { return };
    let timed = buffer.make_mut();
    timed.set_pts(running);
    timed.set_dts(gst::ClockTime::NONE);
    let list: Vec<Weak<Feed>> = feeds.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for feed in list.iter().filter_map(Weak::upgrade) {
        feed.hand_audio(&buffer, &caps);
    }
}

impl Drop for AudioEncoder {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
