//! From a path or a text to a [`Config`]: the only place that opens the file, and the order of the steps.

use crate::{
    mistake::{Mistake, Mistakes},
    needed::Config,
    reader::Read,
    resolve,
    source::{Place, Source, Wrong, position, show},
    written,
};
use std::{
    fs::File,
    io::Read as _,
    os::unix::fs::PermissionsExt,
    path::{Path, absolute},
};
use toml::de::{DeTable, DeValue};

/// A file larger than this is something else; 300 cameras with zones and rules are 300 kB.
const FILE_MAX: u64 = 4 << 20;

/// A configuration without mistakes.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What the file says.
    pub config: Config,
    /// What is worth knowing about it.
    pub warnings: Vec<Mistake>,
    /// Where keys stand whose files others judge.
    pub(crate) places: Vec<Mistake>,
}

impl Loaded {
    /// A mistake of a file that this key names, found by whoever reads it: `web.certificate`, `web.key`.
    #[must_use]
    pub fn mistake(&self, key: &str, problem: String, fix: String) -> Mistake {
        let place = self.places.iter().find(|place| place.key == key).cloned();
        let nowhere =
            || Mistake { file: String::new(), line: 0, column: 0, key: key.to_owned(), problem: String::new(), fix: String::new() };
        Mistake { problem, fix, ..place.unwrap_or_else(nowhere) }
    }
}

/// Reads a configuration file and the secrets it points to. Relative paths are relative to the file.
///
/// # Errors
/// All mistakes of the file, or the one that kept it from being read.
pub fn load(path: &Path) -> Result<Loaded, Mistakes> {
    let name = path.display().to_string();
    let whole = |problem: String, fix: &str| at(&name, "", 0, problem, fix);
    let bytes = match read(path) {
        Ok(bytes) if bytes.len() as u64 > FILE_MAX => {
            return Err(whole(format!("is larger than {} MiB", FILE_MAX >> 20), "name the configuration file (TOML)"));
        }
        Ok(bytes) => bytes,
        Err(e) => return Err(whole(format!("cannot be read: {e}"), "name a file this user may read: --config FILE")),
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => {
            let good = e.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(e.as_bytes().get(..good).unwrap_or_default()).into_owned();
            return Err(at(&name, &text, good, "is not UTF-8 from here on".to_owned(), "save the file as UTF-8"));
        }
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let open_to_all = path.metadata().is_ok_and(|m| m.permissions().mode() & 0o004 != 0);
    understand(&text, &name, &folder, open_to_all)
}

/// Reads a configuration from a text. `file_name` is only shown; relative paths are relative to `base_dir`, where
/// password files are looked for.
///
/// # Errors
/// All mistakes of the text.
pub fn parse(text: &str, file_name: &str, base_dir: &Path) -> Result<Loaded, Mistakes> {
    understand(text, file_name, base_dir, false)
}

fn understand(text: &str, file_name: &str, base_dir: &Path, open_to_all: bool) -> Result<Loaded, Mistakes> {
    let mut source = Source::new(file_name, text);
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or_default();
        let wrong = if error.message() == "duplicate key" {
            let key = text.get(span.clone()).unwrap_or("a key");
            Wrong::new(format!("{} is written twice", show(key)), "keep one of them; what comes several times is written [[so]]")
        } else {
            // The message never quotes the text; the error's own `Display` would, secrets and all.
            let problem = error.message().lines().collect::<Vec<_>>().join(", ");
            Wrong::new(format!("is not TOML: {problem}"), "write key = value, one a line, texts in quotes")
        };
        source.torn(span.start, wrong);
    }
    let tree = DeValue::Table(tree.into_inner());
    let config = written::File::read(&tree, &Place::default(), &mut source)
        .and_then(|file| resolve::config(file, base_dir, open_to_all, &mut source));
    let places = source.places();
    let warnings = source.finish()?;
    match config {
        Some(config) => Ok(Loaded { config, warnings, places }),
        // Whoever answers None has noted why; should one ever forget, the file is still refused.
        None => Err(at(file_name, "", 0, "could not be understood".to_owned(), "report this file to the makers")),
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The one mistake that keeps a file from being read at all.
fn at(file: &str, text: &str, offset: usize, problem: String, fix: &str) -> Mistakes {
    let (line, column) = if text.is_empty() { (0, 0) } else { position(text, offset) };
    let mistake = Mistake { file: file.to_owned(), line, column, key: String::new(), problem, fix: fix.to_owned() };
    Mistakes { mistakes: vec![mistake], warnings: Vec::new() }
}
