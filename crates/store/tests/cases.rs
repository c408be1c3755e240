//! Cases, their history, open work and the outbox, through the public API only.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{BBox, CameraId, CaseId, CaseState, ClipState, StillState, WallTime, Why};
use matthon_store::{CaseChange, CaseFilter, CaseRow, EvidenceChange, HistoryRow, Job, NewCase, NewParcel, Settled, Store, StoreError};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

const NOON: WallTime = WallTime::from_secs(1_795_430_520);
const DAY: Duration = Duration::from_secs(86_400);

struct Box {
    store: Store,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

fn new_box() -> Box {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("matthon.db");
    Box { store: Store::open(&path).unwrap(), path, _dir: dir }
}

fn after(seconds: i64) -> WallTime {
    NOON.plus_micros(seconds * 1_000_000)
}

fn camera(id: &str) -> CameraId {
    CameraId::new(id).unwrap()
}

fn line(what: &str, by: &str, at: WallTime) -> HistoryRow {
    HistoryRow { at, by: by.to_owned(), what: what.to_owned(), note: String::new() }
}

fn new_case(id: &str, violation: Option<(&str, u64)>, raised: WallTime) -> NewCase {
    NewCase {
        camera: camera(id),
        kind: if violation.is_some() { "no-parking".to_owned() } else { "by-hand".to_owned() },
        violation: violation.map(|(run, n)| (run.to_owned(), n)),
        zone: Some("lề đường".to_owned()),
        class: Some("car".to_owned()),
        bbox: Some(BBox::from([0.1, 0.2, 0.3, 0.4])),
        start: raised.minus(Duration::from_secs(30)),
        raised,
        why: Why { vi: "Nghi vấn…".to_owned(), en: "Suspected…".to_owned() },
        measured: BTreeMap::from([("dwell_s".to_owned(), 30.2)]),
        note: String::new(),
        wanted: (raised.minus(Duration::from_secs(10)), raised.plus(Duration::from_secs(10))),
        first: line("raised", "", raised),
        work: vec![(Job::Small, raised), (Job::Main, raised.plus(Duration::from_secs(1)))],
    }
}

fn parcel(channel: &str, event: &str, at: WallTime) -> NewParcel {
    NewParcel { channel: channel.to_owned(), event: event.to_owned(), happened: at, due: at, body: "{}".to_owned() }
}

fn add(store: &Store, id: &str, violation: Option<(&str, u64)>, raised: WallTime) -> CaseRow {
    store.add_case(&new_case(id, violation, raised), |_| Vec::new()).unwrap()
}

fn answered(state: CaseState, by: &str, at: WallTime) -> CaseChange {
    let withdraw = None;
    CaseChange { line: line(state.as_str(), by, at), state, answered: Some((by.to_owned(), at)), withdraw, parcels: Vec::new() }
}

fn nobody(_: &CaseRow, _: &[HistoryRow]) -> Result<Option<CaseChange>, String> {
    Ok(None)
}

#[test]
fn a_case_comes_back_as_it_was_made() {
    let b = new_box();
    let made = add(&b.store, "cho", Some(("1", 7)), NOON);
    assert_eq!((made.id, made.state, made.still, made.clip), (CaseId(1), CaseState::Raised, StillState::Pending, ClipState::Pending));
    assert_eq!((made.bbox, made.measured["dwell_s"], made.ended), (Some(BBox::from([0.1, 0.2, 0.3, 0.4])), 30.2, None));
    let reopened = Store::open(&b.path).unwrap();
    assert_eq!(reopened.case(CaseId(1)).unwrap(), made);
    assert_eq!(reopened.case_history(CaseId(1)).unwrap(), [line("raised", "", NOON)]);
    assert!(matches!(reopened.case(CaseId(2)), Err(StoreError::NoSuchCase { id: CaseId(2) })));
}

#[test]
fn filters_choose_and_count() {
    let b = new_box();
    for i in 0..6 {
        add(&b.store, if i % 2 == 0 { "cho" } else { "cong" }, (i != 5).then_some(("1", i)), after(i as i64));
    }
    b.store.change_case(CaseId(1), |_, _| Ok::<_, String>(Some(answered(CaseState::FalseAlarm, "Lan", after(9))))).unwrap().unwrap();
    let ids = |filter: CaseFilter, limit| b.store.cases(&filter, limit).unwrap().iter().map(|c| c.id.0).collect::<Vec<_>>();
    let all = CaseFilter::default;
    assert_eq!(ids(all(), 4), [6, 5, 4, 3]);
    assert_eq!(ids(CaseFilter { before: Some(CaseId(3)), ..all() }, 4), [2, 1]);
    assert_eq!(ids(CaseFilter { cameras: Some(vec![camera("cho")]), ..all() }, 9), [5, 3, 1]);
    assert_eq!(ids(CaseFilter { cameras: Some(vec![camera("cho"), camera("cong")]), state: Some(CaseState::FalseAlarm), ..all() }, 9), [1]);
    assert_eq!(ids(CaseFilter { cameras: Some(Vec::new()), ..all() }, 9), [0; 0], "somebody who may see no camera sees no case");
    assert_eq!(ids(CaseFilter { from: Some(after(1)), to: Some(after(3)), ..all() }, 9), [3, 2]);
    assert_eq!(ids(CaseFilter { by_rule: true, ..all() }, 9), [5, 4, 3, 2, 1]);
    assert_eq!(b.store.count_cases(&CaseFilter { state: Some(CaseState::Raised), ..all() }).unwrap(), 5);
    let tally = b.store.tally_cases(&CaseFilter { by_rule: true, ..all() }).unwrap();
    let short: Vec<_> = tally.iter().map(|t| (t.camera.as_str(), t.cases, t.false_alarms, t.confirmed)).collect();
    assert_eq!(short, [("cho", 3, 1, 0), ("cong", 2, 0, 0)]);
}

#[test]
fn the_history_only_grows() {
    let b = new_box();
    add(&b.store, "cho", None, NOON);
    let c = rusqlite::Connection::open(&b.path).unwrap();
    for sql in ["UPDATE case_history SET by = 'x'", "DELETE FROM case_history"] {
        assert!(c.execute(sql, []).unwrap_err().to_string().contains("case_history only grows"), "{sql}");
    }
    assert_eq!(b.store.case_history(CaseId(1)).unwrap(), [line("raised", "", NOON)]);
}

#[test]
fn a_step_that_is_refused_changes_nothing() {
    let b = new_box();
    add(&b.store, "cho", None, NOON);
    let refused = b.store.change_case(CaseId(1), |_, _| Err("no")).unwrap();
    assert_eq!(refused, Err("no"));
    assert_eq!(b.store.change_case(CaseId(1), nobody).unwrap().unwrap().state, CaseState::Raised);
    assert_eq!((b.store.case_history(CaseId(1)).unwrap().len(), b.store.latest_case_event().unwrap()), (1, 1));
    assert!(matches!(b.store.change_case(CaseId(9), nobody), Err(StoreError::NoSuchCase { .. })));
}

#[test]
fn the_end_finds_the_case_of_its_own_run() {
    let b = new_box();
    assert_eq!((b.store.begin_run().unwrap(), b.store.begin_run().unwrap()), (1, 2));
    add(&b.store, "cho", Some(("1", 7)), NOON);
    add(&b.store, "cho", Some(("2", 7)), after(100));
    let end = |run: &str, id: &str, n| b.store.end_case(&camera(id), (run, n), after(200), &line("ended", "", after(201))).unwrap();
    assert_eq!((end("2", "cong", 7), end("2", "cho", 8), end("3", "cho", 7)), (None, None, None));
    assert_eq!(end("2", "cho", 7), Some(CaseId(2)));
    assert_eq!(end("2", "cho", 7), None, "it has ended");
    assert_eq!(b.store.case(CaseId(2)).unwrap().ended, Some(after(200)));
    assert_eq!(b.store.case(CaseId(1)).unwrap().ended, None);
}

#[test]
fn events_are_in_order_and_the_oldest_give_way() {
    let b = new_box();
    assert_eq!(b.store.latest_case_event().unwrap(), 0);
    add(&b.store, "cho", None, NOON);
    let c = rusqlite::Connection::open(&b.path).unwrap();
    c.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10020) INSERT INTO case_event (case_file, what) SELECT 1, 'x' FROM n",
    )
    .unwrap();
    b.store.change_evidence(CaseId(1), Some(EvidenceChange::Still(StillState::Main)), &[], None).unwrap();
    let latest = b.store.latest_case_event().unwrap();
    assert_eq!(latest, 10_022);
    let first = &b.store.case_events(0, 1).unwrap()[0];
    assert_eq!(first.seq, latest - 9_999);
    let last = b.store.case_events(latest - 1, 10).unwrap();
    assert_eq!((last.len(), last[0].what.as_str(), last[0].case, last[0].state), (1, "still", CaseId(1), CaseState::Raised));
}

