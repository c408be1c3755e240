//! Ranges of time to records, and records to bytes that are certainly what was written. Never blocks the writer.

mod samples;
mod times;
mod walk;

pub use samples::Picture;
pub use times::Span;

use crate::{
    builder_fingerprint,
    catalog::{Catalog, read_index},
    disk::{Disk, DiskFile, read_exact_at},
    error::{Damage, RingError},
    format::{
        FormatError,
        footer::RecordEntry,
        index::{BlockState, BlockSummary},
        observations,
        record::{FLAG_KEY, RECORD_HEADER, RecordHeader},
    },
    paths::Paths,
    recover,
    spec::RingSpec,
    table::BlockTable,
};
use bytes::Bytes;
use domain::{Format, StreamId, StreamKind};
use media::{
    fmp4::{Piece, parse_fragment, parse_init},
    hash::media_hash,
};
use rustix::io::Errno;
use std::{
    collections::{BTreeSet, HashMap},
    io,
    sync::{Arc, Mutex, PoisonError},
};

/// Formats remembered.
const FORMATS: usize = 256;

/// Where a record is, and what can be said without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRef {
    /// Whose.
    pub stream: StreamId,
    /// Sequence of its block: records are in order by block, then by `seq`.
    pub block: u64,
    /// The block's line of the table: times, flags, counts.
    pub entry: RecordEntry,
    pub(crate) slot: usize,
}

impl RecordRef {
    /// Whether it begins at a random access point, with its init segment in front.
    #[must_use]
    pub fn key(&self) -> bool {
        self.entry.flags & FLAG_KEY != 0
    }
}

/// A record, read and checked.
#[derive(Clone, Debug)]
pub struct Record {
    /// What it says about itself.
    pub header: RecordHeader,
    /// `[ftyp moov] moof mdat`, or an observations container.
    pub payload: Bytes,
    /// Whether the media hash was checked. It always is, unless no init segment of this format is left in reach; header
    /// and payload check sums are checked in any case.
    pub media_verified: bool,
}

/// Header and tables of a record, without its samples.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    pub(crate) header: RecordHeader,
    pub(crate) bytes: Vec<u8>,
}

/// Reads a ring. Cheap to clone; holds a bounded cache.
#[derive(Clone)]
pub struct Reader {
    catalog: Arc<Catalog>,
    formats: Arc<Mutex<HashMap<[u8; 16], Arc<Format>>>>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({})", self.catalog.spec.name)
    }
}

impl Reader {
    pub(crate) fn of(catalog: Arc<Catalog>) -> Self {
        Self { catalog, formats: Arc::default() }
    }

    /// Opens a ring read-only, beside a running daemon or without one. It writes nothing, also not to repair.
    ///
    /// # Errors
    /// When the ring is not there or laid out otherwise than the spec says.
    pub fn open(spec: RingSpec, disk: Arc<dyn Disk>) -> Result<Self, RingError> {
        spec.check()?;
        let paths = Paths::new(&spec);
        for (n, dir) in spec.paths.iter().enumerate() {
            let first = disk.list(dir).map(|names| names.into_iter().find(|(name, _)| *name == crate::spec::block_name(0)));
            match first {
                Ok(Some((_, len))) if len == spec.block_size => {}
                Ok(Some(_)) => {
                    let reason = format!("{} holds blocks of another size than {}: correct `block_size`", dir.display(), spec.block_size);
                    return Err(RingError::Spec { ring: spec.name, reason });
                }
                // The ring goes on without a disk that is gone, and so does whoever reads it.
                Ok(None) => paths.not_there(n, "it holds no block of a ring".into()),
                Err(error) => paths.not_there(n, error.to_string()),
            }
        }
        if paths.count_in() == 0 {
            let why: Vec<_> = paths.status().iter().map(|s| format!("{} ({})", s.path.display(), s.detail)).collect();
            let reason = format!("no ring with blocks of {} bytes lies in {}: correct `paths` and sizes", spec.block_size, why.join(", "));
            return Err(RingError::Spec { ring: spec.name, reason });
        }
        let index = read_index(&spec, &*disk, |n| paths.is_in(n))?;
        Ok(Self::of(Arc::new(Catalog::new(spec, disk, true, index.slots).with_paths(paths))))
    }

    /// How the ring is laid out.
    #[must_use]
    pub fn spec(&self) -> &RingSpec {
        &self.catalog.spec
    }

