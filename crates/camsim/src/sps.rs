//! Taking the VUI out of an H.264 SPS (ITU-T H.264 §7.3.2.1.1), as cheap cameras leave it out: then nothing tells how
//! deep pictures are reordered.
//!
//! Bits only, and only of the profiles our encoder writes; an SPS of another profile is left as it is.

use crate::{nal, spec::Codec, stamp};

/// The access unit with every SPS in it stripped of its VUI.
pub(crate) fn without_vui(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    for range in nal::split(data) {
        let unit = &data[range];
        out.extend_from_slice(&[0, 0, 0, 1]);
        match (nal::unit_type(Codec::H264, unit), strip(unit)) {
            (Some(7), Some(stripped)) => out.extend_from_slice(&stripped),
            _ => out.extend_from_slice(unit),
        }
    }
    out
}

/// One SPS without its VUI; `None` when it cannot be read or is of a profile with chroma formats.
fn strip(sps: &[u8]) -> Option<Vec<u8>> {
    let (header, escaped) = sps.split_first()?;
    let payload = unescape(escaped);
    let mut r = Reader { data: &payload, at: 24 }; // profile, constraints, level
    if !matches!(payload.first()?, 66 | 77 | 88) {
        return None;
    }
    r.ue()?; // seq_parameter_set_id
    r.ue()?; // log2_max_frame_num_minus4
    match r.ue()? {
        0 => r.skip_ue(1)?,
        1 => {
            r.bits(1)?;
            r.skip_ue(2)?; // signed ones are as long
            let count = r.ue()?;
            r.skip_ue(count)?;
        }
        _ => {}
    }
    r.ue()?; // max_num_ref_frames
    r.bits(1)?;
    r.skip_ue(2)?; // width, height
    if r.bits(1)? == 0 {
        r.bits(1)?;
    }
    r.bits(1)?;
    if r.bits(1)? == 1 {
        r.skip_ue(4)?; // cropping
    }
    // Here stands vui_parameters_present_flag: 0 instead, and the end.
    let whole = r.at;
    let mut bits: Vec<u8> = (0..whole).filter_map(|i| r.bit(i)).collect();
    bits.extend([0, 1]);
    bits.resize(bits.len().next_multiple_of(8), 0);
    let bytes: Vec<u8> = bits.chunks(8).map(|c| c.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
    let mut out = vec![*header];
    stamp::escape(&bytes, &mut out);
    Some(out)
}

fn unescape(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut zeros = 0;
    for &byte in data {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

struct Reader<'a> {
    data: &'a [u8],
    /// In bits.
    at: usize,
}

impl Reader<'_> {
    fn bit(&self, at: usize) -> Option<u8> {
        self.data.get(at / 8).map(|byte| byte >> (7 - at % 8) & 1)
    }

    fn bits(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| {
            let bit = self.bit(self.at)?;
            self.at += 1;
            Some(value << 1 | u32::from(bit))
        })
    }

    /// Exp-Golomb.
    fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bits(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.bits(zeros)?)
    }

    fn skip_ue(&mut self, count: u32) -> Option<()> {
        (0..count).try_for_each(|_| self.ue().map(drop))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may fall")]
    use super::*;

    /// Main profile, 320×180 (cropped), with a VUI that says: reordered by 1.
    const SPS: [u8; 27] = [
        0x67, 0x4d, 0x40, 0x0d, 0xec, 0xa0, 0xa0, 0xcf, 0xcf, 0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x01, 0xe0, 0x78,
        0xa1, 0x4c, 0xb0, 0x40, 0x00,
    ];

    #[test]
    fn what_comes_before_the_vui_stays() {
        let stripped = strip(&SPS).unwrap();
        assert!(stripped.len() < 14, "{stripped:02x?}");
        assert_eq!(stripped[..8], SPS[..8]);
        assert_eq!(strip(&stripped).unwrap(), stripped, "a second time nothing is left to take");
    }

    #[test]
    fn other_nal_units_and_other_profiles_stay_as_they_are() {
        let high = [0x67, 100, 0, 13, 0xff];
        let data = [&[0, 0, 0, 1][..], &high, &[0, 0, 0, 1, 0x68, 9], &[0, 0, 0, 1, 0x65, 7]].concat();
        assert_eq!(without_vui(&data), data);
        assert_eq!(strip(&[0x67, 77]), None);
        assert_eq!(strip(&[]), None);
    }

    #[test]
    fn nothing_makes_it_fall() {
        for length in 0..SPS.len() {
            let _ = strip(&SPS[..length]);
            let mut changed = SPS;
            changed[length] ^= 0xff;
            let _ = strip(&changed);
        }
        let _ = strip(&[&[0x67, 77, 0, 0][..], &[0; 40]].concat());
    }
}
