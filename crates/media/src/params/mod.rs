//! Codec parameters: from a decoder configuration record to what the house knows of a stream.
//! Does not read pictures, and does not guess: what a record does not tell is `None`.

mod aac;
#[cfg(test)]
mod bit_writer;
mod h264;
mod h265;
mod record;

pub use record::{avc_config, avc_sets, hevc_config};

use crate::error::MediaError;
use bytes::Bytes;
use domain::{AudioCodec, AudioFormat, VideoCodec, VideoFormat, time::MEDIA_HZ};

/// What a sequence parameter set tells, whichever the codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sps {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frame_duration: Option<u32>,
    pub(crate) reorder: Option<u8>,
}

/// Largest width or height: what a sample entry's 16-bit fields hold.
const SIDE_MAX: u32 = 0xffff;

/// Reads a decoder configuration record: the body of `avcC` or `hvcC` with 4-byte lengths.
///
/// Size and reordering come from the first sequence parameter set. The optional part of it (VUI) is often broken in the
/// field: where it cannot be read, what it would have told is `None`, and the stream is still recorded.
///
/// ```
/// // An avcC body: High profile, level 1.3, 320 × 240, 25 frames a second, two frames reordered.
/// let record = [
///     1, 0x64, 0, 0x0d, 0xff, 0xe1, 0, 25, 0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3,
///     0x20, 0xf1, 0x42, 0x99, 0x60, 1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0,
/// ];
/// let format = matthon_media::params::video_format(domain::VideoCodec::H264, &record)?;
/// assert_eq!((format.width, format.height, format.codecs.as_str()), (320, 240, "avc1.64000d"));
/// assert_eq!((format.frame_duration, format.reorder), (Some(3600), Some(2)));
/// # Ok::<(), matthon_media::MediaError>(())
/// ```
///
/// # Errors
/// When the record or the mandatory part of its first SPS cannot be read, the lengths are not 4 bytes, or the picture
/// has no size or a side over 65535.
pub fn video_format(codec: VideoCodec, config_record: &[u8]) -> Result<VideoFormat, MediaError> {
    let (sps, codecs) = match codec {
        VideoCodec::H264 => {
            let avc = record::read_avc(config_record)?;
            (h264::sps(avc.sps)?, avc.codecs)
        }
        VideoCodec::H265 => {
            let hevc = record::read_hevc(config_record)?;
            (h265::sps(hevc.sps)?, hevc.codecs)
        }
    };
    if !(1..=SIDE_MAX).contains(&sps.width) || !(1..=SIDE_MAX).contains(&sps.height) {
        return Err(MediaError::malformed("sequence parameter set", "the picture's width or height is not 1 to 65535"));
    }
    Ok(VideoFormat {
        codec,
        width: sps.width,
        height: sps.height,
        config: Bytes::copy_from_slice(config_record),
        codecs,
        frame_duration: sps.frame_duration,
        reorder: sps.reorder,
    })
}

/// Reads an AudioSpecificConfig (ISO 14496-3 §1.6.2.1). With explicit SBR the rate is the extended one.
///
/// # Errors
/// When it is cut short, or its rate or channel configuration is reserved or left to a program config element.
pub fn aac_format(audio_specific_config: &[u8]) -> Result<AudioFormat, MediaError> {
    let config = aac::read(audio_specific_config)?;
    Ok(AudioFormat {
        codec: AudioCodec::Aac,
        sample_rate: config.rate,
        channels: config.channels,
        config: Bytes::copy_from_slice(audio_specific_config),
        codecs: format!("mp4a.40.{}", config.object_type),
    })
}

/// How many samples of its core a frame of AAC has: 1024, or 960 where its AudioSpecificConfig says so.
pub(crate) fn aac_frame_length(audio_specific_config: &[u8]) -> Result<u32, MediaError> {
    aac::frame_length(audio_specific_config)
}

