//! What this crate writes, seen by FFmpeg: same packets, same times, same key flags, same decoded frames as the source.
#![allow(clippy::disallowed_methods, reason = "the tests hand files to ffmpeg")]
#![allow(clippy::unwrap_used, reason = "a test fails where it is surprised")]
#![allow(missing_docs)]

mod support;

use bytes::Bytes;
use domain::{CameraId, Channel, Format, Sample, StreamId, StreamKind, VideoCodec, WallTime};
use matthon_media as media;
use media::{
    fmp4::{Piece, Track, fragment_header, init_segment, parse_fragment, parse_init},
    hash::media_hash,
    join::JoinFilter,
    progressive::{Chunk, ClipSample, ClipTrack, TrackKind, header},
    sound::{Frame, Sound},
};
use std::{path::Path, sync::Arc};
use support::{Packet, Source, Unit, aac, complaints, frames, packets, video};

fn piece(unit: &Unit) -> Piece {
    Piece {
        duration: unit.duration,
        size: unit.data.len() as u32,
        cts_offset: (unit.pts - unit.dts) as i32,
        random_access: unit.random_access,
    }
}

fn clip_sample(format: u16, unit: &Unit) -> ClipSample {
    let Piece { duration, size, cts_offset, random_access } = piece(unit);
    ClipSample { format, duration, cts_offset, size, random_access }
}

/// Fragments of up to `most` samples of each source, as the live path (1) and the ring (several) write them.
fn fragmented(sources: &[&Source], most: usize) -> Vec<u8> {
    let tracks: Vec<_> = (1..).zip(sources).map(|(id, s)| Track { id, format: &s.format }).collect();
    let mut file = init_segment(&tracks).unwrap();
    let mut sequence = 0;
    for (track, source) in tracks.iter().zip(sources) {
        for run in source.units.chunks(most) {
            sequence += 1;
            let pieces: Vec<_> = run.iter().map(piece).collect();
            file.extend(fragment_header(sequence, track.id, run[0].dts as u64, &pieces));
            run.iter().for_each(|u| file.extend_from_slice(&u.data));
        }
    }
    file
}

fn clip(sources: &[(&Source, i64)], interleave: usize) -> Vec<u8> {
    let tracks: Vec<_> = sources
        .iter()
        .map(|(source, start_offset)| ClipTrack {
            kind: TrackKind::Media(vec![Arc::new(source.format.clone())]),
            samples: source.units.iter().map(|u| clip_sample(0, u)).collect(),
            start_offset: *start_offset,
            shown: None,
        })
        .collect();
    let longest = tracks.iter().map(|t| t.samples.len()).max().unwrap();
    let mut chunks = Vec::new();
    for first in (0..longest).step_by(interleave) {
        for (track, plan) in tracks.iter().enumerate().filter(|(_, t)| first < t.samples.len()) {
            chunks.push(Chunk { track, first, count: interleave.min(plan.samples.len() - first) });
        }
    }
    let mut file = header(&tracks, &chunks).unwrap();
    for chunk in &chunks {
        let units = &sources[chunk.track].0.units;
        units[chunk.first..chunk.first + chunk.count].iter().for_each(|u| file.extend_from_slice(&u.data));
    }
    file
}

fn expected(source: &Source, shift: i64) -> Vec<Packet> {
    source.units.iter().map(|u| Packet { pts: u.pts + shift, dts: u.dts + shift, key: u.random_access }).collect()
}

