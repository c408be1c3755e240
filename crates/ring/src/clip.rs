//! A range of one camera as one MP4 that can be sought: tables in memory, samples from the block files on demand.

mod captions;
mod fronts;
mod gather;
mod origin;

pub use origin::{Origin, OriginSample, Place};

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
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
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

/// Stands for a record where bytes lie in memory: captions.
const MEMORY: u32 = u32::MAX;

/// What is to be in a clip.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// Whose.
    pub camera: &'a CameraId,
    /// Which of its streams.
    pub channel: Channel,
    /// Pictures captured at or after.
    pub from: WallTime,
    /// Pictures captured before.
    pub to: WallTime,
    /// With the sound, where it was recorded.
    pub audio: bool,
    /// How a second of the wall's time is written: the clip gets a subtitle track that says it along.
    pub captions: Option<&'a dyn Fn(WallTime) -> String>,
}

/// Bytes of the file that lie one after the other in one record.
#[derive(Debug)]
struct Part {
    /// Where they begin in the file.
    at: u64,
    len: u32,
    /// Index into `records`, or [`MEMORY`].
    record: u32,
    /// Where they begin in the record's payload.
    from: u32,
}

/// A clip that is known byte by byte, though only its head is in memory.
#[derive(Debug)]
pub struct ClipPlan {
    reader: Reader,
    head: Bytes,
    captions: Bytes,
    parts: Vec<Part>,
    records: Vec<RecordRef>,
    len: u64,
    etag: String,
    starts_at: WallTime,
    ends_at: WallTime,
    /// The record read last: neighbouring reads are the rule.
    last: Mutex<Option<(u32, Bytes)>>,
    /// A record could not be read.
    broken: AtomicBool,
}

/// Plans the clip of a camera: the pictures captured from `from` to before `to`, and no others are shown. Decoding begins at
/// the random access point before them; an edit list hides what leads up to the first and what the last refer to.
///
/// Gaps are cut, never stretched. A change of parameters becomes another sample entry. Leading pictures are dropped where
/// the clip begins and behind gaps. Audio, when asked for and recorded, is kept in step with the video.
///
/// # Errors
/// [`ClipError::Nothing`] when no frame is left; otherwise what kept the ring from being read.
pub fn plan(reader: &Reader, wish: &Wish<'_>) -> Result<ClipPlan, ClipError> {
    let Wish { from, to, .. } = *wish;
    let of = |kind| StreamId::new(wish.camera.clone(), wish.channel, kind);
    let stream = of(StreamKind::Video);
    // A day's tables are not read a second time for a sound that was never recorded.
    let (sound, mut heard) = (of(StreamKind::Audio), false);
    let found = gather::video(reader, &stream, from, to, |table| heard |= table.line(&sound).is_some())?;
    let Some((video, shown)) = found else { return Err(ClipError::Nothing { stream, from, to }) };
    let mut tracks = vec![video.track];
    let mut stretches = video.stretches;
    let mut records = video.records;
    if wish.audio
        && heard
        && let Some(sound) = gather::audio(reader, &sound, &video.runs, &shown, records.len())?
    {
        tracks.push(sound.track);
        stretches.extend(sound.stretches);
        records.extend(sound.records);
        // Interleaved by the clip's time (the wall may have been set back), so that a player needs no seek between the two.
        stretches.sort_by_key(|s| s.media);
    }
    let mut chunks: Vec<Chunk> = stretches.iter().map(|s| Chunk { track: s.track, first: s.first, count: s.count }).collect();
    let mut captions = Bytes::new();
    if let Some(write) = wish.captions
        && let Some((track, text)) = captions::track(&video.runs, &shown, write)
    {
        // All in front: small, and there before the first picture.
        chunks.insert(0, Chunk { track: tracks.len(), first: 0, count: track.samples.len() });
        tracks.push(track);
        captions = text;
    }
    let head = Bytes::from(header(&tracks, &chunks)?);
    // The index follows from the records, the edges and the program: they are hashed, not its millions of entries.
    let mut hash = Sha256::new();
    hash.update(concat!(env!("CARGO_PKG_VERSION"), "\n"));
    hash.update((head.len() as u64).to_le_bytes());
    for n in [shown.skip, shown.length, shown.from.0, shown.to.0] {
        hash.update(n.to_le_bytes());
    }
    hash.update(&captions);
    let mut at = head.len() as u64;
    let mut parts = Vec::with_capacity(stretches.len() + 1);
    if !captions.is_empty() {
        let len = u32::try_from(captions.len()).unwrap_or(u32::MAX);
        parts.push(Part { at, len, record: MEMORY, from: 0 });
        at += u64::from(len);
    }
    for s in &stretches {
        parts.push(Part { at, len: s.len, record: s.record, from: s.from });
        at += u64::from(s.len);
    }
    for r in &records {
        hash.update(r.block.to_le_bytes());
        hash.update(r.entry.offset.to_le_bytes());
        hash.update(r.entry.header_crc.to_le_bytes());
    }
    let etag = domain::hex(&hash.finalize()[..16]);
    let (starts_at, ends_at) = (shown.from, shown.to);
    Ok(ClipPlan {
        reader: reader.clone(),
        head,
        captions,
        parts,
        records,
        len: at,
        etag,
        starts_at,
        ends_at,
        last: Mutex::new(None),
        broken: AtomicBool::new(false),
    })
}

impl ClipPlan {
    /// Bytes of the whole file.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Where the samples of the recording begin; before lie the index and the captions.
    #[must_use]
    pub fn samples_at(&self) -> u64 {
        (self.head.len() + self.captions.len()) as u64
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
    /// When a record was overwritten or is damaged: what comes out is never torn. A clip planned anew leaves it out.
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

    /// Whether a record could not be read: a clip planned anew leaves it out.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Reads every record once and says how many cannot be read (overwritten, damaged, on a sector the disk cannot read). They are
    /// remembered: a clip planned after this leaves them out, as a gap. `go_on` is asked before each record: a bad sector takes seconds.
    ///
    /// # Errors
    /// When the disk gives nothing at all.
    pub fn check(&self, mut go_on: impl FnMut() -> bool) -> Result<usize, ClipError> {
        let mut bad = 0;
        for r in self.records.iter().take_while(|_| go_on()) {
            match self.reader.read_checked(r) {
                Ok(_) => {}
                Err(e) if e.is_gap() => bad += 1,
                Err(e) => return Err(e.into()),
            }
        }
        Ok(bad)
    }

    fn record(&self, n: u32) -> Result<Bytes, ClipError> {
        if n == MEMORY {
            return Ok(self.captions.clone());
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, payload)) = &*last
            && *held == n
        {
            return Ok(payload.clone());
        }
        let Some(r) = self.records.get(n as usize) else { return Ok(Bytes::new()) };
        let read = self.reader.read_checked(r).inspect_err(|_| self.broken.store(true, Ordering::Relaxed));
        let (_, payload) = read?;
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
