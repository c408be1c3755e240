//! A file system in memory, mounted through the kernel, under the real program: it keeps apart what was synced and what was only
//! written, and when its power goes any part of the latter is lost, sector by sector.
//!
//! One flat directory of files. Names and lengths are durable at once: the ring lays its files out once, at its first start.

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner, MountOption,
    OpenFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request,
    TimeOrNow, WriteFlags,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsStr,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::oneshot;

const PAGE: u64 = 4096;
const SECTOR: usize = 512;
/// Space it says it has.
const SIZE: u64 = 64 << 30;
/// Nothing is remembered by the kernel: each question is asked.
const TTL: Duration = Duration::ZERO;

type Pages = HashMap<u64, Box<[u8]>>;

#[derive(Default)]
struct File {
    len: u64,
    now: Pages,
    durable: Pages,
    /// Written since the last sync, in order.
    pending: Vec<(u64, Vec<u8>)>,
}

#[derive(Default)]
struct State {
    names: BTreeMap<String, u64>,
    files: BTreeMap<u64, File>,
    last: u64,
    off: bool,
    fate: Option<Fate>,
}

/// A cut to come.
struct Fate {
    /// Writes and syncs until then; the last one is not answered any more.
    left: u32,
    seed: u64,
    keep: u32,
    told: oneshot::Sender<Cut>,
}

/// A cut that happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// When.
    pub(super) at: SystemTime,
    /// Sectors written and not synced then.
    pub(super) torn: u64,
    /// How many of them are there nevertheless.
    pub(super) kept: u64,
}

/// The disk; clones are the same.
#[derive(Clone, Default)]
pub(super) struct Layer(Arc<Mutex<State>>);

fn put(pages: &mut Pages, mut at: u64, mut data: &[u8]) {
    while !data.is_empty() {
        let inside = usize::try_from(at % PAGE).unwrap_or(0);
        let (part, rest) = data.split_at(data.len().min(PAGE as usize - inside));
        let page = pages.entry(at / PAGE).or_insert_with(|| vec![0; PAGE as usize].into());
        page[inside..inside + part.len()].copy_from_slice(part);
        at += part.len() as u64;
        data = rest;
    }
}

fn get(pages: &Pages, mut at: u64, mut buf: &mut [u8]) {
    while !buf.is_empty() {
        let inside = usize::try_from(at % PAGE).unwrap_or(0);
        let n = buf.len().min(PAGE as usize - inside);
        let (part, rest) = buf.split_at_mut(n);
        match pages.get(&(at / PAGE)) {
            Some(page) => part.copy_from_slice(&page[inside..inside + n]),
            None => part.fill(0),
        }
        at += n as u64;
        buf = rest;
    }
}

/// A sector of a file, and what a write put there.
type Piece<'a> = (u64, u64, &'a [u8]);

/// Cuts a write at the edges of sectors, wherever it begins.
fn pieces(at: u64, data: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let first = (SECTOR - usize::try_from(at % SECTOR as u64).unwrap_or(0)).min(data.len());
    let (head, rest) = data.split_at(first);
    let behind = at + first as u64;
    let rest = rest.chunks(SECTOR).enumerate().map(move |(n, piece)| (behind + (n * SECTOR) as u64, piece));
    std::iter::once((at, head)).chain(rest).map(|(at, piece)| (at / SECTOR as u64, at, piece))
}

impl State {
    fn cut(&mut self, fate: Fate) {
        let at = SystemTime::now();
        self.off = true;
        let (mut dice, mut torn, mut kept) = (StdRng::seed_from_u64(fate.seed), 0, 0);
        // In the order of their numbers: a seed means the same sectors each time.
        for file in self.files.values_mut() {
            let pending = std::mem::take(&mut file.pending);
            // A sector is written whole: all of its pieces are there, or none.
            let mut sectors: BTreeMap<u64, bool> = BTreeMap::new();
            for (sector, at, piece) in pending.iter().flat_map(|(at, data)| pieces(*at, data)) {
                if *sectors.entry(sector).or_insert_with(|| dice.random_ratio(fate.keep, 100)) {
                    put(&mut file.durable, at, piece);
                }
            }
            torn += sectors.len() as u64;
            kept += sectors.values().filter(|there| **there).count() as u64;
            file.now = file.durable.clone();
        }
        let _ = fate.told.send(Cut { at, torn, kept });
    }
}

impl File {
    fn write(&mut self, at: u64, data: Vec<u8>) {
        self.len = self.len.max(at + data.len() as u64);
        put(&mut self.now, at, &data);
        self.pending.push((at, data));
    }

    fn sync(&mut self) {
        for (at, data) in std::mem::take(&mut self.pending) {
            put(&mut self.durable, at, &data);
        }
    }
}

