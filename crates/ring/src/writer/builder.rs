//! One stream's samples on their way into records: where a record begins and ends, its durations, hashes and chain.
//! No files, no clock.

use crate::{
    format::{
        observations::{self, Row},
        record::{FLAG_CLOCK_UNSYNCED, FLAG_DURATION_ASSUMED, FLAG_KEY, FLAG_LOSS_BEFORE, RecordHeader},
    },
    intake::{Arrived, weight},
};
use bytes::Bytes;
use domain::{Format, MonoTime, StreamId, StreamKind};
use media::{
    fmp4::{Piece, Track, fragment_header, init_segment},
    hash::MediaHasher,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Longest record, 90 kHz: 400 ms.
const LONGEST: i64 = 36_000;
/// How often streams whose every sample is a random access point repeat their init segment, 90 kHz: 4 s.
const RUN: i64 = 360_000;
/// Most samples of a record, so that its tables stay small whatever the times say.
const MOST: usize = 256;
/// A jump in decoding time beyond this is a new session, whatever the flags say: 30 s.
const JUMP: i64 = 2_700_000;

/// How a stream goes on: what the seal keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Head {
    pub(crate) next_seq: u64,
    pub(crate) next_gop: u64,
    pub(crate) chain: [u8; 32],
    pub(crate) format: [u8; 16],
    pub(crate) last_block: u64,
}

/// A record ready to be written; only the block it will lie in is not known yet.
pub(crate) struct Built {
    pub(crate) stream: Arc<StreamId>,
    pub(crate) header: RecordHeader,
    /// Init segment at a random access point, boxes up to the samples.
    pub(crate) front: Vec<u8>,
    pub(crate) samples: Vec<Bytes>,
    pub(crate) pieces: Vec<Piece>,
    /// When its first sample came.
    pub(crate) arrived: MonoTime,
    pub(crate) weight: usize,
}

/// What becomes of a sample.
pub(crate) enum Fate {
    /// It is in the record being built.
    Kept,
    /// It cannot be decoded by anybody, or not be written: give its weight back.
    Dropped(&'static str),
}

pub(crate) struct Stream {
    id: Arc<StreamId>,
    pub(crate) head: Head,
    format: Option<Arc<Format>>,
    init: Vec<u8>,
    /// The samples of the record being built.
    open: Vec<Arrived>,
    open_bytes: usize,
    key: bool,
    /// Inside a group: decodable as it comes.
    in_group: bool,
    group_start: i64,
    last_dts: Option<i64>,
    last_delta: u32,
    loss: bool,
    unsynced_clock: bool,
    max_bytes: usize,
}

/// The circumstances a record is begun under.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances {
    pub(crate) boot: [u8; 16],
    pub(crate) clock_synchronised: bool,
}

impl Stream {
    /// A stream that goes on behind `head`. When it was recorded before, the time between is lost.
    pub(crate) fn new(id: Arc<StreamId>, head: Head, max_bytes: usize) -> Self {
        let loss = head.next_seq > 0;
        Self {
            id,
            head,
            format: None,
            init: Vec::new(),
            open: Vec::new(),
            open_bytes: 0,
            key: false,
            in_group: false,
            group_start: 0,
            last_dts: None,
            last_delta: 0,
            loss,
            unsynced_clock: false,
            max_bytes,
        }
    }

    /// When the first sample of the record being built came.
    pub(crate) fn waiting_since(&self) -> Option<MonoTime> {
        self.open.first().map(|a| a.at)
    }

    /// Takes the next sample; a record that it ends goes to `out`.
    pub(crate) fn accept(&mut self, a: Arrived, now: Circumstances, out: &mut Vec<Built>) -> Fate {
        let s = &a.sample;
        let same = self.format.as_ref().is_some_and(|f| Arc::ptr_eq(f, &s.format) || **f == *s.format);
        let steady = self.last_dts.is_some_and(|last| s.dts > last && s.dts - last <= JUMP);
        if a.loss || (self.last_dts.is_some() && !steady) {
            self.close(None, now, out);
            self.in_group = false;
            // The very first sample of a stream has nothing before it that could be lost.
            self.loss |= self.head.next_seq > 0;
            self.last_dts = None;
        }
        if !same {
            self.close(Some(s.dts), now, out);
            self.in_group = false;
        }
        let video = self.id.kind == StreamKind::Video;
        if !self.in_group && !s.random_access {
            self.loss |= self.head.next_seq > 0;
            return Fate::Dropped("no random access point before it");
        }
        if s.format.kind() != self.id.kind || s.dts < 0 {
            self.loss |= self.head.next_seq > 0;
            self.in_group = false;
            return Fate::Dropped("its format or time is impossible");
        }
        if !same {
            match init(&s.format) {
                Ok(init) => {
                    self.head.format = fingerprint(&init);
                    self.init = init;
                    self.format = Some(s.format.clone());
                }
                Err(_) => return Fate::Dropped("its format fits no MP4"),
            }
        }
        let begins_group = !self.in_group || (s.random_access && (video || s.dts - self.group_start >= RUN));
        let base = self.open.first().map_or(s.dts, |f| f.sample.dts);
        let long = s.dts.saturating_add(i64::from(self.last_delta)) - base > LONGEST;
        if begins_group || long || self.open.len() >= MOST || self.open_bytes + s.data.len() > self.max_bytes {
            self.close(Some(s.dts), now, out);
        }
        if let Some(last) = self.last_dts {
            self.last_delta = u32::try_from(s.dts - last).unwrap_or(0);
        }
        if self.open.is_empty() {
            self.key = begins_group;
            self.unsynced_clock = !now.clock_synchronised;
        }
        if begins_group {
            self.in_group = true;
            self.group_start = s.dts;
        }
        self.last_dts = Some(s.dts);
        self.open_bytes += s.data.len();
        self.open.push(a);
        Fate::Kept
    }

