//! The detector on a real street: `ahmet-vehicle.mp4`, where a pickup, an SUV and two sedans come by one after another
//! (`truth.json`), at 5 pictures a second as the product looks at it.

#![allow(clippy::unwrap_used, reason = "tests: what fails is a failure")]

mod support;

use domain::Detection;
use matthon_detect::{Detector, Done, Hooks, Pool, Stats};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use vision::protocol::ModelSpec;

const FPS: u32 = 5;

fn is_vehicle(d: &Detection) -> bool {
    matches!(d.class.as_str(), "car" | "truck" | "bus")
}

#[test]
fn every_vehicle_that_comes_is_found_near_the_line() {
    const NAME: &str = "every_vehicle_that_comes_is_found_near_the_line";
    let Some(video) = support::shared(NAME, "data/video/ahmet-vehicle.mp4") else { return };
    let Some(labels) = support::shared(NAME, "data/images/coco80.txt") else { return };
    let Some(model) = support::shared(NAME, "data/models/yolox_nano.onnx") else { return };
    let Some(runtime) = support::runtime(NAME) else { return };
    let spec: ModelSpec = support::nano(&labels);
    let mut detector = Detector::new(runtime, &spec, &std::fs::read(model).unwrap()).unwrap();
    let pictures = support::pictures(&video, (640, 352), spec.input, Some(FPS), 1000);
    assert!((53..=57).contains(&pictures.len()), "{} pictures of 11 s", pictures.len());
    let seen: Vec<Vec<Detection>> = pictures.iter().map(|p| detector.detect(p).unwrap()).collect();

    // frames (24 a second) around the moment each crosses the middle; the car in the drive, at the right edge, is none of them
    for (what, from, to) in [("red sedan", 15, 45), ("grey sedan", 70, 100), ("white pickup", 125, 160), ("white SUV", 178, 212)] {
        let (from, to) = (from * FPS / 24, to * FPS / 24);
        let comes = |d: &&Detection| {
            let ground = d.bbox.ground();
            is_vehicle(d) && d.score >= 0.4 && (0.15..0.92).contains(&ground.x) && ground.y > 0.5
        };
        let found = (from..=to).filter(|i| seen[*i as usize].iter().any(|d| comes(&d))).count();
        assert!(found as u32 >= to - from, "{what}: found in {found} of the pictures {from} to {to}");
    }
    // what stands all the time: the last car of the queue, partly hidden, and the one in the drive
    for (what, x, y, most_missed) in [("queue", 386.0, 162.0, 5), ("drive", 614.0, 187.0, 3)] {
        let stands = |d: &&Detection| {
            let ground = d.bbox.ground();
            is_vehicle(d) && (ground.x - x / 640.0).abs() < 0.05 && (ground.y - y / 352.0).abs() < 0.05
        };
        let found = seen.iter().filter(|s| s.iter().any(|d| stands(&d))).count();
        println!("the car in the {what} is found in {found} of {} pictures", seen.len());
        assert!(found + most_missed >= seen.len(), "the car in the {what} is found in {found} of {} pictures", seen.len());
    }
    assert!(seen.iter().flatten().all(|d| d.bbox.is_sound() && d.bbox.x2 <= 1.0 && d.bbox.y2 <= 1.0 && d.score >= 0.1));
}

struct Collect(Mutex<mpsc::Sender<Done<usize>>>);

impl Hooks<usize> for Collect {
    fn before(&self, _: usize, _: u32) {}
    fn after(&self, _: usize, _: u32) {}
    fn done(&self, done: Done<usize>) {
        let _ = self.0.lock().unwrap().send(done);
    }
}

#[test]
fn two_detectors_of_a_pool_say_what_one_alone_says() {
    const NAME: &str = "two_detectors_of_a_pool_say_what_one_alone_says";
    let Some(video) = support::shared(NAME, "data/video/ahmet-vehicle.mp4") else { return };
    let Some(labels) = support::shared(NAME, "data/images/coco80.txt") else { return };
    let Some(model) = support::shared(NAME, "data/models/yolox_nano.onnx") else { return };
    let Some(runtime) = support::runtime(NAME) else { return };
    let (spec, model) = (support::nano(&labels), std::fs::read(model).unwrap());
    let detector = || Detector::new(runtime, &spec, &model).unwrap();
    let pictures: Vec<_> = support::pictures(&video, (640, 352), spec.input, Some(1), 8).into_iter().map(Arc::new).collect();
    let mut alone = detector();

    let (to, from) = mpsc::channel();
    let hooks: Arc<dyn Hooks<_>> = Arc::new(Collect(Mutex::new(to)));
    let pool = Pool::start(vec![detector(), detector()], &hooks).unwrap();
    // each picture is its own stream: none replaces another, and both detectors have work
    for (i, picture) in pictures.iter().enumerate() {
        pool.submit(u32::try_from(i).unwrap(), i % 2 == 0, Arc::clone(picture), i);
    }
    for _ in &pictures {
        let done = from.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(done.result.unwrap(), alone.detect(&pictures[done.tag]).unwrap());
    }
    let Stats { inferred, superseded, failed, busy_micros } = pool.stats();
    assert!(inferred == pictures.len() as u64 && superseded == 0 && failed == 0 && busy_micros > 0);
    pool.stop();
}
