//! The webhook on real sockets: what is sent, what an answer means, and what is tried again.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

mod support;

use axum::{body::Body, http::Response};
use matthon_alerts::Outcome;
use sha2::{Digest, Sha256};
use std::{io, sync::Arc};
use support::{Core, NOON, Receiver, SECRET, status};

/// RFC 2104, written out: not the library that signs.
fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|b| b ^ with).to_vec();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
    outer.iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test]
async fn a_message_arrives_signed() {
    let mut receiver = Receiver::start(|_| status(204)).await;
    let core = Core::with(vec![receiver.hook("a")]);
    core.put("a", r#"{"event":"case.raised","site":"Thôn Duyên Hy"}"#);
    let got = receiver.next().await;
    assert_eq!(got.path, "/hook?key=geheim");
    assert_eq!((got.header("content-type"), got.header("x-matthon-event")), ("application/json", "case.raised"));
    let delivery = got.header("x-matthon-delivery").to_owned();
    assert_eq!((got.json["id"].as_str(), got.json["late"].as_bool()), (Some(delivery.as_str()), Some(false)));
    assert_eq!(got.json["site"], "Thôn Duyên Hy");
    let signed = [b"1795430520.", got.bytes.as_ref()].concat();
    assert_eq!(got.header("x-matthon-signature"), format!("t=1795430520,v1={}", hmac_sha256(SECRET.as_bytes(), &signed)));
    core.outbox.until(1, |r| r.settled == Some(Outcome::Done)).await;
    core.stop().await;
}

#[tokio::test]
async fn what_fails_comes_again_later_and_later_under_the_same_name() {
    let mut receiver = Receiver::start(|n| status(if n < 7 { 500 } else { 200 })).await;
    let core = Core::with(vec![receiver.hook("a")]);
    core.put("a", "{}");
    let mut passed = 0;
    for wait in [1, 2, 4, 8, 16, 32, 64_u64] {
        let got = receiver.next().await;
        let tries = got_tries(wait);
        let row = core.outbox.until(1, |r| r.parcel.tries == tries).await;
        assert_eq!(row.due, NOON.plus_micros((passed + wait as i64) * 1_000_000));
        assert!(row.trouble.contains("500"), "{}", row.trouble);
        assert_eq!(got.header("x-matthon-delivery"), row.parcel.delivery);
        passed += wait as i64;
        core.pass(wait);
    }
    let got = receiver.next().await;
    assert_eq!(got.json["late"], true, "127 s after it happened");
    core.outbox.until(1, |r| r.settled == Some(Outcome::Done)).await;
    assert!(receiver.is_quiet());
    core.stop().await;
}

/// The wait doubles with each try.
fn got_tries(wait: u64) -> u32 {
    wait.ilog2() + 1
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_asked_no_more() {
    let mut receiver = Receiver::start(|_| status(410)).await;
    let core = Core::with(vec![receiver.hook("a")]);
    core.put("a", "{}");
    receiver.next().await;
    core.outbox.until(1, |r| r.settled == Some(Outcome::Gone)).await;
    core.pass(3600);
    core.put("b", "{}");
    core.stop().await;
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let to = |code: u16| Response::builder().status(code).header("location", "/elsewhere").body(Body::empty()).unwrap();
    let mut receiver = Receiver::start(move |n| Some(to([301, 302, 307, 308][n]))).await;
    let core = Core::with(vec![receiver.hook("a")]);
    core.put("a", "{}");
    for tries in 1..=4 {
        assert!(receiver.next().await.path.starts_with("/hook"));
        let row = core.outbox.until(1, |r| r.parcel.tries == tries).await;
        assert!(row.trouble.contains("redirects are not followed"), "{}", row.trouble);
        if tries < 4 {
            core.pass(600);
        }
    }
    core.stop().await;
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_nobody_waiting() {
    let mut dead = Receiver::start(|_| None).await;
    let mut alive = Receiver::start(|_| status(200)).await;
    let core = Core::with(vec![dead.hook("dead"), alive.hook("alive")]);
    core.put("dead", "{}");
    dead.next().await;
    for id in 2..12 {
        core.put("alive", "{}");
        alive.next().await;
        core.outbox.until(id, |r| r.settled == Some(Outcome::Done)).await;
    }
    assert_eq!(core.outbox.row(1).parcel.tries, 0, "it still waits for the first answer");
    core.stop().await;
}

#[tokio::test]
async fn a_restart_before_the_answer_delivers_again_under_the_same_name() {
    let mut receiver = Receiver::start(|n| if n == 0 { None } else { status(200) }).await;
    let core = Core::with(vec![receiver.hook("a")]);
    core.put("a", "{}");
    let first = receiver.next().await;
    let (outbox, clock) = (Arc::clone(&core.outbox), Arc::clone(&core.clock));
    core.stop().await;
    assert_eq!(outbox.row(1).settled, None);
    let core = Core::start(outbox, clock, vec![receiver.hook("a")]);
    let second = receiver.next().await;
    assert_eq!(first.header("x-matthon-delivery"), second.header("x-matthon-delivery"));
    core.outbox.until(1, |r| r.settled == Some(Outcome::Done)).await;
    core.stop().await;
}

#[tokio::test]
async fn an_answer_without_end_is_an_answer() {
    let endless = || Body::from_stream(futures::stream::repeat_with(|| Ok::<_, io::Error>("x".repeat(1000))));
    let receiver = Receiver::start(move |_| Some(Response::new(endless()))).await;
    let core = Core::with(vec![receiver.hook("a")]);
    core.put("a", "{}");
    core.outbox.until(1, |r| r.settled == Some(Outcome::Done)).await;
    core.stop().await;
}

#[tokio::test]
async fn what_can_never_be_sent_does_not_block_the_rest() {
    let mut receiver = Receiver::start(|_| status(200)).await;
    let core = Core::with(vec![receiver.hook("a")]);
    core.put("a", "[]");
    core.put("a", &format!(r#"{{"x":"{}"}}"#, "y".repeat(65_536)));
    core.put("a", r#"{"x":1}"#);
    assert_eq!(receiver.next().await.json["x"], 1);
    core.outbox.until(3, |r| r.settled == Some(Outcome::Done)).await;
    for id in [1, 2] {
        assert!(matches!(core.outbox.row(id).settled, Some(Outcome::Expired { .. })));
    }
    core.stop().await;
}
