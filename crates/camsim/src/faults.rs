//! What can be wrong with a camera, switched at run time, and the damage done to its packets.
//!
//! State and dice only; who obeys which switch is said in `camera` and `server`.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gst::prelude::*;
use gstreamer as gst;

/// The fixed part of an RTP header: never damaged, so that damage is to the payload.
const RTP_HEADER: usize = 12;

/// The switches of one camera.
pub(crate) struct Faults {
    /// Refuses every session until it is up again.
    pub(crate) down: AtomicBool,
    /// RTSP status for every DESCRIBE, SETUP and PLAY; 0 for none.
    pub(crate) refuse: AtomicU16,
    frozen: Mutex<Frozen>,
    corrupt: Chance,
    lose: Chance,
    /// Bytes of filler for the next access unit; 0 for none.
    swell: AtomicU32,
    dice: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frozen {
    No,
    /// Until this time on the server's timeline.
    Until(Duration),
    Forever,
}

/// A probability, in 2³²-ths.
#[derive(Default)]
struct Chance(AtomicU32);

impl Chance {
    fn set(&self, probability: f64) {
        self.0.store((probability.clamp(0.0, 1.0) * f64::from(u32::MAX)) as u32, Ordering::Relaxed);
    }

    fn strikes(&self, roll: u64) -> bool {
        let chance = self.0.load(Ordering::Relaxed);
        chance != 0 && (roll >> 32) as u32 <= chance
    }

    fn possible(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }
}

/// What becomes of a packet.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Whole,
    Damaged,
    Lost,
}

impl Faults {
    /// A healthy camera; `seed` makes its damage repeatable.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            down: AtomicBool::new(false),
            refuse: AtomicU16::new(0),
            frozen: Mutex::new(Frozen::No),
            corrupt: Chance::default(),
            lose: Chance::default(),
            swell: AtomicU32::new(0),
            dice: AtomicU64::new(seed),
        }
    }

    /// Freezes until a time on the server's timeline, or until thawed.
    pub(crate) fn freeze(&self, until: Option<Duration>) {
        *self.frozen.lock().unwrap_or_else(PoisonError::into_inner) = until.map_or(Frozen::Forever, Frozen::Until);
    }

    /// Ends a freeze.
    pub(crate) fn thaw(&self) {
        *self.frozen.lock().unwrap_or_else(PoisonError::into_inner) = Frozen::No;
    }

    /// Whether nothing may be sent now.
    pub(crate) fn frozen(&self, now: Duration) -> bool {
        let mut frozen = self.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*frozen, Frozen::Until(end) if now >= end) {
            *frozen = Frozen::No;
        }
        *frozen != Frozen::No
    }

    /// Damages each packet with this probability.
    pub(crate) fn corrupt(&self, probability: f64) {
        self.corrupt.set(probability);
    }

    /// Loses each packet with this probability.
    pub(crate) fn lose(&self, probability: f64) {
        self.lose.set(probability);
    }

    /// Gives the next access unit so much filler.
    pub(crate) fn swell(&self, bytes: u32) {
        self.swell.store(bytes, Ordering::Relaxed);
    }

    /// The filler this access unit gets, once.
    pub(crate) fn swollen(&self) -> u32 {
        if self.swell.load(Ordering::Relaxed) == 0 { 0 } else { self.swell.swap(0, Ordering::Relaxed) }
    }

    fn roll(&self) -> u64 {
        let mut z = self.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fate(&self) -> Fate {
        if self.lose.strikes(self.roll()) {
            Fate::Lost
        } else if self.corrupt.strikes(self.roll()) {
            Fate::Damaged
        } else {
            Fate::Whole
        }
    }

    /// Flips some bytes of the payload, or, one time in four, replaces all of it.
    fn damage(&self, packet: &mut [u8]) {
        let Some(payload) = packet.get_mut(RTP_HEADER..).filter(|p| !p.is_empty()) else { return };
        if self.roll().is_multiple_of(4) {
            payload.iter_mut().for_each(|b| *b = self.roll() as u8);
        } else {
            for _ in 0..=self.roll() % 8 {
                let at = (self.roll() % payload.len() as u64) as usize;
                payload[at] ^= (self.roll() as u8) | 1;
            }
        }
    }

    fn packet(&self, mut buffer: gst::Buffer) -> Option<gst::Buffer> {
        match self.fate() {
            Fate::Whole => Some(buffer),
            Fate::Lost => None,
            Fate::Damaged => {
                // The payloader shares memory with what other sessions send: damage a copy.
                let mut copy = buffer.copy_deep().ok()?;
                if let Some(map) = copy.get_mut().and_then(|b| b.map_writable().ok()) {
                    let mut map = map;
                    self.damage(&mut map);
                }
                buffer = copy;
                Some(buffer)
            }
        }
    }

    /// A probe for the payloader's source pad: what goes through is lost or damaged by chance.
    pub(crate) fn strike(&self, info: &mut gst::PadProbeInfo<'_>) -> gst::PadProbeReturn {
        if !self.corrupt.possible() && !self.lose.possible() {
            return gst::PadProbeReturn::Ok;
        }
        let left = match info.data.take() {
            Some(gst::PadProbeData::Buffer(buffer)) => self.packet(buffer).map(gst::PadProbeData::Buffer),
            Some(gst::PadProbeData::BufferList(list)) => {
                let mut kept = gst::BufferList::new();
                if let Some(kept) = kept.get_mut() {
                    list.iter_owned().filter_map(|b| self.packet(b)).for_each(|b| kept.add(b));
                }
                (!kept.is_empty()).then_some(gst::PadProbeData::BufferList(kept))
            }
            other => other,
        };
        let fate = if left.is_some() { gst::PadProbeReturn::Ok } else { gst::PadProbeReturn::Drop };
        info.data = left;
        fate
    }
}

