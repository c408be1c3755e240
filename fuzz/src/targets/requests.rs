//! What strangers ask over the network: the way they say they came, what a phone signs up with, links to a case, files of HLS, and what a
//! live viewer wants.

use crate::take::Take;
use alerts::push::Phone;
use ipnet::IpNet;
use live::hls::{At, File};
use std::net::IpAddr;
use web::{
    Doors, Public, readers,
    want::{CAMERAS_MAX, Want},
};

/// Headers behind one byte: from whom, by TLS, whether there is a public address. A line each: a number of the header, a colon, its value.
pub(crate) fn way(data: &[u8]) -> bool {
    const NAMES: [&str; 5] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "host", "origin"];
    let mut t = Take(data);
    let bits = t.u8();
    let trusted: IpNet = "10.0.0.0/8".parse().unwrap();
    let (near, far): (IpAddr, IpAddr) = ("10.0.0.3".parse().unwrap(), "203.0.113.9".parse().unwrap());
    let doors = Doors {
        public: if bits & 4 == 0 { None } else { Public::new("https://thon.example.vn") },
        trusted: vec![trusted],
        ..Doors::default()
    };
    let lines = t.0.split(|b| *b == b'\n').filter_map(|line| line.split_first().zip(line.get(2..)));
    let said: Vec<_> = lines.map(|((name, _), value)| (NAMES[usize::from(*name) % NAMES.len()], value)).collect();
    let tls = bits & 2 != 0;

    let trusting = readers::way(&doors, near, tls, &said);
    let client = trusting.client.unwrap();
    assert_eq!(client, client.to_canonical());
    assert_eq!(trusting.noted, format!("address={client}"), "a word of a stranger stands in the log");
    assert!(doors.public.is_some() || !(trusting.public || trusting.named));
    assert!(!trusting.named || trusting.public);

    // Whom nobody named as trusted is who he is, whatever he says of others.
    let stranger = readers::way(&doors, far, tls, &said);
    let plain: Vec<_> = said.iter().filter(|(name, _)| !name.starts_with("x-")).copied().collect();
    assert_eq!(stranger, readers::way(&doors, far, tls, &plain));
    assert_eq!((stranger.client, stranger.https), (Some(far), tls));
    said.iter().any(|(name, _)| name.starts_with("x-"))
}

/// The body with which a phone signs up.
pub(crate) fn phone(data: &[u8]) -> bool {
    let Some(phone) = readers::phone(data) else { return false };
    assert!(phone.label.chars().count() <= 60 && !phone.label.chars().any(char::is_control));
    assert!(matches!(&*phone.language, "vi" | "en"));
    assert!(phone.expires.is_none_or(|at| (0..4_100_000_000_000_000).contains(&at.0)));
    for loopback in [false, true] {
        let (address, shown) = match Phone::new(&phone.endpoint, &phone.p256dh, &phone.auth, loopback) {
            Ok(phone_at) => (phone.endpoint.expose(), format!("{phone_at:?}")),
            Err(bad) => ("", bad.to_string()),
        };
        // Addresses are read as browsers read them: blanks and line ends in them are nothing, and slashes are counted by nobody.
        let scheme: String = address.chars().filter(|c| *c > ' ').take(6).collect();
        assert!(address.len() <= 2048 && (loopback || address.is_empty() || scheme.eq_ignore_ascii_case("https:")), "{address}");
        for secret in [&phone.p256dh, &phone.auth] {
            // Short ones stand in any text by chance.
            assert!(secret.expose().len() < 20 || !shown.contains(secret.expose()), "{shown}");
        }
    }
    Phone::new(&phone.endpoint, &phone.p256dh, &phone.auth, false).is_ok()
}

/// The body that opens a link to one case.
pub(crate) fn case_link(data: &[u8]) -> bool {
    let Some((secret, browser)) = readers::case_link(data) else { return false };
    let shown = format!("{secret:?} {browser:?}");
    assert!(secret.expose().len() < 20 || !shown.contains(secret.expose()), "{shown}");
    let pass = store::is_case_pass(browser.expose());
    if pass {
        assert!(browser.expose().len() == 67 && browser.expose().starts_with("mc_") && browser.expose().is_ascii());
        assert!(!shown.contains(browser.expose()));
    }
    pass
}

/// A file of a playlist, and a place in it: `FILE`, `_HLS_msn`, `_HLS_part`, a line each.
pub(crate) fn hls(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let mut lines = text.split('\n');
    let (name, msn, part) = (lines.next().unwrap_or_default(), lines.next(), lines.next());
    let file = File::read(name);
    if let Some(file) = file {
        assert_eq!(file.to_string(), name, "two names of one file");
    }
    let at = At::read(msn, part);
    match at {
        Ok(None) => assert!(msn.is_none() && part.is_none()),
        Ok(Some(at)) => {
            assert_eq!(Some(&*at.segment.to_string()), msn);
            assert_eq!(at.part.map(|n| n.to_string()).as_deref(), part);
            assert!(at.segment.checked_mul(1000).is_some());
        }
        Err((which, why)) => assert!(matches!(which, "_HLS_msn" | "_HLS_part") && !why.is_empty()),
    }
    file.is_some() && matches!(at, Ok(Some(_)))
}

/// What a live viewer says he wants, over the socket or in its address, of so many cameras as the first byte says.
pub(crate) fn want(data: &[u8]) -> bool {
    let mut t = Take(data);
    let cameras = usize::from(t.u8()) % (CAMERAS_MAX + 1);
    let Ok(text) = std::str::from_utf8(t.0) else { return false };
    let read = [Want::asked(text, cameras).ok(), Want::said(text, cameras).ok().flatten()];
    for want in read.iter().flatten() {
        let places: Vec<_> = (0..1000).filter(|place| want.has(*place)).map(|place| place.to_string()).collect();
        assert!(places.len() <= cameras && want.none() == places.is_empty());
        let (list, whole) = (places.join(","), (0..cameras).filter(|place| want.has(*place)).count());
        assert_eq!(whole, places.len(), "a camera that is not on the socket");
        assert_eq!(Want::asked(&list, cameras), Ok(*want));
        assert_eq!(Want::said(&format!("{{\"want\":[{list}]}}"), cameras), Ok(Some(*want)));
    }
    read.iter().any(Option::is_some)
}
