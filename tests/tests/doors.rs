//! HTTPS as an installer meets it: `check` before, the daemon with files that are missing, come and change, and the box's own
//! authority.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{Daemon, Village, http, until};
use std::{path::Path, time::Duration};

const CAMERA: &str = "[[camera]]\nid = \"cong\"\nname = \"Cổng\"\nmain = \"rtsp://127.0.0.1:1/main\"\n";
const FILES: &str = "certificate = \"tls/fullchain.pem\"\nkey = \"tls/privkey.pem\"\n";
const WITHIN: Duration = Duration::from_secs(10);

fn village(web: &str) -> Village {
    let village = Village::new(CAMERA);
    village.change(&[("[web]\n", &format!("[web]\n{web}"))]);
    village
}

/// A new pair for this box where the configuration names it, written as a careful program does: whole, one after the other.
fn write_pair(village: &Village) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "thon.example.vn".to_owned()]).unwrap();
    let dir = village.path().join("tls");
    std::fs::create_dir_all(&dir).unwrap();
    let put = |name: &str, text: &str| {
        std::fs::write(dir.join("part"), text).unwrap();
        std::fs::rename(dir.join("part"), dir.join(name)).unwrap();
    };
    put("privkey.pem", &made.signing_key.serialize_pem());
    put("fullchain.pem", &made.cert.pem());
    made.cert.pem()
}

async fn answers(village: &Village, pem: &str) -> Option<()> {
    let url = format!("https://127.0.0.1:{}/healthz", village.port);
    http::trusting(pem.as_bytes()).get(url).send().await.ok().map(drop)
}

fn hang_up(daemon: &Daemon) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(daemon.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
}

async fn check(village: &Village) -> (Option<i32>, String) {
    let out = village.matthon(&["check"], "").await;
    (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))
}

#[tokio::test]
async fn check_names_a_pair_that_cannot_be_used_and_tells_whom_a_good_one_names() {
    let village = village(FILES);
    let line = std::fs::read_to_string(&village.config).unwrap().lines().position(|l| l.starts_with("certificate")).unwrap() + 1;
    let (code, said) = check(&village).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains(&format!("matthon.toml:{line}:")) && said.contains("web.certificate: ") && said.contains("fullchain.pem"),
        "{said}"
    );
    write_pair(&village);
    let (code, said) = check(&village).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("https: 127.0.0.1, thon.example.vn, until 4096-01-01"), "{said}");
    let key = village.path().join("tls/privkey.pem");
    std::fs::write(&key, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let (code, said) = check(&village).await;
    assert_eq!(code, Some(2), "{said}");
    let there = format!("matthon.toml:{}:7: web.key: ", line + 1);
    assert!(said.contains(&there) && said.contains("does not belong") && said.contains("; name the two files"), "{said}");
    assert!(!said.contains("PRIVATE"), "{said}");
}

#[tokio::test]
async fn files_may_be_missing_at_the_start_come_later_and_change_while_the_box_runs() {
    let village = village(FILES);
    let daemon = village.start().await;
    let log = daemon.log_text();
    assert!(log.contains("makeshift") && log.contains("fullchain.pem"), "{log}");
    let first = write_pair(&village);
    hang_up(&daemon);
    until("the files are taken", WITHIN, || answers(&village, &first)).await;
    let second = write_pair(&village);
    assert!(answers(&village, &first).await.is_some(), "until it is looked at, the old one stays");
    hang_up(&daemon);
    until("the new files are taken", WITHIN, || answers(&village, &second)).await;
    // A renewal that went wrong changes nothing.
    std::fs::write(village.path().join("tls/fullchain.pem"), "").unwrap();
    hang_up(&daemon);
    let refused = || async { daemon.log_text().contains("the one before stays").then_some(()) };
    until("the broken file is refused", WITHIN, refused).await;
    assert!(answers(&village, &second).await.is_some());
    let (status, took) = daemon.terminate().await;
    assert!(status.success() && took < Duration::from_secs(5));
}

#[tokio::test]
async fn the_boxs_own_authority_is_made_once_and_known_by_its_fingerprint() {
    let village = village("certificate = \"local\"\n");
    let (_, said) = check(&village).await;
    assert!(said.contains("made at the first start"), "{said}");
    assert!(!village.path().join("data").exists(), "check makes nothing");
    let daemon = village.start().await;
    let fetch = || async {
        let answer = http::blunt().get(format!("http://127.0.0.1:{}/ca.crt", village.port)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    let pem = fetch().await;
    assert!(answers(&village, &pem).await.is_some());
    let (_, said) = check(&village).await;
    let fingerprint = said.split("SHA-256 ").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(fingerprint.len(), 32 * 3 - 1, "{said}");
    assert!(daemon.log_text().contains(&fingerprint));
    assert!(Path::new(&village.path().join("data/tls/ca.key")).exists());
    assert!(daemon.terminate().await.0.success());
    let daemon = village.start().await;
    assert_eq!(fetch().await, pem, "whoever trusted it goes on trusting it");
    assert!(daemon.terminate().await.0.success());
}
