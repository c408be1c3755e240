//! Cases over HTTP: made, listed, answered, taken back, with their evidence, for whom they are and for nobody else.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::Role;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::time::Duration;
use support::{MAIN_STILL, PASSWORD, Village, client, clip_bytes, id, kind, until};

async fn official() -> (Village, String) {
    let village = Village::start(false).await;
    let token = village.token("ba-thanh", Role::Official);
    (village, token)
}

async fn made(village: &Village, token: &str, note: &str) -> Value {
    let answer = village.post("/api/v1/cases", token, &json!({"camera": "cong-lang", "note": note})).await;
    assert_eq!(answer.status(), 201);
    answer.json().await.unwrap()
}

async fn ok(answer: reqwest::Response) -> Value {
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

fn whats(case: &Value) -> Vec<&str> {
    case["history"].as_array().unwrap().iter().map(|line| line["what"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_case_made_by_hand_is_answered_taken_back_and_corrected() {
    let (village, token) = official().await;
    let case = made(&village, &token, "Rác đổ bên đường").await;
    assert_eq!((&case["kind"], &case["state"], &case["note"]), (&"by-hand".into(), &"raised".into(), &"Rác đổ bên đường".into()));
    assert_eq!((&case["camera_name"], &case["box"], &case["history"][0]["by"]), (&"Cổng làng".into(), &Value::Null, &"ba-thanh".into()));
    assert_eq!(village.read("/api/v1/cases?state=raised", &token).await["todo"], 1);

    let path = format!("/api/v1/cases/{}", case["id"]);
    let say = async |what: &str| village.post(&format!("{path}/answer"), &token, &json!({"answer": what})).await;
    let undo = async || village.post(&format!("{path}/undo"), &token, &Value::Null).await;
    assert_eq!(kind(undo().await).await, (409, "conflict".into()));
    let sure = ok(say("confirm").await).await;
    assert_eq!((&sure["state"], &sure["answered_by"]), (&"confirmed".into(), &"ba-thanh".into()));
    let until = domain::WallTime::parse(sure["undo_until"].as_str().unwrap()).unwrap();
    let now = domain::WallTime::parse(sure["now"].as_str().unwrap()).unwrap();
    assert!((1..=10_000_000).contains(&until.micros_since(now)), "{sure}");
    assert_eq!(village.read("/api/v1/cases", &token).await["todo"], 0);
    assert_eq!(ok(undo().await).await["state"], "raised");
    assert_eq!(ok(say("false-alarm").await).await["state"], "false-alarm");
    village.clock.advance(Duration::from_secs(11));
    assert_eq!(kind(undo().await).await, (409, "conflict".into()));
    assert_eq!(village.read(&path, &token).await["undo_until"], Value::Null);
    // Too late to take back is not too late to correct.
    let last = ok(say("confirm").await).await;
    assert_eq!(whats(&last), ["raised", "confirmed", "undone", "false-alarm", "confirmed"]);
    assert_eq!(whats(&village.read(&path, &token).await), whats(&last));
}

#[tokio::test]
async fn only_who_answered_takes_it_back() {
    let (village, token) = official().await;
    let other = village.token("anh-nam", Role::Police);
    let path = format!("/api/v1/cases/{}", village.raise("cong-lang", 1, 0));
    ok(village.post(&format!("{path}/answer"), &token, &json!({"answer": "confirm"})).await).await;
    assert_eq!(kind(village.post(&format!("{path}/undo"), &other, &Value::Null).await).await, (409, "conflict".into()));
    ok(village.post(&format!("{path}/undo"), &token, &Value::Null).await).await;
}

#[tokio::test]
async fn lists_are_newest_first_in_pages_and_of_one_camera_or_state() {
    let (village, token) = official().await;
    let ids: Vec<i64> = (1..=5).map(|n| village.raise(if n == 3 { "nha-van-hoa" } else { "cong-lang" }, n, 60 - n).0).collect();
    let listed = |query: &'static str| {
        let (village, token) = (&village, &token);
        async move {
            let list = village.read(&format!("/api/v1/cases{query}"), token).await;
            list["cases"].as_array().unwrap().iter().map(|c| c["id"].as_i64().unwrap()).collect::<Vec<_>>()
        }
    };
    let newest: Vec<i64> = ids.iter().rev().copied().collect();
    assert_eq!(listed("").await, newest);
    assert_eq!(listed("?limit=2").await, newest[..2]);
    let path = format!("?limit=2&before={}", newest[1]);
    let page = village.read(&format!("/api/v1/cases{path}"), &token).await;
    assert_eq!((&page["cases"][0]["id"], &page["todo"]), (&newest[2].into(), &5.into()));
    assert_eq!(page["cases"][0].get("history"), None);
    assert_eq!(listed("?camera=nha-van-hoa").await, [ids[2]]);
    ok(village.post(&format!("/api/v1/cases/{}/answer", ids[0]), &token, &json!({"answer": "false-alarm"})).await).await;
    assert_eq!(listed("?state=false-alarm").await, [ids[0]]);
    assert_eq!(listed("?state=raised").await.len(), 4);
}

#[tokio::test]
async fn evidence_comes_whole_in_ranges_and_only_once() {
    let (village, token) = official().await;
    let case = village.raise("cong-lang", 1, 60);
    let path = format!("/api/v1/cases/{case}");
    for file in ["still.jpg", "clip.mp4"] {
        assert_eq!(kind(village.get(&format!("{path}/{file}"), &token).await).await, (404, "no-evidence".into()));
    }
    village.fetch_evidence();
    until("the evidence is there", || async {
        let case = village.read(&path, &token).await;
        (case["still"] == "main" && case["clip"] == "done").then_some(())
    })
    .await;
    let ask = |file: &'static str, headers: Vec<(&'static str, String)>| {
        let mut request = client().get(village.url(&format!("{path}/{file}"))).bearer_auth(&token);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        async move {
            let answer = request.send().await.unwrap();
            let (status, fields): (u16, HeaderMap) = (answer.status().as_u16(), answer.headers().clone());
            (status, fields, answer.bytes().await.unwrap().to_vec())
        }
    };
    let (status, fields, still) = ask("still.jpg", vec![]).await;
    assert_eq!((status, &still[..], &fields["content-type"]), (200, MAIN_STILL, &"image/jpeg".parse().unwrap()));
    let (status, fields, whole) = ask("clip.mp4", vec![]).await;
    assert!(status == 200 && whole == clip_bytes());
    assert_eq!((&fields["content-type"], &fields["content-length"]), (&"video/mp4".parse().unwrap(), &"100000".parse().unwrap()));
    assert!(fields["cache-control"].to_str().unwrap().starts_with("private"));
    let name = fields["content-disposition"].to_str().unwrap();
    assert!(name.contains("cong-lang_2026-11-2") && name.contains("_vu-1.mp4"), "{name}");
    let etag = fields["etag"].to_str().unwrap().to_owned();
    let range = |text: &str| ("range", text.to_owned());
    let (status, fields, part) = ask("clip.mp4", vec![range("bytes=70000-99998"), ("if-range", etag.clone())]).await;
    assert!(status == 206 && part == whole[70_000..99_999], "{status} {}", part.len());
    assert_eq!(fields["content-range"], "bytes 70000-99998/100000");
    let (status, _, part) = ask("clip.mp4", vec![range("bytes=-1")]).await;
    assert_eq!((status, &part[..]), (206, &whole[99_999..]));
    assert_eq!(ask("clip.mp4", vec![range("bytes=100000-")]).await.0, 416);
    let (status, _, nothing) = ask("clip.mp4", vec![("if-none-match", etag)]).await;
    assert_eq!((status, nothing.len()), (304, 0));
    let head = client().head(village.url(&format!("{path}/clip.mp4"))).bearer_auth(&token).send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["content-length"]), (200, &"100000".parse().unwrap()));
}

