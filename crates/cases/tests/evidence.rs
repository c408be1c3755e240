//! Evidence: what is there at once, what comes later, what never comes, and a power cut in between.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fall like the tests")]

mod support;

use domain::{ClipState, StillState};
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};
use support::{EVENING, SECOND, Trouble, village};
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn first_the_small_picture_then_the_large_one_then_the_whole_clip() {
    let v = village();
    let stop = v.start();
    let id = v.raise();
    let case = v.until(id, |c| c.still == StillState::Small && c.clip == ClipState::Partial).await;
    assert!(v.clock.wall() < EVENING.plus(SECOND), "at once");
    assert_eq!(fs::read_to_string(v.cases.still_path(id).unwrap().unwrap()).unwrap(), "small");
    assert_eq!(case.clip_from, Some(EVENING.minus(30 * SECOND)), "a car that has stood for minutes: not all of them");
    assert!(case.clip_to.unwrap() <= EVENING);

    v.until(id, |c| c.still == StillState::Main).await;
    assert_eq!(v.clock.wall(), EVENING.plus(SECOND));
    assert_eq!(fs::read_to_string(v.cases.still_path(id).unwrap().unwrap()).unwrap(), "main");

    let case = v.until(id, |c| c.clip == ClipState::Done).await;
    assert_eq!(v.clock.wall(), EVENING.plus(12 * SECOND));
    assert_eq!((case.clip_from, case.clip_to), (Some(EVENING.minus(30 * SECOND)), Some(EVENING.plus(10 * SECOND))));
    assert_eq!(v.files(id), ["clip.mp4", "main.jpg", "small.jpg"]);
    for name in v.files(id) {
        assert_eq!(fs::metadata(v.folder(id).join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for folder in [v.folder(id), v.dir.path().join("evidence")] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let what: Vec<_> = v.cases.events_since(0, 99).unwrap().into_iter().map(|e| e.what).collect();
    assert_eq!(what[0], "raised");
    assert_eq!((what.iter().filter(|w| *w == "still").count(), what.iter().filter(|w| *w == "clip").count()), (2, 2));
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_the_power_cut_came() {
    let mut v = village();
    let stop = v.start();
    let id = v.raise();
    v.until(id, |c| c.still == StillState::Small && c.clip == ClipState::Partial).await;
    stop.cancel();
    // Half a clip was being written.
    fs::write(v.folder(id).join("clip.mp4.part"), "half").unwrap();
    sleep(Duration::from_secs(2 * 3600)).await;
    v.restart();
    assert_eq!(v.cases.get(id).unwrap().clip, ClipState::Partial);
    let stop = v.start();
    let case = v.until(id, |c| c.still == StillState::Main && c.clip == ClipState::Done).await;
    assert_eq!(case.clip_to, Some(EVENING.plus(10 * SECOND)));
    assert_eq!(v.files(id), ["clip.mp4", "main.jpg", "small.jpg"]);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_box_that_was_off_fetches_the_whole_clip_once() {
    let mut v = village();
    let id = v.raise();
    sleep(Duration::from_secs(60)).await;
    v.restart();
    let stop = v.start();
    v.until(id, |c| c.clip == ClipState::Done && c.still == StillState::Main).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(v.recording.count("clip"), 1);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_missing_at_once() {
    let v = village();
    v.set(Trouble::Never);
    let stop = v.start();
    let id = v.raise();
    v.until(id, |c| c.still == StillState::Missing && c.clip == ClipState::Missing).await;
    assert_eq!((v.recording.count("small"), v.recording.count("main"), v.recording.count("clip")), (1, 1, 2));
    assert_eq!((v.cases.still_path(id).unwrap(), v.cases.clip_path(id).unwrap()), (None, None));
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn what_is_always_on_its_way_is_missing_in_the_end() {
    let v = village();
    v.set(Trouble::NotYet);
    let stop = v.start();
    let id = v.raise();
    v.until(id, |c| c.still == StillState::Missing && c.clip == ClipState::Missing).await;
    let took = v.clock.wall().micros_since(EVENING) / 1_000_000;
    assert!((60..600).contains(&took), "{took} s");
    sleep(Duration::from_secs(3600)).await;
    assert_eq!((v.recording.count("small"), v.recording.count("main"), v.recording.count("clip")), (3, 12, 15));
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_ended_early_leaves_a_partial_clip_and_the_small_picture() {
    let v = village();
    let stop = v.start();
    let id = v.raise();
    v.until(id, |c| c.still == StillState::Small && c.clip == ClipState::Partial).await;
    v.set(Trouble::EndsAt(EVENING.minus(SECOND)));
    sleep(Duration::from_secs(3600)).await;
    let case = v.cases.get(id).unwrap();
    assert_eq!((case.still, case.clip, case.clip_to), (StillState::Small, ClipState::Partial, Some(EVENING.minus(SECOND))));
    let asked = v.recording.asked.lock().unwrap().len();
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(v.recording.asked.lock().unwrap().len(), asked, "nothing is asked for any more");
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn clips_that_hang_keep_no_picture_waiting() {
    let v = village();
    v.set(Trouble::ClipHangs);
    let stop = v.start();
    let began = Instant::now();
    let ids: Vec<_> = (0..20).map(|_| v.raise()).collect();
    for id in &ids {
        v.until(*id, |c| c.still == StillState::Main).await;
    }
    assert!(began.elapsed() < 5 * SECOND);
    v.set(Trouble::None);
    for id in &ids {
        v.until(*id, |c| c.clip == ClipState::Done).await;
    }
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_try_that_falls_stops_nothing_else_and_ends() {
    let v = village();
    v.set(Trouble::Falls);
    let stop = v.start();
    let id = v.raise();
    let case = v.until(id, |c| c.clip == ClipState::Done).await;
    assert_eq!(case.still, StillState::Small);
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(v.recording.count("main"), 12);
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_tried_again() {
    let v = village();
    let id = v.raise();
    // A file where the folder should be: every write fails.
    fs::write(v.folder(id), "").unwrap();
    let stop = v.start();
    sleep(20 * SECOND).await;
    assert_eq!(v.cases.get(id).unwrap().still, StillState::Pending);
    fs::remove_file(v.folder(id)).unwrap();
    v.until(id, |c| c.still == StillState::Main && c.clip == ClipState::Done).await;
    stop.cancel();
}
