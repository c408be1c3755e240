//! What core and worker say to each other.
//!
//! Two kinds of sockets, both made by the core as pairs and inherited or passed as descriptors:
//!
//! - **control**: one a worker, `SOCK_SEQPACKET`, it is the worker's standard input. One packet is one [`ToWorker`] or
//!   [`FromWorker`], at most [`CONTROL_MAX`] bytes, with the descriptors the message names, in their order.
//! - **stream**: one a watched stream, `SOCK_STREAM`, small send buffer. Down go [`Down`] messages, each behind its length,
//!   a sample's bytes behind its header; up come [`Up`] messages. The same bytes in a file (a memfd) are a still job's input.
//! - **copy**: one for a viewing copy, [`copy`] says what goes over it.
//! - **wall**: one for a wall, [`wall`] says what goes over it.
//! - **rendition**: one for a rendition, [`rendition`] says what goes over it.
//!
//! Belongs here: the words and their bytes. Does not belong here: sockets' readiness, processes, decoding.
//! Core and worker are always built together; [`Start::version`] refuses strangers.

pub mod control;
pub mod copy;
pub mod film;
pub mod rendition;
pub mod stream;
#[cfg(test)]
mod tests;
pub mod wall;

use domain::{Observation, VideoCodec, VideoFormat, WallTime, mask::Mask};
use serde::{Deserialize, Serialize};

/// Longest control packet, bytes.
pub const CONTROL_MAX: usize = 64 * 1024;
/// Longest message of a stream without the sample's own bytes.
pub const STREAM_HEAD_MAX: usize = 256 * 1024;
/// Longest access unit that goes to the worker.
pub const SAMPLE_MAX: usize = 8 << 20;
/// Most streams a worker takes.
pub const STREAMS_MAX: usize = 256;
/// Most detector threads.
pub const DETECTORS_MAX: usize = 64;
/// Longest JPEG, bytes; the memfd for it has exactly this length and can neither grow nor shrink: it is written from its
/// beginning (`pwrite` at 0, no `set_len`).
pub const STILL_MAX: usize = 16 << 20;
/// Most bytes of a still job's samples, the messages around them included.
pub const STILL_SAMPLES_MAX: usize = 64 << 20;

/// From the core on the control socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToWorker {
    /// First of all. Descriptors: the notes (a memfd, see [`notes`]), then the model's bytes if there is a model (a sealed memfd).
    Start(Start),
    /// Take on a stream. Descriptor: its socket.
    Open {
        /// The core's number for it, below [`STREAMS_MAX`]; free until now.
        stream: u32,
        /// For log lines: `cong-lang/sub`.
        name: String,
        /// Pictures a second to be analysed.
        fps: f32,
    },
    /// Let a stream go; its socket ends too.
    Close {
        /// Which.
        stream: u32,
    },
    /// Make a JPEG. Descriptors: where to write it (a memfd of [`STILL_MAX`] bytes); for [`StillSource::Samples`] then the samples (a memfd).
    Still {
        /// Comes back in the answer.
        job: u64,
        /// Of what.
        source: StillSource,
        /// Scale down to at most this width, pixels; 0: as it is.
        max_width: u32,
        /// What is painted black.
        masks: Vec<Mask>,
        /// Give up after this, ms from receipt.
        deadline_ms: u32,
    },
    /// Decode a video file and observe every analysed picture, in order, without the motion gate. Descriptors: the file,
    /// opened for reading; then a socket on which the observations go up as [`Up`] and the end of which ends the replay.
    /// Only to a worker that has no streams.
    Replay {
        /// Pictures a second to be analysed.
        fps: f32,
    },
    /// Make a viewing copy. Descriptors: its socket (see [`copy`]), then the bytes of a TrueType font (a sealed memfd).
    /// Only to a worker that has no streams.
    Copy(copy::Spec),
    /// Compose a wall until its socket ends. Descriptors: its socket (see [`wall`]), then the bytes of a TrueType font (a sealed memfd).
    /// Only to a worker that has no streams.
    Wall(wall::Spec),
    /// Make a rendition until its socket ends. Descriptor: its socket (see [`rendition`]). Only to a worker that has no streams.
    Rendition(rendition::Spec),
    /// Answer with [`FromWorker::Pong`].
    Ping(u64),
}

/// How a worker is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The core's version; another one is refused.
    pub version: String,
    /// Detector threads, 1 to [`DETECTORS_MAX`].
    pub detectors: u32,
    /// The model whose bytes come along; `None`: decode and make stills only.
    pub model: Option<ModelSpec>,
}

/// What the worker must know of a model: the core read it from the manifest, and checked the bytes against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// The manifest's name, for messages.
    pub name: String,
    /// How its output is read.
    pub layout: Layout,
    /// Input width and height, pixels.
    pub input: (u32, u32),
    /// Order of the input's planes.
    pub channels: ChannelOrder,
    /// Subtracted from each plane, in the input's order, 0 to 255.
    pub mean: [f32; 3],
    /// Divides each plane afterwards.
    pub scale: [f32; 3],
    /// Fills what the picture does not cover, 0 to 255 before `mean`.
    pub pad: u8,
    /// One an output class: our word for it; `None`: not wanted.
    pub labels: Vec<Option<String>>,
    /// Detections below this are not told, 0 to 1.
    pub threshold: f32,
    /// Overlap (IoU) above which the weaker of two boxes of one class is dropped.
    pub nms: f32,
}

