//! Packages that somebody brings: never praised when changed, judged with bounded work, read to an end.

use crate::{counted::Counted, seeds, take::Take};
use evidence::{
    FileEntry, Manifest, Package, Verdict,
    chain::{Reader, Where},
    fingerprint, verify,
};
use ring::{Ed25519Signer, Signer, format::record::RecordHeader};
use std::{
    io::{Cursor, Read},
    sync::OnceLock,
};

/// Everything of a package is read so often at most: its directory, its sums, the records, the samples.
const PASSES: u64 = 6;
/// What one file of the archive costs beside its bytes: its local header is looked at with a buffer's worth of reading.
const A_FILE: u64 = 64 << 10;
/// Shortest entry of an archive's directory.
const ENTRY: u64 = 46;

type Files = Vec<(String, Vec<u8>)>;

/// Judges, and counts what it costs.
fn judged(bytes: &[u8]) -> Verdict {
    let source = Counted::new(bytes);
    let verdict = verify(&source, None);
    let len = bytes.len() as u64;
    let bound = PASSES * len + (len / ENTRY + 4) * A_FILE;
    assert!(source.read() <= bound, "{} bytes read of a package of {len}", source.read());
    assert!(verdict.bytes <= len && verdict.files <= len / ENTRY, "more was found good than there is");
    assert!(verdict.findings.len() as u64 <= verdict.found);
    verdict
}

/// The files of an archive as any unpacker gives them.
fn files(bytes: &[u8]) -> Option<Files> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut out = Vec::new();
    for n in 0..archive.len() {
        let mut file = archive.by_index_raw(n).ok()?;
        let (mut bytes, name) = (Vec::new(), String::from_utf8_lossy(file.name_raw()).into_owned());
        file.read_to_end(&mut bytes).ok()?;
        out.push((name, bytes));
    }
    Some(out)
}

fn whole() -> &'static (Vec<u8>, Files) {
    static WHOLE: OnceLock<(Vec<u8>, Files)> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let package = seeds::package();
        let files = files(&package).unwrap();
        (package, files)
    })
}

/// Any archive. What the box's key is said to have signed must be what it signed.
pub(crate) fn zip(data: &[u8]) -> bool {
    let verdict = judged(data);
    if !verdict.good() {
        return false;
    }
    // Only this key signs here, and nothing but packages that were good: every file is then one that its manifest names, with
    // the sum that stands there, whoever unpacks it.
    assert_eq!(verdict.fingerprint, Some(fingerprint(&seeds::key().public_key())));
    let (manifest, files) = (verdict.manifest.unwrap(), files(data).unwrap());
    assert_eq!(files.len(), manifest.files.len() + 3);
    for FileEntry { name, bytes, .. } in &manifest.files {
        assert!(files.iter().any(|(n, b)| n == name && b.len() as u64 == *bytes), "{name} is not as it was signed");
    }
    true
}

/// The whole package with bytes of its films and records changed, and signed again by a thief so that every sum fits: only the
/// records' own hashes are left to tell. Nothing that changes a sample may pass.
pub(crate) fn forged(data: &[u8]) -> bool {
    let (_, whole) = whole();
    let mut changed = whole.clone();
    let mut t = Take(data);
    while !t.is_empty() {
        let (which, how, at, with) = (t.u8(), t.u8(), usize::from(t.u16()), t.u8());
        let films: Vec<_> = (0..changed.len()).filter(|n| changed[*n].0.starts_with("goc/")).collect();
        let bytes = &mut changed[films[usize::from(which) % films.len()]].1;
        let at = at % (bytes.len() + 1);
        match how % 4 {
            0 => drop(bytes.get_mut(at).map(|b| *b ^= with)),
            1 => bytes.insert(at, with),
            2 => bytes.truncate(at),
            _ => drop(bytes.drain(at..(at + usize::from(with)).min(bytes.len()))),
        }
    }
    let text = &whole.iter().find(|(n, _)| n == "manifest.json").unwrap().1;
    let manifest: Manifest = serde_json::from_slice(text).unwrap();
    let starts = manifest.tracks.iter().map(|t| (t.file.clone(), t.samples_at as usize)).collect::<Vec<_>>();
    let what = |name: &str| manifest.files.iter().find(|f| f.name == name).map_or("text", |f| f.what.as_str()).to_owned();
    let mut package = Package::new(Cursor::new(Vec::new()), |_| true);
    for (name, bytes) in changed.iter().filter(|(n, _)| !["manifest.json", "manifest.sig", "SHA256SUMS"].contains(&n.as_str())) {
        package.add(name, &what(name), bytes).unwrap();
    }
    let thief = Ed25519Signer::from_secret(&[9; 32]);
    let zip = package.finish(manifest, &thief).unwrap().0.into_inner();
    let verdict = judged(&zip);
    assert_eq!(verdict.fingerprint, Some(fingerprint(&thief.public_key())));
    if verdict.good() {
        for (film, at) in starts {
            let samples = |files: &Files| files.iter().find(|(n, _)| *n == film).unwrap().1.get(at..).map(<[u8]>::to_vec);
            assert_eq!(samples(&changed), samples(whole), "a changed film passes");
        }
    }
    verdict.good()
}

/// A file of records.
pub(crate) fn chain(data: &[u8]) -> bool {
    let mut left = data;
    let mut reader = Reader::new(&mut left);
    let (mut records, mut here) = (0, 0);
    let end = loop {
        match reader.next() {
            Ok(Some(entry)) => {
                records += 1;
                assert_eq!(RecordHeader::parse(&entry.header.to_bytes()).as_ref(), Ok(&entry.header));
                for s in &entry.samples {
                    if let Where::Here(bytes) = &s.at {
                        assert_eq!(bytes.len(), s.piece.size as usize);
                        here += bytes.len();
                    }
                }
            }
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert!(here <= data.len() && records <= data.len() / 256, "more was read than there is");
    end && records > 0
}

/// A manifest: what is read is written so that it is read as the same.
pub(crate) fn manifest(data: &[u8]) -> bool {
    let Ok(manifest) = serde_json::from_slice::<Manifest>(data) else { return false };
    let text = serde_json::to_vec_pretty(&manifest).unwrap();
    assert_eq!(serde_json::from_slice::<Manifest>(&text).unwrap(), manifest);
    for t in &manifest.tracks {
        let _ = (t.camera(), t.from.wall(), t.to.wall());
    }
    true
}
