//! What was seen, as samples of a stream of its own beside the video: its time line and its holes.
//!
//! Belongs here: when a sample is, and what is a hole. Does not belong here: its bytes (`record`), who keeps it (a ring).

use crate::record;
use domain::{CameraId, Channel, Format, Observation, Sample, StreamId, StreamKind, Track, WallTime};
use std::sync::Arc;

/// A pause longer than this is a hole: nobody looked, which is other than "nothing was there". µs.
const HOLE: i64 = 1_500_000;

/// One camera's observations on their way into a ring.
#[derive(Debug)]
pub struct Diary {
    stream: Arc<StreamId>,
    format: Arc<Format>,
    seq: u64,
    /// Capture time that is 0 on the stream's own time line, and the last capture time.
    since: Option<(WallTime, WallTime)>,
}

impl Diary {
    /// Of the pictures of one channel of a camera.
    #[must_use]
    pub fn new(camera: &CameraId, channel: Channel) -> Self {
        let stream = Arc::new(StreamId::new(camera.clone(), channel, StreamKind::Observations));
        Self { stream, format: Arc::new(Format::Observations(record::VERSION)), seq: 0, since: None }
    }

    /// The sample of one picture, and of what is followed after it.
    pub fn sample(&mut self, observation: &Observation, tracks: &[Track]) -> Sample {
        let (capture, data) = (observation.capture, record::encode(observation, tracks));
        let goes_on = self.since.filter(|(_, last)| (1..=HOLE).contains(&capture.micros_since(*last)));
        // A new beginning of the time line where the clock was set back; a hole keeps it.
        let base = match (goes_on, self.since) {
            (Some((base, _)), _) => base,
            (None, Some((base, last))) if capture > last => base,
            _ => capture,
        };
        self.since = Some((base, capture));
        let ticks = capture.micros_since(base).saturating_mul(9) / 100;
        let sample = Sample {
            stream: self.stream.clone(),
            format: self.format.clone(),
            seq: self.seq,
            capture,
            pts: ticks,
            dts: ticks,
            random_access: true,
            loss_before: goes_on.is_none(),
            data: data.into(),
        };
        self.seq += 1;
        sample
    }
}
