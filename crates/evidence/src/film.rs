//! Somebody's film beside the ring: is it ours, from which second, and is it whole?
//!
//! Any MP4 whose pictures were not encoded again is recognised, whoever boxed them: pictures are found by their sizes, and believed
//! by their SHA-256 against records that are checked themselves. How fast a film plays, and what its edit list hides, is not judged.

use crate::verify::Source;
use domain::{StreamId, WallTime};
use media::demux::{self, Place};
use ring::{Reader, RecordRef, RingError};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    io,
};

/// So many pictures of one size after the other are looked for: by chance they lie nowhere twice.
const RUN: usize = 8;
/// Where in the film such runs are taken: its beginning may be cut, its middle exchanged.
const ANCHORS: usize = 6;
/// How far around an anchor more of the film is looked for, beyond its own length.
const AROUND: i64 = 120_000_000;
/// So much is looked through at a time: a month's records at once would fill the memory.
const WINDOW: i64 = 3_600_000_000;
/// Findings kept; further ones are counted.
const KEPT: usize = 200;

/// Why a film could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum FilmError {
    /// It is no film.
    #[error("this is no film that can be checked: {0}")]
    Film(#[from] media::MediaError),
    /// It cannot be read.
    #[error("the film cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The ring cannot be read.
    #[error(transparent)]
    Ring(#[from] RingError),
}

/// What is not as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilmWhat {
    /// Pictures were recorded between two of the film, and are not in it.
    CutOut,
    /// A picture is another one than was recorded there.
    Changed,
    /// A picture that was not recorded was put in.
    PutIn,
}

/// One such thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FilmFinding {
    /// What.
    pub what: FilmWhat,
    /// How many pictures.
    pub pictures: u64,
    /// When the first of them was captured, or would have been.
    #[serde(serialize_with = "rfc3339")]
    pub from: WallTime,
    /// When the last one was.
    #[serde(serialize_with = "rfc3339")]
    pub to: WallTime,
}

/// A film that was recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FilmVerdict {
    /// Whose pictures they are: `camera/channel/kind`.
    pub stream: String,
    /// The first picture that is ours was captured then.
    #[serde(serialize_with = "rfc3339")]
    pub from: WallTime,
    /// The last one.
    #[serde(serialize_with = "rfc3339")]
    pub to: WallTime,
    /// Pictures of the film.
    pub pictures: u64,
    /// Those that are ours.
    pub ours: u64,
    /// What is not as it was recorded, at most two hundred.
    pub findings: Vec<FilmFinding>,
    /// How many there are in all.
    pub found: u64,
}

impl FilmVerdict {
    /// Whether all of it was recorded so, without a cut.
    #[must_use]
    pub fn good(&self) -> bool {
        self.found == 0 && self.ours == self.pictures
    }

    fn add(&mut self, what: FilmWhat, pictures: u64, from: WallTime, to: WallTime) {
        // Neighbours of one kind are one finding.
        if let Some(last) = self.findings.last_mut()
            && last.what == what
            && what != FilmWhat::CutOut
            && from >= last.to
        {
            last.pictures += pictures;
            last.to = to;
            return;
        }
        self.found += 1;
        if self.findings.len() < KEPT {
            self.findings.push(FilmFinding { what, pictures, from, to });
        }
    }
}

fn rfc3339<S: serde::Serializer>(at: &WallTime, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(at)
}

/// A film's pictures by size and digest.
pub struct Film {
    pictures: Vec<(u32, [u8; 32])>,
}

