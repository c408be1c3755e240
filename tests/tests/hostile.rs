//! What strangers do to live sockets, through the real program: it ends theirs, keeps everybody else's, and forgets them.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{Camsim, Village, api::Api, until};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const TWENTY: Duration = Duration::from_secs(20);
/// Longest message that a viewer may send, in bytes.
const MESSAGE_MAX: usize = 4 << 10;

/// A socket up to the upgrade, spoken by hand: a library would not say what is wrong.
async fn open(village: &Village, api: &Api) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", village.port)).await.unwrap();
    let request = format!(
        "GET /api/v1/live?cameras=cong,cho&stream=sub HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bWF0dGhvbi10ZXN0LWtleXg=\r\n\r\n",
        village.port,
        api.token()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    socket
}

/// A frame of a client; masked by zeros, which is a mask like any other.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        short @ 0..126 => out.push(0x80 | short as u8),
        long => {
            out.push(0x80 | 126);
            out.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(payload);
    out
}

/// Reads to the end; whether it came.
async fn ended(mut socket: TcpStream) -> bool {
    let mut buffer = vec![0; 64 << 10];
    let reading = async { while !matches!(socket.read(&mut buffer).await, Ok(0) | Err(_)) {} };
    tokio::time::timeout(TWENTY, reading).await.is_ok()
}

async fn sockets(api: &Api) -> f64 {
    let metrics = api.metrics().await;
    let line = metrics.lines().find(|line| line.starts_with("matthon_live_sockets"));
    line.and_then(|line| line.rsplit_once(' ')).map_or(0.0, |(_, n)| n.parse().unwrap())
}

async fn until_sockets(api: &Api, count: f64) {
    until(&format!("{count} sockets are counted"), TWENTY, || async { (sockets(api).await == count).then_some(()) }).await;
}

