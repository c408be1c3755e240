//! Live pictures as files over a real port: what a player that follows the playlist gets, who gets nothing, and what the log says.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Audited, Role};
use media::fmp4::{parse_fragment, parse_init};
use std::time::{Duration, Instant};
use support::{Village, client, format, frame, id, kind};

const HLS: &str = "/api/v1/cameras/cong-lang/hls";

async fn text(village: &Village, path: &str, token: &str) -> String {
    let answer = village.get(path, token).await;
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["content-type"], "application/vnd.apple.mpegurl");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    answer.text().await.unwrap()
}

/// Addresses of a kind, as the playlist spells them.
fn named<'a>(playlist: &'a str, what: &str) -> Vec<&'a str> {
    playlist.split(['"', '\n']).filter(|word| word.starts_with(what)).collect()
}

fn sequence(playlist: &str) -> u64 {
    playlist.lines().find_map(|line| line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:")).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_player_that_follows_the_playlist_gets_every_frame_in_order() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Viewer);
    let (source, format) = (&village.sources[1], format());
    let send = |from: i64, to: i64| (from..to).for_each(|n| source.publish(frame(&format, "cong-lang", n)));
    let open = format!("{HLS}/index.m3u8?stream=sub");
    // The request sits the mux down; it must have before the frames come.
    let first = tokio::spawn({
        let (url, token) = (village.url(&open), token.clone());
        async move { client().get(url).bearer_auth(token).send().await.unwrap().text().await.unwrap() }
    });
    support::until("the mux runs", async || (source.subscribers() == 1).then_some(())).await;
    send(0, 61);
    assert!(first.await.unwrap().starts_with("#EXTM3U\n"));
    // Two groups of pictures, two parts of the third, and the frame that ended the second part.
    let playlist = support::until("all of it is listed", async || {
        let playlist = text(&village, &open, &token).await;
        let last = sequence(&playlist) + 2;
        playlist.contains(&format!("part-{last}-1.m4s")).then_some(playlist)
    })
    .await;
    let init = named(&playlist, "init-");
    assert_eq!(init, ["init-0.mp4?stream=sub"], "{playlist}");
    let init = village.get(&format!("{HLS}/{}", init[0]), &token).await.bytes().await.unwrap();
    assert_eq!(parse_init(&init).unwrap().len(), 1);
    // From the first segment on: whole ones, then the parts of the last, then what comes.
    let mut files: Vec<String> = named(&playlist, "seg-").into_iter().map(str::to_owned).collect();
    let last = sequence(&playlist) + files.len() as u64;
    files.extend((0..2).map(|n| format!("part-{last}-{n}.m4s?stream=sub")));
    assert_eq!(files[files.len() - 2..], named(&playlist, &format!("part-{last}-"))[..2], "{playlist}");
    let hinted = format!("part-{last}-2.m4s?stream=sub");
    assert!(playlist.ends_with(&format!("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{hinted}\"\n")), "{playlist}");
    let ask = |file: &str| client().get(village.url(&format!("{HLS}/{file}"))).bearer_auth(&token).send();
    let (waiting, reload) = (ask(&hinted), ask(&format!("index.m3u8?stream=sub&_HLS_msn={last}&_HLS_part=2")));
    let later = async {
        assert_eq!(text(&village, &open, &token).await, playlist, "nothing new while nothing came");
        send(61, 66);
    };
    let (waiting, reload, ()) = tokio::join!(waiting, reload, later);
    let reload = reload.unwrap().text().await.unwrap();
    assert!(reload.contains(&hinted), "{reload}");
    let mut got = Vec::new();
    for file in &files {
        got.extend_from_slice(&ask(file).await.unwrap().bytes().await.unwrap());
    }
    let part = waiting.unwrap();
    let length: usize = part.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let part = part.bytes().await.unwrap();
    assert_eq!(part.len(), length);
    got.extend_from_slice(&part);
    let mut rest = &got[..];
    for n in 0..65_i64 {
        let fragment = parse_fragment(rest).unwrap();
        assert_eq!(fragment.base_dts, n.cast_unsigned() * 3600);
        assert_eq!(rest[fragment.data.clone()], frame(&format, "cong-lang", n).data[..]);
        rest = &rest[fragment.end..];
    }
    assert!(rest.is_empty());
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_what_is_not_there_is_not_waited_for_long() {
    let village = Village::start(false).await;
    village.feed();
    let token = village.token("ba-thanh", Role::Official);
    let playlist = text(&village, &format!("{HLS}/index.m3u8"), &token).await;
    let last = sequence(&playlist) + named(&playlist, "seg-").len() as u64;
    for (query, name) in [
        ("_HLS_msn=x", "_HLS_msn"),
        ("_HLS_msn=-1", "_HLS_msn"),
        ("_HLS_msn=99999999999999999999", "_HLS_msn"),
        ("_HLS_part=1", "_HLS_part"),
        (&format!("_HLS_msn={last}&_HLS_part=+"), "_HLS_part"),
        (&format!("_HLS_msn={}", last + 1000), "_HLS_msn"),
        ("stream=third", "stream"),
    ] {
        let answer = village.get(&format!("{HLS}/index.m3u8?{query}"), &token).await;
        assert_eq!(answer.status(), 400, "{query}");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["parameter"], name, "{query}");
    }
    let files = ["seg-1.m4s", "part-1-1.m4s", "init-9.mp4", "seg-01.m4s", "..%2Findex.m3u8", "seg-.m4s", "x"];
    for file in files {
        assert_eq!(kind(village.get(&format!("{HLS}/{file}"), &token).await).await, (404, "unknown".into()), "{file}");
    }
    // Who may not see the camera learns nothing of it; who is not signed in, either.
    let near = village.token("ong-ba", Role::Official);
    village.store.set_cameras("ong-ba", Some(&[id("nha-van-hoa")])).unwrap();
    for file in ["index.m3u8", named(&playlist, "seg-")[0]] {
        assert_eq!(kind(village.get(&format!("{HLS}/{file}"), &near).await).await, (404, "unknown".into()), "{file}");
        assert_eq!(kind(client().get(village.url(&format!("{HLS}/{file}"))).send().await.unwrap()).await, (401, "sign-in".into()));
    }
    // A camera that sends nothing.
    let begun = Instant::now();
    let silent = village.get("/api/v1/cameras/nha-van-hoa/hls/index.m3u8", &near).await;
    assert_eq!(silent.headers()["retry-after"], "5");
    assert_eq!(kind(silent).await, (503, "no-picture".into()));
    assert!(begun.elapsed() < Duration::from_secs(12));
    // A file is nothing that begins a viewing.
    assert_eq!(village.get("/api/v1/cameras/nha-van-hoa/hls/seg-1.m4s", &near).await.status(), 404);
    // Signed out: the very next request is refused.
    village.store.revoke_tokens("ba-thanh").unwrap();
    assert_eq!(village.get(&format!("{HLS}/index.m3u8"), &token).await.status(), 401);
}

#[tokio::test]
async fn a_viewing_is_one_row_however_long_and_the_next_is_another() {
    let village = Village::start(false).await;
    village.feed();
    let token = village.token("ba-thanh", Role::Official);
    let rows = || village.store.audit_rows(None, 100).unwrap();
    for _ in 0..10 {
        let playlist = text(&village, &format!("{HLS}/index.m3u8"), &token).await;
        for file in [named(&playlist, "init-")[0], *named(&playlist, "seg-").last().unwrap()] {
            assert_eq!(village.get(&format!("{HLS}/{file}"), &token).await.status(), 200, "{file}");
        }
        // An hour and a half in all, without a pause of ten minutes.
        village.clock.advance(Duration::from_secs(590));
    }
    let first = rows();
    assert_eq!(first.len(), 1, "{first:?}");
    let row = &first[0];
    assert_eq!((row.what.as_str(), row.who.as_str(), row.subject.as_str()), (Audited::Live.as_str(), "ba-thanh", "cong-lang"));
    assert_eq!(row.detail, "hls");
    village.clock.advance(Duration::from_secs(601));
    text(&village, &format!("{HLS}/index.m3u8"), &token).await;
    assert_eq!(rows().len(), 2);
    // Who was refused saw nothing.
    assert_eq!(village.get(&format!("{HLS}/seg-1.m4s"), &token).await.status(), 404);
    assert_eq!(rows().len(), 2);
}
