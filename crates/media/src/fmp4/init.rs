//! The initialisation segment: `ftyp` and `moov` with one track for each stream and no samples.

use crate::{
    boxes::{
        read::{Fields, child, nodes},
        sample_entry,
        write::{Carries, TIMESCALE, container, flac_stsd, ftyp, leaf, mdia, mvhd, stsd, tkhd},
    },
    error::MediaError,
};
use domain::Format;
use mp4_atom::{Mvex, Stco, Stsc, Stsz, Stts, Trex};

/// A track to announce.
#[derive(Clone, Copy, Debug)]
pub struct Track<'a> {
    /// Its number, from 1; what fragments call it.
    pub id: u32,
    /// Its parameters, made by [`crate::params`].
    pub format: &'a Format,
}

/// A track that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitTrack {
    /// Its number.
    pub id: u32,
    /// Ticks a second of its times; 90,000 in what this program writes.
    pub timescale: u32,
    /// Its parameters.
    pub format: Format,
}

/// Writes `ftyp` and `moov`. Every track counts 90,000 ticks a second, whatever its codec.
///
/// # Errors
/// When no track is given, two have the same number, one has number 0, or a format does not fit its sample entry.
pub fn init_segment(tracks: &[Track<'_>]) -> Result<Vec<u8>, MediaError> {
    let twice = tracks.iter().enumerate().any(|(n, t)| tracks.iter().take(n).any(|u| u.id == t.id));
    if tracks.is_empty() || twice || tracks.iter().any(|t| t.id == 0) {
        return Err(MediaError::Plan { what: "initialisation segment", reason: "tracks need numbers from 1, each once" });
    }
    let each = tracks.iter().map(|track| {
        let entry = |out: &mut Vec<u8>| stsd(out, std::iter::once(track.format));
        (track.id, Carries::Media(track.format), entry)
    });
    segment(each)
}

/// The same for one track of FLAC; `info` is the body of its STREAMINFO block.
pub(crate) fn flac_init(track: u32, rate: u16, channels: u8, info: &[u8; 34]) -> Result<Vec<u8>, MediaError> {
    segment(std::iter::once((track, Carries::Flac, |out: &mut Vec<u8>| flac_stsd(out, rate, channels, info))))
}

/// `ftyp` and `moov` of tracks: their number, what they carry, and who writes their `stsd`.
fn segment<'a, W>(tracks: impl Iterator<Item = (u32, Carries<'a>, W)> + Clone) -> Result<Vec<u8>, MediaError>
where
    W: FnOnce(&mut Vec<u8>) -> Result<(), MediaError>,
{
    let mut out = Vec::with_capacity(1024);
    ftyp(&mut out, b"iso6", &[b"iso6", b"mp41"])?;
    container(&mut out, b"moov", |out| {
        mvhd(out, 0, tracks.clone().map(|(id, ..)| id as usize).max().unwrap_or(0))?;
        for (id, carries, entry) in tracks.clone() {
            container(out, b"trak", |out| {
                tkhd(out, id, carries, 0)?;
                mdia(out, carries, 0, |out| {
                    entry(out)?;
                    leaf(out, &Stts::default())?;
                    leaf(out, &Stsc::default())?;
                    leaf(out, &Stsz::default())?;
                    leaf(out, &Stco::default())
                })
            })?;
        }
        let trex = tracks.map(|(track_id, ..)| Trex { track_id, default_sample_description_index: 1, ..Trex::default() });
        leaf(out, &Mvex { mehd: None, trex: trex.collect() })
    })?;
    Ok(out)
}

/// Reads the `moov` of what [`init_segment`] wrote, whatever precedes or follows it.
///
/// # Errors
/// When there is no whole `moov`, or a track lacks its number, timescale or a sample entry of the house.
pub fn parse_init(bytes: &[u8]) -> Result<Vec<InitTrack>, MediaError> {
    let moov = child(bytes, b"moov", "moov box")?;
    let mut tracks = Vec::new();
    for node in nodes(moov.body) {
        let node = node?;
        if node.kind == *b"trak" {
            tracks.push(track(node.body)?);
        }
    }
    if tracks.is_empty() {
        return Err(MediaError::malformed("moov box", "it has no track"));
    }
    Ok(tracks)
}

