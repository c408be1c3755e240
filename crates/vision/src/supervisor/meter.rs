//! Sums over all workers: each counts from its own start, the metrics count from the core's.

use crate::protocol::Counts;
use metrics::counter;

/// What all workers did.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) total: Counts,
    told_inference_s: u64,
    told_cpu_s: u64,
}

impl Meter {
    /// Takes a worker's counts in; `last` are those it told before. Counts that went back tell nothing.
    pub(super) fn take(&mut self, last: &mut Counts, now: Counts) {
        let add = |total: &mut u64, last: u64, now: u64| {
            let more = now.saturating_sub(last);
            *total = total.saturating_add(more);
            more
        };
        counter!("matthon_frames_decoded_total").increment(add(&mut self.total.decoded, last.decoded, now.decoded));
        counter!("matthon_frames_inferred_total").increment(add(&mut self.total.inferred, last.inferred, now.inferred));
        counter!("matthon_frames_superseded_total").increment(add(&mut self.total.superseded, last.superseded, now.superseded));
        counter!("matthon_frames_quiet_total").increment(add(&mut self.total.quiet, last.quiet, now.quiet));
        add(&mut self.total.inference_micros, last.inference_micros, now.inference_micros);
        add(&mut self.total.cpu_micros, last.cpu_micros, now.cpu_micros);
        // Counters count whole things: seconds are told as they become full.
        let inference = self.total.inference_micros / 1_000_000;
        counter!("matthon_inference_seconds_total").increment(inference - std::mem::replace(&mut self.told_inference_s, inference));
        let cpu = self.total.cpu_micros / 1_000_000;
        counter!("matthon_worker_cpu_seconds_total").increment(cpu - std::mem::replace(&mut self.told_cpu_s, cpu));
        *last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restarted_worker_counts_on() {
        let (mut meter, mut first, mut second) = (Meter::default(), Counts::default(), Counts::default());
        meter.take(&mut first, Counts { decoded: 10, cpu_micros: 1_500_000, ..Counts::default() });
        meter.take(&mut first, Counts { decoded: 15, cpu_micros: 1_600_000, ..Counts::default() });
        meter.take(&mut second, Counts { decoded: 3, cpu_micros: 500_000, ..Counts::default() });
        assert_eq!((meter.total.decoded, meter.total.cpu_micros, meter.told_cpu_s), (18, 2_100_000, 2));
    }
}
