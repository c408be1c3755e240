//! What somebody is shown live: what the camera sends, a rendition of it for browsers that cannot play that, a covered one where masks hide something.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Channel, Role};
use futures::StreamExt;
use matthon_web::{
    Renditions,
    endpoints::{Access, Method, table},
};
use serde_json::{Value, json};
use std::time::Duration;
use support::{
    NOON, Village, format, frame, id, kind,
    socket::{told, watch},
    until,
};

#[tokio::test]
async fn who_plays_h264_only_gets_the_stream_or_the_sub_stream_or_a_rendition_and_is_told_which() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let (avc, hevc) = ("avc1.64001f", "hvc1.1.6.L93.B0");
    for (main, sub, asked, begun) in [
        (avc, avc, "main", None),
        (hevc, avc, "main", None),
        (hevc, avc, "sub", None),
        (hevc, hevc, "main", Some("cong-lang/sub/h264")),
        (hevc, hevc, "sub", Some("cong-lang/sub/h264")),
        (avc, hevc, "sub", Some("cong-lang/sub/h264")),
    ] {
        village.sends("cong-lang", Channel::Main, main);
        village.sends("cong-lang", Channel::Sub, sub);
        village.renditions.begun.lock().unwrap().clear();
        // Without the question it is what the camera sends.
        drop(watch(&village, &format!("cameras/cong-lang/live?stream={asked}"), &token).await);
        assert!(village.renditions.begun.lock().unwrap().is_empty());
        drop(watch(&village, &format!("cameras/cong-lang/live?stream={asked}&codec=h264"), &token).await);
        assert_eq!(village.renditions.begun.lock().unwrap().first().map(String::as_str), begun, "{main} {sub} {asked}");
    }
    // One without a sub stream: the main one is converted; one that never came: nothing is, yet.
    drop(watch(&village, "cameras/nha-van-hoa/live?stream=sub&codec=h264", &token).await);
    assert_eq!(village.renditions.begun.lock().unwrap().len(), 1);
    village.sends("nha-van-hoa", Channel::Main, hevc);
    village.feed_rendition("nha-van-hoa/main/h264");
    let mut socket = watch(&village, "live?cameras=nha-van-hoa&stream=sub&codec=h264", &token).await;
    let text = told(&mut socket, "format").await;
    assert_eq!((&text["converted"], &text["stream"], text.get("covered")), (&json!(true), &json!("main"), None), "{text}");
    let answer = village.get("/api/v1/cameras/nha-van-hoa/hls/index.m3u8?codec=h264", &token).await;
    let playlist = answer.text().await.unwrap();
    assert!(playlist.contains(".m4s?codec=h264"), "{playlist}");
    assert_eq!(kind(village.get("/api/v1/cameras/nha-van-hoa/hls/index.m3u8?codec=vp9", &token).await).await, (400, "bad-request".into()));
}

#[tokio::test]
async fn one_that_cannot_be_had_is_told_by_name_and_the_others_on_the_socket_are_shown() {
    let village = Village::start(false).await;
    village.feed();
    let token = village.token("ba-thanh", Role::Official);
    for (camera, channel) in [("cho", Channel::Main), ("cho", Channel::Sub), ("dinh", Channel::Main), ("dinh", Channel::Sub)] {
        village.renditions.begin(&id(camera), channel, false).unwrap();
    }
    village.sends("cong-lang", Channel::Main, "avc1.64001f");
    village.sends("nha-van-hoa", Channel::Main, "hvc1.1.6.L93.B0");
    let mut socket = watch(&village, "live?cameras=nha-van-hoa,cong-lang&stream=main&codec=h264", &token).await;
    let text = told(&mut socket, "refused").await;
    assert_eq!((&text["ch"], &text["camera"], &text["kind"]), (&json!(0), &json!("nha-van-hoa"), &json!("renditions-full")), "{text}");
    assert!(text["detail"].as_str().unwrap().contains("4 pictures already"), "{text}");
    assert_eq!(told(&mut socket, "format").await["ch"], 1);
    let mut alone = watch(&village, "cameras/nha-van-hoa/live?codec=h264", &token).await;
    assert_eq!(told(&mut alone, "refused").await["kind"], "renditions-full");
    let answer = village.get("/api/v1/cameras/nha-van-hoa/hls/index.m3u8?codec=h264", &token).await;
    assert_eq!(answer.headers()["retry-after"], "5");
    assert_eq!(kind(answer).await, (503, "renditions-full".into()));
}

/// What is evidence stays as it was recorded, and says so: pictures and clips of cases, packages for authorities.
const EVIDENCE: &[&str] = &["/api/v1/cases/{id}/still.jpg", "/api/v1/cases/{id}/clip.mp4", "/api/v1/exports/{id}"];

/// Whether something came through that only the camera itself sends.
fn uncovered(bytes: &[u8]) -> bool {
    bytes.windows(64).any(|w| w.iter().all(|b| *b == 0xaa))
}

