//! Starting a worker, as the supervisor sees it.
//!
//! Belongs here: the contract between the supervisor and whatever makes worker processes. Does not belong here: how the
//! system makes one (`system`), when one is needed (`keeper`).

use std::{fmt, io, os::fd::OwnedFd};

/// What a worker is started for; for names in logs and in the process list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// All streams that are not suspected of anything.
    Main,
    /// One suspected stream, by its name.
    Quarantine(String),
    /// One video file.
    Replay,
    /// The viewing copy of one film.
    Copy,
    /// One picture of many cameras.
    Wall,
    /// One stream in H.264, by its name.
    Rendition(String),
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Main => f.write_str("main"),
            Self::Quarantine(name) => write!(f, "quarantine of {name}"),
            Self::Replay => f.write_str("replay"),
            Self::Copy => f.write_str("viewing copy"),
            Self::Wall => f.write_str("wall"),
            Self::Rendition(name) => write!(f, "rendition of {name}"),
        }
    }
}

/// Makes workers.
pub trait Launcher: Send + Sync + 'static {
    /// Starts one. Must not take longer than a `fork` and `exec` do: it is called on the supervisor's thread.
    ///
    /// # Errors
    /// When there is no program or the system refuses; `NotFound` means that the program is missing.
    fn launch(&self, purpose: &Purpose) -> io::Result<Launched>;
}

/// A worker that was just started.
#[derive(Debug)]
pub struct Launched {
    /// The core's end of the control socket (`SOCK_SEQPACKET`); the other end is the worker's standard input.
    pub control: OwnedFd,
    /// The process.
    pub process: Box<dyn Process>,
}

/// A worker's process.
pub trait Process: Send + fmt::Debug {
    /// Its number in the system.
    fn pid(&self) -> u32;
    /// Ends it at once. Harmless when it has ended already.
    fn kill(&mut self);
    /// Waits until it has ended; blocks.
    ///
    /// # Errors
    /// When the system does not know it.
    fn wait(&mut self) -> io::Result<Exit>;
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Nobody knows: the system did not say in time.
    Unknown,
}

impl Exit {
    /// `exit`, `signal` or `unknown`: the label of the restart metric.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Status(_) => "exit",
            Self::Signal(_) => "signal",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "ended with status {code}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Self::Unknown => f.write_str("ended, nobody knows how"),
        }
    }
}
