//! Workers that die, hang, lie or are not there.

use super::*;
use crate::{
    fake::{nothing, up},
    launcher::{Launched, Launcher},
    protocol::{FromWorker, Up, notes},
};
use std::io::Write;

#[test]
fn the_stream_at_work_when_the_worker_died_is_quarantined_and_paroled() {
    let heard: Arc<Log<Heard>> = Arc::default();
    let log = heard.clone();
    let village = Village::new(&["lanh", "doc"], move |w| {
        let first = w.number == 1;
        let mut opened = 0;
        w.serve(|w, m, d| {
            opened += u32::from(matches!(m, ToWorker::Open { .. }));
            ordinary(w, &m, d, &log);
            if first && opened == 2 {
                w.note(notes::decoding(1), 42);
            }
            !(first && opened == 2)
        });
    });
    let doc = village.cameras[1].id.clone();
    village.status("quarantined", |s| s.quarantined == [doc.clone()]);
    village.fed(0);
    village.fed(1);
    village.cameras.iter().for_each(|c| c.publish(11, 10));
    heard.wait("both go on", |h| (h.iter().any(|h| h.1 == 0) && h.iter().any(|h| h.1 == 1)).then_some(()));
    let by: Vec<u32> = heard.all().iter().filter(|h| h.1 == 1).map(|h| h.0).collect();
    let launched = village.launcher.launched.all();
    assert_eq!(launched[by[0] as usize - 1], Purpose::Quarantine("doc/sub".into()), "{launched:?}");
    village.status("paroled", |s| s.quarantined.is_empty() && s.restarts == 1);
    village.fed(1);
    village.cameras[1].publish(20, 10);
    heard.wait("back in the main worker", |h| {
        h.iter().any(|h| h.1 == 1 && h.0 != by[0] && launched[h.0 as usize - 1] == Purpose::Main).then_some(())
    });
    village.end();
}

#[test]
fn one_that_ends_its_quarantine_worker_does_not_touch_the_others() {
    let heard: Arc<Log<Heard>> = Arc::default();
    let log = heard.clone();
    let village = Village::new(&["lanh", "doc"], move |w| {
        let main = w.purpose == Purpose::Main;
        w.serve(|w, m, d| {
            let poison = matches!(m, ToWorker::Open { stream: 1, .. });
            if poison {
                w.note(notes::detecting(1), 1);
                return false;
            }
            assert!(main, "only the poison is alone");
            ordinary(w, &m, d, &log);
            true
        });
    });
    village.status("three ends alone", |s| s.restarts >= 4);
    village.fed(0);
    village.cameras[0].publish(11, 10);
    heard.wait("the other one goes on", |h| h.iter().any(|h| h.1 == 0).then_some(()));
    let mains = village.launcher.launched.all().iter().filter(|p| **p == Purpose::Main).count();
    assert_eq!(mains, 2);
    assert_eq!(village.vision.status().state, VisionState::Ok);
    village.end();
}

