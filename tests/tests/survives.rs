//! `kill -9` of the core: what was on the disk stays, what was in memory is at most a second, and it goes on at once.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{
    Camsim, Village,
    frames::{decoded, frames},
    until,
    village::now,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

#[tokio::test]
async fn kill_9_of_the_core_costs_at_most_a_second_and_no_older_frame() {
    let camsim = Camsim::start(&[
        "id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s",
        "id=cho,size=320x180,sub-size=160x90,fps=15,gop=1s,bframes=2",
    ])
    .await;
    let ids = ["cong", "cho"];
    let village = Village::watching(&camsim, &ids);
    let begun = now();
    let mut daemon = village.start().await;
    let api = village.admin().await;
    let mut kills = Vec::new();
    for round in 0..3 {
        for id in ids {
            api.until_link(id, "main", "ok", 20).await;
        }
        let up = now();
        for id in ids {
            api.until_recorded(id, up, 3_000_000, 30).await;
        }
        let killed = now();
        daemon.kill_9().await;
        let again = Instant::now();
        daemon = village.start().await;
        assert!(again.elapsed() < Duration::from_secs(5), "round {round}: serving again after {:?}", again.elapsed());
        kills.push(killed);
    }
    for id in ids {
        api.until_link(id, "main", "ok", 20).await;
    }
    let up = now();
    for id in ids {
        api.until_recorded(id, up, 1_500_000, 20).await;
    }

    for id in ids {
        let file = village.path().join(format!("{id}.mp4"));
        api.clip(id, "main", begun, now(), &file).await;
        let got = frames(&file);
        assert_eq!(decoded(&file), got.len(), "{id}: every frame decodes");
        let sent = camsim.sent(id, "main");
        let place: BTreeMap<&str, usize> = sent.iter().enumerate().map(|(i, s)| (s.sha256.as_str(), i)).collect();
        let places: Vec<usize> =
            got.iter().map(|f| *place.get(f.sha256.as_str()).unwrap_or_else(|| panic!("{id}: a frame nobody sent"))).collect();
        assert!(places.windows(2).all(|w| w[0] < w[1]), "{id}: in order, none twice");
        let holes: Vec<_> = places.windows(2).filter(|w| w[1] != w[0] + 1).map(|w| (w[0], w[1])).collect();
        assert_eq!(holes.len(), kills.len(), "{id}: a hole for each kill and no other: {holes:?}");
        for ((before, after), killed) in holes.iter().zip(&kills) {
            let at = |i: usize| i64::try_from(sent[i].t_ns / 1000).unwrap();
            let lost = killed.0 - at(*before);
            assert!(lost <= 1_000_000, "{id}: {lost} µs before the kill are lost");
            let down = at(*after) - killed.0;
            // Start within 2 s, then up to a GOP of 1 s until the camera's next key frame, and its own answer time.
            assert!(down <= 4_500_000, "{id}: recording again {down} µs after the kill");
            assert!(sent[*after].key, "{id}: goes on with a key frame");
        }
    }
    let (status, took) = daemon.terminate().await;
    assert!(status.success() && took < Duration::from_secs(5), "SIGTERM: {status} after {took:?}");
    camsim.stop().await;
}

#[tokio::test]
async fn sigterm_keeps_the_last_frame() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;
    until("2 s are sent", Duration::from_secs(20), || async { (camsim.sent("cong", "main").len() > 45).then_some(()) }).await;
    let asked = now();
    let (status, took) = daemon.terminate().await;
    assert!(status.success() && took < Duration::from_secs(5), "SIGTERM: {status} after {took:?}");
    let out = village.path().join("export.mp4");
    let export = village
        .matthon(
            &["export", "--camera", "cong", "--from", &begun.to_string(), "--to", &now().to_string(), "--out", out.to_str().unwrap()],
            "",
        )
        .await;
    assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
    let sent = camsim.sent("cong", "main");
    let last = frames(&out).last().unwrap().sha256.clone();
    let index = sent.iter().position(|s| s.sha256 == last).unwrap();
    let lost = asked.0 - i64::try_from(sent[index].t_ns / 1000).unwrap();
    assert!(lost <= 200_000, "{lost} µs before SIGTERM were received and not kept");
    camsim.stop().await;
}