fn track(trak: &[u8]) -> Result<InitTrack, MediaError> {
    let mdia = child(trak, b"mdia", "mdia box")?;
    let id = after_times("tkhd box", child(trak, b"tkhd", "tkhd box")?.body)?;
    let timescale = after_times("mdhd box", child(mdia.body, b"mdhd", "mdhd box")?.body)?;
    let minf = child(mdia.body, b"minf", "minf box")?;
    let stbl = child(minf.body, b"stbl", "stbl box")?;
    let stsd = child(stbl.body, b"stsd", "stsd box")?;
    let mut f = Fields::new("stsd box", stsd.body);
    f.skip(8)?;
    let entry = nodes(f.rest()).next().ok_or(MediaError::malformed("stsd box", "it has no sample entry"))??;
    if id == 0 || timescale == 0 {
        return Err(MediaError::malformed("track", "its number or timescale is 0"));
    }
    Ok(InitTrack { id, timescale, format: sample_entry::read(&entry)? })
}

/// The number behind creation and modification time: a track's number in `tkhd`, the timescale in `mdhd`.
fn after_times(what: &'static str, body: &[u8]) -> Result<u32, MediaError> {
    let mut f = Fields::new(what, body);
    let version = f.u8()?;
    f.skip(3 + if version == 1 { 16 } else { 8 })?;
    f.u32()
}

/// The timescale is a constant of the house, and the reader of the ring relies on it.
const _: () = assert!(TIMESCALE == 90_000);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;
    use domain::{AudioCodec, VideoCodec};
    use proptest::prelude::*;

    const SPS: &[u8] =
        &[0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20, 0xf1, 0x42, 0x99, 0x60];

    fn formats() -> Vec<Format> {
        let record = params::avc_config(SPS, &[0x68, 0xeb, 0xe3, 0xcb]).unwrap();
        vec![
            Format::Video(params::video_format(VideoCodec::H264, &record).unwrap()),
            Format::Audio(params::aac_format(&[0x11, 0x90]).unwrap()),
            Format::Audio(params::aac_format(&[0x10, 0x10, 0x56, 0xe5, 0]).unwrap()),
            Format::Audio(params::g711_format(AudioCodec::PcmA, 8000, 1)),
            Format::Audio(params::g711_format(AudioCodec::PcmU, 48_000, 2)),
            Format::Observations(3),
        ]
    }

    #[test]
    fn formats_round_trip_exactly() {
        let formats = formats();
        let tracks: Vec<_> = (7..).zip(&formats).map(|(id, format)| Track { id, format }).collect();
        let read = parse_init(&init_segment(&tracks).unwrap()).unwrap();
        let expected = tracks.iter().map(|t| InitTrack { id: t.id, timescale: 90_000, format: t.format.clone() });
        assert_eq!(read, expected.collect::<Vec<_>>());
    }

    #[test]
    fn numbers_are_checked() {
        let format = Format::Observations(1);
        let numbered = |ids: &[u32]| init_segment(&ids.iter().map(|id| Track { id: *id, format: &format }).collect::<Vec<_>>());
        for bad in [&[][..], &[0], &[1, 2, 1]] {
            assert!(matches!(numbered(bad), Err(MediaError::Plan { .. })), "{bad:?}");
        }
        assert!(numbered(&[2, 1]).is_ok());
        let fast = Format::Audio(params::g711_format(AudioCodec::PcmA, 96_000, 1));
        assert!(matches!(init_segment(&[Track { id: 1, format: &fast }]), Err(MediaError::DoesNotFit { .. })));
    }

    #[test]
    fn a_cut_segment_is_an_error_at_every_length() {
        for format in &formats() {
            let bytes = init_segment(&[Track { id: 1, format }]).unwrap();
            for length in 0..bytes.len() {
                assert!(parse_init(&bytes[..length]).is_err());
            }
        }
    }

    proptest! {
        #[test]
        fn mutated_segments_are_read_without_panic(kind: prop::sample::Index, changes in proptest::collection::vec(any::<(prop::sample::Index, u8)>(), 1..4)) {
            let format = &formats()[kind.index(6)];
            let mut bytes = init_segment(&[Track { id: 1, format }])?;
            for (at, byte) in changes {
                *at.get_mut(&mut bytes) = byte;
            }
            let _ = parse_init(&bytes);
        }

        #[test]
        fn any_bytes_are_read_without_panic(data: Vec<u8>) {
            let _ = parse_init(&data);
            let boxed = [&(data.len() as u32 + 8).to_be_bytes()[..], b"moov", &data].concat();
            let _ = parse_init(&boxed);
        }
    }
}
