//! Weights that are what the manifest says: read once, hashed on the way into memory nobody can change.
//!
//! Hashing what goes into the memfd, and not the file beforehand, leaves no moment in which the file could be exchanged.

use super::{Manifest, ModelError};
use crate::{memory, protocol::ModelSpec};
use domain::hex;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
    path::Path,
    sync::Arc,
};

/// A model that is ready for a worker: its description, and its bytes in sealed memory. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Model {
    /// The manifest's name.
    pub name: String,
    /// What the worker must know.
    pub spec: ModelSpec,
    /// The sealed bytes.
    pub bytes: Arc<OwnedFd>,
    /// Their checksum, lower-case hex.
    pub sha256: String,
}

impl Model {
    /// A descriptor of the bytes for one worker: read-only, at their beginning, with a position of its own.
    ///
    /// # Errors
    /// When the system has no more descriptors.
    pub fn descriptor(&self) -> io::Result<OwnedFd> {
        memory::reopen(&self.bytes)
    }
}

/// Reads weights into sealed memory and checks them.
pub(crate) fn load(manifest: &Manifest, path: &Path) -> Result<Model, ModelError> {
    load_from(manifest, path, &mut File::open(path).map_err(ModelError::io(path))?)
}

/// The same of weights that are read from anywhere; `path` names them in messages.
pub(crate) fn load_from(manifest: &Manifest, path: &Path, source: &mut impl Read) -> Result<Model, ModelError> {
    let mut sealed = memory::anonymous("matthon-model").map_err(ModelError::io(path))?;
    let sha256 = copy(manifest, path, source, &mut sealed)?;
    memory::seal(&sealed).map_err(ModelError::io(path))?;
    Ok(Model { name: manifest.name.clone(), spec: manifest.spec(), bytes: Arc::new(sealed.into()), sha256 })
}

/// Copies weights and tells their checksum, which is one of the manifest's.
pub(crate) fn copy(manifest: &Manifest, path: &Path, source: &mut impl Read, to: &mut impl Write) -> Result<String, ModelError> {
    let mut hash = Hashing::new(manifest);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = match source.read(&mut buffer) {
            Ok(0) => return hash.finish(path),
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(ModelError::io(path)(e)),
        };
        hash.update(path, &buffer[..n])?;
        to.write_all(&buffer[..n]).map_err(ModelError::io(path))?;
    }
}

/// A checksum being made, with the manifest's bound on the length.
#[derive(Debug)]
pub(crate) struct Hashing {
    manifest: Manifest,
    sha: Sha256,
    len: u64,
}

impl Hashing {
    pub(crate) fn new(manifest: &Manifest) -> Self {
        Self { manifest: manifest.clone(), sha: Sha256::new(), len: 0 }
    }

    pub(crate) fn update(&mut self, path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
        self.len += bytes.len() as u64;
        if self.len > self.manifest.largest() {
            return Err(self.refuse(path, format!("more than {} bytes", self.manifest.largest())));
        }
        self.sha.update(bytes);
        Ok(())
    }

    pub(crate) fn finish(&mut self, path: &Path) -> Result<String, ModelError> {
        let found = hex(&std::mem::take(&mut self.sha).finalize());
        if self.manifest.weights.iter().any(|w| w.sha256 == found && w.bytes == self.len) {
            return Ok(found);
        }
        Err(self.refuse(path, found))
    }

    fn refuse(&self, path: &Path, found: String) -> ModelError {
        let expected: Vec<_> = self.manifest.weights.iter().map(|w| w.sha256.as_str()).collect();
        ModelError::Checksum { name: self.manifest.name.clone(), path: path.to_owned(), expected: expected.join(" or "), found }
    }
}
