//! Live pictures as files of Low-Latency HLS, read by players that know nothing of this program: ffmpeg and GStreamer.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{Camsim, Village, api::Api, frames::decoded, until};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::process::Command;

const WITHIN: Duration = Duration::from_secs(60);

/// Runs a player to its end; what it printed. It must end well within a minute.
async fn run(command: &mut Command) -> String {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let out = tokio::time::timeout(WITHIN, child.wait_with_output()).await.expect("the player ends").unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{said}");
    said
}

/// What the playlist says of itself.
async fn tag(api: &Api, path: &str, name: &str) -> Option<String> {
    let text = api.get(path).await.text().await.unwrap();
    text.lines().find_map(|line| line.strip_prefix(&format!("#EXT-X-{name}:"))).map(str::to_owned)
}

/// Every picture of ten seconds by ffmpeg, by the playlist: copied out, counted, decoded.
async fn by_ffmpeg(village: &Village, api: &Api, url: &str, codec: &str) {
    let file = village.path().join(format!("{codec}.mp4"));
    let header = format!("Authorization: Bearer {}\r\n", api.token());
    let read = ["-v", "warning", "-xerror", "-headers", &header, "-i", url, "-t", "10", "-c", "copy", "-y"];
    let said = run(Command::new("ffmpeg").args(read).arg(&file)).await;
    assert_eq!(said, "", "ffmpeg has something to say");
    let check = ["-v", "error", "-xerror", "-i", file.to_str().unwrap(), "-f", "null", "-"];
    assert_eq!(run(Command::new("ffmpeg").args(check)).await, "");
    let pictures = decoded(&file);
    assert!((148..=152).contains(&pictures), "{pictures} pictures of 15 a second for 10 s");
    let probe = ["-v", "error", "-select_streams", "v", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0"];
    let said = run(Command::new("ffprobe").args(probe).arg(&file)).await;
    assert_eq!(said.trim(), format!("{codec},320"));
}

#[tokio::test]
async fn ffmpeg_and_gstreamer_play_it_without_an_error() {
    let camsim = Camsim::start(&[
        "id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s",
        "id=cho,size=320x180,sub-size=160x90,fps=15,gop=2s,codec=h265",
    ])
    .await;
    let village = Village::watching(&camsim, &["cong", "cho"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    let url = |id: &str| format!("http://127.0.0.1:{}/api/v1/cameras/{id}/hls/index.m3u8", village.port);
    for (id, codec) in [("cong", "h264"), ("cho", "hevc")] {
        api.until_link(id, "main", "ok", 20).await;
        by_ffmpeg(&village, &api, &url(id), codec).await;
        assert_eq!(tag(&api, &format!("cameras/{id}/hls/index.m3u8"), "PART-INF").await.as_deref(), Some("PART-TARGET=0.200"));
    }
    by_gstreamer(&api, &url("cong"), village.path()).await;
    // When nobody asks any more, the muxes end.
    until("nobody watches", Duration::from_secs(40), || async {
        let metrics = api.metrics().await;
        let gauges: Vec<_> = metrics.lines().filter(|line| line.starts_with("matthon_live_viewers{")).collect();
        (!gauges.is_empty() && gauges.iter().all(|line| line.ends_with(" 0"))).then_some(())
    })
    .await;
    drop(daemon);
    camsim.stop().await;
}

/// Sixty pictures by GStreamer's own HLS element, decoded, as many files.
async fn by_gstreamer(api: &Api, url: &str, folder: &Path) {
    let header = format!("extra-headers=headers,Authorization=(string)\"Bearer {}\"", api.token());
    let files = format!("location={}/picture-%03d.raw", folder.display());
    let source = format!("location={url}");
    let line = [
        "-q",
        "souphttpsrc",
        &source,
        &header,
        "!",
        "hlsdemux",
        "!",
        "decodebin",
        "!",
        "videoconvert",
        "!",
        "video/x-raw,format=GRAY8",
        "!",
        "identity",
        "eos-after=61",
        "!",
        "multifilesink",
        &files,
    ];
    let said = run(Command::new("gst-launch-1.0").args(line)).await;
    assert!(!said.contains("ERROR") && !said.contains("WARNING"), "{said}");
    let pictures: Vec<Vec<u8>> = (0..60).map(|n| std::fs::read(folder.join(format!("picture-{n:03}.raw"))).unwrap()).collect();
    assert!(pictures.iter().all(|picture| picture.len() == 320 * 180));
    assert!(pictures.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 50, "the pictures go on");
}
