//! Live pictures as files of Low-Latency HLS, read by players that know nothing of this program: ffmpeg and GStreamer.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use axum::http::{Uri, header::CONTENT_TYPE};
use domain::WallTime;
use matthon_tests::{
    Camsim, Village,
    api::Api,
    frames::{assert_contiguous, decoded, frames},
    until,
};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
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
async fn by_ffmpeg(village: &Village, api: &Api, url: &str, codec: &str) -> PathBuf {
    let file = village.path().join(format!("{codec}.mp4"));
    let header = format!("Authorization: Bearer {}\r\n", api.token());
    // Not its warnings: it says “duplicated MOOV” at each reload of any live playlist with an EXT-X-MAP.
    let read = ["-v", "error", "-xerror", "-headers", &header, "-i", url, "-t", "10", "-c", "copy", "-y"];
    let said = run(Command::new("ffmpeg").args(read).arg(&file)).await;
    assert_eq!(said, "", "ffmpeg has something to say");
    let pictures = decoded(&file);
    assert!((148..=152).contains(&pictures), "{pictures} pictures of 15 a second for 10 s");
    let probe = ["-v", "error", "-select_streams", "v", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0"];
    let said = run(Command::new("ffprobe").args(probe).arg(&file)).await;
    assert_eq!(said.trim(), format!("{codec},320"));
    file
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
    let api = Arc::new(village.admin().await);
    let url = |id: &str| format!("http://127.0.0.1:{}/api/v1/cameras/{id}/hls/index.m3u8", village.port);
    for (id, codec) in [("cong", "h264"), ("cho", "hevc")] {
        api.until_link(id, "main", "ok", 20).await;
        let file = by_ffmpeg(&village, &api, &url(id), codec).await;
        let _ = assert_contiguous(&frames(&file), &camsim.sent(id, "main"));
        assert_eq!(tag(&api, &format!("cameras/{id}/hls/index.m3u8"), "PART-INF").await.as_deref(), Some("PART-TARGET=0.200"));
    }
    near_the_edge(&api, "cameras/cong/hls/index.m3u8").await;
    by_gstreamer(Arc::clone(&api), "cameras/cong/hls/index.m3u8", village.path()).await;
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

/// Where the newest part began, by the playlist's own times; and where the next one will be: `_HLS_msn`, `_HLS_part`.
fn newest(playlist: &str) -> (WallTime, String) {
    let (mut at, mut last, mut next) = (WallTime::from_secs(0), 0.0, String::new());
    for line in playlist.lines() {
        if let Some(time) = line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:") {
            (at, last) = (WallTime::parse(time).unwrap(), 0.0);
        } else if let Some(part) = line.strip_prefix("#EXT-X-PART:DURATION=") {
            at = at.plus(Duration::from_secs_f64(last));
            last = part.split(',').next().unwrap().parse().unwrap();
        } else if let Some((_, hint)) = line.split_once("URI=\"part-").filter(|_| line.starts_with("#EXT-X-PRELOAD-HINT")) {
            let (segment, part) = hint.split('.').next().unwrap().split_once('-').unwrap();
            next = format!("_HLS_msn={segment}&_HLS_part={part}");
        }
    }
    (at, next)
}

/// How old the first frame of a part is when a player that waits for it hears of it.
async fn near_the_edge(api: &Api, path: &str) {
    let mut playlist = api.get(path).await.text().await.unwrap();
    let mut ages = Vec::new();
    for _ in 0..50 {
        let (before, next) = newest(&playlist);
        playlist = api.get(&format!("{path}?{next}")).await.text().await.unwrap();
        let (at, _) = newest(&playlist);
        assert!(at > before, "{playlist}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        ages.push(i64::try_from(now.as_micros()).unwrap() - at.0);
    }
    ages.sort_unstable();
    println!("age of a part's first frame at its player: median {} ms, most {} ms", ages[25] / 1000, ages[49] / 1000);
    // A part and what a busy machine adds; three parts is what a player keeps as its distance.
    assert!(ages[25] < 600_000, "{ages:?}");
}

/// A door that signs in for whoever comes through it: GStreamer's HLS element takes no header along to what a playlist names.
async fn signed_in(api: Arc<Api>) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let pass = move |uri: Uri| {
        let api = Arc::clone(&api);
        async move {
            let answer = api.get(uri.path_and_query().unwrap().as_str().trim_start_matches('/')).await;
            let (status, kind) = (answer.status(), answer.headers()["content-type"].clone());
            (status, [(CONTENT_TYPE, kind)], answer.bytes().await.unwrap())
        }
    };
    let door = tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(pass)).await.unwrap() });
    (address, door)
}

/// Sixty pictures by GStreamer's own HLS element, decoded, as many files.
async fn by_gstreamer(api: Arc<Api>, path: &str, folder: &Path) {
    let (address, door) = signed_in(api).await;
    let files = format!("location={}/picture-%03d.raw", folder.display());
    let source = format!("uri={address}/{path}");
    let line = "-q uridecodebin3 SOURCE ! videoconvert ! video/x-raw,format=GRAY8 ! identity eos-after=61 ! multifilesink FILES";
    let words = line.split(' ').map(|word| match word {
        "SOURCE" => source.as_str(),
        "FILES" => files.as_str(),
        word => word,
    });
    let said = run(Command::new("gst-launch-1.0").args(words)).await;
    door.abort();
    assert!(!said.contains("ERROR") && !said.contains("WARNING"), "{said}");
    let pictures: Vec<Vec<u8>> = (0..60).map(|n| std::fs::read(folder.join(format!("picture-{n:03}.raw"))).unwrap()).collect();
    assert!(pictures.iter().all(|picture| picture.len() == 320 * 180));
    assert!(pictures.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 50, "the pictures go on");
}
