//! The HTTP clients of the harness. Mostly plain HTTP on loopback; the TLS library insists on being told its cryptography anyway.

use std::time::Duration;

/// A client.
///
/// # Panics
/// When the system has no resources for one.
#[must_use]
pub fn http() -> reqwest::Client {
    builder().tls_certs_only([]).build().unwrap()
}

/// A client that goes nowhere but where it is sent.
///
/// # Panics
/// As [`http`].
#[must_use]
pub fn blunt() -> reqwest::Client {
    builder().tls_certs_only([]).redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A client that trusts this certificate (PEM) and nobody else.
///
/// # Panics
/// As [`http`], and when it is no certificate.
#[must_use]
pub fn trusting(pem: &[u8]) -> reqwest::Client {
    builder().tls_certs_only([reqwest::Certificate::from_pem(pem).unwrap()]).build().unwrap()
}

fn builder() -> reqwest::ClientBuilder {
    // Already installed by another test of this process: as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The server closes a connection that said nothing for half a minute. One kept for longer here would be taken for a request at
    // the moment it is being closed, and the request fails that a browser repeats.
    reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(10))
}
