//! What may follow what: a pure fold over a case's history.
//!
//! Belongs here: answers, undo, and where a history leads. Does not belong here: keeping it (`store`), who may answer
//! (`web`'s roles), a clock.
//!
//! The history only grows: an undo is a line of its own that takes back the latest answer still standing. An answer can
//! be corrected at any time by another answer (that, too, is a line); an undo only by the same person and only for
//! [`UNDO`].

use domain::{Answer, CaseState, WallTime};
use std::time::Duration;

/// How long an answer can be taken back.
pub const UNDO: Duration = Duration::from_secs(10);

/// What a line of a history says, as far as the state is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody answered.
    Answered {
        /// What.
        answer: Answer,
        /// Who.
        by: String,
        /// When.
        at: WallTime,
    },
    /// The latest answer still standing was taken back.
    Undone,
    /// Anything else: made, ended.
    Other,
}

impl Step {
    /// Reads a line of the history.
    #[must_use]
    pub fn read(what: &str, by: &str, at: WallTime) -> Self {
        let answered = |answer| Self::Answered { answer, by: by.to_owned(), at };
        match what {
            "confirmed" => answered(Answer::Confirm),
            "false-alarm" => answered(Answer::FalseAlarm),
            "undone" => Self::Undone,
            _ => Self::Other,
        }
    }
}

/// An answer that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What.
    pub answer: Answer,
    /// Who.
    pub by: String,
    /// When.
    pub at: WallTime,
}

/// Why a step is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no answer that stands.
    #[error("there is no answer to take back")]
    NothingToUndo,
    /// Somebody else gave it.
    #[error("only {by}, who gave the answer, can take it back; answer again instead")]
    NotYours {
        /// Who.
        by: String,
    },
    /// It stands too long.
    #[error("an answer can be taken back for 10 seconds only; answer again instead")]
    TooLate,
}

/// The answers that stand, the latest last.
#[must_use]
pub fn standing(history: &[Step]) -> Vec<Standing> {
    let mut stack = Vec::new();
    for step in history {
        match step {
            Step::Answered { answer, by, at } => stack.push(Standing { answer: *answer, by: by.clone(), at: *at }),
            Step::Undone => drop(stack.pop()),
            Step::Other => {}
        }
    }
    stack
}

/// Where a history leads.
#[must_use]
pub fn state(history: &[Step]) -> CaseState {
    standing(history).last().map_or(CaseState::Raised, |s| s.answer.state())
}

/// Somebody answers: `None` when exactly that stands already (a second tap, a second person who agrees).
#[must_use]
pub fn answer(history: &[Step], answer: Answer, by: &str, now: WallTime) -> Option<Step> {
    if standing(history).last().is_some_and(|s| s.answer == answer) {
        return None;
    }
    Some(Step::Answered { answer, by: by.to_owned(), at: now })
}

/// Somebody takes back the latest answer that stands: that answer, and the one that stands afterwards.
///
/// # Errors
/// [`Refused`].
pub fn undo(history: &[Step], by: &str, now: WallTime) -> Result<(Standing, Option<Standing>), Refused> {
    let mut stack = standing(history);
    let last = stack.pop().ok_or(Refused::NothingToUndo)?;
    if last.by != by {
        return Err(Refused::NotYours { by: last.by });
    }
    undo_until(last.at, now).ok_or(Refused::TooLate)?;
    Ok((last, stack.pop()))
}

/// Until when an answer given at `at` can be taken back; `None` when that is over.
#[must_use]
pub fn undo_until(at: WallTime, now: WallTime) -> Option<WallTime> {
    // A clock that was set back since must not leave the door open for longer.
    (now.micros_since(at).unsigned_abs() <= UNDO.as_micros() as u64).then(|| at.plus(UNDO))
}
