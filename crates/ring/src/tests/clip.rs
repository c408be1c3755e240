//! Clips: frame exact, gaps cut, any range of bytes the same bytes.

use super::{NOON, Source, Village, spec};
use crate::{
    Damage, Fault, RingError,
    clip::{self, ClipError},
    reader::Reader,
};
use domain::{CameraId, Channel, StreamKind, WallTime};
use std::time::Duration;

fn camera() -> CameraId {
    CameraId::new("a").unwrap()
}

fn bytes(plan: &clip::ClipPlan) -> Vec<u8> {
    let mut out = Vec::new();
    clip::write_to(plan, &mut out).unwrap();
    assert_eq!(out.len() as u64, plan.len());
    out
}

fn planned(reader: &Reader, from: i64, to: i64, audio: bool) -> clip::ClipPlan {
    let at = |ms: i64| NOON.plus_micros(ms * 1000);
    let (id, channel) = (camera(), Channel::Main);
    clip::plan(reader, &clip::Wish { camera: &id, channel, from: at(from), to: at(to), audio, captions: None }).unwrap()
}

/// The times of a clip's edit lists, 90 kHz: what is skipped and how long it is shown, a track a line.
fn edits(file: &[u8]) -> Vec<(u32, u32)> {
    let at = file.windows(4).enumerate().filter(|(_, w)| *w == b"elst").map(|(n, _)| n);
    let word = |n: usize| u32::from_be_bytes(file[n..n + 4].try_into().unwrap());
    // Version 0: flags, count, then duration and media time of the first.
    at.map(|n| (word(n + 16), word(n + 12))).collect()
}

/// How often one byte string occurs in order behind the head: the samples in file order.
fn contains(file: &[u8], data: &[u8]) -> bool {
    file.windows(data.len()).any(|w| w == data)
}

#[test]
fn a_clip_has_exactly_the_frames_from_the_key_before_to_the_end() {
    let mut v =
        Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400), Source::new("a", StreamKind::Audio, 200)], 1);
    v.live(100);
    v.core.finish();
    // Groups of 12 frames of 100 ms; frame n is shown at n × 100 ms.
    // Decoding begins at the key frame before; shown is what was captured from `from` to before `to`.
    for (from, to, first, shown, last) in [
        (0, 10_000, 0, 0, 99),
        (1_250, 3_000, 12, 13, 29),
        (2_399, 2_401, 12, 24, 24),
        (2_400, 2_500, 24, 24, 24),
        (2_700, 2_701, 24, 27, 27),
    ] {
        let plan = planned(&v.reader, from, to, false);
        assert_eq!(plan.starts_at(), NOON.plus_micros(shown * 100_000));
        let cut = (9_000 * (shown - first) as u32, 9_000 * (last + 1 - shown) as u32);
        assert_eq!(edits(&bytes(&plan)), [cut], "{from}..{to}");
        assert_eq!(plan.ends_at(), NOON.plus_micros((last + 1) * 100_000), "{from}..{to}");
        let file = bytes(&plan);
        let want: Vec<u8> = (first..=last).flat_map(|n| v.given[&((*v.sources[0].id).clone(), n as u64 * 9_000)].to_vec()).collect();
        assert!(file.ends_with(&want), "{from}..{to}");
        assert_eq!(&file[4..8], b"ftyp");
    }
    let both = planned(&v.reader, 1_200, 3_600, true);
    let file = bytes(&both);
    for n in 12..36u64 {
        for s in &v.sources {
            assert!(contains(&file, &v.given[&((*s.id).clone(), n * 9_000)]), "{} {n}", s.id);
        }
    }
    assert!(contains(&file, b"alaw"));
    // Any range of bytes is the same as of the whole.
    let mut dice = super::Dice(3);
    for _ in 0..200 {
        let at = dice.below(both.len() + 10);
        let mut buf = vec![0; 1 + dice.below(5000) as usize];
        let n = both.read_at(at, &mut buf).unwrap();
        let at = (at as usize).min(file.len());
        assert_eq!(&buf[..n], &file[at..file.len().min(at + buf.len())]);
    }
    assert_eq!(planned(&v.reader, 1_200, 3_600, true).etag(), both.etag());
    assert_ne!(planned(&v.reader, 1_200, 3_500, true).etag(), both.etag());
}

