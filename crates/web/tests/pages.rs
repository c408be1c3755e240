//! The page, the headers of every answer, health, status, and the description of the interface.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Channel, Link, Role, StreamHealth};
use matthon_web::endpoints::{Access, Method, table};
use ring::RingState;
use std::collections::BTreeSet;
use support::{NOON, Village, client, id, kind};

#[tokio::test]
async fn the_page_is_served_for_its_own_addresses() {
    let village = Village::start(false).await;
    let index = client().get(village.url("/")).send().await.unwrap();
    assert_eq!(index.headers()["content-type"], "text/html; charset=utf-8");
    let etag = index.headers()["etag"].clone();
    let text = index.text().await.unwrap();
    assert!(text.contains("<!doctype html>"));
    for path in ["/live", "/camera/cong-lang"] {
        let deep = client().get(village.url(path)).send().await.unwrap();
        assert_eq!((deep.status().as_u16(), deep.text().await.unwrap()), (200, text.clone()), "{path}");
    }
    for path in ["/nothing.js", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/Cargo.toml"] {
        let none = client().get(village.url(path)).send().await.unwrap();
        assert_eq!(none.status(), 404, "{path}");
    }
    let again = client().get(village.url("/")).header("If-None-Match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(kind(client().post(village.url("/")).send().await.unwrap()).await, (405, "method".into()));
}

#[tokio::test]
async fn what_a_phone_keeps_of_the_page_is_served_under_its_own_names() {
    let village = Village::start(false).await;
    let get = async |path: &str| client().get(village.url(path)).send().await.unwrap();
    let worker = get("/sw.js").await;
    assert_eq!((worker.status().as_u16(), &worker.headers()["content-type"]), (200, &"text/javascript; charset=utf-8".parse().unwrap()));
    // Asked again at every opening: an old worker must not outlive the box's update.
    assert_eq!(worker.headers()["cache-control"], "no-cache");
    let text = worker.text().await.unwrap();
    assert!(text.contains("notificationclick") && text.contains("Đã xem") && text.len() < 20_000, "{} bytes", text.len());
    let manifest: serde_json::Value = get("/manifest.webmanifest").await.json().await.unwrap();
    assert_eq!(manifest["display"], "standalone");
    for icon in manifest["icons"].as_array().unwrap() {
        assert_eq!(get(icon["src"].as_str().unwrap()).await.headers()["content-type"], icon["type"].as_str().unwrap());
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let village = Village::start(false).await;
    for path in ["/", "/healthz", "/api/v1/cameras", "/api/v1/nothing", "/nothing.js"] {
        let answer = client().get(village.url(path)).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).unwrap_or_else(|| panic!("{path} lacks {name}")).to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in ["default-src 'self'", "media-src 'self' blob:", "connect-src 'self' ws: wss:", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!((header("x-content-type-options"), header("referrer-policy")), ("nosniff".into(), "no-referrer".into()));
        assert!(header("permissions-policy").contains("camera=()"));
        header("cache-control");
    }
}

#[tokio::test]
async fn health_follows_rings_and_cameras() {
    let village = Village::start(false).await;
    let ask = || async {
        let answer = client().get(village.url("/healthz")).send().await.unwrap();
        let code = answer.status().as_u16();
        let body: serde_json::Value = answer.json().await.unwrap();
        (code, body["status"].as_str().unwrap().to_owned(), body["cameras"]["up"].as_u64().unwrap())
    };
    assert_eq!(ask().await, (200, "ok".into(), 2));
    village.board.set(&id("cong-lang"), Channel::Main, StreamHealth { link: Link::Auth, ..StreamHealth::starting(NOON) });
    assert_eq!(ask().await, (200, "degraded".into(), 1));
    village.rings.lock().unwrap()[0].last_sync_micros_ago = 5_000_001;
    assert_eq!(ask().await, (503, "failing".into(), 1));
}

#[tokio::test]
async fn status_names_what_is_wrong() {
    let village = Village::start(false).await;
    let token = village.token("tho", Role::Technician);
    let ask = || async { village.get("/api/v1/status", &token).await.json::<serde_json::Value>().await.unwrap() };
    let well = ask().await;
    assert_eq!(well["problems"], serde_json::json!([]));
    assert_eq!(
        (&well["version"], &well["started"], &well["rings"][0]["oldest"]),
        (&"0.0.0".into(), &NOON.to_string().into(), &NOON.to_string().into())
    );
    village.board.set(&id("cong-lang"), Channel::Main, StreamHealth { link: Link::Silent, ..StreamHealth::starting(NOON) });
    village.clock.set_synchronised(false);
    let slow = RingState::Slow;
    village.rings.lock().unwrap()[0].state = slow;
    let ill = ask().await;
    let keys: Vec<&str> = ill["problems"].as_array().unwrap().iter().map(|p| p["text_key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["ring.slow", "clock.unsynchronised", "cam.silent"]);
    let metrics = village.get("/metrics", &token).await;
    assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert!(metrics.text().await.unwrap().contains("matthon_camera_up"));
}

#[tokio::test]
async fn status_and_cameras_say_how_detection_is() {
    let village = Village::start(false).await;
    let token = village.token("tho", Role::Technician);
    let near = village.token("ong-ba", Role::Official);
    village.store.set_cameras("ong-ba", Some(&[id("nha-van-hoa")])).unwrap();
    let detection = || async {
        let list = village.read("/api/v1/cameras", &token).await;
        [0, 1].map(|n| list["cameras"][n]["detection"].as_str().unwrap().to_owned())
    };
    assert_eq!(detection().await, ["on", "no-rules"]);
    assert_eq!(village.read("/api/v1/status", &token).await["vision"]["model"], "yolox-nano");

    *village.vision.lock().unwrap() = serde_json::json!({
        "state": "restarting", "detail": "the worker for cong-lang ended", "restarts": 3, "quarantined": ["cong-lang"],
        "cameras": {"cong-lang": {}, "nha-van-hoa": {}},
    });
    assert_eq!(detection().await, ["quarantine", "off"]);
    let all = village.read("/api/v1/status", &token).await;
    let keys: Vec<&str> = all["problems"].as_array().unwrap().iter().map(|p| p["text_key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["vision.restarting", "vision.quarantine"]);
    assert_eq!((&all["problems"][1]["camera"], &all["vision"]["restarts"]), (&"cong-lang".into(), &3.into()));
    // Who may not see a camera hears nothing of it.
    let some = village.read("/api/v1/status", &near).await;
    assert!(!some.to_string().contains("cong-lang"), "{some}");
    assert_eq!(some["problems"].as_array().unwrap().len(), 1);

    *village.vision.lock().unwrap() = serde_json::json!({"state": "no-model", "model": null, "detail": ""});
    assert_eq!(detection().await, ["off", "off"]);
    let none = village.read("/api/v1/status", &token).await;
    assert_eq!((&none["vision"]["state"], &none["problems"][0]["text_key"]), (&"no-model".into(), &"vision.no-model".into()));
    // No model is no ill health: recording goes on.
    let health: serde_json::Value = client().get(village.url("/healthz")).send().await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "ok");
}

#[tokio::test]
async fn a_promise_that_will_be_broken_and_a_camera_that_sends_too_much_are_named() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Technician);
    let keys = async || {
        let status = village.read("/api/v1/status", &token).await;
        let keys = status["problems"].as_array().unwrap().iter().map(|p| p["text_key"].as_str().unwrap().to_owned());
        keys.filter(|k| k == "ring.short" || k == "cam.over-bitrate").collect::<Vec<_>>()
    };
    let ring = |forecast| ring::RingStatus { days_forecast: Some(forecast), days_promised: Some(15.0), ..support::ring_status("main") };
    *village.rings.lock().unwrap() = vec![ring(20.0)];
    assert_eq!(keys().await, Vec::<String>::new());
    *village.rings.lock().unwrap() = vec![ring(12.0)];
    assert_eq!(keys().await, ["ring.short"]);
    // Declared: 1 Mbit/s.
    let health = |bitrate| domain::StreamHealth { link: domain::Link::Ok, bitrate, ..domain::StreamHealth::starting(support::NOON) };
    village.board.set(&support::id("cong-lang"), domain::Channel::Main, health(1_900_000));
    assert_eq!(keys().await, ["ring.short"]);
    village.board.set(&support::id("cong-lang"), domain::Channel::Main, health(2_100_000));
    assert_eq!(keys().await, ["ring.short", "cam.over-bitrate"]);
}

#[tokio::test]
async fn a_folder_that_fails_and_a_disk_that_will_are_named_before_loss() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Technician);
    let path = |state, read_errors| ring::PathStatus {
        path: "/video/2".into(),
        state,
        since: (state != ring::PathState::Ok).then_some(support::NOON),
        detail: "Input/output error".into(),
        read_errors,
        write_errors: 0,
    };
    let ring = |state, read_errors| ring::RingStatus { paths: vec![path(state, read_errors)], ..support::ring_status("main") };
    let disk = |state| matthon_web::Disk {
        device: "sdb".into(),
        paths: vec!["/video/2".into()],
        state,
        detail: "8 sectors cannot be read".into(),
        reasons: vec![matthon_web::Reason { key: "pending", n: 8 }],
        model: "WDC".into(),
        serial: "VDK1".into(),
        measured: None,
        reallocated: Some(0),
        pending: Some(8),
        uncorrectable: None,
        worn_percent: None,
        temperature: Some(41),
        hours: Some(8123),
    };
    let told = async |rings, disks| {
        *village.rings.lock().unwrap() = rings;
        *village.disks.lock().unwrap() = disks;
        let status = village.read("/api/v1/status", &token).await;
        let all = status["problems"].as_array().unwrap().iter().filter(|p| p["key"] == "disk").cloned().collect::<Vec<_>>();
        let healthz: serde_json::Value = client().get(village.url("/healthz")).send().await.unwrap().json().await.unwrap();
        (status, all, healthz["status"].as_str().unwrap().to_owned())
    };
    let (status, all, health) = told(vec![ring(ring::PathState::Ok, 0)], vec![disk("ok")]).await;
    assert_eq!((all.len(), health.as_str()), (0, "ok"));
    assert_eq!((&status["disks"][0]["pending"], &status["disks"][0]["device"]), (&8.into(), &"sdb".into()));
    // One disk of several: recording goes on, and it is no good health.
    let (status, all, health) = told(vec![ring(ring::PathState::ReadOnly, 0)], vec![disk("unmeasured")]).await;
    assert_eq!(
        (all[0]["text_key"].as_str(), all[0]["disk"].as_str(), health.as_str()),
        (Some("disk.read-only"), Some("/video/2"), "degraded")
    );
    assert_eq!(all[0]["since"], status["rings"][0]["paths"][0]["since"]);
    assert!(all[0]["since"].as_str().unwrap().contains('T') && all.len() == 1, "{all:?}");
    let (_, all, _) = told(vec![ring(ring::PathState::Ok, 3)], vec![disk("failing")]).await;
    let keys: Vec<_> = all.iter().map(|p| p["text_key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["disk.read-errors", "smart.failing"]);
    assert_eq!(all[1]["disk"], "sdb WDC VDK1");
}

#[tokio::test]
async fn the_description_covers_exactly_the_table() {
    let village = Village::start(false).await;
    let served: serde_json::Value = client().get(village.url("/api/v1/openapi.json")).send().await.unwrap().json().await.unwrap();
    if std::env::var_os("MATTHON_BLESS").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi.json");
        std::fs::write(file, serde_json::to_string_pretty(&served).unwrap() + "\n").unwrap();
    }
    let golden: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
    assert!(
        served == golden,
        "the interface changed: if meant, write the new description to crates/web/tests/openapi.json (MATTHON_BLESS=1)"
    );
    let mut described = BTreeSet::new();
    for (path, methods) in served["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.insert((path.clone(), method.clone(), operation["x-roles"].as_array().map(Vec::len)));
        }
    }
    let table: BTreeSet<_> = table()
        .map(|row| {
            let method = match row.method {
                Method::Get => "get",
                Method::Post => "post",
                Method::Delete => "delete",
            };
            let roles = match row.access {
                Access::Public | Access::Tv => None,
                Access::Roles(roles) => Some(roles.len()),
            };
            (row.path.to_owned(), method.to_owned(), roles)
        })
        .collect();
    assert_eq!(described, table);
    // Every reference leads somewhere.
    let text = served.to_string();
    for reference in text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(served["components"]["schemas"].get(reference).is_some(), "{reference}");
    }
}

/// Writes the golden file anew when asked to.
#[test]
fn bless() {
    if std::env::var_os("MATTHON_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi.json");
        std::fs::write(path, serde_json::to_string_pretty(&matthon_web::document()).unwrap() + "\n").unwrap();
    }
}
