//! The bargain with a consumer, under any interleaving: starts at a random access point, contiguous
//! except at `Skipped`, goes on at a random access point, the count is true, and memory stays bounded.

use hub::{Capacity, Consumer, Delivery, Fanout, GOP_BYTES, Item, Join};
use matthon_hub as hub;
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    n: u64,
    gop: u64,
    key: bool,
    loss: bool,
    weight: usize,
    micros: i64,
}

impl Item for Frame {
    fn random_access(&self) -> bool {
        self.key
    }
    fn weight(&self) -> usize {
        self.weight
    }
    fn micros(&self) -> i64 {
        self.micros
    }
    fn loss_before(&self) -> bool {
        self.loss
    }
}

#[derive(Clone, Debug)]
enum Step {
    Publish { key: bool, loss: bool, weight: usize, micros: i64 },
    Take { consumer: usize, count: usize },
    Join { current: bool, items: usize, bytes: usize },
    Leave { consumer: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (prop::bool::weighted(0.2), prop::bool::weighted(0.02), prop_oneof![1..2000usize, 1..(5usize << 20)], prop_oneof![9 => 0..200_000i64, 1 => -1_000_000..12_000_000i64])
            .prop_map(|(key, loss, weight, micros)| Step::Publish { key, loss, weight, micros }),
        6 => (0..4usize, 1..12usize).prop_map(|(consumer, count)| Step::Take { consumer, count }),
        1 => (any::<bool>(), 1..30usize, 1..20_000usize).prop_map(|(current, items, bytes)| Step::Join { current, items, bytes }),
        1 => (0..4usize).prop_map(|consumer| Step::Leave { consumer }),
    ]
}

/// Watches one consumer and knows what it may see next.
struct Witness {
    consumer: Consumer<Frame>,
    capacity: Capacity,
    last: Option<Frame>,
    /// Number of the GOP that was current when it joined: nothing older may appear.
    joined_gop: u64,
    skipped: Option<u64>,
}

impl Witness {
    fn take(&mut self) -> Result<bool, TestCaseError> {
        let Some(delivery) = self.consumer.try_next() else { return Ok(false) };
        match delivery {
            Delivery::Skipped { gops } => {
                prop_assert!(gops >= 1);
                *self.skipped.get_or_insert(0) += gops;
            }
            Delivery::Item(frame) => {
                match (&self.last, self.skipped.take()) {
                    (None, None) => prop_assert!(frame.key && frame.gop >= self.joined_gop),
                    // Skipped before the first item: it was too slow from its first frame on.
                    (None, Some(_)) => prop_assert!(frame.key),
                    (Some(last), None) => prop_assert_eq!(frame.n, last.n + 1),
                    (Some(last), Some(gops)) => {
                        prop_assert!(frame.key && frame.n > last.n + 1);
                        // Every GOP strictly between is lost; the last seen one may be whole or cut.
                        let between = frame.gop - last.gop - 1;
                        prop_assert!(gops == between || gops == between + 1, "{} GOPs told, {} between", gops, between);
                    }
                }
                self.last = Some(frame);
            }
        }
        Ok(true)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]
    #[test]
    fn every_consumer_gets_what_it_was_promised(steps in prop::collection::vec(step(), 1..300)) {
        let fanout = Fanout::new("test");
        let mut witnesses: Vec<Witness> = Vec::new();
        let (mut n, mut gop, mut micros) = (0, 0, 0i64);
        for step in steps {
            match step {
                Step::Publish { key, loss, weight, micros: dt } => {
                    n += 1;
                    gop += u64::from(key);
                    micros += dt;
                    fanout.publish(Frame { n, gop, key, loss, weight, micros });
                    for w in &witnesses {
                        let (items, bytes) = w.consumer.waiting();
                        // One oversized item may pass through; the joined GOP comes on top.
                        prop_assert!(bytes <= w.capacity.bytes.max(5 << 20) + GOP_BYTES, "{bytes} bytes wait");
                        prop_assert!(items <= w.capacity.items + 300);
                    }
                }
                Step::Take { consumer, count } => {
                    if let Some(w) = witnesses.get_mut(consumer) {
                        for _ in 0..count {
                            if !w.take()? {
                                break;
                            }
                        }
                    }
                }
                Step::Join { current, items, bytes } if witnesses.len() < 4 => {
                    let capacity = Capacity { items, bytes };
                    let join = if current { Join::CurrentGop } else { Join::NextRandomAccess };
                    let joined_gop = if current { gop } else { gop + 1 };
                    witnesses.push(Witness { consumer: fanout.subscribe(join, capacity, "test"), capacity, last: None, joined_gop, skipped: None });
                }
                Step::Leave { consumer } if consumer < witnesses.len() => {
                    witnesses.remove(consumer);
                }
                _ => {}
            }
            prop_assert_eq!(fanout.subscribers(), witnesses.len());
        }
        for mut w in witnesses {
            while w.take()? {}
            prop_assert_eq!(w.consumer.waiting(), (0, 0));
        }
    }
}

fn frame(n: u64, key: bool, weight: usize) -> Frame {
    Frame { n, gop: 0, key, loss: false, weight, micros: n as i64 * 66_000 }
}

const ROOMY: Capacity = Capacity { items: 1000, bytes: 1 << 20 };

