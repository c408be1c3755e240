//! Phones that are told of cases: whose they are, how many there may be, whom a case concerns, and what goes with them.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{Audited, BBox, CameraId, CaseId, Role, Secret, WallTime, Why};
use matthon_store::{AuditEntry, HistoryRow, NewCase, NewParcel, NewPhone, PHONES_EACH, PUSH, Settled, Store, phone_of};
use std::{collections::BTreeMap, time::Duration};

const NOON: WallTime = WallTime::from_secs(1_795_430_520);
const GOOD: &str = "một con vịt xoè";
const DAY: Duration = Duration::from_secs(86_400);

struct Box {
    store: Store,
    _dir: tempfile::TempDir,
}

fn new_box() -> Box {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("matthon.db")).unwrap();
    Box { store, _dir: dir }
}

fn id(text: &str) -> CameraId {
    CameraId::new(text).unwrap()
}

fn phone(address: &str) -> NewPhone {
    let secret = |text: &str| Secret::new(text.to_owned());
    NewPhone {
        endpoint: Secret::new(format!("https://push.example/{address}")),
        p256dh: secret("khoá-công-khai"),
        auth: secret("bí-mật-chung"),
        label: "Chrome, Android".to_owned(),
        language: "vi".to_owned(),
        expires: None,
    }
}

fn entry(detail: &str, at: WallTime) -> AuditEntry {
    AuditEntry { at, who: "Lan".into(), role: "admin".into(), what: Audited::Phone, subject: String::new(), detail: detail.into() }
}

impl Box {
    fn user(&self, name: &str, role: Role) -> i64 {
        self.store.add_user(name, role, GOOD, NOON).unwrap().id
    }

    fn signs_up(&self, user: i64, address: &str, at: WallTime) -> i64 {
        self.store.sign_up_phone(user, &phone(address), &entry("on", at)).unwrap()
    }

    /// A case at a camera, with one parcel for the phones and one for somebody else.
    fn raise(&self, camera: &str) -> CaseId {
        let new = NewCase {
            camera: id(camera),
            kind: "no-parking".into(),
            violation: None,
            zone: None,
            class: None,
            bbox: Some(BBox { x1: 0.1, y1: 0.2, x2: 0.3, y2: 0.4 }),
            start: NOON,
            raised: NOON,
            why: Why { vi: "v".into(), en: "e".into() },
            measured: BTreeMap::new(),
            note: String::new(),
            wanted: (NOON, NOON),
            first: HistoryRow { at: NOON, by: String::new(), what: "raised".into(), note: String::new() },
            work: Vec::new(),
        };
        let parcel = |channel: &str| NewParcel {
            channel: channel.into(),
            event: "case.raised".into(),
            happened: NOON,
            due: NOON,
            body: "{}".into(),
        };
        self.store.add_case(&new, |_| vec![parcel("webhook:xa"), parcel(PUSH)]).unwrap().id
    }

    fn waits(&self, channel: &str) -> usize {
        self.store.outbox_due(channel, NOON.plus(DAY), 99).unwrap().len()
    }
}

#[test]
fn a_case_goes_to_the_phones_of_whom_it_concerns_each_by_itself() {
    let b = new_box();
    let (lan, mai, tu) = (b.user("Lan", Role::Admin), b.user("Mai", Role::Official), b.user("Tư", Role::Police));
    let (tivi, tho) = (b.user("Tivi", Role::Viewer), b.user("Thợ", Role::Technician));
    b.store.set_cameras("Tư", Some(&[id("cho")])).unwrap();
    let [a1, a2] = ["a1", "a2"].map(|n| b.signs_up(lan, n, NOON));
    let (m, t) = (b.signs_up(mai, "m", NOON), b.signs_up(tu, "t", NOON));
    let (screen, wrench) = (b.signs_up(tivi, "v", NOON), b.signs_up(tho, "w", NOON));
    b.raise("cong-lang");
    let waits = |id: i64| b.waits(&format!("push:{id}"));
    assert_eq!([a1, a2, m, t, screen, wrench].map(waits), [1, 1, 1, 0, 0, 0], "not who may not see it, nor who does not act on cases");
    b.raise("cho");
    assert_eq!([a1, a2, m, t, screen, wrench].map(waits), [2, 2, 2, 1, 0, 0]);
    assert_eq!((b.waits("webhook:xa"), b.waits(PUSH)), (2, 0), "others get theirs, and nothing waits for the group itself");
    let all = b.store.phone_channels().unwrap();
    assert_eq!(all.iter().map(|c| phone_of(c).unwrap()).collect::<Vec<_>>(), [a1, a2, m, t, screen, wrench]);
    assert_eq!((phone_of("webhook:7"), phone_of("push:x"), phone_of("push")), (None, None, None));
}

