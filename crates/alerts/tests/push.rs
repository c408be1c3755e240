//! Phones on real sockets: sealed and vouched for, dropped when they are gone, and told through hours without a network.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

mod support;

use axum::{body::Body, http::Response};
use domain::{Clock, SimClock, WallTime};
use matthon_alerts::{Outcome, follow, push::Vapid};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use support::{
    Memory, NOON,
    phone::{Browser, CONTACT, List, phonebook, raised, unix},
    status,
};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(30);

/// The core that tells phones, and everything it has.
struct Core {
    outbox: Arc<Memory>,
    clock: Arc<SimClock>,
    list: Arc<List>,
    news: watch::Sender<i64>,
    stop: CancellationToken,
    running: JoinHandle<()>,
    vapid: String,
}

impl Core {
    fn start() -> Self {
        let (outbox, clock, list) = (Arc::<Memory>::default(), Arc::new(SimClock::at(NOON)), Arc::<List>::default());
        let (news, seen) = watch::channel(0);
        let stop = CancellationToken::new();
        let vapid = Vapid::generate();
        let public = vapid.public_key().to_owned();
        let shared: Arc<dyn Clock> = clock.clone();
        let running = tokio::spawn(follow(outbox.clone(), phonebook(&list, vapid), shared, seen, stop.clone()));
        Self { outbox, clock, list, news, stop, running, vapid: public }
    }

    async fn browser(&self, name: &str, answer: impl Fn(usize) -> Option<Response<Body>> + Send + Sync + 'static) -> Browser {
        let browser = Browser::start(&self.vapid, answer).await;
        self.list.sign_up(name, &browser);
        browser
    }

    fn put(&self, channel: &str, body: &str) {
        self.outbox.put(channel, body, self.clock.wall());
        self.news.send_modify(|n| *n += 1);
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.news.send_modify(|n| *n += 1);
    }