impl Film {
    /// Reads every picture once.
    ///
    /// # Errors
    /// When it is no film, or cannot be read.
    pub fn read(source: &dyn Source) -> Result<Self, FilmError> {
        let exact = |at: u64, buf: &mut [u8]| {
            let mut done = 0;
            while done < buf.len() {
                match source.read_at(at + done as u64, buf.get_mut(done..).unwrap_or_default())? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    n => done += n,
                }
            }
            Ok(())
        };
        let places = demux::pictures(source.len(), exact)?;
        let mut pictures = Vec::with_capacity(places.len());
        let mut buffer = Vec::new();
        for Place { offset, size } in places {
            buffer.resize(size as usize, 0);
            exact(offset, &mut buffer)?;
            pictures.push((size, Sha256::digest(&buffer).into()));
        }
        Ok(Self { pictures })
    }

    /// Runs of pictures to be looked for: where they begin in the film.
    fn anchors(&self) -> Vec<usize> {
        let Some(last) = self.pictures.len().checked_sub(RUN) else { return if self.pictures.is_empty() { vec![] } else { vec![0] } };
        let mut all: Vec<_> = (0..ANCHORS).map(|n| last * n / (ANCHORS - 1)).collect();
        all.dedup();
        all
    }

    /// Looks for the film in a stream, between two times. `None`: it is not there. `progress` hears of the
    /// microseconds of recording looked at, and of all.
    ///
    /// # Errors
    /// When the ring cannot be read; gaps and damage are none.
    pub fn find(
        &self,
        reader: &Reader,
        stream: &StreamId,
        (from, to): (WallTime, WallTime),
        mut progress: impl FnMut(i64, i64),
    ) -> Result<Option<FilmVerdict>, FilmError> {
        let anchors: Vec<(usize, Vec<u32>)> =
            self.anchors().into_iter().map(|at| (at, self.pictures.iter().skip(at).take(RUN).map(|p| p.0).collect())).collect();
        // What is recorded at all, so that windows do not go through empty years.
        let spans = reader.coverage(stream, from, to)?;
        let all: i64 = spans.iter().map(|s| s.to.micros_since(s.from)).sum();
        let (mut looked, mut seen, mut last) = (0, VecDeque::new(), None);
        for span in spans {
            let mut begin = span.from;
            while begin < span.to {
                let end = begin.plus_micros(WINDOW).min(span.to);
                for r in reader.records(stream, begin, end)? {
                    // One that lies over the edge of two windows comes twice.
                    let here = Some((r.block, r.entry.seq));
                    if std::mem::replace(&mut last, here) == here {
                        continue;
                    }
                    if let Some(verdict) = self.look(reader, &r, &anchors, &mut seen)? {
                        return Ok(Some(verdict));
                    }
                }
                looked += end.micros_since(begin);
                progress(looked, all);
                begin = end;
            }
        }
        Ok(None)
    }

    /// Looks for the runs in one more record.
    fn look(
        &self,
        reader: &Reader,
        r: &RecordRef,
        anchors: &[(usize, Vec<u32>)],
        seen: &mut VecDeque<u32>,
    ) -> Result<Option<FilmVerdict>, FilmError> {
        // What cannot be read is a gap.
        let Ok(sizes) = reader.sizes(r) else {
            seen.clear();
            return Ok(None);
        };
        for size in sizes {
            seen.push_back(size);
            if seen.len() > RUN {
                seen.pop_front();
            }
            let hit = anchors.iter().find(|(_, run)| seen.len() >= run.len() && seen.iter().rev().take(run.len()).eq(run.iter().rev()));
            if let Some((at, _)) = hit
                && let Some(verdict) = self.compare(reader, r, *at)?
            {
                return Ok(Some(verdict));
            }
        }
        Ok(None)
    }

    /// Compares picture by picture around a record that the film seems to hold its `anchor`th picture of.
    fn compare(&self, reader: &Reader, here: &RecordRef, anchor: usize) -> Result<Option<FilmVerdict>, FilmError> {
        let per = i64::from(here.entry.duration) * 100 / 9 / i64::from(here.entry.samples.max(1));
        let length = per.saturating_mul(self.pictures.len() as i64);
        let (begin, end) = (here.entry.wall.plus_micros(-length - AROUND), here.entry.wall.plus_micros(length + AROUND));
        let mut ring = Vec::new();
        for r in reader.records(&here.stream, begin, end)? {
            match reader.samples(&r) {
                Ok(samples) => ring.extend(samples.iter().map(|s| Recorded {
                    digest: Sha256::digest(&s.data).into(),
                    at: s.capture,
                    pts: s.pts,
                    key: s.random_access,
                })),
                Err(e) if e.is_gap() => {}
                Err(e) => return Err(e.into()),
            }
        }
        let known: HashMap<[u8; 32], usize> = ring.iter().enumerate().rev().map(|(n, r)| (r.digest, n)).collect();
        // The anchor itself must be there: sizes alone prove nothing.
        if !self.pictures.get(anchor).is_some_and(|p| known.contains_key(&p.1)) {
            return Ok(None);
        }
        Ok(self.walk(&ring, &known, here.stream.to_string()))
    }

    fn walk(&self, ring: &[Recorded], known: &HashMap<[u8; 32], usize>, stream: String) -> Option<FilmVerdict> {
        let first = self.pictures.iter().find_map(|p| known.get(&p.1))?;
        let begin = ring.get(*first)?;
        let pictures = self.pictures.len() as u64;
        let mut v = FilmVerdict { stream, from: begin.at, to: begin.at, pictures, ours: 0, findings: Vec::new(), found: 0 };
        // The picture of the ring that would follow; the key picture decoding began with.
        let (mut next, mut joined) = (*first, begin.pts);
        for (n, (_, digest)) in self.pictures.iter().enumerate() {
            let expected = ring.get(next);
            if expected.is_some_and(|r| r.digest == *digest) {
                let r = expected?;
                if r.key {
                    joined = r.pts;
                }
                v.ours += 1;
                (v.from, v.to) = (v.from.min(r.at), v.to.max(r.at));
                next += 1;
                continue;
            }
            // Later in the ring: what lies between was left out.
            let later =
                if known.contains_key(digest) { ring.iter().enumerate().skip(next).find(|(_, r)| r.digest == *digest) } else { None };
            match later {
                Some((there, r)) => {
                    // Leading pictures, which cannot be decoded where somebody joined, are left out by everybody.
                    let after_key = next > 0 && ring.get(next - 1).is_some_and(|r| r.key);
                    let cut: Vec<_> = ring.get(next..there)?.iter().filter(|c| !(after_key && c.pts < joined)).collect();
                    if let (Some(a), Some(b)) = (cut.first(), cut.last()) {
                        v.add(FilmWhat::CutOut, cut.len() as u64, a.at, b.at);
                    }
                    if r.key {
                        joined = r.pts;
                    }
                    v.ours += 1;
                    v.to = v.to.max(r.at);
                    next = there + 1;
                }
                None => {
                    let at = expected.map_or(v.to, |r| r.at);
                    // The one after it goes on as if nothing had been: this one was exchanged.
                    let after = self.pictures.get(n + 1).map(|p| p.1);
                    if after.is_none() || ring.get(next + 1).map(|r| r.digest) == after {
                        v.add(FilmWhat::Changed, 1, at, at);
                        next += 1;
                    } else if after.is_some_and(|d| known.contains_key(&d)) || expected.is_none() {
                        v.add(FilmWhat::PutIn, 1, at, at);
                    } else {
                        v.add(FilmWhat::Changed, 1, at, at);
                        next += 1;
                    }
                }
            }
        }
        Some(v)
    }
}

/// A picture of the ring.
struct Recorded {
    digest: [u8; 32],
    at: WallTime,
    pts: i64,
    key: bool,
}
