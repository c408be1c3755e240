//! A stream as files: only while somebody asks, waiting for what comes next, within bounds.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use hub::Fanout;
use matthon_live::{
    LiveStream,
    hls::{At, File, Hls, HlsError},
};
use std::{sync::Arc, time::Duration};
use support::{format, number, sample, smaller};
use tokio::sync::Semaphore;

const STEP: i64 = 3600;

struct Camera {
    source: Fanout<domain::Sample>,
    live: LiveStream,
    room: Arc<Semaphore>,
    n: i64,
}

impl Camera {
    fn new() -> Self {
        let source = Fanout::new("cong-lang/main/video");
        let live = LiveStream::new(source.clone(), "cong-lang/main");
        Self { source, live, room: Arc::new(Semaphore::new(1)), n: 0 }
    }

    /// Sends so many frames, a key frame every second, and lets every task run.
    async fn send(&mut self, frames: i64) {
        for _ in 0..frames {
            self.source.publish(sample(&format(), self.n.cast_unsigned(), self.n * STEP, self.n * STEP, self.n % 25 == 0));
            self.n += 1;
            for _ in 0..6 {
                tokio::task::yield_now().await;
            }
        }
    }

    fn hls(&self) -> Hls {
        self.live.hls(&self.room).unwrap()
    }
}

/// Value of a tag.
fn tag(playlist: &str, name: &str) -> u64 {
    playlist.lines().find_map(|line| line.strip_prefix(&format!("#EXT-X-{name}:"))).unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_lives_while_somebody_asks_and_twelve_seconds_longer() {
    let mut camera = Camera::new();
    assert!(camera.live.hls_files().is_none() && !camera.live.running(), "nothing runs unasked");
    let hls = camera.hls();
    camera.send(60).await;
    hls.playlist(None, "").await.unwrap();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(11)).await;
        camera.send(25).await;
        camera.hls().playlist(None, "").await.unwrap();
    }
    assert_eq!((camera.live.viewers(), camera.room.available_permits()), (1, 0));
    tokio::time::sleep(Duration::from_secs(13)).await;
    for _ in 0..6 {
        tokio::task::yield_now().await;
    }
    assert!(camera.live.hls_files().is_none() && !camera.live.running());
    assert_eq!((camera.live.viewers(), camera.room.available_permits()), (0, 1));
    // The next who asks gets numbers that were not there before.
    let again = camera.hls();
    camera.send(60).await;
    let (old, new) = (hls.playlist(None, "").await.unwrap(), again.playlist(None, "").await.unwrap());
    assert!(tag(&new, "MEDIA-SEQUENCE") > tag(&old, "MEDIA-SEQUENCE") + 2, "{old}\n{new}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_the_part_the_moment_it_is_whole() {
    let mut camera = Camera::new();
    let hls = camera.hls();
    camera.send(31).await;
    let text = hls.playlist(None, "").await.unwrap();
    let open = tag(&text, "MEDIA-SEQUENCE") + 1;
    // 25 frames make the first segment, five and the sixth's arrival a part of the second.
    let at = At { segment: open, part: Some(1) };
    let (there, mut wait) = (hls.clone(), Box::pin(hls.playlist(Some(at), "?stream=sub")));
    let mut part = Box::pin(there.file(File::Part(open, 1)));
    assert!(futures_pending(&mut wait).await && futures_pending(&mut part).await);
    camera.send(4).await;
    assert!(futures_pending(&mut wait).await && futures_pending(&mut part).await);
    camera.send(1).await;
    let text = wait.await.unwrap();
    assert!(text.contains(&format!("part-{open}-1.m4s?stream=sub")), "{text}");
    let numbers: Vec<u64> = part.await.unwrap().iter().map(|fragment| number(fragment)).collect();
    assert_eq!(numbers, [30, 31, 32, 33, 34]);
    let whole: Vec<u64> = there.file(File::Segment(open - 1)).await.unwrap().iter().map(|fragment| number(fragment)).collect();
    assert_eq!(whole, (0..25).collect::<Vec<_>>());
}

/// Whether it is still waiting after every task had its turn.
async fn futures_pending<T>(future: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> bool {
    tokio::time::timeout(Duration::ZERO, future).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn waiting_is_bounded_in_time_and_number() {
    let mut camera = Camera::new();
    let hls = camera.hls();
    assert_eq!(hls.playlist(None, "").await, Err(HlsError::Late), "a camera that sends nothing");
    camera.send(60).await;
    let hls = camera.hls();
    let open = tag(&hls.playlist(None, "").await.unwrap(), "MEDIA-SEQUENCE") + 2;
    let next = At { segment: open, part: Some(5) };
    assert_eq!(hls.playlist(Some(At { segment: open + 2, part: None }), "").await, Err(HlsError::Far));
    assert_eq!(hls.file(File::Part(open, 9)).await, Err(HlsError::Unknown));
    let begun = tokio::time::Instant::now();
    let waiting: Vec<_> =
        (0..64).map(|_| (hls.clone(), next)).map(|(hls, at)| tokio::spawn(async move { hls.playlist(Some(at), "").await })).collect();
    for _ in 0..6 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hls.playlist(Some(next), "").await, Err(HlsError::Busy));
    for one in waiting {
        assert_eq!(one.await.unwrap(), Err(HlsError::Late));
    }
    assert_eq!(begun.elapsed().as_secs(), 6);
    // And there is room again.
    assert_eq!(hls.playlist(Some(next), "").await, Err(HlsError::Late));
}

#[tokio::test(start_paused = true)]
async fn the_number_of_streams_is_bounded() {
    let (first, second) = (Camera::new(), Camera::new());
    let kept = first.hls();
    assert!(second.live.hls(&first.room).is_none());
    assert!(first.live.hls(&first.room).is_some(), "the same again takes no more room");
    drop(kept);
    tokio::time::sleep(Duration::from_secs(13)).await;
    for _ in 0..6 {
        tokio::task::yield_now().await;
    }
    assert!(second.live.hls(&first.room).is_some());
}

#[tokio::test(start_paused = true)]
async fn other_parameters_and_a_loss_are_discontinuities() {
    let mut camera = Camera::new();
    let hls = camera.hls();
    camera.send(50).await;
    let lost = domain::Sample { loss_before: true, ..sample(&format(), 50, 60 * STEP, 60 * STEP, true) };
    camera.source.publish(lost);
    camera.n = 61;
    camera.send(14).await;
    for n in 75..130 {
        camera.source.publish(sample(&smaller(), n, i64::try_from(n).unwrap() * STEP, i64::try_from(n).unwrap() * STEP, n % 25 == 0));
        for _ in 0..6 {
            tokio::task::yield_now().await;
        }
    }
    let text = hls.playlist(None, "").await.unwrap();
    let told: Vec<&str> = text.lines().filter(|l| l.starts_with("#EXT-X-MAP") || *l == "#EXT-X-DISCONTINUITY").collect();
    let expected = ["#EXT-X-MAP:URI=\"init-0.mp4\"", "#EXT-X-DISCONTINUITY", "#EXT-X-DISCONTINUITY", "#EXT-X-MAP:URI=\"init-1.mp4\""];
    assert_eq!(told, expected, "{text}");
    let width =
        async |n| media::fmp4::parse_init(&hls.file(File::Init(n)).await.unwrap().concat()).unwrap()[0].format.video().unwrap().width;
    assert_eq!(width(0).await, 320);
    assert_ne!(width(1).await, 320);
}
