//! Invitations: how a phone becomes somebody's without a password.
//!
//! Belongs here: the rows, their single use and their end. Does not belong here: the link and the picture of it (`web`), what the
//! bound phone may do (its person's role).

use crate::{Store, StoreError, User, access, secrets, users};
use domain::{CameraId, Role, WallTime};
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

/// An invitation that nobody opened by then is over.
pub const INVITATION_LIFE: Duration = Duration::from_secs(86_400);

/// A fresh invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// What the link carries (67 characters). Told once.
    pub secret: domain::Secret,
    /// When it ends.
    pub expires: WallTime,
}

/// What a secret is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invited {
    /// It binds a phone to this person until then.
    Open(User, WallTime),
    /// Some phone was bound by it already.
    Used,
    /// Its day is over, or another was made instead.
    Over,
}

impl Store {
    /// Adds a person who signs in by invitations alone; `cameras`: those he may see, `None`: all.
    ///
    /// # Errors
    /// [`StoreError::BadName`], [`StoreError::NameTaken`].
    pub fn add_person(&self, name: &str, role: Role, cameras: Option<&[CameraId]>, now: WallTime) -> Result<User, StoreError> {
        let (name, folded) = users::names(name)?;
        self.write(|tx| {
            let taken = tx.query_row("SELECT 1 FROM user WHERE folded = ?1", [&folded], |_| Ok(())).optional()?;
            if taken.is_some() {
                return Err(StoreError::NameTaken { name: name.clone() });
            }
            // No password is right for an empty hash.
            tx.execute(
                "INSERT INTO user (name, folded, role, password_hash, all_cameras, created, password_set) VALUES (?1, ?2, ?3, '', ?4, ?5, ?5)",
                params![name, folded, role.as_str(), cameras.is_none(), now.0],
            )?;
            let id = tx.last_insert_rowid();
            users::give_cameras(tx, id, cameras)?;
            Ok(User { id, name: name.clone(), role, cameras: cameras.map(<[_]>::to_vec) })
        })
    }

    /// Makes an invitation for a person; an earlier one that nobody opened is over. `lost`: all devices of the person are let go as well.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`].
    pub fn invite(&self, person: i64, lost: bool, now: WallTime) -> Result<Invitation, StoreError> {
        let secret = secrets::fresh("mi_")?;
        let expires = now.plus(INVITATION_LIFE);
        self.write(|tx| {
            let there = tx.query_row("SELECT 1 FROM user WHERE id = ?1", [person], |_| Ok(())).optional()?;
            if there.is_none() {
                return Err(StoreError::NoSuchUser { name: person.to_string() });
            }
            tx.execute("DELETE FROM invitation WHERE (user = ?1 AND used IS NULL) OR expires < ?2", params![person, now.0])?;
            if lost {
                tx.execute("DELETE FROM session WHERE user = ?1", [person])?;
                tx.execute("DELETE FROM case_link WHERE user = ?1", [person])?;
            }
            tx.execute(
                "INSERT INTO invitation (hash, user, created, expires) VALUES (?1, ?2, ?3, ?4)",
                params![secrets::digest(&secret), person, now.0, expires.0],
            )?;
            Ok(())
        })?;
        Ok(Invitation { secret: domain::Secret::new(secret), expires })
    }

    /// What an invitation is good for now. Looking uses nothing up: programs look at links that are sent in chats.
    ///
    /// # Errors
    /// When the database fails.
    pub fn invited(&self, secret: &str, now: WallTime) -> Result<Invited, StoreError> {
        let digest = secrets::digest(secret);
        self.read(|c| {
            let row: Option<(i64, Option<i64>)> =
                c.query_row("SELECT expires, used FROM invitation WHERE hash = ?1", [digest], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
            match row {
                Some((_, Some(_))) => Ok(Invited::Used),
                Some((expires, None)) if now.0 < expires => {
                    let person =
                        self.user_where(c, "invitation JOIN user ON user.id = invitation.user WHERE invitation.hash = ?1", [digest])?;
                    Ok(person.map_or(Invited::Over, |p| Invited::Open(p, WallTime(expires))))
                }
                _ => Ok(Invited::Over),
            }
        })
    }

    /// Binds a device by an invitation, which is used up; answers the person and the session's secret, or what the invitation is
    /// instead. Of two who open it at once, one is let in.
    ///
    /// # Errors
    /// When the database fails.
    pub fn accept(&self, secret: &str, device: &str, now: WallTime) -> Result<Result<(User, String), Invited>, StoreError> {
        let (digest, session) = (secrets::digest(secret), secrets::fresh("")?);
        let bound = self.write(|tx| {
            let used =
                tx.execute("UPDATE invitation SET used = ?2 WHERE hash = ?1 AND used IS NULL AND expires > ?2", params![digest, now.0])?;
            if used == 0 {
                return Ok(None);
            }
            let person = self.user_where(tx, "invitation JOIN user ON user.id = invitation.user WHERE invitation.hash = ?1", [digest])?;
            let Some(person) = person else { return Ok(None) };
            access::begin(tx, person.id, &session, device, true, now)?;
            Ok(Some(person))
        })?;
        match bound {
            Some(person) => Ok(Ok((person, session))),
            None => Ok(Err(self.invited(secret, now)?)),
        }
    }
}
