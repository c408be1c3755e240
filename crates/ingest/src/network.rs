//! The border to the network: what one camera stream is, and what a session with it yields.
//!
//! Implemented by `retina_network` for cameras and by `sim` for tests. Does not belong here: anything about
//! RTSP itself, and any interpretation of the bytes.

use crate::Failure;
use async_trait::async_trait;
use bytes::Bytes;
use domain::{AudioCodec, CameraId, Channel, Secret, VideoCodec};
use url::Url;

/// One stream of one camera, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamTarget {
    /// The camera.
    pub camera: CameraId,
    /// Which of its encoders.
    pub channel: Channel,
    /// Where it is, without user information.
    pub url: Url,
    /// The name to sign in with.
    pub username: Option<String>,
    /// The password to sign in with.
    pub password: Option<Secret>,
    /// Whether to take its audio too.
    pub audio: bool,
}

/// How the video that follows is coded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoParameters {
    /// The codec.
    pub codec: VideoCodec,
    /// Body of `avcC` or `hvcC`, with 4-byte lengths.
    pub config: Bytes,
}

/// How the audio that follows is coded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioParameters {
    /// The codec.
    pub codec: AudioCodec,
    /// Samples a second; the unit of [`Packet::Audio`] timestamps.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u8,
    /// AAC: the AudioSpecificConfig; G.711: empty.
    pub config: Bytes,
}

/// What a session yields, in order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// Parameters of the video from here on; before the first frame and whenever they change.
    VideoParameters(VideoParameters),
    /// Parameters of the audio; before its first frame.
    AudioParameters(AudioParameters),
    /// One access unit.
    Video {
        /// The camera's RTP time, 90 kHz, unwrapped; otherwise as it came, so it may jump either way.
        timestamp: i64,
        /// RTP packets lost since the previous access unit.
        lost: u32,
        /// NAL units behind 4-byte lengths.
        data: Bytes,
    },
    /// One audio frame (AAC) or packet (G.711).
    Audio {
        /// RTP time in samples, unwrapped.
        timestamp: i64,
        /// RTP packets lost since the previous one.
        lost: u32,
        /// The raw frame.
        data: Bytes,
    },
    /// The camera told its own clock (an RTCP sender report): microseconds since the Unix epoch, just now.
    CameraClock(i64),
    /// The camera offers audio that is not recorded; its encoding name.
    AudioUnsupported(String),
}

/// Opens sessions.
#[async_trait]
pub trait Network: Send + Sync + 'static {
    /// Connects, signs in and starts the stream. Has its own deadlines: it answers within about 15 s.
    ///
    /// # Errors
    /// A named reason with a sentence without secrets.
    async fn open(&self, target: &StreamTarget) -> Result<Box<dyn Session>, Failure>;
}

/// A running session.
#[async_trait]
pub trait Session: Send {
    /// Waits for the next packet, as long as it takes; the caller sets the deadline. Cancelling loses nothing.
    ///
    /// # Errors
    /// Why the session is over; do not call it again.
    async fn next(&mut self) -> Result<Packet, Failure>;

    /// Says goodbye to the camera, within about 2 s.
    async fn close(self: Box<Self>);
}
