//! Packages of a ring on a disk that cannot read all of it, and of a camera that was away: what is left, and what the manifest says.

use super::{By, Estimate, Job, Progress, Sources, desk, make};
use crate::seeing::footage::write_film;
use bytes::Bytes;
use cases::Room;
use domain::{CameraId, Channel, Format, Link, LinkChange, Sample, SimClock, StreamId, StreamKind, VideoCodec, WallTime};
use evidence::{EvidenceError, ExportRequest, Manifest, verify};
use ring::{Disk, Ed25519Signer, Fault, ModelDisk, Reader, Recorder, RingSpec};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use store::Store;

const NOON: WallTime = WallTime::from_secs(1_795_430_400);
const SECONDS: i64 = 20;

struct NoWorker;

impl vision::Launcher for NoWorker {
    fn launch(&self, _: &vision::Purpose) -> std::io::Result<vision::Launched> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

struct House {
    dir: tempfile::TempDir,
    disk: ModelDisk,
    spec: RingSpec,
    sources: Sources,
}

fn at(ms: i64) -> WallTime {
    NOON.plus_micros(ms * 1000)
}

fn stream(kind: StreamKind) -> StreamId {
    StreamId::new(CameraId::new("cong").unwrap(), Channel::Main, kind)
}

/// A real H.264 High format of 64×64.
fn h264() -> Arc<Format> {
    let config = [
        1, 0x64, 0, 10, 0xff, 0xe1, 0, 0x19, 0x67, 0x64, 0x00, 10, 0xac, 0x72, 0x84, 0x44, 0x26, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00,
        0x00, 0x03, 0x00, 0xca, 0x3c, 0x48, 0x96, 0x11, 0x80, 1, 0, 7, 0x68, 0xe8, 0x43, 0x8f, 0x13, 0x21, 0x30, 0xfd, 0xf8, 0xf8, 0,
    ];
    Arc::new(Format::Video(media::params::video_format(VideoCodec::H264, &config).unwrap()))
}

/// Twenty seconds of a camera, ten pictures a second with a key each second, and sound; without pictures from `away` on for so long.
fn house(away: Option<(i64, i64)>) -> House {
    let dir = tempfile::tempdir().unwrap();
    let (disk, clock) = (ModelDisk::new(), Arc::new(SimClock::at(NOON)));
    let spec = RingSpec { block_size: 256 << 10, ..RingSpec::new("main", vec![PathBuf::from("/ring")], 8 << 20) };
    let signer = Arc::new(Ed25519Signer::from_secret(&[7; 32]));
    let recorder = Recorder::open(spec.clone(), Arc::new(disk.clone()), clock.clone(), signer.clone()).unwrap();
    let (picture, sound) = (Arc::new(stream(StreamKind::Video)), Arc::new(stream(StreamKind::Audio)));
    let (h264, alaw) = (h264(), Arc::new(Format::Audio(media::params::g711_format(domain::AudioCodec::PcmA, 8000, 1))));
    for n in 0..SECONDS * 10 {
        let gone = away.is_some_and(|(from, to)| n * 100 >= from && n * 100 < to);
        let back = away.is_some_and(|(_, to)| n * 100 == to);
        for (stream, format, size) in [(&picture, &h264, 900 + n % 7), (&sound, &alaw, 160)] {
            let video = stream.kind == StreamKind::Video;
            if video && gone {
                continue;
            }
            recorder.push(&Sample {
                stream: stream.clone(),
                format: format.clone(),
                seq: n as u64,
                capture: at(n * 100),
                pts: n * 9_000,
                dts: n * 9_000,
                random_access: !video || n % 10 == 0,
                loss_before: n == 0 || (video && back),
                data: Bytes::from((0..size).map(|i| (i * 7 + n * 13 + i64::from(video)) as u8).collect::<Vec<_>>()),
            });
        }
    }
    clock.advance(Duration::from_secs(SECONDS as u64 + 10));
    recorder.close().unwrap();
    let text = "[site]\nname = \"Thôn\"\n[privacy]\ncontroller = \"UBND xã\"\n[storage]\ndata = \"data\"\n[[ring]]\nname = \"main\"\n\
                paths = [\"ring\"]\nsize = \"1GB\"\n[[camera]]\nid = \"cong\"\nname = \"Cổng\"\nmain = \"rtsp://127.0.0.1/main\"\naudio = true\n";
    let config = config::parse(text, "matthon.toml", dir.path()).unwrap().config;
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let reader = Reader::open(spec.clone(), shared).unwrap();
    let sources = Sources {
        config: Arc::new(config),
        rings: BTreeMap::from([("main".to_owned(), reader)]),
        store: Store::open(&dir.path().join("matthon.db")).unwrap(),
        signer,
        clock,
        offsets: Arc::new(|_| None),
        worker: Arc::new(NoWorker),
    };
    House { dir, disk, spec, sources }
}

/// Sixteen of the twenty seconds.
fn request() -> ExportRequest {
    ExportRequest {
        cameras: vec![CameraId::new("cong").unwrap()],
        from: at(2_000),
        to: at(18_000),
        stream: Channel::Main,
        audio: true,
        viewing_copy: false,
        purpose: "thử".into(),
        officer: "Tư".into(),
        authority: String::new(),
        document: String::new(),
        case: None,
    }
}

impl House {
    /// The disk cannot read the middle of the record of a second any more.
    fn bad_sector(&self, kind: StreamKind, second: i64) {
        let reader = &self.sources.rings["main"];
        let r = reader.records(&stream(kind), at(second * 1000), at(second * 1000 + 1)).unwrap().remove(0);
        let middle = u64::from(r.entry.offset) + u64::from(r.entry.len) / 2;
        let number = reader.blocks().unwrap().iter().position(|b| b.sequence == r.block).unwrap();
        self.disk.fail(&self.spec.paths[0].join(format!("block-{number:05}.mtr")), Fault::Unreadable(middle, middle + 1));
    }

