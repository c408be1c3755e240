//! The box's front door: the certificate it shows, and speaking TLS on a connection.
//!
//! Belongs here: certificates (read from files, made by the box's own authority, looked at again when they change), the
//! state they are in, and TLS handshakes with their bounds. Does not belong here: HTTP, hosts and proxies (see `web`), which
//! files the configuration names (see `config`), a read of the clock (the time is passed in).
//!
//! Nothing here keeps a box from starting: what cannot be used is a [`State`], and a makeshift certificate stands in.

mod facts;
mod greet;
mod local;
mod names;
mod pair;
mod shown;
mod whole;

pub use facts::{Facts, fingerprint};
pub use greet::{Greeter, Greeting, HANDSHAKE_WITHIN, HANDSHAKES};
pub use local::{Authority, authority};
pub use names::{Names, names};
pub use pair::{Broken, Pair};
pub use shown::{Certificate, SOON, Source, State, Told};
