//! What came by, found again: by whom, in what, and what is written down of it.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Audited, BBox, CameraId, Colour, Heading, Role, Sighting, TrackId};
use serde_json::{Value, json};
use std::time::Duration;
use support::{NOON, Village, kind};

/// One thing a minute on each camera, cars and trucks in turn.
async fn lived() -> Village {
    let village = Village::start(true).await;
    let lines: Vec<_> = ["cong-lang", "nha-van-hoa"]
        .into_iter()
        .flat_map(|camera| {
            (0..30_u64).map(move |n| {
                let first = NOON.plus(Duration::from_secs(60 * n));
                let sighting = Sighting {
                    track: TrackId(n),
                    class: if n % 2 == 0 { "car" } else { "truck" }.into(),
                    colour: (n % 3 == 0).then_some(Colour::Red),
                    heading: if n % 5 == 0 { Heading::Near } else { Heading::Left },
                    first,
                    last: first.plus(Duration::from_secs(5)),
                    best: first.plus(Duration::from_secs(2)),
                    bbox: BBox::from([0.1, 0.2, 0.3, 0.4]),
                    score: 0.9,
                };
                (CameraId::new(camera).unwrap(), sighting)
            })
        })
        .collect();
    village.context.sightings.keep(&lines).unwrap();
    village
}

fn hour() -> Value {
    json!({"from": NOON.to_string(), "to": NOON.plus(Duration::from_secs(3600)).to_string(), "purpose": "Mất xe ở cổng làng"})
}

fn with(part: &Value) -> Value {
    let mut whole = hour();
    whole.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    whole
}

async fn find(village: &Village, token: &str, what: &Value) -> Value {
    let answer = village.post("/api/v1/search", token, what).await;
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn searched(village: &Village) -> Vec<(String, String, String)> {
    let rows = village.store.audit_rows(None, 1000).unwrap().into_iter().rev();
    rows.filter(|r| r.what == Audited::Searched.as_str()).map(|r| (r.who, r.subject, r.detail)).collect()
}

#[tokio::test]
async fn it_is_found_by_what_it_was_and_page_after_page() {
    let village = lived().await;
    let police = village.token("cong-an", Role::Police);
    let count = async |part: Value| find(&village, &police, &with(&part)).await["found"].as_array().unwrap().len();
    assert_eq!(count(json!({"limit": 100})).await, 60);
    assert_eq!(count(json!({"limit": 100, "classes": ["truck"]})).await, 30);
    assert_eq!(count(json!({"limit": 100, "colours": ["red"], "headings": ["near"], "cameras": ["cong-lang"]})).await, 2);
    let (mut all, mut before) = (Vec::new(), Value::Null);
    loop {
        let page = find(&village, &police, &with(&json!({"limit": 7, "before": before}))).await;
        all.extend(
            page["found"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| (one["first"].as_str().unwrap().to_owned(), one["camera"].as_str().unwrap().to_owned())),
        );
        before = page["before"].clone();
        if before.is_null() {
            break;
        }
    }
    assert_eq!(all.len(), 60);
    assert!(all.windows(2).all(|pair| pair[0].0 >= pair[1].0));
    let one = &find(&village, &police, &with(&json!({"limit": 1}))).await["found"][0];
    assert_eq!((&one["class"], &one["colour"], &one["heading"]), (&"truck".into(), &Value::Null, &"left".into()));
    // And seen.
    let path = format!("/api/v1/cameras/cong-lang/picture.jpg?at={}", NOON.0 / 1_000_000);
    let picture = village.get(&path, &police).await;
    assert_eq!((picture.status().as_u16(), picture.headers()["content-type"].to_str().unwrap()), (200, "image/jpeg"));
    // The log says of which hour: pictures of one are one row, those of another are another.
    for seconds in [1, 2, 3600] {
        village.get(&format!("/api/v1/cameras/cong-lang/picture.jpg?at={}", NOON.0 / 1_000_000 + seconds), &police).await;
    }
    let rows: Vec<_> = village.store.audit_rows(None, 1000).unwrap().into_iter().filter(|r| r.what == "playback").collect();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|r| r.subject == "cong-lang" && r.detail.starts_with("picture.jpg hour=2026-")), "{}", rows[0].detail);
    assert_eq!(kind(village.get("/api/v1/cameras/cong-lang/picture.jpg?at=7", &police).await).await, (503, "no-picture".into()));
    for path in ["/api/v1/cameras/cong-lang/picture.jpg", "/api/v1/cameras/cong-lang/picture.jpg?at=noon"] {
        assert_eq!(kind(village.get(path, &police).await).await, (400, "bad-request".into()));
    }
}

