//! From an invitation to a bound phone, and out again: by what the pages ask.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Audited, Role};
use serde_json::{Value, json};
use std::time::Duration;
use support::{Village, client, kind};

/// What stands behind the `#` of a link.
fn secret(made: &Value) -> String {
    made["link"].as_str().unwrap().rsplit_once('#').unwrap().1.to_owned()
}

async fn made(village: &Village, admin: &str, path: &str, body: &Value) -> Value {
    let answer = village.post(path, admin, body).await;
    assert_eq!(answer.status(), 201, "{path}");
    answer.json().await.unwrap()
}

fn audited(village: &Village, what: Audited) -> Vec<(String, String, String)> {
    let rows = village.store.audit_rows(None, 1000).unwrap().into_iter().rev();
    rows.filter(|r| r.what == what.as_str()).map(|r| (r.who, r.subject, r.detail)).collect()
}

#[tokio::test]
async fn a_link_lets_one_phone_in_without_a_password() {
    let village = Village::start(false).await;
    let admin = village.token("ba-thanh", Role::Admin);
    let made = made(&village, &admin, "/api/v1/people", &json!({"name": "Ông Ba", "role": "official", "cameras": ["cong-lang"]})).await;
    assert!(made["link"].as_str().unwrap().starts_with(&village.url("/moi#mi_")), "{}", made["link"]);
    assert!(made["qr"]["path"].as_str().unwrap().starts_with("M4 4h1v1h-1z"));
    let phone = client();
    let send = |path: &str| phone.post(village.url(path)).json(&json!({"secret": secret(&made)})).header("User-Agent", "Android Chrome");
    for _ in 0..2 {
        let look: Value = send("/api/v1/invitation/look").send().await.unwrap().json().await.unwrap();
        assert_eq!((&look["name"], &look["role"], &look["site"]["name"]), (&"Ông Ba".into(), &"official".into(), &"Thôn Duyên Hy".into()));
    }
    let elsewhere = send("/api/v1/invitation").header("Origin", "http://evil.example").send().await.unwrap();
    assert_eq!(kind(elsewhere).await, (403, "origin".into()));
    let bound = send("/api/v1/invitation").send().await.unwrap();
    assert_eq!(bound.status(), 200);
    assert!(bound.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=34560000"));
    // In, for the cameras of the invitation; and the cookie begins anew at each opening.
    let who = phone.get(village.url("/api/v1/session")).send().await.unwrap();
    assert!(who.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=34560000"));
    let cameras: Value = phone.get(village.url("/api/v1/cameras")).send().await.unwrap().json().await.unwrap();
    assert_eq!(cameras["cameras"].as_array().unwrap().len(), 1);
    // Nobody else, by the same link.
    for path in ["/api/v1/invitation", "/api/v1/invitation/look"] {
        let again = client().post(village.url(path)).json(&json!({"secret": secret(&made)})).send().await.unwrap();
        assert_eq!(kind(again).await, (410, "invitation-used".into()));
    }
    let nonsense = client().post(village.url("/api/v1/invitation")).json(&json!({"secret": "mi_0"})).send().await.unwrap();
    assert_eq!(kind(nonsense).await, (410, "invitation-over".into()));
    assert_eq!(audited(&village, Audited::DeviceBound), [("Ông Ba".into(), String::new(), "Android · Chrome address=127.0.0.1".into())]);
    assert_eq!(audited(&village, Audited::Invited), [("ba-thanh".into(), "Ông Ba".into(), String::new())]);
}

#[tokio::test]
async fn a_lost_phone_is_out_at_once_and_a_new_one_in() {
    let village = Village::start(false).await;
    let admin = village.token("ba-thanh", Role::Admin);
    let first = made(&village, &admin, "/api/v1/people", &json!({"name": "Lan", "role": "police"})).await;
    let open = async |made: &Value| {
        let phone = client();
        let answer = phone.post(village.url("/api/v1/invitation")).json(&json!({"secret": secret(made)})).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        phone
    };
    let session = async |phone: &reqwest::Client| phone.get(village.url("/api/v1/session")).send().await.unwrap().status().as_u16();
    let old = open(&first).await;
    let again = format!("/api/v1/people/{}/invitation", first["person"]);
    let second = made(&village, &admin, &again, &json!({"lost": true})).await;
    assert_eq!(session(&old).await, 401);
    let new = open(&second).await;
    let mine: Value = new.get(village.url("/api/v1/devices")).send().await.unwrap().json().await.unwrap();
    assert_eq!((mine["devices"].as_array().unwrap().len(), &mine["devices"][0]["current"]), (1, &true.into()));
    // Another's device does not exist for him; the admin lets it go.
    let other = village.token("ong-tu", Role::Official);
    let device = village.url(&format!("/api/v1/devices/{}", mine["devices"][0]["id"].as_str().unwrap()));
    let foreign = client().delete(&device).bearer_auth(&other).send().await.unwrap();
    assert_eq!(kind(foreign).await, (404, "unknown".into()));
    assert_eq!(client().delete(&device).bearer_auth(&admin).send().await.unwrap().status(), 204);
    assert_eq!(session(&new).await, 401);
    assert_eq!(audited(&village, Audited::DeviceReleased).len(), 2);
}

#[tokio::test]
async fn who_leaves_office_is_out_in_one_act() {
    let village = Village::start(false).await;
    let admin = village.token("ba-thanh", Role::Admin);
    let open = made(&village, &admin, "/api/v1/people", &json!({"name": "Lan", "role": "official"})).await;
    let token = village.store.issue_token("Lan", village.clock_now()).unwrap();
    let path = village.url(&format!("/api/v1/people/{}", open["person"]));
    assert_eq!(client().delete(&path).bearer_auth(&admin).send().await.unwrap().status(), 204);
    assert_eq!(village.get("/api/v1/cameras", &token).await.status(), 401);
    let late = client().post(village.url("/api/v1/invitation")).json(&json!({"secret": secret(&open)})).send().await.unwrap();
    assert_eq!(kind(late).await, (410, "invitation-over".into()));
    let again = client().delete(&path).bearer_auth(&admin).send().await.unwrap();
    assert_eq!(kind(again).await, (404, "unknown".into()));
    let people = village.read("/api/v1/people", &admin).await;
    let names: Vec<_> = people["people"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ba-thanh"]);
    let last = village.url(&format!("/api/v1/people/{}", people["people"][0]["id"]));
    assert_eq!(kind(client().delete(last).bearer_auth(&admin).send().await.unwrap()).await, (409, "conflict".into()));
    assert_eq!(audited(&village, Audited::Retired), [("ba-thanh".into(), "Lan".into(), "official".into())]);
}

#[tokio::test]
async fn an_invitation_is_over_after_a_day_and_bad_ones_are_named() {
    let village = Village::start(false).await;
    let admin = village.token("ba-thanh", Role::Admin);
    let open = made(&village, &admin, "/api/v1/people", &json!({"name": "Lan", "role": "official"})).await;
    village.clock.advance(Duration::from_secs(86_400));
    let late = client().post(village.url("/api/v1/invitation/look")).json(&json!({"secret": secret(&open)})).send().await.unwrap();
    assert_eq!(kind(late).await, (410, "invitation-over".into()));
    for (body, want) in [
        (json!({"name": "LAN", "role": "official"}), (409, "conflict")),
        (json!({"name": " ", "role": "official"}), (400, "bad-request")),
        (json!({"name": "Mai", "role": "boss"}), (400, "bad-request")),
        (json!({"name": "Mai", "role": "official", "cameras": ["nowhere"]}), (404, "unknown")),
    ] {
        let answer = village.post("/api/v1/people", &admin, &body).await;
        assert_eq!(kind(answer).await, (want.0, want.1.to_owned()), "{body}");
    }
    let nobody = village.post("/api/v1/people/99/invitation", &admin, &json!({})).await;
    assert_eq!(kind(nobody).await, (404, "unknown".into()));
}
