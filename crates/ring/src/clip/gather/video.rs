//! The pictures of a clip: from the records of a range to samples without a hole, by what is decoded and what is shown.

use super::{
    super::fronts::{Formats, Fronts},
    Gathered, Run, Shown,
    building::Building,
    edges::Edges,
    from_key, shown_at,
};
use crate::{
    error::RingError,
    format::{
        record::{FLAG_KEY, FLAG_LOSS_BEFORE, wall_end},
        samples::SampleLine,
    },
    reader::{Reader, RecordRef},
    table::BlockTable,
};
use domain::{StreamId, WallTime};
use media::{
    fmp4::Piece,
    progressive::{ClipSample, ClipTrack, TrackKind},
};

/// No picture is shown later than this behind one that is decoded after it, µs.
const REORDER: i64 = 1_000_000;

/// Pictures decoded behind the end that are looked through for ones shown before it.
const BEHIND: u32 = 16;

/// `None`: no picture was captured in the range. `begin` sees the table of every block that may hold something of it.
pub(crate) fn video(
    reader: &Reader,
    stream: &StreamId,
    from: WallTime,
    to: WallTime,
    begin: impl FnMut(&BlockTable),
) -> Result<Option<(Gathered, Shown)>, RingError> {
    let (mut fronts, mut formats) = (Fronts::new(reader), Formats::default());
    let mut pictures = Pictures::new(from, to);
    from_key(reader, stream, from, to.plus_micros(REORDER), begin, |r, table| {
        if !pictures.wants(&r) {
            return Ok(());
        }
        let usable = match fronts.of(&r, table)? {
            Some(t) => formats.index(reader, &r, t.format)?.map(|format| (format, t)),
            None => None,
        };
        match usable {
            Some((format, t)) => pictures.record(&r, t, format),
            None => pictures.hole(),
        }
        Ok(())
    })?;
    Ok(pictures.done(formats))
}

/// The pictures gathered so far, in decoding order, and what decides about the next.
struct Pictures {
    from: WallTime,
    to: WallTime,
    b: Building,
    edges: Edges,
    runs: Vec<Run>,
    /// Where the next picture is decoded, and where the last picture so far ends, on the clip's timeline.
    media: i64,
    shown_until: i64,
    /// Sequence number of what would go on without a hole; last sample's decoding time in this run.
    next_seq: Option<u64>,
    last_dts: Option<i64>,
    /// Presentation time of the picture the run began with: its leading pictures are earlier.
    joined_at: Option<i64>,
    /// Whether pictures are decoded in another order than shown.
    reordered: bool,
    offset_seen: Option<i32>,
    /// How many behind the end were taken for that, and the random access point among them.
    behind: u32,
    point: Option<i64>,
    /// Samples up to the last one shown: what is decoded behind it nobody needs.
    needed: usize,
    needed_until: i64,
    /// The end was passed: what is captured before it from here on comes from a clock that was set back.
    passed: bool,
}

impl Pictures {
    fn new(from: WallTime, to: WallTime) -> Self {
        Self {
            from,
            to,
            b: Building::new(0, 0),
            edges: Edges::default(),
            runs: Vec::new(),
            media: 0,
            shown_until: 0,
            next_seq: None,
            last_dts: None,
            joined_at: None,
            reordered: false,
            offset_seen: None,
            behind: 0,
            point: None,
            needed: 0,
            needed_until: 0,
            passed: false,
        }
    }

    /// Whether the next record belongs to the clip, as far as its line of the block says.
    fn wants(&mut self, r: &RecordRef) -> bool {
        if self.passed {
            if r.entry.wall >= self.to {
                return false;
            }
            self.passed = false;
            self.edges.behind_forgotten();
        }
        let goes_on = self.next_seq == Some(r.entry.seq) && r.entry.flags & FLAG_LOSS_BEFORE == 0;
        if !goes_on {
            self.hole();
        }
        goes_on || r.entry.flags & FLAG_KEY != 0
    }

