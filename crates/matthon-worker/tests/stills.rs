//! Stills from samples, with the real program.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use support::{
    Worker,
    clip::{Clip, Wanted, samples, step},
};
use vision::protocol::{StillError, StillSource};

/// Mean luma of a JPEG (0–255), by another decoder than ours.
fn luma(jpeg: &[u8]) -> f64 {
    gst::init().unwrap();
    let launch = "appsrc name=in ! jpegdec ! appsink name=out sync=false";
    let pipeline = gst::parse::launch(launch).unwrap().downcast::<gst::Pipeline>().unwrap();
    let source = pipeline.by_name("in").unwrap().downcast::<gst_app::AppSrc>().unwrap();
    let sink = pipeline.by_name("out").unwrap().downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    source.push_buffer(gst::Buffer::from_slice(jpeg.to_vec())).unwrap();
    source.end_of_stream().unwrap();
    let sample = sink.pull_sample().unwrap();
    let map = sample.buffer().unwrap().map_readable().unwrap();
    let pixels = &map[..64 * 64];
    let mean = pixels.iter().map(|v| f64::from(*v)).sum::<f64>() / pixels.len() as f64;
    pipeline.set_state(gst::State::Null).unwrap();
    mean
}

/// What a limited-range luma becomes in a JPEG.
fn stretched(luma: u8) -> f64 {
    (f64::from(luma) - 16.0) * 255.0 / 219.0
}

fn exact(clip: &Clip, worker: &mut Worker) {
    for n in [0, 1, 2, 7, 29, 30, 44, 59] {
        let pts = i64::from(n) * 6000;
        let (done, jpeg) = worker.still(StillSource::Samples { pts: pts + 10 }, 0, 20_000, Some(&clip.memfd())).unwrap();
        assert_eq!((done.width, done.height), (clip.codec.width, clip.codec.height));
        let (seen, expected) = (luma(&jpeg), stretched(step(n)));
        assert!((seen - expected).abs() < 1.7, "picture {n}: {seen} instead of {expected}");
    }
}

#[test]
fn the_picture_shown_at_a_time_is_found_among_reordered_ones() {
    let mut worker = Worker::start(None);
    for (h265, b_frames) in [(false, 0), (false, 3), (true, 0), (true, 3)] {
        let clip = samples(&Wanted { width: 320, height: 180, h265, b_frames, pattern: "steps", ..Wanted::default() });
        let reordered = clip.samples.windows(2).any(|w| w[1].0.pts < w[0].0.pts);
        assert_eq!(reordered, b_frames > 0);
        exact(&clip, &mut worker);
    }
    worker.end();
}

#[test]
fn what_cannot_be_is_answered() {
    let mut worker = Worker::start(None);
    let clip = samples(&Wanted { pictures: 30, pattern: "ball", ..Wanted::default() });
    let (done, jpeg) = worker.still(StillSource::Samples { pts: 60_000 }, 200, 20_000, Some(&clip.memfd())).unwrap();
    assert_eq!((done.width, done.height, &jpeg[..2]), (200, 112, &[0xff, 0xd8][..]));
    let mut ask = |source, deadline, samples: Option<&std::fs::File>| worker.still(source, 0, deadline, samples).map(|(done, _)| done);
    assert_eq!(ask(StillSource::Samples { pts: -90_000 }, 20_000, Some(&clip.memfd())), Err(StillError::Gone));
    assert_eq!(ask(StillSource::Samples { pts: 0 }, 0, Some(&clip.memfd())), Err(StillError::Busy));
    assert_eq!(ask(StillSource::Samples { pts: 0 }, 20_000, Some(&support::memfd(0))), Err(StillError::Undecodable));
    assert_eq!(ask(StillSource::Samples { pts: 0 }, 20_000, Some(&support::memfd(5000))), Err(StillError::Undecodable));
    let mut garbage = clip;
    garbage.samples.iter_mut().for_each(|(_, data)| data.iter_mut().skip(5).for_each(|b| *b = b.wrapping_mul(31).wrapping_add(7)));
    assert_eq!(ask(StillSource::Samples { pts: 60_000 }, 20_000, Some(&garbage.memfd())), Err(StillError::Undecodable));
    let recent = StillSource::Recent { stream: 3, capture: support::capture(0) };
    assert_eq!(ask(recent, 20_000, None), Err(StillError::Gone));
    worker.end();
}

#[test]
fn more_than_the_queue_holds_are_turned_away_and_the_rest_are_answered() {
    let mut worker = Worker::start(None);
    let clip = samples(&Wanted { width: 1920, height: 1080, pictures: 30, pattern: "snow", ..Wanted::default() });
    let memfd = clip.memfd();
    let asked: Vec<_> = (0..16).map(|_| worker.ask(StillSource::Samples { pts: 170_000 }, 640, 60_000, Some(&memfd))).collect();
    let mut outcomes = Vec::new();
    worker.hear(|m| {
        if let vision::protocol::FromWorker::Still { outcome, .. } = m {
            outcomes.push(outcome);
        }
        (outcomes.len() == asked.len()).then_some(())
    });
    assert!(outcomes.iter().filter(|o| o.is_ok()).count() >= 8, "{outcomes:?}");
    assert!(outcomes.iter().all(|o| o.is_ok() || *o == Err(StillError::Busy)) && outcomes.contains(&Err(StillError::Busy)), "{outcomes:?}");
    worker.end();
}
