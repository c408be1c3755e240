//! The rules: state machines over tracks.
//!
//! Belongs here: one file a kind, and the switch between them. Does not belong here: how tracks are made.

mod no_parking;
mod wrong_way;

use crate::{
    config::{Rule, What},
    event::{Out, Scene},
};

/// What one rule remembers.
#[derive(Debug)]
pub(crate) enum RuleState {
    NoParking(no_parking::State),
    WrongWay(wrong_way::State),
}

impl RuleState {
    pub(crate) fn new(rule: &Rule) -> Self {
        match rule.what {
            What::NoParking { .. } => Self::NoParking(no_parking::State::default()),
            What::WrongWay { .. } => Self::WrongWay(wrong_way::State::default()),
        }
    }

    pub(crate) fn observe(&mut self, scene: &Scene<'_>, index: usize, rule: &Rule, out: &mut Out) {
        match (self, &rule.what) {
            (Self::NoParking(s), &What::NoParking { after }) => s.observe(scene, index, rule, after, out),
            (Self::WrongWay(s), &What::WrongWay { from, to, tolerance, min_travel }) => {
                s.observe(scene, index, rule, &wrong_way::Way { from, to, tolerance, min_travel }, out);
            }
            // `new` pairs them, and a rule that changes gets a new state.
            (Self::NoParking(_), What::WrongWay { .. }) | (Self::WrongWay(_), What::NoParking { .. }) => {}
        }
    }

    /// Whether the rule waits for something to come back.
    pub(crate) fn waits(&self) -> bool {
        match self {
            Self::NoParking(s) => s.waits(),
            Self::WrongWay(s) => s.waits(),
        }
    }

    /// Forgets everything and ends what was raised.
    pub(crate) fn interrupt(&mut self, out: &mut Out) {
        match self {
            Self::NoParking(s) => s.interrupt(out),
            Self::WrongWay(s) => s.interrupt(out),
        }
    }
}