#[tokio::test]
async fn whoever_searches_says_what_for_and_it_is_written_down() {
    let village = lived().await;
    let police = village.token("cong-an", Role::Police);
    find(&village, &police, &with(&json!({"classes": ["car"], "cameras": ["cong-lang"]}))).await;
    let rows = searched(&village);
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].0.as_str(), rows[0].1.as_str()), ("cong-an", "cong-lang"));
    assert!(rows[0].2.starts_with("Mất xe ở cổng làng; from=") && rows[0].2.ends_with(" classes=car"), "{}", rows[0].2);
    // The next page is the same search; another question is another row.
    let page = find(&village, &police, &with(&json!({"classes": ["car"], "cameras": ["cong-lang"], "limit": 3}))).await;
    find(&village, &police, &with(&json!({"classes": ["car"], "cameras": ["cong-lang"], "before": page["before"]}))).await;
    assert_eq!(searched(&village).len(), 1);
    find(&village, &police, &with(&json!({"classes": ["bus"], "cameras": ["cong-lang"]}))).await;
    assert_eq!(searched(&village).len(), 2);
    for part in [
        json!({"purpose": " x "}),
        json!({"purpose": "a\nb c"}),
        json!({"purpose": "x".repeat(201)}),
        json!({"colours": ["pink"]}),
        json!({"headings": ["up"]}),
        json!({"limit": 0}),
        json!({"limit": 101}),
        json!({"before": "7"}),
        json!({"classes": ["x".repeat(101)]}),
        json!({"to": NOON.plus(Duration::from_secs(32 * 86_400)).to_string()}),
        json!({"to": NOON.to_string()}),
        json!({"face": "…"}),
    ] {
        assert_eq!(kind(village.post("/api/v1/search", &police, &with(&part)).await).await, (400, "bad-request".into()), "{part}");
    }
    assert_eq!(kind(village.post("/api/v1/search", &police, &with(&json!({"cameras": ["gone"]}))).await).await, (404, "unknown".into()));
    assert_eq!(searched(&village).len(), 2, "what is refused shows nothing");
}

#[tokio::test]
async fn nobody_finds_what_he_may_not_see() {
    let village = lived().await;
    let lan = village.token("lan", Role::Official);
    village.store.set_cameras("lan", Some(&[CameraId::new("nha-van-hoa").unwrap()])).unwrap();
    let found = find(&village, &lan, &with(&json!({"limit": 100}))).await;
    let cameras: Vec<_> = found["found"].as_array().unwrap().iter().map(|one| one["camera"].as_str().unwrap()).collect();
    assert!(cameras.len() == 30 && cameras.iter().all(|camera| *camera == "nha-van-hoa"));
    assert_eq!(kind(village.post("/api/v1/search", &lan, &with(&json!({"cameras": ["cong-lang"]}))).await).await, (404, "unknown".into()));
    let path = format!("/api/v1/cameras/cong-lang/picture.jpg?at={}", NOON.0 / 1_000_000);
    assert_eq!(kind(village.get(&path, &lan).await).await, (404, "unknown".into()));
    for role in [Role::Viewer, Role::Technician, Role::Auditor] {
        let token = village.token(role.as_str(), role);
        assert_eq!(kind(village.post("/api/v1/search", &token, &hour()).await).await, (403, "role".into()));
    }
}
