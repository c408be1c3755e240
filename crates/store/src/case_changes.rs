//! Changes of cases. Each is one transaction: the case, its history, the event that tells of it, its open work, and the
//! parcels in the outbox are all there or none is.

use crate::{
    CaseRow, HistoryRow, Job, NewParcel, Store, StoreError, case_work,
    cases::{history_of, row_of},
    expiry::set_bytes,
    outbox,
};
use domain::{BBox, CameraId, CaseId, CaseState, ClipState, StillState, WallTime, Why};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeMap;

/// Events that are kept for screens that come back; who stayed away longer reads the list anew.
const EVENTS_KEPT: i64 = 10_000;

/// A case to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCase {
    /// Where.
    pub camera: CameraId,
    /// The rule's kind, or `by-hand`.
    pub kind: String,
    /// Which run of the core, and its number for the violation; `None`: made by hand.
    pub violation: Option<(String, u64)>,
    /// The rule's zone.
    pub zone: Option<String>,
    /// The class of the thing.
    pub class: Option<String>,
    /// Where it is on the picture of the raise.
    pub bbox: Option<BBox>,
    /// First evidence.
    pub start: WallTime,
    /// The raise.
    pub raised: WallTime,
    /// The reason.
    pub why: Why,
    /// The numbers that justify it.
    pub measured: BTreeMap<String, f64>,
    /// What the person who made it wrote.
    pub note: String,
    /// What the clip is to hold.
    pub wanted: (WallTime, WallTime),
    /// The first line of its history.
    pub first: HistoryRow,
    /// What is to be fetched, and from when on.
    pub work: Vec<(Job, WallTime)>,
}

/// A step in a case's life.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseChange {
    /// What is added to the history; its `what` is also the event's.
    pub line: HistoryRow,
    /// Where the case stands then.
    pub state: CaseState,
    /// Who answered, and when.
    pub answered: Option<(String, WallTime)>,
    /// The messages of the answer given at that time are taken back, if they have not left yet.
    pub withdraw: Option<WallTime>,
    /// New messages.
    pub parcels: Vec<NewParcel>,
}

/// What became of a piece of evidence; it only ever gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceChange {
    /// A picture is there (or none will come).
    Still(StillState),
    /// A clip is there with this span (or none will come).
    Clip(ClipState, Option<(WallTime, WallTime)>),
}

