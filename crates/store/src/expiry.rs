//! What the evidence store holds, what of it may be over, and the changes by which it goes: each with its line in the audit log.
//!
//! Belongs here: the numbers and the rows. Does not belong here: what may go (`cases::expiry` decides, inside the change), the
//! files themselves (whoever wrote them deletes them, after the row says that they are gone).

use crate::{
    AuditEntry, HistoryRow, Store, StoreError, audit,
    case_changes::add_line,
    cases::{row_of, word},
};
use domain::{Audited, CameraId, CaseId, CaseState, ClipState, StillState, WallTime};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// Bytes of the evidence store, by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvidenceUse {
    /// Pictures and clips of cases.
    pub cases: u64,
    /// Footage kept at somebody's tap.
    pub kept: u64,
    /// Packages for authorities that lie ready.
    pub packages: u64,
}

impl EvidenceUse {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.cases.saturating_add(self.kept).saturating_add(self.packages)
    }
}

/// What decides whether a case's evidence is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiryRow {
    /// The case.
    pub id: CaseId,
    /// Where it stands.
    pub state: CaseState,
    /// Somebody holds it.
    pub held: bool,
    /// A package that was made for an authority names it.
    pub taken: bool,
    /// Some of its evidence is still being fetched.
    pub open_work: bool,
    /// The raise.
    pub raised: WallTime,
    /// The raise, or the last thing a person did with it: the later one.
    pub since: WallTime,
    /// When it was first seen by a trusted clock, since a person last did something with it; `None`: not yet.
    pub first_trusted: Option<WallTime>,
}

const EXPIRY: &str = "SELECT id, state, held,
     EXISTS (SELECT 1 FROM export WHERE export.state IN ('running', 'done', 'gone') AND json_extract(request, '$.case') = case_file.id),
     EXISTS (SELECT 1 FROM case_work WHERE case_work.case_file = case_file.id),
     max(raised, coalesce((SELECT max(at) FROM case_history WHERE case_history.case_file = case_file.id AND by != ''), raised)), raised, first_trusted
     FROM case_file";

