//! Evidence whose time is over goes, what somebody stands by stays; and a store that is full keeps pictures and times.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

mod support;

use domain::{Answer, ClipState, StillState};
use matthon_cases::CaseError;
use std::{fs, time::Duration};
use support::{SECOND, Village, village};

const DAY: Duration = Duration::from_secs(86_400);

/// Cases with all their evidence.
async fn with_cases(v: &Village, count: usize) -> Vec<domain::CaseId> {
    let ids: Vec<_> = (0..count).map(|_| v.raise()).collect();
    for id in &ids {
        v.until(*id, |c| c.still == StillState::Main && c.clip == ClipState::Done).await;
    }
    ids
}

#[tokio::test(start_paused = true)]
async fn what_nobody_stands_by_goes_and_the_case_stays() {
    let v = village();
    let stop = v.start();
    let ids = with_cases(&v, 5).await;
    stop.cancel();
    let [raised, false_alarm, confirmed, held, let_go] = ids[..] else { panic!() };
    v.cases.answer(false_alarm, Answer::FalseAlarm, "lan").unwrap();
    v.cases.answer(confirmed, Answer::Confirm, "lan").unwrap();
    assert!(v.cases.hold(held, true, "lan").unwrap().held);
    v.cases.hold(let_go, true, "lan").unwrap();
    let expire = |after: Duration| v.cases.expire(support::EVENING.plus(after)).unwrap();
    let seen = |after: Duration| v.store.see_under_trusted_clock(support::EVENING.plus(after)).unwrap();
    assert_eq!(expire(31 * DAY), 0, "no trusted clock has seen them");
    seen(Duration::ZERO);
    let kept = || ids.iter().map(|id| v.files(*id).len()).collect::<Vec<_>>();
    assert_eq!((expire(29 * DAY), kept()), (0, vec![3; 5]));
    let bytes = v.store.evidence_use().unwrap().cases;
    assert!(bytes > 0 && bytes == all_bytes(&v), "measured as it came");

    assert_eq!(expire(31 * DAY), 2);
    // The row first: nobody is shown a file that is being deleted.
    let case = v.cases.get(raised).unwrap();
    assert_eq!((case.still, case.clip), (StillState::Gone, ClipState::Gone));
    assert_eq!((v.cases.still_path(raised).unwrap(), v.cases.clip_path(raised).unwrap()), (None, None));
    v.cases.tidy().unwrap();
    assert_eq!(kept(), [0, 0, 3, 3, 3]);
    assert_eq!(v.store.evidence_use().unwrap().cases, all_bytes(&v));
    assert_eq!((case.evidence_gone, case.measured["dwell_s"]), (Some(support::EVENING.plus(31 * DAY)), 240.4));
    assert!(case.clip_from.is_some(), "when it was stays known");
    assert_eq!(case.history.unwrap().last().unwrap().what, "evidence-gone");
    assert!(matches!(v.cases.hold(raised, true, "lan"), Err(CaseError::EvidenceGone)));

    // Let go, its time counts from then; held and confirmed never go.
    tokio::time::sleep(100 * DAY).await;
    assert!(!v.cases.hold(let_go, false, "lan").unwrap().held);
    assert_eq!(expire(500 * DAY), 0, "by which clock it was let go nobody knows");
    seen(100 * DAY);
    assert_eq!(expire(129 * DAY), 0);
    assert_eq!(expire(131 * DAY), 1);
    v.cases.tidy().unwrap();
    assert_eq!(expire(36_000 * DAY), 0);
    assert_eq!(kept(), [0, 0, 3, 3, 0]);
}

fn all_bytes(v: &Village) -> u64 {
    let folders = fs::read_dir(v.dir.path().join("evidence")).unwrap();
    folders.flat_map(|f| fs::read_dir(f.unwrap().path()).unwrap()).map(|f| f.unwrap().metadata().unwrap().len()).sum()
}

#[tokio::test(start_paused = true)]
async fn deleting_goes_on_after_a_power_cut() {
    let mut v = village();
    let stop = v.start();
    let ids = with_cases(&v, 1).await;
    stop.cancel();
    v.store.see_under_trusted_clock(support::EVENING).unwrap();
    assert_eq!(v.cases.expire(support::EVENING.plus(31 * DAY)).unwrap(), 1);
    assert_eq!(v.files(ids[0]).len(), 3, "said, and not yet deleted");
    v.restart();
    v.cases.tidy().unwrap();
    assert_eq!((v.files(ids[0]).len(), v.store.evidence_use().unwrap().cases), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_full_store_keeps_pictures_and_times() {
    let mut v = village();
    let stop = v.start();
    let first = with_cases(&v, 1).await[0];
    stop.cancel();
    v.quota = Some(v.store.evidence_use().unwrap().cases);
    v.restart();
    let stop = v.start();
    let id = v.raise();
    let case = v.until(id, |c| c.still == StillState::Main && c.clip == ClipState::RangeOnly).await;
    let raised = case.raised;
    assert_eq!(
        (case.clip_from, case.clip_to),
        (Some(raised.minus(30 * SECOND)), Some(raised.plus(10 * SECOND))),
        "where to look in the ring"
    );
    assert_eq!(v.files(id), ["main.jpg", "small.jpg"]);
    assert_eq!(v.cases.clip_path(id).unwrap(), None);
    assert_eq!(v.files(first).len(), 3, "nothing is deleted to make room");
    stop.cancel();

    // With room again the next one is whole.
    v.quota = Some(1 << 30);
    v.restart();
    let stop = v.start();
    let id = v.raise();
    v.until(id, |c| c.clip == ClipState::Done).await;
    stop.cancel();
}
