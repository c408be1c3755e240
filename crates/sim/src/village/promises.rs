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
            // Within a second; and of batches whose sync was refused a stranger's look at the open block may find some at the end.
            let near = |a: WallTime, b: WallTime| a.micros_since(b).abs() <= 1_000_000;
            // Beside blocks on a disk that refused, ends are exact to a few pictures, and a piece that short may be missing.
            let short = |s: &Span| self.report.faults > 0 && s.to.micros_since(s.from) <= 2_000_000;
            let (said, truth): (Vec<_>, Vec<_>) =
                (said.into_iter().filter(|s| !short(s)).collect(), truth.into_iter().filter(|s| !short(s)).collect());
            let refused = |n: usize, a: WallTime, b: WallTime| n + 1 == truth.len() && a < b && !self.faults.is_empty();
            let mut pairs = said.iter().zip(&truth).enumerate();
            let same = pairs.all(|(n, (a, b))| near(a.from, b.from) && (near(a.to, b.to) || refused(n, a.to, b.to)));
            if said.len() != truth.len() || !same {
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
