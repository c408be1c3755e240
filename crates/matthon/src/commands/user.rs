//! `matthon user add|token`.

use super::load;
use crate::{
    cli::ConfigArg,
    control::{self, Answer, Request},
    env,
    exit::Failure,
};
use anyhow::Context;
use domain::Role;
use std::io::BufRead;

pub(crate) fn add(config: &ConfigArg, name: String, role: Role) -> Result<(), Failure> {
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password).context("cannot read the password from standard input")?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let done = format!("{name} may sign in as {role}");
    match ask(config, Request::UserAdd { name, role, password })? {
        Answer::Done => {
            println!("{done}");
            Ok(())
        }
        other => Err(unexpected(other)),
    }
}

pub(crate) fn token(config: &ConfigArg, name: String) -> Result<(), Failure> {
    match ask(config, Request::UserToken { name })? {
        Answer::Token(token) => {
            println!("{token}");
            Ok(())
        }
        other => Err(unexpected(other)),
    }
}

fn unexpected(answer: Answer) -> Failure {
    match answer {
        Answer::Failed(why) => Failure::Failed(anyhow::anyhow!(why)),
        _ => Failure::Failed(anyhow::anyhow!("the daemon answered something else; is it another version?")),
    }
}

/// Through the daemon when one runs, else on the database itself.
fn ask(config: &ConfigArg, request: Request) -> Result<Answer, Failure> {
    let loaded = load(config)?;
    let data = &loaded.config.storage.data;
    if let Some(answer) = control::ask(data, &request)? {
        return Ok(answer);
    }
    let store = crate::wiring::open_store(data)?;
    Ok(control::on_store(&store, env::clock().as_ref(), request))
}
