//! The drawn village through the whole product: with the rules and the model of the demo, what is raised is what the
//! scenarios mean, and nothing else.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{Camsim, Daemon, Village, api::Api, program, until, village::free_port};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// The demo's configuration with addresses put in; `change` has the last word.
fn demo_config(dir: &Path, rtsp: &str, port: u16, change: impl FnOnce(String) -> String) -> PathBuf {
    let template = include_str!("../../config/demo.toml");
    let text = template.replace("@RTSP@", rtsp).replace("@PORT@", &port.to_string()).replace("2GB", "256MB");
    let path = dir.join("matthon.toml");
    std::fs::write(&path, change(text)).unwrap();
    path
}

/// What a program says, and that it ends well.
fn output(program: &Path, args: &[&str]) -> String {
    let out = Command::new(program).args(args).stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// (kind, begin, raised) of each violation that a rule of `camera` finds in a scenario, and what the scenario means.
fn replayed(scenario: &str, camera: &str, dir: &Path, config: &Path) -> (Vec<(String, f64, f64)>, Vec<Value>) {
    let clip = dir.join(format!("{scenario}.mp4"));
    let truth = dir.join(format!("{scenario}.jsonl"));
    let (clip, truth) = (clip.to_str().unwrap(), truth.to_str().unwrap());
    let render =
        ["render", "--scenario", scenario, "--out", clip, "--truth", truth, "--size", "640x360", "--fps", "10", "--bitrate", "800000"];
    output(&program("camsim"), &render);
    let replay = ["replay", "--camera", camera, "--video", clip, "--json", "--config", config.to_str().unwrap()];
    let said = output(&program("matthon"), &replay);
    let found = said.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
    let found = found.map(|v| (v["kind"].as_str().unwrap().to_owned(), v["start_s"].as_f64().unwrap(), v["raised_s"].as_f64().unwrap()));
    let meant = std::fs::read_to_string(truth).unwrap();
    let meant = meant.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).filter(|l| l["line"] == "violation");
    let result = (found.collect(), meant.collect());
    std::fs::remove_file(clip).unwrap();
    result
}

