//! The head of a progressive MP4 (ISO 14496-12 §8.3–8.7): everything before the first sample's byte, with the index in
//! front, so that a browser can play and seek while it still downloads. Does not touch the samples' bytes themselves.

use crate::{
    boxes::write::{Carries, captions_stsd, container, ftyp, leaf, mdia, mvhd, stsd, tkhd},
    error::MediaError,
};
use domain::Format;
use mp4_atom::{Co64, Ctts, CttsEntry, Edts, Elst, ElstEntry, Stco, Stsc, StscEntry, Stss, Stsz, StszSamples, Stts, SttsEntry};
use std::sync::Arc;

/// One sample of a clip, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipSample {
    /// Index into the formats of [`TrackKind::Media`].
    pub format: u16,
    /// Ticks of 90 kHz to the next sample's decoding time.
    pub duration: u32,
    /// Presentation time minus decoding time, ticks of 90 kHz.
    pub cts_offset: i32,
    /// Bytes.
    pub size: u32,
    /// Decoding may start here.
    pub random_access: bool,
}

/// What a track carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackKind {
    /// Pictures, sound or observations: the parameters its samples use, one sample entry each. All of one kind.
    Media(Vec<Arc<Format>>),
    /// Subtitles (3GPP timed text, `tx3g`): each sample is a 16-bit length and so many bytes of UTF-8.
    Captions,
}

/// One track of a clip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipTrack {
    /// What it carries.
    pub kind: TrackKind,
    /// Its samples in decoding order, at least one.
    pub samples: Vec<ClipSample>,
    /// When its first presented sample is shown, ticks of 90 kHz after the clip's start. Becomes an edit list; when
    /// negative, that much of the track is decoded but not shown.
    pub start_offset: i64,
    /// Show no more than this of it, ticks of 90 kHz; what lies behind is decoded (others may refer to it), not shown.
    pub shown: Option<u64>,
}

/// A stretch of one track's samples that lie one after the other in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Index into the tracks.
    pub track: usize,
    /// First sample.
    pub first: usize,
    /// How many, at least one.
    pub count: usize,
}

/// Writes `ftyp`, `moov` and the head of `mdat` (8 or 16 bytes). The samples' bytes must follow at once, chunk after
/// chunk in the order of `chunks`; the length of what is returned is the first byte's offset in the file.
///
/// The first presented sample of a track is shown at its `start_offset`, exactly. Times are 90 kHz throughout. Tables are
/// 32 bits wide until a chunk begins beyond 4 GiB.
///
/// # Errors
/// When tracks are missing or empty, formats are missing or of several kinds, an index is out of range, the chunks do not
/// name every sample of every track once and in order, or a value does not fit its field.
pub fn header(tracks: &[ClipTrack], chunks: &[Chunk]) -> Result<Vec<u8>, MediaError> {
    check(tracks)?;
    let layouts = layouts(tracks, chunks)?;
    let payload: u64 = tracks.iter().flat_map(|t| &t.samples).map(|s| u64::from(s.size)).sum();
    let mdat = if u32::try_from(payload + 8).is_ok() { 8 } else { 16 };
    // The tables of a day are millions of entries: written once, however often the few boxes around them are.
    let plans = tracks.iter().zip(&layouts).map(|(track, layout)| Plan::of(track, layout)).collect::<Result<Vec<_>, _>>()?;
    let tables: usize = plans.iter().map(|p| p.tables.len()).sum();
    let chunks: usize = layouts.iter().map(|l| l.offsets.len()).sum();
    // Where the bytes begin depends on the size of the tables alone, not on what they hold: measured without them, then written.
    let mut around = Vec::new();
    ftyp(&mut around, b"isom", &[b"isom", b"iso4", b"mp41"])?;
    moov(&mut around, tracks, &plans, None)?;
    let size = |offset: usize| (around.len() + tables + chunks * offset) as u64 + mdat;
    let last = layouts.iter().filter_map(|l| l.offsets.last()).max().copied().unwrap_or(0);
    let wide = u32::try_from(size(4) + last).is_err();
    let base = size(if wide { 8 } else { 4 });
    let mut out = Vec::with_capacity(usize::try_from(base).unwrap_or(0));
    ftyp(&mut out, b"isom", &[b"isom", b"iso4", b"mp41"])?;
    moov(&mut out, tracks, &plans, Some(Base { at: base, wide }))?;
    debug_assert_eq!(out.len() as u64 + mdat, base);
    let size = u32::try_from(payload + 8).unwrap_or(1);
    out.extend_from_slice(&size.to_be_bytes());
    out.extend_from_slice(b"mdat");
    if mdat == 16 {
        out.extend_from_slice(&(payload + 16).to_be_bytes());
    }
    Ok(out)
}

