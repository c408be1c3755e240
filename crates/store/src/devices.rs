//! People as whoever administrates them sees them: with the devices that are theirs.
//!
//! Belongs here: lists, and letting go of devices and people. Does not belong here: how a device becomes somebody's (`access`,
//! `invitations`).

use crate::{Store, StoreError, User, access, secrets, users};
use domain::WallTime;
use rusqlite::{Connection, OptionalExtension, params};

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Names it and lets nobody in: the beginning of its secret's digest, 16 hexadecimal digits.
    pub id: String,
    /// What it is, in few words; empty: it did not say.
    pub label: String,
    /// Bound by an invitation, not by a password.
    pub bound: bool,
    /// Since when.
    pub created: WallTime,
    /// Last used, to the hour.
    pub seen: WallTime,
}

/// Somebody with what he holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub user: User,
    /// He may sign in with a password.
    pub password: bool,
    /// Until when his open invitation is good.
    pub invited: Option<WallTime>,
    /// His devices, the last used first.
    pub devices: Vec<Device>,
}

/// The name of a session's device.
const ID: &str = "lower(hex(substr(hash, 1, 8)))";

/// What names the device of a session whose secret this is.
#[must_use]
pub fn device_id(secret: &str) -> String {
    domain::hex(&secrets::digest(secret)[..8])
}

impl Store {
    /// Everybody with their devices, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn people(&self, now: WallTime) -> Result<Vec<Person>, StoreError> {
        let users = self.users()?;
        self.read(|c| {
            users
                .into_iter()
                .map(|user| {
                    let password: bool = c
                        .query_row("SELECT password_hash != '' FROM user WHERE id = ?1", [user.id], |r| r.get(0))
                        .optional()?
                        .unwrap_or(false);
                    let open = "SELECT max(expires) FROM invitation WHERE user = ?1 AND used IS NULL AND expires > ?2";
                    let invited: Option<i64> = c.query_row(open, params![user.id, now.0], |r| r.get(0))?;
                    Ok(Person { password, invited: invited.map(WallTime), devices: devices(c, user.id, now)?, user })
                })
                .collect()
        })
    }

    /// A person's devices, the last used first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn devices(&self, person: i64, now: WallTime) -> Result<Vec<Device>, StoreError> {
        self.read(|c| devices(c, person, now))
    }

    /// Lets a device go; `of`: only if it is this person's. Answers whose it was and what it was.
    ///
    /// # Errors
    /// When the database fails.
    pub fn release_device(&self, id: &str, of: Option<i64>) -> Result<Option<(String, String)>, StoreError> {
        self.write(|tx| {
            let which = format!("{ID} = ?1 AND (?2 IS NULL OR user = ?2)");
            let found = format!("SELECT user.name, session.device FROM session JOIN user ON user.id = session.user WHERE {which}");
            let found = tx.query_row(&found, params![id, of], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
            if found.is_some() {
                tx.execute(&format!("DELETE FROM session WHERE {which}"), params![id, of])?;
            }
            Ok(found)
        })
    }

    /// Retires a person in one act: devices, tokens, invitations and the name to sign in with are gone. What he did stays written.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::LastAdmin`].
    pub fn retire(&self, person: i64) -> Result<User, StoreError> {
        self.write(|tx| {
            let who = self.user_where(tx, "user WHERE user.id = ?1", [person])?;
            let who = who.ok_or_else(|| StoreError::NoSuchUser { name: person.to_string() })?;
            users::remove(tx, who.id, &who.name, who.role)?;
            Ok(who)
        })
    }
}

fn devices(c: &Connection, person: i64, now: WallTime) -> Result<Vec<Device>, StoreError> {
    let alive = access::alive("?2");
    let mut all = c.prepare_cached(&format!(
        "SELECT {ID}, device, bound, created, seen FROM session WHERE user = ?1 AND {alive} ORDER BY seen DESC, hash"
    ))?;
    let rows = all.query_map(params![person, now.0], |r| {
        Ok(Device { id: r.get(0)?, label: r.get(1)?, bound: r.get(2)?, created: WallTime(r.get(3)?), seen: WallTime(r.get(4)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
