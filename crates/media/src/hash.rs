//! The canonical hash of samples: the same however they are boxed, different when anything a decoder is given differs.
//! The list is written down in `MEDIA_HASH.md`, for people who verify a recording without this program.

use crate::fmp4::Piece;
use domain::{AudioCodec, Format, VideoCodec};
use sha2::{Digest, Sha256};

/// First bytes of every list; the number is the version of the list.
const TAG: &[u8; 16] = b"matthon-media-1\0";

/// Hashes samples as they come.
#[derive(Clone)]
pub struct MediaHasher {
    sha: Sha256,
    next_dts: u64,
    samples: u64,
}

impl std::fmt::Debug for MediaHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaHasher").field("next_dts", &self.next_dts).field("samples", &self.samples).finish_non_exhaustive()
    }
}

impl MediaHasher {
    /// Begins a list: the parameters, then the samples from `base_dts` (ticks of 90 kHz).
    #[must_use]
    pub fn new(format: &Format, base_dts: u64) -> Self {
        Self::with_parameters(&parameters(format), base_dts)
    }

    /// Begins a list with parameters that were written down by [`parameters`].
    #[must_use]
    pub fn with_parameters(parameters: &[u8], base_dts: u64) -> Self {
        let mut sha = Sha256::new();
        sha.update(TAG);
        sha.update(parameters);
        Self { sha, next_dts: base_dts, samples: 0 }
    }

    /// Adds the next sample. Its decoding time is the previous one's plus the previous one's duration.
    /// `data` must be the whole sample: `piece.size` itself is not trusted and not hashed, the data's length is.
    pub fn sample(&mut self, piece: &Piece, data: &[u8]) {
        self.sha.update([1]);
        self.sha.update(self.next_dts.to_be_bytes());
        self.sha.update(piece.cts_offset.to_be_bytes());
        self.sha.update(piece.duration.to_be_bytes());
        self.sha.update([u8::from(piece.random_access)]);
        self.sha.update((data.len() as u64).to_be_bytes());
        self.sha.update(data);
        // Wrapping only matters to garbage: 2^64 ticks are six million years.
        self.next_dts = self.next_dts.wrapping_add(u64::from(piece.duration));
        self.samples += 1;
    }

    /// Ends the list.
    #[must_use]
    pub fn finish(mut self) -> [u8; 32] {
        self.sha.update([0]);
        self.sha.update(self.samples.to_be_bytes());
        self.sha.finalize().into()
    }
}

/// The part of the list between its tag and its first sample: what the samples are.
#[must_use]
pub fn parameters(format: &Format) -> Vec<u8> {
    let params = |codec: &[u8; 4], a: u32, b: u32, config: &[u8]| {
        let mut out = Vec::with_capacity(20 + config.len());
        out.extend_from_slice(codec);
        out.extend_from_slice(&a.to_be_bytes());
        out.extend_from_slice(&b.to_be_bytes());
        out.extend_from_slice(&(config.len() as u64).to_be_bytes());
        out.extend_from_slice(config);
        out
    };
    match format {
        Format::Video(v) => {
            let codec = match v.codec {
                VideoCodec::H264 => b"h264",
                VideoCodec::H265 => b"h265",
            };
            params(codec, v.width, v.height, &v.config)
        }
        Format::Audio(a) => {
            let codec = match a.codec {
                AudioCodec::Aac => b"aac ",
                AudioCodec::PcmA => b"alaw",
                AudioCodec::PcmU => b"ulaw",
            };
            params(codec, a.sample_rate, a.channels.into(), &a.config)
        }
        Format::Observations(version) => params(b"obsv", (*version).into(), 0, &[]),
    }
}

