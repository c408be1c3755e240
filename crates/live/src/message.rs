//! What a viewer is sent. Its spelling on a socket is `web`'s.

use bytes::Bytes;
use domain::{VideoFormat, WallTime};
use serde::Serialize;

/// Everything a browser asks before it can take the first byte of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormatInfo {
    /// RFC 6381 codec string: `avc1.64001f`.
    pub codecs: String,
    /// What `MediaSource.isTypeSupported` and `addSourceBuffer` take: `video/mp4; codecs="avc1.64001f"`.
    pub mime: String,
    /// Picture width in pixels.
    pub width: u32,
    /// Picture height in pixels.
    pub height: u32,
}

impl FormatInfo {
    /// Describes a video format.
    #[must_use]
    pub fn of(video: &VideoFormat) -> Self {
        Self {
            codecs: video.codecs.clone(),
            mime: format!("video/mp4; codecs=\"{}\"", video.codecs),
            width: video.width,
            height: video.height,
        }
    }
}

/// One step of what a viewer sees: `Format`, `Init`, then fragments; both again whenever parameters change.
#[derive(Clone, Debug)]
pub enum Message {
    /// The parameters of what follows.
    Format(std::sync::Arc<FormatInfo>),
    /// `ftyp` and `moov`.
    Init(Bytes),
    /// One access unit as `moof` and `mdat`.
    Fragment {
        /// The boxes; one buffer shared by all viewers.
        bytes: Bytes,
        /// Decoding may start here.
        random_access: bool,
        /// When the frame was captured, by the box's clock.
        capture: WallTime,
        /// Its decoding time, as the boxes tell it: 90 kHz, rising.
        time: u64,
        /// Something is missing before it.
        loss_before: bool,
    },
    /// This viewer was too slow and lost that many groups of pictures; the next fragment is a random access point
    /// and its time lies later by what was lost, so the player moves to the new end of its buffer.
    Skipped {
        /// How many groups of pictures.
        gops: u64,
    },
}