impl Layer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mounts it.
    pub(super) fn mount(&self, at: &Path) -> io::Result<BackgroundSession> {
        self.state().off = false;
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("cuts".into())];
        fuser::spawn_mount(self.clone(), at, &config)
    }

    /// The power goes at the so-manieth write or sync from now on, before that is answered: of what was not synced, each sector is
    /// there with this probability (in percent).
    pub(super) fn power_off(&self, left: u32, keep: u32, seed: u64) -> oneshot::Receiver<Cut> {
        let (told, cut) = oneshot::channel();
        self.state().fate = Some(Fate { left, seed, keep, told });
        cut
    }

    fn with<T>(&self, ino: u64, act: impl FnOnce(&mut File) -> T) -> Result<T, Errno> {
        let mut s = self.state();
        if s.off {
            return Err(Errno::EIO);
        }
        s.files.get_mut(&ino).map(act).ok_or(Errno::ENOENT)
    }

    /// A write or a sync: the power may go with it. A write is in the cache by then, a sync has done nothing.
    fn change(&self, ino: u64, write: Option<(u64, Vec<u8>)>) -> Result<(), Errno> {
        let mut s = self.state();
        if s.off {
            return Err(Errno::EIO);
        }
        let file = s.files.get_mut(&ino).ok_or(Errno::ENOENT)?;
        let sync = write.is_none();
        if let Some((at, data)) = write {
            file.write(at, data);
        }
        if let Some(fate) = &mut s.fate {
            fate.left = fate.left.saturating_sub(1);
        }
        match s.fate.take_if(|fate| fate.left == 0) {
            Some(fate) => {
                s.cut(fate);
                Err(Errno::EIO)
            }
            None if sync => s.files.get_mut(&ino).map(File::sync).ok_or(Errno::ENOENT),
            None => Ok(()),
        }
    }

    fn attr(&self, ino: u64) -> Result<FileAttr, Errno> {
        let (kind, len) = if ino == 1 { (FileType::Directory, 0) } else { (FileType::RegularFile, self.with(ino, |f| f.len)?) };
        Ok(FileAttr {
            ino: INodeNo(ino),
            size: len,
            blocks: len.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: 0o700,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            flags: 0,
            blksize: 4096,
        })
    }
}

/// Unmounts it.
pub(super) fn unmount(mounted: BackgroundSession) -> io::Result<()> {
    match mounted.umount_and_join() {
        // It was just reading the next question when the kernel hung up.
        Err(e) if e.kind() == io::ErrorKind::ConnectionAborted => Ok(()),
        other => other,
    }
}

/// What the kernel asks; anything else it is told does not exist.
impl Filesystem for Layer {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let ino = self.state().names.get(&*name.to_string_lossy()).copied();
        match ino.ok_or(Errno::ENOENT).and_then(|ino| self.attr(ino)) {
            Ok(attr) => reply.entry(&TTL, &attr, Generation(0)),
            Err(e) => reply.error(e),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attr(ino.into()) {
            Ok(attr) => reply.attr(&TTL, &attr),
            Err(e) => reply.error(e),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        if let Some(len) = size {
            let _ = self.with(ino.into(), |f| f.len = len);
        }
        match self.attr(ino.into()) {
            Ok(attr) => reply.attr(&TTL, &attr),
            Err(e) => reply.error(e),
        }
    }

    fn create(&self, _: &Request, _: INodeNo, name: &OsStr, _: u32, _: u32, _: i32, reply: ReplyCreate) {
        let ino = {
            let mut s = self.state();
            s.last = s.last.max(1) + 1;
            let ino = s.last;
            s.names.insert(name.to_string_lossy().into_owned(), ino);
            s.files.insert(ino, File::default());
            ino
        };
        match self.attr(ino) {
            Ok(attr) => reply.created(&TTL, &attr, Generation(0), FileHandle(0), FopenFlags::empty()),
            Err(e) => reply.error(e),
        }
    }

    fn unlink(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let mut s = self.state();
        if let Some(ino) = s.names.remove(&*name.to_string_lossy()) {
            s.files.remove(&ino);
        }
        reply.ok();
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn read(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, size: u32, _: OpenFlags, _: Option<LockOwner>, reply: ReplyData) {
        let bytes = self.with(ino.into(), |f| {
            let n = f.len.saturating_sub(offset).min(size.into());
            let mut buf = vec![0; usize::try_from(n).unwrap_or(0)];
            get(&f.now, offset, &mut buf);
            buf
        });
        match bytes {
            Ok(bytes) => reply.data(&bytes),
            Err(e) => reply.error(e),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.change(ino.into(), Some((offset, data.to_vec()))) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(e) => reply.error(e),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        match self.change(ino.into(), None) {
            Ok(()) => reply.ok(),
            Err(e) => reply.error(e),
        }
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fallocate(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, length: u64, mode: i32, reply: ReplyEmpty) {
        let done = match mode {
            0 => self.with(ino.into(), |f| f.len = f.len.max(offset + length)),
            // Zeros, of the same size: as a write of them.
            _ => self.change(ino.into(), Some((offset, vec![0; usize::try_from(length).unwrap_or(0)]))),
        };
        match done {
            Ok(()) => reply.ok(),
            Err(e) => reply.error(e),
        }
    }

    fn readdir(&self, _: &Request, _: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let s = self.state();
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        for (n, (name, ino)) in s.names.iter().enumerate().skip(skip) {
            if reply.add(INodeNo(*ino), n as u64 + 1, FileType::RegularFile, name) {
                break;
            }
        }
        drop(s);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let blocks = SIZE / PAGE;
        reply.statfs(blocks, blocks, blocks, 1 << 20, 1 << 20, 4096, 255, 4096);
    }
}
