//! The last seconds of a stream as segments and parts. Sans-I/O: fragments go in with their own times, no clock is read.

use super::address::{At, File};
use bytes::Bytes;
use domain::WallTime;
use std::collections::VecDeque;

/// Ticks a second.
pub(super) const SECOND: u64 = 90_000;
/// A part ends before it would be longer than this (200 ms) and what a frame's time may be off (10 ms).
const PART: u64 = SECOND / 5;
const JITTER: u64 = SECOND / 100;
/// A segment ends at the first random access point after so long.
const SEGMENT_LEAST: u64 = SECOND;
/// Longest group of pictures that makes a segment.
const SEGMENT_MOST: u64 = 10 * SECOND;
/// How much is listed at least, and how long what is no longer listed can still be fetched.
const LISTED: u64 = 12 * SECOND;
const GRACE: u64 = 6 * SECOND;
/// Most bytes kept: 12 s of a stream of 8 Mbit/s. Beyond it the oldest go, whatever their age; one segment alone may have twice as many.
const BYTES: usize = 12 << 20;
/// Most parts that are kept.
const PARTS: usize = 1024;
/// Segment numbers begin with the seconds since 2025 by the capture clock, twice: a window that ends and begins again does not
/// use a number twice, so no player takes an old segment for a new one.
const NUMBERS_SINCE: i64 = 1_735_689_600;

/// One access unit on its way in.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) bytes: Bytes,
    pub(crate) random_access: bool,
    /// Decoding time on the viewers' timeline, 90 kHz; rises.
    pub(crate) time: u64,
    pub(crate) capture: WallTime,
    /// Something is missing before it.
    pub(crate) loss_before: bool,
}

#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) fragments: Vec<Bytes>,
    pub(super) ticks: u64,
    /// It begins with a random access point.
    pub(super) independent: bool,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) capture: WallTime,
    /// What came before does not lead up to it.
    pub(super) discontinuity: bool,
    /// Which parameters it needs.
    pub(super) init: u64,
    pub(super) parts: Vec<Part>,
    /// Nothing comes to it any more.
    pub(super) whole: bool,
}

impl Segment {
    pub(super) fn ticks(&self) -> u64 {
        self.parts.iter().map(|part| part.ticks).sum()
    }
}

/// Where a place lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The playlist has it.
    Here,
    /// It comes next.
    Soon,
    /// Farther ahead than a player has reason to ask.
    Far,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Its bytes, in order.
    Here(Vec<Bytes>),
    /// It is being made.
    Soon,
    /// No playlist names it (any more).
    Never,
}

