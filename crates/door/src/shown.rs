//! The certificate that is shown now: looked at again while the box runs, changed without dropping a connection, and never
//! given up for one that cannot be used.

use crate::{
    local::{Authority, Files, makeshift},
    names::Names,
    pair::{Broken, Pair, provider},
};
use domain::WallTime;
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fmt, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

/// A certificate that ends so soon is told: whoever renews certificates does it a month before.
pub const SOON: Duration = Duration::from_secs(14 * 86_400);

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Two PEM files that somebody else writes.
    Files {
        /// The certificate and its chain.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// The box's own authority, in the data folder.
    Local {
        /// The data folder.
        data: PathBuf,
        /// The village's name, for whoever looks at the authority's certificate.
        site: String,
    },
}

/// How the certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds for longer than [`SOON`].
    Good,
    /// It ends within [`SOON`].
    Ends,
    /// It has ended: browsers refuse it.
    Ended,
    /// What lies there now cannot be used; the one before is shown for as long as it holds.
    Refused,
    /// Nothing that lies there could be used since the start: a makeshift one is shown, which browsers warn of.
    Makeshift,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Good, Self::Ends, Self::Ended, Self::Refused, Self::Makeshift];

    /// As the interface says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Ends => "ends",
            Self::Ended => "ended",
            Self::Refused => "refused",
            Self::Makeshift => "makeshift",
        }
    }
}

/// What there is to tell of the certificate shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How it is.
    pub state: State,
    /// Whom it names.
    pub names: Vec<String>,
    /// Until when it holds.
    pub until: WallTime,
    /// Why a newer one is refused; empty otherwise.
    pub why: String,
    /// The box's own authority, where the certificate is its.
    pub authority: Option<Authority>,
}

/// The certificate shown now, and by the next look. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    source: Source,
    now: RwLock<Now>,
}

struct Now {
    pair: Pair,
    authority: Option<Authority>,
    /// Of the files when they were last looked at.
    stamps: Vec<Option<Stamp>>,
    /// Why what lies there is not shown.
    refused: Option<String>,
    makeshift: bool,
}

/// What changes when a file does: device, inode, size, time of change.
type Stamp = (u64, u64, u64, i64, i64);

impl Certificate {
    /// The certificate of this source, or a makeshift one where it cannot be used: its state says so. `names` are the box's
    /// own, for [`Source::Local`] and the makeshift.
    ///
    /// # Errors
    /// When not even a makeshift one can be made: the system gives no random bytes.
    pub fn open(source: Source, names: &Names, now: WallTime) -> Result<Self, String> {
        let stamps = stamps(&source);
        let first = match fetch(&source, names, now) {
            Ok((pair, authority)) => Now { pair, authority, stamps, refused: None, makeshift: false },
            Err(why) => {
                tracing::error!(why, "the certificate cannot be used; a makeshift one is shown");
                let pair = makeshift(names, now).map_err(|e| e.to_string())?;
                Now { pair, authority: None, stamps, refused: Some(why), makeshift: true }
            }
        };
        Ok(Self(Arc::new(Inner { source, now: RwLock::new(first) })))
    }

    /// Looks again: takes what has changed, or what has become usable. Reads a few files; true when another is shown now.
    pub fn look(&self, names: &Names, now: WallTime) -> bool {
        let stamps = stamps(&self.0.source);
        let (same, refused) = {
            let shown = self.0.now.read().unwrap_or_else(PoisonError::into_inner);
            (shown.stamps == stamps, shown.refused.is_some())
        };
        // Of the box's own it is not the files but time and names that call for another.
        if same && !refused && matches!(self.0.source, Source::Files { .. }) {
            return false;
        }
        let fetched = fetch(&self.0.source, names, now);
        let mut shown = self.0.now.write().unwrap_or_else(PoisonError::into_inner);
        shown.stamps = stamps;
        match fetched {
            Ok((pair, authority)) => {
                let other = pair.key.cert != shown.pair.key.cert;
                if other || shown.refused.is_some() {
                    tracing::info!(until = %pair.facts.until, names = pair.facts.names.join(", "), "another certificate is shown");
                }
                *shown = Now { pair, authority, stamps: std::mem::take(&mut shown.stamps), refused: None, makeshift: false };
                other
            }
            Err(why) => {
                if shown.refused.as_ref() != Some(&why) {
                    tracing::warn!(why, "the new certificate cannot be used; the one before stays");
                    shown.refused = Some(why);
                }
                false
            }
        }
    }

    /// What there is to tell at this time.
    #[must_use]
    pub fn told(&self, now: WallTime) -> Told {
        let shown = self.0.now.read().unwrap_or_else(PoisonError::into_inner);
        let until = shown.pair.facts.until;
        let state = if shown.makeshift {
            State::Makeshift
        } else if until <= now {
            State::Ended
        } else if shown.refused.is_some() {
            State::Refused
        } else if until <= now.plus(SOON) {
            State::Ends
        } else {
            State::Good
        };
        let (names, authority) = (shown.pair.facts.names.clone(), shown.authority.clone());
        Told { state, names, until, why: shown.refused.clone().unwrap_or_default(), authority }
    }

    /// The box's own authority, where the certificate is its.
    #[must_use]
    pub fn authority(&self) -> Option<Authority> {
        self.0.now.read().unwrap_or_else(PoisonError::into_inner).authority.clone()
    }

    /// TLS 1.2 and 1.3 with whatever certificate is shown when a client comes; HTTP/1.1 inside.
    pub(crate) fn tls(&self) -> Result<ServerConfig, rustls::Error> {
        let versions = ServerConfig::builder_with_provider(Arc::new(provider())).with_safe_default_protocol_versions()?;
        let mut config = versions.with_no_client_auth().with_cert_resolver(Arc::new(Shown(self.clone())));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A phone that comes back on another mast resumes without a new key exchange.
        config.ticketer = ring::Ticketer::new()?;
        Ok(config)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.0.source).finish()
    }
}

fn fetch(source: &Source, names: &Names, now: WallTime) -> Result<(Pair, Option<Authority>), String> {
    match source {
        Source::Files { certificate, key } => {
            Pair::read(certificate, key).map(|pair| (pair, None)).map_err(|e: Broken| format!("{e}; {}", e.fix()))
        }
        Source::Local { data, site } => {
            Files::below(data).ready(names, site, now).map(|(pair, authority)| (pair, Some(authority))).map_err(|e| e.to_string())
        }
    }
}

fn stamps(source: &Source) -> Vec<Option<Stamp>> {
    match source {
        Source::Files { certificate, key } => vec![stamp(certificate), stamp(key)],
        Source::Local { .. } => Vec::new(),
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    fs::metadata(path).ok().map(|m| (m.dev(), m.ino(), m.size(), m.mtime(), m.mtime_nsec()))
}

/// Whatever is asked for, the one there is: a wrong name is for the browser to say.
#[derive(Debug)]
struct Shown(Certificate);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.0.now.read().unwrap_or_else(PoisonError::into_inner).pair.key))
    }
}
