//! The archive's directory: which files there are and where their bytes lie.

use super::{
    Verdict, What,
    source::{Metered, Source, Stretch},
};
use crate::package::plain;
use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{BufReader, Read},
};
use zip::{CompressionMethod, ZipArchive};

/// More files than a package ever has.
const MEMBERS_MAX: usize = 10_000;
/// Bytes read for the directory at most: with so many files and long names it has 3 MB. A made-up one of gigabytes is not taken
/// into memory.
const DIRECTORY_MAX: u64 = 32 << 20;
/// Bytes read for the local header of a file at most: a buffer's worth, and what follows from it.
const HEADER_MAX: u64 = 64 << 10;

/// One file.
pub(super) struct Member {
    pub(super) name: String,
    start: u64,
    len: u64,
}

/// A package's files.
pub(super) struct Archive<'a> {
    source: &'a dyn Source,
    members: BTreeMap<String, Member>,
}

impl<'a> Archive<'a> {
    /// Reads the directory; what cannot be a file of a package is told.
    pub(super) fn open(source: &'a dyn Source, verdict: &mut Verdict) -> Option<Self> {
        let left = Cell::new(DIRECTORY_MAX);
        let mut zip = ZipArchive::new(BufReader::new(Metered::new(Stretch::whole(source), &left))).ok()?;
        if zip.len() > MEMBERS_MAX {
            return None;
        }
        left.set(HEADER_MAX * zip.len() as u64);
        // Of two files of one name the directory gives the later one here, and somebody's unpacker the first.
        if zip.has_duplicate_names() {
            verdict.add(What::FileExtra, "");
        }
        let mut members = BTreeMap::new();
        // Where files lie, by their beginnings. Two in one place would be read twice, ten thousand of them ten thousand times.
        let mut taken: BTreeMap<u64, u64> = BTreeMap::new();
        for n in 0..zip.len() {
            let Ok(file) = zip.by_index_raw(n) else {
                verdict.add(What::Unreadable, "");
                continue;
            };
            let name = String::from_utf8_lossy(file.name_raw()).into_owned();
            let stored = file.compression() == CompressionMethod::Stored && file.size() == file.compressed_size();
            let place = file.data_start().filter(|_| stored && plain(&name));
            match place {
                Some(start) if !members.contains_key(&name) && apart(&mut taken, start, file.size()) => {
                    members.insert(name.clone(), Member { name, start, len: file.size() });
                }
                _ => verdict.add(What::FileExtra, &name),
            }
        }
        Some(Self { source, members })
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.get(name)
    }

    pub(super) fn read(&self, member: &Member) -> Stretch<'a> {
        Stretch::new(self.source, member.start, member.len)
    }

    /// A small file whole.
    pub(super) fn text(&self, name: &str, most: u64) -> Option<Vec<u8>> {
        let member = self.member(name).filter(|m| m.len <= most)?;
        let mut bytes = Vec::new();
        self.read(member).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 == member.len).then_some(bytes)
    }
}

/// Takes a place, unless some of it is taken. Empty files take none.
fn apart(taken: &mut BTreeMap<u64, u64>, start: u64, len: u64) -> bool {
    let Some(end) = start.checked_add(len) else { return false };
    let free = taken.range(..end).next_back().is_none_or(|(_, before)| *before <= start);
    if free && len > 0 {
        taken.insert(start, end);
    }
    free || len == 0
}
