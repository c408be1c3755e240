//! One `moof` + `mdat` of one track. Written byte by byte: it is made for every frame of every live stream.

use crate::{
    boxes::read::{Fields, Node, child, nodes},
    error::MediaError,
};
use std::ops::Range;

/// One sample of a fragment, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// Ticks of 90 kHz to the next sample's decoding time.
    pub duration: u32,
    /// Bytes.
    pub size: u32,
    /// Presentation time minus decoding time, ticks of 90 kHz.
    pub cts_offset: i32,
    /// Decoding may start here.
    pub random_access: bool,
}

/// What [`parse_fragment`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The fragment's number.
    pub sequence: u32,
    /// The track's number.
    pub track: u32,
    /// Decoding time of the first sample, ticks of 90 kHz.
    pub base_dts: u64,
    /// The samples, in decoding order.
    pub pieces: Vec<Piece>,
    /// Where the samples' bytes lie, one after the other, in what was read.
    pub data: Range<usize>,
    /// Where the fragment ends in what was read.
    pub end: usize,
}

/// Most samples in a fragment: the `trun` of so many is 1 GiB, and `data_offset` has 31 bits.
const PIECES_MAX: usize = 1 << 26;
/// data-offset, duration, size, flags and composition offset present (§8.8.8.1).
const TRUN_FLAGS: u32 = 0xf01;
/// default-base-is-moof (§8.8.7.1).
const TFHD_FLAGS: u32 = 0x02_0000;
/// Depends on no other sample; sync.
const FLAGS_START: u32 = 0x0200_0000;
/// Depends on others; not sync.
const FLAGS_OTHER: u32 = 0x0101_0000;
/// moof, mfhd, traf, tfhd, tfdt and trun headers and fixed fields.
const MOOF_FIXED: usize = 8 + 16 + 8 + 16 + 20 + 20;

/// The `moof` box and the header of the `mdat` box; the samples' bytes must follow, in order.
///
/// One track, one run, all times in ticks of 90 kHz. A random access point is marked as a sync sample, an open GOP's too.
/// The `mdat` header is 8 bytes, or 16 when the samples are 4 GiB or more.
///
/// # Panics
/// With more than 2^26 pieces, which no record or frame comes near.
#[must_use]
pub fn fragment_header(sequence: u32, track: u32, base_dts: u64, pieces: &[Piece]) -> Vec<u8> {
    assert!(pieces.len() <= PIECES_MAX, "a fragment of {} samples", pieces.len());
    let run = pieces.len() * 16;
    let payload: u64 = pieces.iter().map(|p| u64::from(p.size)).sum();
    let narrow = u32::try_from(payload + 8).ok();
    let moof = MOOF_FIXED + run;
    let mut out = Vec::with_capacity(moof + 16);
    let word = |out: &mut Vec<u8>, value: u32| out.extend_from_slice(&value.to_be_bytes());
    let head = |out: &mut Vec<u8>, size: usize, kind: &[u8; 4]| {
        word(out, size as u32);
        out.extend_from_slice(kind);
    };
    head(&mut out, moof, b"moof");
    head(&mut out, 16, b"mfhd");
    word(&mut out, 0);
    word(&mut out, sequence);
    head(&mut out, moof - 24, b"traf");
    head(&mut out, 16, b"tfhd");
    word(&mut out, TFHD_FLAGS);
    word(&mut out, track);
    head(&mut out, 20, b"tfdt");
    word(&mut out, 1 << 24);
    out.extend_from_slice(&base_dts.to_be_bytes());
    head(&mut out, 20 + run, b"trun");
    word(&mut out, 1 << 24 | TRUN_FLAGS);
    word(&mut out, pieces.len() as u32);
    word(&mut out, moof as u32 + if narrow.is_some() { 8 } else { 16 });
    for piece in pieces {
        word(&mut out, piece.duration);
        word(&mut out, piece.size);
        word(&mut out, if piece.random_access { FLAGS_START } else { FLAGS_OTHER });
        out.extend_from_slice(&piece.cts_offset.to_be_bytes());
    }
    word(&mut out, narrow.unwrap_or(1));
    out.extend_from_slice(b"mdat");
    if narrow.is_none() {
        out.extend_from_slice(&(payload + 16).to_be_bytes());
    }
    out
}

