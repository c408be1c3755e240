//! The snapshot of what is covered: stretches of time, one list a stream, behind a header with the check sums of both.

use super::{
    FormatError,
    cursor::Cursor,
    record::{camera_from, channel_code, channel_from, kind_code, kind_from},
};
use domain::{StreamId, WallTime};
use std::collections::HashMap;

const MAGIC: [u8; 8] = *b"MTSPAN02";
/// Magic, blocks folded, bytes, check sums.
pub const HEADER: usize = 32;
/// A snapshot larger than this is none: thirty cameras that flap every minute for a year make less.
pub const SNAPSHOT_MAX: u64 = 256 << 20;

/// A stretch of time, and the blocks it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins.
    pub from: WallTime,
    /// Where it ends.
    pub to: WallTime,
    /// Lowest sequence of its blocks.
    pub first: u64,
    /// Highest one.
    pub last: u64,
}

/// All streams' stretches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// Where each stream is covered.
    pub streams: HashMap<StreamId, Vec<Stretch>>,
    /// Blocks that could not be read.
    pub unreadable: Vec<Stretch>,
}

/// What a snapshot says in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Every sealed block up to this sequence is in it.
    pub upto: u64,
    /// Bytes behind the header, at most [`SNAPSHOT_MAX`].
    pub len: u64,
    /// Their CRC-32.
    crc: u32,
}

impl Header {
    /// Reads the front of a snapshot; `None` when it is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let half = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let sound = bytes.get(..8)? == MAGIC && crc32fast::hash(bytes.get(..28)?) == half(28)?;
        sound.then_some(Self { upto: word(8)?, len: word(16)?, crc: half(24)? }).filter(|h| h.len <= SNAPSHOT_MAX)
    }

    /// Reads what lies behind it; `None` when that is not what was written.
    #[must_use]
    pub fn body(&self, bytes: &[u8]) -> Option<Spans> {
        let whole = bytes.len() as u64 == self.len && crc32fast::hash(bytes) == self.crc;
        whole.then(|| Spans::parse(bytes).ok()).flatten()
    }
}

impl Spans {
    /// As bytes of the disk, header and all.
    #[must_use]
    pub fn to_bytes(&self, upto: u64) -> Vec<u8> {
        let mut body = Vec::new();
        let put = |list: &[Stretch], body: &mut Vec<u8>| {
            body.extend_from_slice(&u32::try_from(list.len()).unwrap_or(u32::MAX).to_le_bytes());
            for s in list {
                body.extend_from_slice(&s.from.0.to_le_bytes());
                body.extend_from_slice(&s.to.0.to_le_bytes());
                body.extend_from_slice(&s.first.to_le_bytes());
                body.extend_from_slice(&s.last.to_le_bytes());
            }
        };
        put(&self.unreadable, &mut body);
        for (stream, list) in &self.streams {
            let mut camera = [0; 48];
            let id = stream.camera.as_str().as_bytes();
            camera.iter_mut().zip(id).for_each(|(to, from)| *to = *from);
            body.extend_from_slice(&camera);
            body.extend_from_slice(&[kind_code(stream.kind), channel_code(stream.channel)]);
            put(list, &mut body);
        }
        let mut out = Vec::with_capacity(HEADER + body.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&upto.to_le_bytes());
        out.extend_from_slice(&(body.len() as u64).to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(&out).to_le_bytes());
        out.extend_from_slice(&body);
        out
    }

    /// Reads the bytes behind a header.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn parse(body: &[u8]) -> Result<Self, FormatError> {
        let mut c = Cursor::new(body);
        let list = |c: &mut Cursor<'_>| {
            let count = c.u32()?;
            let mut list = Vec::new();
            for _ in 0..count {
                list.push(Stretch { from: WallTime(c.i64()?), to: WallTime(c.i64()?), first: c.u64()?, last: c.u64()? });
            }
            Ok::<_, FormatError>(list)
        };
        let mut out = Self { unreadable: list(&mut c)?, ..Self::default() };
        while !c.is_empty() {
            let camera = camera_from(c.slice(48)?)?;
            let (kind, channel) = (kind_from(c.u8()?)?, channel_from(c.u8()?)?);
            out.streams.insert(StreamId::new(camera, channel, kind), list(&mut c)?);
        }
        Ok(out)
    }
}
