//! A camera's user name and password: where the password lies, and reading it. No message shows one.

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

/// Name and password, both or none.
type Credentials = Option<(String, Secret)>;

/// `None` after noting a mistake.
pub(super) fn sign_in(w: SignIn, camera: &Place, base: &Path, source: &mut Source<'_>) -> Option<Credentials> {
    let there = [w.password.there(), w.password_file.there(), w.password_env.there()];
    let given = there.iter().filter(|t| **t).count();
    let place = w.password_env.place().or(w.password_file.place()).or(w.password.place()).unwrap_or(camera).clone();
    if given > 1 {
        source.mistake(&place, Wrong::new("the password is given more than once", "keep one of password_file, password_env, password"));
        return None;
    }
    let username = w.username.then(source, |t| {
        if t.is_empty() || t.len() > 255 || t.chars().any(|c| c.is_control() || c == ':') {
            return Err(Wrong::new("is not a user name", "write a name without `:` and control characters"));
        }
        Ok(t)
    });
    let inline = w.password.place().cloned();
    let password = match (w.password, w.password_file, w.password_env) {
        (Field::Missing(_), Field::Missing(_), Field::Missing(missing)) => Field::Missing(missing),
        (Field::Missing(_), Field::Missing(_), env) => env.then(source, |name| from_env(&name)),
        (Field::Missing(_), file, _) => from_file(file, base, source),
        (text, _, _) => text.then(source, |secret| usable(secret.expose())),
    };
    if let (Some(place), true) = (inline, w.open_to_all) {
        let fix = "move it to a password_file with mode 0600, or chmod 640 this file";
        source.warning(&place, Wrong::new("every user of this box may read this file and the password in it", fix));
    }
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
fn from_env(name: &str) -> Result<Secret, Wrong> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Wrong::new("is not the name of an environment variable", "write password_env = \"CAMERA_PASSWORD\""));
    }
    let fix = "set it where matthon is started, or write password_file = \"secrets/…\" instead";
    match std::env::var(name) {
        Ok(text) => usable(&text),
        Err(std::env::VarError::NotPresent) => Err(Wrong::new("there is no environment variable of this name", fix)),
        Err(std::env::VarError::NotUnicode(_)) => Err(Wrong::new("the environment variable is not UTF-8", fix)),
    }
}

/// Nor is the file's name shown, only where it was looked for.
fn from_file(field: Field<String>, base: &Path, source: &mut Source<'_>) -> Field<Secret> {
    let mut open_to_all = false;
    let secret = field.then(source, |text| {
        let file = path(&text, base)?;
        let fix = "write the password, and nothing else, into that file, readable by matthon's user only";
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
        usable(text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t)))
    });
    if let (true, Field::Is(_, place)) = (open_to_all, &secret) {
        let place = place.clone();
        source.warning(&place, Wrong::new("every user of this box may read the password file", "run chmod 600 on it"));
    }
    secret
}

fn usable(text: &str) -> Result<Secret, Wrong> {
    if text.is_empty() || text.len() as u64 > PASSWORD_MAX || text.chars().any(char::is_control) {
        return Err(Wrong::new(
            "the password is empty, too long, or has line breaks or control characters",
            "write the camera's password on one line",
        ));
    }
    Ok(Secret::new(text.to_owned()))
}
