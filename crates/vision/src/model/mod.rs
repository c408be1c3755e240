//! Models: what there is, whether its bytes are what the manifest says, and handing them to a worker.
//!
//! Belongs here: manifests, the library of installed weights, checksums. Does not belong here: fetching over the network
//! (the binary), reading a network's output (the worker).

mod check;
mod coco;
mod install;
mod library;
mod manifest;
#[cfg(test)]
mod tests;

pub use check::Model;
pub use install::Writer;
pub use library::{Entry, Installed, Library};
pub use manifest::{Classes, Manifest, Summary, Weights};

use std::{io, path::PathBuf};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No manifest has this name.
    #[error("there is no model `{name}`: use one of {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A manifest that cannot be used.
    #[error("{place}: {reason}")]
    Manifest {
        /// The file, or `models/NAME.toml` of the program itself.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The weights are nowhere.
    #[error("model `{name}` is not installed: {file} is in none of {places}; get it with `matthon models pull {name}`")]
    Missing {
        /// The model.
        name: String,
        /// The file that is missing.
        file: String,
        /// Where it was looked for.
        places: String,
    },
    /// The weights are not those of the manifest.
    #[error(
        "model `{name}` is refused: {path} has sha256 {found}, expected {expected}; get it again with `matthon models pull {name}`",
        path = .path.display()
    )]
    Checksum {
        /// The model.
        name: String,
        /// The file that was read.
        path: PathBuf,
        /// All checksums the manifest allows.
        expected: String,
        /// What the file has; or its size, where that is enough.
        found: String,
    },
    /// There is no folder to install into.
    #[error("model `{name}` cannot be installed: no folder for models is configured")]
    NoFolder {
        /// The model.
        name: String,
    },
    /// The disk said no.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl ModelError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
