//! The publisher's and the consumer's ends.
//!
//! One lock for the list and the cached GOP, one small lock per consumer. Publishing clones the item
//! once per consumer and wakes those that wait; it never waits for any of them.

use crate::{
    Item,
    gop::GopCache,
    haste::{Haste, Hurry},
    queue::{Capacity, Delivery, Queue},
};
use metrics::{Counter, counter};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};
use tokio::sync::Notify;

/// Where a new consumer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// At the random access point that began the current GOP, if it is cached; else at the next one.
    CurrentGop,
    /// At the next random access point to be published.
    NextRandomAccess,
}

/// The publishing end of one stream. Clones are the same stream; when the last one is dropped,
/// consumers receive what still waits for them and then `None`.
pub struct Fanout<T: Item>(Arc<Shared<T>>);

struct Shared<T: Item> {
    name: Arc<str>,
    haste: Haste,
    state: Mutex<State<T>>,
}

struct State<T> {
    gop: u64,
    cache: GopCache<T>,
    slots: Vec<Arc<Slot<T>>>,
}

struct Slot<T> {
    inbox: Mutex<Inbox<T>>,
    arrived: Notify,
    dropped: Counter,
}

struct Inbox<T> {
    queue: Queue<T>,
    closed: bool,
}

impl<T: Item> Fanout<T> {
    /// A stream without consumers. `name` labels its metrics, for example `cong-lang/main/video`.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self::hastened(name, Haste::default())
    }

    /// The same, whose consumers that [`hurry`](Consumer::hurry) are counted where its publisher sees it.
    #[must_use]
    pub fn hastened(name: impl Into<Arc<str>>, haste: Haste) -> Self {
        let name = name.into();
        let overflows = counter!("matthon_gop_cache_overflow_total", "stream" => name.to_string());
        let state = State { gop: 0, cache: GopCache::new(overflows), slots: Vec::new() };
        Self(Arc::new(Shared { name, haste, state: Mutex::new(state) }))
    }

    /// The name it was made with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Hands an item to every consumer and wakes those that wait. Never blocks on a consumer.
    pub fn publish(&self, item: T) {
        let mut state = lock(&self.0.state);
        if item.random_access() {
            state.gop += 1;
        }
        for slot in &state.slots {
            let lost = lock(&slot.inbox).queue.push(&item, state.gop);
            slot.arrived.notify_one();
            if lost > 0 {
                slot.dropped.increment(lost);
            }
        }
        state.cache.push(item);
    }

    /// Forgets the current group of pictures: who joins now waits for the next. For streams that stop and begin again, whose last
    /// picture is not the present.
    pub fn forget(&self) {
        lock(&self.0.state).cache.clear();
    }

    /// Adds a consumer. `consumer` labels `matthon_gop_dropped_total`.
    #[must_use]
    pub fn subscribe(&self, join: Join, capacity: Capacity, consumer: &'static str) -> Consumer<T> {
        let mut state = lock(&self.0.state);
        let backlog = match join {
            Join::CurrentGop => state.cache.items(),
            Join::NextRandomAccess => &[],
        };
        let inbox = Inbox { queue: Queue::new(capacity, backlog, state.gop), closed: false };
        let dropped = counter!("matthon_gop_dropped_total", "consumer" => consumer);
        let slot = Arc::new(Slot { inbox: Mutex::new(inbox), arrived: Notify::new(), dropped });
        state.slots.push(slot.clone());
        Consumer { slot, stream: Arc::downgrade(&self.0), hurry: None }
    }

    /// How many consumers there are now.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        lock(&self.0.state).slots.len()
    }
}

impl<T: Item> Clone for Fanout<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Item> fmt::Debug for Fanout<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fanout").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl<T: Item> Drop for Shared<T> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for slot in state.slots.drain(..) {
            lock(&slot.inbox).closed = true;
            slot.arrived.notify_one();
        }
    }
}

/// The receiving end: one reader's place in the stream. Dropping it unsubscribes.
pub struct Consumer<T: Item> {
    slot: Arc<Slot<T>>,
    stream: Weak<Shared<T>>,
    hurry: Option<Hurry>,
}

impl<T: Item> Consumer<T> {
    /// This one waits for each item the moment it is there: a person is looking.
    #[must_use]
    pub fn hurry(mut self) -> Self {
        self.hurry = self.stream.upgrade().map(|stream| stream.haste.hurry());
        self
    }

    /// Waits for the next delivery; `None` once the publisher is gone and nothing waits.
    /// Cancelling the wait loses nothing.
    pub async fn next(&mut self) -> Option<Delivery<T>> {
        loop {
            {
                let mut inbox = lock(&self.slot.inbox);
                if let Some(delivery) = inbox.queue.pop() {
                    return Some(delivery);
                }
                if inbox.closed {
                    return None;
                }
            }
            // The permit of `notify_one` is kept if it came between the look and this wait.
            self.slot.arrived.notified().await;
        }
    }

    /// Takes the next delivery if one already waits.
    pub fn try_next(&mut self) -> Option<Delivery<T>> {
        lock(&self.slot.inbox).queue.pop()
    }

    /// Items and bytes that wait now.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        lock(&self.slot.inbox).queue.held()
    }
}

impl<T: Item> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").finish_non_exhaustive()
    }
}

impl<T: Item> Drop for Consumer<T> {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.upgrade() {
            lock(&stream.state).slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
        }
    }
}

// Nothing under these locks can leave a half-made change behind that another would trip over.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
