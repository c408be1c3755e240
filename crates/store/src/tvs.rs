//! TVs: screens that show the wall and may do nothing else.
//!
//! Belongs here: their rows. Does not belong here: how one is paired (`web`), what it is shown.

use crate::{Store, StoreError, access::BOUND_LIFE, secrets};
use domain::{WallMode, WallTime};
use rusqlite::{OptionalExtension, Row, params};
use std::time::Duration;

/// Most TVs of a box; a village has a hall, a post and a commune.
pub const TVS_MAX: usize = 32;
/// Most characters of a TV's name.
pub const TV_NAME_MAX: usize = 40;
/// How exactly its last use is kept.
const STEP: Duration = Duration::from_secs(3600);

/// A TV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tv {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// What it shows.
    pub mode: WallMode,
    /// Who paired it.
    pub by: String,
    /// Since when.
    pub created: WallTime,
    /// Last used, to the hour.
    pub seen: WallTime,
}

/// Why a TV is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTv {
    /// Its name is empty, too long or not text.
    BadName,
    /// There are [`TVS_MAX`] already.
    TooMany,
    /// That screen is paired already.
    Paired,
}

impl Store {
    /// A fresh secret for a screen that asks to be paired (67 characters). Nothing is kept yet.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn tv_secret() -> Result<domain::Secret, StoreError> {
        Ok(domain::Secret::new(secrets::fresh("tv_")?))
    }

    /// What is kept of such a secret.
    #[must_use]
    pub fn tv_digest(secret: &str) -> [u8; 32] {
        secrets::digest(secret)
    }

    /// Adds the TV whose secret has this digest. TVs that nobody used for over a year give way.
    ///
    /// # Errors
    /// When the database fails.
    pub fn add_tv(&self, digest: &[u8; 32], name: &str, mode: WallMode, by: &str, now: WallTime) -> Result<Result<Tv, NoTv>, StoreError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > TV_NAME_MAX || name.chars().any(char::is_control) {
            return Ok(Err(NoTv::BadName));
        }
        self.write(|tx| {
            tx.execute("DELETE FROM tv WHERE seen < ?1", [now.minus(BOUND_LIFE).0])?;
            let taken = tx.query_row("SELECT 1 FROM tv WHERE hash = ?1", [digest], |_| Ok(())).optional()?;
            if taken.is_some() {
                return Ok(Err(NoTv::Paired));
            }
            let count: i64 = tx.query_row("SELECT count(*) FROM tv", [], |r| r.get(0))?;
            if count >= TVS_MAX as i64 {
                return Ok(Err(NoTv::TooMany));
            }
            let new = "INSERT INTO tv (hash, name, mode, by, created, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
            tx.execute(new, params![digest, name, mode.as_str(), by, now.0])?;
            let id = tx.last_insert_rowid();
            Ok(Ok(Tv { id, name: name.to_owned(), mode, by: by.to_owned(), created: now, seen: now }))
        })
    }

    /// Whose secret this is, if it is a TV's; using it prolongs it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tv(&self, secret: &str, now: WallTime) -> Result<Option<Tv>, StoreError> {
        let digest = secrets::digest(secret);
        let found = self.read(|c| {
            let mut row = c.prepare_cached("SELECT id, name, mode, by, created, seen FROM tv WHERE hash = ?1 AND seen >= ?2")?;
            Ok(row.query_row(params![digest, now.minus(BOUND_LIFE).0], tv).optional()?)
        })?;
        if found.as_ref().is_some_and(|tv| tv.seen.plus(STEP) < now) {
            self.write(|tx| Ok(tx.execute("UPDATE tv SET seen = max(seen, ?2) WHERE hash = ?1", params![digest, now.0])?))?;
        }
        Ok(found)
    }

    /// All TVs, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tvs(&self) -> Result<Vec<Tv>, StoreError> {
        self.read(|c| {
            let mut all = c.prepare_cached("SELECT id, name, mode, by, created, seen FROM tv ORDER BY name, id")?;
            Ok(all.query_map([], tv)?.collect::<Result<_, _>>()?)
        })
    }

    /// Lets a TV go; answers which it was.
    ///
    /// # Errors
    /// When the database fails.
    pub fn release_tv(&self, id: i64) -> Result<Option<Tv>, StoreError> {
        self.write(|tx| {
            let gone = "DELETE FROM tv WHERE id = ?1 RETURNING id, name, mode, by, created, seen";
            Ok(tx.query_row(gone, [id], tv).optional()?)
        })
    }
}

fn tv(r: &Row<'_>) -> rusqlite::Result<Tv> {
    let mode: String = r.get(2)?;
    // A word that this version does not know gets the mode that shows the least.
    let mode = mode.parse().unwrap_or(WallMode::Public);
    Ok(Tv { id: r.get(0)?, name: r.get(1)?, mode, by: r.get(3)?, created: WallTime(r.get(4)?), seen: WallTime(r.get(5)?) })
}
