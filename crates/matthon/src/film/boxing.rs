//! Pictures of a film into fragments of an MP4, as they are made.
//!
//! Belongs here: which times they get, and how many go into a fragment. Does not belong here: making the pictures, sending the bytes.

use domain::{Format, VideoFormat};
use media::{
    MediaError,
    fmp4::{Piece, Track, fragment_header, init_segment},
};

/// A picture that nothing follows, and none came before: 15 a second.
const NOMINAL: u32 = 6000;
/// No picture is shown longer than this, whatever clocks say, ticks of 90 kHz.
const LONGEST: i64 = 90_000 * 10;
/// Film gathered into one fragment, ticks of 90 kHz.
const FRAGMENT: u64 = 45_000;
/// Pictures gathered at most.
const PICTURES: usize = 120;

/// The only track.
const TRACK: u32 = 1;

/// A film's fragments, one after the other.
#[derive(Debug, Default)]
pub(super) struct Boxing {
    held: Vec<(Piece, Vec<u8>)>,
    last: Option<i64>,
    nominal: Option<u32>,
    /// Where the first picture that is held is decoded.
    at: u64,
    sequence: u32,
}

impl Boxing {
    /// What stands in front of all fragments.
    pub(super) fn init(format: VideoFormat) -> Result<Vec<u8>, MediaError> {
        init_segment(&[Track { id: TRACK, format: &Format::Video(format) }])
    }

    /// The next picture in the order of showing, at this time of its session (90 kHz): a fragment, when one is whole.
    pub(super) fn picture(&mut self, pts: i64, random_access: bool, data: Vec<u8>) -> Option<Vec<u8>> {
        if let (Some(last), Some((before, _))) = (self.last, self.held.last_mut()) {
            // Times that go back, or stand, are none.
            if let Ok(ticks @ 1..) = u32::try_from(pts.saturating_sub(last).min(LONGEST)) {
                before.duration = ticks;
                self.nominal = Some(ticks);
            }
        }
        let held: u64 = self.held.iter().map(|(p, _)| u64::from(p.duration)).sum();
        let whole = held >= FRAGMENT || self.held.len() >= PICTURES;
        let out = if whole { self.rest() } else { None };
        self.last = Some(pts);
        let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.held.push((Piece { duration: self.nominal.unwrap_or(NOMINAL), size, cts_offset: 0, random_access }, data));
        out
    }

    /// What is held, as a fragment: at the end, the last one.
    pub(super) fn rest(&mut self) -> Option<Vec<u8>> {
        if self.held.is_empty() {
            return None;
        }
        let held = std::mem::take(&mut self.held);
        let pieces: Vec<Piece> = held.iter().map(|(piece, _)| *piece).collect();
        self.sequence += 1;
        let mut out = fragment_header(self.sequence, TRACK, self.at, &pieces);
        self.at += pieces.iter().map(|p| u64::from(p.duration)).sum::<u64>();
        held.iter().for_each(|(_, data)| out.extend_from_slice(data));
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::fmp4::parse_fragment;
    use proptest::prelude::*;

    fn fragments(pts: &[i64]) -> Vec<media::fmp4::Fragment> {
        let mut boxing = Boxing::default();
        let mut out: Vec<_> = pts.iter().enumerate().filter_map(|(n, pts)| boxing.picture(*pts, n == 0, vec![7; n % 5 + 1])).collect();
        out.extend(boxing.rest());
        assert_eq!(boxing.rest(), None);
        out.iter().map(|bytes| parse_fragment(bytes).unwrap()).collect()
    }

    #[test]
    fn half_a_second_goes_into_a_fragment_and_each_begins_where_the_one_before_ends() {
        let found = fragments(&(0..20).map(|n| 1_000_000 + n * 9000).collect::<Vec<_>>());
        assert_eq!(
            found.iter().map(|f| (f.sequence, f.base_dts, f.pieces.len())).collect::<Vec<_>>(),
            [(1, 0, 5), (2, 45_000, 5), (3, 90_000, 5), (4, 135_000, 5)]
        );
        assert!(found.iter().flat_map(|f| &f.pieces).all(|p| p.duration == 9000 && p.cts_offset == 0));
        assert!(found[0].pieces[0].random_access && !found[1].pieces[0].random_access);
    }

    #[test]
    fn a_picture_stands_until_the_next_one_at_most_ten_seconds() {
        let found = fragments(&[0, 9000, 9000, 4000, 13_000, 90_000_000]);
        let durations: Vec<_> = found.iter().flat_map(|f| f.pieces.iter().map(|p| p.duration)).collect();
        assert_eq!(durations, [9000, 9000, 9000, 9000, 900_000, 900_000]);
    }

    proptest! {
        #[test]
        fn whatever_the_times_all_pictures_are_there_and_nothing_overlaps(steps in prop::collection::vec(-90_000i64..1_000_000, 1..400)) {
            let mut at = 0i64;
            let pts: Vec<_> = steps.iter().map(|step| { at += step; at }).collect();
            let found = fragments(&pts);
            let mut next = 0;
            for f in &found {
                prop_assert_eq!(f.base_dts, next);
                prop_assert!(f.pieces.len() <= PICTURES && f.pieces.iter().all(|p| p.duration > 0));
                next += f.pieces.iter().map(|p| u64::from(p.duration)).sum::<u64>();
            }
            prop_assert_eq!(found.iter().map(|f| f.pieces.len()).sum::<usize>(), pts.len());
        }
    }
}
