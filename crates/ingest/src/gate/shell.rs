//! Makes tasks wait for their [`Ramp`]: one per host, created on demand, forgotten when idle.

use super::{IN_FLIGHT, Ramp, SPACING, Ticket, Turn};
use domain::MonoTime;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// The gates of all hosts, shared by all streams.
#[derive(Debug)]
pub struct HostGate {
    hosts: Mutex<HashMap<String, Arc<Gate>>>,
    limit: usize,
    spacing: Duration,
    started: Instant,
}

#[derive(Debug)]
struct Gate {
    ramp: Mutex<Ramp>,
    changed: Notify,
}

impl Default for HostGate {
    fn default() -> Self {
        Self::new(IN_FLIGHT, SPACING)
    }
}

impl HostGate {
    /// At most `limit` connects in flight per host, their beginnings `spacing` apart.
    #[must_use]
    pub fn new(limit: usize, spacing: Duration) -> Self {
        Self { hosts: Mutex::default(), limit, spacing, started: Instant::now() }
    }

    /// Waits for a turn to connect to `host`. The turn lasts until the [`Pass`] is dropped.
    pub async fn enter(&self, host: &str) -> Pass {
        let gate = self.gate(host);
        let place = Place { ticket: lock(&gate.ramp).join(), gate: gate.clone(), admitted: false };
        loop {
            // Registered before asking, so that a change in between is not missed.
            let changed = gate.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let answer = lock(&gate.ramp).ask(self.now(), place.ticket);
            match answer {
                Turn::Go => return place.into_pass(),
                Turn::At(at) => {
                    tokio::select! {
                        () = tokio::time::sleep(at.since(self.now())) => {}
                        () = changed => {}
                    }
                }
                Turn::Later => changed.await,
            }
        }
    }

    fn gate(&self, host: &str) -> Arc<Gate> {
        let mut hosts = lock(&self.hosts);
        // Bounded by the hosts in use now: an idle gate has nothing to remember but its last start.
        hosts.retain(|name, gate| name == host || Arc::strong_count(gate) > 1 || !lock(&gate.ramp).is_idle());
        let new = || Arc::new(Gate { ramp: Mutex::new(Ramp::new(self.limit, self.spacing)), changed: Notify::new() });
        hosts.entry(host.to_owned()).or_insert_with(new).clone()
    }

    fn now(&self) -> MonoTime {
        MonoTime(0).plus(self.started.elapsed())
    }
}

/// A place in the queue that is given back when the wait is cancelled.
struct Place {
    ticket: Ticket,
    gate: Arc<Gate>,
    admitted: bool,
}

impl Place {
    fn into_pass(mut self) -> Pass {
        self.admitted = true;
        // The one behind may go as soon as the spacing has passed: it must look at the clock.
        self.gate.changed.notify_waiters();
        Pass(self.gate.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.admitted {
            lock(&self.gate.ramp).leave(self.ticket);
            self.gate.changed.notify_waiters();
        }
    }
}

/// The right to connect; dropping it lets the next one go.
#[derive(Debug)]
pub struct Pass(Arc<Gate>);

impl Drop for Pass {
    fn drop(&mut self) {
        lock(&self.0.ramp).done();
        self.0.changed.notify_waiters();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn one_host_is_ramped_and_another_does_not_wait() {
        let gate = Arc::new(HostGate::new(4, Duration::from_millis(100)));
        let (flying, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let begun = Instant::now();
        let tasks: Vec<_> = (0..30)
            .map(|_| {
                let (gate, flying, most) = (gate.clone(), flying.clone(), most.clone());
                tokio::spawn(async move {
                    let _pass = gate.enter("recorder").await;
                    most.fetch_max(flying.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    flying.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        drop(gate.enter("elsewhere").await);
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for task in tasks {
            task.await.expect("task");
        }
        assert_eq!(most.load(Ordering::SeqCst), 4);
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_wait_gives_its_place_back() {
        let gate = Arc::new(HostGate::new(1, Duration::ZERO));
        let pass = gate.enter("h").await;
        assert!(tokio::time::timeout(Duration::from_secs(1), gate.enter("h")).await.is_err());
        let third = tokio::spawn({
            let gate = gate.clone();
            async move { drop(gate.enter("h").await) }
        });
        tokio::task::yield_now().await;
        drop(pass);
        third.await.expect("third gets the turn");
    }
}