    /// Ends the record being built. `next`: the decoding time of the sample that follows, when it has come.
    pub(crate) fn close(&mut self, next: Option<i64>, now: Circumstances, out: &mut Vec<Built>) {
        let (Some(format), Some(first)) = (self.format.clone(), self.open.first().cloned()) else { return };
        let open = std::mem::take(&mut self.open);
        self.open_bytes = 0;
        let assumed = match (self.last_delta, &*format) {
            (0, Format::Video(v)) => v.frame_duration.unwrap_or(6_000),
            (0, _) => 1_800,
            (delta, _) => delta,
        };
        let mut pieces = Vec::with_capacity(open.len());
        let mut flags = 0;
        for (i, a) in open.iter().enumerate() {
            let s = &a.sample;
            let after = open.get(i + 1).map(|n| n.sample.dts).or(next);
            let duration = match after.and_then(|n| n.checked_sub(s.dts)).and_then(|d| u32::try_from(d).ok()).filter(|&d| d > 0) {
                Some(d) => d,
                None => {
                    flags |= FLAG_DURATION_ASSUMED;
                    assumed
                }
            };
            pieces.push(Piece {
                duration,
                size: u32::try_from(s.data.len()).unwrap_or(u32::MAX),
                cts_offset: i32::try_from(s.pts.saturating_sub(s.dts)).unwrap_or(0),
                random_access: s.random_access,
            });
        }
        let base_dts = u64::try_from(first.sample.dts).unwrap_or(0);
        let mut front = if self.key { self.init.clone() } else { Vec::new() };
        let init_len = front.len();
        front.extend_from_slice(&boxes(&format, self.head.next_seq, base_dts, &pieces));
        let mut hasher = MediaHasher::new(&format, base_dts);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&front);
        for (piece, a) in pieces.iter().zip(&open) {
            hasher.sample(piece, &a.sample.data);
            crc.update(&a.sample.data);
        }
        for (on, flag) in [(self.key, FLAG_KEY), (self.unsynced_clock, FLAG_CLOCK_UNSYNCED), (self.loss, FLAG_LOSS_BEFORE)] {
            flags |= if on { flag } else { 0 };
        }
        let gop = if self.key { self.head.next_gop } else { self.head.next_gop.saturating_sub(1) };
        let payload = front.len() + open.iter().map(|a| a.sample.data.len()).sum::<usize>();
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let mut header = RecordHeader {
            stream: (*self.id).clone(),
            seq: self.head.next_seq,
            gop,
            flags,
            samples: small(open.len()),
            boot: now.boot,
            wall: first.sample.capture,
            mono: first.at,
            base_dts,
            duration: pieces.iter().fold(0, |sum: u32, p| sum.saturating_add(p.duration)),
            init_len: small(if observed(&format) { 0 } else { init_len }),
            payload_len: small(payload),
            payload_crc: crc.finalize(),
            media_hash: hasher.finish(),
            format: self.head.format,
            front_len: small(front.len()),
            front_crc: crc32fast::hash(&front),
            chain: [0; 32],
            block: 0,
        };
        header.chain = header.chain_after(&self.head.chain);
        self.head.chain = header.chain;
        self.head.next_seq = self.head.next_seq.saturating_add(1);
        self.head.next_gop = gop.saturating_add(1);
        self.loss = false;
        out.push(Built {
            stream: self.id.clone(),
            header,
            front,
            pieces,
            arrived: first.at,
            weight: open.iter().map(|a| weight(&a.sample)).sum(),
            samples: open.into_iter().map(|a| a.sample.data).collect(),
        });
        self.key = false;
    }
}

fn observed(format: &Format) -> bool {
    matches!(format, Format::Observations(_))
}

/// What stands in front of a group, and is what the fingerprint is of. Observations need nothing.
fn init(format: &Format) -> Result<Vec<u8>, media::MediaError> {
    if observed(format) { Ok(Vec::new()) } else { init_segment(&[Track { id: 1, format }]) }
}

/// First half of the hash of an init segment.
pub(crate) fn fingerprint(init: &[u8]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(init).into();
    digest.first_chunk().copied().unwrap_or_default()
}

fn boxes(format: &Format, seq: u64, base_dts: u64, pieces: &[Piece]) -> Vec<u8> {
    match format {
        Format::Observations(encoding) => {
            let row = |p: &Piece| Row { duration: p.duration, cts_offset: p.cts_offset, size: p.size, random_access: p.random_access };
            observations::header(*encoding, base_dts, &pieces.iter().map(row).collect::<Vec<_>>())
        }
        // The sequence number of a fragment may wrap: players only look at its order.
        _ => fragment_header((seq & 0x7fff_ffff) as u32 + 1, 1, base_dts, pieces),
    }
}