/// The window.
#[derive(Debug)]
pub(crate) struct Window {
    pub(super) segments: VecDeque<Segment>,
    inits: VecDeque<(u64, Bytes)>,
    /// The number of the next segment.
    next: Option<u64>,
    /// The part under way; it belongs to the last segment, while that is not whole.
    part: Part,
    part_start: u64,
    last: Option<u64>,
    /// What a frame usually lasts, ticks.
    step: u64,
    /// The next fragment continues nothing.
    broken: bool,
    bytes: usize,
    /// Longest part there was, ticks.
    pub(super) part_longest: u64,
    /// What the playlist promises that no segment is longer than, in seconds; only grows once it was told.
    pub(super) target: u64,
    ready: bool,
    /// How many discontinuities have left the list with their segments.
    pub(super) discontinuities: u64,
    /// Segments in front that are kept but no longer listed.
    pub(super) unlisted: usize,
    unfit: bool,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self {
            segments: VecDeque::new(),
            inits: VecDeque::new(),
            next: None,
            part: Part::default(),
            part_start: 0,
            last: None,
            step: SECOND / 25,
            broken: true,
            bytes: 0,
            part_longest: 0,
            target: 2,
            ready: false,
            discontinuities: 0,
            unlisted: 0,
            unfit: false,
        }
    }

    /// Other parameters from the next fragment on.
    pub(crate) fn init(&mut self, bytes: Bytes) {
        self.broken = true;
        let number = self.inits.back().map_or(0, |(number, _)| number + 1);
        self.inits.push_back((number, bytes));
    }

    /// Fragments are missing here.
    pub(crate) fn skipped(&mut self) {
        self.broken = true;
    }

    /// Takes the next fragment. Whether a player that waits has something new to read.
    pub(crate) fn push(&mut self, fragment: Fragment) -> bool {
        let Fragment { bytes, random_access, time, capture, loss_before } = fragment;
        let parts = self.parts_made();
        self.broken |= loss_before;
        if self.broken {
            self.end_segment(self.last.map_or(time, |last| last.saturating_add(self.step)));
            if !random_access {
                self.settle();
                return self.parts_made() != parts;
            }
            self.begin_segment(time, capture, true);
        } else if random_access && self.segment_ticks(time) >= SEGMENT_LEAST {
            self.end_segment(time);
            self.begin_segment(time, capture, false);
        } else if self.segment_ticks(time) > SEGMENT_MOST || self.bytes.saturating_add(bytes.len()) > 2 * BYTES {
            self.give_up();
            return true;
        } else if time.saturating_sub(self.part_start).saturating_add(self.step) > PART + JITTER {
            self.end_part(time);
        }
        if let Some(last) = self.last.filter(|_| !self.broken) {
            self.step = (self.step * 3 + time.saturating_sub(last)) / 4;
        }
        self.broken = false;
        self.last = Some(time);
        if self.part.fragments.is_empty() {
            self.part.independent = random_access;
            self.part_start = time;
        }
        self.bytes += bytes.len();
        self.part.fragments.push(bytes);
        self.forget();
        self.settle();
        self.parts_made() != parts
    }

    /// Whether there is enough to begin with: three parts, and an idea of how long segments are.
    pub(crate) fn ready(&self) -> bool {
        self.ready
    }

    /// Key frames come too seldom, or are too large, for this.
    pub(crate) fn unfit(&self) -> bool {
        self.unfit
    }

    /// Where this place lies.
    pub(crate) fn reach(&self, at: At) -> Reach {
        let Some(end) = self.segments.back() else { return Reach::Soon };
        // The segment under way, or the one that begins with the next fragment.
        let (open, made) = if end.whole { (end.number + 1, 0) } else { (end.number, count(end.parts.len())) };
        let mut at = at;
        if let (Some(part), Some(segment)) = (at.part, self.segments.iter().find(|s| s.number == at.segment && s.whole))
            && part >= count(segment.parts.len())
        {
            // Beyond the last part of a segment is the first of the next.
            at = At { segment: at.segment + 1, part: Some(0) };
        }
        let ahead = (3 * SECOND).div_ceil(self.part_longest.clamp(PART / 2, SECOND));
        match at.part {
            _ if at.segment < open => Reach::Here,
            _ if at.segment > open + 1 => Reach::Far,
            Some(part) if at.segment == open && part < made => Reach::Here,
            Some(part) if part > if at.segment == open { made + ahead } else { ahead } => Reach::Far,
            _ => Reach::Soon,
        }
    }

    /// Finds a file.
    pub(crate) fn file(&self, file: File) -> Found {
        match file {
            File::Init(n) => self.inits.iter().find(|(number, _)| *number == n).map_or(Found::Never, |(_, b)| Found::Here(vec![b.clone()])),
            File::Segment(n) => match self.segments.iter().find(|s| s.number == n && s.whole) {
                Some(segment) => Found::Here(segment.parts.iter().flat_map(|part| part.fragments.iter().cloned()).collect()),
                None => Found::Never,
            },
            File::Part(n, m) => match self.segments.iter().find(|s| s.number == n) {
                Some(segment) => match usize::try_from(m).ok().and_then(|m| segment.parts.get(m)) {
                    Some(part) => Found::Here(part.fragments.clone()),
                    None if !segment.whole && m == count(segment.parts.len()) => Found::Soon,
                    None => Found::Never,
                },
                None => Found::Never,
            },
        }
    }

    /// Bytes and parts held now.
    #[cfg(test)]
    pub(crate) fn held(&self) -> (usize, usize) {
        (self.bytes, self.segments.iter().map(|s| s.parts.len()).sum())
    }

    /// The segment that still grows.
    pub(super) fn open(&self) -> Option<&Segment> {
        self.segments.back().filter(|segment| !segment.whole)
    }

    fn parts_made(&self) -> (u64, usize) {
        self.segments.back().map_or((0, 0), |segment| (segment.number, segment.parts.len() + usize::from(segment.whole)))
    }

    /// How long the open segment would be, if it ended at `time`.
    fn segment_ticks(&self, time: u64) -> u64 {
        self.open().map_or(0, |segment| segment.ticks() + time.saturating_sub(self.part_start))
    }

    fn begin_segment(&mut self, time: u64, capture: WallTime, broken: bool) {
        let Some(&(init, _)) = self.inits.back() else { return };
        let first = u64::try_from(capture.0.div_euclid(1_000_000) - NUMBERS_SINCE).unwrap_or(0) * 2;
        let number = self.next.unwrap_or(first);
        self.next = Some(number + 1);
        let discontinuity = broken && !self.segments.is_empty();
        self.segments.push_back(Segment { number, capture, discontinuity, init, parts: Vec::new(), whole: false });
        self.part_start = time;
    }

    fn end_part(&mut self, time: u64) {
        if self.part.fragments.is_empty() {
            return;
        }
        let mut part = std::mem::take(&mut self.part);
        part.ticks = time.saturating_sub(self.part_start).max(1);
        self.part_longest = self.part_longest.max(part.ticks);
        self.part_start = time;
        if let Some(segment) = self.segments.back_mut() {
            segment.parts.push(part);
        }
    }

    fn end_segment(&mut self, time: u64) {
        self.end_part(time);
        if let Some(segment) = self.segments.back_mut().filter(|segment| !segment.whole) {
            segment.whole = true;
            self.unfit = false;
        }
    }

    /// Lets go of everything and begins anew at the next random access point.
    fn give_up(&mut self) {
        let init = self.inits.back().cloned();
        let listed = self.segments.iter().skip(self.unlisted).filter(|segment| segment.discontinuity).count();
        let discontinuities = self.discontinuities + count(listed) + 1;
        let inits = init.into_iter().collect();
        *self = Self { next: self.next, inits, target: self.target, discontinuities, unfit: true, ..Self::new() };
    }

    /// Learns what the playlist promises, and whether it can be told.
    fn settle(&mut self) {
        let longest = self.segments.iter().map(Segment::ticks).max().unwrap_or(0);
        self.target = self.target.max((longest + SECOND / 2) / SECOND);
        if self.ready {
            return;
        }
        let parts: usize = self.segments.iter().map(|s| s.parts.len()).sum();
        let known = self.segments.iter().any(|s| s.whole);
        if parts >= 3 && (known || longest >= 2 * SECOND) {
            // A first group of pictures that goes on for longer than 2 s is 4 s long in most cameras.
            self.target = self.target.max(if known { 2 } else { 4 });
            self.ready = true;
        }
    }

    /// Unlists and drops what is old or too much.
    fn forget(&mut self) {
        let listed = LISTED.max(3 * SECOND * self.target);
        let mut whole: u64 = self.segments.iter().skip(self.unlisted).filter(|s| s.whole).map(Segment::ticks).sum();
        while let Some(first) = self.segments.get(self.unlisted).filter(|s| s.whole && whole - s.ticks() >= listed) {
            whole -= first.ticks();
            self.discontinuities += u64::from(first.discontinuity);
            self.unlisted += 1;
        }
        let mut parts: usize = self.segments.iter().map(|s| s.parts.len()).sum();
        let mut old: u64 = self.segments.iter().take(self.unlisted).map(Segment::ticks).sum();
        while let Some(first) = self.segments.front().filter(|s| s.whole && self.segments.len() > 1) {
            if old <= GRACE && self.bytes <= BYTES && parts <= PARTS {
                break;
            }
            old = old.saturating_sub(first.ticks());
            parts -= first.parts.len();
            self.bytes -= first.parts.iter().flat_map(|p| &p.fragments).map(Bytes::len).sum::<usize>();
            match self.unlisted.checked_sub(1) {
                Some(rest) => self.unlisted = rest,
                None => self.discontinuities += u64::from(first.discontinuity),
            }
            self.segments.pop_front();
        }
        let oldest = self.segments.front().map_or(0, |s| s.init);
        while self.inits.len() > 1 && self.inits.front().is_some_and(|(number, _)| *number < oldest) {
            self.inits.pop_front();
        }
    }
}

pub(super) fn count(n: usize) -> u64 {
    n as u64
}
