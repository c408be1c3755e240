//! The desk where cases are made and answered.
//!
//! Belongs here: the calls that change something, and the messages that follow from them. Does not belong here: reading
//! (`reading`), fetching evidence (`evidence`), what may follow what (`life`).

use crate::{
    BY_HAND, Case, CaseError, Config, Footage, Gauge, Line, NOTE_MAX,
    files::Files,
    life::{self, Step},
    sentence,
};
use domain::{Answer, CameraId, CaseId, CaseState, Clock, Violation, ViolationEnd, WallTime, Why};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::{CaseChange, CaseRow, HistoryRow, Job, NewCase, NewParcel, Store};
use tokio::sync::{Notify, watch};

/// The furthest a clip begins ahead of the raise, however long the thing has stood there.
const LEAD_MAX: Duration = Duration::from_secs(30);
/// How far back a case made by hand reaches: people tap after they have understood.
const LEAD_BY_HAND: Duration = Duration::from_secs(30);
/// What is written in a moment is on disk after this long.
const RECORDED: Duration = Duration::from_secs(2);
/// A person's word in the history that the news of a case arrived.
const SEEN: &str = "seen";
/// When the main stream is first asked for its picture.
const MAIN_STILL: Duration = Duration::from_secs(1);

/// All cases. Cheap to clone.
#[derive(Clone)]
pub struct Cases(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) footage: Arc<dyn Footage>,
    pub(crate) files: Files,
    pub(crate) gauge: Gauge,
    /// There is new work for a lane.
    pub(crate) stills: Notify,
    pub(crate) clips: Notify,
    zone: TimeZone,
    /// Violations count from 1 in every run of the core.
    run: String,
    pub(crate) latest: watch::Sender<i64>,
}

impl Cases {
    /// Opens the evidence folder (making it when it is not there) and begins a run.
    ///
    /// # Errors
    /// [`CaseError::Evidence`], [`CaseError::TimeZone`], [`CaseError::Store`].
    pub fn open(config: Config, store: Store, clock: Arc<dyn Clock>, footage: Arc<dyn Footage>, gauge: Gauge) -> Result<Self, CaseError> {
        let zone = TimeZoneDatabase::bundled().get(&config.timezone).map_err(|_| CaseError::TimeZone(config.timezone.clone()))?;
        let files = Files::open(&config.evidence).map_err(|source| CaseError::Evidence { path: config.evidence.clone(), source })?;
        let run = store.begin_run()?.to_string();
        let latest = watch::Sender::new(store.latest_case_event()?);
        let (stills, clips) = (Notify::new(), Notify::new());
        Ok(Self(Arc::new(Inner { config, store, clock, footage, files, gauge, stills, clips, zone, run, latest })))
    }

    /// A rule is sure: makes its case, with its evidence to be fetched and its messages to be sent. On disk when this returns.
    ///
    /// # Errors
    /// When the database fails; nothing was made then.
    pub fn raised(&self, camera: &CameraId, violation: &Violation) -> Result<CaseId, CaseError> {
        let (config, now) = (&self.0.config, self.0.clock.wall());
        let raised = violation.raised;
        let from = violation.start.minus(config.before).clamp(raised.minus(LEAD_MAX.max(config.before)), raised.minus(config.before));
        let to = raised.plus(config.after);
        let work = vec![(Job::Small, now), (Job::Main, raised.plus(MAIN_STILL)), (Job::Early, now), (Job::Clip, to.plus(RECORDED))];
        self.add(&NewCase {
            camera: camera.clone(),
            kind: violation.kind.as_str().to_owned(),
            violation: Some((self.0.run.clone(), violation.id.0)),
            zone: Some(violation.zone.clone()),
            class: Some(violation.class.as_str().to_owned()),
            bbox: Some(violation.bbox),
            start: violation.start,
            raised,
            why: violation.why.clone(),
            measured: violation.measured.clone(),
            note: String::new(),
            wanted: (from, to),
            first: HistoryRow { at: now, by: String::new(), what: "raised".to_owned(), note: String::new() },
            work,
        })
    }

