//! Audio frames in, audio samples out, for one session. The same clock and timeline as video, and no random access to wait for.

use crate::{
    AudioParameters, Failure, Reason,
    boxclock::{Arrival, BoxClock},
    memory::Memory,
    timeline::Timeline,
};
use bytes::Bytes;
use domain::{AudioCodec, Format, Sample, StreamId};
use std::sync::Arc;

/// Most bytes of one audio frame; an AAC frame has at most 8 kB, a G.711 packet a few hundred bytes.
const LIMIT: usize = 64 << 10;

/// Assembles one session's audio.
#[derive(Debug)]
pub struct AudioAssembler {
    stream: Arc<StreamId>,
    memory: Arc<Memory>,
    format: Option<(u32, Arc<Format>)>,
    clock: BoxClock,
    timeline: Timeline,
    last: i64,
    loss: bool,
}

impl AudioAssembler {
    /// A session begins.
    #[must_use]
    pub fn new(stream: Arc<StreamId>, memory: Arc<Memory>) -> Self {
        Self { stream, memory, format: None, clock: BoxClock::new(), timeline: Timeline::default(), last: -1, loss: true }
    }

    /// Takes the audio's parameters.
    ///
    /// # Errors
    /// [`Reason::Garbage`] when they cannot be read; the video is none the worse for it.
    pub fn parameters(&mut self, parameters: &AudioParameters) -> Result<(), Failure> {
        let unreadable = |why: String| Failure::new(Reason::Garbage, format!("the camera's audio parameters cannot be read: {why}"));
        if !(1_000..=384_000).contains(&parameters.sample_rate) {
            return Err(unreadable(format!("{} samples a second", parameters.sample_rate)));
        }
        let format = match parameters.codec {
            AudioCodec::Aac => media::params::aac_format(&parameters.config).map_err(|e| unreadable(e.to_string()))?,
            g711 => media::params::g711_format(g711, parameters.sample_rate, parameters.channels),
        };
        self.format = Some((parameters.sample_rate, self.memory.share(Format::Audio(format)).0));
        Ok(())
    }

    /// Takes the next frame; `timestamp` counts samples. `None` when it cannot be used.
    pub fn frame(&mut self, arrival: Arrival, timestamp: i64, lost: u32, data: Bytes) -> Option<Sample> {
        self.loss |= lost > 0;
        let (rate, format) = self.format.clone()?;
        if data.is_empty() || data.len() > LIMIT {
            self.loss = true;
            return None;
        }
        let ticks = i128::from(timestamp) * 90_000 / i128::from(rate);
        let raw = i64::try_from(ticks).unwrap_or(i64::MAX);
        let (pts, _) = self.timeline.place(raw, 0, arrival.mono, &self.clock);
        let capture = self.clock.capture(arrival, pts, true);
        let pts = pts.max(self.last.saturating_add(1));
        self.last = pts;
        let loss_before = std::mem::take(&mut self.loss) || capture.stepped;
        Some(Sample {
            stream: self.stream.clone(),
            format,
            seq: self.memory.next_seq(),
            capture: capture.at,
            pts,
            dts: pts,
            random_access: true,
            loss_before,
            data,
        })
    }
}
