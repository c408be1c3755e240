//! The current GOP, kept so that a joiner sees a picture at once.
//!
//! Bounded by [`GOP_BYTES`] and [`GOP_MICROS`]: "smart" encoders send GOPs of a minute. One that grows
//! past a bound empties the cache until the next random access point, because the first half of a GOP
//! is of no use to a joiner who wants the present. Such streams are served to joiners from the ring.

use crate::Item;
use metrics::Counter;

/// Most bytes of one GOP that are kept.
pub const GOP_BYTES: usize = 4 << 20;
/// Longest GOP that is kept, in microseconds.
pub const GOP_MICROS: i64 = 10_000_000;

/// The items since the last random access point, or nothing.
#[derive(Debug)]
pub(crate) struct GopCache<T> {
    items: Vec<T>,
    bytes: usize,
    overflows: Counter,
}

impl<T: Item> GopCache<T> {
    /// An empty cache that counts each GOP it had to give up.
    pub(crate) fn new(overflows: Counter) -> Self {
        Self { items: Vec::new(), bytes: 0, overflows }
    }

    /// Keeps an item if it continues the GOP or begins one.
    pub(crate) fn push(&mut self, item: T) {
        if item.random_access() {
            self.clear();
        } else if item.loss_before() {
            // What follows a hole cannot be decoded cleanly from the cached start.
            self.clear();
            return;
        }
        let Some(first) = self.items.first() else {
            if item.random_access() && item.weight() <= GOP_BYTES {
                self.keep(item);
            }
            return;
        };
        let span = item.micros().saturating_sub(first.micros());
        if self.bytes.saturating_add(item.weight()) > GOP_BYTES || !(0..=GOP_MICROS).contains(&span) {
            self.clear();
            self.overflows.increment(1);
        } else {
            self.keep(item);
        }
    }

    /// The cached items, oldest first; empty when no start is known.
    pub(crate) fn items(&self) -> &[T] {
        &self.items
    }

    fn keep(&mut self, item: T) {
        self.bytes += item.weight();
        self.items.push(item);
    }

    /// Forgets what it has.
    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
    }
}