/// The format of G.711, which has no configuration. `codec` is A-law or µ-law; `rate` in samples a second.
#[must_use]
pub fn g711_format(codec: AudioCodec, rate: u32, channels: u8) -> AudioFormat {
    let codecs = match codec {
        AudioCodec::PcmU => "ulaw",
        AudioCodec::PcmA | AudioCodec::Aac => "alaw",
    };
    AudioFormat { codec, sample_rate: rate, channels, config: Bytes::new(), codecs: codecs.to_owned() }
}

/// Ticks of 90 kHz in `units / scale` seconds, when that is a frame rate a camera could have (0.1 to 1000 frames a second):
/// encoders that leave the fields to chance are common.
pub(crate) fn frame_ticks(units: u64, scale: u32) -> Option<u32> {
    let ticks = (units * MEDIA_HZ as u64 + u64::from(scale) / 2).checked_div(u64::from(scale))?;
    u32::try_from(ticks).ok().filter(|t| (90..=900_000).contains(t))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(data: Vec<u8>) {
            let _ = video_format(VideoCodec::H264, &data);
            let _ = video_format(VideoCodec::H265, &data);
            let _ = avc_sets(&data);
            let _ = aac_format(&data);
        }

        #[test]
        fn mutated_records_are_read_without_panic(h265: bool, changes in proptest::collection::vec(any::<(prop::sample::Index, u8)>(), 1..5), cut: prop::sample::Index) {
            let sps265 = [0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x3c, 0xa0, 0x0a, 0x08, 0x0b, 0x9f, 0x79, 0x65, 0x79, 0x24, 0xca, 0xe0, 0x10];
            let sps264 = [0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 1, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20, 0xf1, 0x42, 0x99, 0x60];
            let (codec, mut record) = if h265 {
                (VideoCodec::H265, hevc_config(&[0x40, 1, 0x0c], &sps265, &[0x44, 1, 0xc1])?)
            } else {
                (VideoCodec::H264, avc_config(&sps264, &[0x68, 0xeb])?)
            };
            prop_assert!(video_format(codec, &record).is_ok());
            for (at, byte) in changes {
                *at.get_mut(&mut record) = byte;
            }
            let _ = video_format(codec, &record);
            let _ = video_format(codec, &record[..cut.index(record.len())]);
        }

        #[test]
        fn any_parameter_sets_are_read_without_panic(tail in proptest::collection::vec(any::<u8>(), 0..80), profile: u8) {
            let _ = h264::sps(&[&[0x67, profile, 0, 30][..], &tail].concat());
            let _ = h265::sps(&[&[0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x5d][..], &tail].concat());
            let _ = h265::sps(&[&[0x42, 1][..], &tail].concat());
        }
    }

    #[test]
    fn the_sets_of_a_record_are_those_it_was_made_of() {
        let (sps, pps) = (
            [0x67, 0x64, 0, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 1, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20, 0xf1, 0x42, 0x99, 0x60],
            [0x68, 0xeb],
        );
        let record = avc_config(&sps, &pps).unwrap();
        assert_eq!(avc_sets(&record).unwrap(), [&sps[..], &pps[..]]);
        // Cut before the end of the last set there is none; extensions behind it (High profiles) are passed over.
        let whole = 6 + 2 + sps.len() + 1 + 2 + pps.len();
        for length in 0..record.len() {
            assert_eq!(avc_sets(&record[..length]).is_ok(), length >= whole, "{length}");
        }
    }

    #[test]
    fn g711_is_named_by_its_law() {
        let format = g711_format(AudioCodec::PcmU, 8000, 1);
        assert_eq!((format.codecs.as_str(), format.sample_rate, format.channels, format.config.len()), ("ulaw", 8000, 1, 0));
        assert_eq!(g711_format(AudioCodec::PcmA, 16000, 2).codecs, "alaw");
    }

    #[test]
    fn frame_rates_no_camera_has_are_not_believed() {
        assert_eq!(frame_ticks(2, 50), Some(3600));
        assert_eq!(frame_ticks(1001, 30_000), Some(3003));
        assert_eq!(frame_ticks(0, 50), None);
        assert_eq!(frame_ticks(1, 0), None);
        assert_eq!(frame_ticks(u64::from(u32::MAX) * 2, 1), None);
        assert_eq!(frame_ticks(1, 180_000), None);
    }
}
