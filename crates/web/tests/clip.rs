//! Playback from a real ring: the timeline, whole clips, ranges, and what a player asks besides.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::Role;
use reqwest::header::HeaderMap;
use std::time::Duration;
use support::{Village, client, format, frame, kind};

const SECONDS: i64 = 20;

/// A box that recorded 20 s, and a token.
async fn recorded() -> (Village, String) {
    let village = Village::start(true).await;
    let token = village.token("ba-thanh", Role::Police);
    let format = format();
    let recorder = village.recorder.clone().unwrap();
    for n in 0..SECONDS * 25 {
        recorder.push(&frame(&format, "cong-lang", n));
    }
    village.clock.advance(Duration::from_secs(SECONDS as u64));
    tokio::task::spawn_blocking(move || recorder.close()).await.unwrap().unwrap();
    (village, token)
}

fn clip(from: i64, to: i64) -> String {
    let noon = support::NOON.0 / 1_000_000;
    format!("/api/v1/cameras/cong-lang/clip.mp4?from={}&to={}", noon + from, noon + to)
}

async fn ask(village: &Village, token: &str, path: &str, headers: &[(&'static str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
    let mut request = client().get(village.url(path)).bearer_auth(token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, fields) = (answer.status().as_u16(), answer.headers().clone());
    (status, fields, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn the_timeline_shows_what_is_recorded() {
    let (village, token) = recorded().await;
    let noon = support::NOON;
    let path = format!(
        "/api/v1/cameras/cong-lang/timeline?from={}&to={}",
        noon.minus(Duration::from_secs(60)),
        noon.plus(Duration::from_secs(60))
    );
    let line: serde_json::Value = village.get(&path, &token).await.json().await.unwrap();
    let spans = line["spans"].as_array().unwrap();
    assert_eq!((spans.len(), &spans[0]["from"], &line["stream"]), (1, &noon.to_string().into(), &"main".into()));
    let end = domain::WallTime::parse(spans[0]["to"].as_str().unwrap()).unwrap();
    assert!((end.micros_since(noon) - SECONDS * 1_000_000).abs() <= 1_000_000, "{end}");
    let other: serde_json::Value = village.get(&path.replace("cong-lang", "nha-van-hoa"), &token).await.json().await.unwrap();
    assert_eq!(other["spans"], serde_json::json!([]));
}

#[tokio::test]
async fn a_clip_has_a_length_a_tag_a_name_and_every_frame() {
    let (village, token) = recorded().await;
    let (status, headers, body) = ask(&village, &token, &clip(5, 10), &[]).await;
    assert_eq!(
        (status, &headers["content-type"], &headers["accept-ranges"]),
        (200, &"video/mp4".parse().unwrap(), &"bytes".parse().unwrap())
    );
    assert_eq!(headers["content-length"].to_str().unwrap(), body.len().to_string());
    let name = headers["content-disposition"].to_str().unwrap();
    assert!(name.contains("attachment; filename=\"cong-lang_2026-11-2") && name.ends_with(".mp4\""), "{name}");
    assert_eq!(&body[4..8], b"ftyp");
    // Each frame's bytes end in its number: those of seconds 5 to 10 are there once, in order, and no others.
    let mut seen = Vec::new();
    let mut at = 0;
    while let Some(found) = body[at..].windows(247).position(|w| w.iter().all(|b| *b == 0xaa)) {
        at += found + 247;
        seen.push(i64::from_be_bytes(body[at..at + 8].try_into().unwrap()));
    }
    assert_eq!(seen, (125..250).collect::<Vec<_>>());
    let head = client().head(village.url(&clip(5, 10))).bearer_auth(&token).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-length"], &head.headers()["etag"]),
        (200, &headers["content-length"], &headers["etag"])
    );
}

#[tokio::test]
async fn ranges_join_to_the_whole() {
    let (village, token) = recorded().await;
    // Long enough over that its plan is kept from one range to the next.
    village.clock.advance(Duration::from_secs(15));
    let path = clip(0, 20);
    let (_, headers, whole) = ask(&village, &token, &path, &[]).await;
    let etag = headers["etag"].to_str().unwrap().to_owned();
    let mut joined = Vec::new();
    while joined.len() < whole.len() {
        let range = format!("bytes={}-{}", joined.len(), joined.len() + 40_000);
        let (status, headers, body) = ask(&village, &token, &path, &[("range", &range), ("if-range", &etag)]).await;
        let end = joined.len() + body.len();
        assert_eq!(status, 206);
        assert_eq!(headers["content-range"].to_str().unwrap(), format!("bytes {}-{}/{}", joined.len(), end - 1, whole.len()));
        joined.extend(body);
    }
    assert!(joined == whole);
    let (status, _, last) = ask(&village, &token, &path, &[("range", "bytes=-100")]).await;
    assert_eq!((status, &last[..]), (206, &whole[whole.len() - 100..]));
    let (status, headers, _) = ask(&village, &token, &path, &[("range", "bytes=99999999-")]).await;
    assert_eq!((status, headers["content-range"].to_str().unwrap()), (416, &format!("bytes */{}", whole.len())[..]));
    let (status, _, body) = ask(&village, &token, &path, &[("range", "bytes=0-1"), ("if-range", "\"other\"")]).await;
    assert_eq!((status, body.len()), (200, whole.len()));
    let (status, _, body) = ask(&village, &token, &path, &[("if-none-match", &etag)]).await;
    assert_eq!((status, body.len()), (304, 0));
    // Planned anew it is the same film.
    village.clock.advance(Duration::from_secs(61));
    let (_, headers, again) = ask(&village, &token, &path, &[]).await;
    assert!(again == whole && headers["etag"].to_str().unwrap() == etag);
}

#[tokio::test]
async fn where_nothing_was_recorded_there_is_no_clip() {
    let (village, token) = recorded().await;
    assert_eq!(kind(village.get(&clip(-3600, -1800), &token).await).await, (404, "no-recording".into()));
    let other = clip(0, 10).replace("cong-lang", "nha-van-hoa");
    assert_eq!(kind(village.get(&other, &token).await).await, (404, "no-recording".into()));
}
