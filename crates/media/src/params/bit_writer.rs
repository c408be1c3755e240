//! Writes parameter sets by hand, for the tests beside. Not in the product: nothing here encodes video.

use crate::nal;

#[derive(Clone, Default)]
pub(super) struct BitWriter {
    bits: Vec<bool>,
}

impl BitWriter {
    pub(super) fn bits(&mut self, count: u32, value: u32) -> &mut Self {
        self.bits.extend((0..count).rev().map(|n| value >> n & 1 == 1));
        self
    }

    /// `ue(v)`. A signed code is written by its number (§9.1.1): 0, 1, −1, 2, −2 …
    pub(super) fn ue(&mut self, value: u32) -> &mut Self {
        let code = u64::from(value) + 1;
        let length = 64 - code.leading_zeros();
        self.bits.extend((1..length).map(|_| false));
        self.bits.extend((0..length).rev().map(|n| code >> n & 1 == 1));
        self
    }

    /// The NAL unit: `header` bytes as they are, the rest with trailing bits and emulation prevention.
    pub(super) fn unit(&self, header: usize) -> Vec<u8> {
        let mut bits = self.bits.clone();
        bits.push(true);
        let bytes: Vec<u8> = bits.chunks(8).map(|c| c.iter().enumerate().fold(0, |b, (n, bit)| b | u8::from(*bit) << (7 - n))).collect();
        let (head, payload) = bytes.split_at(header);
        [head, &nal::escape(payload)].concat()
    }
}
