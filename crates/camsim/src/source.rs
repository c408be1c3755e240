//! Where an encoder's pictures come from: the plain scene, a drawn street, or a video file decoded in a loop.
//!
//! Asked for "the picture at this time", so that main and sub stream of one source show the same moment however
//! long the server runs. No encoding here.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use camsim::streets::draw::Painter;
use camsim::streets::street::Street;
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use crate::picture::Picture;
use crate::scene::Scene;
use crate::spec::{Size, Source};
use crate::studio;

/// Pictures waiting between decoder and encoder: bridges the seek back to the beginning.
const AHEAD: usize = 6;
/// A file that gives no picture for so long is broken.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// An open source of one size.
pub(crate) enum FrameSource {
    Scene(Scene),
    Street(Box<(Street, Painter)>),
    File(Looped),
}

impl FrameSource {
    /// Opens a source for pictures from `from` on.
    pub(crate) fn open(source: &Source, size: Size, from: Duration) -> Result<Self> {
        Ok(match source {
            Source::Scene(variant) => Self::Scene(Scene::new(*variant, size)),
            Source::Street(scenario, seed) => {
                let (_, street) = studio::street(scenario, *seed)?;
                let painter = street.painter(size.width as usize, size.height as usize);
                Self::Street(Box::new((street, painter)))
            }
            Source::File(path) => Self::File(Looped::open(path, size, from)?),
        })
    }

    /// Draws the picture of the time `at` (which never goes back) into `picture`.
    pub(crate) fn draw(&mut self, at: Duration, picture: &mut Picture) -> Result<()> {
        match self {
            Self::Scene(scene) => scene.draw(at.as_secs_f64(), picture),
            Self::Street(drawn) => {
                let (street, painter) = &mut **drawn;
                street.paint(painter, at.as_secs_f64(), picture.data_mut());
            }
            Self::File(file) => file.draw(at, picture)?,
        }
        Ok(())
    }
}

/// A decoded picture and when it is due on the server's timeline.
struct Frame {
    due: Duration,
    buffer: gst::Buffer,
}

/// A video file played round and round. Its decoder runs in a thread of its own, a few pictures ahead.
pub(crate) struct Looped {
    frames: Receiver<Result<Frame>>,
    current: Frame,
    next: Option<Frame>,
}

impl Looped {
    fn open(path: &Path, size: Size, from: Duration) -> Result<Self> {
        let decoder = Decoder::open(path, size).with_context(|| format!("source {}", path.display()))?;
        let (feed, frames) = sync_channel(AHEAD);
        thread::Builder::new().name("decode".into()).spawn(move || decoder.run(from, &feed))?;
        let current = frames.recv().map_err(|_| anyhow!("its decoder ended"))?.with_context(|| format!("source {}", path.display()))?;
        Ok(Self { frames, current, next: None })
    }

    fn draw(&mut self, at: Duration, picture: &mut Picture) -> Result<()> {
        loop {
            let next = match self.next.take() {
                Some(next) => next,
                None => self.frames.recv().map_err(|_| anyhow!("the decoder ended"))??,
            };
            if next.due > at {
                self.next = Some(next);
                break;
            }
            self.current = next;
        }
        let map = self.current.buffer.map_readable()?;
        let data = picture.data_mut();
        data.copy_from_slice(map.get(..data.len()).context("the decoder gave a picture of another size")?);
        Ok(())
    }
}

struct Decoder {
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    length: Duration,
}

impl Decoder {
    fn open(path: &Path, size: Size) -> Result<Self> {
        if !path.is_file() {
            bail!("there is no such file");
        }
        let pipeline = gst::parse::launch(&format!(
            "filesrc name=file ! decodebin force-sw-decoders=true name=decode \
             decode. ! video/x-raw ! videoconvertscale n-threads=1 ! \
             video/x-raw,format=I420,width={},height={},pixel-aspect-ratio=1/1 ! \
             appsink name=out sync=false max-buffers=2 enable-last-sample=false",
            size.width, size.height
        ))?
        .downcast::<gst::Pipeline>()
        .map_err(|_| anyhow!("not a pipeline"))?;
        pipeline.by_name("file").context("no file element")?.set_property("location", path.to_str().context("the path is not UTF-8")?);
        let sink = pipeline.by_name("out").and_then(|e| e.downcast::<gst_app::AppSink>().ok()).context("no sink")?;
        let mut decoder = Self { pipeline, sink, length: Duration::ZERO };
        decoder.pipeline.set_state(gst::State::Playing)?;
        if decoder.sink.try_pull_preroll(PATIENCE).is_none() {
            bail!(decoder.complaint("it gives no picture"));
        }
        let length = decoder.pipeline.query_duration::<gst::ClockTime>().filter(|d| *d >= gst::ClockTime::from_mseconds(100));
        let length = length.context("its length is unknown or under 0.1 s (an MP4 or MKV file tells it)")?;
        decoder.length = Duration::from_nanos(length.nseconds());
        Ok(decoder)
    }

    /// What the pipeline says went wrong, or `otherwise`.
    fn complaint(&self, otherwise: &str) -> String {
        let message = self.pipeline.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
        match message.as_deref().map(gst::MessageRef::view) {
            Some(gst::MessageView::Error(error)) => error.error().to_string(),
            _ => otherwise.to_owned(),
        }
    }

    fn run(self, from: Duration, feed: &SyncSender<Result<Frame>>) {
        let length = self.length.as_nanos().max(1);
        let mut round = u32::try_from(from.as_nanos() / length).unwrap_or(u32::MAX);
        loop {
            match self.round(round, feed) {
                Ok(true) => round = round.saturating_add(1),
                Ok(false) => break, // the encoder is gone
                Err(error) => {
                    let _ = feed.send(Err(error)); // nobody left to tell is no mistake
                    break;
                }
            }
        }
    }

    /// Feeds the file once from its beginning. False when nobody wants it any more.
    fn round(&self, round: u32, feed: &SyncSender<Result<Frame>>) -> Result<bool> {
        let start = self.length.checked_mul(round).context("the clock ran out")?;
        let mut any = false;
        while let Some(sample) = self.sink.try_pull_sample(PATIENCE) {
            let buffer = sample.buffer_owned().context("a sample without a buffer")?;
            let at = sample.segment().and_then(|s| s.downcast_ref::<gst::ClockTime>()?.to_stream_time(buffer.pts()?));
            let due = start + Duration::from_nanos(at.unwrap_or_default().nseconds());
            any = true;
            if feed.send(Ok(Frame { due, buffer })).is_err() {
                return Ok(false);
            }
        }
        if !any || !self.sink.is_eos() {
            bail!(self.complaint("the file stopped giving pictures"));
        }
        self.pipeline.seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::ZERO).context("the file cannot be played again")?;
        Ok(true)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
