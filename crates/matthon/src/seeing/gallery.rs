//! Lines of what came by, on their way from vision's thread to their file. Vision waits for no disk: lines that find the way full are
//! counted and left out; what they tell of is recorded all the same.

use domain::{CameraId, Sighting};
use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use store::Sightings;

/// Lines on their way at most.
const WAITING: usize = 4096;
/// Lines that a file which refuses may leave waiting, beyond those.
const PENDING: usize = 16_384;
/// How long lines are gathered for one write.
const GATHER: Duration = Duration::from_secs(2);

type Line = (CameraId, Sighting);

/// Where lines are handed in.
#[derive(Clone)]
pub(crate) struct Desk(SyncSender<Line>);

impl Desk {
    pub(crate) fn hand_in(&self, camera: &CameraId, lines: Vec<Sighting>) {
        for line in lines {
            match self.0.try_send((camera.clone(), line)) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    metrics::counter!("matthon_sightings_lost_total").increment(1);
                }
            }
        }
    }
}

/// Starts the writer; it ends when the last desk is gone and everything is written.
pub(crate) fn open(sightings: Sightings) -> std::io::Result<(Desk, JoinHandle<()>)> {
    let (desk, lines) = sync_channel(WAITING);
    let writer = std::thread::Builder::new().name("sightings".into()).spawn(move || write(&sightings, &lines))?;
    Ok((Desk(desk), writer))
}

fn write(sightings: &Sightings, lines: &Receiver<Line>) {
    let mut pending: Vec<Line> = Vec::new();
    let mut refused = false;
    loop {
        let open = gather(lines, &mut pending);
        if !pending.is_empty() {
            match sightings.keep(&pending) {
                Ok(()) => {
                    metrics::counter!("matthon_sightings_total").increment(pending.len() as u64);
                    pending.clear();
                    if std::mem::take(&mut refused) {
                        tracing::info!("what comes by is written down for searching again");
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut refused, true) {
                        tracing::error!(%error, "what comes by is not written down for searching; it is recorded, and this is tried again");
                    }
                    let over = pending.len().saturating_sub(PENDING);
                    pending.drain(..over);
                    metrics::counter!("matthon_sightings_lost_total").increment(over as u64);
                }
            }
        }
        if !open {
            return;
        }
    }
}

/// Takes lines for a while, but not for ever more; whether more may come.
fn gather(lines: &Receiver<Line>, into: &mut Vec<Line>) -> bool {
    let end = Instant::now() + GATHER;
    let most = into.len() + WAITING;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => into.push(line),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        if into.len() >= most {
            return true;
        }
    }
}
