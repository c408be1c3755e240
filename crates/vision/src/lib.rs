//! The worker's border, seen from the core: what is said over it, who keeps the worker alive, and which models there are.
//!
//! Belongs here: the protocol (also spoken by the worker's side), the supervisor, the feeding of streams, stills on demand, viewing copies, walls,
//! renditions, //! model manifests, the bytes and the time line of observations. Does not belong here: decoding or inference (the worker), what follows from
//! an observation (`analytics`), where observations are kept (`ring`).

mod copy;
mod diary;
#[cfg(test)]
mod fake;
mod keeper;
mod launcher;
mod lone;
mod memory;
pub mod model;
mod pipe;
pub mod protocol;
pub mod record;
pub mod rendition;
mod replay;
mod still;
mod supervisor;
mod system;
pub mod wall;

pub use copy::{Copied, CopyError, Made, Wanted, copy};
pub use diary::Diary;
pub use launcher::{Exit, Launched, Launcher, Process, Purpose};
pub use lone::LoneError;
pub use model::{Library, Manifest, Model, ModelError};
pub use protocol::StillError;
pub use replay::{ReplayError, Replayed, replay};
pub use still::Still;
pub use supervisor::status::{CameraStatus, VisionState, VisionStatus};
pub use supervisor::{Config, Eyes, Vision, Watched};
pub use system::SystemLauncher;
