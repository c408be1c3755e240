//! The words of a case: its name, its state, a person's answer, and how far its evidence is.
//!
//! Belongs here: what the store, `cases` and the API all name. Does not belong here: what may follow what (`cases`).

use crate::words::words;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Names a case of this box; counts up from 1, never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub i64);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for CaseId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(n) if n > 0 && text.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(n)),
            _ => Err(format!("`{text}` is not the number of a case")),
        }
    }
}

words! {
    /// Where a case stands.
    CaseState, "the state of a case":
    /// Nobody has looked at it yet; what it says is suspected.
    Raised = "raised",
    /// A person says it is so.
    Confirmed = "confirmed",
    /// A person says it is not so.
    FalseAlarm = "false-alarm",
}

words! {
    /// What a person says to a case.
    Answer, "an answer":
    /// It is so.
    Confirm = "confirm",
    /// It is not so.
    FalseAlarm = "false-alarm",
}

impl Answer {
    /// Where the case stands after it.
    #[must_use]
    pub fn state(self) -> CaseState {
        match self {
            Self::Confirm => CaseState::Confirmed,
            Self::FalseAlarm => CaseState::FalseAlarm,
        }
    }
}

words! {
    /// How far a case's picture is.
    StillState, "the state of a still":
    /// Not there yet.
    Pending = "pending",
    /// The small picture the detector saw; the large one may still come.
    Small = "small",
    /// The picture from the main stream.
    Main = "main",
    /// There is none and none will come.
    Missing = "missing",
    /// It was there, and was deleted when its time was over.
    Gone = "gone",
}

words! {
    /// How far a case's clip is.
    ClipState, "the state of a clip":
    /// Not there yet.
    Pending = "pending",
    /// A part of it: what was recorded when the case was raised, or all there is of a recording that broke off.
    Partial = "partial",
    /// Whole.
    Done = "done",
    /// There is none and none will come.
    Missing = "missing",
    /// None was copied, for the evidence store was full: its time is written down, and the ring has it for as long as it keeps it.
    RangeOnly = "range-only",
    /// It was there, and was deleted when its time was over.
    Gone = "gone",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for state in CaseState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        assert_eq!("7".parse(), Ok(CaseId(7)));
        for bad in ["", "0", "-1", "+7", "7a", "99999999999999999999"] {
            assert!(bad.parse::<CaseId>().is_err(), "{bad}");
        }
        assert_eq!("maybe".parse::<Answer>().unwrap_err(), "`maybe` is not an answer: use confirm, false-alarm");
    }
}