#[test]
fn gaps_are_cut_and_parameters_may_change() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400)], 1);
    v.live(20);
    v.clock.advance(Duration::from_secs(60));
    (v.sources[0].loss, v.sources[0].count, v.sources[0].format) = (true, 0, super::h264(30));
    v.sources[0].dts += 5_000_000;
    v.live(20);
    v.core.finish();
    let plan = planned(&v.reader, 0, 100_000, false);
    let file = bytes(&plan);
    assert_eq!(file.windows(4).filter(|w| w == b"avc1").count(), 2, "two sample entries");
    // Forty frames of 100 ms: mvhd's duration is four seconds, the minute between them is not in it.
    let at = file.windows(4).position(|w| w == b"mvhd").unwrap();
    assert!(file[at..at + 40].windows(4).any(|w| w == 360_000u32.to_be_bytes()), "{:?}", &file[at..at + 40]);
}

#[test]
fn damage_in_a_clip_is_an_error_and_nothing_recorded_is_named() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400)], 1);
    v.live(60);
    let plan = planned(&v.reader, 0, 6_000, false);
    let r = v.reader.records(&v.sources[0].id, NOON, NOON.plus_micros(6_000_000)).unwrap()[4].clone();
    v.disk.flip(&v.spec.file(r.slot), u64::from(r.entry.offset + r.entry.len - 3), 4);
    let mut torn = Vec::new();
    assert!(clip::write_to(&plan, &mut torn).is_err());
    assert!(plan.is_broken());
    let here = v.reader.damaged_times(&v.sources[0].id, NOON, WallTime(i64::MAX)).unwrap();
    assert_eq!(here.iter().map(|s| s.from).collect::<Vec<_>>(), [r.entry.wall]);
    // Whoever asks again gets all but the damaged record and what refers to it, to the next key.
    let again = planned(&v.reader, 0, 6_000, false);
    assert_ne!(again.etag(), plan.etag());
    let file = bytes(&again);
    let given = |n: u64| v.given[&((*v.sources[0].id).clone(), n * 9_000)].clone();
    let rate = 9_000;
    let first = v.reader.read_checked(&r).unwrap_err();
    assert!(first.is_gap());
    let lost: Vec<u64> = (0..48).filter(|n| !contains(&file, &given(*n))).collect();
    let begins = (r.entry.wall.micros_since(NOON) * 9 / 100 / rate) as u64;
    assert_eq!(lost.first(), Some(&begins));
    assert_eq!(lost.last(), Some(&(begins / 12 * 12 + 11)), "{lost:?}");
    assert_eq!(again.check(|| true).unwrap(), 0);
    // Two at once: one look finds both.
    let rs = v.reader.records(&v.sources[0].id, NOON, NOON.plus_micros(6_000_000)).unwrap();
    for r in [&rs[1], &rs[rs.len() - 2]] {
        v.disk.flip(&v.spec.file(r.slot), u64::from(r.entry.offset + r.entry.len - 3), 4);
    }
    assert_eq!(again.check(|| true).unwrap(), 2);
    assert_eq!(planned(&v.reader, 0, 6_000, false).check(|| true).unwrap(), 0);
    let id = camera();
    let wish = clip::Wish { camera: &id, channel: Channel::Sub, from: NOON, to: WallTime(i64::MAX), audio: true, captions: None };
    let e = clip::plan(&v.reader, &wish).unwrap_err();
    assert!(e.to_string().contains("a/sub/video"), "{e}");
}

