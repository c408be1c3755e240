//! `camsim render`: a scenario as an MP4 file and its truth beside it. The same scenario and seed give the same bytes.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use super::truth::{Log, moments};
use crate::cli::Render;

pub(crate) fn render(args: &Render) -> Result<()> {
    gst::init().context("GStreamer does not start")?;
    let (scenario, street) = super::street(&args.picture.scenario, args.picture.seed)?;
    let picture = &args.picture;
    let (width, height) = (picture.size.width as usize, picture.size.height as usize);
    let mut log = match &args.truth {
        None => None,
        Some(path) => {
            let file = File::create(path).with_context(|| format!("--truth {}: cannot be written", path.display()))?;
            Some(Log::begin(&picture.scenario, &scenario, &street, picture, BufWriter::new(file))?)
        }
    };
    let mut painter = street.painter(width, height);
    let writer = Writer::open(args)?;
    for (n, t) in moments(picture, &street) {
        let mut frame = vec![0; width * height * 3 / 2];
        street.paint(&mut painter, t, &mut frame);
        writer.push(frame, n, picture.fps)?;
        if let Some(log) = &mut log {
            log.picture(n, t)?;
        }
    }
    writer.finish()?;
    if let Some(log) = log {
        log.end()?;
    }
    timeless(&args.out)
}

struct Writer {
    pipeline: gst::Pipeline,
    input: gst_app::AppSrc,
}

impl Writer {
    fn open(args: &Render) -> Result<Self> {
        let picture = &args.picture;
        // One thread and no rate control that looks at the clock: equal pictures give equal bytes.
        let pipeline = gst::parse::launch(&format!(
            "appsrc name=in format=time block=true max-buffers=4 \
             caps=video/x-raw,format=I420,width={},height={},framerate={}/1,pixel-aspect-ratio=1/1,interlace-mode=progressive,colorimetry=bt601 ! \
             x264enc speed-preset=veryfast threads=1 bitrate={} key-int-max={} bframes=0 rc-lookahead=0 mb-tree=false \
             option-string=\"sync-lookahead=0\" ! video/x-h264,profile=main ! h264parse ! mp4mux ! filesink name=out",
            picture.size.width,
            picture.size.height,
            picture.fps,
            args.bitrate / 1000,
            picture.fps * 2,
        ))?
        .downcast::<gst::Pipeline>()
        .map_err(|_| anyhow!("not a pipeline"))?;
        let out = args.out.to_str().context("--out is not UTF-8")?;
        pipeline.by_name("out").context("no file element")?.set_property("location", out);
        let input = pipeline.by_name("in").and_then(|e| e.downcast::<gst_app::AppSrc>().ok()).context("no appsrc")?;
        let writer = Self { pipeline, input };
        if writer.pipeline.set_state(gst::State::Playing).is_err() {
            bail!(writer.complaint("the encoder does not start"));
        }
        Ok(writer)
    }

    fn push(&self, frame: Vec<u8>, n: u64, fps: u32) -> Result<()> {
        let time = |n: u64| gst::ClockTime::from_nseconds(n * 1_000_000_000 / u64::from(fps));
        let mut buffer = gst::Buffer::from_slice(frame);
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(time(n));
            buffer.set_duration(time(n + 1) - time(n));
        }
        self.input.push_buffer(buffer).map_err(|_| anyhow!(self.complaint("the encoder takes no more pictures")))?;
        Ok(())
    }

    fn finish(self) -> Result<()> {
        self.input.end_of_stream().map_err(|flow| anyhow!("the encoder does not end ({flow})"))?;
        let bus = self.pipeline.bus().context("no bus")?;
        match bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &[gst::MessageType::Eos, gst::MessageType::Error]) {
            Some(message) if matches!(message.view(), gst::MessageView::Eos(_)) => Ok(()),
            Some(message) => match message.view() {
                gst::MessageView::Error(error) => bail!("{} ({})", error.error(), error.debug().unwrap_or_default()),
                _ => bail!("the file was not finished"),
            },
            None => bail!("the file was not finished within a minute"),
        }
    }

    fn complaint(&self, otherwise: &str) -> String {
        let message = self.pipeline.bus().and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
        match message.as_deref().map(gst::MessageRef::view) {
            Some(gst::MessageView::Error(error)) => format!("{} ({})", error.error(), error.debug().unwrap_or_default()),
            _ => otherwise.to_owned(),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Takes the times of creation and change out of the file's headers: they are the hour of the muxer, not of the village.
fn timeless(path: &Path) -> Result<()> {
    let mut bytes = fs::read(path).with_context(|| path.display().to_string())?;
    clear(&mut bytes);
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

fn clear(mut bytes: &mut [u8]) {
    while bytes.len() >= 8 {
        let size = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let Some((one, rest)) = (size >= 8).then(|| bytes.split_at_mut_checked(size)).flatten() else { return };
        let (head, body) = one.split_at_mut(8);
        match &head[4..8] {
            b"moov" | b"trak" | b"mdia" => clear(body),
            b"mvhd" | b"tkhd" | b"mdhd" if body.len() >= 20 => {
                // Version 1 has times of 8 bytes.
                let times = if body[0] == 1 { 16 } else { 8 };
                body[4..4 + times].fill(0);
            }
            _ => {}
        }
        bytes = rest;
    }
}
