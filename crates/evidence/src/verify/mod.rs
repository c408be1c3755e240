//! The verdict over a package: whether every byte is what the box signed, and every picture what it recorded.
//!
//! Whoever brings the file may have made it: nothing in it is believed before it is checked, and nothing takes memory by
//! saying so, or keeps the judge busy: every byte is read a few times at most (directory, sums, records, samples), whatever the
//! manifest says. The page does the same with the same words (`page/`).

mod archive;
mod records;
mod source;

pub use source::{OpenFile, Source};

use crate::{
    hashing::{sha256, sha256_of},
    manifest::{FORMAT, FileEntry, Manifest, Track},
    package::{MANIFEST, SIGNATURE, SUMS},
    signature,
};
use archive::{Archive, Member};
use domain::WallTime;
use records::{Gaps, Tracks};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Findings kept; further ones are counted.
const KEPT: usize = 1000;
/// A manifest larger than this is none.
const TEXT_MAX: u64 = 64 << 20;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// It is no package of this kind.
    NotAPackage,
    /// A file that the manifest names is not there.
    FileMissing,
    /// A file that the manifest does not name, or two of one name.
    FileExtra,
    /// A file has other bytes than were signed.
    FileChanged,
    /// The manifest cannot be read.
    Manifest,
    /// The manifest was not signed by the key it names.
    Signature,
    /// It was signed by another key than the one asked for.
    OtherKey,
    /// The list of sums says otherwise.
    Sums,
    /// The records of a film cannot be read.
    Records,
    /// Samples are not those that were recorded.
    Media,
    /// A record does not follow from the one before it.
    Chain,
    /// Records are missing between two others, and the manifest tells of no gap there.
    RecordMissing,
    /// The film holds bytes of no record.
    Foreign,
    /// The manifest says otherwise of a stream than its records.
    Track,
    /// The file cannot be read.
    Unreadable,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What.
    pub what: What,
    /// In which file of the package.
    pub file: String,
    /// Of which camera, where that can be said.
    pub camera: Option<String>,
    /// First second concerned.
    pub from: Option<WallTime>,
    /// Last one.
    pub to: Option<WallTime>,
}

/// What came out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// What is wrong, at most a thousand of them.
    pub findings: Vec<Finding>,
    /// How many there are in all.
    pub found: u64,
    /// The key that signed, when one did.
    #[serde(skip)]
    pub key: Option<[u8; 32]>,
    /// Its fingerprint.
    pub fingerprint: Option<String>,
    /// Whether it is the one asked for; `None`: nobody asked.
    pub key_matches: Option<bool>,
    /// The manifest, when it can be read.
    #[serde(skip)]
    pub manifest: Option<Manifest>,
    /// Files with the right bytes.
    pub files: u64,
    /// Records whose samples and chain are right.
    pub records: u64,
    /// Bytes of samples hashed.
    pub bytes: u64,
}

impl Verdict {
    /// Whether every byte is what the box signed and recorded.
    #[must_use]
    pub fn good(&self) -> bool {
        self.found == 0 && self.manifest.is_some()
    }

    fn add(&mut self, what: What, file: &str) {
        self.push(Finding { what, file: file.to_owned(), camera: None, from: None, to: None });
    }

    fn push(&mut self, finding: Finding) {
        self.found += 1;
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }
}

