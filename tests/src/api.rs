//! The HTTP API as a program uses it.

use crate::until;
use domain::WallTime;
use futures::StreamExt;
use serde_json::Value;
use std::{path::Path, time::Duration};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

/// A client with a bearer token.
pub struct Api {
    port: u16,
    token: String,
    http: reqwest::Client,
}

impl Api {
    /// Talks to the daemon on this port.
    #[must_use]
    pub fn new(port: u16, token: &str) -> Self {
        Self { port, token: token.to_owned(), http: crate::http() }
    }

    /// What it shows the server.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// GET below `/api/v1/`.
    pub async fn get(&self, path: &str) -> reqwest::Response {
        let url = format!("http://127.0.0.1:{}/api/v1/{path}", self.port);
        self.http.get(url).bearer_auth(&self.token).send().await.unwrap()
    }

    /// POST below `/api/v1/`.
    pub async fn post(&self, path: &str, body: &Value) -> reqwest::Response {
        let url = format!("http://127.0.0.1:{}/api/v1/{path}", self.port);
        self.http.post(url).bearer_auth(&self.token).json(body).send().await.unwrap()
    }

    /// POST of an offer (WHEP) below `/api/v1/`.
    pub async fn offer(&self, path: &str, sdp: &str) -> reqwest::Response {
        let url = format!("http://127.0.0.1:{}/api/v1/{path}", self.port);
        let request = self.http.post(url).bearer_auth(&self.token).header("Content-Type", "application/sdp");
        request.body(sdp.to_owned()).send().await.unwrap()
    }

    /// DELETE below `/api/v1/`.
    pub async fn delete(&self, path: &str) -> reqwest::Response {
        let url = format!("http://127.0.0.1:{}/api/v1/{path}", self.port);
        self.http.delete(url).bearer_auth(&self.token).send().await.unwrap()
    }

    /// GET below `/api/v1/`, as JSON.
    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// `/metrics`.
    pub async fn metrics(&self) -> String {
        let response = self.http.get(format!("http://127.0.0.1:{}/metrics", self.port)).bearer_auth(&self.token).send().await.unwrap();
        assert!(response.status().is_success(), "metrics: {}", response.status());
        response.text().await.unwrap()
    }

    /// The state key of a camera stream.
    pub async fn link(&self, camera: &str, stream: &str) -> String {
        let all = self.json("cameras").await;
        let one = all["cameras"].as_array().unwrap().iter().find(|c| c["id"] == camera).unwrap_or_else(|| panic!("no {camera} in {all}"));
        one["streams"][stream]["link"].as_str().unwrap_or("none").to_owned()
    }

    /// Waits until a camera stream is in a state.
    pub async fn until_link(&self, camera: &str, stream: &str, link: &str, seconds: u64) {
        let what = format!("{camera}/{stream} is {link}");
        until(&what, Duration::from_secs(seconds), || async { (self.link(camera, stream).await == link).then_some(()) }).await;
    }

    /// Waits until a camera's main stream is readable from the ring up to `micros` after `since`.
    pub async fn until_recorded(&self, camera: &str, since: WallTime, micros: i64, seconds: u64) {
        let what = format!("{camera} is recorded {micros} µs past {since}");
        until(&what, Duration::from_secs(seconds), || async {
            let far = since.plus(Duration::from_secs(3600));
            let timeline = self.json(&format!("cameras/{camera}/timeline?from={since}&to={far}&stream=main")).await;
            let last = WallTime::parse(timeline["spans"].as_array()?.last()?["to"].as_str()?).ok()?;
            (last.micros_since(since) >= micros).then_some(())
        })
        .await;
    }

    /// Downloads a clip to a file.
    pub async fn clip(&self, camera: &str, stream: &str, from: impl ToString, to: impl ToString, file: &Path) {
        let path = format!("cameras/{camera}/clip.mp4?from={}&to={}&stream={stream}", from.to_string(), to.to_string());
        let response = self.get(&path).await;
        let status = response.status();
        let bytes = response.bytes().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes[..bytes.len().min(500)]));
        std::fs::write(file, bytes).unwrap();
    }

    /// Opens a WebSocket below `/api/v1/` and hands over its messages.
    pub async fn socket(&self, path: &str) -> impl futures::Stream<Item = Message> + Unpin + use<> {
        let mut request = format!("ws://127.0.0.1:{}/api/v1/{path}", self.port).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Box::pin(socket.map(|m| m.expect("the socket lives")))
    }
}
