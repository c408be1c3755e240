//! The way a request came: from whom, how, to which host, through which door. Decided once for each request, from what the
//! connection is and what a trusted proxy says; nobody else's `X-Forwarded-…` counts. (RFC 7239's `Forwarded` is not read.)

use crate::{
    app::App,
    doors::Doors,
    origin::{self, Origin},
    problem::Problem,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::IpAddr, sync::Arc};

/// A year: browsers that were here by the public name come by https only.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";

/// The other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// It speaks TLS with us.
    pub(crate) tls: bool,
}

/// The way a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Who asks: behind a trusted proxy the address it names. None where there is no connection (a test's).
    pub(crate) client: Option<IpAddr>,
    /// By https, to us or to the trusted proxy before us.
    pub(crate) https: bool,
    /// Through the public door: for the host of `public_url`, or passed on by a trusted proxy while there is one.
    pub(crate) public: bool,
    /// For the host of `public_url`.
    pub(crate) named: bool,
    /// By a trusted proxy.
    pub(crate) passed_on: bool,
    /// Whether our own page asks.
    pub(crate) origin: Origin,
    /// The page that asks was loaded by https; browsers say so themselves.
    pub(crate) page_https: bool,
}

impl Way {
    /// Of what there is to go by.
    pub(crate) fn of(doors: &Doors, peer: Option<Peer>, uri: &Uri, headers: &HeaderMap) -> Self {
        let trusted = peer.is_some_and(|peer| doors.trusts(peer.address));
        let said = |name: &str| if trusted { last(headers, name) } else { None };
        let proto = said(PROTO).map(|p| p.eq_ignore_ascii_case("https"));
        let https = proto.unwrap_or_else(|| peer.is_some_and(|peer| peer.tls));
        let host = said(HOST).or_else(|| headers.get(header::HOST).and_then(|h| h.to_str().ok()));
        let host = host.or_else(|| uri.authority().map(|a| a.as_str())).unwrap_or_default().trim();
        let public = doors.public.as_ref();
        // However it was asked for: the usual port may be written out.
        let named = public.is_some_and(|public| origin::bare(host, ":443") == public.authority());
        let passed_on = trusted && [FOR, PROTO, HOST].iter().any(|name| headers.contains_key(*name));
        let (origin, page_https) = origin::of(headers, host, https, public);
        Self {
            client: peer.map(|peer| if trusted { client(doors, peer.address, headers) } else { peer.address.to_canonical() }),
            https,
            public: named || (public.is_some() && passed_on),
            named,
            passed_on,
            origin,
            page_https,
        }
    }

    /// Whether a cookie may be for https only.
    pub(crate) fn secure(&self) -> bool {
        // A proxy in front that nobody named as trusted speaks https for us all the same: its page says so.
        self.https || (self.page_https && self.origin == Origin::Same)
    }

    /// The address for the audit log: `address=…`.
    pub(crate) fn noted(&self) -> String {
        self.client.map(|address| format!("address={address}")).unwrap_or_default()
    }
}

/// The last value of a list header: the one that the proxy nearest to us wrote.
fn last<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim).filter(|v| !v.is_empty())
}

/// Behind trusted proxies: the last address in their list that is not one of them. What stands before it is hearsay.
fn client(doors: &Doors, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut client = peer.to_canonical();
    for value in headers.get_all(FOR).iter().rev() {
        for text in value.to_str().unwrap_or_default().rsplit(',') {
            let Some(address) = address(text.trim()) else { return client };
            client = address;
            if !doors.trusts(address) {
                return client;
            }
        }
    }
    client
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().or_else(|_| text.parse::<std::net::SocketAddr>().map(|s| s.ip()));
    address.ok().map(|a| a.to_canonical())
}

