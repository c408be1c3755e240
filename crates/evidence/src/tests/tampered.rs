//! Every change is found, named, and placed; by whoever has a key of his own too.

use super::*;
use crate::verify::What;
use proptest::prelude::*;

fn made() -> (tempfile::TempDir, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let zip = package(&recorded(dir.path()), 3_250, 18_000, &box_key());
    (dir, zip)
}

fn whats(zip: &[u8]) -> Vec<What> {
    let mut found: Vec<_> = judge(zip).findings.into_iter().map(|f| f.what).collect();
    found.sort();
    found.dedup();
    found
}

fn index(files: &[(String, Vec<u8>)], name: &str) -> usize {
    files.iter().position(|(n, _)| n == name).unwrap()
}

const FILM: &str = "goc/cong-lang-main.mp4";
const RECORDS: &str = "goc/cong-lang-main.chuoi";

#[test]
fn a_byte_of_any_file_is_found() {
    let (_dir, zip) = made();
    let all = files(&zip);
    for n in 0..all.len() {
        for at in [0, all[n].1.len() / 2, all[n].1.len() - 1] {
            let mut changed = all.clone();
            changed[n].1[at] ^= 1;
            let verdict = judge(&pack(&changed));
            assert!(!verdict.good(), "{} byte {at}", all[n].0);
            // The signature's and the manifest's own bytes are told by what they break.
            let named = verdict.findings.iter().any(|f| f.file == all[n].0 || f.file.is_empty() || f.file == "manifest.sig");
            assert!(named, "{} byte {at}: {:?}", all[n].0, verdict.findings);
        }
    }
    assert!(judge(&pack(&all)).good(), "packed again as it was");
}

#[test]
fn a_changed_picture_is_named_to_the_second() {
    let (_dir, zip) = made();
    let mut all = files(&zip);
    let film = index(&all, FILM);
    // Picture 42: its first 900 bytes are known.
    let picture: Vec<u8> = (0..900i64).map(|i| (i * 7 + 42 * 13 + 1) as u8).collect();
    let at = all[film].1.windows(900).position(|w| w == picture).unwrap();
    all[film].1[at + 450] ^= 4;
    let verdict = judge(&pack(&all));
    let media: Vec<_> = verdict.findings.iter().filter(|f| f.what == What::Media).collect();
    assert_eq!(media.len(), 1, "{:?}", verdict.findings);
    let (f, shown) = (media[0], NOON.plus_micros(4_200_000));
    assert_eq!((f.file.as_str(), f.camera.as_deref()), (FILM, Some("cong-lang")));
    assert!(f.from.unwrap() <= shown && shown < f.to.unwrap() && f.to.unwrap().micros_since(f.from.unwrap()) <= 400_000, "{f:?}");
    assert!(verdict.findings.iter().any(|f| f.what == What::FileChanged && f.file == FILM));
}

#[test]
fn files_missing_added_exchanged_and_moved_are_found() {
    let (_dir, zip) = made();
    let all = files(&zip);
    for n in 0..all.len() {
        let mut less = all.clone();
        let (name, _) = less.remove(n);
        assert!(whats(&pack(&less)).contains(&What::FileMissing), "{name}");
    }
    let mut more = all.clone();
    more.push(("anh/them.jpg".into(), b"x".to_vec()));
    assert_eq!(whats(&pack(&more)), [What::FileExtra]);
    // A whole file of the same size.
    let mut other = all.clone();
    let film = index(&other, FILM);
    other[film].1.fill(0x55);
    assert!(whats(&pack(&other)).contains(&What::FileChanged));
    let mut page = all.clone();
    let n = index(&page, "verify.html");
    page[n].1 = b"<!doctype htmx>".to_vec();
    assert_eq!(whats(&pack(&page)), [What::FileChanged]);
    // The same name twice: an unpacker may take the other one.
    let mut twice = Vec::new();
    for (name, bytes) in &all {
        twice.push((name.clone(), bytes.clone()));
        if name == FILM {
            // Of the same length, so that it can be renamed in place.
            twice.push(("goc/cong-lang-maim.mp4".to_owned(), vec![0x55; bytes.len()]));
        }
    }
    let mut twice = pack(&twice);
    while let Some(at) = twice.windows(8).position(|w| w == b"maim.mp4") {
        twice[at..at + 8].copy_from_slice(b"main.mp4");
    }
    assert!(whats(&twice).contains(&What::FileExtra));
    // Names exchanged.
    let mut swapped = all;
    let (a, b) = (index(&swapped, FILM), index(&swapped, "anh/cong-lang-1.jpg"));
    let name = std::mem::replace(&mut swapped[a].0, "x".into());
    swapped[a].0 = std::mem::replace(&mut swapped[b].0, name);
    assert!(whats(&pack(&swapped)).contains(&What::FileChanged));
}

