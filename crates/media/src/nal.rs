//! NAL units in their two wrappings: 4-byte lengths (what the house carries) and start codes (Annex B: encoders, tools, tests),
//! and the emulation prevention inside them. Does not look into a unit.

use crate::error::MediaError;

const WHAT: &str = "access unit";

/// NAL units behind 4-byte big-endian lengths. After an error the iterator ends.
///
/// # Errors
/// Each item is an error when its length, or the unit it announces, does not fit what is left. Units of length 0 are
/// yielded as empty slices: some cameras pad with them.
#[must_use]
pub fn units(data: &[u8]) -> Units<'_> {
    Units { rest: data }
}

/// See [`units`].
#[derive(Clone, Debug)]
pub struct Units<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Units<'a> {
    type Item = Result<&'a [u8], MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let cut = self.rest.split_first_chunk::<4>().and_then(|(length, rest)| {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            rest.split_at_checked(length)
        });
        let Some((unit, rest)) = cut else {
            self.rest = &[];
            return Some(Err(MediaError::truncated(WHAT)));
        };
        self.rest = rest;
        Some(Ok(unit))
    }
}

/// NAL units of a byte stream (Annex B): what lies between 00 00 01 and the next one or the end, without the zeros in between.
/// Bytes before the first start code, and empty units, are passed over.
#[must_use]
pub fn annex_b_units(stream: &[u8]) -> AnnexBUnits<'_> {
    AnnexBUnits { rest: after_start_code(stream).unwrap_or_default() }
}

/// See [`annex_b_units`].
#[derive(Clone, Debug)]
pub struct AnnexBUnits<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for AnnexBUnits<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let code = start_code(self.rest);
            let (unit, rest) = self.rest.split_at(code.unwrap_or(self.rest.len()));
            self.rest = rest.get(3..).unwrap_or_default();
            let end = unit.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
            if let Some(unit) = unit.get(..end).filter(|u| !u.is_empty()) {
                return Some(unit);
            }
        }
        None
    }
}

fn start_code(stream: &[u8]) -> Option<usize> {
    stream.windows(3).position(|w| w == [0, 0, 1])
}

fn after_start_code(stream: &[u8]) -> Option<&[u8]> {
    stream.get(start_code(stream)? + 3..)
}

/// Puts one unit behind its 4-byte length.
///
/// # Errors
/// When the unit is 4 GiB or longer.
pub fn push(out: &mut Vec<u8>, unit: &[u8]) -> Result<(), MediaError> {
    let length = u32::try_from(unit.len()).map_err(|_| MediaError::DoesNotFit { what: "NAL unit", reason: "it is 4 GiB or longer" })?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(unit);
    Ok(())
}

/// A byte stream as length-prefixed units.
///
/// # Errors
/// When a unit is 4 GiB or longer.
pub fn from_annex_b(stream: &[u8]) -> Result<Vec<u8>, MediaError> {
    let mut out = Vec::with_capacity(stream.len() + 16);
    annex_b_units(stream).try_for_each(|unit| push(&mut out, unit))?;
    Ok(out)
}

/// Length-prefixed units as a byte stream with 4-byte start codes. Empty units vanish.
///
/// # Errors
/// When a length does not fit what is left.
pub fn to_annex_b(data: &[u8]) -> Result<Vec<u8>, MediaError> {
    let mut out = Vec::with_capacity(data.len());
    for unit in units(data) {
        let unit = unit?;
        if !unit.is_empty() {
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(unit);
        }
    }
    Ok(out)
}

/// Inserts emulation prevention: the payload of a NAL unit from its raw bytes (RBSP).
#[must_use]
pub fn escape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 64 + 1);
    let mut zeros = 0;
    for byte in raw {
        if zeros == 2 && *byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    // Two closing zeros (a cabac_zero_word) get a 3 behind them, or a byte stream could not tell them from padding (H.264 §7.4.1).
    if zeros == 2 {
        out.push(3);
    }
    out
}

/// Removes emulation prevention: the raw bytes (RBSP) of a NAL unit's payload.
#[must_use]
pub fn unescape(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len());
    let mut zeros = 0u32;
    for byte in payload {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros.saturating_add(1) } else { 0 };
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn annex_b_is_cut_at_start_codes_of_both_lengths() {
        let stream = [9, 9, 0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 0, 1, 0, 0, 1, 0x65, 3, 0];
        let units: Vec<_> = annex_b_units(&stream).collect();
        assert_eq!(units, [&[0x67, 1][..], &[0x68, 2], &[0x65, 3]]);
        assert_eq!(annex_b_units(&[1, 2, 3]).count(), 0);
    }

    #[test]
    fn a_cut_length_ends_in_one_error() {
        let items: Vec<_> = units(&[0, 0, 0, 1, 0x65, 0, 0, 0, 9, 1]).collect();
        assert_eq!(items, [Ok(&[0x65][..]), Err(MediaError::Truncated { what: WHAT })]);
        assert_eq!(units(&[0, 0]).collect::<Vec<_>>(), [Err(MediaError::Truncated { what: WHAT })]);
        assert_eq!(units(&[0, 0, 0, 0]).collect::<Vec<_>>(), [Ok(&[][..])]);
    }

    proptest! {
        #[test]
        fn emulation_prevention_round_trips(raw in proptest::collection::vec(0u8..5, 0..200)) {
            let escaped = escape(&raw);
            prop_assert_eq!(unescape(&escaped), raw);
            prop_assert!(!escaped.windows(3).any(|w| w[0] == 0 && w[1] == 0 && w[2] < 3));
        }

        #[test]
        fn wrappings_round_trip(raws in proptest::collection::vec(proptest::collection::vec(0u8..5, 0..40), 1..6)) {
            let units: Vec<Vec<u8>> = raws.iter().map(|raw| [&[0x65][..], &escape(raw), &[0x80]].concat()).collect();
            let mut prefixed = Vec::new();
            units.iter().try_for_each(|u| push(&mut prefixed, u))?;
            let stream = to_annex_b(&prefixed)?;
            prop_assert_eq!(annex_b_units(&stream).collect::<Vec<_>>(), units);
            prop_assert_eq!(from_annex_b(&stream)?, prefixed);
        }

        #[test]
        fn any_bytes_are_walked_without_panic(data: Vec<u8>) {
            let ok: usize = units(&data).map_while(Result::ok).map(|u| u.len() + 4).sum();
            prop_assert!(ok <= data.len());
            prop_assert!(annex_b_units(&data).map(<[u8]>::len).sum::<usize>() <= data.len());
        }
    }
}
