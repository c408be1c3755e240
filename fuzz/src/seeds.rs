//! Real bytes of our own writers to begin with: rings, clips, packages, messages. Nobody's clip is in them.

use crate::block::packed;
use bytes::Bytes;
use domain::{
    AudioCodec, BBox, CameraId, Channel, Class, Colour, Detection, Format, Observation, Sample, SimClock, StreamId, StreamKind, Track,
    TrackId, TrackState, VideoCodec, WallTime,
};
use evidence::{
    Manifest, Package,
    manifest::{Export, FORMAT, Gap, Maker, Place},
};
use media::params;
use ring::{
    Disk, Ed25519Signer, ModelDisk, Reader, Recorder, RingSpec,
    clip::{self, Wish},
    disk::read_exact_at,
    format::{PAGE, batch::BatchHeader, footer::FOOTER_HEADER, record::RECORD_HEADER},
};
use std::{io::Cursor, path::Path, sync::Arc, time::Duration};
use vision::{
    protocol::{Codec, Counts, Down, FromWorker, SampleHead, StillDone, StillError, StillSource, ToWorker, Up, rendition, stream},
    record,
};

const NOON: WallTime = WallTime::from_secs(1_795_430_400);
/// A sequence parameter set of H.264 High, 320 × 240, with VUI; and its picture parameter set.
const SPS264: &[u8] =
    &[0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20, 0xf1, 0x42, 0x99, 0x60];
const PPS264: &[u8] = &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];
/// H.265 Main.
const VPS265: &[u8] = &[0x40, 1, 0x0c];
const SPS265: &[u8] = &[
    0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x3c, 0xa0, 0x0a, 0x08, 0x0b, 0x9f, 0x79, 0x65, 0x79, 0x24, 0xca, 0xe0,
    0x10,
];
const PPS265: &[u8] = &[0x44, 1, 0xc1];

/// One input: its target, a name, its bytes.
pub type Seed = (&'static str, String, Vec<u8>);

/// The box's key here.
#[must_use]
pub fn key() -> Ed25519Signer {
    Ed25519Signer::from_secret(&[7; 32])
}

/// A real H.264 High format of 64×64; the level tells formats apart.
#[must_use]
pub fn h264(level: u8) -> Format {
    let config = [
        1, 0x64, 0, level, 0xff, 0xe1, 0, 0x19, 0x67, 0x64, 0x00, level, 0xac, 0x72, 0x84, 0x44, 0x26, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04,
        0x00, 0x00, 0x03, 0x00, 0xca, 0x3c, 0x48, 0x96, 0x11, 0x80, 1, 0, 7, 0x68, 0xe8, 0x43, 0x8f, 0x13, 0x21, 0x30, 0xfd, 0xf8, 0xf8, 0,
    ];
    Format::Video(params::video_format(VideoCodec::H264, &config).unwrap())
}

/// G.711.
#[must_use]
pub fn alaw() -> Format {
    Format::Audio(params::g711_format(AudioCodec::PcmA, 8000, 1))
}

fn camera() -> CameraId {
    CameraId::new("cong-lang").unwrap()
}

fn id(kind: StreamKind) -> StreamId {
    StreamId::new(camera(), Channel::Main, kind)
}

/// A ring of small blocks with some seconds of one camera, its sound and what was seen; a hole of two seconds in the middle.
fn ring(spec: &RingSpec, seconds: i64, size: usize) -> (ModelDisk, Reader) {
    let disk = ModelDisk::new();
    let clock = Arc::new(SimClock::at(NOON));
    let recorder = Recorder::open(spec.clone(), Arc::new(disk.clone()), clock.clone(), Arc::new(key())).unwrap();
    let streams = [(StreamKind::Video, h264(10)), (StreamKind::Audio, alaw()), (StreamKind::Observations, Format::Observations(1))];
    let streams = streams.map(|(kind, format)| (Arc::new(id(kind)), Arc::new(format)));
    for n in 0..seconds * 10 {
        let hole = if n >= seconds * 5 { 2_000_000 } else { 0 };
        let capture = NOON.plus_micros(n * 100_000 + hole);
        let ticks = n * 9_000 + hole * 9 / 100;
        for (stream, format) in &streams {
            let data = match stream.kind {
                StreamKind::Video => (0..size + n as usize % 5).map(|i| (i as i64 * 7 + n) as u8).collect(),
                StreamKind::Audio => vec![0x55; 16],
                StreamKind::Observations if n % 10 == 0 => observed(),
                StreamKind::Observations => continue,
            };
            recorder.push(&Sample {
                stream: stream.clone(),
                format: format.clone(),
                seq: n as u64,
                capture,
                pts: ticks,
                dts: ticks,
                random_access: stream.kind != StreamKind::Video || n % 10 == 0,
                loss_before: n == 0 || n == seconds * 5,
                data: Bytes::from(data),
            });
        }
    }
    clock.advance(Duration::from_secs(seconds as u64 + 2));
    let reader = recorder.reader();
    recorder.close().unwrap();
    (disk, reader)
}

fn file(disk: &ModelDisk, name: &str) -> Vec<u8> {
    let file = disk.open(&Path::new("/ring").join(name), false).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    read_exact_at(&*file, 0, &mut bytes).unwrap();
    bytes
}

/// Without the zeros at its end.
fn trimmed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |n| n + 1);
    bytes.truncate(end);
    bytes
}

