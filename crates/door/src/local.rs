//! The box's own authority: made at first start for whoever wants HTTPS without a public name, the television in the hall
//! above all. Whoever takes its certificate (`GET /ca.crt`) trusts this box, and by its name constraints nothing but private
//! names and addresses, should the key ever be stolen.

use crate::{
    facts::{Facts, fingerprint},
    names::{ENDINGS, Names, PRIVATE_V4, PRIVATE_V6, mask4, mask6},
    pair::{Broken, Pair},
    whole,
};
use domain::WallTime;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use time::OffsetDateTime;

const DAY: Duration = Duration::from_secs(86_400);
/// Ten years: nobody goes round the televisions more often.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3652);
/// Apple's devices take no certificate that holds longer than 825 days, not even from an authority of one's own.
const LIFE: Duration = DAY.saturating_mul(397);
/// The server's certificate is made anew so long before its end.
const RENEW: Duration = DAY.saturating_mul(30);
/// A box without a battery starts in 1970; what it makes then must hold when its clock is right.
const NOT_BEFORE_THIS: WallTime = WallTime::from_secs(1_767_225_600); // 2026-01-01

/// The authority's certificate, for whoever wants to trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// In PEM.
    pub pem: String,
    /// SHA-256, as devices show it.
    pub fingerprint: String,
    /// Until when it holds.
    pub until: WallTime,
}

/// The files in the data folder.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(crate) fn below(data: &Path) -> Self {
        Self { folder: data.join("tls") }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The box's authority as it lies in the data folder; `None` before the first start that made it.
///
/// # Errors
/// When it is there and cannot be read.
pub fn authority(data: &Path) -> io::Result<Option<Authority>> {
    match fs::read_to_string(Files::below(data).at("ca.crt")) {
        Ok(pem) => read(pem).map(Some),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn read(pem: String) -> io::Result<Authority> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it is no certificate in PEM");
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong())?;
    let facts = Facts::of(&der).ok_or_else(wrong)?;
    Ok(Authority { fingerprint: fingerprint(&der), until: facts.until, pem })
}