/// A viewer that joins at the second key frame gets exactly the frames the source shows from there on, and no decoder complains.
fn joins_cleanly(dir: &Path, source: &Source, open: bool) {
    let stream = Arc::new(StreamId::new(CameraId::new("c").unwrap(), Channel::Main, StreamKind::Video));
    let format = Arc::new(source.format.clone());
    let key = source.units.iter().enumerate().filter(|(_, u)| u.random_access).nth(1).unwrap().0;
    let mut filter = JoinFilter::new();
    // One unit before the key frame: a joiner waits.
    let kept = source.units[key - 1..].iter().filter(|unit| {
        filter.admit(&Sample {
            stream: stream.clone(),
            format: format.clone(),
            seq: 0,
            capture: WallTime(0),
            pts: unit.pts,
            dts: unit.dts,
            random_access: unit.random_access,
            loss_before: false,
            data: Bytes::new(),
        })
    });
    let units: Vec<_> = kept.cloned().collect();
    let leading = source.units.len() - key - units.len();
    assert_eq!(leading > 0, open, "{leading} leading pictures");
    let tail = Source { format: source.format.clone(), units };
    std::fs::write(dir.join("joined.mp4"), fragmented(&[&tail], 1)).unwrap();
    let all = frames(dir, "source.mp4", "v:0");
    assert_eq!(frames(dir, "joined.mp4", "v:0"), all[all.len() - tail.units.len()..]);
    assert_eq!(complaints(dir, "joined.mp4"), "");
}

/// Both containers of one source against the source itself.
fn compare(dir: &Path, source: &Source) {
    let original = packets(dir, "source.mp4", "v:0");
    let first_dts = original[0].dts;
    let keys: Vec<_> = original.iter().map(|p| p.key).collect();
    assert_eq!(source.units.iter().map(|u| u.random_access).collect::<Vec<_>>(), keys, "random access as the encoder meant it");
    let decoded = frames(dir, "source.mp4", "v:0");
    assert_eq!(decoded.len(), 60);
    for most in [1, 7] {
        std::fs::write(dir.join("fragmented.mp4"), fragmented(&[source], most)).unwrap();
        assert_eq!(packets(dir, "fragmented.mp4", "v:0"), expected(source, 0), "{most} a fragment");
        assert_eq!(frames(dir, "fragmented.mp4", "v:0"), decoded);
        assert_eq!(complaints(dir, "fragmented.mp4"), "");
    }
    std::fs::write(dir.join("clip.mp4"), clip(&[(source, 0)], 10)).unwrap();
    // As in the source, the edit list moves the first shown frame to 0.
    assert_eq!(packets(dir, "clip.mp4", "v:0"), expected(source, first_dts));
    assert_eq!(frames(dir, "clip.mp4", "v:0"), decoded);
    assert_eq!(complaints(dir, "clip.mp4"), "");
}

fn reads_back(source: &Source) {
    let file = fragmented(&[source], 7);
    let tracks = parse_init(&file).unwrap();
    assert_eq!((tracks.len(), &tracks[0].format), (1, &source.format));
    let (mut at, mut units) = (0, 0);
    while at < file.len() {
        let fragment = parse_fragment(&file[at..]).unwrap();
        let run = &source.units[units..units + fragment.pieces.len()];
        assert_eq!(fragment.base_dts, run[0].dts as u64);
        assert_eq!(fragment.pieces, run.iter().map(piece).collect::<Vec<_>>());
        let bytes: Vec<u8> = run.iter().flat_map(|u| u.data.clone()).collect();
        let data = &file[at..][fragment.data];
        assert_eq!(data, bytes);
        assert_eq!(media_hash(&tracks[0].format, fragment.base_dts, &fragment.pieces, data), {
            let mut hasher = media::hash::MediaHasher::new(&source.format, run[0].dts as u64);
            run.iter().for_each(|u| hasher.sample(&piece(u), &u.data));
            hasher.finish()
        });
        at += fragment.end;
        units += run.len();
    }
    assert_eq!(units, source.units.len());
}

fn check_video(codec: VideoCodec, encoder: &str, codecs: &str, reorder: u8, open: bool) {
    let dir = tempfile::tempdir().unwrap();
    let source = video(dir.path(), codec, encoder);
    let Format::Video(format) = &source.format else { panic!("not video") };
    assert_eq!((format.width, format.height), (322, 180));
    assert_eq!((format.codecs.as_str(), format.frame_duration, format.reorder), (codecs, Some(3600), Some(reorder)));
    reads_back(&source);
    compare(dir.path(), &source);
    joins_cleanly(dir.path(), &source, open);
}

