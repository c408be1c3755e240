//! The audit log: rows that are only ever added, each hashed over the one before it; and the daily fingerprint over its head.
//!
//! Belongs here: the rows, their hashes, and whether they still hold. Does not belong here: what is audited
//! (`domain::Audited`) and what a fingerprint covers besides (the binary knows the rings).

use crate::{Store, StoreError};
use domain::{Audited, WallTime, hex};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Most characters of a subject or detail: enough for a list of all cameras, too little for a flood.
const WORDS_MAX: usize = 2000;
/// Most rows one call answers.
const LIMIT_MAX: usize = 1000;

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: WallTime,
    /// Who; empty: the box itself, or nobody it knows.
    pub who: String,
    /// His role then.
    pub role: String,
    /// What was done.
    pub what: Audited,
    /// To what: a camera, a case, an export, a name.
    pub subject: String,
    /// More of it: a range of time, a reason.
    pub detail: String,
}

/// A row as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Counts from 1 without holes.
    pub seq: i64,
    /// When.
    #[serde(skip)]
    pub at: WallTime,
    /// Who.
    pub who: String,
    /// His role then.
    pub role: String,
    /// A word of [`Audited`].
    pub what: String,
    /// To what.
    pub subject: String,
    /// More of it.
    pub detail: String,
    /// SHA-256 over the row before it and this one.
    #[serde(skip)]
    pub hash: [u8; 32],
}

/// A day's fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FingerprintRow {
    /// The village's day.
    pub day: String,
    /// When it was taken.
    pub at: WallTime,
    /// The newest row of the log then.
    pub audit_seq: i64,
    /// What was hashed.
    pub content: String,
    /// SHA-256 of the content.
    pub hash: [u8; 32],
}

/// Whether the log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditVerdict {
    /// Rows looked at.
    pub rows: u64,
    /// Fingerprints looked at.
    pub fingerprints: u64,
    /// Rows that are not what was written, or do not follow from the one before; the first hundred.
    pub broken: Vec<i64>,
    /// Days whose fingerprint does not fit the log, or is not the hash of what it says; the first hundred.
    pub days: Vec<String>,
}

impl AuditVerdict {
    /// Whether nothing was changed.
    #[must_use]
    pub fn good(&self) -> bool {
        self.broken.is_empty() && self.days.is_empty()
    }
}

impl Store {
    /// Adds a row; on disk when this returns. Answers its number.
    ///
    /// # Errors
    /// When the database fails: then nothing was written, and what was to be audited must not happen.
    pub fn audit(&self, entry: &AuditEntry) -> Result<i64, StoreError> {
        self.write(|tx| add(tx, entry))
    }

