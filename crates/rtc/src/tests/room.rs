//! The room on a real port: who is answered.

use super::viewer::Viewer;
use crate::{End, Room};
use hub::{Capacity, Fanout, Join};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

async fn knock(socket: &UdpSocket, room: &Room, datagrams: &[Vec<u8>]) {
    for bytes in datagrams {
        socket.send_to(bytes, room.address()).await.unwrap();
    }
}

/// Whoever has the offer and the answer could send the same from elsewhere, or in the name of an address elsewhere.
#[tokio::test]
async fn nobody_is_answered_but_the_client_who_asked() {
    let room = Room::open("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(room.clone().serve(stop.clone()));
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // All of 127/8 is this machine.
    let stranger = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let now = Instant::now();
    let (mut viewer, offer, pending) = Viewer::offering(now);
    let (visit, answer) = room.enter(&offer, client.local_addr().unwrap().ip(), room.address()).unwrap();
    let source = Fanout::new("cong-lang/main");
    let samples = move || source.subscribe(Join::CurrentGop, Capacity { items: 10, bytes: 1 << 20 }, "test");
    let showing = tokio::spawn(visit.run(samples, stop.clone()));
    let knocks: Vec<Vec<u8>> = viewer.knocks(pending, &answer, now).into_iter().map(|packet| packet.bytes).collect();
    assert!(!knocks.is_empty());
    // With the right name and password, twice, and before the client's own.
    knock(&stranger, &room, &knocks).await;
    knock(&stranger, &room, &knocks).await;
    knock(&client, &room, &knocks).await;
    let mut buffer = [0; 2000];
    let (length, from) = tokio::time::timeout(Duration::from_secs(20), client.recv_from(&mut buffer)).await.expect("an answer").unwrap();
    assert!(from == room.address() && length > 20 && buffer[..2] == [1, 1], "a binding response");
    // What came before was looked at before.
    assert!(stranger.try_recv_from(&mut buffer).is_err(), "nothing was sent to whoever did not ask");
    stop.cancel();
    assert_eq!(showing.await.unwrap(), End::Ended);
    serving.await.unwrap();
    assert_eq!(room.viewers(), 0);
}
