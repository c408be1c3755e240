//! What lies beside the rings and is over: evidence of cases, kept footage, packages. One task looks every minute, and tells how
//! full the evidence store is.
//!
//! Belongs here: the one trust in the clock that all deleting goes by, and packages. Does not belong here: which evidence of a case
//! is over (`cases::expiry`), the copies of footage (`keeping`).

#[cfg(test)]
mod tests;

use crate::keeping::Keeper;
use anyhow::Result;
use cases::{Cases, Fullness, Gauge};
use domain::{CameraId, Clock, ClockTrust, WallTime};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::{Sightings, Store};
use tokio_util::sync::CancellationToken;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(60);
/// Looks in an hour.
const HOURLY: u32 = 60;
/// How long a package lies ready: whoever asked for it has fetched it by then, and it can be made anew while the ring has its time.
const PACKAGES: Duration = Duration::from_secs(14 * 86_400);
/// Packages deleted in one go.
const AT_ONCE: usize = 100;

/// Who looks after it.
pub(crate) struct Steward {
    store: Store,
    clock: Arc<dyn Clock>,
    cases: Cases,
    keeper: Arc<Keeper>,
    gauge: Gauge,
    packages: PathBuf,
    trust: ClockTrust,
    /// What was said of the room last.
    said: Fullness,
    past: Option<Past>,
}

/// Lines of what came by, and how long each may be kept.
pub(crate) struct Past {
    pub(crate) sightings: Sightings,
    /// For each camera since when there are recordings of it to look at; cameras without any are left out.
    pub(crate) oldest: Box<dyn Fn() -> Vec<(CameraId, WallTime)> + Send>,
    /// `[privacy] keep`: nothing is kept longer, whatever is recorded.
    pub(crate) keep: Option<Duration>,
    /// Looks until cameras are gone through one by one: each time reads what is old of all.
    pub(crate) looks: u32,
}

impl Steward {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>, cases: Cases, keeper: Arc<Keeper>, gauge: Gauge, data: &Path) -> Self {
        let (packages, trust) = (data.join("exports"), ClockTrust::default());
        Self { store, clock, cases, keeper, gauge, packages, trust, said: Fullness::Roomy, past: None }
    }

    /// Also forgets what came by before the oldest recording of its camera: nobody could look at it.
    pub(crate) fn of_the_past(self, past: Past) -> Self {
        Self { past: Some(past), ..self }
    }

    /// Looks until told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(every.tick()).await.is_some() {
            let looked = tokio::task::spawn_blocking(move || {
                self.round();
                self
            });
            self = match looked.await {
                Ok(steward) => steward,
                Err(error) => return tracing::error!(%error, "looking after the evidence fell: nothing is deleted until the next start"),
            };
        }
    }

    /// One look. What fails is said and tried again at the next; one part's failure keeps no other.
    pub(crate) fn round(&mut self) {
        let failed = |what: &'static str, done: Result<()>| {
            if let Err(error) = done {
                tracing::warn!(error = format!("{error:#}"), "{what}; trying again in a minute");
            }
        };
        failed("what is left of deleted evidence stays", self.cases.tidy().map_err(Into::into));
        failed("how full the evidence store is cannot be told", self.tell());
        let Some(now) = self.trust.reading(self.clock.wall(), self.clock.mono(), self.clock.synchronised()) else { return };
        // First: what is seen for the first time is not over yet, whatever its stamps say.
        failed("what is new is not written down as seen", self.store.see_under_trusted_clock(now).map_err(Into::into));
        failed("evidence of cases whose time is over is not deleted yet", self.cases.expire(now).map(drop).map_err(Into::into));
        failed("kept footage whose time is over is not deleted yet", self.keeper.expire(now));
        failed("what came by before the oldest recording is not forgotten yet", self.forget(now));
        failed("packages whose time is over are not deleted yet", self.let_packages_go(now));
        failed("what is left of deleted evidence stays", self.cases.tidy().map_err(Into::into));
    }

    fn forget(&mut self, now: WallTime) -> Result<()> {
        let Some(Past { sightings, oldest, keep, looks }) = &mut self.past else { return Ok(()) };
        if let Some(keep) = keep {
            sightings.forget(now.minus(*keep), None)?;
        }
        // A recording from the future was stamped by a clock that was ahead: it says nothing of what is over.
        let mut recorded = oldest();
        recorded.retain(|(_, oldest)| *oldest <= now);
        if let Some(first) = recorded.iter().map(|(_, oldest)| *oldest).min() {
            sightings.forget(first, None)?;
        }
        if looks.is_multiple_of(HOURLY) {
            let mut together: BTreeMap<WallTime, Vec<CameraId>> = BTreeMap::new();
            for (camera, oldest) in recorded {
                together.entry(oldest).or_default().push(camera);
            }
            for (oldest, cameras) in together.into_iter().skip(1) {
                sightings.forget(oldest, Some(&cameras))?;
            }
        }
        *looks = looks.wrapping_add(1);
        metrics::gauge!("matthon_sightings_bytes").set(sightings.bytes()? as f64);
        Ok(())
    }

    fn tell(&mut self) -> Result<()> {
        let room = self.gauge.now()?;
        for (part, bytes) in [("cases", room.cases), ("kept", room.kept), ("packages", room.packages)] {
            metrics::gauge!("matthon_evidence_bytes", "part" => part).set(bytes as f64);
        }
        metrics::gauge!("matthon_evidence_quota_bytes").set(room.quota as f64);
        let full = room.fullness();
        if full != self.said {
            let (used, quota, free) = (room.used() / 1_000_000, room.quota / 1_000_000, room.free / 1_000_000);
            match full {
                Fullness::Roomy => tracing::info!(used, quota, free, "there is room for evidence again (MB)"),
                Fullness::Filling => {
                    tracing::warn!(used, quota, free, "the evidence store fills (MB): let go what nobody needs, or raise [evidence] quota")
                }
                Fullness::Full => {
                    tracing::error!(used, quota, free, "the evidence store is full (MB): new cases keep pictures and times, no clips")
                }
            }
            self.said = full;
        }
        Ok(())
    }

    /// The row first: what the list says is there, is there. One that refuses keeps no other.
    fn let_packages_go(&self, now: WallTime) -> Result<()> {
        let mut stays = Vec::new();
        for id in self.store.exports_ready_before(now.minus(PACKAGES), AT_ONCE)? {
            if !self.store.let_export_go(&id, now)? {
                continue;
            }
            let path = self.packages.join(format!("{id}.zip"));
            match fs::remove_file(&path) {
                // What stays is an orphan, which the desk takes away at its next tidying.
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => stays.push(format!("{}: {e}", path.display())),
                _ => {}
            }
            metrics::counter!("matthon_evidence_gone_total", "part" => "package").increment(1);
            tracing::info!(export = id, "a package's time is over: it is deleted");
        }
        anyhow::ensure!(stays.is_empty(), "{}", stays.join("; "));
        Ok(())
    }
}
