//! The directories of a ring one by one: which are there at the start, how each is doing since, and what each read or
//! write error is called. A ring goes on without some of them, never without saying so.
//!
//! Belongs here: the state of a directory. Does not belong here: which block is written next (`writer::place`), and what
//! the disk says about itself (the binary asks that).

use crate::{
    disk::{Disk, LockGuard},
    error::RingError,
    spec::{LOCK_NAME, RingSpec},
};
use domain::WallTime;
use metrics::{counter, gauge};
use rustix::io::Errno;
use serde::Serialize;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// How a directory is doing. The word is a contract: `disk.<word>` in the page's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum PathState {
    /// It takes what it is given.
    #[default]
    Ok,
    /// The disk refuses or answers with errors.
    Failing,
    /// It can be read and not written: the file system was mounted so, or made itself so after errors.
    ReadOnly,
    /// A disk was mounted here, and is not: the folder of the root's disk in its place stays empty.
    Unmounted,
    /// The folder or its files are not there, or the disk does not answer at all.
    Missing,
    /// The space that the ring needs is not there.
    Full,
}

impl PathState {
    /// All of them, in the order of the type.
    pub const ALL: [Self; 6] = [Self::Ok, Self::Failing, Self::ReadOnly, Self::Unmounted, Self::Missing, Self::Full];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::ReadOnly => "read-only",
            Self::Unmounted => "unmounted",
            Self::Missing => "missing",
            Self::Full => "full",
        }
    }

    /// What an error of the file system means for the directory it came from.
    pub(crate) fn of(error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::ROFS) => Self::ReadOnly,
            Some(Errno::NOSPC | Errno::DQUOT) => Self::Full,
            Some(Errno::NOENT | Errno::NODEV | Errno::NXIO) => Self::Missing,
            _ if error.kind() == io::ErrorKind::StorageFull => Self::Full,
            _ if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Failing,
        }
    }
}

/// A directory in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Default)]
pub struct PathStatus {
    /// Which.
    pub path: PathBuf,
    /// How it is doing.
    pub state: PathState,
    /// Since when, unless it is well.
    pub since: Option<WallTime>,
    /// What the file system said and what to do; empty when all is well.
    pub detail: String,
    /// Reads that the disk answered with an error, since the start.
    pub read_errors: u64,
    /// Writes and syncs that failed, since the start.
    pub write_errors: u64,
}

#[derive(Debug, Default)]
struct One {
    state: PathState,
    since: Option<WallTime>,
    detail: String,
    read_errors: u64,
    write_errors: u64,
    /// Left out by the start: nothing is written to it until the next one.
    away: bool,
}

/// All directories of a ring, shared by the writer and the readers.
#[derive(Debug)]
pub(crate) struct Paths {
    ring: String,
    dirs: Vec<PathBuf>,
    each: Mutex<Vec<One>>,
    /// How often one of them came back.
    returns: AtomicU64,
}

impl Paths {
    pub(crate) fn new(spec: &RingSpec) -> Self {
        let each = spec.paths.iter().map(|_| One::default()).collect();
        Self { ring: spec.name.clone(), dirs: spec.paths.clone(), each: Mutex::new(each), returns: AtomicU64::new(0) }
    }

    fn each(&self) -> MutexGuard<'_, Vec<One>> {
        // Every change is whole before the lock is given back.
        self.each.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a directory out until the next start.
    pub(crate) fn leave_out(&self, n: usize, state: PathState, detail: String, now: WallTime) {
        let Some(dir) = self.dirs.get(n) else { return };
        tracing::error!(ring = %self.ring, path = %dir.display(), state = state.as_str(), %detail, "recording goes on without this folder");
        if let Some(one) = self.each().get_mut(n) {
            (one.state, one.since, one.detail, one.away) = (state, Some(now), detail, true);
        }
    }

    /// The same for a reader, which writes nowhere.
    pub(crate) fn not_there(&self, n: usize, detail: String) {
        if let Some(one) = self.each().get_mut(n) {
            (one.state, one.detail, one.away) = (PathState::Missing, detail, true);
        }
    }

    /// Whether it may be written to.
    pub(crate) fn is_in(&self, n: usize) -> bool {
        self.each().get(n).is_some_and(|one| !one.away)
    }

