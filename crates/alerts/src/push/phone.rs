//! Where a browser takes messages: an address and two keys, looked at before anything is sent there.
//!
//! The address comes from whoever is signed in, and the box will post to it. So: `https` on its usual port, to a name
//! and not to a number. A name that leads into the village's own network answers with a certificate of a public
//! authority or is not spoken to; redirects are not followed, and the answer is not read. Addresses on the box itself
//! are for tests, and only where the configuration says so.

use base64ct::{Base64UrlUnpadded, Encoding};
use domain::Secret;
use p256::PublicKey;
use std::fmt;
use url::{Host, Url};
use web_push_native::Auth;

/// Longest address: those of today have 200 to 600 characters.
const ADDRESS_MAX: usize = 2048;

/// A browser that can be written to.
pub struct Phone {
    address: Url,
    origin: String,
    public: PublicKey,
    auth: Auth,
}

/// It cannot. Texts show neither address nor key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPhone {
    /// No place the box posts to.
    #[error("the address is not that of a push service: it must be https, on the usual port, with a name and not a number")]
    Address,
    /// Not the keys of a browser.
    #[error("the keys are not those of a browser: p256dh is a P-256 point and auth has 16 bytes, both in base64url")]
    Keys,
}

impl Phone {
    /// Looks at what a browser sent (`PushSubscription`).
    ///
    /// # Errors
    /// [`BadPhone`].
    pub fn new(endpoint: &Secret, p256dh: &Secret, auth: &Secret, allow_loopback: bool) -> Result<Self, BadPhone> {
        let text = endpoint.expose();
        let address = Url::parse(text).ok().filter(|_| text.len() <= ADDRESS_MAX).ok_or(BadPhone::Address)?;
        let taken = outside(&address) || (allow_loopback && loopback(&address));
        if !taken {
            return Err(BadPhone::Address);
        }
        // Some browsers pad base64url, some do not.
        let bytes = |key: &Secret| Base64UrlUnpadded::decode_vec(key.expose().trim_end_matches('=')).map_err(|_| BadPhone::Keys);
        let public = PublicKey::from_sec1_bytes(&bytes(p256dh)?).map_err(|_| BadPhone::Keys)?;
        let auth: [u8; 16] = bytes(auth)?.try_into().map_err(|_| BadPhone::Keys)?;
        Ok(Self { origin: address.origin().ascii_serialization(), address, public, auth: auth.into() })
    }

    pub(super) fn address(&self) -> Url {
        self.address.clone()
    }

    /// `https://fcm.googleapis.com`: whom the token is for.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn secure(&self) -> bool {
        self.address.scheme() == "https"
    }

    /// Seals a message so that only the browser can read it (RFC 8291, `aes128gcm`).
    pub(super) fn seal(&self, message: Vec<u8>) -> Result<Vec<u8>, String> {
        web_push_native::encrypt(message, &self.public, &self.auth).map_err(|e| format!("the message cannot be sealed: {e}"))
    }
}

fn bare(address: &Url) -> bool {
    address.username().is_empty() && address.password().is_none() && address.fragment().is_none()
}

fn outside(address: &Url) -> bool {
    let named = match address.host() {
        // A name without a dot, or of the network the box stands in, is no push service.
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let own = ["local", "localhost", "internal", "lan", "home", "arpa"];
            name.rsplit_once('.').is_some_and(|(_, last)| !own.contains(&last))
        }
        _ => false,
    };
    named && address.scheme() == "https" && address.port().is_none() && bare(address)
}

fn loopback(address: &Url) -> bool {
    let here = match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    here && matches!(address.scheme(), "http" | "https") && bare(address)
}

impl fmt::Debug for Phone {
    /// Only whose service it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone").field("service", &self.origin).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of web-push-native.
    const P256DH: &str = "BLn9b-VR0ca83knDNZ32dCHGyjJp-1riX9ZTN40MqV8K_LpQmLqxC_DoHvqvFXO_nGdAB4W9dogZb_sM-uV4JbY";
    const AUTH: &str = "_ordMnz7uTCmrpBTeUV4Bw";

    fn phone(endpoint: &str, loopback: bool) -> Result<Phone, BadPhone> {
        let secret = |text: &str| Secret::new(text.to_owned());
        Phone::new(&secret(endpoint), &secret(P256DH), &secret(AUTH), loopback)
    }

    #[test]
    fn the_box_posts_to_push_services_and_nowhere_else() {
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
            "https://web.push.apple.com:443/QABC",
            "https://hk2.notify.windows.com/w/?token=x",
        ] {
            assert!(phone(good, false).is_ok(), "{good}");
        }
        let inside = [
            "http://fcm.googleapis.com/x",
            "https://192.168.1.1/x",
            "https://[fd00::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://167772161/x",
            "https://0xa.1/x",
            "https://router/x",
            "https://nas.local/x",
            "https://box.home.arpa./x",
            "https://fcm.googleapis.com:8443/x",
            "https://u:p@fcm.googleapis.com/x",
            "https://fcm.googleapis.com/x#y",
            "file:///etc/passwd",
            "ftp://a.vn/x",
            "",
        ];
        for bad in inside {
            assert_eq!(phone(bad, false).err(), Some(BadPhone::Address), "{bad}");
            assert_eq!(phone(bad, true).err(), Some(BadPhone::Address), "{bad}, in tests as well");
        }
        assert_eq!(phone(&format!("https://a.vn/{}", "x".repeat(2048)), false).err(), Some(BadPhone::Address));
        for here in ["http://127.0.0.1:9/x", "http://localhost:9/x", "https://[::1]/x", "https://2130706433/x"] {
            assert_eq!(phone(here, false).err(), Some(BadPhone::Address), "{here}");
            assert!(phone(here, true).is_ok(), "{here}");
        }
    }

    #[test]
    fn keys_that_are_none_are_refused_before_anything_is_kept() {
        let with = |p256dh: &str, auth: &str| {
            let secret = |text: &str| Secret::new(text.to_owned());
            Phone::new(&secret("https://a.vn/x"), &secret(p256dh), &secret(auth), false).err()
        };
        assert_eq!(with(&format!("{P256DH}="), &format!("{AUTH}==")), None);
        for (p256dh, auth) in [(P256DH, "AAAA"), (P256DH, ""), ("", AUTH), ("BLn9", AUTH), ("!", AUTH), (&P256DH.replace('L', "M"), AUTH)] {
            assert_eq!(with(p256dh, auth), Some(BadPhone::Keys), "{p256dh} {auth}");
        }
        let shown = format!("{:?}", phone("https://a.vn/geheim", false).unwrap());
        assert!(shown.contains("https://a.vn") && !shown.contains("geheim"), "{shown}");
    }
}
