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
    /// It lets this browser in, and no other.
    In {
        /// In whose name.
        person: User,
        /// The case, and nothing else.
        case: CaseId,
        /// Who made the link.
        by: String,
        /// Until when.
        expires: WallTime,
        /// Not before: the same browser may ask again when the answer was lost on its way.
        first: bool,
    },
    /// Another browser was first.
    Used,
    /// Its time is over, or another was made instead.
    Over,
}

/// In whose name a browser asks that a link let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseLinkHolder {
    /// Whose.
    pub person: User,
    /// The only case it is for.
    pub case: CaseId,
    /// Who made the link.
    pub by: String,
}

/// Whether this can be a browser's own secret for a case: `mc_` and 64 hexadecimal digits.
#[must_use]
pub fn is_case_pass(secret: &str) -> bool {
    secret.strip_prefix("mc_").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

impl Store {
    /// Makes a link to a case for a person; an earlier one of both that nobody opened is over.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`]; when there is no such case.
    pub fn link_case(&self, person: i64, case: CaseId, by: &str, now: WallTime) -> Result<CaseLink, StoreError> {
        let secret = secrets::fresh("ml_")?;
        let expires = now.plus(CASE_LINK_LIFE);
        self.write(|tx| {
            let there = tx.query_row("SELECT 1 FROM user WHERE id = ?1", [person], |_| Ok(())).optional()?;
            if there.is_none() {
                return Err(StoreError::NoSuchUser { name: person.to_string() });
            }
            let old = "DELETE FROM case_link WHERE (user = ?1 AND case_id = ?2 AND browser IS NULL) OR expires <= ?3";
            tx.execute(old, params![person, case.0, now.0])?;
            let new = "INSERT INTO case_link (hash, user, case_id, maker, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            tx.execute(new, params![secrets::digest(&secret), person, case.0, by, now.0, expires.0])?;
            Ok(())
        })?;
        Ok(CaseLink { secret: Secret::new(secret), expires })
    }

    /// Lets the browser in that opens a link first, by a secret of its own (see [`is_case_pass`]): it keeps that before it asks, so that an
    /// answer that is lost costs nothing. Of two that open it at once, one is let in.
    ///
    /// # Errors
    /// When the database fails.
    pub fn open_case_link(&self, secret: &str, browser: &str, now: WallTime) -> Result<CaseLinked, StoreError> {
        let (digest, browser) = (secrets::digest(secret), secrets::digest(browser));
        self.write(|tx| {
            let first = tx.execute(
                "UPDATE case_link SET browser = ?2 WHERE hash = ?1 AND browser IS NULL AND expires > ?3",
                params![digest, browser, now.0],
            )? == 1;
            let there = "SELECT browser, case_id, maker, expires FROM case_link WHERE hash = ?1 AND expires > ?2";
            let row = |r: &rusqlite::Row<'_>| Ok((r.get::<_, Option<[u8; 32]>>(0)?, r.get(1)?, r.get(2)?, r.get(3)?));
            let Some((opened, case, by, expires)) = tx.query_row(there, params![digest, now.0], row).optional()? else {
                return Ok(CaseLinked::Over);
            };
            if opened != Some(browser) {
                return Ok(CaseLinked::Used);
            }
            let person = self.user_where(tx, "case_link JOIN user ON user.id = case_link.user WHERE case_link.hash = ?1", [digest])?;
            let Some(person) = person else { return Ok(CaseLinked::Over) };
            Ok(CaseLinked::In { person, case: CaseId(case), by, expires: WallTime(expires), first })
        })
    }

    /// In whose name a browser asks that a link let in, for which case, and who made the link.
    ///
    /// # Errors
    /// When the database fails.
    pub fn user_by_case_link(&self, secret: &str, now: WallTime) -> Result<Option<CaseLinkHolder>, StoreError> {
        let digest = secrets::digest(secret);
        self.read(|c| {
            let mut row = c.prepare_cached("SELECT case_id, maker FROM case_link WHERE browser = ?1 AND expires > ?2")?;
            let Some((case, by)) = row.query_row(params![digest, now.0], |r| Ok((r.get(0)?, r.get(1)?))).optional()? else {
                return Ok(None);
            };
            let person = self.user_where(c, "case_link JOIN user ON user.id = case_link.user WHERE case_link.browser = ?1", [digest])?;
            Ok(person.map(|person| CaseLinkHolder { person, case: CaseId(case), by }))
        })
    }
}