#[test]
fn a_sector_that_cannot_be_read_costs_its_record_and_a_disk_that_is_away_is_no_gap() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400)], 1);
    v.live(60);
    v.core.finish();
    let (id, file) = (v.sources[0].id.clone(), |n: usize| v.spec.file(n));
    let rs = v.reader.records(&id, NOON, NOON.plus_micros(6_000_000)).unwrap();
    let r = rs[4].clone();
    let whole = bytes(&planned(&v.reader, 0, 6_000, false));
    // One byte of the payload, behind the front: planning meets nothing, reading does.
    let at = u64::from(r.entry.offset + r.entry.len - 3);
    v.disk.fail(&file(r.slot), Fault::Unreadable(at, at + 1));
    let plan = planned(&v.reader, 0, 6_000, false);
    let error = clip::write_to(&plan, std::io::sink()).unwrap_err();
    assert!(matches!(&error, ClipError::Ring(RingError::Damaged { what: Damage::Sector, .. })), "{error}");
    assert!(plan.is_broken());
    // The same gap as of rot: its seconds, to the next key.
    let here = v.reader.damaged_times(&id, NOON, WallTime(i64::MAX)).unwrap();
    assert_eq!(here.iter().map(|s| s.from).collect::<Vec<_>>(), [r.entry.wall]);
    let again = planned(&v.reader, 0, 6_000, false);
    assert_eq!(again.check(|| true).unwrap(), 0);
    let left = bytes(&again);
    assert!(left.len() < whole.len() && contains(&left, &v.given[&((*id).clone(), 59 * 9_000)]));
    // Two at once: one look finds both, unless somebody calls it off.
    for r in [&rs[1], &rs[rs.len() - 2]] {
        v.disk.fail(&file(r.slot), Fault::Unreadable(u64::from(r.entry.offset), u64::from(r.entry.offset) + 512));
    }
    let mut asked = 0;
    let reads = v.disk.reads();
    assert_eq!(again.check(|| std::mem::replace(&mut asked, 1) == 0).unwrap(), 0);
    assert!(v.disk.reads() - reads <= 2, "one record");
    assert_eq!(again.check(|| true).unwrap(), 2);
    assert_eq!(planned(&v.reader, 0, 6_000, false).check(|| true).unwrap(), 0);
    // A block's first sector says only whose it is, and its records say it, too.
    v.disk.fail(&file(rs[9].slot), Fault::Unreadable(0, 4096));
    assert!(v.reader.read(&rs[9]).is_ok());
    // The whole disk: nothing is known of any record, and nothing is remembered.
    let known = v.reader.known_damaged();
    v.disk.fail(&v.spec.paths[0], Fault::Gone);
    assert!(matches!(v.reader.read(&rs[6]), Err(RingError::Io { .. })));
    assert_eq!(v.reader.known_damaged(), known);
}

#[test]
fn what_could_not_be_read_is_asked_for_again_when_the_disk_is_back() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400)], 1);
    v.live(30);
    let r = v.reader.records(&v.sources[0].id, NOON, NOON.plus_micros(3_000_000)).unwrap()[2].clone();
    let at = u64::from(r.entry.offset);
    // A cable: the page with the header is still in memory, the record is not.
    v.disk.fail(&v.spec.file(r.slot), Fault::Unreadable(at, at + 512));
    v.disk.fail(&v.spec.paths[0], Fault::Write);
    assert!(v.reader.read(&r).unwrap_err().is_gap());
    v.live(9);
    assert_eq!(v.reader.known_damaged().len(), 1);
    v.disk.heal();
    for _ in 0..60 {
        v.live(10);
    }
    assert!(v.reader.known_damaged().is_empty());
    assert!(v.reader.read(&r).is_ok());
}

