//! Looking at a video file from its beginning to its end, in a worker of its own.
//!
//! Belongs here: the core's side of a replay; it blocks. Does not belong here: rules (`analytics`), opening the file.

use crate::{
    launcher::{Launcher, Process, Purpose},
    memory,
    model::Model,
    protocol::{FromWorker, Start, ToWorker, Up, control, notes, stream},
    supervisor::{VERSION, plain},
};
use domain::Observation;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::{
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::Duration,
};

/// A worker that is not ready by then never will be.
const READY: Duration = Duration::from_secs(30);
/// A worker that does not look at a single picture for so long hangs.
const PROGRESS: Duration = Duration::from_secs(60);

/// A file that was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Pictures decoded.
    pub decoded: u64,
    /// Times the decoder said no.
    pub undecodable: u64,
    /// Length of the file, µs: end of the last picture shown.
    pub length_micros: i64,
}

/// Why a file was not looked at to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no worker.
    #[error("{0}")]
    Launch(io::Error),
    /// The worker cannot run the model.
    #[error("the worker cannot detect: {0}")]
    NoDetection(String),
    /// It is no video file, or one that cannot be read.
    #[error("the video file cannot be read: {0}")]
    File(String),
    /// The worker ended.
    #[error("the worker {0} while it looked at the file")]
    Crashed(String),
    /// The worker does not go on.
    #[error("the worker did not answer for {} s", .0.as_secs())]
    Silent(Duration),
    /// The worker says what cannot be.
    #[error("the worker does not keep to the protocol: {0}")]
    Protocol(String),
    /// The system refused something.
    #[error("a worker cannot be spoken with: {0}")]
    Io(io::Error),
}

/// Decodes `file` from its beginning in a worker of its own and hands over every observation, in order, without the motion gate.
/// `Observation::capture` counts from the file's beginning (µs). Blocks until the file is over.
///
/// # Errors
/// When there is no worker, it cannot run the model, ends early, hangs, or the file is no video.
pub fn replay(launcher: &dyn Launcher, model: Model, fps: f32, file: File, on: impl FnMut(Observation)) -> Result<Replayed, ReplayError> {
    let launched = launcher.launch(&Purpose::Replay).map_err(ReplayError::Launch)?;
    let mut worker = Worker { control: launched.control, process: launched.process };
    let result = worker.run(model, fps, file, on);
    match result {
        // How it ended tells more than that it did.
        Err(ReplayError::Crashed(_)) => Err(ReplayError::Crashed(worker.ended())),
        other => other,
    }
}

struct Worker {
    control: OwnedFd,
    process: Box<dyn Process>,
}

impl Worker {
    fn run(&mut self, model: Model, fps: f32, file: File, mut on: impl FnMut(Observation)) -> Result<Replayed, ReplayError> {
        self.start(model)?;
        let (ours, theirs) = UnixStream::pair().map_err(ReplayError::Io)?;
        ours.set_read_timeout(Some(PROGRESS)).map_err(ReplayError::Io)?;
        self.tell(&ToWorker::Replay { fps }, &[file.as_fd(), theirs.as_fd()])?;
        drop((file, theirs));
        // From here on only counts come, which are of no interest; unread, they would fill the socket and stop the worker.
        rustix::io::ioctl_fionbio(&self.control, true).map_err(|e| ReplayError::Io(e.into()))?;
        let mut source = io::BufReader::new(ours);
        let mut done = Replayed::default();
        loop {
            self.drain();
            match next(&mut source)? {
                Some(Up::Seen(observation)) => on(observation),
                Some(Up::Undecodable { what }) => {
                    done.undecodable += 1;
                    tracing::warn!(what = %plain(&what), "a picture of the file cannot be decoded");
                }
                Some(Up::End { decoded, length_micros }) => return Ok(Replayed { decoded, length_micros, ..done }),
                Some(Up::Failed { what }) => return Err(ReplayError::File(plain(&what))),
                None => return Err(ReplayError::Crashed(String::new())),
            }
        }
    }

    fn start(&self, model: Model) -> Result<(), ReplayError> {
        let notes = memory::fixed("matthon-notes", notes::LEN).map_err(ReplayError::Io)?;
        let bytes = model.descriptor().map_err(ReplayError::Io)?;
        let start = Start { version: VERSION.to_owned(), detectors: 1, model: Some(model.spec) };
        self.tell(&ToWorker::Start(start), &[notes.as_fd(), bytes.as_fd()])?;
        set_socket_timeout(&self.control, Timeout::Recv, Some(READY)).map_err(|e| ReplayError::Io(e.into()))?;
        loop {
            match control::receive::<FromWorker>(&self.control) {
                Ok(Some((FromWorker::Ready(ready), _))) => {
                    if ready.version != VERSION {
                        return Err(ReplayError::Protocol(format!("it is version {}", plain(&ready.version))));
                    }
                    return ready.trouble.map_or(Ok(()), |why| Err(ReplayError::NoDetection(plain(&why))));
                }
                Ok(Some((FromWorker::Counts(_), _))) => {}
                Ok(Some((other, _))) => return Err(ReplayError::Protocol(format!("{other:?} before it is ready"))),
                Ok(None) => return Err(ReplayError::Crashed(String::new())),
                Err(e) => return Err(fault(e, READY)),
            }
        }
    }

    fn tell(&self, message: &ToWorker, descriptors: &[std::os::fd::BorrowedFd<'_>]) -> Result<(), ReplayError> {
        control::send(&self.control, message, descriptors).map_err(|e| fault(e, READY))
    }

    fn drain(&self) {
        while let Ok(Some(_)) = control::receive::<FromWorker>(&self.control) {}
    }

    fn ended(&mut self) -> String {
        self.process.kill();
        self.process.wait().unwrap_or(crate::Exit::Unknown).to_string()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill();
        if let Err(e) = self.process.wait() {
            tracing::debug!(error = %e, "a replay's worker was not reaped");
        }
    }
}

fn next(source: &mut impl Read) -> Result<Option<Up>, ReplayError> {
    let mut prefix = [0; 4];
    match source.read_exact(&mut prefix) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other.map_err(|e| fault(e, PROGRESS))?,
    }
    let mut head = vec![0; stream::length(prefix).map_err(|e| fault(e, PROGRESS))?];
    source.read_exact(&mut head).map_err(|e| fault(e, PROGRESS))?;
    stream::decode(&head).map(Some).map_err(|e| fault(e, PROGRESS))
}

fn fault(e: io::Error, waited: Duration) -> ReplayError {
    match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ReplayError::Silent(waited),
        io::ErrorKind::InvalidData => ReplayError::Protocol(e.to_string()),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => ReplayError::Crashed(String::new()),
        _ => ReplayError::Io(e),
    }
}

#[cfg(test)]
mod tests;
