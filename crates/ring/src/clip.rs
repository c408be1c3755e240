//! A range of one camera as one MP4 that can be sought: tables in memory, samples from the block files on demand.

mod gather;

use crate::{
    error::RingError,
    reader::{Reader, RecordRef},
};
use bytes::Bytes;
use domain::{CameraId, Channel, StreamId, StreamKind, WallTime};
use media::{
    MediaError,
    progressive::{Chunk, header},
};
use sha2::{Digest, Sha256};
use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

/// Why there is no clip.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// Nothing decodable was recorded in the range.
    #[error("nothing was recorded of {stream} from {from} to {to}")]
    Nothing {
        /// The stream.
        stream: StreamId,
        /// Start of the range.
        from: WallTime,
        /// End of the range.
        to: WallTime,
    },
    /// The ring could not be read, or the recording went while it was read.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The samples do not fit an MP4.
    #[error("the clip cannot be written as MP4: {0}")]
    Media(#[from] MediaError),
    /// Whoever receives the clip does not take it.
    #[error("cannot write the clip: {0}")]
    Write(#[from] std::io::Error),
}

/// Bytes of the file that lie one after the other in one record.
#[derive(Debug)]
struct Part {
    /// Where they begin in the file.
    at: u64,
    len: u32,
    /// Index into `records`.
    record: u32,
    /// Where they begin in the record's payload.
    from: u32,
}

/// A clip that is known byte by byte, though only its head is in memory.
#[derive(Debug)]
pub struct ClipPlan {
    reader: Reader,
    head: Bytes,
    parts: Vec<Part>,
    records: Vec<RecordRef>,
    len: u64,
    etag: String,
    starts_at: WallTime,
    ends_at: WallTime,
    /// The record read last: neighbouring reads are the rule.
    last: Mutex<Option<(u32, Bytes)>>,
}

/// Plans the clip of a camera from the random access point at or before `from` to the last frame before `to`.
///
/// Gaps are cut, never stretched. A change of parameters becomes another sample entry. Leading pictures are dropped where
/// the clip begins and behind gaps. Audio, when asked for and recorded, is kept in step with the video.
///
/// # Errors
/// [`ClipError::Nothing`] when no frame is left; otherwise what kept the ring from being read.
pub fn plan(
    reader: &Reader,
    camera: &CameraId,
    channel: Channel,
    from: WallTime,
    to: WallTime,
    audio: bool,
) -> Result<ClipPlan, ClipError> {
    let stream = StreamId::new(camera.clone(), channel, StreamKind::Video);
    let nothing = || ClipError::Nothing { stream: stream.clone(), from, to };
    let video = gather::video(reader, &stream, from, to)?;
    let (Some(first), Some(last)) = (video.runs.first(), video.runs.last()) else { return Err(nothing()) };
    let (starts_at, ends_at) = (first.wall, last.wall_end);
    let mut tracks = vec![video.track];
    let mut stretches = video.stretches;
    let mut records = video.records;
    if audio {
        let stream = StreamId::new(camera.clone(), channel, StreamKind::Audio);
        if let Some(sound) = gather::audio(reader, &stream, &video.runs, records.len())? {
            tracks.push(sound.track);
            stretches.extend(sound.stretches);
            records.extend(sound.records);
            // Interleaved by the clip's time (the wall may have been set back), so that a player needs no seek between the two.
            stretches.sort_by_key(|s| s.media);
        }
    }
    let chunks: Vec<Chunk> = stretches.iter().map(|s| Chunk { track: s.track, first: s.first, count: s.count }).collect();
    let head = Bytes::from(header(&tracks, &chunks)?);
    let mut hash = Sha256::new();
    hash.update(&head);
    let mut at = head.len() as u64;
    let mut parts = Vec::with_capacity(stretches.len());
    for s in &stretches {
        parts.push(Part { at, len: s.len, record: s.record, from: s.from });
        at += u64::from(s.len);
    }
    for r in &records {
        hash.update(r.block.to_le_bytes());
        hash.update(r.entry.offset.to_le_bytes());
        hash.update(r.entry.header_crc.to_le_bytes());
    }
    let etag = hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect();
    Ok(ClipPlan { reader: reader.clone(), head, parts, records, len: at, etag, starts_at, ends_at, last: Mutex::new(None) })
}

impl ClipPlan {
    /// Bytes of the whole file.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in it. Never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Names these bytes: hexadecimal, without quotes.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Wall time of the first frame.
    #[must_use]
    pub fn starts_at(&self) -> WallTime {
        self.starts_at
    }

    /// Wall time at which the last frame ends.
    #[must_use]
    pub fn ends_at(&self) -> WallTime {
        self.ends_at
    }

    /// Reads from an offset; fewer bytes than the buffer takes only at the end (0 there).
    ///
    /// # Errors
    /// When a record was overwritten or is damaged: what comes out is never torn.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ClipError> {
        let mut done = 0;
        if let Some(head) = usize::try_from(offset).ok().and_then(|o| self.head.get(o..)) {
            done = head.len().min(buf.len());
            if let (Some(to), Some(from)) = (buf.get_mut(..done), head.get(..done)) {
                to.copy_from_slice(from);
            }
        }
        let begin = offset + done as u64;
        let mut n = self.parts.partition_point(|p| p.at + u64::from(p.len) <= begin);
        while let (Some(part), Some(rest)) = (self.parts.get(n), buf.get_mut(done..)) {
            if rest.is_empty() {
                break;
            }
            let payload = self.record(part.record)?;
            let skip = usize::try_from((offset + done as u64).saturating_sub(part.at)).unwrap_or(usize::MAX);
            let start = part.from as usize;
            // Planned from the checked front of this very record, so the range is inside.
            let bytes = payload.get(start..start + part.len as usize).and_then(|b| b.get(skip..)).unwrap_or(&[]);
            let take = bytes.len().min(rest.len());
            rest[..take].copy_from_slice(&bytes[..take]);
            done += take;
            n += 1;
        }
        Ok(done)
    }

    fn record(&self, n: u32) -> Result<Bytes, ClipError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, payload)) = &*last
            && *held == n
        {
            return Ok(payload.clone());
        }
        let Some(r) = self.records.get(n as usize) else { return Ok(Bytes::new()) };
        let (_, payload) = self.reader.read_checked(r)?;
        *last = Some((n, payload.clone()));
        Ok(payload)
    }
}

/// Writes a whole clip.
///
/// # Errors
/// As [`ClipPlan::read_at`], and when the receiver does not take it.
pub fn write_to(plan: &ClipPlan, mut out: impl Write) -> Result<(), ClipError> {
    let mut buf = vec![0; 1 << 18];
    let mut at = 0;
    while at < plan.len() {
        let n = plan.read_at(at, &mut buf)?;
        if n == 0 {
            break;
        }
        out.write_all(buf.get(..n).unwrap_or(&[]))?;
        at += n as u64;
    }
    out.flush()?;
    Ok(())
}
