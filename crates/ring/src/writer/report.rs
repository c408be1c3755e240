//! How the ring is doing, told after every turn: figures, state, and the line that says what is wrong.

use super::core::Core;
use crate::status::RingState;
use domain::{MonoTime, WallTime};
use metrics::{counter, gauge, histogram};
use std::{sync::PoisonError, time::Duration};

/// What the status is made of.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) written: u64,
    pub(super) errors: u64,
    pub(super) detail: String,
    /// What housekeeping could not do, until it could be tried again.
    pub(super) trouble: Option<(MonoTime, String)>,
    pub(super) failing: bool,
    pub(super) last_sync: MonoTime,
    pub(super) sync_took: Duration,
    pub(super) rate_from: Option<(MonoTime, u64)>,
    pub(super) rate: u64,
    pub(super) slow_until: Option<MonoTime>,
    pub(super) newest: Option<WallTime>,
}

impl Core {
    pub(super) fn note_delay(&mut self, oldest: MonoTime) {
        let now = self.clock.mono();
        let late = now.since(oldest);
        histogram!("matthon_ring_sync_seconds", "ring" => self.catalog.spec.name.clone()).record(self.figures.sync_took.as_secs_f64());
        if late > self.catalog.spec.sync {
            self.figures.slow_until = Some(now.plus(Duration::from_secs(10)));
            self.figures.detail = format!(
                "a recording became durable {} ms after it came, {} ms are promised: the disk is too slow or busy with something else",
                late.as_millis(),
                self.catalog.spec.sync.as_millis()
            );
        }
    }

    /// Something beside recording was refused: counted, logged and shown for a while; it is tried again later.
    pub(super) fn trouble(&mut self, what: &str) {
        let ring = &self.catalog.spec.name;
        self.figures.errors += 1;
        tracing::warn!(%ring, "{what}");
        counter!("matthon_ring_errors_total", "ring" => ring.clone()).increment(1);
        self.figures.trouble = Some((self.clock.mono().plus(Duration::from_secs(600)), what.to_owned()));
    }

    /// Publishes what is newest; called by the batch that made it durable.
    pub(super) fn note_newest(&mut self, to: WallTime) {
        self.figures.newest = Some(to);
    }

    pub(super) fn report(&mut self, now: MonoTime) {
        let counts = self.intake.counts();
        let (used, oldest) = self.catalog.used();
        let oldest = oldest.map(|s| s.from);
        let available = self.catalog.paths.blocks(&self.catalog.spec) * self.catalog.spec.block_size;
        let f = &mut self.figures;
        if f.slow_until.is_some_and(|until| now > until) {
            f.slow_until = None;
            if !f.failing {
                f.detail.clear();
            }
        }
        if f.trouble.as_ref().is_some_and(|(until, _)| now > *until) {
            f.trouble = None;
        }
        let (from, bytes) = *f.rate_from.get_or_insert((now, f.written));
        let span = now.since(from).as_secs_f64();
        if span >= 10.0 {
            let rate = (f.written - bytes) as f64 * 8.0 / span;
            // Smoothed over about a minute; the first measurement counts whole.
            f.rate = if f.rate == 0 { rate as u64 } else { (f.rate as f64 * 0.85 + rate * 0.15) as u64 };
            f.rate_from = Some((now, f.written));
        }
        let mut s = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        s.used = used as u64;
        s.oldest = oldest;
        s.newest = f.newest;
        s.written_bytes = f.written;
        s.write_rate_bps = f.rate;
        s.available = available;
        // Where nothing takes recordings, no days are a forecast: the state says what is wrong.
        s.days_forecast = (f.rate > 0 && available > 0).then(|| available as f64 * 8.0 / f.rate as f64 / 86_400.0);
        s.last_sync_micros_ago = micros(now.since(f.last_sync));
        s.last_sync_took_micros = micros(f.sync_took);
        s.dropped_gops = counts.dropped_gops;
        s.oversized = counts.oversized;
        s.in_flight_bytes = counts.bytes as u64;
        s.errors = f.errors;
        s.state = match (f.failing, f.slow_until) {
            (true, _) => RingState::Failed,
            (false, Some(_)) => RingState::Slow,
            (false, None) => RingState::Ok,
        };
        match &f.trouble {
            Some((_, what)) if f.detail.is_empty() => s.detail.clone_from(what),
            _ => s.detail.clone_from(&f.detail),
        }
        s.paths = self.catalog.paths.status();
        drop(s);
        self.catalog.paths.measure();
        let ring = self.catalog.spec.name.clone();
        let age = oldest.map_or(0, |o| self.clock.wall().micros_since(o));
        gauge!("matthon_ring_oldest_seconds", "ring" => ring.clone()).set(age as f64 / 1e6);
        gauge!("matthon_ring_in_flight_bytes", "ring" => ring).set(counts.bytes as f64);
    }
}

fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}
