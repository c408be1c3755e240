//! A replay against workers that speak the true protocol.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::{
    fake::{FakeLauncher, FakeWorker, model, nothing, up},
    protocol::FromWorker,
};
use domain::WallTime;
use std::io::Write;

/// Replays a file that says "film" with a worker that does this with it.
fn with(worker: impl Fn(&FakeWorker, String, &mut UnixStream) + Send + Sync + 'static) -> (Vec<i64>, Result<Replayed, ReplayError>) {
    let launcher = FakeLauncher::new(move |w: FakeWorker| {
        w.serve(|w, message, descriptors| {
            let ToWorker::Replay { fps } = message else { panic!("{message:?}") };
            assert_eq!((fps, &w.purpose), (5.0, &Purpose::Replay));
            let mut descriptors = descriptors.into_iter();
            let mut text = String::new();
            File::from(descriptors.next().unwrap()).read_to_string(&mut text).unwrap();
            worker(w, text, &mut w.stream(descriptors.next().unwrap()));
            false
        });
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"film").unwrap();
    let mut seen = Vec::new();
    let result = replay(launcher.as_ref(), model(), 5.0, file.reopen().unwrap(), |o| seen.push(o.capture.0));
    (seen, result)
}

#[test]
fn observations_come_in_order_and_the_end_tells_the_length() {
    let (seen, result) = with(|w, text, socket| {
        assert_eq!((text.as_str(), w.model.as_deref()), ("film", Some(&b"weights"[..])));
        for n in 0..500 {
            // More counts than the control socket holds: unread, they would stop the worker.
            w.say(&FromWorker::Counts(crate::protocol::Counts { decoded: n, ..Default::default() }));
            up(socket, &Up::Seen(nothing(WallTime(n as i64))));
        }
        up(socket, &Up::Undecodable { what: "a scratch".into() });
        up(socket, &Up::End { decoded: 1500, length_micros: 100_000_000 });
    });
    assert_eq!(result.unwrap(), Replayed { decoded: 1500, undecodable: 1, length_micros: 100_000_000 });
    assert!(seen.into_iter().eq(0..500));
}

#[test]
fn a_file_that_is_no_video_is_told_in_the_workers_words() {
    let (_, result) = with(|_, _, socket| up(socket, &Up::Failed { what: "it is a letter".into() }));
    assert_eq!(result.unwrap_err().to_string(), "the video file cannot be read: it is a letter");
}

#[test]
fn a_worker_that_ends_in_the_middle_is_told_and_so_is_how() {
    let (seen, result) = with(|_, _, socket| up(socket, &Up::Seen(nothing(WallTime(1)))));
    assert_eq!(seen, [1]);
    assert_eq!(result.unwrap_err().to_string(), "the worker was ended by signal 9 in the middle of its work");
}

#[test]
fn nonsense_is_refused() {
    for nonsense in [vec![0xFF; 4], vec![3, 0, 0, 0, 0xFF, 0xFF, 0xFF]] {
        let (_, result) = with(move |_, _, socket| socket.write_all(&nonsense).unwrap());
        assert!(matches!(result, Err(ReplayError::Worker(LoneError::Protocol(_)))), "{result:?}");
    }
}

#[test]
fn a_worker_that_cannot_detect_is_told() {
    let launcher = FakeLauncher::new(|mut w: FakeWorker| {
        w.started();
        w.ready(Some("there is no runtime"));
        while w.hear().is_some() {}
    });
    let result = replay(launcher.as_ref(), model(), 5.0, tempfile::tempfile().unwrap(), |_| {});
    assert_eq!(result.unwrap_err().to_string(), "the worker cannot detect: there is no runtime");
}
