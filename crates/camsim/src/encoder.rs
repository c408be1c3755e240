//! One live encoder, shared by every camera stream of equal profile.
//!
//! Three threads: the *ticker* draws a picture when it is due and burns the clock in, GStreamer encodes it, the *fan*
//! hands each access unit to the camera streams. A camera stream's `phase` delays it, so that thirty cameras of one
//! encoder do not all send in the same microsecond. The encoder runs from attach to drop, watched or not, as a
//! camera's does. What a camera does with an access unit is `camera`'s business.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;

use crate::camera::Feed;
use crate::picture::Picture;
use crate::source::FrameSource;
use crate::spec::{Codec, Profile};
use crate::sps;
use crate::timeline::Timeline;
use crate::unit::AccessUnit;

/// Access units waiting for the fan; a full queue holds the encoder back.
const QUEUE: usize = 8;
/// A ticker further behind than this gives the lost pictures up.
const BEHIND: Duration = Duration::from_secs(1);
/// Forced key frames keep at least this distance, however many clients ask: thirty clients of one encoder, connecting
/// one after another, wait for thirty of them.
const FORCE_EVERY_MS: u64 = 150;

/// A running encoder.
pub(crate) struct Encoder {
    profile: Profile,
    pipeline: gst::Pipeline,
    feeds: Arc<Mutex<Vec<Weak<Feed>>>>,
    force: Arc<AtomicBool>,
    forced_ms: AtomicU64,
    stop: Arc<AtomicBool>,
    timeline: Timeline,
}

impl Encoder {
    /// Opens the source and starts encoding.
    pub(crate) fn start(profile: &Profile, timeline: &Timeline) -> Result<Self> {
        let source = FrameSource::open(&profile.source, profile.size, timeline.now())?;
        let pipeline = gst::parse::launch(&launch(profile))?.downcast::<gst::Pipeline>().map_err(|_| anyhow!("not a pipeline"))?;
        timeline.rule(&pipeline);
        let input = pipeline.by_name("in").and_then(|e| e.downcast::<gst_app::AppSrc>().ok()).context("no appsrc")?;
        let output = pipeline.by_name("out").and_then(|e| e.downcast::<gst_app::AppSink>().ok()).context("no appsink")?;
        if let Some(bus) = pipeline.bus() {
            bus.set_sync_handler(|_, message| {
                if let gst::MessageView::Error(error) = message.view() {
                    eprintln!("camsim: encoder: {} ({})", error.error(), error.debug().unwrap_or_default());
                }
                gst::BusSyncReply::Drop
            });
        }
        let (units, queue) = sync_channel(QUEUE);
        let (codec, vui) = (profile.codec, profile.vui);
        output.set_callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    let unit = read(codec, vui, &sample).ok_or(gst::FlowError::Error)?;
                    units.send(unit).map_err(|_| gst::FlowError::Eos)?;
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
        pipeline.set_state(gst::State::Playing).context("the encoder does not start")?;

        let encoder = Self {
            profile: profile.clone(),
            pipeline,
            feeds: Arc::default(),
            force: Arc::default(),
            forced_ms: AtomicU64::new(0),
            stop: Arc::default(),
            timeline: timeline.clone(),
        };
        let ticker = Ticker {
            profile: profile.clone(),
            source,
            input,
            encode: encoder.pipeline.by_name("encode").context("no encoder")?,
            force: encoder.force.clone(),
            stop: encoder.stop.clone(),
            timeline: timeline.clone(),
        };
        thread::Builder::new().name("ticker".into()).spawn(move || ticker.run())?;
        let (feeds, timeline) = (encoder.feeds.clone(), timeline.clone());
        thread::Builder::new().name("fan".into()).spawn(move || fan(&queue, &feeds, &timeline))?;
        Ok(encoder)
    }

    /// What it encodes.
    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// From the next access unit on, `feed` gets them all, for as long as it lives or until detached.
    pub(crate) fn attach(&self, feed: &Arc<Feed>) {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.retain(|f| f.strong_count() > 0);
        feeds.push(Arc::downgrade(feed));
        feeds.sort_by_key(|f| f.upgrade().map(|f| f.phase()));
    }

    /// `feed` gets nothing more.
    pub(crate) fn detach(&self, feed: &Arc<Feed>) {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner).retain(|f| !std::ptr::eq(f.as_ptr(), Arc::as_ptr(feed)));
    }

    /// Makes the next picture a key frame, unless one was forced a moment ago.
    pub(crate) fn force_key(&self) {
        let now = u64::try_from(self.timeline.now().as_millis()).unwrap_or(u64::MAX);
        let last = self.forced_ms.load(Ordering::Relaxed);
        if (last == 0 || now >= last + FORCE_EVERY_MS)
            && self.forced_ms.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.force.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The fan drops the last reference now and then: a pipeline must not be stopped from its own threads.
        self.pipeline.call_async(|pipeline| {
            let _ = pipeline.set_state(gst::State::Null);
        });
    }
}

