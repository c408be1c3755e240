//! WebRTC with somebody else's WebRTC: webrtc-rs asks the real binary by WHEP, over a line that loses every tenth packet.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod client;
mod film;

use client::Client;
use film::Picture;
use matthon_tests::{Camsim, Village, api::Api, camsim::Sent, until};
use std::{
    collections::{HashMap, HashSet},
    sync::atomic::Ordering::SeqCst,
    time::Duration,
};

/// Of what is pressed together no picture is so far from the one before it, 90 kHz.
const PRESSED: u32 = 1000;

/// How many watch by WebRTC, as the box counts them.
async fn watching(api: &Api) -> Option<u32> {
    let metrics = api.metrics().await;
    let line = metrics.lines().find_map(|line| line.strip_prefix("matthon_webrtc_sessions "))?;
    Some(line.parse().unwrap())
}

/// Where each picture is in what the camera sent.
fn places(pictures: &[Picture], sent: &[Sent]) -> Vec<usize> {
    let all: HashMap<&str, usize> = sent.iter().enumerate().map(|(n, one)| (one.sha256.as_str(), n)).collect();
    pictures.iter().map(|p| *all.get(p.sha256.as_str()).unwrap_or_else(|| panic!("the camera sent no such picture: {p:?}"))).collect()
}

fn one_after_the_other(places: &[usize]) -> bool {
    places.windows(2).all(|two| two[1] == two[0] + 1)
}

#[tokio::test]
async fn another_implementation_is_shown_what_the_camera_sends_whatever_its_line_loses() {
    let camsim = Camsim::start(&["id=cong,size=640x360,sub-size=160x90,fps=15,gop=2s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;
    let mut client = Client::watch(&api, "cameras/cong/webrtc?stream=main").await;
    let mut shown = vec![client.next().await];
    assert!(shown[0].begins(), "{:?}", shown[0]);
    assert_eq!(watching(&api).await, Some(1));
    let mut live = 0;
    while live < 60 {
        let picture = client.next().await;
        live += usize::from(picture.rtp.wrapping_sub(shown.last().unwrap().rtp) > PRESSED);
        shown.push(picture);
    }

    // Whoever lost the thread gets the group of pictures again, not only its next one.
    let known: HashSet<String> = shown.iter().map(|p| p.sha256.clone()).collect();
    let (mut after, mut again) = (Vec::new(), None);
    while again.is_none() {
        if after.len() % 45 == 0 {
            client.ask_for_a_key_frame().await;
        }
        assert!(after.len() < 180, "it was asked four times");
        let picture = client.next().await;
        let repeated = known.contains(&picture.sha256) || after.iter().any(|p: &Picture| p.sha256 == picture.sha256);
        if repeated {
            assert!(picture.begins(), "{picture:?}");
            again = Some(after.len());
        }
        after.push(picture);
    }
    let mut rejoined = after.split_off(again.unwrap());
    shown.extend(after);
    while rejoined.len() < 45 {
        rejoined.push(client.next().await);
    }

    let sent = camsim.sent("cong", "main");
    let (first, second) = (places(&shown, &sent), places(&rejoined, &sent));
    assert!(one_after_the_other(&first) && one_after_the_other(&second), "{first:?} {second:?}");
    assert!(second.last() > first.last(), "it goes on");
    assert!(shown.iter().chain(&rejoined).zip(first.iter().chain(&second)).all(|(picture, n)| picture.begins() == sent[*n].key));
    // The distances of the camera, wherever it is not pressed together.
    for (pictures, places) in [(&shown, &first), (&rejoined, &second)] {
        for (two, at) in pictures.windows(2).zip(places.windows(2)) {
            let (ours, theirs) = (two[1].rtp.wrapping_sub(two[0].rtp), sent[at[1]].pts90k - sent[at[0]].pts90k);
            assert!(ours <= PRESSED || (i64::from(ours) - theirs).abs() <= 2, "{ours} {theirs}");
        }
    }
    let (lost, mended) = (client.line.lost.load(SeqCst), client.line.mended.load(SeqCst));
    println!("{} pictures, {lost} packets lost, {mended} mended", shown.len() + rejoined.len());
    assert!(lost > 10 && mended > 10, "{lost} {mended}");

    assert_eq!(api.delete(&client.place).await.status(), 204);
    until("nobody watches", Duration::from_secs(10), || async { (watching(&api).await == Some(0)).then_some(()) }).await;
    until("it is told so", Duration::from_secs(20), || async { (!client.connected()).then_some(()) }).await;
    assert_eq!(api.delete(&client.place).await.status(), 404);
    drop(daemon);
    camsim.stop().await;
}
