//! A film and its records: every sample hashed again, every chain followed, nothing in the film that was not recorded.

use super::{Finding, Verdict, What, archive::Archive, source::Stretch};
use crate::{
    chain::{Entry, Reader, Where},
    hashing::hex,
    manifest::{Gap, Track},
};
use domain::WallTime;
use media::hash::MediaHasher;
use std::{
    collections::{BTreeMap, HashMap},
    io::BufReader,
};

/// The tracks of one film, by stream.
pub(super) type Tracks<'a> = BTreeMap<&'a str, &'a Track>;

/// A film whose records name so many stretches that do not lie side by side is none: a week of two streams has three million.
const RANGES_MAX: usize = 1 << 22;

/// What has passed of one stream.
struct Passed {
    records: u64,
    first: u64,
    last: u64,
    before: Option<[u8; 32]>,
    chain: [u8; 32],
    end: WallTime,
    /// Where the last sample of it ends in the film.
    film_end: u64,
}

pub(super) fn check(archive: &Archive<'_>, tracks: &Tracks<'_>, gaps: &Gaps<'_>, film: &str, chain: &str, verdict: &mut Verdict) {
    let (Some(film_member), Some(chain_member)) = (archive.member(film), archive.member(chain)) else {
        // That they are missing was found before.
        return verdict.add(What::Records, chain);
    };
    let bytes = archive.read(film_member);
    let mut reader = Reader::new(BufReader::with_capacity(1 << 16, archive.read(chain_member)));
    let mut passed: BTreeMap<String, Passed> = BTreeMap::new();
    let (mut in_film, mut buffer) = (0u64, Vec::new());
    // Every byte belongs to one sample: twice its length is more than any film needs, damaged ones too.
    let mut ranges = Ranges { list: Vec::new(), left: bytes.len().saturating_mul(2).saturating_add(1) };
    loop {
        if ranges.exhausted() {
            break;
        }
        let entry = match reader.next() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(_) => {
                verdict.add(What::Records, chain);
                break;
            }
        };
        let stream = entry.header.stream.to_string();
        let Some(track) = tracks.get(stream.as_str()) else {
            verdict.push(finding(What::Track, chain, &entry));
            continue;
        };
        let last = passed.get(&stream).map_or(0, |p| p.film_end);
        let hashed = samples(&entry, &bytes, track.samples_at, last, &mut ranges, &mut buffer);
        let film_end = hashed.map_or(last, |(_, film_end, _)| film_end);
        let mut good = hashed.is_some_and(|(hash, _, used)| {
            in_film += used;
            verdict.bytes += used;
            hash == entry.header.media_hash
        });
        if !good {
            verdict.push(finding(What::Media, film, &entry));
        }
        good &= follow(&entry, &stream, passed.get(&stream), gaps, chain, verdict);
        let h = &entry.header;
        let p = passed.entry(stream).or_insert(Passed {
            records: 0,
            first: h.seq,
            last: h.seq,
            before: entry.before,
            chain: h.chain,
            end: h.wall_end(),
            film_end: 0,
        });
        (p.records, p.last, p.chain, p.end, p.film_end) = (p.records + 1, h.seq, h.chain, h.wall_end(), film_end);
        verdict.records += u64::from(good);
    }
    for (name, track) in tracks {
        let same = passed.get(*name).is_some_and(|p| {
            let before = p.before.map(|b| hex(&b)).unwrap_or_default();
            (p.records, p.first, p.last) == (track.records, track.first, track.last)
                && (before, hex(&p.chain)) == (track.chain_before.clone(), track.chain_after.clone())
        });
        if !same {
            verdict.push(whole(What::Track, chain, track));
        }
    }
    let samples_at = tracks.values().next().map_or(0, |t| t.samples_at);
    // Every byte once: what two streams share, others could hide behind.
    let every = in_film.checked_add(samples_at) == Some(bytes.len()) && !ranges.exhausted() && ranges.apart();
    if !every || tracks.values().any(|t| t.samples_at != samples_at) {
        verdict.add(What::Foreign, film);
    }
}

/// Which bytes of a film belong to samples, neighbours joined; and how many more may be read for them.
struct Ranges {
    list: Vec<(u64, u64)>,
    left: u64,
}

