//! One module a subcommand.

mod check;
mod export;
mod models;
mod replay;
mod ring;
mod run;
mod user;
mod verify;

use crate::{
    cli::{Cli, Command, ConfigArg, UserCommand},
    exit::Failure,
};

pub(crate) fn dispatch(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Run(config) => run::run(&config),
        Command::Check { config, json } => check::check(&config, json),
        Command::User(UserCommand::Add { name, role, password_stdin: _, config }) => user::add(&config, name, role),
        Command::User(UserCommand::Invite { name, role, lost, config }) => user::invite(&config, name, role, lost),
        Command::User(UserCommand::Token { name, config }) => user::token(&config, name),
        Command::Export(args) => export::export(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Models(command) => models::models(&command),
        Command::Replay(args) => replay::replay(&args),
        Command::Ring(command) => ring::ring(&command),
    }
}

/// Reads the configuration, or fails with every mistake in it.
fn load(arg: &ConfigArg) -> Result<config::Loaded, Failure> {
    config::load(&arg.config).map_err(|mistakes| Failure::Usage(mistakes.mistakes.iter().map(ToString::to_string).collect()))
}
