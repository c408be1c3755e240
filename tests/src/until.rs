//! Waiting for a condition, with a deadline.

use std::{future::Future, time::Duration};

/// Asks `condition` every 20 ms until it gives something; fails with `what` after `limit`.
///
/// # Panics
/// After `limit`.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, limit: Duration, mut condition: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(found) = condition().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| panic!("not within {limit:?}: {what}"))
}
