//! Decoding times for a stream that only tells presentation times.
//!
//! RTP carries one time per frame, that of its presentation. With B-frames a frame's decoding time is the
//! presentation time of the frame shown `depth` places earlier: the bumping process of a decoder that holds
//! `depth` frames (H.264 C.4.5.3, H.265 C.5.2). The depth comes from the SPS; when that is silent it is learned:
//! the first frame that contradicts the present depth raises it and is refused ([`Refused`]), and the caller
//! begins again at the next random access point, once per stream, since the depth is remembered.
//! Where the SPS says there is no reordering, a frame out of order is a stumbling timestamp: it is moved up by as
//! little as keeps time rising. If that keeps happening the SPS lied, and the depth is learned after all.
//!
//! What holds whatever comes in: dts starts at 0 or later and strictly rises for as long as a
//! `Dts` lives, and dts <= pts.

use std::collections::VecDeque;

/// Deepest reordering of either codec.
pub const MAX_DEPTH: u8 = 16;
/// Frame distance assumed before one is known, 90 kHz: 30 fps.
pub const ASSUMED_STEP: i64 = 3_000;
/// Stumbles within so many frames that prove the SPS wrong.
const STUMBLES: u32 = 4;
const STUMBLE_FRAMES: u32 = 64;

/// The frame contradicts the reordering depth, which has been raised: begin again at a random access point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// A frame's two times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Presentation; raised if it could not be kept.
    pub pts: i64,
    /// Decoding.
    pub dts: i64,
}

/// Derives decoding times for one session.
#[derive(Debug)]
pub struct Dts {
    depth: u8,
    told: bool,
    /// Presentation times not yet used as decoding times, ascending; at most `depth` between calls.
    held: VecDeque<i64>,
    /// Presentation times of recent frames in decoding order, to learn from.
    recent: VecDeque<i64>,
    /// The last decoding time given; -1 before the first, so that none is negative.
    last: i64,
    step: i64,
    /// Frames since the last beginning, up to `depth`.
    begun: u8,
    first: i64,
    stumbles: u32,
    since_stumble: u32,
}

impl Dts {
    /// `told`: the depth from the SPS; `learned`: the depth this stream has needed so far; `step`: frame distance if known.
    #[must_use]
    pub fn new(told: Option<u8>, learned: u8, step: Option<u32>) -> Self {
        Self {
            depth: told.unwrap_or(0).max(learned).min(MAX_DEPTH),
            told: told.is_some(),
            held: VecDeque::new(),
            recent: VecDeque::new(),
            last: -1,
            step: step.map_or(ASSUMED_STEP, |s| i64::from(s).clamp(1, 90_000)),
            begun: 0,
            first: 0,
            stumbles: 0,
            since_stumble: 0,
        }
    }

    /// The depth in use.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// How much later than its decoding the first frame is presented: start a session's pts here, and dts starts at 0.
    #[must_use]
    pub fn lead(&self) -> i64 {
        i64::from(self.depth) * self.step
    }

    /// New parameters: another depth may hold from here on, a random access point.
    pub fn retell(&mut self, told: Option<u8>, step: Option<u32>) {
        let learned = if self.told { 0 } else { self.depth };
        let last = self.last;
        *self = Self { last, ..Self::new(told, learned, step) };
    }

    /// Frames were lost; the next one is a random access point.
    pub fn begin_again(&mut self) {
        self.held.clear();
        self.recent.clear();
        self.begun = 0;
    }

    /// Looks at a frame that is not emitted (while waiting for a random access point), to learn from it.
    pub fn learn(&mut self, pts: i64) {
        let needed = self.needed(pts);
        if !self.told && needed > self.depth {
            self.depth = needed;
        }
    }

    /// Gives the next frame in decoding order its times.
    ///
    /// # Errors
    /// [`Refused`] when the stream reorders deeper than was known.
    pub fn place(&mut self, pts: i64) -> Result<Times, Refused> {
        let needed = self.needed(pts);
        if self.contradicts(pts) {
            if !self.told || self.stumbled() {
                self.told = false;
                self.depth = self.depth.max(needed.max(self.depth.saturating_add(1))).min(MAX_DEPTH);
                self.begin_again();
                return Err(Refused);
            }
        } else {
            self.since_stumble = self.since_stumble.saturating_add(1);
        }
        Ok(self.give(pts))
    }

    /// Whether this frame would need a decoding time that is already past.
    fn contradicts(&self, pts: i64) -> bool {
        if self.depth >= MAX_DEPTH {
            return false; // no deeper reordering exists: a stumbling timestamp
        }
        let last = self.last;
        let full = self.begun >= self.depth;
        let next = self.held.front().map_or(pts, |least| pts.min(*least));
        (full && next <= last) || pts <= last || (self.begun > 0 && pts < self.first)
    }

    fn stumbled(&mut self) -> bool {
        self.stumbles = if self.since_stumble > STUMBLE_FRAMES { 1 } else { self.stumbles + 1 };
        self.since_stumble = 0;
        self.stumbles >= STUMBLES
    }

    fn give(&mut self, pts: i64) -> Times {
        // One tick above the past at least, so that a decoding time is left for it.
        let floor = self.last.saturating_add(1);
        let pts = pts.max(floor);
        if self.begun == 0 {
            self.first = pts;
        }
        let at = self.held.partition_point(|held| *held <= pts);
        self.held.insert(at, pts);
        let wanted = if self.begun < self.depth {
            let early = i64::from(self.depth - self.begun) * self.step;
            self.begun += 1;
            self.first.saturating_sub(early)
        } else {
            self.held.pop_front().unwrap_or(pts)
        };
        let dts = wanted.max(floor).min(pts);
        self.last = dts;
        Times { pts, dts }
    }

    /// How many frames came before this one in decoding order and follow it in presentation.
    fn needed(&mut self, pts: i64) -> u8 {
        let later = self.recent.iter().filter(|earlier| **earlier > pts).count();
        self.recent.push_back(pts);
        if self.recent.len() > usize::from(MAX_DEPTH) {
            self.recent.pop_front();
        }
        u8::try_from(later).unwrap_or(MAX_DEPTH).min(MAX_DEPTH)
    }
}

#[cfg(test)]
mod tests;