    /// The blocks in few words, in the order of the files.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn blocks(&self) -> Result<Vec<BlockSummary>, RingError> {
        self.catalog.refresh()?;
        Ok(self.catalog.slots())
    }

    /// Streams that the newest seal and the blocks behind it know. Empty when nothing can be read.
    #[must_use]
    pub fn streams(&self) -> Vec<StreamId> {
        let mut out = BTreeSet::new();
        if self.catalog.refresh().is_err() {
            return Vec::new();
        }
        for (slot, s) in self.in_order().into_iter().rev() {
            if let Ok(Some(table)) = self.catalog.table(slot, s.sequence) {
                out.extend(table.streams.iter().map(|s| s.stream.clone()));
                if s.state == BlockState::Sealed {
                    break;
                }
            }
        }
        out.into_iter().collect()
    }

    /// Blocks with recordings, oldest first.
    fn in_order(&self) -> Vec<(usize, BlockSummary)> {
        let live = |s: &BlockSummary| match s.state {
            BlockState::Sealed => s.records > 0,
            BlockState::Open => s.records > 0 || self.catalog.foreign,
            BlockState::Empty | BlockState::Erased => false,
        };
        let mut slots: Vec<_> = self.catalog.slots().into_iter().enumerate().filter(|(_, s)| live(s)).collect();
        slots.sort_by_key(|(_, s)| s.sequence);
        slots
    }

    fn damaged(&self, r: &RecordRef, what: Damage) -> RingError {
        self.catalog.note_damaged(r.block, r.entry.offset);
        self.damage(r, what)
    }

    fn damage(&self, r: &RecordRef, what: Damage) -> RingError {
        RingError::Damaged {
            ring: self.catalog.spec.name.clone(),
            block: r.block,
            path: self.catalog.spec.file(r.slot),
            offset: u64::from(r.entry.offset),
            what,
        }
    }

    /// Reads the first `len` bytes of a record and makes sure the block was not recycled meanwhile.
    fn bytes(&self, r: &RecordRef, len: usize) -> Result<Vec<u8>, RingError> {
        let gone = || RingError::Gone { ring: self.catalog.spec.name.clone(), block: r.block };
        let io = |e: io::Error| self.catalog.io("read", self.catalog.spec.file(r.slot), e);
        if !self.catalog.foreign && self.catalog.slot(r.slot).sequence != r.block {
            return Err(gone());
        }
        let file = self.catalog.file(r.slot).map_err(io)?;
        let mut bytes = vec![0; len];
        let read = read_exact_at(&*file, u64::from(r.entry.offset), &mut bytes);
        // The writer makes its header durable before it overwrites anything, so whoever sees old bytes sees the old header.
        // A header that cannot be read has rotted: then the record's own words must do, and its check sums.
        match (read, recover::block_header(&*file)) {
            (_, Ok(Some(h))) if h.sequence != r.block => Err(gone()),
            (Ok(()), Ok(_)) => Ok(bytes),
            (Ok(()), Err(e)) if bad_sector(&e) => Ok(bytes),
            // A sector of a file that answers otherwise; where the header is refused as well, the disk is away.
            (Err(e), Ok(_)) if bad_sector(&e) => {
                let error = io(e);
                tracing::warn!(%error, block = r.block, offset = r.entry.offset, "a record lies on a sector that cannot be read: a gap");
                self.catalog.note_unreadable(r.block, r.entry.offset);
                Err(self.damage(r, Damage::Sector))
            }
            (Err(e), _) | (_, Err(e)) => Err(io(e)),
        }
    }

    /// Records known to be damaged or unreadable, by block and offset.
    pub(crate) fn known_damaged(&self) -> BTreeSet<(u64, u32)> {
        self.catalog.damaged()
    }

    /// The table of a record's block, while it is that block's.
    pub(crate) fn block_table(&self, r: &RecordRef) -> Result<Option<Arc<BlockTable>>, RingError> {
        self.catalog.table(r.slot, r.block)
    }

    /// A block's file.
    pub(crate) fn file(&self, slot: usize) -> io::Result<Arc<dyn DiskFile>> {
        self.catalog.file(slot)
    }

    fn header(&self, r: &RecordRef, bytes: &[u8]) -> Result<RecordHeader, RingError> {
        let header = RecordHeader::parse(bytes).map_err(|e| self.unreadable(r, e))?;
        if header.block != r.block || header.seq != r.entry.seq || header.stream != r.stream || header.len() != u64::from(r.entry.len) {
            return Err(self.unreadable(r, FormatError::Value("record for its place")));
        }
        Ok(header)
    }

    fn unreadable(&self, r: &RecordRef, e: FormatError) -> RingError {
        // Erased blocks keep their header.
        if self.catalog.slot(r.slot).state == BlockState::Erased {
            return RingError::Gone { ring: self.catalog.spec.name.clone(), block: r.block };
        }
        self.damaged(r, Damage::Header(e))
    }

    /// Reads a record whole and checks header, payload and media hash.
    ///
    /// # Errors
    /// [`RingError::Gone`] when it was overwritten, [`RingError::Damaged`] when it is not what was written.
    pub fn read(&self, r: &RecordRef) -> Result<Record, RingError> {
        let (header, payload) = self.read_checked(r)?;
        let Some(format) = self.format(r, &header, &payload)? else {
            return Ok(Record { header, payload, media_verified: false });
        };
        let (base_dts, pieces, data) = self.pieces(r, &format, &payload)?;
        if base_dts != header.base_dts || media_hash(&format, base_dts, &pieces, data) != header.media_hash {
            return Err(self.damaged(r, Damage::MediaHash));
        }
        Ok(Record { header, payload, media_verified: true })
    }

    fn pieces<'a>(&self, r: &RecordRef, format: &Format, payload: &'a [u8]) -> Result<(u64, Vec<Piece>, &'a [u8]), RingError> {
        let bad = || self.damaged(r, Damage::Structure);
        if let Format::Observations(_) = format {
            let o = observations::parse(payload).map_err(|_| bad())?;
            let piece = |row: observations::Row| Piece {
                duration: row.duration,
                size: row.size,
                cts_offset: row.cts_offset,
                random_access: row.random_access,
            };
            return Ok((o.base_dts, o.rows.into_iter().map(piece).collect(), payload.get(o.data..).unwrap_or(&[])));
        }
        let f = parse_fragment(payload).map_err(|_| bad())?;
        let data = payload.get(f.data).ok_or_else(bad)?;
        Ok((f.base_dts, f.pieces, data))
    }

    /// Header and payload with their check sums checked: whole, if not yet proved to be the samples they claim.
    pub(crate) fn read_checked(&self, r: &RecordRef) -> Result<(RecordHeader, Bytes), RingError> {
        let bytes = self.bytes(r, r.entry.len as usize)?;
        let header = self.header(r, &bytes)?;
        let payload = Bytes::from(bytes).slice(RECORD_HEADER..);
        if crc32fast::hash(&payload) != header.payload_crc {
            return Err(self.unreadable_payload(r));
        }
        Ok((header, payload))
    }

    fn unreadable_payload(&self, r: &RecordRef) -> RingError {
        match self.unreadable(r, FormatError::Crc) {
            gone @ RingError::Gone { .. } => gone,
            _ => self.damaged(r, Damage::Payload),
        }
    }

    /// Reads a record's header and what stands in front of its samples.
    pub(crate) fn front(&self, r: &RecordRef) -> Result<Front, RingError> {
        let len = r.entry.len as usize;
        let mut bytes = self.bytes(r, len.min(4096))?;
        let header = self.header(r, &bytes)?;
        let end = RECORD_HEADER + header.front_len as usize;
        if end > len {
            return Err(self.damaged(r, Damage::Structure));
        }
        if end > bytes.len() {
            bytes = self.bytes(r, end)?;
        }
        let front = bytes.get(RECORD_HEADER..end).unwrap_or(&[]);
        if crc32fast::hash(front) != header.front_crc {
            return Err(self.unreadable_payload(r));
        }
        Ok(Front { header, bytes: front.to_vec() })
    }

    /// The format of a record: its own, its group's, or a neighbour's with the same fingerprint.
    fn format(&self, r: &RecordRef, header: &RecordHeader, payload: &[u8]) -> Result<Option<Arc<Format>>, RingError> {
        if r.stream.kind == StreamKind::Observations {
            let encoding = observations::parse(payload).map_err(|_| self.damaged(r, Damage::Structure))?.encoding;
            return Ok(Some(Arc::new(Format::Observations(encoding))));
        }
        if header.init_len > 0 {
            let init = payload.get(..header.init_len as usize).ok_or_else(|| self.damaged(r, Damage::Structure))?;
            let format = self.learn(init).ok_or_else(|| self.damaged(r, Damage::Structure))?;
            return Ok(Some(format));
        }
        if let Some(known) = self.known(&header.format) {
            return Ok(Some(known));
        }
        if let Some(first) = self.group_before(r)?.and_then(|g| g.into_iter().next())
            && let Some(format) = self.format_at(&first, &header.format)
        {
            return Ok(Some(format));
        }
        // The group's first record is damaged or gone: any other with the same parameters will do.
        let around = self.records(&r.stream, r.entry.wall.plus_micros(-300_000_000), r.entry.wall.plus_micros(300_000_000))?;
        Ok(around.iter().filter(|k| k.key()).find_map(|k| self.format_at(k, &header.format)))
    }

    fn format_at(&self, key: &RecordRef, fingerprint: &[u8; 16]) -> Option<Arc<Format>> {
        let front = self.front(key).ok().filter(|f| f.header.format == *fingerprint)?;
        self.learn(front.bytes.get(..front.header.init_len as usize)?)
    }

    /// The format an init segment announces.
    pub(crate) fn learn(&self, init: &[u8]) -> Option<Arc<Format>> {
        let fingerprint = builder_fingerprint(init);
        if let Some(known) = self.known(&fingerprint) {
            return Some(known);
        }
        let format = Arc::new(parse_init(init).ok()?.into_iter().next()?.format);
        let mut formats = self.formats.lock().unwrap_or_else(PoisonError::into_inner);
        if formats.len() >= FORMATS {
            formats.clear();
        }
        formats.insert(fingerprint, format.clone());
        Some(format)
    }

    fn known(&self, fingerprint: &[u8; 16]) -> Option<Arc<Format>> {
        self.formats.lock().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }
}

/// Whether a disk says that it cannot read a place, rather than a file system that there is none.
fn bad_sector(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::IO | Errno::ILSEQ | Errno::UCLEAN))
}
