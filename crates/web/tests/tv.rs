//! TVs: paired by a code that somebody types, shown the wall of their mode, and nothing else; let go while they watch.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Role, WallMode};
use futures::StreamExt;
use matthon_web::{
    Turn,
    endpoints::{Access, Method, table},
};
use serde_json::{Value, json};
use std::time::Duration;
use support::{
    Village, client, format, frame, kind,
    socket::{Socket, refusal, try_watch},
};
use tokio_tungstenite::tungstenite::Message;

/// A screen that asked for a code.
struct Screen {
    code: String,
    secret: String,
}

async fn ask(village: &Village) -> Screen {
    let answer = client().post(village.url("/api/v1/tv/pairing")).header("Origin", village.url("")).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["seconds"], &body["site"]["name"]), (&json!(600), &json!("Thôn Duyên Hy")));
    let screen = Screen { code: body["code"].as_str().unwrap().into(), secret: body["secret"].as_str().unwrap().into() };
    assert!(screen.code.len() == 6 && screen.code.bytes().all(|b| b.is_ascii_digit()) && screen.secret.len() == 67);
    screen
}

/// Whether somebody typed the code, and the cookie if so.
async fn look(village: &Village, screen: &Screen) -> (String, Option<String>) {
    let body = json!({"secret": screen.secret});
    let answer = client().post(village.url("/api/v1/tv/pairing/look")).header("Origin", village.url("")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers().get("set-cookie").map(|c| c.to_str().unwrap().to_owned());
    let body: Value = answer.json().await.unwrap();
    (body["state"].as_str().unwrap().to_owned(), cookie)
}

/// A TV that was let in: its number and cookie.
async fn paired(village: &Village, token: &str, mode: &str) -> (i64, String) {
    let screen = ask(village).await;
    let made = village.post("/api/v1/tvs", token, &json!({"code": screen.code, "name": "Nhà văn hóa", "mode": mode})).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    let (state, cookie) = look(village, &screen).await;
    assert_eq!(state, "paired");
    (made["id"].as_i64().unwrap(), cookie.unwrap().split(';').next().unwrap().to_owned())
}

async fn watch(village: &Village, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    try_watch(village, path, headers).await.map_err(|error| refusal(&error))
}

#[tokio::test]
async fn a_code_typed_on_a_phone_lets_the_screen_in_and_is_used_up() {
    let village = Village::start(false).await;
    let official = village.token("ba-thanh", Role::Official);
    let screen = ask(&village).await;
    assert_eq!(look(&village, &screen).await, ("waiting".into(), None));
    // Typed in two groups, as it is shown.
    let code = format!("{} {}", &screen.code[..3], &screen.code[3..]);
    let made = village.post("/api/v1/tvs", &official, &json!({"code": code, "name": "Nhà văn hóa", "mode": "public"})).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    assert_eq!((&made["name"], &made["mode"], &made["by"]), (&json!("Nhà văn hóa"), &json!("public"), &json!("ba-thanh")));
    let (state, cookie) = look(&village, &screen).await;
    let cookie = cookie.unwrap();
    for part in ["matthon_tv=tv_", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=34560000"] {
        assert!(state == "paired" && cookie.contains(part), "{state} {cookie}");
    }
    let log = village.store.audit_rows(None, 1).unwrap().remove(0);
    assert_eq!((log.what.as_str(), log.who.as_str(), log.subject.as_str()), ("device-bound", "ba-thanh", "Nhà văn hóa"));
    assert_eq!(log.detail, "tv mode=public");
    let again = village.post("/api/v1/tvs", &official, &json!({"code": screen.code, "name": "Chợ", "mode": "duty"})).await;
    assert_eq!(kind(again).await, (404, "unknown".into()));
    let all = village.read("/api/v1/tvs", &official).await;
    assert_eq!((all["tvs"].as_array().unwrap().len(), &all["tvs"][0]["mode"]), (1, &json!("public")));
    // The screen asks what it is, and its cookie begins anew.
    let own = client().get(village.url("/api/v1/tv")).header("Cookie", cookie.split(';').next().unwrap()).send().await.unwrap();
    assert!(own.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=34560000"));
    let own: Value = own.json().await.unwrap();
    assert_eq!((&own["name"], &own["mode"], &own["view"]["tiles"]), (&json!("Nhà văn hóa"), &json!("public"), &json!(9)));
}

#[tokio::test]
async fn who_sees_some_cameras_lets_in_no_screen_that_shows_all() {
    let village = Village::start(false).await;
    let lan = village.token("lan", Role::Official);
    village.store.set_cameras("lan", Some(&[domain::CameraId::new("nha-van-hoa").unwrap()])).unwrap();
    let screen = ask(&village).await;
    for mode in ["public", "duty"] {
        let answer = village.post("/api/v1/tvs", &lan, &json!({"code": screen.code, "name": "TV", "mode": mode})).await;
        assert_eq!(kind(answer).await, (403, "all-cameras".into()));
    }
    assert_eq!(look(&village, &screen).await, ("waiting".into(), None));
    village.store.set_cameras("lan", None).unwrap();
    let answer = village.post("/api/v1/tvs", &lan, &json!({"code": screen.code, "name": "TV", "mode": "public"})).await;
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn wrong_and_late_codes_and_modes_that_nobody_chose_are_refused() {
    let village = Village::start(false).await;
    let official = village.token("ba-thanh", Role::Official);
    let screen = ask(&village).await;
    let pair = |code: String, name: &'static str, mode: Value| {
        let body = json!({"code": code, "name": name, "mode": mode});
        let (village, official) = (&village, &official);
        async move { kind(village.post("/api/v1/tvs", official, &body).await).await }
    };
    for (name, mode, wanted) in [
        ("Nhà văn hóa", json!(null), (400, "bad-request")),
        ("Nhà văn hóa", json!("all"), (400, "bad-request")),
        ("", json!("public"), (400, "bad-request")),
    ] {
        assert_eq!(pair(screen.code.clone(), name, mode).await, (wanted.0, wanted.1.to_owned()));
    }
    assert_eq!(look(&village, &screen).await.0, "waiting", "a refusal uses nothing up");
    village.clock.advance(Duration::from_secs(600));
    assert_eq!(pair(screen.code.clone(), "Nhà văn hóa", json!("public")).await, (404, "unknown".into()));
    assert_eq!(look(&village, &screen).await, ("over".into(), None));
    // Guessing: the right one is not taken either, until ten minutes are over.
    let screen = ask(&village).await;
    let wrong = if screen.code == "000000" { "000001" } else { "000000" };
    for _ in 0..9 {
        assert_eq!(pair(wrong.into(), "Nhà văn hóa", json!("public")).await, (404, "unknown".into()));
    }
    let locked = village.post("/api/v1/tvs", &official, &json!({"code": screen.code, "name": "Nhà văn hóa", "mode": "public"})).await;
    assert_eq!((locked.headers()["retry-after"].to_str().unwrap(), locked.status().as_u16()), ("600", 429));
    assert_eq!(kind(locked).await.1, "wrong-codes");
    assert_eq!(village.store.tvs().unwrap(), []);
    // Another site's page can neither ask nor look.
    for path in ["/api/v1/tv/pairing", "/api/v1/tv/pairing/look"] {
        let evil = client().post(village.url(path)).header("Origin", "http://evil.example").json(&json!({"secret": screen.secret}));
        assert_eq!(kind(evil.send().await.unwrap()).await, (403, "origin".into()));
    }
}

#[tokio::test]
async fn a_tv_may_see_its_wall_and_nothing_else() {
    let village = Village::start(false).await;
    let admin = village.token("ba-thanh", Role::Admin);
    let (_, cookie) = paired(&village, &admin, "public").await;
    let origin = village.url("");
    for row in table() {
        let method = match row.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        // As a bearer token or as a person's cookie it is nothing, whatever the row.
        let secret = cookie.split_once('=').unwrap().1;
        let url = village.url(&row.path.replace("{id}", "cong-lang"));
        let as_person = format!("{cookie}; matthon_session={secret}");
        let ask = || client().request(method.clone(), &url).header("Origin", &origin);
        if matches!(row.access, Access::Roles(_)) {
            assert_eq!(ask().header("Cookie", &as_person).send().await.unwrap().status(), 401, "{}", row.path);
            assert_eq!(ask().bearer_auth(secret).send().await.unwrap().status(), 401, "{}", row.path);
        }
    }
    // What changes something, and sockets, only from our own page.
    let turn = |origin: &str| {
        client().post(village.url("/api/v1/tv/turn")).header("Cookie", &cookie).header("Origin", origin).json(&json!({"turn": "next"}))
    };
    assert_eq!(kind(turn("http://evil.example").send().await.unwrap()).await, (403, "origin".into()));
    assert_eq!(turn(&origin).send().await.unwrap().status(), 200);
    assert_eq!(*village.wall.turns.lock().unwrap(), [(WallMode::Public, Turn::Next)]);
    assert_eq!(watch(&village, "tv/live", &[("cookie", &cookie), ("origin", "http://evil.example")]).await.err(), Some(403));
    assert_eq!(watch(&village, "cameras/cong-lang/live", &[("cookie", &cookie), ("origin", &origin)]).await.err(), Some(401));
    assert_eq!(watch(&village, "tv/live", &[("origin", &origin)]).await.err(), Some(401));
}

#[tokio::test]
async fn each_tv_gets_the_wall_of_its_mode_and_it_ends_when_the_tv_is_let_go() {
    let village = Village::start(false).await;
    let admin = village.token("ba-thanh", Role::Admin);
    let origin = village.url("");
    let (public, public_cookie) = paired(&village, &admin, "public").await;
    let (_, duty_cookie) = paired(&village, &admin, "duty").await;
    let mut first = watch(&village, "tv/live", &[("cookie", &public_cookie), ("origin", &origin)]).await.unwrap();
    let mut second = watch(&village, "tv/live", &[("cookie", &duty_cookie), ("origin", &origin)]).await.unwrap();
    let log = village.store.audit_rows(None, 1).unwrap().remove(0);
    assert_eq!((log.what.as_str(), log.who.as_str(), log.role.as_str()), ("live", "Nhà văn hóa", "viewer"));
    let format = format();
    support::until("both are watched", async || village.wall.sources.iter().all(|s| s.subscribers() == 1).then_some(())).await;
    // Pictures of one go to nobody of the other.
    village.wall.sources[0].publish(frame(&format, "wall", 0));
    let message = first.next().await.unwrap().unwrap();
    let said: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
    assert_eq!((&said["type"], &said["camera"]), (&json!("format"), &json!("wall")));
    village.wall.sources[1].publish(frame(&format, "wall", 50));
    let (mut texts, mut last) = (0, None);
    for _ in 0..3 {
        match second.next().await.unwrap().unwrap() {
            Message::Text(_) => texts += 1,
            Message::Binary(bytes) => last = Some(bytes),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((texts, last.unwrap().ends_with(&50i64.to_be_bytes())), (1, true), "its format, its head, and its own picture");
    // Let go while it watches.
    let gone = client().delete(village.url(&format!("/api/v1/tvs/{public}"))).bearer_auth(&admin).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let end = tokio::time::timeout(Duration::from_secs(20), async {
        while let Some(Ok(message)) = first.next().await {
            if let Message::Close(Some(frame)) = message {
                return Some((u16::from(frame.code), frame.reason.to_string()));
            }
        }
        None
    });
    assert_eq!(end.await.unwrap(), Some((1008, "signed out".into())));
    assert_eq!(watch(&village, "tv/live", &[("cookie", &public_cookie), ("origin", &origin)]).await.err(), Some(401));
    // The other one lets itself go.
    let left = client().delete(village.url("/api/v1/tv")).header("Cookie", &duty_cookie).header("Origin", &origin).send().await.unwrap();
    assert!(left.status() == 204 && left.headers()["set-cookie"].to_str().unwrap().contains("matthon_tv=;"));
    assert_eq!(village.store.tvs().unwrap(), []);
}

#[tokio::test]
async fn whoever_may_see_all_cameras_may_see_what_the_hall_sees_and_it_is_in_no_list() {
    let village = Village::start(false).await;
    let admin = village.token("ba-thanh", Role::Admin);
    village.store.add_user("anh-tu", Role::Official, support::PASSWORD, support::NOON).unwrap();
    let gate = support::id("cong-lang");
    let lan = village.store.add_person("Lan", Role::Official, Some(&[gate]), support::NOON).unwrap();
    let lan = village.store.issue_token(&lan.name, support::NOON).unwrap();
    let bearer = format!("Bearer {admin}");
    let socket = watch(&village, "cameras/wall/live", &[("authorization", &bearer)]).await;
    assert!(socket.is_ok());
    support::until("the public one is watched", async || (village.wall.sources[0].subscribers() == 1).then_some(())).await;
    assert_eq!(village.wall.sources[1].subscribers(), 0);
    let bearer = format!("Bearer {lan}");
    assert_eq!(watch(&village, "cameras/wall/live", &[("authorization", &bearer)]).await.err(), Some(404));
    let cameras = village.read("/api/v1/cameras", &admin).await;
    assert!(cameras["cameras"].as_array().unwrap().iter().all(|c| c["id"] != "wall"));
}
