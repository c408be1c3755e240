//! Every byte that counts, checked: headers, check sums, media hashes, chains, seals, and how seals follow one another.

use super::{
    block::{self, Examined},
    chains::{Chains, Step},
};
use crate::{
    disk::Disk,
    error::{Damage, RingError},
    format::{
        footer::{RecordEntry, SEAL_RECOVERED},
        index::{BlockState, BlockSummary},
    },
    reader::{Reader, RecordRef},
    spec::RingSpec,
    writer::start::ERA,
};
use domain::{StreamId, WallTime};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

/// More than these are counted and not listed.
const LISTED: usize = 10_000;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A record's header: the record is lost.
    RecordHeader,
    /// A record's payload: the record is lost.
    Payload,
    /// A record's samples are not those it was written with.
    MediaHash,
    /// A record does not follow from the one before it: something was put in its place.
    Chain,
    /// Records are not there.
    Missing,
    /// A directory of records: the records themselves are whole.
    Directory,
    /// The block's header: its records are whole.
    BlockHeader,
    /// A block that was full has no readable footer: its records are whole.
    Footer,
    /// The seal's signature is not its key's.
    Signature,
    /// The seal was made with another key than this box's.
    Key,
    /// The seal says otherwise than the records.
    Seal,
    /// The block sealed before this one is not there.
    BlockGone,
    /// The disk does not give it.
    Unreadable,
}

impl What {
    /// Whether recordings are lost or not to be trusted; the rest is repaired by `rebuild`.
    #[must_use]
    pub fn costs(self) -> bool {
        !matches!(self, Self::Directory | Self::BlockHeader | Self::Footer)
    }
}

/// Something wrong, and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What.
    pub what: What,
    /// Whose recording; none when it is the block's.
    pub stream: Option<String>,
    /// The damaged seconds: from …
    pub from: Option<WallTime>,
    /// … to.
    pub to: Option<WallTime>,
    /// The block's sequence.
    pub block: u64,
    /// Its file.
    pub path: PathBuf,
    /// From the file's start; 0 for what has no place.
    pub offset: u64,
    /// How many records.
    pub records: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// Blocks with recordings.
    pub blocks: u64,
    /// Records that are what was written.
    pub records: u64,
    /// Of them, records whose media hash could not be compared, for no init segment of their format is left.
    pub unhashed: u64,
    /// Bytes of records read.
    pub bytes: u64,
    /// Good seals.
    pub seals: u64,
    /// Blocks that were overwritten while they were read.
    pub passed: u64,
    /// Everything wrong, up to 10,000.
    pub findings: Vec<Finding>,
    /// How many findings there are in all.
    pub found: u64,
}

impl Verdict {
    /// Whether all that is there is what was written.
    #[must_use]
    pub fn good(&self) -> bool {
        self.found == 0
    }
}

/// Checks a whole ring, oldest block first. `key`: the box's own, with which every seal must be signed. `progress` is
/// called with blocks done and in all.
///
/// # Errors
/// When the ring cannot be laid out as the spec says.
pub fn verify(
    spec: RingSpec,
    disk: Arc<dyn Disk>,
    key: Option<[u8; 32]>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verdict, RingError> {
    let reader = super::reader(spec, disk)?;
    let mut order: Vec<(usize, BlockSummary)> = reader.blocks()?.into_iter().enumerate().filter(|(_, s)| s.sequence > 0).collect();
    order.sort_by_key(|(_, s)| s.sequence);
    let total = order.len() as u64;
    let newest = order.last().map_or(0, |(_, s)| s.sequence);
    let (links, digests) = (Vec::new(), HashSet::new());
    let (chains, verdict) = (Chains::default(), Verdict::default());
    let mut judge = Judge { reader: &reader, key, newest, chains, digests, links, after_gap: true, era: 0, verdict };
    for (n, (slot, s)) in order.into_iter().enumerate() {
        if s.state == BlockState::Erased {
            judge.after_gap = true;
        } else {
            judge.block(slot, s);
        }
        progress(n as u64 + 1, total);
    }
    judge.links();
    Ok(judge.verdict)
}

struct Judge<'a> {
    reader: &'a Reader,
    key: Option<[u8; 32]>,
    newest: u64,
    chains: Chains,
    /// Of every footer seen.
    digests: HashSet<[u8; 32]>,
    /// What each seal names as the one before it. Compared at the end: a footer that was refused once is sealed late.
    links: Vec<([u8; 32], usize, BlockSummary)>,
    /// What was sealed before the next block may rightly be gone.
    after_gap: bool,
    /// Of the last block seen: [`ERA`].
    era: u64,
    verdict: Verdict,
}