    /// A violation is over. One that made no case in this run is none of ours.
    ///
    /// # Errors
    /// When the database fails.
    pub fn ended(&self, camera: &CameraId, end: &ViolationEnd) -> Result<(), CaseError> {
        let note = match end.reason {
            domain::EndReason::Left => "left",
            domain::EndReason::Lost => "lost",
            domain::EndReason::Interrupted => "interrupted",
        };
        let line = HistoryRow { at: self.0.clock.wall(), by: String::new(), what: "ended".to_owned(), note: note.to_owned() };
        if self.0.store.end_case(camera, (&self.0.run, end.id.0), end.end, &line)?.is_some() {
            self.announce()?;
        }
        Ok(())
    }

    /// Somebody makes a case of what he is watching: the last 30 s, the next seconds, and a still.
    ///
    /// # Errors
    /// [`CaseError::NoSuchCamera`], [`CaseError::BadNote`], or when the database fails.
    pub fn by_hand(&self, camera: &CameraId, by: &str, note: &str) -> Result<CaseId, CaseError> {
        if !self.0.config.cameras.contains_key(camera) {
            return Err(CaseError::NoSuchCamera(camera.clone()));
        }
        let note = note.trim();
        if note.chars().count() > NOTE_MAX || note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(CaseError::BadNote { max: NOTE_MAX });
        }
        let now = self.0.clock.wall();
        let to = now.plus(self.0.config.after);
        self.add(&NewCase {
            camera: camera.clone(),
            kind: BY_HAND.to_owned(),
            violation: None,
            zone: None,
            class: None,
            bbox: None,
            start: now,
            raised: now,
            why: Why { vi: "Cán bộ lập từ hình đang xem.".to_owned(), en: "Made by hand from the live picture.".to_owned() },
            measured: BTreeMap::new(),
            note: note.replace('\n', " "),
            wanted: (now.minus(LEAD_BY_HAND), to),
            first: HistoryRow { at: now, by: by.to_owned(), what: "raised".to_owned(), note: String::new() },
            work: vec![(Job::Main, now.plus(MAIN_STILL)), (Job::Early, now), (Job::Clip, to.plus(RECORDED))],
        })
    }

    /// Somebody says whether it is so; an answer can be corrected by another at any time. Those who are to be told hear
    /// of it when it can be taken back no longer.
    ///
    /// # Errors
    /// [`CaseError::NoSuchCase`], or when the database fails.
    pub fn answer(&self, id: CaseId, answer: Answer, by: &str) -> Result<Case, CaseError> {
        self.change(id, |history, now| {
            let Some(_) = life::answer(history, answer, by, now) else { return Ok(None) };
            Ok(Some(Turn {
                what: answer.state().as_str(),
                by,
                state: answer.state(),
                answered: Some((by.to_owned(), now)),
                takes_back: None,
            }))
        })
    }

    /// Somebody takes back his answer, within 10 s.
    ///
    /// # Errors
    /// [`CaseError::NoSuchCase`], [`CaseError::Refused`], or when the database fails.
    pub fn undo(&self, id: CaseId, by: &str) -> Result<Case, CaseError> {
        self.change(id, |history, now| {
            let (taken, before) = life::undo(history, by, now)?;
            let state = before.as_ref().map_or(CaseState::Raised, |b| b.answer.state());
            Ok(Some(Turn { what: "undone", by, state, answered: before.map(|b| (b.by, b.at)), takes_back: Some(taken.at) }))
        })
    }

    /// Somebody has seen that there is a case; what is to be said of it is another step. Once a person is enough.
    ///
    /// # Errors
    /// [`CaseError::NoSuchCase`], or when the database fails.
    pub fn seen(&self, id: CaseId, by: &str) -> Result<Case, CaseError> {
        let at = self.0.clock.wall();
        self.0.store.change_case(id, |row, history| {
            if history.iter().any(|line| line.what == SEEN && line.by == by) {
                return Ok::<_, life::Refused>(None);
            }
            Ok(Some(CaseChange {
                line: HistoryRow { at, by: by.to_owned(), what: SEEN.to_owned(), note: String::new() },
                state: row.state,
                answered: row.answered.clone(),
                withdraw: None,
                parcels: Vec::new(),
            }))
        })??;
        self.announce()?;
        self.get(id)
    }

    /// Somebody holds the evidence of a case for as long as there is a reason, or lets it go: its time counts from now on.
    ///
    /// # Errors
    /// [`CaseError::NoSuchCase`], [`CaseError::EvidenceGone`], or when the database fails.
    pub fn hold(&self, id: CaseId, hold: bool, by: &str) -> Result<Case, CaseError> {
        let what = if hold { "held" } else { "let-go" };
        let line = HistoryRow { at: self.0.clock.wall(), by: by.to_owned(), what: what.to_owned(), note: String::new() };
        if self.0.store.hold_case(id, hold, &line)? {
            self.announce()?;
        }
        let case = self.get(id)?;
        if hold && !case.held { Err(CaseError::EvidenceGone) } else { Ok(case) }
    }

    fn add(&self, new: &NewCase) -> Result<CaseId, CaseError> {
        let row = self.0.store.add_case(new, |row| self.parcels(row, "raised", row.raised, new.first.at))?;
        metrics::counter!("matthon_cases_raised_total", "camera" => row.camera.to_string(), "kind" => row.kind.clone()).increment(1);
        tracing::info!(case = %row.id, camera = %row.camera, kind = row.kind, "case raised");
        self.0.stills.notify_one();
        self.0.clips.notify_one();
        self.announce()?;
        Ok(row.id)
    }

    fn change<'a>(
        &self,
        id: CaseId,
        turn: impl FnOnce(&[Step], WallTime) -> Result<Option<Turn<'a>>, life::Refused>,
    ) -> Result<Case, CaseError> {
        let now = self.0.clock.wall();
        let mut said = None;
        let row = self.0.store.change_case(id, |row, history| {
            let steps: Vec<_> = history.iter().map(|h| Step::read(&h.what, &h.by, h.at)).collect();
            let Some(turn) = turn(&steps, now)? else { return Ok::<_, life::Refused>(None) };
            let mut then = row.clone();
            (then.state, then.answered) = (turn.state, turn.answered.clone());
            said = Some(turn.what);
            Ok(Some(CaseChange {
                line: HistoryRow { at: now, by: turn.by.to_owned(), what: turn.what.to_owned(), note: String::new() },
                state: turn.state,
                answered: turn.answered,
                withdraw: turn.takes_back,
                parcels: match turn.takes_back {
                    None => self.parcels(&then, turn.what, now, now.plus(life::UNDO)),
                    Some(_) => Vec::new(),
                },
            }))
        })??;
        if let Some(what) = said {
            metrics::counter!("matthon_cases_answered_total", "answer" => what).increment(1);
            self.announce()?;
        }
        let mut case = self.case(row);
        case.history = Some(self.0.store.case_history(id)?.into_iter().map(Line::from).collect());
        Ok(case)
    }

    /// The messages of an event, one a channel.
    fn parcels(&self, row: &CaseRow, what: &str, happened: WallTime, due: WallTime) -> Vec<NewParcel> {
        let (case, event) = (self.case(row.clone()), format!("case.{what}"));
        let body = json!({
            "event": event,
            "site": self.0.config.site,
            "sentence": sentence::of(&case, &self.0.zone),
            "case": case,
        });
        let body = body.to_string();
        let parcel = |channel: &String| NewParcel { channel: channel.clone(), event: event.clone(), happened, due, body: body.clone() };
        self.0.config.channels.iter().map(parcel).collect()
    }

    pub(crate) fn case(&self, row: CaseRow) -> Case {
        let name = self.0.config.cameras.get(&row.camera).cloned().unwrap_or_else(|| row.camera.to_string());
        Case::from_row(row, name, self.0.clock.wall())
    }

    /// Tells those who follow. Asked of the store, so that two changes at once cannot put the number back.
    pub(crate) fn announce(&self) -> Result<(), CaseError> {
        let seq = self.0.store.latest_case_event()?;
        self.0.latest.send_if_modified(|latest| {
            let newer = seq > *latest;
            *latest = seq.max(*latest);
            newer
        });
        Ok(())
    }
}

/// A step of a person, before it is kept.
struct Turn<'a> {
    what: &'static str,
    by: &'a str,
    state: CaseState,
    answered: Option<(String, WallTime)>,
    takes_back: Option<WallTime>,
}
