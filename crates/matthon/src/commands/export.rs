//! `matthon export`: a range of one camera as one file, read from the ring beside a running daemon.

use super::load;
use crate::{cli::ExportArgs, env::Env, exit::Failure, wiring};
use anyhow::Context;
use std::{
    fs::File,
    io::{BufWriter, Write},
};

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    if args.to <= args.from {
        return Err(Failure::usage(format!("--to {} is not after --from {}", args.to, args.from)));
    }
    match args.out.extension().and_then(|e| e.to_str()) {
        Some("mp4") => {}
        Some("zip") => return Err(Failure::usage("--out: signed .zip exports are not in this version; write a file that ends in .mp4")),
        _ => {
            return Err(Failure::usage(format!(
                "--out {}: the extension chooses the format; write a file that ends in .mp4",
                args.out.display()
            )));
        }
    }
    let loaded = load(&args.config)?;
    let camera = loaded.config.cameras.iter().find(|c| c.id == args.camera).ok_or_else(|| {
        let known: Vec<_> = loaded.config.cameras.iter().map(|c| c.id.as_str()).collect();
        Failure::usage(format!("--camera {}: no such camera; the configuration has {}", args.camera, known.join(", ")))
    })?;
    let Some(ring_name) = camera.record.ring(args.stream) else {
        return Err(Failure::usage(format!("--stream {}: this stream of {} is not recorded", args.stream, args.camera)));
    };
    let spec = wiring::ring_spec(&loaded.config, ring_name)?;
    let reader = ring::Reader::open(spec, Env::system().disk)?;
    let plan = ring::clip::plan(&reader, &args.camera, args.stream, args.from, args.to, true)?;

    // Under another name until it is whole: what bears the asked name is complete.
    let part = args.out.with_extension("mp4.part");
    let file = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let written = ring::clip::write_to(&plan, &mut out).map_err(anyhow::Error::from).and_then(|()| {
        out.flush()?;
        out.get_ref().sync_all()?;
        Ok(std::fs::rename(&part, &args.out)?)
    });
    if let Err(error) = written {
        // Best effort: the error below is the one that matters.
        let _ = std::fs::remove_file(&part);
        return Err(Failure::Failed(error.context(format!("{} was not written", args.out.display()))));
    }
    println!("{}: {} bytes, from {}", args.out.display(), plan.len(), plan.starts_at());
    Ok(())
}
