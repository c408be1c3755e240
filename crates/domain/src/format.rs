//! How a stream's samples are coded: what a decoder or a container must know before the first one.

use crate::StreamKind;
use bytes::Bytes;

/// Video codecs the box records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// ITU-T H.264 (AVC).
    H264,
    /// ITU-T H.265 (HEVC).
    H265,
}

/// Audio codecs the box records, as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// MPEG-4 AAC, raw frames (no ADTS).
    Aac,
    /// G.711 A-law.
    PcmA,
    /// G.711 µ-law.
    PcmU,
}

/// Parameters of a video stream. Two formats are the same run of a recording exactly when they are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoFormat {
    /// The codec.
    pub codec: VideoCodec,
    /// Picture width in pixels, after cropping.
    pub width: u32,
    /// Picture height in pixels, after cropping.
    pub height: u32,
    /// The decoder configuration record: the body of `avcC` (ISO 14496-15 §5.3.3) or `hvcC` (§8.3.3), with 4-byte lengths.
    pub config: Bytes,
    /// RFC 6381 codec string, `avc1.64001f` or `hvc1.1.6.L93.B0`.
    pub codecs: String,
    /// Nominal frame duration in 90 kHz ticks when the SPS tells it.
    pub frame_duration: Option<u32>,
    /// How many frames may precede a frame in decoding order and follow it in output order
    /// (`max_num_reorder_frames`, `sps_max_num_reorder_pics`), when the SPS tells it.
    pub reorder: Option<u8>,
}

/// Parameters of an audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioFormat {
    /// The codec.
    pub codec: AudioCodec,
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u8,
    /// AAC: the AudioSpecificConfig (ISO 14496-3 §1.6.2.1); G.711: empty.
    pub config: Bytes,
    /// RFC 6381 codec string (`mp4a.40.2`), or `alaw` / `ulaw`.
    pub codecs: String,
}

/// Parameters of any stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Video.
    Video(VideoFormat),
    /// Audio.
    Audio(AudioFormat),
    /// Boxes and tracks; the number is the version of their encoding.
    Observations(u8),
}

impl Format {
    /// What kind of stream this describes.
    #[must_use]
    pub fn kind(&self) -> StreamKind {
        match self {
            Self::Video(_) => StreamKind::Video,
            Self::Audio(_) => StreamKind::Audio,
            Self::Observations(_) => StreamKind::Observations,
        }
    }

    /// The video parameters, if it is video.
    #[must_use]
    pub fn video(&self) -> Option<&VideoFormat> {
        match self {
            Self::Video(v) => Some(v),
            _ => None,
        }
    }

    /// RFC 6381 codec string; empty for observations.
    #[must_use]
    pub fn codecs(&self) -> &str {
        match self {
            Self::Video(v) => &v.codecs,
            Self::Audio(a) => &a.codecs,
            Self::Observations(_) => "",
        }
    }
}
