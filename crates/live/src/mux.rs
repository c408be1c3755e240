//! The mux: samples in, fragments out, one for one. Sans-I/O; the task that drives it is in `stream`.

use crate::{message::FormatInfo, timeline::Timeline};
use bytes::Bytes;
use domain::{Format, Sample};
use media::{
    error::MediaError,
    fmp4::{self, Track},
    join::JoinFilter,
};
use std::sync::Arc;

/// The only track of a live stream: audio is a stream of its own.
const TRACK: u32 = 1;

/// One fragment on its way to the viewers. Cheap to clone; all viewers share the buffers.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Parameters of its run: the same `Arc` until they change.
    pub(crate) info: Arc<FormatInfo>,
    /// The run's initialization segment.
    pub(crate) init: Bytes,
    /// `moof` and `mdat`.
    pub(crate) bytes: Bytes,
    /// Decoding time in them.
    pub(crate) time: u64,
    /// How long the frame is assumed to be shown, 90 kHz.
    pub(crate) duration: u32,
    /// The sample inside; its `data` is the end of `bytes`, not a second copy.
    pub(crate) sample: Sample,
}

impl hub::Item for Piece {
    fn random_access(&self) -> bool {
        self.sample.random_access
    }
    fn weight(&self) -> usize {
        self.bytes.len()
    }
    fn micros(&self) -> i64 {
        hub::Item::micros(&self.sample)
    }
    fn loss_before(&self) -> bool {
        self.sample.loss_before
    }
}

/// Turns samples into fragments on one rising timeline.
#[derive(Default)]
pub(crate) struct Mux {
    join: JoinFilter,
    timeline: Timeline,
    run: Option<Run>,
    sequence: u32,
    /// Something was lost since the last fragment.
    lost: bool,
}

/// What stays the same until parameters change.
struct Run {
    format: Arc<Format>,
    /// `None`: this format cannot be put into MP4; its samples are let go.
    head: Option<(Arc<FormatInfo>, Bytes)>,
}

impl Mux {
    /// Samples were dropped before they reached the mux.
    pub(crate) fn skipped(&mut self) {
        self.join.reset();
        self.lost = true;
    }

    /// Takes one sample. `None` while waiting for a random access point, and for leading pictures after it.
    ///
    /// # Errors
    /// Once for each format that is not video or cannot be described; its samples are let go.
    pub(crate) fn push(&mut self, sample: &Sample) -> Result<Option<Piece>, MuxError> {
        self.lost |= sample.loss_before;
        if !self.join.admit(sample) {
            return Ok(None);
        }
        self.enter_run(&sample.format)?;
        let Some((info, init)) = self.run.as_ref().and_then(|run| run.head.clone()) else { return Ok(None) };
        let Ok(size) = u32::try_from(sample.data.len()) else { return Err(MuxError::Oversized(sample.data.len())) };
        let base_dts = self.timeline.place(sample.dts);
        let cts = i32::try_from(sample.pts.saturating_sub(sample.dts)).unwrap_or(0).max(0);
        // Joiners at an open GOP drop its leading pictures, which lie in the random access point's composition
        // offset: its duration covers them, or the browser would take the hole for a break (see `timeline`).
        let cover = if sample.random_access { cts.unsigned_abs() } else { 0 };
        let duration = self.timeline.assumed().saturating_add(cover);
        let piece = fmp4::Piece { duration, size, cts_offset: cts, random_access: sample.random_access };
        self.sequence = self.sequence.wrapping_add(1);
        let mut buffer = fmp4::fragment_header(self.sequence, TRACK, base_dts, &[piece]);
        let header = buffer.len();
        buffer.reserve_exact(sample.data.len());
        buffer.extend_from_slice(&sample.data);
        let bytes = Bytes::from(buffer);
        let loss_before = std::mem::take(&mut self.lost);
        let sample = Sample { data: bytes.slice(header..), loss_before, ..sample.clone() };
        Ok(Some(Piece { info, init, bytes, time: base_dts, duration: self.timeline.assumed(), sample }))
    }

    /// Begins a new run when the format is another one than before.
    fn enter_run(&mut self, format: &Arc<Format>) -> Result<(), MuxError> {
        if let Some(run) = &mut self.run {
            if Arc::ptr_eq(&run.format, format) {
                return Ok(());
            }
            if run.format == *format {
                run.format = Arc::clone(format);
                return Ok(());
            }
        }
        let head = describe(format);
        if let Some(video) = format.video() {
            self.timeline.nominal(video.frame_duration);
        }
        let (head, result) = match head {
            Ok(head) => (Some(head), Ok(())),
            Err(e) => (None, Err(e)),
        };
        self.run = Some(Run { format: Arc::clone(format), head });
        result
    }
}

fn describe(format: &Format) -> Result<(Arc<FormatInfo>, Bytes), MuxError> {
    let video = format.video().ok_or(MuxError::NotVideo)?;
    let init = fmp4::init_segment(&[Track { id: TRACK, format }])?;
    Ok((Arc::new(FormatInfo::of(video)), Bytes::from(init)))
}

/// Why samples cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MuxError {
    /// A live stream carries one video track.
    #[error("the stream is not video")]
    NotVideo,
    /// And beside it one of sound.
    #[error("the stream is not sound")]
    NotSound,
    /// The format's record is unusable.
    #[error("the stream's parameters do not fit into MP4: {0}")]
    Format(#[from] MediaError),
    /// More than a 32-bit sample size.
    #[error("an access unit of {0} bytes is too large for MP4")]
    Oversized(usize),
}