/// Hashes one fragment: `data` holds the samples' bytes one after the other, as the `mdat` does.
///
/// When the sizes do not add up to `data`, the samples get what there is of it and the rest is one more part of the list, so
/// that the result can equal no well-formed fragment's.
#[must_use]
pub fn media_hash(format: &Format, base_dts: u64, pieces: &[Piece], data: &[u8]) -> [u8; 32] {
    let mut hasher = MediaHasher::new(format, base_dts);
    let mut rest = data;
    let mut whole = true;
    for piece in pieces {
        let size = usize::try_from(piece.size).unwrap_or(usize::MAX);
        whole &= size <= rest.len();
        let (sample, tail) = rest.split_at(size.min(rest.len()));
        hasher.sample(piece, sample);
        rest = tail;
    }
    if !whole || !rest.is_empty() {
        hasher.sha.update([2]);
        hasher.sha.update(rest);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fmp4::{fragment_header, parse_fragment},
        params,
    };
    use proptest::prelude::*;

    fn piece(size: u32) -> Piece {
        Piece { duration: 1800, size, cts_offset: 0, random_access: true }
    }

    fn law() -> Format {
        Format::Audio(params::g711_format(AudioCodec::PcmU, 8000, 1))
    }

    #[test]
    fn the_example_of_the_document() {
        let hash = media_hash(&law(), 9000, &[piece(3), piece(1)], &[1, 2, 3, 4]);
        let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "4cecc0289239b4a2a73c395e9b76ca1d797e1c26ecfde850727b2f9a99703583");
        assert!(include_str!("../MEDIA_HASH.md").contains(&hex));
    }

    #[test]
    fn the_format_is_part_of_the_list() {
        let format = |codec, rate, channels| Format::Audio(params::g711_format(codec, rate, channels));
        let hash = |format: &Format| media_hash(format, 0, &[piece(1)], &[1]);
        let all = [
            format(AudioCodec::PcmU, 8000, 1),
            format(AudioCodec::PcmA, 8000, 1),
            format(AudioCodec::PcmU, 16_000, 1),
            format(AudioCodec::PcmU, 8000, 2),
            Format::Observations(1),
            Format::Observations(2),
            Format::Audio(params::aac_format(&[0x11, 0x90]).unwrap()),
            Format::Audio(params::aac_format(&[0x11, 0x90, 0x56]).unwrap()),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().map(hash).collect();
        assert_eq!(distinct.len(), all.len());
    }

    fn run() -> impl Strategy<Value = (u64, Vec<Piece>, Vec<u8>)> {
        let sample = (any::<u32>(), any::<i32>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..20));
        (0..1u64 << 50, proptest::collection::vec(sample, 1..8)).prop_map(|(base, samples)| {
            let data = samples.iter().flat_map(|(.., bytes)| bytes.clone()).collect();
            let pieces = samples.into_iter();
            let pieces = pieces.map(|(duration, cts_offset, random_access, bytes)| Piece {
                duration,
                cts_offset,
                random_access,
                size: bytes.len() as u32,
            });
            (base, pieces.collect(), data)
        })
    }

    proptest! {
        #[test]
        fn boxes_do_not_matter((base, pieces, data) in run(), sequence: u32, track: u32, cut: usize) {
            let plain = media_hash(&law(), base, &pieces, &data);
            let boxed = [&fragment_header(sequence, track, base, &pieces)[..], &data].concat();
            let read = parse_fragment(&boxed)?;
            prop_assert_eq!(media_hash(&law(), read.base_dts, &read.pieces, &boxed[read.data]), plain);
            // as two fragments, fed one after the other
            let (head, tail) = pieces.split_at(cut % pieces.len());
            let mut hasher = MediaHasher::new(&law(), base);
            let mut rest = &data[..];
            for part in [head, tail] {
                let read = part.iter().map(|p| p.size as usize);
                for (p, size) in part.iter().zip(read) {
                    let (sample, left) = rest.split_at(size);
                    hasher.sample(p, sample);
                    rest = left;
                }
            }
            prop_assert_eq!(hasher.finish(), plain);
        }

        #[test]
        fn any_change_shows((base, pieces, data) in run(), at: usize, bit in 0u32..32) {
            let plain = media_hash(&law(), base, &pieces, &data);
            let n = at % pieces.len();
            let mut changed = Vec::new();
            let change = |what: &mut dyn FnMut(&mut Piece)| {
                let mut pieces = pieces.clone();
                what(&mut pieces[n]);
                pieces
            };
            changed.push((base, change(&mut |p| p.duration ^= 1 << bit), data.clone()));
            changed.push((base, change(&mut |p| p.cts_offset ^= 1 << bit), data.clone()));
            changed.push((base, change(&mut |p| p.random_access = !p.random_access), data.clone()));
            changed.push((base, change(&mut |p| p.size ^= 1 << bit), data.clone()));
            changed.push((base ^ 1 << bit, pieces.clone(), data.clone()));
            changed.push((base, pieces[..pieces.len() - 1].to_vec(), data.clone()));
            changed.push((base, pieces.clone(), [&data[..], &[0]].concat()));
            if !data.is_empty() {
                let mut data = data;
                let byte = at % data.len();
                data[byte] ^= 1 << (bit % 8);
                changed.push((base, pieces.clone(), data));
            }
            for (base, pieces, data) in changed {
                prop_assert_ne!(media_hash(&law(), base, &pieces, &data), plain);
            }
        }
    }
}