/// Puts `faults` on a pad of RTP packets.
pub(crate) fn watch(pad: &gst::Pad, faults: std::sync::Arc<Faults>) {
    pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |_, info| faults.strike(info));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_about_right_and_zero_is_never() {
        let faults = Faults::new(7);
        assert!((0..1000).all(|_| faults.fate() == Fate::Whole));
        faults.lose(0.25);
        let lost = (0..4000).filter(|_| faults.fate() == Fate::Lost).count();
        assert!((800..1200).contains(&lost), "{lost}");
        faults.lose(1.0);
        assert!((0..100).all(|_| faults.fate() == Fate::Lost));
    }

    #[test]
    fn damage_spares_the_header_and_changes_the_payload() {
        let faults = Faults::new(7);
        for length in [12, 13, 40, 1400] {
            let before = vec![0x55; length];
            let mut after = before.clone();
            faults.damage(&mut after);
            assert_eq!(after[..12], before[..12]);
        }
        let hit = (0..50).filter(|_| {
            let mut packet = vec![0x55; 100];
            faults.damage(&mut packet);
            packet[12..] != [0x55; 88]
        });
        assert!(hit.count() > 45);
        faults.damage(&mut [1, 2, 3]);
    }

    #[test]
    fn one_access_unit_swells() {
        let faults = Faults::new(7);
        assert_eq!(faults.swollen(), 0);
        faults.swell(5);
        assert_eq!((faults.swollen(), faults.swollen()), (5, 0));
    }

    #[test]
    fn a_freeze_ends_by_itself_or_when_thawed() {
        let faults = Faults::new(7);
        let at = Duration::from_secs;
        assert!(!faults.frozen(at(1)));
        faults.freeze(Some(at(5)));
        assert!(faults.frozen(at(4)) && !faults.frozen(at(5)) && !faults.frozen(at(4)));
        faults.freeze(None);
        assert!(faults.frozen(at(1_000_000)));
        faults.thaw();
        assert!(!faults.frozen(at(0)));
    }
}
