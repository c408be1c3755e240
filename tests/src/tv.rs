//! A TV, as the box sees one: a code that somebody types, a cookie, a socket.

use crate::{api::Api, until};
use futures::{Stream, StreamExt};
use serde_json::{Value, json};
use std::{path::Path, process::Command, time::Duration};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

/// A TV that was let in.
pub struct Tv {
    port: u16,
    /// Its number among TVs.
    pub id: i64,
    cookie: String,
}

impl Tv {
    /// Shows a code that somebody types for this mode.
    pub async fn pair(port: u16, api: &Api, mode: &str) -> Self {
        let (http, base) = (crate::http(), format!("http://127.0.0.1:{port}"));
        let post = |path: &str| http.post(format!("{base}/api/v1/{path}")).header("Origin", &base);
        let shown: Value = post("tv/pairing").send().await.unwrap().json().await.unwrap();
        let made = api.post("tvs", &json!({"code": shown["code"], "name": "Nhà văn hóa", "mode": mode})).await;
        assert_eq!(made.status(), 201);
        let made: Value = made.json().await.unwrap();
        let look = post("tv/pairing/look").json(&json!({"secret": shown["secret"]})).send().await.unwrap();
        let cookie = look.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { port, id: made["id"].as_i64().unwrap(), cookie }
    }

    /// What it is told of itself and its wall.
    pub async fn own(&self) -> Value {
        let url = format!("http://127.0.0.1:{}/api/v1/tv", self.port);
        crate::http().get(url).header("Cookie", &self.cookie).send().await.unwrap().json().await.unwrap()
    }

    /// Watches its wall; the status when it may not.
    pub async fn watch(&self) -> Result<impl Stream<Item = Message> + Unpin + use<>, u16> {
        let mut request = format!("ws://127.0.0.1:{}/api/v1/tv/live", self.port).into_client_request().unwrap();
        request.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        request.headers_mut().insert("origin", format!("http://127.0.0.1:{}", self.port).parse().unwrap());
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Box::pin(socket.filter_map(|m| async { m.ok() }))),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// A film of so many pictures of its wall, from now on.
    pub async fn film(&self, pictures: usize, file: &Path) {
        let mut socket = self.watch().await.expect("it may watch");
        let (mut bytes, mut count) = (Vec::new(), 0);
        while count < pictures {
            let message = tokio::time::timeout(Duration::from_secs(40), socket.next()).await.expect("a picture in 40 s");
            if let Message::Binary(part) = message.expect("the socket is open") {
                count += usize::from(&part[4..8] == b"moof");
                bytes.extend_from_slice(&part);
            }
        }
        std::fs::write(file, bytes).unwrap();
    }

    /// Waits until its wall shows what is wanted: luma of a picture, row by row, 1920 × 1080.
    pub async fn until_shows(&self, what: &str, dir: &Path, shows: impl Fn(&[u8]) -> bool) {
        until(what, Duration::from_secs(60), || async {
            let file = dir.join("tv.mp4");
            self.film(12, &file).await;
            shows(&last_luma(&file)).then_some(())
        })
        .await;
    }
}

/// Luma of a film's last picture.
///
/// # Panics
/// When ffmpeg does not decode it.
#[must_use]
pub fn last_luma(file: &Path) -> Vec<u8> {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg is installed");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let picture = 1920 * 1080 * 3 / 2;
    assert!(run.stdout.len() >= picture && run.stdout.len().is_multiple_of(picture), "{} bytes", run.stdout.len());
    run.stdout[run.stdout.len() - picture..][..1920 * 1080].to_vec()
}
