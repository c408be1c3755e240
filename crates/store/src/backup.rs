//! A whole copy of the database while it is in use, for the daily backup.

use crate::{Store, StoreError, schema};
use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};
use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

impl Store {
    /// Writes a copy to `path`, replacing an older one only when the new one is whole, checked and on disk.
    /// The copy is one file, readable by this user only.
    ///
    /// # Errors
    /// [`StoreError::Backup`]; an older copy is then still there.
    pub fn backup_to(&self, path: &Path) -> Result<(), StoreError> {
        let failed = |reason: String| StoreError::Backup { path: path.to_owned(), reason };
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let copied = self.copy(&part).and_then(|()| {
            let file = File::open(&part).and_then(|f| f.sync_all());
            file.and_then(|()| fs::rename(&part, path)).map_err(|e| failed(e.to_string()))
        });
        if let Err(e) = copied {
            // The half copy is of no use; should even this fail, the next backup overwrites it.
            let _ = fs::remove_file(&part);
            return Err(match e {
                StoreError::Backup { .. } => e,
                other => failed(other.to_string()),
            });
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|f| f.sync_all()).map_err(|e| failed(e.to_string()))
    }

    fn copy(&self, part: &Path) -> Result<(), StoreError> {
        let failed = |reason: String| StoreError::Backup { path: part.to_owned(), reason };
        let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(part);
        drop(made.map_err(|e| failed(e.to_string()))?);
        let mut copy = Connection::open(part)?;
        {
            let source = self.lock();
            let backup = Backup::new(&source, &mut copy)?;
            // In one go: the database is small, and a copy in steps starts again at every write.
            match backup.step(-1)? {
                StepResult::Done => {}
                other => return Err(failed(format!("the database is in use ({other:?}); try again"))),
            }
        }
        // One file that can be carried away, without a log beside it.
        let _: String = copy.query_row("PRAGMA journal_mode = DELETE", [], |r| r.get(0))?;
        schema::check(&copy, part)
    }
}
