//! The session's timeline: the camera's timestamps with their jumps taken out.
//!
//! Cheap cameras stamp RTP from a clock that NTP sets while they stream, so timestamps jump by seconds or
//! years in a stream whose bits are whole. A jump is told from a real pause by the box's clock: a frame more
//! than [`JUMP`] in the future, or clearly before its predecessors, is put where it arrived and the rest follows
//! it. Nothing of the bitstream is missing there, so nothing is dropped and no loss is told: the samples go on,
//! evenly, on the same timeline. Small steps back are left to `dts`, where they may be B-frames.

use crate::boxclock::BoxClock;
use domain::MonoTime;

/// 90 kHz ticks a timestamp may leap beyond what arrival explains.
pub const JUMP: i64 = 2 * 90_000;
/// 90 kHz ticks a timestamp may lie before the latest: more than sixteen frames of reordering at 15 fps.
pub const BACK: i64 = 108_000;

/// Maps raw timestamps to the session's pts.
#[derive(Debug, Default)]
pub struct Timeline {
    /// pts − raw.
    offset: Option<i64>,
    latest: i64,
    /// Usual distance between frames, for the one after a jump.
    step: i64,
}

impl Timeline {
    /// Places a raw timestamp, in 90 kHz. The first one becomes `first`; `known` is this session's clock so far.
    /// Returns the pts, and whether the raw time jumped.
    pub fn place(&mut self, raw: i64, first: i64, now: MonoTime, known: &BoxClock) -> (i64, bool) {
        let Some(offset) = self.offset else {
            self.offset = Some(first.wrapping_sub(raw));
            self.latest = first;
            return (first, false);
        };
        let pts = raw.wrapping_add(offset);
        let leap = pts.saturating_sub(self.latest);
        let from_the_future = || known.ahead(now, pts).is_none_or(|ahead| ahead > JUMP * 100 / 9);
        if leap < -BACK || (leap > JUMP && from_the_future()) {
            let after = self.latest.saturating_add(self.step.clamp(1, 9_000));
            let pts = known.pts_at(now).unwrap_or(after).max(after);
            self.offset = Some(pts.wrapping_sub(raw));
            self.latest = pts;
            return (pts, true);
        }
        if leap > 0 {
            self.step = leap;
            self.latest = pts;
        }
        (pts, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxclock::Arrival;
    use domain::WallTime;

    struct Camera {
        timeline: Timeline,
        clock: BoxClock,
        arrival: u64,
    }

    impl Camera {
        fn new() -> Self {
            Self { timeline: Timeline::default(), clock: BoxClock::new(), arrival: 1_000_000 }
        }

        fn frame(&mut self, raw: i64, later_ms: u64) -> (i64, bool) {
            self.arrival += later_ms * 1_000;
            let mono = MonoTime(self.arrival);
            let placed = self.timeline.place(raw, 500, mono, &self.clock);
            self.clock.capture(Arrival { mono, wall: WallTime(self.arrival as i64) }, placed.0, true);
            placed
        }
    }

    #[test]
    fn jumps_either_way_are_taken_out() {
        for jump in [3_600 * 90_000, -3_600 * 90_000, i64::MAX / 2, i64::MIN / 2, -200_000] {
            let mut camera = Camera::new();
            for n in 0..10 {
                assert_eq!(camera.frame(7_000_000 + n * 9_000, 100), (500 + n * 9_000, false));
            }
            assert_eq!(camera.frame(7_000_000 + jump + 90_000, 100), (500 + 90_000, true), "jump {jump}");
            assert_eq!(camera.frame(7_000_000 + jump + 99_000, 100), (500 + 99_000, false));
        }
    }

    #[test]
    fn a_pause_and_a_stall_are_no_jumps() {
        let mut camera = Camera::new();
        camera.frame(0, 100);
        // The camera sent nothing for 8 s.
        assert_eq!(camera.frame(720_000, 8_000), (720_500, false));
        // The network stood still for 5 s, then the frames of that time came at once.
        assert_eq!(camera.frame(729_000, 5_100), (729_500, false));
        for n in 1..50 {
            assert_eq!(camera.frame(729_000 + n * 9_000, 0), (729_500 + n * 9_000, false));
        }
        // … and a stall whose middle the camera threw away.
        assert_eq!(camera.frame(1_170_000 + 450_000, 5_000), (1_170_500 + 450_000, false));
    }

    #[test]
    fn reordered_frames_are_left_alone() {
        let mut camera = Camera::new();
        for (raw, pts) in [(0, 500), (27_000, 27_500), (9_000, 9_500), (18_000, 18_500)] {
            assert_eq!(camera.frame(raw, 100), (pts, false));
        }
    }
}
