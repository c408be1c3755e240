//! Which models there are, and where their weights lie.

use super::{Manifest, Model, ModelError, Writer, check, manifest::MANIFEST_MAX};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Manifests that come with the program.
const BUILT_IN: &[(&str, &str)] = &[
    ("models/yolox-nano.toml", include_str!("../../../../models/yolox-nano.toml")),
    ("models/yolox-tiny.toml", include_str!("../../../../models/yolox-tiny.toml")),
    ("models/yolox-s.toml", include_str!("../../../../models/yolox-s.toml")),
    ("models/thon-nano.toml", include_str!("../../../../models/thon-nano.toml")),
];

/// Weights that come with the program: a village without internet has a model on the first day.
const CARRIED: &[(&str, &[u8])] = &[("thon-nano", include_bytes!("../../../../models/thon-nano.onnx"))];

/// All manifests, and the folders in which weights are looked for.
#[derive(Clone, Debug)]
pub struct Library {
    dirs: Vec<PathBuf>,
    manifests: BTreeMap<String, Manifest>,
    broken: BTreeMap<String, String>,
}

/// A line of the list of models.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is.
    pub manifest: Manifest,
    /// Where its weights are; none when they are missing, or come with the program.
    pub installed: Option<PathBuf>,
    /// Whether they can be used.
    pub state: Installed,
}

/// The state of a model's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installed {
    /// There are none.
    Missing,
    /// They are what the manifest says.
    Good {
        /// Which of the manifest's checksums they have.
        sha256: String,
    },
    /// They are not; the sentence says why.
    Refused(String),
}

impl Library {
    /// The built-in manifests and those in `dirs` (`*.toml`; the first of a name wins over later ones and over the
    /// built-in one). A broken manifest keeps its name and is reported when it is asked for.
    #[must_use]
    pub fn new(dirs: Vec<PathBuf>) -> Self {
        let mut library = Self { dirs, manifests: BTreeMap::new(), broken: BTreeMap::new() };
        for path in library.dirs.iter().flat_map(|d| manifests_in(d)).collect::<Vec<_>>() {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if library.manifests.contains_key(&stem) || library.broken.contains_key(&stem) {
                continue;
            }
            let place = path.display().to_string();
            match read(&path).and_then(|text| Manifest::parse(&place, &text)) {
                Ok(m) if m.name != stem => {
                    library.broken.insert(stem, format!("{place}: name is `{}`, but the file is called otherwise", m.name));
                }
                Ok(m) => {
                    library.manifests.insert(stem, m);
                }
                Err(e) => {
                    library.broken.insert(stem, e.to_string());
                }
            }
        }
        for (place, text) in BUILT_IN {
            match Manifest::parse(place, text) {
                Ok(m) if !library.broken.contains_key(&m.name) => {
                    library.manifests.entry(m.name.clone()).or_insert(m);
                }
                Ok(_) => {}
                // A test proves that it cannot be.
                Err(e) => tracing::error!(error = %e, "a manifest of the program itself is broken"),
            }
        }
        library
    }

    /// Names of all models, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.manifests.keys().map(String::as_str)
    }

    /// What is wrong with manifests that cannot be used, one sentence each.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        self.broken.values().map(String::as_str)
    }

    /// A model's manifest.
    ///
    /// # Errors
    /// When there is none of this name, or it is broken.
    pub fn manifest(&self, name: &str) -> Result<&Manifest, ModelError> {
        if let Some(reason) = self.broken.get(name) {
            return Err(ModelError::Manifest { place: format!("model `{name}`"), reason: reason.clone() });
        }
        let known = || self.names().collect::<Vec<_>>().join(", ");
        self.manifests.get(name).ok_or_else(|| ModelError::Unknown { name: name.to_owned(), known: known() })
    }

    /// Every model with the state of its weights. Reads and hashes what is installed.
    #[must_use]
    pub fn list(&self) -> Vec<Entry> {
        let entry = |manifest: &Manifest| {
            let installed = self.weights(manifest);
            let state = match self.read(manifest) {
                None => Installed::Missing,
                Some(Ok(model)) => Installed::Good { sha256: model.sha256 },
                Some(Err(e)) => Installed::Refused(e.to_string()),
            };
            Entry { manifest: manifest.clone(), installed, state }
        };
        self.manifests.values().map(entry).collect()
    }

    /// Reads a model into sealed memory, if its bytes are what the manifest says.
    ///
    /// # Errors
    /// When there is no such model, its weights are not installed, or their checksum is none of the manifest's.
    pub fn load(&self, name: &str) -> Result<Model, ModelError> {
        let manifest = self.manifest(name)?;
        let missing = || ModelError::Missing {
            name: name.to_owned(),
            file: manifest.file_name(),
            places: if self.dirs.is_empty() { "no folder".to_owned() } else { join(&self.dirs) },
        };
        self.read(manifest).ok_or_else(missing)?
    }

    /// Weights from a folder, else those that come with the program.
    fn read(&self, manifest: &Manifest) -> Option<Result<Model, ModelError>> {
        if let Some(path) = self.weights(manifest) {
            return Some(check::load(manifest, &path));
        }
        let (name, bytes) = CARRIED.iter().find(|c| c.0 == manifest.name)?;
        Some(check::load_from(manifest, Path::new(name), &mut &**bytes))
    }

    /// Copies weights into the first folder, if they are the model's.
    ///
    /// # Errors
    /// When they are not, or the disk says no; the folder is then as before.
    pub fn install(&self, name: &str, from: &Path) -> Result<PathBuf, ModelError> {
        let mut source = File::open(from).map_err(ModelError::io(from))?;
        let mut writer = self.writer(name)?;
        check::copy(self.manifest(name)?, from, &mut source, &mut writer)?;
        writer.finish()
    }

    /// Takes weights piece by piece (a download) into the first folder; [`Writer::finish`] checks and installs them.
    ///
    /// # Errors
    /// When there is no such model or no folder to write into.
    pub fn writer(&self, name: &str) -> Result<Writer, ModelError> {
        let manifest = self.manifest(name)?;
        let dir = self.dirs.first().ok_or_else(|| ModelError::NoFolder { name: name.to_owned() })?;
        Writer::new(manifest, dir)
    }

    fn weights(&self, manifest: &Manifest) -> Option<PathBuf> {
        self.dirs.iter().map(|dir| dir.join(manifest.file_name())).find(|path| path.is_file())
    }
}

fn join(dirs: &[PathBuf]) -> String {
    dirs.iter().map(|d| d.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Manifests of a folder by name; none when there is no such folder.
fn manifests_in(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Result<String, ModelError> {
    let mut text = String::new();
    let file = File::open(path).map_err(ModelError::io(path))?;
    file.take(MANIFEST_MAX + 1).read_to_string(&mut text).map_err(ModelError::io(path))?;
    if text.len() as u64 > MANIFEST_MAX {
        return Err(ModelError::io(path)(io::Error::new(io::ErrorKind::InvalidData, "longer than a manifest may be")));
    }
    Ok(text)
}
