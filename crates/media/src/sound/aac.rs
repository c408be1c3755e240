//! AAC as far as live sound needs it: how long a frame is, and one of silence. Decodes nothing.

use super::bits::BitSink;
use crate::{error::MediaError, params};
use domain::AudioFormat;

/// How many samples (at the format's rate) a frame of this stream has.
///
/// # Errors
/// When the object type is not LC, or LC under spectral band replication.
pub(super) fn frame_samples(audio: &AudioFormat) -> Result<u32, MediaError> {
    let unsupported = |reason| MediaError::Unsupported { what: "live AAC", reason };
    let long = params::aac_frame_length(&audio.config)?;
    match audio.codecs.as_str() {
        "mp4a.40.2" => Ok(long),
        // The rate is the extended one: twice the samples.
        "mp4a.40.5" | "mp4a.40.29" => Ok(2 * long),
        _ => Err(unsupported("its object type is not LC; set AAC-LC on the camera")),
    }
}

/// A frame in which nothing is heard (ISO 14496-3 §4.4.2): one element without a single band, for one or two channels.
///
/// # Errors
/// With more channels.
pub(super) fn silence(channels: u8) -> Result<Vec<u8>, MediaError> {
    let mut sink = BitSink::default();
    match channels {
        1 => {
            sink.bits(3, 0); // a single channel element …
            sink.bits(4, 0); // … with this tag
            sink.bits(8, 0); // gain
            window(&mut sink);
            sink.bits(3, 0); // no pulses, no noise shaping, no gain control
        }
        2 => {
            sink.bits(3, 1); // a channel pair element …
            sink.bits(4, 0);
            sink.bits(1, 1); // … of one window
            window(&mut sink);
            sink.bits(2, 0); // no mid/side
            for _ in 0..2 {
                sink.bits(8, 0);
                sink.bits(3, 0);
            }
        }
        _ => return Err(MediaError::Unsupported { what: "live AAC", reason: "it has more than two channels; set mono or stereo" }),
    }
    sink.bits(3, 7); // the end
    Ok(sink.align())
}

/// A long window without a band.
fn window(sink: &mut BitSink) {
    sink.bits(1, 0);
    sink.bits(2, 0);
    sink.bits(1, 0);
    sink.bits(6, 0);
    sink.bits(1, 0);
}
