//! `matthon user add|invite|token`.

use super::load;
use crate::{
    cli::ConfigArg,
    control::{self, Answer, Request},
    env,
    exit::Failure,
};
use anyhow::Context;
use domain::Role;
use qrcode::render::unicode::Dense1x2;
use std::io::{BufRead, IsTerminal};

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

pub(crate) fn invite(config: &ConfigArg, name: String, role: Option<Role>, lost: bool) -> Result<(), Failure> {
    let base = address(&load(config)?.config.web);
    match ask(config, Request::UserInvite { name, role, lost })? {
        Answer::Invitation { secret, expires } => {
            let link = format!("{base}{}{secret}", web::INVITATION_PATH);
            println!("{link}");
            if std::io::stdout().is_terminal() {
                println!("{}", picture(&link).map_err(Failure::Failed)?);
            }
            println!("good once, until {expires}");
            Ok(())
        }
        other => Err(unexpected(other)),
    }
}

/// Where phones reach this box, as far as its configuration says.
fn address(web: &config::Web) -> String {
    if let Some(url) = &web.public_url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let scheme = if web.certificate.is_some() { "https" } else { "http" };
    format!("{scheme}://{}", web.listen)
}

/// A QR code of block characters, two rows of it a line, light on dark as terminals are.
fn picture(link: &str) -> anyhow::Result<String> {
    Ok(qrcode::QrCode::new(link)?.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build())
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
