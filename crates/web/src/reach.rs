//! How the box is reached, for the devices page: its certificate's state, its address from outside, and by name what does not
//! work without one.

use crate::doors::Doors;
use domain::WallTime;
use door::State;
use serde::Serialize;

/// What needs an address that phones elsewhere reach, as the page's texts name it.
const NEEDS_PUBLIC: [&str; 3] = ["push", "share", "residents"];

#[derive(Serialize)]
pub(crate) struct Reach {
    public_url: Option<String>,
    /// None: plain HTTP.
    certificate: Option<Certificate>,
    /// What does not work because there is no address from outside.
    missing: Vec<&'static str>,
}

#[derive(Serialize)]
struct Certificate {
    state: &'static str,
    names: Vec<String>,
    until: String,
    /// SHA-256 of the box's own authority; none: the certificate is another's.
    authority: Option<String>,
}

/// A certificate that needs looking after: the key of its text, and what there is to know.
pub(crate) struct Trouble {
    pub(crate) text_key: String,
    pub(crate) detail: String,
}

/// How the box is reached now.
pub(crate) fn now(doors: &Doors, now: WallTime) -> (Reach, Option<Trouble>) {
    let told = doors.certificate.as_ref().map(|certificate| certificate.told(now));
    let trouble = told.as_ref().filter(|told| told.state != State::Good).map(|told| Trouble {
        text_key: format!("door.{}", told.state.as_str()),
        detail: if told.why.is_empty() { format!("{} until {}", told.names.join(", "), told.until) } else { told.why.clone() },
    });
    let certificate = told.map(|told| Certificate {
        state: told.state.as_str(),
        names: told.names,
        until: told.until.to_string(),
        authority: told.authority.map(|a| a.fingerprint),
    });
    let public_url = doors.public.as_ref().map(|public| public.url().to_owned());
    let missing = if public_url.is_none() { NEEDS_PUBLIC.to_vec() } else { Vec::new() };
    (Reach { public_url, certificate, missing }, trouble)
}