#[tokio::test]
async fn malformed_messages_end_their_own_socket_and_nobody_elses() {
    let camsim = Camsim::start(
        &["cong", "cho"].map(|id| format!("id={id},size=160x90,sub-size=160x90,fps=10,sub-fps=10,gop=1s")).each_ref().map(String::as_str),
    )
    .await;
    let village = Village::watching(&camsim, &["cong", "cho"]);
    let daemon = village.start().await;
    let api = village.admin().await;
    for id in ["cong", "cho"] {
        api.until_link(id, "sub", "ok", 30).await;
    }
    // Somebody who behaves, all the while.
    let mut neighbour = open(&village, &api).await;
    until_sockets(&api, 1.0).await;
    let huge = [&[0x82, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
    let pieces: Vec<u8> = (0..8).flat_map(|n| frame(u8::from(n == 0), &[b'x'; 1000])).collect();
    let attacks: Vec<(&str, Vec<u8>)> = vec![
        ("a reserved opcode", frame(0x83, b"")),
        ("a reserved control opcode", frame(0x8b, b"")),
        ("reserved bits", frame(0xf1, b"{}")),
        ("no mask", vec![0x81, 1, b'a']),
        ("a text too long", frame(0x81, &[b'x'; MESSAGE_MAX + 1])),
        ("a length of a terabyte", huge),
        ("pieces too long together", pieces),
        ("no UTF-8", frame(0x81, &[0xc3, 0x28])),
        ("a ping in pieces", frame(0x09, b"a")),
        ("a ping too long", frame(0x89, &[0; 126])),
        ("a piece of nothing", frame(0x80, b"a")),
        ("a beginning inside a message", [frame(0x01, b"a"), frame(0x81, b"b")].concat()),
        ("a close of one byte", frame(0x88, &[3])),
        ("a close for a reason that is none", frame(0x88, &[0, 1])),
        ("a close whose words are no UTF-8", frame(0x88, &[3, 0xe8, 0xff])),
        ("a wish for what is not there", frame(0x81, br#"{"want":[2]}"#)),
        ("HTTP once more", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
    ];
    for (what, bytes) in &attacks {
        let mut socket = open(&village, &api).await;
        // Its end may be there before all is said.
        let _ = socket.write_all(bytes).await;
        assert!(ended(socket).await, "{what}: the socket is still open");
    }
    // A frame that is never finished, and then the network is gone.
    for part in [&[0x81][..], &[0x81, 0xfe, 0x0f], &[0x81, 0x85, 0, 0, 0, 0, b'a']] {
        let mut socket = open(&village, &api).await;
        socket.write_all(part).await.unwrap();
        until_sockets(&api, 2.0).await;
        drop(socket);
        until_sockets(&api, 1.0).await;
    }
    // What is only not expected is let pass: words of newer pages, and bytes.
    let mut polite = open(&village, &api).await;
    for odd in
        [frame(0x81, b"hello"), frame(0x81, &[b'x'; MESSAGE_MAX]), frame(0x82, &[0; 300]), frame(0x8a, b"unasked"), frame(0x89, b"ping")]
    {
        polite.write_all(&odd).await.unwrap();
    }
    // The pong to the last of them is the proof that it was read.
    let mut seen = Vec::new();
    let answered = async {
        while !seen.windows(6).any(|bytes| bytes == b"\x8a\x04ping") {
            assert_ne!(polite.read_buf(&mut seen).await.unwrap(), 0, "the socket ended");
        }
    };
    tokio::time::timeout(TWENTY, answered).await.expect("a pong");
    until_sockets(&api, 2.0).await;
    drop(polite);
    // The neighbour's pictures came and come.
    until_sockets(&api, 1.0).await;
    let mut before = vec![0; 1 << 20];
    while neighbour.try_read(&mut before).is_ok() {}
    let more = async {
        let mut got = 0;
        while got < 4_000 {
            got += neighbour.read(&mut before).await.unwrap();
        }
    };
    tokio::time::timeout(TWENTY, more).await.expect("the neighbour is sent pictures");
    drop(neighbour);
    until_sockets(&api, 0.0).await;
    let watched = api.metrics().await;
    for line in watched.lines().filter(|line| line.starts_with("matthon_live_viewers")) {
        assert!(line.ends_with(" 0"), "{line}");
    }
    assert!(!daemon.log_text().contains("panicked"), "{}", daemon.log_text());
    drop(daemon);
    camsim.stop().await;
}

#[tokio::test]
async fn handshakes_that_are_none_are_answered_and_hold_nothing() {
    let village = Village::new("[[camera]]\nid = \"cong\"\nname = \"cong\"\nmain = \"rtsp://127.0.0.1:9/x\"\n");
    let daemon = village.start().await;
    let api = village.admin().await;
    let bearer = format!("Authorization: Bearer {}\r\n", api.token());
    let head = |rest: &str| format!("GET /api/v1/cameras/cong/live HTTP/1.1\r\nHost: x\r\n{bearer}{rest}\r\n");
    for (rest, code) in [
        ("", "426"),
        ("Upgrade: websocket\r\n", "426"),
        (
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: bWF0dGhvbi10ZXN0LWtleXg=\r\n",
            "426",
        ),
        ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", "426"),
        ("Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bWF0dGhvbi10ZXN0LWtleXg=\r\n", "426"),
    ] {
        let mut socket = TcpStream::connect(("127.0.0.1", village.port)).await.unwrap();
        socket.write_all(head(rest).as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        tokio::time::timeout(TWENTY, socket.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {code}"), "{rest}");
    }
    // Half a handshake, and then silence: others are answered meanwhile, and in half a minute it is over.
    let mut silent = TcpStream::connect(("127.0.0.1", village.port)).await.unwrap();
    silent.write_all(b"GET /api/v1/cameras/cong/live HTTP/1.1\r\nHost: x\r\nUpgra").await.unwrap();
    assert!(api.get("cameras").await.status().is_success());
    let mut rest = Vec::new();
    let over = tokio::time::timeout(Duration::from_secs(60), silent.read_to_end(&mut rest)).await;
    assert!(over.is_ok(), "half a handshake is waited for without end");
    assert_eq!(sockets(&api).await, 0.0);
    assert!(!daemon.log_text().contains("panicked"), "{}", daemon.log_text());
}
