//! Footage somebody had kept: what, for whom, until when. The films themselves lie beside the database.

use crate::{AuditEntry, Store, StoreError, audit, expiry::by_the_box, exports::json_list, secrets};
use domain::{Audited, CameraId, WallTime};
use rusqlite::{OptionalExtension, Row, params};

/// How far the copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptState {
    /// Being copied out of the ring.
    Copying,
    /// All that was recorded of it.
    Done,
    /// Nothing of it was recorded, or it could not be written.
    Failed,
    /// Nothing was copied, for the evidence store was full: the ring has it for as long as it keeps it.
    RangeOnly,
    /// Its time is over, and it is deleted.
    Gone,
}

impl KeptState {
    /// The word in the database and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copying => "copying",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::RangeOnly => "range-only",
            Self::Gone => "gone",
        }
    }

    fn of(text: &str) -> Self {
        [Self::Copying, Self::Done, Self::RangeOnly, Self::Gone].into_iter().find(|s| s.as_str() == text).unwrap_or(Self::Failed)
    }
}

/// Footage that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRow {
    /// A random UUID.
    pub id: String,
    /// When it was asked for.
    pub asked: WallTime,
    /// By whom.
    pub by: String,
    /// Of these cameras.
    pub cameras: Vec<CameraId>,
    /// Start.
    pub from: WallTime,
    /// End.
    pub to: WallTime,
    /// In their words.
    pub note: String,
    /// Deleted afterwards; `None`: held, for as long as there is a reason.
    pub until: Option<WallTime>,
    /// How far the copy is.
    pub state: KeptState,
    /// Bytes of the films.
    pub bytes: u64,
    /// What could not be kept, and why.
    pub trouble: String,
}

impl Store {
    /// Keeps the wish and audits it, in one. Answers the id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn add_kept(&self, row: &KeptRow, entry: &AuditEntry) -> Result<String, StoreError> {
        let id = secrets::uuid()?;
        let cameras: Vec<&str> = row.cameras.iter().map(CameraId::as_str).collect();
        self.write(|tx| {
            tx.execute(
                "INSERT INTO kept (id, asked, by, cameras, wanted_from, wanted_to, note, until, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'copying')",
                params![id, row.asked.0, row.by, cameras.join(","), row.from.0, row.to.0, row.note, row.until.map(|t| t.0)],
            )?;
            audit::add(tx, &AuditEntry { subject: id.clone(), ..entry.clone() })?;
            Ok(())
        })?;
        Ok(id)
    }

    /// Keeps how the copy came out.
    ///
    /// # Errors
    /// When the database fails.
    pub fn end_kept(&self, id: &str, state: KeptState, bytes: u64, trouble: &str) -> Result<(), StoreError> {
        let sql = "UPDATE kept SET state = ?2, bytes = ?3, trouble = ?4 WHERE id = ?1";
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.write(|tx| Ok(tx.execute(sql, params![id, state.as_str(), bytes, trouble]).map(|_| ())?))
    }

    /// Holds it for as long as there is a reason, or (with a time) no longer. Whether there is such footage.
    ///
    /// # Errors
    /// When the database fails.
    pub fn hold_kept(&self, id: &str, until: Option<WallTime>, entry: &AuditEntry) -> Result<bool, StoreError> {
        self.write(|tx| {
            let found = tx.execute("UPDATE kept SET until = ?2 WHERE id = ?1 AND state != 'gone'", params![id, until.map(|t| t.0)])? > 0;
            if found {
                audit::add(tx, &AuditEntry { subject: id.to_owned(), ..entry.clone() })?;
            }
            Ok(found)
        })
    }

    /// What is over at `now`: not held, and seen by a trusted clock before `seen`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn kept_over(&self, now: WallTime, seen: WallTime) -> Result<Vec<String>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached(&format!("SELECT id FROM kept WHERE {OVER} ORDER BY until, id"))?;
            let rows = query.query_map(params![now.0, seen.0], |r| r.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Its time is over ([`Store::kept_over`]): it is gone, unless somebody holds it. Whether it is gone by this.
    ///
    /// # Errors
    /// When the database fails.
    pub fn let_kept_go(&self, id: &str, now: WallTime, seen: WallTime) -> Result<bool, StoreError> {
        let sql = format!("UPDATE kept SET state = 'gone', bytes = 0 WHERE {OVER} AND id = ?3");
        self.write(|tx| {
            let gone = tx.execute(&sql, params![now.0, seen.0, id])? > 0;
            if gone {
                audit::add(tx, &by_the_box(now, Audited::EvidenceGone, id.to_owned(), "kept".to_owned()))?;
            }
            Ok(gone)
        })
    }

    /// One of them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn kept(&self, id: &str) -> Result<Option<KeptRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM kept WHERE id = ?1");
        self.read(|c| c.prepare_cached(&sql)?.query_row([id], |r| Ok(row(r))).optional()?.transpose())
    }

    /// All that is not deleted, newest first; with a list of cameras only what is of none but those.
    ///
    /// # Errors
    /// When the database fails.
    pub fn all_kept(&self, cameras: Option<&[CameraId]>, limit: usize) -> Result<Vec<KeptRow>, StoreError> {
        let list = cameras.map(json_list);
        // Ids have no character that JSON writes in another way.
        let sql = format!(
            "SELECT {COLUMNS} FROM kept WHERE state != 'gone' AND (?2 IS NULL OR NOT EXISTS
             (SELECT 1 FROM json_each('[\"' || replace(cameras, ',', '\",\"') || '\"]') WHERE value NOT IN (SELECT value FROM json_each(?2))))
             ORDER BY asked DESC, id LIMIT ?1"
        );
        self.read(|c| {
            let mut query = c.prepare_cached(&sql)?;
            let mut rows = query.query(params![i64::try_from(limit).unwrap_or(i64::MAX), list])?;
            let mut all = Vec::new();
            while let Some(r) = rows.next()? {
                all.push(row(r)?);
            }
            Ok(all)
        })
    }
}

/// Over at `?1`, and seen by a trusted clock before `?2`.
const OVER: &str = "until < ?1 AND first_trusted < ?2 AND state NOT IN ('gone', 'copying')";

const COLUMNS: &str = "id, asked, by, cameras, wanted_from, wanted_to, note, until, state, bytes, trouble";

fn row(r: &Row<'_>) -> Result<KeptRow, StoreError> {
    let cameras: String = r.get(3)?;
    let cameras = cameras.split(',').filter_map(|c| CameraId::new(c).ok()).collect();
    Ok(KeptRow {
        id: r.get(0)?,
        asked: WallTime(r.get(1)?),
        by: r.get(2)?,
        cameras,
        from: WallTime(r.get(4)?),
        to: WallTime(r.get(5)?),
        note: r.get(6)?,
        until: r.get::<_, Option<i64>>(7)?.map(WallTime),
        state: KeptState::of(&r.get::<_, String>(8)?),
        bytes: r.get::<_, i64>(9)?.unsigned_abs(),
        trouble: r.get(10)?,
    })
}