impl Store {
    /// Makes a case; on disk when this returns. `parcels` sees the case with its number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn add_case(&self, new: &NewCase, parcels: impl FnOnce(&CaseRow) -> Vec<NewParcel>) -> Result<CaseRow, StoreError> {
        let json = |e: serde_json::Error| StoreError::Unreadable { what: "case to be kept", reason: e.to_string() };
        let bbox = new.bbox.map(|b| serde_json::to_string(&b)).transpose().map_err(json)?;
        let measured = serde_json::to_string(&new.measured).map_err(json)?;
        let (run, violation) = new.violation.as_ref().map(|(run, n)| (run.as_str(), i64::try_from(*n).unwrap_or(i64::MAX))).unzip();
        self.write(|tx| {
            tx.execute(
                "INSERT INTO case_file (camera, kind, run, violation, zone, class, box, start, raised, why_vi, why_en, measured, note,
                 state, still, clip, wanted_from, wanted_to, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'raised', 'pending', 'pending', ?14, ?15, 0)",
                params![
                    new.camera.as_str(),
                    new.kind,
                    run,
                    violation,
                    new.zone,
                    new.class,
                    bbox,
                    new.start.0,
                    new.raised.0,
                    new.why.vi,
                    new.why.en,
                    measured,
                    new.note,
                    new.wanted.0.0,
                    new.wanted.1.0
                ],
            )?;
            let id = CaseId(tx.last_insert_rowid());
            add_line(tx, id, &new.first)?;
            for (job, due) in &new.work {
                case_work::add(tx, id, *job, *due)?;
            }
            let row = row_of(tx, id)?;
            outbox::add(tx, Some(id), &parcels(&row), new.first.at)?;
            Ok(row)
        })
    }

    /// Takes a step in a case's life: `step` sees the case and its history and says what is to change; `Ok(None)` means
    /// nothing, `Err` refuses. Nobody else can come in between. Answers the case as it is then.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCase`]; inside, what `step` refused with.
    pub fn change_case<E>(
        &self,
        id: CaseId,
        step: impl FnOnce(&CaseRow, &[HistoryRow]) -> Result<Option<CaseChange>, E>,
    ) -> Result<Result<CaseRow, E>, StoreError> {
        self.write(|tx| {
            let row = row_of(tx, id)?;
            let change = match step(&row, &history_of(tx, id)?) {
                Ok(Some(change)) => change,
                Ok(None) => return Ok(Ok(row)),
                Err(refused) => return Ok(Err(refused)),
            };
            let (by, at) = change.answered.as_ref().map(|(by, at)| (by.as_str(), at.0)).unzip();
            tx.execute(
                "UPDATE case_file SET state = ?2, answered_by = ?3, answered = ?4 WHERE id = ?1",
                params![id.0, change.state.as_str(), by, at],
            )?;
            add_line(tx, id, &change.line)?;
            if let Some(happened) = change.withdraw {
                outbox::withdraw(tx, id, happened, change.line.at)?;
            }
            outbox::add(tx, Some(id), &change.parcels, change.line.at)?;
            Ok(Ok(row_of(tx, id)?))
        })
    }

    /// A violation is over: its case, if there is one that goes on, ends. Answers which.
    ///
    /// # Errors
    /// When the database fails.
    pub fn end_case(
        &self,
        camera: &CameraId,
        violation: (&str, u64),
        ended: WallTime,
        line: &HistoryRow,
    ) -> Result<Option<CaseId>, StoreError> {
        let number = i64::try_from(violation.1).unwrap_or(i64::MAX);
        self.write(|tx| {
            let found = tx
                .query_row(
                    "SELECT id FROM case_file WHERE run = ?1 AND camera = ?2 AND violation = ?3 AND ended IS NULL ORDER BY id DESC LIMIT 1",
                    params![violation.0, camera.as_str(), number],
                    |r| r.get(0),
                )
                .optional()?;
            let Some(id) = found.map(CaseId) else { return Ok(None) };
            tx.execute("UPDATE case_file SET ended = ?2 WHERE id = ?1", params![id.0, ended.0])?;
            add_line(tx, id, line)?;
            Ok(Some(id))
        })
    }

    /// Evidence came, or will not come; `done` jobs are open work no longer; `bytes` is what all files of the case have now. A picture or clip that is better already stays.
    /// Answers whether anything changed for those who look at the case.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCase`].
    pub fn change_evidence(
        &self,
        id: CaseId,
        change: Option<EvidenceChange>,
        done: &[Job],
        bytes: Option<u64>,
    ) -> Result<bool, StoreError> {
        self.write(|tx| {
            for job in done {
                case_work::remove(tx, id, *job)?;
            }
            if let Some(bytes) = bytes {
                set_bytes(tx, id, bytes)?;
            }
            let Some(change) = change else { return Ok(false) };
            let old = row_of(tx, id)?;
            let what = match change {
                EvidenceChange::Still(new) if rank(new) > rank(old.still) => {
                    tx.execute("UPDATE case_file SET still = ?2 WHERE id = ?1", params![id.0, new.as_str()])?;
                    "still"
                }
                EvidenceChange::Clip(new, span)
                    if clip_rank(new) >= clip_rank(old.clip) && !matches!(old.clip, ClipState::Done | ClipState::Gone) =>
                {
                    let (from, to) = span.map(|(from, to)| (from.0, to.0)).unzip();
                    let sql = "UPDATE case_file SET clip = ?2, clip_from = ?3, clip_to = ?4 WHERE id = ?1";
                    tx.execute(sql, params![id.0, new.as_str(), from, to])?;
                    "clip"
                }
                _ => return Ok(false),
            };
            add_event(tx, id, what)?;
            Ok(true)
        })
    }
}

fn rank(still: StillState) -> u8 {
    match still {
        StillState::Pending => 0,
        StillState::Missing => 1,
        StillState::Small => 2,
        StillState::Main => 3,
        StillState::Gone => 4,
    }
}

fn clip_rank(clip: ClipState) -> u8 {
    match clip {
        ClipState::Pending => 0,
        ClipState::Missing => 1,
        ClipState::RangeOnly => 2,
        ClipState::Partial => 3,
        ClipState::Done => 4,
        ClipState::Gone => 5,
    }
}

pub(crate) fn add_line(tx: &Transaction<'_>, id: CaseId, line: &HistoryRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO case_history (case_file, at, by, what, note) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id.0, line.at.0, line.by, line.what, line.note],
    )?;
    add_event(tx, id, &line.what)
}

fn add_event(tx: &Transaction<'_>, id: CaseId, what: &str) -> Result<(), StoreError> {
    tx.execute("INSERT INTO case_event (case_file, what) VALUES (?1, ?2)", params![id.0, what])?;
    tx.execute("DELETE FROM case_event WHERE seq <= ?1", [tx.last_insert_rowid() - EVENTS_KEPT])?;
    Ok(())
}
