//! The recording side as the rest of the house sees it.

pub use crate::writer::layout::Progress;
use crate::{
    catalog::Catalog,
    coverage,
    disk::Disk,
    error::RingError,
    inspect::{Rebuilt, beside},
    intake::{Intake, Limits},
    paths,
    reader::Reader,
    sign::Signer,
    spec::RingSpec,
    status::RingStatus,
    writer::{core::Core, layout, mend::Mends, start, thread::Writer},
};
use domain::{Clock, Sample};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Bytes received and not yet durable, all streams together.
const IN_FLIGHT: usize = 64 << 20;
/// The same, of one stream.
const IN_FLIGHT_STREAM: usize = 24 << 20;
/// How long closing may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A ring being recorded to. Clones are the same ring; when the last is dropped without [`close`](Self::close) the writer
/// still finishes what it has, unobserved.
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

struct Inner {
    catalog: Arc<Catalog>,
    intake: Arc<Intake>,
    clock: Arc<dyn Clock>,
    status: Arc<Mutex<RingStatus>>,
    synced_at: Arc<AtomicU64>,
    ring: [u8; 16],
    mends: Mends,
    writer: Writer,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({})", self.0.catalog.spec.name)
    }
}

impl Recorder {
    /// Locks the paths, reserves the space, recovers what the last run left and starts the writer. Blocking.
    ///
    /// # Errors
    /// When the ring cannot be laid out, another process records there, space is missing, or the disk refuses.
    pub fn open(spec: RingSpec, disk: Arc<dyn Disk>, clock: Arc<dyn Clock>, signer: Arc<dyn Signer>) -> Result<Self, RingError> {
        Self::open_telling(spec, disk, clock, signer, &mut |_| {})
    }

    /// The same, and tells how far the layout is: the first start reserves hundreds of files.
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    pub fn open_telling(
        spec: RingSpec,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        signer: Arc<dyn Signer>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, RingError> {
        let (core, locks) = prepare_telling(spec, disk, clock.clone(), signer, progress)?;
        let (catalog, intake) = (core.catalog().clone(), core.intake().clone());
        let (status, synced_at, ring, mends) = (core.status(), core.synced_at(), core.ring(), core.mends());
        let path = catalog.paths.first_in().map(std::path::Path::to_owned).unwrap_or_default();
        let writer = Writer::start(core, locks).map_err(|e| catalog.io("start the writer of", path.clone(), e))?;
        // Beside the recording: until it is done, questions about a time are answered from the footers.
        let weak = Arc::downgrade(&catalog);
        let building = std::thread::Builder::new().name("coverage".into()).spawn(move || coverage::build(&weak));
        building.map_err(|e| catalog.io("start the list of what is covered of", path, e))?;
        Ok(Self(Arc::new(Inner { catalog, intake, clock, status, synced_at, ring, mends, writer })))
    }

    /// Takes a sample. Never blocks on the disk; when too much waits, whole groups of this stream are dropped and counted.
    pub fn push(&self, sample: &Sample) {
        self.0.intake.push(sample, self.0.clock.mono());
    }

    /// Reads what is recorded, up to the last batch.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::of(self.0.catalog.clone())
    }

    /// How the ring is doing.
    #[must_use]
    pub fn status(&self) -> RingStatus {
        let mut status = self.0.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Told by the clock and not by the writer's last turn, which may be hanging in the disk.
        let ago = self.0.clock.mono().0.saturating_sub(self.0.synced_at.load(Ordering::Relaxed));
        status.last_sync_micros_ago = ago;
        status.in_flight_bytes = self.0.intake.counts().bytes as u64;
        status.paths = self.0.catalog.paths.status();
        status
    }

    /// The ring's own name, in all its files.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.0.ring
    }

    /// Writes missing footers and the index anew while recording goes on. Blocking; `progress` is called with blocks done and
    /// in all.
    ///
    /// # Errors
    /// When the index is refused.
    pub fn rebuild(&self, progress: impl FnMut(u64, u64)) -> Result<Rebuilt, RingError> {
        beside(&self.0.catalog, &self.0.mends, self.0.clock.wall(), progress)
    }

    /// Largest access unit this ring records.
    #[must_use]
    pub fn max_access_unit(&self) -> usize {
        self.0.catalog.spec.max_access_unit()
    }

    /// Writes what is there, syncs, seals, and ends the writer. What is pushed afterwards is ignored.
    ///
    /// # Errors
    /// When the disk does not take it within 5 s.
    pub fn close(self) -> Result<(), RingError> {
        let ring = || self.0.catalog.spec.name.clone();
        self.0.writer.stop(PATIENCE).map_err(|reason| RingError::Stop { ring: ring(), reason: reason.into() })?;
        let status = self.status();
        if status.in_flight_bytes > 0 {
            return Err(RingError::Stop {
                ring: ring(),
                reason: format!("{} bytes were not written: {}", status.in_flight_bytes, status.detail),
            });
        }
        Ok(())
    }
}

/// Everything of a start but the thread.
pub(crate) fn prepare(
    spec: RingSpec,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    signer: Arc<dyn Signer>,
) -> Result<(Core, Vec<crate::disk::LockGuard>), RingError> {
    prepare_telling(spec, disk, clock, signer, &mut |_| {})
}

fn prepare_telling(
    spec: RingSpec,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    signer: Arc<dyn Signer>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Core, Vec<crate::disk::LockGuard>), RingError> {
    spec.check()?;
    let now = clock.wall();
    let (paths, locks) = paths::open(&spec, &*disk, now)?;
    start::begin(&spec, &*disk, &paths, &*clock, &*signer)?;
    let laid = layout::allocate(&spec, &*disk, &paths, now, progress)?;
    let limits = Limits { stream: IN_FLIGHT_STREAM, total: IN_FLIGHT, sample: spec.max_access_unit() };
    let (catalog, found) = start::find(spec, disk, &*clock, &*signer, paths, &laid)?;
    Ok((Core::new(Arc::new(catalog), clock, signer, Arc::new(Intake::new(limits)), found), locks))
}
