//! A ring turned by hand, for simulations that have one thread: the very core of [`Recorder`](crate::Recorder), ticked by whoever
//! owns it instead of by its thread.

use crate::{
    coverage,
    disk::{Disk, LockGuard},
    error::RingError,
    intake::Intake,
    reader::Reader,
    recorder::prepare,
    sign::Signer,
    spec::RingSpec,
    status::RingStatus,
    writer::core::Core,
};
use domain::{Clock, MonoTime, Sample};
use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

/// A ring whose writer is ticked by hand.
pub struct Stepped {
    core: Core,
    _locks: Vec<LockGuard>,
}

/// Where its samples go in. Clones lead to the same ring.
#[derive(Clone)]
pub struct Inlet(Arc<Intake>);

impl Inlet {
    /// Takes a sample that arrived then; says whether it is kept, or dropped because too much waits.
    pub fn push(&self, sample: &Sample, at: MonoTime) -> bool {
        self.0.push(sample, at)
    }
}

impl Stepped {
    /// As [`Recorder::open`](crate::Recorder::open), without a thread. What is covered is not known before
    /// [`learn`](Self::learn).
    ///
    /// # Errors
    /// The same.
    pub fn open(spec: RingSpec, disk: Arc<dyn Disk>, clock: Arc<dyn Clock>, signer: Arc<dyn Signer>) -> Result<Self, RingError> {
        let (core, locks) = prepare(spec, disk, clock, signer)?;
        Ok(Self { core, _locks: locks })
    }

    /// Makes the list of what is covered, which a recorder makes beside the recording.
    pub fn learn(&self) {
        coverage::build(&Arc::downgrade(self.core.catalog()));
    }

    /// Where samples go in.
    #[must_use]
    pub fn inlet(&self) -> Inlet {
        Inlet(self.core.intake().clone())
    }

    /// One turn of the writer.
    pub fn tick(&mut self) {
        self.core.tick();
    }

    /// How long the thread of a recorder sleeps between turns.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.core.period()
    }

    /// Writes what is there and seals, as an orderly stop does.
    pub fn finish(&mut self) {
        self.core.finish();
    }

    /// Reads what is recorded.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::of(self.core.catalog().clone())
    }

    /// How the ring is doing.
    #[must_use]
    pub fn status(&self) -> RingStatus {
        self.core.status().lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything received before then is durable.
    #[must_use]
    pub fn synced_at(&self) -> MonoTime {
        MonoTime(self.core.synced_at().load(Ordering::Relaxed))
    }
}
