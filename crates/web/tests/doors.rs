//! HTTPS, proxies and the public door, through real sockets.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use domain::{Role, WallTime};
use futures::StreamExt;
use matthon_web::{
    Doors, Public,
    endpoints::{Access, Method, table},
};
use std::{sync::Arc, time::Duration};
use support::{PASSWORD, Village, client, kind};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The client's verifier looks at the real time.
fn today() -> WallTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    WallTime(i64::try_from(since.as_micros()).unwrap())
}

fn certificate(dir: &TempDir) -> door::Certificate {
    let source = door::Source::Local { data: dir.path().to_owned(), site: "Thôn Duyên Hy".into() };
    let names = door::Names::of(["127.0.0.1".to_owned(), "localhost".to_owned()]);
    door::Certificate::open(source, &names, today()).unwrap()
}

const PUBLIC: &str = "https://thon.example.vn";
const WEBRTC: &str = "/api/v1/cameras/{id}/webrtc";
const SESSION: &str = "/api/v1/cameras/{id}/webrtc/{session}";

/// A village behind the proxy on this box.
async fn tunnelled() -> Village {
    let trusted = vec!["127.0.0.1/32".parse().unwrap()];
    Village::behind(true, Doors { certificate: None, public: Public::new(PUBLIC), trusted }).await
}