#[tokio::test]
async fn a_case_of_a_camera_outside_ones_list_does_not_exist() {
    let (village, token) = official().await;
    village.store.set_cameras("ba-thanh", Some(&[id("nha-van-hoa")])).unwrap();
    let (theirs, ours) = (village.raise("cong-lang", 1, 1), village.raise("nha-van-hoa", 1, 1));
    let list = village.read("/api/v1/cases", &token).await;
    assert_eq!((&list["todo"], list["cases"].as_array().unwrap().len(), &list["cases"][0]["id"]), (&1.into(), 1, &ours.0.into()));
    for path in ["", "/still.jpg", "/clip.mp4"] {
        let answer = village.get(&format!("/api/v1/cases/{theirs}{path}"), &token).await;
        assert_eq!(kind(answer).await, (404, "unknown".into()), "{path}");
    }
    let confirm = json!({"answer": "confirm"});
    for (path, body) in [("answer", &confirm), ("undo", &Value::Null)] {
        let answer = village.post(&format!("/api/v1/cases/{theirs}/{path}"), &token, body).await;
        assert_eq!(kind(answer).await, (404, "unknown".into()), "{path}");
    }
    let by_hand = village.post("/api/v1/cases", &token, &json!({"camera": "cong-lang"})).await;
    assert_eq!(kind(by_hand).await, (404, "unknown".into()));
    for path in ["/api/v1/cases?camera=cong-lang", "/api/v1/violations?from=0&to=1&camera=cong-lang"] {
        assert_eq!(kind(village.get(path, &token).await).await, (404, "unknown".into()), "{path}");
    }
    assert_eq!(village.cases.get(theirs).unwrap().state, domain::CaseState::Raised);
}

