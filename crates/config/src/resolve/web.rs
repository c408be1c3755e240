//! `[web]`: where the page is served, with which certificate, and how it is reached from outside. Whether a certificate's
//! files can be used is for whoever shows them (`door`): they change while the box runs.

use super::path;
use crate::{
    needed::{Certificate, Web},
    reader::Field,
    source::{Source, Wrong, show},
    written,
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};
use url::Url;

/// The word in place of a file: the box's own authority.
const LOCAL: &str = "local";
const PUBLIC: &str = "write public_url = \"https://thon.example.vn\"";
const PROXIES: &str = "write addresses or networks: trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]";
/// The word in place of an address: no WebRTC.
const OFF: &str = "off";
/// The port of WebRTC, where it is not said.
const WEBRTC_PORT: u16 = 8555;
/// A village has one proxy, perhaps two.
const PROXIES_MAX: usize = 64;

pub(super) fn web(field: Field<written::Web>, base: &Path, source: &mut Source<'_>) -> Option<Web> {
    let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
    let Some((w, _)) = field.optional()? else {
        let webrtc = Some(beside(local));
        return Some(Web { listen: local, insecure: false, certificate: None, public_url: None, trusted_proxies: Vec::new(), webrtc });
    };
    let said = w.insecure.place().cloned();
    let insecure = w.insecure.or(false);
    // What could not be read is a mistake already; it need not cause a second one.
    let secure = w.certificate.there() || w.key.there();
    let certificate = certificate(w.certificate, w.key, base, source);
    if let (Some(true), true, Some(place)) = (insecure, secure, said) {
        source.warning(&place, Wrong::new("says nothing beside a certificate: HTTPS is spoken", "leave it out"));
    }
    let listen = w.listen.then(source, |t| {
        t.parse::<SocketAddr>().map_err(|_| {
            let problem = format!("{} is not an address and a port", show(&t));
            Wrong::new(problem, "write \"127.0.0.1:8080\" (this box only) or \"0.0.0.0:8080\" (the network)")
        })
    });
    let allowed = insecure != Some(false) || secure;
    let listen = listen.then(source, |a| {
        if a.ip().is_loopback() || allowed {
            return Ok(a);
        }
        let problem = format!("plain HTTP on {} shows passwords and pictures to the whole network", a.ip());
        let fix = format!(
            "write certificate = \"local\" for HTTPS, or \"127.0.0.1:{}\" behind an HTTPS proxy, or accept it with insecure = true under [web]",
            a.port()
        );
        Err(Wrong::new(problem, fix))
    });
    let public = w.public_url.then(source, |t| public(&t));
    let public_at = public.place().cloned();
    let proxies = w.trusted_proxies.then(source, |list| proxies(&list)).or(Vec::new());
    if let (Some(place), Some([]), false) = (public_at, proxies.as_deref(), secure) {
        let problem = "whoever passes requests on from there is not named: all of them will seem to come from it, by plain HTTP";
        source
            .warning(&place, Wrong::new(problem, "write trusted_proxies = [\"127.0.0.1\"] (the tunnel of docs/reach.md ends on this box)"));
    }
    let webrtc = w.webrtc.then(source, |t| webrtc(&t)).optional();
    let listen = listen.or(local)?;
    Some(Web {
        listen,
        insecure: insecure?,
        certificate: certificate?,
        public_url: public.optional()?.map(|(url, _)| url),
        trusted_proxies: proxies?,
        webrtc: webrtc?.map_or(Some(beside(listen)), |(address, _)| address),
    })
}

/// Beside the page: on the same address, so that what is for this box alone stays so. Where the system chooses one port it chooses both.
fn beside(listen: SocketAddr) -> SocketAddr {
    SocketAddr::new(listen.ip(), if listen.port() == 0 { 0 } else { WEBRTC_PORT })
}

fn webrtc(text: &str) -> Result<Option<SocketAddr>, Wrong> {
    if text == OFF {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let problem = format!("{} is not an address and a port", show(text));
        Wrong::new(problem, "write \"0.0.0.0:8555\" (UDP, the network), \"127.0.0.1:8555\" (this box only) or \"off\"")
    })
}

/// `None` after noting a mistake; `Some(None)`: plain HTTP.
fn certificate(file: Field<String>, key: Field<String>, base: &Path, source: &mut Source<'_>) -> Option<Option<Certificate>> {
    let local = matches!(&file, Field::Is(word, _) if word == LOCAL);
    let file = file.then(source, |t| path(&t, base)).optional();
    let key = key.then(source, |t| path(&t, base)).optional();
    match (file?, key?) {
        (None, None) => Some(None),
        (Some(_), None) if local => Some(Some(Certificate::Local)),
        (Some(_), Some((_, place))) if local => {
            let fix = "leave key out, or write the certificate's file in place of \"local\"";
            source.mistake(&place, Wrong::new("the box's own authority has its key in the data folder", fix));
            None
        }
        (Some((certificate, file)), Some((key, secret))) => {
            source.point(&file);
            source.point(&secret);
            Some(Some(Certificate::Files { certificate, key }))
        }
        (Some((_, place)), None) => {
            source.missing(&place, Wrong::new("there is a certificate but no key", "write key = \"…/privkey.pem\" below it"));
            None
        }
        (None, Some((_, place))) => {
            let fix = "write certificate = \"…/fullchain.pem\" above it";
            source.missing(&place, Wrong::new("there is a key but no certificate", fix));
            None
        }
    }
}

fn public(text: &str) -> Result<Url, Wrong> {
    let Ok(url) = Url::parse(text) else {
        let problem = if text.contains("://") { "is not an address" } else { "has no https:// in front" };
        return Err(Wrong::new(format!("{} {problem}", show(text)), PUBLIC));
    };
    match url.scheme() {
        "https" => {}
        "http" => {
            let problem = "plain http:// from outside shows passwords and pictures to everybody on the way, and phones give no notices to such a page";
            return Err(Wrong::new(problem, PUBLIC));
        }
        _ => return Err(Wrong::new(format!("{} does not begin with https://", show(text)), PUBLIC)),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new("the address holds a user name or password", PUBLIC));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new("has something behind the host: the page is at the root of its own host", PUBLIC));
    }
    if url.port() == Some(0) {
        return Err(Wrong::new("port 0 is no port", PUBLIC));
    }
    Ok(url)
}

fn proxies(list: &[String]) -> Result<Vec<IpNet>, Wrong> {
    if list.len() > PROXIES_MAX {
        return Err(Wrong::new(
            format!("has {} entries", list.len()),
            format!("write at most {PROXIES_MAX}, networks where there are many"),
        ));
    }
    list.iter().map(|text| proxy(text)).collect()
}

fn proxy(text: &str) -> Result<IpNet, Wrong> {
    let net = text.parse::<IpAddr>().map(|a| IpNet::from(a.to_canonical())).or_else(|_| text.parse::<IpNet>());
    let net = net.map_err(|_| Wrong::new(format!("{} is neither an address nor a network", show(text)), PROXIES))?;
    if net.prefix_len() == 0 {
        return Err(Wrong::new(format!("{} believes everybody who asks", show(text)), PROXIES));
    }
    if net.trunc() != net {
        let fix = format!("write \"{}\", or the one address without its network", net.trunc());
        return Err(Wrong::new(format!("{} is an address inside a network", show(text)), fix));
    }
    Ok(net)
}
