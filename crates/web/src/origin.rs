//! Whether a request comes from our own page: the browser's word against the address it asked.

use crate::doors::Public;
use axum::http::{HeaderMap, header};

/// What the `Origin` header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// None was sent: not a browser, or a plain navigation.
    Absent,
    /// Our own page.
    Same,
    /// Somebody else's, or unreadable.
    Other,
}

/// Compares `Origin` with the host that was asked, ports included; a scheme's usual port may be left out. The public address is
/// ours whatever a proxy made of `Host`. Also says whether the page that asks came by https.
pub(crate) fn of(headers: &HeaderMap, host: &str, https: bool, public: Option<&Public>) -> (Origin, bool) {
    let Some(origin) = headers.get(header::ORIGIN) else { return (Origin::Absent, false) };
    let parts = origin.to_str().ok().and_then(|text| text.split_once("://"));
    let Some((scheme, authority)) = parts else { return (Origin::Other, false) };
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return (Origin::Other, false),
    };
    let secure = scheme == "https";
    let authority = bare(authority, usual);
    let ours = secure && public.is_some_and(|public| public.authority() == authority);
    // What we know came by https was not asked by a page that came in the clear: somebody in between wrote that one. The other
    // way about is a proxy that speaks https for us and was not named as trusted.
    let same = !host.is_empty() && bare(host, usual) == authority && (secure || !https);
    (if ours || same { Origin::Same } else { Origin::Other }, secure)
}

/// A host without the scheme's usual port, in small letters.
pub(crate) fn bare(text: &str, usual: &str) -> String {
    text.strip_suffix(usual).unwrap_or(text).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_host_and_port_or_the_public_address_is_ours() {
        let public = Public::new("https://thon.example.vn");
        let table = [
            (Some("http://box.local:8080"), "box.local:8080", false, Origin::Same),
            (Some("http://box.local"), "box.local:80", false, Origin::Same),
            (Some("https://Box.local:443"), "box.local", true, Origin::Same),
            (Some("https://box.local"), "box.local", false, Origin::Same),
            (Some("http://box.local"), "box.local", true, Origin::Other),
            (Some("http://[::1]:8080"), "[::1]:8080", false, Origin::Same),
            (Some("http://box.local:8081"), "box.local:8080", false, Origin::Other),
            (Some("http://evil.example"), "box.local", false, Origin::Other),
            (Some("http://box.local.evil.example"), "box.local", false, Origin::Other),
            (Some("null"), "box.local", false, Origin::Other),
            (Some("file://"), "", false, Origin::Other),
            (Some("http://"), "", false, Origin::Other),
            (None, "box.local", false, Origin::Absent),
            // A proxy that asks us by another name.
            (Some("https://thon.example.vn"), "127.0.0.1:8080", true, Origin::Same),
            (Some("https://THON.example.vn:443"), "127.0.0.1:8080", false, Origin::Same),
            (Some("http://thon.example.vn"), "127.0.0.1:8080", true, Origin::Other),
            (Some("https://thon.example.vn:444"), "127.0.0.1:8080", true, Origin::Other),
        ];
        for (origin, host, https, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(of(&headers, host, https, public.as_ref()).0, expected, "{origin:?} {host}");
        }
    }
}
