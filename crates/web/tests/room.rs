//! What lies beside the rings: how full it is, what is held, what is gone; told to those whom it concerns.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Audited, Clock, Role, WallTime};
use serde_json::{Value, json};
use std::time::Duration;
use store::{AuditEntry, ExportState};
use support::{NOON, QUOTA, Village, client, kind, until};

const DAY: Duration = Duration::from_secs(86_400);

fn package(village: &Village, bytes: u64, role: &str) -> String {
    let entry = AuditEntry {
        at: NOON,
        who: "anh-tu".into(),
        role: role.into(),
        what: Audited::Export,
        subject: String::new(),
        detail: String::new(),
    };
    let id = village.store.add_export(r#"{"cameras":["cong-lang"]}"#, &entry, |_| Vec::new()).unwrap();
    village.store.end_export(&id, ExportState::Done, bytes, "", NOON).unwrap();
    id
}

#[tokio::test]
async fn a_store_that_fills_is_told_before_it_is_full() {
    let village = Village::start(false).await;
    let official = village.token("ba-thanh", Role::Official);
    let told = || async {
        let status = village.read("/api/v1/status", &official).await;
        let keys = status["problems"].as_array().unwrap().iter().filter(|p| p["key"] == "evidence").map(|p| p["text_key"].clone());
        (status["evidence"]["state"].clone(), keys.collect::<Vec<_>>(), status["evidence"]["used"].as_u64().unwrap())
    };
    let healthy = || async {
        let body: Value = client().get(village.url("/healthz")).send().await.unwrap().json().await.unwrap();
        body["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(told().await, (json!("roomy"), vec![], 0));
    package(&village, QUOTA * 8 / 10, "police");
    assert_eq!(told().await, (json!("filling"), vec![json!("evidence.filling")], QUOTA * 8 / 10));
    assert_eq!(healthy().await, "ok");
    // What the command line wrote elsewhere does not count.
    package(&village, QUOTA, "local");
    assert_eq!(told().await.2, QUOTA * 8 / 10);
    let last = package(&village, QUOTA * 2 / 10, "police");
    assert_eq!(told().await, (json!("full"), vec![json!("evidence.full")], QUOTA));
    assert_eq!(healthy().await, "degraded");
    let evidence = village.read("/api/v1/status", &official).await["evidence"].clone();
    assert_eq!(
        (&evidence["packages"], &evidence["quota"], &evidence["keep_unconfirmed_s"]),
        (&json!(QUOTA), &json!(QUOTA), &json!(2_592_000))
    );
    village.store.let_export_go(&last, NOON.plus(DAY)).unwrap();
    assert_eq!(told().await.0, json!("filling"));
}

#[tokio::test]
async fn full_it_keeps_pictures_and_times_and_takes_no_package() {
    let village = Village::start(true).await;
    village.fetch_evidence();
    let (official, police) = (village.token("ba-thanh", Role::Official), village.token("anh-tu", Role::Police));
    let last = package(&village, QUOTA, "police");
    village.clock.advance(Duration::from_secs(60));
    let id = village.raise("cong-lang", 1, 30);
    let path = format!("/api/v1/cases/{id}");
    let case = until("a picture and a time", async || {
        let case = village.read(&path, &official).await;
        (case["still"] == "main" && case["clip"] == "range-only").then_some(case)
    })
    .await;
    assert!(WallTime::parse(case["clip_from"].as_str().unwrap()).unwrap() < WallTime::parse(case["clip_to"].as_str().unwrap()).unwrap());
    assert_eq!(village.get(&format!("{path}/still.jpg"), &official).await.status(), 200);
    assert_eq!(kind(village.get(&format!("{path}/clip.mp4"), &official).await).await, (404, "no-evidence".into()));
    let wish = json!({"cameras": ["cong-lang"], "from": NOON.to_string(), "to": NOON.plus(Duration::from_secs(9)).to_string(), "purpose": "p", "officer": "o"});
    let answer = village.post("/api/v1/exports", &police, &wish).await;
    assert_eq!(kind(answer).await, (409, "conflict".into()));
    village.store.let_export_go(&last, NOON).unwrap();
    assert_eq!(village.post("/api/v1/exports", &police, &wish).await.status(), 201);
    // One that is gone is listed as gone, and is not there to be fetched; nor is one that lies elsewhere.
    let elsewhere = package(&village, 7, "local");
    let list = village.read("/api/v1/exports", &police).await;
    let state =
        |id: &str| list["exports"].as_array().unwrap().iter().find(|e| e["id"] == id).map(|e| (e["state"].clone(), e["here"].clone()));
    assert_eq!((state(&last), state(&elsewhere)), (Some((json!("gone"), json!(true))), Some((json!("done"), json!(false)))));
    for id in [&last, &elsewhere] {
        assert_eq!(village.get(&format!("/api/v1/exports/{id}.zip"), &police).await.status(), 404);
    }
}

#[tokio::test]
async fn an_official_holds_what_must_not_go_and_a_case_takes_what_was_kept() {
    let village = Village::start(true).await;
    village.fetch_evidence();
    let (official, viewer) = (village.token("ba-thanh", Role::Official), village.token("tivi", Role::Viewer));
    let near = village.token("ong-ba", Role::Official);
    village.store.set_cameras("ong-ba", Some(&[support::id("nha-van-hoa")])).unwrap();
    village.clock.advance(Duration::from_secs(60));
    let (held, other) = (village.raise("cong-lang", 1, 30), village.raise("cong-lang", 2, 30));
    for id in [held, other] {
        until("its evidence", async || {
            let case = village.read(&format!("/api/v1/cases/{id}"), &official).await;
            (case["still"] == "main" && case["clip"] == "done").then_some(())
        })
        .await;
    }
    let range = (NOON.to_string(), NOON.plus(Duration::from_secs(50)).to_string());
    let kept: Value = village
        .post("/api/v1/kept", &official, &json!({"cameras": ["cong-lang"], "from": range.0, "to": range.1}))
        .await
        .json()
        .await
        .unwrap();
    assert!(kept["until"].is_string());

    let path = format!("/api/v1/cases/{held}/hold");
    assert_eq!(village.post(&path, &viewer, &json!({"hold": true})).await.status(), 403);
    assert_eq!(village.post(&path, &near, &json!({"hold": true})).await.status(), 404, "a camera that is not his");
    assert_eq!(village.post(&path, &official, &json!({"held": true})).await.status(), 400);
    let case: Value = village.post(&path, &official, &json!({"hold": true})).await.json().await.unwrap();
    let last = case["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&case["held"], &last["what"], &last["by"]), (&json!(true), &json!("held"), &json!("ba-thanh")));
    let list = village.read("/api/v1/kept", &official).await;
    assert!(list["kept"][0]["until"].is_null(), "the case takes what was kept of its time: {list}");

    village.store.see_under_trusted_clock(village.clock.wall()).unwrap();
    assert_eq!(village.cases.expire(village.clock.wall().plus(31 * DAY)).unwrap(), 1);
    village.cases.tidy().unwrap();
    let gone = village.read(&format!("/api/v1/cases/{other}"), &official).await;
    assert_eq!((&gone["still"], &gone["clip"], &gone["state"]), (&json!("gone"), &json!("gone"), &json!("raised")));
    assert!(
        gone["evidence_gone"].is_string()
            && gone["why"]["vi"].as_str().unwrap().starts_with("Nghi vấn")
            && gone["measured"]["dwell_s"] == 30.5,
        "{gone}"
    );
    let answer = village.post(&format!("/api/v1/cases/{other}/hold"), &official, &json!({"hold": true})).await;
    assert_eq!(kind(answer).await, (409, "conflict".into()));
    for file in ["still.jpg", "clip.mp4"] {
        assert_eq!(village.get(&format!("/api/v1/cases/{other}/{file}"), &official).await.status(), 404);
        assert_eq!(village.get(&format!("/api/v1/cases/{held}/{file}"), &official).await.status(), 200);
    }
    let words: Vec<_> = village.store.audit_rows(None, 99).unwrap().into_iter().map(|r| (r.what, r.who)).collect();
    for word in [("case-held", "ba-thanh"), ("kept", "ba-thanh"), ("evidence-gone", "")] {
        assert!(words.iter().any(|(what, who)| (what.as_str(), who.as_str()) == word), "{word:?} in {words:?}");
    }
}

#[tokio::test]
async fn a_package_is_deleted_by_whom_it_concerns_and_makes_room() {
    let village = Village::start(true).await;
    let (admin, police) = (village.token("chi-hai", Role::Admin), village.token("anh-ba", Role::Police));
    let (official, auditor) = (village.token("ong-ba", Role::Official), village.token("kiem-tra", Role::Auditor));
    let near = village.token("o-gan", Role::Police);
    village.store.set_cameras("o-gan", Some(&[support::id("nha-van-hoa")])).unwrap();
    village.clock.advance(Duration::from_secs(60));
    let wish = json!({"cameras": ["cong-lang"], "from": NOON.to_string(), "to": NOON.plus(Duration::from_secs(9)).to_string(), "purpose": "p", "officer": "o"});
    let made: Value = village.post("/api/v1/exports", &police, &wish).await.json().await.unwrap();
    let whole = made["id"].as_str().unwrap();
    let used = || village.store.evidence_use().unwrap().packages;
    let delete = async |id: &str, token: &str| {
        let answer = client().delete(village.url(&format!("/api/v1/exports/{id}"))).bearer_auth(token).send().await.unwrap();
        answer.status().as_u16()
    };
    for (token, status) in [(&official, 403), (&auditor, 403), (&near, 404)] {
        assert_eq!((delete(whole, token).await, used()), (status, 10));
    }
    assert_eq!(village.get(&format!("/api/v1/exports/{whole}.zip"), &police).await.status(), 200);
    assert_eq!((delete(whole, &police).await, used()), (204, 0));
    assert_eq!(village.get(&format!("/api/v1/exports/{whole}.zip"), &police).await.status(), 404);
    assert_eq!(village.read(&format!("/api/v1/exports/{whole}"), &police).await["state"], "gone");
    assert_eq!(delete(whole, &admin).await, 409, "once");
    // Somebody else's: the police and the admin may; what the command line wrote elsewhere is not the box's.
    for token in [&police, &admin] {
        assert_eq!((delete(&package(&village, 7, "official"), token).await, used()), (204, 0));
    }
    assert_eq!(delete(&package(&village, 7, "local"), &admin).await, 409);
    let rows = village.store.audit_rows(None, 99).unwrap();
    let rows: Vec<_> = rows.iter().rev().filter(|r| r.what == "export-deleted").map(|r| r.who.as_str()).collect();
    assert_eq!(rows, ["anh-ba", "anh-ba", "chi-hai"]);
    assert!(village.store.verify_audit().unwrap().good());
}

#[tokio::test]
async fn a_package_that_does_not_fit_is_refused_with_numbers() {
    let village = Village::start(true).await;
    let police = village.token("anh-ba", Role::Police);
    village.clock.advance(Duration::from_secs(60));
    package(&village, QUOTA - 9, "police");
    let wish = json!({"cameras": ["cong-lang"], "from": NOON.to_string(), "to": NOON.plus(Duration::from_secs(9)).to_string(), "purpose": "p", "officer": "o"});
    let refused = village.post("/api/v1/exports", &police, &wish).await;
    assert_eq!(refused.status(), 409);
    let refused: Value = refused.json().await.unwrap();
    let room = &refused["room"];
    assert_eq!(
        (&refused["kind"], &room["need"], &room["used"], &room["quota"]),
        (&json!("no-room"), &json!(10), &json!(QUOTA - 9), &json!(QUOTA))
    );
    let said = refused["detail"].as_str().unwrap();
    assert!(room["free"].is_u64() && said.contains("[evidence] quota") && said.contains("matthon export"), "{said}");
}
