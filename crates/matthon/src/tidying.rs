//! What lies beside the rings and is over: evidence of cases, kept footage, packages. One task looks every minute, and tells how
//! full the evidence store is.
//!
//! Belongs here: the one trust in the clock that all deleting goes by, and packages. Does not belong here: which evidence of a case
//! is over (`cases::expiry`), the copies of footage (`keeping`).

use crate::keeping::Keeper;
use anyhow::{Context, Result};
use cases::{Cases, Fullness, Gauge};
use domain::{Clock, ClockTrust, WallTime};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::Store;
use tokio_util::sync::CancellationToken;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(60);
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
}

impl Steward {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>, cases: Cases, keeper: Arc<Keeper>, gauge: Gauge, data: &Path) -> Self {
        let (packages, trust) = (data.join("exports"), ClockTrust::default());
        Self { store, clock, cases, keeper, gauge, packages, trust, said: Fullness::Roomy }
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
        failed("evidence of cases whose time is over is not deleted yet", self.cases.expire(now).map(drop).map_err(Into::into));
        failed("kept footage whose time is over is not deleted yet", self.keeper.expire(now));
        failed("packages whose time is over are not deleted yet", self.let_packages_go(now));
        failed("what is left of deleted evidence stays", self.cases.tidy().map_err(Into::into));
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

