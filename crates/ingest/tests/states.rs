//! Every named state over scripted cameras, and its healing. Time is paused.

mod common;
use common::*;
use domain::{CameraId, Channel, Link, Note, StreamKind};
use matthon_ingest::{
    Packet, Reason, SimNetwork,
    sim::{Attempt, Cue},
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

fn one(attempts: impl IntoIterator<Item = Attempt>) -> (Village, Arc<SimNetwork>) {
    let network = Arc::new(SimNetwork::new());
    network.script(&CameraId::new("gate").expect("id"), Channel::Main, attempts);
    let village = Village::new(network.clone());
    village.start(target("gate", "rtsp://sim/gate"));
    (village, network)
}

fn sound() -> Attempt {
    play(AVCC_SMALL, stream(0, 10_000))
}

#[tokio::test(start_paused = true)]
async fn each_refusal_has_its_name_and_heals() {
    let named = [
        (Reason::Auth, Link::Auth),
        (Reason::NotFound, Link::NotFound),
        (Reason::Refused, Link::Refused),
        (Reason::Unreachable, Link::Unreachable),
        (Reason::Silent, Link::Silent),
        (Reason::Busy, Link::Busy),
        (Reason::Garbage, Link::Garbage),
        (Reason::Unsupported, Link::Unsupported),
    ];
    for (reason, link) in named {
        let (village, network) = one([Attempt::fail(reason), Attempt::fail(reason), sound()]);
        assert_eq!(village.link("gate", link).await.detail, reason.key());
        let health = village.link("gate", Link::Ok).await;
        assert_eq!((health.detail.as_str(), health.sessions), ("", 1));
        assert_eq!(network.connects(&CameraId::new("gate").expect("id"), Channel::Main).len(), 3);
        village.stop.cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn a_sound_stream_is_ok_with_size_rates_and_gop() {
    let (village, _) = one([sound()]);
    village.link("gate", Link::Ok).await;
    sleep(Duration::from_secs(8)).await;
    let health = village.health("gate").expect("health");
    assert_eq!(health.size, Some((128, 96)));
    assert_eq!(health.codec.as_deref(), Some("avc1.42c00a"));
    assert!((9.0..11.0).contains(&health.fps), "{}", health.fps);
    assert!(health.bitrate > 3_000 && health.last_sample.is_some());
    assert_eq!(health.gop, Some(1.0));
    assert!(health.notes.is_empty(), "{:?}", health.notes);
    let samples = village.samples("gate", StreamKind::Video);
    assert_bargain(&samples);
    assert!(samples.windows(2).all(|w| Arc::ptr_eq(&w[0].format, &w[1].format)));
    assert_eq!(samples[0].dts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_hangs_freezes_or_ends_comes_back() {
    let freezing = play(AVCC_SMALL, stream(0, 20).into_iter().chain([Cue::Freeze]));
    let (village, _) = one([Attempt::Hang, freezing, play(AVCC_SMALL, stream(0, 20)), sound()]);
    village.link("gate", Link::Silent).await;
    village.link("gate", Link::Ok).await;
    village.link("gate", Link::Frozen).await;
    village.link("gate", Link::Ok).await;
    village.link("gate", Link::Ended).await;
    assert_eq!(village.link("gate", Link::Ok).await.sessions, 3);
    let samples = village.samples("gate", StreamKind::Video);
    assert_eq!(samples.iter().filter(|s| s.loss_before).count(), 3);
    assert_bargain(&samples);
}

#[tokio::test(start_paused = true)]
async fn frames_without_a_key_frame_are_named_and_one_heals() {
    let lame = (0..200).flat_map(|n| [wait(100), video(n * 9_000, 0, p())]);
    let (village, _) = one([play(AVCC_SMALL, lame.chain(stream(200, 100)))]);
    village.link("gate", Link::NoKeyframe).await;
    assert!(village.samples("gate", StreamKind::Video).is_empty());
    assert_eq!(village.link("gate", Link::Ok).await.sessions, 1);
}

#[tokio::test(start_paused = true)]
async fn losses_and_oversized_frames_cost_the_rest_of_the_gop_and_are_noted() {
    let mut cues = stream(0, 13);
    cues.push(video(13 * 9_000, 2, p()));
    cues.extend(stream(14, 20));
    cues.push(video(34 * 9_000, 0, vec![0u8; 20_000].into()));
    cues.extend(stream(35, 100));
    let (village, _) = one([play(AVCC_SMALL, cues)]);
    village.note("gate", Note::PacketLoss).await;
    village.note("gate", Note::Oversized).await;
    village.until("both passed", |v| v.samples("gate", StreamKind::Video).len() > 50).await;
    let samples = village.samples("gate", StreamKind::Video);
    assert_bargain(&samples);
    let fresh: Vec<_> = samples.iter().filter(|s| s.loss_before).map(|s| s.pts / 9_000).collect();
    assert_eq!(fresh, [0, 20, 40]);
    sleep(Duration::from_secs(61)).await;
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_returns_with_another_resolution_changes_format() {
    let (village, _) = one([play(AVCC_SMALL, stream(0, 20)), play(AVCC_SMALL, stream(0, 20)), play(AVCC_B, stream(0, 1000))]);
    village.note("gate", Note::Changed).await;
    village.until("the new size", |v| v.health("gate").is_some_and(|h| h.size == Some((64, 64)) && h.link == Link::Ok)).await;
    let samples = village.samples("gate", StreamKind::Video);
    assert!(Arc::ptr_eq(&samples[0].format, &samples[30].format), "equal parameters keep their Arc over sessions");
    assert!(!Arc::ptr_eq(&samples[0].format, &samples[40].format));
    assert_bargain(&samples);
}

#[tokio::test(start_paused = true)]
async fn an_open_gop_starts_at_its_cra_without_the_leading_pictures() {
    // Decoding order: CRA 3, leading 1 2, trailing 4 5 6; then the next CRA in the flow keeps its leading pictures.
    let gop = |g: i64| {
        let at = move |n: i64| (g * 6 + n) * 9_000;
        [
            video(at(3), 0, cra()),
            video(at(1), 0, rasl()),
            video(at(2), 0, rasl()),
            video(at(4), 0, trail()),
            video(at(5), 0, trail()),
            wait(600),
        ]
    };
    let (village, _) = one([play(HVCC, (0..20).flat_map(gop))]);
    village.note("gate", Note::OpenGop).await;
    village.note("gate", Note::H265).await;
    village.until("frames", |v| v.samples("gate", StreamKind::Video).len() > 20).await;
    let samples = village.samples("gate", StreamKind::Video);
    assert_bargain(&samples);
    let base = samples[0].pts;
    let shown: Vec<_> = samples.iter().take(8).map(|s| (s.pts - base) / 9_000).collect();
    assert_eq!(shown, [0, 1, 2, 6, 4, 5, 7, 8]);
}

#[tokio::test(start_paused = true)]
async fn a_long_gop_is_noted() {
    let cues = (0..300).flat_map(|n| [wait(100), video(n * 9_000, 0, if n % 60 == 0 { idr() } else { p() })]);
    let (village, _) = one([play(AVCC_SMALL, cues)]);
    village.note("gate", Note::LongGop).await;
    assert_eq!(village.health("gate").and_then(|h| h.gop), Some(6.0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_stream_its_session_and_others_nothing() {
    let network = Arc::new(SimNetwork::new());
    let id = |name: &str| CameraId::new(name).expect("id");
    network.script(&id("bad"), Channel::Main, [play(AVCC_SMALL, stream(0, 20).into_iter().chain([Cue::Panic])), sound()]);
    network.script(&id("good"), Channel::Main, [sound()]);
    let village = Village::new(network);
    village.start(target("bad", "rtsp://a/bad"));
    village.start(target("good", "rtsp://b/good"));
    let health = village.link("bad", Link::Garbage).await;
    assert!(health.detail.contains("a scripted defect"), "{}", health.detail);
    village.link("bad", Link::Ok).await;
    let good = village.health("good").expect("health");
    assert_eq!((good.link, good.sessions), (Link::Ok, 1));
    assert_bargain(&village.samples("bad", StreamKind::Video));
    let goods = village.samples("good", StreamKind::Video);
    assert_eq!(goods.iter().filter(|s| s.loss_before).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn thirty_channels_of_one_recorder_queue_and_all_arrive() {
    let network = Arc::new(SimNetwork::new());
    let village = Village::new(network.clone());
    let names: Vec<_> = (0..30).map(|n| format!("c{n}")).collect();
    for name in &names {
        network.script(&CameraId::new(name).expect("id"), Channel::Main, [sound()]);
        village.start(target(name, "rtsp://recorder/x"));
    }
    village.until("queued", |v| v.board.all().iter().any(|(_, _, h)| h.link == Link::Queued)).await;
    village.until("all up", |v| v.board.up() == (30, 30)).await;
    let mut begun: Vec<_> = names.iter().map(|n| network.connects(&CameraId::new(n).expect("id"), Channel::Main)[0]).collect();
    begun.sort();
    assert!(begun.windows(2).all(|w| w[1] - w[0] >= Duration::from_millis(99)));
}

#[tokio::test(start_paused = true)]
async fn the_cameras_clock_and_unsupported_audio_are_told() {
    let offset = Cue::Send(Packet::CameraClock(1_795_430_520_000_000 + 90_000_000));
    let first = vec![offset, Cue::Send(Packet::AudioUnsupported("g722".into()))];
    let (village, _) = one([play(AVCC_SMALL, first.into_iter().chain(stream(0, 100)))]);
    village.note("gate", Note::AudioUnsupported).await;
    village.link("gate", Link::Ok).await;
    let told = village.health("gate").and_then(|h| h.clock_offset).expect("offset");
    assert!((told - 90.0).abs() < 1.0, "{told}");
}

#[tokio::test(start_paused = true)]
async fn stop_ends_a_stream_wherever_it_is() {
    for attempt in [Attempt::Hang, Attempt::fail(Reason::Auth), sound(), play(AVCC_SMALL, [Cue::Freeze])] {
        let network = Arc::new(SimNetwork::new());
        network.script(&CameraId::new("gate").expect("id"), Channel::Main, [attempt]);
        let village = Village::new(network);
        let task = village.start(target("gate", "rtsp://sim/gate"));
        sleep(Duration::from_secs(3)).await;
        village.stop.cancel();
        tokio::time::timeout(Duration::from_secs(3), task).await.expect("in time").expect("no panic");
    }
}

#[tokio::test(start_paused = true)]
async fn untold_b_frames_are_learned_and_jumping_timestamps_healed() {
    // Decoding order 0 2 1, 4 3 … ; the SPS of this stream says reordering is possible, but the baseline one does not.
    let gop = |g: i64| {
        let at = move |n: i64, key: bool| [wait(100), video((g * 9 + n) * 9_000, 0, if key { idr() } else { p() })];
        [0, 2, 1, 4, 3, 6, 5, 8, 7].into_iter().flat_map(move |n| at(n, n == 0))
    };
    let (village, _) = one([play(AVCC_SMALL, (0..40).flat_map(gop))]);
    village.note("gate", Note::BFrames).await;
    village.until("learned", |v| v.health("gate").is_some_and(|h| h.notes.is_empty())).await;
    sleep(Duration::from_secs(10)).await;
    let samples = village.samples("gate", StreamKind::Video);
    assert_bargain(&samples);
    assert!(samples.iter().filter(|s| s.loss_before).count() <= 2);
    village.stop.cancel();

    let year = 365 * 86_400 * 90_000i64;
    let jumping = stream(0, 45).into_iter().chain(stream(0, 200).into_iter().map(move |cue| match cue {
        Cue::Send(Packet::Video { timestamp, lost, data }) => video(timestamp + year, lost, data),
        other => other,
    }));
    let (village, _) = one([play(AVCC_SMALL, jumping)]);
    village.until("beyond the jump", |v| v.samples("gate", StreamKind::Video).len() > 100).await;
    let samples = village.samples("gate", StreamKind::Video);
    assert_bargain(&samples);
    assert_eq!(samples.iter().filter(|s| s.loss_before).count(), 1, "nothing of the bitstream is missing at a jump");
    assert!(samples.windows(2).all(|w| w[1].dts - w[0].dts == 9_000));
}

#[tokio::test(start_paused = true)]
async fn audio_comes_as_samples_of_its_own_stream() {
    use domain::AudioCodec;
    use matthon_ingest::AudioParameters;
    let told = AudioParameters { codec: AudioCodec::PcmA, sample_rate: 8_000, channels: 1, config: Default::default() };
    let cues = [Cue::Send(Packet::AudioParameters(told))].into_iter().chain((0..200).flat_map(|n| {
        let audio = Cue::Send(Packet::Audio { timestamp: 5_000 + n * 800, lost: u32::from(n == 9), data: vec![0xd5; 800].into() });
        [wait(100), audio, video(n * 9_000, 0, if n % 10 == 0 { idr() } else { p() })]
    }));
    let (village, _) = one([play(AVCC_SMALL, cues)]);
    village.until("audio", |v| v.samples("gate", StreamKind::Audio).len() > 50).await;
    let samples = village.samples("gate", StreamKind::Audio);
    assert_bargain(&samples);
    assert!(samples.windows(2).all(|w| w[1].pts - w[0].pts == 9_000));
    let losses: Vec<_> = samples.iter().filter(|s| s.loss_before).map(|s| s.seq).collect();
    assert_eq!(losses, [0, 9]);
}
