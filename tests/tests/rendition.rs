//! Renditions through the real binary: H.265 in H.264 for browsers that cannot play it, and what masks cover covered for all but the police.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use futures::{Stream, StreamExt};
use matthon_tests::{
    Camsim, Village,
    api::Api,
    frames::{decoded, frames},
    tv::{Tv, last_luma},
    until,
    village::now,
    worker::{kill_9, workers},
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio_tungstenite::tungstenite::Message;

const WITHIN: Duration = Duration::from_secs(40);

async fn next(socket: &mut (impl Stream<Item = Message> + Unpin)) -> Message {
    tokio::time::timeout(WITHIN, socket.next()).await.expect("a message in 40 s").expect("the socket is open")
}

/// The next text of a kind.
async fn told(socket: &mut (impl Stream<Item = Message> + Unpin), kind: &str) -> Value {
    loop {
        let Message::Text(text) = next(socket).await else { continue };
        let text: Value = serde_json::from_str(&text).unwrap();
        if text["type"] == kind {
            return text;
        }
    }
}

/// A film of so many pictures from a socket of one camera.
async fn film(socket: &mut (impl Stream<Item = Message> + Unpin), pictures: usize, file: &Path) {
    let (mut bytes, mut count) = (Vec::new(), 0);
    while count < pictures {
        if let Message::Binary(part) = next(socket).await {
            count += usize::from(&part[4..8] == b"moof");
            bytes.extend_from_slice(&part);
        }
    }
    std::fs::write(file, bytes).unwrap();
}

fn run(command: &mut Command) -> Vec<u8> {
    let out = command.output().expect("ffmpeg is installed");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

/// What ffprobe says of a film: codec, width, height.
fn probed(file: &Path) -> String {
    let show = ["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0"];
    String::from_utf8(run(Command::new("ffprobe").args(show).arg(file))).unwrap().trim().to_owned()
}

/// Luma of every picture of a film or of a JPEG, in the order of showing, at this size.
fn luma(file: &Path, (width, height): (usize, usize)) -> Vec<Vec<u8>> {
    let scale = format!("scale={width}:{height}:in_range=auto:out_range=limited");
    let decode = ["-map", "0:v:0", "-fps_mode", "passthrough", "-vf", &scale, "-pix_fmt", "gray", "-f", "rawvideo", "-"];
    let bytes = run(Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(file).args(decode));
    bytes.chunks_exact(width * height).map(<[u8]>::to_vec).collect()
}

/// Peak signal to noise, dB.
fn psnr(a: &[u8], b: &[u8]) -> f64 {
    let square: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 / (square / a.len() as f64).max(1e-9)).log10()
}

/// The presentation times of a film, in the order of showing.
fn times(file: &Path) -> Vec<i64> {
    let mut all: Vec<i64> = frames(file).iter().map(|f| f.pts).collect();
    all.sort_unstable();
    all
}

/// Workers beside those that were there before.
fn others(core: u32, before: &[u32]) -> Vec<u32> {
    workers(core).into_iter().filter(|pid| !before.contains(pid)).collect()
}

/// The workers that are there while nobody watches.
async fn at_rest(core: u32) -> Vec<u32> {
    until("the worker that looks", Duration::from_secs(10), || async { Some(workers(core)).filter(|w| !w.is_empty()) }).await
}

#[tokio::test]
async fn what_no_browser_plays_comes_in_h264_with_the_cameras_own_pictures_and_times() {
    let camsim =
        Camsim::start(&["id=cho,size=640x360,sub-size=320x180,fps=15,sub-fps=15,gop=1s,codec=h265,sub-codec=h265,bframes=2"]).await;
    let village = Village::watching(&camsim, &["cho"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    for stream in ["main", "sub"] {
        api.until_link("cho", stream, "ok", 20).await;
    }
    let before = at_rest(daemon.pid()).await;
    let mut plain = api.socket("cameras/cho/live?stream=sub").await;
    assert!(told(&mut plain, "format").await["codecs"].as_str().unwrap().starts_with("hvc1"));
    assert_eq!(workers(daemon.pid()), before, "who can play what the camera sends costs nothing");
    // Also who asks for the large picture gets the small one: it is less to convert.
    let mut made = api.socket("cameras/cho/live?stream=main&codec=h264").await;
    let text = told(&mut made, "format").await;
    assert!(text["codecs"].as_str().unwrap().starts_with("avc1."), "{text}");
    assert_eq!((&text["converted"], &text["stream"], text.get("covered")), (&true.into(), &"sub".into(), None), "{text}");
    let (ours, theirs) = (village.path().join("h264.mp4"), village.path().join("h265.mp4"));
    // Longer than the other by what a worker may take to start: where not all pictures meet, the shift that most meet at is a wrong one.
    let ((), ()) = tokio::join!(film(&mut made, 60, &ours), film(&mut plain, 150, &theirs));
    assert_eq!((probed(&ours).as_str(), probed(&theirs).as_str()), ("h264,320,180", "hevc,320,180"));
    assert_eq!(decoded(&ours), 60, "every picture is decoded, without an error");
    let keys: Vec<i64> = frames(&ours).iter().filter(|f| f.key).map(|f| f.pts).collect();
    assert!(keys.len() >= 3 && keys.windows(2).all(|k| (80_000..110_000).contains(&(k[1] - k[0]))), "a key frame a second: {keys:?}");
    // The same moments show the same: the clock painted on them and all that moves.
    let (our_times, their_times) = (times(&ours), times(&theirs));
    let (our_luma, their_luma) = (luma(&ours, (320, 180)), luma(&theirs, (320, 180)));
    let shift = best_shift(&our_times, &their_times);
    let mut compared = Vec::new();
    for (n, at) in our_times.iter().enumerate() {
        let Some(there) = their_times.iter().position(|t| (t + shift - at).abs() < 100).filter(|m| *m < their_luma.len()) else { continue };
        compared.push(psnr(&our_luma[n], &their_luma[there]));
    }
    let worst = compared.iter().copied().fold(f64::INFINITY, f64::min);
    println!("{} pictures compared, the worst at {worst:.1} dB", compared.len());
    assert!(compared.len() >= 30 && worst > 28.0, "{compared:?}");

    // Its worker dies while it is watched: another one goes on at a key frame, on the same socket.
    let worker = others(daemon.pid(), &before)[0];
    kill_9(worker);
    until("another one", Duration::from_secs(20), || async { others(daemon.pid(), &before).into_iter().find(|pid| *pid != worker) }).await;
    for _ in 0..60 {
        while !matches!(next(&mut made).await, Message::Binary(_)) {}
    }
    assert!(before.iter().all(|pid| workers(daemon.pid()).contains(pid)), "the other worker never ended");
    drop((made, plain));
    until("it ends when nobody watches", Duration::from_secs(30), || async { (workers(daemon.pid()) == before).then_some(()) }).await;
    let (status, _) = daemon.terminate().await;
    assert!(status.success(), "{status}");
    camsim.stop().await;
}

/// How far one film's times are from the other's: the shift at which most of them meet.
fn best_shift(ours: &[i64], theirs: &[i64]) -> i64 {
    let meet = |shift: i64| ours.iter().filter(|at| theirs.iter().any(|t| (t + shift - **at).abs() < 100)).count();
    let shifts = ours.iter().take(3).flat_map(|at| theirs.iter().map(move |t| at - t));
    shifts.filter(|s| s.abs() <= 18_000).max_by_key(|s| (meet(*s), -s.abs())).unwrap()
}

#[tokio::test]
async fn four_at_a_time_two_for_each_and_the_fifth_is_refused_by_name_until_there_is_room() {
    let ids = ["c1", "c2", "c3", "c4", "c5"];
    let specs = ids.map(|id| format!("id={id},size=320x180,sub-size=160x90,fps=5,sub-fps=5,gop=1s,codec=h265,sub-codec=h265"));
    let camsim = Camsim::start(&specs.each_ref().map(String::as_str)).await;
    let village = Village::watching(&camsim, &ids);
    let daemon = village.start().await;
    let (api, other) = (village.admin().await, village.person("can-bo", "official").await);
    for id in ids {
        api.until_link(id, "sub", "ok", 30).await;
    }
    let before = at_rest(daemon.pid()).await;
    let mut socket = api.socket("live?cameras=c1,c2,c3&stream=sub&codec=h264").await;
    let refused = told(&mut socket, "refused").await;
    assert_eq!((&refused["ch"], &refused["kind"]), (&2.into(), &"renditions-yours".into()), "one leaves some to others: {refused}");
    moving(&mut socket, &[0, 1]).await;
    let mut others_socket = other.socket("live?cameras=c3,c4&stream=sub&codec=h264").await;
    moving(&mut others_socket, &[0, 1]).await;
    assert_eq!(others(daemon.pid(), &before).len(), 4);
    let third = village.person("can-bo-hai", "official").await;
    let answer = third.get("cameras/c5/hls/index.m3u8?stream=sub&codec=h264").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.unwrap()["kind"], "renditions-full");
    // One that is made already is for everybody.
    let mut again = third.socket("cameras/c2/live?stream=sub&codec=h264").await;
    assert_eq!(told(&mut again, "format").await["converted"], true);
    drop((socket, others_socket, again));
    until("they end when nobody watches", Duration::from_secs(30), || async { (workers(daemon.pid()) == before).then_some(()) }).await;
    let mut fifth = third.socket("cameras/c5/live?stream=sub&codec=h264").await;
    assert_eq!(told(&mut fifth, "format").await["converted"], true);
    drop(daemon);
    camsim.stop().await;
}

/// Waits until pictures came in each of these places of a socket, and in no other.
async fn moving(socket: &mut (impl Stream<Item = Message> + Unpin), places: &[u8]) {
    let mut shown = std::collections::BTreeSet::new();
    while shown.len() < places.len() {
        if let Message::Binary(bytes) = next(socket).await
            && &bytes[5..9] == b"moof"
        {
            shown.insert(bytes[0]);
        }
    }
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), places);
}

