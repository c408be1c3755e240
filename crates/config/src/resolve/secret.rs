//! Secrets (a camera's password, what a webhook is signed with): where one lies, and reading it. No message shows one.

use super::path;
use crate::{
    reader::Field,
    source::{Place, Source, Wrong},
};
use domain::Secret;
use std::{fs::File, io::Read as _, os::unix::fs::PermissionsExt, path::Path};

/// Cameras take 8 to 64 characters; what is longer is another file.
const PASSWORD_MAX: u64 = 1024;

/// The keys of a camera that speak of signing in.
pub(super) struct SignIn {
    pub(super) username: Field<String>,
    pub(super) password: Field<Secret>,
    pub(super) password_file: Field<String>,
    pub(super) password_env: Field<String>,
    /// The configuration file is readable by every user of the box.
    pub(super) open_to_all: bool,
}

/// How a secret is called, and its keys.
pub(super) struct Words {
    what: &'static str,
    text: &'static str,
    file: &'static str,
    env: &'static str,
    example: &'static str,
    /// What to write on the one line.
    line: &'static str,
}

const CAMERA: Words = Words {
    what: "password",
    text: "password",
    file: "password_file",
    env: "password_env",
    example: "CAMERA_PASSWORD",
    line: "the camera's password",
};
/// What a webhook's deliveries are signed with.
pub(super) const WEBHOOK: Words =
    Words { what: "secret", text: "secret", file: "secret_file", env: "secret_env", example: "MATTHON_WEBHOOK_SECRET", line: "the secret" };

/// The three ways to give a secret.
pub(super) struct Written {
    pub(super) text: Field<Secret>,
    pub(super) file: Field<String>,
    pub(super) env: Field<String>,
    /// The configuration file is readable by every user of the box.
    pub(super) open_to_all: bool,
}

/// Name and password, both or none.
type Credentials = Option<(String, Secret)>;

/// The secret, wherever the file says it is; `None` after noting that it is given twice.
pub(super) fn secret(w: Written, words: &Words, table: &Place, base: &Path, source: &mut Source<'_>) -> Option<Field<Secret>> {
    let given = [w.text.there(), w.file.there(), w.env.there()].iter().filter(|t| **t).count();
    if given > 1 {
        let place = w.env.place().or(w.file.place()).or(w.text.place()).unwrap_or(table).clone();
        let Words { what, text, file, env, .. } = words;
        source.mistake(&place, Wrong::new(format!("the {what} is given more than once"), format!("keep one of {file}, {env}, {text}")));
        return None;
    }
    let inline = w.text.place().cloned();
    let secret = match (w.text, w.file, w.env) {
        (Field::Missing(_), Field::Missing(missing), Field::Missing(_)) => Field::Missing(missing),
        (Field::Missing(_), Field::Missing(_), env) => env.then(source, |name| from_env(&name, words)),
        (Field::Missing(_), file, _) => from_file(file, words, base, source),
        (text, _, _) => text.then(source, |secret| usable(secret.expose(), words)),
    };
    if let (Some(place), true) = (inline, w.open_to_all) {
        let fix = format!("move it to a {} with mode 0600, or chmod 640 this file", words.file);
        source.warning(&place, Wrong::new(format!("every user of this box may read this file and the {} in it", words.what), fix));
    }
    Some(secret)
}

/// `None` after noting a mistake.
pub(super) fn sign_in(w: SignIn, camera: &Place, base: &Path, source: &mut Source<'_>) -> Option<Credentials> {
    let written = Written { text: w.password, file: w.password_file, env: w.password_env, open_to_all: w.open_to_all };
    let password = secret(written, &CAMERA, camera, base, source)?;
    let username = w.username.then(source, |t| {
        if t.is_empty() || t.len() > 255 || t.chars().any(|c| c.is_control() || c == ':') {
            return Err(Wrong::new("is not a user name", "write a name without `:` and control characters"));
        }
        Ok(t)
    });
    match (username.optional()?, password.optional()?) {
        (Some((name, _)), Some((secret, _))) => Some(Some((name, secret))),
        (None, None) => Some(None),
        (Some((_, place)), None) => {
            source.missing(
                &place,
                Wrong::new("there is a user name but no password", "write password_file = \"secrets/…\" (or password_env, password)"),
            );
            None
        }
        (None, Some((_, place))) => {
            source.missing(&place, Wrong::new("there is a password but no user name", "write username = \"admin\""));
            None
        }
    }
}

/// The name is not shown: it is easily the password itself, written behind the wrong key.
fn from_env(name: &str, words: &Words) -> Result<Secret, Wrong> {
    if name.is_empty() || name.contains(['=', '\0']) {
        let fix = format!("write {} = \"{}\"", words.env, words.example);
        return Err(Wrong::new("is not the name of an environment variable", fix));
    }
    let fix = format!("set it where matthon is started, or write {} = \"secrets/…\" instead", words.file);
    match std::env::var(name) {
        Ok(text) => usable(&text, words),
        Err(std::env::VarError::NotPresent) => Err(Wrong::new("there is no environment variable of this name", fix)),
        Err(std::env::VarError::NotUnicode(_)) => Err(Wrong::new("the environment variable is not UTF-8", fix)),
    }
}

/// Nor is the file's name shown, only where it was looked for.
fn from_file(field: Field<String>, words: &Words, base: &Path, source: &mut Source<'_>) -> Field<Secret> {
    let mut open_to_all = false;
    let secret = field.then(source, |text| {
        let file = path(&text, base)?;
        let fix = &format!("write the {}, and nothing else, into that file, readable by matthon's user only", words.what);
        let folder = if Path::new(&text).is_absolute() { String::new() } else { format!(" (looked for in {})", base.display()) };
        let cannot = |e: std::io::Error| Wrong::new(format!("the file cannot be read{folder}: {e}"), fix);
        let open = File::open(&file).map_err(cannot)?;
        let about = open.metadata().map_err(cannot)?;
        if !about.is_file() {
            return Err(Wrong::new("is not a file", fix));
        }
        open_to_all = about.permissions().mode() & 0o004 != 0;
        let mut bytes = Vec::new();
        open.take(PASSWORD_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > PASSWORD_MAX {
            return Err(Wrong::new(format!("the file is longer than {PASSWORD_MAX} bytes"), fix));
        }
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(Wrong::new("the file is not UTF-8", fix));
        };
        // Editors end a file with a line break; it is no part of the password. Spaces may be.
        usable(text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t)), words)
    });
    if let (true, Field::Is(_, place)) = (open_to_all, &secret) {
        let place = place.clone();
        source.warning(&place, Wrong::new(format!("every user of this box may read the {} file", words.what), "run chmod 600 on it"));
    }
    secret
}

fn usable(text: &str, words: &Words) -> Result<Secret, Wrong> {
    if text.is_empty() || text.len() as u64 > PASSWORD_MAX || text.chars().any(char::is_control) {
        return Err(Wrong::new(
            format!("the {} is empty, too long, or has line breaks or control characters", words.what),
            format!("write {} on one line", words.line),
        ));
    }
    Ok(Secret::new(text.to_owned()))
}
