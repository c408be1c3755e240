use super::{
    Camera,
    viewer::{Scene, home, host},
};
use crate::{
    crypto::Keys,
    film::Unfit,
    session::{End, Output, Refused, Session},
};
use domain::Sample;
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_millis(40);

/// Frames `from..to` in real time. The group that a joiner gets is kept up as the hub keeps it.
fn play(scene: &mut Scene, camera: &Camera, from: i64, to: i64) {
    for n in from..to {
        let sample = camera.frame(n);
        if sample.random_access {
            scene.group.clear();
        }
        scene.group.push(sample.clone());
        // What is not taken now waits in the hub; here a line that keeps up is assumed unless a test says otherwise.
        if scene.session.hungry() {
            scene.session.sample(sample, scene.now);
        }
        scene.pass(FRAME);
    }
}

fn group(camera: &Camera, from: i64, to: i64) -> Vec<Sample> {
    (from..to).map(|n| camera.frame(n)).collect()
}

#[test]
fn a_viewer_gets_the_current_group_at_once_and_then_every_frame() {
    let camera = Camera::new(30_000);
    let mut scene = Scene::new(1);
    // He comes in the middle of a group.
    scene.group = group(&camera, 0, 18);
    scene.pass(Duration::from_secs(1));
    assert!(scene.viewer.connected);
    assert_eq!(scene.joins, 1);
    let (at, newest) = scene.viewer.got.last().unwrap();
    assert!(*at - scene.begun < Duration::from_millis(500), "{:?}", *at - scene.begun);
    assert_eq!(newest.data[..], camera.shown(17));
    // Eighteen pictures, shown within two milliseconds by their times.
    let times: Vec<u64> = scene.viewer.got.iter().map(|(_, data)| data.time.numer()).collect();
    assert!(times.windows(2).all(|pair| pair[1] == pair[0] + 9), "{times:?}");
    play(&mut scene, &camera, 18, 200);
    let frames = scene.frames();
    assert_eq!(frames.len(), 200);
    (0..200).zip(&frames).for_each(|(n, frame)| assert!(*frame == camera.shown(n), "frame {n}"));
    let times: Vec<u64> = scene.viewer.got[18..].iter().map(|(_, data)| data.time.numer()).collect();
    assert!(times.windows(2).all(|pair| pair[1] == pair[0] + 3600), "the camera's own times");
    // Behind by the line and nothing more.
    let (at, _) = scene.viewer.got.last().unwrap();
    assert!(scene.now - *at < FRAME && scene.now - *at > Duration::from_millis(25), "{:?}", scene.now - *at);
}

#[test]
fn a_tenth_lost_and_packets_that_overtake_each_other_cost_no_picture() {
    let camera = Camera::new(30_000);
    for seed in 0..5 {
        let mut scene = Scene::new(seed * 10);
        for line in [&mut scene.down, &mut scene.up] {
            (line.loss, line.jitter) = (0.1, Duration::from_millis(12));
        }
        scene.pass(Duration::from_secs(4));
        assert!(scene.viewer.connected, "seed {seed}");
        play(&mut scene, &camera, 0, 500);
        // Of the very last packet nobody would know that it was lost: pictures go on.
        scene.down.loss = 0.0;
        play(&mut scene, &camera, 500, 505);
        scene.pass(Duration::from_secs(2));
        let frames = scene.frames();
        assert!(scene.down.lost > 200, "{} lost of {}", scene.down.lost, scene.down.carried);
        // A packet lost before the first that arrives is one nobody knows of: a browser asks for a key frame then. From the second group on
        // every picture is there.
        let missing: Vec<i64> = (25..500).filter(|n| !frames.contains(&camera.shown(*n))).collect();
        assert!(missing.is_empty(), "seed {seed}: {missing:?} of {} lost packets", scene.down.lost);
    }
}

#[test]
fn who_lost_the_thread_is_given_the_group_anew_and_then_waits_for_the_next() {
    let camera = Camera::new(8_000);
    let mut scene = Scene::new(3);
    scene.pass(Duration::from_secs(1));
    play(&mut scene, &camera, 0, 60);
    // A second of nothing: more than any retransmission mends in time.
    scene.down.loss = 1.0;
    play(&mut scene, &camera, 60, 85);
    scene.down.loss = 0.0;
    scene.viewer.got.clear();
    scene.viewer.ask();
    play(&mut scene, &camera, 85, 90);
    assert_eq!(scene.joins, 2, "by the first question");
    let frames = scene.frames();
    let begun = frames.iter().position(|frame| *frame == camera.shown(75)).expect("the key frame of now, again");
    assert!(frames[begun..].contains(&camera.shown(89)));
    // He asks again at once: not the same again, but the next key frame.
    scene.viewer.got.clear();
    scene.viewer.ask();
    play(&mut scene, &camera, 90, 110);
    assert_eq!(scene.joins, 2);
    let frames = scene.frames();
    assert!(!frames.contains(&camera.shown(95)), "nothing he could not decode");
    assert!(frames.contains(&camera.shown(100)) && frames.contains(&camera.shown(109)));
    // RTP time never goes back, whatever was shown again.
    let times: Vec<u64> = scene.viewer.got.iter().map(|(_, data)| data.time.numer()).collect();
    assert!(times.is_sorted());
}