#[test]
fn evidence_only_gets_better() {
    let b = new_box();
    add(&b.store, "cho", None, NOON);
    let still = |s| b.store.change_evidence(CaseId(1), Some(EvidenceChange::Still(s)), &[], None).unwrap();
    assert_eq!((still(StillState::Main), still(StillState::Small), still(StillState::Missing)), (true, false, false));
    let span = |to| Some((NOON, after(to)));
    let clip = |s, span| b.store.change_evidence(CaseId(1), Some(EvidenceChange::Clip(s, span)), &[], None).unwrap();
    assert!(clip(ClipState::Partial, span(1)) && clip(ClipState::Partial, span(2)));
    assert!(!clip(ClipState::Missing, None));
    assert!(clip(ClipState::Done, span(10)));
    assert!(!clip(ClipState::Partial, span(3)) && !clip(ClipState::Done, span(4)));
    let case = b.store.case(CaseId(1)).unwrap();
    assert_eq!((case.still, case.clip, case.clip_span), (StillState::Main, ClipState::Done, span(10)));
}

#[test]
fn open_work_survives_and_is_due_in_order() {
    let b = new_box();
    add(&b.store, "cho", None, NOON);
    let store = Store::open(&b.path).unwrap();
    let due = |at| store.case_work_due([Job::Small, Job::Main], at, 9).unwrap();
    let jobs = |at| due(at).iter().map(|w| (w.job, w.tries)).collect::<Vec<_>>();
    assert_eq!(jobs(NOON), [(Job::Small, 0)]);
    assert_eq!(jobs(after(1)), [(Job::Small, 0), (Job::Main, 0)]);
    assert_eq!(store.case_work_next([Job::Small, Job::Main], NOON).unwrap(), Some(after(1)));
    store.case_work_later(due(NOON)[0], after(3)).unwrap();
    assert_eq!((jobs(after(1)), jobs(after(3))), (vec![(Job::Main, 0)], vec![(Job::Main, 0), (Job::Small, 1)]));
    assert!(store.case_work_due([Job::Early, Job::Clip], after(9), 9).unwrap().is_empty());
    assert_eq!(jobs(NOON.minus(DAY)).len(), 2, "a clock that was set back a day does not stop the work");
    store.change_evidence(CaseId(1), None, &[Job::Main, Job::Small], None).unwrap();
    assert!(jobs(after(9)).is_empty());
}

