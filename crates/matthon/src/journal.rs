//! When the box ran and how cameras were connected, written down while it runs: the reasons of gaps (`web::gaps`).

use crate::env::Env;
use domain::{Board, CameraId, Channel, LinkChange, hex};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::Store;
use tokio_util::sync::CancellationToken;

/// How often it is written that the core still runs: a power cut is known to this.
const BEAT: Duration = Duration::from_secs(5);

/// Keeps the journal until told to stop.
pub(crate) async fn keep(store: Store, env: Env, board: Arc<Board>, stop: CancellationToken) {
    let boot = hex(&env.clock.boot_id());
    let mut known: BTreeMap<(CameraId, Channel), domain::Link> = BTreeMap::new();
    let mut run = None;
    let mut every = tokio::time::interval(BEAT);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let last = stop.run_until_cancelled(every.tick()).await.is_none();
        let now = env.clock.wall();
        let changes: Vec<_> = board
            .all()
            .into_iter()
            .filter(|(camera, channel, health)| known.get(&(camera.clone(), *channel)) != Some(&health.link))
            .map(|(camera, channel, health)| (camera, channel, LinkChange { at: health.since, link: health.link }))
            .collect();
        let (store, boot, noted) = (store.clone(), boot.clone(), changes.clone());
        let written = tokio::task::spawn_blocking(move || {
            let run = match run {
                Some(run) => run,
                None => store.begin_box_run(&boot, now)?,
            };
            store.note_run(run, now, &noted)?;
            Ok::<_, store::StoreError>(run)
        });
        match written.await {
            Ok(Ok(number)) => {
                run = Some(number);
                known.extend(changes.into_iter().map(|(camera, channel, change)| ((camera, channel), change.link)));
            }
            Ok(Err(error)) => tracing::warn!(%error, "the journal of the box is not written; trying again"),
            Err(error) => tracing::error!(%error, "the journal of the box fell"),
        }
        if last {
            return;
        }
    }
}
