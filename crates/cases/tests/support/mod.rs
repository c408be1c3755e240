//! A village with one camera: a clock that follows tokio's (paused) time, footage that is recorded as that time passes.
#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests may fall like the tests; not every test needs all")]

use async_trait::async_trait;
use domain::{BBox, CameraId, CaseId, Clock, MonoTime, TrackId, Violation, ViolationId, ViolationKind, WallTime, Why};
use matthon_cases::{Case, Cases, ClipInfo, Config, Footage, Gauge, Missing, Still};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use store::Store;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// 17:42 in the village.
pub(crate) const EVENING: WallTime = WallTime::from_secs(1_795_430_520);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) struct Ticking(Instant);

impl Clock for Ticking {
    fn wall(&self) -> WallTime {
        EVENING.plus(self.0.elapsed())
    }
    fn mono(&self) -> MonoTime {
        MonoTime::default().plus(self.0.elapsed())
    }
    fn synchronised(&self) -> bool {
        true
    }
    fn boot_id(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// What goes wrong with the camera's footage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// Everything is always on its way.
    NotYet,
    /// Nothing is there.
    Never,
    /// The recording ends here.
    EndsAt(WallTime),
    /// Pictures can be made, clips have no end.
    ClipHangs,
    /// Making a picture falls.
    Falls,
}

pub(crate) struct Recording {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) trouble: Mutex<Trouble>,
    /// Every question, in order.
    pub(crate) asked: Mutex<Vec<&'static str>>,
}

impl Recording {
    fn reached(&self, what: &'static str) -> Result<WallTime, Missing> {
        self.asked.lock().unwrap().push(what);
        let now = self.clock.wall().minus(Duration::from_millis(800));
        let trouble = *self.trouble.lock().unwrap();
        match trouble {
            Trouble::NotYet => Err(Missing::NotYet("not recorded".to_owned())),
            Trouble::Never => Err(Missing::Never("no such camera".to_owned())),
            Trouble::EndsAt(end) => Ok(now.min(end)),
            Trouble::Falls if what == "main" => panic!("a bug in the footage"),
            _ => Ok(now),
        }
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|w| **w == what).count()
    }
}

fn picture(text: &str) -> Still {
    Still { jpeg: text.as_bytes().to_vec().into(), width: 640, height: 360 }
}

#[async_trait]
impl Footage for Recording {
    async fn recent(&self, _: &CameraId, _: WallTime) -> Result<Still, Missing> {
        self.reached("small").map(|_| picture("small"))
    }

    async fn still(&self, _: &CameraId, at: WallTime) -> Result<Still, Missing> {
        match self.reached("main")? >= at {
            true => Ok(picture("main")),
            false => Err(Missing::NotYet("not recorded".to_owned())),
        }
    }

    async fn clip(&self, _: &CameraId, from: WallTime, to: WallTime, out: &Path) -> Result<ClipInfo, Missing> {
        let to = self.reached("clip")?.min(to);
        if *self.trouble.lock().unwrap() == Trouble::ClipHangs {
            fs::write(out, "half a cl").unwrap();
            std::future::pending::<()>().await;
        }
        if to <= from {
            return Err(Missing::NotYet("nothing recorded".to_owned()));
        }
        let bytes = format!("clip {from} {to}");
        fs::File::create_new(out).and_then(|mut f| std::io::Write::write_all(&mut f, bytes.as_bytes())).unwrap();
        Ok(ClipInfo { from, to, bytes: bytes.len() as u64 })
    }
}

pub(crate) struct Village {
    pub(crate) cases: Cases,
    pub(crate) store: Store,
    pub(crate) recording: Arc<Recording>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dir: tempfile::TempDir,
    /// Of the evidence store, from the next restart on.
    pub(crate) quota: Option<u64>,
}

pub(crate) fn village() -> Village {
    let clock: Arc<dyn Clock> = Arc::new(Ticking(Instant::now()));
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("matthon.db")).unwrap();
    let recording = Recording { clock: Arc::clone(&clock), trouble: Mutex::new(Trouble::None), asked: Mutex::default() };
    let recording = Arc::new(recording);
    let cases =
        Cases::open(config(dir.path()), store.clone(), Arc::clone(&clock), recording.clone(), gauge(&store, dir.path(), None)).unwrap();
    Village { cases, store, recording, clock, dir, quota: None }
}

pub(crate) fn gauge(store: &Store, dir: &Path, quota: Option<u64>) -> Gauge {
    Gauge::new(store.clone(), dir.to_owned(), quota)
}

pub(crate) fn config(dir: &Path) -> Config {
    Config {
        evidence: dir.join("evidence"),
        keep_unconfirmed: 30 * 86_400 * SECOND,
        before: 10 * SECOND,
        after: 10 * SECOND,
        site: "Thôn Duyên Hy".to_owned(),
        cameras: BTreeMap::from([(camera(), "Cổng làng".to_owned())]),
        timezone: "Asia/Ho_Chi_Minh".to_owned(),
        channels: vec!["webhook:a".to_owned(), "webhook:b".to_owned()],
    }
}

pub(crate) fn camera() -> CameraId {
    CameraId::new("cong-lang").unwrap()
}

pub(crate) fn violation(id: u64, raised: WallTime) -> Violation {
    Violation {
        id: ViolationId(id),
        kind: ViolationKind::NoParking,
        rule: 0,
        zone: "lề đường".to_owned(),
        track: TrackId(3),
        class: "car".into(),
        start: raised.minus(240 * SECOND),
        raised,
        bbox: BBox::from([0.1, 0.2, 0.3, 0.4]),
        why: Why { vi: "Nghi vấn…".to_owned(), en: "Suspected…".to_owned() },
        measured: BTreeMap::from([("dwell_s".to_owned(), 240.4)]),
    }
}

impl Village {
    /// The same box after a power cut: everything in memory is gone.
    pub(crate) fn restart(&mut self) {
        let config = config(self.dir.path());
        self.store = Store::open(&self.dir.path().join("matthon.db")).unwrap();
        self.cases = Cases::open(
            config,
            self.store.clone(),
            Arc::clone(&self.clock),
            self.recording.clone(),
            gauge(&self.store, self.dir.path(), self.quota),
        )
        .unwrap();
    }

    pub(crate) fn start(&self) -> CancellationToken {
        let stop = CancellationToken::new();
        tokio::spawn(self.cases.clone().run(stop.clone()));
        stop
    }

    pub(crate) fn raise(&self) -> CaseId {
        self.cases.raised(&camera(), &violation(1, self.clock.wall())).unwrap()
    }

    /// Waits (in paused time) until a case is as wanted.
    pub(crate) async fn until(&self, id: CaseId, wanted: impl Fn(&Case) -> bool) -> Case {
        let mut news = self.cases.subscribe();
        let wait = async {
            loop {
                let case = self.cases.get(id).unwrap();
                if wanted(&case) {
                    return case;
                }
                news.changed().await.unwrap();
            }
        };
        match timeout(Duration::from_secs(3600), wait).await {
            Ok(case) => case,
            Err(_) => panic!("not within an hour: {:?}", self.cases.get(id).unwrap()),
        }
    }

    pub(crate) fn set(&self, trouble: Trouble) {
        *self.recording.trouble.lock().unwrap() = trouble;
    }

    pub(crate) fn folder(&self, id: CaseId) -> PathBuf {
        self.dir.path().join("evidence").join(id.to_string())
    }

    pub(crate) fn files(&self, id: CaseId) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.folder(id)) else { return Vec::new() };
        let mut names: Vec<_> = folder.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}
