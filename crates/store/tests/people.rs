//! People, passwords, tokens, sessions and lock-outs, through the public API only.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{CameraId, Role, WallTime};
use matthon_store::{SESSION_LIFE, Store, StoreError, User};
use std::{path::PathBuf, time::Duration};

const NOON: WallTime = WallTime::from_secs(1_795_430_520);
const GOOD: &str = "một con vịt xoè";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

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

fn with_lan() -> (Box, User) {
    let b = new_box();
    let lan = b.store.add_user("Lan", Role::Admin, GOOD, NOON).unwrap();
    (b, lan)
}

#[test]
fn a_user_is_known_by_name_and_password() {
    let (b, lan) = with_lan();
    assert_eq!((lan.name.as_str(), lan.role, &lan.cameras), ("Lan", Role::Admin, &None));
    assert_eq!(b.store.verify("Lan", GOOD, NOON).unwrap(), Some(lan.clone()));
    assert_eq!(b.store.verify(" lan ", GOOD, NOON).unwrap(), Some(lan.clone()), "phones add capitals and spaces");
    assert_eq!(b.store.verify("Lan", "một con vịt", NOON).unwrap(), None);
    assert_eq!(b.store.verify("Mai", GOOD, NOON).unwrap(), None);
    assert_eq!(b.store.verify("\n", GOOD, NOON).unwrap(), None);
    assert_eq!(b.store.verify("Lan", &"x".repeat(5000), NOON).unwrap(), None);
    let reopened = Store::open(&b.path).unwrap();
    assert_eq!(reopened.users().unwrap(), std::slice::from_ref(&lan));
    assert_eq!(reopened.verify("Lan", GOOD, NOON).unwrap(), Some(lan));
}

#[test]
fn names_and_passwords_have_bounds() {
    let (b, _) = with_lan();
    let add = |name: &str, password: &str| b.store.add_user(name, Role::Viewer, password, NOON).map(|u| u.name);
    for bad in ["", "  ", "a\nb", "a\u{7}", &"x".repeat(65)] {
        assert!(matches!(add(bad, GOOD), Err(StoreError::BadName)), "{bad:?}");
    }
    assert_eq!(add(&format!(" {} ", "ỡ".repeat(64)), GOOD).unwrap(), "ỡ".repeat(64));
    for bad in ["", "123456789", &"x".repeat(1025)] {
        assert!(matches!(add("Mai", bad), Err(StoreError::BadPassword { min: 10, .. })), "{bad:?}");
    }
    assert_eq!(add("Mai", "ỡỡỡỡỡỡỡỡỡỡ").unwrap(), "Mai", "ten characters, not bytes");
    assert!(matches!(add("LAN", GOOD), Err(StoreError::NameTaken { .. })));
}

#[test]
fn a_new_password_ends_the_sessions_of_the_old_one() {
    let (b, lan) = with_lan();
    let session = b.store.open_session(&lan, "", NOON).unwrap();
    let token = b.store.issue_token("Lan", NOON).unwrap();
    b.store.set_password("lan", "another password", NOON).unwrap();
    assert_eq!(b.store.verify("Lan", GOOD, NOON).unwrap(), None);
    assert!(b.store.verify("Lan", "another password", NOON).unwrap().is_some());
    assert_eq!(b.store.user_by_session(&session, NOON).unwrap(), None);
    assert!(b.store.user_by_token(&token, NOON).unwrap().is_some());
    assert!(matches!(b.store.set_password("Lan", "short", NOON), Err(StoreError::BadPassword { .. })));
    assert!(matches!(b.store.set_password("Mai", GOOD, NOON), Err(StoreError::NoSuchUser { .. })));
}

#[test]
fn a_user_may_see_some_cameras_or_all() {
    let (b, lan) = with_lan();
    let list = ["b", "a", "a"].map(|id| CameraId::new(id).unwrap());
    b.store.set_cameras("Lan", Some(&list)).unwrap();
    let seen = b.store.verify("Lan", GOOD, NOON).unwrap().unwrap();
    assert_eq!(seen.cameras, Some(vec![list[1].clone(), list[0].clone()]));
    b.store.set_cameras("Lan", Some(&[])).unwrap();
    assert_eq!(b.store.users().unwrap()[0].cameras, Some(vec![]));
    b.store.set_cameras("Lan", None).unwrap();
    assert_eq!(b.store.users().unwrap(), [lan]);
    assert!(b.store.set_cameras("Mai", None).is_err());
}

