//! Server-sent events: told at once, gone on where a connection broke, for whom they are, and over in time.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use bytes::Bytes;
use domain::Role;
use futures::{Stream, StreamExt};
use serde_json::Value;
use std::{collections::VecDeque, net::IpAddr, pin::Pin, time::Duration};
use support::{PASSWORD, Village, client, id, kind};
use tokio::time::timeout;

/// Longer than any answer takes, shorter than a test may.
const LIMIT: Duration = Duration::from_secs(30);

struct Heard {
    stream: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    text: String,
    ready: VecDeque<(String, String, Value)>,
}

impl Heard {
    async fn open(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &"text/event-stream".parse().unwrap()));
        assert!(!answer.headers().contains_key("content-encoding"));
        Self { stream: Box::pin(answer.bytes_stream()), text: String::new(), ready: VecDeque::new() }
    }

    /// Event, id and data; `None` when the stream is over.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let piece = timeout(LIMIT, self.stream.next()).await.expect("something is heard or it ends")?.ok()?;
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
            while let Some((one, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| one.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().to_owned();
                self.ready.push_back((field("event"), field("id"), serde_json::from_str(&field("data")).unwrap()));
                self.text = rest.to_owned();
            }
        }
    }

    /// The next that is no sign of life.
    async fn motion(&mut self) -> (String, String, Value) {
        loop {
            let one = self.next().await.unwrap();
            if one.0 != "beat" {
                return one;
            }
        }
    }

    /// The next that is about a case: id and data.
    async fn case(&mut self) -> Option<(i64, Value)> {
        loop {
            let (event, id, data) = self.next().await?;
            if event == "case" {
                return Some((id.parse().unwrap(), data));
            }
        }
    }
}

fn ask(village: &Village, token: &str) -> reqwest::RequestBuilder {
    client().get(village.url("/api/v1/events")).bearer_auth(token)
}

#[tokio::test]
async fn a_change_is_told_at_once_and_a_broken_connection_goes_on() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    village.raise("cong-lang", 1, 0);
    let mut heard = Heard::open(ask(&village, &token)).await;
    let (event, _, data) = heard.next().await.unwrap();
    assert_eq!((event.as_str(), &data["now"]), ("beat", &support::NOON.to_string().into()));
    // What was before is not told to a first-comer.
    let case = village.raise("cong-lang", 2, 0);
    let (seq, data) = heard.case().await.unwrap();
    assert_eq!(data, serde_json::json!({"id": case.0, "what": "raised", "state": "raised", "camera": "cong-lang"}));
    drop(heard);
    village.cases.answer(case, domain::Answer::Confirm, "ba-thanh").unwrap();
    village.cases.undo(case, "ba-thanh").unwrap();
    let mut again = Heard::open(ask(&village, &token).header("Last-Event-ID", seq.to_string())).await;
    let (first, second) = (again.case().await.unwrap(), again.case().await.unwrap());
    assert_eq!((&first.1["what"], &first.1["state"]), (&"confirmed".into(), &"raised".into()));
    assert_eq!((&second.1["what"], first.0 < second.0), (&"undone".into(), true));
    // A place nobody gave tells nothing, and waits for nothing either.
    let mut odd = Heard::open(ask(&village, &token).header("Last-Event-ID", "999999")).await;
    assert_eq!(odd.next().await.unwrap().0, "beat");
    let case = village.raise("cong-lang", 3, 0);
    assert_eq!(odd.case().await.unwrap().1["id"], case.0);
}

#[tokio::test]
async fn cameras_outside_ones_list_are_not_told_of() {
    let village = Village::start(false).await;
    let token = village.token("ong-ba", Role::Official);
    village.store.set_cameras("ong-ba", Some(&[id("nha-van-hoa")])).unwrap();
    let mut heard = Heard::open(ask(&village, &token)).await;
    heard.next().await.unwrap();
    village.raise("cong-lang", 1, 0);
    let ours = village.raise("nha-van-hoa", 1, 0);
    assert_eq!(heard.case().await.unwrap().1["id"], ours.0);
}

#[tokio::test]
async fn what_moves_is_told_when_it_begins_and_when_it_is_over() {
    let village = Village::start(false).await;
    let token = village.token("ong-ba", Role::Official);
    village.store.set_cameras("ong-ba", Some(&[id("nha-van-hoa")])).unwrap();
    let moving = village.context.moving.clone();
    moving.seen(&id("nha-van-hoa"), 0.1);
    let mut heard = Heard::open(ask(&village, &token)).await;
    // What moved before somebody listened is told, and only of his cameras.
    let (event, _, data) = heard.motion().await;
    assert_eq!((event.as_str(), data), ("motion", serde_json::json!({"camera": "nha-van-hoa", "moving": true})));
    moving.seen(&id("cong-lang"), 0.1);
    village.clock.advance(Duration::from_secs(10));
    assert_eq!(heard.motion().await.2, serde_json::json!({"camera": "nha-van-hoa", "moving": false}));
    moving.seen(&id("nha-van-hoa"), 0.1);
    let (_, seq, data) = heard.motion().await;
    assert_eq!((seq.as_str(), &data["moving"]), ("", &true.into()), "cases alone are counted");
}

#[tokio::test]
async fn more_than_a_page_of_changes_is_told_without_a_hole() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    for n in 1..=250 {
        village.raise("cong-lang", n, 0);
    }
    let mut heard = Heard::open(ask(&village, &token).header("Last-Event-ID", "0")).await;
    for n in 1..=250_i64 {
        assert_eq!(heard.case().await.unwrap().1["id"], n);
    }
}

#[tokio::test]
async fn who_signs_out_hears_no_more() {
    let village = Village::start(false).await;
    village.token("ba-thanh", Role::Official);
    let phone = client();
    village.sign_in(&phone, "ba-thanh", PASSWORD).await;
    let mut heard = Heard::open(phone.get(village.url("/api/v1/events"))).await;
    heard.next().await.unwrap();
    let out = phone.delete(village.url("/api/v1/session")).header("Origin", village.url(""));
    assert_eq!(out.send().await.unwrap().status(), 204);
    while heard.next().await.is_some() {}
}

#[tokio::test]
async fn streams_are_bounded_and_end_with_the_server() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    let mut all = Vec::new();
    // From several addresses: one alone may not hold so many connections.
    for last in 2..6 {
        let there = reqwest::Client::builder().local_address(IpAddr::from([127, 0, 0, last])).build().unwrap();
        for _ in 0..25 {
            all.push(Heard::open(there.get(village.url("/api/v1/events")).bearer_auth(&token)).await);
        }
    }
    let full = ask(&village, &token).send().await.unwrap();
    assert_eq!(full.headers()["retry-after"], "5");
    assert_eq!(kind(full).await, (503, "events-full".into()));
    village.stop.cancel();
    for heard in &mut all {
        while heard.next().await.is_some() {}
    }
    timeout(LIMIT, village.server).await.unwrap().unwrap().unwrap();
}
