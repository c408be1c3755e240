//! The viewers' timeline: decoding times that browsers accept, whatever the camera's do.
//!
//! Media Source Extensions (W3C, coded frame processing, step 6) throw away everything up to the next random
//! access point when decoding time goes back or jumps by more than twice the last frame's duration, and players
//! stall at a hole in what is buffered. So a step the browser would refuse is replaced by one assumed frame
//! duration: the timeline goes on, rebased, and later steps are the camera's own again, to the tick.

/// Shortest assumed frame duration, 90 kHz (10 ms). Longer than the truth does no harm, shorter costs a freeze.
pub const SHORTEST_STEP: u32 = 900;
/// Longest assumed frame duration, 90 kHz (10 s): slower streams than that are stills.
pub const LONGEST_STEP: u32 = 900_000;
/// 25 frames a second, until the stream tells better.
const USUAL_STEP: u32 = 3600;

/// Maps the decoding times of one stream, session after session, onto one rising line.
#[derive(Debug)]
pub struct Timeline {
    last: Option<Last>,
    /// The duration the next frame is assumed to have; peak of the recent ones, fading.
    step: u32,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    dts: i64,
    out: u64,
}

impl Timeline {
    /// A timeline that starts at the first frame's own decoding time.
    #[must_use]
    pub fn new() -> Self {
        Self { last: None, step: USUAL_STEP }
    }

    /// Takes the frame duration a parameter set tells, 90 kHz, as the next assumption.
    pub fn nominal(&mut self, frame_duration: Option<u32>) {
        if let Some(d) = frame_duration {
            self.step = d.clamp(SHORTEST_STEP, LONGEST_STEP);
        }
    }

    /// Where a frame lies for the viewers, 90 kHz: always after the frame before it, and at most twice the
    /// [`Self::assumed`] duration later.
    pub fn place(&mut self, dts: i64) -> u64 {
        let out = match self.last {
            None => u64::try_from(dts).unwrap_or(0),
            Some(last) => last.out.saturating_add(u64::from(self.advance(dts.saturating_sub(last.dts)))),
        };
        self.last = Some(Last { dts, out });
        out
    }

    /// The duration to give the frame placed last: what the next step is assumed to be.
    #[must_use]
    pub fn assumed(&self) -> u32 {
        self.step
    }

    /// How far the line advances for a step of the camera's decoding time, learning from it.
    fn advance(&mut self, delta: i64) -> u32 {
        let step = self.step;
        match u32::try_from(delta) {
            Ok(delta) if delta > 0 && delta <= step.saturating_mul(2) => {
                // The peak of recent steps, fading by a sixteenth: cameras alternate 20 ms and 60 ms.
                self.step = delta.max(step - step / 16).clamp(SHORTEST_STEP, LONGEST_STEP);
                delta
            }
            Ok(0) => step,
            _ if delta < 0 => step,
            _ => {
                // Too far ahead: a pause closes up, a slower frame rate is learnt within a few frames.
                self.step = step.saturating_mul(2).min(LONGEST_STEP);
                step
            }
        }
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Decoding times of a camera: sessions of regular or jittering steps, joined by arbitrary jumps.
    fn hostile() -> impl Strategy<Value = Vec<i64>> {
        let session = (any::<i64>(), proptest::collection::vec(prop_oneof![1..20_000_i64, Just(3600), 0..2_000_000_i64], 1..40));
        proptest::collection::vec(session, 1..6).prop_map(|sessions| {
            sessions
                .into_iter()
                .flat_map(|(start, steps)| {
                    steps.into_iter().scan(start, |at, step| {
                        *at = at.saturating_add(step);
                        Some(*at)
                    })
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn no_browser_refuses_a_step(times in hostile()) {
            let mut line = Timeline::new();
            let mut before: Option<(u64, u32)> = None;
            for dts in times {
                let at = line.place(dts);
                if let Some((last, duration)) = before {
                    prop_assert!(at > last || at == u64::MAX, "{at} after {last}");
                    prop_assert!(at - last <= 2 * u64::from(duration), "{last} + 2 × {duration} < {at}");
                }
                before = Some((at, line.assumed()));
            }
        }

        #[test]
        fn steady_cameras_keep_their_own_times(start in 0..1_i64 << 50, step in 1500_i64..7200, jitter in proptest::collection::vec(-400_i64..400, 2..200)) {
            let mut line = Timeline::new();
            line.nominal(u32::try_from(step).ok());
            let times: Vec<i64> = jitter.iter().zip(0..).map(|(j, n)| start + 1000 + n * step + j).collect();
            for dts in times {
                prop_assert_eq!(line.place(dts), dts as u64);
            }
        }
    }

    #[test]
    fn a_new_session_goes_on_where_the_old_one_ended() {
        let mut line = Timeline::new();
        let placed: Vec<u64> = [90_000, 93_600, 97_200, 0, 3600, 7200].map(|d| line.place(d)).to_vec();
        assert_eq!(placed, [90_000, 93_600, 97_200, 100_800, 104_400, 108_000]);
    }

    #[test]
    fn a_slower_frame_rate_is_learnt_in_a_few_frames() {
        let mut line = Timeline::new();
        let placed: Vec<u64> = (0..12).map(|n| line.place(n * 90_000)).collect();
        assert_eq!(placed.last().unwrap() - placed[placed.len() - 2], 90_000, "{placed:?}");
    }
}
