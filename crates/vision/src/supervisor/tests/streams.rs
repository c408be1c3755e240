//! Streams on an ordinary day, and on a day with a slow worker.

use super::*;
use std::sync::mpsc;

#[test]
fn a_worker_gets_the_format_then_a_key_frame_and_what_it_sees_reaches_the_eyes() {
    let heard: Arc<Log<Heard>> = Arc::default();
    let log = heard.clone();
    let village = Village::new(&["cong-lang"], move |w| w.serve(|w, m, d| (ordinary(w, &m, d, &log), true).1));
    village.cameras[0].publish(5, 100); // before anybody listens: the cached GOP
    village.fed(0);
    village.cameras[0].publish(15, 100);
    let seen = village.eyes.seen.wait("20 observations", |s| (s.len() == 20).then(|| s.to_vec()));
    assert_eq!(seen, (0..20).map(|n| (village.cameras[0].id.clone(), capture(n))).collect::<Vec<_>>());
    let heard = heard.all();
    let Down::Format(codec) = &heard[0].2 else { panic!("{:?} comes first", heard[0]) };
    assert_eq!((codec.h265, &codec.config[..], codec.width, codec.height), (false, &[1u8, 2, 3][..], 640, 352));
    assert_eq!(heard.len(), 21, "one format, twenty samples");
    assert!(heads(&heard, 1, 0)[0].random_access);
    assert!(heard[1..].iter().zip(0u8..).all(|(h, n)| h.3 == n), "each with its own bytes");
    assert_eq!(village.vision.status().state, VisionState::Ok);
    village.end();
}

#[test]
fn a_worker_that_is_killed_is_back_with_format_and_key_frame() {
    let heard: Arc<Log<Heard>> = Arc::default();
    let log = heard.clone();
    let (kill, killed) = mpsc::channel::<()>();
    let killed = std::sync::Mutex::new(killed);
    let village = Village::new(&["cho"], move |w| {
        let first = w.number == 1;
        w.serve(|w, m, d| {
            ordinary(w, &m, d, &log);
            // As `kill -9` would: between two messages, without a word.
            !(first && killed.lock().unwrap().recv().is_ok())
        });
    });
    village.fed(0);
    village.cameras[0].publish(13, 100);
    village.eyes.seen.wait("13 observations", |s| (s.len() == 13).then_some(()));
    kill.send(()).unwrap();
    let begun = Instant::now();
    village.status("another worker", |s| s.restarts == 1 && s.state == VisionState::Ok);
    village.fed(0);
    assert!(begun.elapsed() < Duration::from_secs(2), "back after {:?}", begun.elapsed());
    village.cameras[0].publish(17, 100); // 13 to 29: of these only 20 and later can be decoded afresh
    let all = heard.wait("ten samples at the second worker", |h| (heads(h, 2, 0).len() == 10).then(|| h.to_vec()));
    let second: Vec<_> = all.iter().filter(|h| h.0 == 2).collect();
    assert!(matches!(second[0].2, Down::Format(_)));
    assert!(heads(&all, 2, 0)[0].random_access);
    assert_eq!(second[1].3, 20, "what the first worker had is not fed again");
    village.end();
}

#[test]
fn interest_goes_down_when_it_changes_and_to_every_new_worker() {
    let heard: Arc<Log<Heard>> = Arc::default();
    let log = heard.clone();
    let (kill, killed) = mpsc::channel::<()>();
    let killed = std::sync::Mutex::new(killed);
    let village = Village::new(&["cho"], move |w| {
        let first = w.number == 1;
        w.serve(|w, m, d| (ordinary(w, &m, d, &log), !(first && killed.lock().unwrap().recv().is_ok())).1);
    });
    village.fed(0);
    village.eyes.wants.store(true, SeqCst);
    village.cameras[0].publish(3, 100);
    let interests = |h: &[Heard], worker| h.iter().filter(|h| h.0 == worker).filter(|h| matches!(h.2, Down::Interest(_))).count();
    heard.wait("interest", |h| h.iter().any(|h| h.2 == Down::Interest(true)).then_some(()));
    village.eyes.seen.wait("all", |s| (s.len() == 3).then_some(()));
    assert_eq!(interests(&heard.all(), 1), 1, "told once, not with every picture");
    kill.send(()).unwrap();
    heard.wait("interest at the next worker", |h| h.iter().any(|h| h.0 == 2 && h.2 == Down::Interest(true)).then_some(()));
    village.eyes.wants.store(false, SeqCst);
    village.cameras[0].publish(20, 100);
    heard.wait("no interest any more", |h| h.iter().any(|h| h.0 == 2 && h.2 == Down::Interest(false)).then_some(()));
    village.end();
}