fn drain(consumer: &mut Consumer<Frame>) -> Vec<u64> {
    let mut seen = Vec::new();
    while let Some(delivery) = consumer.try_next() {
        match delivery {
            Delivery::Item(f) => seen.push(f.n),
            Delivery::Skipped { gops } => seen.push(1_000_000 + gops),
        }
    }
    seen
}

#[test]
fn a_joiner_gets_the_current_gop_at_once() {
    let fanout = Fanout::new("test");
    for n in 0..7 {
        fanout.publish(frame(n, n % 5 == 0, 10));
    }
    let mut joiner = fanout.subscribe(Join::CurrentGop, Capacity { items: 1, bytes: 1 }, "test");
    let mut patient = fanout.subscribe(Join::NextRandomAccess, ROOMY, "test");
    fanout.publish(frame(7, false, 10));
    assert_eq!(drain(&mut joiner), [5, 6, 7], "the cached GOP does not use up the queue");
    for n in 8..11 {
        fanout.publish(frame(n, n % 5 == 0, 10));
    }
    assert_eq!(drain(&mut patient), [10]);
}

#[test]
fn what_is_forgotten_is_no_beginning_for_who_joins_later() {
    let stream = Fanout::new("t");
    let mut early = stream.subscribe(Join::CurrentGop, Capacity { items: 50, bytes: 1 << 20 }, "test");
    (0..3).for_each(|n| stream.publish(frame(n, n == 0, 10)));
    stream.forget();
    let mut late = stream.subscribe(Join::CurrentGop, Capacity { items: 50, bytes: 1 << 20 }, "test");
    (3..6).for_each(|n| stream.publish(frame(n, n == 5, 10)));
    assert_eq!(drain(&mut late), [5]);
    assert_eq!(drain(&mut early), [0, 1, 2, 3, 4, 5], "who was there loses nothing");
}

#[test]
fn a_gop_too_large_or_too_long_is_not_kept() {
    for (weight, step) in [(1 << 20, 66_000), (10, 2_100_000)] {
        let fanout = Fanout::new("test");
        for n in 0..6u64 {
            fanout.publish(Frame { micros: n as i64 * step, ..frame(n, n == 0, weight) });
        }
        let mut joiner = fanout.subscribe(Join::CurrentGop, Capacity { items: 100, bytes: 100 << 20 }, "test");
        fanout.publish(frame(6, false, weight));
        assert_eq!(drain(&mut joiner), Vec::<u64>::new());
        fanout.publish(frame(7, true, weight));
        assert_eq!(drain(&mut joiner), [7]);
    }
}

#[test]
fn a_slow_consumer_loses_whole_gops_and_is_told_how_many() {
    let fanout = Fanout::new("test");
    let mut slow = fanout.subscribe(Join::NextRandomAccess, Capacity { items: 6, bytes: 1 << 20 }, "test");
    for n in 0..16 {
        fanout.publish(frame(n, n % 4 == 0, 10));
    }
    // GOPs 0-3, 4-7 and 8-11 did not fit with 12-15 behind them.
    assert_eq!(drain(&mut slow), [1_000_003, 12, 13, 14, 15]);
}

#[test]
fn a_gop_larger_than_the_queue_keeps_its_playable_beginning() {
    let fanout = Fanout::new("test");
    let mut slow = fanout.subscribe(Join::NextRandomAccess, Capacity { items: 3, bytes: 1 << 20 }, "test");
    for n in 0..6 {
        fanout.publish(frame(n, n == 0, 10));
    }
    assert_eq!(drain(&mut slow), [0, 1, 2]);
    fanout.publish(frame(6, false, 10));
    fanout.publish(frame(7, true, 10));
    assert_eq!(drain(&mut slow), [1_000_001, 7]);
}

#[tokio::test]
async fn a_waiting_consumer_is_woken_and_told_of_the_end() {
    let fanout = Fanout::new("test");
    let mut consumer = fanout.subscribe(Join::CurrentGop, ROOMY, "test");
    let waiting = tokio::spawn(async move {
        let first = consumer.next().await;
        (first, consumer.next().await, consumer.next().await)
    });
    tokio::task::yield_now().await;
    fanout.publish(frame(0, true, 1));
    fanout.publish(frame(1, false, 1));
    drop(fanout);
    let (first, second, end) = waiting.await.expect("consumer task");
    assert_eq!(first, Some(Delivery::Item(frame(0, true, 1))));
    assert_eq!(second, Some(Delivery::Item(frame(1, false, 1))));
    assert_eq!(end, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_on_other_threads_keep_up() {
    let fanout: Fanout<Frame> = Fanout::new("test");
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let mut consumer = fanout.subscribe(Join::CurrentGop, Capacity { items: 100_000, bytes: 1 << 30 }, "test");
            tokio::spawn(async move {
                let mut count = 0u64;
                while let Some(Delivery::Item(f)) = consumer.next().await {
                    assert_eq!(f.n, count);
                    count += 1;
                }
                count
            })
        })
        .collect();
    for n in 0..20_000 {
        fanout.publish(frame(n, n % 30 == 0, 100));
    }
    drop(fanout);
    for reader in readers {
        assert_eq!(reader.await.expect("reader"), 20_000);
    }
}
