//! A disk in memory for tests and simulations: it forgets, reorders and tears what was not synced when the power is cut,
//! and fails or slows when told to.

use super::{Disk, DiskFile, LockGuard};
use domain::SimClock;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const PAGE: usize = 4096;
const SECTOR: usize = 512;
type Pages = Vec<Option<Arc<[u8; PAGE]>>>;

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
    /// Each sync takes this long.
    Slow(Duration),
}

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct ModelDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: BTreeMap<PathBuf, File>,
    locks: BTreeSet<PathBuf>,
    faults: Vec<(PathBuf, Fault)>,
    clock: Option<Arc<SimClock>>,
    free: Option<u64>,
    operations: u64,
    /// The disk before each write and sync, while it is being watched.
    history: Option<Vec<ModelDisk>>,
}

#[derive(Clone, Default)]
struct File {
    len: u64,
    /// What a reader sees.
    now: Pages,
    /// What a cut certainly leaves.
    durable: Pages,
    /// Written since the last sync, in order.
    pending: Vec<(u64, Arc<[u8]>)>,
}

impl ModelDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets slow syncs move this clock.
    pub fn drive(&self, clock: Arc<SimClock>) {
        self.state().clock = Some(clock);
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

    /// The disk after a power cut now: of what was not synced, any part may be there. `choice` decides, called once a
    /// sector (512 bytes) with a number of the write it belongs to: sectors for which it says `false` are lost.
    #[must_use]
    pub fn cut(&self, mut choice: impl FnMut(usize) -> bool) -> Self {
        let state = self.state();
        let mut after = State { free: state.free, ..State::default() };
        let mut write = 0;
        for (path, file) in &state.files {
            let mut pages = file.durable.clone();
            for (offset, data) in &file.pending {
                let mut at = *offset;
                let mut rest: &[u8] = data;
                while !rest.is_empty() {
                    let room = SECTOR - usize::try_from(at % SECTOR as u64).unwrap_or(0);
                    let (part, more) = rest.split_at(room.min(rest.len()));
                    if choice(write) {
                        put(&mut pages, at, part);
                    }
                    at += part.len() as u64;
                    rest = more;
                }
                write += 1;
            }
            after.files.insert(path.clone(), File { len: file.len, now: pages.clone(), durable: pages, pending: Vec::new() });
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
        self.state().files.values().map(|f| f.pending.len()).sum()
    }

    /// Flips bits of a byte, durably: rot.
    pub fn flip(&self, path: &Path, offset: u64, mask: u8) {
        let mut state = self.state();
        if let Some(file) = state.files.get_mut(path) {
            let mut byte = [0];
            get(&file.now, offset, &mut byte);
            put(&mut file.now, offset, &[byte[0] ^ mask]);
            put(&mut file.durable, offset, &[byte[0] ^ mask]);
        }
    }

    /// Removes a file, durably.
    pub fn remove(&self, path: &Path) {
        self.state().files.remove(path);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn get(pages: &Pages, offset: u64, buf: &mut [u8]) {
    let mut at = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut rest = buf;
    while !rest.is_empty() {
        let room = PAGE - at % PAGE;
        let n = room.min(rest.len());
        let (part, more) = rest.split_at_mut(n);
        match pages.get(at / PAGE).and_then(Option::as_ref) {
            Some(page) => part.copy_from_slice(&page[at % PAGE..at % PAGE + n]),
            None => part.fill(0),
        }
        at += n;
        rest = more;
    }
}

fn put(pages: &mut Pages, offset: u64, data: &[u8]) {
    let mut at = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut rest = data;
    while !rest.is_empty() {
        let room = PAGE - at % PAGE;
        let (part, more) = rest.split_at(room.min(rest.len()));
        if pages.len() <= at / PAGE {
            pages.resize(at / PAGE + 1, None);
        }
        let page = pages[at / PAGE].get_or_insert_with(|| Arc::new([0; PAGE]));
        Arc::make_mut(page)[at % PAGE..at % PAGE + part.len()].copy_from_slice(part);
        at += part.len();
        rest = more;
    }
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())
}

impl State {
    fn fork(&self) -> ModelDisk {
        let state = Self { files: self.files.clone(), free: self.free, ..Self::default() };
        ModelDisk(Arc::new(Mutex::new(state)))
    }

    fn operation(&mut self) {
        self.operations += 1;
        if self.history.is_some() {
            let copy = self.fork();
            self.history.get_or_insert_default().push(copy);
        }
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
        let state = self.state();
        state.reachable(dir)?;
        let here = state.files.iter().filter(|(p, _)| p.parent() == Some(dir));
        Ok(here.filter_map(|(p, f)| Some((p.file_name()?.to_str()?.to_owned(), f.len))).collect())
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
        let file = state.files.entry(path.to_owned()).or_default();
        file.len = file.len.max(size);
        drop(state);
        self.open(path, true)
    }

    fn open(&self, path: &Path, _writable: bool) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.state();
        state.reachable(path)?;
        if !state.files.contains_key(path) {
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
        if let (Some(file), Some(free)) = (state.files.remove(path), &mut state.free) {
            *free += file.len;
        }
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
        file.len = file.len.max(offset + data.len() as u64);
        put(&mut file.now, offset, &data);
        file.pending.push((offset, data));
        Ok(())
    }
}

impl DiskFile for ModelFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.state();
        state.reachable(&self.path)?;
        let file = state.files.get(&self.path).ok_or(io::ErrorKind::NotFound)?;
        let n = usize::try_from(file.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        get(&file.now, offset, &mut buf[..n]);
        Ok(n)
    }

    fn write_all_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.write(slices.iter().flat_map(|s| s.iter().copied()).collect(), offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.operation();
        if state.fault(&self.path, |f| matches!(f, Fault::Write | Fault::Sync | Fault::Gone)).is_some() {
            return Err(eio());
        }
        if let (Some(Fault::Slow(d)), Some(clock)) = (state.fault(&self.path, |f| matches!(f, Fault::Slow(_))), &state.clock) {
            clock.advance(d);
        }
        let file = state.files.get_mut(&self.path).ok_or(io::ErrorKind::NotFound)?;
        for (offset, data) in std::mem::take(&mut file.pending) {
            put(&mut file.durable, offset, &data);
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
