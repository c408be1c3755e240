//! The one thread: ticks the core on a timer until told to stop. Nothing wakes it for a sample.

use super::core::Core;
use crate::disk::LockGuard;
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread::JoinHandle,
};

/// The running thread.
pub(crate) struct Writer {
    stop: Arc<(Mutex<bool>, Condvar)>,
    /// Disconnected when the thread is gone.
    done: Mutex<Option<(Receiver<()>, JoinHandle<()>)>>,
}

impl Writer {
    pub(crate) fn start(mut core: Core, locks: Vec<LockGuard>) -> io::Result<Self> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (tell, done) = channel::<()>();
        let told = stop.clone();
        let thread = std::thread::Builder::new().name("ring".into()).spawn(move || {
            // Given back when the thread ends, however it ends.
            let _held = (tell, locks);
            let (flag, condition) = &*told;
            loop {
                core.tick();
                let guard = flag.lock().unwrap_or_else(PoisonError::into_inner);
                let (stopped, _) =
                    condition.wait_timeout_while(guard, core.period(), |stop| !*stop).unwrap_or_else(PoisonError::into_inner);
                if *stopped {
                    break;
                }
            }
            core.finish();
        })?;
        Ok(Self { stop, done: Mutex::new(Some((done, thread))) })
    }

    fn tell(&self) {
        let (flag, condition) = &*self.stop;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        condition.notify_all();
    }

    /// Waits until everything is written and sealed.
    pub(crate) fn stop(&self, patience: std::time::Duration) -> Result<(), &'static str> {
        self.tell();
        let Some((done, thread)) = self.done.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        match done.recv_timeout(patience) {
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => Err("the disk did not take the last batch in time"),
            _ => thread.join().map_err(|_| "the writer failed; see the log"),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.tell();
    }
}
