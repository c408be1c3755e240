//! The record header: 256 bytes that say everything about the payload behind them, so that a block alone suffices.

use super::{
    FormatError,
    cursor::{Cursor, Fields, check},
};
use domain::{CameraId, Channel, MonoTime, StreamId, StreamKind, WallTime};
use sha2::{Digest, Sha256};

const MAGIC: [u8; 4] = *b"MTRC";
/// Bytes of a record header.
pub const RECORD_HEADER: usize = 256;
/// The header's front that `chain` covers. Behind it lie the chain itself and where the record happens to lie.
const CHAINED: usize = 208;

/// The record begins at a random access point and carries `ftyp moov` (for observations: nothing) in front.
pub const FLAG_KEY: u32 = 1;
/// The wall clock was not synchronised when the record was begun.
pub const FLAG_CLOCK_UNSYNCED: u32 = 2;
/// Something was lost between the stream's previous record and this one.
pub const FLAG_LOSS_BEFORE: u32 = 4;
/// The last sample's duration was assumed: the next sample had not come in time. The next record's `base_dts` is the truth.
pub const FLAG_DURATION_ASSUMED: u32 = 8;

/// What a record says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// Whose record.
    pub stream: StreamId,
    /// Counts the stream's records for as long as the ring remembers the stream.
    pub seq: u64,
    /// Counts the stream's random access points (audio and observations: its runs of a few seconds).
    pub gop: u64,
    /// `FLAG_…` bits; unknown ones are kept.
    pub flags: u32,
    /// Samples in the record.
    pub samples: u32,
    /// Which boot `mono` counts from.
    pub boot: [u8; 16],
    /// Capture time of the first sample, by the wall.
    pub wall: WallTime,
    /// Arrival of the first sample, since boot.
    pub mono: MonoTime,
    /// Decoding time of the first sample, 90 kHz, zero at the session's start.
    pub base_dts: u64,
    /// Sum of the samples' durations, 90 kHz.
    pub duration: u32,
    /// Bytes of `ftyp moov` at the payload's front; 0 without [`FLAG_KEY`].
    pub init_len: u32,
    /// Bytes of the payload.
    pub payload_len: u32,
    /// CRC-32 of the payload: finds a torn or rotten record without knowing its format.
    pub payload_crc: u32,
    /// SHA-256 over format, times, flags and bytes of the samples (see `media`'s `MEDIA_HASH.md`).
    pub media_hash: [u8; 32],
    /// First 16 bytes of SHA-256 over the init segment in force, so that `media_hash` can be checked from any record
    /// of the same format when the group's first is gone.
    pub format: [u8; 16],
    /// Bytes of the payload in front of the samples (boxes and tables), so that times and sizes can be read without them.
    pub front_len: u32,
    /// CRC-32 of those bytes.
    pub front_crc: u32,
    /// The stream's hash chain up to and including this record.
    pub chain: [u8; 32],
    /// Sequence of the block the record was written to; not chained, for it says where, not what.
    pub block: u64,
}

