//! Cases as rows: reading them, their history, and what changed.
//!
//! Belongs here: queries. Does not belong here: changes (`case_changes`), open work (`case_work`), and what may follow
//! what (the crate `cases`).

use crate::{Store, StoreError};
use domain::{BBox, CameraId, CaseId, CaseState, ClipState, StillState, WallTime, Why};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};
use std::{collections::BTreeMap, str::FromStr};

/// Most rows one call answers.
const LIMIT_MAX: usize = 1000;

/// One case, without its history.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRow {
    /// Its name.
    pub id: CaseId,
    /// Where.
    pub camera: CameraId,
    /// The rule's kind, or `by-hand`.
    pub kind: String,
    /// The rule's zone.
    pub zone: Option<String>,
    /// What it is about: the class of the thing.
    pub class: Option<String>,
    /// Where the thing was on the picture of the raise.
    pub bbox: Option<BBox>,
    /// First evidence.
    pub start: WallTime,
    /// When the rule became sure, or the person made it.
    pub raised: WallTime,
    /// The last picture that showed it; `None`: it goes on, or the box was off when it ended.
    pub ended: Option<WallTime>,
    /// The reason for people.
    pub why: Why,
    /// The numbers that justify it.
    pub measured: BTreeMap<String, f64>,
    /// What the person who made it wrote.
    pub note: String,
    /// Where it stands.
    pub state: CaseState,
    /// Who answered, and when.
    pub answered: Option<(String, WallTime)>,
    /// How far the picture is.
    pub still: StillState,
    /// How far the clip is.
    pub clip: ClipState,
    /// What the clip on disk holds.
    pub clip_span: Option<(WallTime, WallTime)>,
    /// What it is to hold.
    pub wanted: (WallTime, WallTime),
    /// Somebody holds its evidence: it does not expire.
    pub held: bool,
    /// When its evidence was deleted, for its time was over.
    pub gone: Option<WallTime>,
}

/// One line of a case's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// When.
    pub at: WallTime,
    /// Who; empty: the box itself.
    pub by: String,
    /// What was done.
    pub what: String,
    /// In their words.
    pub note: String,
}

/// Which cases; the empty filter means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// Of these cameras only; `Some` of nothing: none.
    pub cameras: Option<Vec<CameraId>>,
    /// In this state only.
    pub state: Option<CaseState>,
    /// Older than this one.
    pub before: Option<CaseId>,
    /// Raised at or after.
    pub from: Option<WallTime>,
    /// Raised before.
    pub to: Option<WallTime>,
    /// Without those made by hand.
    pub by_rule: bool,
}

impl CaseFilter {
    fn sql(&self) -> (String, Vec<Value>) {
        let (mut sql, mut values) = ("1".to_owned(), Vec::new());
        if let Some(cameras) = &self.cameras {
            let marks = vec!["?"; cameras.len()].join(",");
            sql.push_str(&format!(" AND camera IN ({marks})"));
            values.extend(cameras.iter().map(|c| Value::Text(c.as_str().to_owned())));
        }
        let mut also = |text: &str, value: Option<Value>| {
            if let Some(value) = value {
                sql.push_str(text);
                values.push(value);
            }
        };
        also(" AND state = ?", self.state.map(|s| Value::Text(s.as_str().to_owned())));
        also(" AND id < ?", self.before.map(|id| Value::Integer(id.0)));
        also(" AND raised >= ?", self.from.map(|t| Value::Integer(t.0)));
        also(" AND raised < ?", self.to.map(|t| Value::Integer(t.0)));
        if self.by_rule {
            sql.push_str(" AND run IS NOT NULL");
        }
        (sql, values)
    }
}

/// Something happened to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseEvent {
    /// Its place in the order of all of them; counts up.
    pub seq: i64,
    /// Which case.
    pub case: CaseId,
    /// What happened.
    pub what: String,
    /// The case's camera.
    pub camera: CameraId,
    /// Where the case stands now.
    pub state: CaseState,
}

/// How a rule does: the cases of one camera, kind and zone by state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseTally {
    /// The camera.
    pub camera: CameraId,
    /// The rule's kind.
    pub kind: String,
    /// The rule's zone.
    pub zone: Option<String>,
    /// All cases.
    pub cases: u64,
    /// Those a person confirmed.
    pub confirmed: u64,
    /// Those a person called a false alarm.
    pub false_alarms: u64,
}

const COLUMNS: &str = "id, camera, kind, zone, class, box, start, raised, ended, why_vi, why_en, measured, note, state, \
     answered_by, answered, still, clip, clip_from, clip_to, wanted_from, wanted_to, held, gone";

impl Store {
    /// One case.
    ///
    /// # Errors
    /// [`StoreError::NoSuchCase`].
    pub fn case(&self, id: CaseId) -> Result<CaseRow, StoreError> {
        self.read(|c| row_of(c, id))
    }

    /// One case's history, oldest first; empty when there is no such case.
    ///
    /// # Errors
    /// When the database fails.
    pub fn case_history(&self, id: CaseId) -> Result<Vec<HistoryRow>, StoreError> {
        self.read(|c| history_of(c, id))
    }