    /// Rows older than `before` (all: `None`), newest first, at most `limit` (and at most 1000).
    ///
    /// # Errors
    /// When the database fails.
    pub fn audit_rows(&self, before: Option<i64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"))?;
            let rows = query.query_map(params![before.unwrap_or(i64::MAX), limit.min(LIMIT_MAX) as i64], row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How often each thing was done in a time: the words with their counts.
    ///
    /// # Errors
    /// When the database fails.
    pub fn audit_counts(&self, from: WallTime, to: WallTime) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached("SELECT what, count(*) FROM audit WHERE at >= ?1 AND at < ?2 GROUP BY what ORDER BY what")?;
            let rows = query.query_map([from.0, to.0], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.unsigned_abs())))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The newest row's number and hash; zeros while there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn audit_head(&self) -> Result<(i64, [u8; 32]), StoreError> {
        self.read(|c| Ok(c.query_row(HEAD, [], |r| Ok((r.get(0)?, r.get(1)?))).optional()?.unwrap_or_default()))
    }

    /// Keeps a day's fingerprint; a day that has one keeps the first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn add_fingerprint(&self, row: &FingerprintRow) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO fingerprint (day, at, audit_seq, content, hash) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.write(|tx| Ok(tx.execute(sql, params![row.day, row.at.0, row.audit_seq, row.content, row.hash]).map(|_| ())?))
    }

    /// Fingerprints, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn fingerprints(&self, limit: usize) -> Result<Vec<FingerprintRow>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached("SELECT day, at, audit_seq, content, hash FROM fingerprint ORDER BY day DESC LIMIT ?1")?;
            let rows = query.query_map([limit.min(LIMIT_MAX) as i64], |r| {
                Ok(FingerprintRow { day: r.get(0)?, at: WallTime(r.get(1)?), audit_seq: r.get(2)?, content: r.get(3)?, hash: r.get(4)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Walks the whole log and every fingerprint.
    ///
    /// # Errors
    /// When the database fails.
    pub fn verify_audit(&self) -> Result<AuditVerdict, StoreError> {
        self.read(|c| {
            let mut verdict = AuditVerdict::default();
            let mut query = c.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY seq"))?;
            let (mut seq, mut before) = (0, [0; 32]);
            let mut rows = query.query([])?;
            while let Some(r) = rows.next()? {
                let r = row(r)?;
                verdict.rows += 1;
                seq += 1;
                if (r.seq != seq || digest(&before, &r) != r.hash) && verdict.broken.len() < 100 {
                    verdict.broken.push(r.seq);
                }
                (seq, before) = (r.seq, r.hash);
            }
            let mut query = c.prepare(
                "SELECT day, content, fingerprint.hash, coalesce(audit.hash, zeroblob(32)) FROM fingerprint
                 LEFT JOIN audit ON audit.seq = audit_seq ORDER BY day",
            )?;
            let mut rows = query.query([])?;
            while let Some(r) = rows.next()? {
                verdict.fingerprints += 1;
                let (day, content): (String, String) = (r.get(0)?, r.get(1)?);
                let (hash, head): ([u8; 32], [u8; 32]) = (r.get(2)?, r.get(3)?);
                let own: [u8; 32] = Sha256::digest(content.as_bytes()).into();
                let named = content.lines().any(|l| l.starts_with("audit ") && l.ends_with(&hex(&head)));
                if (own != hash || !named) && verdict.days.len() < 100 {
                    verdict.days.push(day);
                }
            }
            Ok(verdict)
        })
    }
}

const COLUMNS: &str = "seq, at, who, role, what, subject, detail, hash";
const HEAD: &str = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";

/// Adds a row within a change, so that what is done and what is written of it are one.
pub(crate) fn add(tx: &Transaction<'_>, entry: &AuditEntry) -> Result<i64, StoreError> {
    let (last, before): (i64, [u8; 32]) = tx.query_row(HEAD, [], |r| Ok((r.get(0)?, r.get(1)?))).optional()?.unwrap_or_default();
    let short = |text: &str| text.chars().take(WORDS_MAX).collect::<String>();
    let mut new = AuditRow {
        seq: last + 1,
        at: entry.at,
        who: short(&entry.who),
        role: short(&entry.role),
        what: entry.what.as_str().to_owned(),
        subject: short(&entry.subject),
        detail: short(&entry.detail),
        hash: [0; 32],
    };
    new.hash = digest(&before, &new);
    tx.execute(
        "INSERT INTO audit (seq, at, who, role, what, subject, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![new.seq, new.at.0, new.who, new.role, new.what, new.subject, new.detail, new.hash],
    )?;
    Ok(new.seq)
}

/// SHA-256 over a tag, the hash before, and each field behind its length (all numbers big-endian).
fn digest(before: &[u8; 32], row: &AuditRow) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(b"matthon audit 1\0");
    sha.update(before);
    sha.update(row.seq.to_be_bytes());
    sha.update(row.at.0.to_be_bytes());
    for text in [&row.who, &row.role, &row.what, &row.subject, &row.detail] {
        sha.update((text.len() as u64).to_be_bytes());
        sha.update(text.as_bytes());
    }
    sha.finalize().into()
}

fn row(r: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        seq: r.get(0)?,
        at: WallTime(r.get(1)?),
        who: r.get(2)?,
        role: r.get(3)?,
        what: r.get(4)?,
        subject: r.get(5)?,
        detail: r.get(6)?,
        hash: r.get(7)?,
    })
}
