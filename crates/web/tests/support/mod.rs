//! A box on a loopback port: two cameras, a real store, a real ring when asked for, and people of every role.
#![allow(dead_code, reason = "each test file uses its part")]

mod films;

use async_trait::async_trait;
use bytes::Bytes;
use cases::{Cases, ClipInfo, Footage, Gauge, Missing, Still};
use domain::{
    BBox, Board, CameraId, CaseId, Channel, Class, Clock, Format, Link, Role, Sample, SimClock, StreamHealth, StreamId, StreamKind,
    TrackId, VideoCodec, Violation, ViolationId, ViolationKind, WallMode, WallTime, Why,
};
pub(crate) use films::Filmed;
use hub::Fanout;
use live::LiveStream;
use matthon_web::{Camera, Context, Doors, NoPicture, Site, Snapshot, serve};
use ring::{Ed25519Signer, Recorder, RingSpec, RingState, RingStatus, SystemDisk};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    future::Future,
    net::SocketAddr,
    path::Path,
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
/// High profile, level 1.3, 320 × 240, 25 frames a second.
const AVCC: &[u8] = &[
    1, 0x64, 0, 0x0d, 0xff, 0xe1, 0, 25, 0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20,
    0xf1, 0x42, 0x99, 0x60, 1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0,
];

pub(crate) fn id(text: &str) -> CameraId {
    CameraId::new(text).unwrap()
}

pub(crate) fn format() -> Arc<Format> {
    Arc::new(Format::Video(media::params::video_format(VideoCodec::H264, AVCC).unwrap()))
}

/// Frame `n` of a stream at 25 frames a second, a key frame every second; its bytes say which one it is.
pub(crate) fn frame(format: &Arc<Format>, camera: &str, n: i64) -> Sample {
    let key = n % 25 == 0;
    let mut data = vec![0, 0, 1, 0, if key { 0x65 } else { 0x41 }];
    data.extend_from_slice(&[0xaa; 247]);
    data.extend_from_slice(&n.to_be_bytes());
    Sample {
        stream: Arc::new(StreamId::new(id(camera), Channel::Main, StreamKind::Video)),
        format: Arc::clone(format),
        seq: n as u64,
        capture: NOON.plus_micros(n * 40_000),
        pts: n * 3600,
        dts: n * 3600,
        random_access: key,
        loss_before: n == 0,
        data: Bytes::from(data),
    }
}

/// Packet `n` of G.711, 40 ms each, captured beside the frame of that number.
pub(crate) fn packet(camera: &str, n: i64) -> Sample {
    let format = Format::Audio(media::params::g711_format(domain::AudioCodec::PcmU, 8_000, 1));
    Sample {
        stream: Arc::new(StreamId::new(id(camera), Channel::Main, StreamKind::Audio)),
        random_access: true,
        data: Bytes::from(vec![n as u8; 320]),
        ..frame(&Arc::new(format), camera, n)
    }
}

pub(crate) fn ring_status(name: &str) -> RingStatus {
    RingStatus {
        name: name.into(),
        size: 1 << 30,
        available: 1 << 30,
        blocks: 8,
        block_size: 1 << 27,
        used: 1,
        oldest: Some(NOON),
        newest: None,
        written_bytes: 0,
        write_rate_bps: 0,
        days_forecast: None,
        days_promised: None,
        last_sync_micros_ago: 1000,
        last_sync_took_micros: 1000,
        dropped_gops: 0,
        oversized: 0,
        in_flight_bytes: 0,
        errors: 0,
        state: RingState::Ok,
        detail: String::new(),
        paths: Vec::new(),
    }
}

/// A live socket.
pub(crate) type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// The picture of every case; nobody decodes it here.
pub(crate) const MAIN_STILL: &[u8] = b"\xff\xd8 from the main stream \xff\xd9";
/// The clip of every case: 100 000 bytes that differ.
pub(crate) fn clip_bytes() -> Vec<u8> {
    (0..100_000_u32).flat_map(|n| n.to_le_bytes()).take(100_000).collect()
}

/// Pictures and clips out of nothing.
struct Pictures;

#[async_trait]
impl Footage for Pictures {
    async fn recent(&self, _: &CameraId, _: WallTime) -> Result<Still, Missing> {
        Err(Missing::Never("no worker".into()))
    }

    async fn still(&self, _: &CameraId, _: WallTime) -> Result<Still, Missing> {
        Ok(Still { jpeg: Bytes::from_static(MAIN_STILL), width: 16, height: 9 })
    }

    async fn clip(&self, _: &CameraId, from: WallTime, to: WallTime, out: &Path) -> Result<ClipInfo, Missing> {
        let bytes = clip_bytes();
        std::fs::write(out, &bytes).map_err(|e| Missing::NotYet(e.to_string()))?;
        Ok(ClipInfo { from, to, bytes: bytes.len() as u64 })
    }
}

#[async_trait]
impl Snapshot for Pictures {
    async fn snapshot(&self, camera: &CameraId, _: Channel) -> Result<Bytes, NoPicture> {
        match camera.as_str() {
            "cong-lang" => Ok(Bytes::from_static(MAIN_STILL)),
            _ => Err(NoPicture("the camera is away".into())),
        }
    }

    async fn picture(&self, camera: &CameraId, at: WallTime) -> Result<Bytes, NoPicture> {
        match camera.as_str() {
            "cong-lang" if at >= NOON => Ok(Bytes::from_static(MAIN_STILL)),
            _ => Err(NoPicture(format!("nothing was recorded at {at}"))),
        }
    }
}

/// Packages that are ready at once and hold ten bytes.
struct Packages {
    store: Store,
    gauge: Gauge,
    dir: std::path::PathBuf,
}

