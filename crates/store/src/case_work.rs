//! Evidence that is still to be fetched: a small durable list of jobs, so that a restart forgets none.

use crate::{Store, StoreError, cases::word};
use domain::{CaseId, WallTime};
use rusqlite::{Transaction, params};
use std::{fmt, str::FromStr, time::Duration};

/// A job due further ahead than this was written by a clock that was wrong, and is due now.
const FURTHEST: Duration = Duration::from_secs(15 * 60);

/// What is to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Job {
    /// The picture the detector saw.
    Small,
    /// The picture from the main stream.
    Main,
    /// The clip, as much as is recorded at once.
    Early,
    /// The whole clip.
    Clip,
}

impl Job {
    /// `small`, `main`, `early` or `clip`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Main => "main",
            Self::Early => "early",
            Self::Clip => "clip",
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Job {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Small, Self::Main, Self::Early, Self::Clip];
        all.into_iter().find(|j| j.as_str() == text).ok_or_else(|| format!("`{text}` is not a job"))
    }
}

/// A job that is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseWork {
    /// For which case.
    pub case: CaseId,
    /// What.
    pub job: Job,
    /// How often it was tried in vain.
    pub tries: u32,
}

impl Store {
    /// Jobs of two kinds that are due, longest waiting first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn case_work_due(&self, jobs: [Job; 2], now: WallTime, limit: usize) -> Result<Vec<CaseWork>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached(
                "SELECT case_file, job, tries FROM case_work WHERE (due <= ?1 OR due > ?2) AND job IN (?3, ?4)
                 ORDER BY due, case_file LIMIT ?5",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = query.query(params![now.0, now.plus(FURTHEST).0, jobs[0].as_str(), jobs[1].as_str(), limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let tries = row.get::<_, i64>(2)?.clamp(0, i64::from(u32::MAX)) as u32;
                found.push(CaseWork { case: CaseId(row.get(0)?), job: word(row, 1, "job")?, tries });
            }
            Ok(found)
        })
    }

    /// When the next job of two kinds that is not yet due will be.
    ///
    /// # Errors
    /// When the database fails.
    pub fn case_work_next(&self, jobs: [Job; 2], now: WallTime) -> Result<Option<WallTime>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached("SELECT min(due) FROM case_work WHERE due > ?1 AND job IN (?2, ?3)")?;
            let due: Option<i64> = query.query_row(params![now.0, jobs[0].as_str(), jobs[1].as_str()], |r| r.get(0))?;
            Ok(due.map(WallTime))
        })
    }

    /// A try was in vain; the next one is due later.
    ///
    /// # Errors
    /// When the database fails.
    pub fn case_work_later(&self, work: CaseWork, due: WallTime) -> Result<(), StoreError> {
        let sql = "UPDATE case_work SET tries = tries + 1, due = ?3 WHERE case_file = ?1 AND job = ?2";
        self.write(|tx| Ok(tx.execute(sql, params![work.case.0, work.job.as_str(), due.0]).map(|_| ())?))
    }
}

pub(crate) fn add(tx: &Transaction<'_>, case: CaseId, job: Job, due: WallTime) -> Result<(), StoreError> {
    let sql = "INSERT INTO case_work (case_file, job, due) VALUES (?1, ?2, ?3)";
    Ok(tx.execute(sql, params![case.0, job.as_str(), due.0]).map(|_| ())?)
}

pub(crate) fn remove(tx: &Transaction<'_>, case: CaseId, job: Job) -> Result<(), StoreError> {
    let sql = "DELETE FROM case_work WHERE case_file = ?1 AND job = ?2";
    Ok(tx.execute(sql, params![case.0, job.as_str()]).map(|_| ())?)
}
