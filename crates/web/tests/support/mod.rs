//! A box on a loopback port: two cameras, a real store, a real ring when asked for, and people of every role.
#![allow(dead_code, reason = "each test file uses its part")]

mod fakes;
mod films;
mod http;
mod samples;
pub(crate) mod socket;

#[allow(unused_imports, reason = "each test file uses its part")]
pub(crate) use fakes::{MAIN_STILL, Made, Walls, clip_bytes, ring_status};
#[allow(unused_imports, reason = "each test file uses its part")]
pub(crate) use http::{OFFER, client, kind};
#[allow(unused_imports, reason = "each test file uses its part")]
pub(crate) use samples::{format, frame, h265, packet};

use cases::{Cases, Gauge};
use domain::{
    BBox, Board, CameraId, CaseId, Channel, Class, Clock, Link, Role, Sample, SimClock, StreamHealth, TrackId, Violation, ViolationId,
    ViolationKind, WallTime, Why,
};
use fakes::{Films, Packages, Pictures};
pub(crate) use films::Filmed;
use hub::Fanout;
use live::LiveStream;
use matthon_web::{Camera, Context, Doors, Site, serve};
use ring::{Ed25519Signer, Recorder, RingSpec, RingStatus, SystemDisk};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use store::Store;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub(crate) const NOON: WallTime = WallTime::from_secs(1_795_430_520);
/// Of the evidence store, in bytes.
pub(crate) const QUOTA: u64 = 10_000_000;
pub(crate) const PASSWORD: &str = "mat-khau-rat-dai";

pub(crate) fn id(text: &str) -> CameraId {
    CameraId::new(text).unwrap()
}

/// Asks until it is so; 20 s at most.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut condition: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The box, and the ends of it that tests hold.
pub(crate) struct Village {
    pub(crate) address: SocketAddr,
    pub(crate) context: Arc<Context>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) board: Arc<Board>,
    pub(crate) store: Store,
    pub(crate) rings: Arc<Mutex<Vec<RingStatus>>>,
    pub(crate) cases: Cases,
    /// What `vision` tells.
    pub(crate) disks: Arc<Mutex<Vec<matthon_web::Disk>>>,
    pub(crate) vision: Arc<Mutex<Value>>,
    /// Samples of `cong-lang` main, `cong-lang` sub and `nha-van-hoa` main.
    pub(crate) sources: [Fanout<Sample>; 3],
    /// The sound of `cong-lang` main.
    pub(crate) sound: Fanout<Sample>,
    /// What a worker would compose.
    pub(crate) wall: Arc<Walls>,
    /// What a worker would convert.
    pub(crate) renditions: Arc<Made>,
    /// What a worker would make of recordings.
    pub(crate) films: Arc<Filmed>,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) stop: CancellationToken,
    pub(crate) server: JoinHandle<std::io::Result<()>>,
    _folder: TempDir,
}

impl Village {
    /// Starts the box; `record` gives `cong-lang` a ring.
    pub(crate) async fn start(record: bool) -> Self {
        Self::behind(record, Doors::default()).await
    }

    /// The same, reached so.
    pub(crate) async fn behind(record: bool, doors: Doors) -> Self {
        Self::with(record, doors, false).await
    }

    /// Starts a box that records; `cong-lang` has masks.
    pub(crate) async fn masked() -> Self {
        Self::with(true, Doors::default(), true).await
    }

