//! What a frame holds: whose it is, which one, and bytes that follow from both. So whoever finds one anywhere can tell whether it
//! is what was sent, and nothing that was sent has to be remembered.

use crate::dice::Dice;
use bytes::Bytes;

/// Camera, kind and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) camera: u8,
    pub(crate) audio: bool,
    pub(crate) number: u64,
}

/// Bytes of the number plate.
const PLATE: usize = 10;

/// A frame: `nal` is the front of its NAL unit (empty for audio).
pub(crate) fn make(name: Name, nal: &[u8]) -> Bytes {
    let mut dice = Dice::new(name.number, u64::from(name.camera) << 1 | u64::from(name.audio));
    // Not every byte is chance: eight at a time are enough to tell frames apart.
    let words = usize::try_from(dice.between(1, if name.number.is_multiple_of(10) { 24 } else { 9 })).unwrap_or(1);
    let len = nal.len() + PLATE + words * 8;
    let mut out = Vec::with_capacity(4 + len);
    if !nal.is_empty() {
        out.extend_from_slice(&u32::try_from(len).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(nal);
    }
    out.extend_from_slice(&[name.camera, u8::from(name.audio)]);
    out.extend_from_slice(&name.number.to_be_bytes());
    for _ in 0..words {
        out.extend_from_slice(&dice.roll().to_le_bytes());
    }
    out.into()
}

/// Whose a frame is, when every byte is what was sent.
pub(crate) fn read(data: &[u8], audio: bool) -> Option<Name> {
    let (nal, plate) = if audio { (&data[..0], 0) } else { (data.get(4..8)?, 8) };
    let word = data.get(plate + 2..plate + PLATE)?;
    let name = Name { camera: *data.get(plate)?, audio, number: u64::from_be_bytes(word.try_into().ok()?) };
    (make(name, nal) == data).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_whose_it_is_and_any_flipped_bit_shows() {
        for audio in [false, true] {
            for number in [0, 10, 77_777_777_777] {
                let name = Name { camera: 7, audio, number };
                let data = make(name, if audio { &[] } else { &[0x65, 0x88, 0x84, 0] });
                assert_eq!(read(&data, audio), Some(name));
                for bit in 32..data.len() * 8 {
                    let mut bad = data.to_vec();
                    bad[bit / 8] ^= 1 << (bit % 8);
                    // The front of the NAL unit is the codec's, not ours.
                    assert!(read(&bad, audio) != Some(name) || (!audio && bit < 64), "bit {bit}");
                }
            }
        }
    }
}
