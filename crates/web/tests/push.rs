//! Phones sign up and off, a case's news is acknowledged, and a picture is looked at once.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Role, Secret};
use serde_json::{Value, json};
use std::time::Duration;
use support::{MAIN_STILL, NOON, Village, client, id, kind};

fn subscription(name: &str) -> Value {
    json!({"endpoint": format!("https://push.example/{name}"), "expirationTime": null, "keys": {"p256dh": "BP", "auth": "AA"}, "label": "Chrome, Android", "language": "vi"})
}

async fn sign_up(village: &Village, token: &str, name: &str) -> i64 {
    let answer = village.post("/api/v1/push", token, &subscription(name)).await;
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    body["id"].as_i64().unwrap()
}

/// Rows of the log, oldest first: what, who, about what, and the rest.
fn rows(village: &Village) -> Vec<[String; 4]> {
    let mut rows: Vec<_> = village.store.audit_rows(None, 100).unwrap();
    rows.reverse();
    rows.into_iter().map(|r| [r.what, r.who, r.subject, r.detail]).collect()
}

#[tokio::test]
async fn a_browser_signs_up_is_renewed_and_signs_off() {
    let village = Village::start(false).await;
    let (lan, mai) = (village.token("Lan", Role::Official), village.token("Mai", Role::Police));
    let offer = village.read("/api/v1/push", &lan).await;
    assert_eq!(offer, json!({"offered": true, "key": "BKEY", "phones": []}));
    let phone = sign_up(&village, &lan, "geheim").await;
    village.clock.advance(Duration::from_secs(3600));
    assert_eq!(sign_up(&village, &lan, "geheim").await, phone, "every opening renews it");
    let offer = village.read("/api/v1/push", &lan).await;
    let later = NOON.plus(Duration::from_secs(3600));
    let one = json!({"id": phone, "label": "Chrome, Android", "created": NOON.to_string(), "renewed": later.to_string(), "handed": null});
    assert_eq!(offer["phones"], json!([one]));
    assert!(!offer.to_string().contains("geheim"), "an address is a secret, also to its owner's other browsers");
    assert_eq!(village.read("/api/v1/push", &mai).await["phones"], json!([]));
    let off = |token: &str, query: &str| client().delete(village.url(&format!("/api/v1/push{query}"))).bearer_auth(token).send();
    let own = format!("?id={phone}");
    assert_eq!(kind(off(&mai, &own).await.unwrap()).await, (404, "unknown".into()), "not hers");
    assert_eq!(kind(off(&lan, "").await.unwrap()).await, (400, "bad-request".into()));
    assert_eq!(off(&lan, &own).await.unwrap().status(), 204);
    assert_eq!(kind(off(&lan, &own).await.unwrap()).await, (404, "unknown".into()));
    let number = phone.to_string();
    let row = |detail: &str| ["phone", "Lan", &number, detail].map(str::to_owned);
    assert_eq!(rows(&village), [row("on Chrome, Android"), row("off")], "renewing is no news");
}

#[tokio::test]
async fn what_is_no_phone_is_refused_without_being_repeated() {
    let village = Village::start(false).await;
    let lan = village.token("Lan", Role::Official);
    let mut bad = subscription("x");
    bad["endpoint"] = json!("https://192.168.1.1/geheim");
    let mut keys = subscription("x");
    keys["keys"]["p256dh"] = json!("geheim");
    for wrong in [bad, keys, json!({}), json!({"endpoint": "https://push.example/geheim"}), json!([])] {
        let answer = village.post("/api/v1/push", &lan, &wrong).await;
        assert_eq!(answer.status(), 400, "{wrong}");
        assert!(!answer.text().await.unwrap().contains("geheim"));
    }
    assert_eq!(village.store.count_phones().unwrap(), 0);
    assert_eq!(rows(&village), Vec::<[String; 4]>::new());
    // Whatever else a browser says is taken or cut.
    let mut odd = subscription("y");
    odd["expirationTime"] = json!(1e300);
    odd["label"] = json!(format!("a\u{7}{}", "ỡ".repeat(100)));
    odd["language"] = json!("fr");
    assert_eq!(village.post("/api/v1/push", &lan, &odd).await.status(), 200);
    let label = village.read("/api/v1/push", &lan).await["phones"][0]["label"].as_str().unwrap().to_owned();
    assert_eq!(label, format!("a{}", "ỡ".repeat(59)));
}

