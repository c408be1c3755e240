//! What one access unit is: where decoding may start, and which pictures a joiner must leave out.
//! Looks only at NAL unit headers, slice types and one SEI message; never at the rest.

use crate::{bits::BitReader, error::MediaError, nal};
use domain::VideoCodec;

/// What was found in an access unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// Whether decoding may start here.
    pub start: Start,
    /// Whether it is a leading picture of the random access point before it.
    pub leading: Leading,
    /// Slices of the picture, at least 1.
    pub slices: u32,
}

/// Whether decoding may start at an access unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// No.
    None,
    /// At an IDR picture: everything after it refers to nothing before it.
    Idr,
    /// At a picture that later pictures, shown before it, may look past: H.265 CRA and BLA; H.264 an all-intra picture
    /// with a recovery point SEI message of `recovery_frame_cnt` 0.
    OpenGop,
}

/// Whether an access unit is decoded after a random access point and shown before it, as far as the NAL units tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leading {
    /// No, or the codec does not say (H.264: compare presentation times).
    No,
    /// H.265 RADL: refers only to the random access point and other RADL pictures.
    Decodable,
    /// H.265 RASL: refers to pictures before the random access point.
    Skipped,
}

impl AccessUnit {
    /// Whether decoding may start here, one way or the other.
    #[must_use]
    pub fn random_access(&self) -> bool {
        self.start != Start::None
    }
}

/// Inspects one access unit of length-prefixed NAL units.
///
/// NAL units of length 0, too short for their header, of reserved or unspecified types, of other layers, and SEI messages that
/// cannot be read are passed over, as decoders do. A picture whose slices disagree (one IDR, one not) is no start.
///
/// # Errors
/// When a length does not fit the data, or no slice is found.
pub fn inspect(codec: VideoCodec, data: &[u8]) -> Result<AccessUnit, MediaError> {
    match codec {
        VideoCodec::H264 => h264(data),
        VideoCodec::H265 => h265(data),
    }
}

fn h264(data: &[u8]) -> Result<AccessUnit, MediaError> {
    let (mut slices, mut idr, mut intra, mut recovers) = (0u32, true, true, false);
    for unit in nal::units(data) {
        let Some((header, payload)) = unit?.split_first() else { continue };
        match header & 0x1f {
            5 => slices = slices.saturating_add(1),
            1 | 2 => {
                slices = slices.saturating_add(1);
                idr = false;
                intra &= is_intra_slice(payload);
            }
            6 => recovers |= recovers_at_once(payload).unwrap_or(false),
            _ => {}
        }
    }
    if slices == 0 {
        return Err(MediaError::NoSlice);
    }
    let start = if idr {
        Start::Idr
    } else if intra && recovers {
        Start::OpenGop
    } else {
        Start::None
    };
    Ok(AccessUnit { start, leading: Leading::No, slices })
}

/// `slice_header` (H.264 §7.3.3) as far as `slice_type`: I and SI, alone (2, 4) or for the whole picture (7, 9).
fn is_intra_slice(payload: &[u8]) -> bool {
    let mut r = BitReader::new("slice header", payload);
    r.ue().and_then(|_first_mb| r.ue()).is_ok_and(|kind| matches!(kind, 2 | 4 | 7 | 9))
}

/// Whether an SEI NAL unit (§7.3.2.3) holds a recovery point (§D.1.8) with `recovery_frame_cnt` 0.
fn recovers_at_once(payload: &[u8]) -> Result<bool, MediaError> {
    let mut r = BitReader::new("SEI message", payload);
    loop {
        // The end shows itself as bytes that run out: payload type 0x80 is the trailing bits of the NAL unit.
        let kind = sei_number(&mut r)?;
        let size = sei_number(&mut r)?;
        if kind == 6 {
            return Ok(r.ue()? == 0);
        }
        for _ in 0..size {
            r.u8()?;
        }
    }
}

fn sei_number(r: &mut BitReader<'_>) -> Result<u32, MediaError> {
    let mut sum = 0u32;
    loop {
        let byte = r.u8()?;
        sum = sum.saturating_add(u32::from(byte));
        if byte != 0xff {
            return Ok(sum);
        }
    }
}

