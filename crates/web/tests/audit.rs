//! What is audited, once for each row of the table that says so; and who gets a package.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Audited, Role};
use matthon_web::endpoints::{Access, Answer, Method, table};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use support::{NOON, PASSWORD, Village, client, format, frame, kind};

/// Rows of the log, oldest first: what, who, about what.
fn rows(village: &Village) -> Vec<(String, String, String)> {
    let mut rows: Vec<_> = village.store.audit_rows(None, 1000).unwrap().into_iter().map(|r| (r.what, r.who, r.subject)).collect();
    rows.reverse();
    rows
}

/// A box that recorded 20 s, with a confirmed case.
async fn lived() -> Village {
    let village = Village::start(true).await;
    let format = format();
    let recorder = village.recorder.clone().unwrap();
    for n in 0..20 * 25 {
        recorder.push(&frame(&format, "cong-lang", n));
    }
    village.clock.advance(Duration::from_secs(20));
    tokio::task::spawn_blocking(move || recorder.close()).await.unwrap().unwrap();
    village
}

#[tokio::test]
async fn every_row_that_says_so_writes_its_word() {
    let village = lived().await;
    village.fetch_evidence();
    let admin = village.token("ba-thanh", Role::Admin);
    let case = village.raise("cong-lang", 1, 1);
    support::until("the case has a picture and a clip", async || {
        let case = village.read(&format!("/api/v1/cases/{case}"), &admin).await;
        (case["still"] == "main" && case["clip"] == "done").then_some(())
    })
    .await;
    let export = village
        .post(
            "/api/v1/exports",
            &admin,
            &json!({"cameras": ["cong-lang"], "from": NOON, "to": NOON.plus(Duration::from_secs(9)), "purpose": "p", "officer": "o"}),
        )
        .await;
    assert_eq!(export.status(), 400, "a time is RFC 3339 here");
    let export = village
        .post(
            "/api/v1/exports",
            &admin,
            &json!({"cameras": ["cong-lang"], "from": NOON.to_string(), "to": NOON.plus(Duration::from_secs(9)).to_string(), "purpose": "p", "officer": "o"}),
        )
        .await;
    assert_eq!(export.status(), 201);
    let export: serde_json::Value = export.json().await.unwrap();
    let export = export["id"].as_str().unwrap().to_owned();

    let range = (NOON.to_string(), NOON.plus(Duration::from_secs(9)).to_string());
    let kept = village.post("/api/v1/kept", &admin, &json!({"cameras": ["cong-lang"], "from": range.0, "to": range.1})).await;
    assert_eq!(kept.status(), 201);
    let kept: serde_json::Value = kept.json().await.unwrap();
    let kept = kept["id"].as_str().unwrap().to_owned();

    // Each way in, by the row's path: what to send so that it succeeds.
    let noon = NOON.0 / 1_000_000;
    let filled: BTreeMap<&str, String> = BTreeMap::from([
        ("/api/v1/cameras/{id}/clip.mp4", format!("/api/v1/cameras/cong-lang/clip.mp4?from={noon}&to={}", noon + 5)),
        ("/api/v1/cameras/{id}/film.mp4", format!("/api/v1/cameras/cong-lang/film.mp4?from={noon}&to={}", noon + 5)),
        ("/api/v1/cameras/{id}/snapshot.jpg", "/api/v1/cameras/cong-lang/snapshot.jpg".into()),
        ("/api/v1/cameras/{id}/picture.jpg", format!("/api/v1/cameras/cong-lang/picture.jpg?at={noon}")),
        ("/api/v1/cases/{id}/still.jpg", format!("/api/v1/cases/{case}/still.jpg")),
        ("/api/v1/cases/{id}/clip.mp4", format!("/api/v1/cases/{case}/clip.mp4")),
        ("/api/v1/exports/{id}", format!("/api/v1/exports/{export}.zip")),
        ("/api/v1/kept/{id}/{film}", format!("/api/v1/kept/{kept}/cong-lang.mp4")),
        ("/api/v1/audit", "/api/v1/audit?limit=1".into()),
        ("/api/v1/cases", "/api/v1/cases".into()),
        ("/api/v1/cases/{id}/answer", format!("/api/v1/cases/{case}/answer")),
        ("/api/v1/cases/{id}/undo", format!("/api/v1/cases/{case}/undo")),
        ("/api/v1/cases/{id}/seen", format!("/api/v1/cases/{case}/seen")),
        ("/api/v1/cases/{id}/hold", format!("/api/v1/cases/{case}/hold")),
        ("/api/v1/cameras/{id}/live", "/api/v1/cameras/cong-lang/live".into()),
        ("/api/v1/cameras/{id}/live/sound", "/api/v1/cameras/cong-lang/live/sound".into()),
        ("/api/v1/live", "/api/v1/live?cameras=cong-lang".into()),
        ("/api/v1/cameras/{id}/hls/index.m3u8", "/api/v1/cameras/cong-lang/hls/index.m3u8".into()),
        ("/api/v1/cameras/{id}/webrtc", "/api/v1/cameras/cong-lang/webrtc".into()),
        ("/api/v1/cameras/{id}/hls/{file}", "/api/v1/cameras/cong-lang/hls/init-0.mp4".into()),
    ]);
    village.feed();
    let mut walked = 0;
    for row in table() {
        let Some(what) = row.audit else {
            // What changes something is audited here or writes its own row (sessions, exports, people).
            let own =
                ["/webrtc/{session}", "/session", "exports", "kept", "people", "devices", "invitation", "push", "link", "search", "/tv"]
                    .iter()
                    .any(|word| row.path.contains(word));
            assert!(row.method == Method::Get || own, "{} changes something and is not audited", row.path);
            // What shows pictures is audited.
            let pictures = matches!(
                row.answer,
                Answer::Bytes("video/mp4" | "image/jpeg" | "application/vnd.apple.mpegurl") | Answer::Socket | Answer::Answered
            );
            // The one look of a phone that is not signed in: see push.rs.
            assert!(!pictures || row.path == "/m/{token}", "{} shows pictures and is not audited", row.path);
            continue;
        };
        // A TV's own row: see tv.rs.
        if row.access == Access::Tv {
            continue;
        }
        assert!(matches!(row.access, Access::Roles(_)), "{}", row.path);
        let path = filled.get(row.path).unwrap_or_else(|| panic!("this test does not know how to use {}", row.path));
        // A playlist and its files are one viewing: here each is to be another.
        village.clock.advance(Duration::from_secs(if row.path.contains("/hls/") { 700 } else { 0 }));
        let before = rows(&village).len();
        let body = match what {
            Audited::CaseMade => json!({"camera": "cong-lang"}),
            Audited::CaseHeld => json!({"hold": true}),
            _ => json!({"answer": "confirm"}),
        };
        let status = match (row.method, what) {
            (Method::Get, Audited::Live | Audited::Heard) if row.answer == Answer::Socket => {
                let mut request =
                    tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(village.url(path).replace("http", "ws"))
                        .unwrap();
                request.headers_mut().insert("authorization", format!("Bearer {admin}").parse().unwrap());
                tokio_tungstenite::connect_async(request).await.unwrap().1.status().as_u16()
            }
            (Method::Get, _) => village.get(path, &admin).await.status().as_u16(),
            (_, Audited::Live) => village.offer(path, &admin, support::OFFER).await.status().as_u16(),
            _ => village.post(path, &admin, &body).await.status().as_u16(),
        };
        assert!(status < 300, "{path}: {status}");
        // A confirmed case takes the footage kept of its time, which is a row of its own.
        let written: Vec<_> =
            rows(&village).into_iter().enumerate().filter(|(n, row)| *n < before || row.0 != "kept").map(|(_, row)| row).collect();
        assert_eq!(written.len(), before + 1, "{path}: one row, not {:?}", &written[before..]);
        let (word, who, subject) = &written[before];
        assert_eq!((word.as_str(), who.as_str()), (what.as_str(), "ba-thanh"), "{path}");
        assert!(path.contains(subject.as_str()), "{path}: {subject}");
        walked += 1;
        // The same again at once is the same look; a change is another change.
        if row.method == Method::Get && row.answer != Answer::Socket {
            village.get(path, &admin).await;
            assert_eq!(rows(&village).len(), before + 1, "{path}");
        }
    }
    assert_eq!(walked, filled.len());
    // However an address is written, it is the same look: another range is another row, a package is a package.
    for path in [
        format!("/api/v1/cameras/cong-lang/clip.mp4?%66rom={}&%74o={}", noon + 1, noon + 3),
        format!("/api/v1/cameras/cong%2Dlang/clip.mp4?from={}&to={}", noon + 2, noon + 4),
    ] {
        let before = rows(&village).len();
        assert_eq!(village.get(&path, &admin).await.status(), 200, "{path}");
        assert_eq!(rows(&village)[before..], [("playback".to_owned(), "ba-thanh".to_owned(), "cong-lang".to_owned())], "{path}");
    }
    let log = village.store.audit_rows(None, 1).unwrap();
    assert!(log[0].detail.contains(&format!("from={}", noon + 2)), "{}", log[0].detail);
    village.clock.advance(Duration::from_secs(700));
    let before = rows(&village).len();
    assert_eq!(village.get(&format!("/api/v1/exports/{export}%2Ezip"), &admin).await.status(), 200);
    assert_eq!(rows(&village)[before].0, "export-taken");
    // Deleted: one row, of the change itself.
    let before = rows(&village).len();
    let gone = client().delete(village.url(&format!("/api/v1/exports/{export}"))).bearer_auth(&admin).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(rows(&village)[before..], [("export-deleted".to_owned(), "ba-thanh".to_owned(), export)]);
    // Refused is not seen: nothing is written.
    let before = rows(&village).len();
    let viewer = village.token("tivi", Role::Viewer);
    assert_eq!(village.get(&filled["/api/v1/cameras/{id}/clip.mp4"], &viewer).await.status(), 403);
    assert_eq!(rows(&village).len(), before);
    assert!(village.store.verify_audit().unwrap().good());
}

