//! What str0m's protocols are locked with: RustCrypto's ciphers, DTLS by dimpl, and a certificate made when the room opens.
//!
//! Belongs here: the glue between str0m's traits and these crates. Does not belong here: any protocol. str0m's own glue of this kind brings
//! a second cryptographic library, in C, for the sake of a certificate that `rcgen` makes with what the house has.

use aes::cipher::{BlockEncrypt, KeyInit, KeyIvInit, StreamCipher, generic_array::GenericArray};
use aes_gcm::{AeadInPlace, Aes128Gcm, Aes256Gcm};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc, time::Instant};
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, CryptoProvider, Sha1HmacProvider, Sha256Provider,
    SrtpProvider, SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
    dtls::{DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion},
};

/// Of an authenticated cipher's tag, bytes.
const TAG: usize = 16;

/// The certificate that every answer vouches for, by its fingerprint. It proves nothing else and lasts as long as the process.
#[derive(Clone, Debug)]
pub struct Keys(DtlsCert);

impl Keys {
    /// Makes a key and a certificate for it.
    ///
    /// # Errors
    /// When no key can be made: the system gives no random bytes.
    pub fn new() -> Result<Self, rcgen::Error> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let certificate = rcgen::CertificateParams::default().self_signed(&pair)?;
        Ok(Self(DtlsCert { certificate: certificate.der().to_vec(), private_key: pair.serialize_der() }))
    }

    pub(crate) fn certificate(&self) -> DtlsCert {
        self.0.clone()
    }
}

/// What a session is built with.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { srtp_provider: &House, sha1_hmac_provider: &House, sha256_provider: &House, dtls_provider: &House })
}

#[derive(Debug)]
struct House;

impl Sha1HmacProvider for House {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        // A key of any length will do for an HMAC.
        let Ok(mut mac) = <Hmac<Sha1> as hmac::KeyInit>::new_from_slice(key) else { return [0; 20] };
        payloads.iter().for_each(|payload| mac.update(payload));
        mac.finalize().into_bytes().into()
    }
}

impl Sha256Provider for House {
    fn sha256(&self, data: &[u8]) -> [u8; 32] {
        Sha256::digest(data).into()
    }
}

impl SrtpProvider for House {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &House
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &House
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &House
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        round::<aes::Aes128>(key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        round::<aes::Aes256>(key, input, output);
    }
}

/// One block; str0m derives keys with it (RFC 3711 §4.3.3) and looks at no more of the output. Lengths are its own, always a key's and a block's.
fn round<C: BlockEncrypt + KeyInit>(key: &[u8], input: &[u8], output: &mut [u8]) {
    let Ok(cipher) = C::new_from_slice(key) else { return };
    let mut block = GenericArray::default();
    block.iter_mut().zip(input).for_each(|(to, from)| *to = *from);
    cipher.encrypt_block(&mut block);
    output.iter_mut().zip(&block).for_each(|(to, from)| *to = *from);
}

fn broken(what: &'static str) -> CryptoError {
    CryptoError::Other(what.to_owned())
}

/// AES in counter mode; another layer authenticates.
struct Counter([u8; 16]);

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counter")
    }
}

impl SupportedAes128CmSha1_80 for House {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        Box::new(Counter(key))
    }
}

impl Aes128CmSha1_80Cipher for Counter {
    fn encrypt(&mut self, iv: &[u8; 16], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        let mut cipher = ctr::Ctr128BE::<aes::Aes128>::new(&self.0.into(), iv.into());
        let output = output.get_mut(..input.len()).ok_or(broken("no room for what is encrypted"))?;
        cipher.apply_keystream_b2b(input, output).map_err(|_| broken("more than a key stream holds"))
    }

    fn decrypt(&mut self, iv: &[u8; 16], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.encrypt(iv, input, output)
    }
}

/// AES-GCM of either key length.
struct Sealing<C>(C);

impl<C> fmt::Debug for Sealing<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing")
    }
}

impl<C: AeadInPlace> Sealing<C> {
    fn seal(&self, iv: &[u8; 12], beside: &[u8], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        let output = output.get_mut(..input.len() + TAG).ok_or(broken("no room for what is sealed"))?;
        let (text, tag) = output.split_at_mut(input.len());
        text.copy_from_slice(input);
        let made = self.0.encrypt_in_place_detached(GenericArray::from_slice(iv), beside, text).map_err(|_| broken("cannot be sealed"))?;
        tag.copy_from_slice(&made);
        Ok(())
    }

    fn open(&self, iv: &[u8; 12], beside: &[&[u8]], input: &[u8], output: &mut [u8]) -> Result<usize, CryptoError> {
        let length = input.len().checked_sub(TAG).ok_or(broken("shorter than its tag"))?;
        let (text, tag) = input.split_at(length);
        let output = output.get_mut(..length).ok_or(broken("no room for what is opened"))?;
        output.copy_from_slice(text);
        let opened =
            self.0.decrypt_in_place_detached(GenericArray::from_slice(iv), &beside.concat(), output, GenericArray::from_slice(tag));
        opened.map(|()| length).map_err(|_| broken("the seal is broken"))
    }
}

