//! What a detector saw on one picture.
//!
//! Belongs here: boxes, classes, detections and the observation that crosses from the worker to the core and into the
//! ring. Does not belong here: how pictures are looked at (`vision`) or what follows from it (`analytics`).

use crate::{Colour, WallTime, geometry::Point};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// An upright box of the picture, `[x1, y1, x2, y2]`, fractions of the picture, origin top left.
/// Parts outside of the picture are allowed; `x1 <= x2` and `y1 <= y2` are not promised by the type.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct BBox {
    /// Left.
    pub x1: f64,
    /// Top.
    pub y1: f64,
    /// Right.
    pub x2: f64,
    /// Bottom.
    pub y2: f64,
}

impl BBox {
    /// Where the thing stands: the middle of the lower edge.
    #[must_use]
    pub fn ground(&self) -> Point {
        Point { x: self.x1.midpoint(self.x2), y: self.y2 }
    }

    /// Finite, wider and taller than nothing: a box something can be done with.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        [self.x1, self.y1, self.x2, self.y2].iter().all(|v| v.is_finite() && v.abs() <= 16.0) && self.x1 < self.x2 && self.y1 < self.y2
    }
}

impl From<[f64; 4]> for BBox {
    fn from([x1, y1, x2, y2]: [f64; 4]) -> Self {
        Self { x1, y1, x2, y2 }
    }
}

impl From<BBox> for [f64; 4] {
    fn from(b: BBox) -> Self {
        [b.x1, b.y1, b.x2, b.y2]
    }
}

/// What a thing is, in the model manifest's words: `car`, `motorcycle`, `person`, … Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Class(Arc<str>);

impl Class {
    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Class {
    fn from(word: &str) -> Self {
        Self(word.into())
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing on one picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// What.
    pub class: Class,
    /// How sure the model is, 0 to 1. Weak ones (down to about 0.1) are wanted: a tracker bridges with them.
    pub score: f64,
    /// Where.
    #[serde(rename = "box")]
    pub bbox: BBox,
    /// What colour most of it has; none: unclear, too small, or a person.
    #[serde(default)]
    pub colour: Option<Colour>,
}

/// One picture that was looked at. A picture that was skipped makes no observation: "nothing seen" and "did not look"
/// are different evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When the picture was captured.
    pub capture: WallTime,
    /// Width of the picture in pixels; with `height` it gives the picture's shape, which angles need.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// The part of the picture that moved, 0 to 1.
    pub motion: f64,
    /// What was seen, in any order.
    pub detections: Vec<Detection>,
}
