//! What waits for one consumer, and what it loses when it is slow.
//!
//! When an item does not fit, the oldest GOPs go first, so that a slow viewer catches up with the
//! present; if the queue holds only (part of) the current GOP, the rest of that GOP goes instead,
//! because what waits is still the unbroken continuation of what the consumer has seen.

use crate::Item;
use std::collections::VecDeque;

/// Most that may wait for one consumer. A single item larger than `bytes` still passes through an
/// empty queue, and the GOP a consumer joined with comes on top (see [`crate::GOP_BYTES`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Items; at least 1 is used.
    pub items: usize,
    /// Bytes of the waiting items.
    pub bytes: usize,
}

/// What a consumer receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery<T> {
    /// The next item.
    Item(T),
    /// The consumer was too slow: items of this many GOPs are missing here. The next item is a random access point.
    /// Several in a row add up: the consumer fell behind again before it took that item.
    Skipped {
        /// GOPs of which at least one item was lost; at least 1.
        gops: u64,
    },
}

#[derive(Debug)]
struct Entry<T> {
    item: T,
    gop: u64,
    /// GOPs lost directly before this item.
    skipped: u64,
    /// Part of the GOP the consumer joined with: does not count against the capacity.
    joined: bool,
}

/// One consumer's waiting items.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    entries: VecDeque<Entry<T>>,
    capacity: Capacity,
    items: usize,
    bytes: usize,
    /// Nothing is admitted before the next random access point.
    waiting: bool,
    /// GOPs lost since the last waiting entry.
    pending: u64,
    /// The newest GOP already counted as lost, so that none counts twice.
    counted: Option<u64>,
}

impl<T: Item> Queue<T> {
    /// A queue that starts with `backlog`, or, when that is empty, at the next random access point.
    pub(crate) fn new(capacity: Capacity, backlog: &[T], gop: u64) -> Self {
        let capacity = Capacity { items: capacity.items.max(1), ..capacity };
        let entry = |item: &T| Entry { item: item.clone(), gop, skipped: 0, joined: true };
        let entries: VecDeque<_> = backlog.iter().map(entry).collect();
        Self { waiting: entries.is_empty(), entries, capacity, items: 0, bytes: 0, pending: 0, counted: None }
    }

    /// Offers the next published item of GOP number `gop`. Returns how many GOPs were newly lost.
    pub(crate) fn push(&mut self, item: &T, gop: u64) -> u64 {
        let random_access = item.random_access();
        if self.waiting && !random_access {
            return 0;
        }
        let mut lost = 0;
        if !self.fits(item) {
            // Either way the queue begins at a random access point afterwards: the newest that waits, or this item.
            let keep_from = if random_access { Some(self.entries.len()) } else { self.newest_start() };
            if let Some(n) = keep_from {
                lost += self.drop_oldest(n);
            }
            if !self.fits(item) {
                let rest = self.count(gop);
                self.pending += rest;
                self.waiting = true;
                return lost + rest;
            }
        }
        self.waiting = false;
        let skipped = std::mem::take(&mut self.pending);
        self.items += 1;
        self.bytes = self.bytes.saturating_add(item.weight());
        self.entries.push_back(Entry { item: item.clone(), gop, skipped, joined: false });
        lost
    }

    /// Takes the next delivery, if one waits.
    pub(crate) fn pop(&mut self) -> Option<Delivery<T>> {
        let front = self.entries.front_mut()?;
        match std::mem::take(&mut front.skipped) {
            0 => {
                let entry = self.entries.pop_front()?;
                self.released(&entry);
                Some(Delivery::Item(entry.item))
            }
            gops => Some(Delivery::Skipped { gops }),
        }
    }

    fn fits(&self, item: &T) -> bool {
        self.items == 0 || (self.items < self.capacity.items && self.bytes.saturating_add(item.weight()) <= self.capacity.bytes)
    }

    /// Index of the last random access point behind the front, if any.
    fn newest_start(&self) -> Option<usize> {
        (1..self.entries.len()).rev().find(|&i| self.entries.get(i).is_some_and(|e| e.item.random_access()))
    }

    /// Drops the first `n` entries and notes before what remains, or will come, how many GOPs are missing.
    fn drop_oldest(&mut self, n: usize) -> u64 {
        let (mut carried, mut lost) = (0, 0);
        for _ in 0..n {
            let Some(entry) = self.entries.pop_front() else { break };
            carried += entry.skipped;
            lost += self.count(entry.gop);
            self.released(&entry);
        }
        match self.entries.front_mut() {
            Some(front) => front.skipped += carried + lost,
            None => self.pending += carried + lost,
        }
        lost
    }

    /// 1 if this GOP was not yet counted as lost.
    fn count(&mut self, gop: u64) -> u64 {
        if self.counted.is_some_and(|newest| gop <= newest) {
            return 0;
        }
        self.counted = Some(gop);
        1
    }

    fn released(&mut self, entry: &Entry<T>) {
        if !entry.joined {
            self.items -= 1;
            self.bytes = self.bytes.saturating_sub(entry.item.weight());
        }
    }

    /// Items and bytes held, the joined GOP included.
    pub(crate) fn held(&self) -> (usize, usize) {
        (self.entries.len(), self.entries.iter().map(|e| e.item.weight()).sum())
    }
}
