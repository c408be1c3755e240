//! What was seen, written into the ring as a stream of its own beside the video.

use domain::{CameraId, Channel, Format, Observation, Sample, StreamId, StreamKind, Track, WallTime};
use std::sync::Arc;

/// A pause longer than this is a hole: nobody looked, which is other than "nothing was there". µs.
const HOLE: i64 = 1_500_000;

/// One camera's observations on their way into a ring.
pub(crate) struct Diary {
    recorder: ring::Recorder,
    stream: Arc<StreamId>,
    format: Arc<Format>,
    seq: u64,
    /// Capture time that is 0 on the stream's own time line, and the last capture time.
    since: Option<(WallTime, WallTime)>,
}

impl Diary {
    pub(crate) fn new(recorder: ring::Recorder, camera: &CameraId, channel: Channel) -> Self {
        let stream = Arc::new(StreamId::new(camera.clone(), channel, StreamKind::Observations));
        Self { recorder, stream, format: Arc::new(Format::Observations(vision::record::VERSION)), seq: 0, since: None }
    }

    /// Writes down one picture. Never blocks.
    pub(crate) fn write(&mut self, observation: &Observation, tracks: &[Track]) {
        let sample = self.sample(observation.capture, vision::record::encode(observation, tracks));
        self.recorder.push(&sample);
    }

    fn sample(&mut self, capture: WallTime, data: Vec<u8>) -> Sample {
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