#[tokio::test]
async fn signing_in_and_out_is_written_and_a_made_up_name_is_not() {
    let village = Village::start(false).await;
    village.token("Bà Thành", Role::Official);
    let phone = client();
    village.sign_in(&phone, "bà thành", "wrong-password").await;
    for _ in 0..3 {
        // Again and again is one row.
        village.sign_in(&phone, "bà thành", "wrong-password").await;
        village.sign_in(&phone, "my-secret-password", "wrong-password").await;
    }
    assert_eq!(village.sign_in(&phone, "Bà Thành", PASSWORD).await.status(), 200);
    let bye = phone.delete(village.url("/api/v1/session")).header("Origin", village.url("")).send().await.unwrap();
    assert_eq!(bye.status(), 204);
    let word = |what: &str, who: &str| (what.to_owned(), who.to_owned(), String::new());
    assert_eq!(
        rows(&village),
        [word("sign-in-refused", "Bà Thành"), word("sign-in-refused", ""), word("signed-in", "Bà Thành"), word("signed-out", "Bà Thành")]
    );
}

#[tokio::test]
async fn an_official_takes_out_his_confirmed_case_and_nothing_else() {
    let village = lived().await;
    village.fetch_evidence();
    let official = village.token("ba-thanh", Role::Official);
    let other = village.token("ong-ba", Role::Official);
    let police = village.token("anh-tu", Role::Police);
    let id = village.raise("cong-lang", 1, 10);
    let case = support::until("the case has its clip", async || {
        let case = village.read(&format!("/api/v1/cases/{id}"), &official).await;
        (case["clip"] == "done").then_some(case)
    })
    .await;
    let mut wish = json!({
        "cameras": ["cong-lang"], "from": case["clip_from"], "to": case["clip_to"], "purpose": "báo cáo", "officer": "Đại úy Tư",
    });
    let refused = |answer: reqwest::Response| async {
        let status = answer.status();
        let body: serde_json::Value = answer.json().await.unwrap();
        (status.as_u16(), body["parameter"].as_str().unwrap_or_default().to_owned())
    };
    let ask = async |token: &str, wish: &serde_json::Value| village.post("/api/v1/exports", token, wish).await;
    assert_eq!(refused(ask(&official, &wish).await).await, (400, "case".into()), "without a case");
    wish["case"] = json!(id.0);
    assert_eq!(refused(ask(&official, &wish).await).await, (400, "case".into()), "not confirmed");
    village.post(&format!("/api/v1/cases/{id}/answer"), &official, &json!({"answer": "confirm"})).await;
    let mut wide = wish.clone();
    wide["to"] = json!(NOON.plus(Duration::from_secs(3600)).to_string());
    assert_eq!(refused(ask(&official, &wide).await).await, (400, "case".into()), "more than the case");
    let made = ask(&official, &wish).await;
    assert_eq!(made.status(), 201);
    let made: serde_json::Value = made.json().await.unwrap();
    let path = format!("/api/v1/exports/{}", made["id"].as_str().unwrap());
    // Seen by all, fetched by whom it is for.
    for (token, status) in [(&official, 200), (&police, 200), (&other, 403)] {
        assert_eq!(village.read(&path, token).await["by"], "ba-thanh");
        assert_eq!(village.get(&format!("{path}.zip"), token).await.status(), status);
    }
    assert_eq!(village.read("/api/v1/exports", &other).await["exports"].as_array().unwrap().len(), 1);
    let delete = async |token: &str| client().delete(village.url(&path)).bearer_auth(token).send().await.unwrap();
    assert_eq!(kind(delete(&other).await).await, (403, "role".into()));
    assert_eq!(delete(&official).await.status(), 204);
    assert_eq!(kind(delete(&official).await).await, (409, "conflict".into()));
    // Police need no case; what is missing is named.
    wish["case"] = json!(null);
    assert_eq!(ask(&police, &wish).await.status(), 201);
    for (field, value) in [("purpose", json!(" ")), ("officer", json!("")), ("to", wish["from"].clone()), ("cameras", json!([]))] {
        let mut bad = wish.clone();
        bad[field] = value;
        assert_eq!(refused(ask(&police, &bad).await).await, (400, field.into()));
    }
}

