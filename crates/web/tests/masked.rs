//! Masked cameras away from the live picture: lock screens, cameras that are gone, and each person's part of the renditions.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Audited, Channel, Clock, Role};
use std::time::Duration;
use store::{AuditEntry, KeptRow, KeptState};
use support::{
    NOON, Village, client, id, kind,
    socket::{told, watch},
    until,
};

#[tokio::test]
async fn no_lock_screen_shows_a_masked_camera() {
    let village = Village::masked().await;
    let cases = [village.raise("cong-lang", 1, 1), village.raise("nha-van-hoa", 2, 1)];
    village.fetch_evidence();
    let police = village.token("thieu-ta", Role::Police);
    for case in cases {
        let still = format!("/api/v1/cases/{case}/still.jpg");
        until("its picture is there", async || (village.get(&still, &police).await.status() == 200).then_some(())).await;
    }
    // Whoever it is for: nobody chose to look.
    for (who, role) in [("ba-thanh", "official"), ("thieu-ta", "police")] {
        let paths = cases.map(|case| village.context.glances.issue(case, who, role, village.clock.mono()).unwrap());
        let [masked, open] = paths.map(|path| client().get(village.url(&path)).send());
        assert_eq!(kind(masked.await.unwrap()).await, (404, "no-evidence".into()), "{role}");
        assert_eq!(open.await.unwrap().status(), 200, "{role}");
    }
}

#[tokio::test]
async fn what_is_kept_of_a_camera_that_is_gone_is_for_the_police() {
    let village = Village::start(false).await;
    let row = KeptRow {
        id: String::new(),
        asked: NOON,
        by: "ba-thanh".into(),
        cameras: vec![id("da-thao"), id("cong-lang")],
        from: NOON,
        to: NOON.plus(Duration::from_secs(8)),
        note: String::new(),
        until: None,
        state: KeptState::Copying,
        bytes: 0,
        trouble: String::new(),
    };
    let entry = AuditEntry {
        at: NOON,
        who: "ba-thanh".into(),
        role: "official".into(),
        what: Audited::Kept,
        subject: String::new(),
        detail: String::new(),
    };
    let kept = village.store.add_kept(&row, &entry).unwrap();
    village.context.keeping.begin(&kept, KeptRow { id: kept.clone(), ..row });
    let film = |camera: &str| format!("/api/v1/kept/{kept}/{camera}.mp4");
    let police = village.token("thieu-ta", Role::Police);
    for (name, role) in [("ba-thanh", Role::Official), ("quan-tri", Role::Admin)] {
        let token = village.token(name, role);
        // Nobody knows any more which masks it had.
        assert_eq!(kind(village.get(&film("da-thao"), &token).await).await, (403, "masked".into()), "{role}");
        assert_eq!(village.get(&film("cong-lang"), &token).await.status(), 200, "{role}");
    }
    assert_eq!(village.get(&film("da-thao"), &police).await.status(), 200);
}

#[tokio::test]
async fn one_person_takes_half_of_the_renditions_at_most() {
    let village = Village::masked().await;
    village.sends("nha-van-hoa", Channel::Main, "hvc1.1.6.L93.B0");
    let (token, other) = (village.token("ba-thanh", Role::Official), village.token("ong-ba", Role::Official));
    for name in ["cong-lang/main/covered", "cong-lang/sub/covered", "nha-van-hoa/main/h264"] {
        village.feed_rendition(name);
    }
    let mut large = watch(&village, "cameras/cong-lang/live?stream=main", &token).await;
    let mut small = watch(&village, "cameras/cong-lang/live?stream=sub", &token).await;
    let mut twice = watch(&village, "cameras/cong-lang/live?stream=sub", &token).await;
    for socket in [&mut large, &mut small, &mut twice] {
        assert_eq!(told(socket, "format").await["covered"], true);
    }
    const THIRD: &str = "cameras/nha-van-hoa/live?codec=h264";
    let refused = told(&mut watch(&village, THIRD, &token).await, "refused").await;
    assert_eq!(refused["kind"], "renditions-yours");
    assert!(refused["detail"].as_str().unwrap().contains("2 converted pictures"), "{refused}");
    let playlist = "/api/v1/cameras/nha-van-hoa/hls/index.m3u8?codec=h264";
    let answer = village.get(playlist, &token).await;
    assert_eq!(answer.headers()["retry-after"], "5");
    assert_eq!(kind(answer).await, (503, "renditions-yours".into()));
    // Others have theirs.
    assert_eq!(told(&mut watch(&village, THIRD, &other).await, "format").await["converted"], true);
    // What he leaves counts until it is certainly made no longer.
    drop(large);
    until("it is left", async || {
        let source = village.renditions.source("cong-lang/main/covered").unwrap();
        (source.subscribers() == 0).then_some(())
    })
    .await;
    assert_eq!(told(&mut watch(&village, THIRD, &token).await, "refused").await["kind"], "renditions-yours");
    village.clock.advance(Duration::from_secs(7));
    assert_eq!(told(&mut watch(&village, THIRD, &token).await, "format").await["converted"], true);
}
