//! Walls by workers that speak the true protocol, well and badly.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::{
    fake::{FakeLauncher, FakeWorker, PATIENCE},
    protocol::{
        stream,
        wall::{self, Rect, Tile},
    },
};
use domain::SimClock;
use std::sync::Mutex;

/// 320 × 240, as in `media::params`.
const CONFIG: &[u8] = &[
    1, 0x64, 0, 0x0d, 0xff, 0xe1, 0, 25, 0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20,
    0xf1, 0x42, 0x99, 0x60, 1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0,
];
/// One empty NAL unit and one of two bytes.
const UNITS: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 2, 0x65, 1];

fn up(socket: &mut StdStream, message: &Up, data: &[u8]) {
    let _ = socket.write_all(&stream::encode(message).unwrap());
    let _ = socket.write_all(data);
}

/// A clock whose time since boot moves with each look, as the world's does.
struct Moving(SimClock);

impl Clock for Moving {
    fn wall(&self) -> domain::WallTime {
        self.0.wall()
    }
    fn mono(&self) -> domain::MonoTime {
        self.0.advance(Duration::from_millis(1));
        self.0.mono()
    }
    fn synchronised(&self) -> bool {
        true
    }
    fn boot_id(&self) -> [u8; 16] {
        [0; 16]
    }
}

fn wall(sources: usize) -> Wall {
    let source = |n| Source { name: format!("cam-{n}/sub"), samples: Fanout::new(format!("cam-{n}")) };
    Wall {
        sources: (0..sources).map(source).collect(),
        font: Bytes::from_static(b"letters"),
        clock: Arc::new(Moving(SimClock::at(domain::WallTime::from_secs(1000)))),
        camera: "wall".parse().unwrap(),
        out: Fanout::new("wall"),
    }
}

fn screen(sources: &[u16]) -> Screen {
    let tile = |source: &u16| Tile {
        source: *source,
        place: Rect { x: 0, y: 0, w: 320, h: 180 },
        name: String::new(),
        caption: String::new(),
        masks: Vec::new(),
    };
    Screen { tiles: sources.iter().map(tile).collect(), ..Screen::default() }
}

/// A worker that hands each message to a script, with the way back.
fn worker(script: impl Fn(&mut StdStream, Down) + Send + Sync + 'static) -> Arc<FakeLauncher> {
    let script = Arc::new(script);
    FakeLauncher::new(move |w: FakeWorker| {
        let script = script.clone();
        w.serve(move |w, message, descriptors| {
            assert!(matches!(message, ToWorker::Wall(_)) && w.purpose == Purpose::Wall, "{message:?}");
            let mut socket = w.stream(descriptors.into_iter().next().unwrap());
            let (mut from, mut data) = (socket.try_clone().unwrap(), Vec::new());
            while let Ok(Some(message)) = wall::read_down(&mut from, &mut data) {
                script(&mut socket, message);
            }
            false
        });
    })
}

fn picture(socket: &mut StdStream, at: domain::WallTime, pts: i64) {
    let len = u32::try_from(UNITS.len()).unwrap();
    up(socket, &Up::Picture { at, pts, random_access: true, len }, UNITS);
}

