//! What the fan-out must know of an item, and the answers of a [`Sample`].
//!
//! Does not belong here: anything a consumer does with an item.

use domain::Sample;

/// Something published to many consumers. Cloning must be cheap: each consumer gets a clone.
pub trait Item: Clone + Send + Sync + 'static {
    /// Whether a consumer may start here.
    fn random_access(&self) -> bool;
    /// How many bytes it keeps in memory.
    fn weight(&self) -> usize;
    /// Its time in microseconds on any clock that runs evenly between losses; only differences are used.
    fn micros(&self) -> i64;
    /// Whether something between the previous item and this one is missing.
    fn loss_before(&self) -> bool;
}

impl Item for Sample {
    fn random_access(&self) -> bool {
        self.random_access
    }

    fn weight(&self) -> usize {
        self.data.len()
    }

    /// Decoding time: it never steps within a session, as the wall clock may.
    fn micros(&self) -> i64 {
        self.dts.saturating_mul(100) / 9
    }

    fn loss_before(&self) -> bool {
        self.loss_before
    }
}
