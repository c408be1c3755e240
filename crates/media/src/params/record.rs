//! Decoder configuration records (ISO 14496-15 §5.3.3 avcC, §8.3.3 hvcC) and the RFC 6381 names they yield.
//! Reads them whole; writes them from parameter sets for tools and for cameras that send these only in band.

use super::{h264, h265};
use crate::{error::MediaError, nal};
use std::fmt::Write;

const AVCC: &str = "avcC record";
const HVCC: &str = "hvcC record";

/// The parts of a record the house uses.
pub(super) struct Record<'a> {
    pub(super) sps: &'a [u8],
    pub(super) codecs: String,
}

fn take<'a>(rest: &mut &'a [u8], count: usize, what: &'static str) -> Result<&'a [u8], MediaError> {
    let (head, tail) = rest.split_at_checked(count).ok_or(MediaError::truncated(what))?;
    *rest = tail;
    Ok(head)
}

fn number(rest: &mut &[u8], bytes: usize, what: &'static str) -> Result<usize, MediaError> {
    Ok(take(rest, bytes, what)?.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
}

fn unit<'a>(rest: &mut &'a [u8], what: &'static str) -> Result<&'a [u8], MediaError> {
    let length = number(rest, 2, what)?;
    take(rest, length, what)
}

pub(super) fn read_avc(record: &[u8]) -> Result<Record<'_>, MediaError> {
    let mut rest = record;
    let head = take(&mut rest, 6, AVCC)?;
    let [version, profile, compat, level, lengths, sets] = *head else { return Err(MediaError::truncated(AVCC)) };
    check_head(AVCC, version, lengths)?;
    let mut first = None;
    for _ in 0..sets & 0x1f {
        let sps = unit(&mut rest, AVCC)?;
        first = first.or(Some(sps));
    }
    for _ in 0..number(&mut rest, 1, AVCC)? {
        unit(&mut rest, AVCC)?;
    }
    let sps = first.ok_or(MediaError::malformed(AVCC, "it holds no sequence parameter set"))?;
    Ok(Record { sps, codecs: format!("avc1.{profile:02x}{compat:02x}{level:02x}") })
}

pub(super) fn read_hevc(record: &[u8]) -> Result<Record<'_>, MediaError> {
    let mut rest = record;
    let head: &[u8; 22] = take(&mut rest, 22, HVCC)?.try_into().map_err(|_| MediaError::truncated(HVCC))?;
    check_head(HVCC, head[0], head[21])?;
    let mut first = None;
    for _ in 0..number(&mut rest, 1, HVCC)? {
        let kind = number(&mut rest, 1, HVCC)? & 0x3f;
        for _ in 0..number(&mut rest, 2, HVCC)? {
            let unit = unit(&mut rest, HVCC)?;
            first = first.or((kind == 33).then_some(unit));
        }
    }
    let sps = first.ok_or(MediaError::malformed(HVCC, "it holds no sequence parameter set"))?;
    Ok(Record { sps, codecs: hvc1_name(head) })
}

fn check_head(what: &'static str, version: u8, lengths: u8) -> Result<(), MediaError> {
    if version != 1 {
        return Err(MediaError::malformed(what, "its version is not 1"));
    }
    if lengths & 3 != 3 {
        return Err(MediaError::Unsupported { what, reason: "its NAL unit lengths are not 4 bytes" });
    }
    Ok(())
}

/// ISO 14496-15 Annex E: profile space and number, compatibility flags in reverse bit order, tier and level, then the
/// constraint bytes without the zeros at the end.
fn hvc1_name(head: &[u8; 22]) -> String {
    let space = ["", "A", "B", "C"][usize::from(head[1] >> 6)];
    let tier = if head[1] & 0x20 == 0 { 'L' } else { 'H' };
    let compat = u32::from_be_bytes([head[2], head[3], head[4], head[5]]).reverse_bits();
    let mut name = format!("hvc1.{space}{}.{compat:X}.{tier}{}", head[1] & 0x1f, head[12]);
    let constraints = &head[6..12];
    let used = constraints.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    for byte in constraints.iter().take(used) {
        let _ = write!(name, ".{byte:X}"); // writing to a String cannot fail
    }
    name
}

fn push_unit(out: &mut Vec<u8>, unit: &[u8], what: &'static str) -> Result<(), MediaError> {
    let length = u16::try_from(unit.len()).map_err(|_| MediaError::DoesNotFit { what, reason: "a parameter set is over 65535 bytes" })?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(unit);
    Ok(())
}

/// The parameter sets of an `avcC` body, in the order a decoder takes them: every SPS, then every PPS.
///
/// # Errors
/// When the record is cut short, is of another version, or its lengths are not 4 bytes.
pub fn avc_sets(record: &[u8]) -> Result<Vec<&[u8]>, MediaError> {
    let mut rest = record;
    let [version, _, _, _, lengths, count] = *take(&mut rest, 6, AVCC)? else { return Err(MediaError::truncated(AVCC)) };
    check_head(AVCC, version, lengths)?;
    let mut sets = Vec::new();
    for _ in 0..count & 0x1f {
        sets.push(unit(&mut rest, AVCC)?);
    }
    for _ in 0..number(&mut rest, 1, AVCC)? {
        sets.push(unit(&mut rest, AVCC)?);
    }
    Ok(sets)
}

/// Builds the body of `avcC` from one SPS and one PPS (NAL units without start code or length).
///
/// # Errors
/// When the SPS cannot be read or a unit is over 65535 bytes.
pub fn avc_config(sps: &[u8], pps: &[u8]) -> Result<Vec<u8>, MediaError> {
    h264::sps(sps)?;
    let Some([profile, compat, level]) = sps.get(1..4) else { return Err(MediaError::truncated(AVCC)) };
    let mut out = vec![1, *profile, *compat, *level, 0xff, 0xe1];
    push_unit(&mut out, sps, AVCC)?;
    out.push(1);
    push_unit(&mut out, pps, AVCC)?;
    // §5.3.3.1.2: these profiles append the chroma format and bit depths; 4:2:0 with 8 bits is what cameras send.
    if matches!(profile, 100 | 110 | 122 | 144) {
        out.extend_from_slice(&[0xfd, 0xf8, 0xf8, 0]);
    }
    Ok(out)
}

/// Builds the body of `hvcC` from one VPS, SPS and PPS (NAL units without start code or length), arrays complete as `hvc1` needs.
///
/// # Errors
/// When the SPS cannot be read or a unit is over 65535 bytes.
pub fn hevc_config(vps: &[u8], sps: &[u8], pps: &[u8]) -> Result<Vec<u8>, MediaError> {
    h265::sps(sps)?;
    // general_profile_space … general_level_idc: 12 bytes behind the NAL header and one byte of the SPS.
    let raw = nal::unescape(sps);
    let general = raw.get(3..15).ok_or(MediaError::truncated(HVCC))?;
    let sub_layers = raw.get(2).map_or(0, |b| (b >> 1 & 7) + 1);
    let nested = raw.get(2).map_or(0, |b| b & 1);
    let mut out = vec![1];
    out.extend_from_slice(general);
    // No spatial segmentation or parallelism told, 4:2:0, 8 bits, no average or constant frame rate.
    out.extend_from_slice(&[0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, sub_layers << 3 | nested << 2 | 3, 3]);
    for (kind, unit) in [(32, vps), (33, sps), (34, pps)] {
        out.extend_from_slice(&[0x80 | kind, 0, 1]);
        push_unit(&mut out, unit, HVCC)?;
    }
    Ok(out)
}
