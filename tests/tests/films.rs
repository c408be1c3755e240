//! Films of recordings through the real binary: covered for all but the police, in H.264 whatever the camera sent, whole until the next hole.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use domain::WallTime;
use matthon_tests::{
    Camsim, Village,
    api::Api,
    frames::{decoded, frames},
    until,
    village::now,
    worker::workers,
};
use serde_json::Value;
use std::{path::Path, process::Command, time::Duration};

const SIZE: (usize, usize) = (640, 360);
/// The right half is masked, down to nine tenths.
const MASKS: &str = "masks = [[[0.5, 0.0], [1.0, 0.0], [1.0, 0.9], [0.5, 0.9]]]\n";

/// Takes a film and says when it begins.
async fn film(api: &Api, from: WallTime, to: WallTime, file: &Path) -> WallTime {
    let answer = api.get(&format!("cameras/cong/film.mp4?from={from}&to={to}")).await;
    let (status, head) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.unwrap();
    assert!(status.is_success(), "{status} {}", String::from_utf8_lossy(&bytes));
    assert!(head["x-matthon-codecs"].to_str().unwrap().starts_with("avc1."));
    std::fs::write(file, bytes).unwrap();
    WallTime::parse(head["x-matthon-starts-at"].to_str().unwrap()).unwrap()
}

/// Luma of every picture.
fn luma(file: &Path) -> Vec<Vec<u8>> {
    let decode = ["-map", "0:v:0", "-fps_mode", "passthrough", "-vf", "scale=640:360", "-pix_fmt", "gray", "-f", "rawvideo", "-"];
    let out = Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(file).args(decode).output().expect("ffmpeg is installed");
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout.chunks_exact(SIZE.0 * SIZE.1).map(<[u8]>::to_vec).collect()
}

/// The brightest luma of the masked part, and of the other half.
fn brightest(luma: &[u8]) -> (u8, u8) {
    let rows = || luma.chunks(SIZE.0).take(SIZE.1 * 9 / 10);
    (rows().flat_map(|r| &r[SIZE.0 / 2..]).copied().max().unwrap(), rows().flat_map(|r| &r[..SIZE.0 * 48 / 100]).copied().max().unwrap())
}

#[tokio::test]
async fn the_past_of_a_masked_camera_plays_covered_for_all_but_the_police() {
    let camsim = Camsim::start(&["id=cong,size=640x360,sub-size=320x180,fps=10,sub-fps=10,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    village.change(&[("name = \"cong\"\n", &format!("name = \"cong\"\n{MASKS}"))]);
    let daemon = village.start().await;
    let admin = village.admin().await;
    let (official, police) = (village.person("can-bo", "official").await, village.person("thieu-ta", "police").await);
    admin.until_link("cong", "main", "ok", 20).await;
    let begun = now();
    admin.until_recorded("cong", begun, 6_000_000, 30).await;
    // From the middle of a group to the middle of another.
    let (from, to) = (begun.plus_micros(1_300_000), begun.plus_micros(5_300_000));
    let before =
        until("the worker that looks", Duration::from_secs(10), || async { Some(workers(daemon.pid())).filter(|w| !w.is_empty()) }).await;
    for (who, api, masked) in [("official", &official, true), ("admin", &admin, true), ("police", &police, false)] {
        let file = village.path().join("film.mp4");
        let starts = film(api, from, to, &file).await;
        assert!((0..=100_000).contains(&starts.micros_since(from)), "{who}: the first picture at or behind the start: {starts} {from}");
        // The box may still be learning how far away the camera is.
        assert!((39..=41).contains(&decoded(&file)), "{who}: every picture of four seconds, ten a second: {}", decoded(&file));
        let times: Vec<_> = frames(&file).iter().map(|f| f.pts).collect();
        assert!(times[0] == 0 && times.windows(2).all(|t| (8_000..10_000).contains(&(t[1] - t[0]))), "{times:?}");
        for picture in luma(&file) {
            let (covered, open) = brightest(&picture);
            assert!(open > 120 && (covered < 40) == masked, "{who}: {covered} {open}");
        }
    }
    until("its worker ends with it", Duration::from_secs(20), || async { (workers(daemon.pid()) == before).then_some(()) }).await;
    let nothing =
        official.get(&format!("cameras/cong/film.mp4?from={}&to={}", begun.plus_micros(-90_000_000), begun.plus_micros(-60_000_000))).await;
    assert_eq!(nothing.status(), 404);
    assert_eq!(nothing.json::<Value>().await.unwrap()["kind"], "no-recording");
    assert!(!daemon.log_text().contains("panicked"), "{}", daemon.log_text());
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn h265_becomes_h264_and_a_film_ends_where_the_recording_has_a_hole() {
    let camsim =
        Camsim::start(&["id=cong,size=640x360,sub-size=320x180,fps=10,sub-fps=10,gop=1s,codec=h265,sub-codec=h265,bframes=2"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;
    let begun = now();
    api.until_recorded("cong", begun, 3_000_000, 30).await;
    daemon.kill_9().await;
    let killed = now();
    let daemon = village.start().await;
    let api = village.admin_again().await;
    api.until_link("cong", "main", "ok", 20).await;
    api.until_recorded("cong", now(), 2_000_000, 30).await;
    let end = now();
    let (first, second) = (village.path().join("first.mp4"), village.path().join("second.mp4"));
    let from = begun.plus_micros(500_000);
    let starts = film(&api, from, end, &first).await;
    let shown = frames(&first);
    let ends = starts.plus_micros((shown.last().unwrap().pts + 9000) * 100 / 9);
    assert!(ends < killed.plus_micros(200_000) && killed.micros_since(ends) < 1_500_000, "it ends at the hole: {ends} {killed}");
    assert_eq!(decoded(&first), shown.len());
    let goes_on = film(&api, ends.plus_micros(1_000), end, &second).await;
    assert!(goes_on > killed, "the next one begins behind it: {goes_on} {killed}");
    assert!(decoded(&second) >= 10);
    assert!(luma(&second).iter().all(|p| brightest(p).1 > 120));
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn a_film_that_nobody_takes_leaves_no_worker_behind() {
    let camsim = Camsim::start(&["id=cong,size=640x360,sub-size=320x180,fps=10,sub-fps=10,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;
    let begun = now();
    api.until_recorded("cong", begun, 4_000_000, 30).await;
    let before =
        until("the worker that looks", Duration::from_secs(10), || async { Some(workers(daemon.pid())).filter(|w| !w.is_empty()) }).await;
    // The head is there with the first picture; nothing of it is taken.
    let answer = api.get(&format!("cameras/cong/film.mp4?from={begun}&to={}", begun.plus_micros(4_000_000))).await;
    assert_eq!(answer.status(), 200);
    drop(answer);
    until("its worker ends", Duration::from_secs(20), || async { (workers(daemon.pid()) == before).then_some(()) }).await;
    drop(daemon);
    camsim.stop().await;
}
