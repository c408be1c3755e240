//! Each fault has a name, costs the other cameras nothing, and heals by itself.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{
    Camsim, Village,
    frames::{assert_contiguous, frames},
    until,
    village::{free_port, now},
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A port that accepts and answers everything with `reply` (or never answers).
async fn impostor(reply: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(n) = socket.read(&mut buffer).await {
                    if n == 0 {
                        break;
                    }
                    if let Some(reply) = reply
                        && socket.write_all(reply.as_bytes()).await.is_err()
                    {
                        break;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn every_fault_has_its_name_and_the_good_camera_loses_nothing() {
    let camsim = Camsim::start(&[
        "id=tot,size=320x180,sub-size=160x90,fps=15,gop=1s",
        "id=khoa,size=320x180,sub-size=160x90,fps=15,gop=1s,user=admin,password=dung-mat-khau",
        "id=gop-dai,size=320x180,sub-size=160x90,fps=15,gop=20s",
    ])
    .await;
    let rtsp = camsim.rtsp.clone();
    let (silent, garbage, nobody) =
        (impostor(None).await, impostor(Some("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await, free_port());
    let camera = |id: &str, url: &str, more: &str| format!("[[camera]]\nid = \"{id}\"\nname = \"{id}\"\nmain = \"{url}\"\n{more}\n");
    let village = Village::new(
        &[
            camera("tot", &format!("{rtsp}/tot/main"), ""),
            camera("khoa-dung", &format!("{rtsp}/khoa/main"), "username = \"admin\"\npassword = \"dung-mat-khau\""),
            camera("khoa-sai", &format!("{rtsp}/khoa/main"), "username = \"admin\"\npassword = \"sai-mat-khau\""),
            camera("sai-duong", &format!("{rtsp}/khong-co/main"), ""),
            camera("cau-am", &format!("rtsp://127.0.0.1:{silent}/main"), ""),
            camera("noi-bay", &format!("rtsp://127.0.0.1:{garbage}/main"), ""),
            camera("khong-ai", &format!("rtsp://127.0.0.1:{nobody}/main"), ""),
        ]
        .concat(),
    );
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    for (id, link) in [
        ("tot", "ok"),
        ("khoa-dung", "ok"),
        ("khoa-sai", "auth"),
        ("sai-duong", "not-found"),
        ("cau-am", "silent"),
        ("noi-bay", "garbage"),
        ("khong-ai", "refused"),
    ] {
        api.until_link(id, "main", link, 40).await;
    }
    // The same names in the metrics; the password in none of them, nor in the log.
    let metrics = matthon_tests::http().get(format!("{}/metrics", daemon.base())).send().await.unwrap();
    let status = metrics.status();
    let metrics = metrics.text().await.unwrap();
    let metrics = if status.is_success() { metrics } else { api_metrics(&village).await };
    for (id, state) in [("khoa-sai", "auth"), ("cau-am", "silent"), ("tot", "ok")] {
        let line = metrics
            .lines()
            .find(|l| l.starts_with("matthon_camera_state{") && l.contains(&format!("\"{id}\"")) && l.contains(&format!("\"{state}\"")));
        assert!(line.is_some_and(|l| l.ends_with(" 1")), "{id} is {state} in the metrics: {line:?}");
    }
    for secret in ["sai-mat-khau", "dung-mat-khau"] {
        assert!(!metrics.contains(secret) && !daemon.log_text().contains(secret), "{secret} leaked");
    }
    until("20 s of the good camera", Duration::from_secs(60), || async { (camsim.sent("tot", "main").len() > 300).then_some(()) }).await;
    let health: serde_json::Value =
        matthon_tests::http().get(format!("{}/healthz", daemon.base())).send().await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "degraded", "{health}");
    assert_eq!(health["cameras"]["total"], 7, "{health}");
    let file = village.path().join("tot.mp4");
    api.clip("tot", "main", begun, now(), &file).await;
    let got = frames(&file);
    let _ = assert_contiguous(&got, &camsim.sent("tot", "main"));
    assert!(got.len() > 200, "{} frames", got.len());
    drop(daemon);
    camsim.stop().await;
}

async fn api_metrics(village: &Village) -> String {
    let token = village.matthon(&["user", "token", "quan-tri"], "").await;
    let url = format!("http://127.0.0.1:{}/metrics", village.port);
    let token = String::from_utf8(token.stdout).unwrap();
    matthon_tests::http().get(url).bearer_auth(token.trim()).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_camera_that_drops_freezes_or_returns_with_another_resolution_heals() {
    let mut camsim =
        Camsim::start(&["id=cong,size=320x180,sub-size=160x90,fps=15,gop=1s", "id=cho,size=320x180,sub-size=160x90,fps=15,gop=1s"]).await;
    let village = Village::watching(&camsim, &["cong", "cho"]);
    let begun = now();
    let daemon = village.start().await;
    let api = village.admin().await;
    for id in ["cong", "cho"] {
        api.until_link(id, "main", "ok", 20).await;
    }
    api.until_recorded("cong", begun, 3_000_000, 20).await;
    camsim.say("drop cong").await;
    until("it is not ok", Duration::from_secs(20), || async { (api.link("cong", "main").await != "ok").then_some(()) }).await;
    camsim.say("up cong").await;
    api.until_link("cong", "main", "ok", 60).await;

    camsim.say("freeze cong on").await;
    api.until_link("cong", "main", "frozen", 40).await;
    camsim.say("freeze cong off").await;
    api.until_link("cong", "main", "ok", 60).await;

    camsim.say("resize cong 640x360").await;
    until("the new size is seen", Duration::from_secs(60), || async {
        let all = api.json("cameras").await;
        let cong = all["cameras"].as_array()?.iter().find(|c| c["id"] == "cong")?.clone();
        (cong["streams"]["main"]["size"] == serde_json::json!([640, 360]) && cong["streams"]["main"]["link"] == "ok").then_some(())
    })
    .await;
    let resized = now();
    api.until_recorded("cong", resized, 2_000_000, 20).await;

    // One file over all of it: gaps are cut, both sizes are in it, and it decodes.
    let file = village.path().join("cong.mp4");
    api.clip("cong", "main", begun, now(), &file).await;
    let got = frames(&file);
    assert!(got.len() > 60, "{}", got.len());
    let span = (got.last().unwrap().dts - got[0].dts) as f64 / 90_000.0;
    let expected = got.len() as f64 / 15.0;
    assert!((span - expected).abs() < 1.5, "gaps are cut, never stretched: {} frames over {span} s", got.len());
    // The neighbour has one unbroken run.
    let file = village.path().join("cho.mp4");
    api.clip("cho", "main", begun, now(), &file).await;
    let _ = assert_contiguous(&frames(&file), &camsim.sent("cho", "main"));
    drop(daemon);
    camsim.stop().await;
}
