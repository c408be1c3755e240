//! Who gets in where: every row of the table against nobody and every role, sessions, tokens, origins, camera lists.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::Role;
use matthon_web::endpoints::{Access, Method, table};
use std::{collections::BTreeSet, time::Duration};
use support::{PASSWORD, Village, client, id, kind};

fn method(of: Method) -> reqwest::Method {
    match of {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Delete => reqwest::Method::DELETE,
    }
}

#[tokio::test]
async fn every_endpoint_keeps_out_who_is_not_in_its_row() {
    let village = Village::start(false).await;
    village.feed();
    let tokens: Vec<(Role, String)> = Role::ALL.into_iter().map(|role| (role, village.token(role.as_str(), role))).collect();
    for row in table() {
        let url = village.url(&row.path.replace("{id}", "cong-lang"));
        let ask = || client().request(method(row.method), &url);
        let nobody = ask().send().await.unwrap();
        let Access::Roles(roles) = row.access else {
            if row.access == Access::Tv {
                // A TV's rows are for no user, whatever his role.
                for credential in ["", &tokens[0].1] {
                    assert_eq!(kind(ask().bearer_auth(credential).send().await.unwrap()).await, (401, "sign-in".into()), "{}", row.path);
                }
                continue;
            }
            assert_ne!(nobody.status(), 401, "{} is public", row.path);
            continue;
        };
        assert_eq!(kind(nobody).await, (401, "sign-in".into()), "{}", row.path);
        for wrong in ["mt_0000", "", "x y"] {
            assert_eq!(ask().bearer_auth(wrong).send().await.unwrap().status(), 401);
        }
        for (role, token) in &tokens {
            let answer = ask().bearer_auth(token).send().await.unwrap();
            if roles.contains(role) {
                assert!(![401, 403].contains(&answer.status().as_u16()), "{role} may {}: {}", row.path, answer.status());
            } else {
                assert_eq!(kind(answer).await, (403, "role".into()), "{role} may not {}", row.path);
            }
        }
    }
}

#[tokio::test]
async fn there_is_no_endpoint_outside_the_table() {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Admin);
    let known: BTreeSet<(&str, String)> = table().map(|row| (row.path, method(row.method).to_string())).collect();
    for row in table() {
        for other in [reqwest::Method::GET, reqwest::Method::POST, reqwest::Method::PUT, reqwest::Method::PATCH, reqwest::Method::DELETE] {
            if known.contains(&(row.path, other.to_string())) {
                continue;
            }
            let url = village.url(&row.path.replace("{id}", "cong-lang"));
            let answer = client().request(other.clone(), url).bearer_auth(&token).send().await.unwrap();
            assert_eq!(kind(answer).await, (405, "method".into()), "{other} {}", row.path);
        }
    }
    assert_eq!(kind(village.get("/api/v1/nothing", &token).await).await, (404, "no-such-path".into()));
}

