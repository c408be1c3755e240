//! The box's SQLite database: people, their invitations, links, tokens and sessions; cases with their history, open work and outbox; the
//! audit log, packages for authorities, phones that are told of cases, TVs, and when the box ran. In a file of its own ([`Sightings`]): what
//! came by.
//!
//! Belongs here: everything that speaks SQL. Does not belong here: recordings (the ring), roles' rights (one table in
//! `web`), what may become of a case (`cases`), how a message is delivered (`alerts`), a read of the clock (the time is
//! passed in).
//!
//! Calls block (a write waits for the disk, a password takes 35 ms of a core): async code runs them on a blocking
//! thread. Passwords are kept as Argon2id, tokens and sessions as SHA-256; no secret can be read back.

mod access;
mod attempts;
mod audit;
mod backup;
mod case_changes;
mod case_links;
mod case_work;
mod cases;
mod devices;
mod error;
mod expiry;
mod exports;
mod invitations;
mod journal;
mod kept;
mod outbox;
mod phones;
mod schema;
mod secrets;
mod sightings;
mod tvs;
mod users;

pub use access::{BOUND_LIFE, SESSION_LIFE};
pub use audit::{AuditEntry, AuditRow, AuditVerdict, FingerprintRow};
pub use case_changes::{CaseChange, EvidenceChange, NewCase};
pub use case_links::{CASE_LINK_LIFE, CaseLink, CaseLinkHolder, CaseLinked, is_case_pass};
pub use case_work::{CaseWork, Job};
pub use cases::{CaseEvent, CaseFilter, CaseRow, CaseTally, HistoryRow};
pub use devices::{Device, Person, device_id};
pub use error::StoreError;
pub use expiry::{EvidenceUse, ExpiryRow};
pub use exports::{ExportRow, ExportState};
pub use invitations::{INVITATION_LIFE, Invitation, Invited};
pub use kept::{KeptRow, KeptState};
pub use outbox::{NewParcel, Parcel, Settled};
pub use phones::{NewPhone, PHONES_EACH, PUSH, PhoneKeys, PhoneRow, phone_of};
pub use sightings::{SIGHTINGS_MAX, SightingFilter, SightingKey, Sightings};
pub use tvs::{NoTv, TV_NAME_MAX, TVS_MAX, Tv};
pub use users::{PASSWORD_MIN, User};

use domain::WallTime;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The database. Cheap to clone; clones share one connection.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    /// One connection: queries take microseconds, and SQLite has one writer anyway.
    connection: Mutex<Connection>,
    /// Held while hashing: a flood of logins costs one core and 19 MiB, not the box.
    hashing: Mutex<()>,
}

/// Who this box is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// A random UUID, made once; stays with the database through backups and restores.
    pub id: String,
    /// When it was made.
    pub created: WallTime,
}

impl Store {
    /// Opens the database file or makes it (readable by this user only), checks it, and brings its schema up to date.
    /// The folder must exist.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Damaged`], [`StoreError::Foreign`], [`StoreError::Newer`], each with what to do.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = schema::open(path)?;
        let inner = Inner { path: path.to_owned(), connection: Mutex::new(connection), hashing: Mutex::new(()) };
        Ok(Self(Arc::new(inner)))
    }

    /// The box's identity; made at the first call.
    ///
    /// # Errors
    /// When the database fails.
    pub fn identity(&self, now: WallTime) -> Result<Identity, StoreError> {
        let fresh = secrets::uuid()?;
        self.write(|tx| {
            let once = |key: &str, value: &str| {
                tx.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?1, ?2)", [key, value])?;
                tx.query_row("SELECT value FROM meta WHERE key = ?1", [key], |r| r.get::<_, String>(0))
            };
            let id = once("box-id", &fresh)?;
            let created = once("created", &now.0.to_string())?;
            let created = created.parse().map_err(|_| StoreError::damaged(&self.0.path, "meta.created is not a number"))?;
            Ok(Identity { id, created: WallTime(created) })
        })
    }

    /// A small setting of the box itself (not of the configuration file).
    ///
    /// # Errors
    /// When the database fails.
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.read(|c| Ok(c.query_row("SELECT value FROM meta WHERE key = ?1", [key], |r| r.get(0)).optional()?))
    }

    /// Keeps a small setting, replacing what was there.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.write(|tx| Ok(tx.execute(sql, params![key, value]).map(|_| ())?))
    }

    /// Counts a run of the core; answers its number, from 1 on, never given twice.
    ///
    /// # Errors
    /// When the database fails.
    pub fn begin_run(&self) -> Result<u64, StoreError> {
        let sql = "INSERT INTO meta (key, value) VALUES ('runs', '1')
                   ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) RETURNING CAST(value AS INTEGER)";
        self.write(|tx| Ok(tx.query_row(sql, [], |r| r.get::<_, i64>(0))?.unsigned_abs()))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic cannot leave half a change behind: transactions roll back when dropped.
        self.0.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        query(&self.lock())
    }

    /// Runs a change as one transaction; on disk when this returns.
    fn write<T>(&self, change: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut connection = self.lock();
        // Immediate: the command line may write beside the daemon, and waiting works only before the first read.
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = change(&tx)?;
        tx.commit()?;
        Ok(done)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.0.path).finish_non_exhaustive()
    }
}
