//! What a stream keeps from session to session, and over a crash of its task.
//!
//! Does not belong here: anything a session should begin without (its timeline, its clock).

use domain::Format;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

/// The memory of one stream of samples.
#[derive(Debug, Default)]
pub struct Memory {
    next_seq: AtomicU64,
    depth: AtomicU8,
    format: Mutex<Option<Arc<Format>>>,
}

impl Memory {
    /// The number of the next sample since the core started.
    pub fn next_seq(&self) -> u64 {
        self.next_seq.fetch_add(1, Ordering::Relaxed)
    }

    /// The reordering depth this stream was found to need.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.depth.load(Ordering::Relaxed)
    }

    /// Remembers a depth that was learned.
    pub fn learned(&self, depth: u8) {
        self.depth.store(depth, Ordering::Relaxed);
    }

    /// Shares a format: the same `Arc` for as long as the parameters are equal.
    /// The second value says whether they replaced others.
    pub fn share(&self, format: Format) -> (Arc<Format>, bool) {
        let mut kept = self.format.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(same) if **same == format => (same.clone(), false),
            other => {
                let replaced = other.is_some();
                let new = Arc::new(format);
                *kept = Some(new.clone());
                (new, replaced)
            }
        }
    }
}
