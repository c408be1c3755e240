//! Writes boxes: the tables and headers through mp4-atom, containers around them, and the boxes mp4-atom has no type for.

use crate::error::MediaError;
use domain::{Format, time::MEDIA_HZ};
use mp4_atom::{Audio, BufMut, Dinf, Dref, DrefEntry, Encode, FixedPoint, FourCC, Ftyp, Hdlr, Mdhd, Mvhd, Smhd, Tkhd, Url, Vmhd};

/// Ticks a second of movies and tracks alike, so that no time is ever rounded.
pub(crate) const TIMESCALE: u32 = MEDIA_HZ as u32;

pub(crate) fn refused(_: mp4_atom::Error) -> MediaError {
    MediaError::DoesNotFit { what: "MP4 box", reason: "a value or the box itself is larger than its field" }
}

/// One box of mp4-atom.
pub(crate) fn leaf(out: &mut Vec<u8>, atom: &impl Encode) -> Result<(), MediaError> {
    atom.encode(out).map_err(refused)
}

/// A box around what `body` writes.
pub(crate) fn container(
    out: &mut Vec<u8>,
    kind: &[u8; 4],
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), MediaError>,
) -> Result<(), MediaError> {
    let mut result = Ok(());
    out.encode_atom(FourCC::new(kind), |out| {
        result = body(out);
        Ok(())
    })
    .map_err(refused)?;
    result
}

pub(crate) fn ftyp(out: &mut Vec<u8>, major: &[u8; 4], compatible: &[&[u8; 4]]) -> Result<(), MediaError> {
    let compatible_brands = compatible.iter().map(|b| FourCC::new(b)).collect();
    leaf(out, &Ftyp { major_brand: FourCC::new(major), minor_version: 0, compatible_brands })
}

pub(crate) fn mvhd(out: &mut Vec<u8>, duration: u64, tracks: usize) -> Result<(), MediaError> {
    let next_track_id = u32::try_from(tracks).ok().and_then(|n| n.checked_add(1)).unwrap_or(u32::MAX);
    leaf(out, &Mvhd { timescale: TIMESCALE, duration, volume: 1.into(), rate: 1.into(), next_track_id, ..Mvhd::default() })
}

/// What a track carries, as far as its headers say it.
#[derive(Clone, Copy)]
pub(crate) enum Carries<'a> {
    Media(&'a Format),
    /// G.711 as browsers take it, which is no format of a recording.
    Flac,
    Captions,
}

pub(crate) fn tkhd(out: &mut Vec<u8>, id: u32, carries: Carries<'_>, duration: u64) -> Result<(), MediaError> {
    let (width, height) = match carries {
        Carries::Media(Format::Video(v)) => (side(v.width)?, side(v.height)?),
        _ => (0, 0),
    };
    let volume: FixedPoint<u8> = u8::from(matches!(carries, Carries::Media(Format::Audio(_)) | Carries::Flac)).into();
    let (width, height) = (width.into(), height.into());
    // Captions are there to be switched on: a player that shows them unasked would cover the picture.
    let enabled = !matches!(carries, Carries::Captions);
    leaf(out, &Tkhd { track_id: id, duration, enabled, in_movie: true, volume, width, height, ..Tkhd::default() })
}

pub(crate) fn side(pixels: u32) -> Result<u16, MediaError> {
    u16::try_from(pixels).map_err(|_| MediaError::DoesNotFit { what: "picture size", reason: "a side is over 65535 pixels" })
}

/// `mdhd` and `hdlr`, then `minf` with its media header, data reference, and what `stbl` writes.
pub(crate) fn mdia(
    out: &mut Vec<u8>,
    carries: Carries<'_>,
    duration: u64,
    stbl: impl FnOnce(&mut Vec<u8>) -> Result<(), MediaError>,
) -> Result<(), MediaError> {
    container(out, b"mdia", |out| {
        leaf(out, &Mdhd { timescale: TIMESCALE, duration, language: "und".into(), ..Mdhd::default() })?;
        let (handler, name) = match carries {
            Carries::Media(Format::Video(_)) => (b"vide", "video"),
            Carries::Media(Format::Audio(_)) | Carries::Flac => (b"soun", "audio"),
            Carries::Media(Format::Observations(_)) => (b"meta", "observations"),
            Carries::Captions => (b"sbtl", "time"),
        };
        leaf(out, &Hdlr { handler: FourCC::new(handler), name: name.into() })?;
        container(out, b"minf", |out| {
            match carries {
                Carries::Media(Format::Video(_)) => leaf(out, &Vmhd::default())?,
                Carries::Media(Format::Audio(_)) | Carries::Flac => leaf(out, &Smhd::default())?,
                Carries::Media(Format::Observations(_)) | Carries::Captions => container(out, b"nmhd", |out| {
                    out.extend_from_slice(&[0; 4]);
                    Ok(())
                })?,
            }
            let here = DrefEntry::Url(Url { location: String::new() });
            leaf(out, &Dinf { dref: Dref { entries: vec![here] } })?;
            container(out, b"stbl", stbl)
        })
    })
}

/// `stsd` with one sample entry for each format.
pub(crate) fn stsd<'a>(out: &mut Vec<u8>, formats: impl ExactSizeIterator<Item = &'a Format>) -> Result<(), MediaError> {
    container(out, b"stsd", |out| {
        out.extend_from_slice(&[0; 4]);
        let count = u32::try_from(formats.len()).map_err(|_| MediaError::DoesNotFit { what: "stsd box", reason: "too many formats" })?;
        out.extend_from_slice(&count.to_be_bytes());
        formats.into_iter().try_for_each(|format| super::sample_entry::write(out, format))
    })
}

/// `stsd` of FLAC: one `fLaC` entry whose `dfLa` box holds this STREAMINFO block (“Encapsulation of FLAC in ISO Base Media File Format”).
pub(crate) fn flac_stsd(out: &mut Vec<u8>, rate: u16, channels: u8, info: &[u8; 34]) -> Result<(), MediaError> {
    container(out, b"stsd", |out| {
        out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
        let head = Audio { data_reference_index: 1, channel_count: channels.into(), sample_size: 16, sample_rate: rate.into() };
        container(out, b"fLaC", |out| {
            leaf(out, &head)?;
            container(out, b"dfLa", |out| {
                out.extend_from_slice(&[0, 0, 0, 0, 0x80, 0, 0, 34]); // version and flags; the last block, STREAMINFO, of 34 bytes
                out.extend_from_slice(info);
                Ok(())
            })
        })
    })
}

/// `stsd` of captions: one `tx3g` entry (3GPP TS 26.245 §5.16), white on translucent black at the bottom.
pub(crate) fn captions_stsd(out: &mut Vec<u8>) -> Result<(), MediaError> {
    container(out, b"stsd", |out| {
        out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
        container(out, b"tx3g", |out| {
            out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]); // reserved, data reference 1
            out.extend_from_slice(&[0; 4]); // display flags
            out.extend_from_slice(&[1, 0xff]); // centred, at the bottom
            out.extend_from_slice(&[0, 0, 0, 0x80]); // background
            out.extend_from_slice(&[0; 8]); // text box: the player's own
            out.extend_from_slice(&[0, 0, 0, 0, 0, 1, 0, 18, 0xff, 0xff, 0xff, 0xff]); // style: font 1, 18 points, white
            container(out, b"ftab", |out| {
                out.extend_from_slice(&[0, 1, 0, 1, 5]);
                out.extend_from_slice(b"Serif");
                Ok(())
            })
        })
    })
}
