//! Addresses that strangers make up, what ends in the middle, and a camera that is not on somebody's list: on every way there is.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::Role;
use futures::StreamExt;
use matthon_web::endpoints::{Method, table};
use serde_json::json;
use std::time::Duration;
use support::{NOON, Village, client, id, kind, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

/// An address exactly as it is written: a client library would tidy it first. The status, and the body.
async fn raw(village: &Village, target: &str, token: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(village.address).await.unwrap();
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n", village.address);
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(30), socket.read_to_end(&mut answer)).await.expect("an answer, and an end").unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{target}: {text}"));
    (status, text)
}

#[tokio::test]
async fn hls_addresses_that_nobody_was_given_lead_nowhere() {
    let village = Village::start(false).await;
    village.feed();
    let token = village.token("ba-thanh", Role::Official);
    let hls = "/api/v1/cameras/cong-lang/hls";
    let playlist = village.get(&format!("{hls}/index.m3u8"), &token).await.text().await.unwrap();
    assert!(playlist.contains("init-"), "{playlist}");
    let far = "9".repeat(400);
    let files = [
        "seg-18446744073709551615.m4s",
        "seg-18446744073709551616.m4s",
        "seg--1.m4s",
        "seg-1e3.m4s",
        "seg-0x1.m4s",
        "seg-%31.m4s%00",
        "seg-1.m4s%20",
        "seg-\u{661}.m4s",
        "part-1.m4s",
        "part-1-.m4s",
        "part-999999999999999-999999999999999.m4s",
        "init-.mp4",
        "init-999999999999999.mp4",
        "INIT-0.MP4",
        "index.m3u8%00",
        "..%2f..%2fcameras",
        "..%5c..%5cmatthon.db",
        "%2e%2e",
        "%2e%2e%2f%2e%2e%2f%2e%2e%2fmatthon.db",
        "%ff%fe",
        "%",
        "%zz",
        &format!("seg-{far}.m4s"),
    ];
    for file in files {
        let (status, body) = raw(&village, &format!("{hls}/{file}"), &token).await;
        assert!([400, 404].contains(&status), "{file}: {body}");
    }
    // Beside the table: no such path, however it is walked to.
    for path in ["/..", "/../../../../etc/passwd", "/%2e%2e/x", "//index.m3u8", "/index.m3u8/", "/a/b"] {
        let (status, body) = raw(&village, &format!("{hls}{path}"), &token).await;
        assert!([400, 404].contains(&status), "{path}: {body}");
    }
    for query in [
        "_HLS_msn=-1",
        "_HLS_msn=18446744073709551615",
        "_HLS_msn=18446744073709551616",
        &format!("_HLS_msn={far}"),
        "_HLS_msn=1.5",
        "_HLS_msn=%2B1",
        "_HLS_msn=",
        "_HLS_msn=0x10",
        "_HLS_msn=1&_HLS_part=-1",
        "_HLS_msn=1&_HLS_part=999999999999999999999",
        "_HLS_part=0",
        "_HLS_msn=%ff",
        "stream=%00",
    ] {
        let (status, body) = raw(&village, &format!("{hls}/index.m3u8?{query}"), &token).await;
        assert_eq!(status, 400, "{query}: {body}");
    }
    // The other stream's names, and another camera's, are not this one's.
    let name = playlist.split(['"', '\n']).find(|word| word.starts_with("seg-")).unwrap();
    assert_eq!(village.get(&format!("{hls}/{name}"), &token).await.status(), 200);
    for other in [format!("{hls}/{name}?stream=sub"), format!("/api/v1/cameras/nha-van-hoa/hls/{name}")] {
        assert_eq!(kind(village.get(&other, &token).await).await, (404, "unknown".into()), "{other}");
    }
    // And it still plays.
    assert_eq!(village.get(&format!("{hls}/index.m3u8"), &token).await.status(), 200);
}