    fn made(&self, progress: &Arc<Progress>) -> anyhow::Result<(PathBuf, Manifest)> {
        let request = request();
        let path = self.dir.path().join("goi.zip");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        let by = By { id: "1".into(), name: "lan".into(), role: "police".into() };
        let job = Job { request: &request, by: &by, pictures: &[], estimate: Estimate::default(), scratch: Path::new("/") };
        let manifest = make(&self.sources, &job, file, progress)?;
        let verdict = verify(&fs::read(&path)?.as_slice(), None);
        assert!(verdict.good(), "{verdict:?}");
        Ok((path, manifest))
    }

    /// Gaps as stream, milliseconds from noon to the second, reason.
    fn gaps(&self) -> Vec<(String, i64, i64, String)> {
        let (_, manifest) = self.made(&Arc::new(Progress::default())).unwrap();
        let second = |m: &evidence::Moment| m.wall().unwrap().micros_since(NOON) / 1_000_000;
        manifest.gaps.iter().map(|g| (g.stream.clone(), second(&g.from), second(&g.to), g.reason.clone())).collect()
    }
}

#[test]
fn a_sector_that_cannot_be_read_costs_its_seconds_and_is_named() {
    let house = house(None);
    let (path, manifest) = house.made(&Arc::new(Progress::default())).unwrap();
    assert!(manifest.gaps.is_empty(), "{:?}", manifest.gaps);
    let whole = fs::metadata(path).unwrap().len();
    house.bad_sector(StreamKind::Video, 7);
    let gaps = house.gaps();
    assert!(gaps.iter().all(|g| g.3 == "damaged" && g.1 >= 6 && g.2 <= 8), "{gaps:?}");
    assert!(gaps.iter().any(|g| g.0 == "cong/main/video"), "{gaps:?}");
    let (path, _) = house.made(&Arc::new(Progress::default())).unwrap();
    // Two of sixteen seconds at most.
    assert!(fs::metadata(path).unwrap().len() > whole * 13 / 16);
}

#[test]
fn of_sound_that_cannot_be_read_the_pictures_know_nothing() {
    let house = house(None);
    house.bad_sector(StreamKind::Audio, 9);
    let gaps = house.gaps();
    assert!(gaps.iter().all(|g| (g.0.as_str(), g.3.as_str()) == ("cong/main/audio", "damaged") && g.1 >= 8 && g.2 <= 10), "{gaps:?}");
    assert_eq!(gaps.len(), 1, "{gaps:?}");
}

#[test]
fn sound_without_pictures_is_not_damaged() {
    // Nobody knows why there were none.
    let house = house(Some((6_000, 11_000)));
    // Sound is left out by the record, and one begins before the pictures are back.
    let named = |reason: &str| {
        [("cong/main/video", 6, 11), ("cong/main/audio", 6, 10)].map(|(s, from, to)| (s.to_owned(), from, to, reason.to_owned())).to_vec()
    };
    let sorted = || {
        let mut gaps = house.gaps();
        gaps.sort_by(|a, b| b.0.cmp(&a.0));
        gaps
    };
    assert_eq!(sorted(), named("unknown"));
    // The journal knows.
    let run = house.sources.store.begin_box_run("aa", at(-60_000)).unwrap();
    let change = |ms, link| (CameraId::new("cong").unwrap(), Channel::Main, LinkChange { at: at(ms), link });
    let links = [change(-60_000, Link::Ok), change(6_000, Link::Unreachable), change(11_000, Link::Ok)];
    house.sources.store.note_run(run, at(30_000), &links).unwrap();
    assert_eq!(sorted(), named("network"));
}

#[test]
fn kept_footage_and_clips_lose_the_seconds_of_a_bad_sector_and_no_more() {
    let house = house(None);
    let written = || {
        let path = house.dir.path().join("phim.mp4");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        let (reader, camera) = (&house.sources.rings["main"], CameraId::new("cong").unwrap());
        let film = write_film(reader, &camera, Channel::Main, at(2_000), at(18_000), true, file).ok().flatten().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), film.bytes);
        film.bytes
    };
    let whole = written();
    house.bad_sector(StreamKind::Video, 7);
    let left = written();
    assert!(left < whole && left > whole * 13 / 16, "{left} of {whole}");
}

