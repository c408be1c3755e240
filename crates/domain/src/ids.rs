//! Names of cameras and of their streams.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// Longest camera id, in bytes; the ring's record header reserves exactly this much.
pub const CAMERA_ID_MAX: usize = 48;

/// A camera's id as the installer wrote it: `a-z 0-9 -`, 1 to [`CAMERA_ID_MAX`] bytes, cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CameraId(Arc<str>);

impl CameraId {
    /// Checks and wraps an id.
    ///
    /// # Errors
    /// When the text is empty, too long, or has a character other than `a-z 0-9 -`.
    pub fn new(text: &str) -> Result<Self, BadId> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > CAMERA_ID_MAX || !text.bytes().all(plain) {
            return Err(BadId(text.to_owned()));
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not a valid camera id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a camera id: use 1 to 48 of a-z, 0-9 and -")]
pub struct BadId(String);

impl TryFrom<String> for CameraId {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        Self::new(&text)
    }
}

impl From<CameraId> for String {
    fn from(id: CameraId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl FromStr for CameraId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        Self::new(text)
    }
}

impl fmt::Display for CameraId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CameraId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which of a camera's encoders: the full picture or the small one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Full resolution, recorded as evidence.
    Main,
    /// Small, for grids, phones and detection.
    Sub,
}

impl Channel {
    /// `main` or `sub`, as in URLs, metrics and the ring.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Channel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "main" => Ok(Self::Main),
            "sub" => Ok(Self::Sub),
            _ => Err(format!("`{text}` is not a stream: use main or sub")),
        }
    }
}

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// H.264 or H.265 access units.
    Video,
    /// AAC frames or G.711 packets.
    Audio,
    /// Boxes, tracks and motion found in the video.
    Observations,
}

impl StreamKind {
    /// `video`, `audio` or `observations`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Observations => "observations",
        }
    }
}

/// One stream of samples: a camera, one of its encoders, and what it carries.
/// Its text form is `camera/channel/kind`, for example `cong-lang/main/video`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct StreamId {
    /// The camera.
    pub camera: CameraId,
    /// Its encoder.
    pub channel: Channel,
    /// What is carried.
    pub kind: StreamKind,
}

impl StreamId {
    /// Puts the three parts together.
    #[must_use]
    pub fn new(camera: CameraId, channel: Channel, kind: StreamKind) -> Self {
        Self { camera, channel, kind }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.camera, self.channel, self.kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_when_made_not_when_used() {
        for good in ["a", "cong-lang", "c1", &"x".repeat(48)] {
            assert!(CameraId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Cong", "cổng", "a/b", "a b", "..", &"x".repeat(49)] {
            assert!(CameraId::new(bad).is_err(), "{bad}");
        }
    }
}
