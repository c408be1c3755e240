//! The H.264 sequence parameter set (ITU-T H.264 §7.3.2.1.1, Annex E): size, frame rate, reordering.

use super::{Sps, frame_ticks};
use crate::{bits::BitReader, error::MediaError};

const WHAT: &str = "H.264 sequence parameter set";

/// Reads a whole NAL unit of type 7, header byte included.
pub(super) fn sps(unit: &[u8]) -> Result<Sps, MediaError> {
    let (header, payload) = unit.split_first().ok_or(MediaError::truncated(WHAT))?;
    if header & 0x1f != 7 {
        return Err(MediaError::malformed(WHAT, "the NAL unit is of another type"));
    }
    let mut r = BitReader::new(WHAT, payload);
    let profile = r.u8()?;
    r.skip(16)?; // constraint flags, level
    r.ue_max(31)?;
    let chroma = if has_chroma_fields(profile) { chroma_fields(&mut r)? } else { 1 };
    r.ue_max(12)?; // log2_max_frame_num_minus4
    let order = r.ue_max(2)?;
    match order {
        0 => drop(r.ue_max(12)?),
        1 => {
            r.flag()?;
            r.se()?;
            r.se()?;
            for _ in 0..r.ue_max(255)? {
                r.se()?;
            }
        }
        _ => {}
    }
    r.ue_max(16)?; // max_num_ref_frames
    r.flag()?;
    let mbs_wide = r.ue_max(0xffff)? + 1;
    let units_high = r.ue_max(0xffff)? + 1;
    let frame_mbs_only = r.flag()?;
    if !frame_mbs_only {
        r.flag()?;
    }
    r.flag()?;
    let fields = if frame_mbs_only { 1 } else { 2 };
    let (mut cut_x, mut cut_y) = (0, 0);
    if r.flag()? {
        let (unit_x, unit_y) = crop_units(chroma);
        cut_x = (u64::from(r.ue()?) + u64::from(r.ue()?)) * unit_x;
        cut_y = (u64::from(r.ue()?) + u64::from(r.ue()?)) * unit_y * fields;
    }
    let side = |whole: u64, cut: u64| {
        let left = whole.checked_sub(cut).and_then(|v| u32::try_from(v).ok());
        left.ok_or(MediaError::malformed(WHAT, "the cropping is larger than the picture"))
    };
    let width = side(u64::from(mbs_wide) * 16, cut_x)?;
    let height = side(u64::from(units_high) * 16 * fields, cut_y)?;
    let vui = if r.flag()? { vui(&mut r) } else { Vui::default() };
    // Baseline has no B slices (§A.2.1), and with pic_order_cnt_type 2 output order is decoding order (§8.2.1.3).
    let never_reorders = profile == 66 || order == 2;
    Ok(Sps { width, height, frame_duration: vui.frame_duration, reorder: vui.reorder.or(never_reorders.then_some(0)) })
}

/// SubWidthC and SubHeightC of Table 6-1; 1 where there is no chroma or it has a plane's full size.
fn crop_units(chroma: u32) -> (u64, u64) {
    match chroma {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    }
}