#[test]
fn a_removed_user_leaves_nothing_and_his_number_is_not_given_again() {
    let (b, lan) = with_lan();
    assert!(matches!(b.store.remove_user("Lan"), Err(StoreError::LastAdmin { .. })));
    let mai = b.store.add_user("Mai", Role::Admin, GOOD, NOON).unwrap();
    let session = b.store.open_session(&mai, "", NOON).unwrap();
    let token = b.store.issue_token("Mai", NOON).unwrap();
    b.store.remove_user("mai").unwrap();
    assert_eq!(b.store.user_by_session(&session, NOON).unwrap(), None);
    assert_eq!(b.store.user_by_token(&token, NOON).unwrap(), None);
    assert!(matches!(b.store.open_session(&mai, "", NOON), Err(StoreError::NoSuchUser { .. })));
    assert!(matches!(b.store.remove_user("Mai"), Err(StoreError::NoSuchUser { .. })));
    let hoa = b.store.add_user("Hoa", Role::Viewer, GOOD, NOON).unwrap();
    assert!(hoa.id > mai.id && mai.id > lan.id);
}

#[test]
fn tokens_are_opaque_and_revocable() {
    let (b, lan) = with_lan();
    let (one, two) = (b.store.issue_token("lan", NOON).unwrap(), b.store.issue_token("Lan", NOON).unwrap());
    assert!(one.starts_with("mt_") && one.len() == 67 && one != two);
    let year = NOON.plus(HOUR * 24 * 365);
    assert_eq!(b.store.user_by_token(&one, year).unwrap(), Some(lan.clone()));
    for bad in ["", "mt_", &one[..66], &format!("{one}0"), &one.to_uppercase()] {
        assert_eq!(b.store.user_by_token(bad, NOON).unwrap(), None, "{bad}");
    }
    assert_eq!(b.store.revoke_tokens("Lan").unwrap(), 2);
    assert_eq!(b.store.user_by_token(&one, NOON).unwrap(), None);
    assert!(matches!(b.store.issue_token("Mai", NOON), Err(StoreError::NoSuchUser { .. })));
    let many: Vec<_> = (0..70).map(|i| b.store.issue_token("Lan", NOON.plus(MINUTE * i)).unwrap()).collect();
    assert_eq!(b.store.user_by_token(&many[0], NOON).unwrap(), None, "the oldest gave way");
    assert_eq!(b.store.user_by_token(&many[69], NOON).unwrap(), Some(lan));
    assert_eq!(b.store.revoke_tokens("Lan").unwrap(), 64);
}

#[test]
fn a_session_lives_thirty_days_after_its_last_use() {
    let (b, lan) = with_lan();
    let session = b.store.open_session(&lan, "", NOON).unwrap();
    let later = NOON.plus(SESSION_LIFE).minus(MINUTE);
    assert_eq!(b.store.user_by_session(&session, later).unwrap(), Some(lan.clone()));
    let again = later.plus(SESSION_LIFE).minus(MINUTE);
    assert_eq!(b.store.user_by_session(&session, again).unwrap(), Some(lan.clone()), "used, so prolonged");
    let over = again.plus(SESSION_LIFE).plus(MINUTE);
    assert_eq!(b.store.user_by_session(&session, over).unwrap(), None);
    assert_eq!(b.store.user_by_session(&session, NOON).unwrap(), Some(lan.clone()), "a clock that stepped back");
    b.store.close_session(&session).unwrap();
    b.store.close_session(&session).unwrap();
    assert_eq!(b.store.user_by_session(&session, NOON).unwrap(), None);
    let many: Vec<_> = (0..70).map(|i| b.store.open_session(&lan, "", NOON.plus(MINUTE * i)).unwrap()).collect();
    assert_eq!(b.store.user_by_session(&many[0], NOON).unwrap(), None, "the one unused longest gave way");
    assert_eq!(b.store.user_by_session(&many[69], NOON).unwrap(), Some(lan));
}

/// Wrong passwords until the name is locked; when the lock ends.
fn until_locked(store: &Store, name: &str, mut now: WallTime, most: u32) -> Option<WallTime> {
    for _ in 0..most {
        match store.verify(name, "wrong password", now) {
            Ok(None) => {}
            Err(StoreError::Locked { until }) => return Some(until),
            other => panic!("{other:?}"),
        }
        now = now.plus(Duration::from_secs(1));
    }
    None
}

