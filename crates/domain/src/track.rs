//! One thing followed through many pictures.
//!
//! Belongs here: what others may know about a track. Does not belong here: how it is followed (`analytics`).

use crate::{BBox, Class, WallTime, geometry::Point};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names a track of one camera; counts up, is never given twice by one tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackId(pub u64);

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How sure a track is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrackState {
    /// Seen too few times to act on.
    Tentative,
    /// Followed, and seen on the latest picture.
    Confirmed,
    /// Followed, not seen on the latest picture; its box is a guess.
    Lost,
}

/// One thing followed through many pictures, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Its name.
    pub id: TrackId,
    /// What most of the pictures say it is.
    pub class: Class,
    /// How sure.
    pub state: TrackState,
    /// Smoothed place; for a lost track the predicted one.
    #[serde(rename = "box")]
    pub bbox: BBox,
    /// Movement of the box's centre, fractions of the picture a second.
    pub velocity: Point,
    /// Score of the latest detection.
    pub score: f64,
    /// The first picture it was on.
    pub first_seen: WallTime,
    /// The latest picture it was on.
    pub last_seen: WallTime,
    /// Where its story began.
    pub born: BBox,
}
