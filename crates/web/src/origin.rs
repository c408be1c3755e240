//! Whether a request comes from our own page: the browser's word against the address it asked.

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

/// Compares `Origin` with `Host`, ports included; a scheme's usual port may be left out.
pub(crate) fn of(headers: &HeaderMap) -> Origin {
    let Some(origin) = headers.get(header::ORIGIN) else { return Origin::Absent };
    let parts = origin.to_str().ok().and_then(|text| text.split_once("://"));
    let Some((scheme, authority)) = parts else { return Origin::Other };
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return Origin::Other,
    };
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let bare = |text: &str| text.strip_suffix(usual).unwrap_or(text).to_ascii_lowercase();
    if !host.is_empty() && bare(host) == bare(authority) { Origin::Same } else { Origin::Other }
}

/// Whether the browser spoke https, to us or to the proxy before us.
pub(crate) fn https(headers: &HeaderMap) -> bool {
    let said = |name: &str, what: &str| headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with(what));
    said("x-forwarded-proto", "https") || said("origin", "https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_host_and_port_is_ours() {
        let table = [
            (Some("http://box.local:8080"), "box.local:8080", Origin::Same),
            (Some("http://box.local"), "box.local:80", Origin::Same),
            (Some("https://Box.local:443"), "box.local", Origin::Same),
            (Some("http://[::1]:8080"), "[::1]:8080", Origin::Same),
            (Some("http://box.local:8081"), "box.local:8080", Origin::Other),
            (Some("http://evil.example"), "box.local", Origin::Other),
            (Some("http://box.local.evil.example"), "box.local", Origin::Other),
            (Some("null"), "box.local", Origin::Other),
            (Some("file://"), "", Origin::Other),
            (Some("http://"), "", Origin::Other),
            (None, "box.local", Origin::Absent),
        ];
        for (origin, host, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(of(&headers), expected, "{origin:?} {host}");
        }
    }
}