#[test]
fn parcels_wait_until_they_are_settled() {
    let b = new_box();
    let channels = [parcel("a", "case.raised", NOON), parcel("b", "case.raised", NOON)];
    b.store
        .add_case(&new_case("cho", None, NOON), |row| {
            assert_eq!(row.id, CaseId(1), "the message can name the case");
            channels.to_vec()
        })
        .unwrap();
    let store = Store::open(&b.path).unwrap();
    let due = |channel: &str, at| store.outbox_due(channel, at, 9).unwrap();
    assert!(due("a", NOON.minus(Duration::from_secs(1))).is_empty());
    let first = due("a", NOON)[0].clone();
    assert_ne!(first.delivery, due("b", NOON)[0].delivery);
    assert_eq!((first.delivery.len(), first.tries, store.outbox_next_due("a").unwrap()), (36, 0, Some(NOON)));
    store.outbox_settle(first.id, &Settled::Later { due: after(5), trouble: "no answer".to_owned() }, after(1)).unwrap();
    assert!(due("a", after(1)).is_empty() && due("b", after(1)).len() == 1);
    let again = due("a", after(5))[0].clone();
    assert_eq!((again.delivery.as_str(), again.tries, again.first_due), (first.delivery.as_str(), 1, NOON));
    store.outbox_settle(again.id, &Settled::Done, after(6)).unwrap();
    assert_eq!((due("a", after(99)).len(), store.outbox_next_due("a").unwrap()), (0, None));
    store.outbox_settle(again.id, &Settled::Later { due: NOON, trouble: String::new() }, after(7)).unwrap();
    assert!(due("a", after(99)).is_empty(), "what is settled stays settled");
    // A month later it is forgotten.
    store.outbox_settle(due("b", NOON)[0].id, &Settled::Gone, NOON.plus(31 * DAY)).unwrap();
    let left: i64 = rusqlite::Connection::open(&b.path).unwrap().query_row("SELECT count(*) FROM outbox", [], |r| r.get(0)).unwrap();
    assert_eq!(left, 1);
}

