//! Streams watched by the real program.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

use domain::{Observation, WallTime};
use std::os::unix::fs::FileExt;
use support::{
    Worker,
    clip::{Clip, Wanted, samples},
    model,
};
use vision::protocol::{Codec, Down, SampleHead, StillError, StillSource, Up, notes};

/// Sends a clip; every `every`th picture is analysed, and read `lag` samples later, when reordering has let it out. One
/// detector, one waiting place: no picture is sent before the one before it was told, so that none is replaced.
fn watch(worker: &Worker, number: u32, (fps, every, lag): (f32, usize, usize), clip: &Clip) -> Vec<Observation> {
    let mut stream = worker.open(number, fps);
    stream.say(&Down::Interest(true));
    stream.format(&clip.codec);
    let mut seen = Vec::new();
    for (n, (head, data)) in clip.samples.iter().enumerate() {
        stream.sample(*head, data);
        if n == seen.len() * every + lag {
            seen.extend(stream.seen(1));
        }
    }
    worker.tell(&vision::protocol::ToWorker::Close { stream: number }, &[]);
    seen
}

#[test]
fn without_a_model_streams_are_decoded_and_counted() {
    for (h265, b_frames) in [(false, 0), (false, 2), (true, 0), (true, 3)] {
        let worker = Worker::start(None);
        assert!(worker.ready.sandbox.files && worker.ready.sandbox.calls, "{:?}", worker.ready);
        assert_eq!((worker.ready.runtime.as_ref(), worker.ready.trouble.as_ref()), (None, None));
        let clip = samples(&Wanted { h265, b_frames, ..Wanted::default() });
        let mut stream = worker.open(7, 5.0);
        stream.format(&clip.codec);
        for (head, data) in &clip.samples {
            stream.sample(*head, data);
        }
        // What is held back for reordering never comes out of a stream that stops.
        let counts = worker.counts(|c| c.decoded + 4 >= clip.samples.len() as u64);
        assert!(counts.decoded <= 60 && counts.inferred == 0 && counts.cpu_micros > 0, "{counts:?}");
        let mut cell = [0; 8];
        worker.counts(|_| {
            worker.notes.read_exact_at(&mut cell.clone(), 0).unwrap();
            true
        });
        worker.notes.read_exact_at(&mut cell, notes::decoding(7)).unwrap();
        assert_eq!(u64::from_ne_bytes(cell), 0, "an idle stream is noted as at work");
        drop(stream);
        worker.ping();
        worker.end();
    }
}

#[test]
fn pictures_come_with_their_own_capture_times_also_when_reordered() {
    let Some(_) = model("pictures_come_with_their_own_capture_times_also_when_reordered") else { return };
    for (h265, b_frames, width, height) in [(false, 0, 640, 360), (false, 3, 626, 360), (true, 3, 640, 352)] {
        let worker = Worker::start(model("…"));
        assert!(worker.ready.runtime.as_ref().is_some_and(|r| r.starts_with("ONNX Runtime")), "{:?}", worker.ready);
        let clip = samples(&Wanted { width, height, h265, b_frames, pictures: 75, ..Wanted::default() });
        let seen = watch(&worker, 3, (1.0, 15, 8), &clip);
        assert_eq!(seen.len(), 5);
        for (n, o) in seen.iter().enumerate() {
            assert_eq!((o.width, o.height), (width, height));
            assert_eq!(o.capture, support::capture(n as i64 * 90_000), "observation {n}");
        }
        worker.end();
    }
}

#[test]
fn what_stands_still_is_looked_at_every_ten_seconds_and_on_interest() {
    let Some(given) = model("what_stands_still_is_looked_at_every_ten_seconds_and_on_interest") else { return };
    let worker = Worker::start(Some(given));
    let still = samples(&Wanted { fps: 5, pictures: 130, gop: 25, pattern: "smpte75", ..Wanted::default() });
    let mut stream = worker.open(0, 5.0);
    stream.format(&still.codec);
    let mut times: Vec<WallTime> = Vec::new();
    for (n, (head, data)) in still.samples.iter().enumerate() {
        stream.sample(*head, data);
        // Each look is waited for: of pictures that wait for a detector only the newest is kept.
        if n.is_multiple_of(50) {
            times.extend(stream.seen(1).iter().map(|o| o.capture));
        }
    }
    assert_eq!(times, [0, 10, 20].map(|s| support::capture(s * 90_000)));
    let counts = worker.counts(|c| c.decoded == 130 && c.inferred == 3);
    assert_eq!(counts.quiet, 127);
    // The stream that stays open goes on, and is looked at whenever somebody is interested.
    stream.say(&Down::Interest(true));
    let later = still.later(130 * 18_000);
    for (head, data) in &later.samples[..2] {
        stream.sample(*head, data);
        stream.seen(1);
    }
    drop(stream);
    worker.end();
}

