//! From records to the sample tables of a clip: runs without a hole, durations from decoding times, sound in step.

use super::fronts::{Formats, Fronts};
use crate::{
    error::RingError,
    format::record::{FLAG_KEY, FLAG_LOSS_BEFORE, wall_end},
    reader::{Reader, RecordRef},
};
use domain::{StreamId, WallTime};
use media::progressive::{ClipSample, ClipTrack, TrackKind};

/// Bytes of one record that follow one another in the file.
pub(super) struct Stretch {
    pub(super) track: usize,
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) record: u32,
    pub(super) from: u32,
    pub(super) len: u32,
    /// When its first sample is decoded, in the clip, 90 kHz.
    pub(super) media: i64,
}

/// A part of the clip without a hole.
pub(super) struct Run {
    /// Wall time of its first frame.
    pub(super) wall: WallTime,
    /// Wall time at which its last frame ends.
    pub(super) wall_end: WallTime,
    /// Where it begins among the decoding times of the video, 90 kHz.
    pub(super) media: i64,
}

pub(super) struct Gathered {
    pub(super) track: ClipTrack,
    pub(super) stretches: Vec<Stretch>,
    pub(super) records: Vec<RecordRef>,
    pub(super) runs: Vec<Run>,
}

/// What of the video is shown: of the group it begins in, and of the pictures others refer to, only what was asked for.
pub(super) struct Shown {
    /// Wall time of the first picture shown.
    pub(super) from: WallTime,
    /// Wall time at which the last one ends.
    pub(super) to: WallTime,
    /// How much of the video lies before it, 90 kHz.
    pub(super) skip: i64,
    /// How long it is, 90 kHz.
    pub(super) length: i64,
}

/// No picture is shown later than this behind one that is decoded after it, µs.
const REORDER: i64 = 1_000_000;

/// Pictures decoded behind the end that are looked through for ones shown before it.
const BEHIND: u32 = 16;

/// Appends samples to a track, and remembers which bytes they are.
struct Building {
    track: usize,
    samples: Vec<ClipSample>,
    stretches: Vec<Stretch>,
    records: Vec<RecordRef>,
    base: usize,
}

impl Building {
    fn new(track: usize, base: usize) -> Self {
        Self { track, samples: Vec::new(), stretches: Vec::new(), records: Vec::new(), base }
    }

    fn begin(&mut self, r: &RecordRef) -> u32 {
        self.records.push(r.clone());
        u32::try_from(self.base + self.records.len() - 1).unwrap_or(u32::MAX)
    }

    fn push(&mut self, sample: ClipSample, record: u32, from: u32, media: i64) {
        let first = self.samples.len();
        self.samples.push(sample);
        match self.stretches.last_mut() {
            Some(s) if s.record == record && s.from + s.len == from => {
                s.count += 1;
                s.len += sample.size;
            }
            _ => self.stretches.push(Stretch { track: self.track, first, count: 1, record, from, len: sample.size, media }),
        }
    }
}

impl Building {
    /// Takes the samples behind the first so many away, and the records that held nothing else.
    /// Answers how long they were, 90 kHz.
    fn truncate(&mut self, needed: usize) -> i64 {
        let mut length = 0;
        while let Some(last) = self.samples.get(needed..).and_then(<[_]>::last) {
            if let Some(s) = self.stretches.last_mut() {
                (s.count, s.len) = (s.count - 1, s.len - last.size);
                if s.count == 0 {
                    self.stretches.pop();
                }
            }
            length += i64::from(last.duration);
            self.samples.pop();
        }
        let held = self.stretches.iter().map(|s| s.record as usize + 1).max().unwrap_or(self.base);
        self.records.truncate(held - self.base);
        length
    }
}

/// When a sample of a record is shown, by the wall.
fn shown_at(r: &RecordRef, first_pts: i64, pts: i64) -> WallTime {
    r.entry.wall.plus_micros(pts.saturating_sub(first_pts).saturating_mul(100) / 9)
}

/// The records of a range, beginning at a random access point: at or before its start, or else the first behind it.
fn from_key(reader: &Reader, stream: &StreamId, from: WallTime, to: WallTime) -> Result<Vec<RecordRef>, RingError> {
    let mut records = reader.records(stream, from, to)?;
    if let Some(first) = records.first().cloned()
        && let Some(mut before) = reader.group_before(&first)?
    {
        before.append(&mut records);
        records = before;
    }
    // Where the clock was set back the range begins once more, in the middle of a group.
    let mut out: Vec<RecordRef> = Vec::with_capacity(records.len());
    for r in records {
        let jumps = out.last().filter(|last| last.entry.seq.checked_add(1) != Some(r.entry.seq) && !r.key());
        if let Some(last) = jumps.map(|last| last.entry.seq)
            && let Some(before) = reader.group_before(&r)?
        {
            out.extend(before.into_iter().filter(|b| b.entry.seq > last));
        }
        out.push(r);
    }
    Ok(out)
}

