//! One stream of a wall: its decoder and its latest picture.
//!
//! Belongs here: decoding, keeping one picture, scaling it to its tile, making people unrecognisable in it. Does not belong here: where
//! the tile lies.

use crate::{
    decode::{Fault, Frame, Order, Tap},
    film::{cover::Covers, feed::Feed},
    scale::{self, Scaling},
};
use detect::Picture;
use domain::{WallTime, mask::Mask};
use vision::protocol::{Codec, SampleHead, wall::Rect};

/// What is kept of a picture when nobody may be recognised in it, pixels: a person who fills a third of its height is 18 of them high,
/// a plate a tenth of its width 10 of them wide.
pub const VEIL: (u32, u32) = (96, 54);
/// A picture older than this is no picture of now, µs.
const STALE: i64 = 8_000_000;

/// Keeps the newest picture alone.
#[derive(Debug, Default)]
struct Latest(Option<Frame>);

impl Tap for Latest {
    fn picture(&mut self, frame: Frame) {
        self.0 = Some(frame);
    }
}

/// One stream.
#[derive(Debug)]
pub struct Source {
    feed: Feed<Latest>,
    latest: Option<Frame>,
    /// It came since it was asked for last.
    fresh: bool,
    small: Scaling,
    large: Scaling,
    covers: [Covers; 2],
}

impl Default for Source {
    fn default() -> Self {
        let (small, large) = (Scaling::default(), Scaling::default());
        Self { feed: Feed::new(Order::Prompt), latest: None, fresh: false, small, large, covers: Default::default() }
    }
}

impl Source {
    /// Takes its parameters.
    pub fn format(&mut self, codec: Codec) {
        self.feed.format(codec);
    }

    /// Decodes an access unit; answers how many pictures came out.
    ///
    /// # Errors
    /// When the decoder gave up; it goes on at the next random access point.
    pub fn sample(&mut self, head: &SampleHead, data: Vec<u8>) -> Result<u64, Fault> {
        let mut came = None;
        let decoded = self.feed.sample(head, data, |t| came = t.0.take());
        if came.is_some() {
            (self.latest, self.fresh) = (came, true);
        }
        decoded
    }

    /// Whether there is a picture of now.
    #[must_use]
    pub fn alive(&self, now: WallTime) -> bool {
        // A clock that was set is no reason to doubt a picture, in one direction; in the other the next picture mends it.
        self.latest.as_ref().is_some_and(|f| now.micros_since(f.capture) <= STALE)
    }

    /// Whether a picture came since this was asked last.
    pub fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    /// Its picture for a place, in its own shape, covered.
    ///
    /// # Errors
    /// In one sentence, when it cannot be scaled.
    pub fn picture(&mut self, place: Rect, veiled: bool, masks: &[Mask]) -> Option<Result<Picture, String>> {
        let frame = self.latest.as_ref()?;
        let size = (frame.info.width(), frame.info.height());
        let to = fit(size, (place.w, place.h));
        let [behind, before] = &mut self.covers;
        let scaled = if veiled {
            // Covered first as well: what is made large again spreads over the edges of what is covered.
            let small = self.small.to(frame, fit(size, VEIL)).map(|mut small| {
                behind.paint(masks, &mut small);
                small
            });
            small.and_then(|small| scale::frame(&small)).and_then(|small| self.large.to(&small, to))
        } else {
            self.large.to(frame, to)
        };
        let covered = scaled.map(|mut picture| {
            before.paint(masks, &mut picture);
            picture
        });
        Some(covered.map_err(|e| e.to_string()))
    }
}

/// The largest even size of a picture's shape inside of a room.
#[must_use]
pub fn fit(size: (u32, u32), room: (u32, u32)) -> (u32, u32) {
    let (w, h) = (u64::from(size.0.max(1)), u64::from(size.1.max(1)));
    let (most_w, most_h) = (u64::from(room.0), u64::from(room.1));
    let (w, h) = if w * most_h >= h * most_w { (most_w, h * most_w / w) } else { (w * most_h / h, most_h) };
    let even = |v: u64| u32::try_from((v / 2 * 2).max(2)).unwrap_or(2);
    (even(w), even(h))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shapes_are_kept() {
        for (size, room, want) in [
            ((640, 360), (1920, 1080), (1920, 1080)),
            ((1920, 1080), (320, 180), (320, 180)),
            ((704, 576), (320, 180), (220, 180)),
            ((1080, 1920), (320, 180), (100, 180)),
            ((640, 360), VEIL, VEIL),
            ((1, 4000), (320, 180), (2, 180)),
        ] {
            assert_eq!(fit(size, room), want, "{size:?}");
        }
    }

    proptest! {
        #[test]
        fn any_picture_fits(w: u16, h: u16, most_w in 2u32..2000, most_h in 2u32..2000) {
            let (fit_w, fit_h) = fit((w.into(), h.into()), (most_w, most_h));
            prop_assert!(fit_w <= most_w && fit_h <= most_h && fit_w % 2 == 0 && fit_h % 2 == 0);
        }
    }
}
