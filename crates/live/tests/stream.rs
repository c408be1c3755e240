//! What viewers get from a stream: from which frame, in which order, on which timeline, and for how long the mux runs.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use hub::{Fanout, Haste};
use matthon_live::{LiveStream, Message, Viewer};
use media::fmp4::{Fragment, parse_fragment, parse_init};
use proptest::prelude::*;
use support::{format, number, sample, smaller};

const STEP: i64 = 3600;

fn fresh() -> (Fanout<domain::Sample>, LiveStream) {
    let source = Fanout::new("cong-lang/main/video");
    (source.clone(), LiveStream::new(source, "cong-lang/main"))
}

/// Publishes and lets every task that is awake run: the tests' runtime has one thread.
async fn publish(source: &Fanout<domain::Sample>, sample: domain::Sample) {
    source.publish(sample);
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

async fn fragment(viewer: &mut Viewer) -> (u64, bool, Fragment) {
    match viewer.next().await {
        Some(Message::Fragment { bytes, random_access, .. }) => (number(&bytes), random_access, parse_fragment(&bytes).unwrap()),
        other => panic!("a fragment was due, not {other:?}"),
    }
}

async fn head(viewer: &mut Viewer) -> u32 {
    let Some(Message::Format(info)) = viewer.next().await else { panic!("the format comes first") };
    assert_eq!(info.mime, format!("video/mp4; codecs=\"{}\"", info.codecs));
    let Some(Message::Init(init)) = viewer.next().await else { panic!("then the init segment") };
    let tracks = parse_init(&init).unwrap();
    assert_eq!((tracks.len(), tracks[0].timescale, tracks[0].format.codecs()), (1, 90_000, &info.codecs[..]));
    info.width
}

#[tokio::test]
async fn a_joiner_gets_the_current_gop_then_each_frame() {
    let (source, live) = fresh();
    let format = format();
    for n in 0..8 {
        publish(&source, sample(&format, n, n as i64 * STEP, n as i64 * STEP, n % 5 == 0)).await;
    }
    let mut viewer = live.watch();
    assert_eq!(head(&mut viewer).await, 320);
    for n in 5..8 {
        let (number, random_access, fragment) = fragment(&mut viewer).await;
        assert_eq!((number, random_access, fragment.base_dts), (n, n == 5, n * 3600));
    }
    publish(&source, sample(&format, 8, 8 * STEP, 8 * STEP, false)).await;
    assert_eq!(fragment(&mut viewer).await.0, 8);
}

#[tokio::test]
async fn who_publishes_knows_whether_somebody_watches() {
    let haste = Haste::default();
    let live = LiveStream::new(Fanout::hastened("cong-lang/main/video", haste.clone()), "cong-lang/main");
    assert!(!haste.any());
    let (first, second) = (live.watch(), live.watch());
    drop(first);
    assert!(haste.any());
    drop(second);
    while haste.any() {
        // The mux ends in a task of its own.
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_mux_runs_exactly_while_somebody_watches() {
    let (source, live) = fresh();
    assert!(!live.running() && source.subscribers() == 0);
    let first = live.watch();
    let second = live.watch();
    assert!(live.running() && live.viewers() == 2 && source.subscribers() == 1);
    drop(first);
    assert!(live.running());
    drop(second);
    assert!(!live.running());
    tokio::task::yield_now().await;
    assert_eq!(source.subscribers(), 0, "the task has ended");
    let _third = live.watch();
    assert!(live.running() && source.subscribers() == 1);
}

#[tokio::test]
async fn changed_parameters_are_told_before_their_first_frame() {
    let (source, live) = fresh();
    let mut viewer = live.watch();
    let (big, small) = (format(), smaller());
    publish(&source, sample(&big, 0, 0, 0, true)).await;
    // The same parameters in another allocation are no change.
    publish(&source, sample(&format(), 1, STEP, STEP, false)).await;
    publish(&source, sample(&small, 2, 2 * STEP, 2 * STEP, true)).await;
    assert_eq!(head(&mut viewer).await, 320);
    assert_eq!(fragment(&mut viewer).await.0, 0);
    assert_eq!(fragment(&mut viewer).await.0, 1);
    assert_eq!(head(&mut viewer).await, small.video().unwrap().width);
    assert_eq!(fragment(&mut viewer).await.0, 2);
}

#[tokio::test]
async fn only_who_joins_at_an_open_gop_loses_its_leading_pictures() {
    let (source, live) = fresh();
    let format = format();
    let mut early = live.watch();
    // I0 P1 | I2 b3 b4 P5: b3 and b4 are shown before I2.
    let frames = [(0, 0, true), (1, 1, false), (2, 5, true), (3, 3, false), (4, 4, false), (5, 6, false)];
    for (n, pts, key) in frames {
        publish(&source, sample(&format, n, n as i64 * STEP, pts * STEP, key)).await;
    }
    let mut late = live.watch();
    head(&mut early).await;
    for n in 0..6 {
        assert_eq!(fragment(&mut early).await.0, n);
    }
    head(&mut late).await;
    let (number, _, first) = fragment(&mut late).await;
    assert_eq!(number, 2);
    let (number, _, second) = fragment(&mut late).await;
    assert_eq!(number, 5);
    // Or the browser would wait for the next key frame (see `timeline`).
    assert!(second.base_dts - first.base_dts <= 2 * u64::from(first.pieces[0].duration));
}

#[tokio::test]
async fn a_slow_viewer_is_told_and_goes_on_at_a_random_access_point() {
    let (source, live) = fresh();
    let format = format();
    let mut slow = live.watch();
    let mut quick = live.watch();
    for n in 0..2000_u64 {
        publish(&source, sample(&format, n, n as i64 * STEP, n as i64 * STEP, n % 50 == 0)).await;
        if n == 0 {
            head(&mut quick).await;
        }
        assert_eq!(fragment(&mut quick).await.0, n);
    }
    let mut last = None;
    let mut told = 0;
    while last != Some(1999) {
        match slow.next().await {
            Some(Message::Skipped { gops }) => {
                told += gops;
                last = None;
            }
            Some(Message::Fragment { bytes, random_access, .. }) => {
                let number = number(&bytes);
                assert!(last.map_or(random_access, |last| number == last + 1), "{number} after {last:?}");
                last = Some(number);
            }
            Some(Message::Format(_) | Message::Init(_)) => assert!(last.is_none()),
            None => panic!("the stream goes on"),
        }
    }
    assert!(told >= 30, "{told}");
}

#[tokio::test]
async fn after_a_loss_the_picture_starts_clean_and_time_goes_on() {
    let (source, live) = fresh();
    let format = format();
    let mut viewer = live.watch();
    publish(&source, sample(&format, 0, 90_000, 90_000, true)).await;
    let lost = domain::Sample { loss_before: true, ..sample(&format, 2, 97_200, 97_200, false) };
    publish(&source, lost).await;
    publish(&source, sample(&format, 3, 100_800, 100_800, false)).await;
    let again = domain::Sample { loss_before: true, ..sample(&format, 4, 0, 0, true) };
    publish(&source, again).await;
    head(&mut viewer).await;
    assert_eq!(fragment(&mut viewer).await.2.base_dts, 90_000);
    let (number, random_access, fragment) = fragment(&mut viewer).await;
    assert_eq!((number, random_access, fragment.base_dts), (4, true, 93_600));
}

/// A camera's frames: sessions with loss, key frames wherever, times that jump between sessions.
fn frames() -> impl Strategy<Value = Vec<(i64, i64, bool, bool)>> {
    let frame = (1..9000_i64, 0..4_i64, prop::bool::weighted(0.2), prop::bool::weighted(0.05));
    let session = (0..1_i64 << 40, proptest::collection::vec(frame, 1..60));
    proptest::collection::vec(session, 1..4).prop_map(|sessions| {
        let mut all = Vec::new();
        for (start, frames) in sessions {
            let mut dts = start;
            for (n, (step, delay, key, loss)) in frames.into_iter().enumerate() {
                dts += step;
                all.push((dts, dts + delay * STEP, key || n == 0, loss || n == 0));
            }
        }
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_viewer_sees_whole_frames_on_a_rising_line(frames in frames(), join in 0..100_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (source, live) = fresh();
            let format = format();
            let _first = live.watch();
            let mut viewer = None;
            for (n, (dts, pts, key, loss)) in frames.iter().enumerate() {
                if n == join.min(frames.len() - 1) {
                    viewer = Some(live.watch());
                }
                publish(&source, domain::Sample { loss_before: *loss, ..sample(&format, n as u64, *dts, *pts, *key) }).await;
            }
            let mut viewer = viewer.unwrap();
            let mut before: Option<(u64, Fragment)> = None;
            // What is there is there; nothing more will come.
            while let Ok(Some(message)) = tokio::time::timeout(std::time::Duration::ZERO, viewer.next()).await {
                let Message::Fragment { bytes, random_access, .. } = message else { continue };
                let fragment = parse_fragment(&bytes).unwrap();
                let number = number(&bytes);
                let (dts, pts, key, _) = frames[number as usize];
                assert_eq!((fragment.pieces.len(), fragment.pieces[0].random_access, key), (1, random_access, random_access));
                assert_eq!(i64::from(fragment.pieces[0].cts_offset), pts - dts);
                assert_eq!(&bytes[fragment.data.clone()], &sample(&format, number, dts, pts, key).data[..]);
                if let Some((last, earlier)) = before {
                    let step = fragment.base_dts - earlier.base_dts;
                    assert!(number > last && step > 0 && fragment.sequence > earlier.sequence);
                    // Exact within what a browser takes; contiguous for it otherwise. Frames this viewer may not decode lie between.
                    if number == last + 1 {
                        assert!(step <= 2 * u64::from(earlier.pieces[0].duration));
                    } else {
                        assert!(random_access || earlier.pieces[0].random_access || step > 0);
                    }
                } else {
                    assert!(random_access);
                }
                before = Some((number, fragment));
            }
        });
    }
}