/// `None`: no picture was captured in the range.
pub(super) fn video(reader: &Reader, stream: &StreamId, from: WallTime, to: WallTime) -> Result<Option<(Gathered, Shown)>, RingError> {
    let mut edges = Edges { first: i64::MAX, begin: None, last: None, behind: None };
    // Whether pictures are decoded in another order than shown, and how many behind the end were taken for that.
    let (mut reordered, mut offset_seen, mut behind, mut point) = (false, None, 0u32, None);
    // Samples up to the last one shown: what is decoded behind it nobody needs.
    let (mut needed, mut needed_until) = (0, 0i64);
    let mut b = Building::new(0, 0);
    let (mut fronts, mut formats, mut runs, mut media) = (Fronts::new(reader), Formats::default(), Vec::<Run>::new(), 0i64);
    // Where the last picture so far ends, on the clip's timeline.
    let mut shown_until = 0i64;
    // Sequence number and decoding time of what would go on without a hole; last sample's decoding time in this run.
    let mut next_seq = None;
    let mut last_dts = None;
    let mut joined_at = None;
    // A record that begins with a picture shown late holds earlier ones behind it.
    // The end was passed: what is captured before it from here on comes from a clock that was set back.
    let mut passed = false;
    'records: for r in from_key(reader, stream, from, to.plus_micros(REORDER))? {
        if passed {
            if r.entry.wall >= to {
                continue;
            }
            (passed, edges.behind) = (false, None);
        }
        let goes_on = next_seq == Some(r.entry.seq) && r.entry.flags & FLAG_LOSS_BEFORE == 0;
        if !goes_on {
            (next_seq, last_dts) = (None, None);
            if r.entry.flags & FLAG_KEY == 0 {
                continue;
            }
        }
        let usable = match fronts.of(&r)? {
            Some(t) => formats.index(reader, &r, t.format)?.map(|format| (format, t)),
            None => None,
        };
        let Some((format, t)) = usable else {
            (next_seq, last_dts) = (None, None);
            continue;
        };
        let number = b.begin(&r);
        let (mut dts, mut at) = (t.base_dts.cast_signed(), t.front);
        let first_pts = t.pieces.first().map_or(0, |p| dts + i64::from(p.cts_offset));
        for p in &t.pieces {
            let (here, pts, offset) = (dts, dts.saturating_add(p.cts_offset.into()), at);
            dts = dts.saturating_add(p.duration.into());
            at += p.size;
            let wall = shown_at(&r, first_pts, pts);
            reordered |= *offset_seen.get_or_insert(p.cts_offset) != p.cts_offset;
            if wall >= to {
                // Behind a random access point only its leading pictures are shown before it: the first other one ends the search.
                let trailing = point.is_some_and(|point| pts > point);
                behind += 1;
                if !reordered || trailing || behind > BEHIND {
                    media -= b.truncate(needed);
                    shown_until = needed_until;
                    (next_seq, last_dts, behind, point, passed) = (None, None, 0, None, true);
                    continue 'records;
                }
                point = point.or(p.random_access.then_some(pts));
            }
            if p.random_access {
                joined_at = match last_dts {
                    None => Some(pts),
                    Some(_) => None,
                };
            }
            // Leading pictures refer to what came before the point where one joined.
            if joined_at.is_some_and(|key| pts < key) {
                continue;
            }
            match last_dts {
                // Durations follow from decoding times: those of records may be assumed, those of dropped samples are added.
                Some(last) => {
                    let d: i64 = here - last;
                    if let (Some(previous), Ok(d)) = (b.samples.last_mut(), u32::try_from(d)) {
                        media += i64::from(d) - i64::from(previous.duration);
                        previous.duration = d;
                    }
                }
                None => {
                    // A run that was cut off ends with pictures shown late whose B-frames never came: what follows
                    // is shown behind them, or a player would drop one or the other.
                    let overlap = shown_until - media - i64::from(p.cts_offset);
                    if let (Some(previous), Ok(more)) = (b.samples.last_mut(), u32::try_from(overlap)) {
                        previous.duration = previous.duration.saturating_add(more);
                        media += i64::from(more);
                    }
                    runs.push(Run { wall, wall_end: wall, media });
                }
            }
            last_dts = Some(here);
            edges.see(media + i64::from(p.cts_offset), p.duration, wall, from, to);
            let sample =
                ClipSample { format, duration: p.duration, cts_offset: p.cts_offset, size: p.size, random_access: p.random_access };
            b.push(sample, number, offset, media);
            shown_until = shown_until.max(media + i64::from(p.cts_offset) + i64::from(p.duration));
            if wall < to {
                (needed, needed_until) = (b.samples.len(), shown_until);
            }
            media += i64::from(p.duration);
            if let Some(run) = runs.last_mut().filter(|_| wall < to) {
                run.wall_end = run.wall_end.max(wall_end(wall, p.duration));
            }
        }
        next_seq = r.entry.seq.checked_add(1);
    }
    let Some(shown) = edges.shown(shown_until) else { return Ok(None) };
    let _ = b.truncate(needed);
    let track = ClipTrack {
        kind: TrackKind::Media(formats.list),
        samples: b.samples,
        start_offset: -shown.skip,
        shown: u64::try_from(shown.length).ok(),
    };
    Ok(Some((Gathered { track, stretches: b.stretches, records: b.records, runs }, shown)))
}