#[tokio::test]
async fn another_sites_page_signs_no_browser_up() {
    let village = Village::start(false).await;
    village.token("Lan", Role::Official);
    let phone = client();
    village.sign_in(&phone, "Lan", support::PASSWORD).await;
    let ask = || phone.post(village.url("/api/v1/push")).json(&subscription("x"));
    assert_eq!(kind(ask().header("Origin", "http://evil.example").send().await.unwrap()).await, (403, "origin".into()));
    assert_eq!(ask().header("Origin", village.url("")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn who_has_seen_it_stands_in_the_history_and_the_log() {
    let village = Village::start(false).await;
    let lan = village.token("Lan", Role::Official);
    let near = village.token("Mai", Role::Official);
    village.store.set_cameras("Mai", Some(&[id("nha-van-hoa")])).unwrap();
    let case = village.raise("cong-lang", 1, 0);
    let path = format!("/api/v1/cases/{case}/seen");
    for _ in 0..2 {
        let answer = village.post(&path, &lan, &Value::Null).await;
        assert_eq!(answer.status(), 200);
        let seen: Value = answer.json().await.unwrap();
        let history: Vec<_> = seen["history"].as_array().unwrap().iter().map(|l| [&l["what"], &l["by"]]).collect();
        assert_eq!(history, [[&json!("raised"), &json!("")], [&json!("seen"), &json!("Lan")]], "once is enough");
        assert_eq!(seen["state"], "raised", "it answers nothing");
    }
    assert_eq!(kind(village.post(&path, &near, &Value::Null).await).await, (404, "unknown".into()));
    assert_eq!(rows(&village), [["case-seen", "Lan", &case.to_string(), "seen"].map(str::to_owned)]);
}

#[tokio::test]
async fn a_picture_is_looked_at_once_without_signing_in_and_the_look_is_written_down() {
    let village = Village::start(false).await;
    let case = village.raise("cong-lang", 1, 1);
    let clock: &dyn domain::Clock = village.clock.as_ref();
    let issue = || village.context.glances.issue(case, "Lan", "official", clock.mono()).unwrap();
    let path = issue();
    // The news is faster than the picture: the look waits for it.
    let asked = tokio::spawn(client().get(village.url(&path)).send());
    village.fetch_evidence();
    let answer = asked.await.unwrap().unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &"image/jpeg".parse().unwrap()));
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(&answer.bytes().await.unwrap()[..], MAIN_STILL);
    assert_eq!(rows(&village), [["evidence", "Lan", &case.to_string(), "push"].map(str::to_owned)]);
    let token = path.strip_prefix("/m/").unwrap();
    for wrong in [path.clone(), format!("/m/{}", token.to_uppercase()), "/m/x".into(), format!("/m/{token}x")] {
        let answer = client().get(village.url(&wrong)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{wrong}");
        assert!(!answer.text().await.unwrap().contains(token), "a ticket is not repeated");
    }
    let late = issue();
    village.clock.advance(Duration::from_secs(16 * 60));
    assert_eq!(kind(client().get(village.url(&late)).send().await.unwrap()).await, (404, "unknown".into()));
    assert_eq!(rows(&village).len(), 1, "nothing was seen");
}

#[tokio::test]
async fn the_box_says_how_many_phones_are_told() {
    let village = Village::start(false).await;
    let lan = village.token("Lan", Role::Official);
    assert_eq!(village.read("/api/v1/status", &lan).await["push"], json!({"offered": true, "phones": 0}));
    sign_up(&village, &lan, "a").await;
    sign_up(&village, &lan, "b").await;
    assert_eq!(village.read("/api/v1/status", &lan).await["push"]["phones"], 2);
    // Whoever is told is told under a name that is not shown.
    let shown = format!("{:?}", village.store.phones(1).unwrap());
    assert!(!shown.contains("push.example") && format!("{:?}", Secret::new("x".into())) == "***", "{shown}");
}