#[tokio::test]
async fn the_timeline_has_what_rules_raised_and_nothing_else() {
    let (village, token) = official().await;
    let [old, new, far] = [("cong-lang", 1, 120), ("cong-lang", 2, 60), ("nha-van-hoa", 3, 90)].map(|(c, n, ago)| village.raise(c, n, ago));
    made(&village, &token, "").await;
    let now = support::NOON.0 / 1_000_000;
    let ids = |query: String| {
        let (village, token) = (&village, &token);
        async move {
            let found = village.read(&format!("/api/v1/violations?{query}"), token).await;
            assert_eq!(found["more"], false);
            found["violations"].as_array().unwrap().iter().map(|v| v["id"].as_i64().unwrap()).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(format!("from={}&to={}", now - 3600, now + 60)).await, [old.0, new.0, far.0]);
    assert_eq!(ids(format!("from={}&to={}&camera=cong-lang", now - 3600, now + 60)).await, [old.0, new.0]);
    assert_eq!(ids(format!("from={}&to={}", now - 100, now - 80)).await, [far.0]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let (village, token) = official().await;
    let case = village.raise("cong-lang", 1, 1);
    let answer = format!("/api/v1/cases/{case}/answer");
    let table = [
        ("/api/v1/cases", json!({"camera": "cong-lang", "note": "x".repeat(501)}), (400, "note")),
        ("/api/v1/cases", json!({"camera": "cong-lang", "note": "\u{7}"}), (400, "note")),
        ("/api/v1/cases", json!({"note": "no camera"}), (400, "body")),
        ("/api/v1/cases", json!([]), (400, "body")),
        (&answer, json!({"answer": "maybe"}), (400, "body")),
    ];
    for (path, body, expected) in table {
        let refused = village.post(path, &token, &body).await;
        let status = refused.status().as_u16();
        let problem: Value = refused.json().await.unwrap();
        assert_eq!((status, problem["parameter"].as_str().unwrap()), expected, "{path} {body}");
    }
    let huge = json!({"camera": "cong-lang", "note": "x".repeat(1 << 20)});
    assert_eq!(kind(village.post("/api/v1/cases", &token, &huge).await).await, (413, "too-large".into()));
    for (query, parameter) in
        [("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("state=new", "state"), ("before=-1", "before")]
    {
        let problem: Value = village.get(&format!("/api/v1/cases?{query}"), &token).await.json().await.unwrap();
        assert_eq!((&problem["status"], &problem["parameter"]), (&400.into(), &parameter.into()), "{query}");
    }
    for id in ["0", "-1", "x", "999", "99999999999999999999999"] {
        assert_eq!(kind(village.get(&format!("/api/v1/cases/{id}"), &token).await).await, (404, "unknown".into()), "{id}");
    }
}

#[tokio::test]
async fn another_sites_page_makes_and_answers_nothing() {
    let (village, _) = official().await;
    let phone = client();
    village.sign_in(&phone, "ba-thanh", PASSWORD).await;
    let url = village.url("/api/v1/cases");
    let ask = || phone.post(&url).json(&json!({"camera": "cong-lang"}));
    assert_eq!(kind(ask().send().await.unwrap()).await, (403, "origin".into()));
    assert_eq!(kind(ask().header("Origin", "http://evil.example").send().await.unwrap()).await, (403, "origin".into()));
    assert_eq!(ask().header("Origin", village.url("")).send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn a_snapshot_or_the_reason_why_there_is_none() {
    let (village, token) = official().await;
    let taken = village.get("/api/v1/cameras/cong-lang/snapshot.jpg", &token).await;
    assert_eq!((taken.status().as_u16(), &taken.headers()["content-type"]), (200, &"image/jpeg".parse().unwrap()));
    assert_eq!(taken.headers()["cache-control"], "no-store");
    assert_eq!(&taken.bytes().await.unwrap()[..], MAIN_STILL);
    let none = village.get("/api/v1/cameras/nha-van-hoa/snapshot.jpg", &token).await;
    assert_eq!(none.headers()["retry-after"], "5");
    assert_eq!(kind(none).await, (503, "no-picture".into()));
}
