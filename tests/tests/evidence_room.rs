//! A store of evidence with a tiny quota, through the real binary: what is kept when it is full, what is held, what a start deletes.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use domain::WallTime;
use matthon_tests::{
    Camsim, Village,
    api::Api,
    frames::{assert_contiguous, frames},
    until,
    village::now,
};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

async fn case_by_hand(api: &Api) -> i64 {
    let made = api.post("cases", &json!({"camera": "cong", "note": ""})).await;
    assert_eq!(made.status(), 201);
    made.json::<Value>().await.unwrap()["id"].as_i64().unwrap()
}

async fn until_clip(api: &Api, id: i64, clip: &str) -> Value {
    until(&format!("the clip of case {id} is {clip}"), Duration::from_secs(60), || async {
        let case = api.json(&format!("cases/{id}")).await;
        (case["clip"] == clip).then_some(case)
    })
    .await
}

fn configured(village: &Village, quota: &str) {
    let text = std::fs::read_to_string(&village.config).unwrap();
    let lines = text.lines().map(|line| match line {
        _ if line.starts_with("quota = ") => format!("quota = \"{quota}\""),
        "keep = \"15d\"" if !text.contains("keep_unconfirmed") => "keep = \"15d\"\nkeep_unconfirmed = \"1m\"".to_owned(),
        other => other.to_owned(),
    });
    std::fs::write(&village.config, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
}

/// Bytes that lie in a folder, walked: what the box says without walking must be the same.
fn walked(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let size = |e: std::fs::DirEntry| if e.path().is_dir() { walked(&e.path()) } else { e.metadata().unwrap().len() };
    entries.map(|e| size(e.unwrap())).sum()
}

#[tokio::test]
async fn a_full_store_keeps_times_deletes_nothing_and_says_so() {
    let camsim = Camsim::start(&["id=cong,size=1280x720,sub=no,fps=15,gop=1s,bitrate=3000k"]).await;
    let cameras =
        format!("[evidence]\nquota = \"1MB\"\n[[camera]]\nid = \"cong\"\nname = \"Cổng\"\nmain = \"{}/cong/main\"\n", camsim.rtsp);
    let village = Village::new(&cameras);
    configured(&village, "1MB");
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_recorded("cong", begun, 12_000_000, 60).await;
    assert_eq!(api.json("status").await["evidence"]["state"], "roomy");

    // The first case's clip takes all the room there is, and stays whole.
    let first = case_by_hand(&api).await;
    until_clip(&api, first, "done").await;
    let status = api.json("status").await;
    let used = status["evidence"]["cases"].as_u64().unwrap();
    assert!(used > 1_000_000, "{status}");
    assert_eq!(used, walked(&village.path().join("data/evidence")), "said without walking");
    assert_eq!((&status["evidence"]["state"], &status["evidence"]["quota"]), (&json!("full"), &json!(1_000_000)));
    assert!(status["problems"].as_array().unwrap().iter().any(|p| p["text_key"] == "evidence.full"), "{status}");
    let metrics = api.metrics().await;
    assert!(metrics.contains("matthon_evidence_quota_bytes 1000000"), "{metrics}");

    // The second keeps its time, and the ring has that time.
    let second = case_by_hand(&api).await;
    let case = until_clip(&api, second, "range-only").await;
    assert_eq!(api.get(&format!("cases/{second}/clip.mp4")).await.status(), 404);
    let (from, to) = (case["clip_from"].as_str().unwrap(), case["clip_to"].as_str().unwrap());
    assert!(WallTime::parse(from).unwrap() < WallTime::parse(to).unwrap(), "{case}");
    let film = village.path().join("from-the-ring.mp4");
    api.clip("cong", "main", from, to, &film).await;
    assert!(assert_contiguous(&frames(&film), &camsim.sent("cong", "main")).len() > 15 * 10);

    // Footage kept with a tap keeps its time, too; a package is refused in words.
    let wish =
        json!({"cameras": ["cong"], "from": begun.plus_micros(2_000_000).to_string(), "to": begun.plus_micros(9_000_000).to_string()});
    assert_eq!(api.post("kept", &wish).await.status(), 201);
    let kept = until("the wish is answered", Duration::from_secs(30), || async {
        let kept = api.json("kept").await["kept"][0].clone();
        (kept["state"] != "copying").then_some(kept)
    })
    .await;
    assert_eq!(kept["state"], "range-only", "{kept}");
    let mut package = wish.clone();
    (package["purpose"], package["officer"]) = (json!("thử"), json!("Tư"));
    let refused = api.post("exports", &package).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("evidence store is full"));

    // Held by an official, written down; and a start deletes nothing before its clock has been trusted for a while.
    let held = village.person("can-bo", "official").await.post(&format!("cases/{first}/hold"), &json!({"hold": true})).await;
    assert_eq!(held.json::<Value>().await.unwrap()["held"], true);
    let rows = api.json("audit?limit=1000").await;
    let held = rows["rows"].as_array().unwrap().iter().find(|r| r["what"] == "case-held").unwrap_or_else(|| panic!("{rows}"));
    assert_eq!((&held["who"], &held["subject"]), (&json!("can-bo"), &json!(first.to_string())));
    let (status, _) = daemon.terminate().await;
    assert!(status.success());
    // The second case's pictures are there as well by now.
    let left = walked(&village.path().join("data/evidence"));
    assert!(left >= used);
    // Room for one more clip, and as much again.
    let quota = (left + 2 * used).div_ceil(1_000_000) + 1;
    configured(&village, &format!("{quota}MB"));
    let daemon = village.start().await;
    let status = api.json("status").await;
    assert_eq!((&status["evidence"]["cases"], &status["evidence"]["state"]), (&json!(left), &json!("roomy")), "{status}");
    assert_eq!(walked(&village.path().join("data/evidence")), left);
    assert_eq!(api.get(&format!("cases/{first}/clip.mp4")).await.status(), 200);

    // With room again the next clip is whole.
    let third = case_by_hand(&api).await;
    until_clip(&api, third, "done").await;

    // All that was recorded so far is a package of more than is left: refused in numbers, and nothing stands in the list.
    let asked = |from: WallTime, to: WallTime| json!({"cameras": ["cong"], "from": from.to_string(), "to": to.to_string(), "viewing_copy": false, "purpose": "thử", "officer": "Tư"});
    let end = now().plus_micros(-4_000_000);
    let refused = api.post("exports", &asked(begun, end)).await;
    assert_eq!(refused.status(), 409);
    let refused: Value = refused.json().await.unwrap();
    let number = |name: &str| refused["room"][name].as_u64().unwrap();
    assert_eq!((&refused["kind"], number("quota")), (&json!("no-room"), quota * 1_000_000));
    assert!(number("used") + number("need") > number("quota") && number("need") > 1_000_000, "{refused}");
    assert_eq!(api.json("exports").await["exports"].as_array().unwrap().len(), 0);

    // One that fits is made, and deleted before its time: the room is there again.
    let package = api.post("exports", &asked(end.plus_micros(-2_000_000), end)).await;
    assert_eq!(package.status(), 201);
    let id = package.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("exports/{id}");
    until("the package is ready", Duration::from_secs(60), || async { (api.json(&path).await["state"] == "done").then_some(()) }).await;
    let file = village.path().join("data/exports").join(format!("{id}.zip"));
    assert_eq!(api.json("status").await["evidence"]["packages"].as_u64().unwrap(), file.metadata().unwrap().len());
    assert_eq!(api.delete(&path).await.status(), 204);
    assert_eq!((api.json("status").await["evidence"]["packages"].clone(), file.exists()), (json!(0), false));
    assert_eq!(api.json(&path).await["state"], "gone");
    let (status, _) = daemon.terminate().await;
    assert!(status.success());
    camsim.stop().await;
}