#[test]
fn leading_pictures_behind_the_first_key_are_dropped_and_the_next_ones_kept() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source { gop: 1000, ..Source::new("a", StreamKind::Video, 300) }], 1);
    use domain::Clock;
    // Decoding order K P B B K B B P …, shown: B B before their key.
    let plan = [(0, 'K'), (3, 'P'), (1, 'B'), (2, 'B'), (6, 'K'), (4, 'B'), (5, 'B'), (7, 'P'), (10, 'K'), (8, 'B'), (9, 'B'), (11, 'P')];
    for (n, (shown, kind)) in plan.iter().enumerate() {
        let capture = NOON.plus_micros(shown * 100_000 + 300_000);
        let mut s = v.sources[0].next(capture, &mut v.dice);
        (s.dts, s.pts, s.random_access) = (n as i64 * 9_000, (shown + 3) * 9_000, *kind == 'K');
        v.given.insert(((*s.stream).clone(), s.dts as u64), s.data.clone());
        v.core.intake().push(&s, v.clock.mono());
        v.clock.advance(Duration::from_millis(100));
    }
    v.core.finish();
    let from_second = planned(&v.reader, 850, 100_000, false);
    assert_eq!(from_second.starts_at(), NOON.plus_micros(900_000));
    let want: Vec<u8> = [4u64, 7, 8, 9, 10, 11].iter().flat_map(|n| v.given[&((*v.sources[0].id).clone(), n * 9_000)].to_vec()).collect();
    let file = bytes(&from_second);
    assert!(file.ends_with(&want) && !contains(&file, &v.given[&((*v.sources[0].id).clone(), 5 * 9_000)]));
}

#[test]
fn what_is_shown_late_is_whole_and_what_others_refer_to_is_hidden() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source { gop: 1000, ..Source::new("a", StreamKind::Video, 300) }], 1);
    use domain::Clock;
    // Decoding order K P B B P B B P B B, shown 0 to 9.
    for (n, (shown, key)) in
        [(0, true), (3, false), (1, false), (2, false), (6, false), (4, false), (5, false), (9, false), (7, false), (8, false)]
            .into_iter()
            .enumerate()
    {
        let mut s = v.sources[0].next(NOON.plus_micros(shown * 100_000 + 300_000), &mut v.dice);
        (s.dts, s.pts, s.random_access) = (n as i64 * 9_000, (shown + 3) * 9_000, key);
        v.core.intake().push(&s, v.clock.mono());
        v.clock.advance(Duration::from_millis(100));
    }
    v.core.finish();
    // Pictures 2 to 4: 6 is decoded for them, and not shown.
    let plan = planned(&v.reader, 500, 800, false);
    assert_eq!((plan.starts_at(), plan.ends_at()), (NOON.plus_micros(500_000), NOON.plus_micros(800_000)));
    let (skip, shown) = edits(&bytes(&plan))[0];
    // Behind three of decoding ahead come pictures 0 and 1, hidden.
    assert_eq!((skip, shown), ((3 + 2) * 9_000, 3 * 9_000));
}

#[test]
fn captions_say_every_second_of_the_wall() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400)], 1);
    v.live(60);
    v.core.finish();
    let id = camera();
    let write = |at: WallTime| format!("<{}>", at.micros_since(NOON) / 1_000_000);
    let at = |ms: i64| NOON.plus_micros(ms * 1000);
    let wish = clip::Wish { camera: &id, channel: Channel::Main, from: at(1_500), to: at(4_000), audio: false, captions: Some(&write) };
    let file = bytes(&clip::plan(&v.reader, &wish).unwrap());
    let texts: Vec<&str> = ["<1>", "<2>", "<3>", "<4>", "<0>"].into_iter().filter(|t| contains(&file, t.as_bytes())).collect();
    assert_eq!(texts, ["<1>", "<2>", "<3>"]);
    assert!(contains(&file, b"tx3g") && contains(&file, b"sbtl"));
    assert_eq!(edits(&file), [(3 * 9_000, 25 * 9_000), (0, 25 * 9_000)]);
}

