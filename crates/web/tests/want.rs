//! What is out of sight is not sent: wishes over a live socket, and those that are none.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Channel, Link, Role, StreamHealth};
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use support::{
    NOON, Village, format, frame, id, kind,
    socket::{Socket, next, say, watch},
    until,
};
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};

const BOTH: &str = "live?cameras=cong-lang,nha-van-hoa";

async fn open(village: &Village, path: &str) -> Socket {
    watch(village, path, &village.token("ba-thanh", Role::Viewer)).await
}

/// `format`, `init` and fragments in short: `1f`, `1i`, `1.`; a state as it is.
async fn brief(socket: &mut Socket) -> String {
    match next(socket).await {
        Message::Text(text) => {
            let said: Value = serde_json::from_str(&text).unwrap();
            if said["type"] == "format" { format!("{}f", said["ch"]) } else { text.to_string() }
        }
        Message::Binary(bytes) => format!("{}{}", bytes[0], if &bytes[5..9] == b"moof" { "." } else { "i" }),
        other => panic!("{other:?}"),
    }
}

/// Waits until so many watch `cong-lang` and `nha-van-hoa`.
async fn watched(village: &Village, counts: [usize; 2]) {
    until("they are watched", async || ([0, 2].map(|n: usize| village.sources[n].subscribers()) == counts).then_some(())).await;
}

#[tokio::test]
async fn what_is_no_longer_wanted_stops_and_comes_back_with_its_group_of_pictures() {
    let village = Village::start(false).await;
    let mut socket = open(&village, BOTH).await;
    let format = format();
    let send = |camera: usize, n: i64| village.sources[camera].publish(frame(&format, ["cong-lang", "", "nha-van-hoa"][camera], n));
    watched(&village, [1, 1]).await;
    send(0, 0);
    for due in ["0f", "0i", "0."] {
        assert_eq!(brief(&mut socket).await, due);
    }
    send(2, 0);
    for due in ["1f", "1i", "1."] {
        assert_eq!(brief(&mut socket).await, due);
    }
    say(&mut socket, r#"{"want":[1]}"#).await;
    watched(&village, [0, 1]).await;
    send(0, 1);
    send(2, 1);
    // Who stays misses nothing and begins nothing anew.
    assert_eq!(brief(&mut socket).await, "1.");
    // States come all the same.
    village.board.set(&id("cong-lang"), Channel::Main, StreamHealth { link: Link::Refused, ..StreamHealth::starting(NOON) });
    let state: Value = serde_json::from_str(&brief(&mut socket).await).unwrap();
    assert_eq!((&state["ch"], &state["type"]), (&0.into(), &"state".into()));
    say(&mut socket, r#"{"want":[0,1]}"#).await;
    watched(&village, [1, 1]).await;
    // From the key frame on, what was missed included.
    for due in ["0f", "0i", "0.", "0."] {
        assert_eq!(brief(&mut socket).await, due);
    }
    say(&mut socket, r#"{"want":[]}"#).await;
    watched(&village, [0, 0]).await;
    say(&mut socket, r#"{"want":[0]}"#).await;
    for due in ["0f", "0i", "0.", "0."] {
        assert_eq!(brief(&mut socket).await, due);
    }
}

#[tokio::test]
async fn the_address_may_say_what_is_wanted_from_the_start() {
    let village = Village::start(false).await;
    let mut socket = open(&village, &format!("{BOTH}&want=1")).await;
    watched(&village, [0, 1]).await;
    let format = format();
    village.sources[0].publish(frame(&format, "cong-lang", 0));
    village.sources[2].publish(frame(&format, "nha-van-hoa", 0));
    assert_eq!(brief(&mut socket).await, "1f");
    let token = village.store.issue_token("ba-thanh", NOON).unwrap();
    for wrong in ["2", "x", "0;1", "-1"] {
        let answer = village.get(&format!("/api/v1/{BOTH}&want={wrong}"), &token).await;
        assert_eq!((answer.status().as_u16(), answer.json::<Value>().await.unwrap()["parameter"].clone()), (400, "want".into()), "{wrong}");
    }
    assert_eq!(kind(village.get(&format!("/api/v1/{BOTH}&want="), &token).await).await, (426, "not-websocket".into()));
}

#[tokio::test]
async fn a_wish_for_what_is_not_there_ends_the_socket_and_other_words_do_not() {
    let village = Village::start(false).await;
    for (n, (said, code)) in [
        (r#"{"want":[2]}"#.to_owned(), CloseCode::Invalid),
        (r#"{"want":"all"}"#.to_owned(), CloseCode::Invalid),
        (r#"{"want":[-1]}"#.to_owned(), CloseCode::Invalid),
    ]
    .into_iter()
    .enumerate()
    {
        let mut socket = if n == 0 { open(&village, BOTH).await } else { again(&village).await };
        for newer in ["hello", "{}", r#"{"wish":[9]}"#, "[", ""] {
            say(&mut socket, newer).await;
        }
        say(&mut socket, &said).await;
        let Message::Close(Some(close)) = next(&mut socket).await else { panic!("a goodbye was due to {said}") };
        assert_eq!(close.code, code, "{said}");
        watched(&village, [0, 0]).await;
    }
    // Nobody scrolls that fast.
    let mut socket = again(&village).await;
    let flood = async {
        for n in 0..1000 {
            if socket.send(Message::text(format!("{{\"want\":[{}]}}", n % 2))).await.is_err() {
                break;
            }
        }
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(close))) => break close.map(|close| close.code),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break None,
            }
        }
    };
    let code = tokio::time::timeout(Duration::from_secs(20), flood).await.unwrap();
    // The server hung up while it was still being talked to: the goodbye may be lost on the way.
    assert!(code.is_none_or(|code| code == CloseCode::Policy), "{code:?}");
    watched(&village, [0, 0]).await;
}

/// The same person once more.
async fn again(village: &Village) -> Socket {
    watch(village, BOTH, &village.store.issue_token("ba-thanh", NOON).unwrap()).await
}
