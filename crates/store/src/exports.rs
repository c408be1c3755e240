//! Packages for authorities: who asked for what, and what became of it. The files themselves lie beside the database.

use crate::{AuditEntry, NewParcel, Store, StoreError, audit, outbox, secrets};
use domain::{CameraId, WallTime};
use rusqlite::{OptionalExtension, Row, params};

/// Most rows one call answers.
const LIMIT_MAX: usize = 1000;

/// How far a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportState {
    /// Being written.
    Running,
    /// Whole, to be fetched.
    Done,
    /// Not made: see the trouble.
    Failed,
    /// Called off.
    Cancelled,
    /// Deleted: its time was over, or somebody did.
    Gone,
}

impl ExportState {
    /// The word in the database and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Gone => "gone",
        }
    }

    fn of(text: &str) -> Self {
        [Self::Running, Self::Done, Self::Cancelled, Self::Gone].into_iter().find(|s| s.as_str() == text).unwrap_or(Self::Failed)
    }
}

/// One package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRow {
    /// A random UUID.
    pub id: String,
    /// When it was asked for.
    pub asked: WallTime,
    /// By whom.
    pub by: String,
    /// His role then.
    pub role: String,
    /// What was asked for: a JSON object.
    pub request: String,
    /// How far it is.
    pub state: ExportState,
    /// Bytes of the package.
    pub bytes: u64,
    /// Why there is none.
    pub trouble: String,
    /// It lies in this box; `false`: the command line wrote it to a file of its own.
    pub here: bool,
}

impl Store {
    /// Keeps that somebody asks for a package, audits it, and tells those who are to be told, in one. Answers its id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn add_export(
        &self,
        request: &str,
        entry: &AuditEntry,
        parcels: impl FnOnce(&str) -> Vec<NewParcel>,
    ) -> Result<String, StoreError> {
        let id = secrets::uuid()?;
        let parcels = parcels(&id);
        self.write(|tx| {
            tx.execute(
                "INSERT INTO export (id, asked, by, role, request, state, here) VALUES (?1, ?2, ?3, ?4, ?5, 'running', ?4 != 'local')",
                params![id, entry.at.0, entry.who, entry.role, request],
            )?;
            audit::add(tx, &AuditEntry { subject: id.clone(), ..entry.clone() })?;
            outbox::add(tx, None, &parcels, entry.at)?;
            Ok(())
        })?;
        Ok(id)
    }

    /// Keeps what became of a package. One that was given up at a restart while another program made it may still be done.
    ///
    /// # Errors
    /// When the database fails.
    pub fn end_export(&self, id: &str, state: ExportState, bytes: u64, trouble: &str, now: WallTime) -> Result<(), StoreError> {
        let sql = "UPDATE export SET state = ?2, bytes = ?3, trouble = ?4, ended = ?5 WHERE id = ?1 AND state IN ('running', 'failed')";
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.write(|tx| Ok(tx.execute(sql, params![id, state.as_str(), bytes, trouble, now.0]).map(|_| ())?))
    }

    /// Packages that were being written when the core ended are none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_running_exports(&self, now: WallTime) -> Result<usize, StoreError> {
        let sql = "UPDATE export SET state = 'failed', trouble = 'the box was restarted meanwhile', ended = ?1 WHERE state = 'running'";
        self.write(|tx| Ok(tx.execute(sql, [now.0])?))
    }

    /// One package.
    ///
    /// # Errors
    /// When the database fails.
    pub fn export(&self, id: &str) -> Result<Option<ExportRow>, StoreError> {
        self.read(|c| Ok(c.prepare_cached(&format!("SELECT {COLUMNS} FROM export WHERE id = ?1"))?.query_row([id], row).optional()?))
    }

    /// Packages, newest first; with a list of cameras only those all of whose cameras are on it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn exports(&self, cameras: Option<&[CameraId]>, limit: usize) -> Result<Vec<ExportRow>, StoreError> {
        let list = cameras.map(json_list);
        self.read(|c| {
            let mut query = c.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM export WHERE ?2 IS NULL OR (json_type(request, '$.cameras') = 'array' AND NOT EXISTS
                 (SELECT 1 FROM json_each(request, '$.cameras') WHERE value NOT IN (SELECT value FROM json_each(?2))))
                 ORDER BY asked DESC, id LIMIT ?1"
            ))?;
            let rows = query.query_map(params![limit.min(LIMIT_MAX) as i64, list], row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// A list of cameras as SQLite reads it.
pub(crate) fn json_list(cameras: &[CameraId]) -> String {
    serde_json::json!(cameras.iter().map(CameraId::as_str).collect::<Vec<_>>()).to_string()
}

const COLUMNS: &str = "id, asked, by, role, request, state, bytes, trouble, here";

fn row(r: &Row<'_>) -> rusqlite::Result<ExportRow> {
    Ok(ExportRow {
        id: r.get(0)?,
        asked: WallTime(r.get(1)?),
        by: r.get(2)?,
        role: r.get(3)?,
        request: r.get(4)?,
        state: ExportState::of(&r.get::<_, String>(5)?),
        bytes: r.get::<_, i64>(6)?.unsigned_abs(),
        trouble: r.get(7)?,
        here: r.get(8)?,
    })
}
