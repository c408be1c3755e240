//! Bits of a NAL unit, read through its emulation prevention (ITU-T H.264 §7.4.1, H.265 §7.4.2), with Exp-Golomb codes (§9.1, §9.2).
//! Knows no syntax structure.

use crate::error::MediaError;

/// Reads bits, most significant first, skipping the 3 of every 0 0 3. Never looks past the slice it was given.
#[derive(Clone, Debug)]
pub(crate) struct BitReader<'a> {
    what: &'static str,
    data: &'a [u8],
    next: usize,
    zeros: u8,
    byte: u8,
    left: u8,
}

impl<'a> BitReader<'a> {
    /// `what` names the structure in errors.
    pub(crate) fn new(what: &'static str, data: &'a [u8]) -> Self {
        Self { what, data, next: 0, zeros: 0, byte: 0, left: 0 }
    }

    fn raw(&mut self) -> Result<u8, MediaError> {
        let byte = *self.data.get(self.next).ok_or(MediaError::truncated(self.what))?;
        self.next += 1;
        Ok(byte)
    }

    fn fetch(&mut self) -> Result<(), MediaError> {
        let mut byte = self.raw()?;
        if self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            byte = self.raw()?;
        }
        self.zeros = if byte == 0 { self.zeros.saturating_add(1) } else { 0 };
        self.byte = byte;
        self.left = 8;
        Ok(())
    }

    /// One bit.
    pub(crate) fn flag(&mut self) -> Result<bool, MediaError> {
        if self.left == 0 {
            self.fetch()?;
        }
        self.left -= 1;
        Ok(self.byte >> self.left & 1 == 1)
    }

    /// Up to 32 bits as a number.
    pub(crate) fn bits(&mut self, count: u32) -> Result<u32, MediaError> {
        debug_assert!(count <= 32);
        let (mut value, mut wanted) = (0u64, count);
        while wanted > 0 {
            if self.left == 0 {
                self.fetch()?;
            }
            let take = wanted.min(u32::from(self.left));
            let kept = u32::from(self.left) - take;
            value = value << take | u64::from(u32::from(self.byte) >> kept & ((1 << take) - 1));
            self.left = kept as u8;
            wanted -= take;
        }
        Ok(value as u32)
    }

    /// Eight bits.
    pub(crate) fn u8(&mut self) -> Result<u8, MediaError> {
        Ok(self.bits(8)? as u8)
    }

    /// Passes over any number of bits.
    pub(crate) fn skip(&mut self, count: u32) -> Result<(), MediaError> {
        for _ in 0..count / 32 {
            self.bits(32)?;
        }
        self.bits(count % 32).map(drop)
    }

    /// `ue(v)`: 0 to 2^32 − 2.
    pub(crate) fn ue(&mut self) -> Result<u32, MediaError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return Err(MediaError::malformed(self.what, "an Exp-Golomb code is longer than 32 bits"));
            }
        }
        Ok(((1u32 << zeros) - 1) + self.bits(zeros)?)
    }

    /// `ue(v)` that the standard bounds; more is an error.
    pub(crate) fn ue_max(&mut self, max: u32) -> Result<u32, MediaError> {
        let value = self.ue()?;
        if value > max {
            return Err(MediaError::malformed(self.what, "a value is larger than the standard allows"));
        }
        Ok(value)
    }

    /// `se(v)`.
    pub(crate) fn se(&mut self) -> Result<i64, MediaError> {
        let code = i64::from(self.ue()?);
        Ok(if code & 1 == 1 { (code + 1) / 2 } else { -(code / 2) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nal;
    use proptest::prelude::*;

    #[test]
    fn exp_golomb_codes_are_those_of_the_standard() {
        // 1 010 011 00100 00101 = ue 0 1 2 3 4; the same codes as se: 0 1 -1 2 -2.
        let bytes = [0b1010_0110, 0b0100_0010, 0b1000_0000];
        let mut r = BitReader::new("test", &bytes);
        assert_eq!((0..5).map(|_| r.ue()).collect::<Result<Vec<_>, _>>(), Ok(vec![0, 1, 2, 3, 4]));
        let mut r = BitReader::new("test", &bytes);
        assert_eq!((0..5).map(|_| r.se()).collect::<Result<Vec<_>, _>>(), Ok(vec![0, 1, -1, 2, -2]));
    }

    #[test]
    fn longest_code_is_read_and_longer_ones_are_refused() {
        let longest = [0, 0, 3, 0, 1, 0xff, 0xff, 0xff, 0xff];
        let mut r = BitReader::new("test", &longest);
        assert_eq!(r.ue(), Ok(u32::MAX - 1));
        assert!(BitReader::new("test", &[0, 0, 3, 0, 0, 3, 0x80, 0, 0, 0, 0]).ue().is_err());
        assert_eq!(BitReader::new("test", &[0]).ue(), Err(MediaError::Truncated { what: "test" }));
    }

    proptest! {
        #[test]
        fn bits_are_those_of_the_unescaped_payload(payload: Vec<u8>, widths in proptest::collection::vec(0u32..=32, 0..64)) {
            let escaped = nal::escape(&payload);
            let mut r = BitReader::new("test", &escaped);
            let mut at = 0usize;
            for w in widths {
                let bit = |i: usize| payload.get(i / 8).map(|b| u64::from(b >> (7 - i % 8) & 1));
                let expected = (at..at + w as usize).try_fold(0u64, |v, i| Some(v << 1 | bit(i)?));
                match expected {
                    Some(v) => prop_assert_eq!(r.bits(w), Ok(v as u32)),
                    None => { prop_assert!(r.bits(w).is_err()); break }
                }
                at += w as usize;
            }
        }

        #[test]
        fn codes_never_panic(data: Vec<u8>) {
            let mut r = BitReader::new("test", &data);
            while r.ue().is_ok() {}
            let mut r = BitReader::new("test", &data);
            while r.se().is_ok() {}
        }
    }
}