#[async_trait]
impl matthon_web::Exports for Packages {
    async fn begin(&self, request: evidence::ExportRequest, by: &store::User) -> Result<String, matthon_web::NoExport> {
        let room = self.gauge.now().unwrap();
        if !room.takes(10) {
            return Err(matthon_web::NoExport::NoRoom { need: 10, room });
        }
        let (who, role) = (by.name.clone(), by.role.to_string());
        let entry = store::AuditEntry {
            at: NOON,
            who,
            role,
            what: domain::Audited::Export,
            subject: String::new(),
            detail: request.purpose.clone(),
        };
        let id = self.store.add_export(&serde_json::to_string(&request).unwrap(), &entry, |_| Vec::new()).unwrap();
        std::fs::write(self.file(&id), b"0123456789").unwrap();
        self.store.end_export(&id, store::ExportState::Done, 10, "", NOON).unwrap();
        Ok(id)
    }

    fn progress(&self, _: &str) -> Option<(u64, u64)> {
        None
    }

    fn cancel(&self, _: &str) -> bool {
        false
    }

    fn file(&self, id: &str) -> std::path::PathBuf {
        self.dir.join(format!("{id}.zip"))
    }
}

/// Footage that is kept at once: ten bytes a camera.
struct Films {
    store: Store,
    dir: std::path::PathBuf,
}

impl matthon_web::Keeping for Films {
    fn begin(&self, id: &str, row: store::KeptRow) {
        for camera in &row.cameras {
            std::fs::write(self.film(id, camera), b"0123456789").unwrap();
        }
        self.store.end_kept(id, store::KeptState::Done, 10, "").unwrap();
    }

    fn film(&self, id: &str, camera: &CameraId) -> std::path::PathBuf {
        self.dir.join(format!("{id}-{camera}.mp4"))
    }
}

/// Walls that nobody composes: tests publish their samples.
pub(crate) struct Walls {
    pub(crate) sources: [Fanout<Sample>; 2],
    streams: [LiveStream; 2],
    pub(crate) turns: Mutex<Vec<(WallMode, matthon_web::Turn)>>,
}

impl Default for Walls {
    fn default() -> Self {
        let sources = WallMode::ALL.map(|mode| Fanout::new(format!("wall/{mode}")));
        let streams = [0, 1].map(|n: usize| LiveStream::new(sources[n].clone(), sources[n].name()));
        Self { sources, streams, turns: Mutex::default() }
    }
}

impl matthon_web::Wall for Walls {
    fn watch(&self, mode: WallMode) -> LiveStream {
        self.streams[mode as usize].clone()
    }

    fn view(&self, _: WallMode) -> matthon_web::View {
        matthon_web::View { page: 1, pages: 2, tiles: 9, night: false, trouble: String::new() }
    }

    fn turn(&self, mode: WallMode, turn: matthon_web::Turn) -> matthon_web::View {
        self.turns.lock().unwrap().push((mode, turn));
        self.view(mode)
    }
}

/// Renditions that nobody makes: tests publish their samples. There is room for two.
#[derive(Default)]
pub(crate) struct Made {
    all: Mutex<BTreeMap<String, (Fanout<Sample>, LiveStream)>>,
    /// What was begun, in order: `camera/channel/covered`.
    pub(crate) begun: Mutex<Vec<String>>,
}

impl Made {
    /// Where the samples of one come from.
    pub(crate) fn source(&self, name: &str) -> Option<Fanout<Sample>> {
        self.all.lock().unwrap().get(name).map(|(source, _)| source.clone())
    }
}

fn made_name(camera: &CameraId, channel: Channel, covered: bool) -> String {
    format!("{camera}/{channel}/{}", if covered { "covered" } else { "h264" })
}

impl matthon_web::Renditions for Made {
    fn begin(&self, camera: &CameraId, channel: Channel, covered: bool) -> Result<LiveStream, matthon_web::NoRendition> {
        let (name, mut all) = (made_name(camera, channel, covered), self.all.lock().unwrap());
        if all.len() == 2 && !all.contains_key(&name) {
            return Err(matthon_web::NoRendition::Full(2));
        }
        self.begun.lock().unwrap().push(name.clone());
        let (_, stream) = all.entry(name.clone()).or_insert_with(|| {
            let source = Fanout::new(name.clone());
            (source.clone(), LiveStream::new(source, name))
        });
        Ok(stream.clone())
    }

    fn there(&self, camera: &CameraId, channel: Channel, covered: bool) -> Option<LiveStream> {
        self.all.lock().unwrap().get(&made_name(camera, channel, covered)).map(|(_, stream)| stream.clone())
    }
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

    /// Adds somebody and answers a token.
    /// What the box's clock says.
    pub(crate) fn clock_now(&self) -> WallTime {
        self.clock.wall()
    }

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

pub(crate) fn client() -> reqwest::Client {
    // reqwest wants one even for plain HTTP; a second try finds the first one's there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().cookie_store(true).build().unwrap()
}

/// What a browser offers that wants to receive one picture.
pub(crate) const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    a=msid-semantic: WMS\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:Yx3f\r\n\
    a=ice-pwd:bS1oVbqVvhcoY1vXo0TJQ0qH\r\na=ice-options:trickle\r\na=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:\
    EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
    a=rtpmap:96 H264/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n\
    a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n";

/// The kind of a problem, after checking its shape.
pub(crate) async fn kind(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["status"], status);
    assert!(body["detail"].as_str().is_some_and(|d| !d.is_empty()));
    (status, body["kind"].as_str().unwrap().to_owned())
}
