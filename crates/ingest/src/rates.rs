//! Frames and bits a second over the last whole seconds.

use domain::MonoTime;
use std::collections::VecDeque;

/// Seconds looked at.
const WINDOW: u64 = 5;

/// Counts what arrives, second by second.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    seconds: VecDeque<(u64, u32, u64)>,
    since: Option<u64>,
}

impl Rates {
    pub(crate) fn count(&mut self, now: MonoTime, bytes: usize) {
        let second = now.0 / 1_000_000;
        self.since.get_or_insert(second);
        let bytes = bytes as u64;
        match self.seconds.back_mut() {
            Some((s, frames, sum)) if *s == second => {
                *frames = frames.saturating_add(1);
                *sum = sum.saturating_add(bytes);
            }
            _ => self.seconds.push_back((second, 1, bytes)),
        }
        if self.seconds.len() > WINDOW as usize + 1 {
            self.seconds.pop_front();
        }
    }

    /// Frames and bits a second; zero until a whole second has passed.
    pub(crate) fn measure(&self, now: MonoTime) -> (f32, u64) {
        let second = now.0 / 1_000_000;
        let span = self.since.map_or(0, |since| second.saturating_sub(since)).min(WINDOW);
        if span == 0 {
            return (0.0, 0);
        }
        let whole = self.seconds.iter().filter(|(s, ..)| *s < second && s + span >= second);
        let (frames, bytes) = whole.fold((0u32, 0u64), |(f, b), (_, frames, bytes)| (f.saturating_add(*frames), b.saturating_add(*bytes)));
        (frames as f32 / span as f32, bytes.saturating_mul(8) / span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_whole_seconds_and_fall_to_zero() {
        let mut rates = Rates::default();
        for n in 0..100u64 {
            rates.count(MonoTime(7_000_000 + n * 100_000), 1_000);
        }
        assert_eq!(rates.measure(MonoTime(17_000_000)), (10.0, 80_000));
        assert_eq!(rates.measure(MonoTime(30_000_000)), (0.0, 0));
        assert_eq!(Rates::default().measure(MonoTime(5)), (0.0, 0));
    }
}
