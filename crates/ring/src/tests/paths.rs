//! Rings of several disks: one that is gone at the start, one that was never mounted, one that was swapped, one that only
//! reads; and the first layout.

use super::{NOON, Source, Village, signer, spec, start, verify};
use crate::{
    Disk, DiskFile, Fault, ModelDisk, PathState, Reader, RingError, RingSpec, Volume,
    disk::LockGuard,
    inspect,
    recorder::{Progress, Recorder},
    writer::core::Core,
};
use domain::{SimClock, StreamKind};
use rustix::io::Errno;
use std::{
    collections::HashMap,
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

const ONE: &str = "/one";
const TWO: &str = "/two";

fn two_paths() -> RingSpec {
    let mut spec = spec(12, 64 << 10);
    spec.paths = vec![PathBuf::from(ONE), PathBuf::from(TWO)];
    spec
}

fn sources() -> Vec<Source> {
    vec![Source::new("a", StreamKind::Video, 2000), Source::new("b", StreamKind::Video, 900)]
}

/// A disk in memory of which some things are said to be otherwise.
#[derive(Clone, Default)]
struct Odd {
    inner: ModelDisk,
    kind: Option<&'static str>,
    /// Lies on the root's disk.
    unmounted: Option<PathBuf>,
    /// Takes no writes.
    read_only: Option<PathBuf>,
    /// Has only so many bytes free.
    tight: Option<(PathBuf, u64)>,
    /// Bytes read by file.
    reads: Arc<Mutex<HashMap<PathBuf, usize>>>,
}

impl Odd {
    fn refuses(&self, path: &Path) -> io::Result<()> {
        match &self.read_only {
            Some(dir) if path.starts_with(dir) => Err(Errno::ROFS.into()),
            _ => Ok(()),
        }
    }
}

struct OddFile {
    disk: Odd,
    path: PathBuf,
    inner: Arc<dyn DiskFile>,
}

impl DiskFile for OddFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        *self.disk.reads.lock().unwrap().entry(self.path.clone()).or_default() += buf.len();
        self.inner.read_at(offset, buf)
    }
    fn write_all_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.disk.refuses(&self.path)?;
        self.inner.write_all_at(slices, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }
    fn zero_range(&self, offset: u64, len: u64) -> io::Result<()> {
        self.disk.refuses(&self.path)?;
        self.inner.zero_range(offset, len)
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

impl Disk for Odd {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        self.inner.list(dir)
    }
    fn volume(&self, dir: &Path) -> io::Result<Volume> {
        let own = self.unmounted.as_deref() != Some(dir);
        let read_only = self.read_only.as_deref() == Some(dir);
        Ok(Volume { kind: self.kind.unwrap_or("ext4").into(), device: (0, 0), own, read_only })
    }
    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        match &self.tight {
            Some((tight, bytes)) if tight == dir => Ok(*bytes),
            _ => self.inner.free_space(dir),
        }
    }
    fn create(&self, path: &Path, size: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.refuses(path)?;
        let inner = self.inner.create(path, size)?;
        Ok(Arc::new(OddFile { disk: self.clone(), path: path.to_owned(), inner }))
    }
    fn open(&self, path: &Path, writable: bool) -> io::Result<Arc<dyn DiskFile>> {
        if writable {
            self.refuses(path)?;
        }
        let inner = self.inner.open(path, writable)?;
        Ok(Arc::new(OddFile { disk: self.clone(), path: path.to_owned(), inner }))
    }
    fn delete(&self, path: &Path) -> io::Result<()> {
        self.refuses(path)?;
        self.inner.delete(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Option<LockGuard>> {
        self.refuses(path)?;
        self.inner.lock(path)
    }
}

fn prepare(spec: &RingSpec, disk: &Odd, clock: &Arc<SimClock>) -> Result<(Core, Vec<LockGuard>), RingError> {
    crate::recorder::prepare(spec.clone(), Arc::new(disk.clone()), clock.clone(), signer())
}

fn states(core: &Core) -> Vec<PathState> {
    core.status().lock().unwrap().paths.iter().map(|p| p.state).collect()
}

/// A ring over two disks, some time after its start, and the disk as a power cut leaves it.
fn lived(tenths: u64) -> (Village, ModelDisk) {
    let mut v = Village::new(&two_paths(), sources(), 4);
    v.live(tenths);
    let after = v.disk.cut(|_| true);
    (v, after)
}

fn block_files(disk: &ModelDisk, dir: &str) -> usize {
    disk.list(&PathBuf::from(dir)).unwrap().iter().filter(|(name, _)| name.starts_with("block-")).count()
}

#[test]
fn a_disk_that_dies_has_a_name_a_time_and_its_errors_counted_until_it_is_back() {
    let mut v = Village::new(&two_paths(), sources(), 4);
    v.live(60);
    assert_eq!(states(&v.core), [PathState::Ok, PathState::Ok]);
    v.disk.fail(&PathBuf::from(TWO), Fault::Gone);
    v.live(300);
    let status = v.core.status().lock().unwrap().clone();
    assert_eq!(status.paths[1].state, PathState::Failing);
    assert!(status.paths[1].since.is_some_and(|t| t > NOON) && !status.paths[1].detail.is_empty(), "{:?}", status.paths);
    assert!(status.paths[1].write_errors > 0 && status.paths[0].write_errors == 0);
    assert_eq!(status.state, crate::RingState::Ok, "recording goes on: {}", status.detail);
    assert_eq!(status.available * 2, status.size, "half of the days are left");
    // What cannot be read is counted as well.
    let two: Vec<_> = v.all(&v.reader).into_iter().filter(|r| v.spec.place(r.slot).0 == 1).collect();
    assert!(two.iter().all(|r| v.reader.read(r).is_err()) && !two.is_empty());
    v.live(3);
    assert!(v.core.status().lock().unwrap().paths[1].read_errors as usize >= two.len());
    v.disk.heal();
    v.live(4000);
    let back = v.core.status().lock().unwrap().paths[1].clone();
    assert_eq!((back.state, back.since), (PathState::Ok, None), "{back:?}");
}

#[test]
fn a_ring_starts_without_a_disk_that_is_gone_and_takes_it_back_with_all_it_holds() {
    // Large enough that nothing is recycled meanwhile.
    let big = RingSpec { size: 60 * (64 << 10), ..two_paths() };
    let mut v = Village::new(&big, sources(), 4);
    v.live(200);
    let disk = v.disk.cut(|_| true);
    let before = v.all(&v.reader);
    disk.fail(&PathBuf::from(TWO), Fault::Gone);
    let (mut given, clock, mut old) = (std::mem::take(&mut v.given), v.clock.clone(), std::mem::take(&mut v.sources));
    drop(v);
    old.iter_mut().for_each(|s| (s.count, s.loss) = (0, true));
    let mut v = Village::on(disk, clock.clone(), &big, old, 5);
    assert_eq!(states(&v.core), [PathState::Ok, PathState::Missing]);
    let half: Vec<_> = before.iter().filter(|r| v.spec.place(r.slot).0 == 0).cloned().collect();
    assert_eq!(v.all(&v.reader), half, "nothing of the disk that is there is lost");
    v.live(100);
    let newest = v.core.status().lock().unwrap().newest.unwrap();
    assert!(domain::Clock::wall(&*v.clock).micros_since(newest) < 1_000_000, "it records");
    given.append(&mut v.given);
    v.core.finish();
    let now = v.all(&v.reader);
    assert!(now.iter().all(|r| v.spec.place(r.slot).0 == 0));
    let after = v.disk.cut(|_| true);
    drop(v);
    // The disk is back, with recordings under numbers that this run did not know: none was given twice, nothing is told as changed.
    let (core, _l) = start(&big, &after, &clock);
    assert_eq!(states(&core), [PathState::Ok, PathState::Ok]);
    let mut sequences: Vec<_> = core.catalog().slots().iter().map(|s| s.sequence).filter(|s| *s > 0).collect();
    let count = sequences.len();
    sequences.sort_unstable();
    sequences.dedup();
    assert_eq!(sequences.len(), count);
    let reader = Reader::of(core.catalog().clone());
    let ids = [Source::new("a", StreamKind::Video, 1).id, Source::new("b", StreamKind::Video, 1).id];
    let all: Vec<_> = ids.iter().flat_map(|id| reader.records(id, super::EVER.0, super::EVER.1).unwrap()).collect();
    let second = before.iter().filter(|r| big.place(r.slot).0 == 1).count();
    assert_eq!(all.len(), now.len() + second, "everything of both disks is there");
    for r in &all {
        for (dts, data) in super::samples_of(&reader.read(r).unwrap()) {
            assert_eq!(given.get(&(r.stream.clone(), dts)), Some(&data));
        }
    }
    drop((core, _l));
    let verdict = inspect::verify(big, Arc::new(after), Some(signer().public_key()), |_, _| {}).unwrap();
    assert!(verdict.findings.iter().all(|f| f.what == inspect::What::Footer), "{:?}", verdict.findings);
}

#[test]
fn a_mount_point_without_its_disk_stays_empty() {
    let (v, disk) = lived(60);
    let clock = v.clock.clone();
    drop(v);
    for file in disk.list(&PathBuf::from(TWO)).unwrap() {
        disk.remove(&PathBuf::from(TWO).join(file.0));
    }
    let odd = Odd { inner: disk.clone(), unmounted: Some(TWO.into()), ..Odd::default() };
    let mut known = two_paths();
    known.mounted = known.paths.clone();
    let (mut core, locks) = prepare(&known, &odd, &clock).unwrap();
    assert_eq!(states(&core), [PathState::Ok, PathState::Unmounted]);
    core.finish();
    assert_eq!(disk.list(&PathBuf::from(TWO)).unwrap(), [], "not even a lock");
    drop((core, locks));
    // A folder that never was a mount point is laid out as ever.
    let (core, _l) = prepare(&two_paths(), &odd, &clock).unwrap();
    assert_eq!(states(&core), [PathState::Ok, PathState::Ok]);
    // All unmounted: nothing starts, and it is said why.
    let odd = Odd { unmounted: Some(ONE.into()), ..Odd::default() };
    let mut one = spec(6, 64 << 10);
    one.paths = vec![ONE.into()];
    one.mounted = one.paths.clone();
    let refused = prepare(&one, &odd, &clock).map(drop).unwrap_err();
    assert!(matches!(refused, RingError::NoPath { .. }) && refused.to_string().contains("/etc/fstab"), "{refused}");
}

#[test]
fn a_new_disk_in_the_place_of_another_is_laid_out_and_used() {
    let (mut v, disk) = lived(200);
    let before: Vec<_> = v.all(&v.reader).into_iter().filter(|r| v.spec.place(r.slot).0 == 0).collect();
    let (clock, old) = (v.clock.clone(), std::mem::take(&mut v.sources));
    drop(v);
    for file in disk.list(&PathBuf::from(TWO)).unwrap() {
        disk.remove(&PathBuf::from(TWO).join(file.0));
    }
    let mut known = two_paths();
    known.mounted = known.paths.clone();
    let mut v = Village::on(disk.clone(), clock, &known, old, 5);
    v.sources.iter_mut().for_each(|s| s.loss = true);
    assert_eq!(states(&v.core), [PathState::Ok, PathState::Ok]);
    assert_eq!(v.all(&v.reader), before);
    assert_eq!(block_files(&disk, TWO), 6);
    v.live(40);
    let used = v.core.catalog().slots().iter().enumerate().filter(|(n, s)| known.place(*n).0 == 1 && s.records > 0).count();
    assert!(used > 0, "the new disk takes the next blocks");
    verify(&v.reader, &v.all(&v.reader).into_iter().filter(|r| !before.contains(r)).collect::<Vec<_>>(), &v.given);
    // It belongs to the ring from now on.
    let (core, _l) = start(&known, &v.disk.cut(|_| true), &v.clock);
    assert_eq!(states(&core), [PathState::Ok, PathState::Ok]);
}

#[test]
fn a_new_disk_that_is_too_small_is_named_and_the_others_record() {
    let (v, disk) = lived(60);
    let clock = v.clock.clone();
    drop(v);
    for file in disk.list(&PathBuf::from(TWO)).unwrap() {
        disk.remove(&PathBuf::from(TWO).join(file.0));
    }
    let odd = Odd { inner: disk, tight: Some((TWO.into(), 100_000)), ..Odd::default() };
    let (core, _l) = prepare(&two_paths(), &odd, &clock).unwrap();
    assert_eq!(states(&core), [PathState::Ok, PathState::Full]);
    let detail = core.status().lock().unwrap().paths[1].detail.clone();
    assert!(detail.contains("393216") && detail.contains("100000"), "{detail}");
}

#[test]
fn a_disk_that_only_reads_keeps_what_it_has_readable() {
    let (mut v, _) = lived(200);
    v.core.finish();
    let disk = v.disk.cut(|_| true);
    let before = v.all(&v.reader);
    let (clock, given) = (v.clock.clone(), std::mem::take(&mut v.given));
    drop(v);
    let odd = Odd { inner: disk, read_only: Some(TWO.into()), ..Odd::default() };
    let (mut core, _l) = prepare(&two_paths(), &odd, &clock).unwrap();
    assert_eq!(states(&core), [PathState::Ok, PathState::ReadOnly]);
    let reader = Reader::of(core.catalog().clone());
    for r in &before {
        reader.read(r).unwrap();
    }
    verify(&reader, &before, &given);
    // Nothing is asked of it, not even in a year.
    for _ in 0..2000 {
        clock.advance(std::time::Duration::from_secs(60));
        core.tick();
    }
    assert_eq!(core.status().lock().unwrap().paths[1].write_errors, 0);
    assert_eq!(core.status().lock().unwrap().errors, 0);
}

#[test]
fn other_file_systems_are_refused_by_name() {
    let clock = Arc::new(SimClock::at(NOON));
    let odd = Odd { kind: Some("btrfs"), ..Odd::default() };
    let refused = prepare(&two_paths(), &odd, &clock).map(drop).unwrap_err();
    let said = refused.to_string();
    assert!(matches!(refused, RingError::FileSystem { .. }), "{said}");
    for word in ["btrfs", "/one", "ext4 and xfs", "mkfs.ext4"] {
        assert!(said.contains(word), "{said}");
    }
    let any = RingSpec { any_filesystem: true, ..two_paths() };
    prepare(&any, &odd, &clock).unwrap();
}

#[test]
fn a_layout_that_was_cut_off_goes_on_where_it_was_and_tells_how_far_it_is() {
    let (disk, clock) = (ModelDisk::new(), Arc::new(SimClock::at(NOON)));
    let ring = |n: usize| PathBuf::from(format!("/one/block-{n:05}.mtr"));
    // Two are whole, one got a part of its space, one none.
    for (n, len) in [(0, 64 << 10), (1, 64 << 10), (2, 20 << 10), (3, 0)] {
        disk.create(&ring(n), len).unwrap();
    }
    let mut seen: Vec<Progress> = Vec::new();
    let disk: Arc<dyn Disk> = Arc::new(disk);
    let opened = Recorder::open_telling(two_paths(), disk.clone(), clock, signer(), &mut |p| seen.push(p));
    opened.unwrap().close().unwrap();
    assert_eq!(seen.first().map(|p| (p.done, p.total)), Some((0, 10)));
    assert_eq!(seen.last().map(|p| (p.done, p.total)), Some((10, 10)));
    assert!(seen.windows(2).all(|w| w[0].done <= w[1].done));
    for n in 0..6 {
        assert_eq!(disk.open(&ring(n), false).unwrap().len().unwrap(), 64 << 10);
    }
    // A shorter block that holds something is none of this layout's.
    let other = ModelDisk::new();
    other.create(&ring(0), 32 << 10).unwrap().write_all_at(&[IoSlice::new(b"MTBK")], 0).unwrap();
    let refused = Recorder::open(two_paths(), Arc::new(other), Arc::new(SimClock::at(NOON)), signer()).unwrap_err();
    assert!(refused.to_string().contains("blocks of 32768 bytes"), "{refused}");
}

#[test]
fn a_rebuild_scans_each_block_once() {
    let (mut v, _) = lived(200);
    v.core.finish();
    let disk = v.disk.cut(|_| true);
    for (slot, _) in v.core.catalog().slots().iter().enumerate() {
        disk.flip(&v.spec.file(slot), v.spec.data_limit(), 0xff);
    }
    let odd = Odd { inner: disk, ..Odd::default() };
    let rebuilt = inspect::rebuild(&v.spec, &odd, &*signer(), NOON).unwrap();
    assert!(rebuilt.footers > 2, "{rebuilt:?}");
    // Batches and the records in them come with the same large reads.
    let reads = odd.reads.lock().unwrap();
    for (slot, held) in v.core.catalog().slots().iter().enumerate().filter(|(_, s)| s.records > 0) {
        let read = reads.get(&v.spec.file(slot)).copied().unwrap_or(0);
        let data = held.data_end as usize;
        assert!((data / 2..data + data / 2).contains(&read), "block {}: {read} bytes read of {data}", held.sequence);
    }
}

#[test]
fn a_new_ring_whose_second_disk_is_too_small_is_refused_each_time() {
    let clock = Arc::new(SimClock::at(NOON));
    let odd = Odd { tight: Some((TWO.into(), 100_000)), ..Odd::default() };
    for _ in 0..2 {
        let refused = prepare(&two_paths(), &odd, &clock).map(drop).unwrap_err();
        assert!(matches!(&refused, RingError::Space { path, free: 100_000, .. } if path == Path::new(TWO)), "{refused}");
        assert_eq!(block_files(&odd.inner, ONE), 0, "half a ring would be one whose other disk is away");
    }
    // Two paths on one disk, which has room for either and not for both.
    let disk = ModelDisk::new();
    disk.set_free(500_000);
    let refused = crate::recorder::prepare(two_paths(), Arc::new(disk.clone()), clock.clone(), signer()).map(drop).unwrap_err();
    assert!(matches!(refused, RingError::Space { need: 786_432, .. }), "{refused}");
    disk.set_free(900_000);
    crate::recorder::prepare(two_paths(), Arc::new(disk), clock, signer()).unwrap();
}

#[test]
fn an_index_that_one_disk_refuses_at_a_start_does_not_keep_the_ring_from_recording() {
    for new in [true, false] {
        let (clock, disk) = if new {
            (Arc::new(SimClock::at(NOON)), ModelDisk::new())
        } else {
            let (v, disk) = lived(200);
            // It must be written anew.
            disk.remove(&PathBuf::from(ONE).join("ring.index"));
            (v.clock.clone(), disk)
        };
        disk.fail(&PathBuf::from(TWO).join("ring.index"), Fault::Write);
        let mut v = Village::on(disk.clone(), clock, &two_paths(), sources(), 5);
        assert_eq!(states(&v.core)[1], PathState::Failing);
        let held = v.all(&v.reader).len();
        assert_eq!(held == 0, new, "what lies there is shown");
        v.live(30);
        let status = v.core.status().lock().unwrap().clone();
        assert_eq!(status.state, crate::RingState::Ok, "{}", status.detail);
        assert!(domain::Clock::wall(&*v.clock).micros_since(status.newest.unwrap()) < 1_000_000);
        assert!(v.all(&v.reader).iter().any(|r| r.entry.wall > NOON.plus(std::time::Duration::from_secs(if new { 1 } else { 20 }))));
    }
}

#[test]
fn a_path_taken_out_and_put_back_repeats_no_number() {
    let one = RingSpec { size: 30 * (64 << 10), ..spec(30, 64 << 10) };
    let (one, both) = (
        RingSpec { paths: vec![ONE.into()], ..one.clone() },
        RingSpec { size: 60 * (64 << 10), paths: vec![ONE.into(), TWO.into()], ..one },
    );
    let swap = |disk: &ModelDisk, from: &str, to: &str| {
        for (name, _) in disk.list(Path::new(from)).unwrap() {
            let (a, b) = (Path::new(from).join(&name), Path::new(to).join(&name));
            let file = disk.open(&a, false).unwrap();
            let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
            file.read_at(0, &mut bytes).unwrap();
            let copy = disk.create(&b, bytes.len() as u64).unwrap();
            copy.write_all_at(&[IoSlice::new(&bytes)], 0).unwrap();
            copy.sync_data().unwrap();
            disk.settle(&b).unwrap();
            disk.remove(&a);
        }
    };
    let clock = Arc::new(SimClock::at(NOON));
    let lives = |disk: &ModelDisk, spec: &RingSpec| {
        let mut v = Village::on(disk.clone(), clock.clone(), spec, sources(), 5);
        v.live(150);
        v.core.finish();
        let mut all: Vec<_> = v.core.catalog().slots().iter().map(|s| s.sequence).filter(|s| *s > 0).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "a number was given twice");
        (all, v.disk.cut(|_| true))
    };
    // Taken out of `paths`, and put back.
    let (first, disk) = lives(&ModelDisk::new(), &both);
    let (second, disk) = lives(&disk, &one);
    let (third, _) = lives(&disk, &both);
    assert!(second.last() > first.last() && third.last() > second.last());
    assert!(third.len() > first.len() && third.iter().filter(|s| first.contains(s)).count() == first.len(), "all of both is there");
    // Another disk in its place, and the first one back.
    let (first, disk) = lives(&ModelDisk::new(), &both);
    swap(&disk, TWO, "/shelf");
    let (_, disk) = lives(&disk, &both);
    disk.list(Path::new(TWO)).unwrap().iter().for_each(|(name, _)| disk.remove(&Path::new(TWO).join(name)));
    swap(&disk, "/shelf", TWO);
    let (third, _) = lives(&disk, &both);
    assert!(third.iter().filter(|s| first.contains(s)).count() == first.len());
}

#[test]
fn a_ring_whose_first_layout_failed_on_one_disk_keeps_one_name() {
    let (disk, clock) = (ModelDisk::new(), Arc::new(SimClock::at(NOON)));
    disk.fail(&PathBuf::from(TWO).join("block-00003.mtr"), Fault::Write);
    let (mut core, locks) = start(&two_paths(), &disk, &clock);
    core.finish();
    drop((core, locks));
    disk.heal();
    let (core, _l) = start(&two_paths(), &disk, &clock);
    assert_eq!(states(&core), [PathState::Ok, PathState::Ok]);
}
