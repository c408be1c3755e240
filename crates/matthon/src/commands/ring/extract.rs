//! `matthon ring extract`: all that can be read of one camera, without index and footers.

use crate::{cli::ExtractArgs, commands::load, env, exit::Failure, whole_file, wiring};
use anyhow::{Context, anyhow};
use domain::{StreamId, StreamKind, WallTime};
use std::io::{BufWriter, Write};

/// One film is no longer than this.
const LONGEST: i64 = 3_600_000_000;
/// Around something damaged films are cut in halves down to this.
const SHORTEST: i64 = 1_000_000;

pub(crate) fn extract(args: &ExtractArgs) -> Result<(), Failure> {
    let loaded = load(&args.config)?;
    let camera = loaded.config.cameras.iter().find(|c| c.id == args.camera);
    // A camera that left the configuration is looked for in every ring.
    let names: Vec<String> = match camera.and_then(|c| c.record.ring(args.stream)) {
        Some(ring) => vec![ring.to_owned()],
        None => loaded.config.rings.iter().map(|r| r.name.clone()).collect(),
    };
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let stream = StreamId::new(args.camera.clone(), args.stream, StreamKind::Video);
    let (from, to) = (args.from.unwrap_or(WallTime(i64::MIN)), args.to.unwrap_or(WallTime(i64::MAX)));
    let (mut films, mut failed) = (0, 0);
    for name in names {
        let reader = ring::inspect::reader(wiring::ring_spec(&loaded.config, &name)?, env::disk())?;
        for span in reader.coverage(&stream, from, to)? {
            let mut begin = span.from;
            while begin < span.to {
                let end = begin.plus_micros(LONGEST).min(span.to);
                films_of(args, &reader, begin, end, &mut films, &mut failed);
                begin = end;
            }
        }
    }
    if films == 0 {
        return Err(anyhow!("nothing of {stream} can be read in that time").into());
    }
    println!("{films} films in {}, {failed} seconds without one", args.out.display());
    Ok(())
}

/// A film of a stretch, or of its halves where something in it is damaged.
fn films_of(args: &ExtractArgs, reader: &ring::Reader, from: WallTime, to: WallTime, films: &mut u64, failed: &mut u64) {
    match film(args, reader, from, to) {
        Ok(line) => {
            println!("{line}");
            *films += 1;
        }
        Err(_) if to.micros_since(from) > SHORTEST => {
            let middle = from.plus_micros(to.micros_since(from) / 2);
            films_of(args, reader, from, middle, films, failed);
            films_of(args, reader, middle, to, films, failed);
        }
        Err(error) => {
            eprintln!("{from} … {to}: {error:#}");
            *failed += 1;
        }
    }
}

/// One stretch as one file, named by when it begins.
fn film(args: &ExtractArgs, reader: &ring::Reader, from: WallTime, to: WallTime) -> anyhow::Result<String> {
    let plan =
        ring::clip::plan(reader, &ring::clip::Wish { camera: &args.camera, channel: args.stream, from, to, audio: true, captions: None })?;
    // To the microsecond: no two films bear the same name.
    let stamp: String = plan.starts_at().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let path = args.out.join(format!("{}-{}-{stamp}.mp4", args.camera, args.stream));
    whole_file::write(&path, |file| {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        ring::clip::write_to(&plan, &mut out)?;
        out.flush()?;
        Ok(())
    })?;
    Ok(format!("{}: {} bytes, {} … {}", path.display(), plan.len(), plan.starts_at(), plan.ends_at()))
}