/// Judges a package. `key`: the fingerprint the judge knows of; another box's package is refused then.
#[must_use]
pub fn verify(source: &dyn Source, key: Option<&str>) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(archive) = Archive::open(source, &mut verdict) else {
        verdict.add(What::NotAPackage, "");
        return verdict;
    };
    let (Some(manifest_text), Some(mark)) = (archive.text(MANIFEST, TEXT_MAX), archive.text(SIGNATURE, 4096)) else {
        for name in [MANIFEST, SIGNATURE].into_iter().filter(|n| archive.member(n).is_none()) {
            verdict.add(What::FileMissing, name);
        }
        verdict.add(What::NotAPackage, "");
        return verdict;
    };
    let manifest: Option<Manifest> = serde_json::from_slice(&manifest_text).ok();
    let signed = std::str::from_utf8(&mark).ok().and_then(|text| signature::read(text, &manifest_text));
    let Some(manifest) = manifest.filter(|m| m.format == FORMAT) else {
        verdict.add(What::Manifest, MANIFEST);
        return verdict;
    };
    match signed {
        Some((by, true)) => {
            verdict.key = Some(by);
            verdict.fingerprint = Some(signature::fingerprint(&by));
            verdict.key_matches = key.map(|typed| signature::same_key(typed, &by));
            if verdict.key_matches == Some(false) {
                verdict.add(What::OtherKey, SIGNATURE);
            }
            if manifest.made_by.key != crate::hashing::hex(&by) {
                verdict.add(What::Signature, SIGNATURE);
            }
        }
        _ => verdict.add(What::Signature, SIGNATURE),
    }
    let mut tracks: BTreeMap<(&str, &str), Tracks<'_>> = BTreeMap::new();
    for t in &manifest.tracks {
        tracks.entry((&t.file, &t.chain_file)).or_default().insert(&t.stream, t);
    }
    files(&archive, &manifest, &mut verdict);
    sums(&archive, &manifest, &manifest_text, &mark, &mut verdict);
    let gaps = Gaps::new(&manifest.gaps);
    let (mut films, mut chains) = (BTreeSet::new(), BTreeSet::new());
    for ((film, chain), tracks) in &tracks {
        // A film has one file of records: with every other one it would be read again.
        if films.insert(*film) & chains.insert(*chain) {
            records::check(&archive, tracks, &gaps, film, chain, &mut verdict);
        } else {
            verdict.add(What::Track, chain);
        }
    }
    // A master that no track speaks of would be looked at by nobody.
    for f in manifest.files.iter().filter(|f| f.what == "master" && !films.contains(f.name.as_str())) {
        verdict.add(What::Track, &f.name);
    }
    verdict.manifest = Some(manifest);
    verdict
}

/// Every file the manifest names, byte for byte, and no other.
fn files(archive: &Archive<'_>, manifest: &Manifest, verdict: &mut Verdict) {
    let mut of: BTreeMap<&str, &Track> = BTreeMap::new();
    for t in &manifest.tracks {
        for name in [&t.file, &t.chain_file] {
            of.entry(name).or_insert(t);
        }
    }
    let mut named = BTreeSet::from([MANIFEST, SIGNATURE, SUMS]);
    for f in &manifest.files {
        if !named.insert(&f.name) {
            verdict.add(What::FileExtra, &f.name);
            continue;
        }
        match archive.member(&f.name) {
            None => verdict.add(What::FileMissing, &f.name),
            Some(member) => match sha256_of(archive.read(member)) {
                Ok((sum, len)) if sum == f.sha256 && len == f.bytes => verdict.files += 1,
                Ok(_) => changed(of.get(f.name.as_str()).copied(), f, verdict),
                Err(_) => verdict.add(What::Unreadable, &f.name),
            },
        }
    }
    for Member { name, .. } in archive.members().filter(|m| !named.contains(m.name.as_str())) {
        verdict.add(What::FileExtra, name);
    }
}

/// A changed file, with the camera and the time of it, where it is a film's.
fn changed(track: Option<&Track>, f: &FileEntry, verdict: &mut Verdict) {
    verdict.push(Finding {
        what: What::FileChanged,
        file: f.name.clone(),
        camera: track.and_then(|t| t.camera()).map(|c| c.to_string()),
        from: track.and_then(|t| t.from.wall()),
        to: track.and_then(|t| t.to.wall()),
    });
}

fn sums(archive: &Archive<'_>, manifest: &Manifest, text: &[u8], mark: &[u8], verdict: &mut Verdict) {
    let mut want: String = manifest.files.iter().map(|f| format!("{}  {}\n", f.sha256, f.name)).collect();
    want.push_str(&format!("{}  {MANIFEST}\n{}  {SIGNATURE}\n", sha256(text), sha256(mark)));
    match archive.text(SUMS, TEXT_MAX) {
        Some(have) if have == want.as_bytes() => {}
        Some(_) => verdict.add(What::Sums, SUMS),
        None => verdict.add(What::FileMissing, SUMS),
    }
}
