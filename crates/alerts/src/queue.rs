//! One channel's queue: what is due is sent, what fails is tried again later, what is too old is given up.
//!
//! Belongs here: order, waits and ends. Does not belong here: how a message travels (`webhook`).

use crate::{Channel, Outbox, OutboxError, Outcome, Parcel, Sent};
use domain::{Clock, WallTime};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet, time};
use tokio_util::sync::CancellationToken;

/// The wait after the first try in vain; each further one is twice as long.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// A message that tells of something longer ago is marked as late.
const LATE: Duration = Duration::from_secs(60);
/// Parcels taken in one go.
const BATCH: usize = 16;
/// How long a queue rests when the outbox fails, and the longest it sleeps while something waits (clocks are set).
pub(crate) const REST: Duration = Duration::from_secs(5);
/// How often an empty outbox is looked into: news come from cases alone, and packages and disks put parcels in as well.
pub(crate) const IDLE: Duration = Duration::from_secs(15);

/// Delivers until told to stop, each channel by itself. `news` changes whenever something may have been put into the outbox.
pub async fn run(
    outbox: Arc<dyn Outbox>,
    channels: Vec<Arc<dyn Channel>>,
    clock: Arc<dyn Clock>,
    news: watch::Receiver<i64>,
    stop: CancellationToken,
) {
    let mut queues = JoinSet::new();
    for channel in channels {
        let queue = Queue { outbox: Arc::clone(&outbox), channel, clock: Arc::clone(&clock), stop: stop.clone() };
        queues.spawn(queue.run(news.clone()));
    }
    while let Some(ended) = queues.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a channel's queue fell; its messages wait for the next start");
        }
    }
}

/// One channel's queue.
pub(crate) struct Queue {
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: CancellationToken,
}

impl Queue {
    /// Delivers until told to stop.
    pub(crate) async fn run(self, mut news: watch::Receiver<i64>) {
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.deliver(&mut news) => {}
        }
    }

    async fn deliver(&self, news: &mut watch::Receiver<i64>) {
        loop {
            // Seen before looking: what comes while we look is news.
            news.borrow_and_update();
            let sleep = match self.round().await {
                Ok(Some(next)) => Some(Duration::from_micros(u64::try_from(next.micros_since(self.clock.wall())).unwrap_or(0)).min(REST)),
                Ok(None) => None,
                Err(error) => {
                    tracing::error!(channel = self.channel.name(), %error, "messages wait");
                    // A rest that news does not cut short: a failing disk must not become a flood of doubles.
                    time::sleep(REST).await;
                    continue;
                }
            };
            tokio::select! {
                changed = news.changed() => if changed.is_err() {
                    // Nobody will put anything in any more; what waits is still delivered.
                    time::sleep(REST).await;
                },
                () = time::sleep(sleep.unwrap_or(IDLE)) => {}
            }
        }
    }

    /// Sends what is due; answers when the next parcel is.
    async fn round(&self) -> Result<Option<WallTime>, OutboxError> {
        let (now, name) = (self.clock.wall(), self.channel.name().to_owned());
        let due = self.outbox(move |o| o.take(&name, now, BATCH)).await?;
        for parcel in due {
            self.one(&parcel).await?;
        }
        let name = self.channel.name().to_owned();
        self.outbox(move |o| o.next_due(&name)).await
    }

    async fn one(&self, parcel: &Parcel) -> Result<(), OutboxError> {
        let began = self.clock.wall();
        let late = began.micros_since(parcel.happened) > LATE.as_micros() as i64;
        let sent = self.channel.send(parcel, late, began).await;
        let now = self.clock.wall();
        let mut wait = wait(parcel.tries);
        let sent = match sent {
            // Not longer than any other wait: what a receiver says is not a way to be forgotten.
            Sent::Busy(trouble, after) => {
                wait = wait.max(after.min(WAIT_MAX));
                Sent::Failed(trouble)
            }
            sent => sent,
        };
        let life = self.channel.life().as_micros() as i64;
        let (outcome, word) = match sent {
            Sent::Done => (Outcome::Done, "done"),
            Sent::Gone => (Outcome::Gone, "gone"),
            Sent::Never(trouble) => (Outcome::Expired { trouble }, "refused"),
            // A clock that is wrong by years must not give up what nobody has heard.
            Sent::Failed(trouble) if self.clock.synchronised() && now.micros_since(parcel.first_due) > life => {
                (Outcome::Expired { trouble }, "expired")
            }
            Sent::Failed(trouble) | Sent::Busy(trouble, _) => (Outcome::Later { due: now.plus(wait), trouble }, "failed"),
        };
        let channel = self.channel.name();
        metrics::counter!("matthon_alerts_total", "channel" => channel.to_owned(), "outcome" => word).increment(1);
        match &outcome {
            Outcome::Done => {
                if parcel.event == "case.raised" {
                    let seconds = now.micros_since(parcel.happened).max(0) as f64 / 1e6;
                    metrics::histogram!("matthon_violation_raised_to_handover_seconds").record(seconds);
                }
                tracing::debug!(channel, delivery = parcel.delivery, event = parcel.event, late, "message delivered");
            }
            Outcome::Gone => {
                tracing::info!(channel, delivery = parcel.delivery, "the receiver is gone, or wants no more messages");
            }
            Outcome::Expired { trouble } => tracing::error!(channel, delivery = parcel.delivery, trouble, "message given up"),
            Outcome::Later { trouble, .. } => {
                tracing::warn!(
                    channel,
                    delivery = parcel.delivery,
                    tries = parcel.tries + 1,
                    trouble,
                    "message not delivered; trying again"
                );
            }
        }
        let id = parcel.id;
        self.outbox(move |o| o.settle(id, &outcome, now)).await
    }

    async fn outbox<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Outbox) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        let outbox = Arc::clone(&self.outbox);
        match tokio::task::spawn_blocking(move || ask(outbox.as_ref())).await {
            Ok(answered) => answered,
            Err(fell) => Err(OutboxError(format!("the call fell: {fell}"))),
        }
    }
}

fn wait(tries: u32) -> Duration {
    WAIT_FIRST.saturating_mul(1 << tries.min(10)).min(WAIT_MAX)
}
