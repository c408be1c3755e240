//! A box over weeks, by clocks that are right, wrong and behind.

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
    house_at(NOON)
}

/// As [`house`], by a clock that says what it says.
fn house_at(now: WallTime) -> House {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let (clock, store) = (Arc::new(SimClock::at(now)), Store::open(&data.join("matthon.db")).unwrap());
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
        |what| AuditEntry { at: now, who: "lan".into(), role: "police".into(), what, subject: String::new(), detail: String::new() };
    let row = KeptRow {
        id: String::new(),
        asked: now,
        by: "lan".into(),
        cameras: vec![camera],
        from: NOON,
        to: NOON.plus(DAY),
        note: String::new(),
        until: Some(now.plus(web::KEPT)),
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
    store.end_export(&package, ExportState::Done, 9, "", now).unwrap();
    let steward = Steward::new(store.clone(), clock.clone(), cases.clone(), keeper, gauge, data);
    House { clock, store, cases, steward, case, kept, package, dir }
}

impl House {
    /// Ten minutes on the clock is trusted, and what there is has been seen.
    fn trusted(&mut self) {
        self.clock.advance(domain::trust::SETTLE);
        self.steward.round();
        assert_eq!(self.there(), [true; 3]);
    }

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
    house.trusted();
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
    house.trusted();
    // A liar sets the clock: 2099, and a server vouches for it.
    house.clock.step_wall(NOON.plus(73 * 365 * DAY));
    for _ in 0..9 {
        house.steward.round();
        house.clock.advance(LOOK);
    }
    assert_eq!(house.there(), [true; 3], "not within ten minutes of the step");
    house.clock.step_wall(NOON.plus(Duration::from_secs(1140)));
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

/// What clocks with an empty battery say: 1970, or the time before an outage of a year.
const BEHIND: [WallTime; 2] = [WallTime::from_secs(40), WallTime::from_secs(1_795_430_400 - 365 * 86_400)];

#[test]
fn what_a_clock_that_was_behind_has_stamped_has_its_whole_time() {
    for behind in BEHIND {
        let mut house = house_at(behind);
        house.clock.set_synchronised(false);
        for _ in 0..30 {
            house.steward.round();
            house.clock.advance(LOOK);
        }
        // The network comes back; ten minutes later the clock may decide, and all stamps look old.
        house.clock.step_wall(NOON);
        house.clock.set_synchronised(true);
        for _ in 0..20 {
            house.steward.round();
            assert_eq!(house.there(), [true; 3]);
            house.clock.advance(LOOK);
        }
        for (days, left) in [(13, [true; 3]), (1, [true, false, false]), (15, [true, false, false]), (1, [false; 3])] {
            house.clock.advance(days * DAY);
            house.steward.round();
            assert_eq!(house.there(), left, "stamped {behind}");
        }
    }
}

#[test]
fn a_right_stamp_lives_minutes_longer_at_most() {
    let mut house = house();
    // The look of every minute, beginning with the start of the box: a clock is trusted after ten of them.
    for _ in 0..14 * 24 * 60 + 12 {
        house.steward.round();
        house.clock.advance(LOOK);
    }
    assert_eq!(house.there(), [true, false, false]);
}

#[test]
fn what_is_let_go_by_a_clock_that_was_behind_has_its_whole_time_again() {
    let mut house = house();
    house.steward.round();
    house.trusted();
    // The power is away for two months, the battery too: held and let go in 1970.
    house.clock.advance(60 * DAY);
    house.clock.step_wall(BEHIND[0]);
    house.clock.set_synchronised(false);
    house.steward.round();
    for hold in [true, false] {
        house.cases.hold(house.case, hold, "lan").unwrap();
    }
    let line = AuditEntry {
        at: BEHIND[0],
        who: "lan".into(),
        role: "police".into(),
        what: Audited::Kept,
        subject: String::new(),
        detail: String::new(),
    };
    house.store.hold_kept(&house.kept, Some(BEHIND[0].plus(web::KEPT)), &line).unwrap();
    house.clock.step_wall(NOON.plus(60 * DAY));
    house.clock.set_synchronised(true);
    house.steward.round();
    house.clock.advance(domain::trust::SETTLE);
    house.steward.round();
    assert_eq!(house.there(), [true, true, false], "nobody touched the package");
    house.clock.advance(14 * DAY + LOOK);
    house.steward.round();
    assert_eq!(house.there(), [true, false, false]);
    house.clock.advance(16 * DAY);
    house.steward.round();
    assert_eq!(house.there(), [false; 3]);
}

/// One line of a camera, that many days after noon.
fn seen(camera: &str, day: i64) -> (domain::CameraId, domain::Sighting) {
    let first = NOON.plus_micros(day * 86_400_000_000);
    let line = domain::Sighting {
        track: domain::TrackId(1),
        class: "car".into(),
        colour: None,
        heading: domain::Heading::Left,
        first,
        last: first.plus(Duration::from_secs(5)),
        best: first,
        bbox: domain::BBox::from([0.1, 0.2, 0.3, 0.4]),
        score: 0.9,
    };
    (domain::CameraId::new(camera).unwrap(), line)
}

#[test]
fn what_came_by_goes_with_its_cameras_recordings_and_not_by_a_clock_that_was_ahead() {
    let mut house = house();
    let sightings = store::Sightings::passing().unwrap();
    let days = |sightings: &store::Sightings| -> Vec<(String, i64)> {
        let all = store::SightingFilter { from: NOON.plus_micros(-1), to: NOON.plus(400 * DAY), ..store::SightingFilter::default() };
        let found = sightings.find(&all, 99).unwrap();
        found.iter().rev().map(|(camera, s)| (camera.to_string(), s.first.micros_since(NOON) / 86_400_000_000)).collect()
    };
    sightings.keep(&[seen("cho", 0), seen("dinh", 0), seen("cho", 9), seen("dinh", 9), seen("cho", 11)]).unwrap();
    let all = days(&sightings);
    assert_eq!(all.len(), 5);
    let oldest: Arc<std::sync::Mutex<Vec<(domain::CameraId, WallTime)>>> = Arc::default();
    let of = |camera: &str, day: u32| (domain::CameraId::new(camera).unwrap(), NOON.plus(day * DAY));
    let asked = oldest.clone();
    let past = Past { sightings: sightings.clone(), oldest: Box::new(move || asked.lock().unwrap().clone()), keep: None, looks: 0 };
    house.steward = house.steward.of_the_past(past);
    // Nobody vouches for the clock yet; then nothing is recorded; then only by a clock that is far ahead.
    *oldest.lock().unwrap() = vec![of("cho", 10)];
    house.steward.round();
    assert_eq!(days(&sightings), all);
    oldest.lock().unwrap().clear();
    house.clock.advance(domain::trust::SETTLE);
    house.steward.round();
    *oldest.lock().unwrap() = vec![of("cho", 9_999), of("dinh", 9_999)];
    house.steward.round();
    assert_eq!(days(&sightings), all);
    // Eleven days on each camera's lines end with its own recordings; those of one are gone through once an hour.
    house.clock.advance(11 * DAY);
    *oldest.lock().unwrap() = vec![of("cho", 10), of("dinh", 5)];
    (0..60).for_each(|_| house.steward.round());
    assert_eq!(days(&sightings), [("dinh".to_owned(), 9), ("cho".to_owned(), 11)]);
}

#[test]
fn nothing_is_searched_beyond_what_the_village_promised_to_keep() {
    let mut house = house();
    let sightings = store::Sightings::passing().unwrap();
    sightings.keep(&[seen("cho", 0), seen("cho", 1)]).unwrap();
    let past = Past { sightings: sightings.clone(), oldest: Box::new(Vec::new), keep: Some(7 * DAY), looks: 0 };
    house.steward = house.steward.of_the_past(past);
    house.trusted();
    house.clock.advance(7 * DAY);
    house.steward.round();
    assert_eq!(sightings.count().unwrap(), 1);
}
