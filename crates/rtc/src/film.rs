//! What a viewer is shown of a stream: which samples, as which bytes, at which RTP time. Pure: knows no packet, socket or clock.

use domain::{Format, Sample, VideoCodec};
use media::{
    access_unit::{Start, inspect},
    join::JoinFilter,
    nal, params,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// RTP time of the first picture, 90 kHz.
const BEGIN: u64 = 90_000;
/// What was there before the viewer is shown as fast as it decodes: so far apart, 90 kHz (0.1 ms).
const HURRY: u64 = 9;
/// A camera's own step farther than this is a jump of its clock, 90 kHz (10 s).
const LONGEST: i64 = 900_000;

/// Why a stream does not come by WebRTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Browsers take H.264 alone from everybody.
    #[error("the camera sends {}, and WebRTC carries H.264 only", self.codec())]
    Codec(VideoCodec),
    /// Pictures come in another order than they are shown (B-frames); browsers show them as they come.
    #[error("the camera sends B-frames, which browsers do not put in order over WebRTC: turn them off in the camera")]
    Reordered,
    /// Key frames are no IDR pictures; browsers wait for one.
    #[error("the camera's key frames are no IDR pictures, and browsers begin at nothing else over WebRTC")]
    NoIdr,
    /// The parameters cannot be read, or it is no video at all.
    #[error("the stream's parameters cannot be read")]
    Parameters,
}

impl Unfit {
    /// What it is, in the words of somebody who buys cameras.
    #[must_use]
    pub fn codec(self) -> &'static str {
        match self {
            Self::Codec(VideoCodec::H265) => "H.265",
            Self::Codec(VideoCodec::H264) | Self::Parameters => "H.264",
            Self::Reordered => "H.264 (B-frames)",
            Self::NoIdr => "H.264 (no IDR)",
        }
    }
}

/// Whether a browser can be shown this group of pictures.
///
/// # Errors
/// Why not. What cannot be seen yet shows itself later, as [`crate::End::Unfit`].
pub fn fits(group: &[Sample]) -> Result<(), Unfit> {
    let mut film = Film::default();
    film.begin(group.to_vec(), Instant::now()).map(drop)
}

/// One picture on its way.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    sample: Sample,
    /// 90 kHz.
    pub(crate) rtp: u64,
}

/// The place in a stream.
#[derive(Debug, Default)]
pub(crate) struct Film {
    join: JoinFilter,
    format: Option<Arc<Format>>,
    /// The parameter sets of the format, with start codes.
    sets: Vec<u8>,
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    pts: i64,
    rtp: u64,
    at: Instant,
}

impl Film {
    /// Begins with what the current group of pictures holds so far. All of it has to be decoded and none of it watched: its times lie
    /// so close that the newest picture is shown at once.
    pub(crate) fn begin(&mut self, group: Vec<Sample>, now: Instant) -> Result<Vec<Shot>, Unfit> {
        self.join.reset();
        let before = self.last;
        let mut shots = Vec::new();
        for sample in group {
            shots.extend(self.next(sample, now)?);
        }
        if shots.is_empty() {
            return Ok(shots);
        }
        let from = before.map_or(BEGIN, |last| last.rtp + HURRY);
        let to = from + HURRY * shots_before(shots.len());
        // Whoever joins again was shown this stream up to a moment ago: the newest picture keeps its distance to that.
        let end = before.map_or(to, |last| to.max(last.rtp + self.distance(last, now)));
        newest_is(&mut shots, end);
        if let Some(last) = &mut self.last {
            last.rtp = end;
        }
        Ok(shots)
    }

    /// The next sample as it comes; `None`: it is not shown.
    pub(crate) fn next(&mut self, sample: Sample, now: Instant) -> Result<Option<Shot>, Unfit> {
        if !self.join.admit(&sample) {
            return Ok(None);
        }
        if sample.random_access {
            self.enter(&sample)?;
        }
        let rtp = match self.last {
            None => BEGIN,
            Some(last) => {
                // Within a session the times of what is shown in the order it comes only rise.
                if sample.pts <= last.pts && !sample.loss_before && !sample.random_access {
                    return Err(Unfit::Reordered);
                }
                last.rtp + step(sample.pts.saturating_sub(last.pts), now.saturating_duration_since(last.at))
            }
        };
        self.last = Some(Last { pts: sample.pts, rtp, at: now });
        Ok(Some(Shot { sample, rtp }))
    }

    /// Shows nothing more before the next key frame.
    pub(crate) fn wait(&mut self) {
        self.join.reset();
    }

    /// The picture as a byte stream; a key frame has its parameter sets in front.
    pub(crate) fn bytes(&self, shot: &Shot) -> Result<Vec<u8>, Unfit> {
        let picture = nal::to_annex_b(&shot.sample.data).map_err(|_| Unfit::Parameters)?;
        Ok(if shot.sample.random_access { [&self.sets[..], &picture].concat() } else { picture })
    }

    fn enter(&mut self, sample: &Sample) -> Result<(), Unfit> {
        if !self.format.as_ref().is_some_and(|format| Arc::ptr_eq(format, &sample.format)) {
            let video = sample.format.video().ok_or(Unfit::Parameters)?;
            if video.codec != VideoCodec::H264 {
                return Err(Unfit::Codec(video.codec));
            }
            let sets = params::avc_sets(&video.config).map_err(|_| Unfit::Parameters)?;
            self.sets = sets.into_iter().flat_map(|set| [&[0, 0, 0, 1], set].concat()).collect();
            self.format = Some(Arc::clone(&sample.format));
        }
        match inspect(VideoCodec::H264, &sample.data) {
            Ok(unit) if unit.start == Start::Idr => Ok(()),
            Ok(_) => Err(Unfit::NoIdr),
            Err(_) => Err(Unfit::Parameters),
        }
    }

    fn distance(&self, last: Last, now: Instant) -> u64 {
        let newest = self.last.map_or(last.pts, |newest| newest.pts);
        step(newest.saturating_sub(last.pts), now.saturating_duration_since(last.at))
    }
}

fn shots_before(all: usize) -> u64 {
    u64::try_from(all.saturating_sub(1)).unwrap_or(0)
}

/// The last one at this time, the others close before it.
fn newest_is(shots: &mut [Shot], end: u64) {
    for (shot, back) in shots.iter_mut().rev().zip(0..) {
        shot.rtp = end.saturating_sub(HURRY * back);
    }
}

/// How far RTP time goes on: the camera's own step where it is one, else what passed here. At least a tick: no two pictures are one.
fn step(pts: i64, passed: Duration) -> u64 {
    let ticks = if (1..=LONGEST).contains(&pts) { pts } else { i64::try_from(passed.as_micros() * 9 / 100).unwrap_or(LONGEST) };
    u64::try_from(ticks.clamp(1, LONGEST)).unwrap_or(1)
}
