//! Films of recordings: who gets which, how many at a time, and how they end.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use bytes::Bytes;
use domain::{Audited, Channel, Role, WallTime};
use matthon_web::{FilmWish, NoFilm};
use std::io;
use support::{Village, id, kind, until};

const PATH: &str = "/api/v1/cameras/cong-lang/film.mp4?from=2026-11-23T12:00:00Z&to=2026-11-23T12:05:00Z";

fn wish(covered: bool) -> FilmWish {
    let at = |text: &str| WallTime::parse(text).unwrap();
    let (from, to) = (at("2026-11-23T12:00:00Z"), at("2026-11-23T12:05:00Z"));
    FilmWish { camera: id("cong-lang"), channel: Channel::Main, from, to, covered }
}

#[tokio::test]
async fn a_masked_camera_is_covered_for_all_but_the_police_and_it_is_in_the_log() {
    let village = Village::masked().await;
    for (name, role, covered) in [("ba-thanh", Role::Official, true), ("quan-tri", Role::Admin, true), ("thieu-ta", Role::Police, false)] {
        let token = village.token(name, role);
        let answer = village.get(PATH, &token).await;
        assert_eq!(answer.status(), 200, "{name}");
        assert_eq!(answer.headers()["content-type"], "video/mp4");
        assert_eq!(answer.headers()["cache-control"], "private, no-store");
        assert_eq!(answer.headers()["x-matthon-codecs"], "avc1.64001f");
        assert_eq!(WallTime::parse(answer.headers()["x-matthon-starts-at"].to_str().unwrap()), Ok(wish(covered).from));
        let film = village.films.taken().await;
        assert_eq!(film.wish, wish(covered), "{name}");
        film.give.send(Ok(Bytes::from_static(b"one "))).await.unwrap();
        film.give.send(Ok(Bytes::from_static(b"film"))).await.unwrap();
        film.give.send(Ok(Bytes::new())).await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "one film");
        let row = village.store.audit_rows(None, 1).unwrap().remove(0);
        assert_eq!((row.what.as_str(), row.who.as_str(), row.subject.as_str()), (Audited::Playback.as_str(), name, "cong-lang"));
        assert!(row.detail.starts_with("film.mp4 from=2026-11-23T12:00:00Z"), "{}", row.detail);
    }
    for role in [Role::Viewer, Role::Technician, Role::Auditor] {
        let token = village.token(&format!("la-{role}"), role);
        assert_eq!(village.get(PATH, &token).await.status(), 403, "{role}");
    }
}

#[tokio::test]
async fn whoever_asks_for_another_one_ends_his_film_and_no_more_than_two_are_made() {
    let village = Village::start(true).await;
    let (one, two, three) =
        (village.token("ba-thanh", Role::Official), village.token("ong-sau", Role::Official), village.token("co-ba", Role::Official));
    let first = village.get(PATH, &one).await;
    let film = village.films.taken().await;
    assert!(!film.wish.covered);
    let again = village.get(PATH, &one).await;
    let (ended, now) = (film, village.films.taken().await);
    ended.stop.cancelled().await;
    drop(ended);
    assert!(first.bytes().await.is_err(), "what breaks off is no whole film");
    let other = village.get(PATH, &two).await;
    let theirs = village.films.taken().await;
    assert_eq!(kind(village.get(PATH, &three).await).await, (503, "films-full".to_owned()));
    // Who leaves makes room, once nothing of his film is at work any more.
    drop(again);
    now.stop.cancelled().await;
    assert_eq!(kind(village.get(PATH, &three).await).await, (503, "films-full".to_owned()));
    drop(now.place);
    assert_eq!(village.get(PATH, &three).await.status(), 200);
    assert!(!theirs.stop.is_cancelled());
    drop(other);
    theirs.stop.cancelled().await;
}

#[tokio::test]
async fn it_ends_with_its_viewer_s_session_and_where_it_breaks_off() {
    let village = Village::start(true).await;
    let token = village.token("ba-thanh", Role::Official);
    let answer = village.get(PATH, &token).await;
    let film = village.films.taken().await;
    film.give.send(Ok(Bytes::from_static(b"some"))).await.unwrap();
    film.give.send(Err(io::Error::other("the worker was ended"))).await.unwrap();
    assert!(answer.bytes().await.is_err());
    let answer = village.get(PATH, &token).await;
    let film = village.films.taken().await;
    film.give.send(Ok(Bytes::from_static(b"some"))).await.unwrap();
    drop((film.give, film.place));
    assert!(answer.bytes().await.is_err(), "without its end it is no whole film");
    // Asked for its head alone, none is made.
    let head = support::client().head(village.url(PATH)).bearer_auth(&token).send().await.unwrap();
    assert_eq!((head.status().as_u16(), village.films.begun.lock().unwrap().len()), (200, 0));
    let answer = village.get(PATH, &token).await;
    let film = village.films.taken().await;
    village.store.remove_user("ba-thanh").unwrap();
    // It is looked at some seconds later, when the next piece comes.
    until("it ends", || async { film.give.send(Ok(Bytes::from_static(b"more"))).await.is_err().then_some(()) }).await;
    assert!(answer.bytes().await.is_err());
}

#[tokio::test]
async fn why_there_is_none_is_said() {
    let village = Village::start(true).await;
    let token = village.token("ba-thanh", Role::Official);
    *village.films.refuses.lock().unwrap() = Some(NoFilm::Nothing);
    assert_eq!(kind(village.get(PATH, &token).await).await, (404, "no-recording".to_owned()));
    *village.films.refuses.lock().unwrap() = Some(NoFilm::Cannot("there is no worker".into()));
    assert_eq!(kind(village.get(PATH, &token).await).await, (503, "no-film".to_owned()));
    for (path, status) in [
        ("/api/v1/cameras/nha-van-hoa/film.mp4?from=1763900000&to=1763900100", (404, "no-recording")),
        ("/api/v1/cameras/cong-lang/film.mp4?from=1763900000&to=1763900601", (400, "bad-request")),
        ("/api/v1/cameras/cong-lang/film.mp4?from=1763900000", (400, "bad-request")),
        ("/api/v1/cameras/khong-co/film.mp4?from=1763900000&to=1763900100", (404, "unknown")),
    ] {
        let (code, kind) = kind(village.get(path, &token).await).await;
        assert_eq!((code, kind.as_str()), status, "{path}");
    }
}