fn h265(data: &[u8]) -> Result<AccessUnit, MediaError> {
    let mut slices = 0u32;
    let mut picture = None;
    for unit in nal::units(data) {
        let Some([header, layer_low, ..]) = unit?.get(..2) else { continue };
        let layer = (header & 1) << 5 | layer_low >> 3;
        let found = match header >> 1 & 0x3f {
            // 10 to 15 and 22 to 31 are reserved; decoders ignore them (Table 7-1).
            19 | 20 => (Start::Idr, Leading::No),
            16..=18 | 21 => (Start::OpenGop, Leading::No),
            6 | 7 => (Start::None, Leading::Decodable),
            8 | 9 => (Start::None, Leading::Skipped),
            0..=5 => (Start::None, Leading::No),
            _ => continue,
        };
        if layer != 0 {
            continue;
        }
        slices = slices.saturating_add(1);
        picture = match picture {
            None => Some(found),
            Some(before) if before == found => Some(found),
            Some((_, leading)) => Some((Start::None, leading)),
        };
    }
    let (start, leading) = picture.ok_or(MediaError::NoSlice)?;
    Ok(AccessUnit { start, leading, slices })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn au(units: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        units.iter().for_each(|u| nal::push(&mut out, u).unwrap());
        out
    }

    /// SEI: an unregistered message with an escape in it, then a recovery point of `count`; ue 0 is 1, ue 1 is 010.
    fn sei(count: u8) -> Vec<u8> {
        let point = if count == 0 { 0b1100_0000 } else { 0b0101_0000 };
        [&[6, 5, 6, 1, 0, 0, 3, 0, 2, 3][..], &[6, 1, point, 0x80]].concat()
    }

    // first_mb 0 (1), then slice_type: 7 = 0001000, 2 = 011, 0 = 1, 5 = 00110
    const I_ALL: &[u8] = &[0x41, 0b1000_1000, 0x80];
    const I_ONE: &[u8] = &[0x41, 0b1011_1000, 0x80];
    const P: &[u8] = &[0x41, 0b1100_0000, 0x80];
    const IDR: &[u8] = &[0x65, 0b1000_1000, 0x80];

    fn h264(units: &[&[u8]]) -> Result<(Start, u32), MediaError> {
        inspect(VideoCodec::H264, &au(units)).map(|a| (a.start, a.slices))
    }

    #[test]
    fn h264_starts() {
        assert_eq!(h264(&[&[9, 0xf0], IDR, IDR]), Ok((Start::Idr, 2)));
        assert_eq!(h264(&[&sei(0), I_ALL, I_ONE]), Ok((Start::OpenGop, 2)));
        assert_eq!(h264(&[&sei(1), I_ALL]), Ok((Start::None, 1)), "gradual refresh has no picture to start at");
        assert_eq!(h264(&[I_ALL]), Ok((Start::None, 1)), "an I picture may be followed by references past it");
        assert_eq!(h264(&[&sei(0), I_ALL, P]), Ok((Start::None, 2)));
        assert_eq!(h264(&[IDR, P]), Ok((Start::None, 2)), "slices that disagree");
        assert_eq!(h264(&[P, &[0x41]]), Ok((Start::None, 2)));
    }

    #[test]
    fn units_without_use_are_passed_over_and_broken_lengths_refused() {
        assert_eq!(h264(&[&[], &[6, 6], &[6, 0xff, 0xff], IDR, &[]]), Ok((Start::Idr, 1)));
        assert_eq!(h264(&[]), Err(MediaError::NoSlice));
        assert_eq!(h264(&[&[], &[0x67, 1], &sei(0)]), Err(MediaError::NoSlice));
        let mut cut = au(&[IDR, P]);
        cut.pop();
        assert_eq!(inspect(VideoCodec::H264, &cut), Err(MediaError::Truncated { what: "access unit" }));
    }

    fn h265(kinds: &[u8]) -> Result<(Start, Leading, u32), MediaError> {
        let units: Vec<[u8; 3]> = kinds.iter().map(|k| [k << 1, 1, 0x80]).collect();
        let units: Vec<&[u8]> = units.iter().map(|u| &u[..]).collect();
        inspect(VideoCodec::H265, &au(&units)).map(|a| (a.start, a.leading, a.slices))
    }

    #[test]
    fn h265_starts_and_leading_pictures() {
        for idr in [19, 20] {
            assert_eq!(h265(&[35, 39, idr, idr]), Ok((Start::Idr, Leading::No, 2)));
        }
        for irap in [16, 17, 18, 21] {
            assert_eq!(h265(&[irap]), Ok((Start::OpenGop, Leading::No, 1)));
        }
        assert_eq!(h265(&[8]), Ok((Start::None, Leading::Skipped, 1)));
        assert_eq!(h265(&[9]), Ok((Start::None, Leading::Skipped, 1)));
        assert_eq!(h265(&[7, 7]), Ok((Start::None, Leading::Decodable, 2)));
        assert_eq!(h265(&[1]), Ok((Start::None, Leading::No, 1)));
        assert_eq!(h265(&[19, 1]), Ok((Start::None, Leading::No, 2)));
        assert_eq!(h265(&[32, 33, 34, 22, 24, 48]), Err(MediaError::NoSlice));
        assert_eq!(inspect(VideoCodec::H265, &au(&[&[0x26, 0x09, 0x80]])), Err(MediaError::NoSlice), "another layer");
        assert_eq!(inspect(VideoCodec::H265, &au(&[&[0x26]])), Err(MediaError::NoSlice));
    }

    proptest! {
        #[test]
        fn any_bytes_are_inspected_without_panic(data: Vec<u8>, units in proptest::collection::vec(any::<Vec<u8>>(), 0..6)) {
            let units: Vec<&[u8]> = units.iter().map(|u| &u[..]).collect();
            for bytes in [&data, &au(&units)] {
                let _ = inspect(VideoCodec::H264, bytes);
                let _ = inspect(VideoCodec::H265, bytes);
            }
        }

        #[test]
        fn any_sei_is_read_without_panic(payload in proptest::collection::vec(prop_oneof![Just(0xffu8), Just(6), Just(0), any::<u8>()], 0..64)) {
            let sei = [&[6][..], &payload].concat();
            prop_assert!(inspect(VideoCodec::H264, &au(&[&sei, IDR])).is_ok());
        }
    }
}