#[test]
fn five_wrong_passwords_lock_for_a_minute_and_then_for_longer() {
    let (b, lan) = with_lan();
    for name in ["Lan", "nobody"] {
        assert_eq!(until_locked(&b.store, name, NOON, 5), None, "five are free");
        let mut now = NOON.plus(Duration::from_secs(5));
        let mut locks = Vec::new();
        for _ in 0..6 {
            let until = until_locked(&b.store, name, now, 2).unwrap();
            assert!(matches!(b.store.verify(name, GOOD, until.minus(Duration::from_micros(1))), Err(StoreError::Locked { .. })));
            locks.push(until.micros_since(now) as f64 / 60e6);
            now = until;
            assert_eq!(b.store.verify(name, "wrong password", now).unwrap(), None, "it counts again when the lock ends");
        }
        let rounded: Vec<_> = locks.iter().map(|m| m.round() as i64).collect();
        assert_eq!(rounded, [1, 2, 4, 8, 15, 15], "{name}");
    }
    let reopened = Store::open(&b.path).unwrap();
    let later = NOON.plus(HOUR * 2);
    assert_eq!(reopened.verify("Lan", GOOD, later).unwrap(), Some(lan));
    assert_eq!(until_locked(&reopened, "Lan", later, 5), None, "a right one starts anew");
}

#[test]
fn a_lock_survives_a_restart_and_a_new_password_lifts_it() {
    let (b, _) = with_lan();
    assert!(until_locked(&b.store, "LAN", NOON, 6).is_some());
    let now = NOON.plus(Duration::from_secs(10));
    let reopened = Store::open(&b.path).unwrap();
    assert!(matches!(reopened.verify("lan", GOOD, now), Err(StoreError::Locked { .. })));
    reopened.set_password("Lan", GOOD, now).unwrap();
    assert!(reopened.verify("Lan", GOOD, now).unwrap().is_some());
}

#[test]
fn a_lock_of_a_wrong_clock_is_no_lock() {
    let (b, lan) = with_lan();
    let year_2099 = WallTime::from_secs(4_070_908_800);
    assert!(until_locked(&b.store, "Lan", year_2099, 6).is_some());
    assert_eq!(b.store.verify("Lan", GOOD, NOON).unwrap(), Some(lan));
}

#[test]
fn wrong_passwords_of_yesterday_are_forgiven() {
    let (b, _) = with_lan();
    assert_eq!(until_locked(&b.store, "Lan", NOON, 4), None);
    assert_eq!(until_locked(&b.store, "Lan", NOON.plus(HOUR * 25), 5), None);
}

#[test]
fn attempts_side_by_side_do_not_pass_the_limit() {
    let (b, _) = with_lan();
    let judged: usize = std::thread::scope(|s| {
        let tries: Vec<_> = (0..16).map(|_| s.spawn(|| b.store.verify("Lan", "wrong password", NOON).is_ok())).collect();
        tries.into_iter().map(|t| usize::from(t.join().unwrap())).sum()
    });
    assert_eq!(judged, 5);
}

#[test]
fn the_box_has_one_identity() {
    let b = new_box();
    let first = b.store.identity(NOON).unwrap();
    assert_eq!((first.id.len(), first.created), (36, NOON));
    assert_eq!(Store::open(&b.path).unwrap().identity(NOON.plus(HOUR)).unwrap(), first);
    assert_ne!(new_box().store.identity(NOON).unwrap().id, first.id);
    assert_eq!(b.store.meta("x").unwrap(), None);
    b.store.set_meta("x", "1").unwrap();
    b.store.set_meta("x", "2").unwrap();
    assert_eq!(b.store.meta("x").unwrap().as_deref(), Some("2"));
}

#[test]
fn two_processes_may_write_side_by_side() {
    let (b, _) = with_lan();
    let other = Store::open(&b.path).unwrap();
    std::thread::scope(|s| {
        for store in [&b.store, &other] {
            s.spawn(move || (0..40).for_each(|_| drop(store.issue_token("Lan", NOON).unwrap())));
        }
    });
    assert_eq!(other.revoke_tokens("Lan").unwrap(), 64);
}
