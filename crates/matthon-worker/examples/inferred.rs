//! CPU of an inferred picture in the whole worker, against bare decoding plus bare inference:
//! `cargo run --release -p matthon-worker --example inferred -- MODEL.onnx VIDEO.mp4 [ROUNDS]`, the runtime is `MATTHON_ORT`, else
//! `third_party/onnxruntime/libonnxruntime.so`.
//!
//! Belongs here: the number of `benches/README.md` that design §10 bounds. Each round measures all one after another, on
//! the same H.264 video, so that a busy machine disturbs all alike:
//!
//! - *decode*: every sample of every camera through a decoder, pictures dropped
//! - *infer*: `Session::run` alone on a ready tensor, as often as the worker inferred
//! - *paced*: the same two at the pace of the cameras, for pictures that come one at a time find caches cold and threads asleep
//!   whoever decodes them
//! - *worker*: eight cameras' samples written to their sockets as they were filmed, read, decoded, chosen at 5 a second, scaled,
//!   judged for motion, inferred on one thread, sorted out and told: both ends of the sockets are in it

#![allow(clippy::unwrap_used, reason = "a measurement that fails has no result")]

#[path = "../tests/support/mod.rs"]
mod support;

use detect::{Detector, Done, Hooks, Pool, Runtime};
use matthon_worker::{
    counts::{Tally, cpu_micros},
    decode::{Decoder, Frame, Order, Tap, Unit, caps},
    live::Live,
    look::Tag,
    media,
    note::Notes,
    uplink::Uplink,
};
use ort::{
    session::{Session, builder::GraphOptimizationLevel},
    value::TensorRef,
};
use std::{
    io::Write,
    net::Shutdown,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use support::clip::{Clip, from_file};
use vision::protocol::{ChannelOrder, Down, Layout, ModelSpec, SampleHead, Up, notes, stream};

const SIDE: u32 = 416;
/// Cameras with the same film, one after another within a fifth of a second.
const CAMERAS: u32 = 8;

struct Nothing;
impl Tap for Nothing {
    fn picture(&mut self, _: Frame) {}
}

struct Telling;
impl Hooks<Tag> for Telling {
    fn before(&self, _: usize, _: u32) {}
    fn after(&self, _: usize, _: u32) {}
    fn done(&self, done: Done<Tag>) {
        let (width, height) = done.tag.size;
        let seen =
            domain::Observation { capture: done.tag.capture, width, height, motion: done.tag.motion, detections: done.result.unwrap() };
        done.tag.uplink.tell(&Up::Seen(seen));
    }
}

/// CPU time that some work took, ms.
fn cost(work: impl FnOnce()) -> f64 {
    let begin = cpu_micros();
    work();
    (cpu_micros() - begin) as f64 / 1000.0
}

fn decode(clip: &Clip, before: impl Fn(&SampleHead)) {
    let mut decoder = Decoder::new(&caps(&clip.codec), Order::Prompt, Nothing).unwrap();
    for (head, data) in &clip.samples {
        before(head);
        let unit = Unit { pts: head.pts, dts: head.dts, capture: head.capture, random_access: head.random_access, data: data.clone() };
        decoder.push(unit).unwrap();
    }
}

/// When a camera begins.
fn shift(number: u32) -> Duration {
    Duration::from_millis(200) * number / CAMERAS
}

/// Sleeps until a sample would come.
fn filmed(clip: &Clip, head: &SampleHead, begin: Instant) {
    let due = head.capture.micros_since(clip.samples[0].0.capture);
    thread::sleep((begin + Duration::from_micros(u64::try_from(due).unwrap())).saturating_duration_since(Instant::now()));
}

/// Bare work at the cameras' pace: a decoder a camera, and as many inferences as the worker made, evenly over the film.
fn paced(clip: &Clip, inferences: u64, mut infer: impl FnMut() + Send) {
    let begin = Instant::now();
    let length = clip.samples.last().unwrap().0.capture.micros_since(clip.samples[0].0.capture);
    let every = Duration::from_micros(u64::try_from(length).unwrap()) / u32::try_from(inferences).unwrap();
    thread::scope(|scope| {
        for number in 0..CAMERAS {
            scope.spawn(move || decode(clip, |head| filmed(clip, head, begin + shift(number))));
        }
        for n in 0..u32::try_from(inferences).unwrap() {
            thread::sleep((begin + every * n).saturating_duration_since(Instant::now()));
            infer();
        }
    });
}

/// The film of one camera as it would come, to a stream of its own.
fn camera(number: u32, clip: &Clip, pool: &Arc<Pool<Tag>>, begin: Instant) {
    let (mut core, ours) = UnixStream::pair().unwrap();
    let live = Live {
        stream: number,
        name: "inferred".into(),
        fps: 5.0,
        uplink: Arc::new(Uplink::prompt(ours.try_clone().unwrap()).unwrap()),
        socket: ours,
        pool: Some(pool.clone()),
        input: (SIDE, SIDE),
        notes: Notes::new(support::memfd(notes::LEN).into()).unwrap(),
        tally: Arc::new(Tally::default()),
    };
    let thread = thread::spawn(move || live.run().unwrap());
    let mut told = core.try_clone().unwrap();
    let reader = thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()).unwrap());
    let begin = begin + shift(number);
    core.write_all(&stream::encode(&Down::Format(clip.codec.clone())).unwrap()).unwrap();
    for (head, data) in &clip.samples {
        filmed(clip, head, begin);
        let mut message = stream::encode(&Down::Sample(*head)).unwrap();
        message.extend_from_slice(data);
        core.write_all(&message).unwrap();
    }
    core.shutdown(Shutdown::Write).unwrap();
    thread.join().unwrap();
    pool.remove(number);
    core.shutdown(Shutdown::Both).unwrap();
    reader.join().unwrap();
}

