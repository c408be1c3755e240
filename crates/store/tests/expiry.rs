//! What the evidence store holds, who holds what, and how it goes: through the public API only.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{Audited, CameraId, CaseId, CaseState, ClipState, StillState, WallTime, Why};
use matthon_store::{
    AuditEntry, CaseChange, EvidenceChange, EvidenceUse, ExportState, HistoryRow, Job, KeptRow, KeptState, NewCase, Store,
};
use std::{collections::BTreeMap, time::Duration};

const NOON: WallTime = WallTime::from_secs(1_795_430_520);

fn after(seconds: i64) -> WallTime {
    NOON.plus_micros(seconds * 1_000_000)
}

fn camera(id: &str) -> CameraId {
    CameraId::new(id).unwrap()
}

fn line(what: &str, by: &str, at: WallTime) -> HistoryRow {
    HistoryRow { at, by: by.to_owned(), what: what.to_owned(), note: String::new() }
}

fn entry(at: WallTime, what: Audited, role: &str) -> AuditEntry {
    AuditEntry { at, who: "lan".into(), role: role.into(), what, subject: String::new(), detail: String::new() }
}

fn open() -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Store::open(&dir.path().join("matthon.db")).unwrap(), dir)
}

fn raise(store: &Store, at: WallTime, work: Vec<(Job, WallTime)>) -> CaseId {
    let case = NewCase {
        camera: camera("cho"),
        kind: "no-parking".into(),
        violation: None,
        zone: None,
        class: None,
        bbox: None,
        start: at,
        raised: at,
        why: Why { vi: "v".into(), en: "e".into() },
        measured: BTreeMap::from([("dwell_s".to_owned(), 30.0)]),
        note: String::new(),
        wanted: (at.minus(Duration::from_secs(10)), at.plus(Duration::from_secs(10))),
        first: line("raised", "", at),
        work,
    };
    store.add_case(&case, |_| Vec::new()).unwrap().id
}

fn keep(store: &Store, from: i64, to: i64) -> String {
    let row = KeptRow {
        id: String::new(),
        asked: NOON,
        by: "lan".into(),
        cameras: vec![camera("cong"), camera("cho")],
        from: after(from),
        to: after(to),
        note: String::new(),
        until: Some(after(1000)),
        state: KeptState::Copying,
        bytes: 0,
        trouble: String::new(),
    };
    store.add_kept(&row, &entry(NOON, Audited::Kept, "official")).unwrap()
}

fn used(store: &Store) -> (u64, u64, u64) {
    let EvidenceUse { cases, kept, packages } = store.evidence_use().unwrap();
    (cases, kept, packages)
}

#[test]
fn what_is_used_moves_with_every_change_and_survives() {
    let (store, dir) = open();
    let id = raise(&store, NOON, Vec::new());
    store.change_evidence(id, Some(EvidenceChange::Still(StillState::Small)), &[], Some(1000)).unwrap();
    store.change_evidence(id, Some(EvidenceChange::Clip(ClipState::Done, Some((NOON, after(9))))), &[], Some(51_000)).unwrap();
    // A change that makes nothing better still says what lies there.
    store.change_evidence(id, Some(EvidenceChange::Still(StillState::Missing)), &[], Some(51_001)).unwrap();
    let kept = keep(&store, 0, 10);
    store.end_kept(&kept, KeptState::Done, 700, "").unwrap();
    let here = store.add_export("{}", &entry(NOON, Audited::Export, "police"), |_| Vec::new()).unwrap();
    store.end_export(&here, ExportState::Done, 30, "", after(5)).unwrap();
    let elsewhere = store.add_export("{}", &entry(NOON, Audited::Export, "local"), |_| Vec::new()).unwrap();
    store.end_export(&elsewhere, ExportState::Done, 9_999_999, "", after(5)).unwrap();
    assert_eq!(used(&store), (51_001, 700, 30), "a file of the command line's own is not the box's");
    assert_eq!(used(&Store::open(&dir.path().join("matthon.db")).unwrap()), (51_001, 700, 30));
    store.see_under_trusted_clock(after(5)).unwrap();
    assert!(store.let_kept_go(&kept, after(2000), after(1000)).unwrap());
    // A package goes when its time is over, and the list says so; one that lies elsewhere is not ours to delete.
    assert_eq!(store.exports_ready_before(after(5), 9).unwrap(), [""; 0]);
    assert_eq!(store.exports_ready_before(after(6), 9).unwrap(), std::slice::from_ref(&here));
    assert!(store.let_export_go(&here, after(6)).unwrap() && !store.let_export_go(&here, after(6)).unwrap());
    assert!(!store.let_export_go(&elsewhere, after(6)).unwrap());
    let state = |id: &str| store.export(id).unwrap().map(|e| (e.state, e.bytes, e.here)).unwrap();
    assert_eq!((state(&here), state(&elsewhere)), ((ExportState::Gone, 0, true), (ExportState::Done, 9_999_999, false)));
    assert_eq!(used(&store), (51_001, 0, 0));
    let said: Vec<_> =
        store.audit_rows(None, 9).unwrap().into_iter().filter(|r| r.what == "evidence-gone").map(|r| (r.who, r.subject)).collect();
    assert_eq!(said, [(String::new(), here), (String::new(), kept)], "the box itself, in the log");
}