#[tokio::test]
async fn a_timeline_tells_why_something_is_missing() {
    let village = lived().await;
    let token = village.token("ba-thanh", Role::Police);
    village.clock.advance(Duration::from_secs(3600));
    let at = |s: i64| NOON.plus_micros(s * 1_000_000);
    let (cong, main) = (support::id("cong-lang"), domain::Channel::Main);
    let run = village.store.begin_box_run("aa", at(-60)).unwrap();
    let change = |s, link| (cong.clone(), main, domain::LinkChange { at: at(s), link });
    village.store.note_run(run, at(500), &[change(-60, domain::Link::Ok), change(20, domain::Link::Unreachable)]).unwrap();
    let run = village.store.begin_box_run("bb", at(900)).unwrap();
    village.store.note_run(run, at(3600), &[]).unwrap();
    let line = village.read(&format!("/api/v1/cameras/cong-lang/timeline?from={}&to={}", at(0), at(400)), &token).await;
    let gaps = line["gaps"].as_array().unwrap();
    assert_eq!((gaps.len(), &gaps[0]["reason"], &gaps[0]["to"]), (1, &json!("network"), &json!(at(400).to_string())), "{line}");
    let line = village.read(&format!("/api/v1/cameras/cong-lang/timeline?from={}&to={}", at(510), at(890)), &token).await;
    assert_eq!(line["gaps"][0]["reason"], "power", "{line}");
}