    /// What follows does not go on from what was.
    fn hole(&mut self) {
        (self.next_seq, self.last_dts) = (None, None);
    }

    /// Takes the samples of a record.
    fn record(&mut self, r: &RecordRef, t: &SampleLine, format: u16) {
        let number = self.b.begin(r);
        if self.steady(r, t, format, number) || self.each(r, t, format, number) {
            self.next_seq = r.entry.seq.checked_add(1);
        }
    }

    /// Nearly all records of a day: pictures in the order they are shown, in the middle of a run and of what was asked for. Taken as a
    /// whole, to the same end as [`Pictures::each`]; `false`: this is none of those, and nothing was taken.
    fn steady(&mut self, r: &RecordRef, t: &SampleLine, format: u16, number: u32) -> bool {
        let (Some(first), Some(last)) = (t.pieces.first(), t.pieces.last()) else { return false };
        let (dts, offset) = (t.base_dts.cast_signed(), i64::from(first.cts_offset));
        let mut length = 0i64;
        let mut plain = true;
        for p in &t.pieces {
            plain &= p.cts_offset == first.cts_offset && p.duration > 0;
            length += i64::from(p.duration);
        }
        let before_last = length - i64::from(last.duration);
        let (Some(last_dts), Some(first_pts)) = (self.last_dts, dts.checked_add(offset)) else { return false };
        let wall = r.entry.wall.plus_micros(before_last.saturating_mul(100) / 9);
        let inside = self.offset_seen == Some(first.cts_offset) && self.joined_at.is_none_or(|key| first_pts >= key);
        if !plain || !inside || wall >= self.to || dts.checked_add(length).is_none() {
            return false;
        }
        // The picture before this record may end otherwise than its record assumed: only then is known where this one begins.
        let corrected = self.media + self.correction(last_dts, dts);
        if !self.edges.inside(corrected + offset) {
            return false;
        }
        self.correct(last_dts, dts);
        let last_pts = self.media + before_last + offset;
        self.edges.until(last_pts, wall_end(wall, last.duration));
        self.b.extend(format, t, number, self.media);
        self.media += length;
        self.shown_until = self.shown_until.max(last_pts + i64::from(last.duration));
        (self.needed, self.needed_until) = (self.b.samples.len(), self.shown_until);
        if let Some(run) = self.runs.last_mut() {
            run.wall_end = run.wall_end.max(wall_end(wall, last.duration));
        }
        self.last_dts = Some(dts + before_last);
        if t.pieces.iter().any(|p| p.random_access) {
            self.joined_at = None;
        }
        true
    }

    /// How much longer or shorter the picture before one lasts than was assumed.
    fn correction(&self, last: i64, here: i64) -> i64 {
        match (self.b.samples.last(), u32::try_from(here.saturating_sub(last))) {
            (Some(previous), Ok(d)) => i64::from(d) - i64::from(previous.duration),
            _ => 0,
        }
    }

    /// Durations follow from decoding times: those of records may be assumed, those of dropped samples are added.
    fn correct(&mut self, last: i64, here: i64) {
        self.media += self.correction(last, here);
        if let (Some(previous), Ok(d)) = (self.b.samples.last_mut(), u32::try_from(here.saturating_sub(last))) {
            previous.duration = d;
        }
    }

