//! How many days the rings will hold, before a single frame was recorded.

use crate::needed::{Config, Ring};

/// What a ring will hold.
#[derive(Clone, Debug, PartialEq)]
pub struct RingForecast {
    /// The ring's name.
    pub ring: String,
    /// Its size in bytes.
    pub size: u64,
    /// Video streams recorded into it.
    pub streams: usize,
    /// Bytes a day, sound not counted (it adds a few per cent).
    pub bytes_per_day: u64,
    /// Days until the oldest is overwritten; `None` when nothing is recorded into it.
    pub days: Option<f64>,
}

/// Assumed of a main stream that does not say its `bitrate`, in bits a second.
const MAIN_BITRATE: u64 = 2_000_000;
/// Assumed of a sub stream, in bits a second.
const SUB_BITRATE: u64 = 300_000;

impl Config {
    /// How many days each ring holds, at the bit rates the file says or at 2 Mbps for `main` and 0.3 Mbps for `sub`.
    #[must_use]
    pub fn forecast(&self) -> Vec<RingForecast> {
        let of = |ring: &Ring| {
            let takes = |record: &Option<String>| record.as_deref() == Some(ring.name.as_str());
            let mains = self.cameras.iter().filter(|c| takes(&c.record.main)).map(|c| c.bitrate.unwrap_or(MAIN_BITRATE));
            let subs = self.cameras.iter().filter(|c| takes(&c.record.sub)).map(|_| SUB_BITRATE);
            let rates: Vec<u64> = mains.chain(subs).collect();
            let bytes_per_day = rates.iter().fold(0_u64, |sum, r| sum.saturating_add(*r)) / 8 * 86_400;
            RingForecast {
                ring: ring.name.clone(),
                size: ring.size,
                streams: rates.len(),
                bytes_per_day,
                days: (bytes_per_day > 0).then(|| ring.size as f64 / bytes_per_day as f64),
            }
        };
        self.rings.iter().map(of).collect()
    }
}
