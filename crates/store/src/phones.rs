//! Phones that are told of cases: who has signed up which browser, and which of them a case concerns.
//!
//! Belongs here: the rows and their bounds. Does not belong here: what an address may look like and how a message is
//! sealed (`alerts`), who may sign up (`web`). Addresses and keys are secrets: nothing here shows them in `Debug`.

use crate::{AuditEntry, Store, StoreError, audit, cases::word};
use domain::{CameraId, CaseId, Role, Secret, WallTime};
use rusqlite::{Connection, OptionalExtension, Transaction, params, params_from_iter, types::Value};
use std::time::Duration;

/// The group's name in the outbox: a parcel to it becomes one for each phone on duty, to `push:ID`.
pub const PUSH: &str = "push";
/// Phones a person may have; the one opened longest ago gives way.
pub const PHONES_EACH: i64 = 8;
/// Phones of all people together: each has a queue of its own.
const PHONES_MAX: i64 = 256;
/// A phone on which the page was not opened for so long is nobody's any more.
const UNOPENED: Duration = Duration::from_secs(90 * 86_400);

/// A browser that signs up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPhone {
    /// Where its push service takes messages: unique to this browser.
    pub endpoint: Secret,
    /// Its public key, base64url.
    pub p256dh: Secret,
    /// The secret shared with it, base64url.
    pub auth: Secret,
    /// What people call it.
    pub label: String,
    /// `vi` or `en`.
    pub language: String,
    /// When the push service ends it, if it said so.
    pub expires: Option<WallTime>,
}

/// A phone as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRow {
    /// Its number, never given again.
    pub id: i64,
    /// What people call it.
    pub label: String,
    /// When it signed up.
    pub created: WallTime,
    /// When the page was last opened there.
    pub renewed: WallTime,
    /// When a message was last handed over to its push service.
    pub handed: Option<WallTime>,
    /// Its address.
    pub endpoint: Secret,
}

/// What a message to a phone needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneKeys {
    /// Whose it is.
    pub user: String,
    /// And that person's role.
    pub role: Role,
    /// Where its push service takes messages.
    pub endpoint: Secret,
    /// Its public key, base64url.
    pub p256dh: Secret,
    /// The secret shared with it, base64url.
    pub auth: Secret,
    /// `vi` or `en`.
    pub language: String,
}

/// The phone behind a channel's name (`push:7`).
#[must_use]
pub fn phone_of(channel: &str) -> Option<i64> {
    channel.strip_prefix(PUSH)?.strip_prefix(':')?.parse().ok()
}

fn channel(id: i64) -> String {
    format!("{PUSH}:{id}")
}

impl Store {
    /// Signs a phone up for a user, or renews it: the same address is the same phone, whoever had it before. Answers its number.
    /// `entry` goes into the audit log with it (its subject becomes that number), unless the phone was that user's already.
    ///
    /// # Errors
    /// When the database fails.
    pub fn sign_up_phone(&self, user: i64, phone: &NewPhone, entry: &AuditEntry) -> Result<i64, StoreError> {
        let now = entry.at;
        self.write(|tx| {
            let before: Option<i64> =
                tx.query_row("SELECT user FROM push_phone WHERE endpoint = ?1", [phone.endpoint.expose()], |r| r.get(0)).optional()?;
            let id: i64 = tx.query_row(
                "INSERT INTO push_phone (user, endpoint, p256dh, auth, label, language, created, renewed, expires)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
                 ON CONFLICT (endpoint) DO UPDATE SET user = ?1, p256dh = ?3, auth = ?4, label = ?5, language = ?6, renewed = ?7, expires = ?8
                 RETURNING id",
                params![
                    user,
                    phone.endpoint.expose(),
                    phone.p256dh.expose(),
                    phone.auth.expose(),
                    phone.label,
                    phone.language,
                    now.0,
                    phone.expires.map(|t| t.0)
                ],
                |r| r.get(0),
            )?;
            if before != Some(user) {
                audit::add(tx, &AuditEntry { subject: id.to_string(), ..entry.clone() })?;
            }
            let rest = "ORDER BY id = ?1 DESC, renewed DESC, id DESC LIMIT -1 OFFSET ?2)";
            tx.execute(
                &format!("DELETE FROM push_phone WHERE id IN (SELECT id FROM push_phone WHERE user = ?3 {rest}"),
                params![id, PHONES_EACH, user],
            )?;
            tx.execute(&format!("DELETE FROM push_phone WHERE id IN (SELECT id FROM push_phone {rest}"), params![id, PHONES_MAX])?;
            Ok(id)
        })
    }