impl Store {
    /// How much the evidence store holds; nothing is walked or added up.
    ///
    /// # Errors
    /// When the database fails.
    pub fn evidence_use(&self) -> Result<EvidenceUse, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached("SELECT part, bytes FROM evidence_use")?;
            let mut rows = query.query([])?;
            let mut all = EvidenceUse::default();
            while let Some(row) = rows.next()? {
                // A number below nothing would be a mistake of ours; it must not become a huge one.
                let bytes = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                match row.get::<_, String>(0)?.as_str() {
                    "cases" => all.cases = bytes,
                    "kept" => all.kept = bytes,
                    _ => all.packages = bytes,
                }
            }
            Ok(all)
        })
    }

    /// Writes down that what is new was seen at `now`, by a clock that is trusted: its own stamps may be another clock's. Nothing
    /// expires before this, nor before its time has passed since.
    ///
    /// # Errors
    /// When the database fails.
    pub fn see_under_trusted_clock(&self, now: WallTime) -> Result<(), StoreError> {
        self.write(|tx| {
            for sql in [
                "UPDATE case_file SET first_trusted = ?1 WHERE first_trusted IS NULL AND gone IS NULL",
                "UPDATE kept SET first_trusted = ?1 WHERE first_trusted IS NULL AND state != 'gone'",
                "UPDATE export SET first_trusted = ?1 WHERE first_trusted IS NULL AND state = 'done' AND here = 1",
            ] {
                tx.prepare_cached(sql)?.execute([now.0])?;
            }
            Ok(())
        })
    }

    /// Cases raised and seen before a time whose evidence is there, is not held and not of a confirmed case: those after `after`, in the
    /// order of the raise, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn cases_that_may_expire(&self, before: WallTime, after: (WallTime, CaseId), limit: usize) -> Result<Vec<ExpiryRow>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached(&format!(
                "{EXPIRY} WHERE gone IS NULL AND held = 0 AND state != 'confirmed' AND raised < ?1 AND first_trusted < ?1 AND (raised, id) > (?2, ?3)
                 ORDER BY raised, id LIMIT ?4"
            ))?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = query.query(params![before.0, after.0.0, after.1.0, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(expiry_from(row)?);
            }
            Ok(found)
        })
    }

    /// A case's evidence goes, if `may` says so of how it stands this moment: the row says it, the history and the audit log do;
    /// the files are deleted afterwards. Whether it goes by this.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCase`].
    pub fn let_case_evidence_go(&self, id: CaseId, now: WallTime, may: impl FnOnce(&ExpiryRow) -> bool) -> Result<bool, StoreError> {
        self.write(|tx| {
            let row = row_of(tx, id)?;
            if row.gone.is_some() || !may(&expiry_of(tx, id)?) {
                return Ok(false);
            }
            let still = if row.still == StillState::Missing { row.still } else { StillState::Gone };
            let clip = if matches!(row.clip, ClipState::Missing | ClipState::RangeOnly) { row.clip } else { ClipState::Gone };
            tx.execute(
                "UPDATE case_file SET gone = ?2, still = ?3, clip = ?4 WHERE id = ?1",
                params![id.0, now.0, still.as_str(), clip.as_str()],
            )?;
            add_line(tx, id, &HistoryRow { at: now, by: String::new(), what: "evidence-gone".to_owned(), note: String::new() })?;
            audit::add(tx, &by_the_box(now, Audited::EvidenceGone, format!("case {id}"), row.camera.to_string()))?;
            Ok(true)
        })
    }

    /// Cases whose files are to be measured or deleted: never measured, or gone and not yet deleted. At most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn case_leftovers(&self, limit: usize) -> Result<Vec<(CaseId, bool)>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached(
                "SELECT id, gone IS NOT NULL FROM case_file WHERE bytes IS NULL OR (gone IS NOT NULL AND bytes > 0) ORDER BY id LIMIT ?1",
            )?;
            let rows = query.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |r| Ok((CaseId(r.get(0)?), r.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Keeps how many bytes a case's files have.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_case_bytes(&self, id: CaseId, bytes: u64) -> Result<(), StoreError> {
        self.write(|tx| set_bytes(tx, id, bytes))
    }

    /// Holds a case's evidence, or lets it go: whether anything changed. What is gone cannot be held.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCase`].
    pub fn hold_case(&self, id: CaseId, hold: bool, line: &HistoryRow) -> Result<bool, StoreError> {
        self.write(|tx| {
            row_of(tx, id)?;
            let sql = "UPDATE case_file SET held = ?2 WHERE id = ?1 AND held != ?2 AND (gone IS NULL OR ?2 = 0)";
            let changed = tx.execute(sql, params![id.0, hold])? > 0;
            if changed {
                add_line(tx, id, line)?;
            }
            Ok(changed)
        })
    }

    /// A case or a package takes kept footage of the same camera and time: it is held from now on. Answers how many.
    ///
    /// # Errors
    /// When the database fails.
    pub fn take_kept(&self, cameras: &[CameraId], from: WallTime, to: WallTime, entry: &AuditEntry) -> Result<usize, StoreError> {
        self.write(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT id, cameras FROM kept WHERE until IS NOT NULL AND state IN ('copying', 'done') AND wanted_from < ?2 AND wanted_to > ?1",
            )?;
            let rows = query.query_map([from.0, to.0], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
            let mut taken = 0;
            for row in rows.collect::<Result<Vec<_>, _>>()? {
                if !row.1.split(',').any(|kept| cameras.iter().any(|c| c.as_str() == kept)) {
                    continue;
                }
                tx.execute("UPDATE kept SET until = NULL WHERE id = ?1", [&row.0])?;
                audit::add(tx, &AuditEntry { subject: row.0, ..entry.clone() })?;
                taken += 1;
            }
            Ok(taken)
        })
    }

    /// Packages of this box that were ready, and seen by a trusted clock, before a time, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn exports_ready_before(&self, before: WallTime, limit: usize) -> Result<Vec<String>, StoreError> {
        self.read(|c| {
            let sql =
                "SELECT id FROM export WHERE state = 'done' AND here = 1 AND ended < ?1 AND first_trusted < ?1 ORDER BY ended LIMIT ?2";
            let mut query = c.prepare_cached(sql)?;
            let rows = query.query_map(params![before.0, i64::try_from(limit).unwrap_or(i64::MAX)], |r| r.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A package's time is over. Whether it is gone by this.
    ///
    /// # Errors
    /// When the database fails.
    pub fn let_export_go(&self, id: &str, now: WallTime) -> Result<bool, StoreError> {
        self.delete_export(id, &by_the_box(now, Audited::EvidenceGone, String::new(), "package".to_owned()))
    }

    /// A package of this box that is ready goes, by whoever the entry names: the row says it and the audit log does; the file is deleted
    /// afterwards. Whether it is gone by this.
    ///
    /// # Errors
    /// When the database fails.
    pub fn delete_export(&self, id: &str, entry: &AuditEntry) -> Result<bool, StoreError> {
        self.write(|tx| {
            let gone = tx.execute("UPDATE export SET state = 'gone', bytes = 0 WHERE id = ?1 AND state = 'done' AND here = 1", [id])? > 0;
            if gone {
                audit::add(tx, &AuditEntry { subject: id.to_owned(), ..entry.clone() })?;
            }
            Ok(gone)
        })
    }
}

/// What the box itself did.
pub(crate) fn by_the_box(at: WallTime, what: Audited, subject: String, detail: String) -> AuditEntry {
    AuditEntry { at, who: String::new(), role: String::new(), what, subject, detail }
}

pub(crate) fn set_bytes(tx: &Transaction<'_>, id: CaseId, bytes: u64) -> Result<(), StoreError> {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    Ok(tx.execute("UPDATE case_file SET bytes = ?2 WHERE id = ?1", params![id.0, bytes]).map(|_| ())?)
}

fn expiry_of(c: &Connection, id: CaseId) -> Result<ExpiryRow, StoreError> {
    let mut query = c.prepare_cached(&format!("{EXPIRY} WHERE id = ?1"))?;
    query.query_row([id.0], |r| Ok(expiry_from(r))).optional()?.ok_or(StoreError::NoSuchCase { id })?
}

fn expiry_from(r: &Row<'_>) -> Result<ExpiryRow, StoreError> {
    Ok(ExpiryRow {
        id: CaseId(r.get(0)?),
        state: word(r, 1, "state of a case")?,
        held: r.get(2)?,
        taken: r.get(3)?,
        open_work: r.get(4)?,
        since: WallTime(r.get(5)?),
        raised: WallTime(r.get(6)?),
        first_trusted: r.get::<_, Option<i64>>(7)?.map(WallTime),
    })
}