#[test]
fn every_sample_of_a_clip_has_an_origin_that_hashes_and_chains() {
    let mut v =
        Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400), Source::new("a", StreamKind::Audio, 200)], 1);
    v.live(100);
    v.core.finish();
    let plan = planned(&v.reader, 1_250, 7_050, true);
    let file = bytes(&plan);
    let (mut chain, mut in_file) = (std::collections::HashMap::new(), 0);
    for origin in plan.origins() {
        let origin = origin.unwrap();
        let mut data = Vec::new();
        for s in &origin.samples {
            match &s.place {
                clip::Place::File(at) => {
                    in_file += s.piece.size as usize;
                    data.extend_from_slice(&file[*at as usize..*at as usize + s.piece.size as usize]);
                }
                clip::Place::Dropped(bytes) => data.extend_from_slice(bytes),
            }
        }
        let pieces: Vec<_> = origin.samples.iter().map(|s| s.piece).collect();
        let h = &origin.header;
        assert_eq!(media::hash::media_hash(&origin.format, h.base_dts, &pieces, &data), h.media_hash);
        let before = origin.chain_before.unwrap();
        assert_eq!(h.chain_after(&before), h.chain);
        let last = chain.insert(h.stream.clone(), h.chain);
        assert!(last.is_none_or(|l| l == before));
    }
    assert_eq!(chain.len(), 2);
    // Nothing in the file but its head has no origin.
    let mdat = file.windows(4).position(|w| w == b"mdat").unwrap() + 4;
    assert_eq!(in_file, file.len() - mdat);
}

#[test]
fn sound_over_the_edge_of_two_runs_is_one_record_of_the_clip() {
    let mut v =
        Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400), Source::new("a", StreamKind::Audio, 200)], 1);
    v.live(30);
    // A lost picture directly before a key frame: the sound does not notice.
    (v.sources[0].loss, v.sources[0].count) = (true, 0);
    v.live(30);
    v.core.finish();
    let plan = planned(&v.reader, 0, 10_000, true);
    let mut last = std::collections::HashMap::new();
    for origin in plan.origins() {
        let h = origin.unwrap().header;
        if let Some(before) = last.insert(h.stream.clone(), h.seq) {
            assert_eq!(h.seq, before + 1, "{}", h.stream);
        }
    }
}

#[test]
fn a_clip_is_the_same_from_the_sample_tables_and_from_the_records() {
    let reordered = |v: &mut Village| {
        // Offsets and durations that change, a loss, a change of parameters.
        for n in 0..120 {
            if n == 50 {
                v.sources[0].loss = true;
                v.sources[0].dts += 123_456;
                v.sources[0].count = 0;
            }
            if n == 80 {
                v.sources[0].format = super::h264(30);
                v.sources[0].count = 0;
            }
            v.sources[0].dts += n % 4 * 7;
            v.live(1);
            v.core.tick();
        }
        v.core.finish();
    };
    let sources = vec![Source::new("a", StreamKind::Video, 3000), Source::new("a", StreamKind::Audio, 200)];
    let mut v = Village::new(&spec(64, 64 << 10), sources, 7);
    reordered(&mut v);
    let disk: std::sync::Arc<dyn crate::disk::Disk> = std::sync::Arc::new(v.disk.clone());
    let from_tables = Reader::open(v.spec.clone(), disk).unwrap();
    let sealed: Vec<usize> = (0..v.spec.blocks()).filter(|n| v.core.catalog().slot(*n).records > 0).collect();
    assert!(sealed.len() > 3);
    for slot in &sealed {
        let table = v.core.catalog().table(*slot, v.core.catalog().slot(*slot).sequence).unwrap().unwrap();
        let lines = table.samples().expect("every block has its sample table");
        assert_eq!(lines.len(), table.records.len());
    }
    let with: Vec<Vec<u8>> = [true, false].map(|audio| bytes(&planned(&from_tables, 700, 11_300, audio))).into();
    // A footer that cannot be read is made again from the batches, which know of no samples.
    for slot in sealed {
        v.disk.flip(&v.spec.file(slot), v.spec.data_limit() + 150, 1);
    }
    let disk: std::sync::Arc<dyn crate::disk::Disk> = std::sync::Arc::new(v.disk.clone());
    let from_records = Reader::open(v.spec, disk).unwrap();
    let without: Vec<Vec<u8>> = [true, false].map(|audio| bytes(&planned(&from_records, 700, 11_300, audio))).into();
    assert_eq!(with, without);
}

