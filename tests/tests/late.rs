//! A camera that comes only when its picture is awaited already.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use futures::StreamExt;
use matthon_tests::{Camsim, Village, village::free_port};
use serde_json::Value;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn an_h265_camera_that_comes_after_the_socket_opened_is_shown_in_h264() {
    let port = free_port();
    let village = Village::new(&format!(
        "[[camera]]\nid = \"cho\"\nname = \"cho\"\nmain = \"rtsp://127.0.0.1:{port}/cho/main\"\nsub = \"rtsp://127.0.0.1:{port}/cho/sub\"\n"
    ));
    let daemon = village.start().await;
    let api = village.admin().await;
    let mut socket = api.socket("live?cameras=cho&stream=main&codec=h264").await;
    let camsim = Camsim::start_at(port, &["id=cho,size=320x180,sub-size=160x90,fps=10,sub-fps=10,gop=1s,codec=h265,sub-codec=h265"]).await;
    let shown = async {
        let (mut format, mut pictures) = (None, 0);
        while pictures < 20 {
            match socket.next().await.expect("the socket is open") {
                Message::Text(text) => {
                    let text: Value = serde_json::from_str(&text).unwrap();
                    if text["type"] == "format" {
                        format = Some(text);
                    }
                }
                Message::Binary(bytes) => {
                    assert!(format.is_some(), "the first picture is one that can be played");
                    pictures += usize::from(&bytes[5..9] == b"moof");
                }
                _ => {}
            }
        }
        format.unwrap()
    };
    let format = tokio::time::timeout(Duration::from_secs(60), shown).await.expect("20 pictures in a minute");
    assert!(format["codecs"].as_str().unwrap().starts_with("avc1.") && format["converted"] == true, "{format}");
    drop(daemon);
    camsim.stop().await;
}
