//! `[push]`: phones that are told of cases. The contact travels with every message, and Apple's push service refuses a made-up one.

use crate::{
    needed::Push,
    reader::Field,
    source::{Source, Wrong, show},
    written,
};
use url::{Host, Url};

const FIX: &str = "write an address that somebody reads: \"mailto:ban-quan-ly@…\" or \"https://…\"";

/// Names that lead to nobody outside the house.
const NOBODY: [&str; 8] = ["local", "localhost", "internal", "lan", "invalid", "test", "example", "arpa"];
/// Names that stand in documentation.
const EXAMPLES: [&str; 3] = ["example.com", "example.net", "example.org"];

/// `Some(None)`: no phones; `None` after noting a mistake.
pub(super) fn push(field: Field<written::Push>, source: &mut Source<'_>) -> Option<Option<Push>> {
    let Some((w, _)) = field.optional()? else { return Some(None) };
    let contact = w.contact.then(source, |t| contact(&t)).needed(source);
    let allow_loopback = w.allow_loopback.or(false);
    Some(Some(Push { contact: contact?.0, allow_loopback: allow_loopback? }))
}

fn contact(text: &str) -> Result<String, Wrong> {
    let text = text.trim();
    let host = match text.strip_prefix("mailto:") {
        Some(address) => {
            let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '@' | ',' | '?' | '<' | '>');
            let parts = address.split_once('@').filter(|(who, host)| !who.is_empty() && address.len() <= 200 && host.chars().all(plain));
            parts.filter(|(who, _)| who.chars().all(plain)).map(|(_, host)| host.to_owned())
        }
        None => Url::parse(text).ok().filter(|url| url.scheme() == "https" && text.len() <= 200).and_then(|url| match url.host() {
            Some(Host::Domain(name)) => Some(name.to_owned()),
            _ => None,
        }),
    };
    let host =
        host.ok_or_else(|| Wrong::new(format!("{} is neither mailto: with an address nor https:// with a name", show(text)), FIX))?;
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let real = host.rsplit_once('.').is_some_and(|(_, last)| !NOBODY.contains(&last) && last.chars().any(char::is_alphabetic));
    if !real || EXAMPLES.contains(&host.as_str()) {
        return Err(Wrong::new(format!("{} leads to nobody: Apple refuses messages with it", show(text)), FIX));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_an_address_somebody_reads() {
        for good in ["mailto:ban-quan-ly@duyenhy.vn", "mailto:a.b+c@xa.hanoi.gov.vn", "https://xa.hanoi.gov.vn/lien-he"] {
            assert_eq!(contact(good).as_deref().ok(), Some(good));
        }
        for bad in [
            "",
            "ban-quan-ly@duyenhy.vn",
            "mailto:",
            "mailto:@a.vn",
            "mailto:a@b",
            "mailto:a@b@c.vn",
            "mailto:a@c.vn?subject=x",
            "mailto:a b@c.vn",
            "mailto:admin@example.com",
            "mailto:admin@village.local",
            "https://localhost/x",
            "https://192.168.1.1/",
            "mailto:a@10.0.0.1",
            "http://a.vn/",
            "https://",
        ] {
            assert!(contact(bad).is_err(), "{bad}");
        }
    }
}
