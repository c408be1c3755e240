//! `matthon`: the command line of the video server, and the wiring of its parts.
//!
//! Belongs here: the commands, the real environment (clock, disk, network), the order of start and stop.
//! Does not belong here: anything a stage crate could decide by itself.

mod capture;
mod cli;
mod commands;
mod control;
mod disks;
mod doors;
mod env;
mod exit;
mod exporting;
mod film;
mod fingerprint;
mod journal;
mod keeping;
mod keys;
mod models;
mod phones;
mod preparing;
mod remembered;
mod rendition;
mod seeing;
mod story;
mod telemetry;
mod telling;
mod tidying;
mod wall;
mod whole_file;
mod wiring;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