    /// Cases, newest first, at most `limit` (and at most 1000).
    ///
    /// # Errors
    /// When the database fails.
    pub fn cases(&self, filter: &CaseFilter, limit: usize) -> Result<Vec<CaseRow>, StoreError> {
        let (sql, mut values) = filter.sql();
        values.push(Value::Integer(limit.min(LIMIT_MAX) as i64));
        self.read(|c| {
            let mut query = c.prepare_cached(&format!("SELECT {COLUMNS} FROM case_file WHERE {sql} ORDER BY id DESC LIMIT ?"))?;
            let mut rows = query.query(params_from_iter(values))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(case_from(row)?);
            }
            Ok(found)
        })
    }

    /// How many cases there are.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count_cases(&self, filter: &CaseFilter) -> Result<u64, StoreError> {
        let (sql, values) = filter.sql();
        self.read(|c| {
            let mut query = c.prepare_cached(&format!("SELECT count(*) FROM case_file WHERE {sql}"))?;
            Ok(query.query_row(params_from_iter(values), |r| r.get::<_, i64>(0))?.unsigned_abs())
        })
    }

    /// How each rule does, over the cases of the filter.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tally_cases(&self, filter: &CaseFilter) -> Result<Vec<CaseTally>, StoreError> {
        let (sql, values) = filter.sql();
        self.read(|c| {
            let mut query = c.prepare_cached(&format!(
                "SELECT camera, kind, zone, count(*), count(*) FILTER (WHERE state = 'confirmed'),
                 count(*) FILTER (WHERE state = 'false-alarm') FROM case_file WHERE {sql} GROUP BY camera, kind, zone ORDER BY camera, kind, zone"
            ))?;
            let mut rows = query.query(params_from_iter(values))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let count = |i| row.get::<_, i64>(i).map(i64::unsigned_abs);
                let camera = word(row, 0, "camera id")?;
                let (cases, confirmed, false_alarms) = (count(3)?, count(4)?, count(5)?);
                found.push(CaseTally { camera, kind: row.get(1)?, zone: row.get(2)?, cases, confirmed, false_alarms });
            }
            Ok(found)
        })
    }

    /// What happened after `seq`, oldest first, at most `limit` (and at most 1000). Only the latest 10 000 are kept.
    ///
    /// # Errors
    /// When the database fails.
    pub fn case_events(&self, seq: i64, limit: usize) -> Result<Vec<CaseEvent>, StoreError> {
        self.read(|c| {
            let mut query = c.prepare_cached(
                "SELECT seq, case_file.id, what, camera, state FROM case_event JOIN case_file ON case_file.id = case_event.case_file
                 WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let mut rows = query.query([seq, limit.min(LIMIT_MAX) as i64])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (camera, state) = (word(row, 3, "camera id")?, word(row, 4, "state of a case")?);
                found.push(CaseEvent { seq: row.get(0)?, case: CaseId(row.get(1)?), what: row.get(2)?, camera, state });
            }
            Ok(found)
        })
    }

    /// The latest event's place; 0: there was none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn latest_case_event(&self) -> Result<i64, StoreError> {
        self.read(|c| Ok(c.query_row("SELECT coalesce(max(seq), 0) FROM case_event", [], |r| r.get(0))?))
    }
}

pub(crate) fn row_of(c: &Connection, id: CaseId) -> Result<CaseRow, StoreError> {
    let mut query = c.prepare_cached(&format!("SELECT {COLUMNS} FROM case_file WHERE id = ?1"))?;
    let found = query.query_row([id.0], |r| Ok(case_from(r))).optional()?;
    found.ok_or(StoreError::NoSuchCase { id })?
}

pub(crate) fn history_of(c: &Connection, id: CaseId) -> Result<Vec<HistoryRow>, StoreError> {
    let mut query = c.prepare_cached("SELECT at, by, what, note FROM case_history WHERE case_file = ?1 ORDER BY id")?;
    let rows = query.query_map([id.0], |r| Ok(HistoryRow { at: WallTime(r.get(0)?), by: r.get(1)?, what: r.get(2)?, note: r.get(3)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn case_from(r: &Row<'_>) -> Result<CaseRow, StoreError> {
    let time = |i| r.get::<_, Option<i64>>(i).map(|t| t.map(WallTime));
    let measured: String = r.get(11)?;
    let measured = serde_json::from_str(&measured).map_err(|e| unreadable("list of numbers", &e))?;
    let bbox: Option<String> = r.get(5)?;
    let bbox = bbox.map(|b| serde_json::from_str(&b)).transpose().map_err(|e| unreadable("box", &e))?;
    Ok(CaseRow {
        id: CaseId(r.get(0)?),
        camera: word(r, 1, "camera id")?,
        kind: r.get(2)?,
        zone: r.get(3)?,
        class: r.get(4)?,
        bbox,
        start: WallTime(r.get(6)?),
        raised: WallTime(r.get(7)?),
        ended: time(8)?,
        why: Why { vi: r.get(9)?, en: r.get(10)? },
        measured,
        note: r.get(12)?,
        state: word(r, 13, "state of a case")?,
        answered: r.get::<_, Option<String>>(14)?.zip(time(15)?),
        still: word(r, 16, "state of a still")?,
        clip: word(r, 17, "state of a clip")?,
        clip_span: time(18)?.zip(time(19)?),
        wanted: (WallTime(r.get(20)?), WallTime(r.get(21)?)),
        held: r.get(22)?,
        gone: time(23)?,
    })
}

pub(crate) fn word<T: FromStr<Err: std::fmt::Display>>(r: &Row<'_>, column: usize, what: &'static str) -> Result<T, StoreError> {
    r.get::<_, String>(column)?.parse().map_err(|e| unreadable(what, &e))
}

fn unreadable(what: &'static str, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unreadable { what, reason: reason.to_string() }
}