/// A package of a few seconds, signed by [`key`].
#[must_use]
pub fn package() -> Vec<u8> {
    let place = Place::named("Asia/Ho_Chi_Minh");
    let (_disk, reader) = ring(&crate::targets::block::spec(), 4, 40);
    let camera = camera();
    let (from, to) = (NOON.plus_micros(700_000), NOON.plus_micros(5_500_000));
    let wish = Wish { camera: &camera, channel: Channel::Main, from, to, audio: true, captions: None };
    let plan = clip::plan(&reader, &wish).unwrap();
    let mut package = Package::new(Cursor::new(Vec::new()), |_| true);
    let masters = package.add_master("goc/cong-lang-main", &plan, &place).unwrap();
    package.add("anh/cong-lang-1.jpg", "still", b"a picture").unwrap();
    package.add("verify.html", "page", b"<!doctype html>").unwrap();
    let gap = |(stream, from, to)| Gap { stream, from: place.moment(from), to: place.moment(to), reason: "camera".into() };
    let manifest = Manifest {
        format: FORMAT.into(),
        export: Export { purpose: "kiểm thử".into(), ..Export::default() },
        made_by: Maker::default(),
        clock: Default::default(),
        from: place.moment(from),
        to: place.moment(to),
        cameras: vec![],
        tracks: masters.tracks,
        gaps: masters.holes.into_iter().map(gap).collect(),
        cases: vec![],
        redaction: "none".into(),
        notes: vec![],
        files: vec![],
    };
    package.finish(manifest, &key()).unwrap().0.into_inner()
}

fn observation() -> (Observation, Vec<Track>) {
    let bbox = BBox { x1: 0.1, y1: 0.2, x2: 0.3, y2: 0.4 };
    let car: Class = "car".into();
    let track = Track {
        id: TrackId(7),
        class: car.clone(),
        state: TrackState::Confirmed,
        bbox,
        velocity: [0.01, 0.0].into(),
        score: 0.87,
        first_seen: NOON,
        last_seen: NOON,
        born: bbox,
    };
    let seen = Detection { class: car, score: 0.871, bbox, colour: Some(Colour::White) };
    (Observation { capture: NOON, width: 640, height: 352, motion: 0.0132, detections: vec![seen] }, vec![track])
}

fn observed() -> Vec<u8> {
    let (observation, tracks) = observation();
    record::encode(&observation, &tracks)
}

/// Everything to begin with. Made anew at every call: rings number themselves by chance.
#[must_use]
pub fn all() -> Vec<Seed> {
    let mut out: Vec<Seed> = Vec::new();
    ring_seeds(&mut out);
    media_seeds(&mut out);
    package_seeds(&mut out);
    border_seeds(&mut out);
    request_seeds(&mut out);
    text_seeds(&mut out);
    out
}

