//! The pool's promises, with detectors that do what a test says.

#![allow(clippy::unwrap_used, reason = "tests: what fails is a failure")]

use domain::{BBox, Class, Detection};
use matthon_detect::{DetectError, Done, Hooks, Look, Picture, Pool, Stats};
use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

const LONG: Duration = Duration::from_secs(20);

/// Says on `begun` that it begins and waits for leave. Answers with the picture's width as the score; width 13 is bad luck.
struct Slow {
    begun: Sender<u32>,
    leave: Arc<Mutex<Receiver<()>>>,
}

impl Look for Slow {
    fn look(&mut self, picture: &Picture) -> Result<Vec<Detection>, DetectError> {
        self.begun.send(picture.width).unwrap();
        self.leave.lock().unwrap().recv_timeout(LONG).unwrap();
        assert_ne!(picture.width, 13, "a detector that panics");
        let bbox = BBox { x1: 0.0, y1: 0.0, x2: 1.0, y2: 1.0 };
        Ok(vec![Detection { class: Class::from("car"), score: f64::from(picture.width), bbox, colour: None }])
    }
}

#[derive(Debug, PartialEq)]
enum Told {
    Before(usize, u32, String),
    After(usize, u32),
    Done(u32, &'static str, Result<f64, String>),
}

struct Teller(Mutex<Sender<Told>>);

impl Teller {
    fn tell(&self, told: Told) {
        // Nobody listens any more while a test ends.
        let _ = self.0.lock().unwrap().send(told);
    }
}

impl Hooks<&'static str> for Teller {
    fn before(&self, detector: usize, stream: u32) {
        self.tell(Told::Before(detector, stream, thread::current().name().unwrap_or_default().to_owned()));
    }
    fn after(&self, detector: usize, stream: u32) {
        self.tell(Told::After(detector, stream));
    }
    fn done(&self, done: Done<&'static str>) {
        let result = done.result.map(|d| d[0].score).map_err(|e| e.to_string());
        self.tell(Told::Done(done.stream, done.tag, result));
    }
}

struct Bench {
    pool: Pool<&'static str>,
    begun: Receiver<u32>,
    leave: Sender<()>,
    told: Receiver<Told>,
}

impl Bench {
    fn new(threads: usize) -> Self {
        let (begun_to, begun) = channel();
        let (leave, leave_from) = channel();
        let (told_to, told) = channel();
        let leave_from = Arc::new(Mutex::new(leave_from));
        let slow = (0..threads).map(|_| Slow { begun: begun_to.clone(), leave: Arc::clone(&leave_from) }).collect();
        let hooks: Arc<dyn Hooks<_>> = Arc::new(Teller(Mutex::new(told_to)));
        Self { pool: Pool::start(slow, &hooks).unwrap(), begun, leave, told }
    }

    fn submit(&self, stream: u32, width: u32, tag: &'static str) -> bool {
        self.pool.submit(stream, false, Arc::new(Picture { width, height: 1, data: vec![] }), tag)
    }

    fn begun(&self) -> u32 {
        self.begun.recv_timeout(LONG).unwrap()
    }

    fn told(&self) -> Told {
        self.told.recv_timeout(LONG).unwrap()
    }

    fn done(&self) -> Told {
        loop {
            let told = self.told();
            if matches!(told, Told::Done(..)) {
                return told;
            }
        }
    }
}

#[test]
fn hooks_are_told_in_order_on_the_detectors_thread() {
    let b = Bench::new(1);
    b.submit(7, 1, "a");
    b.leave.send(()).unwrap();
    assert_eq!(b.told(), Told::Before(0, 7, "detect-0".to_owned()));
    assert_eq!(b.told(), Told::After(0, 7));
    assert_eq!(b.told(), Told::Done(7, "a", Ok(1.0)));
}

#[test]
fn a_busy_detector_holds_nobody_up_and_the_newest_picture_wins() {
    let b = Bench::new(1);
    assert!(!b.submit(1, 10, "first"));
    assert_eq!(b.begun(), 10);
    assert!(!b.submit(1, 11, "second"));
    assert!(b.submit(1, 12, "third"), "the second was never looked at");
    b.leave.send(()).unwrap();
    assert_eq!(b.done(), Told::Done(1, "first", Ok(10.0)));
    assert_eq!(b.begun(), 12);
    b.leave.send(()).unwrap();
    assert_eq!(b.done(), Told::Done(1, "third", Ok(12.0)));
    let Stats { inferred, superseded, failed, .. } = b.pool.stats();
    assert_eq!((inferred, superseded, failed), (2, 1, 0));
}

#[test]
fn a_stream_is_looked_at_by_one_detector_at_a_time() {
    let b = Bench::new(2);
    b.submit(1, 10, "a");
    assert_eq!(b.begun(), 10);
    b.submit(1, 11, "b");
    b.submit(2, 20, "other");
    // the second detector is free, but stream 1's next picture has to wait for its last one
    assert_eq!(b.begun(), 20);
    assert!(b.begun.try_recv().is_err());
    for _ in 0..3 {
        b.leave.send(()).unwrap();
    }
    let order: Vec<_> = (0..3).map(|_| b.done()).filter(|d| matches!(d, Told::Done(1, ..))).collect();
    assert_eq!(order, [Told::Done(1, "a", Ok(10.0)), Told::Done(1, "b", Ok(11.0))]);
}

#[test]
fn a_removed_streams_result_is_not_told_even_when_its_number_is_used_again() {
    let b = Bench::new(1);
    b.submit(1, 10, "old stream");
    assert_eq!(b.begun(), 10);
    b.submit(1, 11, "old stream");
    b.pool.remove(1);
    b.submit(1, 12, "new stream");
    b.leave.send(()).unwrap();
    assert_eq!(b.begun(), 12);
    b.leave.send(()).unwrap();
    assert_eq!(b.done(), Told::Done(1, "new stream", Ok(12.0)));
}

#[test]
fn a_detector_that_panics_fails_one_picture() {
    let b = Bench::new(1);
    b.submit(1, 13, "bad");
    b.leave.send(()).unwrap();
    assert!(matches!(b.done(), Told::Done(1, "bad", Err(e)) if e.contains("panicked")));
    b.submit(1, 14, "good");
    b.leave.send(()).unwrap();
    assert_eq!(b.done(), Told::Done(1, "good", Ok(14.0)));
    assert_eq!((b.pool.stats().inferred, b.pool.stats().failed), (1, 1));
}

#[test]
fn stop_waits_for_the_picture_in_hand_and_drops_the_rest() {
    let b = Bench::new(1);
    b.submit(1, 10, "in hand");
    assert_eq!(b.begun(), 10);
    b.submit(2, 20, "waits");
    b.leave.send(()).unwrap();
    b.leave.send(()).unwrap();
    let Bench { pool, told, begun, .. } = b;
    pool.stop();
    // The thread is gone and with it every sender, so that both end; whether the second was begun is the scheduler's luck.
    let told: Vec<_> = told.iter().collect();
    assert!(told.contains(&Told::Done(1, "in hand", Ok(10.0))), "{told:?}");
    assert!(begun.iter().count() <= 1);
}

#[test]
fn a_pool_nobody_gives_anything_stops_at_once() {
    Bench::new(4).pool.stop();
}
