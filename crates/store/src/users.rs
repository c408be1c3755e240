//! People: who they are, what they hold, and whether a password is theirs.

use crate::{Store, StoreError, attempts, secrets};
use domain::{CameraId, Role, WallTime};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use std::sync::PoisonError;

/// Fewest characters of a password.
pub const PASSWORD_MIN: usize = 10;
/// Most bytes of a password: hashing must not be a way to burn the box.
const PASSWORD_MAX: usize = 1024;
/// Most characters of a name.
const NAME_MAX: usize = 64;

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Never given again, also after the user was removed.
    pub id: i64,
    /// As it was typed when the user was added.
    pub name: String,
    /// The office.
    pub role: Role,
    /// The cameras this user may see; `None`: all, also those added later.
    pub cameras: Option<Vec<CameraId>>,
}

const COLUMNS: &str = "user.id, user.name, user.role, user.all_cameras";

impl Store {
    /// Adds a user who may see all cameras.
    ///
    /// # Errors
    /// [`StoreError::BadName`], [`StoreError::BadPassword`], [`StoreError::NameTaken`].
    pub fn add_user(&self, name: &str, role: Role, password: &str, now: WallTime) -> Result<User, StoreError> {
        let (name, folded) = names(name)?;
        let hash = self.hash(password)?;
        self.write(|tx| {
            let taken = tx.query_row("SELECT 1 FROM user WHERE folded = ?1", [&folded], |_| Ok(())).optional()?;
            if taken.is_some() {
                return Err(StoreError::NameTaken { name: name.clone() });
            }
            tx.execute(
                "INSERT INTO user (name, folded, role, password_hash, created, password_set) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                params![name, folded, role.as_str(), hash, now.0],
            )?;
            attempts::forget(tx, &folded)?;
            Ok(User { id: tx.last_insert_rowid(), name: name.clone(), role, cameras: None })
        })
    }

    /// Gives a user another password, ends all sessions of the old one, and lifts a lock-out. Tokens stay valid.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::BadPassword`].
    pub fn set_password(&self, name: &str, password: &str, now: WallTime) -> Result<(), StoreError> {
        let (_, folded) = names(name)?;
        let hash = self.hash(password)?;
        self.write(|tx| {
            let id = id_of(tx, name, &folded)?;
            tx.execute("UPDATE user SET password_hash = ?2, password_set = ?3 WHERE id = ?1", params![id, hash, now.0])?;
            tx.execute("DELETE FROM session WHERE user = ?1", [id])?;
            attempts::forget(tx, &folded)
        })
    }

    /// Says which cameras a user may see; `None`: all.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`].
    pub fn set_cameras(&self, name: &str, cameras: Option<&[CameraId]>) -> Result<(), StoreError> {
        let (_, folded) = names(name)?;
        self.write(|tx| {
            let id = id_of(tx, name, &folded)?;
            tx.execute("UPDATE user SET all_cameras = ?2 WHERE id = ?1", params![id, cameras.is_none()])?;
            give_cameras(tx, id, cameras)
        })
    }

    /// Removes a user with all tokens and sessions.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::LastAdmin`].
    pub fn remove_user(&self, name: &str) -> Result<(), StoreError> {
        let (name, folded) = names(name)?;
        self.write(|tx| {
            let id = id_of(tx, &name, &folded)?;
            let role: String = tx.query_row("SELECT role FROM user WHERE id = ?1", [id], |r| r.get(0))?;
            let role = role.parse().map_err(|detail| StoreError::damaged(&self.0.path, detail))?;
            remove(tx, id, &name, role)
        })
    }

