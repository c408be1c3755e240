//! Why a package was not written.

use std::io;

/// Errors of writing.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Whoever takes the package does not take it.
    #[error("cannot write the package: {0}")]
    Write(#[from] io::Error),
    /// The archive does not take it.
    #[error("cannot write the package: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// The ring cannot give what was asked for.
    #[error(transparent)]
    Clip(#[from] ring::ClipError),
    /// A name that a package cannot have.
    #[error("a file of a package cannot be named `{0}`")]
    Name(String),
    /// The manifest cannot be written as JSON.
    #[error("the manifest cannot be written: {0}")]
    Manifest(#[from] serde_json::Error),
    /// The report cannot be made.
    #[error("the report cannot be made: {0}")]
    Report(String),
    /// A viewing copy cannot be put in.
    #[error(transparent)]
    View(#[from] crate::view::ViewError),
    /// Somebody called it off.
    #[error("the export was called off")]
    Cancelled,
}
