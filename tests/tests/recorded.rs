//! What the camera sent is what the ring gives back: every frame, every byte, its own timing.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{
    Camsim, Village,
    frames::{assert_contiguous, decoded, frames},
    until,
    village::now,
};
use std::{path::Path, process::Command, time::Duration};

/// Records one camera until at least `frames_wanted` frames are readable, then compares.
async fn frame_exact(spec: &str, audio: bool) {
    let camsim = Camsim::start(&[&format!("id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s,{spec}")]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;

    let file = village.path().join("clip.mp4");
    let got = until("6 s of footage", Duration::from_secs(40), || async {
        let path = format!("cameras/cong/clip.mp4?from={begun}&to={}&stream=main", now());
        let response = api.get(&path).await;
        if !response.status().is_success() {
            return None;
        }
        std::fs::write(&file, response.bytes().await.unwrap()).unwrap();
        let got = frames(&file);
        (got.len() >= 90).then_some(got)
    })
    .await;
    let sent = camsim.sent("cong", "main");
    let range = assert_contiguous(&got, &sent);
    assert!(range.start <= 45, "recording began {} frames late", range.start);
    assert_eq!(decoded(&file), got.len(), "every frame decodes");
    assert_eq!(has_audio(&file), audio, "audio track");

    // The command line reads the same frames beside the running daemon.
    let out = village.path().join("export.mp4");
    let (from, to) = (begun.to_string(), now().to_string());
    let export = village.matthon(&["export", "--camera", "cong", "--from", &from, "--to", &to, "--out", out.to_str().unwrap()], "").await;
    assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
    let exported = frames(&out);
    assert!(exported.len() >= got.len());
    let _ = assert_contiguous(&exported, &camsim.sent("cong", "main"));

    let (status, took) = daemon.terminate().await;
    assert!(status.success() && took < Duration::from_secs(5), "SIGTERM: {status} after {took:?}");
    camsim.stop().await;
}

fn has_audio(file: &Path) -> bool {
    let run =
        Command::new("ffmpeg").args(["-v", "error", "-xerror", "-i"]).arg(file).args(["-map", "0:a:0", "-f", "md5", "-"]).output().unwrap();
    run.status.success()
}

#[tokio::test]
async fn h264() {
    frame_exact("codec=h264", false).await;
}

#[tokio::test]
async fn h264_with_b_frames_and_aac() {
    frame_exact("codec=h264,bframes=2,audio=aac", true).await;
}

#[tokio::test]
async fn h264_with_open_gops() {
    frame_exact("codec=h264,bframes=2,open-gop=yes", false).await;
}

#[tokio::test]
async fn h265_with_b_frames_and_open_gops() {
    frame_exact("codec=h265,bframes=2,open-gop=yes", false).await;
}

#[tokio::test]
async fn h265_with_g711() {
    frame_exact("codec=h265,audio=pcma", true).await;
}

#[tokio::test]
async fn a_range_begins_and_ends_where_asked() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;
    let (from, to) = (now(), now().plus(Duration::from_secs(4)));
    api.until_recorded("cong", from, 4_050_000, 20).await;
    let file = village.path().join("range.mp4");
    api.clip("cong", "main", from, to, &file).await;
    let got = frames(&file);
    let sent = camsim.sent("cong", "main");
    let range = assert_contiguous(&got, &sent);
    // When a frame was due: its own sending may have been late on a busy machine, the earliest of all was not.
    let micros = |i: usize| sent[i].pts90k * 100 / 9;
    let zero = range.clone().map(|i| i64::try_from(sent[i].t_ns / 1000).unwrap() - micros(i)).min().unwrap();
    let at = |i: usize| domain::WallTime(zero + micros(i));
    // Begins with the key frame at or before the start (a GOP is 1 s), ends with the last frame before the end.
    let early = from.micros_since(at(range.start));
    assert!((-50_000..=1_100_000).contains(&early), "begins {early} µs before what was asked");
    let late = at(range.end - 1).micros_since(to);
    assert!((-120_000..=50_000).contains(&late), "ends {late} µs after what was asked");

    // Half a file may be asked for, and is the same bytes.
    let path = format!("cameras/cong/clip.mp4?from={from}&to={to}&stream=main");
    let whole = api.get(&path).await.bytes().await.unwrap();
    let url = format!("http://127.0.0.1:{}/api/v1/{path}", village.port);
    let token = village.matthon(&["user", "token", "quan-tri"], "").await;
    let token = String::from_utf8(token.stdout).unwrap();
    let part = matthon_tests::http().get(url).bearer_auth(token.trim()).header("range", "bytes=1000-5999").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.unwrap(), whole.slice(1000..6000));
    drop(daemon);
    camsim.stop().await;
}