/// Real time: the check runs every 5 s.
#[tokio::test]
async fn a_list_that_no_longer_has_the_camera_ends_what_shows_it() {
    let village = Village::start(false).await;
    village.feed();
    let token = village.token("ba-thanh", Role::Official);
    let mut request = format!("ws://{}/api/v1/live?cameras=nha-van-hoa,cong-lang&want=1", village.address).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let mut socket = connect_async(request).await.unwrap().0;
    let hls = "/api/v1/cameras/cong-lang/hls/index.m3u8";
    assert_eq!(village.get(hls, &token).await.status(), 200);
    assert!(matches!(socket.next().await, Some(Ok(_))), "it is shown");
    village.store.set_cameras("ba-thanh", Some(&[id("nha-van-hoa")])).unwrap();
    let end = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            if let Message::Close(close) = socket.next().await.unwrap().unwrap() {
                return close;
            }
        }
    });
    assert_eq!(end.await.unwrap().unwrap().code, CloseCode::Policy);
    assert_eq!(kind(village.get(hls, &token).await).await, (404, "unknown".into()));
    until("nobody watches any more", async || (village.sources[1].subscribers() == 0).then_some(())).await;
}

#[tokio::test]
async fn a_camera_that_is_not_on_the_list_is_not_there_on_any_way() {
    let village = Village::start(true).await;
    village.feed();
    let near = |role: Role| {
        let token = village.token(role.as_str(), role);
        village.store.set_cameras(role.as_str(), Some(&[id("nha-van-hoa")])).unwrap();
        token
    };
    let (official, police) = (near(Role::Official), near(Role::Police));
    let admin = village.token("chu-tich", Role::Admin);
    let noon = NOON.to_string();
    let later = NOON.plus(Duration::from_secs(50)).to_string();
    // Every row that names a camera in its path.
    let mut walked = 0;
    for row in table().filter(|row| row.path.contains("cameras/{id}")) {
        let path = row.path.replace("{id}", "cong-lang").replace("{file}", "seg-1.m4s");
        let url = village.url(&format!("{path}?from={noon}&to={later}&at={noon}"));
        let ask = match row.method {
            Method::Get => client().get(&url),
            Method::Post => client().post(&url),
            Method::Delete => client().delete(&url),
        };
        for token in [&official, &police] {
            let answer = ask.try_clone().unwrap().bearer_auth(token).send().await.unwrap();
            assert_eq!(kind(answer).await, (404, "unknown".into()), "{}", row.path);
        }
        walked += 1;
    }
    assert!(walked >= 6, "live, hls and its files, a snapshot, a clip, a timeline: {walked}");
    // And those that name it elsewhere.
    for path in ["/api/v1/live?cameras=cong-lang".to_owned(), "/api/v1/live?cameras=nha-van-hoa,cong-lang&want=0".to_owned()] {
        assert_eq!(kind(village.get(&path, &official).await).await, (404, "unknown".into()), "{path}");
    }
    let range = json!({"cameras": ["cong-lang"], "from": noon, "to": later, "purpose": "Mất xe máy", "officer": "Trần Văn A"});
    for (path, body) in [
        ("/api/v1/search", json!({"cameras": ["cong-lang"], "from": noon, "to": later, "purpose": "Mất xe máy"})),
        ("/api/v1/exports", range.clone()),
        ("/api/v1/kept", json!({"cameras": ["cong-lang"], "from": noon, "to": later})),
        ("/api/v1/cases", json!({"camera": "cong-lang", "note": "Rác"})),
    ] {
        let answer = village.post(path, &police, &body).await;
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert!([403, 404].contains(&status), "{path}: {status} {text}");
        assert!(!text.contains("Cổng làng"), "{path} tells its name: {text}");
    }
    // To who may, all of this is there.
    assert_eq!(village.get("/api/v1/cameras/cong-lang/snapshot.jpg", &admin).await.status(), 200);
}
