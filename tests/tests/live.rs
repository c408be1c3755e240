//! Live fragments over the WebSocket, as the contract describes them.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use futures::{Stream, StreamExt};
use matthon_tests::{
    Camsim, Village,
    frames::{assert_contiguous, frames},
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use tokio_tungstenite::tungstenite::Message;

async fn next(socket: &mut (impl Stream<Item = Message> + Unpin)) -> Message {
    loop {
        let message =
            tokio::time::timeout(Duration::from_secs(15), socket.next()).await.expect("a message in 15 s").expect("the socket is open");
        if !matches!(message, Message::Ping(_) | Message::Pong(_)) {
            return message;
        }
    }
}

#[tokio::test]
async fn one_camera_sends_text_then_init_then_one_frame_a_message() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;
    let mut socket = api.socket("cameras/cong/live?stream=main").await;
    let text: Value = loop {
        let Message::Text(text) = next(&mut socket).await else { panic!("text comes first") };
        let text: Value = serde_json::from_str(&text).unwrap();
        if text["type"] == "format" {
            break text;
        }
    };
    assert!(text["codecs"].as_str().unwrap().starts_with("avc1."), "{text}");
    assert_eq!((text["width"].as_u64(), text["height"].as_u64()), (Some(320), Some(180)), "{text}");
    let mut file = Vec::new();
    let mut fragments = 0;
    while fragments < 45 {
        match next(&mut socket).await {
            Message::Binary(bytes) => {
                let first_box = &bytes[4..8];
                assert_eq!(first_box, if file.is_empty() { b"ftyp" } else { b"moof" });
                fragments += u32::from(first_box == b"moof");
                file.extend_from_slice(&bytes);
            }
            Message::Text(text) => panic!("unexpected {text}"),
            other => panic!("unexpected {other:?}"),
        }
    }
    let path = village.path().join("live.mp4");
    std::fs::write(&path, file).unwrap();
    let got = frames(&path);
    assert_eq!(got.len(), 45, "one frame a message");
    let _ = assert_contiguous(&got, &camsim.sent("cong", "main"));
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn many_cameras_share_a_socket_and_a_new_resolution_repeats_text_and_init() {
    let ids = ["cong", "cho", "truong"];
    let specs = ids.map(|id| format!("id={id},size=320x180,sub-size=160x90,fps=15,sub-fps=15,gop=1s"));
    let mut camsim = Camsim::start(&specs.each_ref().map(String::as_str)).await;
    let village = Village::watching(&camsim, &ids);
    let daemon = village.start().await;
    let api = village.admin().await;
    for id in ids {
        api.until_link(id, "main", "ok", 20).await;
    }
    let mut socket = api.socket("live?cameras=cong,cho,truong&stream=main").await;
    let mut formats: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    let mut frames: BTreeMap<u8, usize> = BTreeMap::new();
    let mut resized = false;
    loop {
        match next(&mut socket).await {
            Message::Text(text) => {
                let text: Value = serde_json::from_str(&text).unwrap();
                if text["type"] == "format" {
                    let ch = text["ch"].as_u64().unwrap();
                    assert_eq!(text["camera"], ids[usize::try_from(ch).unwrap()]);
                    formats.entry(ch).or_default().push((text["width"].as_u64().unwrap(), text["height"].as_u64().unwrap()));
                }
            }
            Message::Binary(bytes) => {
                assert!(matches!(&bytes[5..9], b"ftyp" | b"moof"), "one byte of channel, then a box");
                *frames.entry(bytes[0]).or_default() += usize::from(&bytes[5..9] == b"moof");
            }
            other => panic!("unexpected {other:?}"),
        }
        if !resized && frames.len() == 3 && frames.values().all(|n| *n > 20) {
            camsim.say("resize cho 640x360").await;
            resized = true;
            frames.clear();
        }
        if resized
            && formats.get(&1).is_some_and(|f| f.last() == Some(&(640, 360)))
            && frames.len() == 3
            && frames.values().all(|n| *n > 20)
        {
            break;
        }
    }
    assert_eq!(formats[&0], [(320, 180)], "the other cameras noticed nothing");
    assert_eq!(formats[&2], [(320, 180)], "the other cameras noticed nothing");
    drop(daemon);
    camsim.stop().await;
}
