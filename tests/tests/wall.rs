//! The wall through the real binary: one stream of all cameras for a TV, composed only while it is watched.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use futures::StreamExt;
use matthon_tests::{
    Camsim, Village,
    frames::{assert_contiguous, decoded, frames},
    tv::{Tv, last_luma},
    until,
    village::now,
    worker::{kill_9, workers},
};
use serde_json::json;
use std::{path::Path, process::Command, time::Duration};
use tokio_tungstenite::tungstenite::Message;

/// By night as by day, whenever the tests run.
const ALWAYS: (&str, &str) = ("[web]\n", "[wall]\noff = \"never\"\n[web]\n");

/// How much of a picture is a tile without pictures.
fn grey(luma: &[u8]) -> f64 {
    luma.iter().filter(|l| (41..=47).contains(*l)).count() as f64 / luma.len() as f64
}

/// What ffprobe says of a film: profile, level, width, height.
fn probed(file: &Path) -> String {
    let run = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=profile,level,width,height", "-of", "csv=p=0"])
        .arg(file)
        .output()
        .expect("ffprobe is installed");
    String::from_utf8_lossy(&run.stdout).trim().to_owned()
}

#[tokio::test]
async fn a_tv_sees_all_cameras_in_one_stream_while_it_watches_and_a_dead_worker_costs_the_wall_alone() {
    let camsim = Camsim::start(&[
        "id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s",
        "id=cho,variant=2,size=320x180,sub-size=160x90,fps=10,gop=1s",
    ])
    .await;
    let village = Village::watching(&camsim, &["cong", "cho"]);
    village.change(&[ALWAYS]);
    let daemon = village.start().await;
    let api = village.admin().await;
    for id in ["cong", "cho"] {
        api.until_link(id, "sub", "ok", 20).await;
    }
    // The one that looks at streams is there all the time.
    let before =
        until("the worker that looks", Duration::from_secs(10), || async { Some(workers(daemon.pid())).filter(|w| !w.is_empty()) }).await;
    let tv = Tv::pair(village.port, &api, "duty").await;
    assert_eq!(workers(daemon.pid()), before, "a TV that does not watch costs nothing");

    let film = village.path().join("wall.mp4");
    let begun = now();
    tv.film(40, &film).await;
    assert_eq!(probed(&film), "High,1920,1080,41");
    assert_eq!(decoded(&film), 40);
    let got = frames(&film);
    let keys: Vec<usize> = got.iter().enumerate().filter(|(_, f)| f.key).map(|(n, _)| n).collect();
    assert!(got[0].key && keys.windows(2).all(|k| k[1] - k[0] == 10) && keys.len() >= 4, "a key frame each second: {keys:?}");
    let took = got[39].pts - got[0].pts;
    assert!((300_000..600_000).contains(&took), "40 pictures at 10 a second, not {took} ticks");
    assert!(grey(&last_luma(&film)) < 0.2, "both cameras are shown");

    // Its worker dies while it is watched.
    let mut socket = tv.watch().await.unwrap();
    let wall = until("the wall's worker", Duration::from_secs(20), || async {
        workers(daemon.pid()).into_iter().find(|pid| !before.contains(pid))
    })
    .await;
    let mut binary = async || loop {
        let message =
            tokio::time::timeout(Duration::from_secs(40), socket.next()).await.expect("a picture in 40 s").expect("the socket stays open");
        if let Message::Binary(bytes) = message {
            return bytes;
        }
    };
    binary().await;
    kill_9(wall);
    until("another one", Duration::from_secs(20), || async {
        workers(daemon.pid()).into_iter().find(|pid| !before.contains(pid) && *pid != wall)
    })
    .await;
    // Whatever of the old ones still waited: the line goes on for seconds.
    for _ in 0..40 {
        binary().await;
    }
    assert_eq!(
        before,
        workers(daemon.pid()).into_iter().filter(|pid| before.contains(pid)).collect::<Vec<_>>(),
        "the other worker never ended"
    );
    drop(socket);
    until("nobody watches", Duration::from_secs(30), || async { (workers(daemon.pid()) == before).then_some(()) }).await;

    // Nothing recorded is missing.
    api.until_recorded("cong", now(), 1_000_000, 20).await;
    let file = village.path().join("cong.mp4");
    api.clip("cong", "main", begun, now(), &file).await;
    let _ = assert_contiguous(&frames(&file), &camsim.sent("cong", "main"));
    let (status, _) = daemon.terminate().await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn on_duty_an_open_case_grows_in_public_it_does_not_and_a_tv_that_is_let_go_sees_nothing() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=10,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong", "mat-1", "mat-2", "mat-3"]);
    village.change(&[ALWAYS]);
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "sub", "ok", 20).await;
    let duty = Tv::pair(village.port, &api, "duty").await;
    let public = Tv::pair(village.port, &api, "public").await;
    // Three of four cameras do not answer: they say so, and are three quarters of the picture.
    let quarters = |parts: std::ops::Range<f64>| move |luma: &[u8]| parts.contains(&(grey(luma) * 4.0));
    for tv in [&duty, &public] {
        tv.until_shows("three cameras without a picture", village.path(), quarters(1.9..3.1)).await;
    }
    // A case of the one that answers: it grows, and what is left for the others shrinks.
    let case: serde_json::Value = api.post("cases", &json!({"camera": "cong", "note": "xe tải chắn cổng"})).await.json().await.unwrap();
    duty.until_shows("the camera of the case is large", village.path(), quarters(0.4..1.8)).await;
    public.until_shows("nothing of it in public", village.path(), quarters(1.9..3.1)).await;
    let answered = api.post(&format!("cases/{}/answer", case["id"]), &json!({"answer": "confirm"})).await;
    assert!(answered.status().is_success());
    duty.until_shows("the others are back once it is answered", village.path(), quarters(1.9..3.1)).await;
    assert_eq!(duty.own().await["view"], json!({"page": 1, "pages": 1, "tiles": 4, "night": false, "trouble": ""}));

    let mut socket = public.watch().await.unwrap();
    assert_eq!(api.delete(&format!("tvs/{}", public.id)).await.status(), 204);
    let ended = tokio::time::timeout(Duration::from_secs(30), async { while socket.next().await.is_some() {} });
    assert!(ended.await.is_ok(), "its picture ends");
    assert_eq!(public.watch().await.err(), Some(401));
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn by_night_a_public_wall_is_a_plain_page_and_says_so() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=10,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    // All day but one minute, which is not now: this test takes less than the hours around it.
    let zoned = now().plus(Duration::from_secs(7 * 3600 + 12 * 3600));
    let minute = zoned.0.div_euclid(60_000_000).rem_euclid(1440);
    let (from, to) = ((minute + 1) % 1440, minute);
    let text = format!("[wall]\noff = \"{:02}:{:02}-{:02}:{:02}\"\n[web]\n", from / 60, from % 60, to / 60, to % 60);
    village.change(&[("[web]\n", &text)]);
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "sub", "ok", 20).await;
    let public = Tv::pair(village.port, &api, "public").await;
    assert_eq!(public.own().await["view"]["night"], true);
    let dark = |luma: &[u8]| luma.iter().filter(|l| **l < 20).count() as f64 / luma.len() as f64;
    public.until_shows("a plain page", village.path(), |luma| dark(luma) > 0.9 && luma.iter().filter(|l| **l > 200).count() > 3000).await;
    let duty = Tv::pair(village.port, &api, "duty").await;
    duty.until_shows("who is on duty sees by night", village.path(), |luma| dark(luma) < 0.5).await;
    drop(daemon);
    camsim.stop().await;
}
