//! How this box is reached, as values: its certificate, its address from outside, and whose word on a request is believed.
//! What follows for one request is `way`'s.

use ipnet::IpNet;
use std::net::IpAddr;

/// How this box is reached.
#[derive(Clone, Debug, Default)]
pub struct Doors {
    /// What HTTPS is spoken with; none: plain HTTP.
    pub certificate: Option<door::Certificate>,
    /// The address from outside; none: the box is known in the village only.
    pub public: Option<Public>,
    /// Proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed.
    pub trusted: Vec<IpNet>,
}

impl Doors {
    /// Whether this neighbour's word on others is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }
}

/// The address from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    url: String,
    authority: String,
}

impl Public {
    /// Of `https://HOST[:PORT][/]`, as the configuration checked it; `None` for anything else.
    #[must_use]
    pub fn new(url: &str) -> Option<Self> {
        let authority = url.strip_prefix("https://")?.trim_end_matches('/').to_ascii_lowercase();
        let authority = authority.strip_suffix(":443").map(str::to_owned).unwrap_or(authority);
        let plain = !authority.is_empty() && !authority.contains(['/', '?', '#', '@']);
        plain.then(|| Self { url: format!("https://{authority}"), authority })
    }

    /// `https://HOST[:PORT]`, without a slash behind.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `HOST[:PORT]`, as browsers write it into `Host`: without the usual port.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_a_host_and_nothing_behind() {
        for (url, is) in [
            ("https://Thon.example.vn/", Some("https://thon.example.vn")),
            ("https://thon.example.vn:443", Some("https://thon.example.vn")),
            ("https://thon.example.vn:8443/", Some("https://thon.example.vn:8443")),
            ("https://[fd00::1]/", Some("https://[fd00::1]")),
            ("http://thon.example.vn/", None),
            ("https://", None),
            ("https://a.vn/b", None),
            ("https://u@a.vn", None),
        ] {
            assert_eq!(Public::new(url).as_ref().map(Public::url), is, "{url}");
        }
    }
}
