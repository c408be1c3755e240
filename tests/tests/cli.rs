//! The command line's promises: exit statuses, names in errors, one writer.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{Camsim, Daemon, Village, daemon::matthon, http, program, village::free_port};
use std::time::Duration;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const CAMERA: &str = "[[camera]]\nid = \"cong\"\nname = \"Cổng\"\nmain = \"rtsp://127.0.0.1:1/main\"\n";

#[tokio::test]
async fn check_names_every_mistake_and_nothing_starts() {
    let village =
        Village::new(&format!("{CAMERA}fsp = 5\n[[camera]]\nid = \"cong\"\nname = \"Cổng 2\"\nmain = \"http://127.0.0.1/main\"\n"));
    for command in ["check", "run"] {
        let out = village.matthon(&[command], "").await;
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{command}: {said}");
        for word in ["matthon.toml:", "fsp", "cong", "rtsp://"] {
            assert!(said.contains(word), "{command} does not name {word}: {said}");
        }
    }
    assert!(!village.path().join("data").exists(), "nothing was started");
}

#[tokio::test]
async fn check_says_what_the_ring_will_hold() {
    let village = Village::new(CAMERA);
    let out = village.matthon(&["check"], "").await;
    assert!(out.status.success(), "{}", text(&out.stderr));
    let said = text(&out.stdout);
    assert!(said.contains("main") && (said.contains("day") || said.contains("hour")), "{said}");
}

#[tokio::test]
async fn wrong_usage_exits_2_and_failures_exit_1() {
    let out = matthon(&["frobnicate"], "").await;
    assert_eq!(out.status.code(), Some(2));
    let out = matthon(&["check", "--config", "/nonexistent/matthon.toml"], "").await;
    assert_eq!(out.status.code(), Some(2), "{}", text(&out.stderr));
    let village = Village::new(CAMERA);
    let args = ["export", "--camera", "cong", "--from", "2026-11-23T00:00:00Z", "--to", "2026-11-23T01:00:00Z", "--out", "x.zip"];
    let out = village.matthon(&args, "").await;
    assert_eq!(out.status.code(), Some(2), "{}", text(&out.stderr));
    let out = village.matthon(&["user", "token", "nobody"], "").await;
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("nobody"));
    let out = village.matthon(&["user", "add", "a", "--role", "king", "--password-stdin"], "x\n").await;
    assert_eq!(out.status.code(), Some(2), "{}", text(&out.stderr));
    let out = village.matthon(&["user", "add", "a", "--role", "admin", "--password-stdin"], "short\n").await;
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
}

#[tokio::test]
async fn users_are_added_before_and_beside_the_daemon() {
    let village = Village::new(CAMERA);
    let before = village.person("truoc", "admin").await;
    let daemon = village.start().await;
    assert_eq!(before.json("session").await["role"], "admin");
    let beside = village.person("sau", "official").await;
    assert_eq!(beside.json("session").await["role"], "official");
    let again = village.matthon(&["user", "add", "sau", "--role", "admin", "--password-stdin"], "mat-khau-thu-1\n").await;
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("sau"), "{}", text(&again.stderr));
    drop(daemon);
}

#[tokio::test]
async fn an_invitation_from_the_terminal_lets_a_phone_in() {
    let village = Village::new(CAMERA);
    // Before the first start: this is how the first administrator comes in.
    let out = village.matthon(&["user", "invite", "ba-thanh", "--role", "admin"], "").await;
    assert!(out.status.success(), "{}", text(&out.stderr));
    let link = text(&out.stdout).lines().next().unwrap_or_default().to_owned();
    let (page, secret) = link.split_once("/moi#").expect("a link");
    assert!(page.starts_with("http://127.0.0.1"), "{link}");
    let daemon = village.start().await;
    let phone = http();
    let accept = || phone.post(format!("{}/api/v1/invitation", daemon.base())).json(&serde_json::json!({ "secret": secret })).send();
    let opened = accept().await.unwrap();
    assert_eq!(opened.status(), 200);
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session = || phone.get(format!("{}/api/v1/session", daemon.base())).header("Cookie", &cookie).send();
    let who: serde_json::Value = session().await.unwrap().json().await.unwrap();
    assert_eq!((&who["name"], &who["role"]), (&"ba-thanh".into(), &"admin".into()));
    assert_eq!(accept().await.unwrap().status(), 410, "once");
    let lost = village.matthon(&["user", "invite", "ba-thanh", "--lost"], "").await;
    assert!(lost.status.success(), "{}", text(&lost.stderr));
    assert_eq!(session().await.unwrap().status(), 401);
    let nobody = village.matthon(&["user", "invite", "nobody"], "").await;
    assert_eq!(nobody.status.code(), Some(1));
    assert!(text(&nobody.stderr).contains("nobody"), "{}", text(&nobody.stderr));
}

#[tokio::test]
async fn a_second_daemon_on_the_same_ring_is_refused_by_name() {
    let village = Village::new(CAMERA);
    let daemon = village.start().await;
    let second = village.path().join("second.toml");
    let other = std::fs::read_to_string(&village.config)
        .unwrap()
        .replace(&village.port.to_string(), &free_port().to_string())
        .replace("\"data\"", "\"data2\"");
    std::fs::write(&second, other).unwrap();
    let out = matthon(&["run", "--config", second.to_str().unwrap()], "").await;
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    let ring = village.path().join("ring");
    assert!(text(&out.stderr).contains(ring.to_str().unwrap()), "{}", text(&out.stderr));
    let (status, took) = daemon.terminate().await;
    assert!(status.success() && took < Duration::from_secs(5));
}

#[tokio::test]
async fn ring_status_reads_beside_and_without_the_daemon() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let daemon: Daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;
    let beside = village.matthon(&["ring", "status", "--json"], "").await;
    let beside: serde_json::Value = serde_json::from_slice(&beside.stdout).unwrap();
    assert_eq!(beside[0]["name"], "main", "{beside}");
    assert_eq!(beside[0]["state"], "ok", "{beside}");
    let (status, _) = daemon.terminate().await;
    assert!(status.success());
    let without = village.matthon(&["ring", "status", "--json"], "").await;
    assert!(without.status.success(), "{}", text(&without.stderr));
    let without: serde_json::Value = serde_json::from_slice(&without.stdout).unwrap();
    assert_eq!(without[0]["name"], "main", "{without}");
    assert!(program("matthon").exists());
    camsim.stop().await;
}
