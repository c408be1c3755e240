//! The signature by which a receiver knows that a message is ours and fresh.

use domain::{Secret, WallTime, hex};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `X-Matthon-Signature`: `t=UNIX,v1=HEX`, where HEX is the HMAC-SHA-256 of `UNIX.BODY` under the secret.
#[must_use]
pub fn sign(secret: &Secret, now: WallTime, body: &[u8]) -> String {
    let t = now.0.div_euclid(1_000_000);
    let mac = match Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    let code = mac.chain_update(format!("{t}.")).chain_update(body).finalize().into_bytes();
    format!("t={t},v1={}", hex(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_other_programs_compute() {
        // printf '1795430520.{}' | openssl dgst -sha256 -hmac 'khoá'
        let signature = sign(&Secret::new("khoá".to_owned()), WallTime(1_795_430_520_900_000), b"{}");
        assert_eq!(signature, "t=1795430520,v1=0c2fcd43d7e8ccf8e49b65cbcb702f506e67845cfcf5857da164606d883ec84d");
    }
}