    /// The row first: what the list says is there, is there.
    fn let_packages_go(&self, now: WallTime) -> Result<()> {
        for id in self.store.exports_ready_before(now.minus(PACKAGES), AT_ONCE)? {
            if !self.store.let_export_go(&id, now)? {
                continue;
            }
            let path = self.packages.join(format!("{id}.zip"));
            match fs::remove_file(&path) {
                // What stays is an orphan, which the desk takes away at its next tidying.
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(e).with_context(|| format!("cannot delete {}", path.display()));
                }
                _ => {}
            }
            metrics::counter!("matthon_evidence_gone_total", "part" => "package").increment(1);
            tracing::info!(export = id, "a package's time is over: deleted");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use cases::{ClipInfo, Footage, Missing, Still};
    use domain::{Audited, CameraId, CaseId, ClipState, SimClock, StillState};
    use std::{collections::BTreeMap, os::unix::fs::DirBuilderExt};
    use store::{AuditEntry, EvidenceChange, ExportState, Job, KeptRow, KeptState};

    const NOON: WallTime = WallTime::from_secs(1_795_430_400);
    const DAY: Duration = Duration::from_secs(86_400);

    struct Nothing;

    #[async_trait]
    impl Footage for Nothing {
        async fn recent(&self, _: &CameraId, _: WallTime) -> Result<Still, Missing> {
            Err(Missing::Never("no camera".into()))
        }
        async fn still(&self, _: &CameraId, _: WallTime) -> Result<Still, Missing> {
            Err(Missing::Never("no camera".into()))
        }
        async fn clip(&self, _: &CameraId, _: WallTime, _: WallTime, _: &Path) -> Result<ClipInfo, Missing> {
            Err(Missing::Never("no camera".into()))
        }
    }

    struct House {
        dir: tempfile::TempDir,
        clock: Arc<SimClock>,
        store: Store,
        cases: Cases,
        steward: Steward,
        case: CaseId,
        kept: String,
        package: String,
    }

    /// A box with a case nobody answered, kept footage and a package, all made at noon.
    fn house() -> House {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        let (clock, store) = (Arc::new(SimClock::at(NOON)), Store::open(&data.join("matthon.db")).unwrap());
        let camera = CameraId::new("cho").unwrap();
        let config = cases::Config {
            evidence: data.join("evidence"),
            keep_unconfirmed: 30 * DAY,
            before: Duration::from_secs(10),
            after: Duration::from_secs(10),
            site: "Thôn".into(),
            cameras: BTreeMap::from([(camera.clone(), "Chợ".to_owned())]),
            timezone: "Asia/Ho_Chi_Minh".into(),
            channels: Vec::new(),
        };
        let gauge = Gauge::new(store.clone(), data.to_owned(), Some(1_000_000));
        let cases = Cases::open(config, store.clone(), clock.clone(), Arc::new(Nothing), gauge.clone()).unwrap();
        let case = cases.by_hand(&camera, "lan", "").unwrap();
        fs::create_dir(data.join("evidence").join(case.to_string())).unwrap();
        for (name, change) in [
            ("main.jpg", EvidenceChange::Still(StillState::Main)),
            ("clip.mp4", EvidenceChange::Clip(ClipState::Done, Some((NOON, NOON.plus(DAY))))),
        ] {
            fs::write(data.join("evidence").join(case.to_string()).join(name), [0; 500]).unwrap();
            store.change_evidence(case, Some(change), &[Job::Main, Job::Early, Job::Clip], Some(1000)).unwrap();
        }
        let entry =
            |what| AuditEntry { at: NOON, who: "lan".into(), role: "police".into(), what, subject: String::new(), detail: String::new() };
        let row = KeptRow {
            id: String::new(),
            asked: NOON,
            by: "lan".into(),
            cameras: vec![camera],
            from: NOON,
            to: NOON.plus(DAY),
            note: String::new(),
            until: Some(NOON.plus(web::KEPT)),
            state: KeptState::Copying,
            bytes: 0,
            trouble: String::new(),
        };
        let kept = store.add_kept(&row, &entry(Audited::Kept)).unwrap();
        let keeper = Keeper::open(store.clone(), clock.clone(), BTreeMap::new(), data, gauge.clone()).unwrap();
        fs::create_dir(data.join("kept").join(&kept)).unwrap();
        fs::write(data.join("kept").join(&kept).join("cho.mp4"), [0; 70]).unwrap();
        store.end_kept(&kept, KeptState::Done, 70, "").unwrap();
        let package = store.add_export("{}", &entry(Audited::Export), |_| Vec::new()).unwrap();
        fs::DirBuilder::new().mode(0o700).create(data.join("exports")).unwrap();
        fs::write(data.join("exports").join(format!("{package}.zip")), [0; 9]).unwrap();
        store.end_export(&package, ExportState::Done, 9, "", NOON).unwrap();
        let steward = Steward::new(store.clone(), clock.clone(), cases.clone(), keeper, gauge, data);
        House { clock, store, cases, steward, case, kept, package, dir }
    }

    impl House {
        /// Whether case, kept footage and package lie on the disk; and that the lists say the same.
        fn there(&self) -> [bool; 3] {
            let data = self.dir.path();
            let there = [
                data.join("evidence").join(self.case.to_string()).join("clip.mp4").exists(),
                data.join("kept").join(&self.kept).exists(),
                data.join("exports").join(format!("{}.zip", self.package)).exists(),
            ];
            let said = [
                self.cases.get(self.case).unwrap().clip == ClipState::Done,
                self.store.kept(&self.kept).unwrap().unwrap().state == KeptState::Done,
                self.store.export(&self.package).unwrap().unwrap().state == ExportState::Done,
            ];
            assert_eq!(there, said);
            there
        }
    }

    #[test]
    fn what_is_over_goes_by_a_clock_that_is_trusted() {
        let mut house = house();
        house.steward.round();
        assert_eq!(house.store.evidence_use().unwrap().total(), 1079);
        for (days, left) in [(13, [true; 3]), (2, [true, false, false]), (14, [true, false, false]), (2, [false; 3])] {
            house.clock.advance(days * DAY);
            house.steward.round();
            assert_eq!(house.there(), left);
        }
        assert_eq!(house.store.evidence_use().unwrap().total(), 0);
        assert!(house.store.verify_audit().unwrap().good());
        let gone = house.store.audit_rows(None, 99).unwrap().into_iter().filter(|r| r.what == "evidence-gone").count();
        assert_eq!(gone, 3, "each in the log");
    }

    #[test]
    fn a_clock_that_is_wrong_deletes_nothing() {
        let mut house = house();
        house.steward.round();
        // The battery is dead and a liar sets the clock: 2099, and a server vouches for it.
        house.clock.step_wall(NOON.plus(73 * 365 * DAY));
        for _ in 0..9 {
            house.steward.round();
            house.clock.advance(LOOK);
        }
        assert_eq!(house.there(), [true; 3], "not within ten minutes of the step");
        house.clock.step_wall(NOON.plus(Duration::from_secs(540)));
        house.clock.set_synchronised(false);
        house.clock.advance(100 * DAY);
        house.steward.round();
        assert_eq!(house.there(), [true; 3], "nobody vouches for it");
        house.clock.set_synchronised(true);
        house.steward.round();
        assert_eq!(house.there(), [true; 3]);
        house.clock.advance(domain::trust::SETTLE);
        house.steward.round();
        assert_eq!(house.there(), [false; 3]);
    }
}
