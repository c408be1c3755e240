//! Channels that come and go while the box runs: phones sign up, and are lost.
//!
//! Belongs here: a queue for each channel there is, none for those that are gone. Does not belong here: how a queue
//! delivers (`queue`), who signs up (`web`), where it is kept (`store`).

use crate::{
    Channel, Outbox, OutboxError,
    queue::{IDLE, Queue, REST},
};
use domain::Clock;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::{
    sync::watch,
    task::{JoinHandle, spawn_blocking},
    time,
};
use tokio_util::sync::CancellationToken;

/// Queues open at once, whatever the list says.
const QUEUES_MAX: usize = 256;

/// Which channels there are.
pub trait Roster: Send + Sync + 'static {
    /// Their names. Blocks for the disk.
    ///
    /// # Errors
    /// When they cannot be read.
    fn names(&self) -> Result<Vec<String>, OutboxError>;

    /// The channel of a name.
    fn open(&self, name: &str) -> Arc<dyn Channel>;
}

/// Delivers to whoever is on the list until told to stop, each by itself: the list is read anew whenever there is news, and every
/// now and then. A queue that falls is opened again.
pub async fn follow(
    outbox: Arc<dyn Outbox>,
    roster: Arc<dyn Roster>,
    clock: Arc<dyn Clock>,
    mut news: watch::Receiver<i64>,
    stop: CancellationToken,
) {
    let mut open: BTreeMap<String, (CancellationToken, JoinHandle<()>)> = BTreeMap::new();
    loop {
        // Seen before looking: what comes while we look is news.
        news.borrow_and_update();
        match read(&roster).await {
            Ok(names) => {
                open.retain(|name, (end, queue)| {
                    let stays = names.contains(name) && !queue.is_finished();
                    if !stays {
                        end.cancel();
                    }
                    stays
                });
                for name in names {
                    let (roster, outbox, clock, news) = (&roster, &outbox, &clock, &news);
                    open.entry(name).or_insert_with_key(|name| {
                        let end = stop.child_token();
                        let channel = roster.open(name);
                        let queue = Queue { outbox: Arc::clone(outbox), channel, clock: Arc::clone(clock), stop: end.clone() };
                        (end, tokio::spawn(queue.run(news.clone())))
                    });
                }
                metrics::gauge!("matthon_phones").set(open.len() as f64);
            }
            Err(error) => tracing::error!(%error, "the list of phones cannot be read; those known go on being told"),
        }
        tokio::select! {
            () = stop.cancelled() => break,
            changed = news.changed() => if changed.is_err() {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = time::sleep(REST) => {}
                }
            },
            () = time::sleep(IDLE) => {}
        }
    }
    for (_, (_, queue)) in open {
        if let Err(error) = queue.await {
            tracing::error!(%error, "a phone's queue fell; its messages wait for the next start");
        }
    }
}

async fn read(roster: &Arc<dyn Roster>) -> Result<BTreeSet<String>, OutboxError> {
    let asked = Arc::clone(roster);
    match spawn_blocking(move || asked.names()).await {
        Ok(names) => Ok(names?.into_iter().take(QUEUES_MAX).collect()),
        Err(fell) => Err(OutboxError(format!("the call fell: {fell}"))),
    }
}
