//! `matthon export`: a range of one camera as one file, read from the ring beside a running daemon.

use super::load;
use crate::{cli::ExportArgs, env, exit::Failure, wiring};
use anyhow::Context;
use domain::{Channel, StreamId, StreamKind};
use ring::Reader;
use std::{
    fs::File,
    io::{BufWriter, Write},
};

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    if args.to <= args.from {
        return Err(Failure::usage(format!("--to {} is not after --from {}", args.to, args.from)));
    }
    match args.out.extension().and_then(|e| e.to_str()) {
        Some("mp4") => write(args, "mp4", film),
        Some("jsonl") => write(args, "jsonl", seen),
        Some("zip") => Err(Failure::usage("--out: signed .zip exports are not in this version; write a file that ends in .mp4")),
        _ => Err(Failure::usage(format!(
            "--out {}: the extension chooses the format; write a file that ends in .mp4 (the film) or .jsonl (what was seen)",
            args.out.display()
        ))),
    }
}

/// Writes under another name until it is whole: what bears the asked name is complete.
fn write(
    args: &ExportArgs,
    extension: &str,
    content: fn(&ExportArgs, &Reader, &mut dyn Write) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let loaded = load(&args.config)?;
    let camera = loaded.config.cameras.iter().find(|c| c.id == args.camera).ok_or_else(|| {
        let known: Vec<_> = loaded.config.cameras.iter().map(|c| c.id.as_str()).collect();
        Failure::usage(format!("--camera {}: no such camera; the configuration has {}", args.camera, known.join(", ")))
    })?;
    let Some(ring_name) = camera.record.ring(args.stream) else {
        return Err(Failure::usage(format!("--stream {}: this stream of {} is not recorded", args.stream, args.camera)));
    };
    let spec = wiring::ring_spec(&loaded.config, ring_name)?;
    let reader = ring::Reader::open(spec, env::disk())?;
    let part = args.out.with_extension(format!("{extension}.part"));
    let file = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let written = content(args, &reader, &mut out).and_then(|what| {
        out.flush()?;
        out.get_ref().sync_all()?;
        std::fs::rename(&part, &args.out)?;
        Ok(what)
    });
    match written {
        Ok(what) => {
            println!("{}: {what}", args.out.display());
            Ok(())
        }
        Err(error) => {
            // Best effort: the error is what matters.
            let _ = std::fs::remove_file(&part);
            Err(match error {
                Failure::Failed(e) => Failure::Failed(e.context(format!("{} was not written", args.out.display()))),
                usage @ Failure::Usage(_) => usage,
            })
        }
    }
}

fn wish(args: &ExportArgs) -> ring::clip::Wish<'_> {
    ring::clip::Wish { camera: &args.camera, channel: args.stream, from: args.from, to: args.to, audio: true, captions: None }
}

fn film(args: &ExportArgs, reader: &Reader, out: &mut dyn Write) -> Result<String, Failure> {
    let plan = ring::clip::plan(reader, &wish(args))?;
    ring::clip::write_to(&plan, out)?;
    Ok(format!("{} bytes, from {}", plan.len(), plan.starts_at()))
}

/// Everything a detector saw, one JSON object a line, as it lies in the ring. Which of a camera's streams was looked at is
/// not asked: it is the one that has observations.
fn seen(args: &ExportArgs, reader: &Reader, out: &mut dyn Write) -> Result<String, Failure> {
    let mut lines = 0u64;
    for channel in [Channel::Main, Channel::Sub] {
        let stream = StreamId::new(args.camera.clone(), channel, StreamKind::Observations);
        for record in reader.records(&stream, args.from, args.to)? {
            match reader.samples(&record) {
                Ok(samples) => {
                    for sample in samples.iter().filter(|s| s.capture >= args.from && s.capture < args.to) {
                        out.write_all(&sample.data)?;
                        out.write_all(b"\n")?;
                        lines += 1;
                    }
                }
                // Overwritten meanwhile, or damaged: a gap, like any other.
                Err(error) if error.is_gap() => eprintln!("left out: {error}"),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(format!("{lines} observations"))
}
