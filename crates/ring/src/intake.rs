//! Where samples wait for the writer: a lock and a queue, bounded per stream and in all. Full means whole groups of
//! pictures are dropped until there is room at a random access point.

use domain::{MonoTime, Sample, StreamId};
use metrics::counter;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Bounds of what is received and not yet durable, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) stream: usize,
    pub(crate) total: usize,
    pub(crate) sample: usize,
}

/// A sample and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) sample: Sample,
    pub(crate) at: MonoTime,
    /// Something was lost before it, by whomever.
    pub(crate) loss: bool,
}

/// What a sample weighs against the bounds: its bytes and what it costs to keep it.
pub(crate) fn weight(sample: &Sample) -> usize {
    sample.data.len() + 256
}

pub(crate) struct Intake {
    limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<Arrived>,
    gates: HashMap<Arc<StreamId>, Gate>,
    bytes: usize,
    dropped_gops: u64,
    oversized: u64,
    closed: bool,
}

#[derive(Default)]
struct Gate {
    bytes: usize,
    dropping: bool,
}

/// What was dropped here since the start, and what is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) dropped_gops: u64,
    pub(crate) oversized: u64,
    pub(crate) bytes: usize,
}

impl Intake {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the sample is kept.
    pub(crate) fn push(&self, sample: &Sample, at: MonoTime) -> bool {
        let mut inner = self.lock();
        let inner = &mut *inner;
        if inner.closed {
            return false;
        }
        let oversized = sample.data.len() > self.limits.sample;
        inner.oversized += u64::from(oversized);
        let gate = inner.gates.entry(sample.stream.clone()).or_default();
        if gate.dropping && !sample.random_access {
            return false;
        }
        let weight = weight(sample);
        let full = gate.bytes + weight > self.limits.stream || inner.bytes + weight > self.limits.total;
        if full || oversized {
            gate.dropping = true;
            inner.dropped_gops += 1;
            counter!("matthon_gop_dropped_total", "consumer" => "ring").increment(1);
            return false;
        }
        let loss = sample.loss_before || gate.dropping;
        gate.dropping = false;
        gate.bytes += weight;
        inner.bytes += weight;
        inner.queue.push_back(Arrived { sample: sample.clone(), at, loss });
        true
    }

    /// Everything that waits, in the order it came.
    pub(crate) fn take(&self) -> VecDeque<Arrived> {
        std::mem::take(&mut self.lock().queue)
    }

    /// These bytes of a stream are durable, or given up.
    pub(crate) fn release(&self, stream: &Arc<StreamId>, weight: usize) {
        let mut inner = self.lock();
        inner.bytes = inner.bytes.saturating_sub(weight);
        if let Some(gate) = inner.gates.get_mut(stream) {
            gate.bytes = gate.bytes.saturating_sub(weight);
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let inner = self.lock();
        Counts { dropped_gops: inner.dropped_gops, oversized: inner.oversized, bytes: inner.bytes }
    }

    /// Takes no more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }
}