#[test]
fn a_line_slower_than_the_camera_makes_the_session_full_and_nobody_wait() {
    let camera = Camera::new(2_000_000);
    let mut scene = Scene::new(4);
    scene.pass(Duration::from_secs(1));
    scene.session.sample(camera.frame(0), scene.now);
    scene.pass(Duration::from_millis(10));
    assert!(!scene.session.hungry(), "two megabytes at 96 Mbit/s take a sixth of a second");
    scene.pass(Duration::from_millis(250));
    assert!(scene.session.hungry());
    let whole = scene.frames();
    assert!(whole == [camera.shown(0)], "{} frames", whole.len());
}

#[test]
fn goodbyes_are_said_and_heard_by_both() {
    let camera = Camera::new(3_000);
    let mut scene = Scene::new(5);
    scene.pass(Duration::from_secs(1));
    play(&mut scene, &camera, 0, 10);
    scene.viewer.leave();
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.said, [Output::End(End::Left)]);
    let mut scene = Scene::new(6);
    scene.pass(Duration::from_secs(1));
    scene.session.leave(End::Ended);
    scene.pass(Duration::from_secs(1));
    assert!(scene.viewer.closed, "the viewer need not find out by silence");
    assert_eq!(scene.said, [Output::End(End::Ended)]);
}

#[test]
fn nobody_who_comes_and_nobody_who_is_heard_keeps_a_place() {
    let mut scene = Scene::new(7);
    scene.up.loss = 1.0;
    scene.pass(Duration::from_millis(9_900));
    assert_eq!(scene.said, []);
    scene.pass(Duration::from_millis(200));
    assert_eq!(scene.said, [Output::End(End::NeverCame)]);
    let mut scene = Scene::new(8);
    scene.pass(Duration::from_secs(1));
    assert!(scene.viewer.connected);
    scene.up.loss = 1.0;
    scene.pass(Duration::from_secs(16));
    assert_eq!(scene.said, [Output::End(End::Lost)]);
    // Long watching is no reason.
    let mut scene = Scene::new(9);
    scene.pass(Duration::from_secs(120));
    assert_eq!(scene.said, []);
}

#[test]
fn what_a_camera_begins_to_send_ends_it_by_name() {
    let camera = Camera::new(3_000);
    let mut scene = Scene::new(10);
    scene.pass(Duration::from_secs(1));
    play(&mut scene, &camera, 0, 5);
    let back = Sample { pts: 2 * 3600, ..camera.frame(6) };
    scene.session.sample(back, scene.now);
    scene.pass(FRAME);
    assert_eq!(scene.said, [Output::End(End::Unfit(Unfit::Reordered))]);
    scene.pass(FRAME);
    assert!(scene.viewer.closed);
}

#[test]
fn datagrams_of_strangers_change_nothing() {
    let camera = Camera::new(3_000);
    let mut scene = Scene::new(11);
    scene.pass(Duration::from_secs(1));
    let stranger = "192.168.1.66:1234".parse().unwrap();
    for n in 0..=255_u8 {
        for length in [0, 1, 2, 12, 20, 100, 1500] {
            scene.session.receive(stranger, &vec![n; length], scene.now);
        }
    }
    play(&mut scene, &camera, 0, 30);
    assert_eq!(scene.frames().len(), 30);
    // Rubbish of the viewer's own address is his own trouble, and no panic.
    for n in 0..=255_u8 {
        for length in [0, 1, 2, 12, 20, 100, 1500] {
            scene.session.receive(home(), &vec![n; length], scene.now);
        }
    }
    scene.pass(FRAME);
}

#[test]
fn offers_that_cannot_be_are_refused_with_what_is_wrong() {
    let keys = Keys::new().unwrap();
    let open = |offer: &str| Session::open(offer, host(), &keys, Instant::now()).map(drop);
    let head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n";
    let ice = "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdabcdabcdabcdabcdabcd\r\na=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n";
    let proof = "a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n";
    let h264 = "a=rtpmap:96 H264/90000\r\na=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n";
    let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
    assert!(open(&[head, video, ice, proof, h264].concat()).is_ok());
    let audio = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdabcdabcdabcdabcdabcd\r\na=setup:actpass\r\na=mid:1\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\n";
    assert!(
        open(&[&head.replace("BUNDLE 0", "BUNDLE 0 1"), video, ice, proof, h264, audio, proof].concat()).is_ok(),
        "sound is not sent, but may be asked for"
    );
    for (offer, wrong) in [
        (String::new(), "no line m="),
        ("rubbish".into(), "no line m="),
        ("m=video".into(), "cannot be read"),
        ([head, video].concat(), ""),
        ([head, video, ice, h264].concat(), "fingerprint"),
        ([head, video, proof, h264].concat(), "a=mid"),
        ([head, audio, proof].concat(), "m=video"),
        ([head, video, ice, proof, h264, video, ice, h264].concat(), "m=video"),
        ([head, video, ice, proof, h264, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"].concat(), "m=video"),
        ([head, video, ice, proof, "a=rtpmap:96 VP8/90000\r\n"].concat(), "H.264"),
        ([head, video, ice, proof, &h264.replace("mode=1", "mode=0")].concat(), "H.264"),
        ([head, video, &ice.replace("recvonly", "sendonly"), proof, h264].concat(), "H.264"),
    ] {
        let refused = open(&offer).expect_err(&offer).to_string();
        let said =
            if wrong == "cannot be read" { refused.contains("offer") } else { refused.to_lowercase().contains(&wrong.to_lowercase()) };
        assert!(said, "{offer}: {refused}");
        assert!(!refused.contains("0x"), "{refused}");
    }
    assert!(matches!(open(&[head, video, video].concat()), Err(Refused::Lines)));
}