fn plan(what: &'static str, reason: &'static str) -> MediaError {
    MediaError::Plan { what, reason }
}

fn check(tracks: &[ClipTrack]) -> Result<(), MediaError> {
    if tracks.is_empty() {
        return Err(plan("clip", "it has no track"));
    }
    for track in tracks {
        let formats = match &track.kind {
            TrackKind::Captions => 1,
            TrackKind::Media(formats) => {
                let first = formats.first().ok_or(plan("clip track", "it has no format"))?;
                if formats.iter().any(|f| f.kind() != first.kind()) {
                    return Err(plan("clip track", "its formats are of several kinds"));
                }
                formats.len()
            }
        };
        if track.samples.is_empty() {
            return Err(plan("clip track", "it has no sample"));
        }
        if track.samples.iter().any(|s| usize::from(s.format) >= formats) {
            return Err(plan("clip track", "a sample names a format that is not there"));
        }
    }
    Ok(())
}

/// Where one track's chunks lie behind the first byte of the payload.
#[derive(Default)]
struct Layout {
    offsets: Vec<u64>,
    stsc: Stsc,
    next: usize,
}

fn layouts(tracks: &[ClipTrack], chunks: &[Chunk]) -> Result<Vec<Layout>, MediaError> {
    let mut layouts: Vec<_> = tracks.iter().map(|_| Layout::default()).collect();
    let mut at = 0u64;
    for chunk in chunks {
        let (Some(track), Some(layout)) = (tracks.get(chunk.track), layouts.get_mut(chunk.track)) else {
            return Err(plan("chunk", "it names a track that is not there"));
        };
        let end = chunk.first.checked_add(chunk.count).ok_or(plan("chunk", "it names samples that are not there"))?;
        let samples = track.samples.get(chunk.first..end).ok_or(plan("chunk", "it names samples that are not there"))?;
        if chunk.first != layout.next || samples.is_empty() {
            return Err(plan("chunk", "it does not go on where the track's chunk before it ended"));
        }
        layout.next = end;
        // A chunk of the file has one sample entry (§8.7.4): a change of format begins another.
        for run in samples.chunk_by(|a, b| a.format == b.format) {
            layout.push(at, run)?;
            at += run.iter().map(|s| u64::from(s.size)).sum::<u64>();
        }
    }
    if layouts.iter().zip(tracks).any(|(l, t)| l.next != t.samples.len()) {
        return Err(plan("clip", "the chunks do not name every sample"));
    }
    Ok(layouts)
}

impl Layout {
    fn push(&mut self, at: u64, run: &[ClipSample]) -> Result<(), MediaError> {
        self.offsets.push(at);
        let entry = run.first().map_or(0, |s| u32::from(s.format)) + 1;
        let count = narrow(run.len())?;
        if self.stsc.entries.last().is_none_or(|e| (e.samples_per_chunk, e.sample_description_index) != (count, entry)) {
            let first_chunk = narrow(self.offsets.len())?;
            self.stsc.entries.push(StscEntry { first_chunk, samples_per_chunk: count, sample_description_index: entry });
        }
        Ok(())
    }
}

fn narrow(count: usize) -> Result<u32, MediaError> {
    u32::try_from(count).map_err(|_| MediaError::DoesNotFit { what: "clip", reason: "it has more than 2^32 samples" })
}

/// A track's times, from which its tables and its edit list follow.
struct Times {
    /// Sum of durations.
    media: u64,
    /// Earliest presentation time; the composition offsets are shifted by it when negative.
    first: i64,
    /// Latest presentation time with its duration.
    end: i64,
}

