//! The small trait all ring I/O passes through, so that a model disk can forget, reorder, tear, fail and slow.

mod model;
mod system;
mod volume;

pub use model::{Fault, ModelDisk, Pace};
pub use system::SystemDisk;
pub use volume::Volume;

use std::{
    fmt, io,
    io::IoSlice,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Directories and files of a ring. Blocking.
pub trait Disk: Send + Sync + 'static {
    /// Makes sure the directory exists.
    ///
    /// # Errors
    /// As the file system says.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Names and sizes of the files of a directory, in any order; a missing directory is an error.
    ///
    /// # Errors
    /// As the file system says.
    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>>;
    /// What `dir` lies on, or would lie on if it were made. Disks in memory are as good as the best.
    ///
    /// # Errors
    /// As the file system says.
    fn volume(&self, _dir: &Path) -> io::Result<Volume> {
        Ok(Volume { kind: "ext4".into(), device: (0, 0), own: true, read_only: false })
    }
    /// Bytes that can still be allocated where `dir` lies.
    ///
    /// # Errors
    /// As the file system says.
    fn free_space(&self, dir: &Path) -> io::Result<u64>;
    /// Makes a file of `size` bytes whose space is reserved and which reads as zeros where it was never written. The
    /// name is durable on return. An existing file is opened and grown, never shortened.
    ///
    /// # Errors
    /// As the file system says; `StorageFull` when there is not enough space.
    fn create(&self, path: &Path, size: u64) -> io::Result<Arc<dyn DiskFile>>;
    /// The same for one of many files: name and space are durable once [`settle`](Self::settle) returned.
    ///
    /// # Errors
    /// As the file system says; `StorageFull` when there is not enough space.
    fn reserve(&self, path: &Path, size: u64) -> io::Result<()> {
        self.create(path, size).map(drop)
    }
    /// What was reserved in a directory is durable on return. `last`: the file that was reserved last.
    ///
    /// # Errors
    /// As the file system says.
    fn settle(&self, _last: &Path) -> io::Result<()> {
        Ok(())
    }
    /// Opens an existing file.
    ///
    /// # Errors
    /// As the file system says.
    fn open(&self, path: &Path, writable: bool) -> io::Result<Arc<dyn DiskFile>>;
    /// Takes a file away and gives its space back. The name is durably gone on return; a file that is not there is none.
    ///
    /// # Errors
    /// As the file system says.
    fn delete(&self, path: &Path) -> io::Result<()>;
    /// Takes the exclusive lock named by a file, until the guard is dropped or the process ends. `None`: another has it.
    ///
    /// # Errors
    /// As the file system says.
    fn lock(&self, path: &Path) -> io::Result<Option<LockGuard>>;
}

/// One file. All offsets are from its start.
pub trait DiskFile: Send + Sync {
    /// Reads into the buffer; fewer bytes only at the file's end.
    ///
    /// # Errors
    /// As the disk says.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
    /// Writes all of the slices one behind the other.
    ///
    /// # Errors
    /// As the disk says; what was written of them is then unknown.
    fn write_all_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// What was written before is durable on return.
    ///
    /// # Errors
    /// As the disk says; what of the unsynced writes is durable is then unknown, and stays so.
    fn sync_data(&self) -> io::Result<()>;
    /// Makes a range read as zeros without giving its space back.
    ///
    /// # Errors
    /// As the disk says.
    fn zero_range(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Bytes of the file.
    ///
    /// # Errors
    /// As the disk says.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// As the disk says.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|n| n == 0)
    }
}

/// A held lock.
pub struct LockGuard {
    /// The lock's file.
    pub path: PathBuf,
    _held: Box<dyn Send + Sync>,
}

impl LockGuard {
    /// Wraps whatever gives the lock back when dropped.
    #[must_use]
    pub fn new(path: PathBuf, held: Box<dyn Send + Sync>) -> Self {
        Self { path, _held: held }
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LockGuard({})", self.path.display())
    }
}

/// Reads exactly as many bytes as the buffer has.
///
/// # Errors
/// As the disk says; `UnexpectedEof` at the file's end.
pub fn read_exact_at(file: &dyn DiskFile, offset: u64, buf: &mut [u8]) -> io::Result<()> {
    if file.read_at(offset, buf)? == buf.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
