//! The HTTP client of the harness. Plain HTTP on loopback; the TLS library insists on being told its cryptography anyway.

/// A client.
///
/// # Panics
/// When the system has no resources for one.
#[must_use]
pub fn http() -> reqwest::Client {
    // Already installed by another test of this process: as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().tls_certs_only([]).build().unwrap()
}
