//! What can be wrong with bytes, in one enum: the kind is for code, the message for people.
//! Does not hold the bytes themselves: they may be pictures of people.

/// Why bytes could not be read or written. `what` names the structure, with the standard that describes it where it helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The bytes end inside the structure.
    #[error("{what} is cut short: the camera or the file lost bytes")]
    Truncated {
        /// The structure.
        what: &'static str,
    },
    /// The bytes contradict the standard, or what this program writes.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// The structure.
        what: &'static str,
        /// What was found or expected.
        reason: &'static str,
    },
    /// Lawful, but nothing this program records.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// The structure.
        what: &'static str,
        /// What was found and what to set on the camera instead.
        reason: &'static str,
    },
    /// An access unit without a single slice of a picture.
    #[error("access unit holds no slice: nothing in it can be shown")]
    NoSlice,
    /// What was to be written does not fit the container.
    #[error("{what} does not fit MP4: {reason}")]
    DoesNotFit {
        /// The field or box.
        what: &'static str,
        /// The limit.
        reason: &'static str,
    },
    /// The caller's plan contradicts itself: a mistake of the program, not of the camera.
    #[error("{what} cannot be planned: {reason}")]
    Plan {
        /// The part of the plan.
        what: &'static str,
        /// The contradiction.
        reason: &'static str,
    },
}

impl MediaError {
    pub(crate) const fn truncated(what: &'static str) -> Self {
        Self::Truncated { what }
    }

    pub(crate) const fn malformed(what: &'static str, reason: &'static str) -> Self {
        Self::Malformed { what, reason }
    }
}
