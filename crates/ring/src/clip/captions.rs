//! The wall's time along a clip, as a subtitle track: one text a second, so that any player can show when something happened.

use super::gather::{Run, Shown};
use bytes::Bytes;
use domain::WallTime;
use media::progressive::{ClipSample, ClipTrack, TrackKind};

/// A second, 90 kHz.
const SECOND: i64 = 90_000;

/// The track and its samples' bytes; `None` when nothing is shown.
pub(super) fn track(runs: &[Run], shown: &Shown, write: &dyn Fn(WallTime) -> String) -> Option<(ClipTrack, Bytes)> {
    let (begin, end) = (shown.skip, shown.skip + shown.length);
    let (mut samples, mut text) = (Vec::new(), Vec::new());
    for (n, run) in runs.iter().enumerate() {
        let until = runs.get(n + 1).map_or(end, |next| next.media).min(end);
        let mut at = run.media.max(begin);
        while at < until {
            let wall = run.wall.plus_micros((at - run.media).saturating_mul(100) / 9);
            // To the next whole second of the wall: what is written is true for all of the sample.
            let left = (1_000_000 - wall.0.rem_euclid(1_000_000)) * 9 / 100;
            let next = (at + left.clamp(1, SECOND)).min(until);
            let words = write(wall);
            let words = words.as_bytes().get(..words.len().min(usize::from(u16::MAX))).unwrap_or(&[]);
            let len = u16::try_from(words.len()).unwrap_or(u16::MAX);
            text.extend_from_slice(&len.to_be_bytes());
            text.extend_from_slice(words);
            let (duration, size) = (u32::try_from(next - at).unwrap_or(u32::MAX), u32::from(len) + 2);
            samples.push(ClipSample { format: 0, duration, cts_offset: 0, size, random_access: true });
            at = next;
        }
    }
    if samples.is_empty() {
        return None;
    }
    Some((ClipTrack { kind: TrackKind::Captions, samples, start_offset: 0, shown: None }, text.into()))
}
