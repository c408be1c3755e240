//! The footer: a block's table of contents, the chain heads of all streams, and the signed seal over both. A cache,
//! except for the signature.

use super::{
    FormatError,
    cursor::{Cursor, Fields, check},
    record::{RecordHeader, camera_from, channel_code, channel_from, kind_code, kind_from},
    samples::SampleTable,
    sequence,
};
use crate::sign::{Signer, verify};
use domain::{StreamId, WallTime};
use sha2::{Digest, Sha256};

const MAGIC: [u8; 4] = *b"MTFT";
/// Bytes of the footer's front.
pub const FOOTER_HEADER: usize = 320;
/// Where the front says how many bytes the sample table has.
const SAMPLES_AT: usize = 144;
/// The front's bytes under the signature.
const SIGNED: usize = 192;
/// Bytes of a stream's line.
pub const STREAM_ENTRY: usize = 160;
/// Bytes of a record's line.
pub const RECORD_ENTRY: usize = 48;

/// The block was sealed by a later start of the recorder, from what a cut had left.
pub const SEAL_RECOVERED: u32 = 1;
/// The recorder closed in order behind this block.
pub const SEAL_CLOSED: u32 = 2;
/// Some record was begun under a clock that was not synchronised.
pub const SEAL_CLOCK_UNSYNCED: u32 = 4;

/// A record in one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordEntry {
    /// From the block's start.
    pub offset: u32,
    /// Header and payload.
    pub len: u32,
    /// Start by the wall.
    pub wall: WallTime,
    /// 90 kHz.
    pub duration: u32,
    /// The record's `FLAG_…` bits.
    pub flags: u32,
    /// The stream's count of records.
    pub seq: u64,
    /// The stream's count of groups.
    pub gop: u64,
    /// Line of the stream table.
    pub stream: u16,
    /// Samples, saturated.
    pub samples: u16,
    /// The record header's own CRC field.
    pub header_crc: u32,
}

impl RecordEntry {
    /// The line of a record at an offset of the block.
    #[must_use]
    pub fn of(header: &RecordHeader, header_crc: u32, stream: u16, offset: u32) -> Self {
        Self {
            offset,
            len: u32::try_from(header.len()).unwrap_or(u32::MAX),
            wall: header.wall,
            duration: header.duration,
            flags: header.flags,
            seq: header.seq,
            gop: header.gop,
            stream,
            samples: u16::try_from(header.samples).unwrap_or(u16::MAX),
            header_crc,
        }
    }

    /// Start plus duration.
    #[must_use]
    pub fn wall_end(&self) -> WallTime {
        super::record::wall_end(self.wall, self.duration)
    }
}

/// A stream as the seal sees it, whether or not it has records in this block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEntry {
    /// The stream.
    pub stream: StreamId,
    /// Its records in this block.
    pub records: u32,
    /// Earliest start in this block.
    pub from: WallTime,
    /// Latest end in this block.
    pub to: WallTime,
    /// Whether something is missing between two of its records here (loss, or a hole in time).
    pub gaps: bool,
    /// What its next record will be counted as.
    pub next_seq: u64,
    /// What its next group will be counted as.
    pub next_gop: u64,
    /// The block its last record lies in.
    pub last_block: u64,
    /// Its chain up to here.
    pub chain: [u8; 32],
    /// Its format fingerprint, as in the record header.
    pub format: [u8; 16],
}

/// A whole footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// The ring.
    pub ring: [u8; 16],
    /// The block.
    pub sequence: u64,
    /// `SEAL_…` bits.
    pub flags: u32,
    /// Earliest start of a record.
    pub from: WallTime,
    /// Latest end of a record.
    pub to: WallTime,
    /// Where the last batch ends.
    pub data_end: u32,
    /// Batches.
    pub batches: u32,
    /// When it was sealed.
    pub sealed: WallTime,
    /// SHA-256 of the signed front of the block before this one, zeros when that is not known: a removed block shows.
    pub previous: [u8; 32],
    /// All streams the ring remembers.
    pub streams: Vec<StreamEntry>,
    /// The block's records in the order they lie.
    pub records: Vec<RecordEntry>,
    /// What stands in front of each record's samples, where it was at hand and found room.
    pub samples: Option<SampleTable>,
    /// Who signed.
    pub public_key: [u8; 32],
    /// Over the signed front.
    pub signature: [u8; 64],
}

impl Footer {
    /// Bytes of a footer with so many lines and no sample table.
    #[must_use]
    pub const fn size(streams: usize, records: usize) -> usize {
        FOOTER_HEADER + streams * STREAM_ENTRY + records * RECORD_ENTRY
    }

    fn front(&self, tables: &[u8]) -> [u8; SIGNED] {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Fields::start(MAGIC)
            .bytes(&[0, 0])
            .bytes(&self.ring)
            .u64(self.sequence)
            .u32(count(self.streams.len()))
            .u32(count(self.records.len()))
            .u32(self.flags)
            .u32(self.data_end)
            .i64(self.from.0)
            .i64(self.to.0)
            .u32(self.batches)
            .u32(0)
            .i64(self.sealed.0)
            .bytes(&self.previous)
            .bytes(&Sha256::digest(tables))
            .u32(self.samples.as_ref().map_or(0, |s| count(s.size())))
            .done()
    }

