//! The key that vouches for us to push services (RFC 8292): P-256, its PEM, and the tokens it signs.
//!
//! Signed here and not by a library: `web-push-native`'s takes the address without its port for the origin, gives the
//! token the message's own time (a push service refuses more than 24 h), and brings RSA and ML-DSA along.

use base64ct::{Base64UrlUnpadded, Encoding};
use domain::{Secret, WallTime};
use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    elliptic_curve::rand_core::OsRng,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
};
use serde_json::json;
use std::{fmt, time::Duration};

/// How long a token is good. RFC 8292 allows 24 h from the push service's clock; half of it leaves room for ours.
const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3600);

/// The key pair.
pub struct Vapid {
    key: SigningKey,
    public: String,
}

/// It is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a P-256 key in PKCS#8 PEM: {0}")]
pub struct BadKey(String);

impl Vapid {
    /// A new pair.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_key(SigningKey::random(&mut OsRng))
    }

    /// Reads what [`Vapid::to_pem`] wrote.
    ///
    /// # Errors
    /// When it is something else; what it is is not shown.
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        SigningKey::from_pkcs8_pem(pem).map(Self::from_key).map_err(|e| BadKey(e.to_string()))
    }

    /// The pair as PKCS#8 PEM: a secret.
    ///
    /// # Errors
    /// Never for a key made here.
    pub fn to_pem(&self) -> Result<Secret, BadKey> {
        let pem = self.key.to_pkcs8_pem(LineEnding::LF).map_err(|e| BadKey(e.to_string()))?;
        Ok(Secret::new(pem.to_string()))
    }

    /// The public key as browsers take it (`applicationServerKey`): the uncompressed point, base64url, 87 characters.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// The value of `Authorization` for a message to that origin (`https://fcm.googleapis.com`).
    pub(super) fn authorization(&self, origin: &str, contact: &str, now: WallTime) -> String {
        let exp = now.plus(TOKEN_LIFE).0.div_euclid(1_000_000);
        let part = |value: serde_json::Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let head = part(json!({"typ": "JWT", "alg": "ES256"}));
        let claims = part(json!({"aud": origin, "exp": exp, "sub": contact}));
        let signed = format!("{head}.{claims}");
        let signature: Signature = self.key.sign(signed.as_bytes());
        let signature = Base64UrlUnpadded::encode_string(&signature.to_bytes());
        format!("vapid t={signed}.{signature}, k={}", self.public)
    }

    fn from_key(key: SigningKey) -> Self {
        let public = Base64UrlUnpadded::encode_string(key.verifying_key().to_encoded_point(false).as_bytes());
        Self { key, public }
    }
}

impl fmt::Debug for Vapid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vapid").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_survives_its_pem_and_shows_only_its_public_half() {
        let pair = Vapid::generate();
        let pem = pair.to_pem().unwrap();
        let again = Vapid::from_pem(pem.expose()).unwrap();
        assert_eq!((again.public_key(), pair.public_key().len()), (pair.public_key(), 87));
        let secret = pem.expose().lines().nth(1).unwrap().to_owned();
        assert!(!format!("{pair:?} {pem:?}").contains(&secret[..20]));
        for bad in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(!Vapid::from_pem(bad).unwrap_err().to_string().contains("AAAA"));
        }
    }
}
