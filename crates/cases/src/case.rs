//! A case as people and programs see it: the JSON of the API and of messages.

use domain::{BBox, CameraId, CaseId, CaseState, ClipState, StillState, WallTime, Why};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use store::{CaseEvent, CaseRow, HistoryRow};

/// A case. Times are RFC 3339 in UTC; the box is in fractions of the picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// The camera's id.
    pub camera: CameraId,
    /// What people call the camera; its id when it is configured no longer.
    pub camera_name: String,
    /// `no-parking`, `wrong-way`, …, `by-hand`.
    pub kind: String,
    /// Where it stands.
    pub state: CaseState,
    /// First evidence.
    #[serde(serialize_with = "rfc3339")]
    pub start: WallTime,
    /// When the rule became sure.
    #[serde(serialize_with = "rfc3339")]
    pub raised: WallTime,
    /// The last picture that showed it; none while it goes on (or when the box was off as it ended).
    #[serde(serialize_with = "rfc3339_or_null")]
    pub end: Option<WallTime>,
    /// What it is about.
    pub class: Option<String>,
    /// The rule's zone.
    pub zone: Option<String>,
    /// Where the thing is on the still.
    #[serde(rename = "box")]
    pub bbox: Option<BBox>,
    /// The reason.
    pub why: Why,
    /// The numbers that justify it; the unit is the end of the key.
    pub measured: BTreeMap<String, f64>,
    /// How far the picture is.
    pub still: StillState,
    /// How far the clip is.
    pub clip: ClipState,
    /// What the clip holds; of `range-only` what it would.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub clip_from: Option<WallTime>,
    /// What the clip holds.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub clip_to: Option<WallTime>,
    /// Somebody holds its evidence: it does not expire.
    pub held: bool,
    /// When its evidence was deleted, for its time was over.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub evidence_gone: Option<WallTime>,
    /// Who gave the answer that stands.
    pub answered_by: Option<String>,
    /// When.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub answered: Option<WallTime>,
    /// Until when that person may take it back; none: it is too late.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub undo_until: Option<WallTime>,
    /// What the person who made it wrote.
    pub note: String,
    /// Who did what, oldest first; only where one case was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<Line>>,
}

/// A line of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub at: WallTime,
    /// Who; empty: the box itself.
    pub by: String,
    /// `raised`, `ended`, `seen`, `confirmed`, `false-alarm`, `undone`, `held`, `let-go`, `evidence-gone`.
    pub what: String,
    /// In their words.
    pub note: String,
}

/// Something happened to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Its place in the order of all of them.
    pub seq: i64,
    /// The case.
    pub case: CaseId,
    /// `raised`, `ended`, `seen`, `confirmed`, `false-alarm`, `undone`, `still`, `clip`, `held`, `let-go`, `evidence-gone`.
    pub what: String,
    /// The case's camera.
    pub camera: CameraId,
    /// Where the case stands now.
    pub state: CaseState,
}

impl From<CaseEvent> for Event {
    fn from(e: CaseEvent) -> Self {
        Self { seq: e.seq, case: e.case, what: e.what, camera: e.camera, state: e.state }
    }
}

impl From<HistoryRow> for Line {
    fn from(h: HistoryRow) -> Self {
        Self { at: h.at, by: h.by, what: h.what, note: h.note }
    }
}

/// How a rule of a camera does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The camera.
    pub camera: CameraId,
    /// The rule's kind.
    pub kind: String,
    /// The rule's zone.
    pub zone: Option<String>,
    /// All its cases.
    pub cases: u64,
    /// Those confirmed.
    pub confirmed: u64,
    /// Those that were false alarms.
    pub false_alarms: u64,
}

impl Case {
    /// Somebody made it from what he was watching; no rule saw anything.
    #[must_use]
    pub fn by_hand(&self) -> bool {
        self.kind == crate::BY_HAND
    }

    pub(crate) fn from_row(row: CaseRow, camera_name: String, now: WallTime) -> Self {
        let (answered_by, answered) = row.answered.unzip();
        Self {
            id: row.id,
            camera: row.camera,
            camera_name,
            kind: row.kind,
            state: row.state,
            start: row.start,
            raised: row.raised,
            end: row.ended,
            class: row.class,
            zone: row.zone,
            bbox: row.bbox,
            why: row.why,
            measured: row.measured,
            still: row.still,
            clip: row.clip,
            clip_from: row.clip_span.map(|s| s.0),
            clip_to: row.clip_span.map(|s| s.1),
            held: row.held,
            evidence_gone: row.gone,
            answered_by,
            answered,
            undo_until: answered.and_then(|at| crate::life::undo_until(at, now)),
            note: row.note,
            history: None,
        }
    }
}

fn rfc3339<S: Serializer>(t: &WallTime, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(t)
}

#[allow(clippy::ref_option, reason = "serde's signature")]
fn rfc3339_or_null<S: Serializer>(t: &Option<WallTime>, s: S) -> Result<S::Ok, S::Error> {
    match t {
        Some(t) => s.collect_str(t),
        None => s.serialize_none(),
    }
}