/// Decoding order of open groups: each third picture refers forwards over the two shown before it, each sixth is a random access
/// point whose leading pictures are shown before it and decoded behind it.
fn open_groups(v: &mut Village, pictures: u64) -> Vec<bytes::Bytes> {
    let mut data = vec![bytes::Bytes::new(); pictures as usize + 4];
    for n in 0..pictures {
        let shown = match (n, n % 3) {
            (0, _) => 0,
            (_, 1) => n + 2,
            _ => n - 1,
        };
        let at = NOON.plus_micros(shown as i64 * 100_000);
        let mut s = v.sources[0].next(at, &mut v.dice);
        (s.random_access, s.pts) = (n == 0 || (n % 3 == 1 && shown % 6 == 0), (shown as i64 + 1) * 9_000);
        data[shown as usize] = s.data.clone();
        v.core.intake().push(&s, domain::Clock::mono(&*v.clock));
        v.clock.advance(Duration::from_millis(100));
        v.core.tick();
    }
    v.core.finish();
    data
}

#[test]
fn a_clip_ends_with_the_last_picture_before_its_end_in_whatever_order_they_are_decoded() {
    let mut v = Village::new(&spec(16, 128 << 10), vec![Source::new("a", StreamKind::Video, 400)], 1);
    let data = open_groups(&mut v, 70);
    for to in 1..60_usize {
        let plan = planned(&v.reader, 0, to as i64 * 100, false);
        let file = bytes(&plan);
        assert_eq!(edits(&file)[0].1, 9_000 * to as u32, "{to}");
        assert_eq!(plan.ends_at(), NOON.plus_micros(to as i64 * 100_000), "{to}");
        let missing: Vec<usize> = (0..to).filter(|n| !contains(&file, &data[*n])).collect();
        assert!(missing.is_empty(), "to {to}: {missing:?}");
        // And of what is not shown only what others refer to: the picture behind the two that end it, and the point they lead up to.
        let more: Vec<usize> = (to..to + 8).filter(|n| contains(&file, &data[*n])).collect();
        assert!(more.iter().all(|n| n % 3 == 0 && *n < to + 3), "to {to}: {more:?}");
    }
}

#[test]
fn a_clip_over_a_clock_that_was_set_back_has_both_passes() {
    let mut v = Village::new(&spec(30, 128 << 10), vec![Source::new("a", StreamKind::Video, 400)], 1);
    v.live(200);
    v.clock.step_wall(domain::Clock::wall(&*v.clock).plus_micros(-10_050_000));
    v.live(200);
    v.core.finish();
    // 12 s to 14 s were stamped twice: by the wrong clock, and by the right one from 200 on.
    let file = bytes(&planned(&v.reader, 12_000, 14_000, false));
    let held = |n: u64| contains(&file, &v.given[&((*v.sources[0].id).clone(), n * 9_000)]);
    assert!((120..140).all(held), "the first pass");
    assert!((221..240).all(held), "the second");
    // Of what lies between only the group that the second pass begins in.
    assert!((140..204).all(|n| !held(n)) && (242..400).all(|n| !held(n)));
    // Where only one pass is asked for, it is that one alone.
    let file = bytes(&planned(&v.reader, 5_000, 8_000, false));
    let held = |n: u64| contains(&file, &v.given[&((*v.sources[0].id).clone(), n * 9_000)]);
    assert!((50..80).all(held) && (80..400).all(|n| !held(n)));
}