#[test]
fn evidence_goes_in_one_change_and_the_case_stays() {
    let (store, _dir) = open();
    let id = raise(&store, NOON, vec![(Job::Main, NOON)]);
    let facts = |id| store.cases_that_may_expire(after(1), (WallTime(i64::MIN), CaseId(0)), 9).unwrap().into_iter().find(|c| c.id == id);
    assert!(facts(id).is_none(), "not seen by a trusted clock yet");
    store.see_under_trusted_clock(NOON).unwrap();
    assert!(facts(id).unwrap().open_work);
    store.change_evidence(id, Some(EvidenceChange::Still(StillState::Main)), &[Job::Main], Some(10)).unwrap();
    let range = EvidenceChange::Clip(ClipState::RangeOnly, Some((NOON, after(9))));
    store.change_evidence(id, Some(range), &[], None).unwrap();
    let now = facts(id).unwrap();
    assert!(!now.open_work && !now.held && !now.taken && now.since == NOON && now.raised == NOON && now.first_trusted == Some(NOON));
    assert!(!store.let_case_evidence_go(id, after(99), |_| false).unwrap());
    assert!(store.let_case_evidence_go(id, after(99), |c| *c == now).unwrap());
    assert!(!store.let_case_evidence_go(id, after(99), |_| true).unwrap(), "once");
    let case = store.case(id).unwrap();
    assert_eq!((case.still, case.clip, case.gone), (StillState::Gone, ClipState::RangeOnly, Some(after(99))));
    assert_eq!((case.clip_span, case.measured["dwell_s"]), (Some((NOON, after(9))), 30.0), "its time and its numbers stay");
    assert_eq!(store.case_history(id).unwrap().last().unwrap().what, "evidence-gone");
    // What comes late makes nothing out of it.
    assert!(!store.change_evidence(id, Some(EvidenceChange::Still(StillState::Main)), &[], None).unwrap());
    // Its files are still to be deleted, until somebody says that they are.
    assert_eq!(store.case_leftovers(9).unwrap(), [(id, true)]);
    store.set_case_bytes(id, 0).unwrap();
    assert_eq!((store.case_leftovers(9).unwrap(), used(&store).0), (vec![], 0));
    assert!(facts(id).is_none());
    assert!(!store.hold_case(id, true, &line("held", "lan", after(100))).unwrap(), "what is gone cannot be held");
}

#[test]
fn what_a_trusted_clock_has_not_seen_since_somebody_touched_it_is_not_over() {
    let (store, dir) = open();
    // Stamped by a clock whose battery is empty.
    let old = WallTime::from_secs(0);
    let case = raise(&store, old, Vec::new());
    let kept = keep(&store, 0, 10);
    store.end_kept(&kept, KeptState::Done, 7, "").unwrap();
    let package = store.add_export("{}", &entry(old, Audited::Export, "police"), |_| Vec::new()).unwrap();
    store.end_export(&package, ExportState::Done, 9, "", old).unwrap();
    let long = after(1_000_000);
    let over = |seen: WallTime| {
        (
            store.cases_that_may_expire(seen, (WallTime(i64::MIN), CaseId(0)), 9).unwrap().len(),
            store.kept_over(long, seen).unwrap().len(),
            store.exports_ready_before(seen, 9).unwrap().len(),
        )
    };
    assert_eq!(over(long), (0, 0, 0));
    assert!(!store.let_kept_go(&kept, long, long).unwrap());
    store.see_under_trusted_clock(after(10)).unwrap();
    store.see_under_trusted_clock(after(500)).unwrap();
    assert_eq!((over(after(10)), over(after(11))), ((0, 0, 0), (1, 1, 1)), "the first look counts");
    // Held and let go: perhaps by the clock that was wrong, so it is seen anew.
    store.hold_case(case, true, &line("held", "lan", old)).unwrap();
    store.hold_case(case, false, &line("let-go", "lan", old)).unwrap();
    store.hold_kept(&kept, Some(old), &entry(old, Audited::Kept, "official")).unwrap();
    assert_eq!(over(long), (0, 0, 1));
    store.see_under_trusted_clock(after(600)).unwrap();
    assert_eq!((over(after(600)), over(after(601))), ((0, 0, 1), (1, 1, 1)));
    drop(store);
    let store = Store::open(&dir.path().join("matthon.db")).unwrap();
    assert_eq!(store.kept_over(long, after(601)).unwrap(), [kept], "and is remembered");
}

