//! A rendition: the samples of one stream go down one socket as they come, the same pictures in H.264 come up it, covered where that is asked.
//!
//! Down go [`super::Down`] messages as on a stream's socket; up come [`Up`] messages, a picture's bytes behind it. A picture is named by the
//! times of the sample it was made from, by which the core knows that it was.

pub use super::film::{PICTURE_MAX, Up};
use domain::mask::{self, Mask};
use serde::{Deserialize, Serialize};

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