impl SupportedAeadAes128Gcm for House {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        Box::new(Sealing(Aes128Gcm::new(&key.into())))
    }
}

impl AeadAes128GcmCipher for Sealing<Aes128Gcm> {
    fn encrypt(&mut self, iv: &[u8; 12], aad: &[u8], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.seal(iv, aad, input, output)
    }

    fn decrypt(&mut self, iv: &[u8; 12], aads: &[&[u8]], input: &[u8], output: &mut [u8]) -> Result<usize, CryptoError> {
        self.open(iv, aads, input, output)
    }
}

impl SupportedAeadAes256Gcm for House {
    fn create_cipher(&self, key: [u8; 32], _encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        Box::new(Sealing(Aes256Gcm::new(&key.into())))
    }
}

impl AeadAes256GcmCipher for Sealing<Aes256Gcm> {
    fn encrypt(&mut self, iv: &[u8; 12], aad: &[u8], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        self.seal(iv, aad, input, output)
    }

    fn decrypt(&mut self, iv: &[u8; 12], aads: &[&[u8]], input: &[u8], output: &mut [u8]) -> Result<usize, CryptoError> {
        self.open(iv, aads, input, output)
    }
}

impl DtlsProvider for House {
    /// The room's certificate is handed to each session.
    fn generate_certificate(&self) -> Option<DtlsCert> {
        None
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        _version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        // Whoever gets as far as DTLS has proved his address by ICE: a cookie would prove it again.
        let config = dimpl::Config::builder().use_server_cookie(false);
        let config = mtu.into_iter().fold(config, dimpl::ConfigBuilder::mtu);
        let config = config.build().map_err(|e| CryptoError::Other(e.to_string()))?;
        // 1.2, which every browser speaks.
        Ok(Box::new(Dtls(dimpl::Dtls::new_12(Arc::new(config), cert.clone(), now))))
    }
}

struct Dtls(dimpl::Dtls);

impl fmt::Debug for Dtls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dtls")
    }
}

impl DtlsInstance for Dtls {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buf)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<(), DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 2202, test case 2, its data in two parts; FIPS 180-4 of nothing.
    #[test]
    fn hashes_are_those_of_their_standards() {
        assert_eq!(
            House.sha1_hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"])[..],
            bytes("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        );
        assert_eq!(House.sha256(b"")[..4], bytes("e3b0c442"));
    }

    /// RFC 3711, appendix B.2 (the key stream) and NIST's single block (FIPS 197, appendix C).
    #[test]
    fn counter_mode_and_a_block_are_those_of_their_standards() {
        let key = bytes("2b7e151628aed2a6abf7158809cf4f3c").try_into().unwrap();
        let iv = bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000").try_into().unwrap();
        let mut out = [0; 40];
        Counter(key).encrypt(&iv, &[0; 32], &mut out).unwrap();
        assert_eq!(out[..32], bytes("e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"));
        assert!(Counter(key).encrypt(&iv, &[0; 41], &mut out).is_err());
        let plain = bytes("00112233445566778899aabbccddeeff");
        let long: Vec<u8> = (0..32).collect();
        let mut out = [0; 32];
        House.srtp_aes_128_ecb_round(&long[..16], &plain, &mut out);
        assert_eq!(out[..16], bytes("69c4e0d86a7b0430d8cdb78070b4c55a"));
        House.srtp_aes_256_ecb_round(&long, &plain, &mut out);
        assert_eq!(out[..16], bytes("8ea2b7ca516745bfeafc49904b496089"));
    }

    #[test]
    fn what_is_sealed_opens_and_what_was_changed_does_not() {
        let mut cipher = SupportedAeadAes128Gcm::create_cipher(&House, [7; 16], true);
        let (iv, mut sealed, mut out) = ([9; 12], [0; 5 + TAG], [0; 5]);
        cipher.encrypt(&iv, b"beside it all", b"hello", &mut sealed).unwrap();
        assert_eq!(cipher.decrypt(&iv, &[b"beside ", b"it all"], &sealed, &mut out).unwrap(), 5);
        assert_eq!(&out, b"hello");
        for at in 0..sealed.len() {
            let mut changed = sealed;
            changed[at] ^= 1;
            assert!(cipher.decrypt(&iv, &[b"beside it all"], &changed, &mut out).is_err(), "{at}");
        }
        assert!(cipher.decrypt(&iv, &[b"beside it al"], &sealed, &mut out).is_err());
        assert!(cipher.decrypt(&iv, &[], &[0; 15], &mut out).is_err());
        let mut wide = SupportedAeadAes256Gcm::create_cipher(&House, [7; 32], true);
        wide.encrypt(&iv, b"x", b"hello", &mut sealed).unwrap();
        assert_eq!(wide.decrypt(&iv, &[b"x"], &sealed, &mut out).unwrap(), 5);
    }
}