#[test]
fn a_full_socket_costs_whole_gops_of_that_stream_only_and_they_are_counted() {
    let heard: Arc<Log<Heard>> = Arc::default();
    let log = heard.clone();
    let (go_on, gate) = mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let village = Village::new(&["cham", "nhanh"], move |w| {
        let gate = gate.clone();
        let log = log.clone();
        w.serve(move |w, m, d| {
            if let ToWorker::Open { stream: 0, .. } = m {
                let (log, gate) = (log.clone(), gate.clone());
                let (socket, number) = (w.stream(d.into_iter().next().unwrap()), w.number);
                let mut open = false;
                follow(socket, move |socket, message, data| {
                    // Reads nothing more until the test says so.
                    open = open || (matches!(message, Down::Sample(_)) && gate.lock().unwrap().recv().is_ok());
                    if let Down::Sample(head) = message {
                        look(socket, head);
                    }
                    log.push((number, 0, message, data.first().copied().unwrap_or(0)));
                });
            } else {
                ordinary(w, &m, d, &log);
            }
            true
        });
    });
    village.fed(0);
    village.fed(1);
    // 200 samples of 40 kB: the socket takes a quarter of a megabyte, the queue one, the rest is too much.
    for n in 1..=200 {
        village.cameras[0].publish(1, 40_000);
        village.cameras[1].publish(1, 40_000);
        heard.wait("the quick stream", |h| (heads(h, 1, 1).len() == n).then_some(()));
    }
    assert!(heads(&heard.all(), 1, 0).len() <= 1);
    go_on.send(()).unwrap();
    village.cameras[0].publish(10, 40_000);
    let all = heard.wait("the newest sample of the slow stream", |h| {
        heads(h, 1, 0).last().is_some_and(|l| l.capture == capture(209)).then(|| h.to_vec())
    });
    let slow = heads(&all, 1, 0);
    let losses: Vec<_> = slow.windows(2).filter(|w| w[1].pts - w[0].pts != 6000).map(|w| w[1]).collect();
    assert!(!losses.is_empty());
    assert!(losses.iter().all(|h| h.random_access && h.loss_before), "{losses:?}");
    assert_eq!(slow.iter().filter(|h| h.loss_before).count(), losses.len());
    let status = village.status("counted", |s| s.cameras[&village.cameras[0].id].skipped > 5);
    assert_eq!(status.cameras[&village.cameras[1].id].skipped, 0);
    assert_eq!(heads(&all, 1, 1).len(), 200);
    assert_eq!(status.restarts, 0);
    village.end();
}

#[test]
fn after_a_loss_within_a_gop_the_next_random_access_point_is_waited_for() {
    let heard: Arc<Log<Heard>> = Arc::default();
    let log = heard.clone();
    let village = Village::new(&["cho"], move |w| w.serve(|w, m, d| (ordinary(w, &m, d, &log), true).1));
    village.fed(0);
    let camera = &village.cameras[0];
    camera.publish(3, 10);
    let lossy = Sample { loss_before: true, ..camera.sample(10) };
    camera.source.publish(lossy); // 3
    camera.publish(8, 10); // 4 to 11, with a key frame at 10
    let all = heard.wait("the sample after the key frame", |h| (heads(h, 1, 0).last()?.capture == capture(11)).then(|| h.to_vec()));
    let sent: Vec<_> = heads(&all, 1, 0).iter().map(|h| (h.pts / 6000, h.loss_before)).collect();
    assert_eq!(sent, [(0, false), (1, false), (2, false), (10, true), (11, false)]);
    village.end();
}

#[test]
fn a_change_of_parameters_is_told_before_the_first_sample_that_needs_it() {
    let heard: Arc<Log<Heard>> = Arc::default();
    let log = heard.clone();
    let mut village = Village::new(&["cho"], move |w| w.serve(|w, m, d| (ordinary(w, &m, d, &log), true).1));
    village.fed(0);
    village.cameras[0].publish(10, 10);
    let camera = &mut village.cameras[0];
    let Format::Video(video) = &*camera.format else { unreachable!() };
    camera.format = Arc::new(Format::Video(VideoFormat { width: 1280, height: 720, ..video.clone() }));
    village.cameras[0].publish(1, 10);
    let all = heard.wait("all", |h| (heads(h, 1, 0).len() == 11).then(|| h.to_vec()));
    let widths: Vec<_> = all.iter().map(|h| if let Down::Format(c) = &h.2 { c.width } else { 0 }).collect();
    assert_eq!(widths, [640, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1280, 0]);
    village.end();
}
