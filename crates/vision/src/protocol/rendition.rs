//! A rendition: the samples of one stream go down one socket as they come, the same pictures in H.264 come up it, covered where that is asked.
//!
//! Down go [`super::Down`] messages as on a stream's socket; up come [`Up`] messages, a picture's bytes behind it. A picture is named by the
//! times of the sample it was made from, by which the core knows that it was.

use domain::{
    WallTime,
    mask::{self, Mask},
};
use serde::{Deserialize, Serialize};

/// Longest encoded picture, bytes.
pub const PICTURE_MAX: usize = 4 << 20;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The picture is scaled down, in its shape, until it is at most so wide and so high, pixels.
    pub fit: (u32, u32),
    /// At most so many kilobits a second.
    pub kbit: u32,
    /// What is painted black.
    pub masks: Vec<Mask>,
}

impl Spec {
    /// Whether a worker can make it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.fit.0 >= 2 && self.fit.1 >= 2 && mask::are_sound(&self.masks)
    }
}

/// To the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Up {
    /// Before the first picture and at each change of size, before a random access point: the body of `avcC`.
    Format(Vec<u8>),
    /// A picture, in the order of showing; its length-prefixed NAL units follow.
    Picture {
        /// Of the sample it was made from: the box's clock.
        capture: WallTime,
        /// Likewise, 90 kHz.
        pts: i64,
        /// Decoding may start here.
        random_access: bool,
        /// Bytes that follow, at most [`PICTURE_MAX`].
        len: u32,
    },
    /// A decoder said no, without any content; the stream goes on at its next random access point.
    Undecodable(String),
    /// No rendition can be made: why, in one sentence.
    Failed(String),
}
