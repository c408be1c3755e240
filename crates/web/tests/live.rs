//! Live sockets over a real port: the protocol alone and multiplexed, states, bounds, and every way they end.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Channel, Link, Role, StreamHealth};
use futures::StreamExt;
use media::fmp4::{parse_fragment, parse_init};
use serde_json::Value;
use std::time::{Duration, Instant};
use support::{
    NOON, PASSWORD, Village, client, format, frame, id, kind, packet,
    socket::{Socket, next, refusal, say, try_watch, watch},
};
use tokio_tungstenite::tungstenite::{self, Message, protocol::frame::coding::CloseCode};

async fn text(socket: &mut Socket) -> Value {
    serde_json::from_str(next(socket).await.to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn one_camera_sends_format_init_then_a_frame_a_message() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Viewer);
    let format = format();
    let source = &village.sources[0];
    for n in 0..3 {
        source.publish(frame(&format, "cong-lang", n));
    }
    let mut socket = watch(&village, "cameras/cong-lang/live?stream=main", &token).await;
    let said = text(&mut socket).await;
    let expected = serde_json::json!({
        "type": "format", "camera": "cong-lang", "stream": "main", "codecs": "avc1.64000d",
        "mime": "video/mp4; codecs=\"avc1.64000d\"", "width": 320, "height": 240,
    });
    assert_eq!(said, expected);
    assert_eq!(parse_init(&next(&mut socket).await.into_data()).unwrap().len(), 1);
    for n in 0..40_i64 {
        if n >= 3 {
            source.publish(frame(&format, "cong-lang", n));
        }
        let bytes = next(&mut socket).await.into_data();
        let fragment = parse_fragment(&bytes).unwrap();
        assert_eq!((fragment.base_dts, fragment.pieces.len(), fragment.end), (n as u64 * 3600, 1, bytes.len()));
        assert_eq!(&bytes[fragment.data], &frame(&format, "cong-lang", n).data[..]);
    }
    assert_eq!(source.subscribers(), 1);
    drop(socket);
    let gone = async {
        while source.subscribers() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the mux ends with its last viewer");
}

#[tokio::test]
async fn sound_comes_beside_the_picture_under_a_mark_of_its_own() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Police);
    let said = async || village.read("/api/v1/cameras", &token).await["cameras"][0]["sound"].clone();
    assert_eq!(said().await, serde_json::json!({"main": false, "sub": false}));
    let format = format();
    for n in 0..3 {
        village.sources[0].publish(frame(&format, "cong-lang", n));
    }
    village.sound.publish(packet("cong-lang", 2));
    assert_eq!(said().await, serde_json::json!({"main": true, "sub": false}));
    let mut socket = watch(&village, "cameras/cong-lang/live/sound?stream=main", &token).await;
    let (mut texts, mut binaries) = (Vec::new(), [Vec::new(), Vec::new()]);
    while binaries[0].len() < 4 || binaries[1].len() < 2 {
        match next(&mut socket).await {
            Message::Text(text) => texts.push(serde_json::from_str::<Value>(&text).unwrap()),
            Message::Binary(bytes) => binaries[usize::from(bytes[0])].push(bytes.slice(1..)),
            other => panic!("unexpected {other:?}"),
        }
    }
    texts.sort_by_key(|text| text["ch"].as_u64());
    let expected = [
        serde_json::json!({
            "type": "format", "ch": 0, "camera": "cong-lang", "stream": "main", "codecs": "avc1.64000d",
            "mime": "video/mp4; codecs=\"avc1.64000d\"", "width": 320, "height": 240,
        }),
        serde_json::json!({
            "type": "format", "ch": 1, "kind": "audio", "camera": "cong-lang", "stream": "main", "codecs": "flac",
            "mime": "audio/mp4; codecs=\"flac\"", "sample_rate": 8000, "channels": 1,
        }),
    ];
    assert_eq!(texts, expected);
    // Captured with the third frame, and so it lies with it.
    let lies = |bytes: &[u8]| parse_fragment(bytes).unwrap().base_dts;
    assert_eq!((lies(&binaries[0][3]), lies(&binaries[1][1])), (2 * 3600, 2 * 3600));
    // Nothing is sent twice, and nothing runs after the last listener.
    assert_eq!((village.sources[0].subscribers(), village.sound.subscribers()), (1, 1));
    drop(socket);
    let gone = async {
        while village.sources[0].subscribers() + village.sound.subscribers() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("both muxes end with the last who listens");
}

#[tokio::test]
async fn whoever_only_watches_hears_nothing_and_where_no_sound_is_for_hearing_there_is_none() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let format = format();
    let mut socket = watch(&village, "cameras/cong-lang/live?stream=main", &token).await;
    for n in 0..10 {
        village.sound.publish(packet("cong-lang", n));
        village.sources[0].publish(frame(&format, "cong-lang", n));
    }
    text(&mut socket).await;
    next(&mut socket).await;
    for n in 0..10 {
        assert_eq!(parse_fragment(&next(&mut socket).await.into_data()).unwrap().base_dts, n * 3600);
    }
    assert_eq!(village.sound.subscribers(), 0, "sound nobody asked for is not even made");
    for path in ["cameras/cong-lang/live/sound?stream=sub", "cameras/nha-van-hoa/live/sound"] {
        let refused = try_watch(&village, path, &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(refusal(&refused.unwrap_err()), 404, "{path}");
    }
    // Who may see in the hall may not hear.
    let hall = village.token("man-hinh", Role::Viewer);
    let refused = try_watch(&village, "cameras/cong-lang/live/sound", &[("authorization", &format!("Bearer {hall}"))]).await;
    assert_eq!(refusal(&refused.unwrap_err()), 403);
}

