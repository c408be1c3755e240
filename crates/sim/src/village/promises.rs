//! What the village is held to: what is in the ring, what its list of it says, what `verify` finds, memory.

use super::{Boot, TURNING, Village};
use crate::Violation;
use domain::{MonoTime, WallTime};
use ring::{Pace, Reader, Span, inspect};
use std::{sync::Arc, time::Duration};

/// From then on memory is flat: within this, KiB (a backlog while a disk is gone; what the allocator does not give back).
const SETTLED: Duration = Duration::from_secs(3_600);
const GROWTH: u64 = 128 << 10;
/// Most the ring may hold that is not durable: its own bound.
const IN_FLIGHT: u64 = 64 << 20;

/// What ends may differ by, µs: what is no hole; and beside blocks on a disk that refused.
const EXACT: i64 = 1_000_000;
const BESIDE: i64 = 3_000_000;
/// Most that waits for a disk that refuses to sync, µs.
const END: i64 = 60_000_000;

/// Whether the one covers nothing that the other does not, but for so much at the ends. Nothing behind `end` counts.
fn within(one: &[Span], other: &[Span], slack: i64, end: WallTime) -> bool {
    one.iter().all(|s| {
        let (mut at, to) = (s.from.plus_micros(slack), s.to.min(end).plus_micros(-slack));
        for o in other {
            if o.from.plus_micros(-slack) <= at {
                at = at.max(o.to.plus_micros(slack));
            }
        }
        at >= to
    })
}

impl Village {
    /// Everything new in the ring, the list of what is covered, figures.
    pub(super) fn inspect(&mut self, boot: &Boot) -> Result<(), Violation> {
        let status = boot.ring.status();
        if status.in_flight_bytes > IN_FLIGHT {
            return Err(Violation::new(format!("{} bytes are in flight", status.in_flight_bytes)));
        }
        if status.days_forecast.is_some_and(|days| !days.is_finite() || days <= 0.0) {
            return Err(Violation::new(format!("{:?} days are forecast", status.days_forecast)));
        }
        if self.readable() {
            let synced = boot.ring.synced_at();
            self.look(&boot.reader, synced)?;
            self.same_coverage(boot)?;
        }
        let newest = boot.reader.blocks().map_err(|e| Violation::new(e.to_string()))?.iter().map(|b| b.sequence).max();
        self.report.blocks = newest.unwrap_or(0);
        self.memory()
    }

    /// What all but the model disk takes, is flat: after an hour, in which the ring went round, it grows no more.
    fn memory(&mut self) -> Result<(), Violation> {
        let rss = resident().saturating_sub(self.disk.held() >> 10);
        if self.began.elapsed() < SETTLED {
            self.report.memory = (rss, rss);
        }
        self.report.memory.1 = self.report.memory.1.max(rss);
        if rss > self.report.memory.0 + GROWTH {
            return Err(Violation::new(format!("memory grew from {} to {rss} KiB", self.report.memory.0)));
        }
        Ok(())
    }

    /// The list of what is covered says what the footers say.
    fn same_coverage(&mut self, boot: &Boot) -> Result<(), Violation> {
        let streams = self.ledger().streams();
        let footers = Reader::open(self.spec.clone(), Arc::new(self.disk.fork())).map_err(|e| Violation::new(e.to_string()))?;
        for _ in 0..2 {
            let Some(stream) = streams.get(usize::try_from(self.dice.below(streams.len() as u64)).unwrap_or(0)) else { continue };
            let (from, to) = (WallTime(i64::MIN), WallTime(i64::MAX));
            let said = boot.reader.coverage(stream, from, to).map_err(|e| Violation::new(e.to_string()))?;
            let truth = footers.coverage(stream, from, to).map_err(|e| Violation::new(e.to_string()))?;
            // Of batches whose sync was refused a stranger's look at the open block may find some at the end.
            let end = truth.last().map_or(to, |last| if self.faults.is_empty() { to } else { last.from.max(last.to.plus_micros(-END)) });
            // Beside blocks that were overwritten while another path refused, ends are exact to what begins no run of its own.
            let slack = if self.report.faults > 0 { BESIDE } else { EXACT };
            let count = self.report.faults > 0 || said.len() == truth.len();
            if !count || !within(&said, &truth, slack, to) || !within(&truth, &said, slack, end) {
                return Err(Violation::new(format!("{stream} is said to be covered {said:?}, and the footers say {truth:?}")));
            }
        }
        Ok(())
    }

    /// After an orderly stop: the whole ring, from its blocks alone.
    pub(super) fn settle(&mut self, boot: &Boot) -> Result<(), Violation> {
        self.disk_time.reboot();
        if !self.faults.is_empty() {
            return Ok(());
        }
        let key = Some(self.signer.public_key());
        let verdict = inspect::verify(boot.reader.spec().clone(), Arc::new(self.disk.fork()), key, |_, _| {});
        let verdict = verdict.map_err(|e| Violation::new(e.to_string()))?;
        self.report.verified += 1;
        // What lay in blocks that a smaller ring gave back, or that went before their turn while the other path refused, is missing,
        // and rightly named.
        let given_back = |what| {
            (self.shrunk || self.report.faults > 0)
                && matches!(what, inspect::What::Missing | inspect::What::BlockGone | inspect::What::Seal)
        };
        match verdict.findings.iter().find(|f| f.what.costs() && !given_back(f.what)) {
            Some(finding) => Err(Violation::new(format!("verify finds {finding:?}"))),
            None => Ok(()),
        }
    }

    pub(super) fn look(&mut self, reader: &Reader, promised: MonoTime) -> Result<(), Violation> {
        self.disk.pace(Pace::default());
        let alone = std::mem::replace(&mut self.alone, !self.faults.is_empty());
        let looked = self.ledger().look(reader, promised, alone);
        self.disk.pace(TURNING);
        looked?;
        let said = self.ledger().violation.take();
        said.map_or(Ok(()), |what| Err(Violation::new(what)))
    }

    /// What was not found after a cut is gone.
    pub(super) fn forget(&mut self) {
        let cut = self.well_until.take();
        let lost = self.ledger().forget(cut.unwrap_or(MonoTime(0)));
        self.report.lost = self.report.lost.max(lost);
    }
}

/// Resident memory of this process, KiB.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_slack_is_found() {
        let spans = |list: &[(i64, i64)]| list.iter().map(|(a, b)| Span { from: WallTime(*a), to: WallTime(*b) }).collect::<Vec<_>>();
        let (whole, holed) = (spans(&[(0, 100)]), spans(&[(3, 40), (44, 97)]));
        let ever = WallTime(1_000);
        assert!(within(&whole, &holed, 3, ever) && within(&holed, &whole, 0, ever));
        assert!(!within(&whole, &holed, 1, ever), "the hole is wider");
        assert!(!within(&spans(&[(0, 110)]), &holed, 3, ever) && within(&spans(&[(0, 110)]), &holed, 3, WallTime(100)));
        assert!(!within(&spans(&[(200, 210)]), &holed, 3, ever) && within(&spans(&[(200, 206)]), &holed, 3, ever));
    }
}
