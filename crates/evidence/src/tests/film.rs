//! Films beside the ring: ours, cut, changed, and somebody else's.

use super::*;
use crate::film::{Film, FilmVerdict, FilmWhat};
use media::progressive::{Chunk, ClipSample, ClipTrack, TrackKind, header};

/// What was recorded as picture `n`.
fn picture(n: i64) -> Vec<u8> {
    (0..900 + n % 7).map(|i| (i * 7 + n * 13 + 1) as u8).collect()
}

/// A film of these pictures, boxed by somebody else.
fn film(pictures: &[Vec<u8>]) -> Vec<u8> {
    let samples: Vec<_> = pictures
        .iter()
        .map(|p| ClipSample { format: 0, duration: 9_000, cts_offset: 0, size: p.len() as u32, random_access: true })
        .collect();
    let chunk = Chunk { track: 0, first: 0, count: samples.len() };
    let mut file = header(&[ClipTrack { kind: TrackKind::Media(vec![h264()]), samples, start_offset: 0, shown: None }], &[chunk]).unwrap();
    pictures.iter().for_each(|p| file.extend_from_slice(p));
    file
}

fn judged(reader: &Reader, bytes: &[u8]) -> Option<FilmVerdict> {
    let stream = StreamId::new(CameraId::new("cong-lang").unwrap(), Channel::Main, StreamKind::Video);
    let film = Film::read(&bytes).unwrap();
    film.find(reader, &stream, (WallTime(i64::MIN), WallTime(i64::MAX)), |_, _| {}).unwrap()
}

fn said(v: &FilmVerdict) -> Vec<(FilmWhat, u64, i64)> {
    v.findings.iter().map(|f| (f.what, f.pictures, f.from.micros_since(NOON) / 100_000)).collect()
}

#[test]
fn a_film_of_ours_is_named_to_the_second_and_every_change_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let reader = recorded(dir.path());
    let take = |range: std::ops::Range<i64>| range.map(picture).collect::<Vec<_>>();
    let whole = judged(&reader, &film(&take(23..88))).unwrap();
    assert!(whole.good(), "{whole:?}");
    assert_eq!((whole.stream.as_str(), whole.pictures, whole.ours), ("cong-lang/main/video", 65, 65));
    assert_eq!((whole.from, whole.to), (NOON.plus_micros(2_300_000), NOON.plus_micros(8_700_000)));
    // Over the hole in the recording: nothing was cut out, for nothing was there.
    assert!(judged(&reader, &film(&take(90..120))).unwrap().good());
    // Cut, exchanged, put in, at the beginning too.
    let cut = [take(20..40), take(52..80)].concat();
    assert_eq!(said(&judged(&reader, &film(&cut)).unwrap()), [(FilmWhat::CutOut, 12, 40)]);
    // Behind the hole, where the camera began anew.
    let behind = [take(80..130), take(140..170)].concat();
    assert_eq!(said(&judged(&reader, &film(&behind)).unwrap())[0].1, 10);
    let mut changed = take(20..80);
    changed[30][100] ^= 1;
    let verdict = judged(&reader, &film(&changed)).unwrap();
    assert_eq!((said(&verdict), verdict.ours), (vec![(FilmWhat::Changed, 1, 50)], 59));
    let mut put_in = take(20..80);
    put_in.splice(30..30, [vec![1; 500], vec![2; 500]]);
    assert!(said(&judged(&reader, &film(&put_in)).unwrap()).iter().all(|f| f.0 == FilmWhat::PutIn || f.0 == FilmWhat::Changed));
    let mut head = take(20..80);
    head[0] = vec![9; 300];
    assert!(!judged(&reader, &film(&head)).unwrap().good());
    // Short, and nobody's.
    assert!(judged(&reader, &film(&take(23..26))).unwrap().good());
    let strange: Vec<_> = (0..40).map(|n| vec![n as u8; 700 + n]).collect();
    assert_eq!(judged(&reader, &film(&strange)), None);
    assert!(Film::read(&&b"no film at all"[..]).is_err());
}
