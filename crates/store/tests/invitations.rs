//! Invitations, the devices they bind, and people who leave, through the public API only.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{CameraId, Role, WallTime};
use matthon_store::{BOUND_LIFE, INVITATION_LIFE, Invited, SESSION_LIFE, Store, StoreError, User, device_id};
use std::time::Duration;

const NOON: WallTime = WallTime::from_secs(1_795_430_520);
const MINUTE: Duration = Duration::from_secs(60);

fn with_lan() -> (tempfile::TempDir, Store, User) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("matthon.db")).unwrap();
    let gate = CameraId::new("cong-lang").unwrap();
    let lan = store.add_person("Lan", Role::Official, Some(&[gate]), NOON).unwrap();
    (dir, store, lan)
}

#[test]
fn an_invitation_binds_one_phone() {
    let (_dir, store, lan) = with_lan();
    let invitation = store.invite(lan.id, false, NOON).unwrap();
    let secret = invitation.secret.expose();
    assert_eq!(invitation.expires, NOON.plus(INVITATION_LIFE));
    // Looking, as chats do at links, uses nothing up.
    for _ in 0..3 {
        assert_eq!(store.invited(secret, NOON).unwrap(), Invited::Open(lan.clone(), invitation.expires));
    }
    let (person, session) = store.accept(secret, "iPhone", NOON.plus(MINUTE)).unwrap().unwrap();
    assert_eq!(person, lan);
    assert_eq!(store.user_by_session(&session, NOON.plus(MINUTE)).unwrap(), Some(lan.clone()));
    // A second phone is not let in, and is told why.
    assert_eq!(store.accept(secret, "", NOON.plus(MINUTE)).unwrap(), Err(Invited::Used));
    assert_eq!(store.invited(secret, NOON.plus(MINUTE)).unwrap(), Invited::Used);
    let devices = store.devices(lan.id, NOON.plus(MINUTE)).unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!((devices[0].label.as_str(), devices[0].bound, &devices[0].id), ("iPhone", true, &device_id(&session)));
}

#[test]
fn of_many_who_open_it_at_once_one_is_let_in() {
    let (_dir, store, lan) = with_lan();
    let invitation = store.invite(lan.id, false, NOON).unwrap();
    let open = || store.accept(invitation.secret.expose(), "x", NOON).unwrap().is_ok();
    let let_in = std::thread::scope(|s| {
        let all: Vec<_> = (0..8).map(|_| s.spawn(open)).collect();
        all.into_iter().map(|t| t.join().unwrap()).filter(|in_| *in_).count()
    });
    assert_eq!((let_in, store.devices(lan.id, NOON).unwrap().len()), (1, 1));
}

#[test]
fn it_ends_after_a_day_and_when_another_is_made() {
    let (_dir, store, lan) = with_lan();
    let first = store.invite(lan.id, false, NOON).unwrap();
    let end = NOON.plus(INVITATION_LIFE);
    assert_eq!(store.invited(first.secret.expose(), end).unwrap(), Invited::Over);
    assert_eq!(store.accept(first.secret.expose(), "", end).unwrap(), Err(Invited::Over));
    let second = store.invite(lan.id, false, NOON.plus(MINUTE)).unwrap();
    assert_eq!(store.accept(first.secret.expose(), "", NOON.plus(MINUTE)).unwrap(), Err(Invited::Over));
    assert!(store.accept(second.secret.expose(), "", NOON.plus(MINUTE)).unwrap().is_ok());
    assert_eq!(store.invited("mi_nonsense", NOON).unwrap(), Invited::Over);
    assert!(matches!(store.invite(99, false, NOON), Err(StoreError::NoSuchUser { .. })));
}

#[test]
fn a_bound_phone_lasts_longer_than_a_password() {
    let (_dir, store, lan) = with_lan();
    let bound = store.accept(store.invite(lan.id, false, NOON).unwrap().secret.expose(), "", NOON).unwrap().unwrap().1;
    let typed = store.open_session(&lan, "", NOON).unwrap();
    let later = NOON.plus(SESSION_LIFE + MINUTE);
    assert_eq!(store.session(&typed, later).unwrap(), None);
    // Using it prolongs it by as much again.
    assert_eq!(store.session(&bound, later).unwrap(), Some((lan, BOUND_LIFE)));
    let end = later.plus(BOUND_LIFE);
    assert!(store.session(&bound, end).unwrap().is_some());
    assert_eq!(store.session(&bound, end.plus(BOUND_LIFE + Duration::from_secs(1))).unwrap(), None);
}

#[test]
fn a_lost_phone_is_let_go_with_the_new_invitation_or_alone() {
    let (_dir, store, lan) = with_lan();
    let bind = |lost| {
        let invitation = store.invite(lan.id, lost, NOON).unwrap();
        store.accept(invitation.secret.expose(), "Android", NOON).unwrap().unwrap().1
    };
    let (first, second) = (bind(false), bind(false));
    let known = |session: &str| store.user_by_session(session, NOON).unwrap().is_some();
    assert!(known(&first) && known(&second));
    // Only one's own, where it is said whose it must be.
    assert_eq!(store.release_device(&device_id(&first), Some(lan.id + 1)).unwrap(), None);
    assert_eq!(store.release_device(&device_id(&first), Some(lan.id)).unwrap(), Some(("Lan".into(), "Android".into())));
    assert!(!known(&first) && known(&second));
    let third = bind(true);
    assert!(!known(&second) && known(&third));
    assert_eq!(store.release_device("0123456789abcdef", None).unwrap(), None);
}

#[test]
fn who_leaves_office_is_gone_in_one_act() {
    let (_dir, store, lan) = with_lan();
    let session = store.accept(store.invite(lan.id, false, NOON).unwrap().secret.expose(), "", NOON).unwrap().unwrap().1;
    let token = store.issue_token("Lan", NOON).unwrap();
    let open = store.invite(lan.id, false, NOON).unwrap();
    assert_eq!(store.retire(lan.id).unwrap(), lan);
    assert_eq!(store.user_by_session(&session, NOON).unwrap(), None);
    assert_eq!(store.user_by_token(&token, NOON).unwrap(), None);
    assert_eq!(store.accept(open.secret.expose(), "", NOON).unwrap(), Err(Invited::Over));
    assert!(store.people(NOON).unwrap().is_empty());
    assert!(matches!(store.retire(lan.id), Err(StoreError::NoSuchUser { .. })));
    let admin = store.add_person("Mai", Role::Admin, None, NOON).unwrap();
    assert!(matches!(store.retire(admin.id), Err(StoreError::LastAdmin { .. })));
}

#[test]
fn nobody_signs_in_with_the_password_that_was_never_set() {
    let (_dir, store, lan) = with_lan();
    for word in ["", " ", "một con vịt xoè"] {
        assert_eq!(store.verify("Lan", word, NOON).unwrap(), None);
    }
    let open = store.invite(lan.id, false, NOON).unwrap();
    let people = store.people(NOON).unwrap();
    assert_eq!((people.len(), people[0].password, people[0].invited), (1, false, Some(open.expires)));
    assert_eq!(people[0].user.cameras.as_ref().map(Vec::len), Some(1));
    store.set_password("Lan", "một con vịt xoè", NOON).unwrap();
    assert!(store.verify("Lan", "một con vịt xoè", NOON).unwrap().is_some());
    assert!(store.people(NOON).unwrap()[0].password);
    assert!(matches!(store.add_person("LAN", Role::Viewer, None, NOON), Err(StoreError::NameTaken { .. })));
}
