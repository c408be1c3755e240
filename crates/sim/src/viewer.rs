//! A viewer who is slow: what the hub owes to it, whatever it does.

use crate::ledger::Ledger;
use domain::Sample;
use hub::{Capacity, Consumer, Delivery, Fanout, Join};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What may wait for one.
const ROOM: Capacity = Capacity { items: 64, bytes: 1 << 16 };
/// The group it joins with comes on top: no camera here has longer ones.
const JOINED: usize = 64;

/// Watches a stream, with pauses, as long as it lasts.
pub(crate) async fn watch(stream: Fanout<Sample>, pause: Duration, ledger: Arc<Mutex<Ledger>>) {
    let mut consumer = stream.subscribe(Join::CurrentGop, ROOM, "viewer");
    // Only what feeds it may keep the stream alive.
    drop(stream);
    let mut last: Option<u64> = None;
    loop {
        if let Err(what) = take(&mut consumer, &mut last) {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).complain(what);
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

fn take(consumer: &mut Consumer<Sample>, last: &mut Option<u64>) -> Result<(), String> {
    let (items, bytes) = consumer.waiting();
    if items > ROOM.items + JOINED || bytes > ROOM.bytes * 2 {
        return Err(format!("{items} samples of {bytes} bytes wait for a viewer"));
    }
    while let Some(delivery) = consumer.try_next() {
        match delivery {
            Delivery::Skipped { .. } => *last = None,
            Delivery::Item(s) => {
                let goes_on = last.is_some_and(|n| s.seq == n + 1);
                if !goes_on && !s.random_access {
                    return Err(format!("{}: a viewer got sample {} behind {last:?}, where nothing can be decoded", s.stream, s.seq));
                }
                *last = Some(s.seq);
            }
        }
    }
    Ok(())
}