/// The darkest and the brightest luma of a part of a picture, in fractions of it.
fn range(luma: &[u8], (width, height): (usize, usize), x: (f64, f64), y: (f64, f64)) -> (u8, u8) {
    let part = |v: f64, all: usize| (v * all as f64).round() as usize;
    let pixels = (part(y.0, height)..part(y.1, height))
        .flat_map(|row| luma[row * width + part(x.0, width)..row * width + part(x.1, width)].to_vec());
    pixels.fold((255, 0), |(least, most), v| (least.min(v), most.max(v)))
}

/// The right half is masked, down to nine tenths.
const MASKS: &str = "masks = [[[0.5, 0.0], [1.0, 0.0], [1.0, 0.9], [0.5, 0.9]]]\n";

/// Whether all of the masked half is black, and the other half is a picture.
fn covered(luma: &[u8], size: (usize, usize)) -> bool {
    let (masked, open) = (range(luma, size, (0.5, 1.0), (0.0, 0.9)), range(luma, size, (0.0, 0.48), (0.0, 0.9)));
    masked.1 < 40 && open.1 > 120
}

async fn still(api: &Api, path: &str, file: PathBuf) -> Vec<u8> {
    let answer = api.get(path).await;
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
    std::fs::write(&file, bytes).unwrap();
    luma(&file, (320, 180)).remove(0)
}