    async fn with(record: bool, doors: Doors, masked: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SimClock::at(NOON));
        let board = Arc::new(Board::default());
        for camera in ["cong-lang", "nha-van-hoa"] {
            board.set(&id(camera), Channel::Main, StreamHealth { link: Link::Ok, ..StreamHealth::starting(NOON) });
        }
        let store = Store::open(&folder.path().join("matthon.db")).unwrap();
        let recorder = record.then(|| {
            let path = folder.path().join("ring");
            std::fs::create_dir(&path).unwrap();
            let spec = RingSpec { block_size: 1 << 20, any_filesystem: true, ..RingSpec::new("main", vec![path], 16 << 20) };
            let signer = Arc::new(Ed25519Signer::from_secret(&[7; 32]));
            let clock: Arc<dyn Clock> = Arc::clone(&clock) as _;
            Recorder::open(spec, Arc::new(SystemDisk), clock, signer).unwrap()
        });
        let sources: [Fanout<Sample>; 3] = ["cong-lang/main", "cong-lang/sub", "nha-van-hoa/main"].map(Fanout::new);
        let sound = Fanout::new("cong-lang/main");
        let live = |n: usize| LiveStream::new(sources[n].clone(), sources[n].name());
        let cameras = vec![
            Camera {
                id: id("cong-lang"),
                name: "Cổng làng".into(),
                main: LiveStream::with_sound(sources[0].clone(), sound.clone(), sources[0].name()),
                sub: Some(live(1)),
                main_recorded: recorder.as_ref().map(Recorder::reader),
                sub_recorded: None,
                declared: Some(1_000_000),
                masked,
            },
            Camera {
                id: id("nha-van-hoa"),
                name: "Nhà văn hóa".into(),
                main: live(2),
                sub: None,
                main_recorded: None,
                sub_recorded: None,
                declared: None,
                masked: false,
            },
        ];
        let rings = Arc::new(Mutex::new(vec![ring_status("main")]));
        let told = Arc::clone(&rings);
        let clock_of_cases: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let config = cases::Config {
            evidence: folder.path().join("evidence"),
            keep_unconfirmed: Duration::from_secs(30 * 86_400),
            before: Duration::from_secs(10),
            after: Duration::from_secs(10),
            site: "Thôn Duyên Hy".into(),
            cameras: cameras.iter().map(|c| (c.id.clone(), c.name.clone())).collect(),
            timezone: "Asia/Ho_Chi_Minh".into(),
            channels: Vec::new(),
        };
        let gauge = Gauge::new(store.clone(), folder.path().to_owned(), Some(QUOTA));
        let cases = Cases::open(config, store.clone(), clock_of_cases, Arc::new(Pictures), gauge.clone()).unwrap();
        let seen = json!({
            "state": "ok", "model": "yolox-nano", "detail": "", "restarts": 0, "quarantined": [],
            "cameras": {"cong-lang": {"fed": true, "fps": 5.0}},
        });
        let vision = Arc::new(Mutex::new(seen));
        let disks = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&vision);
        let wall = Arc::new(Walls::default());
        let room = rtc::Room::open("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let renditions = Arc::new(Made::default());
        let films = Arc::new(Filmed::default());
        let context = Arc::new(Context {
            site: Site { name: "Thôn Duyên Hy".into(), timezone: "Asia/Ho_Chi_Minh".into(), language: "vi".into(), demo: false },
            cameras,
            doors,
            board: Arc::clone(&board),
            store: store.clone(),
            cases: cases.clone(),
            moving: Arc::new(matthon_web::Moving::new(Arc::clone(&clock) as _)),
            story: None,
            disks: Arc::new({
                let disks = disks.clone();
                move |_| disks.lock().unwrap().clone()
            }),
            vision: Arc::new(move || seen.lock().unwrap().clone()),
            snapshot: Arc::new(Pictures),
            exports: Arc::new(Packages { store: store.clone(), gauge: gauge.clone(), dir: folder.path().to_owned() }),
            keeping: Arc::new(Films { store: store.clone(), dir: folder.path().to_owned() }),
            sightings: store::Sightings::open(&folder.path().join("sightings.db")).unwrap(),
            wall: wall.clone(),
            webrtc: Some(room.clone()),
            renditions: renditions.clone(),
            films: films.clone(),
            push: Some(matthon_web::Push {
                key: "BKEY".into(),
                check: Arc::new(|endpoint, p256dh, _| {
                    let good = endpoint.expose().starts_with("https://push.example/") && p256dh.expose() == "BP";
                    if good { Ok(()) } else { Err("not a phone".into()) }
                }),
            }),
            glances: Arc::default(),
            evidence: gauge,
            key: "fe81 2c12".into(),
            clock: Arc::clone(&clock) as _,
            rings: Arc::new(move || told.lock().unwrap().clone()),
            metrics: Arc::new(|| "matthon_camera_up 1\n".into()),
            started: NOON,
            version: "0.0.0".into(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(room.serve(stop.clone()));
        let server = tokio::spawn(serve(listener, Arc::clone(&context), stop.clone()));
        Self {
            address,
            context,
            clock,
            board,
            store,
            rings,
            cases,
            disks,
            vision,
            sources,
            sound,
            wall,
            renditions,
            films,
            recorder,
            stop,
            server,
            _folder: folder,
        }
    }

    /// What a stream's health says it comes in.
    pub(crate) fn sends(&self, camera: &str, channel: Channel, codec: &str) {
        let health = StreamHealth { link: Link::Ok, codec: Some(codec.into()), ..StreamHealth::starting(NOON) };
        self.board.set(&id(camera), channel, health);
    }

    /// Publishes frames on a rendition whenever it is made, until the box stops.
    pub(crate) fn feed_rendition(&self, name: &'static str) {
        let (renditions, stop) = (self.renditions.clone(), self.stop.clone());
        tokio::spawn(async move {
            let (format, mut tick) = (format(), tokio::time::interval(Duration::from_millis(4)));
            for n in 0.. {
                tick.tick().await;
                if stop.is_cancelled() {
                    break;
                }
                if let Some(source) = renditions.source(name) {
                    // Told apart from what the camera sends by its bytes.
                    let mut made = frame(&format, "cong-lang", n);
                    made.data = made.data.iter().map(|b| if *b == 0xaa { 0xbb } else { *b }).collect();
                    source.publish(made);
                }
            }
        });
    }

    /// Sends frames on the main stream of `cong-lang`, faster than they would come, until the box stops.
    pub(crate) fn feed(&self) {
        let (source, stop) = (self.sources[0].clone(), self.stop.clone());
        tokio::spawn(async move {
            let (format, mut tick) = (format(), tokio::time::interval(Duration::from_millis(4)));
            for n in 0.. {
                tick.tick().await;
                if stop.is_cancelled() {
                    break;
                }
                source.publish(frame(&format, "cong-lang", n));
            }
        });
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What the box's clock says.
    pub(crate) fn clock_now(&self) -> WallTime {
        self.clock.wall()
    }

    /// Adds somebody and answers a token.
    pub(crate) fn token(&self, name: &str, role: Role) -> String {
        self.store.add_user(name, role, PASSWORD, NOON).unwrap();
        self.store.issue_token(name, NOON).unwrap()
    }

    /// Fetches evidence from now on, until the box stops.
    pub(crate) fn fetch_evidence(&self) {
        tokio::spawn(self.cases.clone().run(self.stop.clone()));
    }

    /// A rule is sure that a car is parked at `camera`, `ago` seconds before now.
    pub(crate) fn raise(&self, camera: &str, number: u64, ago: u64) -> CaseId {
        let raised = self.clock.wall().minus(Duration::from_secs(ago));
        let violation = Violation {
            id: ViolationId(number),
            kind: ViolationKind::NoParking,
            rule: 0,
            zone: "le-duong".into(),
            track: TrackId(7),
            class: Class::from("car"),
            start: raised.minus(Duration::from_secs(30)),
            raised,
            bbox: BBox { x1: 0.1, y1: 0.2, x2: 0.3, y2: 0.4 },
            why: Why { vi: "Nghi vấn ô tô đỗ.".into(), en: "Suspected: a car stands.".into() },
            measured: BTreeMap::from([("dwell_s".to_owned(), 30.5)]),
        };
        self.cases.raised(&id(camera), &violation).unwrap()
    }

    /// POST of JSON with a token.
    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> reqwest::Response {
        client().post(self.url(path)).bearer_auth(token).json(body).send().await.unwrap()
    }

    /// POST of an offer.
    pub(crate) async fn offer(&self, path: &str, token: &str, offer: &str) -> reqwest::Response {
        let request = client().post(self.url(path)).bearer_auth(token).header("Content-Type", "application/sdp");
        request.body(offer.to_owned()).send().await.unwrap()
    }

    /// GET of JSON that must be there.
    pub(crate) async fn read(&self, path: &str, token: &str) -> Value {
        let answer = self.get(path, token).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// GET with a token.
    pub(crate) async fn get(&self, path: &str, token: &str) -> reqwest::Response {
        client().get(self.url(path)).bearer_auth(token).send().await.unwrap()
    }

    pub(crate) async fn sign_in(&self, client: &reqwest::Client, name: &str, password: &str) -> reqwest::Response {
        let body = serde_json::json!({"name": name, "password": password});
        client.post(self.url("/api/v1/session")).json(&body).send().await.unwrap()
    }
}