fn times(track: &ClipTrack) -> Result<Times, MediaError> {
    let long = || MediaError::DoesNotFit { what: "clip", reason: "it is longer than 2^63 ticks" };
    let (mut dts, mut first, mut end) = (0i64, i64::MAX, i64::MIN);
    for sample in &track.samples {
        let pts = dts.checked_add(sample.cts_offset.into()).ok_or_else(long)?;
        first = first.min(pts);
        end = end.max(pts.checked_add(sample.duration.into()).ok_or_else(long)?);
        dts = dts.checked_add(sample.duration.into()).ok_or_else(long)?;
    }
    Ok(Times { media: dts as u64, first, end })
}

/// What a track's boxes say, but for where in the file its bytes are.
struct Plan<'a> {
    times: Times,
    edits: Vec<ElstEntry>,
    /// The sample tables, but for the last.
    tables: Vec<u8>,
    layout: &'a Layout,
}

impl<'a> Plan<'a> {
    fn of(track: &ClipTrack, layout: &'a Layout) -> Result<Self, MediaError> {
        let times = times(track)?;
        let edits = edits(track, &times)?;
        let tables = tables(track, layout, &times)?;
        Ok(Self { times, edits, tables, layout })
    }

    fn length(&self) -> u64 {
        self.edits.iter().map(|e| e.segment_duration).sum()
    }
}

/// Where in the file the first byte lies, and whether 32 bits are too few to say where the last one does.
#[derive(Clone, Copy)]
struct Base {
    at: u64,
    wide: bool,
}