    /// Whether what it holds can be asked for.
    pub(crate) fn is_readable(&self, n: usize) -> bool {
        self.each().get(n).is_some_and(|one| !one.away || one.state == PathState::ReadOnly)
    }

    /// Whether it takes what it is given.
    pub(crate) fn is_well(&self, n: usize) -> bool {
        self.each().get(n).is_some_and(|one| one.state == PathState::Ok)
    }

    /// How many may be written to.
    pub(crate) fn count_in(&self) -> usize {
        self.each().iter().filter(|one| !one.away).count()
    }

    /// Blocks in those that take what they are given.
    pub(crate) fn blocks(&self, spec: &RingSpec) -> u64 {
        let well = self.each().iter().map(|one| one.state == PathState::Ok).collect::<Vec<_>>();
        well.iter().enumerate().filter(|(_, well)| **well).map(|(n, _)| spec.blocks_in(n) as u64).sum()
    }

    /// The first directory that may be written to, for what the ring has only one of.
    pub(crate) fn first_in(&self) -> Option<&Path> {
        let n = self.each().iter().position(|one| !one.away)?;
        self.dirs.get(n).map(PathBuf::as_path)
    }

    /// Whether the ring is without one of them.
    pub(crate) fn some_away(&self) -> bool {
        self.each().iter().any(|one| one.away)
    }

    /// A write or sync was refused.
    pub(crate) fn refused(&self, n: usize, error: &io::Error, now: WallTime) {
        let Some(dir) = self.dirs.get(n) else { return };
        counter!("matthon_disk_errors_total", "ring" => self.ring.clone(), "path" => label(dir), "op" => "write").increment(1);
        let mut each = self.each();
        let Some(one) = each.get_mut(n) else { return };
        one.write_errors += 1;
        if one.away {
            return;
        }
        let state = PathState::of(error);
        if one.state == PathState::Ok {
            one.since = Some(now);
            let others = self.dirs.len() > 1;
            tracing::error!(ring = %self.ring, path = %dir.display(), state = state.as_str(), %error, others, "this folder takes nothing");
        }
        one.state = state;
        one.detail = error.to_string();
    }

    /// It took a batch.
    pub(crate) fn took(&self, n: usize) {
        let mut each = self.each();
        let Some(one) = each.get_mut(n).filter(|one| one.state != PathState::Ok && !one.away) else { return };
        (one.state, one.since, one.detail) = (PathState::Ok, None, String::new());
        self.returns.fetch_add(1, Ordering::Relaxed);
        if let Some(dir) = self.dirs.get(n) {
            tracing::info!(ring = %self.ring, path = %dir.display(), "this folder takes recordings again");
        }
    }

    /// How often one of them was away and took something again: what could not be read may be there since.
    pub(crate) fn returns(&self) -> u64 {
        self.returns.load(Ordering::Relaxed)
    }

    /// A read failed. What was overwritten meanwhile, or never was, is no error of the disk.
    pub(crate) fn unread(&self, file: &Path, error: &io::Error) {
        let errno = error.raw_os_error().map(Errno::from_raw_os_error);
        // The kernel's words for a disk, a cable or a file system that is broken.
        if !matches!(errno, Some(Errno::IO | Errno::UCLEAN | Errno::NXIO | Errno::NODEV | Errno::ILSEQ)) {
            return;
        }
        let Some(n) = self.dirs.iter().position(|dir| file.starts_with(dir)) else { return };
        let Some(dir) = self.dirs.get(n) else { return };
        counter!("matthon_disk_errors_total", "ring" => self.ring.clone(), "path" => label(dir), "op" => "read").increment(1);
        if let Some(one) = self.each().get_mut(n) {
            one.read_errors += 1;
        }
    }

    pub(crate) fn status(&self) -> Vec<PathStatus> {
        let each = self.each();
        let told = self.dirs.iter().zip(each.iter()).map(|(dir, one)| PathStatus {
            path: dir.clone(),
            state: one.state,
            since: one.since,
            detail: one.detail.clone(),
            read_errors: one.read_errors,
            write_errors: one.write_errors,
        });
        told.collect()
    }

    /// Tells the metrics.
    pub(crate) fn measure(&self) {
        for (dir, one) in self.dirs.iter().zip(self.each().iter()) {
            let up = f64::from(u8::from(one.state == PathState::Ok));
            gauge!("matthon_disk_up", "ring" => self.ring.clone(), "path" => label(dir)).set(up);
        }
    }
}

