//! What browsers send to WebRTC's room: offers, and datagrams of whoever finds the port.

use crate::take::Take;
use rtc::{Keys, Output, Session};
use std::{
    net::SocketAddr,
    sync::OnceLock,
    time::{Duration, Instant},
};

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys::new().unwrap())
}

fn host() -> SocketAddr {
    ([192, 168, 1, 5], 8555).into()
}

/// Any offer is answered or refused with a reason that can be shown; what is answered begins by saying nothing to anybody.
pub(crate) fn offer(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let now = Instant::now();
    match Session::open(text, host(), keys(), now) {
        Ok((mut session, answer)) => {
            assert!(answer.contains("a=ice-lite") && answer.contains("H264/90000"));
            for seconds in [0, 1, 5] {
                let now = now + Duration::from_secs(seconds);
                session.tick(now);
                assert!(matches!(session.next(now), Output::Wait(_)), "nobody has proved to be there");
            }
            true
        }
        Err(refused) => {
            let said = refused.to_string();
            assert!(!said.is_empty() && said.len() < 1000 && !said.contains("0x"));
            false
        }
    }
}

/// Datagrams that nobody signed: whatever is in them, nothing is sent and the session goes on.
pub(crate) fn knock(data: &[u8]) -> bool {
    let mut take = Take(data);
    let now = Instant::now();
    let Ok((mut session, _)) = Session::open(crate::seeds::OFFER, host(), keys(), now) else { return false };
    let mut heard = false;
    while !take.is_empty() {
        let length = take.u16() as usize % 600;
        let bytes = take.bytes(length);
        let from = SocketAddr::from(([192, 168, 1, 66], 1024 + u16::from(take.u8())));
        session.receive(from, bytes, now);
        assert!(matches!(session.next(now), Output::Wait(_)), "an answer to somebody who has not proved himself");
        heard = true;
    }
    heard
}
