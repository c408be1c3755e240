//! Anonymous files that cross the border: models, stills, notes.
//!
//! Belongs here: making and sealing them. Does not belong here: what is in them.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::{
    fs::File,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

/// An empty anonymous file. `name` is only seen in `/proc`.
pub(crate) fn anonymous(name: &str) -> io::Result<File> {
    let fd: OwnedFd = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    Ok(File::from(fd))
}

/// An anonymous file of zeros that keeps its length, whatever the other side does: the worker cannot fill the machine's memory through it.
pub(crate) fn fixed(name: &str, len: u64) -> io::Result<File> {
    let file = anonymous(name)?;
    file.set_len(len)?;
    fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

/// Nobody can change the file from here on, its maker included.
pub(crate) fn seal(file: &File) -> io::Result<()> {
    Ok(fcntl_add_seals(file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::WRITE | SealFlags::SEAL)?)
}

/// The same bytes behind a read-only descriptor with a position of its own: two workers do not move each other's place.
pub(crate) fn reopen(file: impl AsFd) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    Ok(File::open(path)?.into())
}
