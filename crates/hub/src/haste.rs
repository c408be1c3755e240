//! Whether somebody waits for the very next item of some stream. While nobody does, whoever publishes may do its work in
//! fewer and larger pieces.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Counts those who wait, over any number of streams. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Haste(Arc<AtomicUsize>);

impl Haste {
    /// Waits from now on, until what comes back is dropped.
    #[must_use]
    pub fn hurry(&self) -> Hurry {
        self.0.fetch_add(1, Ordering::Relaxed);
        Hurry(self.clone())
    }

    /// Whether anybody waits now.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Somebody who waits for what comes next.
#[derive(Debug)]
pub struct Hurry(Haste);

impl Drop for Hurry {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
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
}
