//! What a rule is sure of; a person confirms it or not.
//!
//! Belongs here: the violation and its end. Does not belong here: the rules (`analytics`) or the case's life (`cases`).

use crate::{BBox, Class, TrackId, WallTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kinds of rules that exist; written as in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationKind {
    /// Something stands in a zone too long.
    NoParking,
    /// Something moves against the permitted way.
    WrongWay,
}

impl ViolationKind {
    /// `no-parking` or `wrong-way`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoParking => "no-parking",
            Self::WrongWay => "wrong-way",
        }
    }
}

/// Names a violation among those of one camera since the core started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ViolationId(pub u64);

/// The reason in one sentence, one for each language; "suspected" until a person confirms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Tiếng Việt.
    pub vi: String,
    /// English.
    pub en: String,
}

/// A rule is sure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// Its name.
    pub id: ViolationId,
    /// The rule's kind.
    pub kind: ViolationKind,
    /// The rule's place in the camera's list, from 0.
    pub rule: usize,
    /// The rule's zone.
    pub zone: String,
    /// The track that showed it.
    pub track: TrackId,
    /// What it is.
    pub class: Class,
    /// First evidence.
    pub start: WallTime,
    /// The picture on which the rule became sure; the still is cut from here.
    pub raised: WallTime,
    /// Where the thing is on that picture.
    #[serde(rename = "box")]
    pub bbox: BBox,
    /// The reason for people.
    pub why: Why,
    /// The numbers that justify it; the unit is the end of the key (`dwell_s`, `angle_deg`, `travel`: fraction of the picture).
    pub measured: BTreeMap<String, f64>,
}

/// Why a violation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndReason {
    /// The thing was seen leaving.
    Left,
    /// The thing has not been seen for too long.
    Lost,
    /// The evidence broke off: the picture changed its shape, the clock was set back, the rule changed, or the camera
    /// was not looked at for too long.
    Interrupted,
}

/// A violation is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViolationEnd {
    /// Which.
    pub id: ViolationId,
    /// The last picture that showed it.
    pub end: WallTime,
    /// Why it is over.
    pub reason: EndReason,
}
