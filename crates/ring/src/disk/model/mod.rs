//! A disk in memory for tests and simulations: it forgets, reorders and tears what was not synced when the power is cut,
//! fails or slows when told to, and lets reading and syncing take time. Terabytes of it cost what is written of them.

mod file;
mod pages;
#[cfg(test)]
mod tests;
mod tree;

use super::{Disk, DiskFile, LockGuard};
use domain::{Clock, MonoTime, SimClock};
use file::File;
use std::{
    collections::BTreeSet,
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tree::Tree;

/// What a path does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Writes and syncs answer EIO.
    Write,
    /// Only syncs answer EIO, and nothing becomes durable.
    Sync,
    /// Writes answer ENOSPC.
    NoSpace,
    /// Everything answers EIO, as if the disk had been pulled out.
    Gone,
    /// Reads that touch bytes from the first to before the second of a file answer EIO: bad sectors.
    Unreadable(u64, u64),
    /// Each sync takes this long.
    Slow(Duration),
}

/// How long a sound disk takes, by the clock it [drives](ModelDisk::drive).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Each read, wherever it is and whatever was read before.
    pub read: Duration,
    /// Each MiB read, besides.
    pub mib: Duration,
    /// Each sync.
    pub sync: Duration,
}

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct ModelDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: Tree,
    /// Files that a cut may change.
    unsettled: BTreeSet<PathBuf>,
    locks: BTreeSet<PathBuf>,
    faults: Vec<(PathBuf, Fault)>,
    clock: Option<Arc<SimClock>>,
    pace: Pace,
    free: Option<u64>,
    operations: u64,
    reads: u64,
    /// When this copy was made.
    taken: MonoTime,
    /// The disk before each write and sync, while it is being watched.
    history: Option<Vec<ModelDisk>>,
}

impl ModelDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets whatever takes time move this clock.
    pub fn drive(&self, clock: Arc<SimClock>) {
        self.state().clock = Some(clock);
    }

    /// Says how long reading and syncing take; no time until said.
    pub fn pace(&self, pace: Pace) {
        self.state().pace = pace;
    }

    /// Says how much space is left for new files; unlimited until said.
    pub fn set_free(&self, bytes: u64) {
        self.state().free = Some(bytes);
    }

    /// Whatever lies below `path` does this wrong from now on.
    pub fn fail(&self, path: &Path, fault: Fault) {
        self.state().faults.push((path.to_owned(), fault));
    }

    /// All is well again.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Writes and syncs so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Reads so far.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    /// Bytes of memory that what is written takes; what is synced takes no more.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.state().files.held()
    }

    /// When this copy was made, by the clock that the original drove.
    #[must_use]
    pub fn taken(&self) -> MonoTime {
        self.state().taken
    }

    /// The disk after a power cut now: of what was not synced, any part may be there. `choice` decides, called once a
    /// sector (512 bytes) with a number of the write it belongs to: sectors for which it says `false` are lost.
    #[must_use]
    pub fn cut(&self, mut choice: impl FnMut(usize) -> bool) -> Self {
        self.cut_sectors(|write, _| choice(write))
    }

    /// As [`cut`](Self::cut); `choice` is told where in its file the sector lies, too, so that larger units can be torn.
    #[must_use]
    pub fn cut_sectors(&self, mut choice: impl FnMut(usize, u64) -> bool) -> Self {
        let state = self.state();
        let mut after = State { files: state.files.clone(), free: state.free, ..State::default() };
        let mut write = 0;
        for path in &state.unsettled {
            if let Some(file) = state.files.get(path) {
                after.files.set(path, Some(file.cut(&mut write, &mut choice)));
            }
        }
        Self(Arc::new(Mutex::new(after)))
    }

    /// Keeps a copy of the disk as it was before each write and sync, from now on. Copies share their pages.
    pub fn watch(&self) {
        self.state().history = Some(Vec::new());
    }

    /// The copies kept since the last call.
    #[must_use]
    pub fn take_history(&self) -> Vec<Self> {
        self.state().history.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A copy that goes its own way, without locks and faults.
    #[must_use]
    pub fn fork(&self) -> Self {
        self.state().fork()
    }

    /// Writes not yet synced.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        let state = self.state();
        state.unsettled.iter().filter_map(|path| state.files.get(path)).map(|f| f.unsynced()).sum()
    }

    /// Flips bits of a byte, durably: rot.
    pub fn flip(&self, path: &Path, offset: u64, mask: u8) {
        if let Some(file) = self.state().files.get_mut(path) {
            file.flip(offset, mask);
        }
    }

    /// Removes a file, durably.
    pub fn remove(&self, path: &Path) {
        self.state().files.set(path, None);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())
}

impl State {
    fn fork(&self) -> ModelDisk {
        let taken = self.clock.as_ref().map_or(MonoTime(0), |c| c.mono());
        let state = Self { files: self.files.clone(), unsettled: self.unsettled.clone(), free: self.free, taken, ..Self::default() };
        ModelDisk(Arc::new(Mutex::new(state)))
    }

