//! Installing weights: whole and right, or not at all.

use super::{Manifest, ModelError, check::Hashing};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Weights on their way into the library. Never takes more bytes than the manifest allows; dropped before
/// [`finish`](Self::finish), it leaves nothing behind.
#[derive(Debug)]
pub struct Writer {
    file: File,
    part: PathBuf,
    target: PathBuf,
    hash: Hashing,
}

impl Writer {
    pub(crate) fn new(manifest: &Manifest, dir: &Path) -> Result<Self, ModelError> {
        fs::create_dir_all(dir).map_err(ModelError::io(dir))?;
        let target = dir.join(manifest.file_name());
        let part = dir.join(format!(".{}.{}.part", manifest.file_name(), std::process::id()));
        // What an earlier process of the same number left behind is of no use.
        let _ = fs::remove_file(&part);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&part).map_err(ModelError::io(&part))?;
        Ok(Self { file, part, target, hash: Hashing::new(manifest) })
    }

    /// Checks what was written and puts it in its place.
    ///
    /// # Errors
    /// When its checksum is none of the manifest's, or the disk says no. Weights that were there before stay.
    pub fn finish(mut self) -> Result<PathBuf, ModelError> {
        self.hash.finish(&self.target)?;
        self.file.sync_all().map_err(ModelError::io(&self.part))?;
        fs::rename(&self.part, &self.target).map_err(ModelError::io(&self.target))?;
        if let Some(dir) = self.target.parent() {
            File::open(dir).and_then(|d| d.sync_all()).map_err(ModelError::io(dir))?;
        }
        Ok(self.target.clone())
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(&self.target, &bytes[..n]).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // After finish() the part is gone; else it must go.
        let _ = fs::remove_file(&self.part);
    }
}
