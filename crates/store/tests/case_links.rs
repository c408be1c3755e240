//! Links to one case, through the public API only.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{CameraId, CaseId, Role, WallTime, Why};
use matthon_store::{CASE_LINK_LIFE, CaseLinkHolder, CaseLinked, HistoryRow, NewCase, Store, StoreError, User, is_case_pass};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

const NOON: WallTime = WallTime::from_secs(1_795_430_520);
const MINUTE: Duration = Duration::from_secs(60);

struct Box {
    store: Store,
    lan: User,
    case: CaseId,
    _dir: tempfile::TempDir,
}

fn with_lan() -> Box {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("matthon.db")).unwrap();
    let lan = store.add_person("Lan", Role::Official, None, NOON).unwrap();
    let case = add(&store);
    Box { store, lan, case, _dir: dir }
}

fn add(store: &Store) -> CaseId {
    let first = HistoryRow { at: NOON, by: String::new(), what: "raised".to_owned(), note: String::new() };
    let case = NewCase {
        camera: CameraId::new("cong-lang").unwrap(),
        kind: "by-hand".to_owned(),
        violation: None,
        zone: None,
        class: None,
        bbox: None,
        start: NOON,
        raised: NOON,
        why: Why { vi: String::new(), en: String::new() },
        measured: BTreeMap::new(),
        note: String::new(),
        wanted: (NOON, NOON),
        first,
        work: Vec::new(),
    };
    store.add_case(&case, |_| Vec::new()).unwrap().id
}

/// What a browser makes up.
fn pass(n: u32) -> String {
    format!("mc_{n:064x}")
}

fn opened(store: &Store, secret: &str, now: WallTime) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1000);
    let browser = pass(NEXT.fetch_add(1, Ordering::Relaxed));
    match store.open_case_link(secret, &browser, now).unwrap() {
        CaseLinked::In { first: true, .. } => browser,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_link_lets_the_first_browser_in_and_nobody_behind_it() {
    let Box { store, lan, case, _dir } = with_lan();
    let link = store.link_case(lan.id, case, "Ba", NOON).unwrap();
    assert_eq!(link.expires, NOON.plus(CASE_LINK_LIFE));
    let browser = opened(&store, link.secret.expose(), NOON.plus(MINUTE));
    let holder = CaseLinkHolder { person: lan.clone(), case, by: "Ba".to_owned() };
    assert_eq!(store.user_by_case_link(&browser, NOON.plus(MINUTE)).unwrap(), Some(holder));
    assert_eq!(store.open_case_link(link.secret.expose(), &pass(2), NOON.plus(MINUTE)).unwrap(), CaseLinked::Used);
    // The answer was lost on its way: the same browser asks again, and is told the same.
    let again = store.open_case_link(link.secret.expose(), &browser, NOON.plus(MINUTE)).unwrap();
    assert_eq!(again, CaseLinked::In { person: lan, case, by: "Ba".to_owned(), expires: link.expires, first: false });
    for odd in ["", "mc_", "mc_0", &pass(1)[1..], &pass(0xab).to_uppercase(), &format!("{}0", pass(1))] {
        assert!(!is_case_pass(odd), "{odd}");
    }
    assert!(is_case_pass(&browser));
    // What the chat shows is not what lets in, and it is no session either.
    assert_eq!(store.user_by_case_link(link.secret.expose(), NOON).unwrap(), None);
    assert_eq!(store.user_by_session(&browser, NOON).unwrap(), None);
    assert_eq!(store.user_by_token(&browser, NOON).unwrap(), None);
    assert_eq!(store.open_case_link("ml_0", &pass(3), NOON).unwrap(), CaseLinked::Over);
}

#[test]
fn of_many_who_open_it_at_once_one_is_let_in() {
    let Box { store, lan, case, _dir } = with_lan();
    let link = store.link_case(lan.id, case, "Ba", NOON).unwrap();
    let open = |n| matches!(store.open_case_link(link.secret.expose(), &pass(n), NOON).unwrap(), CaseLinked::In { .. });
    let let_in = std::thread::scope(|s| {
        let all: Vec<_> = (0..8).map(|n| s.spawn(move || open(n))).collect();
        all.into_iter().map(|t| t.join().unwrap()).filter(|in_| *in_).count()
    });
    assert_eq!(let_in, 1);
}

#[test]
fn everything_ends_with_the_link() {
    let Box { store, lan, case, _dir } = with_lan();
    let link = store.link_case(lan.id, case, "Ba", NOON).unwrap();
    let browser = opened(&store, link.secret.expose(), NOON);
    let last = link.expires.minus(Duration::from_micros(1));
    assert!(store.user_by_case_link(&browser, last).unwrap().is_some());
    assert_eq!(store.user_by_case_link(&browser, link.expires).unwrap(), None);
    assert_eq!(store.open_case_link(link.secret.expose(), &pass(4), link.expires).unwrap(), CaseLinked::Over);
    // One that nobody opened gives way to the next of the same person and case, an opened one stays.
    let again = store.link_case(lan.id, case, "Ba", NOON).unwrap();
    let third = store.link_case(lan.id, case, "Ba", NOON).unwrap();
    assert_eq!(store.open_case_link(again.secret.expose(), &pass(5), NOON).unwrap(), CaseLinked::Over);
    opened(&store, third.secret.expose(), NOON);
    assert!(store.user_by_case_link(&browser, NOON).unwrap().is_some());
    // Of another case it is another link.
    let other = add(&store);
    let both = [store.link_case(lan.id, case, "Ba", NOON).unwrap(), store.link_case(lan.id, other, "Ba", NOON).unwrap()];
    let mine = opened(&store, both[1].secret.expose(), NOON);
    opened(&store, both[0].secret.expose(), NOON);
    assert_eq!(store.user_by_case_link(&mine, NOON).unwrap().unwrap().case, other);
}

#[test]
fn a_lost_phone_another_password_and_leaving_office_end_them() {
    let Box { store, lan, case, _dir } = with_lan();
    let enter = || opened(&store, store.link_case(lan.id, case, "Ba", NOON).unwrap().secret.expose(), NOON);
    let is_in = |browser: &str| store.user_by_case_link(browser, NOON).unwrap().is_some();
    let browser = enter();
    store.invite(lan.id, false, NOON).unwrap();
    assert!(is_in(&browser), "one more phone takes nothing away");
    store.invite(lan.id, true, NOON).unwrap();
    assert!(!is_in(&browser));
    let browser = enter();
    store.set_password("Lan", "một con vịt xoè", NOON).unwrap();
    assert!(!is_in(&browser));
    let browser = enter();
    store.retire(lan.id).unwrap();
    assert!(!is_in(&browser));
    assert!(matches!(store.link_case(lan.id, case, "Ba", NOON), Err(StoreError::NoSuchUser { .. })));
}