#[tokio::test]
async fn what_a_mask_covers_only_the_police_see() {
    const SIZE: (usize, usize) = (320, 180);
    let camsim = Camsim::start(&["id=cong,size=640x360,sub-size=320x180,fps=10,sub-fps=10,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    village.change(&[("name = \"cong\"\n", &format!("name = \"cong\"\n{MASKS}")), ("[web]\n", "[wall]\noff = \"never\"\n[web]\n")]);
    let daemon = village.start().await;
    let admin = village.admin().await;
    let (official, police) = (village.person("can-bo", "official").await, village.person("thieu-ta", "police").await);
    for stream in ["main", "sub"] {
        admin.until_link("cong", stream, "ok", 20).await;
    }
    let begun = now();
    for (stream, size) in [("sub", SIZE), ("main", (640, 360))] {
        for (who, api, masked) in [("official", &official, true), ("admin", &admin, true), ("police", &police, false)] {
            let mut socket = api.socket(&format!("cameras/cong/live?stream={stream}")).await;
            let text = told(&mut socket, "format").await;
            assert_eq!((text["covered"] == true, &text["stream"]), (masked, &stream.into()), "{who} {text}");
            let file = village.path().join("live.mp4");
            film(&mut socket, 15, &file).await;
            let pictures = luma(&file, size);
            assert_eq!(pictures.len(), 15);
            assert!(pictures.iter().all(|p| covered(p, size) == masked), "{who} sees {stream} covered: {masked}");
        }
    }
    // By HLS, as ffmpeg plays it.
    for (api, masked) in [(&official, true), (&police, false)] {
        let (url, file) =
            (format!("http://127.0.0.1:{}/api/v1/cameras/cong/hls/index.m3u8?stream=sub", village.port), village.path().join("hls.mp4"));
        let header = format!("Authorization: Bearer {}\r\n", api.token());
        let read = ["-v", "error", "-headers", &header, "-i", &url, "-t", "2", "-c", "copy", "-y"];
        let mut command = tokio::process::Command::new("ffmpeg");
        let played = tokio::time::timeout(Duration::from_secs(60), command.args(read).arg(&file).kill_on_drop(true).output()).await;
        assert!(played.expect("it ends").unwrap().status.success());
        let pictures = luma(&file, SIZE);
        assert!(pictures.len() > 10 && pictures.iter().all(|p| covered(p, SIZE) == masked));
    }
    // Single pictures, of now and of before; they are black for everybody.
    official.until_recorded("cong", begun, 3_000_000, 20).await;
    for stream in ["main", "sub"] {
        let shown = still(&official, &format!("cameras/cong/snapshot.jpg?stream={stream}"), village.path().join("now.jpg")).await;
        assert!(covered(&shown, SIZE), "a picture of now, {stream}");
    }
    let at = begun.plus(Duration::from_secs(2));
    assert!(covered(&still(&official, &format!("cameras/cong/picture.jpg?at={at}"), village.path().join("then.jpg")).await, SIZE));
    // The past: for the police as it was recorded, for nobody else.
    let clip = format!("cameras/cong/clip.mp4?from={begun}&to={}", begun.plus(Duration::from_secs(2)));
    for api in [&official, &admin] {
        let answer = api.get(&clip).await;
        assert_eq!(answer.status(), 403);
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["kind"] == "masked" && problem["detail"].as_str().unwrap().contains("police"), "{problem}");
    }
    let file = village.path().join("clip.mp4");
    police.clip("cong", "main", begun, begun.plus(Duration::from_secs(2)), &file).await;
    assert!(luma(&file, (640, 360)).iter().all(|p| !covered(p, (640, 360))));
    // TVs, in the hall and on duty: one tile as large as the screen allows, below the line at its top.
    for mode in ["duty", "public"] {
        let tv = Tv::pair(village.port, &admin, mode).await;
        let file = village.path().join("tv.mp4");
        let black = until("the wall shows the camera", Duration::from_secs(60), || async {
            tv.film(12, &file).await;
            let shown = last_luma(&file);
            let open = range(&shown, (1920, 1080), (0.1, 0.45), (0.2, 0.6));
            (open.1 > 120).then(|| range(&shown, (1920, 1080), (0.51, 0.95), (0.08, 0.85)))
        })
        .await;
        assert!(black.1 < 40, "{mode}: {black:?}");
    }
    drop(daemon);
    camsim.stop().await;
}
