//! The layout: every block file gets its space before the first sample comes. Which folders take part is known by then
//! (`paths`); what the files hold is looked at afterwards (`start`).

use super::start::io_error;
use crate::{
    catalog::index_size,
    disk::Disk,
    error::RingError,
    format::block::BLOCK_HEADER,
    paths::{PathState, Paths, none_left},
    spec::{INDEX_NAME, RingSpec, block_name},
};
use domain::WallTime;
use std::{
    collections::{BTreeSet, HashMap},
    io,
    path::Path,
};

/// What the layout of a ring has come to, for whoever waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Block files that have their space, and all that need it in this start.
    pub done: u64,
    /// All block files that lacked their space when the start began.
    pub total: u64,
    /// Bytes of one.
    pub block_size: u64,
}

/// What the layout found.
#[derive(Debug, Default)]
pub(crate) struct Laid {
    /// No path has a block of an earlier run.
    pub(crate) all_new: bool,
    /// Paths that had none: a disk that was put in the place of another.
    pub(crate) fresh: BTreeSet<usize>,
}

/// Reserves the space of every block. A layout that was cut off goes on where it was. A path that refuses is left out as
/// long as there is another.
pub(crate) fn allocate(
    spec: &RingSpec,
    disk: &dyn Disk,
    paths: &Paths,
    now: WallTime,
    progress: &mut dyn FnMut(Progress),
) -> Result<Laid, RingError> {
    let mut laid = Laid { all_new: true, ..Laid::default() };
    let mut missing: Vec<(usize, Vec<usize>)> = Vec::new();
    for (n, dir) in spec.paths.iter().enumerate().filter(|(n, _)| paths.is_readable(*n)) {
        match lacking(spec, disk, n) {
            Ok((found, lacks)) => {
                laid.all_new &= !found;
                if !found {
                    laid.fresh.insert(n);
                }
                missing.push((n, lacks));
            }
            Err(RingError::Io { what, source, .. }) => {
                paths.leave_out(n, PathState::Missing, format!("cannot {what} {}: {source}", dir.display()), now);
            }
            Err(other) => return Err(other),
        }
    }
    missing.retain(|(n, _)| paths.is_in(*n));
    if laid.all_new {
        fits(spec, disk, &missing)?;
    }
    let total = missing.iter().map(|(_, lacks)| lacks.len() as u64).sum();
    let mut step = Progress { done: 0, total, block_size: spec.block_size };
    for (n, lacks) in missing {
        let Some(dir) = spec.paths.get(n) else { continue };
        let fresh = laid.fresh.contains(&n);
        if let Err(error) = lay_out(spec, disk, n, &lacks, &mut step, progress) {
            let state = match &error {
                // Of a disk that holds recordings of this ring less is asked in vain: whoever wrote `size` must know.
                RingError::Space { .. } if fresh && !laid.all_new => PathState::Full,
                RingError::Io { source, .. } if source.kind() != io::ErrorKind::StorageFull => PathState::Failing,
                _ => return Err(error),
            };
            paths.leave_out(n, state, error.to_string(), now);
            tracing::warn!(ring = %spec.name, path = %dir.display(), "could not be laid out");
        }
    }
    none_left(spec, paths)?;
    Ok(laid)
}

/// Whether a new ring finds its space, before any of it is taken: half a ring would be taken for one whose other disk is away.
fn fits(spec: &RingSpec, disk: &dyn Disk, missing: &[(usize, Vec<usize>)]) -> Result<(), RingError> {
    let mut asked: HashMap<(u32, u32), u64> = HashMap::new();
    for (n, lacks) in missing {
        let Some(dir) = spec.paths.get(*n) else { continue };
        let free = disk.free_space(dir).map_err(io_error(spec, "measure", dir))?;
        let device = disk.volume(dir).map_err(io_error(spec, "look at", dir))?.device;
        // Two paths may lie on one disk.
        let need = asked.entry(device).or_default();
        *need = need.saturating_add(lacks.len() as u64 * spec.block_size);
        if free < *need {
            return Err(RingError::Space { ring: spec.name.clone(), path: dir.clone(), need: *need, free });
        }
    }
    Ok(())
}

/// Whether a path has blocks of an earlier run, and the numbers of those without their space.
fn lacking(spec: &RingSpec, disk: &dyn Disk, n: usize) -> Result<(bool, Vec<usize>), RingError> {
    let dir = spec.paths.get(n).cloned().unwrap_or_default();
    let have: HashMap<String, u64> = disk.list(&dir).map_err(io_error(spec, "list", &dir))?.into_iter().collect();
    let (mut found, mut missing) = (false, Vec::new());
    for number in 0..spec.blocks_in(n) {
        let name = block_name(number);
        match have.get(&name) {
            Some(&len) if len == spec.block_size => found = true,
            // A cut may have left a file without its space, or with a part of it.
            Some(0) | None => missing.push(number),
            Some(&len) if len < spec.block_size && is_blank(disk, &dir.join(&name)) => missing.push(number),
            Some(&len) => {
                let reason = format!(
                    "{} holds blocks of {len} bytes ({name}), the configuration asks for {}: set the old block size, or move the files away to begin anew",
                    dir.display(),
                    spec.block_size
                );
                return Err(RingError::Spec { ring: spec.name.clone(), reason });
            }
        }
    }
    Ok((found, missing))
}

/// Whether nothing was ever written to a block.
fn is_blank(disk: &dyn Disk, path: &Path) -> bool {
    let mut page = vec![0; BLOCK_HEADER];
    let read = disk.open(path, false).and_then(|f| f.read_at(0, &mut page));
    read.is_ok() && page.iter().all(|&b| b == 0)
}

fn lay_out(
    spec: &RingSpec,
    disk: &dyn Disk,
    n: usize,
    lacks: &[usize],
    step: &mut Progress,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), RingError> {
    let dir = spec.paths.get(n).cloned().unwrap_or_default();
    let need = lacks.len() as u64 * spec.block_size;
    if need > 0 {
        let free = disk.free_space(&dir).map_err(io_error(spec, "measure", &dir))?;
        if free < need {
            return Err(RingError::Space { ring: spec.name.clone(), path: dir, need, free });
        }
        progress(*step);
        for number in lacks {
            let path = dir.join(block_name(*number));
            disk.reserve(&path, spec.block_size).map_err(io_error(spec, "reserve", &path))?;
            step.done += 1;
            progress(*step);
        }
        if let Some(last) = lacks.last().map(|number| dir.join(block_name(*number))) {
            disk.settle(&last).map_err(io_error(spec, "sync", &last))?;
        }
    }
    let path = dir.join(INDEX_NAME);
    disk.create(&path, index_size(spec.blocks_in(n))).map_err(io_error(spec, "create", &path))?;
    Ok(())
}