fn ring_seeds(out: &mut Vec<Seed>) {
    let spec = crate::targets::block::spec();
    let limit = spec.data_limit() as usize;
    let (disk, _) = ring(&spec, 2, 24);
    let sealed = file(&disk, "block-00000.mtr");
    let mut put = |target, name: &str, bytes: &[u8]| out.push((target, name.to_owned(), bytes.to_vec()));
    put("block", "sealed", &packed(&sealed));
    let open = packed(&sealed[..limit]);
    put("block", "open", &open);
    put("block", "torn", &open[..open.len() * 2 / 3]);
    put("batch", "block-header", &sealed[..256]);
    put("footer", "three-streams", &trimmed(sealed[limit..].to_vec()));
    put("footer", "front", &sealed[limit..limit + FOOTER_HEADER]);
    let page = PAGE as usize;
    let header = BatchHeader::parse(&sealed[page..]).unwrap();
    put("batch", "batch", &sealed[page..page + BatchHeader::front(header.records as usize)]);
    let entries = header.directory(&sealed[page + 64..]).unwrap();
    for (n, e) in entries.iter().enumerate().take(4) {
        let at = page + e.offset as usize;
        put("record", &format!("record-{n}"), &sealed[at..at + e.len as usize]);
    }
    put("record", "header", &sealed[page + entries[0].offset as usize..][..RECORD_HEADER]);
    let index = file(&disk, "ring.index");
    put("index", "front", &index[..64]);
    put("index", "lines", &index[page..page + 192]);
    for name in ["ring.spans-a", "ring.spans-b"] {
        if disk.open(&Path::new("/ring").join(name), false).is_ok() {
            put("spans", name, &file(&disk, name));
        }
    }
    put("spans", "two-streams", &spans());
}

fn spans() -> Vec<u8> {
    use ring::format::spans::{Spans, Stretch};
    let stretch = |n: i64| Stretch { from: NOON.plus_micros(n * 100), to: NOON.plus_micros(n * 100 + 50), first: n as u64, last: n as u64 };
    let mut spans = Spans { unreadable: vec![stretch(9)], ..Spans::default() };
    for kind in [StreamKind::Video, StreamKind::Audio] {
        spans.streams.insert(id(kind), (1..4).map(stretch).collect());
    }
    spans.to_bytes(64)
}

fn media_seeds(out: &mut Vec<Seed>) {
    use media::fmp4::{Piece, Track, fragment_header, init_segment};
    let mut put = |target, name: &str, bytes: Vec<u8>| out.push((target, name.to_owned(), bytes));
    let hevc = params::hevc_config(VPS265, SPS265, PPS265).unwrap();
    let avc = params::avc_config(SPS264, PPS264).unwrap();
    let h265 = Format::Video(params::video_format(VideoCodec::H265, &hevc).unwrap());
    let aac = Format::Audio(params::aac_format(&[0x11, 0x90]).unwrap());
    for (name, format) in [("h264", h264(10)), ("h265", h265), ("aac", aac), ("alaw", alaw()), ("seen", Format::Observations(1))] {
        let piece = |n: u32| Piece { duration: 3600, size: 5 + n, cts_offset: n as i32 - 1, random_access: n == 0 };
        let mut bytes = init_segment(&[Track { id: 1, format: &format }]).unwrap();
        bytes.extend(fragment_header(1, 1, 90_000, &[piece(0), piece(1), piece(2)]));
        bytes.extend([0x55; 18]);
        put("mp4", name, bytes);
    }
    let (_disk, reader) = ring(&crate::targets::block::spec(), 2, 24);
    let camera = camera();
    let wish = Wish { camera: &camera, channel: Channel::Main, from: NOON, to: NOON.plus_micros(1 << 40), audio: true, captions: None };
    let plan = clip::plan(&reader, &wish).unwrap();
    let mut film = vec![0; plan.len() as usize];
    let mut at = 0;
    while at < film.len() {
        at += plan.read_at(at as u64, &mut film[at..]).unwrap().max(1);
    }
    put("mp4", "clip", film);
    put("clip", "plain", (0..90).collect());
    put("clip", "with-sound", [&[3, 0b0101_0011, 0, 0, 0, 0, 9, 0, 0, 0][..], &[20, 0, 0, 0, 16, 14].repeat(12)].concat());
    let kind = |kind: u8, bytes: &[&[u8]]| [&[kind][..], &bytes.concat()].concat();
    put("params", "avcc", kind(0, &[&avc]));
    put("params", "hvcc", kind(1, &[&hevc]));
    put("params", "aac", kind(2, &[&[0x11, 0x90]]));
    put("params", "aac-sbr", kind(2, &[&[0x2b, 0x92, 0x08, 0]]));
    put("params", "sets264", kind(3, &[&[PPS264.len() as u8], PPS264, SPS264]));
    put("params", "sets265", kind(4, &[&[VPS265.len() as u8, PPS265.len() as u8], VPS265, PPS265, SPS265]));
    let idr = [0x65, 0x88, 0x80];
    let recovery = [6, 6, 1, 0xc0, 0x80];
    let intra = [0x41, 0x88, 0x80];
    let annex = |units: &[&[u8]]| units.iter().flat_map(|u| [&[0, 0, 0, 1], *u].concat()).collect::<Vec<u8>>();
    let lengths = |units: &[&[u8]]| media::nal::from_annex_b(&annex(units)).unwrap();
    put("nal", "idr-annex-b", kind(0, &[&annex(&[&[9, 0xf0], SPS264, PPS264, &idr])]));
    put("nal", "open-gop", kind(0, &[&lengths(&[&recovery, &intra])]));
    put("nal", "h265", kind(1, &[&lengths(&[&[0x26, 1, 0x80], &[0x2a, 1, 0x80]])]));
}

