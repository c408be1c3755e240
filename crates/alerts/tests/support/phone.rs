//! A browser's push service on a real socket: it opens what is sealed for the browser and checks who vouches for it.
#![allow(clippy::unwrap_used, dead_code, reason = "helpers of tests may fall like the tests; not every test needs all")]

use super::NOON;
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Response, Uri},
};
use base64ct::{Base64UrlUnpadded, Encoding};
use domain::{Secret, WallTime};
use matthon_alerts::{
    OutboxError,
    push::{Phonebook, Phones, Post, Recipient, Vapid},
};
use p256::{
    SecretKey,
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    elliptic_curve::{rand_core::OsRng, sec1::ToEncodedPoint},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

pub(crate) const CONTACT: &str = "mailto:ban-quan-ly@duyenhy.vn";
const DEADLINE: Duration = Duration::from_secs(30);

/// A message as the browser has it, after everything about it was checked.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) path: String,
    pub(crate) topic: String,
    pub(crate) urgency: String,
    pub(crate) ttl: u64,
    pub(crate) aud: String,
    pub(crate) exp: i64,
    pub(crate) sub: String,
    pub(crate) sealed: usize,
    pub(crate) json: Value,
}

/// The browser and its push service.
pub(crate) struct Browser {
    pub(crate) port: u16,
    key: SecretKey,
    auth: [u8; 16],
    got: mpsc::UnboundedReceiver<Arrived>,
}

impl Browser {
    /// `answer` says what comes back for the nth message (from 0); `None`: never anything. `vapid`: the key it was given.
    pub(crate) async fn start(vapid: &str, answer: impl Fn(usize) -> Option<Response<Body>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, got) = mpsc::unbounded_channel();
        let (key, auth) = (SecretKey::random(&mut OsRng), [9; 16]);
        let (inner, vapid, count) = (key.clone(), vapid.to_owned(), Arc::new(Mutex::new(0)));
        let answer = Arc::new(answer);
        let handler = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
            tell.send(open(&uri, &headers, &body, &inner, auth, &vapid)).unwrap();
            let n = {
                let mut n = count.lock().unwrap();
                *n += 1;
                *n - 1
            };
            match answer(n) {
                Some(response) => response,
                None => std::future::pending().await,
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
        Self { port, key, auth, got }
    }

    /// What the browser hands the page when it signs up.
    pub(crate) fn recipient(&self) -> Recipient {
        let point = self.key.public_key().to_encoded_point(false);
        Recipient {
            user: "Lan".into(),
            role: "official".into(),
            language: "vi".into(),
            endpoint: Secret::new(format!("http://127.0.0.1:{}/geheim", self.port)),
            p256dh: Secret::new(Base64UrlUnpadded::encode_string(point.as_bytes())),
            auth: Secret::new(Base64UrlUnpadded::encode_string(&self.auth)),
        }
    }

    pub(crate) async fn next(&mut self) -> Arrived {
        timeout(DEADLINE, self.got.recv()).await.unwrap().unwrap()
    }

    pub(crate) fn is_quiet(&mut self) -> bool {
        self.got.try_recv().is_err()
    }
}

