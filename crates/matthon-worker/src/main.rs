//! `matthon-worker`: load everything, shut the doors, then serve the control socket that is standard input until it ends.
//!
//! Belongs here: the order of the start. Does not belong here: any of the work.

use anyhow::Context;
use matthon_worker::{media, sandbox, session};
use std::{io, path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("matthon-worker: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let prove = std::env::args_os().nth(1).is_some_and(|a| a == "--prove-sandbox");
    // Everything that comes from files is loaded while files can still be opened, and before there is a second thread:
    // Landlock shuts in the calling thread and those that come from it.
    media::load()?;
    let named = std::env::var_os("MATTHON_ORT").filter(|p| !p.is_empty()).map(PathBuf::from);
    let runtime = detect::Runtime::load(named.as_deref());
    let memory = match std::env::var("MATTHON_WORKER_MEMORY") {
        Ok(text) => text.parse().with_context(|| format!("MATTHON_WORKER_MEMORY is `{text}`: give bytes, or 0 for no limit"))?,
        Err(_) => 0,
    };
    let shut = sandbox::shut(memory).context("the worker cannot be shut in")?;
    if prove {
        return sandbox::prove::report(&mut io::stdout(), shut);
    }
    session::serve(io::stdin(), &runtime, shut)
}
