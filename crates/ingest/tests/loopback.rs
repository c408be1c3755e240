//! The real network against hand-written servers on loopback: what a port may answer, and the name it gets.

mod common;
use common::{Village, target};
use domain::{Link, Secret, StreamHealth};
use matthon_ingest::RetinaNetwork;
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers every request with `answer` (`{cseq}` replaced); an empty answer is silence.
async fn server(answer: &'static str) -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let task = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            if answer.is_empty() {
                open.push(socket);
                continue;
            }
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                while let Ok(n @ 1..) = socket.read(&mut request).await {
                    let text = String::from_utf8_lossy(&request[..n]).into_owned();
                    let cseq = text.lines().find_map(|l| l.strip_prefix("CSeq: ")).unwrap_or("1").to_owned();
                    if socket.write_all(answer.replace("{cseq}", &cseq).as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, task)
}

async fn meets(answer: &'static str, link: Link) -> StreamHealth {
    let (port, task) = server(answer).await;
    let village = Village::new(Arc::new(RetinaNetwork::new()));
    let mut target = target("gate", &format!("rtsp://127.0.0.1:{port}/x"));
    (target.username, target.password) = (Some("admin".into()), Some(Secret::new("hunter2".into())));
    let stream = village.start(target);
    let health = village.link("gate", link).await;
    assert!(!health.detail.is_empty() && !health.detail.contains("hunter2") && !health.detail.contains("rtsp://"), "{}", health.detail);
    village.stop.cancel();
    stream.await.expect("stream ends");
    task.abort();
    health
}

#[tokio::test]
async fn a_wrong_password_is_auth() {
    let digest = "RTSP/1.0 401 Unauthorized\r\nCSeq: {cseq}\r\nWWW-Authenticate: Digest realm=\"cam\", nonce=\"abc\"\r\n\r\n";
    let health = meets(digest, Link::Auth).await;
    assert!(health.detail.contains("401"), "{}", health.detail);
}

#[tokio::test]
async fn a_wrong_path_is_not_found() {
    meets("RTSP/1.0 404 Not Found\r\nCSeq: {cseq}\r\n\r\n", Link::NotFound).await;
}

#[tokio::test]
async fn a_camera_without_a_session_to_spare_is_busy() {
    meets("RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: {cseq}\r\n\r\n", Link::Busy).await;
    meets("RTSP/1.0 503 Service Unavailable\r\nCSeq: {cseq}\r\n\r\n", Link::Busy).await;
}

#[tokio::test]
async fn a_web_server_is_garbage() {
    meets("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Link::Garbage).await;
    meets("SSH-2.0-dropbear_2019.78\r\n\r\n\r\n", Link::Garbage).await;
}

#[tokio::test]
async fn a_camera_with_jpeg_only_is_unsupported() {
    let sdp = "RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nContent-Type: application/sdp\r\nContent-Length: 66\r\n\r\nv=0\r\no=- 0 0 IN IP4 0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:t";
    let health = meets(sdp, Link::Unsupported).await;
    assert!(health.detail.contains("jpeg"), "{}", health.detail);
}

#[tokio::test]
async fn a_port_that_accepts_and_says_nothing_is_silent() {
    meets("", Link::Silent).await;
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    let village = Village::new(Arc::new(RetinaNetwork::new()));
    village.start(target("gate", &format!("rtsp://127.0.0.1:{port}/x")));
    village.link("gate", Link::Refused).await;
    village.stop.cancel();
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_unreachable() {
    let village = Village::new(Arc::new(RetinaNetwork::new()));
    village.start(target("gate", "rtsp://camera.invalid/x"));
    village.link("gate", Link::Unreachable).await;
    village.stop.cancel();
}
