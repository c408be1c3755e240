//! Detector threads around a [`Scheduler`].
//!
//! Belongs here: threads, their lock, counters and order of stop. Does not belong here: the choice of the next picture, and
//! what is done with results ([`Hooks`]).

use crate::{DetectError, Detector, Picture, scheduler::Scheduler};
use domain::Detection;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Something that looks at pictures, on one thread: a [`Detector`].
pub trait Look: Send + 'static {
    /// What is seen.
    ///
    /// # Errors
    /// When it cannot be looked at; the next picture may be fine.
    fn look(&mut self, picture: &Picture) -> Result<Vec<Detection>, DetectError>;
}

impl Look for Detector {
    fn look(&mut self, picture: &Picture) -> Result<Vec<Detection>, DetectError> {
        self.detect(picture)
    }
}

/// A picture that was looked at.
#[derive(Debug)]
pub struct Done<T> {
    /// Whose.
    pub stream: u32,
    /// What came with the picture.
    pub tag: T,
    /// The picture.
    pub picture: Arc<Picture>,
    /// What was seen.
    pub result: Result<Vec<Detection>, DetectError>,
    /// How long looking took.
    pub took: Duration,
}

/// What the pool's owner wants to know, told on the detector's thread (`detect-0`, …), never under the pool's lock.
/// They must not panic: that thread would be gone.
pub trait Hooks<T>: Send + Sync + 'static {
    /// Detector `detector` begins to look at a picture of `stream`: whatever happens now is that stream's doing.
    fn before(&self, detector: usize, stream: u32);
    /// It came back from it.
    fn after(&self, detector: usize, stream: u32);
    /// The result; a stream's results come one after another, in the order of its pictures. Not called for a stream that was
    /// removed meanwhile (one that had already begun may still be running when [`Pool::remove`] returns).
    fn done(&self, done: Done<T>);
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Pictures looked at.
    pub inferred: u64,
    /// Pictures replaced by a newer one before they were looked at.
    pub superseded: u64,
    /// Pictures that could not be looked at.
    pub failed: u64,
    /// Time that detectors were at work, µs, all together.
    pub busy_micros: u64,
}

/// Threads that look at pictures. Dropping it stops it.
#[derive(Debug)]
pub struct Pool<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    wake: Condvar,
    inferred: AtomicU64,
    superseded: AtomicU64,
    failed: AtomicU64,
    busy_micros: AtomicU64,
}

#[derive(Debug)]
struct State<T> {
    scheduler: Scheduler<(Arc<Picture>, T)>,
    stopped: bool,
}

impl<T: Send + 'static> Pool<T> {
    /// Starts a thread for each detector.
    ///
    /// # Errors
    /// When a thread cannot be started; those that were are stopped again.
    pub fn start<L: Look>(detectors: Vec<L>, hooks: &Arc<dyn Hooks<T>>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State { scheduler: Scheduler::default(), stopped: false }),
            wake: Condvar::new(),
            inferred: AtomicU64::new(0),
            superseded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            busy_micros: AtomicU64::new(0),
        });
        let mut pool = Self { shared, threads: Vec::with_capacity(detectors.len()) };
        for (number, mut detector) in detectors.into_iter().enumerate() {
            let (shared, hooks) = (Arc::clone(&pool.shared), Arc::clone(hooks));
            let name = format!("detect-{number}");
            pool.threads.push(thread::Builder::new().name(name).spawn(move || shared.work(number, &mut detector, &*hooks))?);
        }
        Ok(pool)
    }

    /// Hands a stream's newest picture in; never waits for a detector. `true`: it replaced one that nobody had looked at.
    /// `interested`: something is being followed there, it goes before others. `tag` comes back with the result.
    pub fn submit(&self, stream: u32, interested: bool, picture: Arc<Picture>, tag: T) -> bool {
        let mut state = self.shared.lock();
        if state.stopped {
            return false;
        }
        let old = state.scheduler.submit(stream, interested, (picture, tag));
        drop(state);
        self.shared.wake.notify_one();
        let replaced = old.is_some();
        self.shared.superseded.fetch_add(u64::from(replaced), Relaxed);
        replaced
    }

    /// Lets a stream go, with what waits of it. Its number may be used again at once.
    pub fn remove(&self, stream: u32) {
        let old = self.shared.lock().scheduler.remove(stream);
        drop(old);
    }

    /// Counts since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let s = &self.shared;
        Stats {
            inferred: s.inferred.load(Relaxed),
            superseded: s.superseded.load(Relaxed),
            failed: s.failed.load(Relaxed),
            busy_micros: s.busy_micros.load(Relaxed),
        }
    }

    /// Ends the threads, each after telling of the picture it is looking at; what waits is dropped.
    pub fn stop(self) {
        drop(self);
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stopped = true;
        let waiting = state.scheduler.clear();
        drop(state);
        drop(waiting);
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            // The last owner may be a hook on a detector's own thread, which cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                // A panic of a hook was told on standard error when it happened.
                let _ = thread.join();
            }
        }
    }
}

impl<T> Shared<T> {
    /// No step under the lock can leave the state half changed, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: 'static> Shared<T> {
    fn work<L: Look>(&self, number: usize, detector: &mut L, hooks: &dyn Hooks<T>) {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return;
            }
            let Some((turn, (picture, tag))) = state.scheduler.pick() else {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);

            hooks.before(number, turn.stream);
            let begin = Instant::now();
            // A detector writes all of its buffers anew for each picture: it is sound after a panic too.
            let result = catch_unwind(AssertUnwindSafe(|| detector.look(&picture))).unwrap_or(Err(DetectError::Panicked));
            let took = begin.elapsed();
            hooks.after(number, turn.stream);

            let counter = if result.is_ok() { &self.inferred } else { &self.failed };
            counter.fetch_add(1, Relaxed);
            self.busy_micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
            if self.lock().scheduler.lives(turn) {
                hooks.done(Done { stream: turn.stream, tag, picture, result, took });
            }

            // Only now: another thread could tell the stream's next result before this one.
            state = self.lock();
            state.scheduler.done(turn);
        }
    }
}
