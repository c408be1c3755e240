//! MP4: somebody's file, our init segments and fragments, and clips written here and found again.

use super::ring::fragment;
use crate::{seeds, take::Take};
use domain::Format;
use evidence::film::Film;
use media::{
    demux::pictures,
    fmp4::{InitTrack, Piece, Track, fragment_header, init_segment, parse_init},
    progressive::{Chunk, ClipSample, ClipTrack, TrackKind, header},
};
use std::{cell::Cell, io, sync::Arc};

fn found(bytes: &[u8]) -> Option<Vec<(u64, u32)>> {
    let read = Cell::new(0u64);
    let places = pictures(bytes.len() as u64, |at, buf| {
        read.set(read.get() + buf.len() as u64);
        let at = usize::try_from(at).map_err(io::Error::other)?;
        buf.copy_from_slice(bytes.get(at..at + buf.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    });
    // Sixteen bytes a box, which has eight of its own, and every index once.
    assert!(read.get() <= 3 * bytes.len() as u64 + 16, "{} bytes read of {}", read.get(), bytes.len());
    let places = places.ok()?;
    let taken: u64 = places.iter().map(|p| u64::from(p.size).max(1)).sum();
    assert!(taken <= bytes.len() as u64, "its pictures are larger than the file");
    Some(places.iter().map(|p| (p.offset, p.size)).collect())
}

/// Any file.
pub(crate) fn mp4(data: &[u8]) -> bool {
    let mut read = found(data).is_some();
    let _ = Film::read(&data);
    read |= fragment(data);
    if let Ok(tracks) = parse_init(data) {
        read = true;
        let announced: Vec<_> = tracks.iter().map(|t| Track { id: t.id, format: &t.format }).collect();
        // Refused only where two tracks have one number, or a format fits no sample entry.
        if let Ok(again) = init_segment(&announced) {
            let expected: Vec<_> = tracks.into_iter().map(|t| InitTrack { timescale: 90_000, ..t }).collect();
            assert_eq!(parse_init(&again), Ok(expected));
        }
    }
    read
}

/// Clips of made-up samples, progressive and fragmented: every picture is found where it was put.
pub(crate) fn clip(data: &[u8]) -> bool {
    let mut t = Take(data);
    let (per_chunk, sound, start, shown) = (usize::from(t.u8() % 9) + 1, t.u8(), i64::from(t.u32() as i32), t.u32());
    let mut samples = Vec::new();
    while !t.is_empty() && samples.len() < 64 {
        let (size, flags) = (u32::from(t.u8()) + 1, t.u8());
        let cts_offset = if flags & 2 == 0 { i32::from(t.u16()) } else { t.u32() as i32 };
        let duration = if flags & 4 == 0 { u32::from(t.u16()) } else { t.u32() };
        samples.push(ClipSample { format: u16::from(flags >> 3 & 1), duration, cts_offset, size, random_access: flags & 1 == 0 });
    }
    let sizes: Vec<u32> = samples.iter().map(|s| s.size).collect();
    let formats = vec![Arc::new(seeds::h264(10)), Arc::new(seeds::h264(11))];
    let pieces: Vec<_> = samples
        .iter()
        .map(|s| Piece { duration: s.duration, size: s.size, cts_offset: s.cts_offset, random_access: s.random_access })
        .collect();
    fragments(&formats[0], &pieces, per_chunk);
    let beside = ClipSample { format: 0, duration: 160, cts_offset: 0, size: 7, random_access: true };
    let alaw = vec![Arc::new(seeds::alaw())];
    let mut tracks =
        vec![ClipTrack { kind: TrackKind::Media(formats), samples, start_offset: start, shown: (shown != 0).then_some(shown.into()) }];
    let mut chunks: Vec<_> = chunks_of(sizes.len(), per_chunk).map(|(first, count)| Chunk { track: 0, first, count }).collect();
    if sound & 1 == 1 {
        let count = usize::from(sound >> 1 & 7) + 1;
        tracks.push(ClipTrack { kind: TrackKind::Media(alaw), samples: vec![beside; count], start_offset: 0, shown: None });
        chunks.insert(usize::from(sound >> 4) % (chunks.len() + 1), Chunk { track: 1, first: 0, count });
    }
    let Ok(mut file) = header(&tracks, &chunks) else { return false };
    let mut expected = Vec::new();
    for chunk in &chunks {
        for s in &tracks[chunk.track].samples[chunk.first..chunk.first + chunk.count] {
            if chunk.track == 0 {
                expected.push((file.len() as u64, s.size));
            }
            file.resize(file.len() + s.size as usize, 0x55);
        }
    }
    assert_eq!(found(&file), Some(expected));
    true
}

fn chunks_of(samples: usize, per: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..samples).step_by(per).map(move |first| (first, per.min(samples - first)))
}

fn fragments(format: &Format, pieces: &[Piece], per: usize) {
    let mut file = init_segment(&[Track { id: 1, format }]).unwrap();
    let mut expected = Vec::new();
    for (n, part) in pieces.chunks(per).enumerate() {
        let mut one = fragment_header(n as u32, 1, 0, part);
        for p in part {
            expected.push(((file.len() + one.len()) as u64, p.size));
            one.resize(one.len() + p.size as usize, 0x55);
        }
        assert!(fragment(&one));
        file.extend_from_slice(&one);
    }
    assert_eq!(found(&file), Some(expected));
}
