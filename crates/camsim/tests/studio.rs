//! `camsim render`, `truth` and `dataset`, through the real binary.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::io::{BufRead, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn camsim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_camsim")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn render(dir: &Path, name: &str, seed: &str) -> (Vec<u8>, String) {
    let (clip, truth) = (dir.join(format!("{name}.mp4")), dir.join(format!("{name}.jsonl")));
    let (clip, truth) = (clip.to_str().unwrap(), truth.to_str().unwrap());
    let out = camsim(&[
        "render",
        "--scenario",
        "wrong-way",
        "--seed",
        seed,
        "--out",
        clip,
        "--truth",
        truth,
        "--size",
        "320x184",
        "--fps",
        "5",
        "--seconds",
        "24",
    ]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    (std::fs::read(clip).unwrap(), std::fs::read_to_string(truth).unwrap())
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let first = render(dir.path(), "a", "5");
    assert_eq!(first, render(dir.path(), "b", "5"));
    let other = render(dir.path(), "c", "6");
    assert_ne!(first.0, other.0);
    assert_ne!(first.1, other.1);
}

#[test]
fn truth_beside_a_clip_is_the_truth_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (clip, beside) = render(dir.path(), "a", "5");
    assert_eq!(&clip[4..8], b"ftyp");
    let out = camsim(&["truth", "--scenario", "wrong-way", "--seed", "5", "--size", "320x184", "--fps", "5", "--seconds", "24"]);
    assert_eq!(String::from_utf8(out.stdout).unwrap(), beside);
    let lines: Vec<Value> = beside.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines[0]["line"], "scenario");
    assert_eq!(lines.iter().filter(|l| l["line"] == "picture").count(), 120);
    let violation = lines.iter().find(|l| l["line"] == "violation").unwrap();
    assert_eq!(violation["violation"], "wrong-way");
    let (from, to) = (violation["from"].as_f64().unwrap(), violation["to"].as_f64().unwrap());
    assert!(from > 10.0 && to < 30.0, "{violation}");
    // Whoever does it is in the pictures of that time, by name.
    let doing = lines.iter().filter(|l| l["line"] == "picture" && l["t"].as_f64().is_some_and(|t| t > from && t < from + 4.0));
    for picture in doing {
        assert!(picture["objects"].as_array().unwrap().iter().any(|o| o["name"] == "wrong rider"), "{picture}");
    }
}

#[test]
fn pictures_to_train_on_come_with_boxes_and_repeat() {
    let read = |seed: &str| {
        let out = camsim(&["dataset", "--seed", seed, "--count", "20", "--size", "256x144"]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    };
    let bytes = read("3");
    assert_eq!(bytes, read("3"));
    assert_ne!(bytes, read("4"));
    let mut rest = bytes.as_slice();
    let mut objects = 0;
    for n in 0..20 {
        let mut line = String::new();
        rest.read_line(&mut line).unwrap();
        let record: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(record["n"], n);
        objects += record["objects"].as_array().unwrap().len();
        rest.read_exact(&mut vec![0; 256 * 144 * 3]).unwrap();
    }
    assert!(rest.is_empty() && objects > 40, "{} left, {objects} objects", rest.len());
}

#[test]
fn a_wrong_scenario_is_told_by_file_line_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.toml");
    std::fs::write(&path, "title = \"x\"\nplace = \"gate\"\nhour = \"noon\"\nseconds = 20\n").unwrap();
    let out = camsim(&["truth", "--scenario", path.to_str().unwrap()]);
    let told = String::from_utf8(out.stderr).unwrap();
    assert!(!out.status.success() && told.contains("own.toml: line 3:") && told.contains("`day`"), "{told}");
    let out = camsim(&["truth", "--scenario", "evening"]);
    let told = String::from_utf8(out.stderr).unwrap();
    assert!(told.contains("neither a file nor one of the shipped scenarios: fair, "), "{told}");
}