fn has_chroma_fields(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

fn chroma_fields(r: &mut BitReader<'_>) -> Result<u32, MediaError> {
    let format = r.ue_max(3)?;
    if format == 3 {
        r.flag()?; // separate_colour_plane
    }
    r.ue_max(6)?;
    r.ue_max(6)?;
    r.flag()?;
    if r.flag()? {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if r.flag()? {
                scaling_list(r, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok(format)
}

fn scaling_list(r: &mut BitReader<'_>, size: u32) -> Result<(), MediaError> {
    let (mut last, mut next) = (8i64, 8i64);
    for _ in 0..size {
        if next != 0 {
            next = (last + r.se()?).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Ok(())
}

#[derive(Default)]
struct Vui {
    frame_duration: Option<u32>,
    reorder: Option<u8>,
}

/// What could be read before the first thing that could not.
fn vui(r: &mut BitReader<'_>) -> Vui {
    let mut vui = Vui::default();
    let _ = vui_fields(r, &mut vui);
    vui
}

fn vui_fields(r: &mut BitReader<'_>, vui: &mut Vui) -> Result<(), MediaError> {
    if r.flag()? && r.u8()? == 255 {
        r.skip(32)?; // sar_width, sar_height
    }
    if r.flag()? {
        r.flag()?; // overscan_appropriate
    }
    if r.flag()? {
        r.skip(4)?; // video_format, video_full_range
        if r.flag()? {
            r.skip(24)?;
        }
    }
    if r.flag()? {
        r.ue()?;
        r.ue()?;
    }
    if r.flag()? {
        let (units, scale) = (r.bits(32)?, r.bits(32)?);
        r.flag()?;
        // A tick is a field's time: two make a frame (§E.2.1).
        vui.frame_duration = frame_ticks(u64::from(units) * 2, scale);
    }
    let nal_hrd = r.flag()?;
    if nal_hrd {
        hrd(r)?;
    }
    let vcl_hrd = r.flag()?;
    if vcl_hrd {
        hrd(r)?;
    }
    if nal_hrd || vcl_hrd {
        r.flag()?;
    }
    r.flag()?; // pic_struct_present
    if r.flag()? {
        r.flag()?;
        for _ in 0..4 {
            r.ue()?;
        }
        vui.reorder = Some(r.ue_max(16)? as u8);
    }
    Ok(())
}

fn hrd(r: &mut BitReader<'_>) -> Result<(), MediaError> {
    let count = r.ue_max(31)? + 1;
    r.skip(8)?;
    for _ in 0..count {
        r.ue()?;
        r.ue()?;
        r.flag()?;
    }
    r.skip(20)
}

#[cfg(test)]
mod tests {
    use super::super::bit_writer::BitWriter;
    use super::*;

    /// Up to the VUI flag: 4:2:0, 8 bits, one reference frame.
    fn head(profile: u32, order: u32, size: (u32, u32), crop: Option<[u32; 4]>) -> BitWriter {
        let mut w = BitWriter::default();
        w.bits(8, 0x67).bits(8, profile).bits(8, 0).bits(8, 30).ue(0);
        if profile == 100 {
            w.ue(1).ue(0).ue(0).bits(1, 0).bits(1, 0);
        }
        w.ue(0).ue(order);
        match order {
            0 => w.ue(2),
            1 => w.bits(1, 0).ue(3).ue(4).ue(2).ue(1).ue(2),
            _ => &mut w,
        };
        w.ue(1).bits(1, 0).ue(size.0 - 1).ue(size.1 - 1).bits(1, 1).bits(1, 1);
        match crop {
            Some(sides) => sides.iter().fold(w.bits(1, 1), |w, side| w.ue(*side)),
            None => w.bits(1, 0),
        };
        w
    }

    fn facts(w: &BitWriter) -> Result<Sps, MediaError> {
        sps(&w.unit(1))
    }

    #[test]
    fn size_is_after_cropping() {
        let mut w = head(100, 0, (120, 68), Some([0, 0, 0, 4]));
        let expected = Sps { width: 1920, height: 1080, frame_duration: None, reorder: None };
        assert_eq!(facts(w.bits(1, 0)), Ok(expected));
        let mut w = head(77, 1, (40, 23), Some([1, 2, 0, 4]));
        assert_eq!(facts(w.bits(1, 0)), Ok(Sps { width: 634, height: 360, ..expected }));
    }

    #[test]
    fn cropping_more_than_there_is_is_refused() {
        let mut w = head(100, 0, (2, 2), Some([0, 17, 0, 0]));
        assert!(matches!(facts(w.bits(1, 0)), Err(MediaError::Malformed { .. })));
        let mut w = head(100, 0, (2, 2), Some([u32::MAX - 1, u32::MAX - 1, 0, 0]));
        assert!(facts(w.bits(1, 0)).is_err());
    }

    #[test]
    fn streams_that_cannot_reorder_say_so() {
        assert_eq!(facts(head(66, 0, (2, 2), None).bits(1, 0)).map(|s| s.reorder), Ok(Some(0)));
        assert_eq!(facts(head(77, 2, (2, 2), None).bits(1, 0)).map(|s| s.reorder), Ok(Some(0)));
        assert_eq!(facts(head(77, 0, (2, 2), None).bits(1, 0)).map(|s| s.reorder), Ok(None));
    }

    fn with_vui(reorder: u32) -> BitWriter {
        let mut w = head(100, 0, (40, 30), None);
        // aspect ratio by numbers, overscan, colours, chroma location
        w.bits(1, 1).bits(1, 1).bits(8, 255).bits(16, 4).bits(16, 3).bits(1, 1).bits(1, 0);
        w.bits(1, 1).bits(4, 10).bits(1, 1).bits(24, 0x01_0101).bits(1, 1).ue(0).ue(0);
        // timing 25/s with zeros that need emulation prevention
        w.bits(1, 1).bits(32, 1).bits(32, 50).bits(1, 1);
        // one NAL HRD with two entries, no VCL HRD
        w.bits(1, 1).ue(1).bits(8, 0).ue(9).ue(9).bits(1, 0).ue(9).ue(9).bits(1, 0).bits(20, 0).bits(1, 0).bits(1, 0);
        w.bits(1, 0).bits(1, 1).bits(1, 1).ue(0).ue(0).ue(10).ue(10).ue(reorder).ue(4);
        w
    }

    #[test]
    fn timing_and_reordering_come_from_the_vui() {
        let expected = Sps { width: 640, height: 480, frame_duration: Some(3600), reorder: Some(2) };
        assert_eq!(facts(&with_vui(2)), Ok(expected));
        assert_eq!(facts(&with_vui(17)).map(|s| (s.frame_duration, s.reorder)), Ok((Some(3600), None)));
    }

    #[test]
    fn a_vui_cut_short_costs_only_what_it_would_have_told() {
        let whole = with_vui(2).unit(1);
        let mut seen = Vec::new();
        for length in 0..whole.len() {
            let told = sps(whole.get(..length).unwrap());
            if let Ok(s) = told {
                assert_eq!((s.width, s.height), (640, 480));
                seen.push((s.frame_duration, s.reorder));
            }
        }
        seen.dedup();
        assert_eq!(seen, [(None, None), (Some(3600), None), (Some(3600), Some(2))]);
    }

    #[test]
    fn another_nal_unit_is_refused() {
        assert!(sps(&[0x68, 1, 2, 3]).is_err());
        assert_eq!(sps(&[]), Err(MediaError::Truncated { what: WHAT }));
    }
}
