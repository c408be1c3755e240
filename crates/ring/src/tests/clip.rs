//! Clips: frame exact, gaps cut, any range of bytes the same bytes.

use super::{NOON, Source, Village, spec};
use crate::{clip, reader::Reader};
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
    clip::plan(reader, &camera(), Channel::Main, at(from), at(to), audio).unwrap()
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
    for (from, to, first, last) in [(0, 10_000, 0, 99), (1_250, 3_000, 12, 29), (2_399, 2_401, 12, 24), (2_400, 2_500, 24, 24)] {
        let plan = planned(&v.reader, from, to, false);
        assert_eq!(plan.starts_at(), NOON.plus_micros(first * 100_000));
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
    assert!(clip::write_to(&plan, std::io::sink()).is_err());
    let e = clip::plan(&v.reader, &camera(), Channel::Sub, NOON, WallTime(i64::MAX), true).unwrap_err();
    assert!(e.to_string().contains("a/sub/video"), "{e}");
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
    let from_second = planned(&v.reader, 950, 100_000, false);
    assert_eq!(from_second.starts_at(), NOON.plus_micros(900_000));
    let want: Vec<u8> = [4u64, 7, 8, 9, 10, 11].iter().flat_map(|n| v.given[&((*v.sources[0].id).clone(), n * 9_000)].to_vec()).collect();
    let file = bytes(&from_second);
    assert!(file.ends_with(&want) && !contains(&file, &v.given[&((*v.sources[0].id).clone(), 5 * 9_000)]));
}
