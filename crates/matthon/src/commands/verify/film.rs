//! `matthon verify any.mp4 --ring`: is this film ours, uncut, from which second?

use super::load;
use crate::{cli::VerifyArgs, env, exit::Failure, wiring};
use anyhow::{Context, anyhow};
use domain::{Channel, StreamId, StreamKind, WallTime};
use evidence::{
    film::{Film, FilmVerdict, FilmWhat},
    manifest::Place,
    verify::OpenFile,
};
use serde_json::json;
use std::{
    fs::File,
    io::{IsTerminal, Write},
    path::Path,
};

pub(super) fn film(path: &Path, args: &VerifyArgs) -> Result<(), Failure> {
    let loaded = load(&args.config)?;
    if let Some(id) = args.camera.as_ref().filter(|id| !loaded.config.cameras.iter().any(|c| c.id == **id)) {
        return Err(Failure::usage(format!("--camera {id}: no such camera in the configuration")));
    }
    let source = OpenFile::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?)?;
    let film = Film::read(&source)?;
    let range = (args.from.unwrap_or(WallTime(i64::MIN)), args.to.unwrap_or(WallTime(i64::MAX)));
    let place = Place::named(&loaded.config.site.timezone);
    for camera in loaded.config.cameras.iter().filter(|c| args.camera.as_ref().is_none_or(|id| *id == c.id)) {
        for channel in [Channel::Main, Channel::Sub] {
            let Some(ring) = camera.record.ring(channel) else { continue };
            let reader = ring::Reader::open(wiring::ring_spec(&loaded.config, ring)?, env::disk())?;
            let stream = StreamId::new(camera.id.clone(), channel, StreamKind::Video);
            let watched = std::io::stderr().is_terminal();
            let found = film.find(&reader, &stream, range, |n, all| {
                if watched {
                    // A terminal that went away is no reason to stop.
                    let _ = write!(std::io::stderr(), "\r{stream}: {} of {} h", n / 3_600_000_000, all / 3_600_000_000);
                }
            })?;
            if let Some(verdict) = found {
                return told(&verdict, args.json, path, &place);
            }
        }
    }
    if args.json {
        println!("{}", json!({ "good": false, "verdict": null }));
    } else {
        println!(
            "Không tìm thấy trong kho hình của máy này: không phải do máy này ghi, đã mã hóa lại, hoặc đã hết hạn lưu (not found: not recorded here, encoded again, or expired)."
        );
    }
    Err(Failure::Failed(anyhow!("{}: nothing of it is in the rings of this box", path.display())))
}

fn told(v: &FilmVerdict, as_json: bool, path: &Path, place: &Place) -> Result<(), Failure> {
    if as_json {
        println!("{}", json!({ "good": v.good(), "verdict": v }));
    } else {
        println!(
            "Do máy này ghi (recorded here): {}, từ {} đến {}, {}/{} hình",
            v.stream,
            place.words(v.from),
            place.words(v.to),
            v.ours,
            v.pictures
        );
        for f in &v.findings {
            let what = match f.what {
                FilmWhat::CutOut => "bị CẮT BỚT (CUT OUT)",
                FilmWhat::Changed => "bị SỬA (CHANGED)",
                FilmWhat::PutIn => "hình LẠ chèn vào (PUT IN)",
            };
            println!("  {} hình {what}: {} … {}", f.pictures, place.words(f.from), place.words(f.to));
        }
        if v.good() {
            println!("Không cắt, không sửa (uncut, unchanged).");
        }
    }
    if v.good() { Ok(()) } else { Err(Failure::Failed(anyhow!("{}: not as it was recorded ({} findings)", path.display(), v.found))) }
}