#[test]
fn another_format_another_size_and_a_loss_are_lived_through() {
    let Some(given) = model("another_format_another_size_and_a_loss_are_lived_through") else { return };
    let worker = Worker::start(Some(given));
    let first = samples(&Wanted { pictures: 10, fps: 5, ..Wanted::default() });
    let second = samples(&Wanted { pictures: 10, fps: 5, width: 352, height: 288, h265: true, ..Wanted::default() }).later(2 * 90_000);
    let mut third = samples(&Wanted { pictures: 10, fps: 5, gop: 5, ..Wanted::default() }).later(20 * 90_000);
    let mut stream = worker.open(9, 5.0);
    stream.say(&Down::Interest(true));
    let mut sizes = Vec::new();
    for clip in [&first, &second] {
        stream.format(&clip.codec);
        for (head, data) in &clip.samples {
            stream.sample(*head, data);
            sizes.extend(stream.seen(1).iter().map(|o| (o.width, o.height)));
        }
    }
    assert_eq!(sizes[..10], [(640, 360); 10]);
    assert_eq!(sizes[10..], [(352, 288); 10]);
    // Back to the first size without a word but the format; then a loss: from the random access point on.
    stream.format(&third.codec);
    third.samples.drain(..5);
    third.samples[0].0.loss_before = true;
    for (head, data) in &third.samples {
        stream.sample(*head, data);
        let seen = stream.seen(1);
        assert_eq!((seen[0].capture, seen[0].width), (head.capture, 640));
    }
    drop(stream);
    worker.end();
}

/// Bytes without a pattern, always the same ones.
fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }
}

#[test]
fn garbage_is_told_and_the_next_good_picture_is_seen() {
    let Some(given) = model("garbage_is_told_and_the_next_good_picture_is_seen") else { return };
    let worker = Worker::start(Some(given));
    for (number, h265) in [(1, false), (2, true)] {
        let good = samples(&Wanted { pictures: 10, fps: 5, h265, ..Wanted::default() });
        let mut stream = worker.open(number, 5.0);
        stream.format(&Codec { config: vec![1, 2, 3], ..good.codec.clone() });
        let mut byte = noise(u64::from(number));
        for n in 0..400i64 {
            let mut data = good.samples[(n % 10) as usize].1.clone();
            // Sometimes whole noise, sometimes a good unit with wounds.
            let wound = if n % 3 == 0 { 1 } else { 37 };
            data.iter_mut().skip(if n % 2 == 0 { 0 } else { 6 }).step_by(wound).for_each(|b| *b = byte());
            let pts = n * 6000;
            let head = SampleHead {
                capture: support::capture(pts),
                pts,
                dts: pts,
                random_access: n % 10 == 0,
                loss_before: false,
                len: u32::try_from(data.len()).unwrap(),
            };
            if n == 100 {
                stream.format(&good.codec);
            }
            stream.sample(head, &data);
        }
        let good = good.later(1_000 * 90_000);
        stream.format(&good.codec);
        let (head, data) = &good.samples[0];
        stream.sample(*head, data);
        let mut undecodable = 0;
        loop {
            match stream.up().expect("the stream ended") {
                Up::Undecodable { what } => {
                    assert!(what.len() < 400, "{what}");
                    undecodable += 1;
                }
                Up::Seen(o) if o.capture == head.capture => break,
                Up::Seen(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(undecodable > 0, "h265 {h265}: nothing was told");
        worker.ping();
    }
    worker.end();
}

#[test]
fn a_picture_that_was_just_observed_can_be_had() {
    let Some(given) = model("a_picture_that_was_just_observed_can_be_had") else { return };
    let mut worker = Worker::start(Some(given));
    let clip = samples(&Wanted { pictures: 4, fps: 5, ..Wanted::default() });
    let mut stream = worker.open(200, 5.0);
    stream.say(&Down::Interest(true));
    stream.format(&clip.codec);
    let mut last = WallTime(0);
    for (head, data) in &clip.samples {
        stream.sample(*head, data);
        last = stream.seen(1)[0].capture;
    }
    let source = StillSource::Recent { stream: 200, capture: last };
    let (done, jpeg) = worker.still(source, 0, 5000, None).unwrap();
    assert_eq!((done.width, done.height, &jpeg[..2]), (416, 234, &[0xff, 0xd8][..]));
    assert_eq!(worker.still(source, 208, 5000, None).unwrap().0.width, 208);
    let first = StillSource::Recent { stream: 200, capture: clip.samples[0].0.capture };
    assert_eq!(worker.still(first, 0, 5000, None).unwrap_err(), StillError::Gone);
    worker.tell(&vision::protocol::ToWorker::Close { stream: 200 }, &[]);
    assert_eq!(worker.still(source, 0, 5000, None).unwrap_err(), StillError::Gone);
    // Its number is free again.
    assert_eq!(watch(&worker, 200, (5.0, 1, 0), &clip).len(), 4);
    worker.end();
}

#[test]
fn a_model_that_is_none_is_trouble_not_an_end() {
    use std::io::Write;
    let Some((spec, _)) = model("a_model_that_is_none_is_trouble_not_an_end") else { return };
    let mut bytes = support::memfd(0);
    bytes.write_all(b"not a model").unwrap();
    let worker = Worker::start(Some((spec, bytes)));
    let trouble = worker.ready.trouble.clone().unwrap();
    assert!(trouble.contains("yolox-nano"), "{trouble}");
    worker.ping();
    worker.end();
}
