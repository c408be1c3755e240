//! From the outbox in the database to whoever is to be told: which channels the configuration names, and their start.

use crate::env::Env;
use alerts::{Channel, Outbox, OutboxError, Outcome, Parcel, Webhook, push::Phonebook};
use anyhow::Result;
use config::Config;
use domain::WallTime;
use std::sync::Arc;
use store::{Settled, Store, StoreError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The name of a webhook's place in the outbox. It stays the same when the webhook's address changes, so that what
/// waits for it is not lost.
pub(crate) fn channel_name(webhook: &config::Webhook) -> String {
    format!("webhook:{}", webhook.name)
}

/// Everybody a case is told to, by their places in the outbox; the phones are a group.
pub(crate) fn channels(config: &Config) -> Vec<String> {
    let phones = config.push.iter().map(|_| store::PUSH.to_owned());
    config.webhooks.iter().map(channel_name).chain(phones).collect()
}

/// Starts one queue for every webhook, and one for every phone that signs up.
pub(crate) fn start(
    config: &Config,
    env: &Env,
    store: &Store,
    cases: &cases::Cases,
    phonebook: Option<Phonebook>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<()> {
    let channels: Vec<Arc<dyn Channel>> = config
        .webhooks
        .iter()
        .map(|w| Arc::new(Webhook::new(channel_name(w), w.url.clone(), w.secret.clone())) as Arc<dyn Channel>)
        .collect();
    let outbox = Arc::new(Kept(store.clone()));
    if let Some(phonebook) = phonebook {
        tasks.spawn(alerts::follow(outbox.clone(), Arc::new(phonebook), env.clock.clone(), cases.subscribe(), stop.clone()));
    }
    tasks.spawn(alerts::run(outbox, channels, env.clock.clone(), cases.subscribe(), stop.clone()));
    Ok(())
}

/// The outbox that the database keeps.
struct Kept(Store);

impl Outbox for Kept {
    fn take(&self, channel: &str, now: WallTime, limit: usize) -> Result<Vec<Parcel>, OutboxError> {
        let due = self.0.outbox_due(channel, now, limit).map_err(|e| failed(&e))?;
        Ok(due.into_iter().map(parcel).collect())
    }

    fn settle(&self, id: i64, outcome: &Outcome, now: WallTime) -> Result<(), OutboxError> {
        self.0.outbox_settle(id, &settled(outcome), now).map_err(|e| failed(&e))
    }

    fn next_due(&self, channel: &str) -> Result<Option<WallTime>, OutboxError> {
        self.0.outbox_next_due(channel).map_err(|e| failed(&e))
    }
}

pub(crate) fn failed(error: &StoreError) -> OutboxError {
    OutboxError(error.to_string())
}

fn parcel(kept: store::Parcel) -> Parcel {
    let store::Parcel { id, delivery, event, happened, first_due, tries, body } = kept;
    Parcel { id, delivery, event, happened, first_due, tries, body }
}

fn settled(outcome: &Outcome) -> Settled {
    match outcome.clone() {
        Outcome::Done => Settled::Done,
        Outcome::Gone => Settled::Gone,
        Outcome::Expired { trouble } => Settled::Expired { trouble },
        Outcome::Later { due, trouble } => Settled::Later { due, trouble },
    }
}
