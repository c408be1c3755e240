//! WHEP over a real port: what is answered, to whom, and what is not. That pictures come is proved by `rtc` and by a browser.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Audited, Format, Role, Sample, VideoCodec, VideoFormat};
use matthon_web::{Doors, Public};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use support::{OFFER, Village, client, format, frame, id, kind};

const WHEP: &str = "/api/v1/cameras/cong-lang/webrtc";

async fn delete(village: &Village, path: &str, token: &str) -> reqwest::Response {
    client().delete(village.url(path)).bearer_auth(token).send().await.unwrap()
}

/// Where an accepted offer says its session is.
async fn accepted(village: &Village, token: &str) -> String {
    let answer = village.offer(WHEP, token, OFFER).await;
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    answer.headers()["location"].to_str().unwrap().to_owned()
}

fn viewers(village: &Village) -> usize {
    village.context.webrtc.as_ref().unwrap().viewers()
}

#[tokio::test]
async fn an_offer_is_answered_with_all_there_is_and_its_session_ends_when_asked() {
    let village = Village::start(false).await;
    village.feed();
    let token = village.token("ba-thanh", Role::Viewer);
    let answer = village.offer(&format!("{WHEP}?stream=main"), &token, OFFER).await;
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["content-type"], "application/sdp");
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(place.starts_with(&format!("{WHEP}/")), "{place}");
    let sdp = answer.text().await.unwrap();
    let port = village.context.webrtc.as_ref().unwrap().address().port();
    let candidates: Vec<&str> = sdp.lines().filter(|line| line.starts_with("a=candidate:")).collect();
    assert!(matches!(candidates[..], [one] if one.contains(&format!(" 127.0.0.1 {port} typ host"))), "{candidates:?}");
    for part in
        ["a=ice-lite", "a=setup:passive", "a=sendonly", "H264/90000", "packetization-mode=1;profile-level-id=42e01f", "a=fmtp:97 apt=96"]
    {
        assert!(sdp.contains(part), "{part} is not in {sdp}");
    }
    assert_eq!(viewers(&village), 1);
    // Nothing to trickle.
    let patched = client().patch(village.url(&place)).bearer_auth(&token).send().await.unwrap();
    assert_eq!(kind(patched).await, (405, "method".into()));
    // Nobody else's to end.
    let other = village.token("ong-ba", Role::Admin);
    assert_eq!(kind(delete(&village, &place, &other).await).await, (404, "unknown".into()));
    assert_eq!(kind(delete(&village, &place.replace("cong-lang", "nha-van-hoa"), &token).await).await, (404, "unknown".into()));
    assert_eq!(delete(&village, &place, &token).await.status(), 204);
    support::until("the place is free", async || (viewers(&village) == 0).then_some(())).await;
    assert_eq!(kind(delete(&village, &place, &token).await).await, (404, "unknown".into()));
    let row = village.store.audit_rows(None, 1).unwrap().remove(0);
    assert_eq!((row.what.as_str(), row.subject.as_str(), row.detail.as_str()), (Audited::Live.as_str(), "cong-lang", "webrtc stream=main"));
}

#[tokio::test]
async fn what_is_no_offer_is_refused_by_name() {
    let village = Village::start(false).await;
    village.feed();
    let token = village.token("ba-thanh", Role::Official);
    let json = client().post(village.url(WHEP)).bearer_auth(&token).json(&serde_json::json!({"sdp": OFFER})).send().await.unwrap();
    assert_eq!(kind(json).await, (415, "not-sdp".into()));
    for (offer, said) in [
        ("", "no line m="),
        ("v=0\r\nm=video", "offer"),
        (&OFFER.replace("m=video", "m=audio")[..], "m=video"),
        (&format!("{OFFER}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"), "m=video"),
        (&OFFER.replace("H264", "VP8"), "H.264"),
        (&OFFER.replace("a=recvonly", "a=sendonly"), "H.264"),
        (&OFFER.replace("a=fingerprint", "a=nothing"), "fingerprint"),
    ] {
        let answer = village.offer(WHEP, &token, offer).await;
        assert_eq!(answer.status(), 400, "{offer}");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["parameter"], "offer");
        assert!(body["detail"].as_str().unwrap().contains(said), "{said}: {body}");
    }
    let bytes = client().post(village.url(WHEP)).bearer_auth(&token).header("Content-Type", "application/sdp; charset=utf-8");
    assert_eq!(kind(bytes.body(vec![0xff; 100]).send().await.unwrap()).await, (400, "bad-request".into()));
    assert_eq!(kind(village.offer(WHEP, &token, &" ".repeat(20 << 10)).await).await, (413, "too-large".into()));
    assert_eq!(kind(village.offer(&format!("{WHEP}?stream=third"), &token, OFFER).await).await, (400, "bad-request".into()));
    assert_eq!(kind(village.offer("/api/v1/cameras/xa-lo/webrtc", &token, OFFER).await).await, (404, "unknown".into()));
    // The wall comes by the socket alone.
    assert_eq!(kind(village.offer("/api/v1/cameras/wall/webrtc", &token, OFFER).await).await, (404, "unknown".into()));
    let near = village.token("ong-ba", Role::Official);
    village.store.set_cameras("ong-ba", Some(&[id("nha-van-hoa")])).unwrap();
    assert_eq!(kind(village.offer(WHEP, &near, OFFER).await).await, (404, "unknown".into()));
    assert_eq!(viewers(&village), 0, "who was refused holds no place");
    assert!(village.store.audit_rows(None, 9).unwrap().is_empty(), "and saw nothing");
}

