//! Pictures on demand.

use super::*;
use crate::{
    fake::nothing,
    protocol::{FromWorker, STILL_MAX, StillDone, StillSource, notes, stream},
};
use std::os::unix::fs::FileExt;

const JPEG: &[u8] = &[0xFF, 0xD8, 1, 2, 3, 0xFF, 0xD9];

/// Writes a JPEG as a worker should.
fn draw(w: &FakeWorker, job: u64, room: &File, bytes: &[u8]) {
    room.write_all_at(bytes, 0).unwrap();
    w.say(&FromWorker::Still { job, outcome: Ok(StillDone { len: bytes.len() as u32, width: 640, height: 352 }) });
}

#[test]
fn a_still_of_samples_gets_them_whole_from_a_random_access_point_to_the_picture() {
    let heard: Arc<Log<(Down, Vec<u8>)>> = Arc::default();
    let log = heard.clone();
    let village = Village::new(&[], move |w| {
        w.serve(|w, m, d| {
            let ToWorker::Still { job, source: StillSource::Samples { pts }, max_width, .. } = m else { panic!("{m:?}") };
            assert_eq!((pts, max_width), (15 * 6000, 320));
            let mut files = d.into_iter().map(File::from);
            let (room, mut samples) = (files.next().unwrap(), files.next().unwrap());
            assert!(samples.set_len(1).is_err() && room.set_len(1 << 30).is_err(), "neither can be changed");
            let mut data = Vec::new();
            while let Some(message) = stream::read_down(&mut samples, &mut data).unwrap() {
                log.push((message, data.clone()));
            }
            draw(w, job, &room, JPEG);
            true
        });
    });
    village.status("ready", |s| s.state == VisionState::Ok);
    let camera = Camera::new("cho");
    let samples: Vec<_> = (0..20).map(|_| camera.sample(30)).skip(8).collect(); // 8 and 9 hang in the air
    let made = block_on(village.vision.still(samples, 15 * 6000, 320, &[])).unwrap();
    assert_eq!((made.jpeg.as_ref(), made.width, made.height), (JPEG, 640, 352));
    let heard = heard.all();
    assert!(matches!(heard[0].0, Down::Format(_)));
    assert!(heard[1..].iter().map(|h| h.1.clone()).eq((10..=15).map(|n| vec![n; 30])));
    village.end();
}

#[test]
fn samples_that_cannot_give_a_picture_are_refused_before_they_cost_anything() {
    let village = Village::new(&[], |w| w.serve(|_, m, _| panic!("{m:?}")));
    village.status("ready", |s| s.state == VisionState::Ok);
    let camera = Camera::new("cho");
    let without_start: Vec<_> = (0..10).map(|_| camera.sample(30)).skip(1).collect();
    let whole: Vec<_> = (0..10).map(|_| camera.sample(30)).collect();
    let ask = |samples, pts| block_on(village.vision.still(samples, pts, 0, &[]));
    assert_eq!(ask(Vec::new(), 0), Err(StillError::Gone));
    assert_eq!(ask(without_start, 100_000), Err(StillError::Gone));
    assert_eq!(ask(whole, 9 * 6000), Err(StillError::Gone), "all of them come after that moment");
    village.end();
}

#[test]
fn a_recent_picture_comes_from_the_worker_that_has_the_stream() {
    let log: Arc<Log<Heard>> = Arc::default();
    let village = Village::new(&["cho", "dinh"], move |w| {
        w.serve(|w, m, d| {
            if let ToWorker::Still { job, source: StillSource::Recent { stream, capture: at }, .. } = m {
                assert_eq!((stream, at), (1, capture(3)));
                draw(w, job, &d.into_iter().next().unwrap().into(), JPEG);
            } else {
                ordinary(w, &m, d, &log);
            }
            true
        });
    });
    village.fed(1);
    let recent = |camera: &str| block_on(village.vision.recent(CameraId::new(camera).unwrap(), capture(3), 0));
    assert_eq!(recent("dinh").unwrap().jpeg.as_ref(), JPEG);
    assert_eq!(recent("nowhere"), Err(StillError::Gone));
    village.end();
}

#[test]
fn what_is_no_picture_is_not_passed_on() {
    let village = Village::new(&[], |w| {
        w.serve(|w, m, d| {
            let ToWorker::Still { job, .. } = m else { panic!("{m:?}") };
            let room: File = d.into_iter().next().unwrap().into();
            if w.number == 1 {
                draw(w, job, &room, b"<html>");
            } else {
                w.say(&FromWorker::Still { job, outcome: Ok(StillDone { len: STILL_MAX as u32 + 1, width: 640, height: 352 }) });
            }
            true
        });
    });
    for round in 0..2 {
        village.status("ready", |s| s.restarts == round && s.state == VisionState::Ok);
        let still = block_on(village.vision.still(vec![Camera::new("cho").sample(10)], 0, 0, &[]));
        assert_eq!(still, Err(StillError::Crashed));
        village.status("killed", |s| s.restarts == round + 1);
    }
    village.end();
}

#[test]
fn samples_that_end_the_worker_are_named_so_that_nobody_asks_again() {
    let village = Village::new(&[], |w| {
        let first = w.number == 1;
        w.serve(|w, _, _| {
            if first {
                w.note(notes::STILL, 1);
            }
            false
        });
    });
    let ask = || block_on(village.vision.still(vec![Camera::new("cho").sample(10)], 0, 0, &[]));
    village.status("ready", |s| s.state == VisionState::Ok);
    assert_eq!(ask(), Err(StillError::Undecodable));
    village.status("ready again", |s| s.restarts == 1 && s.state == VisionState::Ok);
    assert_eq!(ask(), Err(StillError::Crashed), "another end: not its fault");
    village.end();
}

#[test]
fn the_worker_says_no_in_its_own_words() {
    let village = Village::new(&["cho"], |w| {
        w.serve(|w, m, d| {
            if let ToWorker::Still { job, .. } = m {
                w.say(&FromWorker::Still { job, outcome: Err(StillError::Gone) });
            } else {
                ordinary(w, &m, d, &Arc::default());
            }
            true
        });
    });
    village.fed(0);
    let observed = nothing(capture(0));
    let still = block_on(village.vision.recent(village.cameras[0].id.clone(), observed.capture, 0));
    assert_eq!(still, Err(StillError::Gone));
    village.end();
}