fn label(dir: &Path) -> String {
    dir.display().to_string()
}

/// Looks at every directory and takes the locks of those that are there. Some may be missing, not all.
pub(crate) fn open(spec: &RingSpec, disk: &dyn Disk, now: WallTime) -> Result<(Paths, Vec<LockGuard>), RingError> {
    let paths = Paths::new(spec);
    let mut guards = Vec::with_capacity(spec.paths.len());
    for (n, dir) in spec.paths.iter().enumerate() {
        match one(spec, disk, dir)? {
            Ok(guard) => guards.push(guard),
            Err((state, detail)) => paths.leave_out(n, state, detail, now),
        }
    }
    none_left(spec, &paths)?;
    Ok((paths, guards))
}

/// Fails when nothing is left to record to.
pub(crate) fn none_left(spec: &RingSpec, paths: &Paths) -> Result<(), RingError> {
    if paths.count_in() > 0 {
        return Ok(());
    }
    let why: Vec<_> = paths.status().iter().map(|s| format!("{}: {}", s.path.display(), s.detail)).collect();
    Err(RingError::NoPath { ring: spec.name.clone(), why: why.join("; ") })
}

type Left = (PathState, String);

/// The lock of a directory, or why the ring goes on without it.
fn one(spec: &RingSpec, disk: &dyn Disk, dir: &Path) -> Result<Result<LockGuard, Left>, RingError> {
    let failed = |what: &str, e: &io::Error| {
        let state = match PathState::of(e) {
            PathState::Failing => PathState::Missing,
            other => other,
        };
        Ok(Err((state, format!("cannot {what} {}: {e}", dir.display()))))
    };
    let volume = match disk.volume(dir) {
        Ok(volume) => volume,
        Err(e) => return failed("look at", &e),
    };
    if spec.mounted.iter().any(|m| m == dir) && !volume.own {
        let detail = format!(
            "a disk was mounted at {} or above it and is not now: nothing is written to the root's disk in its place (lsblk, /etc/fstab, mount)",
            dir.display()
        );
        return Ok(Err((PathState::Unmounted, detail)));
    }
    if !spec.any_filesystem && !volume.keeps() {
        return Err(RingError::FileSystem { ring: spec.name.clone(), path: dir.to_owned(), kind: volume.kind });
    }
    if let Err(e) = disk.create_dir(dir).and_then(|()| disk.list(dir)) {
        return failed("open", &e);
    }
    let path = dir.join(LOCK_NAME);
    match disk.lock(&path) {
        Ok(Some(guard)) => Ok(Ok(guard)),
        Ok(None) => Err(RingError::Locked { ring: spec.name.clone(), path: dir.to_owned() }),
        Err(e) => failed("write to", &e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_name() {
        let state = |errno: Errno| PathState::of(&io::Error::from(errno));
        assert_eq!(state(Errno::IO), PathState::Failing);
        assert_eq!(state(Errno::ROFS), PathState::ReadOnly);
        assert_eq!(state(Errno::NOSPC), PathState::Full);
        assert_eq!(state(Errno::NOENT), PathState::Missing);
        assert_eq!(PathState::of(&io::ErrorKind::StorageFull.into()), PathState::Full);
        for s in PathState::ALL {
            assert_eq!(serde_json_word(s), s.as_str());
        }
    }

    /// The word as serde writes it.
    fn serde_json_word(state: PathState) -> String {
        let debug = format!("{state:?}");
        let mut out = String::new();
        for (n, c) in debug.chars().enumerate() {
            if c.is_uppercase() && n > 0 {
                out.push('-');
            }
            out.extend(c.to_lowercase());
        }
        out
    }

    #[test]
    fn only_the_disks_own_errors_count_as_read_errors() {
        let spec = RingSpec::new("main", vec!["/one".into(), "/two".into()], 1 << 30);
        let paths = Paths::new(&spec);
        paths.unread(Path::new("/two/block-00000.mtr"), &Errno::IO.into());
        paths.unread(Path::new("/two/block-00000.mtr"), &Errno::NOENT.into());
        paths.unread(Path::new("/three/block-00000.mtr"), &Errno::IO.into());
        let errors: Vec<_> = paths.status().iter().map(|s| s.read_errors).collect();
        assert_eq!(errors, [0, 1]);
    }
}