/// Output layouts the worker can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// YOLOX: rows of `cx cy w h objectness class…`, raw grid offsets, strides 8, 16, 32; input letterboxed at the top left.
    Yolox,
}

/// Order of colour planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Blue first.
    Bgr,
    /// Red first.
    Rgb,
}

/// What a still is cut from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum StillSource {
    /// A picture that was observed just now, in the size it was looked at.
    Recent {
        /// Which stream.
        stream: u32,
        /// Its capture time, as in the observation.
        capture: WallTime,
    },
    /// Samples in a memfd, written as on a stream socket ([`Down::Format`], then [`Down::Sample`]s from a random access
    /// point on); the picture shown at `pts`, or the last one before it.
    Samples {
        /// Presentation time, 90 kHz.
        pts: i64,
    },
}

/// To the core on the control socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromWorker {
    /// Answer to [`ToWorker::Start`], after everything is loaded and the doors are shut.
    Ready(Ready),
    /// Answer to [`ToWorker::Still`].
    Still {
        /// Which.
        job: u64,
        /// What was written, or why nothing was.
        outcome: Result<StillDone, StillError>,
    },
    /// About every second.
    Counts(Counts),
    /// Answer to [`ToWorker::Ping`].
    Pong(u64),
}

/// A worker that is ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// The worker's version.
    pub version: String,
    /// The runtime and its version when a model is loaded: `ONNX Runtime 1.31.1`.
    pub runtime: Option<String>,
    /// Why there is no detection although a model was given: one sentence with the fix.
    pub trouble: Option<String>,
    /// What shuts it in.
    pub sandbox: Sandbox,
}

/// What of the sandbox this kernel gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// No file can be opened any more (Landlock).
    pub files: bool,
    /// No socket can be made, nothing executed (seccomp).
    pub calls: bool,
    /// Bytes of memory it may have (RLIMIT_DATA), 0: unlimited.
    pub memory: u64,
}

/// A JPEG that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillDone {
    /// Bytes.
    pub len: u32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Why there is no JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StillError {
    /// The deadline passed or too many wait.
    Busy,
    /// That picture is not there (any more).
    Gone,
    /// The samples could not be decoded.
    Undecodable,
    /// The worker ended meanwhile.
    Crashed,
    /// There is no worker.
    NoWorker,
}

/// Since the worker's start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Pictures decoded.
    pub decoded: u64,
    /// Pictures inferred.
    pub inferred: u64,
    /// Pictures replaced in their slot by a newer one before a detector was free.
    pub superseded: u64,
    /// Pictures in which nothing moved and nobody was interested.
    pub quiet: u64,
    /// Time detectors were at work, µs.
    pub inference_micros: u64,
    /// CPU time of the whole worker, µs.
    pub cpu_micros: u64,
}

/// From the core on a stream's socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Down {
    /// Before the first sample and at each change.
    Format(Codec),
    /// An access unit; its `len` bytes follow (4-byte length-prefixed NAL units).
    Sample(SampleHead),
    /// Whether pictures are wanted even where nothing moves.
    Interest(bool),
}

/// What a decoder needs of a [`VideoFormat`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codec {
    /// H.265; else H.264.
    pub h265: bool,
    /// Body of `avcC` or `hvcC`.
    pub config: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl From<&VideoFormat> for Codec {
    fn from(f: &VideoFormat) -> Self {
        Self { h265: f.codec == VideoCodec::H265, config: f.config.to_vec(), width: f.width, height: f.height }
    }
}

/// A sample without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleHead {
    /// The box's clock.
    pub capture: WallTime,
    /// 90 kHz.
    pub pts: i64,
    /// 90 kHz.
    pub dts: i64,
    /// Decoding may start here.
    pub random_access: bool,
    /// Samples are missing before this one: the decoder starts afresh (it is a random access point then).
    pub loss_before: bool,
    /// Bytes that follow, at most [`SAMPLE_MAX`].
    pub len: u32,
}

/// To the core on a stream's socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Up {
    /// A picture was looked at.
    Seen(Observation),
    /// The decoder said no; the stream goes on at the next random access point.
    Undecodable {
        /// What it said, without any content.
        what: String,
    },
    /// Replay only: the file is over.
    End {
        /// Pictures decoded.
        decoded: u64,
        /// Length of the file, µs: end of the last picture shown.
        length_micros: i64,
    },
    /// Replay only: the file cannot be read.
    Failed {
        /// Why, in one sentence.
        what: String,
    },
}

/// The notes: who works on what, readable after a crash. A memfd of [`notes::LEN`] bytes, native-endian `u64` cells written
/// with `pwrite`: no mapping, no unsafe code. A cell is 0 while idle, else a count that rises with each access unit (or inference)
/// taken on, so that a cell that stays the same is a thread that hangs.
pub mod notes {
    use super::{DETECTORS_MAX, STREAMS_MAX};

    /// Bytes of the whole.
    pub const LEN: u64 = ((STREAMS_MAX * 2 + STREAMS_MAX) * 8 + DETECTORS_MAX * 8) as u64;

    /// Where the decoder of a stream notes that it is at work.
    #[must_use]
    pub fn decoding(stream: u32) -> u64 {
        u64::from(stream) * 8
    }

    /// Where the detector that looks at a stream's picture notes it.
    #[must_use]
    pub fn detecting(stream: u32) -> u64 {
        (STREAMS_MAX as u64 + u64::from(stream)) * 8
    }

    /// Where the still job that decodes samples notes it (not a stream's fault).
    pub const STILL: u64 = (STREAMS_MAX as u64) * 2 * 8;
}
