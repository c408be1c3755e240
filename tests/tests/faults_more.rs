//! The faults that a camera itself brings along: no key frame, B-frames nobody told of, packets full of rubbish, a
//! monstrous frame; and a recorder of thirty cameras that is down. Each has its name, costs the others nothing, and heals.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use domain::WallTime;
use matthon_tests::{
    Camsim, Village,
    api::Api,
    frames::{Frame, assert_contiguous, frames},
    until,
    village::{free_port, now},
};
use std::{ops::Range, time::Duration};

const GOOD: &str = "id=tot,size=320x180,sub=no,fps=15,gop=1s";

/// Waits until a note is, or is not, at a camera's main stream.
async fn until_note(api: &Api, camera: &str, note: &str, there: bool, seconds: u64) {
    let what = format!("{camera} {} the note {note}", if there { "has" } else { "has lost" });
    until(&what, Duration::from_secs(seconds), || async {
        let all = api.json("cameras").await;
        let one = all["cameras"].as_array()?.iter().find(|c| c["id"] == camera)?.clone();
        let notes = one["streams"]["main"]["notes"].as_array()?;
        (notes.iter().any(|n| n == note) == there).then_some(())
    })
    .await;
}

/// The sum of the metrics of this name whose lines have all of `labels`.
async fn metric(api: &Api, name: &str, labels: &[&str]) -> f64 {
    let text = api.metrics().await;
    let has = |line: &str| line.starts_with(&format!("{name}{{")) && labels.iter().all(|label| line.contains(&format!("\"{label}\"")));
    text.lines().filter(|l| has(l)).filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// What a camera's main stream has recorded between two moments.
async fn recorded(api: &Api, village: &Village, camera: &str, from: WallTime, to: WallTime) -> Vec<Frame> {
    let file = village.path().join(format!("{camera}.mp4"));
    api.clip(camera, "main", from, to, &file).await;
    frames(&file)
}

/// The good camera's recording since `begun` is whole: begins soon, ends now, and no frame is missing in between.
async fn good_is_whole(api: &Api, village: &Village, camsim: &Camsim, begun: WallTime) -> Range<usize> {
    let end = now();
    api.until_recorded("tot", end, 0, 10).await;
    let got = recorded(api, village, "tot", begun, end).await;
    let sent = camsim.sent("tot", "main");
    let range = assert_contiguous(&got, &sent);
    assert!(range.start <= 15, "it begins with the session: frame {}", range.start);
    let last = WallTime(i64::try_from(sent[range.end - 1].t_ns / 1000).unwrap());
    assert!(end.micros_since(last) < 1_000_000, "it ends with the clip");
    range
}

#[tokio::test]
async fn a_camera_without_key_frames_is_named_and_heals_with_the_first_one() {
    let mut camsim = Camsim::start(&[GOOD, "id=khong-key,size=320x180,sub=no,fps=15,gop=60s,join=middle"]).await;
    let village = Village::watching_mains(&camsim, &["tot", "khong-key"]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("tot", "main", "ok", 20).await;
    api.until_link("khong-key", "main", "no-keyframe", 25).await;
    assert!(metric(&api, "matthon_camera_state", &["khong-key", "no-keyframe"]).await > 0.5);
    assert!(metric(&api, "matthon_frames_dropped_total", &["khong-key"]).await > 100.0, "they arrive and are dropped");
    let healed = now();
    camsim.say("key khong-key").await;
    api.until_link("khong-key", "main", "ok", 10).await;
    api.until_recorded("khong-key", healed, 1_500_000, 10).await;
    let got = recorded(&api, &village, "khong-key", begun, now()).await;
    let _ = assert_contiguous(&got, &camsim.sent("khong-key", "main"));
    good_is_whole(&api, &village, &camsim, begun).await;
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn b_frames_nobody_told_of_are_learned_and_recorded_from_the_next_key_frame_on() {
    let camsim = Camsim::start(&[GOOD, "id=b,size=320x180,sub=no,fps=15,gop=3s,bframes=3,vui=no,join=gop"]).await;
    let village = Village::watching_mains(&camsim, &["tot", "b"]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    until_note(&api, "b", "b-frames", true, 20).await;
    until_note(&api, "b", "b-frames", false, 20).await;
    api.until_link("b", "main", "ok", 5).await;
    let learned = now();
    assert!(metric(&api, "matthon_frames_dropped_total", &["b", "reordered"]).await > 0.5);
    api.until_recorded("b", learned, 1_000_000, 10).await;
    // From the key frame behind the discovery on, not a frame is missing, shown when the camera said.
    let got = recorded(&api, &village, "b", learned.minus(Duration::from_secs(3)), now()).await;
    let range = assert_contiguous(&got, &camsim.sent("b", "main"));
    assert!(range.len() >= 30, "{range:?}");
    good_is_whole(&api, &village, &camsim, begun).await;
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn rubbish_in_the_packets_harms_only_its_own_camera() {
    let mut camsim = Camsim::start(&[GOOD, "id=hong,size=320x180,sub=no,fps=15,gop=1s"]).await;
    let village = Village::watching_mains(&camsim, &["tot", "hong"]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("hong", "main", "ok", 20).await;
    camsim.say("corrupt hong 1").await;
    let what = "the damage has a name";
    until(what, Duration::from_secs(20), || async {
        let all = api.json("cameras").await;
        let main = all["cameras"].as_array()?.iter().find(|c| c["id"] == "hong")?["streams"]["main"].clone();
        let noted = main["notes"].as_array()?.iter().any(|n| n == "packet-loss");
        (noted || main["link"] == "garbage" || main["link"] == "no-keyframe").then_some(())
    })
    .await;
    assert!(metric(&api, "matthon_session_ends_total", &["hong", "crashed"]).await < 0.5, "{}", daemon.log_text());
    camsim.say("corrupt hong 0").await;
    api.until_link("hong", "main", "ok", 60).await;
    let healed = now();
    api.until_recorded("hong", healed, 3_000_000, 20).await;
    // Once it is sound again it is recorded frame by frame.
    let got = recorded(&api, &village, "hong", healed.plus(Duration::from_millis(1_100)), now()).await;
    let _ = assert_contiguous(&got, &camsim.sent("hong", "main"));
    good_is_whole(&api, &village, &camsim, begun).await;
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn a_monstrous_frame_is_dropped_by_name_and_costs_one_group_of_pictures() {
    let mut camsim = Camsim::start(&[GOOD, "id=to,size=320x180,sub=no,fps=15,gop=1s"]).await;
    let village = Village::watching_mains(&camsim, &["tot", "to"]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    for id in ["tot", "to"] {
        api.until_link(id, "main", "ok", 20).await;
    }
    // The ring of the harness has blocks of 8 MB: nothing as large as a block is recorded.
    camsim.say("swell to 9000000").await;
    until_note(&api, "to", "oversized", true, 20).await;
    assert!((metric(&api, "matthon_frames_dropped_total", &["to", "oversized"]).await - 1.0).abs() < 0.5);
    let after = now();
    api.until_link("to", "main", "ok", 10).await;
    api.until_recorded("to", after, 3_000_000, 20).await;
    let got = recorded(&api, &village, "to", after.plus(Duration::from_millis(1_100)), now()).await;
    let _ = assert_contiguous(&got, &camsim.sent("to", "main"));
    // Of the whole there is at most one group missing.
    let all = recorded(&api, &village, "to", begun, now()).await;
    let sent = camsim.sent("to", "main").into_iter().filter(|s| s.t_ns < 1000 * u64::try_from(now().0 - 1_500_000).unwrap()).count();
    assert!(all.len() + 32 >= sent, "{} of {sent} frames", all.len());
    good_is_whole(&api, &village, &camsim, begun).await;
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn thirty_refused_at_once_are_each_named_take_turns_and_heal() {
    let camsim = Camsim::start(&[GOOD]).await;
    let port = free_port();
    let names: Vec<String> = (1..=30).map(|n| format!("c{n}")).collect();
    let camera = |id: &str, url: &str| format!("[[camera]]\nid = \"{id}\"\nname = \"{id}\"\nmain = \"{url}\"\n");
    let dead: String = names.iter().map(|id| camera(id, &format!("rtsp://127.0.0.1:{port}/{id}/main"))).collect();
    let village = Village::new(&(camera("tot", &format!("{}/tot/main", camsim.rtsp)) + &dead));
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    let links = || async {
        let all = api.json("cameras").await;
        let all = all["cameras"].as_array().unwrap().clone();
        all.iter().map(|c| c["streams"]["main"]["link"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let ends = || metric(&api, "matthon_session_ends_total", &["refused"]);
    until("each of the thirty was refused by name", Duration::from_secs(30), || async {
        let all = links().await;
        (ends().await >= 30.0 && all.iter().filter(|l| *l == "refused").count() >= 20).then_some(())
    })
    .await;
    api.until_link("tot", "main", "ok", 20).await;
    let settled = now();
    api.until_recorded("tot", settled, 2_000_000, 10).await;
    // Waits double and a host is asked by turns: in all its time none was tried more often than that allows.
    let (tries, lived) = (ends().await, now().micros_since(begun) as f64 / 1e6);
    // The shortest wait before the n-th try is half of 2^n seconds.
    let most = (1..).take_while(|n| f64::from((1 << n) - 1) * 0.5 <= lived).count() as f64 + 1.0;
    assert!(tries <= 30.0 * most, "{tries} tries within {lived} s");

    let cameras: Vec<String> = names.iter().map(|id| format!("id={id},size=160x90,sub=no,fps=5,gop=1s")).collect();
    let late = Camsim::start_at(port, &cameras.iter().map(String::as_str).collect::<Vec<_>>()).await;
    until("all thirty are back", Duration::from_secs(60), || async { links().await.iter().all(|l| l == "ok").then_some(()) }).await;
    good_is_whole(&api, &village, &camsim, begun).await;
    drop(daemon);
    late.stop().await;
    camsim.stop().await;
}
