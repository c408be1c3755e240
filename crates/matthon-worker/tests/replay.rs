//! Video files replayed by the real program.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

use domain::{Observation, WallTime};
use std::{
    fs::File,
    io::Write,
    os::{fd::AsFd, unix::net::UnixStream},
    path::Path,
};
use support::{
    Stream, Worker,
    clip::{Wanted, film},
    model, shared,
};
use vision::protocol::{ToWorker, Up};

/// All that is said about a file; the last word is `End` or `Failed`.
fn replay(test: &str, file: File, fps: f32) -> (Vec<Observation>, Up) {
    let worker = Worker::start(model(test));
    let (ours, theirs) = UnixStream::pair().unwrap();
    worker.tell(&ToWorker::Replay { fps }, &[file.as_fd(), theirs.as_fd()]);
    drop((file, theirs));
    let mut stream = Stream { socket: ours };
    let mut seen = Vec::new();
    let last = loop {
        match stream.up().expect("the worker ended") {
            Up::Seen(o) => seen.push(o),
            Up::Undecodable { what } => println!("undecodable: {what}"),
            last => break last,
        }
    };
    assert_eq!(stream.up(), None, "something came after the last word");
    worker.end();
    (seen, last)
}

#[test]
fn films_of_all_containers_are_seen_on_the_grid_and_twice_the_same() {
    const NAME: &str = "films_of_all_containers_are_seen_on_the_grid_and_twice_the_same";
    if model(NAME).is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, h265, b_frames) in
        [("a.mp4", false, 0), ("b.mp4", false, 3), ("c.mp4", true, 3), ("d.mkv", false, 0), ("e.mkv", true, 0), ("f.ts", false, 0)]
    {
        let path = dir.path().join(name);
        film(&Wanted { h265, b_frames, pictures: 40, width: 626, ..Wanted::default() }, &path);
        let (seen, last) = replay(NAME, File::open(&path).unwrap(), 5.0);
        let Up::End { decoded, length_micros } = last else { panic!("{name}: {last:?}") };
        assert_eq!((decoded, seen.len()), (40, 14), "{name}");
        // A transport stream begins a little before its first picture.
        assert!((2_600_000..2_900_000).contains(&length_micros), "{name}: {length_micros}");
        for (n, o) in seen.iter().enumerate() {
            let off = o.capture.micros_since(WallTime(n as i64 * 200_000));
            // A transport stream begins at a time of its own; its first picture is still the first.
            assert!(off.abs() < 1000 || name == "f.ts", "{name}: picture {n} at {}", o.capture.0);
            assert_eq!((o.width, o.height), (626, 360), "{name}");
        }
        assert_eq!(replay(NAME, File::open(&path).unwrap(), 5.0).0, seen, "{name}");
    }
}

#[test]
fn a_street_is_replayed_twice_the_same_with_its_cars() {
    const NAME: &str = "a_street_is_replayed_twice_the_same_with_its_cars";
    let (Some(path), Some(_)) = (shared(NAME, "data/video/ahmet-vehicle.mp4"), model(NAME)) else { return };
    let (seen, last) = replay(NAME, File::open(&path).unwrap(), 5.0);
    assert!(matches!(last, Up::End { decoded: 265, length_micros: 11_000_000..11_100_000 }), "{last:?}");
    assert!((54..=57).contains(&seen.len()), "{}", seen.len());
    let cars = seen.iter().filter(|o| o.detections.iter().any(|d| d.class.as_str() == "car" && d.score > 0.4)).count();
    assert!(cars * 10 > seen.len() * 8, "{cars} of {} with a car", seen.len());
    assert_eq!(replay(NAME, File::open(&path).unwrap(), 5.0).0, seen);
}

#[test]
fn what_is_no_film_is_refused_with_a_reason() {
    const NAME: &str = "what_is_no_film_is_refused_with_a_reason";
    if model(NAME).is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole.mp4");
    film(&Wanted { pictures: 20, ..Wanted::default() }, &whole);
    let bytes = std::fs::read(&whole).unwrap();
    let write = |name: &str, bytes: &[u8]| -> File {
        let path: &Path = &dir.path().join(name);
        File::create(path).unwrap().write_all(bytes).unwrap();
        File::open(path).unwrap()
    };
    for (name, bytes, why) in [
        ("empty", &b""[..], "empty"),
        ("text", b"this is not a film at all", "neither MP4"),
        ("head", &bytes[..40], ""),
        ("half", &bytes[..bytes.len() / 2], ""),
    ] {
        let (seen, last) = replay(NAME, write(name, bytes), 5.0);
        let Up::Failed { what } = last else { panic!("{name}: {last:?}") };
        assert!(seen.is_empty() && what.contains(why) && what.len() < 300, "{name}: {what}");
    }
}

#[test]
fn without_a_model_nothing_is_replayed() {
    let worker = Worker::start(None);
    let (ours, theirs) = UnixStream::pair().unwrap();
    worker.tell(&ToWorker::Replay { fps: 5.0 }, &[tempfile::tempfile().unwrap().as_fd(), theirs.as_fd()]);
    drop(theirs);
    let mut stream = Stream { socket: ours };
    assert!(matches!(stream.up(), Some(Up::Failed { what }) if what.contains("model")));
    worker.ping();
    worker.end();
}
