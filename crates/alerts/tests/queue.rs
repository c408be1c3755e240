//! The queue by itself: ends, clocks that are wrong, and an outbox that fails. Time is tokio's, paused.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

mod support;

use async_trait::async_trait;
use domain::WallTime;
use matthon_alerts::{Channel, Outcome, Parcel, Sent};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use support::{Core, NOON};
use tokio::time::sleep;

/// Counts its tries and says no.
#[derive(Default)]
struct Deaf(Mutex<Vec<(WallTime, bool)>>);

#[async_trait]
impl Channel for Deaf {
    fn name(&self) -> &str {
        "deaf"
    }
    async fn send(&self, _: &Parcel, late: bool, now: WallTime) -> Sent {
        self.0.lock().unwrap().push((now, late));
        Sent::Failed("no answer".to_owned())
    }
}

#[tokio::test(start_paused = true)]
async fn after_three_days_a_message_is_given_up() {
    let deaf = Arc::new(Deaf::default());
    let core = Core::with(vec![deaf.clone()]);
    core.put("deaf", "{}");
    let mut tries = 0;
    while core.outbox.row(1).settled.is_none() {
        tries += 1;
        let row = core.outbox.until(1, |r| r.parcel.tries == tries).await;
        let wait = row.due.micros_since(core.clock_now()) as u64 / 1_000_000;
        assert!(row.settled.is_some() || (1..=600).contains(&wait), "{wait} s");
        core.pass(wait);
    }
    let last = deaf.0.lock().unwrap().last().unwrap().0;
    let days = last.micros_since(NOON) as f64 / 86_400e6;
    assert!((3.0..3.01).contains(&days), "{days}");
    assert!(matches!(core.outbox.row(1).settled, Some(Outcome::Expired { .. })));
    let late = deaf.0.lock().unwrap().iter().filter(|(at, late)| *late != (at.micros_since(NOON) > 60_000_000)).count();
    assert_eq!(late, 0, "late is what is told more than a minute after it happened");
    core.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_gives_nothing_up() {
    let core = Core::with(vec![Arc::new(Deaf::default())]);
    core.put("deaf", "{}");
    core.outbox.until(1, |r| r.parcel.tries == 1).await;
    core.clock.set_synchronised(false);
    core.pass(86_400 * 365 * 70);
    let row = core.outbox.until(1, |r| r.parcel.tries == 2).await;
    assert_eq!(row.settled, None);
    core.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_outbox_that_fails_is_asked_again_but_makes_no_flood() {
    let deaf = Arc::new(Deaf::default());
    let core = Core::with(vec![deaf.clone()]);
    *core.outbox.fails.lock().unwrap() = true;
    core.put("deaf", "{}");
    for _ in 0..100 {
        core.pass(1);
        sleep(Duration::from_millis(10)).await;
    }
    assert!(deaf.0.lock().unwrap().is_empty());
    *core.outbox.fails.lock().unwrap() = false;
    core.outbox.until(1, |r| r.parcel.tries == 1).await;
    core.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_sent_when_its_time_comes_without_any_news() {
    let deaf = Arc::new(Deaf::default());
    let core = Core::with(vec![deaf.clone()]);
    core.put("deaf", "{}");
    core.outbox.until(1, |r| r.parcel.tries == 1).await;
    // The clock moves and nobody says so.
    core.clock.advance(Duration::from_secs(1));
    core.outbox.until(1, |r| r.parcel.tries == 2).await;
    core.stop().await;
}

impl Core {
    fn clock_now(&self) -> WallTime {
        domain::Clock::wall(self.clock.as_ref())
    }
}
