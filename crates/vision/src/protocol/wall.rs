//! The wall: compressed samples of many streams and what is to be shown of them go down one socket, encoded pictures of the whole come up it.
//!
//! Down go [`Down`] messages, a sample's bytes behind it; up come [`Up`] messages, a picture's bytes behind it. Both behind their
//! lengths, as on a stream's socket. The worker has no clock of its own: each [`Down::Draw`] is answered by one [`Up::Picture`], so that a
//! worker that does not keep up is asked less often and nothing piles up.

use super::{Codec, SAMPLE_MAX, SampleHead, stream};
use domain::{
    WallTime,
    mask::{self, Mask},
};
use serde::{Deserialize, Serialize};
use std::io::{self, Read};

/// The picture, pixels: what every TV's one decoder takes.
pub const SIZE: (u32, u32) = (1920, 1080);
/// Pictures a second that are asked for.
pub const FPS: u32 = 10;
/// Pictures from one key frame to the next: a TV that comes back waits a second.
pub const GOP: u32 = FPS;
/// Longest encoded picture, bytes.
pub const PICTURE_MAX: usize = 4 << 20;
/// Most tiles on a screen.
pub const TILES_MAX: usize = 36;
/// Longest words of any kind, bytes; longer ones are cut.
pub const WORDS_MAX: usize = 400;
/// Most lines of a plain screen.
pub const LINES_MAX: usize = 8;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// At most so many kilobits a second.
    pub kbit: u32,
}

/// A part of the picture, pixels; corner and size are even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rect {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Width.
    pub w: u32,
    /// Height.
    pub h: u32,
}

impl Rect {
    /// Whether it is even, not empty and inside of the picture.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let inside = |at: u32, len: u32, all: u32| len >= 2 && at.checked_add(len).is_some_and(|end| end <= all);
        let even = [self.x, self.y, self.w, self.h].iter().all(|n| n.is_multiple_of(2));
        even && inside(self.x, self.w, SIZE.0) && inside(self.y, self.h, SIZE.1)
    }
}

/// One camera on the screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tile {
    /// Number of the stream it shows.
    pub source: u16,
    /// Where.
    pub place: Rect,
    /// What people call it.
    pub name: String,
    /// What is said of it; empty: nothing.
    pub caption: String,
    /// What of its picture is painted black.
    pub masks: Vec<Mask>,
}

/// What is shown until the next one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Screen {
    /// At the top left, and at the top right.
    pub head: (String, String),
    /// Where the head stands; none: there is no head.
    pub head_place: Option<Rect>,
    /// Cameras. Streams that no tile shows are let go.
    pub tiles: Vec<Tile>,
    /// In place of a picture that does not come.
    pub lost: String,
    /// Lines in the middle of a plain screen, the first one large.
    pub lines: Vec<String>,
    /// Nobody can be recognised: of each picture only a few pixels are kept before it is shown.
    pub veiled: bool,
}

impl Screen {
    /// Whether a worker can draw it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.tiles.len() <= TILES_MAX
            && self.lines.len() <= LINES_MAX
            && self.tiles.iter().all(|t| t.place.is_sound() && mask::are_sound(&t.masks))
            && self.head_place.is_none_or(|r| r.is_sound())
    }
}

/// From the core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Down {
    /// First of all, and at each change.
    Screen(Screen),
    /// Before the first sample of a stream and at each change.
    Format {
        /// Which stream.
        source: u16,
        /// What its decoder needs.
        codec: Codec,
    },
    /// An access unit; its bytes follow.
    Sample {
        /// Which stream.
        source: u16,
        /// Its times and length.
        head: SampleHead,
    },
    /// Draw a picture of now.
    Draw {
        /// The box's clock; comes back with the picture.
        at: WallTime,
        /// 90 kHz, rising; comes back with the picture.
        pts: i64,
    },
}

/// To the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Up {
    /// Once, before the first picture: the body of `avcC`.
    Format(Vec<u8>),
    /// A picture; its length-prefixed NAL units follow.
    Picture {
        /// As asked.
        at: WallTime,
        /// As asked.
        pts: i64,
        /// Decoding may start here.
        random_access: bool,
        /// Bytes that follow, at most [`PICTURE_MAX`].
        len: u32,
    },
    /// A decoder said no; its stream goes on at its next random access point.
    Undecodable {
        /// Which stream.
        source: u16,
        /// What it said, without any content.
        what: String,
    },
    /// No wall can be made: why, in one sentence.
    Failed(String),
}

/// Reads the next message from the core, and a sample's bytes into `data` (which is cleared first); `None` at the end.
///
/// # Errors
/// When the source fails, ends in the middle, or says what cannot be.
pub fn read_down(source: &mut impl Read, data: &mut Vec<u8>) -> io::Result<Option<Down>> {
    data.clear();
    let Some(message) = stream::read(source)? else { return Ok(None) };
    match &message {
        Down::Sample { head, .. } => stream::fill(source, data, head.len, SAMPLE_MAX)?,
        Down::Screen(screen) if !screen.is_sound() => {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a screen cannot be drawn"));
        }
        _ => {}
    }
    Ok(Some(message))
}