#[test]
fn scenarios_raise_what_they_mean_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let config = demo_config(dir.path(), "rtsp://127.0.0.1:9", 9, |text| text);
    let rules = [("cho", "no-parking"), ("cong-lang", "wrong-way")];
    let scenarios = [
        ("story-market", "cho"),
        ("parking", "cho"),
        ("parking-near-miss", "cho"),
        ("parking-crowd", "cho"),
        ("market-day", "cho"),
        ("story-gate", "cong-lang"),
        ("wrong-way", "cong-lang"),
        ("wrong-way-near-miss", "cong-lang"),
        ("wrong-way-crowd", "cong-lang"),
        ("morning", "cong-lang"),
        ("obstruction-crowd", "cong-lang"),
    ];
    let mut wrong = Vec::new();
    for (scenario, camera) in scenarios {
        let (found, meant) = replayed(scenario, camera, dir.path(), &config);
        let rule = rules.iter().find(|r| r.0 == camera).unwrap().1;
        let meant: Vec<_> = meant.into_iter().filter(|v| v["violation"] == rule).collect();
        let matches = found.len() == meant.len()
            && found.iter().zip(&meant).all(|((kind, start, raised), m)| {
                let (from, to) = (m["from"].as_f64().unwrap(), m["to"].as_f64().unwrap());
                // A truck is in the zone while it still rolls to the kerb; what begins is seen soon, and raised before it is over.
                *kind == rule && *start > from - 3.0 && *start < from + 8.0 && *raised < to + 1.0
            });
        if !matches {
            wrong.push(format!("{scenario}: found {found:?}, meant {meant:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_demo_raises_its_two_cases_and_tells_what_comes() {
    let dir = tempfile::tempdir().unwrap();
    let each = "size=640x360,sub-size=640x360,fps=10,sub-fps=10,bitrate=800k";
    let cameras: Vec<_> = [("cong-lang", "gate"), ("cho", "market"), ("truong-hoc", "school"), ("rac", "rubbish")]
        .iter()
        .map(|(id, scene)| format!("id={id},source=street:story-{scene},{each}"))
        .collect();
    let cameras: Vec<_> = cameras.iter().map(String::as_str).collect();
    let camsim = Camsim::start(&cameras).await;
    std::fs::write(dir.path().join("cameras.json"), camsim.ready.to_string()).unwrap();
    let port = free_port();
    let config = demo_config(dir.path(), &camsim.rtsp, port, |text| text);
    let daemon = Daemon::start(&config, port).await;
    let api = admin(&config, port).await;

    let story = api.json("demo").await;
    let ruled: Vec<_> = story["scenes"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|s| s["events"].as_array().unwrap())
        .map(|e| (e["kind"].as_str().unwrap().to_owned(), e["ruled"].as_bool().unwrap()))
        .collect();
    let expected = [("wrong-way", true), ("road-obstruction", false), ("no-parking", true), ("intrusion", false), ("littering", false)];
    assert_eq!(ruled, expected.map(|(kind, ruled)| (kind.to_owned(), ruled)));

    let cases = until("both cases of the story", Duration::from_secs(90), || async {
        let cases = api.json("cases?state=raised").await["cases"].as_array().unwrap().clone();
        (cases.len() >= 2).then_some(cases)
    })
    .await;
    let mut told: Vec<_> =
        cases.iter().map(|c| (c["kind"].as_str().unwrap(), c["camera"].as_str().unwrap(), c["class"].as_str().unwrap())).collect();
    told.sort_unstable();
    assert_eq!(told, [("no-parking", "cho", "truck"), ("wrong-way", "cong-lang", "motorcycle")]);
    let (status, _) = daemon.terminate().await;
    assert!(status.success());
    camsim.stop().await;
}

async fn admin(config: &Path, port: u16) -> Api {
    let config = config.to_str().unwrap();
    let add = ["user", "add", "canbo", "--role", "admin", "--password-stdin", "--config", config];
    let added = matthon_tests::daemon::matthon(&add, "mat-khau-thu-1\n").await;
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let token = matthon_tests::daemon::matthon(&["user", "token", "canbo", "--config", config], "").await;
    Api::new(port, String::from_utf8(token.stdout).unwrap().trim())
}

#[tokio::test]
async fn a_model_that_knows_drawn_pictures_only_is_refused_on_real_cameras() {
    let dir = tempfile::tempdir().unwrap();
    let config = demo_config(dir.path(), "rtsp://127.0.0.1:9", 9, |text| {
        text.replace("demo = true", "").replace("demo_story = \"cameras.json\"", "")
    });
    let check = ["check", "--config", config.to_str().unwrap()];
    let out = matthon_tests::daemon::matthon(&check, "").await;
    assert_eq!(out.status.code(), Some(2));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("`thon-nano` was trained on drawn pictures only") && said.contains("yolox-nano"), "{said}");
    let config = demo_config(dir.path(), "rtsp://127.0.0.1:9", 9, |text| text);
    let out = matthon_tests::daemon::matthon(&["check", "--config", config.to_str().unwrap()], "").await;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));

    // It comes with the program: good without a download, and nothing to fetch.
    let village = Village::new("[[camera]]\nid = \"x\"\nname = \"x\"\nmain = \"rtsp://127.0.0.1:9/x\"\n");
    let verified = village.matthon(&["models", "verify", "thon-nano"], "").await;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let pulled = village.matthon(&["models", "pull", "thon-nano"], "").await;
    assert!(String::from_utf8_lossy(&pulled.stderr).contains("comes with the program"), "{pulled:?}");
    let listed = String::from_utf8(village.matthon(&["models", "list", "--json"], "").await.stdout).unwrap();
    let thon = listed.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).find(|m| m["name"] == "thon-nano").unwrap();
    assert_eq!((&thon["state"], &thon["source"]), (&json!("built in"), &Value::Null));
}
