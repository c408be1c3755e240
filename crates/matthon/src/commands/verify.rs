//! `matthon verify`: a package or a film that somebody brings, or this box's audit log.

mod film;

use super::load;
use crate::{
    cli::VerifyArgs,
    env,
    exit::Failure,
    fingerprint::{self, WrongSeal},
    wiring,
};
use anyhow::{Context, anyhow};
use evidence::{
    Finding, Verdict, What,
    manifest::{Manifest, Place},
    verify::OpenFile,
};
use serde_json::json;
use std::{collections::BTreeMap, fs::File, path::Path};

/// Findings printed as text; the rest is counted. `--json` has more.
const PRINTED: usize = 50;

pub(crate) fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    match (&args.file, args.audit) {
        (Some(file), false) if args.ring => film::film(file, args),
        (Some(file), false) => package(file, args),
        (None, true) if !args.ring => audit(args),
        _ => Err(Failure::usage("name a package (matthon verify FILE.zip), a film (FILE.mp4 --ring), or --audit for this box's log")),
    }
}

fn package(path: &Path, args: &VerifyArgs) -> Result<(), Failure> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let source = OpenFile::new(file).with_context(|| format!("cannot read {}", path.display()))?;
    let verdict = evidence::verify(&source, args.key.as_deref());
    if args.json {
        println!("{}", json!({ "good": verdict.good(), "verdict": verdict }));
    } else {
        tell(&verdict);
    }
    if verdict.good() {
        Ok(())
    } else {
        Err(Failure::Failed(anyhow!("{}: {} findings: not everything is what was signed and recorded", path.display(), verdict.found)))
    }
}

fn tell(verdict: &Verdict) {
    let place = Place::named("Asia/Ho_Chi_Minh");
    for f in verdict.findings.iter().take(PRINTED) {
        println!("{}", plain(&sentence(f, &place)));
    }
    if verdict.found > PRINTED as u64 {
        println!("… và {} điều nữa (and {} more)", verdict.found - PRINTED as u64, verdict.found - PRINTED as u64);
    }
    if let (true, Some(manifest)) = (verdict.good(), &verdict.manifest) {
        good(verdict, manifest);
    }
    if let Some(fingerprint) = &verdict.fingerprint {
        let compared = match verdict.key_matches {
            Some(true) => "khóa đúng là khóa đã biết (the key is the one given)",
            Some(false) => "KHÔNG PHẢI khóa đã biết (NOT the key given)",
            None => "khóa chưa đối chiếu (key not compared: give --key)",
        };
        println!("Dấu vân tay khóa (key): {fingerprint} – {compared}");
    }
}

/// A text out of a package, without anything that would paint over the terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c) { '?' } else { c })
        .collect()
}

fn good(verdict: &Verdict, m: &Manifest) {
    println!("Tệp nguyên vẹn, đúng chữ ký của máy {} (intact, signed by this box).", plain(&m.made_by.site));
    println!("  từ (from) {} đến (to) {}", plain(&m.from.local), plain(&m.to.local));
    for c in &m.cameras {
        println!("  camera {} ({})", plain(&c.name), plain(&c.id));
    }
    for g in &m.gaps {
        println!(
            "  thiếu hình (gap) {}: {} … {}, {}",
            plain(&g.stream),
            plain(&g.from.local),
            plain(&g.to.local),
            evidence::report::reason(&g.reason)
        );
    }
    println!(
        "  {} tệp, {} đoạn ghi, {} MB hình và tiếng đã kiểm tra (files, records, checked)",
        verdict.files,
        verdict.records,
        verdict.bytes / 1_000_000
    );
    println!("  {}", plain(&m.clock.sentence));
    // Among them: which films are viewing copies, or why there are none.
    for note in &m.notes {
        println!("  {}", plain(note));
    }
}

/// One finding: what, which file, which camera, which seconds.
fn sentence(f: &Finding, place: &Place) -> String {
    let what = match f.what {
        What::NotAPackage => "đây không phải gói trích xuất, hoặc bị cắt cụt (this is no package, or it was cut off)",
        What::FileMissing => "THIẾU tệp (a file is MISSING)",
        What::FileExtra => "tệp LẠ, không có trong danh mục (a file that was NOT signed)",
        What::FileChanged => "tệp ĐÃ BỊ THAY ĐỔI (a file was CHANGED)",
        What::Manifest => "danh mục không đọc được (the manifest cannot be read)",
        What::Signature => "CHỮ KÝ SAI (the signature is WRONG)",
        What::OtherKey => "ký bằng KHÓA KHÁC (signed with ANOTHER KEY)",
        What::Sums => "bảng mã kiểm tra không khớp (the list of sums says otherwise)",
        What::Records => "sổ ghi không đọc được (the records cannot be read)",
        What::Media => "hình hoặc tiếng KHÔNG PHẢI bản đã ghi (samples are NOT what was recorded)",
        What::Chain => "đoạn ghi bị THAY (a recording was REPLACED)",
        What::RecordMissing => "đoạn ghi bị LẤY BỚT (recordings were TAKEN OUT)",
        What::Foreign => "phim có dữ liệu không thuộc bản ghi nào (the film holds what was never recorded)",
        What::Track => "danh mục nói khác sổ ghi (the manifest says otherwise than the records)",
        What::Unreadable => "không đọc được (cannot be read)",
    };
    let file = if f.file.is_empty() { String::new() } else { format!("{}: ", f.file) };
    let camera = f.camera.as_ref().map_or_else(String::new, |c| format!(", camera {c}"));
    let when =
        f.from.zip(f.to).map_or_else(String::new, |(from, to)| format!(", {} … {}", place.moment(from).local, place.moment(to).local));
    format!("{file}{what}{camera}{when}")
}

/// The log, its fingerprints, and the seals they name.
fn audit(args: &VerifyArgs) -> Result<(), Failure> {
    let loaded = load(&args.config)?;
    let store = wiring::open_store(&loaded.config.storage.data)?;
    let log = store.verify_audit()?;
    let mut rings = BTreeMap::new();
    for ring in &loaded.config.rings {
        match ring::Reader::open(wiring::ring_spec(&loaded.config, &ring.name)?, env::disk()) {
            Ok(reader) => drop(rings.insert(ring.name.clone(), reader)),
            Err(error) => eprintln!("ring {}: {error}; its seals are not compared", ring.name),
        }
    }
    let (seals, wrong) = fingerprint::seals(&store, &rings)?;
    if args.json {
        println!("{}", json!({ "good": log.good() && wrong.is_empty(), "log": log, "seals": seals, "wrong_seals": wrong }));
    } else {
        for seq in &log.broken {
            println!("row {seq} of the audit log was CHANGED, or one before it was taken out");
        }
        for day in &log.days {
            println!("the fingerprint of {day} does NOT fit the log");
        }
        for WrongSeal { day, ring, block } in &wrong {
            println!("block {block} of ring {ring} has ANOTHER seal than the fingerprint of {day} names");
        }
        println!("{} rows, {} fingerprints, {seals} seals compared", log.rows, log.fingerprints);
    }
    if log.good() && wrong.is_empty() { Ok(()) } else { Err(Failure::Failed(anyhow!("the audit log is not what was written"))) }
}
