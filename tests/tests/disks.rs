//! Disks as an installer and their faults meet them: real file systems in image files under the real daemon.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{
    Camsim, Daemon, Village,
    disks::{Image, keeps, matthon_with, there},
    frames::{assert_contiguous, frames},
    program, skip, until,
    village::now,
    webhook::Webhook,
};
use serde_json::Value;
use std::{os::unix::net::UnixDatagram, path::Path, process::Command, time::Duration};

const CAMERA: &str = "[[camera]]\nid = \"cong\"\nname = \"Cổng\"\nmain = \"rtsp://127.0.0.1:1/main\"\n";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn other_file_systems_are_refused_by_name_and_nothing_starts() {
    let shm = Path::new("/dev/shm");
    if !shm.is_dir() || keeps(shm) {
        return skip("other_file_systems_are_refused_by_name_and_nothing_starts", "needs a tmpfs at /dev/shm");
    }
    let village = Village::new(CAMERA);
    let folder = tempfile::tempdir_in(shm).unwrap();
    let ring = folder.path().join("ring");
    village.change(&[("paths = [\"ring\"]", &format!("paths = [\"{}\"]", ring.display()))]);
    if std::fs::read_to_string(&village.config).unwrap().contains("any_filesystem") {
        village.change(&[("any_filesystem = true\n", "")]);
    }
    for command in ["check", "run"] {
        let out = village.matthon(&[command], "").await;
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{command}: {said}");
        for word in ["tmpfs", ring.to_str().unwrap(), "ext4 and xfs", "mkfs.ext4"] {
            assert!(said.contains(word), "{command} does not say {word}: {said}");
        }
    }
    assert!(!ring.exists(), "nothing was laid out");
    village.change(&[("size = \"512MB\"", "size = \"512MB\"\nany_filesystem = true")]);
    assert!(village.matthon(&["check"], "").await.status.success());
}

#[tokio::test]
async fn the_first_layout_is_told_in_the_log_and_to_systemd() {
    let village = Village::new(CAMERA);
    let socket = village.path().join("notify");
    let heard = UnixDatagram::bind(&socket).unwrap();
    heard.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut command = tokio::process::Command::new(program("matthon"));
    command.env("NOTIFY_SOCKET", &socket);
    let daemon = Daemon::start_by(command, &village.config, village.port).await;
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while !all.iter().any(|m: &String| m.contains("READY=1")) {
        let n = heard.recv(&mut buffer).unwrap();
        all.push(text(&buffer[..n]));
    }
    let layout: Vec<_> = all.iter().filter(|m| m.contains("STATUS=laying out ring main")).collect();
    assert!(layout.iter().all(|m| m.contains("EXTEND_TIMEOUT_USEC=")), "{all:?}");
    assert!(layout.first().unwrap().contains("0 %") && layout.last().unwrap().contains("100 %"), "{all:?}");
    let log = daemon.log_text();
    assert!(log.contains("laying out the ring") && log.contains("percent=100"), "{log}");
    daemon.terminate().await;
    // The second start has nothing to lay out and says nothing of it.
    let before = log.matches("laying out the ring").count();
    let daemon = village.start().await;
    assert_eq!(daemon.log_text().matches("laying out the ring").count(), before);
    daemon.terminate().await;
}