fn package_seeds(out: &mut Vec<Seed>) {
    let whole = package();
    let mut archive = zip::ZipArchive::new(Cursor::new(&whole)).unwrap();
    for (target, name) in [("chain", "goc/cong-lang-main.chuoi"), ("manifest", "manifest.json")] {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut archive.by_name(name).unwrap(), &mut bytes).unwrap();
        out.push((target, "whole".into(), bytes));
    }
    out.push(("forged", "unchanged".into(), Vec::new()));
    out.push(("forged", "a-byte".into(), vec![0, 0, 0xe8, 3, 1]));
    out.push(("forged", "cut".into(), vec![1, 2, 0xd0, 7, 0]));
    out.push(("zip", "whole".into(), whole));
}

fn border_seeds(out: &mut Vec<Seed>) {
    let mut put = |name: &str, kind: u8, bytes: Vec<u8>| out.push(("border", name.to_owned(), [vec![kind], bytes].concat()));
    fn said<T: serde::Serialize>(message: &T) -> Vec<u8> {
        postcard::to_stdvec(message).unwrap()
    }
    put("open", 0, said(&ToWorker::Open { stream: 7, name: "cho/sub".into(), fps: 5.0 }));
    let source = StillSource::Recent { stream: 7, capture: NOON };
    put("still", 0, said(&ToWorker::Still { job: 3, source, max_width: 640, masks: Vec::new(), deadline_ms: 500 }));
    put("made", 1, said(&FromWorker::Still { job: 3, outcome: Ok(StillDone { len: 9, width: 4, height: 2 }) }));
    put("gone", 1, said(&FromWorker::Still { job: 3, outcome: Err(StillError::Gone) }));
    put("counts", 1, said(&FromWorker::Counts(Counts { decoded: 9, ..Counts::default() })));
    let Format::Video(format) = h264(10) else { return };
    let codec = Down::Format(Codec::from(&format));
    let head = SampleHead { capture: NOON, pts: 9000, dts: 9000, random_access: true, loss_before: false, len: 3 };
    put("format", 2, said(&codec));
    let down = [stream::encode(&codec).unwrap(), stream::encode(&Down::Sample(head)).unwrap(), vec![1, 2, 3]];
    put("down", 5, [down.concat(), stream::encode(&Down::Interest(true)).unwrap()].concat());
    let (observation, _) = observation();
    put("seen", 3, said(&Up::Seen(observation)));
    put("undecodable", 3, said(&Up::Undecodable { what: "no".into() }));
    let spec =
        rendition::Spec { fit: (1280, 1280), kbit: 3000, masks: vec![vec![[0.1, 0.1].into(), [0.3, 0.1].into(), [0.2, 0.4].into()]] };
    put("rendition", 0, said(&ToWorker::Rendition(spec)));
    put("converted", 6, said(&rendition::Up::Picture { capture: NOON, pts: 9000, random_access: true, len: 3 }));
    let manifest = vision::Manifest::parse("thon-nano", include_str!("../../models/thon-nano.toml")).unwrap();
    put("model", 4, said(&manifest.spec()));
}