#[test]
fn a_message_is_for_whom_it_concerns_when_it_leaves() {
    let b = new_box();
    let mai = b.user("Mai", Role::Official);
    let phone = b.signs_up(mai, "m", NOON);
    let keys = b.store.phone(phone, &id("cho")).unwrap().unwrap();
    assert_eq!((keys.user.as_str(), keys.role, keys.endpoint.expose()), ("Mai", Role::Official, "https://push.example/m"));
    assert!(!format!("{keys:?}").contains("push.example") && !format!("{keys:?}").contains("bí-mật"), "{keys:?}");
    b.store.set_cameras("Mai", Some(&[id("cong-lang")])).unwrap();
    assert_eq!(b.store.phone(phone, &id("cho")).unwrap(), None, "the camera was taken off the list meanwhile");
    assert!(b.store.phone(phone, &id("cong-lang")).unwrap().is_some());
    assert_eq!(b.store.phone(phone + 1, &id("cong-lang")).unwrap(), None);
}

#[test]
fn the_same_browser_is_the_same_phone_whoever_signs_in_there() {
    let b = new_box();
    let (lan, mai) = (b.user("Lan", Role::Admin), b.user("Mai", Role::Official));
    let first = b.signs_up(lan, "a", NOON);
    b.raise("cho");
    let parcel = b.store.outbox_due(&format!("push:{first}"), NOON, 9).unwrap()[0].id;
    b.store.outbox_settle(parcel, &Settled::Done, NOON.plus(DAY)).unwrap();
    let again = NewPhone { auth: Secret::new("neu".into()), language: "en".into(), ..phone("a") };
    assert_eq!(b.store.sign_up_phone(lan, &again, &entry("on", NOON.plus(2 * DAY))).unwrap(), first);
    let row = &b.store.phones(lan).unwrap()[0];
    assert_eq!((row.created, row.renewed, row.handed), (NOON, NOON.plus(2 * DAY), Some(NOON.plus(DAY))));
    let keys = b.store.phone(first, &id("cho")).unwrap().unwrap();
    assert_eq!((keys.auth.expose(), keys.language.as_str()), ("neu", "en"));
    assert_eq!(b.signs_up(mai, "a", NOON.plus(3 * DAY)), first);
    assert_eq!((b.store.phones(lan).unwrap().len(), b.store.phones(mai).unwrap().len()), (0, 1), "one browser tells one person");
    assert!(!b.store.sign_off_phone(lan, first, &entry("off", NOON)).unwrap(), "not hers any more");
    assert!(b.store.sign_off_phone(mai, first, &entry("off", NOON)).unwrap());
    assert!(!b.store.sign_off_phone(mai, first, &entry("off", NOON)).unwrap());
    let log: Vec<_> = b.store.audit_rows(None, 9).unwrap().into_iter().rev().map(|r| (r.what, r.subject, r.detail)).collect();
    let row = |detail: &str| ("phone".to_owned(), first.to_string(), detail.to_owned());
    assert_eq!(log, [row("on"), row("on"), row("off")], "renewing is no news; another person is");
}

