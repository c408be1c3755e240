//! A worker for one piece of work that somebody waits for: a replay, a viewing copy, a wall, a rendition. Blocks.
//!
//! Belongs here: starting it, its control socket, how it ended. Does not belong here: the work.

use crate::{
    launcher::{Exit, Launcher, Process, Purpose},
    memory,
    model::Model,
    protocol::{FromWorker, Start, ToWorker, control, notes},
    supervisor::{VERSION, plain},
};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

/// A worker that is not ready by then never will be.
const READY: Duration = Duration::from_secs(30);

/// What is wrong with a worker.
#[derive(Debug, thiserror::Error)]
pub enum LoneError {
    /// There is none.
    #[error("{0}")]
    Launch(io::Error),
    /// It ended.
    #[error("the worker {0} in the middle of its work")]
    Crashed(String),
    /// It does not go on.
    #[error("the worker did not answer for {} s", .0.as_secs())]
    Silent(Duration),
    /// It says what cannot be.
    #[error("the worker does not keep to the protocol: {0}")]
    Protocol(String),
    /// The system refused something.
    #[error("a worker cannot be spoken with: {0}")]
    Io(io::Error),
}

/// A running one; ended when dropped.
pub(crate) struct Lone {
    control: OwnedFd,
    process: Box<dyn Process>,
    /// Why it cannot run the model it was given.
    pub(crate) trouble: Option<String>,
}

impl Lone {
    /// Starts one and waits until it is ready.
    pub(crate) fn start(launcher: &dyn Launcher, purpose: &Purpose, model: Option<Model>) -> Result<Self, LoneError> {
        let launched = launcher.launch(purpose).map_err(LoneError::Launch)?;
        let mut worker = Self { control: launched.control, process: launched.process, trouble: None };
        match worker.greet(model) {
            Ok(trouble) => {
                worker.trouble = trouble;
                // From here on only counts come, which are of no interest; unread, they would fill the socket and stop the worker.
                rustix::io::ioctl_fionbio(&worker.control, true).map_err(|e| LoneError::Io(e.into()))?;
                Ok(worker)
            }
            Err(error) => Err(worker.judged(error)),
        }
    }

    fn greet(&self, model: Option<Model>) -> Result<Option<String>, LoneError> {
        let notes = memory::fixed("matthon-notes", notes::LEN).map_err(LoneError::Io)?;
        let bytes = model.as_ref().map(Model::descriptor).transpose().map_err(LoneError::Io)?;
        let start = Start { version: VERSION.to_owned(), detectors: 1, model: model.map(|m| m.spec) };
        let descriptors: Vec<BorrowedFd<'_>> = std::iter::once(notes.as_fd()).chain(bytes.as_ref().map(AsFd::as_fd)).collect();
        self.tell(&ToWorker::Start(start), &descriptors)?;
        set_socket_timeout(&self.control, Timeout::Recv, Some(READY)).map_err(|e| LoneError::Io(e.into()))?;
        loop {
            match control::receive::<FromWorker>(&self.control) {
                Ok(Some((FromWorker::Ready(ready), _))) => {
                    if ready.version != VERSION {
                        return Err(LoneError::Protocol(format!("it is version {}", plain(&ready.version))));
                    }
                    return Ok(ready.trouble.map(|why| plain(&why)));
                }
                Ok(Some((FromWorker::Counts(_), _))) => {}
                Ok(Some((other, _))) => return Err(LoneError::Protocol(format!("{other:?} before it is ready"))),
                Ok(None) => return Err(LoneError::Crashed(String::new())),
                Err(e) => return Err(fault(e, READY)),
            }
        }
    }

    /// Says something.
    pub(crate) fn tell(&self, message: &ToWorker, descriptors: &[BorrowedFd<'_>]) -> Result<(), LoneError> {
        control::send(&self.control, message, descriptors).map_err(|e| fault(e, READY))
    }

    /// Throws away what it counted meanwhile.
    pub(crate) fn drain(&self) {
        drain(&self.control);
    }

    /// The same for whoever cannot hold the worker itself meanwhile: see [`drain`].
    pub(crate) fn counts(&self) -> io::Result<OwnedFd> {
        self.control.try_clone()
    }

    /// An error with how the worker ended, which tells more than that it did.
    pub(crate) fn judged(&mut self, error: LoneError) -> LoneError {
        let LoneError::Crashed(_) = error else { return error };
        self.process.kill();
        LoneError::Crashed(self.process.wait().unwrap_or(Exit::Unknown).to_string())
    }
}

impl Drop for Lone {
    fn drop(&mut self) {
        self.process.kill();
        if let Err(e) = self.process.wait() {
            tracing::debug!(error = %e, "a worker was not reaped");
        }
    }
}

/// Throws away what a worker counted meanwhile.
pub(crate) fn drain(control: &OwnedFd) {
    while let Ok(Some(_)) = control::receive::<FromWorker>(control) {}
}

/// What an error of a socket means.
pub(crate) fn fault(e: io::Error, waited: Duration) -> LoneError {
    match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => LoneError::Silent(waited),
        io::ErrorKind::InvalidData => LoneError::Protocol(e.to_string()),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => LoneError::Crashed(String::new()),
        _ => LoneError::Io(e),
    }
}