#[test]
fn who_holds_confirms_or_takes_is_seen() {
    let (store, _dir) = open();
    let ids: Vec<_> = (0..4).map(|n| raise(&store, after(n), Vec::new())).collect();
    let found = || {
        store.see_under_trusted_clock(after(90)).unwrap();
        let mut after_this = (WallTime(i64::MIN), CaseId(0));
        let mut all = Vec::new();
        // Page by page, as the sweep does.
        while let Some(row) = store.cases_that_may_expire(after(100), after_this, 1).unwrap().pop() {
            after_this = (row.raised, row.id);
            all.push(row);
        }
        all
    };
    assert_eq!(found().iter().map(|c| c.id).collect::<Vec<_>>(), ids);
    assert!(store.hold_case(ids[0], true, &line("held", "lan", after(50))).unwrap());
    assert!(!store.hold_case(ids[0], true, &line("held", "lan", after(51))).unwrap(), "it is held already");
    let confirm = |state: CaseState| {
        let change = CaseChange {
            line: line(state.as_str(), "lan", after(60)),
            state,
            answered: Some(("lan".into(), after(60))),
            withdraw: None,
            parcels: vec![],
        };
        store.change_case(ids[1], |_, _| Ok::<_, String>(Some(change))).unwrap().unwrap();
    };
    confirm(CaseState::Confirmed);
    store.add_export(&format!("{{\"case\": {}}}", ids[2]), &entry(NOON, Audited::Export, "police"), |_| Vec::new()).unwrap();
    let now = found();
    assert_eq!(now.iter().map(|c| (c.id, c.taken)).collect::<Vec<_>>(), [(ids[2], true), (ids[3], false)]);
    confirm(CaseState::FalseAlarm);
    assert!(store.hold_case(ids[0], false, &line("let-go", "lan", after(70))).unwrap());
    let since: Vec<_> = found().iter().map(|c| (c.id, c.since)).collect();
    // Counted from the last thing a person did with it.
    assert_eq!(since, [(ids[0], after(70)), (ids[1], after(60)), (ids[2], after(2)), (ids[3], after(3))]);
}

#[test]
fn a_case_or_a_package_takes_kept_footage() {
    let (store, _dir) = open();
    let kept = [keep(&store, 0, 10), keep(&store, 20, 30), keep(&store, 0, 10)];
    store.end_kept(&kept[2], KeptState::Failed, 0, "").unwrap();
    let take = |id: &str, from, to| store.take_kept(&[camera(id)], after(from), after(to), &entry(NOON, Audited::Kept, "police")).unwrap();
    assert_eq!((take("khac", 0, 30), take("cho", 10, 20)), (0, 0), "another camera, the time between");
    assert_eq!(take("cho", 9, 20), 1);
    assert_eq!(take("cho", 9, 20), 0, "it is held already");
    store.see_under_trusted_clock(after(1)).unwrap();
    let go = |id: &str| store.let_kept_go(id, after(5000), after(4000)).unwrap();
    assert!(!go(&kept[0]));
    assert!(!go(&kept[1]), "it is still being copied");
    store.end_kept(&kept[1], KeptState::RangeOnly, 0, "full").unwrap();
    assert!(go(&kept[1]));
    assert_eq!(store.kept(&kept[0]).unwrap().unwrap().until, None);
    let row = &store.audit_rows(None, 2).unwrap()[1];
    assert_eq!((row.what.as_str(), row.subject.as_str()), ("kept", kept[0].as_str()));
}

#[test]
fn lists_are_filtered_before_they_are_cut() {
    let (store, _dir) = open();
    let cho = [camera("cho")];
    let both = [camera("cho"), camera("cong")];
    let export = |cameras: &str, at| {
        store.add_export(&format!("{{\"cameras\": {cameras}}}"), &entry(after(at), Audited::Export, "police"), |_| vec![]).unwrap()
    };
    let (one, two) = (export("[\"cho\"]", 0), export("[\"cho\", \"cong\"]", 1));
    store.add_export("{}", &entry(after(2), Audited::Export, "police"), |_| vec![]).unwrap();
    let ids = |cameras: Option<&[CameraId]>, limit| store.exports(cameras, limit).unwrap().into_iter().map(|e| e.id).collect::<Vec<_>>();
    assert_eq!((ids(None, 9).len(), ids(Some(&cho), 1), ids(Some(&both), 9)), (3, vec![one.clone()], vec![two, one]));
    assert_eq!(ids(Some(&[]), 9), [""; 0]);
    let wide = keep(&store, 0, 10);
    let row = KeptRow { cameras: vec![camera("cho")], asked: after(-9), ..store.kept(&wide).unwrap().unwrap() };
    let narrow = store.add_kept(&row, &entry(NOON, Audited::Kept, "official")).unwrap();
    let ids = |cameras: Option<&[CameraId]>, limit| store.all_kept(cameras, limit).unwrap().into_iter().map(|k| k.id).collect::<Vec<_>>();
    assert_eq!(
        (ids(Some(&cho), 1), ids(Some(&both), 9), ids(None, 9)),
        (vec![narrow.clone()], vec![wide.clone(), narrow.clone()], vec![wide, narrow])
    );
}