impl RecordHeader {
    /// As bytes of the disk, with `chain` and CRC as they are in `self`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; RECORD_HEADER] {
        let mut camera = [0; 48];
        let id = self.stream.camera.as_str().as_bytes();
        camera[..id.len()].copy_from_slice(id);
        Fields::start(MAGIC)
            .bytes(&[kind_code(self.stream.kind), channel_code(self.stream.channel)])
            .bytes(&camera)
            .u64(self.seq)
            .u64(self.gop)
            .u32(self.flags)
            .u32(self.samples)
            .bytes(&self.boot)
            .i64(self.wall.0)
            .u64(self.mono.0)
            .u64(self.base_dts)
            .u32(self.duration)
            .u32(self.init_len)
            .u32(self.payload_len)
            .u32(self.payload_crc)
            .bytes(&self.media_hash)
            .bytes(&self.format)
            .u32(self.front_len)
            .u32(self.front_crc)
            .at(CHAINED)
            .bytes(&self.chain)
            .u64(self.block)
            .sealed()
    }

    /// Reads a header.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let bytes = bytes.get(..RECORD_HEADER).ok_or(FormatError::Short)?;
        let mut c = Cursor::new(bytes);
        c.start(MAGIC)?;
        check(bytes)?;
        let kind = kind_from(c.u8()?)?;
        let channel = channel_from(c.u8()?)?;
        let camera = camera_from(c.slice(48)?)?;
        let mut tail = Cursor::new(&bytes[CHAINED..]);
        Ok(Self {
            stream: StreamId::new(camera, channel, kind),
            seq: c.u64()?,
            gop: c.u64()?,
            flags: c.u32()?,
            samples: c.u32()?,
            boot: c.array()?,
            wall: WallTime(c.i64()?),
            mono: MonoTime(c.u64()?),
            base_dts: c.u64()?,
            duration: c.u32()?,
            init_len: c.u32()?,
            payload_len: c.u32()?,
            payload_crc: c.u32()?,
            media_hash: c.array()?,
            format: c.array()?,
            front_len: c.u32()?,
            front_crc: c.u32()?,
            chain: tail.array()?,
            block: tail.u64()?,
        })
    }

    /// Header and payload together, in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        RECORD_HEADER as u64 + u64::from(self.payload_len)
    }

    /// Whether the payload is empty. Never true of a record the writer wrote.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.payload_len == 0
    }

    /// What `chain` must be behind a record whose chain is `previous` (32 zero bytes before the first).
    #[must_use]
    pub fn chain_after(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"matthon chain 1\0");
        hash.update(previous);
        hash.update(&self.to_bytes()[..CHAINED]);
        hash.update(self.media_hash);
        hash.finalize().into()
    }

    /// Whether all bits of `flag` are set.
    #[must_use]
    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag == flag
    }

    /// When the record ends by the wall: start plus duration.
    #[must_use]
    pub fn wall_end(&self) -> WallTime {
        wall_end(self.wall, self.duration)
    }
}

/// Start plus a 90 kHz duration.
#[must_use]
pub fn wall_end(start: WallTime, duration: u32) -> WallTime {
    start.plus_micros(i64::from(duration) * 100 / 9)
}

/// The byte that stands for a kind.
#[must_use]
pub fn kind_code(kind: StreamKind) -> u8 {
    match kind {
        StreamKind::Video => 0,
        StreamKind::Audio => 1,
        StreamKind::Observations => 2,
    }
}

/// The byte that stands for a channel.
#[must_use]
pub fn channel_code(channel: Channel) -> u8 {
    match channel {
        Channel::Main => 0,
        Channel::Sub => 1,
    }
}

/// The kind behind a byte.
///
/// # Errors
/// [`FormatError::Value`].
pub fn kind_from(code: u8) -> Result<StreamKind, FormatError> {
    match code {
        0 => Ok(StreamKind::Video),
        1 => Ok(StreamKind::Audio),
        2 => Ok(StreamKind::Observations),
        _ => Err(FormatError::Value("stream kind")),
    }
}

/// The channel behind a byte.
///
/// # Errors
/// [`FormatError::Value`].
pub fn channel_from(code: u8) -> Result<Channel, FormatError> {
    match code {
        0 => Ok(Channel::Main),
        1 => Ok(Channel::Sub),
        _ => Err(FormatError::Value("channel")),
    }
}

/// A camera id padded with zero bytes.
///
/// # Errors
/// [`FormatError::Value`].
pub fn camera_from(field: &[u8]) -> Result<CameraId, FormatError> {
    let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
    let (id, pad) = field.split_at(end);
    if pad.iter().any(|&b| b != 0) {
        return Err(FormatError::Value("camera id"));
    }
    std::str::from_utf8(id).ok().and_then(|id| CameraId::new(id).ok()).ok_or(FormatError::Value("camera id"))
}
