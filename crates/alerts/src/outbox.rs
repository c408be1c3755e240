//! Where parcels wait.
//!
//! Belongs here: what alerts ask of the durable outbox. Does not belong here: how it is kept (`store`).

use domain::WallTime;

/// A message that waits for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The outbox's name for it.
    pub id: i64,
    /// A random UUID, the same at every try: the receiver's guard against doubles.
    pub delivery: String,
    /// `case.raised`, …
    pub event: String,
    /// When what it tells happened.
    pub happened: WallTime,
    /// When it could first be sent.
    pub first_due: WallTime,
    /// Tries in vain.
    pub tries: u32,
    /// A JSON object.
    pub body: String,
}

/// What became of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Done,
    /// The receiver wants no more of it.
    Gone,
    /// It will not be tried again.
    Expired {
        /// What the last try met.
        trouble: String,
    },
    /// It is to be tried again.
    Later {
        /// When.
        due: WallTime,
        /// What this try met.
        trouble: String,
    },
}

/// The outbox failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the outbox failed: {0}")]
pub struct OutboxError(
    /// What it said.
    pub String,
);

/// The durable outbox. Calls block for the disk; alerts make them on a blocking thread.
pub trait Outbox: Send + Sync + 'static {
    /// Parcels of a channel that are due at `now`, longest waiting first, at most `limit`. They stay until settled: a
    /// parcel that was taken when the box went down is taken again.
    ///
    /// # Errors
    /// When it cannot be read.
    fn take(&self, channel: &str, now: WallTime, limit: usize) -> Result<Vec<Parcel>, OutboxError>;

    /// Keeps what became of a try; durable when it returns.
    ///
    /// # Errors
    /// When it cannot be written.
    fn settle(&self, id: i64, outcome: &Outcome, now: WallTime) -> Result<(), OutboxError>;

    /// When the next parcel of a channel is due, also when that is past; `None`: none waits.
    ///
    /// # Errors
    /// When it cannot be read.
    fn next_due(&self, channel: &str) -> Result<Option<WallTime>, OutboxError>;
}