#[test]
fn whoever_does_not_keep_to_the_protocol_is_killed() {
    type Lie = fn(&FakeWorker, &mut std::os::unix::net::UnixStream);
    let lies: &[(&str, Lie)] = &[
        ("bytes that are no message", |_, s| s.write_all(&[5, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).unwrap()),
        ("a message without end", |_, s| s.write_all(&u32::MAX.to_le_bytes()).unwrap()),
        ("a replay's end on a stream", |_, s| up(s, &Up::End { decoded: 1, length_micros: 1 })),
        ("a picture that was never sent", |_, s| up(s, &Up::Seen(nothing(WallTime(0))))),
        ("a control packet that is no message", |w, _| w.babble(&[0xFF; 40])),
        ("ready twice", |w, _| w.ready(None)),
        ("a still nobody asked for", |w, _| {
            w.say(&FromWorker::Still { job: 7, outcome: Err(StillError::Busy) });
        }),
    ];
    for (name, lie) in lies {
        let village = Village::new(&["cho"], move |w| {
            let first = w.number == 1;
            w.serve(|w, m, mut d| {
                if let (true, ToWorker::Open { .. }) = (first, &m) {
                    let mut socket = w.stream(d.remove(0));
                    lie(w, &mut socket);
                    // It waits for its end with its socket open: that it is ended is the core's doing.
                    while w.hear().is_some() {}
                    return false;
                }
                true
            });
        });
        village.launcher.killed.wait(name, |k| k.contains(&1).then_some(()));
        village.status(name, |s| s.restarts >= 1);
        village.launcher.launched.wait(name, |l| (l.len() >= 2).then_some(()));
        village.end();
    }
}

#[test]
fn boxes_and_numbers_that_are_none_are_left_out_without_a_scene() {
    use domain::{BBox, Detection};
    #[derive(Default)]
    struct Keeps(Log<Observation>);
    impl Eyes for Keeps {
        fn seen(&self, _: &CameraId, observation: Observation) -> bool {
            self.0.push(observation);
            false
        }
    }
    let launcher = FakeLauncher::new(|w: FakeWorker| {
        w.serve(|w, m, mut d| {
            if let ToWorker::Open { .. } = m {
                follow(w.stream(d.remove(0)), |socket, message, _| {
                    if let Down::Sample(head) = message {
                        let good = BBox { x1: 0.1, y1: 0.1, x2: 0.2, y2: 0.2 };
                        let thing = |score, bbox| Detection { class: "car".into(), score, bbox, colour: None };
                        let detections = vec![thing(0.5, good), thing(f64::NAN, good), thing(0.5, BBox { x1: f64::INFINITY, ..good })];
                        up(socket, &Up::Seen(Observation { motion: f64::NAN, detections, ..nothing(head.capture) }));
                    }
                });
            }
            true
        });
    });
    let (camera, eyes, stop) = (Camera::new("cho"), Arc::new(Keeps::default()), CancellationToken::new());
    let watched = vec![Watched { camera: camera.id.clone(), name: "cho/sub".into(), source: camera.source.clone(), analyse: true }];
    let config = Config { model: Some(model()), detectors: 1, fps: 5.0 };
    camera.publish(1, 10);
    let vision = Vision::start(config, launcher, Arc::new(RealClock(Instant::now())), watched, eyes.clone(), stop.clone()).unwrap();
    let seen = eyes.0.wait("an observation", |o| o.first().cloned());
    assert_eq!((seen.motion, seen.detections.len()), (0.0, 1));
    assert_eq!(vision.status().restarts, 0);
    stop.cancel();
    block_on(vision.join());
}

#[test]
fn a_thread_that_hangs_costs_its_stream_a_quarantine() {
    let village = Village::new(&["lanh", "treo"], |w| {
        let first = w.number == 1;
        w.serve(|w, m, d| {
            if first {
                w.note(notes::detecting(1), 9);
            }
            ordinary(w, &m, d, &Arc::default());
            true
        });
    });
    let treo = village.cameras[1].id.clone();
    village.status("quarantined", |s| s.quarantined == [treo.clone()]);
    assert_eq!(village.launcher.killed.all()[0], 1);
    village.end();
}

#[test]
fn without_a_model_nothing_is_fed() {
    let launcher = FakeLauncher::new(|w: FakeWorker| {
        w.serve(|w, m, _| {
            assert!(w.model.is_none() && !matches!(m, ToWorker::Open { .. }));
            true
        });
    });
    let village = Village::with(None, &["cho"], launcher);
    let status = village.status("no model", |s| s.state == VisionState::NoModel);
    assert_eq!((status.model, status.restarts), (None, 0));
    assert_eq!(village.cameras[0].source.subscribers(), 0);
    village.end();
}

#[test]
fn a_model_that_cannot_be_run_is_told_in_the_workers_words() {
    let village = Village::new(&["cho"], |mut w| {
        assert_eq!(w.started().unwrap().detectors, 2);
        assert_eq!(w.model.as_deref(), Some(&b"weights"[..]));
        w.ready(Some("libonnxruntime.so is not there"));
        while w.hear().is_some() {}
    });
    let status = village.status("no runtime", |s| s.state == VisionState::NoRuntime);
    assert_eq!(status.detail, "libonnxruntime.so is not there");
    assert_eq!(village.cameras[0].source.subscribers(), 0, "what is not looked at is not decoded");
    village.end();
}

#[test]
fn a_worker_of_another_version_is_refused() {
    let village = Village::new(&["cho"], |mut w| {
        w.started();
        let sandbox = crate::protocol::Sandbox { files: true, calls: true, memory: 0 };
        w.say(&FromWorker::Ready(crate::protocol::Ready { version: "0.0.0-old".into(), runtime: None, trouble: None, sandbox }));
        while w.hear().is_some() {}
    });
    let status = village.status("refused", |s| s.restarts >= 5 && s.state == VisionState::Failed);
    assert!(status.detail.contains("another version"), "{}", status.detail);
    village.end();
}

#[test]
fn a_program_that_is_missing_is_told_by_name() {
    struct Nothing;
    impl Launcher for Nothing {
        fn launch(&self, _: &Purpose) -> io::Result<Launched> {
            Err(io::Error::new(io::ErrorKind::NotFound, "/nowhere/matthon-worker is not there"))
        }
    }
    let (eyes, stop) = (Arc::new(Memory::default()), CancellationToken::new());
    let config = Config { model: None, detectors: 1, fps: 5.0 };
    let vision = Vision::start(config, Arc::new(Nothing), Arc::new(RealClock(Instant::now())), Vec::new(), eyes, stop.clone()).unwrap();
    let until = Instant::now() + PATIENCE;
    while vision.status().state != VisionState::NoWorker {
        assert!(Instant::now() < until);
        std::thread::park_timeout(Duration::from_millis(5));
    }
    assert!(vision.status().detail.contains("/nowhere/matthon-worker"));
    let still = block_on(vision.still(vec![Camera::new("cho").sample(10)], 0, 0, &[]));
    assert_eq!(still, Err(StillError::NoWorker));
    stop.cancel();
    block_on(vision.join());
}

#[test]
fn a_configuration_that_cannot_be_is_refused() {
    for (detectors, fps) in [(0, 5.0), (65, 5.0), (1, 0.0), (1, f64::NAN), (1, 1000.0)] {
        let config = Config { model: None, detectors, fps };
        let launcher = FakeLauncher::new(|_| {});
        let clock = Arc::new(RealClock(Instant::now()));
        let vision = Vision::start(config, launcher, clock, Vec::new(), Arc::new(Memory::default()), CancellationToken::new());
        assert_eq!(vision.unwrap_err().kind(), io::ErrorKind::InvalidInput, "{detectors} {fps}");
    }
}
