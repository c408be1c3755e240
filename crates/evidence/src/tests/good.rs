//! What was recorded is found good, and the package says of itself what is true.

use super::*;
use crate::{
    report,
    signature::{fingerprint, same_key},
    verify::What,
};

#[test]
fn a_package_of_what_was_recorded_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let reader = recorded(dir.path());
    // Inside a group, over the hole, and all of it.
    for (from, to) in [(3_250, 7_050), (8_000, 18_000), (0, 60_000)] {
        let zip = package(&reader, from, to, &box_key());
        let verdict = judge(&zip);
        assert!(verdict.good(), "{from}..{to}: {:?}", verdict.findings);
        assert!(verdict.records > 10 && verdict.bytes > 10_000 && verdict.files == 4, "{verdict:?}");
        let manifest = verdict.manifest.unwrap();
        assert_eq!(manifest.tracks.len(), 2);
        assert_eq!(manifest.tracks[1].stream, "cong-lang/main/video");
        assert_eq!(manifest.tracks[1].parameters, "H.264 64×64");
        assert_eq!(manifest.gaps.len(), if (from, to) == (3_250, 7_050) { 0 } else { 2 });
        assert_eq!(verdict.fingerprint, Some(fingerprint(&ring::Signer::public_key(&box_key()))));
    }
}

#[test]
fn the_key_somebody_knows_decides() {
    let dir = tempfile::tempdir().unwrap();
    let zip = package(&recorded(dir.path()), 0, 5_000, &box_key());
    let key = ring::Signer::public_key(&box_key());
    let typed = fingerprint(&key).to_uppercase().replace(' ', ":");
    assert!(same_key(&typed, &key) && !same_key("", &key) && !same_key(&typed[..typed.len() - 1], &key));
    let verdict = verify(&zip.as_slice(), Some(&typed));
    assert!(verdict.good() && verdict.key_matches == Some(true));
    let other = Ed25519Signer::from_secret(&[8; 32]);
    let verdict = verify(&zip.as_slice(), Some(&fingerprint(&ring::Signer::public_key(&other))));
    assert_eq!((verdict.good(), verdict.key_matches, verdict.findings[0].what), (false, Some(false), What::OtherKey));
}

#[test]
fn calling_off_ends_it_and_bad_names_are_none() {
    let mut package = Package::new(Cursor::new(Vec::new()), |done| done < 5);
    assert!(package.add("a.txt", "text", b"1234").is_ok());
    assert!(matches!(package.add("b.txt", "text", b"5"), Err(crate::EvidenceError::Cancelled)));
    for name in ["", "../a", "a//b", "/a", "a b", ".a", "a/.b", "a.txt"] {
        assert!(matches!(package.add(name, "text", b""), Err(crate::EvidenceError::Name(_))), "{name}");
    }
}

#[test]
fn the_report_is_a_pdf_with_every_letter() {
    let Ok(fonts) = report::Fonts::installed() else { panic!("install fonts-dejavu-core (tools/setup does)") };
    let dir = tempfile::tempdir().unwrap();
    let zip = package(&recorded(dir.path()), 0, 60_000, &box_key());
    let mut manifest = judge(&zip).manifest.unwrap();
    let fingerprint = std::mem::take(&mut manifest.made_by.fingerprint);
    assert!(report::write(&manifest, &fonts, &place()).is_err(), "a report that names no key proves nothing");
    manifest.made_by.fingerprint = fingerprint;
    let pdf = report::write(&manifest, &fonts, &place()).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 10_000);
    for text in ["ẢẨẪẬĂẮẶƠỚỢƯỨỰĐẼẺẸẾỂỄỆÌỈĨÍỊÝỲỶỸỴ", "ảẩẫậăắặơớợưứựđẽẻẹếểễệìỉĩíịýỳỷỹỵ…–×"]
    {
        assert!(fonts.have(text), "{text}");
    }
    let sentence = report::clock_sentence(true, 0, &[("Cổng làng".into(), -1.26), ("Chợ".into(), 0.01)], NOON, &place());
    assert_eq!(
        sentence,
        "Giờ ghi là giờ của máy ghi, đang được máy chủ giờ đồng bộ khi trích xuất (17:40:00 ngày 23/11/2026); đồng hồ của camera Cổng làng chậm hơn máy ghi 1,3 giây; đồng hồ của camera Chợ trùng với máy ghi."
    );
}