#[test]
fn an_answer_that_is_taken_back_is_not_told() {
    let b = new_box();
    add(&b.store, "cho", None, NOON);
    let told = |at| CaseChange { parcels: vec![parcel("a", "case.confirmed", at)], ..answered(CaseState::Confirmed, "Lan", at) };
    let undone =
        |of, at| CaseChange { withdraw: Some(of), answered: None, line: line("undone", "Lan", at), ..answered(CaseState::Raised, "", at) };
    let change = |c: CaseChange| b.store.change_case(CaseId(1), |_, _| Ok::<_, String>(Some(c))).unwrap().unwrap();
    assert_eq!(change(told(after(1))).answered, Some(("Lan".to_owned(), after(1))));
    change(told(after(2)));
    assert_eq!(change(undone(after(2), after(3))).answered, None);
    let left = b.store.outbox_due("a", after(9), 9).unwrap();
    assert_eq!(left.iter().map(|p| p.happened).collect::<Vec<_>>(), [after(1)], "only that answer's message is taken back");
}

#[test]
fn a_channel_nobody_empties_does_not_grow_without_end() {
    let b = new_box();
    add(&b.store, "cho", None, NOON);
    let many = |n: i64| (0..n).map(|i| parcel("a", "case.raised", after(i))).collect::<Vec<_>>();
    let full = |parcels| CaseChange { parcels, ..answered(CaseState::Confirmed, "Lan", NOON) };
    let c = rusqlite::Connection::open(&b.path).unwrap();
    c.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
         INSERT INTO outbox (delivery, channel, event, case_file, happened, first_due, due, body) SELECT 'd' || i, 'a', 'x', 1, 0, 0, 0, '{}' FROM n",
    )
    .unwrap();
    b.store.change_case(CaseId(1), |_, _| Ok::<_, String>(Some(full(many(4))))).unwrap().unwrap();
    let count = |state: &str| -> i64 { c.query_row("SELECT count(*) FROM outbox WHERE state = ?1", [state], |r| r.get(0)).unwrap() };
    assert_eq!((count("waiting"), count("expired")), (10_000, 3));
}
