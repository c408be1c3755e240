//! Access units in, video samples out, for one session: random access, loss, times.
//!
//! Pure: arrival is passed in. What is dropped comes back as a named [`Drop`], so that the caller can count and show it.
//! Nothing is let through before the first random access point, nor between a loss and the next one, because a
//! decoder can do nothing honest with it; the leading pictures of that point go too.

use crate::{
    Failure, Reason, VideoParameters,
    boxclock::{Arrival, BoxClock},
    dts::Dts,
    memory::Memory,
    timeline::Timeline,
};
use bytes::Bytes;
use domain::{Format, Sample, StreamId, VideoCodec};
use media::{
    MediaError,
    access_unit::{Start, inspect},
    join::JoinFilter,
};
use std::sync::Arc;

/// Why an access unit went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// Its parameters are not known.
    NoParameters,
    /// It has no picture in it.
    Empty,
    /// It is larger than a record may be.
    Oversized,
    /// Its NAL units cannot be read.
    Malformed,
    /// Nothing to start decoding with has come yet.
    Waiting,
    /// A leading picture of the point decoding started at.
    Leading,
    /// It showed that frames are reordered deeper than was known; decoding times begin again at the next key frame.
    Reordered,
}

impl Drop {
    /// Label of `matthon_frames_dropped_total`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::NoParameters => "no-parameters",
            Self::Empty => "empty",
            Self::Oversized => "oversized",
            Self::Malformed => "malformed",
            Self::Waiting => "waiting",
            Self::Leading => "leading",
            Self::Reordered => "reordered",
        }
    }
}

/// A random access point went by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyFrame {
    /// CRA, BLA or a recovery point rather than an IDR.
    pub open_gop: bool,
    /// Seconds since the previous one of this session, if nothing was lost in between.
    pub gop: Option<f32>,
}

/// Assembles one session's video.
#[derive(Debug)]
pub struct Assembler {
    stream: Arc<StreamId>,
    memory: Arc<Memory>,
    limit: usize,
    format: Option<(VideoCodec, Arc<Format>)>,
    clock: BoxClock,
    timeline: Timeline,
    dts: Dts,
    join: JoinFilter,
    /// Something is missing before the next sample.
    loss: bool,
    learning: Learning,
    last_key: Option<i64>,
    jumps: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Learning {
    No,
    /// The depth was just raised.
    Raised,
    /// One GOP is being watched with the new depth.
    Watching,
}

impl Assembler {
    /// A session begins. `limit`: most bytes of an access unit.
    #[must_use]
    pub fn new(stream: Arc<StreamId>, memory: Arc<Memory>, limit: usize) -> Self {
        let dts = Dts::new(None, memory.depth(), None);
        Self {
            stream,
            memory,
            limit,
            format: None,
            clock: BoxClock::new(),
            timeline: Timeline::default(),
            dts,
            join: JoinFilter::new(),
            loss: true,
            learning: Learning::No,
            last_key: None,
            jumps: 0,
        }
    }

    /// Takes new parameters. Says whether they replaced different ones, of this session or an earlier one.
    ///
    /// # Errors
    /// [`Reason::Garbage`] when they cannot be read.
    pub fn parameters(&mut self, parameters: &VideoParameters) -> Result<(Arc<Format>, bool), Failure> {
        let video = media::params::video_format(parameters.codec, &parameters.config)
            .map_err(|e| Failure::new(Reason::Garbage, format!("the camera's video parameters cannot be read: {e}")))?;
        let (reorder, step) = (video.reorder, video.frame_duration);
        let (format, replaced) = self.memory.share(Format::Video(video));
        match &self.format {
            Some((_, known)) if Arc::ptr_eq(known, &format) => {}
            Some(_) => self.dts.retell(reorder, step),
            None => self.dts = Dts::new(reorder, self.memory.depth(), step),
        }
        self.format = Some((parameters.codec, format.clone()));
        Ok((format, replaced))
    }

    /// Takes the next access unit. `lost`: RTP packets missing before it.
    ///
    /// # Errors
    /// The name of the reason why nothing comes of it.
    pub fn frame(&mut self, arrival: Arrival, timestamp: i64, lost: u32, data: Bytes) -> Result<(Sample, Option<KeyFrame>), Drop> {
        if lost > 0 {
            self.lose();
        }
        let Some((codec, format)) = self.format.clone() else { return Err(Drop::NoParameters) };
        if data.len() > self.limit {
            self.lose();
            return Err(Drop::Oversized);
        }
        let unit = match inspect(codec, &data) {
            Ok(unit) => unit,
            Err(MediaError::NoSlice) => return Err(Drop::Empty),
            Err(_) => {
                self.lose();
                return Err(Drop::Malformed);
            }
        };
        let random_access = unit.start != Start::None;
        let (pts, jumped) = self.timeline.place(timestamp, self.dts.lead(), arrival.mono, &self.clock);
        self.jumps += u64::from(jumped);
        let capture = self.clock.capture(arrival, pts, random_access);
        // A new beginning in time, not in decoding: told only where decoding may start anyway.
        self.loss |= capture.stepped;
        let mut sample = Sample {
            stream: self.stream.clone(),
            format,
            seq: 0,
            capture: capture.at,
            pts,
            dts: pts,
            random_access,
            loss_before: self.loss,
            data,
        };
        if !self.join.admit(&sample) {
            if self.join.is_waiting() {
                self.dts.learn(pts);
                return Err(Drop::Waiting);
            }
            return Err(Drop::Leading);
        }
        if self.loss {
            self.dts.begin_again();
        }
        let Ok(times) = self.dts.place(pts) else {
            return Err(self.reordered(pts));
        };
        (sample.pts, sample.dts) = (times.pts, times.dts);
        sample.seq = self.memory.next_seq();
        let key = random_access.then(|| self.key_frame(pts, unit.start == Start::OpenGop));
        self.loss = false;
        Ok((sample, key))
    }

    /// Whether frames are being dropped until one comes that decoding can start with.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.loss
    }

    /// Whether the depth of reordering is still being learned.
    #[must_use]
    pub fn is_learning(&self) -> bool {
        self.learning != Learning::No
    }

    /// How often the camera's timestamps jumped in this session.
    #[must_use]
    pub fn jumps(&self) -> u64 {
        self.jumps
    }

    fn lose(&mut self) {
        self.loss = true;
        self.last_key = None;
        self.join.reset();
    }

    fn reordered(&mut self, pts: i64) -> Drop {
        self.dts.learn(pts);
        self.learning = Learning::Raised;
        self.lose();
        Drop::Reordered
    }

    fn key_frame(&mut self, pts: i64, open_gop: bool) -> KeyFrame {
        let gop = self.last_key.map(|last| (pts.saturating_sub(last) as f32) / 90_000.0);
        self.last_key = Some(pts);
        self.learning = match self.learning {
            Learning::Raised => Learning::Watching,
            Learning::Watching | Learning::No => Learning::No,
        };
        self.memory.learned(self.dts.depth());
        KeyFrame { open_gop, gop }
    }
}
