//! A certificate and its key, from two PEM files to what TLS takes; and every reason why not, with its cure.

use crate::facts::Facts;
use rustls::{
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A chain of three certificates takes 6 kB; a file larger than this is something else.
const FILE_MAX: u64 = 1 << 20;

/// A certificate (with its chain) and the key that belongs to it.
#[derive(Clone, Debug)]
pub struct Pair {
    pub(crate) key: Arc<CertifiedKey>,
    /// What the certificate says of itself.
    pub facts: Facts,
    /// Every user of the box may read the key.
    pub open_to_all: bool,
}

/// Why a pair cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A file cannot be read.
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's word.
        reason: String,
        /// It is the key's.
        key: bool,
    },
    /// The certificate's file holds none.
    #[error("{} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    /// The key's file holds none.
    #[error("{} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)", .0.display())]
    NoKey(PathBuf),
    /// It is one that TLS cannot use.
    #[error("the key in {} is of a kind that cannot be used: {reason}", path.display())]
    KeyKind {
        /// Which file.
        path: PathBuf,
        /// The library's word.
        reason: String,
    },
    /// The key belongs to another certificate.
    #[error("the key in {} does not belong to the first certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's.
        key: PathBuf,
    },
}

impl Broken {
    /// What to do; begins with a verb.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "name a file that matthon's user may read (certbot's are root's: see docs/reach.md)",
            Self::NoCertificate(_) => "name the file with the certificate and its chain (certbot calls it fullchain.pem)",
            Self::NoKey(_) => "name the file with the private key, without a passphrase (certbot calls it privkey.pem)",
            Self::KeyKind { .. } => "have the certificate made for an ECDSA (P-256, P-384), Ed25519 or RSA (2048 to 8192 bits) key",
            Self::Mismatch { .. } => "name the two files that were made together, the server's own certificate first",
        }
    }

    /// Whether the key's file is meant rather than the certificate's.
    #[must_use]
    pub fn is_of_key(&self) -> bool {
        match self {
            Self::Unreadable { key, .. } => *key,
            Self::NoCertificate(_) => false,
            Self::NoKey(_) | Self::KeyKind { .. } | Self::Mismatch { .. } => true,
        }
    }
}

impl Pair {
    /// Reads both files.
    ///
    /// # Errors
    /// [`Broken`] names the file and the reason.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, Broken> {
        let (chain, _) = file(certificate, false)?;
        let (secret, open_to_all) = file(key, true)?;
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>().map_err(|_| Broken::NoCertificate(certificate.to_owned()))?;
        let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|_| Broken::NoKey(key.to_owned()))?;
        Self::new(chain, secret, certificate, key).map(|pair| Self { open_to_all, ..pair })
    }

    /// Of what is at hand; the paths are for messages.
    pub(crate) fn new(
        chain: Vec<CertificateDer<'static>>,
        secret: PrivateKeyDer<'static>,
        certificate: &Path,
        key: &Path,
    ) -> Result<Self, Broken> {
        let facts = chain.first().and_then(|first| Facts::of(first)).ok_or_else(|| Broken::NoCertificate(certificate.to_owned()))?;
        let certified = CertifiedKey::from_der(chain, secret, &provider()).map_err(|e| match e {
            rustls::Error::InconsistentKeys(_) => Broken::Mismatch { certificate: certificate.to_owned(), key: key.to_owned() },
            rustls::Error::InvalidCertificate(_) => Broken::NoCertificate(certificate.to_owned()),
            e => Broken::KeyKind { path: key.to_owned(), reason: e.to_string() },
        })?;
        Ok(Self { key: Arc::new(certified), facts, open_to_all: false })
    }
}

/// The one provider of cryptography, named each time: where two are linked, the library's own choice is a panic.
pub(crate) fn provider() -> CryptoProvider {
    ring::default_provider()
}

/// A file's bytes, and whether everybody may read it.
fn file(path: &Path, key: bool) -> Result<(Vec<u8>, bool), Broken> {
    let cannot = |reason: String| Broken::Unreadable { path: path.to_owned(), reason, key };
    let told = |e: io::Error| cannot(e.to_string());
    // A pipe would be waited for, for ever: asked before it is opened.
    let about = std::fs::metadata(path).map_err(told)?;
    if !about.is_file() {
        return Err(cannot("it is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(told)?.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(cannot(format!("it is larger than {} kB", FILE_MAX >> 10)));
    }
    Ok((bytes, about.permissions().mode() & 0o004 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_way_to_be_broken_is_named_with_its_file_and_a_cure() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let make = || rcgen::generate_simple_self_signed(vec!["a.vn".to_owned()]).unwrap();
        let (one, other) = (make(), make());
        fs::write(at("one.pem"), one.cert.pem()).unwrap();
        fs::write(at("one.key"), one.signing_key.serialize_pem()).unwrap();
        fs::write(at("other.key"), other.signing_key.serialize_pem()).unwrap();
        fs::write(at("rubbish"), "hello").unwrap();
        fs::write(at("torn.pem"), &one.cert.pem()[..200]).unwrap();
        let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        fs::write(at("hollow.pem"), hollow).unwrap();
        fs::write(at("hollow.key"), hollow.replace("CERTIFICATE", "PRIVATE KEY")).unwrap();
        fs::write(at("large"), vec![b' '; (1 << 20) + 1]).unwrap();
        let pair = Pair::read(&at("one.pem"), &at("one.key")).unwrap();
        assert_eq!(pair.facts.names, ["a.vn"]);
        let table = [
            ("none.pem", "one.key", "none.pem", false),
            ("one.pem", "none.key", "none.key", true),
            (".", "one.key", "not a file", false),
            ("large", "one.key", "larger than 1024 kB", false),
            ("rubbish", "one.key", "no certificate", false),
            ("torn.pem", "one.key", "no certificate", false),
            ("hollow.pem", "one.key", "no certificate", false),
            ("one.pem", "rubbish", "no private key", true),
            ("one.pem", "one.pem", "no private key", true),
            ("one.pem", "hollow.key", "cannot be used", true),
            ("one.pem", "other.key", "does not belong", true),
        ];
        for (certificate, key, word, of_key) in table {
            let broken = Pair::read(&at(certificate), &at(key)).err().unwrap_or_else(|| panic!("{certificate} {key}"));
            assert!(broken.to_string().contains(word), "{certificate} {key}: {broken}");
            assert_eq!(broken.is_of_key(), of_key, "{certificate} {key}");
            assert!(!broken.fix().is_empty());
        }
    }

    #[test]
    fn a_key_that_all_may_read_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = (dir.path().join("c"), dir.path().join("k"));
        let made = rcgen::generate_simple_self_signed(vec!["a.vn".to_owned()]).unwrap();
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        for (mode, open) in [(0o600, false), (0o640, false), (0o644, true)] {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Pair::read(&certificate, &key).unwrap().open_to_all, open, "{mode:o}");
        }
    }
}