/// Trusts what the box hands out at `/ca.crt` over plain HTTP, and nobody else.
async fn phone(village: &Village) -> reqwest::Client {
    let answer = client().get(village.url("/ca.crt")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-x509-ca-cert");
    let pem = answer.bytes().await.unwrap();
    let trusted = reqwest::Certificate::from_pem(&pem).unwrap();
    reqwest::Client::builder().cookie_store(true).tls_certs_only([trusted]).build().unwrap()
}

#[tokio::test]
async fn the_page_the_api_and_live_pictures_come_by_https() {
    let dir = tempfile::tempdir().unwrap();
    let village = Village::behind(false, Doors { certificate: Some(certificate(&dir)), ..Doors::default() }).await;
    let phone = phone(&village).await;
    let url = |path: &str| format!("https://{}{path}", village.address);
    let page = phone.get(url("/")).send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.version()), (200, reqwest::Version::HTTP_11));
    assert!(!page.headers().contains_key("strict-transport-security"), "no public name, no promise about it");
    village.token("ba-thanh", Role::Official);
    let body = serde_json::json!({"name": "ba-thanh", "password": PASSWORD});
    let signed = phone.post(url("/api/v1/session")).header("Origin", url("")).json(&body).send().await.unwrap();
    assert!(signed.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
    let from_http = phone.post(url("/api/v1/session")).header("Origin", village.url("")).json(&body).send().await.unwrap();
    assert_eq!(kind(from_http).await, (403, "origin".into()), "whoever sits between us and the page in the clear");
    let log = village.store.audit_rows(None, 1).unwrap().remove(0);
    assert_eq!((log.what.as_str(), log.detail.as_str()), ("signed-in", "address=127.0.0.1"));
    // A live socket over TLS.
    let token = village.token("tivi", Role::Viewer);
    let stream = TcpStream::connect(village.address).await.unwrap();
    let mut roots = rustls::RootCertStore::empty();
    let pem = village.context.doors.certificate.as_ref().unwrap().authority().unwrap().pem;
    roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let mut request = tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(
        url("/api/v1/live?cameras=cong-lang").replace("https", "wss"),
    )
    .unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let (mut socket, answer) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    assert_eq!(answer.status(), 101);
    // And its goodbye at shutdown.
    village.stop.cancel();
    let bye = tokio::time::timeout(Duration::from_secs(5), async {
        while let Some(message) = socket.next().await {
            if let Ok(tokio_tungstenite::tungstenite::Message::Close(frame)) = message {
                return frame.map(|f| u16::from(f.code));
            }
        }
        None
    });
    assert_eq!(bye.await.unwrap(), Some(1001));
    village.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn plain_http_on_the_https_port_is_told_where_to_go() {
    let dir = tempfile::tempdir().unwrap();
    let village = Village::behind(false, Doors { certificate: Some(certificate(&dir)), ..Doors::default() }).await;
    let _ = client();
    let blunt = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let there = blunt.get(village.url("/live?cameras=a%20b")).send().await.unwrap();
    let to = format!("https://{}/live?cameras=a%20b", village.address);
    assert_eq!((there.status().as_u16(), there.headers()["location"].to_str().unwrap()), (308, to.as_str()));
    assert_eq!(there.headers()["connection"], "close");
    let posted = blunt.post(village.url("/api/v1/session")).body("{}").send().await.unwrap();
    assert_eq!(kind(posted).await, (400, "plain-http".into()), "a password is not sent twice");
    assert_eq!(blunt.get(village.url("/metrics")).send().await.unwrap().status(), 308);
    // Without a host there is nowhere to send anybody.
    let mut old = TcpStream::connect(village.address).await.unwrap();
    old.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut said = String::new();
    old.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.0 400") && said.contains("https://"), "{said}");
    // Whoever says nothing holds up neither others nor the end.
    let _silent = TcpStream::connect(village.address).await.unwrap();
    let phone = phone(&village).await;
    assert_eq!(phone.get(format!("https://{}/", village.address)).send().await.unwrap().status(), 200);
    village.stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), village.server).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn each_row_of_the_table_goes_through_the_public_door_or_does_not() {
    let village = tunnelled().await;
    village.feed();
    let token = village.token("ba-thanh", Role::Admin);
    let inside = ["/healthz", "/ca.crt", "/metrics", "/api/v1/tv/pairing", "/api/v1/tv/pairing/look", WEBRTC, SESSION];
    // Rows for everybody that are open to the whole internet: each of them on purpose.
    let open = [
        (Method::Post, "/api/v1/session"),
        (Method::Get, "/api/v1/openapi.json"),
        // An invitation is its own proof, and is opened far away.
        (Method::Post, "/api/v1/invitation"),
        (Method::Post, "/api/v1/invitation/look"),
        // So is a link to one case.
        (Method::Post, "/api/v1/case-link"),
        // So is the ticket of a notification's picture.
        (Method::Get, "/m/{token}"),
    ];
    for row in table() {
        assert_eq!(row.public_door(), !inside.contains(&row.path), "{}", row.path);
        let meant = open.contains(&(row.method, row.path)) || !matches!(row.access, Access::Public);
        assert!(meant || !row.public_door(), "{} is open to everybody outside: is it meant? Then add it here", row.path);
        let url = village.url(&row.path.replace("{id}", "cong-lang"));
        let ask = |headers: &[(&str, &str)]| {
            let method = match row.method {
                Method::Get => reqwest::Method::GET,
                Method::Post => reqwest::Method::POST,
                Method::Delete => reqwest::Method::DELETE,
            };
            let request = client().request(method, &url).bearer_auth(&token);
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send()
        };
        for headers in [
            // The proxy keeps the host; or it does not, and says it; or it only says for whom it asks.
            vec![("Host", "thon.example.vn"), ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https")],
            vec![("X-Forwarded-Host", "thon.example.vn")],
            vec![("X-Forwarded-For", "203.0.113.9")],
        ] {
            let answer = ask(&headers).await.unwrap();
            if row.public_door() {
                // What is no problem may be a stream without an end.
                let ill = answer.headers().get("content-type").is_some_and(|kind| kind == "application/problem+json");
                assert!(!ill || kind(answer).await.1 != "no-such-path", "{} {headers:?}", row.path);
            } else {
                assert_eq!(kind(answer).await, (404, "no-such-path".into()), "{} {headers:?}", row.path);
            }
        }
        // Inside it is as ever, except that this box has no authority.
        if inside.contains(&row.path) {
            let status = ask(&[]).await.unwrap().status().as_u16();
            let wanted = match row.path {
                "/ca.crt" => 404,
                "/api/v1/tv/pairing" => 201,
                // Asked without a secret.
                "/api/v1/tv/pairing/look" => 400,
                // Asked without an offer; and of no session.
                WEBRTC => 415,
                SESSION => 404,
                _ => 200,
            };
            assert_eq!(status, wanted, "{}", row.path);
        }
    }
    let page = client().get(village.url("/")).header("Host", "thon.example.vn").send().await.unwrap();
    assert_eq!(page.status(), 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_cookie_the_origin_and_the_address_are_the_browsers() {
    let village = tunnelled().await;
    village.token("ba-thanh", Role::Official);
    let body = serde_json::json!({"name": "ba-thanh", "password": PASSWORD});
    // A proxy that asks us by another name.
    let from_phone = |request: reqwest::RequestBuilder| {
        request.header("Origin", PUBLIC).header("X-Forwarded-For", "1.1.1.1, 203.0.113.9").header("X-Forwarded-Proto", "https")
    };
    let session = village.url("/api/v1/session");
    let signed = from_phone(client().post(&session)).json(&body).send().await.unwrap();
    assert_eq!(signed.status(), 200);
    let cookie = signed.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let log = village.store.audit_rows(None, 1).unwrap().remove(0);
    assert_eq!((log.what.as_str(), log.detail.as_str()), ("signed-in", "address=203.0.113.9"));
    let wrong = serde_json::json!({"name": "ba-thanh", "password": "sai"});
    assert_eq!(from_phone(client().post(&session)).json(&wrong).send().await.unwrap().status(), 401);
    let log = village.store.audit_rows(None, 1).unwrap().remove(0);
    assert_eq!((log.what.as_str(), log.detail.as_str()), ("sign-in-refused", "name or password is wrong address=203.0.113.9"));
    // The page's own changes are let in; another page's are not.
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let leave = |origin: &str| client().delete(&session).header("Cookie", &cookie).header("Origin", origin).send();
    assert_eq!(kind(leave("https://evil.example").await.unwrap()).await, (403, "origin".into()));
    assert_eq!(leave(PUBLIC).await.unwrap().status(), 204);
    // Browsers that came by the public name over https come by nothing else for a year.
    let page = |headers: &[(&str, &str)]| {
        headers.iter().fold(client().get(village.url("/")), |request, (name, value)| request.header(*name, *value)).send()
    };
    let named = [("Host", "thon.example.vn"), ("X-Forwarded-Proto", "https")];
    assert_eq!(page(&named).await.unwrap().headers()["strict-transport-security"], "max-age=31536000");
    for headers in [&named[..1], &named[1..]] {
        assert!(!page(headers).await.unwrap().headers().contains_key("strict-transport-security"), "{headers:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_ends_and_what_needs_an_address_from_outside_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = certificate(&dir);
    let (until, pem) = (certificate.told(today()).until, certificate.authority().unwrap());
    let village = Village::behind(false, Doors { certificate: Some(certificate.clone()), ..Doors::default() }).await;
    let token = village.token("tho", Role::Technician);
    let phone = phone(&village).await;
    let status = async || {
        let answer = phone.get(format!("https://{}/api/v1/status", village.address)).bearer_auth(&token).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let well = status().await;
    assert_eq!(well["problems"], serde_json::json!([]));
    assert_eq!(well["reach"]["missing"], serde_json::json!(["push", "share", "residents"]));
    let shown = &well["reach"]["certificate"];
    assert_eq!((&shown["state"], &shown["authority"]), (&"good".into(), &pem.fingerprint.into()));
    village.clock.advance(Duration::from_micros(u64::try_from(until.micros_since(support::NOON)).unwrap()));
    let ended = status().await;
    assert_eq!((&ended["problems"][0]["key"], &ended["problems"][0]["text_key"]), (&"door".into(), &"door.ended".into()));
    assert!(ended["problems"][0]["detail"].as_str().unwrap().contains("localhost"), "{ended}");

    let village = tunnelled().await;
    let token = village.token("tho", Role::Technician);
    let status = village.read("/api/v1/status", &token).await;
    assert_eq!((&status["reach"]["public_url"], &status["reach"]["certificate"]), (&PUBLIC.into(), &serde_json::Value::Null));
    assert_eq!(status["reach"]["missing"], serde_json::json!([]));
}

/// A bare connection from an address of this machine.
async fn from(address: [u8; 4], village: &Village) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((address, 0).into()).unwrap();
    socket.connect(village.address).await.unwrap()
}

async fn answered(stream: &mut TcpStream) -> bool {
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let mut answer = Vec::new();
    asked.is_ok() && stream.read_to_end(&mut answer).await.is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn a_thousand_connections_of_one_address_take_nobody_elses_place() {
    let village = Village::start(false).await;
    let mut crowd = Vec::new();
    for _ in 0..1000 {
        crowd.push(from([127, 0, 0, 2], &village).await);
    }
    // Who comes from elsewhere is served, while the first of the crowd still hold theirs.
    let other = tokio::time::timeout(Duration::from_secs(20), async { answered(&mut from([127, 0, 0, 3], &village).await).await });
    assert!(other.await.unwrap());
    assert!(answered(&mut crowd[0]).await, "those who were let in are served as well");
    let last = crowd.last_mut().unwrap();
    assert!(!answered(last).await, "and those beyond the bound are not");
    // When the crowd has gone, its address is as good as any.
    drop(crowd);
    support::until("its places are free", async || answered(&mut from([127, 0, 0, 2], &village).await).await.then_some(())).await;
}
