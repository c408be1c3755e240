//! Where pictures and clips come from.
//!
//! Belongs here: what cases ask of the recording and of the worker. Does not belong here: how it is done.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{CameraId, WallTime};
use std::path::Path;

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Still {
    /// JPEG.
    pub jpeg: Bytes,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A clip that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipInfo {
    /// When its first picture was captured.
    pub from: WallTime,
    /// When its last picture ends.
    pub to: WallTime,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Why there is no picture or clip. The text is for the log: one sentence, no secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Not (or not all) recorded yet, or nobody has time for it now: it is asked for again.
    #[error("not yet: {0}")]
    NotYet(String),
    /// It does not exist and never will.
    #[error("{0}")]
    Never(String),
}

/// Gives pictures and clips of what was seen. Calls may be dropped half-way.
#[async_trait]
pub trait Footage: Send + Sync + 'static {
    /// The picture the detector looked at, in its size, at once.
    ///
    /// # Errors
    /// [`Missing`].
    async fn recent(&self, camera: &CameraId, capture: WallTime) -> Result<Still, Missing>;

    /// The picture of the main stream shown at `at`.
    ///
    /// # Errors
    /// [`Missing`]; `NotYet` while `at` is not recorded.
    async fn still(&self, camera: &CameraId, at: WallTime) -> Result<Still, Missing>;

    /// Writes what is recorded between `from` and `to` to a new file at `out` (nothing is there; whatever is left of a
    /// failed try is removed by the caller). Says what it holds: less than asked for when less is recorded.
    ///
    /// # Errors
    /// [`Missing`].
    async fn clip(&self, camera: &CameraId, from: WallTime, to: WallTime, out: &Path) -> Result<ClipInfo, Missing>;
}
