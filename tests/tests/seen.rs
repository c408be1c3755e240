//! Seen and told: a parked car on real video, through a real detector, becomes a case with a still and a clip, and an alert.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{
    Camsim, Village,
    frames::{decoded, frames},
    shared, until,
    village::now,
    webhook::Webhook,
    worker::workers,
};
use serde_json::{Value, json};
use std::{fmt::Write, path::Path, process::Command, time::Duration};

const SECRET: &str = "bi-mat-thu-nghiem";

/// A zone around the drive on the right, where one car stands during the whole clip.
const DRIVE: &str = "[[camera.zone]]\nname = \"loi-vao\"\npolygon = [[0.90,0.45],[1.0,0.45],[1.0,0.62],[0.90,0.62]]\n\
     [[camera.rule]]\nkind = \"no-parking\"\nzone = \"loi-vao\"\nclasses = [\"car\",\"truck\"]\nafter = \"5s\"\n";

fn street(camsim: &Camsim, more: &str) -> Village {
    let mut text = String::from("[vision]\nmodel = \"yolox-nano\"\nworkers = 1\nfps = 5\n");
    write!(
        text,
        "{more}[[camera]]\nid = \"pho\"\nname = \"Phố chợ\"\nmain = \"{0}/pho/main\"\nsub = \"{0}/pho/sub\"\n{DRIVE}",
        camsim.rtsp
    )
    .unwrap();
    Village::new(&text)
}

async fn pull(village: &Village, model: &Path) {
    let pulled = village.matthon(&["models", "pull", "yolox-nano", "--from", model.to_str().unwrap()], "").await;
    assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
}

/// Width and height of a picture, as ffprobe reads it.
fn size(file: &Path) -> (u64, u64) {
    let out = Command::new("ffprobe").args(["-v", "error", "-show_streams", "-of", "json"]).arg(file).output().unwrap();
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    let json: Value = serde_json::from_slice(&out.stdout).unwrap();
    (json["streams"][0]["width"].as_u64().unwrap(), json["streams"][0]["height"].as_u64().unwrap())
}

