//! Sound beside live pictures: what a listener gets decodes to what the camera said, in step with the picture; and whoever may not
//! hear, or asks a camera whose sound is off, gets none.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use domain::WallTime;
use futures::StreamExt;
use matthon_tests::{Camsim, Village, api::Api, until, village::now};
use serde_json::Value;
use std::{path::Path, process::Command, time::Duration};
use tokio_tungstenite::tungstenite::Message;

/// Linear samples of a file's first sound, by FFmpeg; any complaint fails.
fn linear(file: &Path) -> Vec<i16> {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(file)
        .args(["-map", "0:a:0", "-f", "s16le", "-"])
        .output()
        .unwrap();
    assert!(run.status.success() && run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    run.stdout.chunks(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Where a fragment lies and how long each frame in it is, 90 kHz; `None` of an init segment. Written as ISO 14496-12 has it: one
/// `traf` of `tfhd`, `tfdt` and a `trun` with every field.
fn fragment(bytes: &[u8]) -> Option<(u64, Vec<u32>)> {
    let at = |name: &[u8; 4]| bytes.windows(4).position(|w| w == name);
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    if &bytes[4..8] != b"moof" {
        return None;
    }
    let (tfdt, trun) = (at(b"tfdt").unwrap(), at(b"trun").unwrap());
    let time = u64::from(word(tfdt + 8)) << 32 | u64::from(word(tfdt + 12));
    Some((time, (0..word(trun + 8) as usize).map(|n| word(trun + 16 + 16 * n)).collect()))
}

/// What a listener got.
struct Heard {
    format: Value,
    /// Init segment and fragments, as they came.
    file: Vec<u8>,
    /// Samples of each frame in it.
    frames: Vec<usize>,
}

/// Listens until there are so many seconds of sound.
async fn listen(api: &Api, camera: &str, seconds: u64) -> Heard {
    let mut socket = api.socket(&format!("cameras/{camera}/live/sound?stream=main")).await;
    let (mut heard, mut begun, mut end) = (Heard { format: Value::Null, file: Vec::new(), frames: Vec::new() }, None, 0);
    let mut picture: Option<u64> = None;
    let mut rate = 0;
    loop {
        let message = tokio::time::timeout(Duration::from_secs(15), socket.next()).await.expect("a message in 15 s").unwrap();
        match message {
            Message::Text(text) => {
                let text: Value = serde_json::from_str(&text).unwrap();
                if text["kind"] == "audio" {
                    assert_eq!(text["ch"], 1);
                    rate = text["sample_rate"].as_u64().unwrap();
                    heard.format = text;
                }
            }
            Message::Binary(bytes) if bytes[0] == 0 => {
                picture = fragment(&bytes[1..]).map(|(time, _)| time).or(picture);
            }
            Message::Binary(bytes) => {
                assert_eq!(bytes[0], 1);
                heard.file.extend_from_slice(&bytes[1..]);
                let Some((time, durations)) = fragment(&bytes[1..]) else { continue };
                // Never a hole, and never far from the picture.
                assert!(begun.is_none() || time == end, "{time} after {end}");
                begun.get_or_insert(time);
                end = time;
                for duration in durations.into_iter().map(u64::from) {
                    end += duration;
                    heard.frames.push(((duration * rate + 45_000) / 90_000) as usize);
                }
                if let Some(picture) = picture {
                    assert!(end.abs_diff(picture) < 4 * 90_000, "sound at {end}, the picture at {picture}");
                }
                if end - begun.unwrap() >= seconds * 90_000 {
                    return heard;
                }
            }
            _ => {}
        }
    }
}

/// The clip of what was recorded since, once it reaches beyond now.
async fn recorded(api: &Api, village: &Village, camera: &str, begun: WallTime) -> std::path::PathBuf {
    let file = village.path().join(format!("{camera}-clip.mp4"));
    let reach = now().micros_since(begun) + 1_000_000;
    api.until_recorded(camera, begun, reach, 40).await;
    api.clip(camera, "main", begun, now(), &file).await;
    file
}

#[tokio::test]
async fn g711_is_heard_sample_by_sample_as_the_camera_sent_it() {
    let specs = ["cong", "cho"].map(|id| {
        let law = if id == "cong" { "pcma" } else { "pcmu" };
        format!("id={id},size=320x180,sub-size=160x90,fps=15,sub-fps=15,gop=1s,audio={law}")
    });
    let camsim = Camsim::start(&specs.each_ref().map(String::as_str)).await;
    let village = Village::watching(&camsim, &["cong", "cho"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    for camera in ["cong", "cho"] {
        api.until_link(camera, "main", "ok", 20).await;
        until("the camera is known to have sound", Duration::from_secs(20), || async {
            let all = api.json("cameras").await;
            let one = all["cameras"].as_array().unwrap().iter().find(|c| c["id"] == camera)?.clone();
            (one["sound"]["main"] == true).then_some(())
        })
        .await;
        let begun = now();
        let heard = listen(&api, camera, 4).await;
        assert_eq!((&heard.format["codecs"], &heard.format["sample_rate"]), (&"flac".into(), &8000.into()));
        let file = village.path().join(format!("{camera}-live.mp4"));
        std::fs::write(&file, &heard.file).unwrap();
        let live = linear(&file);
        assert_eq!(live.len(), heard.frames.iter().sum::<usize>());
        // The recording has the bytes of G.711 as they came: FFmpeg's tables against ours.
        let sent = linear(&recorded(&api, &village, camera, begun).await);
        // A second of it has a tick, which is nowhere else.
        let loudest = live.iter().enumerate().max_by_key(|(_, s)| s.unsigned_abs()).unwrap();
        assert!(loudest.1.unsigned_abs() > 1000, "a tick a second");
        let (mut at, mut frame_at, mut matched, mut breaks) = (None, 0, 0, 0);
        for length in heard.frames {
            let frame = &live[frame_at..frame_at + length];
            frame_at += length;
            // Silence that the box made: the laws have no zero of this kind but µ-law's own, which comes in order as well.
            let expected = at.is_some_and(|at: usize| sent.get(at..at + length) == Some(frame));
            if expected {
                at = at.map(|at| at + length);
                matched += length;
            } else if frame.iter().any(|s| s.unsigned_abs() > 1000) {
                // A tick says where it is.
                let found = (at.unwrap_or(0)..sent.len().saturating_sub(length)).find(|n| &sent[*n..n + length] == frame);
                breaks += u32::from(at.is_some());
                at = Some(found.expect("what is heard was sent") + length);
                matched += length;
            }
        }
        assert!(matched >= 8000 && breaks <= 1, "{camera}: {matched} of {} samples in order, {breaks} breaks", live.len());
    }
    // It was written down that somebody heard.
    let log = api.json("audit?limit=20").await;
    let rows = log["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["what"] == "heard").unwrap_or_else(|| panic!("{log}"));
    assert_eq!((&row["who"], &row["subject"]), (&"quan-tri".into(), &"cho".into()));
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn aac_is_heard_as_it_came() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s,audio=aac"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;
    let begun = now();
    let heard = listen(&api, "cong", 4).await;
    assert_eq!((&heard.format["codecs"], &heard.format["mime"]), (&"mp4a.40.2".into(), &"audio/mp4; codecs=\"mp4a.40.2\"".into()));
    let file = village.path().join("live.mp4");
    std::fs::write(&file, &heard.file).unwrap();
    assert!(linear(&file).len() >= 4 * 15_000);
    let (live, sent) = (packets(&file), packets(&recorded(&api, &village, "cong", begun).await));
    assert!(live.len() > 55, "{}", live.len());
    let mut rest = sent.iter();
    let known = live.iter().filter(|packet| rest.clone().any(|s| s == *packet) && rest.by_ref().any(|s| s == *packet)).count();
    assert!(known + 8 >= live.len(), "{known} of {} packets in order; others may be silence", live.len());
    drop(daemon);
    camsim.stop().await;
}

/// Hashes of a file's packets of sound.
fn packets(file: &Path) -> Vec<String> {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0:a:0", "-c", "copy", "-f", "framemd5", "-"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).unwrap();
    text.lines().filter(|l| !l.starts_with('#')).map(|l| l.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

#[tokio::test]
async fn where_sound_is_off_none_is_heard_anywhere() {
    let camsim = Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s,audio=pcma"]).await;
    let village = Village::watching(&camsim, &["cong"]);
    village.change(&[("id = \"cong\"\n", "id = \"cong\"\naudio = false\n")]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    api.until_link("cong", "main", "ok", 20).await;
    assert_eq!(api.get("cameras/cong/live/sound").await.status(), 404);
    api.until_recorded("cong", begun, 3_000_000, 30).await;
    assert_eq!(api.json("cameras").await["cameras"][0]["sound"], serde_json::json!({"main": false, "sub": false}));
    let file = village.path().join("clip.mp4");
    api.clip("cong", "main", begun, now(), &file).await;
    let probed =
        Command::new("ffprobe").args(["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0"]).arg(&file).output().unwrap();
    let tracks = String::from_utf8_lossy(&probed.stdout).into_owned();
    assert!(tracks.contains("video") && !tracks.contains("audio"), "{tracks}");
    drop(daemon);
    camsim.stop().await;
}
