//! What comes up of any film: the pictures of a stream, encoded anew in H.264, each named by the times of the sample it was made from.
//!
//! Belongs here: what a viewing copy and a rendition have in common. Does not belong here: what goes down to either.

use domain::WallTime;
use serde::{Deserialize, Serialize};

/// Longest encoded picture, bytes.
pub const PICTURE_MAX: usize = 8 << 20;

/// To the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Up {
    /// Before the first picture, and of a rendition at each change of size, before a random access point: the body of `avcC`.
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
    /// A decoder said no, without any content; it goes on at the next random access point.
    Undecodable(String),
    /// Nothing more comes. A rendition never says so: it goes on until its socket is closed.
    End,
    /// No film can be made: why, in one sentence.
    Failed(String),
}
