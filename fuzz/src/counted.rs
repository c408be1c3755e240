//! Bytes in memory that count how much of them is read: work must be bounded by what there is, not by what it says.

use evidence::verify::Source;
use ring::{Disk, DiskFile, disk::LockGuard};
use std::{
    io::{self, IoSlice},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Some bytes, zeros up to a length, and how many were handed out.
#[derive(Debug, Default)]
pub struct Counted {
    bytes: Vec<u8>,
    len: u64,
    read: AtomicU64,
    calls: AtomicU64,
}

impl Counted {
    /// These bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self::padded(bytes, bytes.len())
    }

    /// These bytes, and zeros up to `len`.
    #[must_use]
    pub fn padded(bytes: &[u8], len: usize) -> Self {
        let bytes = bytes.get(..len).unwrap_or(bytes).to_vec();
        Self { bytes, len: len as u64, ..Self::default() }
    }

    /// Bytes handed out so far.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Times they were asked for.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn give(&self, offset: u64, buf: &mut [u8]) -> usize {
        let n = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let from = usize::try_from(offset).ok().and_then(|o| self.bytes.get(o..)).unwrap_or_default();
        let have = from.len().min(n);
        buf[..have].copy_from_slice(&from[..have]);
        buf[have..n].fill(0);
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
        n
    }
}

impl Source for Counted {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.give(offset, buf))
    }
}

fn read_only<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl DiskFile for Counted {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.give(offset, buf))
    }
    fn write_all_at(&self, _: &[IoSlice<'_>], _: u64) -> io::Result<()> {
        read_only()
    }
    fn sync_data(&self) -> io::Result<()> {
        read_only()
    }
    fn zero_range(&self, _: u64, _: u64) -> io::Result<()> {
        read_only()
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.len)
    }
}

/// A disk that has one block file and nothing else, and takes nothing.
pub struct OneBlock(pub Arc<Counted>);

impl Disk for OneBlock {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        read_only()
    }
    fn list(&self, _: &Path) -> io::Result<Vec<(String, u64)>> {
        Ok(vec![("block-00000.mtr".into(), self.0.len)])
    }
    fn free_space(&self, _: &Path) -> io::Result<u64> {
        Ok(0)
    }
    fn create(&self, _: &Path, _: u64) -> io::Result<Arc<dyn DiskFile>> {
        read_only()
    }
    fn open(&self, path: &Path, _: bool) -> io::Result<Arc<dyn DiskFile>> {
        if path.ends_with("block-00000.mtr") { Ok(self.0.clone()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
    fn delete(&self, _: &Path) -> io::Result<()> {
        read_only()
    }
    fn lock(&self, _: &Path) -> io::Result<Option<LockGuard>> {
        read_only()
    }
}
