//! The real disk: preallocated files, positioned vectored writes, `fdatasync`, `flock`.

use super::{Disk, DiskFile, LockGuard, Volume};
use rustix::{
    fs::{FallocateFlags, FlockOperation, fallocate, fdatasync, flock, statvfs},
    io::{Errno, pread, pwritev},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, IoSlice},
    path::Path,
    sync::Arc,
};

/// Files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        std::fs::create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        let mut out = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            if let (true, Ok(name)) = (meta.is_file(), entry.file_name().into_string()) {
                out.push((name, meta.len()));
            }
        }
        Ok(out)
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        let s = statvfs(dir)?;
        Ok(s.f_bavail.saturating_mul(s.f_frsize))
    }

    fn volume(&self, dir: &Path) -> io::Result<Volume> {
        Volume::of(dir)
    }

    fn create(&self, path: &Path, size: u64) -> io::Result<Arc<dyn DiskFile>> {
        let (file, grown) = reserved(path, size)?;
        if grown {
            file.sync_all()?;
            if let Some(dir) = path.parent() {
                File::open(dir)?.sync_all()?;
            }
        }
        Ok(Arc::new(SystemFile(file)))
    }

    fn reserve(&self, path: &Path, size: u64) -> io::Result<()> {
        reserved(path, size).map(drop)
    }

    // ext4 and xfs journal in order: once the last file and the directory are synced, so is what was reserved before. A sync a
    // file would be a commit a file, and a ring has thousands. `syncfs` would wait for whatever others write to this disk.
    fn settle(&self, last: &Path) -> io::Result<()> {
        File::open(last)?.sync_all()?;
        match last.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(SystemFile(OpenOptions::new().read(true).write(writable).open(path)?)))
    }

    fn delete(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        match path.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    }

    fn lock(&self, path: &Path) -> io::Result<Option<LockGuard>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(LockGuard::new(path.to_owned(), Box::new(file)))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }
}

/// A file of at least this size, and whether it had to grow.
fn reserved(path: &Path, size: u64) -> io::Result<(File, bool)> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let grown = file.metadata()?.len() < size;
    if grown {
        fallocate(&file, FallocateFlags::empty(), 0, size)?;
    }
    Ok((file, grown))
}

struct SystemFile(File);

impl DiskFile for SystemFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            match pread(&self.0, &mut buf[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(done)
    }

    fn write_all_at(&self, slices: &[IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        let mut slices = slices.to_vec();
        let mut left = slices.as_mut_slice();
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            match pwritev(&self.0, left, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    offset += n as u64;
                    IoSlice::advance_slices(&mut left, n);
                }
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(fdatasync(&self.0)?)
    }

    fn zero_range(&self, offset: u64, len: u64) -> io::Result<()> {
        match fallocate(&self.0, FallocateFlags::ZERO_RANGE | FallocateFlags::KEEP_SIZE, offset, len) {
            Err(Errno::OPNOTSUPP) => self.write_zeros(offset, len),
            other => Ok(other?),
        }
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

impl SystemFile {
    // File systems without ZERO_RANGE still erase, only slower.
    fn write_zeros(&self, mut offset: u64, mut len: u64) -> io::Result<()> {
        let zeros = vec![0; 1 << 20];
        while len > 0 {
            let n = len.min(zeros.len() as u64);
            let chunk = zeros.get(..usize::try_from(n).unwrap_or(0)).unwrap_or(&[]);
            self.write_all_at(&[IoSlice::new(chunk)], offset)?;
            offset += n;
            len -= n;
        }
        Ok(())
    }
}