impl Judge<'_> {
    fn block(&mut self, slot: usize, s: BlockSummary) {
        let spec = self.reader.spec();
        let file = self.reader.file(slot);
        let examine = || file.as_ref().ok().map(|f| block::examine(&**f, spec));
        let seen = match examine() {
            Some(Ok(seen)) => seen,
            _ => return self.note(What::Unreadable, None, s.sequence, slot, 0, 1, Some((s.from, s.to))),
        };
        if seen.summary.sequence != s.sequence {
            // Recycled while others were read: what it held has expired.
            self.verdict.passed += 1;
            self.after_gap = true;
            return;
        }
        self.verdict.blocks += 1;
        if s.sequence / ERA != self.era {
            // A start without one of the disks: numbers and chains begin anew.
            (self.era, self.chains, self.after_gap) = (s.sequence / ERA, Chains::default(), true);
        }
        if seen.header.is_none() {
            self.note(What::BlockHeader, None, s.sequence, slot, 0, 0, Some((s.from, s.to)));
        }
        self.records(slot, &s, &seen);
        self.footer(slot, &s, &seen);
    }

    /// Every record that batches or footer know of.
    fn records(&mut self, slot: usize, s: &BlockSummary, seen: &Examined) {
        let scanned: HashSet<u32> = seen.scan.records.iter().map(|r| r.offset).collect();
        let mut all: BTreeMap<u32, (StreamId, RecordEntry)> = BTreeMap::new();
        let streams = seen.footer.iter().flat_map(|f| f.records.iter().map(move |r| (f.streams.get(usize::from(r.stream)), r)));
        for (stream, entry) in streams {
            if let Some(line) = stream {
                all.insert(entry.offset, (line.stream.clone(), *entry));
            }
        }
        for r in &seen.scan.records {
            all.entry(r.offset).or_insert_with(|| (r.header.stream.clone(), RecordEntry::of(&r.header, r.header_crc, 0, r.offset)));
        }
        let (mut undirected, before) = (0, self.verdict.found);
        for (offset, (stream, entry)) in all {
            let r = RecordRef { stream, block: s.sequence, entry, slot };
            let time = Some((entry.wall, entry.wall_end()));
            let what = match self.reader.read(&r) {
                Ok(record) => {
                    self.verdict.records += 1;
                    self.verdict.unhashed += u64::from(!record.media_verified);
                    self.verdict.bytes += u64::from(entry.len);
                    undirected += u64::from(!scanned.contains(&offset));
                    match self.chains.record(&record.header) {
                        Step::Good | Step::Twice => continue,
                        Step::Broken => (What::Chain, 1),
                        Step::Missing(n) => (What::Missing, n),
                    }
                }
                Err(RingError::Gone { .. }) => continue,
                Err(error) => {
                    self.chains.unreadable(&r.stream, entry.seq);
                    match error {
                        RingError::Damaged { what: Damage::Header(_), .. } => (What::RecordHeader, 1),
                        RingError::Damaged { what: Damage::MediaHash, .. } => (What::MediaHash, 1),
                        RingError::Damaged { .. } => (What::Payload, 1),
                        _ => (What::Unreadable, 1),
                    }
                }
            };
            self.note(what.0, Some(&r.stream), s.sequence, slot, offset.into(), what.1, time);
        }
        // Where a record of the last batch is damaged the scan goes no further: that is no damage of its own.
        if undirected > 0 && !(seen.scan.torn && self.verdict.found > before) {
            self.note(What::Directory, None, s.sequence, slot, 0, 0, Some((s.from, s.to)));
        }
        // Without a footer nobody knows whose the records were that a directory names and that cannot be read.
        if seen.footer.is_none() && seen.scan.damaged > 0 {
            self.note(What::RecordHeader, None, s.sequence, slot, 0, seen.scan.damaged.into(), Some((s.from, s.to)));
        }
    }

    fn footer(&mut self, slot: usize, s: &BlockSummary, seen: &Examined) {
        let at = self.reader.spec().data_limit();
        let whole = Some((s.from, s.to));
        let Some(footer) = &seen.footer else {
            // The newest block is being written, or was when the power went; any other had a footer once.
            if s.sequence != self.newest && s.records > 0 {
                self.note(What::Footer, None, s.sequence, slot, at, 0, whole);
            }
            self.after_gap = true;
            return;
        };
        let signed = footer.signed();
        if !signed {
            self.note(What::Signature, None, s.sequence, slot, at, 0, whole);
        }
        let expected = self.key.or(seen.header.as_ref().map(|h| h.public_key));
        if expected.is_some_and(|key| key != footer.public_key) {
            self.note(What::Key, None, s.sequence, slot, at, 0, whole);
        }
        for stream in self.chains.seal(footer) {
            self.note(What::Seal, Some(&stream), s.sequence, slot, at, 0, whole);
        }
        if !self.after_gap && footer.previous != [0; 32] {
            self.links.push((footer.previous, slot, *s));
        }
        self.digests.insert(footer.digest());
        // A footer written again later is another than the one that the next block named.
        self.after_gap = footer.flags & SEAL_RECOVERED != 0;
        self.verdict.seals += u64::from(signed);
    }

    fn links(&mut self) {
        for (previous, slot, s) in std::mem::take(&mut self.links) {
            if !self.digests.contains(&previous) {
                let at = self.reader.spec().data_limit();
                self.note(What::BlockGone, None, s.sequence, slot, at, 0, Some((s.from, s.to)));
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one finding")]
    fn note(
        &mut self,
        what: What,
        stream: Option<&StreamId>,
        block: u64,
        slot: usize,
        offset: u64,
        records: u64,
        time: Option<(WallTime, WallTime)>,
    ) {
        self.verdict.found += 1;
        if self.verdict.findings.len() < LISTED {
            let path = self.reader.spec().file(slot);
            let (from, to) = time.unzip();
            self.verdict.findings.push(Finding { what, stream: stream.map(ToString::to_string), from, to, block, path, offset, records });
        }
    }
}
