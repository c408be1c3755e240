//! What goes into the keeper and what comes out of it.

use std::{fmt, time::Duration};

/// Names a worker; counts up, is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerId(pub(crate) u64);

/// Which streams a worker is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// All that are not suspected.
    Main,
    /// This one, which is.
    Quarantine(u32),
}

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It could not even be started.
    NotLaunched(WorkerId),
    /// It is ready; `sees` when it can detect.
    Ready { worker: WorkerId, sees: bool },
    /// It answered a ping.
    Pong { worker: WorkerId, number: u64 },
    /// It does what no worker may; `streams` are those it did it with, if that is known.
    Misbehaved { worker: WorkerId, why: Why, streams: Vec<u32> },
    /// It let a stream go without having been asked to.
    Dropped { worker: WorkerId, stream: u32 },
    /// It is gone; `noted` are the streams at which it was at work at the end.
    Exited { worker: WorkerId, noted: Vec<u32> },
    /// A stream's source is no more.
    Over { stream: u32 },
}

/// Something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start a worker.
    Launch { worker: WorkerId, role: Role },
    /// End a worker; [`Event::Exited`] is to follow.
    Kill { worker: WorkerId, why: Why },
    /// Give a stream to a worker that is ready. `fresh`: from the next random access point, because what is cached may
    /// be what ended the last one.
    Open { worker: WorkerId, stream: u32, fresh: bool },
    /// Take a stream back.
    Close { worker: WorkerId, stream: u32 },
    /// Ask whether it is alive.
    Ping { worker: WorkerId, number: u64 },
}

/// Why a worker is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It was not ready in time.
    NotReady,
    /// It is of another version.
    Stranger,
    /// It does not keep to the protocol.
    Nonsense,
    /// It does not read the control socket.
    Deaf,
    /// It does not answer pings.
    NoPong,
    /// One of its threads works at the same thing for too long.
    Hung,
    /// It does not read a stream's socket.
    Stalled,
    /// Its stream behaved well for long enough.
    Paroled,
    /// Its stream is no more.
    Over,
}

impl Why {
    /// The label of the restart metric.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::NotReady => "not-ready",
            Self::Stranger => "stranger",
            Self::Nonsense => "nonsense",
            Self::Deaf => "deaf",
            Self::NoPong => "no-pong",
            Self::Hung => "hung",
            Self::Stalled => "stalled",
            Self::Paroled => "paroled",
            Self::Over => "over",
        }
    }

    /// Whether the worker is ended because of what it did.
    pub(crate) fn is_fault(self) -> bool {
        !matches!(self, Self::Paroled | Self::Over)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReady => "was not ready in time",
            Self::Stranger => "is of another version than the core: install both from one build",
            Self::Nonsense => "did not keep to the protocol",
            Self::Deaf => "did not read its messages",
            Self::NoPong => "did not answer",
            Self::Hung => "hung",
            Self::Stalled => "did not read a stream",
            Self::Paroled => "was no longer needed: its stream behaves",
            Self::Over => "was no longer needed: its stream is no more",
        })
    }
}

/// All durations, in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// Start to ready. Generous: the first start on a slow disk builds GStreamer's plug-in registry.
    pub(crate) ready: Duration,
    /// Between pings.
    pub(crate) ping: Duration,
    /// Ping to pong.
    pub(crate) pong: Duration,
    /// The main worker's second restart waits this, each further one twice as long …
    pub(crate) restart: Duration,
    /// … up to this.
    pub(crate) restart_max: Duration,
    /// After so long without an end, the next one counts as the first again.
    pub(crate) healthy: Duration,
    /// Wait after the first crash in quarantine, doubled with each further one …
    pub(crate) crash: Duration,
    /// … up to this.
    pub(crate) crash_max: Duration,
    /// A suspect that behaves for so long goes back; twice as long at each further arrest …
    pub(crate) parole: Duration,
    /// … unless it behaved for so long in between.
    pub(crate) forgotten: Duration,
    /// Before a stream the worker let go is given to it again.
    pub(crate) reopen: Duration,
    /// A thread that is at the same access unit or picture for so long hangs.
    pub(crate) hung: Duration,
    /// A stream's socket of which nothing is read for so long has nobody at its other end.
    pub(crate) stalled: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ready: Duration::from_secs(30),
            ping: Duration::from_secs(2),
            pong: Duration::from_secs(10),
            restart: Duration::from_millis(200),
            restart_max: Duration::from_secs(5),
            healthy: Duration::from_secs(60),
            crash: Duration::from_secs(1),
            crash_max: Duration::from_secs(300),
            parole: Duration::from_secs(60),
            forgotten: Duration::from_secs(3600),
            reopen: Duration::from_secs(1),
            hung: Duration::from_secs(10),
            stalled: Duration::from_secs(20),
        }
    }
}