#[tokio::test]
async fn a_parked_car_becomes_a_case_and_an_alert() {
    let name = "a_parked_car_becomes_a_case_and_an_alert";
    let (Some(video), Some(model)) = (shared(name, "data/video/ahmet-vehicle.mp4"), shared(name, "data/models/yolox_nano.onnx")) else {
        return;
    };
    let camsim = Camsim::start(&[&format!("id=pho,source={},size=640x352,sub-size=640x352,fps=24,gop=1s", video.display())]).await;
    // The alert's first tries find a server that is out of order.
    let hook = Webhook::start(503).await;
    let village = street(&camsim, &format!("[[webhook]]\nname = \"xa\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n", hook.url));
    pull(&village, &model).await;
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;

    let case = until("a case of the car in the drive", Duration::from_secs(60), || async {
        api.json("cases?state=raised").await["cases"].as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!((&case["kind"], &case["camera"], &case["class"]), (&json!("no-parking"), &json!("pho"), &json!("car")), "{case}");
    assert!(case["measured"]["dwell_s"].as_f64().unwrap() >= 5.0, "{case}");
    assert!(case["box"][0].as_f64().unwrap() > 0.85, "{case}");
    let id = case["id"].as_i64().unwrap();

    // Refused deliveries were the same one, and it comes again until it is taken.
    let first = hook.until_event("case.raised", 20).await;
    hook.answer(200);
    let taken =
        until("the same delivery again", Duration::from_secs(30), || async { hook.got().into_iter().skip(1).find(|d| d.id == first.id) })
            .await;
    assert!(taken.is_signed_with(SECRET) && !taken.is_signed_with("khac"));
    assert_eq!(taken.json()["case"]["id"], json!(id));
    assert!(taken.json()["sentence"]["vi"].as_str().unwrap().contains("Phố chợ – nghi vấn ô tô đỗ sai chỗ"), "{:?}", taken.json());

    // The still: at once from the inferred picture, then from the main stream; the clip: whole.
    let whole = until("still and clip", Duration::from_secs(60), || async {
        let case = api.json(&format!("cases/{id}")).await;
        (case["still"] == "main" && case["clip"] == "done").then_some(case)
    })
    .await;
    let still = village.path().join("still.jpg");
    std::fs::write(&still, api.get(&format!("cases/{id}/still.jpg")).await.bytes().await.unwrap()).unwrap();
    assert_eq!(size(&still), (640, 352));
    let clip = village.path().join("clip.mp4");
    std::fs::write(&clip, api.get(&format!("cases/{id}/clip.mp4")).await.bytes().await.unwrap()).unwrap();
    let (pictures, sent) = (frames(&clip), camsim.sent("pho", "main"));
    assert!(pictures.len() >= 24 * 10, "{} frames", pictures.len());
    assert_eq!(decoded(&clip), pictures.len());
    let place = sent.iter().position(|s| s.sha256 == pictures[0].sha256).expect("the clip's first frame was sent");
    assert!(pictures.iter().zip(&sent[place..]).all(|(got, sent)| got.sha256 == sent.sha256), "the clip is what was sent");
    let during = whole["clip_from"].as_str().unwrap() <= whole["raised"].as_str().unwrap()
        && whole["raised"].as_str().unwrap() <= whole["clip_to"].as_str().unwrap();
    assert!(during, "{whole}");

    // An official answers, and can take it back.
    let answer = api.post(&format!("cases/{id}/answer"), &json!({"answer": "false-alarm"})).await;
    assert!(answer.status().is_success());
    assert!(api.post(&format!("cases/{id}/undo"), &json!({})).await.status().is_success());
    assert!(api.post(&format!("cases/{id}/answer"), &json!({"answer": "confirm"})).await.status().is_success());
    let answered = api.json(&format!("cases/{id}")).await;
    assert_eq!((&answered["state"], &answered["answered_by"]), (&json!("confirmed"), &json!("quan-tri")));
    assert!(answered["history"].as_array().unwrap().len() >= 4, "nothing is struck from the history: {answered}");
    hook.until_event("case.confirmed", 30).await;

    // By hand, from what is being watched: no model needed.
    let by_hand = api.post("cases", &json!({"camera": "pho", "note": "rác ven đường"})).await;
    assert_eq!(by_hand.status(), 201);
    let by_hand: Value = by_hand.json().await.unwrap();
    until("the evidence of a case by hand", Duration::from_secs(60), || async {
        let case = api.json(&format!("cases/{}", by_hand["id"])).await;
        (case["still"] == "main" && case["clip"] == "done").then_some(())
    })
    .await;

    // One car, one case: it stood there all the time.
    let all = api.json("cases").await;
    let parked = all["cases"].as_array().unwrap().iter().filter(|c| c["kind"] == "no-parking").count();
    assert_eq!(parked, 1, "{all}");

    // What the detector saw lies in the ring beside the video.
    let seen = village.path().join("seen.jsonl");
    let (from, to) = (begun.to_string(), now().to_string());
    let export = village.matthon(&["export", "--camera", "pho", "--from", &from, "--to", &to, "--out", seen.to_str().unwrap()], "").await;
    assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
    let seen = std::fs::read_to_string(&seen).unwrap();
    let cars = seen.lines().filter(|l| l.contains("\"car\"")).count();
    assert!(cars >= 25, "{cars} observations with a car");

    let pid = workers(daemon.pid());
    assert_eq!(pid.len(), 1);
    let (status, took) = daemon.terminate().await;
    assert!(status.success() && took < Duration::from_secs(5), "SIGTERM: {status} after {took:?}");
    until("the worker ends with the core", Duration::from_secs(5), || async { (!matthon_tests::worker::alive(pid[0])).then_some(()) })
        .await;
    camsim.stop().await;
}

#[tokio::test]
async fn a_replay_finds_the_parked_car_and_says_the_same_twice() {
    let name = "a_replay_finds_the_parked_car_and_says_the_same_twice";
    let (Some(video), Some(model)) = (shared(name, "data/video/ahmet-vehicle.mp4"), shared(name, "data/models/yolox_nano.onnx")) else {
        return;
    };
    let village = Village::new(&format!(
        "[vision]\nmodel = \"yolox-nano\"\n[[camera]]\nid = \"pho\"\nname = \"Phố\"\nmain = \"rtsp://127.0.0.1:9/main\"\n{DRIVE}"
    ));
    let replay = ["replay", "--camera", "pho", "--video", video.to_str().unwrap(), "--json"];
    let without = village.matthon(&replay, "").await;
    assert_eq!(without.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&without.stderr).contains("matthon models pull yolox-nano"));

    pull(&village, &model).await;
    let mut said = Vec::new();
    for _ in 0..2 {
        let out = village.matthon(&replay, "").await;
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        said.push(String::from_utf8(out.stdout).unwrap());
    }
    assert_eq!(said[0], said[1]);
    let lines: Vec<Value> = said[0].lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{}", said[0]);
    let v = &lines[0];
    assert_eq!(v["kind"], "no-parking");
    // The car is there from the first picture; the detector is sure enough to begin a track only from 2.0 s on.
    assert!(v["start_s"].as_f64().unwrap() < 3.0 && v["end_s"].as_f64().unwrap() > 9.5, "{v}");
    assert!(v["box"][0].as_f64().unwrap() > 0.9 && v["track"].is_u64() && v["measured"]["dwell_s"].is_number(), "{v}");
    assert!(!v["why"]["vi"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn without_a_model_everything_else_works_and_a_wrong_one_is_refused_by_name() {
    let camsim = Camsim::start(&["id=pho,size=320x180,sub-size=160x90,fps=15,gop=1s"]).await;
    let village = street(&camsim, "");
    let wrong = village.path().join("wrong.onnx");
    std::fs::write(&wrong, b"not a model").unwrap();
    let pulled = village.matthon(&["models", "pull", "yolox-nano", "--from", wrong.to_str().unwrap()], "").await;
    assert_eq!(pulled.status.code(), Some(1));
    let said = String::from_utf8_lossy(&pulled.stderr).into_owned();
    assert!(said.contains("yolox-nano") && said.contains("sha256"), "{said}");

    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("pho", "main", "ok", 20).await;
    until("the box says that no model is there", Duration::from_secs(20), || async {
        (api.json("status").await["vision"]["state"] == "no-model").then_some(())
    })
    .await;
    // A case by hand has a still all the same: decoding needs no model.
    let begun = now();
    api.until_recorded("pho", begun, 2_000_000, 20).await;
    let case: Value = api.post("cases", &json!({"camera": "pho", "note": ""})).await.json().await.unwrap();
    until("its evidence", Duration::from_secs(60), || async {
        let case = api.json(&format!("cases/{}", case["id"])).await;
        (case["still"] == "main" && case["clip"] == "done").then_some(())
    })
    .await;
    let snapshot = village.path().join("snapshot.jpg");
    let response = api.get("cameras/pho/snapshot.jpg").await;
    assert!(response.status().is_success());
    std::fs::write(&snapshot, response.bytes().await.unwrap()).unwrap();
    assert_eq!(size(&snapshot), (320, 180));
    let (status, _) = daemon.terminate().await;
    assert!(status.success());
    camsim.stop().await;
}
