//! What is decided anew while a live socket is open: a camera that comes later, one that changes, a rendition that ended.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Channel, Role};
use serde_json::{Value, json};
use support::{
    Village, format, frame, h265,
    socket::{Socket, next, say, told, watch},
    until,
};
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};

const HEVC: &str = "hvc1.1.6.L93.B0";

fn begun(village: &Village) -> Vec<String> {
    village.renditions.begun.lock().unwrap().clone()
}

async fn watched(village: &Village, source: usize) {
    until("it is watched", async || (village.sources[source].subscribers() > 0).then_some(())).await;
}

/// The first text about pictures, with which no pictures came before.
async fn first(socket: &mut Socket) -> Value {
    loop {
        match next(socket).await {
            Message::Text(text) => {
                let text: Value = serde_json::from_str(&text).unwrap();
                if text["type"] != "state" {
                    return text;
                }
            }
            other => panic!("nothing was due before the format: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_camera_that_comes_only_after_the_socket_opened_is_shown_in_h264_all_the_same() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    village.feed_rendition("nha-van-hoa/main/h264");
    village.feed_rendition("cong-lang/sub/h264");
    let mut socket = watch(&village, "live?cameras=nha-van-hoa&codec=h264", &token).await;
    watched(&village, 2).await;
    assert!(begun(&village).is_empty(), "nothing is converted before there is something");
    // The board does not know it yet.
    village.sources[2].publish(frame(&h265(), "nha-van-hoa", 0));
    let text = first(&mut socket).await;
    assert_eq!((&text["type"], &text["converted"], &text["ch"]), (&json!("format"), &json!(true), &json!(0)), "{text}");
    assert!(text["codecs"].as_str().unwrap().starts_with("avc1"), "{text}");
    assert_eq!(begun(&village), ["nha-van-hoa/main/h264"]);
    until("nobody reads what he cannot play", async || (village.sources[2].subscribers() == 0).then_some(())).await;
    // Of one with a small stream that is looked at first; it is no better.
    let mut socket = watch(&village, "cameras/cong-lang/live?stream=main&codec=h264", &token).await;
    watched(&village, 0).await;
    village.sources[0].publish(frame(&h265(), "cong-lang", 0));
    watched(&village, 1).await;
    village.sources[1].publish(frame(&h265(), "cong-lang", 0));
    let text = first(&mut socket).await;
    assert_eq!((&text["converted"], &text["stream"]), (&json!(true), &json!("sub")), "{text}");
    // Whoever plays everything gets what comes.
    let mut plain = watch(&village, "cameras/cong-lang/live?stream=main", &token).await;
    watched(&village, 0).await;
    village.sources[0].publish(frame(&h265(), "cong-lang", 0));
    assert!(first(&mut plain).await["codecs"].as_str().unwrap().starts_with("hvc1"));
}

#[tokio::test]
async fn a_camera_that_changes_under_its_viewer_goes_on_by_its_small_stream() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let mut socket = watch(&village, "cameras/cong-lang/live?stream=main&codec=h264", &token).await;
    watched(&village, 0).await;
    village.sources[0].publish(frame(&format(), "cong-lang", 0));
    assert_eq!(told(&mut socket, "format").await["stream"], "main");
    village.sources[0].publish(frame(&h265(), "cong-lang", 25));
    watched(&village, 1).await;
    village.sources[1].publish(frame(&format(), "cong-lang", 0));
    let text = told(&mut socket, "format").await;
    assert_eq!((&text["stream"], text.get("converted")), (&json!("sub"), None), "{text}");
    // With sound, which lies on the time of the picture it came with, it begins anew.
    let mut heard = watch(&village, "cameras/cong-lang/live/sound?stream=main&codec=h264", &token).await;
    let close = loop {
        if let Message::Close(close) = next(&mut heard).await {
            break close.unwrap();
        }
    };
    assert_eq!(close.code, CloseCode::Again);
}

#[tokio::test]
async fn what_is_wanted_again_is_decided_again() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    village.feed();
    village.feed_rendition("cong-lang/sub/h264");
    let mut socket = watch(&village, "live?cameras=cong-lang,nha-van-hoa&codec=h264&want=0", &token).await;
    assert_eq!(told(&mut socket, "format").await.get("converted"), None);
    say(&mut socket, r#"{"want":[]}"#).await;
    village.sends("cong-lang", Channel::Main, HEVC);
    village.sends("cong-lang", Channel::Sub, HEVC);
    say(&mut socket, r#"{"want":[0]}"#).await;
    assert_eq!(told(&mut socket, "format").await["converted"], true);
    village.sends("cong-lang", Channel::Main, "avc1.64001f");
    say(&mut socket, r#"{"want":[1]}"#).await;
    say(&mut socket, r#"{"want":[0]}"#).await;
    assert_eq!(told(&mut socket, "format").await.get("converted"), None);
}

#[tokio::test]
async fn a_rendition_that_ended_while_its_tile_was_out_of_sight_is_begun_again() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    village.sends("nha-van-hoa", Channel::Main, HEVC);
    village.feed_rendition("nha-van-hoa/main/h264");
    let mut socket = watch(&village, "live?cameras=nha-van-hoa&codec=h264", &token).await;
    for n in 1..4 {
        assert_eq!(told(&mut socket, "format").await["converted"], true);
        while !matches!(next(&mut socket).await, Message::Binary(bytes) if &bytes[5..9] == b"moof") {}
        assert_eq!(begun(&village), vec!["nha-van-hoa/main/h264"; n]);
        say(&mut socket, r#"{"want":[]}"#).await;
        let source = village.renditions.source("nha-van-hoa/main/h264").unwrap();
        until("nobody watches it", async || (source.subscribers() == 0).then_some(())).await;
        village.renditions.end("nha-van-hoa/main/h264");
        say(&mut socket, r#"{"want":[0]}"#).await;
    }
}
