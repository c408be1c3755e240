//! Samples ↔ a disk ring: preallocated blocks, one writer thread, one `fdatasync` for all cameras, signed seals.
//!
//! Belongs here: the bytes of the ring (see `FORMAT.md`), the one writer, reading, recovery, and clips cut from it.
//! Does not belong here: where samples come from, who may see them, sockets, the configuration file. All I/O passes the
//! [`Disk`] trait, all time the [`domain::Clock`].

mod catalog;
pub mod clip;
mod coverage;
pub mod disk;
pub mod error;
pub mod format;
pub mod inspect;
mod intake;
mod paths;
pub mod reader;
pub mod recorder;
pub mod recover;
pub mod sign;
pub mod spec;
pub mod status;
mod stepped;
pub mod table;
#[cfg(test)]
mod tests;
mod writer;

pub use clip::{ClipError, ClipPlan};
pub use disk::{Disk, DiskFile, Fault, ModelDisk, Pace, SystemDisk, Volume};
pub use error::{Damage, RingError};
pub use paths::{PathState, PathStatus};
pub use reader::{Picture, Reader, Record, RecordRef, Span};
pub use recorder::{Progress, Recorder};
pub use sign::{Ed25519Signer, Signer};
pub use spec::{MAX_ACCESS_UNIT, RingSpec};
pub use status::{RingState, RingStatus};
pub use stepped::{Inlet, Stepped};
pub(crate) use writer::builder::fingerprint as builder_fingerprint;
pub use writer::start::ERA;