#[test]
fn manifest_and_signature_hold_together() {
    let (_dir, zip) = made();
    let all = files(&zip);
    let mut changed = all.clone();
    let n = index(&changed, "manifest.json");
    changed[n].1 = String::from_utf8(changed[n].1.clone()).unwrap().replace("kiểm thử", "việc khác").into_bytes();
    assert_eq!(whats(&pack(&changed)), [What::Signature, What::Sums]);
    // The signature of another package of the same box.
    let dir = tempfile::tempdir().unwrap();
    let other = files(&package(&recorded(dir.path()), 0, 5_000, &box_key()));
    let mut mixed = all;
    let (a, b) = (index(&mixed, "manifest.sig"), index(&other, "manifest.sig"));
    mixed[a].1 = other[b].1.clone();
    assert_eq!(whats(&pack(&mixed)), [What::Signature, What::Sums]);
}

#[test]
fn signed_again_with_another_key_is_another_boxs_package() {
    let (_dir, zip) = made();
    let thief = Ed25519Signer::from_secret(&[9; 32]);
    let forged = forged(&zip, &thief, |_, _| {});
    // Nothing in it is wrong but whose it is: that the fingerprint tells, and whoever knows it.
    assert!(judge(&forged).good());
    let known = crate::fingerprint(&ring::Signer::public_key(&box_key()));
    assert_ne!(judge(&forged).fingerprint.unwrap(), known);
    assert_eq!(verify(&forged.as_slice(), Some(&known)).findings[0].what, What::OtherKey);
}

#[test]
fn a_forger_with_a_key_cannot_change_what_was_recorded() {
    let (_dir, zip) = made();
    let thief = Ed25519Signer::from_secret(&[9; 32]);
    // A sample, with every sum made to fit.
    let picture = forged(&zip, &thief, |files, _| {
        let n = index(files, FILM);
        let last = files[n].1.len() - 10;
        files[n].1[last] ^= 1;
    });
    assert_eq!(whats(&picture), [What::Media]);
    // A record taken out of the middle.
    let cut = forged(&zip, &thief, |files, manifest| {
        let n = index(files, RECORDS);
        files[n].1 = without_record(&files[n].1, 3);
        manifest.tracks.iter_mut().filter(|t| t.stream.ends_with("video")).for_each(|t| t.records -= 1);
    });
    assert_eq!(whats(&cut), [What::RecordMissing, What::Foreign]);
    // Bytes that no record knows, behind the last sample.
    let longer = forged(&zip, &thief, |files, _| {
        let n = index(files, FILM);
        files[n].1.extend_from_slice(&[0; 100]);
    });
    assert_eq!(whats(&longer), [What::Foreign]);
    // The manifest's own words about a stream.
    let told = forged(&zip, &thief, |_, manifest| manifest.tracks[0].last += 1);
    assert_eq!(whats(&told), [What::Track]);
    // A film nobody vouches for.
    let loose = forged(&zip, &thief, |_, manifest| manifest.tracks.clear());
    assert_eq!(whats(&loose), [What::Track]);
}

/// The chain file without its `n`th record, by reading it the way the verdict does and writing what is left.
fn without_record(bytes: &[u8], n: usize) -> Vec<u8> {
    // Records begin with 2 and end where the next part begins: found by reading from there on.
    let ends = |count: usize| {
        let mut left = bytes;
        let mut reader = crate::chain::Reader::new(&mut left);
        for _ in 0..count {
            reader.next().unwrap().unwrap();
        }
        drop(reader);
        bytes.len() - left.len()
    };
    let (from, to) = (ends(n), ends(n + 1));
    [&bytes[..from], &bytes[to..]].concat()
}

