//! A viewing copy: compressed samples go down one socket, the same pictures come up, encoded anew, with words burnt in and covered where that is
//! asked.
//!
//! Down go [`Down`] messages, a sample's bytes behind it; the core shuts its direction after the last one. Up come [`Up`] messages, a
//! picture's bytes behind it, the last one `End`. Both behind their lengths, as on a stream's socket.

pub use super::film::{PICTURE_MAX, Up};
use super::{Codec, SAMPLE_MAX, SampleHead, stream};
use domain::{
    WallTime,
    mask::{self, Mask},
};
use serde::{Deserialize, Serialize};
use std::io::{self, Read};

/// Longest words on a picture, bytes; longer ones are cut.
pub const WORDS_MAX: usize = 400;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// Pictures from the first one captured at or after this …
    pub from: WallTime,
    /// … but none captured at or after this; those around are decoded because others refer to them.
    pub to: WallTime,
    /// At the top of each picture; empty: nothing is written on any.
    pub title: String,
    /// At most so wide and high, pixels.
    pub fit: (u32, u32),
    /// At most so many kilobits a second, averaged over two seconds.
    pub kbit: u32,
    /// What is painted black, below the words.
    pub masks: Vec<Mask>,
}

impl Spec {
    /// Whether a worker can make it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.fit.0 >= 2 && self.fit.1 >= 2 && mask::are_sound(&self.masks)
    }
}

/// From the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Down {
    /// Before the first sample and at each change.
    Format(Codec),
    /// An access unit; its bytes follow.
    Sample {
        /// Its times and length.
        head: SampleHead,
        /// At the bottom of its picture: where and when.
        words: String,
    },
}

/// Cuts words to what fits into a message.
#[must_use]
pub fn words(text: &str) -> String {
    let mut end = text.len().min(WORDS_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

/// Reads the next message from the core, and a sample's bytes into `data` (which is cleared first); `None` at the end.
///
/// # Errors
/// When the source fails, ends in the middle, or says what cannot be.
pub fn read_down(source: &mut impl Read, data: &mut Vec<u8>) -> io::Result<Option<Down>> {
    data.clear();
    let Some(message) = stream::read(source)? else { return Ok(None) };
    if let Down::Sample { head, .. } = &message {
        stream::fill(source, data, head.len, SAMPLE_MAX)?;
    }
    Ok(Some(message))
}

/// Messages of the worker as they arrive, in whatever pieces: never more than one message is held.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    picture: Option<(Up, usize)>,
}

impl Inbox {
    /// Takes what arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message that is whole, and a picture's bytes.
    ///
    /// # Errors
    /// `InvalidData` when the worker says what cannot be.
    pub fn take(&mut self) -> io::Result<Option<(Up, Vec<u8>)>> {
        if self.picture.is_none() {
            let Some(prefix) = self.bytes.first_chunk::<4>() else { return Ok(None) };
            let end = 4 + stream::length(*prefix)?;
            let Some(head) = self.bytes.get(4..end) else { return Ok(None) };
            let message: Up = stream::decode(head)?;
            self.bytes.drain(..end);
            let Up::Picture { len, .. } = &message else { return Ok(Some((message, Vec::new()))) };
            let len = *len as usize;
            if len > PICTURE_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a picture is longer than one may be"));
            }
            self.picture = Some((message, len));
        }
        let Some((message, len)) = self.picture.take_if(|(_, len)| *len <= self.bytes.len()) else { return Ok(None) };
        let rest = self.bytes.split_off(len);
        Ok(Some((message, std::mem::replace(&mut self.bytes, rest))))
    }

    /// Whether the source ended between two messages.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.picture.is_none()
    }
}
