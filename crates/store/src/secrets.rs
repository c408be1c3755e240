//! Random secrets, their digests, and password hashes. No SQL.

use crate::StoreError;
use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use domain::hex;
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

/// 32 bytes from the system's generator as hexadecimal digits behind a prefix that says what it is.
pub(crate) fn fresh(prefix: &str) -> Result<String, StoreError> {
    Ok(format!("{prefix}{}", hex(&random::<32>()?)))
}

/// What is kept of a secret. Looking a digest up tells an attacker's stopwatch nothing: he cannot steer its bytes.
pub(crate) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A random (version 4) UUID.
pub(crate) fn uuid() -> Result<String, StoreError> {
    let mut b = random::<16>()?;
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let digits = hex(&b);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|r| digits.get(r).unwrap_or_default());
    Ok(parts.join("-"))
}

/// Argon2id with the crate's defaults (19 MiB, 2 passes: 35 ms of one core) and a random salt, as a PHC string.
pub(crate) fn hash(password: &str) -> Result<String, StoreError> {
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &random::<16>()?);
    hash.map(|h: PasswordHash| h.to_string()).map_err(|e| StoreError::Crypto(e.to_string()))
}

/// Whether the password is the one that was hashed. Without a hash it takes as long and is never right.
pub(crate) fn is_right(password: &str, phc: Option<&str>) -> Result<bool, StoreError> {
    let Some(phc) = phc else {
        hash(password)?;
        return Ok(false);
    };
    // Not left to the verifier, which calls a mangled row a wrong password: that would lock somebody out without a word.
    let whole = PasswordHash::new(phc).ok().filter(|h| h.salt.is_some() && h.hash.is_some());
    let Some(hash) = whole else { return Err(StoreError::Crypto("a kept password hash cannot be read; set a new password".to_owned())) };
    match Argon2::default().verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(e) => Err(StoreError::Crypto(e.to_string())),
    }
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|e| StoreError::Crypto(e.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (a, b) = (fresh("mt_").unwrap(), fresh("mt_").unwrap());
        assert_ne!(a, b);
        assert_eq!((a.len(), a.starts_with("mt_")), (67, true));
        let id = uuid().unwrap();
        assert_eq!(id.len(), 36);
        assert_eq!((&id[14..15], id[19..20].contains(['8', '9', 'a', 'b'])), ("4", true));
    }

    #[test]
    fn a_password_is_kept_as_argon2id() {
        let phc = hash("một con vịt xoè").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(is_right("một con vịt xoè", Some(&phc)).unwrap());
        assert!(!is_right("một con vịt", Some(&phc)).unwrap());
        assert!(!is_right("một con vịt xoè", None).unwrap());
        assert!(is_right("x", Some("$nonsense")).is_err());
    }
}
