//! Somebody's web server that alerts are posted to: remembers what came, and may be down for a while.

use crate::until;
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, atomic::AtomicU16, atomic::Ordering},
    time::Duration,
};

/// One delivery.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `X-Matthon-Signature`.
    pub signature: String,
    /// `X-Matthon-Delivery`.
    pub id: String,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Delivery {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether the signature is that of this body under `secret`: `t=UNIX,v1=HEX(hmac_sha256(secret, "t.body"))`.
    #[must_use]
    pub fn is_signed_with(&self, secret: &str) -> bool {
        use hmac::{Hmac, KeyInit, Mac};
        let part = |name: &str| self.signature.split(',').find_map(|p| p.strip_prefix(name)).unwrap_or_default().to_owned();
        let (time, given) = (part("t="), part("v1="));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(&self.body);
        let own: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        !given.is_empty() && own == given
    }
}

#[derive(Clone)]
struct Shared {
    got: Arc<Mutex<Vec<Delivery>>>,
    answer: Arc<AtomicU16>,
}

/// A running server on loopback.
pub struct Webhook {
    shared: Shared,
    /// `http://127.0.0.1:PORT/hook`
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Webhook {
    /// Starts it; it answers every delivery with `status`.
    pub async fn start(status: u16) -> Self {
        let shared = Shared { got: Arc::default(), answer: Arc::new(AtomicU16::new(status)) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().route("/hook", post(take)).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { shared, url, task }
    }

    /// What it answers from now on.
    pub fn answer(&self, status: u16) {
        self.shared.answer.store(status, Ordering::SeqCst);
    }

    /// Everything that came, also what was refused.
    #[must_use]
    pub fn got(&self) -> Vec<Delivery> {
        self.shared.got.lock().unwrap().clone()
    }

    /// Waits for a delivery whose body's `event` is this one.
    pub async fn until_event(&self, event: &str, seconds: u64) -> Delivery {
        until(&format!("a delivery of {event}"), Duration::from_secs(seconds), || async {
            self.got().into_iter().find(|d| d.json()["event"] == event)
        })
        .await
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let delivery = Delivery { signature: text("x-matthon-signature"), id: text("x-matthon-delivery"), body: body.to_vec() };
    shared.got.lock().unwrap().push(delivery);
    StatusCode::from_u16(shared.answer.load(Ordering::SeqCst)).unwrap()
}
