//! `matthon ring scan`, `verify` and `rebuild`.

use super::rings;
use crate::{
    cli::WhichRing,
    control::{self, Answer, Request},
    env,
    exit::Failure,
    keys,
};
use anyhow::anyhow;
use ring::{
    Signer,
    inspect::{Finding, Rebuilt, What},
};
use serde_json::json;
use std::{
    io::{IsTerminal, Write},
    path::Path,
    time::Duration,
};

/// Findings printed as text; the rest is counted. `--json` has them all.
const PRINTED: usize = 200;
/// Between two questions how far the daemon is.
const ASKED_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn scan(which: &WhichRing) -> Result<(), Failure> {
    let (_, specs) = rings(which)?;
    let disk = env::disk();
    for spec in specs {
        ring::inspect::scan(&spec, &*disk, |block| {
            if which.json {
                println!("{}", json!({ "ring": spec.name, "block": block }));
                return;
            }
            let times = block.from.zip(block.to).map_or_else(String::new, |(from, to)| format!(" {from} … {to}"));
            let torn = if block.torn { ", cut off behind them" } else { "" };
            let damaged = if block.damaged > 0 { format!(", {} damaged", block.damaged) } else { String::new() };
            let state = json!(block.state);
            println!(
                "{}: {} block {}, {} records{times}{torn}{damaged}",
                block.path.display(),
                state.as_str().unwrap_or("?"),
                block.sequence,
                block.records
            );
        })?;
    }
    Ok(())
}

pub(crate) fn verify(which: &WhichRing) -> Result<(), Failure> {
    let (loaded, specs) = rings(which)?;
    let key = keys::read(&loaded.config.storage.data)?.map(|signer| signer.public_key());
    let mut bad = 0;
    for spec in specs {
        let name = spec.name.clone();
        let verdict = ring::inspect::verify(spec, env::disk(), key, progress(&name))?;
        bad += verdict.found;
        if which.json {
            println!("{}", json!({ "ring": name, "good": verdict.good(), "verdict": verdict }));
            continue;
        }
        for finding in verdict.findings.iter().take(PRINTED) {
            println!("{}", told(finding));
        }
        if verdict.found > PRINTED as u64 {
            println!("… and {} more", verdict.found - PRINTED as u64);
        }
        println!(
            "ring {name}: {} blocks, {} records ({} MB) are what was written, {} good seals, {} findings",
            verdict.blocks,
            verdict.records,
            verdict.bytes / 1_000_000,
            verdict.seals,
            verdict.found
        );
        if key.is_none() {
            println!("ring {name}: this box has no key yet, so seals were compared with the key their blocks name");
        }
    }
    if bad > 0 { Err(Failure::Failed(anyhow!("{bad} findings: not everything is what was written"))) } else { Ok(()) }
}

/// One finding as a sentence: what, whose, which seconds, where.
fn told(f: &Finding) -> String {
    let what = match f.what {
        What::RecordHeader => "a recording cannot be read (its header)",
        What::Payload => "a recording cannot be read (its bytes)",
        What::MediaHash => "a recording was CHANGED: its samples are not those that were hashed",
        What::Chain => "a recording was REPLACED: it does not follow from the one before it",
        What::Missing => "recordings are MISSING",
        What::Directory => "a directory is damaged, the recordings are whole (matthon ring rebuild)",
        What::BlockHeader => "a block's header is damaged, the recordings are whole",
        What::Footer => "a footer is damaged, the recordings are whole (matthon ring rebuild)",
        What::Signature => "a seal is NOT SIGNED by the key it names",
        What::Key => "a seal is signed with ANOTHER KEY than this box's",
        What::Seal => "a seal says otherwise than the recordings",
        What::BlockGone => "the block sealed before this one is GONE",
        What::Unreadable => "the disk does not give a block or record (look at its cables and health)",
    };
    let whose = f.stream.as_ref().map_or_else(String::new, |s| format!(" of {s}"));
    let when = f.from.zip(f.to).map_or_else(String::new, |(from, to)| format!(", {from} … {to}"));
    format!("{what}{whose}{when} (block {}, {} at byte {})", f.block, f.path.display(), f.offset)
}

pub(crate) fn rebuild(which: &WhichRing) -> Result<(), Failure> {
    let (loaded, specs) = rings(which)?;
    let data = &loaded.config.storage.data;
    for spec in specs {
        let done = match through_the_daemon(data, &spec.name)? {
            Some(done) => done,
            None => {
                let signer = keys::read(data)?
                    .ok_or_else(|| anyhow!("{} holds no key to sign footers with: was this box ever started?", data.display()))?;
                ring::inspect::rebuild(&spec, &*env::disk(), &signer, env::clock().wall())?
            }
        };
        if which.json {
            println!("{}", json!({ "ring": spec.name, "rebuilt": done }));
        } else {
            println!(
                "ring {}: index written for {} blocks with {} records, {} footers written anew, {} blocks refused by the disk",
                spec.name, done.blocks, done.records, done.footers, done.refused
            );
        }
    }
    Ok(())
}

/// Asks the running daemon, whose writer does it between its batches; none when none runs.
fn through_the_daemon(data: &Path, name: &str) -> Result<Option<Rebuilt>, Failure> {
    let mut progress = progress(name);
    loop {
        match control::ask(data, &Request::RingRebuild { ring: name.to_owned() })? {
            None => return Ok(None),
            Some(Answer::Rebuilt(done)) => return Ok(Some(done)),
            Some(Answer::Rebuilding { done, total }) => progress(done, total),
            Some(Answer::Failed(why)) => return Err(Failure::Failed(anyhow!("ring {name}: {why}"))),
            Some(_) => return Err(Failure::Failed(anyhow!("the daemon answered something else; is it another version?"))),
        }
        std::thread::sleep(ASKED_EVERY);
    }
}

/// A line that counts blocks, where somebody watches.
fn progress(ring: &str) -> impl FnMut(u64, u64) {
    let (ring, watched) = (ring.to_owned(), std::io::stderr().is_terminal());
    move |done, total| {
        if watched {
            let end = if done == total { "\n" } else { "" };
            // A terminal that went away is no reason to stop.
            let _ = write!(std::io::stderr(), "\rring {ring}: block {done} of {total}{end}");
        }
    }
}
