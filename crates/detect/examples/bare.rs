//! What looking at a picture costs: bare inference, and what this crate adds to it.
//!
//! `cargo run --release -p matthon-detect --example bare -- MODEL.onnx [SIDE [RUNS [CLASSES]]]`; the runtime is `MATTHON_ORT`, else
//! `third_party/onnxruntime/libonnxruntime.so`. Prints one JSON line, times in ms a picture:
//!
//! - `bare_wall`, `bare_cpu`: `Session::run` alone on a ready tensor, one thread, the same session options as the product's
//! - `detect_wall`, `detect_cpu`: [`matthon_detect::Detector::detect`] on I420 pictures: input, inference, output, suppression
//! - `prepare`, `read`: the parts of it before and after inference, wall time
//!
//! Bare and whole take turns in blocks of ten, so that a busy machine disturbs both alike. A benchmark, not a test: nothing is asserted.

#![allow(clippy::unwrap_used, reason = "a measuring tool: what fails ends it")]

use matthon_detect::{Detector, Picture, Runtime, fit};
use ort::{
    session::{Session, builder::GraphOptimizationLevel},
    value::TensorRef,
};
use rustix::time::{ClockId, clock_gettime};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use vision::protocol::{ChannelOrder, Layout, ModelSpec};

const BLOCK: u32 = 10;

#[derive(Default)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

impl Cost {
    fn of(&mut self, mut work: impl FnMut()) {
        let cpu = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
        let (wall_before, cpu_before) = (Instant::now(), cpu());
        for _ in 0..BLOCK {
            work();
        }
        self.wall += wall_before.elapsed();
        self.cpu += cpu() - cpu_before;
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let path = PathBuf::from(args.next().expect("usage: bare MODEL.onnx [SIDE [RUNS [CLASSES]]]"));
    let mut number = |otherwise: u32| args.next().map_or(otherwise, |a| a.parse().unwrap());
    let (side, runs, classes) = (number(416), number(200), number(80));
    let library = std::env::var_os("MATTHON_ORT")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../third_party/onnxruntime/libonnxruntime.so"), PathBuf::from);
    let model = std::fs::read(&path).unwrap();
    let spec = ModelSpec {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        layout: Layout::Yolox,
        input: (side, side),
        channels: ChannelOrder::Bgr,
        mean: [0.0; 3],
        scale: [1.0; 3],
        pad: 114,
        labels: (0..classes).map(|c| Some(format!("class {c}"))).collect(),
        threshold: 0.1,
        nms: 0.45,
    };

    let runtime = Runtime::load(Some(&library)).unwrap();
    let mut bare = bare(&runtime, &model);
    let mut whole = Detector::new(&runtime, &spec, &model).unwrap();
    let (width, height) = fit(spec.input, (640, 360));
    // Anything but one colour: no two pixels alike, the model finds little in it.
    let data = (0..Picture::bytes(width, height).unwrap()).map(|i| u8::try_from(i * 7919 % 220 + 16).unwrap()).collect();
    let picture = Picture { width, height, data };
    let tensor = vec![114f32; 3 * (side * side) as usize];

    let mut run = || {
        let input = TensorRef::from_array_view(([1usize, 3, side as usize, side as usize], &tensor[..])).unwrap();
        bare.run(ort::inputs![input]).unwrap();
    };
    for _ in 0..BLOCK {
        run();
        whole.detect(&picture).unwrap();
    }
    let (mut bare_cost, mut whole_cost) = (Cost::default(), Cost::default());
    let (mut prepare, mut read) = (Duration::ZERO, Duration::ZERO);
    let blocks = runs.div_ceil(BLOCK);
    for _ in 0..blocks {
        bare_cost.of(&mut run);
        whole_cost.of(|| {
            whole.detect(&picture).unwrap();
            prepare += whole.spent().prepare;
            read += whole.spent().read;
        });
    }
    let ms = |d: Duration| (d.as_secs_f64() * 1e6 / f64::from(blocks * BLOCK)).round() / 1e3;
    let line = serde_json::json!({
        "model": spec.name, "input": side, "runtime": runtime.version(), "runs": blocks * BLOCK,
        "bare_wall": ms(bare_cost.wall), "bare_cpu": ms(bare_cost.cpu),
        "detect_wall": ms(whole_cost.wall), "detect_cpu": ms(whole_cost.cpu),
        "prepare": ms(prepare), "read": ms(read),
    });
    println!("{line}");
}

fn bare(runtime: &Runtime, model: &[u8]) -> Session {
    let session = Session::builder(runtime.environment())
        .and_then(|b| Ok(b.with_intra_threads(1)?.with_inter_threads(1)?))
        .and_then(|b| Ok(b.with_intra_op_spinning(false)?.with_inter_op_spinning(false)?))
        .and_then(|b| Ok(b.with_optimization_level(GraphOptimizationLevel::Level3)?))
        .and_then(|mut b| b.commit_from_memory(model));
    session.unwrap()
}