    /// Takes the samples of a record one by one. `false`: the end of the clip was reached.
    fn each(&mut self, r: &RecordRef, t: &SampleLine, format: u16, number: u32) -> bool {
        let (mut dts, mut at) = (t.base_dts.cast_signed(), t.front);
        // A record that begins with a picture shown late holds earlier ones behind it.
        let first_pts = t.pieces.first().map_or(0, |p| dts.saturating_add(p.cts_offset.into()));
        for p in &t.pieces {
            let (here, pts, from) = (dts, dts.saturating_add(p.cts_offset.into()), at);
            dts = dts.saturating_add(p.duration.into());
            at += p.size;
            let wall = shown_at(r, first_pts, pts);
            self.reordered |= *self.offset_seen.get_or_insert(p.cts_offset) != p.cts_offset;
            if wall >= self.to {
                // Behind a random access point only its leading pictures are shown before it: the first other one ends the search.
                let trailing = self.point.is_some_and(|point| pts > point);
                self.behind += 1;
                if !self.reordered || trailing || self.behind > BEHIND {
                    self.end();
                    return false;
                }
                self.point = self.point.or(p.random_access.then_some(pts));
            }
            if p.random_access {
                self.joined_at = match self.last_dts {
                    None => Some(pts),
                    Some(_) => None,
                };
            }
            // Leading pictures refer to what came before the point where one joined.
            if self.joined_at.is_some_and(|key| pts < key) {
                continue;
            }
            match self.last_dts {
                Some(last) => self.correct(last, here),
                None => self.begin_run(wall, p.cts_offset),
            }
            self.last_dts = Some(here);
            self.take(p, format, (number, from), wall);
        }
        true
    }

    /// A run that was cut off ends with pictures shown late whose B-frames never came: what follows is shown behind them, or a
    /// player would drop one or the other.
    fn begin_run(&mut self, wall: WallTime, cts_offset: i32) {
        let overlap = self.shown_until - self.media - i64::from(cts_offset);
        if let (Some(previous), Ok(more)) = (self.b.samples.last_mut(), u32::try_from(overlap)) {
            previous.duration = previous.duration.saturating_add(more);
            self.media += i64::from(more);
        }
        self.runs.push(Run { wall, wall_end: wall, media: self.media });
    }

    fn take(&mut self, p: &Piece, format: u16, (record, from): (u32, u32), wall: WallTime) {
        let pts = self.media + i64::from(p.cts_offset);
        self.edges.see(pts, p.duration, wall, self.from, self.to);
        let sample = ClipSample { format, duration: p.duration, cts_offset: p.cts_offset, size: p.size, random_access: p.random_access };
        self.b.push(sample, record, from, self.media);
        self.shown_until = self.shown_until.max(pts + i64::from(p.duration));
        self.media += i64::from(p.duration);
        if wall < self.to {
            (self.needed, self.needed_until) = (self.b.samples.len(), self.shown_until);
            if let Some(run) = self.runs.last_mut() {
                run.wall_end = run.wall_end.max(wall_end(wall, p.duration));
            }
        }
    }

    /// All that lies before the end is there.
    fn end(&mut self) {
        self.media -= self.b.truncate(self.needed);
        self.shown_until = self.needed_until;
        self.hole();
        (self.behind, self.point, self.passed) = (0, None, true);
    }

