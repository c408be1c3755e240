//! Why a connection ended: the kind for the code, a sentence for people.
//!
//! Does not belong here: how long to wait afterwards (see `reconnect`).

use domain::Link;

/// The named reason of a failed or ended session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The camera refuses the name or password.
    Auth,
    /// The camera answers, but not at this path.
    NotFound,
    /// Nothing listens at this address and port.
    Refused,
    /// No route, or the name does not resolve.
    Unreachable,
    /// Accepts the connection and says nothing.
    Silent,
    /// No session to spare (453, 503).
    Busy,
    /// Not RTSP, or RTP that cannot be read.
    Garbage,
    /// No H.264 or H.265 video.
    Unsupported,
    /// Frames, but none to start with, for so long that a new session is worth a try.
    NoKeyframe,
    /// The connection stands, frames stopped.
    Frozen,
    /// The camera ended the session.
    Ended,
    /// This program failed while reading the stream; told as [`Link::Garbage`], because the camera's bytes set it off.
    Crashed,
}

impl Reason {
    /// All of them, in the order of the type.
    pub const ALL: [Self; 12] = [
        Self::Auth,
        Self::NotFound,
        Self::Refused,
        Self::Unreachable,
        Self::Silent,
        Self::Busy,
        Self::Garbage,
        Self::Unsupported,
        Self::NoKeyframe,
        Self::Frozen,
        Self::Ended,
        Self::Crashed,
    ];

    /// The state shown for it.
    #[must_use]
    pub fn link(self) -> Link {
        match self {
            Self::Auth => Link::Auth,
            Self::NotFound => Link::NotFound,
            Self::Refused => Link::Refused,
            Self::Unreachable => Link::Unreachable,
            Self::Silent => Link::Silent,
            Self::Busy => Link::Busy,
            Self::Garbage | Self::Crashed => Link::Garbage,
            Self::Unsupported => Link::Unsupported,
            Self::NoKeyframe => Link::NoKeyframe,
            Self::Frozen => Link::Frozen,
            Self::Ended => Link::Ended,
        }
    }

    /// Label of `matthon_session_ends_total`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Crashed => "crashed",
            other => other.link().key(),
        }
    }
}

/// A failed or ended session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// The kind.
    pub reason: Reason,
    /// What happened, in English, without secrets and without the URL.
    pub detail: String,
}

impl Failure {
    /// Puts the two together.
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}