/// Finds out what is shown while samples are gathered in decoding order.
struct Edges {
    /// Earliest presentation time of all.
    first: i64,
    /// The first picture asked for: presentation and wall time.
    begin: Option<(i64, WallTime)>,
    /// The last one: presentation time, and when it ends by the wall.
    last: Option<(i64, WallTime)>,
    /// The first picture behind the end.
    behind: Option<i64>,
}

impl Edges {
    fn see(&mut self, pts: i64, duration: u32, wall: WallTime, from: WallTime, to: WallTime) {
        self.first = self.first.min(pts);
        if wall >= to {
            self.behind = Some(self.behind.map_or(pts, |b| b.min(pts)));
            return;
        }
        if wall >= from && self.begin.is_none_or(|(b, _)| pts < b) {
            self.begin = Some((pts, wall));
        }
        if self.last.is_none_or(|(l, _)| pts > l) {
            self.last = Some((pts, wall_end(wall, duration)));
        }
    }

    fn shown(&self, all: i64) -> Option<Shown> {
        let ((begin, from), (last, to)) = (self.begin?, self.last?);
        let end = self.behind.filter(|b| *b > last).unwrap_or(all);
        Some(Shown { from, to, skip: begin - self.first, length: end - begin })
    }
}

/// How far sound may run ahead or behind before it is corrected, 90 kHz: 50 ms.
const STEP: i64 = 4_500;

/// The sound of what is shown.
pub(super) fn audio(reader: &Reader, stream: &StreamId, runs: &[Run], shown: &Shown, base: usize) -> Result<Option<Gathered>, RingError> {
    let mut b = Building::new(1, base);
    let (mut fronts, mut formats) = (Fronts::new(reader), Formats::default());
    let (mut end, mut start_offset) = (0i64, 0i64);
    // A record may reach over the end of a run into the next one, and is one record nevertheless.
    let mut last: Option<((u64, u64), u32)> = None;
    for run in runs {
        let (from, to) = (run.wall.max(shown.from), run.wall_end);
        // A run that lies before what is shown.
        if from >= to {
            continue;
        }
        for r in from_key(reader, stream, from, to)? {
            let Some(t) = fronts.of(&r)? else { continue };
            let Some(format) = formats.index(reader, &r, t.format)? else { continue };
            let here = (r.block, r.entry.seq);
            // Sound goes on as it was recorded: what lies before what was taken already belongs to a clock that was set back.
            if last.is_some_and(|(taken, _)| here < taken) {
                continue;
            }
            // Only once something of it is heard: a package must not hold sound of before.
            let mut number = None;
            let (mut pts, mut at) = (0i64, t.front);
            for p in &t.pieces {
                let (wall, offset) = (shown_at(&r, 0, pts), at);
                pts += i64::from(p.duration);
                at += p.size;
                if wall < from || wall >= to {
                    continue;
                }
                let due = run.media + wall.micros_since(run.wall).saturating_mul(9) / 100 - shown.skip;
                match b.samples.last_mut() {
                    None => (start_offset, end) = (due, due),
                    // A hole in the sound: the sample before it lasts until it ends.
                    Some(previous) if due - end > STEP => {
                        let more = u32::try_from(due - end).unwrap_or(u32::MAX);
                        previous.duration = previous.duration.saturating_add(more);
                        end = due;
                    }
                    Some(_) if end - due > STEP => continue,
                    Some(_) => {}
                }
                let number = *number.get_or_insert_with(|| match last {
                    Some((key, number)) if key == here => number,
                    _ => b.begin(&r),
                });
                last = Some((here, number));
                b.push(ClipSample { format, duration: p.duration, cts_offset: 0, size: p.size, random_access: true }, number, offset, end);
                end += i64::from(p.duration);
            }
        }
    }
    if b.samples.is_empty() {
        return Ok(None);
    }
    let track = ClipTrack { kind: TrackKind::Media(formats.list), samples: b.samples, start_offset, shown: None };
    Ok(Some(Gathered { track, stretches: b.stretches, records: b.records, runs: Vec::new() }))
}
