//! How the box is reached: from the configuration to what the web server takes; the certificate looked at while it runs, and
//! judged beforehand by `matthon check`.

use anyhow::{Result, anyhow};
use config::{Certificate, Config, Loaded, Mistake};
use domain::{Clock, WallTime};
use door::{Names, Pair, Source};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often files and names are looked at: whoever renews a certificate does it weeks before, a router that gives the box
/// another address does it now.
const LOOK: Duration = Duration::from_secs(30);

/// How the box is reached. A certificate that cannot be used is no reason not to record: a makeshift one is shown.
pub(crate) fn open(config: &Config, now: WallTime) -> Result<web::Doors> {
    let web = &config.web;
    let open = |source| door::Certificate::open(source, &names(config), now).map_err(|e| anyhow!("cannot make any certificate: {e}"));
    let certificate = source(config).map(open).transpose()?;
    if let Some(authority) = certificate.as_ref().and_then(door::Certificate::authority) {
        let fingerprint = authority.fingerprint;
        tracing::info!(fingerprint, "devices that trust the certificate at /ca.crt trust this box; compare its SHA-256");
    }
    let public = web.public_url.as_ref().and_then(|url| web::Public::new(url.as_str()));
    Ok(web::Doors { certificate, public, trusted: web.trusted_proxies.clone() })
}

/// Looks at the certificate from time to time, and when told to, until told to stop.
pub(crate) async fn keep(doors: web::Doors, config: Config, clock: Arc<dyn Clock>, told: Arc<Notify>, stop: CancellationToken) {
    let Some(certificate) = doors.certificate else { return };
    let config = Arc::new(config);
    let mut every = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
            () = told.notified() => {}
        }
        let (certificate, config, clock) = (certificate.clone(), config.clone(), clock.clone());
        // Files are read, and now and then a key is made.
        let looked = tokio::task::spawn_blocking(move || certificate.look(&names(&config), clock.wall()));
        if let Err(error) = looked.await {
            tracing::error!(%error, "the certificate was not looked at");
        }
    }
}

fn source(config: &Config) -> Option<Source> {
    Some(match config.web.certificate.as_ref()? {
        Certificate::Local => Source::Local { data: config.storage.data.clone(), site: config.site.name.clone() },
        Certificate::Files { certificate, key } => Source::Files { certificate: certificate.clone(), key: key.clone() },
    })
}

/// The box's own names; the public one as well, should it be a private one.
fn names(config: &Config) -> Names {
    let more: Vec<String> =
        config.web.public_url.iter().filter_map(|url| url.host_str()).map(|h| h.trim_matches(['[', ']']).to_owned()).collect();
    door::names(config.web.listen.ip(), &more)
}

/// What there is to say of the door beforehand.
pub(crate) struct Judged {
    pub(crate) lines: Vec<String>,
    pub(crate) warnings: Vec<Mistake>,
}

/// Reads the certificate that the configuration names, and makes none.
///
/// # Errors
/// What keeps it from being used, where it was written.
pub(crate) fn judge(loaded: &Loaded, now: WallTime) -> Result<Judged, Mistake> {
    let mut judged = Judged { lines: Vec::new(), warnings: Vec::new() };
    let config = &loaded.config;
    match &config.web.certificate {
        None => {}
        Some(Certificate::Local) => judged.lines.push(match door::authority(&config.storage.data) {
            Ok(Some(made)) => format!("https: by the box's own authority until {}, SHA-256 {}", day(made.until), made.fingerprint),
            Ok(None) => "https: by the box's own authority, made at the first start; /ca.crt will hand out its certificate".to_owned(),
            // The data folder is the daemon's; whoever checks may be somebody else.
            Err(e) => format!("https: by the box's own authority, which cannot be read here: {e}"),
        }),
        Some(Certificate::Files { certificate, key }) => {
            let pair = Pair::read(certificate, key).map_err(|e| {
                loaded.mistake(if e.is_of_key() { "web.key" } else { "web.certificate" }, e.to_string(), e.fix().to_owned())
            })?;
            let (names, until) = (pair.facts.names.join(", "), pair.facts.until);
            judged.lines.push(format!("https: {names}, until {}", day(until)));
            let mut warn = |key: &str, problem: String, fix: &str| judged.warnings.push(loaded.mistake(key, problem, fix.to_owned()));
            if until <= now {
                warn("web.certificate", format!("the certificate ended on {}: browsers refuse it", day(until)), "have it renewed");
            } else if until <= now.plus(door::SOON) {
                warn("web.certificate", format!("the certificate ends on {}", day(until)), "have it renewed");
            }
            if pair.open_to_all {
                warn("web.key", "every user of this box may read the private key".to_owned(), "run chmod 640 on it");
            }
        }
    }
    if let Some(url) = &config.web.public_url {
        judged.lines.push(format!("from outside: {url}"));
    }
    Ok(judged)
}

/// `2026-12-24`, in UTC.
fn day(time: WallTime) -> String {
    time.to_string().chars().take(10).collect()
}