#[tokio::test]
async fn footage_is_kept_listed_held_and_fetched_by_whom_it_concerns() {
    let village = lived().await;
    let official = village.token("ba-thanh", Role::Official);
    let near = village.token("ong-ba", Role::Official);
    village.store.set_cameras("ong-ba", Some(&[support::id("nha-van-hoa")])).unwrap();
    let at = |s: i64| NOON.plus_micros(s * 1_000_000).to_string();
    let wish = json!({"cameras": ["cong-lang"], "from": at(2), "to": at(12), "note": "va quẹt"});
    let answer = village.post("/api/v1/kept", &official, &wish).await;
    assert_eq!(answer.status(), 201);
    let kept: serde_json::Value = answer.json().await.unwrap();
    let path = format!("/api/v1/kept/{}", kept["id"].as_str().unwrap());
    assert!(kept["until"].is_string() && kept["state"] == "done", "{kept}");
    assert_eq!(village.read("/api/v1/kept", &official).await["kept"].as_array().unwrap().len(), 1);
    assert_eq!(village.read("/api/v1/kept", &near).await["kept"].as_array().unwrap().len(), 0);
    assert_eq!(village.get(&format!("{path}/cong-lang.mp4"), &official).await.bytes().await.unwrap().as_ref(), b"0123456789");
    assert_eq!(kind(village.get(&format!("{path}/cong-lang.mp4"), &near).await).await, (404, "unknown".into()));
    assert_eq!(kind(village.get(&format!("{path}/..%2Fx.mp4"), &official).await).await.0, 404);
    let held: serde_json::Value = village.post(&path, &official, &json!({"hold": true})).await.json().await.unwrap();
    assert!(held["until"].is_null(), "{held}");
    let words: Vec<_> = rows(&village).into_iter().map(|(what, _, _)| what).collect();
    assert_eq!(words, ["kept", "playback", "kept"]);
    for (field, value) in [("to", json!(at(2 + 7201))), ("to", json!(at(1))), ("cameras", json!([])), ("note", json!("x".repeat(301)))] {
        let mut bad = wish.clone();
        bad[field] = value;
        let answer = village.post("/api/v1/kept", &official, &bad).await;
        assert_eq!(answer.status(), 400);
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["parameter"], field);
    }
}
