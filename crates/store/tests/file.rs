//! The database file: what is refused and how, who may read it, and backups.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

use domain::{Role, WallTime};
use matthon_store::{Store, StoreError};
use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const NOON: WallTime = WallTime::from_secs(1_795_430_520);
const GOOD: &str = "một con vịt xoè";

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("matthon.db");
    (dir, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn nobody_else_may_read_the_file_nor_its_log() {
    let (dir, path) = folder();
    let store = Store::open(&path).unwrap();
    store.add_user("Lan", Role::Admin, GOOD, NOON).unwrap();
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(files.len() > 1, "the log is there: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn no_secret_is_in_the_file() {
    let (dir, path) = folder();
    let store = Store::open(&path).unwrap();
    let lan = store.add_user("Lan", Role::Admin, GOOD, NOON).unwrap();
    let secrets = [store.issue_token("Lan", NOON).unwrap(), store.open_session(&lan, "", NOON).unwrap(), GOOD.to_owned()];
    for entry in fs::read_dir(dir.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for secret in &secrets {
            let needle = secret.trim_start_matches("mt_").as_bytes();
            assert!(!bytes.windows(needle.len()).any(|w| w == needle));
        }
    }
    assert!(!format!("{store:?}").contains("Connection"));
}

#[test]
fn a_newer_schema_is_refused_by_name() {
    let (_dir, path) = folder();
    drop(Store::open(&path).unwrap());
    let c = rusqlite::Connection::open(&path).unwrap();
    c.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(c);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }));
    assert!(error.to_string().contains("matthon.db: schema 99 is newer than this program knows (11)"), "{error}");
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let (_dir, path) = folder();
    fs::write(&path, "[site]\nname = \"this is the configuration file, and it is long enough to be looked at\"\n".repeat(20)).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);

    fs::remove_file(&path).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE songs (x)").unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
}

#[test]
fn a_missing_folder_is_named() {
    let (dir, _) = folder();
    let error = Store::open(&dir.path().join("none/matthon.db")).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }));
    assert!(error.to_string().contains("none/matthon.db: cannot be opened"), "{error}");
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Open { .. })));
}

#[test]
fn damage_is_found_when_the_file_is_opened() {
    let (_dir, path) = folder();
    let store = Store::open(&path).unwrap();
    store.add_user("Lan", Role::Admin, GOOD, NOON).unwrap();
    drop(store);
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for page in 1..6 {
        file.seek(SeekFrom::Start(page * 4096)).unwrap();
        file.write_all(&[0x55; 2048]).unwrap();
    }
    drop(file);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("put the newest backup in its place"), "{error}");
}

#[test]
fn a_backup_is_whole_private_and_one_file() {
    let (dir, path) = folder();
    let store = Store::open(&path).unwrap();
    let lan = store.add_user("Lan", Role::Admin, GOOD, NOON).unwrap();
    let token = store.issue_token("Lan", NOON).unwrap();
    let folder = dir.path().join("backup");
    fs::create_dir(&folder).unwrap();
    let copy = folder.join("matthon.db");
    fs::write(&copy, "an older one").unwrap();
    store.backup_to(&copy).unwrap();
    assert_eq!((fs::read_dir(&folder).unwrap().count(), mode(&copy)), (1, 0o600));
    store.add_user("Mai", Role::Viewer, GOOD, NOON).unwrap();

    let restored = Store::open(&copy).unwrap();
    assert_eq!(restored.users().unwrap(), std::slice::from_ref(&lan));
    assert_eq!(restored.user_by_token(&token, NOON).unwrap(), Some(lan));
}

#[test]
fn a_backup_that_fails_leaves_the_older_one() {
    let (dir, path) = folder();
    let store = Store::open(&path).unwrap();
    let error = store.backup_to(&dir.path().join("none/copy.db")).unwrap_err();
    assert!(matches!(error, StoreError::Backup { .. }), "{error}");
    // The copy can be made but not put in place.
    let taken = dir.path().join("taken");
    fs::create_dir_all(taken.join("in")).unwrap();
    assert!(matches!(store.backup_to(&taken), Err(StoreError::Backup { .. })));
    assert!(!dir.path().join("taken.part").exists());
}