    fn done(mut self, formats: Formats) -> Option<(Gathered, Shown)> {
        let shown = self.edges.shown(self.shown_until)?;
        let _ = self.b.truncate(self.needed);
        let track = ClipTrack {
            kind: TrackKind::Media(formats.list),
            samples: self.b.samples,
            start_offset: -shown.skip,
            shown: u64::try_from(shown.length).ok(),
        };
        Some((Gathered { track, stretches: self.b.stretches, records: self.b.records, runs: self.runs }, shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::footer::RecordEntry;
    use domain::{CameraId, Channel, StreamKind};
    use proptest::prelude::*;

    /// A record: whether it begins a group, how far decoding and the wall jump before it, and its pieces.
    type Drawn = (bool, i64, i64, Vec<Piece>);

    fn drawn() -> impl Strategy<Value = Drawn> {
        let jump = prop_oneof![8 => Just(0i64), 1 => -3_000i64..9_000];
        let offset = prop_oneof![6 => Just(0i32), 1 => Just(3_000), 1 => -6_000i32..9_000];
        let duration = prop_oneof![8 => Just(3_000u32), 1 => 0u32..9_000];
        let piece = (offset, duration, 1u32..2_000, prop::bool::weighted(0.1));
        let piece = piece.prop_map(|(cts_offset, duration, size, random_access)| Piece { duration, size, cts_offset, random_access });
        let plain = (1usize..6).prop_map(|n| vec![Piece { duration: 3_000, size: 9, cts_offset: 0, random_access: false }; n]);
        let pieces = prop_oneof![3 => plain, 1 => proptest::collection::vec(piece, 1..6)];
        (prop::bool::weighted(0.3), jump.clone(), jump, pieces)
    }

    /// A clip's samples, and the rest of it in words.
    type Said = Option<(Vec<ClipSample>, Vec<String>)>;

    /// How many records were taken whole, and what came of it all.
    fn gather(drawn: &[Drawn], from: i64, to: i64, steady: bool) -> (usize, Said) {
        let stream = StreamId::new(CameraId::new("a").unwrap(), Channel::Main, StreamKind::Video);
        let wall = |ticks: i64| WallTime(ticks * 100 / 9);
        let mut pictures = Pictures::new(wall(from), wall(to));
        let (mut dts, mut at, mut whole) = (900_000i64, 0i64, 0);
        for (n, (key, jump, step, pieces)) in drawn.iter().enumerate() {
            (dts, at) = (dts + jump, at + jump + step);
            let mut t = SampleLine { format: [0; 16], base_dts: dts.cast_unsigned(), front: 100, pieces: pieces.clone() };
            t.pieces[0].random_access |= key;
            let flags = if *key { FLAG_KEY } else { 0 };
            let length: u32 = pieces.iter().map(|p| p.duration).sum();
            let entry = RecordEntry {
                offset: 0,
                len: 0,
                wall: wall(at),
                duration: length,
                flags,
                seq: n as u64,
                gop: 0,
                stream: 0,
                samples: 0,
                header_crc: 0,
            };
            let r = RecordRef { stream: stream.clone(), block: 1, entry, slot: 0 };
            if pictures.wants(&r) {
                let number = pictures.b.begin(&r);
                let taken = steady && pictures.steady(&r, &t, 0, number);
                whole += usize::from(taken);
                if taken || pictures.each(&r, &t, 0, number) {
                    pictures.next_seq = r.entry.seq.checked_add(1);
                }
            }
            (dts, at) = (dts + i64::from(length), at + i64::from(length));
        }
        let done = pictures.done(Formats::default()).map(|(g, s)| {
            let mut told: Vec<String> = vec![format!("{:?}", (s.from, s.to, s.skip, s.length, g.records.len(), g.track.start_offset))];
            told.extend(g.runs.iter().map(|r| format!("{:?}", (r.wall, r.wall_end, r.media))));
            told.extend(g.stretches.iter().map(|s| format!("{:?}", (s.first, s.count, s.record, s.from, s.len, s.media))));
            (g.track.samples, told)
        });
        (whole, done)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn records_taken_whole_are_as_taken_one_by_one(
            drawn in proptest::collection::vec(drawn(), 1..30),
            from in 0i64..60_000,
            length in 1i64..200_000,
        ) {
            let (whole, quick) = gather(&drawn, from, from + length, true);
            prop_assert!(whole <= drawn.len());
            prop_assert_eq!(quick, gather(&drawn, from, from + length, false).1);
        }
    }

    #[test]
    fn a_usual_day_is_taken_whole_but_for_its_ends() {
        let piece = |random_access| Piece { duration: 3_000, size: 9, cts_offset: 0, random_access };
        let day: Vec<Drawn> = (0..100).map(|n| (n % 5 == 0, 0, 0, vec![piece(false); 6])).collect();
        let (whole, done) = gather(&day, 0, 100 * 18_000, true);
        assert_eq!((whole, done.unwrap().0.len()), (99, 600));
    }
}
