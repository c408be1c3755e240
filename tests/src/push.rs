//! A browser and its push service: takes messages on loopback, opens them with the browser's private key and checks who vouches for them.
//!
//! RFC 8291 and RFC 8292, written out from the RFCs with bare primitives: not the code that seals and signs.

use crate::until;
use aes_gcm::{Aes128Gcm, KeyInit as _, Nonce, aead::Aead};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, http::Uri};
use base64ct::{Base64UrlUnpadded, Encoding};
use domain::WallTime;
use hmac::{Hmac, KeyInit as _, Mac};
use p256::{
    PublicKey, SecretKey,
    ecdh::diffie_hellman,
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    elliptic_curve::{rand_core::OsRng, sec1::ToEncodedPoint},
};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

/// A message as the browser has it: sealed for it, and vouched for by the key it was given.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// When it came.
    pub at: WallTime,
    /// To which of the browsers: the last part of the address.
    pub to: String,
    /// `Topic`.
    pub topic: String,
    /// `Urgency`.
    pub urgency: String,
    /// Seconds.
    pub ttl: u64,
    /// The token's `sub`.
    pub contact: String,
    /// What the service worker gets.
    pub json: Value,
}

struct Shared {
    key: SecretKey,
    auth: [u8; 16],
    vapid: Mutex<String>,
    origin: String,
    answer: AtomicU16,
    got: Mutex<Vec<Pushed>>,
}

/// A running push service with one browser's keys behind any number of addresses.
pub struct PushService {
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl PushService {
    /// Starts it; it takes every message.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (key, auth) = (SecretKey::random(&mut OsRng), [7; 16]);
        let (answer, got, vapid) = (AtomicU16::new(201), Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { key, auth, vapid, origin, answer, got });
        let app = Router::new().fallback(take).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { shared, task }
    }

    /// What a page posts to sign up the browser `name`; `vapid` is the key the box offered it.
    #[must_use]
    pub fn subscription(&self, name: &str, vapid: &str) -> Value {
        vapid.clone_into(&mut self.shared.vapid.lock().unwrap());
        let text = Base64UrlUnpadded::encode_string;
        json!({
            "endpoint": format!("{}/{name}", self.shared.origin), "expirationTime": null, "label": "Chrome, Android", "language": "vi",
            "keys": {"p256dh": text(self.shared.key.public_key().to_encoded_point(false).as_bytes()), "auth": text(&self.shared.auth)},
        })
    }

    /// What it answers from now on.
    pub fn answer(&self, status: u16) {
        self.shared.answer.store(status, Ordering::SeqCst);
    }

    /// Everything that came, also what was refused.
    #[must_use]
    pub fn got(&self) -> Vec<Pushed> {
        self.shared.got.lock().unwrap().clone()
    }

    /// Waits for a message of which this is so.
    pub async fn until(&self, what: &str, seconds: u64, wanted: impl Fn(&Pushed) -> bool) -> Pushed {
        until(what, Duration::from_secs(seconds), || async { self.got().into_iter().find(&wanted) }).await
    }
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let at = crate::village::now();
    let text = |name: &str| headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap().to_owned();
    assert_eq!(text("content-encoding"), "aes128gcm");
    let vapid = shared.vapid.lock().unwrap().clone();
    let claims = vouched(&text("authorization"), &vapid, at);
    assert_eq!(claims["aud"], shared.origin.as_str());
    let message = unsealed(&body, &shared.key, &shared.auth);
    shared.got.lock().unwrap().push(Pushed {
        at,
        to: uri.path().trim_start_matches('/').to_owned(),
        topic: text("topic"),
        urgency: text("urgency"),
        ttl: text("ttl").parse().unwrap(),
        contact: claims["sub"].as_str().unwrap().to_owned(),
        json: serde_json::from_slice(&message).unwrap(),
    });
    StatusCode::from_u16(shared.answer.load(Ordering::SeqCst)).unwrap()
}

/// The claims of `vapid t=…, k=…`, after its signature by the key that was given, and its end, were looked at.
fn vouched(authorization: &str, vapid: &str, now: WallTime) -> Value {
    let part = |name: &str| authorization.trim_start_matches("vapid ").split(", ").find_map(|p| p.strip_prefix(name)).unwrap();
    assert_eq!(part("k="), vapid);
    let decode = |text: &str| Base64UrlUnpadded::decode_vec(text).unwrap();
    let (signed, signature) = part("t=").rsplit_once('.').unwrap();
    let key = VerifyingKey::from_sec1_bytes(&decode(vapid)).unwrap();
    key.verify(signed.as_bytes(), &Signature::from_slice(&decode(signature)).unwrap()).expect("the token is signed by the key");
    let claims: Value = serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap();
    let left = claims["exp"].as_i64().unwrap() - now.0 / 1_000_000;
    assert!((1..=86_400).contains(&left), "RFC 8292: within 24 h; {left} s");
    claims
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// RFC 8291, section 3.4, and RFC 8188, section 2: one record.
fn unsealed(body: &[u8], key: &SecretKey, auth: &[u8]) -> Vec<u8> {
    let (salt, rest) = body.split_at(16);
    let (record, rest) = rest.split_at(4);
    let (length, rest) = rest.split_at(1);
    let (theirs, sealed) = rest.split_at(usize::from(length[0]));
    assert!(
        body.len() <= 4096 && sealed.len() <= u32::from_be_bytes(record.try_into().unwrap()) as usize,
        "one record, within what is taken"
    );
    let sender = PublicKey::from_sec1_bytes(theirs).unwrap();
    let secret = diffie_hellman(key.to_nonzero_scalar(), sender.as_affine());
    let ours = key.public_key().to_encoded_point(false);
    let info = [b"WebPush: info\0", ours.as_bytes(), theirs, &[1]].concat();
    let ikm = hmac(&hmac(auth, secret.raw_secret_bytes()), &info);
    let prk = hmac(salt, &ikm);
    let content = hmac(&prk, b"Content-Encoding: aes128gcm\0\x01");
    let nonce = hmac(&prk, b"Content-Encoding: nonce\0\x01");
    let cipher = Aes128Gcm::new_from_slice(&content[..16]).unwrap();
    let mut message = cipher.decrypt(Nonce::from_slice(&nonce[..12]), sealed).expect("sealed for this browser");
    let end = message.iter().rposition(|b| *b != 0).unwrap();
    assert_eq!(message[end], 2, "the last record says so");
    message.truncate(end);
    message
}
