//! The start: the index, corrected where it is stale. Bounded by one block's batches, whatever the ring's size. What a cut left open
//! is looked at in `recovery`.

use super::{core::Found, layout::Laid, recovery};
use crate::{
    catalog::{Catalog, Index, index_size, read_index, summary_from_block},
    disk::{Disk, read_exact_at},
    error::RingError,
    format::{
        PAGE,
        index::{BlockSummary, INDEX_ENTRY, INDEX_HEADER, IndexHeader},
    },
    paths::{PathState, Paths, none_left},
    recover::block_header,
    sign::Signer,
    spec::{INDEX_NAME, RingSpec, SPANS_NAMES, block_name},
};
use domain::{Clock, ClockTrust, WallTime};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Every start without one of the paths the ring had (away, replaced, or taken out) begins a new era: sequences of another are a multiple of this apart, and the
/// chains of streams need not go on from one to the other.
pub const ERA: u64 = 1 << 32;
/// How many of the blocks to be overwritten next are looked at, in case the index missed that they are new already.
const SUSPECTS: usize = 4;

pub(crate) fn io_error<'a>(spec: &'a RingSpec, what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> RingError + use<'a> {
    move |source| RingError::Io { ring: spec.name.clone(), what, path: path.to_owned(), source }
}

/// Where nothing of a ring is there yet, the index comes first: a cut while the space is being reserved must not leave a ring
/// whose next start reads every block to find all of them empty.
pub(crate) fn begin(spec: &RingSpec, disk: &dyn Disk, paths: &Paths, clock: &dyn Clock, signer: &dyn Signer) -> Result<(), RingError> {
    let begun = |dir: &Path| {
        let mut front = [0; INDEX_HEADER];
        let index = disk.open(&dir.join(INDEX_NAME), false);
        // An index of zeros is one that a cut left here.
        index.is_ok_and(|f| read_exact_at(&*f, 0, &mut front).is_ok() && IndexHeader::parse(&front).is_ok())
            || disk.list(dir).is_ok_and(|files| files.iter().any(|(name, _)| name.starts_with("block-")))
    };
    let fits = |n: usize, dir: &Path| disk.free_space(dir).is_ok_and(|free| free >= spec.blocks_in(n) as u64 * spec.block_size);
    // That space is missing is told, with numbers, by what reserves it; nothing is left behind then. A ring some of whose disks are
    // away is not a new one.
    if spec.paths.iter().enumerate().any(|(n, dir)| !paths.is_in(n) || begun(dir) || !fits(n, dir)) {
        return Ok(());
    }
    let ring = new_ring(spec, clock, signer);
    for (n, dir) in spec.paths.iter().enumerate() {
        let path = dir.join(INDEX_NAME);
        let done = disk.create(&path, index_size(spec.blocks_in(n))).map(drop);
        let done = done.and_then(|()| write_index(spec, disk, n, spec.paths.len(), ring, &[]));
        go_without(spec, paths, n, clock.wall(), done.map_err(|e| (e, "create", path)))?;
    }
    Ok(())
}