/// Why there is no certificate of the box's own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotMade {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("the authority in {} cannot sign: {error}", folder.display())]
    Signing { folder: PathBuf, error: rcgen::Error },
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl Files {
    /// The pair to show, made (again) when there is none, it ends soon, has not begun, or names other names; and its authority.
    pub(crate) fn ready(&self, names: &Names, site: &str, now: WallTime) -> Result<(Pair, Authority), NotMade> {
        let now = now.max(NOT_BEFORE_THIS);
        let authority = self.authority(site, now)?;
        let (certificate, key) = (self.at("server.crt"), self.at("server.key"));
        if let Ok(pair) = Pair::read(&certificate, &key)
            && pair.facts.names.iter().map(String::as_str).eq(names.iter())
            && pair.facts.from <= now
            // One that holds as long as its authority cannot be made to hold longer.
            && (now.plus(RENEW) < pair.facts.until || authority.until <= pair.facts.until)
            // Of another authority: its file was taken away, or a backup came back.
            && fs::read_to_string(&certificate).is_ok_and(|chain| chain.ends_with(&authority.pem))
        {
            return Ok((pair, authority));
        }
        self.issue(names, now, &authority)?;
        tracing::info!(names = names.iter().collect::<Vec<_>>().join(", "), "made a certificate of the box's own authority");
        Ok((Pair::read(&certificate, &key)?, authority))
    }

    fn authority(&self, site: &str, now: WallTime) -> Result<Authority, NotMade> {
        let (certificate, key) = (self.at("ca.crt"), self.at("ca.key"));
        match fs::read_to_string(&certificate) {
            Ok(pem) => return read(pem).map_err(|error| NotMade::File { path: certificate, error }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(NotMade::File { path: certificate, error }),
        }
        let signing = |error| NotMade::Signing { folder: self.folder.clone(), error };
        let pair = KeyPair::generate().map_err(signing)?;
        let made = authority_params(site, now).self_signed(&pair).map_err(signing)?;
        whole::folder(&self.folder).map_err(|error| NotMade::File { path: self.folder.clone(), error })?;
        // The key first: an authority whose key is missing could not be made again under the same name.
        save(&key, &pair.serialize_pem())?;
        save(&certificate, &made.pem())?;
        let authority = read(made.pem()).map_err(|error| NotMade::File { path: certificate, error })?;
        tracing::info!(fingerprint = authority.fingerprint, "made the box's own authority; /ca.crt hands out its certificate");
        Ok(authority)
    }

    fn issue(&self, names: &Names, now: WallTime, authority: &Authority) -> Result<(), NotMade> {
        let signing = |error| NotMade::Signing { folder: self.folder.clone(), error };
        let path = self.at("ca.key");
        let key = fs::read_to_string(&path).map_err(|error| NotMade::File { path, error })?;
        let key = KeyPair::from_pem(&key).map_err(signing)?;
        let issuer = Issuer::from_ca_cert_pem(&authority.pem, key).map_err(signing)?;
        let pair = KeyPair::generate().map_err(signing)?;
        let mut params = CertificateParams::new(names.iter().map(str::to_owned).collect::<Vec<_>>()).map_err(signing)?;
        params.distinguished_name = called("Mắt Thôn");
        params.not_before = at(now.minus(DAY));
        // Never beyond its authority: some devices take neither then.
        params.not_after = at(now.plus(LIFE).min(authority.until));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let made = params.signed_by(&pair, &issuer).map_err(signing)?;
        whole::folder(&self.folder).map_err(|error| NotMade::File { path: self.folder.clone(), error })?;
        // A cut between the two leaves a pair that does not match, which is made again.
        save(&self.at("server.key"), &pair.serialize_pem())?;
        save(&self.at("server.crt"), &format!("{}{}", made.pem(), authority.pem))
    }
}

/// A certificate for as long as the program runs, signed by nobody: better than a page that does not answer.
pub(crate) fn makeshift(names: &Names, now: WallTime) -> Result<Pair, NotMade> {
    let signing = |error| NotMade::Signing { folder: PathBuf::from("memory"), error };
    let now = now.max(NOT_BEFORE_THIS);
    let pair = KeyPair::generate().map_err(signing)?;
    let mut params = CertificateParams::new(names.iter().map(str::to_owned).collect::<Vec<_>>()).map_err(signing)?;
    params.distinguished_name = called("Mắt Thôn (tạm thời)");
    params.not_before = at(now.minus(DAY));
    params.not_after = at(now.plus(LIFE));
    let made = params.self_signed(&pair).map_err(signing)?;
    let memory = Path::new("the makeshift certificate");
    Ok(Pair::new(vec![made.der().clone()], pair.into(), memory, memory)?)
}

fn authority_params(site: &str, now: WallTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = called(&format!("Mắt Thôn – {site}"));
    params.not_before = at(now.minus(DAY));
    params.not_after = at(now.plus(AUTHORITY_LIFE));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let mut permitted: Vec<GeneralSubtree> = ENDINGS.iter().map(|end| GeneralSubtree::DnsName((*end).to_owned())).collect();
    permitted
        .extend(PRIVATE_V4.iter().map(|(net, bits)| GeneralSubtree::IpAddress(CidrSubnet::V4(net.octets(), mask4(*bits).to_be_bytes()))));
    permitted
        .extend(PRIVATE_V6.iter().map(|(net, bits)| GeneralSubtree::IpAddress(CidrSubnet::V6(net.octets(), mask6(*bits).to_be_bytes()))));
    params.name_constraints = Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    params
}

fn called(name: &str) -> DistinguishedName {
    let mut all = DistinguishedName::new();
    // 64 characters are the most that X.520 allows.
    all.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    all
}

fn at(time: WallTime) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(time.0.div_euclid(1_000_000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn save(path: &Path, text: &str) -> Result<(), NotMade> {
    whole::write(path, text).map_err(|error| NotMade::File { path: path.to_owned(), error })
}
