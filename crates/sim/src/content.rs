//! What a frame holds: whose it is, which one, and bytes that follow from both. So whoever finds one anywhere can tell whether it
//! is what was sent, and nothing that was sent has to be remembered.

use crate::dice::Dice;
use bytes::Bytes;
use domain::{Class, Detection, StreamKind};

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
pub(crate) fn read(data: &[u8], kind: StreamKind) -> Option<Name> {
    let audio = match kind {
        StreamKind::Video => false,
        StreamKind::Audio => true,
        StreamKind::Observations => return seen(data),
    };
    let (nal, plate) = if audio { (&data[..0], 0) } else { (data.get(4..8)?, 8) };
    let word = data.get(plate + 2..plate + PLATE)?;
    let name = Name { camera: *data.get(plate)?, audio, number: u64::from_be_bytes(word.try_into().ok()?) };
    (make(name, nal) == data).then_some(name)
}

/// An observation's number plate: a thing that no model knows, too faint to be followed.
pub(crate) fn plate(camera: u8, number: u64) -> Detection {
    let class = Class::from(format!("plate {camera} {number}").as_str());
    Detection { class, score: 0.0, bbox: [0.0, 0.0, 0.1, 0.1].into(), colour: None }
}

fn seen(data: &[u8]) -> Option<Name> {
    let (observation, _) = vision::record::decode(data).ok()?;
    let words = observation.detections.iter().find_map(|d| d.class.as_str().strip_prefix("plate ").map(str::to_owned))?;
    let (camera, number) = words.split_once(' ')?;
    Some(Name { camera: camera.parse().ok()?, audio: false, number: number.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_whose_it_is_and_any_flipped_bit_shows() {
        for audio in [false, true] {
            let kind = if audio { StreamKind::Audio } else { StreamKind::Video };
            for number in [0, 10, 77_777_777_777] {
                let name = Name { camera: 7, audio, number };
                let data = make(name, if audio { &[] } else { &[0x65, 0x88, 0x84, 0] });
                assert_eq!(read(&data, kind), Some(name));
                for bit in 32..data.len() * 8 {
                    let mut bad = data.to_vec();
                    bad[bit / 8] ^= 1 << (bit % 8);
                    // The front of the NAL unit is the codec's, not ours.
                    assert!(read(&bad, kind) != Some(name) || (!audio && bit < 64), "bit {bit}");
                }
            }
        }
    }
}