#[tokio::test]
async fn signing_in_and_out_with_a_cookie() {
    let village = Village::start(false).await;
    village.token("ba-thanh", Role::Official);
    let phone = client();
    assert_eq!(kind(village.sign_in(&phone, "ba-thanh", "wrong-password").await).await, (401, "wrong-password".into()));
    assert_eq!(kind(village.sign_in(&phone, "nobody", PASSWORD).await).await, (401, "wrong-password".into()));
    let answer = village.sign_in(&phone, "ba-thanh", PASSWORD).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["matthon_session=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"));
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!((&body["name"], &body["role"], &body["site"]["name"]), (&"ba-thanh".into(), &"official".into(), &"Thôn Duyên Hy".into()));
    let session = village.url("/api/v1/session");
    assert_eq!(phone.get(&session).send().await.unwrap().status(), 200);
    // A cookie alone is no proof that our page asks.
    assert_eq!(kind(phone.delete(&session).send().await.unwrap()).await, (403, "origin".into()));
    let evil = phone.delete(&session).header("Origin", "http://evil.example");
    assert_eq!(kind(evil.send().await.unwrap()).await, (403, "origin".into()));
    let ours = phone.delete(&session).header("Origin", village.url(""));
    assert_eq!(ours.send().await.unwrap().status(), 204);
    assert_eq!(phone.get(&session).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn behind_https_the_cookie_is_for_https_only() {
    let village = Village::start(false).await;
    village.token("ba-thanh", Role::Official);
    let body = serde_json::json!({"name": "ba-thanh", "password": PASSWORD});
    let ask = || client().post(village.url("/api/v1/session")).json(&body);
    // A proxy that nobody named as trusted: the page says it itself, and who only says it himself is not believed.
    let host = village.url("").replace("http://", "");
    let answer = ask().header("Origin", format!("https://{host}")).send().await.unwrap();
    assert!(answer.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
    let answer = ask().header("X-Forwarded-Proto", "https").send().await.unwrap();
    assert!(!answer.headers()["set-cookie"].to_str().unwrap().contains("Secure"));
    let evil = ask().header("Origin", "http://evil.example").send().await.unwrap();
    assert_eq!(kind(evil).await, (403, "origin".into()));
}

#[tokio::test]
async fn wrong_passwords_lock_the_name_for_a_while() {
    let village = Village::start(false).await;
    village.token("ba-thanh", Role::Official);
    for _ in 0..5 {
        assert_eq!(village.sign_in(&client(), "ba-thanh", "wrong-password").await.status(), 401);
    }
    let locked = village.sign_in(&client(), "ba-thanh", PASSWORD).await;
    let after: u64 = locked.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    assert_eq!(kind(locked).await, (429, "locked-out".into()));
    village.clock.advance(Duration::from_secs(after + 1));
    assert_eq!(village.sign_in(&client(), "ba-thanh", PASSWORD).await.status(), 200);
}

#[tokio::test]
async fn cameras_outside_a_users_list_do_not_exist_for_him() {
    let village = Village::start(false).await;
    let token = village.token("ong-ba", Role::Official);
    village.store.set_cameras("ong-ba", Some(&[id("nha-van-hoa")])).unwrap();
    let list: serde_json::Value = village.get("/api/v1/cameras", &token).await.json().await.unwrap();
    let ids: Vec<&str> = list["cameras"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["nha-van-hoa"]);
    // As the number of a case the name is unknown, too.
    for path in table().filter(|row| row.method == Method::Get).map(|row| row.path).filter(|path| path.contains("{id}")) {
        let path = path.replace("{id}", "cong-lang") + "?from=0&to=1";
        assert_eq!(kind(village.get(&path, &token).await).await, (404, "unknown".into()), "{path}");
    }
    let many = village.get("/api/v1/live?cameras=nha-van-hoa,cong-lang", &token).await;
    assert_eq!(kind(many).await, (404, "unknown".into()));
    village.board.set(&id("cong-lang"), domain::Channel::Main, domain::StreamHealth::starting(support::NOON));
    let status: serde_json::Value = village.get("/api/v1/status", &token).await.json().await.unwrap();
    assert_eq!((&status["cameras"]["total"], status["problems"].as_array().unwrap().len()), (&1.into(), 0));
}

#[tokio::test]
async fn bodies_and_parameters_are_bounded_and_named() {
    let village = Village::start(true).await;
    let token = village.token("ba-thanh", Role::Official);
    let huge = client().post(village.url("/api/v1/session")).body(vec![b' '; 1 << 20]).send().await.unwrap();
    assert_eq!(kind(huge).await, (413, "too-large".into()));
    let garbage = client().post(village.url("/api/v1/session")).body("{").send().await.unwrap();
    assert_eq!(kind(garbage).await, (400, "bad-request".into()));
    let table = [
        ("timeline", "from"),
        ("timeline?from=1", "to"),
        ("timeline?from=yesterday&to=2", "from"),
        ("timeline?from=2&to=1", "to"),
        ("timeline?from=1&to=2&stream=third", "stream"),
        ("clip.mp4?from=0&to=90000", "to"),
        ("clip.mp4?from=0&to=nan", "to"),
        ("live?stream=third", "stream"),
    ];
    for (query, parameter) in table {
        let answer = village.get(&format!("/api/v1/cameras/cong-lang/{query}"), &token).await;
        assert_eq!(answer.status(), 400, "{query}");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["parameter"], parameter, "{query}");
    }
}