    /// Takes a phone off a user's list, with its row in the audit log (its subject becomes the phone's number); answers whether it was
    /// on it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn sign_off_phone(&self, user: i64, id: i64, entry: &AuditEntry) -> Result<bool, StoreError> {
        self.write(|tx| {
            let was = tx.execute("DELETE FROM push_phone WHERE id = ?1 AND user = ?2", [id, user])? > 0;
            if was {
                audit::add(tx, &AuditEntry { subject: id.to_string(), ..entry.clone() })?;
            }
            Ok(was)
        })
    }

    /// How many phones there are.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count_phones(&self) -> Result<u64, StoreError> {
        self.read(|c| Ok(c.query_row("SELECT count(*) FROM push_phone", [], |r| r.get::<_, i64>(0))?.unsigned_abs()))
    }

    /// A user's phones, the one opened last first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn phones(&self, user: i64) -> Result<Vec<PhoneRow>, StoreError> {
        self.read(|c| {
            let sql = "SELECT id, label, created, renewed, handed, endpoint FROM push_phone WHERE user = ?1 ORDER BY renewed DESC, id DESC";
            let mut query = c.prepare_cached(sql)?;
            let rows = query.query_map([user], |r| {
                Ok(PhoneRow {
                    id: r.get(0)?,
                    label: r.get(1)?,
                    created: WallTime(r.get(2)?),
                    renewed: WallTime(r.get(3)?),
                    handed: r.get::<_, Option<i64>>(4)?.map(WallTime),
                    endpoint: Secret::new(r.get(5)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Names of the channels of all phones there are (at most 256).
    ///
    /// # Errors
    /// When the database fails.
    pub fn phone_channels(&self) -> Result<Vec<String>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached("SELECT id FROM push_phone ORDER BY id LIMIT ?1")?;
            let rows = query.query_map([PHONES_MAX], |r| Ok(channel(r.get(0)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What a message to a phone about a camera needs; `None`: there is no such phone, or its owner is not to be told of it (any more).
    ///
    /// # Errors
    /// When the database fails.
    pub fn phone(&self, id: i64, camera: &CameraId) -> Result<Option<PhoneKeys>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached(&format!(
                "SELECT user.name, user.role, endpoint, p256dh, auth, language FROM push_phone JOIN user ON user.id = push_phone.user
                 WHERE push_phone.id = ? AND {ON_DUTY}"
            ))?;
            let values = [Value::Integer(id)].into_iter().chain(on_duty_values(camera.as_str()));
            let mut rows = query.query(params_from_iter(values))?;
            let Some(r) = rows.next()? else { return Ok(None) };
            Ok(Some(PhoneKeys {
                user: r.get(0)?,
                role: word(r, 1, "role")?,
                endpoint: Secret::new(r.get(2)?),
                p256dh: Secret::new(r.get(3)?),
                auth: Secret::new(r.get(4)?),
                language: r.get(5)?,
            }))
        })
    }

    /// The push service knows a phone no longer. What waits for it goes, too.
    ///
    /// # Errors
    /// When the database fails.
    pub fn drop_phone(&self, id: i64) -> Result<(), StoreError> {
        self.write(|tx| Ok(tx.execute("DELETE FROM push_phone WHERE id = ?1", [id]).map(drop)?))
    }

    /// Drops phones whose time is over by a clock that is trusted: the push service said so, or the page was not opened there for
    /// 90 days. Answers how many.
    ///
    /// # Errors
    /// When the database fails.
    pub fn drop_stale_phones(&self, now: WallTime) -> Result<usize, StoreError> {
        let stale = "FROM push_phone WHERE expires <= ?1 OR renewed < ?2";
        let with = params![now.0, now.minus(UNOPENED).0];
        // Asked first: it is asked often, and a change waits for the disk.
        let some = self.read(|c| Ok(c.prepare_cached(&format!("SELECT 1 {stale} LIMIT 1"))?.query_row(with, |_| Ok(())).optional()?))?;
        if some.is_none() {
            return Ok(0);
        }
        self.write(|tx| Ok(tx.execute(&format!("DELETE {stale}"), with)?))
    }
}

/// Of a user: acts on cases, and sees the camera. Its values are [`on_duty_values`].
const ON_DUTY: &str = "user.role IN (?, ?, ?)
     AND (user.all_cameras = 1 OR EXISTS (SELECT 1 FROM user_camera WHERE user_camera.user = user.id AND user_camera.camera = ?))";

fn on_duty_values(camera: &str) -> impl Iterator<Item = Value> {
    let roles = Role::ON_DUTY.map(|role| Value::Text(role.as_str().to_owned()));
    roles.into_iter().chain([Value::Text(camera.to_owned())])
}

/// The channels of everybody who is to be told of a case.
pub(crate) fn on_duty(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<String>, StoreError> {
    let c: &Connection = tx;
    let camera: String = c.prepare_cached("SELECT camera FROM case_file WHERE id = ?1")?.query_row([case.0], |r| r.get(0))?;
    let mut query = c.prepare_cached(&format!(
        "SELECT push_phone.id FROM push_phone JOIN user ON user.id = push_phone.user WHERE {ON_DUTY} ORDER BY push_phone.id LIMIT ?"
    ))?;
    let values = on_duty_values(&camera).chain([Value::Integer(PHONES_MAX)]);
    let rows = query.query_map(params_from_iter(values), |r| Ok(channel(r.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