/// Reads the first fragment in `bytes`, passing over boxes before it (an initialisation segment). Reads only what
/// [`fragment_header`] writes: one track, one run, every field present.
///
/// # Errors
/// When there is no whole `moof` with its `mdat` right behind it, its boxes are not as written here, or the samples'
/// sizes do not add up to the `mdat`.
pub fn parse_fragment(bytes: &[u8]) -> Result<Fragment, MediaError> {
    let mut walk = nodes(bytes);
    let moof = loop {
        let node = walk.next().ok_or(MediaError::malformed("fragment", "there is no moof box"))??;
        match &node.kind {
            b"moof" => break node,
            b"mdat" => return Err(MediaError::malformed("fragment", "an mdat box precedes its moof")),
            _ => {}
        }
    };
    let mdat = walk.next().ok_or(MediaError::truncated("fragment"))??;
    if mdat.kind != *b"mdat" {
        return Err(MediaError::malformed("fragment", "no mdat box follows the moof"));
    }
    let sequence = full("mfhd box", child(moof.body, b"mfhd", "mfhd box")?, 0, 0)?.u32()?;
    let traf = child(moof.body, b"traf", "traf box")?;
    let track = full("tfhd box", child(traf.body, b"tfhd", "tfhd box")?, 0, TFHD_FLAGS)?.u32()?;
    let base_dts = full("tfdt box", child(traf.body, b"tfdt", "tfdt box")?, 1, 0)?.u64()?;
    let mut trun = full("trun box", child(traf.body, b"trun", "trun box")?, 1, TRUN_FLAGS)?;
    let count = trun.u32()?;
    let offset = trun.u32()?;
    let pieces = pieces(trun.rest(), count)?;
    if usize::try_from(offset).ok().and_then(|o| o.checked_add(moof.start)) != Some(mdat.body_start) {
        return Err(MediaError::malformed("trun box", "its data offset is not where the mdat's data begins"));
    }
    if pieces.iter().map(|p| u64::from(p.size)).sum::<u64>() != mdat.body.len() as u64 {
        return Err(MediaError::malformed("trun box", "the samples' sizes do not add up to the mdat"));
    }
    Ok(Fragment { sequence, track, base_dts, pieces, data: mdat.body_range(), end: mdat.end() })
}

/// The fields behind version and flags, which must be these.
fn full<'a>(what: &'static str, node: Node<'a>, version: u32, flags: u32) -> Result<Fields<'a>, MediaError> {
    let mut f = Fields::new(what, node.body);
    if f.u32()? != (version << 24 | flags) {
        return Err(MediaError::malformed(what, "its version or flags are not those this program writes"));
    }
    Ok(f)
}

