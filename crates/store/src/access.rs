//! What stands for a user after the password: bearer tokens (no end, for programs and screens) and sessions of browsers.

use crate::{Store, StoreError, User, secrets, users};
use domain::WallTime;
use rusqlite::{OptionalExtension, Transaction, params};
use std::time::Duration;

/// A session that a password began ends when it was not used for this long.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// The same of one that an invitation bound to a phone: as long as browsers keep a cookie.
pub const BOUND_LIFE: Duration = Duration::from_secs(400 * 86_400);
/// How exactly its last use is kept: a write an hour, not one a request.
const SESSION_STEP: Duration = Duration::from_secs(3600);
/// Sessions a user may have at once; the one unused longest gives way.
const SESSIONS_MAX: i64 = 64;
/// Most characters of what a device is called.
const LABEL_MAX: usize = 60;
/// Tokens a user may have at once; the oldest gives way.
const TOKENS_MAX: i64 = 64;

impl Store {
    /// Makes a bearer token (`mt_…`, 67 characters). It is shown once; only its SHA-256 is kept.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`].
    pub fn issue_token(&self, name: &str, now: WallTime) -> Result<String, StoreError> {
        let (_, folded) = users::names(name)?;
        let token = secrets::fresh("mt_")?;
        self.write(|tx| {
            let user = users::id_of(tx, name, &folded)?;
            let old =
                "DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE user = ?1 ORDER BY created DESC, hash LIMIT -1 OFFSET ?2)";
            tx.execute(old, params![user, TOKENS_MAX - 1])?;
            tx.execute("INSERT INTO token (hash, user, created) VALUES (?1, ?2, ?3)", params![secrets::digest(&token), user, now.0])?;
            Ok(())
        })?;
        Ok(token)
    }

    /// Whose token this is. Tokens do not expire; `now` is for the day they do.
    ///
    /// # Errors
    /// When the database fails.
    pub fn user_by_token(&self, token: &str, _now: WallTime) -> Result<Option<User>, StoreError> {
        let digest = secrets::digest(token);
        self.read(|c| self.user_where(c, "token JOIN user ON user.id = token.user WHERE token.hash = ?1", [digest]))
    }

    /// Ends all tokens of a user; answers how many there were.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`].
    pub fn revoke_tokens(&self, name: &str) -> Result<usize, StoreError> {
        let (_, folded) = users::names(name)?;
        self.write(|tx| {
            let user = users::id_of(tx, name, &folded)?;
            Ok(tx.execute("DELETE FROM token WHERE user = ?1", [user])?)
        })
    }

    /// Begins a session for a user whose password was right; answers the cookie's secret (64 characters). `device`: what the browser
    /// is, in few words.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`] when the user was removed meanwhile.
    pub fn open_session(&self, user: &User, device: &str, now: WallTime) -> Result<String, StoreError> {
        let secret = secrets::fresh("")?;
        self.write(|tx| {
            let there = tx.query_row("SELECT 1 FROM user WHERE id = ?1", [user.id], |_| Ok(())).optional()?;
            if there.is_none() {
                return Err(StoreError::NoSuchUser { name: user.name.clone() });
            }
            begin(tx, user.id, &secret, device, false, now)
        })?;
        Ok(secret)
    }

    /// Whose session this is, if it has not ended; using it prolongs it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn user_by_session(&self, secret: &str, now: WallTime) -> Result<Option<User>, StoreError> {
        Ok(self.session(secret, now)?.map(|(user, _)| user))
    }

    /// The same, and how long it lasts from now.
    ///
    /// # Errors
    /// When the database fails.
    pub fn session(&self, secret: &str, now: WallTime) -> Result<Option<(User, Duration)>, StoreError> {
        let digest = secrets::digest(secret);
        let found = self.read(|c| {
            let mut row = c.prepare_cached("SELECT seen, bound FROM session WHERE hash = ?1")?;
            let row =
                row.query_row([digest], |r| Ok((WallTime(r.get(0)?), if r.get(1)? { BOUND_LIFE } else { SESSION_LIFE }))).optional()?;
            let Some((seen, life)) = row.filter(|(seen, life)| seen.plus(*life) >= now) else { return Ok(None) };
            let user = self.user_where(c, "session JOIN user ON user.id = session.user WHERE session.hash = ?1", [digest])?;
            Ok(user.map(|user| (user, seen, life)))
        })?;
        let Some((user, seen, life)) = found else { return Ok(None) };
        if seen.plus(SESSION_STEP) < now {
            self.write(|tx| Ok(tx.execute("UPDATE session SET seen = max(seen, ?2) WHERE hash = ?1", params![digest, now.0])?))?;
        }
        Ok(Some((user, life)))
    }

    /// Ends a session; one that does not exist has ended already.
    ///
    /// # Errors
    /// When the database fails.
    pub fn close_session(&self, secret: &str) -> Result<(), StoreError> {
        self.write(|tx| Ok(tx.execute("DELETE FROM session WHERE hash = ?1", [secrets::digest(secret)]).map(|_| ())?))
    }
}

/// Which sessions have not ended at the time of a parameter.
pub(crate) fn alive(now: &str) -> String {
    format!("seen + CASE bound WHEN 1 THEN {} ELSE {} END >= {now}", BOUND_LIFE.as_micros(), SESSION_LIFE.as_micros())
}

/// The row of a new session; ended ones go, and of too many the one unused longest.
pub(crate) fn begin(tx: &Transaction<'_>, user: i64, secret: &str, device: &str, bound: bool, now: WallTime) -> Result<(), StoreError> {
    tx.execute(&format!("DELETE FROM session WHERE NOT ({})", alive("?1")), [now.0])?;
    let old = "DELETE FROM session WHERE hash IN (SELECT hash FROM session WHERE user = ?1 ORDER BY seen DESC, hash LIMIT -1 OFFSET ?2)";
    tx.execute(old, params![user, SESSIONS_MAX - 1])?;
    let label: String = device.chars().filter(|c| !c.is_control()).take(LABEL_MAX).collect();
    let new = "INSERT INTO session (hash, user, created, seen, device, bound) VALUES (?1, ?2, ?3, ?3, ?4, ?5)";
    tx.execute(new, params![secrets::digest(secret), user, now.0, label, bound])?;
    Ok(())
}
