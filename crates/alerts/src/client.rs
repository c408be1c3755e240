//! The HTTP client of everything that leaves the box: no proxy, no redirect, no referer, an end to every try.
//!
//! Belongs here: what all channels ask of it. Does not belong here: what is sent, and what an answer means.

use reqwest::{Client, redirect::Policy};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// A receiver that has not answered by then has not received.
const LIMIT: Duration = Duration::from_secs(10);

/// A client that is made at the first try: without the system's certificates it cannot be, and they may be installed meanwhile.
pub(crate) struct Lazy {
    secure: bool,
    made: Mutex<Option<Client>>,
}

impl Lazy {
    /// `secure`: for https only. A receiver in the village's own network needs no certificates, and a bare box has none.
    pub(crate) fn new(secure: bool) -> Self {
        Self { secure, made: Mutex::new(None) }
    }

    pub(crate) fn get(&self) -> Result<Client, String> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.as_ref() {
            return Ok(client.clone());
        }
        // An error means that one is installed already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let builder = Client::builder()
            .user_agent(concat!("matthon/", env!("CARGO_PKG_VERSION")))
            .timeout(LIMIT)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .https_only(self.secure)
            .pool_max_idle_per_host(1);
        let builder = if self.secure { builder } else { builder.tls_certs_only([]) };
        let client = builder.build().map_err(|e| {
            format!("no TLS: {}; install the system's certificates (Debian: apt install ca-certificates)", chain(&e.without_url()))
        })?;
        *made = Some(client.clone());
        Ok(client)
    }
}

/// An error with its causes: the outermost of reqwest's says little.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text
}
