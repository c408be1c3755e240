//! `matthon ring scan|verify|rebuild|extract`: beside the daemon and without it, on a ring that is whole and on one that is not.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{
    Camsim, Village,
    frames::{assert_contiguous, frames},
    village::now,
};
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

    // Beside the daemon everything works.
    let beside = village.matthon(&["ring", "verify", "--json"], "").await;
    assert!(beside.status.success(), "{}{}", text(&beside.stdout), text(&beside.stderr));
    let verdict = &lines(&beside.stdout)[0];
    assert!(verdict["good"] == true && verdict["verdict"]["records"].as_u64().unwrap() > 10, "{verdict}");
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

/// The footer of the block with this number is damaged.
fn damage_footer(village: &Village, number: u64, block_size: u64) {
    let path = village.path().join(format!("ring/block-{number:05}.mtr"));
    let footer = block_size - (block_size / 64).max(16 << 10);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = usize::try_from(footer).unwrap() + 40;
    assert_eq!(&bytes[at - 40..at - 36], b"MTFT");
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn footers_are_written_anew_beside_a_daemon_that_goes_on_recording() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub=no,fps=15,gop=1s"]).await;
    let village = Village::watching_mains(&camsim, &["cong"]);
    village.change(&[("size = \"512MB\"", "size = \"64MiB\"\nblock_size = \"1MiB\"")]);
    // Each run seals what it wrote.
    for _ in 0..2 {
        let begun = now();
        let daemon = village.start().await;
        let api = village.admin_again().await;
        api.until_recorded("cong", begun, 2_000_000, 40).await;
        daemon.terminate().await;
    }
    damage_footer(&village, 0, 1 << 20);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin_again().await;
    // A client slow to PLAY misses what comes between the first picture and the next random access point: that is over by then.
    api.until_recorded("cong", begun, 2_500_000, 40).await;
    let going = now();
    let before = village.matthon(&["ring", "verify"], "").await;
    assert!(text(&before.stdout).contains("a footer is damaged"), "{}", text(&before.stdout));
    let rebuilt = village.matthon(&["ring", "rebuild", "--json"], "").await;
    assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
    let said = &lines(&rebuilt.stdout)[0];
    assert!(said["rebuilt"]["footers"] == 1 && said["rebuilt"]["refused"] == 0, "{said}");
    let mended = now();
    let verdict = village.matthon(&["ring", "verify"], "").await;
    assert!(verdict.status.success(), "{}", text(&verdict.stdout));
    api.until_recorded("cong", mended, 2_000_000, 20).await;
    // Not a picture since is missing: what was written meanwhile is there.
    let film = village.path().join("film.mp4");
    api.clip("cong", "main", going, now(), &film).await;
    let _ = assert_contiguous(&frames(&film), &camsim.sent("cong", "main"));
    daemon.terminate().await;
    camsim.stop().await;
}

#[tokio::test]
async fn main_and_sub_go_where_the_configuration_sends_them() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let any = std::fs::read_to_string(&village.config).unwrap().contains("any_filesystem");
    let any = if any { "any_filesystem = true\n" } else { "" };
    let long = format!("[[ring]]\nname = \"long\"\npaths = [\"ring2\"]\nsize = \"64MiB\"\n{any}[web]");
    village.change(&[("[web]", &long), ("/cong/sub\"", "/cong/sub\"\nrecord = { main = \"main\", sub = \"long\" }")]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    // The sub stream may come a second after the main one, and begins with its next key picture.
    api.until_recorded("cong", begun, 5_000_000, 40).await;
    daemon.terminate().await;
    camsim.stop().await;
    let export = async |stream: &str| {
        let out = village.path().join(format!("{stream}.mp4"));
        let args = ["export", "--camera", "cong", "--stream", stream, "--from", "0", "--to", "9999999999", "--out", out.to_str().unwrap()];
        let done = village.matthon(&args, "").await;
        done.status.success().then(|| frames(&out).len())
    };
    for stream in ["main", "sub"] {
        assert!(export(stream).await.is_some_and(|n| n > 30), "{stream}");
    }
    // Each in its own: without the one ring only its stream is gone.
    for file in std::fs::read_dir(village.path().join("ring2")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|e| e == "mtr") {
            let len = path.metadata().unwrap().len();
            std::fs::write(&path, vec![0; usize::try_from(len).unwrap()]).unwrap();
        }
    }
    std::fs::remove_file(village.path().join("ring2/ring.index")).unwrap();
    assert_eq!(export("sub").await, None);
    assert!(export("main").await.is_some_and(|n| n > 30));
}

#[tokio::test]
async fn a_ring_shrinks_and_grows_by_configuration_and_keeps_what_fits() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub=no,fps=15,gop=1s"]).await;
    let village = Village::watching_mains(&camsim, &["cong"]);
    village.change(&[("size = \"512MB\"", "size = \"64MiB\"\nblock_size = \"1MiB\"")]);
    let first = now();
    for sizes in [["64MiB", "8MiB"], ["8MiB", "32MiB"], ["32MiB", "32MiB"]] {
        let begun = now();
        let daemon = village.start().await;
        let api = village.admin_again().await;
        api.until_recorded("cong", begun, 2_000_000, 40).await;
        let status = api.json("status").await;
        let size: u64 = sizes[0].trim_end_matches("MiB").parse().unwrap();
        assert_eq!(status["rings"][0]["size"].as_u64(), Some(size << 20), "{status}");
        // What the first run recorded is there in every later one.
        let film = village.path().join("film.mp4");
        api.clip("cong", "main", first, first.plus_micros(6_000_000), &film).await;
        assert!(frames(&film).len() >= 20);
        daemon.terminate().await;
        village.change(&[(&format!("size = \"{}\"\n", sizes[0]), &format!("size = \"{}\"\n", sizes[1]))]);
    }
    let verdict = village.matthon(&["ring", "verify"], "").await;
    assert!(verdict.status.success(), "{}", text(&verdict.stdout));
    camsim.stop().await;
}
