//! `matthon export`: a range as a film, as observations, or as a signed package; read from the ring beside a running daemon.

mod package;

use super::load;
use crate::{cli::ExportArgs, env, exit::Failure, exporting, whole_file, wiring};
use anyhow::{Context, Result};
use domain::{CameraId, Channel, StreamId, StreamKind};
use ring::{Reader, clip::Wish};
use std::{
    fs::File,
    io::{BufWriter, Write},
};

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    if args.to <= args.from {
        return Err(Failure::usage(format!("--to {} is not after --from {}", args.to, args.from)));
    }
    match args.out.extension().and_then(|e| e.to_str()) {
        Some("mp4") => file(args, film),
        Some("jsonl") => file(args, seen),
        Some("zip") => package::package(args),
        _ => Err(Failure::usage(format!(
            "--out {}: the extension chooses the format; write a file that ends in .mp4 (the film), .jsonl (what was seen) or .zip (a signed package)",
            args.out.display()
        ))),
    }
}

/// The camera, if it is recorded: its name, or what to write instead.
fn recorded<'a>(config: &'a config::Config, id: &CameraId, stream: Channel) -> Result<&'a str, Failure> {
    let camera = config.cameras.iter().find(|c| c.id == *id).ok_or_else(|| {
        let known: Vec<_> = config.cameras.iter().map(|c| c.id.as_str()).collect();
        Failure::usage(format!("--camera {id}: no such camera; the configuration has {}", known.join(", ")))
    })?;
    camera.record.ring(stream).ok_or_else(|| Failure::usage(format!("--stream {stream}: this stream of {id} is not recorded")))
}

fn file(args: &ExportArgs, content: fn(&ExportArgs, &CameraId, &Reader, &mut dyn Write) -> Result<String>) -> Result<(), Failure> {
    let loaded = load(&args.config)?;
    let [camera] = args.camera.as_slice() else {
        return Err(Failure::usage("--camera: one for a film; a package (.zip) takes several"));
    };
    let ring = recorded(&loaded.config, camera, args.stream)?;
    let reader = Reader::open(wiring::ring_spec(&loaded.config, ring)?, env::disk())?;
    let write = || {
        whole_file::write(&args.out, |file: File| {
            let mut out = BufWriter::with_capacity(1 << 20, file);
            let what = content(args, camera, &reader, &mut out)?;
            out.flush()?;
            Ok(what)
        })
    };
    let written = write().or_else(|error| {
        if !exporting::is_gap(&error) {
            return Err(error);
        }
        eprintln!("{error}: it is left out");
        write()
    });
    let what = written.with_context(|| format!("{} was not written", args.out.display()))?;
    println!("{}: {what}", args.out.display());
    Ok(())
}

fn film(args: &ExportArgs, camera: &CameraId, reader: &Reader, out: &mut dyn Write) -> Result<String> {
    let wish = Wish { camera, channel: args.stream, from: args.from, to: args.to, audio: true, captions: None };
    let plan = ring::clip::plan(reader, &wish)?;
    if let Err(error) = ring::clip::write_to(&plan, out) {
        if matches!(&error, ring::ClipError::Ring(e) if e.is_gap()) {
            // All of it is met now, so that a second film leaves it out.
            plan.check(|| true)?;
        }
        return Err(error.into());
    }
    Ok(format!("{} bytes, from {}", plan.len(), plan.starts_at()))
}

/// Everything a detector saw, one JSON object a line, as it lies in the ring. Which of a camera's streams was looked at is
/// not asked: it is the one that has observations.
fn seen(args: &ExportArgs, camera: &CameraId, reader: &Reader, out: &mut dyn Write) -> Result<String> {
    let mut lines = 0u64;
    for channel in [Channel::Main, Channel::Sub] {
        let stream = StreamId::new(camera.clone(), channel, StreamKind::Observations);
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
