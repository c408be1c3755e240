//! FLAC frames (RFC 9639) of 16-bit sound, each of one packet: what browsers play instead of G.711, without loss.
//!
//! Each channel alone, by the best of: one value, fixed predictors with one Rice parameter, the samples as they are. No linear
//! prediction and no partitions: at 8 kHz they would save a few bytes a packet. Knows nothing of containers.

use super::bits::BitSink;

/// Most samples of one frame.
pub(super) const BLOCK_MAX: usize = 65_535;
/// Shortest block a stream may announce; the announcement binds no packet that is shorter.
const BLOCK_MIN: u16 = 16;
/// Longest Rice parameter of the 4-bit coding; 15 is the escape.
const RICE_MAX: u32 = 14;

/// What every frame of a stream has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    /// Samples a second, at most 65,535: what the frame header holds.
    pub(super) rate: u16,
    /// 1 to 8.
    pub(super) channels: u8,
}

impl Stream {
    /// The body of the STREAMINFO block (§8.2), which says neither a length nor a hash: the stream goes on.
    pub(super) fn info(self) -> [u8; 34] {
        let mut out = [0; 34];
        out[..2].copy_from_slice(&BLOCK_MIN.to_be_bytes());
        out[2..4].copy_from_slice(&(BLOCK_MAX as u16).to_be_bytes());
        // 20 bits rate, 3 bits channels − 1, 5 bits depth − 1, 36 bits number of samples.
        let packed = u64::from(self.rate) << 44 | u64::from(self.channels - 1) << 41 | 15 << 36;
        out[10..18].copy_from_slice(&packed.to_be_bytes());
        out
    }

    /// One frame of interleaved samples, the first of which has this number. At most [`BLOCK_MAX`] a channel; what does not fill
    /// all channels is left out.
    pub(super) fn frame(self, first: u64, samples: &[i16]) -> Vec<u8> {
        let channels = usize::from(self.channels);
        let block = (samples.len() / channels).min(BLOCK_MAX);
        let mut out = self.header(first, block);
        out.push(crc8(&out));
        let mut sink = BitSink::after(out);
        for channel in 0..channels {
            let one: Vec<i32> = samples.iter().skip(channel).step_by(channels).take(block).map(|s| i32::from(*s)).collect();
            subframe(&mut sink, &one);
        }
        let mut out = sink.align();
        let crc = crc16(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }

    /// §9.1, with the number of the first sample (a stream of blocks of any length).
    fn header(self, first: u64, block: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + block * 2 * usize::from(self.channels));
        let last = (block.max(1) - 1) as u16;
        let short = u8::try_from(last).ok();
        let rate = match self.rate {
            8_000 => 4,
            16_000 => 5,
            _ => 13,
        };
        out.extend_from_slice(&[0xff, 0xf9, if short.is_some() { 0x60 } else { 0x70 } | rate, (self.channels - 1) << 4 | 8]);
        number(&mut out, first);
        match short {
            Some(last) => out.push(last),
            None => out.extend_from_slice(&last.to_be_bytes()),
        }
        if rate == 13 {
            out.extend_from_slice(&self.rate.to_be_bytes());
        }
        out
    }
}

/// A number of up to 36 bits as UTF-8 would write it (§9.1.5). Higher ones begin again at 0: at 8 kHz after 99 days.
fn number(out: &mut Vec<u8>, value: u64) {
    let value = value & ((1 << 36) - 1);
    if value < 0x80 {
        return out.push(value as u8);
    }
    // A lead byte of n bytes has 7 − n bits, each other byte six.
    let length = (2..7).find(|n| value < 1 << (5 * n + 1)).unwrap_or(7);
    let lead = !(0xff_u32 >> length) as u8;
    out.push(lead | (value >> (6 * (length - 1))) as u8);
    for n in (0..length - 1).rev() {
        out.push(0x80 | (value >> (6 * n) & 0x3f) as u8);
    }
}

/// §9.2: the shortest of what is known here.
fn subframe(sink: &mut BitSink, samples: &[i32]) {
    let Some(first) = samples.first() else { return };
    if samples.iter().all(|s| s == first) {
        sink.bits(8, 0);
        return sink.bits(16, *first as u32);
    }
    let verbatim = samples.len() as u64 * 16;
    let mut best: Option<(u64, usize, u32, Vec<u32>)> = None;
    let mut residual = samples.to_vec();
    for order in 0..=4.min(samples.len() - 1) {
        if order > 0 {
            // The next predictor's residual is the difference of this one's.
            residual = residual.windows(2).map(|w| w[1] - w[0]).collect();
        }
        let folded: Vec<u32> = residual.iter().map(|r| (r << 1 ^ r >> 31) as u32).collect();
        let (parameter, coded) = rice(&folded);
        let size = order as u64 * 16 + 10 + coded;
        if best.as_ref().map_or(verbatim, |b| b.0) > size {
            best = Some((size, order, parameter, folded));
        }
    }
    match best {
        Some((_, order, parameter, folded)) => {
            sink.bits(8, 0x10 | (order as u32) << 1);
            samples.iter().take(order).for_each(|s| sink.bits(16, *s as u32));
            // Coding with 4-bit parameters, one partition.
            sink.bits(6, 0);
            sink.bits(4, parameter);
            for value in folded {
                sink.unary(value >> parameter);
                sink.bits(parameter, value);
            }
        }
        None => {
            sink.bits(8, 2);
            samples.iter().for_each(|s| sink.bits(16, *s as u32));
        }
    }
}

