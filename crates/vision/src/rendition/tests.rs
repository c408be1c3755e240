//! Renditions by workers that speak the true protocol, well and badly.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::{
    fake::{FakeLauncher, FakeWorker, PATIENCE},
    protocol::{SampleHead, stream},
};
use domain::{CameraId, Channel, StreamKind};
use std::io::Write;

/// 320 × 240, as in `media::params`.
const CONFIG: &[u8] = &[
    1, 0x64, 0, 0x0d, 0xff, 0xe1, 0, 25, 0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20,
    0xf1, 0x42, 0x99, 0x60, 1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0,
];
/// One empty NAL unit and one of two bytes.
const UNITS: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 2, 0x65, 1];

type Said = Vec<(Up, &'static [u8])>;

fn format() -> (Up, &'static [u8]) {
    (Up::Format(CONFIG.to_vec()), &[])
}

fn picture(head: &SampleHead) -> (Up, &'static [u8]) {
    let SampleHead { capture, pts, random_access, .. } = *head;
    (Up::Picture { capture, pts, random_access, len: UNITS.len() as u32 }, UNITS)
}

/// A worker that answers the samples it got so far by a script, with each new one.
fn worker(script: impl Fn(&[SampleHead]) -> Said + Send + Sync + 'static) -> Arc<FakeLauncher> {
    let script = Arc::new(script);
    FakeLauncher::new(move |w: FakeWorker| {
        let script = script.clone();
        w.serve(move |w, message, descriptors| {
            assert!(matches!(&message, ToWorker::Rendition(spec) if spec.is_sound()), "{message:?}");
            assert_eq!(w.purpose, Purpose::Rendition("cong/sub".into()));
            let mut socket = w.stream(descriptors.into_iter().next().unwrap());
            let (mut from, mut data, mut heads) = (socket.try_clone().unwrap(), Vec::new(), Vec::new());
            while let Ok(Some(message)) = stream::read_down(&mut from, &mut data) {
                let Down::Sample(head) = message else { continue };
                heads.push(head);
                for (message, data) in script(&heads) {
                    let _ = socket.write_all(&stream::encode(&message).unwrap());
                    let _ = socket.write_all(data);
                }
            }
            false
        });
    })
}

fn rendition() -> Rendition {
    let camera = CameraId::new("cong").unwrap();
    Rendition {
        name: "cong/sub".into(),
        stream: Arc::new(StreamId::new(camera, Channel::Sub, StreamKind::Video)),
        source: Fanout::new("cong/sub"),
        masks: Vec::new(),
        out: Fanout::new("cong/sub/h264"),
    }
}

/// Sample `n` of a camera with a key frame every ten; each third is shown a picture later than it comes.
fn sample(n: i64, zero: i64) -> Sample {
    let config = media::params::video_format(VideoCodec::H264, CONFIG).unwrap();
    let shown = match n % 3 {
        1 => n + 1,
        2 => n - 1,
        _ => n,
    };
    Sample {
        stream: rendition().stream,
        format: Arc::new(Format::Video(config)),
        seq: n as u64,
        capture: WallTime(1_000_000 + n * 40_000),
        pts: zero + shown * 3600,
        dts: zero + n * 3600,
        random_access: n % 9 == 0,
        loss_before: n == 0,
        data: UNITS.into(),
    }
}

/// Converts samples until it ends, or until so many came out.
async fn run(launcher: &Arc<FakeLauncher>, samples: Vec<Sample>, wanted: usize) -> Result<Vec<Sample>, RenditionError> {
    let rendition = rendition();
    let mut out = rendition.out.subscribe(Join::NextRandomAccess, Capacity { items: 1000, bytes: 1 << 20 }, "test");
    let taken = async {
        while rendition.source.subscribers() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        samples.into_iter().for_each(|sample| rendition.source.publish(sample));
        let mut came = Vec::new();
        while came.len() < wanted {
            match out.next().await {
                Some(Delivery::Item(sample)) => came.push(sample),
                other => panic!("{other:?}"),
            }
        }
        came
    };
    tokio::select! {
        error = rendition.convert(launcher.clone()) => Err(error),
        came = timeout(PATIENCE, taken) => Ok(came.unwrap()),
    }
}

/// Answers in the order of showing, as a decoder that waits for one picture.
fn shown(heads: &[SampleHead]) -> Said {
    let mut said = Vec::new();
    if heads.len() == 1 {
        said.push(format());
    }
    let now = heads.len() - 1;
    match now % 3 {
        0 => said.push(picture(&heads[now])),
        2 => said.extend([picture(&heads[now]), picture(&heads[now - 1])]),
        _ => {}
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_come_in_the_order_of_showing_with_the_times_of_their_samples() {
    let launcher = worker(shown);
    let came = run(&launcher, (0..30).map(|n| sample(n, 500)).collect(), 30).await.unwrap();
    assert_eq!(came.iter().map(|s| s.pts).collect::<Vec<_>>(), (0..30).map(|n| 500 + n * 3600).collect::<Vec<_>>());
    for sent in (0..30).map(|n| sample(n, 500)) {
        let there = came.iter().find(|s| s.pts == sent.pts).unwrap();
        assert_eq!((there.capture, there.dts, there.random_access), (sent.capture, sent.pts, sent.random_access));
    }
    assert!(came[0].loss_before && came[1..].iter().all(|s| !s.loss_before), "only the first comes after something");
    assert!(came.iter().zip(0..).all(|(s, n)| s.seq == n && &s.data[..] == UNITS && s.stream.channel == Channel::Sub));
    // Whoever stops it ends the worker with it.
    assert_eq!(launcher.killed.wait("its end", |k| (!k.is_empty()).then(|| k.to_vec())), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_may_go_back_where_something_is_missing_and_a_size_may_change() {
    let launcher = worker(|heads| {
        let mut said = shown(heads);
        if heads.len() == 10 {
            said.insert(0, format());
        }
        said
    });
    let mut samples: Vec<Sample> = (0..9).map(|n| sample(n, 1_000_000)).collect();
    samples.extend((0..9).map(|n| Sample { capture: sample(n + 9, 0).capture, ..sample(n, 0) }));
    let came = run(&launcher, samples, 18).await.unwrap();
    assert_eq!((came[8].pts, came[9].pts), (1_000_000 + 8 * 3600, 0));
    assert_eq!(came.iter().map(|s| s.loss_before).collect::<Vec<_>>().iter().filter(|l| **l).count(), 2);
    assert!(came[9].loss_before && came[9].random_access);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_worker_can_say_ends_it() {
    type Script = fn(&[SampleHead]) -> Said;
    let cases: [(Script, &str); 8] = [
        (|heads| vec![picture(&heads[0])], "without a format"),
        (|_| vec![(Up::Format(vec![1, 2, 3]), &[])], "its format"),
        (|heads| vec![format(), picture(&heads[0]), picture(&heads[0])], "of no sample"),
        (|heads| vec![format(), picture(&SampleHead { pts: heads[0].pts + 1, ..heads[0] })], "of no sample"),
        (|heads| vec![format(), picture(&SampleHead { random_access: false, ..heads[0] })], "without a key frame"),
        (|heads| vec![format(), (long(&heads[0], u32::MAX), &[])], "longer than one may be"),
        (|heads| vec![format(), (long(&heads[0], 4), &[0, 0, 1, 0])], "is no picture"),
        (|_| vec![(Up::Failed("no\u{7} x264".into()), &[])], "cannot convert the stream: no x264"),
    ];
    fn long(head: &SampleHead, len: u32) -> Up {
        Up::Picture { capture: head.capture, pts: head.pts, random_access: true, len }
    }
    for (said, says) in cases {
        let error = run(&worker(said), vec![sample(0, 0)], usize::MAX).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}, not {says}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_complains_for_ever_is_ended() {
    let launcher = worker(|_| (0..200).map(|_| (Up::Undecodable("noise".into()), &[][..])).collect());
    let error = run(&launcher, vec![sample(0, 0)], 1).await.unwrap_err().to_string();
    assert!(error.contains("complains more often"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn only_a_worker_that_has_something_to_do_can_hang() {
    let under_way = UnderWay::default();
    let wait = || tokio::time::advance(STALLED + LOOK);
    wait().await;
    assert!(!under_way.stalled(), "the camera sends nothing");
    under_way.sent(true, 0, WallTime(0));
    under_way.sent(false, 3600, WallTime(1));
    wait().await;
    assert!(under_way.stalled());
    assert_eq!(under_way.came(0, WallTime(0)), Some(true));
    wait().await;
    assert!(!under_way.stalled(), "what it holds back it may hold back");
    under_way.sent(false, 7200, WallTime(2));
    wait().await;
    assert!(under_way.stalled());
    under_way.answered();
    assert!(!under_way.stalled(), "a decoder that says no is alive");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_publishes_what_is_converted_is_told_to_hurry_while_it_is() {
    let haste = hub::Haste::default();
    let rendition = Rendition { source: Fanout::hastened("cong/sub", haste.clone()), ..rendition() };
    assert!(!haste.any(), "nobody waits for a picture that is not made");
    let launcher = worker(shown);
    tokio::select! {
        error = rendition.convert(launcher.clone()) => panic!("{error}"),
        () = async {
            while !haste.any() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        } => {}
    }
    assert!(!haste.any());
}
