//! Links to one case: what lets one person see and answer it in a browser that is signed in nowhere and may keep nothing.
//!
//! Belongs here: the rows, their single use and their end. Does not belong here: which requests such a browser may make (`web`), whom
//! a case may be shown to (his role and cameras, asked again at each request).

use crate::{Store, StoreError, User, secrets};
use domain::{CaseId, Secret, WallTime};
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

/// From its making on a link is good for so long, opened or not: a night's case is answered in the morning, and no later.
pub const CASE_LINK_LIFE: Duration = Duration::from_secs(12 * 3600);

/// A fresh link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseLink {
    /// What the link carries (67 characters, `ml_…`). Told once.
    pub secret: Secret,
    /// When it ends, and with it what it let in.
    pub expires: WallTime,
}

/// What a link is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseLinked {
    /// It has just let this browser in, and is used up.
    In {
        /// In whose name.
        person: User,
        /// The case, and nothing else.
        case: CaseId,
        /// What the browser shows with each request from now on (67 characters, `mc_…`). Told once.
        secret: Secret,
        /// Until when.
        expires: WallTime,
    },
    /// Another browser was first.
    Used,
    /// Its time is over, or another was made instead.
    Over,
}

impl Store {
    /// Makes a link to a case for a person; an earlier one of both that nobody opened is over.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`]; when there is no such case.
    pub fn link_case(&self, person: i64, case: CaseId, now: WallTime) -> Result<CaseLink, StoreError> {
        let secret = secrets::fresh("ml_")?;
        let expires = now.plus(CASE_LINK_LIFE);
        self.write(|tx| {
            let there = tx.query_row("SELECT 1 FROM user WHERE id = ?1", [person], |_| Ok(())).optional()?;
            if there.is_none() {
                return Err(StoreError::NoSuchUser { name: person.to_string() });
            }
            let old = "DELETE FROM case_link WHERE (user = ?1 AND case_id = ?2 AND browser IS NULL) OR expires <= ?3";
            tx.execute(old, params![person, case.0, now.0])?;
            let new = "INSERT INTO case_link (hash, user, case_id, created, expires) VALUES (?1, ?2, ?3, ?4, ?5)";
            tx.execute(new, params![secrets::digest(&secret), person, case.0, now.0, expires.0])?;
            Ok(())
        })?;
        Ok(CaseLink { secret: Secret::new(secret), expires })
    }

    /// Lets the browser in that opens a link first. Of two that open it at once, one is.
    ///
    /// # Errors
    /// When the database fails.
    pub fn open_case_link(&self, secret: &str, now: WallTime) -> Result<CaseLinked, StoreError> {
        let (digest, browser) = (secrets::digest(secret), secrets::fresh("mc_")?);
        self.write(|tx| {
            let first = "UPDATE case_link SET browser = ?2 WHERE hash = ?1 AND browser IS NULL AND expires > ?3 RETURNING case_id, expires";
            let opened =
                tx.query_row(first, params![digest, secrets::digest(&browser), now.0], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
            let Some((case, expires)) = opened else {
                let used = "SELECT 1 FROM case_link WHERE hash = ?1 AND browser IS NOT NULL AND expires > ?2";
                let used = tx.query_row(used, params![digest, now.0], |_| Ok(())).optional()?;
                return Ok(if used.is_some() { CaseLinked::Used } else { CaseLinked::Over });
            };
            let person = self.user_where(tx, "case_link JOIN user ON user.id = case_link.user WHERE case_link.hash = ?1", [digest])?;
            let Some(person) = person else { return Ok(CaseLinked::Over) };
            Ok(CaseLinked::In { person, case: CaseId(case), secret: Secret::new(browser.clone()), expires: WallTime(expires) })
        })
    }

    /// In whose name a browser asks that a link let in, and for which case.
    ///
    /// # Errors
    /// When the database fails.
    pub fn user_by_case_link(&self, secret: &str, now: WallTime) -> Result<Option<(User, CaseId)>, StoreError> {
        let digest = secrets::digest(secret);
        self.read(|c| {
            let mut row = c.prepare_cached("SELECT case_id FROM case_link WHERE browser = ?1 AND expires > ?2")?;
            let Some(case) = row.query_row(params![digest, now.0], |r| r.get(0)).optional()? else { return Ok(None) };
            let person = self.user_where(c, "case_link JOIN user ON user.id = case_link.user WHERE case_link.browser = ?1", [digest])?;
            Ok(person.map(|person| (person, CaseId(case))))
        })
    }
}
