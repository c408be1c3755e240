//! RTP packets put together to pictures, by webrtc-rs's own depacketizer.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use webrtc::rtp::{codecs::h264::H264Packet, packet::Packet, packetizer::Depacketizer};

/// A whole picture.
#[derive(Debug)]
pub(crate) struct Picture {
    /// When it is shown, 90 kHz.
    pub(crate) rtp: u32,
    /// As `camsim --sent` has it: of all NAL units but parameter sets and delimiters.
    pub(crate) sha256: String,
    /// The kinds of its NAL units.
    pub(crate) kinds: Vec<u8>,
}

impl Picture {
    /// Whether decoding can begin here: an IDR picture behind its parameter sets.
    pub(crate) fn begins(&self) -> bool {
        self.kinds.starts_with(&[7, 8]) && self.kinds.contains(&5)
    }
}

/// The pictures so far.
#[derive(Default)]
pub(crate) struct Film {
    /// Packets that came before those that belong in front of them.
    early: BTreeMap<i64, Packet>,
    next: Option<i64>,
    parts: H264Packet,
    units: Vec<u8>,
    whole: VecDeque<Picture>,
}

impl Film {
    /// The next whole picture; none is left out.
    pub(crate) fn next(&mut self) -> Option<Picture> {
        self.whole.pop_front()
    }

    pub(crate) fn put(&mut self, packet: Packet) {
        let number = packet.header.sequence_number;
        let mut next = self.next.unwrap_or(i64::from(number));
        // Numbers go round; what is meant is the nearest.
        let ahead = number.wrapping_sub(next.rem_euclid(1 << 16) as u16).cast_signed();
        if ahead >= 0 {
            self.early.insert(next + i64::from(ahead), packet);
        }
        while let Some(packet) = self.early.remove(&next) {
            next += 1;
            self.take(&packet);
        }
        self.next = Some(next);
    }

    fn take(&mut self, packet: &Packet) {
        self.parts.is_avc = true;
        self.units.extend_from_slice(&self.parts.depacketize(&packet.payload).unwrap());
        if packet.header.marker {
            let units = std::mem::take(&mut self.units);
            self.whole.push_back(picture(packet.header.timestamp, &units));
        }
    }
}

/// Of NAL units with their lengths in front.
fn picture(rtp: u32, mut units: &[u8]) -> Picture {
    let (mut hash, mut kinds) = (Sha256::new(), Vec::new());
    while let Some((length, rest)) = units.split_first_chunk::<4>() {
        let (unit, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        let kind = unit[0] & 0x1f;
        kinds.push(kind);
        if !matches!(kind, 7..=9) {
            hash.update(length);
            hash.update(unit);
        }
        units = rest;
    }
    Picture { rtp, sha256: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(), kinds }
}
