//! Bits into bytes, most significant first.

/// Gathers bits; what is not whole stays until [`BitSink::align`].
#[derive(Debug, Default)]
pub(super) struct BitSink {
    out: Vec<u8>,
    held: u64,
    count: u32,
}

impl BitSink {
    /// After these bytes.
    pub(super) fn after(out: Vec<u8>) -> Self {
        Self { out, held: 0, count: 0 }
    }

    /// The lowest `count` bits of `value`; at most 32.
    pub(super) fn bits(&mut self, count: u32, value: u32) {
        debug_assert!(count <= 32);
        self.held = self.held << count | u64::from(value) & ((1 << count) - 1);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.out.push((self.held >> self.count) as u8);
        }
    }

    /// So many zeros and a one.
    pub(super) fn unary(&mut self, mut zeros: u32) {
        while zeros >= 32 {
            self.bits(32, 0);
            zeros -= 32;
        }
        self.bits(zeros, 0);
        self.bits(1, 1);
    }

    /// Zeros up to the next byte, and all of it.
    pub(super) fn align(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bits(8 - self.count, 0);
        }
        self.out
    }
}