#[test]
fn h264_with_b_frames() {
    check_video(VideoCodec::H264, "-c:v libx264 -g 20 -bf 2 -x264-params b-pyramid=none:scenecut=0", "avc1.64000d", 1, false);
}

#[test]
fn h264_open_gop() {
    check_video(VideoCodec::H264, "-c:v libx264 -g 20 -bf 3 -x264-params open-gop=1:scenecut=0:b-adapt=0", "avc1.64000d", 2, true);
}

#[test]
fn h264_baseline() {
    check_video(VideoCodec::H264, "-c:v libx264 -profile:v baseline -g 20", "avc1.42c00d", 0, false);
}

#[test]
fn h265_open_gop() {
    check_video(
        VideoCodec::H265,
        "-c:v libx265 -x265-params log-level=none:keyint=20:min-keyint=20:scenecut=0:b-adapt=0:bframes=3",
        "hvc1.1.6.L60.90",
        2,
        true,
    );
}

#[test]
fn parameters_change_inside_a_clip() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sources = [
        video(a.path(), VideoCodec::H264, "-c:v libx264 -profile:v baseline -g 20"),
        video(b.path(), VideoCodec::H264, "-c:v libx264 -g 20 -bf 2"),
    ];
    assert_ne!(sources[0].format, sources[1].format);
    let mut samples = Vec::new();
    for (format, source) in (0..).zip(&sources) {
        samples.extend(source.units.iter().map(|u| clip_sample(format, u)));
    }
    let formats = sources.iter().map(|s| Arc::new(s.format.clone())).collect();
    let chunk = Chunk { track: 0, first: 0, count: samples.len() };
    let mut file = header(&[ClipTrack { kind: TrackKind::Media(formats), samples, start_offset: 0, shown: None }], &[chunk]).unwrap();
    sources.iter().flat_map(|s| &s.units).for_each(|u| file.extend_from_slice(&u.data));
    std::fs::write(a.path().join("clip.mp4"), file).unwrap();
    let both = [frames(a.path(), "source.mp4", "v:0"), frames(b.path(), "source.mp4", "v:0")].concat();
    assert_eq!(frames(a.path(), "clip.mp4", "v:0"), both);
    assert_eq!(packets(a.path(), "clip.mp4", "v:0").len(), 120);
}

#[test]
fn aac_alone_and_with_video() {
    let dir = tempfile::tempdir().unwrap();
    let (dir, sound) = (dir.path(), aac(dir.path()));
    reads_back(&sound);
    let decoded = frames(dir, "source.aac", "a:0");
    std::fs::write(dir.join("sound.mp4"), fragmented(&[&sound], 5)).unwrap();
    assert_eq!(packets(dir, "sound.mp4", "a:0"), expected(&sound, 0));
    assert_eq!(frames(dir, "sound.mp4", "a:0"), decoded);
    let picture = video(dir, VideoCodec::H264, "-c:v libx264 -g 20 -bf 2");
    std::fs::write(dir.join("both.mp4"), fragmented(&[&picture, &sound], 5)).unwrap();
    std::fs::write(dir.join("clip.mp4"), clip(&[(&picture, 0), (&sound, 4500)], 8)).unwrap();
    for (file, audio_shift, video_shift) in [("both.mp4", 0, 0), ("clip.mp4", 4500, -picture.units[0].pts)] {
        assert_eq!(packets(dir, file, "v:0"), expected(&picture, video_shift), "{file}");
        assert_eq!(packets(dir, file, "a:0"), expected(&sound, audio_shift), "{file}");
        assert_eq!(frames(dir, file, "a:0"), decoded, "{file}");
        assert_eq!(frames(dir, file, "v:0"), frames(dir, "source.mp4", "v:0"), "{file}");
        assert_eq!(complaints(dir, file), "", "{file}");
    }
}

/// One fragment a frame of sound, as the live path writes them.
fn sounding(sound: &Sound, frames: &[Frame]) -> Vec<u8> {
    let mut file = sound.init(1).unwrap();
    let mut at = 0_u64;
    for (frame, n) in frames.iter().zip(1..) {
        let ticks = |samples: u64| samples * 90_000 / u64::from(sound.rate());
        let (from, to) = (ticks(at), ticks(at + u64::from(frame.samples)));
        at += u64::from(frame.samples);
        let piece = Piece { duration: (to - from) as u32, size: frame.data.len() as u32, cts_offset: 0, random_access: true };
        file.extend(fragment_header(n, 1, from, &[piece]));
        file.extend_from_slice(&frame.data);
    }
    file
}