/// Everything that can be read of the masked camera, by each row of the table.
async fn shown(village: &Village, token: &str) -> Vec<(&'static str, u16, bool)> {
    let (from, to) = (NOON.to_string(), NOON.plus(Duration::from_secs(8)).to_string());
    let mut all = Vec::new();
    for row in table().filter(|row| row.method == Method::Get && matches!(row.access, Access::Roles(_)) && !EVIDENCE.contains(&row.path)) {
        // Of now: segments go as others come.
        let playlist = village.get("/api/v1/cameras/cong-lang/hls/index.m3u8", token).await.text().await.unwrap();
        let segment = playlist.lines().find(|line| line.starts_with("seg-")).unwrap_or("seg-1.m4s");
        let path = row.path.replace("cameras/{id}", "cameras/cong-lang").replace("{file}", segment).replace("{film}", "cong-lang.mp4");
        let url = format!("{path}?from={from}&to={to}&at={to}&cameras=cong-lang");
        let mut seen = Vec::new();
        if row.path.ends_with("/live") {
            let mut socket = watch(village, &format!("{}?cameras=cong-lang", path.trim_start_matches("/api/v1/")), token).await;
            let some = async {
                while seen.len() < 5000 {
                    match socket.next().await {
                        Some(Ok(message)) => seen.extend_from_slice(&message.into_data()),
                        _ => break,
                    }
                }
            };
            tokio::time::timeout(Duration::from_secs(20), some).await.expect("pictures come");
            all.push((row.path, 101, uncovered(&seen)));
            continue;
        }
        let answer = village.get(&url, token).await;
        let status = answer.status().as_u16();
        // Some never end.
        let mut body = answer.bytes_stream();
        while let Ok(Some(Ok(part))) = tokio::time::timeout(Duration::from_secs(2), body.next()).await {
            seen.extend_from_slice(&part);
        }
        all.push((row.path, status, uncovered(&seen)));
    }
    all
}

#[tokio::test]
async fn no_row_of_the_table_shows_anybody_but_the_police_what_masks_cover() {
    let village = Village::masked().await;
    village.feed();
    village.feed_rendition("cong-lang/main/covered");
    let recorder = village.recorder.clone().unwrap();
    let format = format();
    (0..500).for_each(|n| {
        recorder.push(&frame(&format, "cong-lang", n));
    });
    village.clock.advance(Duration::from_secs(20));
    let police = village.token("thieu-ta", Role::Police);
    let clip = format!("/api/v1/cameras/cong-lang/clip.mp4?from={NOON}&to={}", NOON.plus(Duration::from_secs(8)));
    until("it is recorded", || async { (village.get(&clip, &police).await.status() == 200).then_some(()) }).await;
    let open: Vec<_> = shown(&village, &police).await.into_iter().filter(|(.., uncovered)| *uncovered).map(|(path, ..)| path).collect();
    let live = ["/api/v1/cameras/{id}/live", "/api/v1/cameras/{id}/hls/{file}", "/api/v1/live"];
    assert!(
        live.iter().chain(&["/api/v1/cameras/{id}/clip.mp4"]).all(|path| open.contains(path)),
        "the walk finds what is there: {open:?}"
    );
    assert!(village.renditions.begun.lock().unwrap().is_empty(), "nothing is made for the police");

    for (name, role) in
        [("ba-thanh", Role::Official), ("quan-tri", Role::Admin), ("man-hinh", Role::Viewer), ("ky-thuat", Role::Technician)]
    {
        let token = village.token(name, role);
        let all = shown(&village, &token).await;
        let leaks: Vec<_> = all.iter().filter(|(.., uncovered)| *uncovered).collect();
        assert!(leaks.is_empty(), "{role}: {leaks:?}");
        let status = |wanted: &str| all.iter().find(|(path, ..)| *path == wanted).unwrap().1;
        assert!(live.iter().all(|path| matches!(status(path), 101 | 200)), "{role} sees it covered");
        assert_eq!(status("/api/v1/cameras/{id}/clip.mp4"), 403);
        let seen = village.read("/api/v1/cameras", &token).await;
        assert_eq!((&seen["cameras"][0]["masked"], &seen["cameras"][1]["masked"]), (&json!(true), &json!(false)));
    }
    let official = village.store.issue_token("ba-thanh", NOON).unwrap();
    assert_eq!(kind(village.get(&clip, &official).await).await, (403, "masked".into()));
    // Whoever keeps something aside keeps it for those who may see it.
    let range = (NOON.to_string(), NOON.plus(Duration::from_secs(8)).to_string());
    let kept = village.post("/api/v1/kept", &official, &json!({"cameras": ["cong-lang"], "from": range.0, "to": range.1})).await;
    let kept: Value = kept.json().await.unwrap();
    let film = format!("/api/v1/kept/{}/cong-lang.mp4", kept["id"].as_str().unwrap());
    assert_eq!(kind(village.get(&film, &official).await).await, (403, "masked".into()));
    assert_eq!(village.get(&film, &police).await.status(), 200);
    assert_eq!(village.read("/api/v1/cameras", &police).await["cameras"][0]["masked"], false);
    // A case is made by hand of any moment: it is no way round.
    let made: Value = village.post("/api/v1/cases", &official, &json!({"camera": "cong-lang", "note": ""})).await.json().await.unwrap();
    for piece in ["still.jpg", "clip.mp4"] {
        let path = format!("/api/v1/cases/{}/{piece}", made["id"]);
        assert_eq!(kind(village.get(&path, &official).await).await, (403, "masked".into()));
        assert_ne!(village.get(&path, &police).await.status(), 403);
    }
    let mut socket = watch(&village, "cameras/cong-lang/live?stream=main", &official).await;
    assert_eq!(told(&mut socket, "format").await["covered"], true);
    assert!(village.renditions.begun.lock().unwrap().iter().all(|name| name.ends_with("/covered")));
}
