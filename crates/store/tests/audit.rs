//! The audit log: only ever added to, and every change from outside found; exports, runs and connections.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use domain::{Audited, CameraId, Channel, Link, LinkChange, WallTime};
use matthon_store::{AuditEntry, ExportState, FingerprintRow, NewParcel, Store};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use tempfile::TempDir;

fn open() -> (TempDir, PathBuf, Store) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("matthon.db");
    let store = Store::open(&path).unwrap();
    (dir, path, store)
}

fn entry(n: i64) -> AuditEntry {
    AuditEntry {
        at: WallTime(n * 1000),
        who: "bà Thành".into(),
        role: "official".into(),
        what: Audited::Live,
        subject: "cong-lang".into(),
        detail: format!("n={n}"),
    }
}

#[test]
fn rows_count_and_chain_and_cannot_be_changed() {
    let (_dir, path, store) = open();
    assert_eq!(store.audit_head().unwrap(), (0, [0; 32]));
    for n in 1..=50 {
        assert_eq!(store.audit(&entry(n)).unwrap(), n);
    }
    let verdict = store.verify_audit().unwrap();
    assert!(verdict.good() && verdict.rows == 50);
    let rows = store.audit_rows(Some(11), 3).unwrap();
    assert_eq!(rows.iter().map(|r| r.seq).collect::<Vec<_>>(), [10, 9, 8]);
    assert_eq!((rows[0].who.as_str(), rows[0].detail.as_str()), ("bà Thành", "n=10"));
    assert_eq!(store.audit_counts(WallTime(0), WallTime(11_000)).unwrap(), [("live".to_owned(), 10)]);
    drop(store);
    let raw = Connection::open(&path).unwrap();
    for sql in ["UPDATE audit SET who = 'x' WHERE seq = 7", "DELETE FROM audit WHERE seq = 50"] {
        assert!(raw.execute(sql, []).unwrap_err().to_string().contains("never changed"), "{sql}");
    }
}

#[test]
fn whoever_gets_around_the_triggers_is_found() {
    // Who owns the file can drop the triggers: the hashes remain.
    let changes = [
        ("UPDATE audit SET who = 'x' WHERE seq = 7", vec![7]),
        ("UPDATE audit SET at = at + 1 WHERE seq = 50", vec![50]),
        ("DELETE FROM audit WHERE seq = 20", vec![21]),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 3", vec![3, 4]),
        ("DELETE FROM audit WHERE seq > 40", vec![]), // the end taken off: the day's fingerprint tells
    ];
    for (sql, broken) in changes {
        let (_dir, path, store) = open();
        for n in 1..=50 {
            store.audit(&entry(n)).unwrap();
        }
        let (audit_seq, head) = store.audit_head().unwrap();
        let head: String = head.iter().map(|b| format!("{b:02x}")).collect();
        let content = format!("matthon fingerprint 1\nday 2026-11-26\naudit {audit_seq} {head}\n");
        let hash = Sha256::digest(content.as_bytes()).into();
        store.add_fingerprint(&FingerprintRow { day: "2026-11-26".into(), at: WallTime(1), audit_seq, content, hash }).unwrap();
        assert!(store.verify_audit().unwrap().good());
        drop(store);
        let raw = Connection::open(&path).unwrap();
        raw.execute_batch(&format!("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_deleted; {sql}")).unwrap();
        let verdict = Store::open(&path).unwrap().verify_audit().unwrap();
        assert!(!verdict.good(), "{sql}");
        assert_eq!(verdict.broken, broken, "{sql}");
        assert_eq!(verdict.days.is_empty(), !(sql.contains("> 40")), "{sql}");
    }
}

#[test]
fn an_export_is_kept_audited_and_told_in_one() {
    let (_dir, _, store) = open();
    let parcel = |id: &str| {
        vec![NewParcel {
            channel: "webhook:xa".into(),
            event: "export.made".into(),
            happened: WallTime(5),
            due: WallTime(5),
            body: format!("{{\"id\":\"{id}\"}}"),
        }]
    };
    let id = store.add_export("{}", &AuditEntry { what: Audited::Export, ..entry(5) }, parcel).unwrap();
    assert_eq!(store.audit_rows(None, 9).unwrap()[0].subject, id);
    assert!(store.outbox_due("webhook:xa", WallTime(9), 9).unwrap()[0].body.contains(&id));
    assert_eq!(store.export(&id).unwrap().unwrap().state, ExportState::Running);
    store.end_export(&id, ExportState::Done, 7, "", WallTime(6)).unwrap();
    // Ended once and for all.
    store.end_export(&id, ExportState::Failed, 0, "late", WallTime(7)).unwrap();
    let row = store.export(&id).unwrap().unwrap();
    assert_eq!((row.state, row.bytes, row.trouble.as_str()), (ExportState::Done, 7, ""));
    let second = store.add_export("{}", &entry(8), |_| vec![]).unwrap();
    assert_eq!(store.forget_running_exports(WallTime(9)).unwrap(), 1);
    assert_eq!(store.export(&second).unwrap().unwrap().state, ExportState::Failed);
    assert_eq!(store.exports(None, 9).unwrap().into_iter().map(|e| e.id).collect::<Vec<_>>(), [second, id]);
}

#[test]
fn runs_and_connections_are_told_for_a_time() {
    let (_dir, _, store) = open();
    let (cho, at) = (CameraId::new("cho").unwrap(), WallTime::from_secs);
    let run = store.begin_box_run("aa", at(1_000)).unwrap();
    let change = |t, link| (cho.clone(), Channel::Main, LinkChange { at: at(t), link });
    store.note_run(run, at(1_010), &[change(1_001, Link::Connecting), change(1_002, Link::Ok)]).unwrap();
    store.note_run(run, at(1_100), &[change(1_050, Link::Refused)]).unwrap();
    let run = store.begin_box_run("bb", at(2_000)).unwrap();
    store.note_run(run, at(2_010), &[change(2_001, Link::Ok)]).unwrap();
    let runs = store.box_runs(at(1_500), at(3_000)).unwrap();
    assert_eq!(runs.iter().map(|r| (r.boot.as_str(), r.seen)).collect::<Vec<_>>(), [("aa", at(1_100)), ("bb", at(2_010))]);
    let behind = store.box_runs(at(10), at(20)).unwrap();
    assert_eq!(behind.iter().map(|r| r.started).collect::<Vec<_>>(), [at(1_000)]);
    let links = store.link_changes(&cho, Channel::Main, at(1_020), at(1_900)).unwrap();
    assert_eq!(links.iter().map(|l| l.link).collect::<Vec<_>>(), [Link::Ok, Link::Refused]);
}