fn open(uri: &Uri, headers: &HeaderMap, body: &[u8], key: &SecretKey, auth: [u8; 16], vapid: &str) -> Arrived {
    let header = |name: &str| headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap().to_owned();
    assert_eq!((header("content-encoding").as_str(), header("content-type").as_str()), ("aes128gcm", "application/octet-stream"));
    let authorization = header("authorization");
    let part = |name: &str| authorization.split([' ', ',']).find_map(|p| p.strip_prefix(name)).unwrap().to_owned();
    assert!(authorization.starts_with("vapid "), "{authorization}");
    assert_eq!(part("k="), vapid, "the key the browser was given");
    let token = part("t=");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let decode = |text: &str| Base64UrlUnpadded::decode_vec(text).unwrap();
    let public = VerifyingKey::from_sec1_bytes(&decode(vapid)).unwrap();
    public.verify(signed.as_bytes(), &Signature::from_slice(&decode(signature)).unwrap()).expect("signed by that key");
    let (head, claims) = signed.split_once('.').unwrap();
    let json = |text: &str| serde_json::from_slice::<Value>(&decode(text)).unwrap();
    assert_eq!(json(head), serde_json::json!({"typ": "JWT", "alg": "ES256"}));
    let claims = json(claims);
    let message = web_push_native::decrypt(body.to_vec(), key, &auth.into()).expect("sealed for this browser");
    Arrived {
        path: uri.to_string(),
        topic: header("topic"),
        urgency: header("urgency"),
        ttl: header("ttl").parse().unwrap(),
        aud: claims["aud"].as_str().unwrap().to_owned(),
        exp: claims["exp"].as_i64().unwrap(),
        sub: claims["sub"].as_str().unwrap().to_owned(),
        sealed: body.len(),
        json: serde_json::from_slice(&message).unwrap(),
    }
}

/// The list of phones: channel → who is behind it.
#[derive(Default)]
pub(crate) struct List {
    pub(crate) all: Mutex<BTreeMap<String, Arc<dyn Fn() -> Recipient + Send + Sync>>>,
}

impl List {
    pub(crate) fn sign_up(&self, name: &str, browser: &Browser) {
        self.sign_up_at(name, browser, browser.recipient().endpoint.expose());
    }

    pub(crate) fn sign_up_at(&self, name: &str, browser: &Browser, address: &str) {
        let Recipient { user, role, language, p256dh, auth, .. } = browser.recipient();
        let endpoint = Secret::new(address.to_owned());
        let again = move || Recipient {
            user: user.clone(),
            role: role.clone(),
            language: language.clone(),
            endpoint: endpoint.clone(),
            p256dh: p256dh.clone(),
            auth: auth.clone(),
        };
        self.all.lock().unwrap().insert(name.to_owned(), Arc::new(again));
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.lock().unwrap().contains_key(name)
    }
}

impl Phones for List {
    fn names(&self) -> Result<Vec<String>, OutboxError> {
        Ok(self.all.lock().unwrap().keys().cloned().collect())
    }
    fn recipient(&self, name: &str, camera: &str) -> Result<Option<Recipient>, OutboxError> {
        let found = self.all.lock().unwrap().get(name).filter(|_| camera == "cho").cloned();
        Ok(found.map(|make| make()))
    }
    fn gone(&self, name: &str) -> Result<(), OutboxError> {
        self.all.lock().unwrap().remove(name);
        Ok(())
    }
    fn picture(&self, case: i64, recipient: &Recipient) -> Option<String> {
        Some(format!("/m/{case}-{}", recipient.user))
    }
}

pub(crate) fn phonebook(list: &Arc<List>, vapid: Vapid) -> Arc<Phonebook> {
    let timezone = jiff::tz::TimeZoneDatabase::bundled().get("Asia/Ho_Chi_Minh").unwrap();
    let phones: Arc<dyn Phones> = list.clone();
    Arc::new(Phonebook::new(Post { phones, vapid, contact: CONTACT.into(), timezone, allow_loopback: true }))
}

/// The parcel of a case, as `cases` writes it.
pub(crate) fn raised(id: i64, camera: &str, state: &str) -> String {
    serde_json::json!({
        "event": format!("case.{state}"), "site": "Thôn Duyên Hy",
        "sentence": {"vi": "Cổng chợ – nghi vấn xe tải đỗ sai chỗ, đã 4 phút – 17:42", "en": "Market gate – suspected: truck – 17:42"},
        "case": {"id": id, "camera": camera, "camera_name": "Cổng chợ", "state": state, "raised": NOON.to_string()},
    })
    .to_string()
}

pub(crate) fn unix(at: WallTime) -> i64 {
    at.0 / 1_000_000
}