/// Linear samples of a file, by FFmpeg.
fn linear(dir: &Path, args: &str) -> Vec<i16> {
    support::tool("ffmpeg", dir, &format!("-v error -xerror -y {args} -f s16le out.raw"));
    let bytes = std::fs::read(dir.join("out.raw")).unwrap();
    bytes.chunks(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[test]
fn g711_is_heard_as_its_tables_say() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // Every code, in packets of every awkward length.
    let said: Vec<u8> = (0..6_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).chain(0..=255).collect();
    std::fs::write(dir.join("said.raw"), &said).unwrap();
    for (law, name) in [(domain::AudioCodec::PcmA, "alaw"), (domain::AudioCodec::PcmU, "mulaw")] {
        for (rate, channels) in [(8_000, 1), (16_000, 1), (8_000, 2)] {
            let sound = Sound::of(&media::params::g711_format(law, rate, channels)).unwrap();
            let (mut frames, mut first) = (Vec::new(), 0);
            let mut rest = &said[..];
            for length in [2, 320, 18, 512, 514, 1600, 256, 40, 2734, 4, 256].into_iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (packet, tail) = rest.split_at(length.min(rest.len()));
                rest = tail;
                assert_eq!(sound.samples(packet) as usize, packet.len() / usize::from(channels));
                frames.extend(sound.frames(first, &Bytes::copy_from_slice(packet)));
                first += u64::from(sound.samples(packet));
            }
            std::fs::write(dir.join("sound.mp4"), sounding(&sound, &frames)).unwrap();
            let expected = linear(dir, &format!("-f {name} -ar {rate} -ac {channels} -i said.raw"));
            assert_eq!(linear(dir, "-i sound.mp4"), expected, "{name} {rate} Hz {channels} channels");
            assert_eq!(expected.len(), said.len());
            assert_eq!(complaints(dir, "sound.mp4"), "");
        }
    }
}

#[test]
fn silence_lies_between_what_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let source = aac(dir);
    let Format::Audio(stereo) = &source.format else { panic!("it is audio") };
    let mono = media::params::aac_format(&[0x11, 0x88]).unwrap();
    for format in [stereo, &mono] {
        let sound = Sound::of(format).unwrap();
        let spoken = |range: std::ops::Range<usize>| -> Vec<Frame> {
            if format.channels == 1 {
                return Vec::new();
            }
            source.units[range].iter().flat_map(|u| sound.frames(0, &Bytes::from(u.data.clone()))).collect()
        };
        let frames = [spoken(0..20), sound.silence(0, 10 * 1024 + 500), spoken(20..40)].concat();
        std::fs::write(dir.join("sound.mp4"), sounding(&sound, &frames)).unwrap();
        assert_eq!(complaints(dir, "sound.mp4"), "");
        let heard = linear(dir, "-i sound.mp4");
        assert_eq!(heard.len(), frames.len() * 1024 * usize::from(format.channels));
        let each = 1024 * usize::from(format.channels);
        let from = if format.channels == 1 { 0 } else { 21 };
        assert!(heard[from * each..(from + 8) * each].iter().all(|s| *s == 0));
        assert!(format.channels == 1 || heard[..20 * each].iter().any(|s| s.abs() > 1000));
    }
    let law = Sound::of(&media::params::g711_format(domain::AudioCodec::PcmA, 8000, 1)).unwrap();
    let frames = law.silence(7, 100_000);
    assert_eq!(frames.iter().map(|f| f.samples).collect::<Vec<_>>(), [65_535, 34_465]);
    std::fs::write(dir.join("sound.mp4"), sounding(&law, &frames)).unwrap();
    assert_eq!(linear(dir, "-i sound.mp4"), vec![0; 100_000]);
}
