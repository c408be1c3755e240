//! The desk: making, listing and answering cases, what is told to whom, and the JSON of a case.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

mod support;

use domain::{Answer, CameraId, CaseId, CaseState, EndReason, ViolationEnd, ViolationId};
use matthon_cases::{CaseError, Cases, Filter, life::Refused};
use serde_json::{Value, json};
use store::Parcel;
use support::{EVENING, SECOND, Village, camera, config, village, violation};
use tokio::time::sleep;

fn due(v: &Village) -> Vec<Parcel> {
    v.store.outbox_due("webhook:a", v.clock.wall(), 99).unwrap()
}

fn words(v: &Village, id: CaseId) -> Vec<String> {
    v.cases.get(id).unwrap().history.unwrap().into_iter().map(|l| format!("{} {}", l.by, l.what).trim().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_violation_becomes_a_case_and_is_told_in_one_sentence() {
    let v = village();
    let mut news = v.cases.subscribe();
    let id = v.raise();
    assert!(news.has_changed().unwrap() && *news.borrow_and_update() == 1);
    let told = due(&v);
    assert_eq!((told.len(), v.store.outbox_due("webhook:b", EVENING, 9).unwrap().len()), (1, 1));
    let body: Value = serde_json::from_str(&told[0].body).unwrap();
    assert_eq!((body["event"].as_str(), body["site"].as_str()), (Some("case.raised"), Some("Thôn Duyên Hy")));
    assert_eq!(body["sentence"]["vi"], "Cổng làng – nghi vấn ô tô đỗ sai chỗ, đã 4 phút – 17:42");
    assert_eq!(body["sentence"]["en"], "Cổng làng – suspected: car parked where it must not, for 4 min – 17:42");
    let case = serde_json::to_value(v.cases.list(&Filter::default()).unwrap()).unwrap();
    assert_eq!(body["case"], case[0]);
    let expected = json!({
        "id": id, "camera": "cong-lang", "camera_name": "Cổng làng", "kind": "no-parking", "state": "raised",
        "start": "2026-11-23T10:38:00Z", "raised": "2026-11-23T10:42:00Z", "end": null, "class": "car", "zone": "lề đường",
        "box": [0.1, 0.2, 0.3, 0.4], "why": {"vi": "Nghi vấn…", "en": "Suspected…"}, "measured": {"dwell_s": 240.4},
        "still": "pending", "clip": "pending", "clip_from": null, "clip_to": null, "answered_by": null, "answered": null,
        "undo_until": null, "note": "", "held": false, "evidence_gone": null,
    });
    assert_eq!(case[0], expected);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_told_when_it_can_be_taken_back_no_longer() {
    let v = village();
    let id = v.raise();
    let case = v.cases.answer(id, Answer::Confirm, "Lan").unwrap();
    assert_eq!(
        (case.state, case.answered_by.as_deref(), case.undo_until),
        (CaseState::Confirmed, Some("Lan"), Some(EVENING.plus(10 * SECOND)))
    );
    assert_eq!(due(&v).len(), 1, "only the raise");
    sleep(3 * SECOND).await;
    let case = v.cases.undo(id, "Lan").unwrap();
    assert_eq!((case.state, case.answered_by, case.undo_until), (CaseState::Raised, None, None));
    sleep(20 * SECOND).await;
    assert_eq!(due(&v).len(), 1, "what was taken back is not told");
    v.cases.answer(id, Answer::FalseAlarm, "Mai").unwrap();
    sleep(11 * SECOND).await;
    let told = due(&v);
    assert_eq!((told.len(), told[1].event.as_str(), told[1].happened), (2, "case.false-alarm", EVENING.plus(23 * SECOND)));
    let body: Value = serde_json::from_str(&told[1].body).unwrap();
    assert_eq!(body["sentence"]["vi"], "Cổng làng – báo sai: ô tô đỗ sai chỗ, đã 4 phút – 17:42");
    assert_eq!((body["case"]["state"].as_str(), body["case"]["answered_by"].as_str()), (Some("false-alarm"), Some("Mai")));
    assert!(matches!(v.cases.undo(id, "Mai"), Err(CaseError::Refused(Refused::TooLate))));
    assert!(matches!(v.cases.undo(id, "Lan"), Err(CaseError::Refused(Refused::NotYours { .. }))));
    assert_eq!(words(&v, id), ["raised", "Lan confirmed", "Lan undone", "Mai false-alarm"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_seen_it_is_noted_once_and_answers_nothing() {
    let v = village();
    let id = v.raise();
    let news = v.cases.subscribe();
    let case = v.cases.seen(id, "Lan").unwrap();
    assert_eq!((case.state, case.answered_by, news.has_changed().unwrap()), (CaseState::Raised, None, true));
    v.cases.seen(id, "Lan").unwrap();
    v.cases.answer(id, Answer::Confirm, "Mai").unwrap();
    let case = v.cases.seen(id, "Tư").unwrap();
    assert_eq!((case.state, case.answered_by.as_deref()), (CaseState::Confirmed, Some("Mai")));
    assert_eq!(words(&v, id), ["raised", "Lan seen", "Mai confirmed", "Tư seen"]);
    v.cases.undo(id, "Mai").unwrap();
    assert_eq!(due(&v).len(), 1, "nobody is told of it");
    assert!(matches!(v.cases.seen(CaseId(99), "Lan"), Err(CaseError::NoSuchCase(_))));
}

#[tokio::test(start_paused = true)]
async fn a_second_tap_changes_nothing() {
    let v = village();
    let id = v.raise();
    v.cases.answer(id, Answer::Confirm, "Lan").unwrap();
    let news = v.cases.subscribe();
    v.cases.answer(id, Answer::Confirm, "Lan").unwrap();
    let case = v.cases.answer(id, Answer::Confirm, "Mai").unwrap();
    assert_eq!((case.answered_by.as_deref(), words(&v, id).len(), news.has_changed().unwrap()), (Some("Lan"), 2, false));
    assert!(matches!(v.cases.answer(CaseId(9), Answer::Confirm, "Lan"), Err(CaseError::NoSuchCase(CaseId(9)))));
}

#[tokio::test(start_paused = true)]
async fn a_case_by_hand_needs_no_model() {
    let v = village();
    let stop = v.start();
    let id = v.cases.by_hand(&camera(), "Lan", "  Xe chở gạch\nrơi vãi ").unwrap();
    let case = v.until(id, |c| c.still == domain::StillState::Main && c.clip == domain::ClipState::Done).await;
    assert_eq!((case.kind.as_str(), case.note.as_str(), case.bbox), ("by-hand", "Xe chở gạch rơi vãi", None));
    assert_eq!((case.clip_from, case.clip_to), (Some(EVENING.minus(30 * SECOND)), Some(EVENING.plus(10 * SECOND))));
    assert_eq!((v.recording.count("small"), words(&v, id)), (0, vec!["Lan raised".to_owned()]));
    let body: Value = serde_json::from_str(&due(&v)[0].body).unwrap();
    assert_eq!(body["sentence"]["vi"], "Cổng làng – cán bộ ghi lại: Xe chở gạch rơi vãi – 17:42");
    assert!(matches!(v.cases.by_hand(&camera(), "Lan", &"x".repeat(501)), Err(CaseError::BadNote { max: 500 })));
    assert!(matches!(v.cases.by_hand(&camera(), "Lan", "a\u{7}"), Err(CaseError::BadNote { .. })));
    assert!(matches!(v.cases.by_hand(&CameraId::new("x").unwrap(), "Lan", ""), Err(CaseError::NoSuchCamera(_))));
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn an_end_belongs_to_the_violation_of_its_own_run() {
    let mut v = village();
    let first = v.raise();
    v.restart();
    let second = v.raise();
    sleep(5 * SECOND).await;
    let end = ViolationEnd { id: ViolationId(1), end: EVENING.plus(4 * SECOND), reason: EndReason::Left };
    v.cases.ended(&camera(), &end).unwrap();
    v.cases.ended(&camera(), &ViolationEnd { id: ViolationId(7), ..end }).unwrap();
    assert_eq!((v.cases.get(first).unwrap().end, v.cases.get(second).unwrap().end), (None, Some(EVENING.plus(4 * SECOND))));
    assert_eq!(words(&v, second), ["raised", "ended"]);
}

#[tokio::test(start_paused = true)]
async fn lists_are_filtered_and_noisy_rules_counted() {
    let v = village();
    for i in 0..3 {
        let id = v.cases.raised(&camera(), &violation(i, v.clock.wall())).unwrap();
        if i < 2 {
            v.cases.answer(id, Answer::FalseAlarm, "Lan").unwrap();
        }
    }
    v.cases.by_hand(&camera(), "Lan", "").unwrap();
    let todo = Filter { state: Some(CaseState::Raised), limit: 1, ..Filter::default() };
    assert_eq!((v.cases.list(&todo).unwrap().len(), v.cases.count(&todo).unwrap()), (1, 2));
    let tally = v.cases.tally(&Filter { by_rule: true, ..Filter::default() }).unwrap();
    assert_eq!((tally.len(), tally[0].cases, tally[0].false_alarms, tally[0].kind.as_str()), (1, 3, 2, "no-parking"));
    let page = Filter { before: Some(CaseId(3)), ..Filter::default() };
    assert_eq!(v.cases.list(&page).unwrap().iter().map(|c| c.id.0).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_bad_start_is_named() {
    let v = village();
    let open =
        |config| Cases::open(config, v.store.clone(), v.clock.clone(), v.recording.clone(), support::gauge(&v.store, v.dir.path(), None));
    let mut bad = config(v.dir.path());
    bad.timezone = "Asia/Hanoi2".to_owned();
    assert!(matches!(open(bad), Err(CaseError::TimeZone(_))));
    let mut bad = config(v.dir.path());
    bad.evidence = v.dir.path().join("matthon.db/evidence");
    let Err(error) = open(bad) else { panic!("opened") };
    assert!(error.to_string().contains("matthon.db/evidence"), "{error}");
}