#[test]
fn of_too_many_phones_the_one_opened_longest_ago_gives_way() {
    let b = new_box();
    let (lan, mai) = (b.user("Lan", Role::Admin), b.user("Mai", Role::Official));
    let other = b.signs_up(mai, "m", NOON.minus(DAY));
    let all: Vec<_> = (0..PHONES_EACH).map(|n| b.signs_up(lan, &n.to_string(), NOON.plus_micros(n))).collect();
    // The first is opened again; so the second is the one.
    b.signs_up(lan, "0", NOON.plus(DAY));
    // A clock that was set back must not make the new one the one that goes.
    let new = b.signs_up(lan, "new", NOON.minus(DAY));
    let left: Vec<_> = b.store.phones(lan).unwrap().into_iter().map(|p| p.id).collect();
    assert_eq!(left.len() as i64, PHONES_EACH);
    assert!(left.contains(&new) && left.contains(&all[0]) && !left.contains(&all[1]), "{left:?}");
    assert_eq!(b.store.phones(mai).unwrap()[0].id, other);
}

#[test]
fn phones_go_with_their_person_their_password_and_their_time_and_leave_nothing_waiting() {
    let b = new_box();
    b.user("Lan", Role::Admin);
    let (mai, tu) = (b.user("Mai", Role::Official), b.user("Tư", Role::Police));
    let [m1, m2, t1, t2] = [(mai, "m1"), (mai, "m2"), (tu, "t1"), (tu, "t2")].map(|(u, n)| b.signs_up(u, n, NOON));
    b.raise("cho");
    let waits = |id: i64| b.waits(&format!("push:{id}"));
    assert_eq!([m1, m2, t1, t2].map(waits), [1, 1, 1, 1]);
    b.store.drop_phone(t1).unwrap();
    assert_eq!([m1, m2, t1, t2].map(waits), [1, 1, 0, 1]);
    // Dropped while a try was under way: what becomes of the try changes nothing.
    let parcel = b.store.outbox_due(&format!("push:{t2}"), NOON, 9).unwrap()[0].id;
    b.store.drop_phone(t2).unwrap();
    b.store.outbox_settle(parcel, &Settled::Later { due: NOON, trouble: "x".into() }, NOON).unwrap();
    assert_eq!(waits(t2), 0);
    b.store.set_password("Mai", "mật khẩu khác hẳn", NOON).unwrap();
    assert_eq!((b.store.phones(mai).unwrap().len(), waits(m1)), (0, 0), "another password, also because a phone was lost");
    let m3 = b.signs_up(mai, "m3", NOON);
    assert!(m3 > t2, "numbers are never given again");
    b.raise("cho");
    b.store.remove_user("Mai").unwrap();
    assert_eq!((b.store.phone_channels().unwrap().len(), waits(m3)), (0, 0));
    // Its time is over: by the push service's word, or because nobody opens the page there.
    let ends = NewPhone { expires: Some(NOON.plus(DAY)), ..phone("t3") };
    let t3 = b.store.sign_up_phone(tu, &ends, &entry("on", NOON)).unwrap();
    let t4 = b.signs_up(tu, "t4", NOON);
    assert_eq!(b.store.drop_stale_phones(NOON.plus(DAY / 2)).unwrap(), 0);
    assert_eq!(b.store.drop_stale_phones(NOON.plus(DAY)).unwrap(), 1);
    assert_eq!(b.store.phones(tu).unwrap().iter().map(|p| p.id).collect::<Vec<_>>(), [t4]);
    assert_eq!(b.store.drop_stale_phones(NOON.plus(91 * DAY)).unwrap(), 1);
    assert!(t3 < t4);
}

#[test]
fn without_phones_or_a_case_nothing_is_written_for_them() {
    let b = new_box();
    b.user("Lan", Role::Admin);
    b.raise("cho");
    assert_eq!(b.waits(PUSH), 0);
    assert_eq!(b.store.outbox_next_due("push:1").unwrap(), None);
}
