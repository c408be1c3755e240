//! Who signs the seals. Keeping the key (file, permissions) is the binary's affair.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// Signs the seals of blocks.
pub trait Signer: Send + Sync + 'static {
    /// An Ed25519 signature (RFC 8032) over the message.
    fn sign(&self, message: &[u8]) -> [u8; 64];
    /// The key that verifies it.
    fn public_key(&self) -> [u8; 32];
}

/// An Ed25519 key in memory.
pub struct Ed25519Signer(SigningKey);

impl Ed25519Signer {
    /// From the 32 secret bytes of RFC 8032 §5.1.5.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }
}

impl std::fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ed25519Signer(***)")
    }
}

impl Signer for Ed25519Signer {
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

/// Whether `signature` is `public_key`'s over `message`.
#[must_use]
pub fn verify(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public_key).is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}
