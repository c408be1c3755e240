//! What a certificate says of itself: whom it names, and from when to when it holds. Whether somebody trusts it is the
//! browser's question.

use domain::WallTime;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Names shown of one certificate; a provider's may have a hundred.
const NAMES: usize = 100;

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Host names and addresses, as it lists them.
    pub names: Vec<String>,
    /// From when on it holds.
    pub from: WallTime,
    /// Until when.
    pub until: WallTime,
}

impl Facts {
    /// Reads a certificate in DER; `None` when it is none.
    #[must_use]
    pub fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let listed = certificate.subject_alternative_name().ok().flatten();
        let mut names: Vec<String> = listed.iter().flat_map(|list| &list.value.general_names).filter_map(name).take(NAMES).collect();
        if names.is_empty() {
            // Browsers look at the list alone; old appliances name themselves here.
            names.extend(certificate.subject().iter_common_name().filter_map(|n| n.as_str().ok()).map(str::to_owned).take(1));
        }
        let validity = certificate.validity();
        let time = |t: i64| WallTime(t.saturating_mul(1_000_000));
        Some(Self { names, from: time(validity.not_before.timestamp()), until: time(validity.not_after.timestamp()) })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|a| a.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// SHA-256 of a certificate as browsers and televisions show it: `AB:CD:…`.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let bytes = Sha256::digest(certificate.as_ref());
    bytes.iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_and_rubbish_is_not() {
        let names = ["thon.example.vn".to_owned(), "192.168.1.10".to_owned(), "fd00::1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names.clone()).unwrap();
        let facts = Facts::of(made.cert.der()).unwrap();
        assert_eq!(facts.names, names);
        assert!(facts.from < facts.until);
        assert_eq!(fingerprint(made.cert.der()).len(), 32 * 3 - 1);
        for end in [0, 1, made.cert.der().len() - 1] {
            assert!(Facts::of(&made.cert.der()[..end]).is_none(), "{end}");
        }
    }
}