/// The state of the ring's folders, as the page is told.
async fn paths(api: &matthon_tests::api::Api) -> Vec<Value> {
    api.json("status").await["rings"][0]["paths"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_disk_of_two_turns_read_only_vanishes_and_is_swapped_while_recording_goes_on() {
    const NAME: &str = "a_disk_of_two_turns_read_only_vanishes_and_is_swapped_while_recording_goes_on";
    let camsim = Camsim::start(&["id=cong,size=320x180,sub=no,fps=15,gop=1s,bitrate=2000k"]).await;
    let village = Village::watching_mains(&camsim, &["cong"]);
    let disks = Image::new(village.path(), "one", 64).and_then(|one| {
        one.try_mount()?;
        Ok([one, Image::new(village.path(), "two", 64)?])
    });
    let [one, two] = match disks {
        Ok(disks) => disks,
        Err(why) => return skip(NAME, &format!("needs root and loop devices: {why}")),
    };
    village
        .change(&[("paths = [\"ring\"]", "paths = [\"one\", \"two\"]"), ("size = \"512MB\"", "size = \"80MiB\"\nblock_size = \"1MiB\"")]);
    let first = now();
    let daemon = Daemon::start_by(matthon_with(&[&one, &two]), &village.config, village.port).await;
    let api = village.admin_again().await;
    api.until_recorded("cong", first, 2_000_000, 40).await;
    assert!(paths(&api).await.iter().all(|p| p["state"] == "ok"));

    // Full to the last byte beside the ring: what was reserved stays reserved, recording goes on.
    there(daemon.pid(), &format!("dd if=/dev/zero of='{}/full' bs=64k 2>/dev/null || true; df '{0}' | tail -1", one.at.display()));
    let full = now();
    api.until_recorded("cong", full, 2_000_000, 20).await;
    assert!(paths(&api).await.iter().all(|p| p["state"] == "ok"));

    // The kernel finds an error in the second file system and turns it read-only.
    let device = there(daemon.pid(), &format!("findmnt -n -o SOURCE '{}'", two.at.display()));
    let trigger = format!("/sys/fs/ext4/{}/trigger_fs_error", device.trim().trim_start_matches("/dev/"));
    if std::fs::write(&trigger, "test").is_err() {
        return skip(NAME, &format!("needs to write {trigger}"));
    }
    let broken = now();
    let told = until("the page names the disk that turned read-only", Duration::from_secs(120), || async {
        let two = paths(&api).await.remove(1);
        (two["state"] == "read-only").then_some(two)
    })
    .await;
    assert!(told["since"].is_string() && told["write_errors"].as_u64().unwrap() > 0, "{told}");
    let problems = api.json("status").await["problems"].clone();
    assert!(problems.as_array().unwrap().iter().any(|p| p["text_key"] == "disk.read-only" && p["disk"] == told["path"]), "{problems}");
    let metrics = api.metrics().await;
    assert!(metrics.lines().any(|l| l.starts_with("matthon_disk_up") && l.contains("/two\"") && l.ends_with(" 0")), "{metrics}");
    let after = now();
    api.until_recorded("cong", after, 3_000_000, 20).await;
    // Not a picture is missing over it all: what the second disk held can still be read.
    let film = village.path().join("film.mp4");
    api.clip("cong", "main", first, now(), &film).await;
    let range = assert_contiguous(&frames(&film), &camsim.sent("cong", "main"));
    assert!(range.len() as i64 >= (after.micros_since(first) / 1_000_000 - 2) * 15, "{range:?} {broken}");
    daemon.terminate().await;

    // The next start finds its folder without the disk: it stays empty, the first records.
    let vanished = now();
    let daemon = Daemon::start_by(matthon_with(&[&one]), &village.config, village.port).await;
    let api = village.admin_again().await;
    api.until_recorded("cong", vanished, 2_000_000, 40).await;
    assert_eq!(paths(&api).await[1]["state"], "unmounted");
    assert_eq!(std::fs::read_dir(&two.at).unwrap().count(), 0, "nothing was laid out on the root's disk");
    daemon.terminate().await;

    // A new disk is laid out and used.
    let two = Image::new(village.path(), "two", 64).unwrap();
    let swapped = now();
    let daemon = Daemon::start_by(matthon_with(&[&one, &two]), &village.config, village.port).await;
    let api = village.admin_again().await;
    api.until_recorded("cong", swapped, 2_000_000, 40).await;
    assert!(paths(&api).await.iter().all(|p| p["state"] == "ok"), "{:?}", paths(&api).await);
    let files = there(daemon.pid(), &format!("ls '{}'", two.at.display()));
    assert_eq!(files.lines().filter(|l| l.starts_with("block-")).count(), 40, "{files}");
    daemon.terminate().await;
    camsim.stop().await;
}

#[tokio::test]
async fn a_disk_that_is_too_small_is_refused_with_numbers() {
    let village = Village::new(CAMERA);
    let small = Image::new(village.path(), "small", 16).and_then(|image| image.try_mount().map(|()| image));
    let small = match small {
        Ok(small) => small,
        Err(why) => return skip("a_disk_that_is_too_small_is_refused_with_numbers", &format!("needs root and loop devices: {why}")),
    };
    village.change(&[("paths = [\"ring\"]", "paths = [\"small\"]")]);
    let mut command = matthon_with(&[&small]);
    let out = command.args(["run", "--config"]).arg(&village.config).output().await.unwrap();
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("bytes more but only") && said.contains("make `size` smaller"), "{said}");
}

#[tokio::test]
async fn what_disks_say_of_themselves_reaches_the_page() {
    let hook = Webhook::start(200).await;
    let webhook = format!("[[webhook]]\nname = \"xa\"\nurl = \"{}\"\nsecret = \"mot-bi-mat-dai-hon-muoi-sau\"\n", hook.url);
    let village = Village::new(&format!("{CAMERA}{webhook}"));
    village.change(&[("data = \"data\"", "data = \"data\"\nsmart = \"smart\"")]);
    let daemon = village.start().await;
    let api = village.admin().await;
    let disks = api.json("status").await["disks"].as_array().unwrap().clone();
    let Some(device) = disks.first().and_then(|d| d["device"].as_str()).map(str::to_owned) else {
        return skip("what_disks_say_of_themselves_reaches_the_page", "needs a temporary folder on a disk the kernel names");
    };
    assert!(disks[0]["state"] == "unmeasured" && disks[0]["detail"].as_str().unwrap().contains("matthon-smart.timer"), "{disks:?}");

    // Root's script, with a smartctl that answers as a disk does that is about to fail.
    let (bin, out) = (village.path().join("bin"), village.path().join("smart"));
    std::fs::create_dir(&bin).unwrap();
    let answer = serde_json::json!({
        "model_name": "WDC WD82PURZ", "serial_number": "VDK1", "smart_status": { "passed": true },
        "ata_smart_attributes": { "table": [{ "id": 5, "value": 100, "raw": { "value": 0 } }, { "id": 197, "value": 100, "raw": { "value": 8 } }] },
        "temperature": { "current": 41 }, "power_on_time": { "hours": 8123 },
    });
    std::fs::write(village.path().join("answer.json"), answer.to_string()).unwrap();
    let fake = format!(
        "#!/bin/sh\n[ \"$*\" = \"--json --all /dev/{device}\" ] || exit 2\ncat '{}/answer.json'\nexit 8\n",
        village.path().display()
    );
    std::fs::write(bin.join("smartctl"), fake).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(bin.join("smartctl"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/matthon-smart");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let ran = Command::new(script).env("PATH", path).env("SMART_OUT", &out).env("SMART_DISKS", &device).output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{}", text(&ran.stderr));

    let status = api.json("status").await;
    let disk = &status["disks"][0];
    assert!(disk["state"] == "failing" && disk["pending"] == 8 && disk["hours"] == 8123 && disk["serial"] == "VDK1", "{disk}");
    assert!(status["problems"].as_array().unwrap().iter().any(|p| p["text_key"] == "smart.failing"), "{status}");
    let told = hook.until_event("disk.changed", 60).await.json();
    assert!(told["disk"]["name"] == device.as_str() && told["disk"]["state"] == "failing", "{told}");
    assert!(told["sentence"].as_str().unwrap().contains("Ổ đĩa"), "{told}");
    until("the metric says so", Duration::from_secs(20), || async {
        let metrics = api.metrics().await;
        metrics.lines().any(|l| l.starts_with("matthon_disk_sound") && l.contains(&device) && l.ends_with(" 0")).then_some(())
    })
    .await;
    daemon.terminate().await;
}
