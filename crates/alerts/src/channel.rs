//! A way to reach somebody.

use crate::Parcel;
use async_trait::async_trait;
use domain::WallTime;
use std::time::Duration;

/// What became of a try, as the channel sees it. Texts name no address and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It arrived.
    Done,
    /// The receiver wants no more of it.
    Gone,
    /// Not now: it is tried again later.
    Failed(String),
    /// Not now, and not before this long: the receiver said so.
    Busy(String, Duration),
    /// It can never be sent.
    Never(String),
}

/// A way to reach somebody.
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    /// Its name: in the outbox, in metrics, in the log.
    fn name(&self) -> &str;

    /// How long after it could first be sent a message is still worth sending.
    fn life(&self) -> Duration {
        Duration::from_secs(3 * 86_400)
    }

    /// One try, bounded in time. `late`: it tells of something that happened a while ago. The future may be dropped.
    async fn send(&self, parcel: &Parcel, late: bool, now: WallTime) -> Sent;
}