#[test]
fn what_is_no_package_is_said_to_be_none() {
    for bytes in [&b""[..], b"PK", &[0; 4096], &pack(&[("a.txt".into(), b"a".to_vec())])] {
        let verdict = judge(bytes);
        assert!(!verdict.good() && verdict.findings.iter().any(|f| f.what == What::NotAPackage));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever comes: an answer, no panic, and never praise for changed content.
    #[test]
    fn rot_is_survived(flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..6), cut in any::<Option<prop::sample::Index>>()) {
        static MADE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let zip = MADE.get_or_init(|| made().1);
        let mut bytes = zip.clone();
        for (at, mask) in &flips {
            let n = bytes.len();
            bytes[at.index(n)] ^= mask;
        }
        if let Some(cut) = cut {
            let n = bytes.len();
            bytes.truncate(cut.index(n));
        }
        let good = judge(&bytes).good();
        // Good only where the archive's own frame was hit (times, attributes), never a file.
        if good {
            prop_assert_eq!(files(&bytes), files(zip));
        }
    }

    #[test]
    fn any_chain_file_is_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        for head in [&b""[..], b"MTCHAIN1"] {
            let whole = [head, &bytes].concat();
            let mut reader = crate::chain::Reader::new(&whole[..]);
            while let Ok(Some(_)) = reader.next() {}
        }
    }
}

/// Packages, good and changed, with the verdict of each, for whoever judges packages by another program: written where
/// `EVIDENCE_CORPUS` names a folder. The verdicts are compared here too, so that they cannot be forgotten.
#[test]
fn the_corpus_is_judged_as_it_is_named() {
    let (_dir, zip) = made();
    let thief = Ed25519Signer::from_secret(&[9; 32]);
    let all = files(&zip);
    let with = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut files = all.clone();
        let n = index(&files, name);
        change(&mut files[n].1);
        pack(&files)
    };
    let without = |name: &str| pack(&all.iter().filter(|(n, _)| n != name).cloned().collect::<Vec<_>>());
    let flip = |at: usize| move |bytes: &mut Vec<u8>| bytes[at] ^= 1;
    let last = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
    let corpus: Vec<(&str, Vec<u8>)> = vec![
        ("good", zip.clone()),
        ("film-byte", with(FILM, &last)),
        ("film-head", with(FILM, &flip(40))),
        ("records-byte", with(RECORDS, &flip(300))),
        ("manifest-byte", with("manifest.json", &flip(30))),
        ("signature-byte", with("manifest.sig", &flip(60))),
        ("sums-byte", with("SHA256SUMS", &flip(0))),
        ("still-byte", with("anh/cong-lang-1.jpg", &flip(0))),
        ("page-byte", with("verify.html", &flip(3))),
        ("film-missing", without(FILM)),
        ("records-missing", without(RECORDS)),
        ("manifest-missing", without("manifest.json")),
        ("extra", pack(&[all.clone(), vec![("anh/them.jpg".into(), b"x".to_vec())]].concat())),
        ("another-key", forged(&zip, &thief, |_, _| {})),
        (
            "forged-sample",
            forged(&zip, &thief, |files, _| {
                let n = index(files, FILM);
                last(&mut files[n].1);
            }),
        ),
        (
            "forged-cut",
            forged(&zip, &thief, |files, manifest| {
                let n = index(files, RECORDS);
                files[n].1 = without_record(&files[n].1, 3);
                manifest.tracks.iter_mut().filter(|t| t.stream.ends_with("video")).for_each(|t| t.records -= 1);
            }),
        ),
        ("forged-track", forged(&zip, &thief, |_, manifest| manifest.tracks[0].last += 1)),
        ("busy-places", super::busy::three_hundred_in_one_place(&zip)),
        ("busy-records", super::busy::fifty_files_of_records(&zip)),
        ("busy-cameras", super::busy::sixty_cameras_in_one_film(&zip)),
        ("truncated", zip[..zip.len() / 2].to_vec()),
        ("no-package", pack(&[("a.txt".into(), b"a".to_vec())])),
        ("nothing", Vec::new()),
    ];
    let out = std::env::var_os("EVIDENCE_CORPUS").map(std::path::PathBuf::from);
    for (name, bytes) in &corpus {
        let verdict = judge(bytes);
        assert_eq!(verdict.good(), matches!(*name, "good" | "another-key"), "{name}: {:?}", verdict.findings);
        if let Some(dir) = &out {
            std::fs::create_dir_all(dir).unwrap();
            std::fs::write(dir.join(format!("{name}.zip")), bytes).unwrap();
            std::fs::write(dir.join(format!("{name}.json")), serde_json::to_vec_pretty(&verdict).unwrap()).unwrap();
        }
    }
}