    fn tables(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::size(self.streams.len(), self.records.len()));
        for s in &self.streams {
            let mut camera = [0; 48];
            let id = s.stream.camera.as_str().as_bytes();
            camera[..id.len()].copy_from_slice(id);
            let line: [u8; STREAM_ENTRY] = Fields::empty()
                .bytes(&camera)
                .bytes(&[kind_code(s.stream.kind), channel_code(s.stream.channel), u8::from(s.gaps), 0])
                .u32(s.records)
                .i64(s.from.0)
                .i64(s.to.0)
                .u64(s.next_seq)
                .u64(s.next_gop)
                .u64(s.last_block)
                .bytes(&s.chain)
                .bytes(&s.format)
                .done();
            out.extend_from_slice(&line);
        }
        for r in &self.records {
            let line: [u8; RECORD_ENTRY] = Fields::empty()
                .u32(r.offset)
                .u32(r.len)
                .i64(r.wall.0)
                .u32(r.duration)
                .u32(r.flags)
                .u64(r.seq)
                .u64(r.gop)
                .bytes(&r.stream.to_le_bytes())
                .bytes(&r.samples.to_le_bytes())
                .u32(r.header_crc)
                .done();
            out.extend_from_slice(&line);
        }
        if let Some(samples) = &self.samples {
            samples.write(&mut out);
        }
        out
    }

    /// Signs and writes. Returns the bytes and the SHA-256 of the signed front, which the next block's seal repeats.
    pub fn seal(&mut self, signer: &dyn Signer) -> (Vec<u8>, [u8; 32]) {
        let tables = self.tables();
        let front = self.front(&tables);
        self.public_key = signer.public_key();
        self.signature = signer.sign(&front);
        let header: [u8; FOOTER_HEADER] = Fields::empty().bytes(&front).bytes(&self.public_key).bytes(&self.signature).sealed();
        let mut out = Vec::with_capacity(FOOTER_HEADER + tables.len());
        out.extend_from_slice(&header);
        out.extend_from_slice(&tables);
        (out, Sha256::digest(front).into())
    }

    /// How many bytes the footer that begins here has in all, so that it can be read whole.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn len_of(front: &[u8]) -> Result<usize, FormatError> {
        let (streams, records, samples) = Self::counts(front)?;
        Ok(Self::size(streams, records) + samples)
    }

    /// Streams, records, bytes of the sample table.
    fn counts(front: &[u8]) -> Result<(usize, usize, usize), FormatError> {
        let front = front.get(..FOOTER_HEADER).ok_or(FormatError::Short)?;
        let mut c = Cursor::new(front);
        c.start(MAGIC)?;
        check(front)?;
        c.slice(2 + 16 + 8)?;
        let (streams, records) = (c.u32()? as usize, c.u32()? as usize);
        // Both fit 32-bit offsets of one block: more is nonsense.
        if streams > usize::from(u16::MAX) || records > (u32::MAX as usize) / RECORD_ENTRY {
            return Err(FormatError::Value("footer size"));
        }
        c.slice(SAMPLES_AT - 40)?;
        Ok((streams, records, c.u32()? as usize))
    }

    /// Reads a footer whole. The tables' hash is checked; the signature is not (see [`Footer::signed`]).
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let (streams, records, samples) = Self::counts(bytes)?;
        let tables = bytes.get(FOOTER_HEADER..Self::size(streams, records) + samples).ok_or(FormatError::Short)?;
        let mut c = Cursor::new(&bytes[8..]);
        let mut f = Self {
            ring: c.array()?,
            sequence: sequence(c.u64()?)?,
            flags: {
                c.u64()?;
                c.u32()?
            },
            data_end: c.u32()?,
            from: WallTime(c.i64()?),
            to: WallTime(c.i64()?),
            batches: c.u32()?,
            sealed: {
                c.u32()?;
                WallTime(c.i64()?)
            },
            previous: c.array()?,
            streams: Vec::with_capacity(streams),
            records: Vec::with_capacity(records),
            samples: None,
            public_key: [0; 32],
            signature: [0; 64],
        };
        if c.array::<32>()? != <[u8; 32]>::from(Sha256::digest(tables)) {
            return Err(FormatError::Crc);
        }
        let mut c = Cursor::new(&bytes[SIGNED..]);
        f.public_key = c.array()?;
        f.signature = c.array()?;
        let mut c = Cursor::new(tables);
        for _ in 0..streams {
            let camera = camera_from(c.slice(48)?)?;
            let kind = kind_from(c.u8()?)?;
            let channel = channel_from(c.u8()?)?;
            let gaps = c.u16()? & 1 != 0;
            f.streams.push(StreamEntry {
                stream: StreamId::new(camera, channel, kind),
                records: c.u32()?,
                from: WallTime(c.i64()?),
                to: WallTime(c.i64()?),
                gaps,
                next_seq: c.u64()?,
                next_gop: c.u64()?,
                last_block: c.u64()?,
                chain: c.array()?,
                format: c.array()?,
            });
            c.slice(STREAM_ENTRY - 144)?;
        }
        for _ in 0..records {
            let r = RecordEntry {
                offset: c.u32()?,
                len: c.u32()?,
                wall: WallTime(c.i64()?),
                duration: c.u32()?,
                flags: c.u32()?,
                seq: c.u64()?,
                gop: c.u64()?,
                stream: c.u16()?,
                samples: c.u16()?,
                header_crc: c.u32()?,
            };
            if usize::from(r.stream) >= streams {
                return Err(FormatError::Value("stream of a record"));
            }
            f.records.push(r);
        }
        if samples > 0 {
            f.samples = Some(SampleTable::parse(c.slice(samples)?, records)?);
        }
        Ok(f)
    }

    /// The hash that the next block's seal repeats as `previous`.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.front(&self.tables())).into()
    }

    /// Whether the signature is that of the key it names.
    #[must_use]
    pub fn signed(&self) -> bool {
        verify(&self.public_key, &self.front(&self.tables()), &self.signature)
    }
}
