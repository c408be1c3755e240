//! What this box is called on its own network: the names and addresses that its own certificate lists.

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Names and addresses, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(pub(crate) BTreeSet<String>);

impl Names {
    /// From texts; what is neither a name nor an address of a private network is left out: the authority may not vouch for it.
    pub fn of(texts: impl IntoIterator<Item = String>) -> Self {
        let plain = |text: String| match text.parse::<IpAddr>() {
            // As certificates list them, so that what was asked for and what is listed can be compared.
            Ok(address) => address.to_string(),
            Err(_) => text.trim_end_matches('.').to_ascii_lowercase(),
        };
        Self(texts.into_iter().map(plain).filter(|text| private(text)).collect())
    }

    /// As they are listed.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// This box's names: `localhost`, its host name with `.local` (as mDNS says it), its addresses in private networks, and what
/// the configuration adds. `listen` is where it listens: an unspecified address stands for all of them.
#[must_use]
pub fn names(listen: IpAddr, more: &[String]) -> Names {
    let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Ok(host) = fs::read_to_string("/proc/sys/kernel/hostname") {
        all.push(format!("{}.local", host.trim().split('.').next().unwrap_or_default()));
    }
    if listen.is_unspecified() {
        // The kernel's own tables: to ask it by netlink would need a right that the unit does not give.
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        all.extend(of_fib_trie(&read("/proc/net/fib_trie")).iter().map(ToString::to_string));
        if listen.is_ipv6() {
            all.extend(of_if_inet6(&read("/proc/net/if_inet6")).iter().map(ToString::to_string));
        }
    } else {
        all.push(listen.to_string());
    }
    all.extend(more.iter().cloned());
    Names::of(all)
}

/// The box's IPv4 addresses: in `/proc/net/fib_trie` a leaf `|-- ADDRESS` followed by `/32 host LOCAL`.
fn of_fib_trie(text: &str) -> Vec<Ipv4Addr> {
    let mut leaf: Option<Ipv4Addr> = None;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.trim().parse().ok();
        } else if line.starts_with("/32 host LOCAL") {
            found.extend(leaf.take());
        }
    }
    found
}

/// Its IPv6 addresses, without those that hold on one wire only: `/proc/net/if_inet6` has 32 hex digits a line, its fourth
/// field is the scope (20: link).
fn of_if_inet6(text: &str) -> Vec<Ipv6Addr> {
    let read = |line: &str| {
        let mut fields = line.split_whitespace();
        let address = u128::from_str_radix(fields.next()?, 16).ok()?;
        (fields.nth(2)? != "20").then(|| Ipv6Addr::from(address))
    };
    text.lines().filter_map(read).collect()
}

/// Whether the box's own authority may vouch for this: see [`crate::local`].
pub(crate) fn private(name: &str) -> bool {
    match name.parse() {
        Ok(IpAddr::V4(a)) => PRIVATE_V4.iter().any(|(net, bits)| a.to_bits() & mask4(*bits) == net.to_bits()),
        Ok(IpAddr::V6(a)) => PRIVATE_V6.iter().any(|(net, bits)| a.to_bits() & mask6(*bits) == net.to_bits()),
        Err(_) => {
            let label = |l: &str| {
                !l.is_empty() && l.len() <= 63 && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !l.starts_with('-')
            };
            let whole = name.len() <= 253 && name.split('.').all(label);
            // A bare name is no tree that the authority could be held to: only `localhost` is known to be nobody's.
            whole && ENDINGS.iter().any(|end| name.strip_suffix(end).is_some_and(|front| front.ends_with('.') || name == "localhost"))
        }
    }
}

/// Networks of nobody's: private, loopback, link-local, and the one that carriers and VPNs share.
pub(crate) const PRIVATE_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
];
pub(crate) const PRIVATE_V6: &[(Ipv6Addr, u32)] =
    &[(Ipv6Addr::LOCALHOST, 128), (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7), (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)];
/// Endings that no public registry gives away (RFC 6762, 8375, and ICANN's `internal`; `lan` and `home` are what routers say).
pub(crate) const ENDINGS: &[&str] = &["local", "lan", "home", "home.arpa", "internal", "localhost"];

pub(crate) fn mask4(bits: u32) -> u32 {
    u32::MAX.checked_shl(32 - bits).unwrap_or(0)
}

pub(crate) fn mask6(bits: u32) -> u128 {
    u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 127.0.0.0/8 2 0 2\n        |-- 127.0.0.1\n           \
                    /32 host LOCAL\n        |-- 192.168.1.0\n           /24 link UNICAST\n        |-- 192.168.1.10\n           /32 host LOCAL\n\
                    Local:\n        |-- 192.168.1.10\n           /32 host LOCAL\n        |-- 192.168.1.255\n           /32 link BROADCAST\n";
        let found: Vec<String> = of_fib_trie(trie).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["127.0.0.1", "192.168.1.10", "192.168.1.10"]);
        let six = "00000000000000000000000000000001 01 80 10 80       lo\nfd000000000000000000000000000002 04 40 00 82     eth0\n\
                   fe8000000000000000fc00fffe000001 04 40 20 80     eth0\nrubbish\n";
        let found: Vec<String> = of_if_inet6(six).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["::1", "fd00::2"]);
        assert!(of_fib_trie("|-- x\n/32 host LOCAL\n").is_empty());
    }

    #[test]
    fn only_what_is_nobody_elses_is_vouched_for() {
        for ours in ["192.168.1.10", "10.0.0.1", "100.64.0.1", "fd00::1", "::1", "localhost", "thon.local", "a.b.lan", "x.home.arpa"] {
            assert!(private(ours), "{ours}");
        }
        for other in [
            "8.8.8.8",
            "172.32.0.1",
            "2001:db8::1",
            "thon.vn",
            "local.vn",
            "a..local",
            "",
            "thon",
            "local",
            ".local",
            "x y",
            "*.local",
            "thonlocal.vn",
        ] {
            assert!(!private(other), "{other}");
        }
        let names = names("0.0.0.0".parse().unwrap(), &["Thon.LAN.".to_owned(), "thon.vn".to_owned(), "fd00:0::7".to_owned()]);
        let names: Vec<&str> = names.iter().collect();
        assert!(
            names.contains(&"thon.lan") && names.contains(&"localhost") && names.contains(&"fd00::7") && !names.contains(&"thon.vn"),
            "{names:?}"
        );
    }
}