/// Composes until it ends, or until the outlet gave so many samples.
async fn run(launcher: &Arc<FakeLauncher>, wall: &Wall, pictures: usize) -> Result<Vec<Sample>, WallError> {
    let (_told, told) = watch::channel(screen(&[0]));
    let mut out = wall.out.subscribe(Join::NextRandomAccess, Capacity { items: 100, bytes: 1 << 20 }, "test");
    let mut samples = Vec::new();
    let taken = async {
        while samples.len() < pictures {
            match out.next().await {
                Some(Delivery::Item(sample)) => samples.push(sample),
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::select! {
        error = wall.compose(launcher.clone(), told) => Err(error),
        done = timeout(PATIENCE, taken) => { done.unwrap(); Ok(samples) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_that_were_asked_for_become_the_samples_of_a_camera() {
    let told = Mutex::new(false);
    let launcher = worker(move |socket, message| {
        if let Down::Draw { at, pts } = message {
            if !std::mem::replace(&mut *told.lock().unwrap(), true) {
                up(socket, &Up::Format(CONFIG.to_vec()), &[]);
            }
            picture(socket, at, pts);
        }
    });
    let wall = wall(1);
    let samples = run(&launcher, &wall, 5).await.unwrap();
    assert_eq!(samples.iter().map(|s| s.seq).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(samples[0].loss_before && samples[1..].iter().all(|s| !s.loss_before), "only the first comes after something");
    assert!(samples.windows(2).all(|w| w[0].dts < w[1].dts && w[1].pts == w[1].dts));
    assert_eq!((samples[0].stream.camera.as_str(), &samples[0].data[..]), ("wall", UNITS));
    // Whoever stops it ends the worker with it.
    assert_eq!(launcher.killed.wait("its end", |k| (!k.is_empty()).then(|| k.to_vec())), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_gives_nothing_is_asked_no_further() {
    let (asked, heard) = std::sync::mpsc::channel();
    let launcher = worker(move |_, message| {
        if matches!(message, Down::Draw { .. }) {
            let _ = asked.send(());
        }
    });
    let error = run(&launcher, &wall(1), 1).await.unwrap_err();
    assert!(matches!(error, WallError::Worker(LoneError::Silent(_))), "{error}");
    assert_eq!(heard.try_iter().count() as u64, ASKED_MAX);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_worker_can_say_ends_it() {
    type Said = Vec<(Up, &'static [u8])>;
    type Script = fn(Up) -> Said;
    let say = |messages: Script| {
        worker(move |socket, message| {
            if let Down::Draw { at, pts } = message {
                for (message, data) in messages(Up::Picture { at, pts, random_access: true, len: 10 }) {
                    up(socket, &message, data);
                }
            }
        })
    };
    fn long(one: Up, len: u32) -> Up {
        let Up::Picture { at, pts, random_access, .. } = one else { return one };
        Up::Picture { at, pts, random_access, len }
    }
    fn format() -> (Up, &'static [u8]) {
        (Up::Format(CONFIG.to_vec()), &[])
    }
    let cases: [(Script, &str); 7] = [
        (|one| vec![(one, UNITS)], "without a format"),
        (|_| vec![(Up::Format(vec![1, 2, 3]), &[])], "its format"),
        (|_| vec![format(), format()], "the format twice"),
        (|one| vec![format(), (one.clone(), UNITS), (one, UNITS)], "nobody asked for"),
        (|one| vec![format(), (long(one, u32::MAX), &[])], "longer than one may be"),
        (|one| vec![format(), (long(one, 4), &[0, 0, 1, 0])], "is no picture"),
        (|_| vec![(Up::Failed("no\u{7} x264".into()), &[])], "cannot compose the wall: no x264"),
    ];
    for (messages, says) in cases {
        let error = run(&say(messages), &wall(1), usize::MAX).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_cameras_on_the_screen_are_listened_to() {
    let launcher = worker(|_, _| {});
    let wall = wall(3);
    let (tell, told) = watch::channel(screen(&[0, 2, 9]));
    let listening = || wall.sources.iter().map(|s| s.samples.subscribers()).collect::<Vec<_>>();
    let until = |wanted: [usize; 3]| async move {
        while listening() != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let steps = async {
        until([1, 0, 1]).await;
        tell.send_replace(screen(&[1]));
        until([0, 1, 0]).await;
    };
    tokio::select! {
        error = wall.compose(launcher, told) => panic!("{error}"),
        done = timeout(PATIENCE, steps) => done.unwrap(),
    }
    assert_eq!(listening(), [0, 0, 0], "nobody is left listening behind it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_is_told_by_how() {
    let launcher = worker(|socket, message| {
        if matches!(message, Down::Draw { .. }) {
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    });
    let error = run(&launcher, &wall(1), 1).await.unwrap_err().to_string();
    assert!(error.contains("was ended by signal 9") || error.contains("ended with status"), "{error}");
}