#[tokio::test]
async fn what_webrtc_does_not_carry_is_named() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let ask = async |path: &str| {
        let answer = village.offer(path, &token, OFFER).await;
        let status = answer.status().as_u16();
        let body: serde_json::Value = answer.json().await.unwrap();
        (status, body["kind"].as_str().unwrap().to_owned(), body["codec"].as_str().unwrap_or_default().to_owned())
    };
    let h264 = format();
    let Some(video) = h264.video().cloned() else { panic!("video") };
    let h265 = Arc::new(Format::Video(VideoFormat { codec: VideoCodec::H265, ..video }));
    village.sources[0].publish(frame(&h265, "cong-lang", 0));
    assert_eq!(ask(WHEP).await, (406, "not-by-webrtc".into(), "H.265".into()));
    let group: Vec<Sample> = (0..3).map(|n| frame(&h264, "cong-lang", n)).collect();
    village.sources[1].publish(group[0].clone());
    village.sources[1].publish(Sample { pts: 2 * 3600, ..group[1].clone() });
    village.sources[1].publish(Sample { pts: 3600, ..group[2].clone() });
    assert_eq!(ask(&format!("{WHEP}?stream=sub")).await, (406, "not-by-webrtc".into(), "H.264 (B-frames)".into()));
    let begun = Instant::now();
    assert_eq!(ask("/api/v1/cameras/nha-van-hoa/webrtc").await, (503, "no-picture".into(), String::new()));
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(viewers(&village), 0);
}

#[tokio::test]
async fn places_are_bounded_and_given_up_by_whoever_does_not_come_or_may_not_any_more() {
    let village = Village::start(false).await;
    village.feed();
    let token = village.token("ba-thanh", Role::Official);
    // One person takes no more than half of them.
    for _ in 0..16 {
        accepted(&village, &token).await;
    }
    let yours = village.offer(WHEP, &token, OFFER).await;
    assert_eq!(yours.headers()["retry-after"], "5");
    assert_eq!(kind(yours).await, (503, "webrtc-yours".into()));
    assert_eq!(viewers(&village), 16, "who was refused holds no place");
    let other = village.token("ong-ba", Role::Official);
    for _ in 0..16 {
        accepted(&village, &other).await;
    }
    let third = village.token("chi-hoa", Role::Viewer);
    let full = village.offer(WHEP, &third, OFFER).await;
    assert_eq!(full.headers()["retry-after"], "5");
    assert_eq!(kind(full).await, (503, "live-full".into()));
    // Nobody comes: ten seconds.
    support::until("all places are free", async || (viewers(&village) == 0).then_some(())).await;
    // Signed out, he is let go before that.
    let begun = Instant::now();
    let place = accepted(&village, &token).await;
    village.store.revoke_tokens("ba-thanh").unwrap();
    support::until("the place is free", async || (viewers(&village) == 0).then_some(())).await;
    assert!(begun.elapsed() < Duration::from_millis(9_500), "{:?}", begun.elapsed());
    let again = village.store.issue_token("ba-thanh", support::NOON).unwrap();
    assert_eq!(delete(&village, &place, &again).await.status(), 404);
    // The end of the server is everybody's.
    accepted(&village, &again).await;
    let begun = Instant::now();
    village.stop.cancel();
    village.server.await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(village.context.webrtc.as_ref().unwrap().viewers(), 0);
}

#[tokio::test]
async fn a_page_is_told_whether_it_is_there_on_its_way_in() {
    let trusted = vec!["127.0.0.1/32".parse().unwrap()];
    let village = Village::behind(false, Doors { certificate: None, public: Public::new("https://thon.example.vn"), trusted }).await;
    let token = village.token("ba-thanh", Role::Official);
    let told = async |headers: &[(&str, &str)]| {
        let request = client().get(village.url("/api/v1/session")).bearer_auth(&token);
        let answer = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()["webrtc"].as_bool().unwrap()
    };
    assert!(told(&[]).await);
    assert!(!told(&[("Host", "thon.example.vn"), ("X-Forwarded-For", "203.0.113.9")]).await, "no tunnel carries UDP");
}
