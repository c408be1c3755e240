//! The words all other crates speak: ids, time, formats, samples, geometry and health.
//!
//! Belongs here: plain values that more than one crate names, and the `Clock` trait.
//! Does not belong here: I/O of any kind, a read of a real clock, a thread, a parser of
//! camera bytes (see `media`) or anything only one crate needs.

pub mod audit;
pub mod case;
pub mod format;
pub mod gap;
pub mod geometry;
pub mod health;
pub mod hex;
pub mod ids;
pub mod mask;
pub mod observation;
pub mod role;
pub mod sample;
pub mod secret;
pub mod sighting;
pub mod spoken;
pub mod time;
pub mod track;
pub mod trust;
pub mod violation;
pub mod wall;
mod words;

pub use audit::Audited;
pub use case::{Answer, CaseId, CaseState, ClipState, StillState};
pub use format::{AudioCodec, AudioFormat, Format, VideoCodec, VideoFormat};
pub use gap::{BoxRun, Gap, GapReason, LinkChange};
pub use health::{Board, Link, Note, StreamHealth};
pub use hex::hex;
pub use ids::{CameraId, Channel, StreamId, StreamKind};
pub use observation::{BBox, Class, Detection, Observation};
pub use role::Role;
pub use sample::Sample;
pub use secret::Secret;
pub use sighting::{Colour, Heading, Sighting};
pub use spoken::spoken;
pub use time::{Clock, MonoTime, SimClock, WallTime};
pub use track::{Track, TrackId, TrackState};
pub use trust::ClockTrust;
pub use violation::{EndReason, Violation, ViolationEnd, ViolationId, ViolationKind, Why};
pub use wall::WallMode;