/// The pipeline of a profile. Without B-frames everything that looks ahead is off; no scene cuts, so that a GOP is as long as asked.
fn launch(profile: &Profile) -> String {
    let Profile { codec, size, fps, gop, bframes, open_gop, bitrate, .. } = profile;
    let kbps = bitrate / 1000;
    let open = u8::from(*open_gop);
    let tune = if *bframes == 0 { "tune=zerolatency" } else { "" };
    let encode = match codec {
        Codec::H264 => format!(
            "x264enc name=encode {tune} speed-preset=superfast threads=1 bitrate={kbps} key-int-max={gop} bframes={bframes} \
             b-adapt=false rc-lookahead=0 mb-tree=false aud=false byte-stream=true \
             option-string=\"scenecut=0:keyint-min={gop}:open-gop={open}:sync-lookahead=0:b-pyramid=none\" ! \
             video/x-h264,profile=main,stream-format=byte-stream,alignment=au"
        ),
        Codec::H265 => format!(
            "x265enc name=encode {tune} speed-preset=ultrafast bitrate={kbps} key-int-max={gop} \
             option-string=\"scenecut=0:min-keyint={gop}:keyint={gop}:open-gop={open}:bframes={bframes}:b-adapt=0:b-pyramid=0:\
             rc-lookahead={}:pools=none:frame-threads=1:wpp=0:aud=0:repeat-headers=1:log-level=error\" ! \
             video/x-h265,stream-format=byte-stream,alignment=au",
            if *bframes == 0 { 0 } else { bframes + 1 }
        ),
    };
    format!(
        "appsrc name=in is-live=true format=time block=true max-buffers=2 \
         caps=video/x-raw,format=I420,width={},height={},framerate={fps}/1,pixel-aspect-ratio=1/1,interlace-mode=progressive,colorimetry=bt601 ! \
         {encode} ! appsink name=out sync=false max-buffers=4 enable-last-sample=false",
        size.width, size.height
    )
}

fn read(codec: Codec, vui: bool, sample: &gst::Sample) -> Option<AccessUnit> {
    let buffer = sample.buffer()?;
    // Encoders shift their time stamps (x264enc by 1000 hours) and their segment with them: only the running time is ours.
    let pts = sample.segment()?.downcast_ref::<gst::ClockTime>()?.to_running_time(buffer.pts()?)?;
    let mut data = buffer.map_readable().ok()?.to_vec();
    if !vui && codec == Codec::H264 {
        data = sps::without_vui(&data);
    }
    Some(AccessUnit::new(codec, data, Duration::from_nanos(pts.nseconds())))
}

/// Hands access units to the camera streams until the encoder is gone.
fn fan(queue: &Receiver<AccessUnit>, feeds: &Mutex<Vec<Weak<Feed>>>, timeline: &Timeline) {
    for unit in queue {
        let begin = timeline.now();
        let list: Vec<Weak<Feed>> = feeds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for feed in list.iter().filter_map(Weak::upgrade) {
            let due = begin + feed.phase();
            let now = timeline.now();
            if due > now && feed.watched() {
                thread::sleep(due - now);
            }
            feed.hand(&unit);
        }
    }
}

/// Draws and pushes a picture whenever one is due.
struct Ticker {
    profile: Profile,
    source: FrameSource,
    input: gst_app::AppSrc,
    encode: gst::Element,
    force: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    timeline: Timeline,
}

impl Ticker {
    fn run(mut self) {
        if let Err(error) = self.tick()
            && !self.stop.load(Ordering::Relaxed)
        {
            eprintln!("camsim: {:?} {}: {error:#}; its cameras send nothing from now on", self.profile.source, self.profile.size);
        }
    }

    fn tick(&mut self) -> Result<()> {
        let mut picture = Picture::new(self.profile.size);
        let mut slot = self.slot_at(self.timeline.now()) + 1;
        let mut number = 0u64;
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7)); // Việt Nam has one time and no summer time
        while !self.stop.load(Ordering::Relaxed) {
            let due = self.due(slot);
            let now = self.timeline.now();
            if due > now {
                thread::sleep(due - now);
            } else if now - due > BEHIND {
                slot = self.slot_at(now) + 1;
                continue;
            }
            self.source.draw(due, &mut picture)?;
            let clock = jiff::Timestamp::now().to_zoned(zone.clone());
            picture.caption(&format!("{} #{number}", clock.strftime("%Y-%m-%d %H:%M:%S.%3f")));
            if self.force.swap(false, Ordering::Relaxed) {
                self.encode.send_event(gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build());
            }
            let mut buffer = gst::Buffer::from_slice(picture.data().to_vec());
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(gst::ClockTime::from_nseconds(u64::try_from(due.as_nanos())?));
                buffer.set_duration(gst::ClockTime::from_nseconds(1_000_000_000 / u64::from(self.profile.fps)));
            }
            self.input.push_buffer(buffer).map_err(|flow| anyhow!("the encoder takes no more pictures ({flow})"))?;
            slot += 1;
            number += 1;
        }
        Ok(())
    }

    /// Time slots are counted from the server's start, so that encoders of one rate tick together.
    fn slot_at(&self, time: Duration) -> u64 {
        u64::try_from(time.as_nanos() * u128::from(self.profile.fps) / 1_000_000_000).unwrap_or(u64::MAX / 2)
    }

    fn due(&self, slot: u64) -> Duration {
        Duration::from_nanos(u64::try_from(u128::from(slot) * 1_000_000_000 / u128::from(self.profile.fps)).unwrap_or(u64::MAX))
    }
}