/// The Rice parameter that makes these shortest, and how many bits they take.
fn rice(folded: &[u32]) -> (u32, u64) {
    let size = |k: u32| folded.iter().map(|v| u64::from(v >> k) + 1 + u64::from(k)).sum::<u64>();
    (0..=RICE_MAX).map(|k| (k, size(k))).min_by_key(|(_, size)| *size).unwrap_or((0, 0))
}

/// Polynomial x⁸ + x² + x + 1.
fn crc8(bytes: &[u8]) -> u8 {
    let step = |crc: u8, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x07 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ byte, step))
}

/// Polynomial x¹⁶ + x¹⁵ + x² + 1.
fn crc16(bytes: &[u8]) -> u16 {
    let step = |crc: u16, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x8005 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ u16::from(*byte) << 8, step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What another decoder makes of a stream of frames, and how many frames it saw.
    pub(super) fn decoded(stream: Stream, frames: &[Vec<u8>]) -> (Vec<i16>, usize) {
        let head = [b"fLaC".as_slice(), &[0x80, 0, 0, 34], &stream.info()].concat();
        let file = [head, frames.concat()].concat();
        let mut reader = claxon::FlacReader::new(&file[..]).unwrap();
        let told = reader.streaminfo();
        assert_eq!((told.sample_rate, told.channels, told.bits_per_sample), (stream.rate.into(), stream.channels.into(), 16));
        let (mut blocks, mut out, mut count) = (reader.blocks(), Vec::new(), 0);
        let mut buffer = Vec::new();
        while let Some(block) = blocks.read_next_or_eof(buffer).unwrap() {
            count += 1;
            for n in 0..block.duration() {
                out.extend((0..block.channels()).map(|c| block.sample(c, n) as i16));
            }
            buffer = block.into_buffer();
        }
        (out, count)
    }

    fn sounds() -> impl Strategy<Value = Vec<i16>> {
        let any_length = prop_oneof![4 => 1..400_usize, 1 => 400..BLOCK_MAX + 1];
        any_length.prop_flat_map(|n| {
            prop_oneof![
                proptest::collection::vec(any::<i16>(), n..=n),
                proptest::collection::vec(-40..40_i16, n..=n),
                any::<i16>().prop_map(move |v| vec![v; n]),
                (1..60_i32, 1..30_000_i32)
                    .prop_map(move |(f, a)| { (0..n).map(|i| (f64::from(a) * (i as f64 * f64::from(f) / 50.0).sin()) as i16).collect() }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn another_decoder_gives_the_samples_back(
            packets in proptest::collection::vec(sounds(), 1..4), channels in 1..=2_u8, first in 0..1_u64 << 36,
            rate in prop_oneof![Just(8_000_u16), Just(16_000), Just(11_025), Just(48_000)],
        ) {
            let stream = Stream { rate, channels };
            let width = usize::from(channels);
            let mut at = first;
            let mut frames = Vec::new();
            let mut said = Vec::new();
            for packet in &packets {
                let whole = &packet[..packet.len() / width * width];
                if whole.is_empty() { continue }
                frames.push(stream.frame(at, packet));
                at += (whole.len() / width) as u64;
                said.extend_from_slice(whole);
            }
            prop_assume!(!frames.is_empty());
            prop_assert!(frames.concat().len() <= said.len() * 2 + frames.len() * 22, "never longer than the samples themselves");
            prop_assert_eq!(decoded(stream, &frames), (said, frames.len()));
        }
    }

    #[test]
    fn the_largest_block_and_the_least() {
        let stream = Stream { rate: 8_000, channels: 1 };
        for n in [1, 2, 3, 4, 5, 16, 255, 256, 257, BLOCK_MAX] {
            let said: Vec<i16> = (0..n).map(|i| (i as i16).wrapping_mul(31_337)).collect();
            assert_eq!(decoded(stream, &[stream.frame(0, &said)]), (said, 1), "{n}");
        }
    }

    #[test]
    fn silence_and_speech_are_small() {
        let stream = Stream { rate: 8_000, channels: 1 };
        assert_eq!(stream.frame(0, &[8; 160]).len(), 12);
        let hum: Vec<i16> = (0..320).map(|i| (2_000.0 * (f64::from(i) / 20.0).sin()) as i16).collect();
        assert!(stream.frame(0, &hum).len() < 320, "less than the G.711 it came from");
    }
}
