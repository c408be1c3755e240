//! One access unit as it left an encoder, and what is made of it for each camera.
//!
//! Pure: bytes in, bytes out.

use std::ops::Range;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::nal::{self, Kind};
use crate::spec::Codec;

/// An encoded picture, shared by all cameras of one encoder.
pub(crate) struct AccessUnit {
    codec: Codec,
    data: Vec<u8>,
    /// NAL units in `data`, delimiters left out.
    nals: Vec<(Range<usize>, Kind)>,
    /// Presentation time on the server's timeline.
    pub(crate) pts: Duration,
    /// Decoding may begin here.
    pub(crate) key: bool,
}

impl AccessUnit {
    /// From an Annex-B byte stream of one access unit.
    pub(crate) fn new(codec: Codec, data: Vec<u8>, pts: Duration) -> Self {
        let nals: Vec<_> =
            nal::split(&data).into_iter().map(|r| (r.clone(), nal::kind(codec, &data[r]))).filter(|(_, k)| *k != Kind::Delimiter).collect();
        let key = nals.iter().any(|(r, _)| nal::opens_decoding(codec, &data[r.clone()]));
        Self { codec, data, nals, pts, key }
    }

    /// Which codec it is of.
    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// The NAL units with `stamp` before the first slice and `filler`, if there is any, at the end.
    fn stamped<'a>(&'a self, stamp: &'a [u8], filler: &'a [u8]) -> impl Iterator<Item = (&'a [u8], Kind)> {
        let first = self.nals.iter().position(|(_, k)| *k == Kind::Slice).unwrap_or(self.nals.len());
        let view = |(r, k): &(Range<usize>, Kind)| (&self.data[r.clone()], *k);
        let before = self.nals[..first].iter().map(view);
        let after = self.nals[first..].iter().map(view);
        let filler = (!filler.is_empty()).then_some((filler, Kind::Other));
        before.chain(std::iter::once((stamp, Kind::Other))).chain(after).chain(filler)
    }

    /// The stamped access unit as an Annex-B byte stream with 4-byte start codes.
    pub(crate) fn byte_stream(&self, stamp: &[u8], filler: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.data.len() + stamp.len() + filler.len() + 4 * (self.nals.len() + 2));
        for (nal, _) in self.stamped(stamp, filler) {
            out.extend_from_slice(&[0, 0, 0, 1]);
            out.extend_from_slice(nal);
        }
        out
    }

    /// Length and SHA-256 of the stamped access unit in the canonical form that `truth` defines.
    pub(crate) fn canonical(&self, stamp: &[u8], filler: &[u8]) -> (usize, String) {
        let mut hash = Sha256::new();
        let mut length = 0;
        for (nal, kind) in self.stamped(stamp, filler) {
            if kind != Kind::Parameters {
                hash.update(u32::try_from(nal.len()).unwrap_or(u32::MAX).to_be_bytes());
                hash.update(nal);
                length += 4 + nal.len();
            }
        }
        (length, hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamp_goes_before_the_first_slice_and_counts_in_the_canonical_form() {
        let data =
            [&[0, 0, 0, 1, 9, 0xf0][..], &[0, 0, 0, 1, 0x67, 1], &[0, 0, 1, 6, 9, 9], &[0, 0, 1, 0x65, 5], &[0, 0, 1, 0x65, 6]].concat();
        let unit = AccessUnit::new(Codec::H264, data, Duration::ZERO);
        assert!(unit.key);
        let stamp = [6, 5, 0x80];
        let want =
            [&[0, 0, 0, 1, 0x67, 1][..], &[0, 0, 0, 1, 6, 9, 9], &[0, 0, 0, 1, 6, 5, 0x80], &[0, 0, 0, 1, 0x65, 5], &[0, 0, 0, 1, 0x65, 6]];
        assert_eq!(unit.byte_stream(&stamp, &[]), want.concat());
        assert_eq!(unit.byte_stream(&stamp, &[12, 0x80]), [&want.concat()[..], &[0, 0, 0, 1, 12, 0x80]].concat());
        let canonical = [&[0, 0, 0, 3, 6, 9, 9][..], &[0, 0, 0, 3, 6, 5, 0x80], &[0, 0, 0, 2, 0x65, 5], &[0, 0, 0, 2, 0x65, 6]].concat();
        let hash: String = Sha256::digest(&canonical).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(unit.canonical(&stamp, &[]), (canonical.len(), hash));
    }
}
