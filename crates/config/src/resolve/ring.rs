//! `[[ring]]`: sizes, paths and promises of the disk rings.

use super::{Given, age, name, path};
use crate::{
    needed::Ring,
    reader::Field,
    source::{Place, Source, Wrong, show},
    units, written,
};
use std::{path::Path, time::Duration};

const MIB: u64 = 1 << 20;
/// The design's block: large enough that seeks and footers do not count, small enough to recycle finely.
const BLOCK: std::ops::RangeInclusive<u64> = 8 * MIB..=256 * MIB;

/// The rings, and the names that cameras may use even when a ring has a mistake elsewhere.
pub(super) struct Rings {
    pub(super) rings: Option<Vec<Ring>>,
    pub(super) names: Vec<String>,
}

pub(super) fn rings(field: Field<Vec<written::Ring>>, base: &Path, keep: Option<Duration>, source: &mut Source<'_>) -> Rings {
    let Some((list, place)) = field.needed(source) else { return Rings { rings: None, names: Vec::new() } };
    if list.is_empty() {
        source.missing(&place, Wrong::new("there is no ring", format!("write {}", place.example)));
        return Rings { rings: None, names: Vec::new() };
    }
    let (mut names, mut folders) = (Given::default(), Given::default());
    let mut order = Vec::new();
    let rings: Vec<Option<Ring>> = list
        .into_iter()
        .map(|w| {
            if let Field::Is(text, _) = &w.name {
                order.push(text.clone());
            }
            ring(w, base, keep, &mut names, &mut folders, source)
        })
        .collect();
    Rings { rings: rings.into_iter().collect(), names: order }
}

fn ring(
    w: written::Ring,
    base: &Path,
    keep: Option<Duration>,
    names: &mut Given,
    folders: &mut Given,
    source: &mut Source<'_>,
) -> Option<Ring> {
    let ring_name = w.name.then(source, |t| name(&t)).needed(source).and_then(|(name, place)| {
        names.give("the name of a ring", &name, &place, source)?;
        Some(name)
    });
    let paths = w.paths.needed(source).and_then(|(list, place)| paths(&list, &place, base, folders, source));
    let sync = w.sync.then(source, |t| sync(&t)).or(Duration::from_millis(800));
    let max_age = w.max_age.then(source, |t| age(&t)).optional();
    let block_size = w.block_size.then(source, |t| block_size(&t)).optional();
    let size = w.size.then(source, |t| units::size(&t, "8TB").map(|bytes| (bytes, t)));
    let any_filesystem = w.any_filesystem.or(false);
    let (block_size, count) = (block_size?, paths.as_ref().map_or(1, Vec::len) as u64);
    let asked = block_size.map(|(b, _)| b);
    let size = size.then(source, |(bytes, text)| fits(bytes, &text, asked, count)).needed(source);
    let (size, block_size) = size?.0;
    let max_age = max_age?.map(|(d, _)| d).or(keep);
    Some(Ring { name: ring_name?, paths: paths?, size, block_size, sync: sync?, max_age, any_filesystem: any_filesystem? })
}

fn paths(list: &[String], place: &Place, base: &Path, folders: &mut Given, source: &mut Source<'_>) -> Option<Vec<std::path::PathBuf>> {
    if list.is_empty() {
        source.mistake(place, Wrong::new("the ring has no folder", "write [\"/video/main\"]"));
        return None;
    }
    let mut all = Vec::new();
    for text in list {
        match path(text, base) {
            Ok(path) => {
                folders.give("the folder of a ring", &path.to_string_lossy(), place, source)?;
                all.push(path);
            }
            Err(wrong) => source.mistake(place, wrong),
        }
    }
    (all.len() == list.len()).then_some(all)
}

fn sync(text: &str) -> Result<Duration, Wrong> {
    let sync = units::duration(text, "800ms")?;
    if sync < Duration::from_millis(300) || sync > Duration::from_secs(10) {
        return Err(Wrong::new(format!("{} is out of bounds", show(text)), "write 300ms to 10s: \"800ms\""));
    }
    Ok(sync)
}

fn block_size(text: &str) -> Result<u64, Wrong> {
    let bytes = units::size(text, "128MiB")?;
    if bytes % 4096 != 0 || !(MIB..=1024 * MIB).contains(&bytes) {
        let problem = format!("{} is no size of a block", show(text));
        return Err(Wrong::new(problem, "write 1MiB to 1GiB, a multiple of 4 KiB: \"128MiB\", or leave it out"));
    }
    Ok(bytes)
}

/// Size and block size, when enough blocks fit on each path. Without a block size the ring gets about 64 blocks
/// of a power of two in [`BLOCK`].
fn fits(bytes: u64, text: &str, asked: Option<u64>, paths: u64) -> Result<(u64, u64), Wrong> {
    let block = asked.unwrap_or_else(|| (1_u64 << (bytes / 64).max(1).ilog2()).clamp(*BLOCK.start(), *BLOCK.end()));
    let least = block.saturating_mul(Ring::BLOCKS_MIN).saturating_mul(paths.max(1));
    if bytes < least {
        let problem = format!("{} is too small for {} blocks of {} MiB on each path", show(text), Ring::BLOCKS_MIN, block.div_ceil(MIB));
        return Err(Wrong::new(problem, format!("write \"{}MiB\" or more", least.div_ceil(MIB))));
    }
    Ok((bytes, block))
}
