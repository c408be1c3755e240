//! Every door tried from inside, in the real program.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

#[test]
fn no_door_is_open_in_any_thread() {
    let out = support::program().arg("--prove-sandbox").output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{said}\n{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(said.lines().filter(|l| l.ends_with(": refused")).count(), 24, "{said}");
    assert!(said.ends_with("files true calls true memory 3221225472\n"), "{said}");
}

#[test]
fn a_worker_without_a_core_says_so() {
    let out = support::program().stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("standard input is not the core's control socket"));
}
