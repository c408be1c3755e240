//! Links to one case: whom they let in, to what, and in whose name; by what the pages ask.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Audited, Role};
use matthon_web::endpoints::{Access, Answer, Method, table};
use serde_json::{Value, json};
use support::{Village, client, kind};

async fn json_of(answer: reqwest::Response, status: u16) -> Value {
    let (got, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn audited(village: &Village, what: Audited) -> Vec<(String, String, String)> {
    let rows = village.store.audit_rows(None, 1000).unwrap().into_iter().rev();
    rows.filter(|r| r.what == what.as_str()).map(|r| (r.who, r.subject, r.detail)).collect()
}

/// Makes a link for somebody and answers what stands behind its `#`.
async fn link(village: &Village, by: &str, case: i64, person: &str) -> String {
    let path = format!("/api/v1/cases/{case}/links");
    let asked = village.read(&path, by).await;
    let person = asked["people"].as_array().unwrap().iter().find(|p| p["name"] == person).unwrap()["id"].clone();
    let made = json_of(village.post(&path, by, &json!({"person": person})).await, 201).await;
    let (address, secret) = made["link"].as_str().unwrap().split_once('#').unwrap();
    assert_eq!(address, village.url("/vu"));
    secret.to_owned()
}

/// What a browser makes up and keeps before it asks.
fn pass(n: u8) -> String {
    format!("mc_{n:064x}")
}

async fn open(village: &Village, secret: &str, browser: &str) -> reqwest::Response {
    let zalo = "Mozilla/5.0 (Linux; Android 10; wv) Chrome/119.0 Mobile Safari/537.36 Zalo android/12090679";
    client()
        .post(village.url("/api/v1/case-link"))
        .json(&json!({"secret": secret, "browser": browser}))
        .header("User-Agent", zalo)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn inside_a_chat_the_case_shows_and_is_answered_in_the_persons_name() {
    let village = Village::start(true).await;
    let head = village.token("ba-thanh", Role::Admin);
    village.token("lan", Role::Official);
    let case = village.raise("cong-lang", 1, 1).0;
    let secret = link(&village, &head, case, "lan").await;
    let pass = &pass(1);
    // Twice: the first answer may be lost on its way.
    let opened = json_of(open(&village, &secret, pass).await, 200).await;
    assert_eq!(json_of(open(&village, &secret, pass).await, 200).await, opened);
    assert_eq!((&opened["case"], &opened["name"], &opened["site"]["name"]), (&case.into(), &"lan".into(), &"Thôn Duyên Hy".into()));
    let seen = village.read(&format!("/api/v1/cases/{case}"), pass).await;
    assert_eq!(seen["state"], "raised");
    let answered = json_of(village.post(&format!("/api/v1/cases/{case}/answer"), pass, &json!({"answer": "confirm"})).await, 200).await;
    assert_eq!((&answered["state"], &answered["answered_by"]), (&"confirmed".into(), &"lan".into()));
    let undone = json_of(village.post(&format!("/api/v1/cases/{case}/undo"), pass, &json!({})).await, 200).await;
    assert_eq!(undone["state"], "raised");
    // The link itself opens nothing more, in no other browser, and is no credential.
    assert_eq!(kind(open(&village, &secret, &self::pass(2)).await).await, (410, "case-link-used".into()));
    assert_eq!(kind(open(&village, "ml_0", &self::pass(2)).await).await, (410, "case-link-over".into()));
    assert_eq!(kind(village.get(&format!("/api/v1/cases/{case}"), &secret).await).await, (401, "sign-in".into()));
    assert_eq!(audited(&village, Audited::CaseLinked), [("ba-thanh".into(), case.to_string(), "lan".into())]);
    let by = "Android · Zalo address=127.0.0.1 link by=ba-thanh".to_owned();
    assert_eq!(audited(&village, Audited::CaseLinkOpened), [("lan".into(), case.to_string(), by)]);
    // What was done by the link says whose it was: nobody makes one for another and answers in his name unseen.
    let answered = audited(&village, Audited::CaseAnswered);
    assert_eq!(answered.len(), 2);
    assert!(answered.iter().all(|(who, _, detail)| who == "lan" && detail.ends_with("link by=ba-thanh")), "{answered:?}");
    // Twelve hours, and it is over.
    village.clock.advance(store::CASE_LINK_LIFE);
    assert_eq!(kind(village.get(&format!("/api/v1/cases/{case}"), pass).await).await, (401, "sign-in".into()));
}

#[tokio::test]
async fn nothing_else_is_let_in() {
    let village = Village::start(true).await;
    let head = village.token("ba-thanh", Role::Admin);
    let (case, other) = (village.raise("cong-lang", 1, 1).0, village.raise("cong-lang", 2, 1).0);
    // Even in an administrator's name.
    let secret = link(&village, &head, case, "ba-thanh").await;
    let pass = pass(7);
    json_of(open(&village, &secret, &pass).await, 200).await;
    let (mut refused, mut let_in) = (0, 0);
    for row in table().filter(|row| matches!(row.access, Access::Roles(_))) {
        let numbers = if row.one_case() { vec![other] } else { vec![case, other] };
        for number in numbers {
            let path = row.path.replace("{id}", &number.to_string()).replace("{film}", "x.mp4");
            let answer = match row.method {
                Method::Get => village.get(&path, &pass).await,
                Method::Post => village.post(&path, &pass, &json!({})).await,
                Method::Delete => client().delete(village.url(&path)).bearer_auth(&pass).send().await.unwrap(),
            };
            assert_eq!(kind(answer).await, (403, "one-case".into()), "{path}");
            refused += 1;
        }
        if row.one_case() {
            assert!(row.path.starts_with("/api/v1/cases/{id}"), "{} has no case in its path", row.path);
            assert!(row.answer != Answer::Socket, "{}: sockets ask again who somebody is, not for which case", row.path);
            let_in += 1;
        }
    }
    assert!(refused > 30 && let_in == 6, "{refused} {let_in}");
    // Ways around: another spelling of the path is no way to another case.
    for path in [format!("/api/v1/cases/%3{other}"), format!("/api/v1/cases/{case}/../{other}"), format!("/api/v1/cases//{other}")] {
        let status = village.get(&path, &pass).await.status().as_u16();
        assert!(matches!(status, 403 | 404), "{path}: {status}");
    }
}

#[tokio::test]
async fn only_those_who_may_see_the_case_can_be_asked() {
    let village = Village::start(true).await;
    let head = village.token("ba-thanh", Role::Admin);
    for (name, role) in [("lan", Role::Official), ("tivi", Role::Viewer), ("so-sach", Role::Auditor), ("cong-an", Role::Police)] {
        village.token(name, role);
    }
    let gate = [domain::CameraId::new("nha-van-hoa").unwrap()];
    village.store.set_cameras("lan", Some(&gate)).unwrap();
    let case = village.raise("cong-lang", 1, 1).0;
    let path = format!("/api/v1/cases/{case}/links");
    let asked = village.read(&path, &head).await;
    let names: Vec<_> = asked["people"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["ba-thanh", "cong-an"]);
    let lan = village.store.users().unwrap().into_iter().find(|u| u.name == "lan").unwrap().id;
    for person in [lan, 0, -1, i64::MAX] {
        assert_eq!(kind(village.post(&path, &head, &json!({"person": person})).await).await, (404, "unknown".into()));
    }
    assert_eq!(kind(village.post(&path, &head, &json!({"person": "lan"})).await).await.0, 400);
    assert!(audited(&village, Audited::CaseLinked).is_empty());
    // Who loses the camera after the link was opened loses the case with it.
    let secret = link(&village, &head, case, "cong-an").await;
    let pass = pass(7);
    json_of(open(&village, &secret, &pass).await, 200).await;
    village.store.set_cameras("cong-an", Some(&gate)).unwrap();
    assert_eq!(kind(village.get(&format!("/api/v1/cases/{case}"), &pass).await).await, (404, "unknown".into()));
    // A page of another site uses nobody's link up.
    let secret = link(&village, &head, case, "ba-thanh").await;
    let evil = client()
        .post(village.url("/api/v1/case-link"))
        .json(&json!({"secret": secret, "browser": self::pass(8)}))
        .header("Origin", "http://evil.example");
    assert_eq!(kind(evil.send().await.unwrap()).await, (403, "origin".into()));
    for odd in ["", "mc_0", "mt_1"] {
        assert_eq!(kind(open(&village, &secret, odd).await).await, (400, "bad-request".into()), "{odd}");
    }
    assert_eq!(open(&village, &secret, &self::pass(9)).await.status(), 200);
}
