//! What listeners get: from when, one mux for all of them, and what one who is slow loses. Where sound lies is in the crate's own tests.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use bytes::Bytes;
use domain::{AudioCodec, Format, Sample};
use hub::Fanout;
use matthon_live::{Heard, Listener, LiveStream, Viewer};
use media::fmp4::{Fragment, parse_fragment};
use std::sync::Arc;
use support::{format, sample};

const STEP: i64 = 3600;

struct Camera {
    pictures: Fanout<Sample>,
    sounds: Fanout<Sample>,
    live: LiveStream,
    format: Arc<Format>,
}

impl Camera {
    fn new() -> Self {
        let (pictures, sounds) = (Fanout::new("cong-lang/main"), Fanout::new("cong-lang/main"));
        let live = LiveStream::with_sound(pictures.clone(), sounds.clone(), "cong-lang/main");
        Self { pictures, sounds, live, format: format() }
    }

    /// Frame and packet of one moment, 40 ms each; every task that is awake runs.
    async fn moment(&self, n: u64, law: AudioCodec) {
        let dts = n as i64 * STEP;
        self.pictures.publish(sample(&self.format, n, dts, dts, n.is_multiple_of(25)));
        settle().await;
        self.sounds.publish(packet(n, law));
        settle().await;
    }
}

fn packet(n: u64, law: AudioCodec) -> Sample {
    let format = Arc::new(Format::Audio(media::params::g711_format(law, 8_000, 1)));
    let dts = n as i64 * STEP;
    Sample { data: Bytes::from(vec![n as u8; 320]), ..sample(&format, n, dts, dts, true) }
}

async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

async fn fragment(listener: &mut Listener) -> Fragment {
    match listener.next().await {
        Some(Heard::Fragment { bytes, time }) => {
            let fragment = parse_fragment(&bytes).unwrap();
            assert_eq!((fragment.base_dts, fragment.end), (time, bytes.len()));
            fragment
        }
        other => panic!("a fragment was due, not {other:?}"),
    }
}

async fn head(listener: &mut Listener) -> String {
    let Some(Heard::Format(info)) = listener.next().await else { panic!("the format comes first") };
    assert_eq!((info.mime.clone(), info.sample_rate, info.channels), (format!("audio/mp4; codecs=\"{}\"", info.codecs), 8_000, 1));
    let Some(Heard::Init(init)) = listener.next().await else { panic!("then the init segment") };
    assert!(init.windows(4).any(|w| w == b"dfLa"));
    info.codecs.clone()
}

#[tokio::test]
async fn whoever_listens_hears_from_now_on_whoever_listened_before() {
    let camera = Camera::new();
    for n in 0..30 {
        camera.moment(n, AudioCodec::PcmA).await;
    }
    let _eye = camera.live.watch();
    let mut first = camera.live.listen().unwrap();
    settle().await;
    assert_eq!(head(&mut first).await, "flac");
    // Not since the group began, but the newest packet.
    assert_eq!(fragment(&mut first).await.base_dts, 29 * 3600);
    for n in 30..40 {
        camera.moment(n, AudioCodec::PcmA).await;
        assert_eq!(fragment(&mut first).await.base_dts, n * 3600);
    }
    let mut second = camera.live.listen().unwrap();
    head(&mut second).await;
    assert_eq!(fragment(&mut second).await.base_dts, 39 * 3600);
    camera.moment(40, AudioCodec::PcmA).await;
    assert_eq!((fragment(&mut first).await.base_dts, fragment(&mut second).await.base_dts), (144_000, 144_000));
}

#[tokio::test]
async fn one_mux_of_sound_runs_exactly_while_somebody_listens() {
    let camera = Camera::new();
    let state = || (camera.live.running(), camera.live.sounding(), camera.sounds.subscribers(), camera.pictures.subscribers());
    let eye: Viewer = camera.live.watch();
    settle().await;
    assert_eq!(state(), (true, false, 0, 1), "whoever watches costs no sound");
    let (one, two) = (camera.live.listen().unwrap(), camera.live.listen().unwrap());
    settle().await;
    assert_eq!((state(), camera.live.viewers()), ((true, true, 1, 1), 1));
    drop(one);
    settle().await;
    assert_eq!(state(), (true, true, 1, 1));
    drop(two);
    settle().await;
    assert_eq!(state(), (true, false, 0, 1));
    // Who only listens keeps the pictures' mux: their line is the sound's.
    let ear = camera.live.listen().unwrap();
    drop(eye);
    settle().await;
    assert_eq!(state(), (true, true, 1, 1));
    drop(ear);
    settle().await;
    assert_eq!(state(), (false, false, 0, 0));
}

#[tokio::test]
async fn another_law_is_told_and_the_line_goes_on() {
    let camera = Camera::new();
    let mut ear = camera.live.listen().unwrap();
    for n in 0..3 {
        camera.moment(n, AudioCodec::PcmA).await;
    }
    camera.moment(3, AudioCodec::PcmU).await;
    head(&mut ear).await;
    for n in 0..3 {
        assert_eq!(fragment(&mut ear).await.base_dts, n * 3600);
    }
    head(&mut ear).await;
    assert_eq!(fragment(&mut ear).await.base_dts, 3 * 3600);
}

#[tokio::test]
async fn a_slow_listener_loses_sound_and_nobody_else_does() {
    let camera = Camera::new();
    let (mut slow, mut quick) = (camera.live.listen().unwrap(), camera.live.listen().unwrap());
    for n in 0..1200 {
        camera.moment(n, AudioCodec::PcmA).await;
        if n == 0 {
            head(&mut quick).await;
        }
        assert_eq!(fragment(&mut quick).await.base_dts, n * 3600);
    }
    let (mut lost, mut got, mut last) = (0, 0, 0);
    while got + lost < 1200 {
        match slow.next().await.unwrap() {
            Heard::Skipped { fragments } => lost += fragments,
            Heard::Fragment { time, .. } => {
                assert!(got == 0 || time > last);
                (got, last) = (got + 1, time);
            }
            Heard::Format(_) | Heard::Init(_) => {}
        }
    }
    assert!(lost >= 500 && last == 1199 * 3600, "{lost} {last}");
}

#[tokio::test]
async fn whether_there_is_sound_is_known_from_what_came() {
    let camera = Camera::new();
    assert!(camera.live.sound_allowed() && !camera.live.has_sound());
    camera.sounds.publish(packet(0, AudioCodec::PcmA));
    assert!(camera.live.has_sound());
    // A rate that FLAC's header does not hold.
    let fast = Format::Audio(media::params::g711_format(AudioCodec::PcmA, 96_000, 1));
    camera.sounds.publish(Sample { format: Arc::new(fast), ..packet(1, AudioCodec::PcmA) });
    assert!(!camera.live.has_sound());
    let mute = LiveStream::new(camera.pictures, "cong-lang/main");
    assert!(!mute.sound_allowed() && !mute.has_sound() && mute.listen().is_none());
}
