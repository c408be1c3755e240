//! ONNX Runtime, loaded while the program runs.
//!
//! Belongs here: finding and loading the library, once a process. Does not belong here: models (see [`crate::Detector`]).

use crate::{DetectError, error::one_line};
use ort::{LoadDynamicError, environment::Environment};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// The library's file name.
pub const LIBRARY: &str = "libonnxruntime.so";

/// A loaded ONNX Runtime. Cheap to clone; the library stays loaded until the process ends.
#[derive(Clone, Debug)]
pub struct Runtime {
    environment: Environment,
    version: String,
}

impl Runtime {
    /// Loads the library: from `path`; else from [`LIBRARY`] beside the running program; else from where the system's loader
    /// finds it. Once a process: the library keeps global state.
    ///
    /// # Errors
    /// [`DetectError::NoRuntime`], [`DetectError::OldRuntime`]; [`DetectError::Runtime`] when called again or when it does not start.
    pub fn load(path: Option<&Path>) -> Result<Self, DetectError> {
        let path = path.map_or_else(beside, Path::to_path_buf);
        if path.is_absolute() && !path.exists() {
            // The loader's own words for this are long and do not say it.
            return Err(DetectError::NoRuntime { path, reason: "there is no such file".to_owned() });
        }
        let builder = ort::init_from(&path).map_err(|e| match e {
            LoadDynamicError::BadVersion { version_str, path } => {
                DetectError::OldRuntime { path, found: one_line(version_str), needed: format!("1.{}", ort::MINOR_VERSION) }
            }
            LoadDynamicError::MissingApi { path } => {
                DetectError::NoRuntime { path, reason: "it is another library, without OrtGetApiBase".to_owned() }
            }
            other => DetectError::NoRuntime { path: path.clone(), reason: one_line(other) },
        })?;
        let environment = builder
            .with_name("matthon")
            .with_telemetry(false)
            .build()
            .map_err(|e| DetectError::Runtime { reason: one_line(e.message()) })?;
        Ok(Self { environment, version: version(&head(&path), ort::info()) })
    }

    /// The environment, for those who run bare sessions beside detectors.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Name and version: `ONNX Runtime 1.31.1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

fn beside() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(LIBRARY)));
    beside.filter(|p| p.exists()).unwrap_or_else(|| PathBuf::from(LIBRARY))
}

/// The library's beginning, where its symbols' names are; empty when the system's loader found it elsewhere.
fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    // Only for a word in a log line: a file that cannot be read twice is no reason not to detect.
    let _ = File::open(path).map(|file| file.take(1 << 20).read_to_end(&mut head));
    head
}

/// The runtime tells its version only through C pointers, but its symbols carry it: `VERS_1.31.1`. Else the build's own words
/// name a commit.
fn version(head: &[u8], info: &str) -> String {
    const MARK: &[u8] = b"VERS_1.";
    let symbol = head.windows(MARK.len()).position(|w| w == MARK).map(|at| {
        let number = head[at + 5..].iter().take(16).take_while(|b| b.is_ascii_digit() || **b == b'.');
        number.map(|b| char::from(*b)).collect::<String>()
    });
    let commit = || info.split("git-commit-id=").nth(1)?.split(',').next();
    match (symbol, commit()) {
        (Some(number), _) => format!("ONNX Runtime {number}"),
        (None, Some(commit)) => format!("ONNX Runtime, commit {}", one_line(commit)),
        (None, None) => "ONNX Runtime".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_symbols_else_from_the_build_information() {
        let info = "ORT Build Info: git-branch=HEAD, git-commit-id=6af1a93, build type=Release";
        assert_eq!(version(b"\x7fELF\0libonnxruntime.so.1\0VERS_1.31.1\0GCC_3.4", info), "ONNX Runtime 1.31.1");
        assert_eq!(version(b"VERS_1.", info), "ONNX Runtime 1.");
        assert_eq!(version(b"", info), "ONNX Runtime, commit 6af1a93");
        assert_eq!(version(b"", ""), "ONNX Runtime");
    }

    #[test]
    fn a_missing_library_is_named_with_the_fix() {
        let e = Runtime::load(Some(Path::new("/nowhere/libonnxruntime.so"))).unwrap_err().to_string();
        assert!(e.contains("/nowhere/libonnxruntime.so") && e.contains("no such file") && e.contains("tools/ort"), "{e}");
    }

    #[test]
    fn a_file_that_is_no_library_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "not a library").unwrap();
        let e = Runtime::load(Some(file.path())).unwrap_err();
        assert!(matches!(&e, DetectError::NoRuntime { path, .. } if path == file.path()), "{e}");
    }
}
