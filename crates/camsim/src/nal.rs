//! Looking at an encoder's byte stream: NAL units, their kind, random access.
//!
//! Only what the fan-out needs to stamp and to describe an access unit; no parsing of
//! parameter sets and no I/O.

use std::ops::Range;

use crate::spec::Codec;

/// What a NAL unit is to the fan-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// VPS, SPS or PPS.
    Parameters,
    /// Access unit delimiter.
    Delimiter,
    /// Part of the coded picture.
    Slice,
    /// SEI, filler and the rest.
    Other,
}

/// The NAL units of an Annex-B byte stream, as ranges without start codes and without trailing zero bytes.
pub(crate) fn split(data: &[u8]) -> Vec<Range<usize>> {
    let mut units = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    while let Some(found) = data.get(at..).and_then(|rest| rest.windows(3).position(|w| w == [0, 0, 1])) {
        let code = at + found;
        if let Some(start) = open {
            push(data, start..code, &mut units);
        }
        at = code + 3;
        open = Some(at);
    }
    if let Some(start) = open {
        push(data, start..data.len(), &mut units);
    }
    units
}

fn push(data: &[u8], range: Range<usize>, units: &mut Vec<Range<usize>>) {
    let length = data[range.clone()].iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    if length > 0 {
        units.push(range.start..range.start + length);
    }
}

/// `nal_unit_type`.
pub(crate) fn unit_type(codec: Codec, nal: &[u8]) -> Option<u8> {
    let first = *nal.first()?;
    Some(match codec {
        Codec::H264 => first & 0x1f,
        Codec::H265 => (first >> 1) & 0x3f,
    })
}

/// The kind of one NAL unit.
pub(crate) fn kind(codec: Codec, nal: &[u8]) -> Kind {
    match (codec, unit_type(codec, nal)) {
        (Codec::H264, Some(7 | 8)) | (Codec::H265, Some(32..=34)) => Kind::Parameters,
        (Codec::H264, Some(9)) | (Codec::H265, Some(35)) => Kind::Delimiter,
        (Codec::H264, Some(1..=5)) | (Codec::H265, Some(0..=31)) => Kind::Slice,
        _ => Kind::Other,
    }
}

/// Whether decoding may begin at the access unit this NAL unit belongs to: an IDR, CRA or BLA slice,
/// or (H.264 open GOP) a recovery-point SEI with `recovery_frame_cnt` 0.
pub(crate) fn opens_decoding(codec: Codec, nal: &[u8]) -> bool {
    match (codec, unit_type(codec, nal)) {
        (Codec::H264, Some(5)) | (Codec::H265, Some(16..=21)) => true,
        // payload type 6, any size, then ue(v) 0 is a leading one bit
        (Codec::H264, Some(6)) => nal.get(1) == Some(&6) && nal.get(3).is_some_and(|b| b & 0x80 != 0),
        _ => false,
    }
}

/// Filler data (H.264 §7.3.2.7, H.265 §7.3.2.8): a NAL unit that means nothing and is about this long.
pub(crate) fn filler(codec: Codec, bytes: usize) -> Vec<u8> {
    let mut nal = match codec {
        Codec::H264 => vec![12],
        Codec::H265 => vec![38 << 1, 1],
    };
    nal.resize(nal.len() + bytes, 0xff);
    nal.push(0x80);
    nal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_three_and_four_byte_start_codes_and_drops_trailing_zeros() {
        let data = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 9];
        let units: Vec<&[u8]> = split(&data).into_iter().map(|r| &data[r]).collect();
        assert_eq!(units, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 9]]);
        assert!(split(&[1, 2, 3]).is_empty());
        assert!(split(&[0, 0, 1]).is_empty());
        assert!(split(&[]).is_empty());
    }

    #[test]
    fn knows_kinds_and_random_access_of_both_codecs() {
        assert_eq!(kind(Codec::H264, &[0x67]), Kind::Parameters);
        assert_eq!(kind(Codec::H264, &[0x09]), Kind::Delimiter);
        assert_eq!(kind(Codec::H264, &[0x41]), Kind::Slice);
        assert_eq!(kind(Codec::H264, &[0x06]), Kind::Other);
        assert_eq!(kind(Codec::H264, &filler(Codec::H264, 5)), Kind::Other);
        assert_eq!(kind(Codec::H265, &filler(Codec::H265, 5)), Kind::Other);
        assert_eq!(kind(Codec::H265, &[32 << 1, 1]), Kind::Parameters);
        assert_eq!(kind(Codec::H265, &[39 << 1, 1]), Kind::Other);
        assert_eq!(kind(Codec::H265, &[21 << 1, 1]), Kind::Slice);
        assert!(opens_decoding(Codec::H264, &[0x65]));
        assert!(!opens_decoding(Codec::H264, &[0x41]));
        assert!(opens_decoding(Codec::H264, &[0x06, 6, 1, 0xc4, 0x80]));
        assert!(!opens_decoding(Codec::H264, &[0x06, 6, 1, 0x44, 0x80]));
        assert!(opens_decoding(Codec::H265, &[21 << 1, 1]));
        assert!(!opens_decoding(Codec::H265, &[1 << 1, 1]));
    }
}