/// A ring of several paths goes on without one that refuses.
fn go_without(
    spec: &RingSpec,
    paths: &Paths,
    n: usize,
    now: WallTime,
    done: Result<(), (io::Error, &'static str, PathBuf)>,
) -> Result<(), RingError> {
    let Err((error, what, path)) = done else { return Ok(()) };
    if paths.count_in() < 2 {
        return Err(io_error(spec, what, &path)(error));
    }
    paths.leave_out(n, PathState::of(&error), format!("cannot {what} {}: {error}", path.display()), now);
    none_left(spec, paths)
}

/// Slots beyond the ring's size that have whole block files, ascending: the ring was larger once.
fn leftover(spec: &RingSpec, disk: &dyn Disk, paths: &Paths) -> Result<Vec<usize>, RingError> {
    let mut slots = Vec::new();
    for (n, dir) in spec.paths.iter().enumerate().filter(|(n, _)| paths.is_in(*n)) {
        let names = disk.list(dir).map_err(io_error(spec, "list", dir))?;
        let have: HashSet<String> = names.into_iter().filter(|(_, len)| *len == spec.block_size).map(|(name, _)| name).collect();
        let beyond = (spec.blocks_in(n)..).take_while(|number| have.contains(&block_name(*number)));
        slots.extend(beyond.map(|number| number * spec.paths.len() + n));
    }
    slots.sort_unstable();
    Ok(slots)
}

/// Reads the index, corrects it where it is stale, and recovers what the last run left open.
pub(crate) fn find(
    spec: RingSpec,
    disk: Arc<dyn Disk>,
    clock: &dyn Clock,
    signer: &dyn Signer,
    paths: Paths,
    laid: &Laid,
) -> Result<(Catalog, Found), RingError> {
    // Where nothing of the ring is left, what lies beyond it is not known to be its own.
    let leftover = if laid.all_new { Vec::new() } else { leftover(&spec, &*disk, &paths)? };
    let wanted = spec.clone();
    let mut spec = spec;
    if let Some(last) = leftover.last() {
        tracing::warn!(
            ring = %spec.name, blocks = leftover.len(), bytes = leftover.len() as u64 * spec.block_size,
            "the ring was larger: the recordings in the blocks beyond its size are no longer shown, and their files are deleted when the next block is full"
        );
        // What goes may hold the newest chain heads: the start looks at everything there is.
        spec.size = (*last as u64 + 1) * spec.block_size;
    }
    if !leftover.is_empty() || paths.some_away() || !laid.fresh.is_empty() {
        // What is covered by blocks that go, or are not there, must not be remembered.
        forget_coverage(&spec, &*disk, &paths, clock.wall())?;
    }
    let mut index = read_index_or_new(&spec, &*disk, &paths, laid)?;
    for (slot, place) in index.slots.iter_mut().enumerate().skip(wanted.blocks()) {
        if leftover.binary_search(&slot).is_err() {
            *place = BlockSummary::default();
        }
    }
    // Of a ring whose other disks are away the name is known: they must find themselves in it when they are back.
    let ring = index.ring.or(spec.id.filter(|_| paths.some_away())).unwrap_or_else(|| new_ring(&spec, clock, signer));
    let mut anew = index.damaged > 0;
    if anew || stale(&spec, &*disk, &paths, ring, &mut index.slots) {
        for (slot, place) in index.slots.iter_mut().enumerate().filter(|(slot, _)| paths.is_readable(spec.place(*slot).0)) {
            let found = disk.open(&spec.file(slot), false).and_then(|f| summary_from_block(&*f, &spec, Some(ring)));
            *place = found.map(|(_, summary)| summary).unwrap_or_default();
        }
        anew = true;
    }
    // A disk taken out, or put in the place of another: what the ring no longer has may hold numbers as high, and come back.
    let newest = index.slots.iter().map(|s| s.sequence).max().unwrap_or(0);
    let numbered = |n: usize| index.slots.iter().enumerate().any(|(slot, s)| spec.place(slot).0 == n && s.sequence > 0);
    let bare = (0..spec.paths.len()).filter(|n| !numbered(*n)).count();
    let fewer = newest >= spec.paths.len() as u64 && index.paths > spec.paths.len() - bare;
    if anew || index.ring.is_none() || !laid.fresh.is_empty() || index.differ {
        // That there were more is forgotten when the first block of the new era is there.
        let had = if fewer { index.paths } else { spec.paths.len() };
        for n in (0..spec.paths.len()).filter(|n| paths.is_in(*n)) {
            if let Err(error) = write_index(&spec, &*disk, n, had, ring, &index.slots) {
                // A cache, as in `write_index` of a block: the next start reads the blocks again.
                paths.refused(n, &error, clock.wall());
            }
        }
    }
    let sequence = newest;
    let catalog = Catalog::new(spec, disk, false, index.slots).with_paths(paths);
    let mut found = Found {
        ring,
        heads: BTreeMap::new(),
        unsealed: VecDeque::new(),
        sequence,
        last_seal: [0; 32],
        trust: ClockTrust::default(),
        leftover,
        recount: fewer,
    };
    recovery::recover(&catalog, clock, &mut found);
    if catalog.paths.some_away() || fewer {
        // The newest recordings may lie on what is not there, under numbers nobody here knows: none of them is given twice.
        found.sequence = (found.sequence | (ERA - 1)) + 1;
    }
    if found.leftover.is_empty() {
        return Ok((catalog, found));
    }
    found.unsealed.retain(|u| u.slot < wanted.blocks());
    Ok((catalog.shrunk(wanted), found))
}

fn forget_coverage(spec: &RingSpec, disk: &dyn Disk, paths: &Paths, now: WallTime) -> Result<(), RingError> {
    for (n, dir) in spec.paths.iter().enumerate().filter(|(n, _)| paths.is_in(*n)) {
        let mut all = SPANS_NAMES.iter().map(|name| dir.join(name));
        let done = all.try_for_each(|path| disk.delete(&path).map_err(|e| (e, "delete", path)));
        go_without(spec, paths, n, now, done)?;
    }
    Ok(())
}

fn read_index_or_new(spec: &RingSpec, disk: &dyn Disk, paths: &Paths, laid: &Laid) -> Result<Index, RingError> {
    if laid.all_new {
        // The name it was begun with, in whichever index that is: a second one would part the paths for ever.
        let named = |dir: &Path| {
            let mut front = [0; INDEX_HEADER];
            let file = disk.open(&dir.join(INDEX_NAME), false).ok()?;
            read_exact_at(&*file, 0, &mut front).ok()?;
            IndexHeader::parse(&front).ok().map(|h| h.ring)
        };
        let ring = spec.paths.iter().enumerate().filter(|(n, _)| paths.is_readable(*n)).find_map(|(_, dir)| named(dir));
        return Ok(Index { ring, slots: vec![BlockSummary::default(); spec.blocks()], damaged: 0, paths: 0, differ: true });
    }
    // A path that was laid out this moment holds nothing: that needs no look.
    read_index(spec, disk, |n| paths.is_readable(n) && !laid.fresh.contains(&n))
}

/// Corrects the blocks to be overwritten next where they are newer than their lines. Whether one is newer than the newest known:
/// then the index could not be written for long, and any other line may be wrong too.
fn stale(spec: &RingSpec, disk: &dyn Disk, paths: &Paths, ring: [u8; 16], slots: &mut [BlockSummary]) -> bool {
    let newest = slots.iter().map(|s| s.sequence).max().unwrap_or(0);
    let mut order: Vec<usize> = (0..slots.len()).filter(|n| paths.is_in(spec.place(*n).0)).collect();
    order.sort_by_key(|&n| slots.get(n).map_or((0, n), |s| (s.sequence, n)));
    let mut stale = false;
    for slot in order.into_iter().take(SUSPECTS) {
        let Ok(file) = disk.open(&spec.file(slot), false) else { continue };
        let (Ok(Some(header)), Some(line)) = (block_header(&*file), slots.get_mut(slot)) else { continue };
        stale |= header.sequence > newest;
        if header.sequence > line.sequence
            && let Ok((_, summary)) = summary_from_block(&*file, spec, Some(ring))
        {
            *line = summary;
        }
    }
    stale
}

/// The whole index of one path, of a ring that is said to have `had` so many.
pub(crate) fn write_index(
    spec: &RingSpec,
    disk: &dyn Disk,
    n: usize,
    had: usize,
    ring: [u8; 16],
    slots: &[BlockSummary],
) -> io::Result<()> {
    let blocks = spec.blocks_in(n);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let header = IndexHeader { ring, block_size: spec.block_size, blocks: count(blocks), paths: count(had) };
    let mut bytes = vec![0; usize::try_from(index_size(blocks)).unwrap_or(0)];
    let mut put = |at: usize, field: &[u8]| {
        if let Some(place) = bytes.get_mut(at..at + field.len()) {
            place.copy_from_slice(field);
        }
    };
    put(0, &header.to_bytes());
    for (slot, s) in slots.iter().enumerate().filter(|(slot, s)| spec.place(*slot).0 == n && s.sequence > 0) {
        put(PAGE as usize + spec.place(slot).1 * INDEX_ENTRY, &s.to_bytes());
    }
    let path = spec.paths.get(n).map(|dir| dir.join(INDEX_NAME)).unwrap_or_default();
    let file = disk.open(&path, true)?;
    file.write_all_at(&[IoSlice::new(&bytes)], 0)?;
    file.sync_data()
}

/// A name no other ring has: from when, where and by whom it was made.
fn new_ring(spec: &RingSpec, clock: &dyn Clock, signer: &dyn Signer) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(clock.boot_id());
    hash.update(clock.mono().0.to_le_bytes());
    hash.update(clock.wall().0.to_le_bytes());
    hash.update(signer.public_key());
    for path in &spec.paths {
        hash.update(path.as_os_str().as_encoded_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}
