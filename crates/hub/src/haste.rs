//! Whether somebody waits for the very next item of some stream. While nobody does, whoever publishes may do its work in
//! fewer and larger pieces.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::Thread,
    time::Duration,
};

/// Counts those who wait, over any number of streams. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Haste(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    /// Who publishes, once it has rested.
    resting: OnceLock<Thread>,
}

impl Haste {
    /// Waits from now on, until what comes back is dropped. Whoever rests is woken.
    #[must_use]
    pub fn hurry(&self) -> Hurry {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        if let Some(thread) = self.0.resting.get() {
            thread.unpark();
        }
        Hurry(self.clone())
    }

    /// Whether anybody waits now.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.waiting.load(Ordering::SeqCst) > 0
    }

    /// Lets the calling thread rest until so much time is over or somebody hurries; of the threads that share a haste only one may.
    pub fn rest(&self, most: Duration) {
        self.0.resting.get_or_init(std::thread::current);
        // Looked at after it is known who rests: who began to hurry before this wakes nobody, who begins after it does.
        if !self.any() {
            std::thread::park_timeout(most);
        }
    }
}

/// Somebody who waits for what comes next.
#[derive(Debug)]
pub struct Hurry(Haste);

impl Drop for Hurry {
    fn drop(&mut self) {
        self.0.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_haste_as_long_as_one_waits() {
        let haste = Haste::default();
        let same = haste.clone();
        assert!(!haste.any());
        let (one, two) = (haste.hurry(), same.hurry());
        drop(one);
        assert!(haste.any());
        drop(two);
        assert!(!haste.any());
    }

    #[test]
    fn whoever_hurries_wakes_who_rests() {
        let haste = Haste::default();
        let (told, tells) = std::sync::mpsc::channel();
        std::thread::scope(|all| {
            all.spawn(|| {
                while !haste.any() {
                    let _ = told.send(());
                    haste.rest(Duration::from_secs(3600));
                }
            });
            tells.recv().unwrap();
            // Kept until the other thread has seen it.
            std::mem::forget(haste.hurry());
        });
    }
}
