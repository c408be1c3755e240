//! The notes that are read after a crash: who worked on what.
//!
//! Belongs here: writing a cell. Does not belong here: where the cells lie (`vision::protocol::notes`) or who reads them.

use std::{
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::FileExt},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The memfd of notes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Notes {
    file: Arc<File>,
    // One count for all cells: a stream that is opened again under its old number goes on counting, so that no cell ever
    // shows the same number for two pieces of work.
    count: Arc<AtomicU64>,
}

impl Notes {
    /// Takes on the memfd the core made.
    ///
    /// # Errors
    /// When it is shorter than `vision::protocol::notes::LEN`.
    pub fn new(memfd: OwnedFd) -> io::Result<Self> {
        let file = File::from(memfd);
        if file.metadata()?.len() < vision::protocol::notes::LEN {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the notes are too short: core and worker are of different builds"));
        }
        Ok(Self { file: Arc::new(file), count: Arc::default() })
    }

    /// Notes that work begins; the note goes when the answer is dropped.
    #[must_use]
    pub fn begin(&self, cell: u64) -> Working<'_> {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        self.write(cell, count);
        Working { notes: self, cell }
    }

    /// Writes a cell: 0 is idle.
    pub fn write(&self, cell: u64, count: u64) {
        // A note that cannot be written costs a name after a crash, not the work.
        let _ = self.file.write_all_at(&count.to_ne_bytes(), cell);
    }

    /// A number no cell has had.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Work that is noted while this lives.
#[derive(Debug)]
pub struct Working<'a> {
    notes: &'a Notes,
    cell: u64,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.notes.write(self.cell, 0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]
    use super::*;
    use vision::protocol::notes;

    fn cell(file: &File, at: u64) -> u64 {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, at).unwrap();
        u64::from_ne_bytes(bytes)
    }

    #[test]
    fn a_cell_tells_of_work_and_rises() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(notes::LEN).unwrap();
        let seen = file.try_clone().unwrap();
        let notes = Notes::new(file.into()).unwrap();
        let at = notes::decoding(3);
        let first = {
            let _working = notes.begin(at);
            cell(&seen, at)
        };
        assert!(first > 0);
        assert_eq!(cell(&seen, at), 0);
        let _working = notes.begin(at);
        assert!(cell(&seen, at) > first);
        assert_eq!(cell(&seen, notes::decoding(2)) + cell(&seen, notes::decoding(4)), 0);
    }

    #[test]
    fn short_notes_are_refused() {
        assert!(Notes::new(tempfile::tempfile().unwrap().into()).is_err());
    }
}