fn pieces(run: &[u8], count: u32) -> Result<Vec<Piece>, MediaError> {
    let (rows, rest) = run.as_chunks::<16>();
    if rows.len() as u64 != u64::from(count) || !rest.is_empty() {
        return Err(MediaError::malformed("trun box", "its length is not that of its samples"));
    }
    rows.iter()
        .map(|row| {
            let mut f = Fields::new("trun box", row);
            let (duration, size, flags) = (f.u32()?, f.u32()?, f.u32()?);
            let random_access = match flags {
                FLAGS_START => true,
                FLAGS_OTHER => false,
                _ => return Err(MediaError::malformed("trun box", "a sample's flags are not those this program writes")),
            };
            Ok(Piece { duration, size, cts_offset: i32::from_be_bytes(f.take()?), random_access })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fmp4::{Track, init_segment};
    use domain::Format;
    use proptest::prelude::*;

    pub(super) fn pieces(most: u32) -> impl Strategy<Value = Vec<Piece>> {
        let piece = (any::<u32>(), 0..most, any::<i32>(), any::<bool>());
        let piece = piece.prop_map(|(duration, size, cts_offset, random_access)| Piece { duration, size, cts_offset, random_access });
        proptest::collection::vec(piece, 0..40)
    }

    fn fragment(sequence: u32, track: u32, base: u64, pieces: &[Piece]) -> Vec<u8> {
        let mut bytes = fragment_header(sequence, track, base, pieces);
        bytes.extend((0..pieces.iter().map(|p| p.size).sum::<u32>()).map(|n| n as u8));
        bytes
    }

    proptest! {
        #[test]
        fn fragments_round_trip(sequence: u32, track: u32, base: u64, pieces in pieces(50), follows: Vec<u8>) {
            let format = Format::Observations(1);
            let mut bytes = init_segment(&[Track { id: 1, format: &format }])?;
            bytes.extend(fragment(sequence, track, base, &pieces));
            let end = bytes.len();
            bytes.extend(follows);
            let size: u32 = pieces.iter().map(|p| p.size).sum();
            let expected = Fragment { sequence, track, base_dts: base, pieces, data: end - size as usize..end, end };
            prop_assert_eq!(parse_fragment(&bytes)?, expected);
        }

        #[test]
        fn mutated_fragments_are_read_without_panic(pieces in pieces(20), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
            let mut bytes = fragment(1, 1, 0, &pieces);
            *at.get_mut(&mut bytes) = byte;
            for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
                if let Ok(read) = parse_fragment(bytes) {
                    prop_assert!(read.end <= bytes.len() && read.data.end <= read.end);
                    prop_assert_eq!(read.pieces.iter().map(|p| p.size as usize).sum::<usize>(), read.data.len());
                }
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(data: Vec<u8>) {
            let _ = parse_fragment(&data);
        }
    }

    #[test]
    fn a_cut_fragment_is_an_error_at_every_length() {
        let piece = Piece { duration: 3600, size: 9, cts_offset: -5, random_access: true };
        let bytes = fragment(1, 1, 0, &[piece, piece]);
        for length in 0..bytes.len() {
            assert!(parse_fragment(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn four_gibibytes_get_a_wide_mdat() {
        let piece = Piece { duration: 1, size: u32::MAX, cts_offset: 0, random_access: true };
        let header = fragment_header(1, 1, 0, &[piece, piece]);
        assert_eq!(header[header.len() - 16..header.len() - 8], [0, 0, 0, 1, b'm', b'd', b'a', b't']);
        assert_eq!(header[header.len() - 8..], (2 * u64::from(u32::MAX) + 16).to_be_bytes());
        assert_eq!(header[header.len() - 52..header.len() - 48], (header.len() as u32).to_be_bytes(), "data offset");
    }

    #[test]
    fn the_library_reads_what_is_written_by_hand() {
        use mp4_atom::{Decode, Moof};
        let pieces = [
            Piece { duration: 3600, size: 100, cts_offset: 7200, random_access: true },
            Piece { duration: 3601, size: 0, cts_offset: -1, random_access: false },
        ];
        let header = fragment_header(7, 2, 1 << 40, &pieces);
        let moof = Moof::decode(&mut &header[..]).unwrap();
        assert_eq!(moof.mfhd.sequence_number, 7);
        let traf = &moof.traf[0];
        assert_eq!((traf.tfhd.track_id, traf.tfdt.as_ref().unwrap().base_media_decode_time), (2, 1 << 40));
        let trun = &traf.trun[0];
        assert_eq!(trun.data_offset, Some(header.len() as i32));
        let read: Vec<_> = trun.samples.iter().map(|e| (e.duration, e.size, e.flags, e.cts)).collect();
        assert_eq!(read, [(Some(3600), Some(100), Some(FLAGS_START), Some(7200)), (Some(3601), Some(0), Some(FLAGS_OTHER), Some(-1))]);
    }
}
