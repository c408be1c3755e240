//! Reading cases: lists, one case, its files, and what happened since.
//!
//! Belongs here: the calls that change nothing. Does not belong here: who may see what (`web`).

use crate::{Case, CaseError, Cases, Event, Line, Tally, files::Piece};
use domain::{CameraId, CaseId, CaseState, ClipState, StillState, WallTime};
use std::{path::PathBuf, time::Duration};
use store::CaseFilter;
use tokio::sync::watch;

/// Which cases are listed; the default is the latest 50.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Of these cameras only (those the reader may see); `None`: all.
    pub cameras: Option<Vec<CameraId>>,
    /// In this state only.
    pub state: Option<CaseState>,
    /// Older than this one: the last of the page before.
    pub before: Option<CaseId>,
    /// Raised at or after.
    pub from: Option<WallTime>,
    /// Raised before.
    pub to: Option<WallTime>,
    /// Without those made by hand.
    pub by_rule: bool,
    /// At most this many; 1000 is the most there is.
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self { cameras: None, state: None, before: None, from: None, to: None, by_rule: false, limit: 50 }
    }
}

impl Cases {
    /// Cases, newest first, without their history.
    ///
    /// # Errors
    /// When the database fails.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Case>, CaseError> {
        Ok(self.0.store.cases(&rows(filter), filter.limit)?.into_iter().map(|r| self.case(r)).collect())
    }

    /// How many cases the filter lets through, whatever its limit.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count(&self, filter: &Filter) -> Result<u64, CaseError> {
        Ok(self.0.store.count_cases(&rows(filter))?)
    }

    /// One case with its history.
    ///
    /// # Errors
    /// [`CaseError::NoSuchCase`].
    pub fn get(&self, id: CaseId) -> Result<Case, CaseError> {
        let mut case = self.case(self.0.store.case(id)?);
        case.history = Some(self.0.store.case_history(id)?.into_iter().map(Line::from).collect());
        Ok(case)
    }

    /// How each rule does: officials stop reading noisy alerts, so false alarms are counted.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tally(&self, filter: &Filter) -> Result<Vec<Tally>, CaseError> {
        let tally = |t: store::CaseTally| Tally {
            camera: t.camera,
            kind: t.kind,
            zone: t.zone,
            cases: t.cases,
            confirmed: t.confirmed,
            false_alarms: t.false_alarms,
        };
        Ok(self.0.store.tally_cases(&rows(filter))?.into_iter().map(tally).collect())
    }

    /// The file of the best picture there is (JPEG); `None`: there is none (yet).
    ///
    /// # Errors
    /// [`CaseError::NoSuchCase`].
    pub fn still_path(&self, id: CaseId) -> Result<Option<PathBuf>, CaseError> {
        Ok(match self.0.store.case(id)?.still {
            StillState::Main => Some(self.0.files.path(id, Piece::Main)),
            StillState::Small => Some(self.0.files.path(id, Piece::Small)),
            StillState::Pending | StillState::Missing | StillState::Gone => None,
        })
    }

    /// The file of a small picture, where there is one, else of the other (JPEG); `None`: there is none, or not yet.
    ///
    /// # Errors
    /// [`CaseError::NoSuchCase`].
    pub fn small_still_path(&self, id: CaseId) -> Result<Option<PathBuf>, CaseError> {
        let best = self.still_path(id)?;
        let small = self.0.files.path(id, Piece::Small);
        Ok(best.map(|best| if small.is_file() { small } else { best }))
    }

    /// The file of the clip as it is now (MP4); a partial one is replaced (not changed) when more is there.
    ///
    /// # Errors
    /// [`CaseError::NoSuchCase`].
    pub fn clip_path(&self, id: CaseId) -> Result<Option<PathBuf>, CaseError> {
        Ok(match self.0.store.case(id)?.clip {
            ClipState::Partial | ClipState::Done => Some(self.0.files.path(id, Piece::Clip)),
            ClipState::Pending | ClipState::Missing | ClipState::RangeOnly | ClipState::Gone => None,
        })
    }

    /// What happened after `seq`, oldest first, at most `limit` (and at most 1000). The latest 10 000 events are kept.
    ///
    /// # Errors
    /// When the database fails.
    pub fn events_since(&self, seq: i64, limit: usize) -> Result<Vec<Event>, CaseError> {
        Ok(self.0.store.case_events(seq, limit)?.into_iter().map(Event::from).collect())
    }

    /// How long evidence of cases is kept that nobody confirmed.
    #[must_use]
    pub fn keep_unconfirmed(&self) -> Duration {
        self.0.config.keep_unconfirmed
    }

    /// Tells whenever something happened: the place of the latest event. Whatever it tells is on disk, outbox included.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<i64> {
        self.0.latest.subscribe()
    }
}

fn rows(filter: &Filter) -> CaseFilter {
    CaseFilter {
        cameras: filter.cameras.clone(),
        state: filter.state,
        before: filter.before,
        from: filter.from,
        to: filter.to,
        by_rule: filter.by_rule,
    }
}
