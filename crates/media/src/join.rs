//! What a consumer does when it begins in the middle of a stream: waits for a random access point and drops that
//! point's leading pictures, which refer to frames it never got. Does not know queues or sockets.

use domain::Sample;

/// Decides for each sample of one stream, in decoding order, whether a consumer that joined may use it.
///
/// Leading pictures (H.265 RASL and RADL, H.264 B-frames before an open GOP's key frame in output order) are found by
/// time: decoded after the random access point, shown before it. A point reached without a break keeps its leading
/// pictures; after [`reset`](Self::reset) or a sample with `loss_before` it loses them.
#[derive(Clone, Debug, Default)]
pub struct JoinFilter {
    state: State,
}

#[derive(Clone, Debug, Default)]
enum State {
    /// Nothing decodable yet.
    #[default]
    Waiting,
    /// Inside the first GOP: what is shown before this is not decodable.
    First { pts: i64 },
    /// Every reference is there.
    Flowing,
}

impl JoinFilter {
    /// Waits for the first random access point.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Joins anew: as after a seek, or frames dropped on the consumer's own side.
    pub fn reset(&mut self) {
        self.state = State::Waiting;
    }

    /// Whether nothing was admitted since the last join.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    /// Whether to use this sample. Call it for every sample, in order.
    pub fn admit(&mut self, sample: &Sample) -> bool {
        if sample.loss_before {
            self.reset();
        }
        match self.state {
            State::Waiting if sample.random_access => {
                self.state = State::First { pts: sample.pts };
                true
            }
            State::Waiting => false,
            State::First { .. } if sample.random_access => {
                self.state = State::Flowing;
                true
            }
            State::First { pts } => sample.pts >= pts,
            State::Flowing => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use domain::{CameraId, Channel, Format, StreamId, StreamKind, WallTime};
    use std::sync::Arc;

    fn sample(pts: i64, marks: &str) -> Sample {
        Sample {
            stream: Arc::new(StreamId::new(CameraId::new("c").unwrap(), Channel::Main, StreamKind::Video)),
            format: Arc::new(Format::Observations(1)),
            seq: 0,
            capture: WallTime(0),
            pts,
            dts: 0,
            random_access: marks.contains('K'),
            loss_before: marks.contains('L'),
            data: Bytes::new(),
        }
    }

    fn admitted(plan: &[(i64, &str)]) -> Vec<i64> {
        let mut filter = JoinFilter::new();
        plan.iter().filter(|(pts, marks)| filter.admit(&sample(*pts, marks))).map(|(pts, _)| *pts).collect()
    }

    #[test]
    fn leading_pictures_are_dropped_only_where_one_joins() {
        let plan = [(1, ""), (6, "K"), (4, ""), (5, ""), (9, ""), (7, ""), (12, "K"), (10, ""), (11, ""), (13, "")];
        assert_eq!(admitted(&plan), [6, 9, 7, 12, 10, 11, 13]);
    }

    #[test]
    fn a_loss_is_a_new_join() {
        let plan = [(0, "K"), (1, ""), (3, "L"), (6, "K"), (5, ""), (7, ""), (20, "KL"), (19, ""), (21, "")];
        assert_eq!(admitted(&plan), [0, 1, 6, 7, 20, 21]);
    }
}
