//! Writing under another name until it is whole: what bears the asked name is complete.

use anyhow::{Context, Result};
use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
};

/// `FILE.part`.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(".part");
    name.into()
}

/// Makes a file: `content` writes it, and only when that succeeds, and it is on the disk, does it get its name.
pub(crate) fn write<T>(path: &Path, content: impl FnOnce(File) -> Result<T>) -> Result<T> {
    let part = part_of(path);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&part);
    let file = file.with_context(|| format!("cannot write {}", part.display()))?;
    let written = file.try_clone().map_err(anyhow::Error::from).and_then(|copy| {
        let done = content(copy)?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        // Its name must survive a power cut, too.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(done)
    });
    written.inspect_err(|_| {
        // Best effort: the error is what matters.
        let _ = fs::remove_file(&part);
    })
}