/// How many pictures were inferred, and how many were scaled but replaced by a newer one before.
fn watch(clip: &Clip, pool: &Arc<Pool<Tag>>) -> (u64, u64) {
    let before = pool.stats();
    let begin = Instant::now();
    thread::scope(|scope| {
        for number in 0..CAMERAS {
            scope.spawn(move || camera(number, clip, pool, begin));
        }
    });
    let after = pool.stats();
    (after.inferred - before.inferred, after.superseded - before.superseded)
}

fn main() {
    let mut args = std::env::args_os().skip(1);
    let (Some(model), Some(video)) = (args.next().map(PathBuf::from), args.next().map(PathBuf::from)) else {
        panic!("usage: inferred MODEL.onnx VIDEO.mp4 [ROUNDS]");
    };
    let rounds: u32 = args.next().map_or(5, |a| a.to_str().unwrap().parse().unwrap());
    media::load().unwrap();
    let library = std::env::var_os("MATTHON_ORT")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../third_party/onnxruntime/libonnxruntime.so"), PathBuf::from);
    let runtime = Runtime::load(Some(&library)).unwrap();
    let bytes = std::fs::read(&model).unwrap();
    let spec = ModelSpec {
        name: "inferred".into(),
        layout: Layout::Yolox,
        input: (SIDE, SIDE),
        channels: ChannelOrder::Bgr,
        mean: [0.0; 3],
        scale: [1.0; 3],
        pad: 114,
        labels: (0..80).map(|c| Some(format!("class {c}"))).collect(),
        threshold: 0.1,
        nms: 0.45,
    };
    let mut bare = bare(&runtime, &bytes);
    let tensor = vec![114f32; 3 * (SIDE * SIDE) as usize];
    let mut infer = || {
        let input = TensorRef::from_array_view(([1usize, 3, SIDE as usize, SIDE as usize], &tensor[..])).unwrap();
        bare.run(ort::inputs![input]).unwrap();
    };
    let hooks: Arc<dyn Hooks<Tag>> = Arc::new(Telling);
    let pool = Arc::new(Pool::start(vec![Detector::new(&runtime, &spec, &bytes).unwrap()], &hooks).unwrap());
    let clip = from_file(&video);

    // Nothing of the first round counts: caches, allocators and the clock of the processor settle.
    watch(&clip, &pool);
    infer();
    println!("{}: {} samples; CPU ms an inferred picture", video.display(), clip.samples.len());
    println!("round inferred replaced   decode    infer   at once    paced   worker  /at once   /paced");
    let mut sums = [0.0; 3];
    for round in 1..=rounds {
        let (mut n, mut replaced) = (0, 0);
        let worker = cost(|| (n, replaced) = watch(&clip, &pool));
        let paced = cost(|| paced(&clip, n, &mut infer));
        let decode = cost(|| (0..CAMERAS).for_each(|_| decode(&clip, |_| ())));
        let infer = cost(|| (0..n).for_each(|_| infer()));
        let at_once = decode + infer;
        let [d, i, a, p, w] = [decode, infer, at_once, paced, worker].map(|ms| ms / n as f64);
        println!("{round:>5} {n:>8} {replaced:>8} {d:>8.2} {i:>8.2} {a:>9.2} {p:>8.2} {w:>8.2} {:>9.3} {:>8.3}", w / a, w / p);
        for (sum, ms) in sums.iter_mut().zip([at_once, paced, worker]) {
            *sum += ms;
        }
    }
    println!("  all {:>71.3} {:>8.3}", sums[2] / sums[0], sums[2] / sums[1]);
}

/// The session options are the product's.
fn bare(runtime: &Runtime, model: &[u8]) -> Session {
    let session = Session::builder(runtime.environment())
        .and_then(|b| Ok(b.with_intra_threads(1)?.with_inter_threads(1)?))
        .and_then(|b| Ok(b.with_intra_op_spinning(false)?.with_inter_op_spinning(false)?))
        .and_then(|b| Ok(b.with_optimization_level(GraphOptimizationLevel::Level3)?))
        .and_then(|mut b| b.commit_from_memory(model));
    session.unwrap()
}
