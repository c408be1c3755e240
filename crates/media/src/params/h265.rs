//! The H.265 sequence parameter set (ITU-T H.265 §7.3.2.2, Annex E): size, frame rate, reordering.

use super::{Sps, frame_ticks};
use crate::{bits::BitReader, error::MediaError};

const WHAT: &str = "H.265 sequence parameter set";

/// Reads a whole NAL unit of type 33, both header bytes included.
pub(super) fn sps(unit: &[u8]) -> Result<Sps, MediaError> {
    let ([header, _], payload) = unit.split_first_chunk::<2>().ok_or(MediaError::truncated(WHAT))?;
    if header >> 1 & 0x3f != 33 {
        return Err(MediaError::malformed(WHAT, "the NAL unit is of another type"));
    }
    let mut r = BitReader::new(WHAT, payload);
    r.skip(4)?; // video parameter set id
    let sub_layers = r.bits(3)?; // minus 1
    if sub_layers > 6 {
        return Err(MediaError::malformed(WHAT, "it has more than 7 temporal sub-layers"));
    }
    r.flag()?;
    profile_tier_level(&mut r, sub_layers)?;
    r.ue_max(15)?;
    let chroma = r.ue_max(3)?;
    if chroma == 3 {
        r.flag()?;
    }
    let (whole_w, whole_h) = (r.ue_max(0xffff)?, r.ue_max(0xffff)?);
    let (mut cut_x, mut cut_y) = (0, 0);
    if r.flag()? {
        let (unit_x, unit_y) = match chroma {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        cut_x = (u64::from(r.ue()?) + u64::from(r.ue()?)) * unit_x;
        cut_y = (u64::from(r.ue()?) + u64::from(r.ue()?)) * unit_y;
    }
    let side = |whole: u32, cut: u64| {
        let left = u32::try_from(cut).ok().and_then(|cut| whole.checked_sub(cut));
        left.ok_or(MediaError::malformed(WHAT, "the conformance window is larger than the picture"))
    };
    let (width, height) = (side(whole_w, cut_x)?, side(whole_h, cut_y)?);
    r.ue_max(8)?;
    r.ue_max(8)?; // bit depths
    let order_bits = r.ue_max(12)? + 4;
    let from = if r.flag()? { 0 } else { sub_layers };
    let mut reorder = 0;
    for _ in from..=sub_layers {
        r.ue()?;
        reorder = r.ue_max(16)?; // the last one is the highest sub-layer's
        r.ue()?;
    }
    let mut frame_duration = None;
    let _ = to_timing(&mut r, order_bits, &mut frame_duration);
    Ok(Sps { width, height, frame_duration, reorder: Some(reorder as u8) })
}

fn profile_tier_level(r: &mut BitReader<'_>, sub_layers: u32) -> Result<(), MediaError> {
    r.skip(2 + 1 + 5 + 32 + 48 + 8)?;
    let mut present = Vec::with_capacity(8);
    for _ in 0..sub_layers {
        present.push((r.flag()?, r.flag()?));
    }
    if sub_layers > 0 {
        r.skip(2 * (8 - sub_layers))?;
    }
    for (profile, level) in present {
        r.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
    }
    Ok(())
}

/// Everything between the reordering and `vui_timing_info`. An error only means that the frame rate is not known.
fn to_timing(r: &mut BitReader<'_>, order_bits: u32, frame_duration: &mut Option<u32>) -> Result<(), MediaError> {
    for _ in 0..6 {
        r.ue()?; // block sizes and transform depths
    }
    if r.flag()? && r.flag()? {
        scaling_lists(r)?;
    }
    r.skip(2)?; // amp, sao
    if r.flag()? {
        r.skip(8)?;
        r.ue()?;
        r.ue()?;
        r.flag()?;
    }
    short_term_sets(r)?;
    if r.flag()? {
        for _ in 0..r.ue_max(32)? {
            r.skip(order_bits + 1)?;
        }
    }
    r.skip(2)?; // temporal mvp, strong intra smoothing
    if !r.flag()? {
        return Ok(());
    }
    if r.flag()? && r.u8()? == 255 {
        r.skip(32)?;
    }
    if r.flag()? {
        r.flag()?;
    }
    if r.flag()? {
        r.skip(4)?;
        if r.flag()? {
            r.skip(24)?;
        }
    }
    if r.flag()? {
        r.ue()?;
        r.ue()?;
    }
    r.skip(3)?; // neutral chroma, field_seq, frame_field_info
    if r.flag()? {
        for _ in 0..4 {
            r.ue()?;
        }
    }
    if r.flag()? {
        let (units, scale) = (r.bits(32)?, r.bits(32)?);
        *frame_duration = frame_ticks(u64::from(units), scale);
    }
    Ok(())
}

fn scaling_lists(r: &mut BitReader<'_>) -> Result<(), MediaError> {
    for size in 0..4u32 {
        for _ in (0..6).step_by(if size == 3 { 3 } else { 1 }) {
            if !r.flag()? {
                r.ue()?;
                continue;
            }
            if size > 1 {
                r.se()?;
            }
            for _ in 0..64.min(1 << (4 + (size << 1))) {
                r.se()?;
            }
        }
    }
    Ok(())
}

/// `st_ref_pic_set` (§7.3.7) for each set: only how many pictures each one names matters, to read the next.
fn short_term_sets(r: &mut BitReader<'_>) -> Result<(), MediaError> {
    let mut named = 0u32;
    for set in 0..r.ue_max(64)? {
        if set > 0 && r.flag()? {
            r.flag()?;
            r.ue()?;
            let mut kept = 0;
            for _ in 0..=named {
                let used = r.flag()?;
                if used || r.flag()? {
                    kept += 1;
                }
            }
            named = kept;
        } else {
            named = r.ue_max(16)? + r.ue_max(16)?;
            for _ in 0..named {
                r.ue()?;
                r.flag()?;
            }
        }
        if named > 16 {
            return Err(MediaError::malformed(WHAT, "a reference picture set names more than 16 pictures"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::*;

    /// Up to the reordering, for a number of sub-layers (minus 1), whose reorderings follow when `each`.
    fn head(sub_layers: u32, crop: Option<[u32; 4]>, each: bool, reorder: &[u32]) -> BitWriter {
        let mut w = BitWriter::default();
        w.bits(16, 0x4201).bits(4, 0).bits(3, sub_layers).bits(1, 1);
        w.bits(8, 1).bits(32, 0x6000_0000).bits(32, 0x9000_0000).bits(16, 0).bits(8, 93);
        for _ in 0..sub_layers {
            w.bits(2, 0b11);
        }
        if sub_layers > 0 {
            w.bits(2 * (8 - sub_layers), 0);
        }
        for _ in 0..sub_layers {
            w.bits(32, 0x5a5a_5a5a).bits(32, 0x5a5a_5a5a).bits(32, 0x5a5a_5a5a);
        }
        w.ue(0).ue(1).ue(1920).ue(1088);
        match crop {
            Some(sides) => sides.iter().fold(w.bits(1, 1), |w, side| w.ue(*side)),
            None => w.bits(1, 0),
        };
        w.ue(0).ue(0).ue(4).bits(1, u32::from(each));
        for r in reorder {
            w.ue(5).ue(*r).ue(0);
        }
        w
    }

    /// From block sizes to the end, with everything optional present that comes before the timing.
    fn tail(w: &mut BitWriter) -> &mut BitWriter {
        w.ue(0).ue(3).ue(0).ue(3).ue(0).ue(0);
        w.bits(1, 1).bits(1, 1); // scaling lists: predicted, but one of each size coded
        for (count, coefficients) in [(6, 16), (6, 64), (6, 1 + 64), (2, 1 + 64)] {
            w.bits(1, 1); // the larger two begin with a DC value
            for _ in 0..coefficients {
                w.ue(0);
            }
            for _ in 1..count {
                w.bits(1, 0).ue(0);
            }
        }
        w.bits(2, 0b11).bits(1, 1).bits(8, 0x77).ue(0).ue(0).bits(1, 0); // amp, sao, pcm
        // three reference picture sets: 2 + 1 pictures; predicted keeping 2 of 4; plain with 1
        w.ue(3).ue(2).ue(1).ue(0).bits(1, 1).ue(1).bits(1, 1).ue(0).bits(1, 1);
        w.bits(1, 1).bits(1, 0).ue(0).bits(1, 1).bits(2, 0b01).bits(2, 0b00).bits(2, 0b00);
        w.bits(1, 0).ue(1).ue(0).ue(0).bits(1, 1);
        w.bits(1, 1).ue(1).bits(8, 3).bits(1, 1); // one long-term picture: 8 bits of order, one flag
        w.bits(2, 0b11).bits(1, 1);
        w.bits(1, 1).bits(8, 1).bits(1, 1).bits(1, 1).bits(1, 1).bits(4, 10).bits(1, 1).bits(24, 0x01_0101).bits(1, 1).ue(0).ue(0);
        w.bits(3, 0).bits(1, 1).ue(0).ue(0).ue(0).ue(1);
        w.bits(1, 1).bits(32, 1001).bits(32, 15_000).bits(1, 0)
    }

    #[test]
    fn size_reordering_and_timing() {
        let mut w = head(0, Some([0, 0, 0, 4]), true, &[2]);
        tail(&mut w);
        let expected = Sps { width: 1920, height: 1080, frame_duration: Some(6006), reorder: Some(2) };
        assert_eq!(sps(&w.unit(2)), Ok(expected));
    }

    #[test]
    fn the_highest_sub_layer_counts() {
        let mut w = head(2, None, true, &[0, 1, 3]);
        tail(&mut w);
        assert_eq!(sps(&w.unit(2)).map(|s| (s.height, s.reorder, s.frame_duration)), Ok((1088, Some(3), Some(6006))));
        let w = head(2, None, false, &[4]);
        assert_eq!(sps(&w.unit(2)).map(|s| (s.reorder, s.frame_duration)), Ok((Some(4), None)));
    }

    #[test]
    fn a_window_larger_than_the_picture_is_refused() {
        let w = head(0, Some([961, 0, 0, 0]), true, &[0]);
        assert!(matches!(sps(&w.unit(2)), Err(MediaError::Malformed { .. })));
    }

    #[test]
    fn every_cut_is_an_error_or_loses_only_the_timing() {
        let mut w = head(1, None, true, &[1, 2]);
        tail(&mut w);
        let whole = w.unit(2);
        for length in 0..whole.len() {
            if let Ok(s) = sps(whole.get(..length).unwrap()) {
                assert_eq!((s.width, s.height, s.reorder), (1920, 1088, Some(2)));
            }
        }
    }
}