impl Ranges {
    /// Pays for a sample that lies in the film. False: its records name more than there can be.
    fn pay(&mut self, size: u32) -> bool {
        let left = self.left.checked_sub(size.into());
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Nothing further is looked at: what was found so far says enough.
    fn exhausted(&self) -> bool {
        self.left == 0 || self.list.len() > RANGES_MAX
    }

    fn add(&mut self, from: u64, to: u64) {
        match self.list.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => self.list.push((from, to)),
        }
    }

    /// Whether no byte belongs to two.
    fn apart(&mut self) -> bool {
        self.list.sort_unstable();
        self.list.windows(2).all(|w| matches!(w, [a, b] if a.1 <= b.0))
    }
}

/// The hash of a record's samples, where the last of them ends in the film, and how many bytes of the film they are.
/// `None` when one of them lies where it cannot.
fn samples(
    entry: &Entry,
    film: &Stretch<'_>,
    from: u64,
    mut last: u64,
    ranges: &mut Ranges,
    buffer: &mut Vec<u8>,
) -> Option<([u8; 32], u64, u64)> {
    let mut hasher = MediaHasher::with_parameters(&entry.parameters, entry.header.base_dts);
    let mut used = 0;
    for s in &entry.samples {
        match &s.at {
            Where::Here(bytes) => hasher.sample(&s.piece, bytes),
            Where::Film(at) => {
                // In the order of the film, none twice.
                if *at < from || *at < last || !film.has(*at, s.piece.size) || !ranges.pay(s.piece.size) {
                    return None;
                }
                buffer.resize(s.piece.size as usize, 0);
                film.exact(*at, buffer).ok()?;
                hasher.sample(&s.piece, buffer);
                last = at + u64::from(s.piece.size);
                ranges.add(*at, last);
                used += u64::from(s.piece.size);
            }
        }
    }
    Some((hasher.finish(), last, used))
}

/// Whether a record goes on from the one before it.
fn follow(entry: &Entry, stream: &str, passed: Option<&Passed>, gaps: &Gaps<'_>, file: &str, verdict: &mut Verdict) -> bool {
    let h = &entry.header;
    let mut good = true;
    if let Some(p) = passed {
        if p.last.checked_add(1) == Some(h.seq) {
            good &= h.chain_after(&p.chain) == h.chain;
        } else {
            let known = h.seq > p.last && gaps.told(stream, p.end, h.wall);
            if !known {
                let camera = Some(h.stream.camera.to_string());
                let (from, to) = (Some(p.end), Some(h.wall));
                verdict.push(Finding { what: What::RecordMissing, file: file.to_owned(), camera, from, to });
                return false;
            }
        }
    }
    good &= entry.before.is_none_or(|before| h.chain_after(&before) == h.chain);
    if !good {
        verdict.push(finding(What::Chain, file, entry));
    }
    good
}

/// The gaps a manifest tells of, to be asked for as often as there are records.
#[derive(Default)]
pub(super) struct Gaps<'a>(HashMap<&'a str, Vec<(WallTime, WallTime)>>);

impl<'a> Gaps<'a> {
    /// By stream and beginning; each with the latest end of all that began no later.
    pub(super) fn new(gaps: &'a [Gap]) -> Self {
        let mut by: HashMap<&str, Vec<(WallTime, WallTime)>> = HashMap::new();
        for g in gaps {
            if let (Some(from), Some(to)) = (g.from.wall(), g.to.wall()) {
                by.entry(&g.stream).or_default().push((from, to));
            }
        }
        for list in by.values_mut() {
            list.sort_unstable();
            let mut latest = WallTime(i64::MIN);
            for (_, to) in list {
                latest = latest.max(*to);
                *to = latest;
            }
        }
        Self(by)
    }

    /// Whether one of them covers this time of a stream.
    fn told(&self, stream: &str, from: WallTime, to: WallTime) -> bool {
        let list = self.0.get(stream).map(Vec::as_slice).unwrap_or_default();
        let begun = list.partition_point(|(begin, _)| *begin <= from);
        begun.checked_sub(1).and_then(|n| list.get(n)).is_some_and(|(_, latest)| *latest >= to)
    }
}

fn finding(what: What, file: &str, entry: &Entry) -> Finding {
    let h = &entry.header;
    Finding { what, file: file.to_owned(), camera: Some(h.stream.camera.to_string()), from: Some(h.wall), to: Some(h.wall_end()) }
}

fn whole(what: What, file: &str, track: &Track) -> Finding {
    let camera = track.camera().map(|c| c.to_string());
    Finding { what, file: file.to_owned(), camera, from: track.from.wall(), to: track.to.wall() }
}