    fn operation(&mut self) {
        self.operations += 1;
        if self.history.is_some() {
            let copy = self.fork();
            self.history.get_or_insert_default().push(copy);
        }
    }

    fn takes(&self, time: Duration) {
        if let Some(clock) = self.clock.as_ref().filter(|_| !time.is_zero()) {
            clock.advance(time);
        }
    }

    fn reading(&mut self, bytes: usize) {
        self.reads += 1;
        self.takes(self.pace.read + self.pace.mib.mul_f64(bytes as f64 / f64::from(1 << 20)));
    }

    fn fault(&self, path: &Path, hit: impl Fn(Fault) -> bool) -> Option<Fault> {
        self.faults.iter().find(|(p, f)| path.starts_with(p) && hit(*f)).map(|(_, f)| *f)
    }

    fn reachable(&self, path: &Path) -> io::Result<()> {
        if self.fault(path, |f| f == Fault::Gone).is_some() { Err(eio()) } else { Ok(()) }
    }
}

impl Disk for ModelDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.state().reachable(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        let mut state = self.state();
        state.reachable(dir)?;
        let names = state.files.list(dir);
        // About what a directory's entry takes.
        state.reading(names.len() * 64);
        Ok(names)
    }

    fn free_space(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.state().free.unwrap_or(u64::MAX))
    }

    fn create(&self, path: &Path, size: u64) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.reachable(path)?;
        let have = state.files.get(path).map_or(0, |f| f.len);
        let grow = size.saturating_sub(have);
        if let Some(free) = &mut state.free {
            *free = free.checked_sub(grow).ok_or(io::ErrorKind::StorageFull)?;
        }
        match state.files.get_mut(path) {
            Some(file) => file.len = file.len.max(size),
            None => state.files.set(path, Some(File::of(size))),
        }
        drop(state);
        self.open(path, true)
    }

    fn open(&self, path: &Path, _writable: bool) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.state();
        state.reachable(path)?;
        if state.files.get(path).is_none() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Arc::new(ModelFile { disk: self.clone(), path: path.to_owned() }))
    }

    fn delete(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operation();
        if state.fault(path, |f| matches!(f, Fault::Write | Fault::Gone)).is_some() {
            return Err(eio());
        }
        let len = state.files.get(path).map_or(0, |f| f.len);
        state.free = state.free.map(|free| free + len);
        state.files.set(path, None);
        state.unsettled.remove(path);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<LockGuard>> {
        let mut state = self.state();
        state.reachable(path)?;
        if !state.locks.insert(path.to_owned()) {
            return Ok(None);
        }
        Ok(Some(LockGuard::new(path.to_owned(), Box::new(Held { disk: self.clone(), path: path.to_owned() }))))
    }
}

struct Held {
    disk: ModelDisk,
    path: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.disk.state().locks.remove(&self.path);
    }
}

struct ModelFile {
    disk: ModelDisk,
    path: PathBuf,
}

impl ModelFile {
    fn write(&self, data: Arc<[u8]>, offset: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.operation();
        match state.fault(&self.path, |f| matches!(f, Fault::Write | Fault::NoSpace | Fault::Gone)) {
            Some(Fault::NoSpace) => return Err(io::ErrorKind::StorageFull.into()),
            Some(_) => return Err(eio()),
            None => {}
        }
        let file = state.files.get_mut(&self.path).ok_or(io::ErrorKind::NotFound)?;
        file.write(offset, data);
        state.unsettled.insert(self.path.clone());
        Ok(())
    }
}

impl DiskFile for ModelFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.reachable(&self.path)?;
        let end = offset.saturating_add(buf.len() as u64);
        if state.fault(&self.path, |f| matches!(f, Fault::Unreadable(from, to) if from < end && to > offset)).is_some() {
            return Err(eio());
        }
        let file = state.files.get(&self.path).ok_or(io::ErrorKind::NotFound)?;
        let n = usize::try_from(file.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        file.now.get(offset, &mut buf[..n]);
        state.reading(n);
        Ok(n)
    }

    fn write_all_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.write(slices.iter().flat_map(|s| s.iter().copied()).collect(), offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.operation();
        if state.fault(&self.path, |f| matches!(f, Fault::Write | Fault::Sync | Fault::Gone)).is_some() {
            if let Some(file) = state.files.get_mut(&self.path) {
                file.sync_refused();
            }
            return Err(eio());
        }
        let slow = match state.fault(&self.path, |f| matches!(f, Fault::Slow(_))) {
            Some(Fault::Slow(time)) => time,
            _ => Duration::ZERO,
        };
        state.takes(state.pace.sync + slow);
        state.files.get_mut(&self.path).ok_or(io::ErrorKind::NotFound)?.sync();
        if state.files.get(&self.path).is_some_and(|f| !f.unsettled()) {
            state.unsettled.remove(&self.path);
        }
        Ok(())
    }

    fn zero_range(&self, offset: u64, len: u64) -> io::Result<()> {
        self.write(vec![0; usize::try_from(len).unwrap_or(0)].into(), offset)
    }

    fn len(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.reachable(&self.path)?;
        state.files.get(&self.path).map(|f| f.len).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