#[tokio::test]
async fn many_cameras_share_a_socket_and_fall_back_to_main() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let format = format();
    let mut socket = watch(&village, "live?cameras=nha-van-hoa,cong-lang&stream=sub", &token).await;
    // cong-lang's sub stream was not tried yet; nha-van-hoa has none and is well on main.
    assert_eq!(text(&mut socket).await, serde_json::json!({"type": "state", "ch": 1, "state": "starting"}));
    village.sources[2].publish(frame(&format, "nha-van-hoa", 0));
    let said = text(&mut socket).await;
    assert_eq!((&said["ch"], &said["camera"], &said["stream"]), (&0.into(), &"nha-van-hoa".into(), &"main".into()));
    let init = next(&mut socket).await.into_data();
    assert_eq!((init[0], parse_init(&init[1..]).unwrap().len()), (0, 1));
    assert_eq!(next(&mut socket).await.into_data()[0], 0);
    village.board.set(&id("cong-lang"), Channel::Sub, StreamHealth { link: Link::Ok, ..StreamHealth::starting(NOON) });
    assert_eq!(text(&mut socket).await, serde_json::json!({"type": "state", "ch": 1, "state": "ok"}));
    village.sources[1].publish(frame(&format, "cong-lang", 0));
    let said = text(&mut socket).await;
    assert_eq!((&said["ch"], &said["stream"]), (&1.into(), &"sub".into()));
    assert_eq!(next(&mut socket).await.into_data()[0], 1);
    let bytes = next(&mut socket).await.into_data();
    assert_eq!((bytes[0], parse_fragment(&bytes[1..]).unwrap().base_dts), (1, 0));
}

#[tokio::test]
async fn refusals_come_before_the_upgrade() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let live = "cameras/cong-lang/live";
    assert_eq!(kind(village.get(&format!("/api/v1/{live}"), &token).await).await, (426, "not-websocket".into()));
    let bearer = ("authorization", &format!("Bearer {token}")[..]);
    for (path, code) in [("cameras/xa-lo/live", 404), ("live?cameras=", 404), ("live", 400)] {
        assert_eq!(refusal(&try_watch(&village, path, &[bearer]).await.unwrap_err()), code, "{path}");
    }
    assert_eq!(refusal(&try_watch(&village, live, &[]).await.unwrap_err()), 401);
    let many = format!("live?cameras={}", vec!["cong-lang"; 65].join(","));
    assert_eq!(refusal(&try_watch(&village, &many, &[bearer]).await.unwrap_err()), 400);
}

#[tokio::test]
async fn with_a_cookie_only_our_own_page_may_open_a_socket() {
    let village = Village::start(false).await;
    village.token("ba-thanh", Role::Official);
    let signed = village.sign_in(&client(), "ba-thanh", PASSWORD).await;
    let cookie = signed.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let live = "cameras/cong-lang/live";
    let ours = village.url("");
    assert_eq!(refusal(&try_watch(&village, live, &[("cookie", &cookie)]).await.unwrap_err()), 403);
    assert_eq!(refusal(&try_watch(&village, live, &[("cookie", &cookie), ("origin", "http://evil.example")]).await.unwrap_err()), 403);
    assert!(try_watch(&village, live, &[("cookie", &cookie), ("origin", &ours)]).await.is_ok());
}

#[tokio::test]
async fn the_number_of_sockets_is_bounded() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let mut open_ones = Vec::new();
    for _ in 0..200 {
        open_ones.push(watch(&village, "cameras/cong-lang/live", &token).await);
    }
    let bearer = format!("Bearer {token}");
    let full = try_watch(&village, "cameras/cong-lang/live", &[("authorization", &bearer)]).await.unwrap_err();
    let tungstenite::Error::Http(response) = full else { panic!("{full}") };
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    assert!(String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).contains("live-full"));
}

#[tokio::test]
async fn at_shutdown_sockets_get_a_goodbye_and_serve_returns() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let mut socket = watch(&village, "cameras/cong-lang/live", &token).await;
    let begun = Instant::now();
    village.stop.cancel();
    let Message::Close(Some(close)) = next(&mut socket).await else { panic!("a goodbye was due") };
    assert_eq!(close.code, CloseCode::Away);
    drop(socket);
    village.server.await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// Real time: the check runs every 5 s.
#[tokio::test]
async fn who_signs_out_is_shown_nothing_more() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let mut socket = watch(&village, "cameras/cong-lang/live", &token).await;
    say(&mut socket, "hello").await;
    village.store.revoke_tokens("ba-thanh").unwrap();
    let end = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            if let Message::Close(close) = socket.next().await.unwrap().unwrap() {
                return close;
            }
        }
    });
    assert_eq!(end.await.unwrap().unwrap().code, CloseCode::Policy);
}