fn request_seeds(out: &mut Vec<Seed>) {
    let mut put = |target, name: &str, bytes: &[u8]| out.push((target, name.to_owned(), bytes.to_vec()));
    put(
        "way",
        "proxied",
        b"\x050:1.1.1.1, 198.51.100.1, 10.0.0.3\n1:https\n2:thon.example.vn\n3:127.0.0.1:8080\n4:https://thon.example.vn",
    );
    put("way", "ports", b"\x020:[2001:db8::1]:4711\n0:198.51.100.1:4711\n3:thon.example.vn:443");
    // The keys are those of web-push-native's documentation.
    let keys = r#""keys":{"p256dh":"BLn9b-VR0ca83knDNZ32dCHGyjJp-1riX9ZTN40MqV8K_LpQmLqxC_DoHvqvFXO_nGdAB4W9dogZb_sM-uV4JbY","auth":"_ordMnz7uTCmrpBTeUV4Bw"}"#;
    let subscription = |endpoint: &str, rest: &str| format!(r#"{{"endpoint":"{endpoint}",{keys}{rest}}}"#).into_bytes();
    put(
        "phone",
        "chrome",
        &subscription("https://fcm.googleapis.com/fcm/send/abc", r#","expirationTime":null,"label":"Điện thoại","language":"vi""#),
    );
    put("phone", "inside", &subscription("https://192.168.1.1:8443/x", r#","expirationTime":1795430400000.5"#));
    put("phone", "loopback", &subscription("http://localhost:9/x", r#","language":"en""#));
    let link = |pass: &str| format!(r#"{{"secret":"ml_{}","browser":"{pass}"}}"#, "5e".repeat(32)).into_bytes();
    put("case-link", "first", &link(&format!("mc_{}", "0f".repeat(32))));
    put("case-link", "no-pass", &link("mc_0F"));
    put("hls", "part", b"part-1754000000-2.m4s\n7\n0");
    put("hls", "segment", b"seg-12.m4s\n12");
    put("hls", "init", b"init-0.mp4\n-1\nx");
    put("want", "said", b"\x04{\"want\":[3,0]}");
    put("want", "asked", b"\x103,0,15");
}

/// What a browser offers that wants to receive one picture.
pub const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\n\
    a=msid-semantic: WMS\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:Yx3f\r\n\
    a=ice-pwd:bS1oVbqVvhcoY1vXo0TJQ0qH\r\na=ice-options:trickle\r\na=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:\
    EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\na=mid:0\r\na=extmap:3 http://www.ietf.org/id/draft-holmer\
    -rmcat-transport-wide-cc-extensions-01\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:96 H264/90000\r\na=rtcp-fb:96 nack\r\n\
    a=rtcp-fb:96 nack pli\r\na=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\na=rtpmap:97 rtx/90000\r\n\
    a=fmtp:97 apt=96\r\n";

fn text_seeds(out: &mut Vec<Seed>) {
    out.push(("offer", "one-picture".into(), OFFER.as_bytes().to_vec()));
    out.push((
        "offer",
        "with-candidate".into(),
        OFFER.replace("a=mid:0", "a=candidate:1 1 udp 2122260223 abcd.local 50000 typ host\r\na=mid:0").into_bytes(),
    ));
    // A binding request without a signature, and what begins DTLS and RTP.
    let stun = [&[0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12], &[0, 6, 0, 9], b"abcd:Yx3f", &[0; 3]].concat();
    let knock = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes, &[9]].concat();
    let dtls = [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5][..], &[1, 0, 0, 0, 0]].concat();
    out.push(("knock", "three".into(), [knock(&stun), knock(&dtls), knock(&[&[0x80, 96][..], &[0; 20]].concat())].concat()));
    out.push(("seen", "whole".into(), observed()));
    out.push(("seen", "quiet".into(), br#"{"v":1,"capture":0,"size":[1,1],"motion":0,"seen":[]}"#.to_vec()));
    let demo = include_str!("../../config/demo.toml").replace("@RTSP@", "rtsp://10.0.0.1").replace("@PORT@", "8080");
    out.push(("config", "demo".into(), demo.into_bytes()));
    out.push(("model", "thon-nano".into(), include_bytes!("../../models/thon-nano.toml").to_vec()));
    out.push(("model", "yolox-nano".into(), include_bytes!("../../models/yolox-nano.toml").to_vec()));
}
