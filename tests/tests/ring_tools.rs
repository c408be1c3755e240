//! `matthon ring scan|verify|rebuild|extract`: beside the daemon and without it, on a ring that is whole and on one that is not.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{Camsim, Village, frames::frames, village::now};
use serde_json::Value;
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    text(bytes).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Changes one byte of a picture in the middle of what a block holds.
fn damage(path: &Path, data_end: u64) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = usize::try_from(data_end / 2).unwrap();
    let mdat = bytes[middle..].windows(4).position(|w| w == b"mdat").unwrap() + middle;
    bytes[mdat + 30] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_ring_is_judged_repaired_and_emptied_from_its_blocks_alone() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s"]).await;
    let village = Village::watching_mains(&camsim, &["cong"]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_recorded("cong", begun, 6_000_000, 40).await;

    // Beside the daemon everything but `rebuild` works.
    let beside = village.matthon(&["ring", "verify", "--json"], "").await;
    assert!(beside.status.success(), "{}{}", text(&beside.stdout), text(&beside.stderr));
    let verdict = &lines(&beside.stdout)[0];
    assert!(verdict["good"] == true && verdict["verdict"]["records"].as_u64().unwrap() > 10, "{verdict}");
    let refused = village.matthon(&["ring", "rebuild"], "").await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("in use by another matthon"), "{}", text(&refused.stderr));
    let (status, _) = daemon.terminate().await;
    assert!(status.success());
    let sent: HashSet<String> = camsim.sent("cong", "main").into_iter().map(|s| s.sha256).collect();
    camsim.stop().await;

    let good = village.matthon(&["ring", "verify", "--json"], "").await;
    assert!(good.status.success(), "{}", text(&good.stdout));
    assert!(lines(&good.stdout)[0]["verdict"]["seals"].as_u64().unwrap() >= 1);
    let whole = village.path().join("whole.mp4");
    let all = ["export", "--camera", "cong", "--from", "0", "--to", "9999999999", "--out", whole.to_str().unwrap()];
    let all = village.matthon(&all, "").await;
    assert!(all.status.success(), "{}", text(&all.stderr));
    let recorded = frames(&whole).len();

    // One byte of one picture: named with camera and seconds.
    let scan = village.matthon(&["ring", "scan", "--json"], "").await;
    let block = lines(&scan.stdout).into_iter().find(|l| l["block"]["records"].as_u64().unwrap() > 10).unwrap();
    damage(&PathBuf::from(block["block"]["path"].as_str().unwrap()), block["block"]["data_end"].as_u64().unwrap());
    let bad = village.matthon(&["ring", "verify"], "").await;
    assert_eq!(bad.status.code(), Some(1), "{}", text(&bad.stdout));
    let said = text(&bad.stdout);
    assert!(said.contains("a recording cannot be read (its bytes) of cong/main") && said.contains("1 findings"), "{said}");

    // Without index the blocks are enough.
    std::fs::write(village.path().join("ring/ring.index"), [0; 8192]).unwrap();
    let rebuilt = village.matthon(&["ring", "rebuild", "--json"], "").await;
    assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
    let out = village.path().join("carved");
    let extract = village.matthon(&["ring", "extract", "--camera", "cong", "--out", out.to_str().unwrap()], "").await;
    assert!(extract.status.success(), "{}{}", text(&extract.stdout), text(&extract.stderr));
    let mut saved = HashSet::new();
    for film in std::fs::read_dir(&out).unwrap() {
        for frame in frames(&film.unwrap().path()) {
            assert!(sent.contains(&frame.sha256), "a frame that no camera sent");
            saved.insert(frame.sha256);
        }
    }
    // All but the second that is damaged, and what cannot be decoded without it.
    assert!(saved.len() + 45 >= recorded && saved.len() > 45, "{} of {recorded}", saved.len());
}
