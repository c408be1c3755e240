//! What can go wrong with the store: a kind for code, a sentence with the way out for people.

use domain::{CaseId, WallTime};
use std::path::{Path, PathBuf};

/// Why the store did not do it. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("database {}: cannot be opened: {reason}; make sure that the folder exists and that this user may write in it", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is a database, but its contents are inconsistent.
    #[error("database {}: damaged: {detail}; stop matthon, move the file away, and put the newest backup in its place", path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// The first thing that is wrong.
        detail: String,
    },
    /// The file belongs to another program, or is no database at all.
    #[error("database {}: {detail}; name another folder under [storage] data", path.display())]
    Foreign {
        /// The database file.
        path: PathBuf,
        /// What it is instead.
        detail: String,
    },
    /// A newer version of the product wrote it.
    #[error("database {}: schema {found} is newer than this program knows ({known}); start the newer matthon again, or restore a backup from before the update", path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its schema's version.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// SQLite failed at run time: disk full, input/output error, or locked for too long.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A backup could not be written.
    #[error("backup {}: {reason}", path.display())]
    Backup {
        /// The backup's file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The name is empty, longer than 64 characters, or has control characters.
    #[error("that is not a user name: use 1 to 64 characters without line breaks and control characters")]
    BadName,
    /// The password is too short or absurdly long.
    #[error("the password must have {min} to {max} characters")]
    BadPassword {
        /// Fewest characters.
        min: usize,
        /// Most bytes.
        max: usize,
    },
    /// There is already a user of that name (capitals do not count).
    #[error("there is already a user `{name}`")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// There is no user of that name.
    #[error("there is no user `{name}`")]
    NoSuchUser {
        /// The name.
        name: String,
    },
    /// Nobody could administrate the box afterwards.
    #[error("`{name}` is the last administrator; make another one first")]
    LastAdmin {
        /// The name.
        name: String,
    },
    /// Too many wrong passwords for this name; whether it exists is not told.
    #[error("too many wrong passwords for this name; wait until {until}")]
    Locked {
        /// When the next attempt counts.
        until: WallTime,
    },
    /// There is no case of that number.
    #[error("there is no case {id}")]
    NoSuchCase {
        /// The number.
        id: CaseId,
    },
    /// A value in the database is not one this program writes.
    #[error("the database holds a {what} that cannot be read: {reason}; restore the newest backup")]
    Unreadable {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The system has no random numbers, or the hash function failed.
    #[error("cryptography failed: {0}")]
    Crypto(String),
}

impl StoreError {
    pub(crate) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), detail: detail.into() }
    }
}
