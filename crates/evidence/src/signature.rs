//! `manifest.sig`: who vouches for the manifest, as three lines of text.

use crate::hashing::{hex, sha256, unhex};
use ring::{Signer, sign};

/// First line; the number is the version.
const TITLE: &str = "matthon-signature-1";
/// What is signed begins with this, so that a signature of a manifest is never one of something else the key signs.
const PURPOSE: &[u8] = b"matthon export manifest 1\0";

/// A key as people compare it: SHA-256 of the public key, in groups of four.
#[must_use]
pub fn fingerprint(key: &[u8; 32]) -> String {
    let text = sha256(key);
    let groups: Vec<&str> = text.as_bytes().chunks(4).take(10).filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(" ")
}

/// Whether a typed fingerprint is this key's. Spaces, dashes, colons and capitals do not count; all forty digits do. The whole
/// key in hexadecimal is taken as well.
#[must_use]
pub fn same_key(typed: &str, key: &[u8; 32]) -> bool {
    let plain = |t: &str| t.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let typed = plain(typed);
    typed == plain(&fingerprint(key)) || typed == hex(key)
}

pub(crate) fn write(signer: &dyn Signer, manifest: &[u8]) -> String {
    let (key, signature) = (signer.public_key(), signer.sign(&message(manifest)));
    format!("{TITLE}\nkey {}\nsignature {}\n", hex(&key), hex(&signature))
}

fn message(manifest: &[u8]) -> Vec<u8> {
    [PURPOSE, manifest].concat()
}

/// The key and whether it signed this manifest; `None` when the text is no signature.
pub(crate) fn read(text: &str, manifest: &[u8]) -> Option<([u8; 32], bool)> {
    let mut lines = text.lines();
    let title = lines.next()? == TITLE;
    let key = unhex(lines.next()?.strip_prefix("key ")?)?;
    let signature = unhex(lines.next()?.strip_prefix("signature ")?)?;
    (title && lines.next().is_none()).then(|| (key, sign::verify(&key, &message(manifest), &signature)))
}