    /// Everybody, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read(|c| {
            let mut all = c.prepare_cached(&format!("SELECT {COLUMNS} FROM user ORDER BY folded"))?;
            let rows: Vec<Raw> = all.query_map([], raw)?.collect::<Result<_, _>>()?;
            rows.into_iter().map(|row| self.whole(c, row)).collect()
        })
    }

    /// The user whose name and password these are; `None` when they are not. Takes about as long for an unknown name.
    /// The attempt counts as wrong until it proved right, so that attempts side by side are no way around the limit.
    ///
    /// # Errors
    /// [`StoreError::Locked`] after five wrong passwords in a row.
    pub fn verify(&self, name: &str, password: &str, now: WallTime) -> Result<Option<User>, StoreError> {
        let Ok((_, folded)) = names(name) else { return Ok(None) };
        let hash = self.write(|tx| {
            attempts::begin(tx, &folded, now)?;
            Ok(tx.query_row("SELECT password_hash FROM user WHERE folded = ?1", [&folded], |r| r.get::<_, String>(0)).optional()?)
        })?;
        let right = password.len() <= PASSWORD_MAX && {
            let _one_at_a_time = self.0.hashing.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever signs in by invitations has none.
            secrets::is_right(password, hash.as_deref().filter(|hash| !hash.is_empty()))?
        };
        if !right {
            return Ok(None);
        }
        self.write(|tx| {
            attempts::forget(tx, &folded)?;
            // By name and hash: the password may have been changed while this one was being hashed.
            self.user_where(tx, "user WHERE folded = ?1 AND password_hash = ?2", params![folded, hash])
        })
    }

    /// One user by any condition; `from` begins with the tables.
    pub(crate) fn user_where(&self, c: &Connection, from: &str, with: impl rusqlite::Params) -> Result<Option<User>, StoreError> {
        let row = c.prepare_cached(&format!("SELECT {COLUMNS} FROM {from}"))?.query_row(with, raw).optional()?;
        row.map(|row| self.whole(c, row)).transpose()
    }

    fn whole(&self, c: &Connection, (id, name, role, all): Raw) -> Result<User, StoreError> {
        let damaged = |detail: String| StoreError::damaged(&self.0.path, detail);
        let role = role.parse().map_err(damaged)?;
        if all {
            return Ok(User { id, name, role, cameras: None });
        }
        let mut list = c.prepare_cached("SELECT camera FROM user_camera WHERE user = ?1 ORDER BY camera")?;
        let cameras: Vec<String> = list.query_map([id], |r| r.get(0))?.collect::<Result<_, _>>()?;
        let cameras: Result<Vec<_>, _> = cameras.iter().map(|text| CameraId::new(text)).collect();
        Ok(User { id, name, role, cameras: Some(cameras.map_err(|e| damaged(e.to_string()))?) })
    }

    fn hash(&self, password: &str) -> Result<String, StoreError> {
        if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
            return Err(StoreError::BadPassword { min: PASSWORD_MIN, max: PASSWORD_MAX });
        }
        let _one_at_a_time = self.0.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        secrets::hash(password)
    }
}

type Raw = (i64, String, String, bool);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// The name as kept and as looked up.
pub(crate) fn names(name: &str) -> Result<(String, String), StoreError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(StoreError::BadName);
    }
    Ok((name.to_owned(), name.to_lowercase()))
}

pub(crate) fn id_of(c: &Connection, name: &str, folded: &str) -> Result<i64, StoreError> {
    let id = c.query_row("SELECT id FROM user WHERE folded = ?1", [folded], |r| r.get(0)).optional()?;
    id.ok_or_else(|| StoreError::NoSuchUser { name: name.trim().to_owned() })
}

/// Writes down which cameras a user sees; `None`: all, which the user's own row says.
pub(crate) fn give_cameras(tx: &Transaction<'_>, id: i64, cameras: Option<&[CameraId]>) -> Result<(), StoreError> {
    tx.execute("DELETE FROM user_camera WHERE user = ?1", [id])?;
    for camera in cameras.unwrap_or_default() {
        tx.execute("INSERT OR IGNORE INTO user_camera (user, camera) VALUES (?1, ?2)", params![id, camera.as_str()])?;
    }
    Ok(())
}

/// Removes a user, unless nobody could administrate the box afterwards.
pub(crate) fn remove(tx: &Transaction<'_>, id: i64, name: &str, role: Role) -> Result<(), StoreError> {
    let others: i64 =
        tx.query_row("SELECT count(*) FROM user WHERE role = ?1 AND id <> ?2", params![Role::Admin.as_str(), id], |r| r.get(0))?;
    if role == Role::Admin && others == 0 {
        return Err(StoreError::LastAdmin { name: name.to_owned() });
    }
    Ok(tx.execute("DELETE FROM user WHERE id = ?1", [id]).map(|_| ())?)
}
