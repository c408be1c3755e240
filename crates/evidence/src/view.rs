//! A viewing copy on its way into a package: pictures somebody encoded anew, boxed as a film that plays anywhere.
//!
//! Belongs here: which times they get, and where they lie until the index in front of them can be written. Does not belong here:
//! making the pictures (the worker), the master (`package`).

use domain::{Format, VideoFormat};
use media::{
    MediaError,
    progressive::{Chunk, ClipSample, ClipTrack, TrackKind, header},
};
use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    sync::Arc,
};

/// Pictures between two places of the index.
const CHUNK: usize = 60;
/// A picture that nothing follows, and none came before: 15 a second.
const NOMINAL: u32 = 6000;
/// No picture is shown longer than this, whatever clocks say, ticks of 90 kHz.
const LONGEST: i64 = 90_000 * 60;

/// A film of pictures shown one after the other, in step with the master: each until the next one's time; gaps of the recording are cut.
#[derive(Debug)]
pub struct View {
    scratch: BufWriter<File>,
    format: Option<Arc<Format>>,
    samples: Vec<ClipSample>,
    last: Option<i64>,
    nominal: u32,
}

impl View {
    /// Begins one; the pictures' bytes, and no more, lie in `scratch` until they are in the package.
    #[must_use]
    pub fn new(scratch: File) -> Self {
        Self { scratch: BufWriter::with_capacity(1 << 18, scratch), format: None, samples: Vec::new(), last: None, nominal: NOMINAL }
    }

    /// The pictures' parameters, before the first one.
    pub fn format(&mut self, format: VideoFormat) {
        self.format = Some(Arc::new(Format::Video(format)));
    }

    /// The next picture in the order of showing, at this time of its session (90 kHz). `hole`: recording was interrupted between
    /// it and the one before, so that their times have nothing to do with each other.
    ///
    /// # Errors
    /// When `scratch` does not take it.
    pub fn picture(&mut self, pts: i64, hole: bool, random_access: bool, data: &[u8]) -> io::Result<()> {
        if let (Some(last), Some(before)) = (self.last, self.samples.last_mut()) {
            let ticks = pts.saturating_sub(last);
            before.duration = match u32::try_from(ticks.min(LONGEST)) {
                Ok(ticks @ 1..) if !hole => ticks,
                _ => self.nominal,
            };
            if !hole {
                self.nominal = before.duration;
            }
        }
        self.last = Some(pts);
        let size = u32::try_from(data.len()).map_err(io::Error::other)?;
        self.scratch.write_all(data)?;
        self.samples.push(ClipSample { format: 0, duration: self.nominal, cts_offset: 0, size, random_access });
        Ok(())
    }

    /// The film's head, and a file that holds the rest from its beginning.
    pub(crate) fn finish(self) -> Result<(Vec<u8>, File), ViewError> {
        let format = self.format.ok_or(ViewError::Empty)?;
        if self.samples.is_empty() {
            return Err(ViewError::Empty);
        }
        let count = self.samples.len();
        let chunks: Vec<Chunk> =
            (0..count).step_by(CHUNK).map(|first| Chunk { track: 0, first, count: CHUNK.min(count - first) }).collect();
        let track = ClipTrack { kind: TrackKind::Media(vec![format]), samples: self.samples, start_offset: 0, shown: None };
        let head = header(&[track], &chunks)?;
        let mut file = self.scratch.into_inner().map_err(|e| ViewError::Scratch(e.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(ViewError::Scratch)?;
        Ok((head, file))
    }
}

/// Why a viewing copy does not go into the package.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// It has no picture.
    #[error("the viewing copy has no picture")]
    Empty,
    /// It does not fit an MP4.
    #[error("the viewing copy cannot be written as MP4: {0}")]
    Media(#[from] MediaError),
    /// Its bytes cannot be kept.
    #[error("the viewing copy cannot be kept: {0}")]
    Scratch(io::Error),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
    use super::*;

    fn durations(pictures: &[(i64, bool)]) -> Vec<u32> {
        let mut view = View::new(tempfile::tempfile().unwrap());
        for (ms, hole) in pictures {
            view.picture(ms * 90, *hole, true, b"x").unwrap();
        }
        view.samples.iter().map(|s| s.duration).collect()
    }

    #[test]
    fn a_picture_stands_until_the_next_one_and_gaps_are_cut() {
        // Ten a second, an hour's gap, then five a second; one picture could not be decoded.
        let hour = 3_600_000;
        let shown = [(0, false), (100, false), (200, false), (hour, true), (hour + 200, false), (hour + 600, false)];
        assert_eq!(durations(&shown), [9000, 9000, 9000, 18_000, 36_000, 36_000]);
        // Times that go back, and two pictures of one instant.
        assert_eq!(durations(&[(1000, false), (500, false), (600, false), (600, false)]), [6000, 9000, 9000, 9000]);
        assert_eq!(durations(&[(0, false), (hour, false)]), [5_400_000, 5_400_000]);
    }

    #[test]
    fn nothing_is_no_film() {
        assert!(matches!(View::new(tempfile::tempfile().unwrap()).finish(), Err(ViewError::Empty)));
    }
}
