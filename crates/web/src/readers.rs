//! What is read from strangers' requests before anybody is asked who they are or what they may, as plain values: `fuzz/` reads the same.
//!
//! Does not belong here: the reading itself, which is each module's own.

use crate::{
    case_link,
    doors::Doors,
    push,
    way::{self, Peer},
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use domain::Secret;
use std::net::IpAddr;
use store::NewPhone;

/// The way of a request, as far as others are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Who asks.
    pub client: Option<IpAddr>,
    /// By https.
    pub https: bool,
    /// Through the public door.
    pub public: bool,
    /// By the public name.
    pub named: bool,
    /// What the audit log says of it.
    pub noted: String,
}

/// The way of a request from `peer` with these headers; those that are none are left out.
#[must_use]
pub fn way(doors: &Doors, peer: IpAddr, tls: bool, headers: &[(&str, &[u8])]) -> Way {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    let way = way::Way::of(doors, Some(Peer { address: peer, tls }), &Uri::default(), &map);
    Way { client: way.client, https: way.https, public: way.public, named: way.named, noted: way.noted() }
}

/// A browser that wants to be told of cases; its address and keys are not looked at yet.
#[must_use]
pub fn phone(body: &[u8]) -> Option<NewPhone> {
    serde_json::from_slice::<push::Subscription>(body).ok().map(push::Subscription::phone)
}

/// A link to one case, and the secret that the browser which opens it made up.
#[must_use]
pub fn case_link(body: &[u8]) -> Option<(Secret, Secret)> {
    serde_json::from_slice::<case_link::Opening>(body).ok().map(|sent| (sent.secret, sent.browser))
}