#[test]
fn a_package_called_off_while_damage_is_looked_for_ends_at_once() {
    let house = house(None);
    house.bad_sector(StreamKind::Video, 7);
    let progress = Arc::new(Progress::default());
    progress.stop.store(true, Ordering::Relaxed);
    let request = request();
    let reads = house.disk.reads();
    let error = super::leave_out_damaged(&house.sources, &request, &progress).unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(EvidenceError::Cancelled)), "{error:#}");
    let planned = house.disk.reads() - reads;
    let all = house.sources.rings["main"].records(&stream(StreamKind::Video), request.from, request.to).unwrap().len() as u64;
    assert!(planned < all, "{planned} reads, {all} records");
}

#[test]
fn what_the_quota_or_the_disk_does_not_take_is_refused_with_both_numbers() {
    const MB: u64 = 1_000_000;
    let room = Room { cases: 50 * MB, kept: 0, packages: 0, quota: 100 * MB, free: 10_000 * MB };
    let refused =
        |masters: u64, views: u64, room: Room| desk::no_room(Estimate { masters: masters * MB, viewed: 0, views: views * MB }, room);
    assert_eq!(refused(50, 0, room), None);
    assert_eq!(refused(30, 20, room), None, "its two copies of the viewing copy are the disk's business");
    let said = refused(31, 20, room).unwrap().to_string();
    for word in ["51 MB", "50 of its 100 MB", "10000 MB free", "[evidence] quota", "matthon export"] {
        assert!(said.contains(word), "{said}");
    }
    let tight = Room { free: cases::LEFT_FREE + 60 * MB, ..room };
    assert_eq!(refused(20, 20, tight), None);
    assert!(refused(20, 21, tight).is_some());
}
