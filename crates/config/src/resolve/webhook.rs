//! `[[webhook]]`: servers that are told of cases. Addresses are never shown: hooks carry tokens in path and query.

use super::{Given, name, secret};
use crate::{
    needed::Webhook,
    reader::Field,
    source::{Source, Wrong},
    written,
};
use domain::Secret;
use std::path::Path;
use url::{Host, Url};

const EXAMPLE: &str = "write \"https://xa.example.vn/matthon\"";

/// Shorter ones are guessed, and whoever has guessed one can invent cases.
const SECRET_SHORT: usize = 16;

/// All hooks; `None` after noting a mistake in any of them.
pub(super) fn webhooks(
    field: Field<Vec<written::Webhook>>,
    base: &Path,
    open_to_all: bool,
    source: &mut Source<'_>,
) -> Option<Vec<Webhook>> {
    let mut given = Given::default();
    let hooks: Vec<_> = field.or(Vec::new())?.into_iter().map(|w| webhook(w, base, open_to_all, &mut given, source)).collect();
    hooks.into_iter().collect()
}

fn webhook(w: written::Webhook, base: &Path, open_to_all: bool, given: &mut Given, source: &mut Source<'_>) -> Option<Webhook> {
    let url = w.url.then(source, |t| address(&t)).needed(source);
    let named = w.name.then(source, |t| name(&t)).optional();
    let named = match named {
        Some(Some((name, place))) => given.give("the name of a webhook", &name, &place, source).map(|()| name),
        // By its host, which stays the same when hooks are moved about in the file.
        Some(None) => url.as_ref().and_then(|(url, place)| {
            let name = host_name(url);
            given.give("the name of a webhook (without `name` it is the host)", &name, place, source).map(|()| name)
        }),
        None => None,
    };
    let secret = secret::secret(
        secret::Written { text: w.secret, file: w.secret_file, env: w.secret_env, open_to_all },
        &secret::WEBHOOK,
        &w.place,
        base,
        source,
    );
    let (secret, place) = secret?.needed(source)?;
    if secret.expose().chars().count() < SECRET_SHORT {
        let problem = format!("the secret is shorter than {SECRET_SHORT} characters: it can be guessed, and cases invented");
        source.warning(&place, Wrong::new(problem, "take a random one: `openssl rand -hex 32`"));
    }
    Some(Webhook { name: named?, url: url?.0, secret })
}

fn address(text: &Secret) -> Result<Url, Wrong> {
    let text = text.expose();
    let Ok(url) = Url::parse(text) else {
        let problem = if text.contains("://") { "is not an address" } else { "has no https:// in front" };
        return Err(Wrong::new(problem, EXAMPLE));
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Wrong::new("does not begin with https://", EXAMPLE));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let fix = "take name and password out of the address: deliveries are signed with the secret";
        return Err(Wrong::new("the address holds a user name or password", fix));
    }
    if url.port() == Some(0) {
        return Err(Wrong::new("port 0 is no port", EXAMPLE));
    }
    if url.fragment().is_some() {
        return Err(Wrong::new("the address has a part behind #, which no server gets to see", "remove it"));
    }
    if url.scheme() == "http" && !loopback(&url) {
        let problem = "plain http:// shows the village's cases to everybody on the way; only this box itself may be told so";
        return Err(Wrong::new(problem, "write https://"));
    }
    Ok(url)
}

fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
        None => false,
    }
}

/// A plain name made of the host.
fn host_name(url: &Url) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = url.host_str().unwrap_or("").chars().map(plain).take(domain::ids::CAMERA_ID_MAX).collect();
    name.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fall")]
    use super::*;

    #[test]
    fn plain_http_only_to_this_box() {
        let fine = |t: &str| address(&Secret::new(t.to_owned())).is_ok();
        for good in [
            "https://a.vn/x?token=1",
            "http://127.0.0.1:9/x",
            "http://127.8.8.8/",
            "http://[::1]/",
            "http://localhost:80/",
            "http://a.localhost",
        ] {
            assert!(fine(good), "{good}");
        }
        for bad in [
            "http://a.vn/",
            "http://10.0.0.1/",
            "http://localhost.vn/",
            "http://[::2]/",
            "https://u@a.vn/",
            "ftp://a.vn",
            "a.vn",
            "https://a.vn:0/",
        ] {
            assert!(!fine(bad), "{bad}");
        }
    }

    #[test]
    fn a_host_makes_a_plain_name() {
        let of = |t: &str| host_name(&Url::parse(t).unwrap());
        assert_eq!(of("https://xa.example.vn/a"), "xa-example-vn");
        assert_eq!(of("http://[::1]/a"), "1");
        assert!(name(&of("http://127.0.0.1:9/")).is_ok());
    }
}