/// Without a base: all but the tables of samples and the entries of those of chunks.
fn moov(out: &mut Vec<u8>, tracks: &[ClipTrack], plans: &[Plan<'_>], base: Option<Base>) -> Result<(), MediaError> {
    let movie = plans.iter().map(Plan::length).max().unwrap_or(0);
    container(out, b"moov", |out| {
        mvhd(out, movie, tracks.len())?;
        for (number, (track, plan)) in tracks.iter().zip(plans).enumerate() {
            container(out, b"trak", |out| {
                let kind = match &track.kind {
                    TrackKind::Captions => Carries::Captions,
                    TrackKind::Media(formats) => Carries::Media(formats.first().ok_or(self::plan("clip track", "it has no format"))?),
                };
                tkhd(out, narrow(number + 1)?, kind, plan.length())?;
                leaf(out, &Edts { elst: Some(Elst { entries: plan.edits.clone() }) })?;
                mdia(out, kind, plan.times.media, |out| {
                    // Both kinds of tables of chunks have the same size around their entries.
                    let Some(Base { at, wide }) = base else { return leaf(out, &Stco::default()) };
                    out.extend_from_slice(&plan.tables);
                    let offsets = plan.layout.offsets.iter().map(|o| at + o);
                    if wide {
                        leaf(out, &Co64 { entries: offsets.collect() })
                    } else {
                        leaf(out, &Stco { entries: offsets.map(|o| o as u32).collect() })
                    }
                })
            })?;
        }
        Ok(())
    })
}

/// An empty edit until the track begins, then all that is to be shown of it.
fn edits(track: &ClipTrack, times: &Times) -> Result<Vec<ElstEntry>, MediaError> {
    let start = track.start_offset;
    let mut entries = Vec::with_capacity(2);
    if let Ok(wait) = u64::try_from(start)
        && wait > 0
    {
        entries.push(ElstEntry { segment_duration: wait, media_time: None, media_rate: 1.into() });
    }
    let skipped = start.min(0).unsigned_abs();
    let shown = times.end.abs_diff(times.first);
    let left = shown.checked_sub(skipped).ok_or(plan("clip track", "it ends before the clip begins"))?;
    let left = left.min(track.shown.unwrap_or(u64::MAX));
    // Composition offsets are shifted so that nothing is presented before the media's zero.
    let media_time = times.first.max(0).unsigned_abs() + skipped;
    entries.push(ElstEntry { segment_duration: left, media_time: Some(media_time), media_rate: 1.into() });
    Ok(entries)
}

/// The sample tables that do not say where in the file.
fn tables(track: &ClipTrack, layout: &Layout, times: &Times) -> Result<Vec<u8>, MediaError> {
    let samples = &track.samples;
    let mut tables = Vec::with_capacity(1024 + 5 * samples.len());
    let out = &mut tables;
    match &track.kind {
        TrackKind::Media(formats) => stsd(out, formats.iter().map(AsRef::as_ref))?,
        TrackKind::Captions => captions_stsd(out)?,
    }
    let mut stts = Stts::default();
    for run in samples.chunk_by(|a, b| a.duration == b.duration) {
        let sample_delta = run.first().map_or(0, |s| s.duration);
        stts.entries.push(SttsEntry { sample_count: narrow(run.len())?, sample_delta });
    }
    leaf(out, &stts)?;
    if samples.iter().any(|s| s.cts_offset != 0) {
        let shift = -times.first.min(0);
        let mut ctts = Ctts::default();
        for run in samples.chunk_by(|a, b| a.cts_offset == b.cts_offset) {
            let sample_offset = run.first().map_or(0, |s| i64::from(s.cts_offset)) + shift;
            ctts.entries.push(CttsEntry { sample_count: narrow(run.len())?, sample_offset });
        }
        leaf(out, &ctts)?;
    }
    if samples.iter().any(|s| !s.random_access) {
        let mut stss = Stss::default();
        for (n, _) in samples.iter().enumerate().filter(|(_, s)| s.random_access) {
            stss.entries.push(narrow(n + 1)?);
        }
        leaf(out, &stss)?;
    }
    leaf(out, &layout.stsc)?;
    leaf(out, &sizes(samples)?)?;
    Ok(tables)
}

fn sizes(samples: &[ClipSample]) -> Result<Stsz, MediaError> {
    let size = samples.first().map_or(0, |s| s.size);
    let samples = if size > 0 && samples.iter().all(|s| s.size == size) {
        StszSamples::Identical { count: narrow(samples.len())?, size }
    } else {
        StszSamples::Different { sizes: samples.iter().map(|s| s.size).collect() }
    };
    Ok(Stsz { samples })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mp4_atom::{Decode, Ftyp, Moov};

    fn sample(format: u16, duration: u32, cts_offset: i32, size: u32, random_access: bool) -> ClipSample {
        ClipSample { format, duration, cts_offset, size, random_access }
    }

    fn track(samples: Vec<ClipSample>, start_offset: i64) -> ClipTrack {
        let law = |rate| Arc::new(Format::Audio(crate::params::g711_format(domain::AudioCodec::PcmA, rate, 1)));
        ClipTrack { kind: TrackKind::Media(vec![law(8000), law(16_000)]), samples, start_offset, shown: None }
    }

    /// alaw is none of mp4-atom's entries: its kind is replaced by one of the same layout that it reads.
    fn read(mut bytes: &[u8]) -> Moov {
        Ftyp::decode(&mut bytes).unwrap();
        let mut bytes = bytes.to_vec();
        while let Some(at) = bytes.windows(4).position(|w| w == b"alaw") {
            bytes[at..at + 4].copy_from_slice(b"twos");
        }
        Moov::decode(&mut &bytes[..]).unwrap()
    }

    #[test]
    fn tables_say_where_and_when_each_sample_is() {
        let a = track((0..6).map(|n| sample(u16::from(n >= 3), 10, 5, 100 + n, n % 3 == 0)).collect(), 0);
        let b = track((0..4).map(|_| sample(0, 20, 0, 7, true)).collect(), 33);
        let chunks = [(0, 0, 2), (1, 0, 2), (0, 2, 4), (1, 2, 2)].map(|(track, first, count)| Chunk { track, first, count });
        let head = header(&[a, b], &chunks).unwrap();
        let at = head.len() as u32;
        assert_eq!(head[head.len() - 8..head.len() - 4], (8 + 615 + 28u32).to_be_bytes());
        let moov = read(&head);
        let stbl = |n: usize| &moov.trak[n].mdia.minf.stbl;
        assert_eq!(stbl(0).stco.as_ref().unwrap().entries, [at, at + 201 + 14, at + 201 + 14 + 102]);
        let stsc: Vec<_> = stbl(0).stsc.entries.iter().map(|e| (e.first_chunk, e.samples_per_chunk, e.sample_description_index)).collect();
        assert_eq!(stsc, [(1, 2, 1), (2, 1, 1), (3, 3, 2)]);
        assert_eq!(stbl(0).stss.as_ref().unwrap().entries, [1, 4]);
        assert_eq!(stbl(0).ctts.as_ref().unwrap().entries.len(), 1);
        assert_eq!(stbl(1).stco.as_ref().unwrap().entries, [at + 201, at + 201 + 14 + 414]);
        assert_eq!((stbl(1).stss.is_none(), stbl(1).ctts.is_none()), (true, true));
        let edits = |n: usize| moov.trak[n].edts.as_ref().unwrap().elst.as_ref().unwrap().entries.clone();
        let plain = |e: Vec<ElstEntry>| e.iter().map(|e| (e.segment_duration, e.media_time)).collect::<Vec<_>>();
        assert_eq!(plain(edits(0)), [(60, Some(5))]);
        assert_eq!(plain(edits(1)), [(33, None), (80, Some(0))]);
        assert_eq!(moov.mvhd.duration, 113);
    }

    #[test]
    fn negative_offsets_are_shifted_and_early_tracks_begin_inside() {
        let t = track([-5, 5, 0].map(|cts| sample(0, 10, cts, 1, true)).to_vec(), -4);
        let moov = read(&header(&[t], &[Chunk { track: 0, first: 0, count: 3 }]).unwrap());
        let offsets: Vec<_> = moov.trak[0].mdia.minf.stbl.ctts.as_ref().unwrap().entries.iter().map(|e| e.sample_offset).collect();
        assert_eq!(offsets, [0, 10, 5]);
        let edit = &moov.trak[0].edts.as_ref().unwrap().elst.as_ref().unwrap().entries[0];
        assert_eq!((edit.media_time, edit.segment_duration), (Some(4), 35 - 4));
    }

    #[test]
    fn beyond_four_gibibytes_tables_and_mdat_are_wide() {
        let t = track(vec![sample(0, 10, 0, u32::MAX, true); 3], 0);
        let chunks = [0, 1, 2].map(|first| Chunk { track: 0, first, count: 1 });
        let head = header(&[t], &chunks).unwrap();
        let (base, step) = (head.len() as u64, u64::from(u32::MAX));
        assert_eq!(head[head.len() - 16..head.len() - 8], [0, 0, 0, 1, b'm', b'd', b'a', b't']);
        let moov = read(&head);
        assert_eq!(moov.trak[0].mdia.minf.stbl.co64.as_ref().unwrap().entries, [base, base + step, base + 2 * step]);
        // one chunk of 4 GiB and more begins early: its table stays narrow
        let t = track(vec![sample(0, 10, 0, u32::MAX, true); 3], 0);
        let head = header(&[t], &[Chunk { track: 0, first: 0, count: 3 }]).unwrap();
        assert_eq!(read(&head).trak[0].mdia.minf.stbl.stco.as_ref().unwrap().entries, [head.len() as u32]);
    }

    #[test]
    fn contradictions_are_named() {
        let good = || track(vec![sample(0, 10, 0, 1, true); 2], 0);
        let chunk = |track, first, count| Chunk { track, first, count };
        let refused = |t: ClipTrack, chunks: &[Chunk]| matches!(header(&[t], chunks), Err(MediaError::Plan { .. }));
        assert!(!refused(good(), &[chunk(0, 0, 2)]));
        for chunks in [&[][..], &[chunk(1, 0, 2)], &[chunk(0, 0, 1)], &[chunk(0, 0, 3)], &[chunk(0, 1, 1), chunk(0, 0, 1)]] {
            assert!(refused(good(), chunks), "{chunks:?}");
        }
        assert!(refused(good(), &[chunk(0, 0, 2), chunk(0, 2, 0)]));
        assert!(refused(good(), &[chunk(0, 1, usize::MAX)]));
        assert!(refused(ClipTrack { kind: TrackKind::Media(vec![]), ..good() }, &[chunk(0, 0, 2)]));
        assert!(refused(ClipTrack { samples: vec![], ..good() }, &[]));
        assert!(refused(ClipTrack { start_offset: i64::MIN, ..good() }, &[chunk(0, 0, 2)]));
        assert!(refused(track(vec![sample(2, 1, 0, 1, true)], 0), &[chunk(0, 0, 1)]));
        assert!(matches!(header(&[], &[]), Err(MediaError::Plan { .. })));
    }
}