    async fn stop(self) {
        self.stop.cancel();
        timeout(DEADLINE, self.running).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_raised_case_reaches_the_phone_sealed_and_vouched_for() {
    let core = Core::start();
    let mut browser = core.browser("push:1", |_| status(201)).await;
    core.put("push:1", &raised(12, "cho", "raised"));
    let got = browser.next().await;
    assert_eq!((got.path.as_str(), got.topic.as_str(), got.urgency.as_str(), got.ttl), ("/geheim", "case-12", "high", 86_400));
    assert_eq!((got.aud, got.sub.as_str()), (format!("http://127.0.0.1:{}", browser.port), CONTACT), "the origin has its port");
    let left = got.exp - unix(NOON);
    assert!((60..86_400).contains(&left), "RFC 8292: at most 24 h; {left} s");
    let expected = json!({
        "id": 12, "site": "Thôn Duyên Hy", "sentence": "Cổng chợ – nghi vấn xe tải đỗ sai chỗ, đã 4 phút – 17:42",
        "time": NOON.to_string(), "place": "Cổng chợ", "url": "/vu-viec/12", "open": true, "language": "vi", "image": "/m/12-Lan",
    });
    assert_eq!(got.json, expected);
    assert!(got.sealed < 4096);
    core.outbox.until(1, |r| r.settled == Some(Outcome::Done)).await;
    // What became of it replaces it, quietly and without its picture.
    core.put("push:1", &raised(12, "cho", "confirmed"));
    let got = browser.next().await;
    assert_eq!((got.topic.as_str(), got.urgency.as_str(), &got.json["open"]), ("case-12", "normal", &json!(false)));
    assert!(got.json.get("image").is_none());
    core.stop().await;
}

#[tokio::test]
async fn a_phone_that_is_gone_is_dropped_and_asked_no_more() {
    for code in [404, 410] {
        let core = Core::start();
        let mut browser = core.browser("push:1", move |_| status(code)).await;
        core.put("push:1", &raised(1, "cho", "raised"));
        browser.next().await;
        core.outbox.until(1, |r| r.settled == Some(Outcome::Gone)).await;
        assert!(!core.list.has("push:1"), "{code}");
        core.pass(3600);
        core.put("push:1", &raised(2, "cho", "raised"));
        // Whoever signs up later is told all the same.
        let mut other = core.browser("push:2", |_| status(201)).await;
        core.put("push:2", &raised(3, "cho", "raised"));
        assert_eq!(other.next().await.json["id"], 3);
        assert!(browser.is_quiet());
        core.stop().await;
    }
}

#[tokio::test]
async fn what_never_fits_is_not_tried_again() {
    for code in [400, 413] {
        let core = Core::start();
        let mut browser = core.browser("push:1", move |n| status(if n == 0 { code } else { 201 })).await;
        core.put("push:1", &raised(1, "cho", "raised"));
        browser.next().await;
        core.outbox.until(1, |r| matches!(&r.settled, Some(Outcome::Expired { trouble }) if trouble.contains(&code.to_string()))).await;
        core.put("push:1", &raised(2, "cho", "raised"));
        assert_eq!(browser.next().await.json["id"], 2);
        assert!(core.list.has("push:1"));
        core.stop().await;
    }
}

#[tokio::test]
async fn a_busy_push_service_says_when_to_come_again() {
    let core = Core::start();
    let busy = |after: &str| Some(Response::builder().status(429).header("retry-after", after).body(Body::empty()).unwrap());
    let mut browser = core
        .browser("push:1", move |n| match n {
            0 => busy("120"),
            1 => busy("86400000"),
            2 => status(503),
            _ => status(201),
        })
        .await;
    core.put("push:1", &raised(1, "cho", "raised"));
    let mut passed = 0;
    // Said 120 s; said 1000 days, of which ten minutes are believed; said nothing.
    for (tries, wait) in [(1, 120), (2, 600), (3, 4)] {
        browser.next().await;
        let row = core.outbox.until(1, |r| r.parcel.tries == tries).await;
        assert_eq!(row.due, NOON.plus_micros((passed + wait) * 1_000_000), "try {tries}");
        passed += wait;
        core.pass(wait as u64);
    }
    assert_eq!(browser.next().await.json["id"], 1);
    core.outbox.until(1, |r| r.settled == Some(Outcome::Done)).await;
    core.stop().await;
}

/// The village has no internet for five hours: nobody answers, then somebody does.
#[tokio::test]
async fn after_hours_without_a_network_it_comes_late_and_says_so() {
    let core = Core::start();
    let mut browser = core.browser("push:1", |n| status(if n < 40 { 502 } else { 201 })).await;
    core.put("push:1", &raised(7, "cho", "raised"));
    let got = loop {
        let got = browser.next().await;
        let row = core.outbox.until(1, |r| r.parcel.tries > 0 || r.settled.is_some()).await;
        let tries = row.parcel.tries;
        if core.clock.wall().micros_since(NOON) >= 5 * 3_600_000_000 && tries >= 40 {
            break got;
        }
        assert_eq!(got.json.get("late").is_some(), core.clock.wall().micros_since(NOON) > 60_000_000);
        let row = core.outbox.until(1, |r| r.settled.is_some() || r.due > core.clock.wall()).await;
        if row.settled.is_some() {
            break got;
        }
        core.pass(row.due.micros_since(core.clock.wall()) as u64 / 1_000_000 + 1);
    };
    assert_eq!(got.json["late"], "Tin gửi chậm (việc xảy ra lúc 17:42, máy mất mạng).");
    assert_eq!(got.json["sentence"], "Cổng chợ – nghi vấn xe tải đỗ sai chỗ, đã 4 phút – 17:42");
    let hours = core.clock.wall().micros_since(NOON) as f64 / 3.6e9;
    assert!(hours > 5.0, "{hours}");
    core.outbox.until(1, |r| r.settled == Some(Outcome::Done)).await;
    core.stop().await;
}

#[tokio::test]
async fn after_a_day_it_is_history() {
    let core = Core::start();
    let mut browser = core.browser("push:1", |_| status(500)).await;
    core.put("push:1", &raised(7, "cho", "raised"));
    browser.next().await;
    core.outbox.until(1, |r| r.parcel.tries == 1).await;
    core.pass(86_400 + 60);
    browser.next().await;
    core.outbox.until(1, |r| matches!(r.settled, Some(Outcome::Expired { .. }))).await;
    core.stop().await;
}

#[tokio::test]
async fn a_dead_phone_delays_nobody_and_a_new_one_is_told_at_once() {
    let core = Core::start();
    let mut dead = core.browser("push:1", |_| None).await;
    core.put("push:1", &raised(1, "cho", "raised"));
    dead.next().await;
    let mut alive = core.browser("push:2", |_| status(201)).await;
    for id in 2..12 {
        core.put("push:2", &raised(id, "cho", "raised"));
        assert_eq!(alive.next().await.json["id"], id);
    }
    assert_eq!(core.outbox.row(1).parcel.tries, 0, "it still waits for the first answer");
    core.stop().await;
}

#[tokio::test]
async fn who_may_not_be_told_any_more_is_not_told() {
    let core = Core::start();
    let mut browser = core.browser("push:1", |_| status(201)).await;
    core.put("push:1", &raised(1, "cong-lang", "raised"));
    core.put("push:1", "{}");
    core.put("push:1", &raised(2, "cho", "raised"));
    assert_eq!(browser.next().await.json["id"], 2);
    core.outbox.until(1, |r| r.settled == Some(Outcome::Gone)).await;
    core.outbox.until(2, |r| matches!(r.settled, Some(Outcome::Expired { .. }))).await;
    assert!(core.list.has("push:1"));
    core.stop().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let core = Core::start();
    let to = |_| Some(Response::builder().status(307).header("location", "/elsewhere").body(Body::empty()).unwrap());
    let mut browser = core.browser("push:1", to).await;
    core.put("push:1", &raised(1, "cho", "raised"));
    assert_eq!(browser.next().await.path, "/geheim");
    let row = core.outbox.until(1, |r| r.parcel.tries == 1).await;
    assert!(row.trouble.contains("307"), "{}", row.trouble);
    assert!(browser.is_quiet());
    core.stop().await;
}

/// A village's clock before its first day with a network.
#[tokio::test]
async fn a_clock_that_is_wrong_by_years_gives_no_message_up() {
    let core = Core::start();
    core.clock.set_synchronised(false);
    let mut browser = core.browser("push:1", |n| status(if n < 2 { 500 } else { 201 })).await;
    core.put("push:1", &raised(7, "cho", "raised"));
    browser.next().await;
    core.outbox.until(1, |r| r.parcel.tries == 1).await;
    core.clock.step_wall(WallTime::from_secs(unix(NOON) + 400 * 86_400));
    core.pass(1);
    browser.next().await;
    let row = core.outbox.until(1, |r| r.parcel.tries == 2).await;
    assert_eq!(row.settled, None);
    core.pass(2);
    browser.next().await;
    core.outbox.until(1, |r| r.settled == Some(Outcome::Done)).await;
    core.stop().await;
}