/// Notes the way of every request, and keeps browsers to https by the public name.
pub(crate) async fn find(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let way = Way::of(&app.context.doors, peer, request.uri(), request.headers());
    request.extensions_mut().insert(way);
    let mut response = next.run(request).await;
    if way.https && way.named {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// In front of what is not for outside: through the public door there is no such thing.
pub(crate) async fn inside(request: Request, next: Next) -> Response {
    match request.extensions().get::<Way>() {
        Some(way) if !way.public => next.run(request).await,
        _ => Problem::NoSuchPath.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doors::Public;

    fn doors(public: Option<&str>) -> Doors {
        let trusted = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"].map(|n| n.parse().unwrap());
        Doors { certificate: None, public: public.and_then(Public::new), trusted: trusted.to_vec() }
    }

    fn way(doors: &Doors, peer: &str, tls: bool, said: &[(&str, &str)]) -> Way {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        Way::of(doors, Some(Peer { address: peer.parse().unwrap(), tls }), &Uri::from_static("/"), &headers)
    }

    #[test]
    fn only_a_trusted_proxy_says_who_asks() {
        let doors = doors(None);
        let client = |peer: &str, said: &[&str]| {
            let said: Vec<_> = said.iter().map(|v| (FOR, *v)).collect();
            way(&doors, peer, false, &said).client.unwrap().to_string()
        };
        let table: [(&str, &[&str], &str); 12] = [
            ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            // Mapped addresses, as a socket for both families says them.
            ("::ffff:127.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.3"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["10.0.0.7, 10.0.0.3"], "10.0.0.7"),
            ("127.0.0.1", &["rubbish"], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1, rubbish, 10.0.0.3"], "10.0.0.3"),
            ("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("fd00::5", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::5", &["[2001:db8::1]"], "2001:db8::1"),
        ];
        for (peer, said, expected) in table {
            assert_eq!(client(peer, said), expected, "{peer} {said:?}");
        }
    }

    #[test]
    fn https_is_what_we_or_a_trusted_proxy_spoke() {
        let doors = doors(None);
        for (peer, tls, said, expected) in [
            ("203.0.113.9", true, None, true),
            ("203.0.113.9", false, Some("https"), false),
            ("203.0.113.9", true, Some("http"), true),
            ("127.0.0.1", false, Some("https"), true),
            ("127.0.0.1", false, Some("HTTPS"), true),
            ("127.0.0.1", false, Some("https, http"), false),
            ("127.0.0.1", true, Some("http"), false),
            ("127.0.0.1", true, None, true),
            ("127.0.0.1", false, Some("httpsx"), false),
        ] {
            let said: Vec<_> = said.iter().map(|v| (PROTO, *v)).collect();
            assert_eq!(way(&doors, peer, tls, &said).https, expected, "{peer} {tls} {said:?}");
        }
    }

    #[test]
    fn the_public_door_is_the_public_host_and_whatever_a_proxy_passes_on() {
        let there = doors(Some("https://thon.example.vn"));
        let none = doors(None);
        type Headers = &'static [(&'static str, &'static str)];
        let table: [(&str, Headers, bool, bool); 9] = [
            ("192.168.1.7", &[("host", "192.168.1.5:8443")], false, false),
            ("192.168.1.7", &[("host", "Thon.example.vn")], true, true),
            ("192.168.1.7", &[("host", "thon.example.vn:443")], true, true),
            ("192.168.1.7", &[("host", "thon.example.vn:8443")], false, false),
            // Nobody talks himself in by a name, and nobody who is not trusted talks others out.
            ("192.168.1.7", &[("host", "192.168.1.5"), (HOST, "thon.example.vn")], false, false),
            ("127.0.0.1", &[("host", "127.0.0.1:8080"), (HOST, "thon.example.vn")], true, true),
            ("127.0.0.1", &[("host", "127.0.0.1:8080"), (FOR, "203.0.113.9")], true, false),
            ("127.0.0.1", &[("host", "thon.example.vn"), (HOST, "127.0.0.1")], true, false),
            ("127.0.0.1", &[("host", "127.0.0.1:8080")], false, false),
        ];
        for (peer, said, public, named) in table {
            let way = way(&there, peer, false, said);
            assert_eq!((way.public, way.named), (public, named), "{peer} {said:?}");
        }
        let proxied = way(&none, "127.0.0.1", false, &[("host", "a"), (FOR, "203.0.113.9")]);
        assert!(!proxied.public, "without a public address there is no such door");
    }
}
