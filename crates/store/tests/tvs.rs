//! TVs: paired once, known by their secret, let go.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use domain::{WallMode, WallTime};
use matthon_store::{BOUND_LIFE, NoTv, Store, TVS_MAX};
use std::time::Duration;

const NOW: WallTime = WallTime::from_secs(1_790_000_000);

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("matthon.db")).unwrap();
    (dir, store)
}

#[test]
fn a_tv_is_known_by_its_secret_until_it_is_let_go() {
    let (dir, store) = store();
    let secret = Store::tv_secret().unwrap();
    let (secret, digest) = (secret.expose(), Store::tv_digest(secret.expose()));
    assert_eq!(store.tv(secret, NOW).unwrap(), None, "a secret alone is no TV");
    let tv = store.add_tv(&digest, " Nhà văn hóa ", WallMode::Public, "Bà Thanh", NOW).unwrap().unwrap();
    assert_eq!((tv.name.as_str(), tv.mode, tv.by.as_str()), ("Nhà văn hóa", WallMode::Public, "Bà Thanh"));
    assert_eq!(store.tv(secret, NOW).unwrap().unwrap(), tv);
    assert_eq!(store.tv("tv_0000", NOW).unwrap(), None);
    assert_eq!(store.add_tv(&digest, "Phòng trực", WallMode::Duty, "Bà Thanh", NOW).unwrap(), Err(NoTv::Paired), "its mode stays");
    // A backup that is stolen lets nobody in.
    let bytes: Vec<u8> = std::fs::read_dir(dir.path()).unwrap().flat_map(|f| std::fs::read(f.unwrap().path()).unwrap()).collect();
    assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()));
    assert_eq!(store.release_tv(tv.id).unwrap(), Some(tv.clone()));
    assert_eq!((store.tv(secret, NOW).unwrap(), store.release_tv(tv.id).unwrap()), (None, None));
    let other = store.add_tv(&digest, "Nhà văn hóa", WallMode::Duty, "Bà Thanh", NOW).unwrap().unwrap();
    assert!(other.id > tv.id, "a number is never given again");
}

#[test]
fn a_tv_that_is_used_stays_and_one_that_is_not_ends() {
    let (_dir, store) = store();
    let digest = Store::tv_digest("tv_1");
    store.add_tv(&digest, "Đình", WallMode::Public, "", NOW).unwrap().unwrap();
    let mut now = NOW;
    for _ in 0..3 {
        now = now.plus(BOUND_LIFE - Duration::from_secs(1));
        assert!(store.tv("tv_1", now).unwrap().is_some());
    }
    assert_eq!(store.tvs().unwrap()[0].seen, now);
    let over = now.plus(BOUND_LIFE + Duration::from_secs(1));
    assert_eq!(store.tv("tv_1", over).unwrap(), None);
    // Its place is free again.
    store.add_tv(&Store::tv_digest("tv_2"), "Chợ", WallMode::Public, "", over).unwrap().unwrap();
    assert_eq!(store.tvs().unwrap().into_iter().map(|t| t.name).collect::<Vec<_>>(), ["Chợ"]);
}

#[test]
fn names_and_numbers_are_bounded() {
    let (_dir, store) = store();
    for name in ["", "  ", "a\u{7}b", &"ă".repeat(41)] {
        assert_eq!(store.add_tv(&[1; 32], name, WallMode::Public, "", NOW).unwrap(), Err(NoTv::BadName), "{name:?}");
    }
    for n in 0..TVS_MAX {
        store.add_tv(&Store::tv_digest(&n.to_string()), &format!("Tivi {n}"), WallMode::Public, "", NOW).unwrap().unwrap();
    }
    assert_eq!(store.add_tv(&[1; 32], "Thêm", WallMode::Public, "", NOW).unwrap(), Err(NoTv::TooMany));
    assert_eq!(store.tvs().unwrap().len(), TVS_MAX);
}
