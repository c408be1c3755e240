//! A live socket, as a page reads it.

use super::Village;
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// A live socket.
pub(crate) type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Opens one below `/api/v1/`.
pub(crate) async fn watch(village: &Village, path: &str, token: &str) -> Socket {
    try_watch(village, path, &[("authorization", &format!("Bearer {token}"))]).await.unwrap()
}

/// The same with headers of one's own.
pub(crate) async fn try_watch(village: &Village, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, tungstenite::Error> {
    let mut request = format!("ws://{}/api/v1/{path}", village.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

/// The status of the answer that is no socket.
pub(crate) fn refusal(error: &tungstenite::Error) -> u16 {
    let tungstenite::Error::Http(response) = error else { panic!("an HTTP answer was due, not {error}") };
    response.status().as_u16()
}

/// The next message that is no ping.
pub(crate) async fn next(socket: &mut Socket) -> Message {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("a message in 20 s");
        let message = message.expect("the socket is open").unwrap();
        if !message.is_ping() {
            return message;
        }
    }
}

/// The next text of a kind, whatever comes before it.
pub(crate) async fn told(socket: &mut Socket, wanted: &str) -> Value {
    loop {
        let Message::Text(text) = next(socket).await else { continue };
        let text: Value = serde_json::from_str(&text).unwrap();
        if text["type"] == wanted {
            return text;
        }
    }
}

pub(crate) async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}
