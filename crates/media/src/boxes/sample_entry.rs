//! Sample entries: `Format` to bytes and back, exactly. Configuration records are carried as they are, never rebuilt,
//! so that a recording's parameters hash the same however often they are copied.

use super::{
    read::{Fields, Node, child},
    write::{container, leaf, side},
};
use crate::{error::MediaError, params};
use domain::{AudioCodec, AudioFormat, Format, VideoCodec, VideoFormat};
use mp4_atom::{
    Audio, Encode, Esds, Visual,
    esds::{DecoderConfig, DecoderSpecific, EsDescriptor, SLConfig},
};

const WHAT: &str = "sample entry";

/// Names the binary observations in a `urim` entry (ISO 14496-12 §12.3.3); the version follows.
const OBSERVATIONS_URI: &str = "urn:x-matthon:observations:";

pub(crate) fn write(out: &mut Vec<u8>, format: &Format) -> Result<(), MediaError> {
    match format {
        Format::Video(video) => write_video(out, video),
        Format::Audio(audio) => write_audio(out, audio),
        Format::Observations(version) => container(out, b"urim", |out| {
            out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
            container(out, b"uri ", |out| {
                out.extend_from_slice(&[0; 4]);
                out.extend_from_slice(format!("{OBSERVATIONS_URI}{version}\0").as_bytes());
                Ok(())
            })
        }),
    }
}

fn write_video(out: &mut Vec<u8>, video: &VideoFormat) -> Result<(), MediaError> {
    // Parameter sets live only in the entry, never in the samples: avc1 and hvc1, not avc3 and hev1 (which Apple refuses).
    let (entry, record) = match video.codec {
        VideoCodec::H264 => (b"avc1", b"avcC"),
        VideoCodec::H265 => (b"hvc1", b"hvcC"),
    };
    let visual = Visual { data_reference_index: 1, width: side(video.width)?, height: side(video.height)?, ..Visual::default() };
    container(out, entry, |out| {
        fields(out, &visual)?;
        container(out, record, |out| {
            out.extend_from_slice(&video.config);
            Ok(())
        })
    })
}

fn fields(out: &mut Vec<u8>, part: &impl Encode) -> Result<(), MediaError> {
    leaf(out, part)
}

fn write_audio(out: &mut Vec<u8>, audio: &AudioFormat) -> Result<(), MediaError> {
    // The field holds 16 bits; AAC's own configuration holds the rate that counts, G.711 has nothing else.
    let rate = match (u16::try_from(audio.sample_rate), audio.codec) {
        (Ok(rate), _) => rate,
        (Err(_), AudioCodec::Aac) => 0,
        (Err(_), _) => return Err(MediaError::DoesNotFit { what: "sampling rate", reason: "it is over 65535 Hz" }),
    };
    let entry = match audio.codec {
        AudioCodec::Aac => b"mp4a",
        AudioCodec::PcmA => b"alaw",
        AudioCodec::PcmU => b"ulaw",
    };
    let head = Audio { data_reference_index: 1, channel_count: audio.channels.into(), sample_size: 16, sample_rate: rate.into() };
    container(out, entry, |out| {
        fields(out, &head)?;
        if audio.codec == AudioCodec::Aac { leaf(out, &esds(audio)?) } else { Ok(()) }
    })
}

fn esds(audio: &AudioFormat) -> Result<Esds, MediaError> {
    if audio.config.is_empty() {
        return Err(MediaError::malformed("AudioSpecificConfig", "it is empty"));
    }
    let specific = DecoderSpecific { raw: audio.config.to_vec(), ..DecoderSpecific::default() };
    let dec_config = DecoderConfig {
        object_type_indication: 0x40, // MPEG-4 audio
        stream_type: 5,               // audio
        dec_specific: Some(specific),
        ..DecoderConfig::default()
    };
    Ok(Esds { es_desc: EsDescriptor { dec_config, sl_config: SLConfig::default(), ..EsDescriptor::default() } })
}

/// Reads an entry this program wrote.
pub(crate) fn read(entry: &Node<'_>) -> Result<Format, MediaError> {
    match &entry.kind {
        b"avc1" => read_video(entry.body, VideoCodec::H264, b"avcC").map(Format::Video),
        b"hvc1" => read_video(entry.body, VideoCodec::H265, b"hvcC").map(Format::Video),
        b"mp4a" => read_aac(entry.body).map(Format::Audio),
        b"alaw" => read_g711(entry.body, AudioCodec::PcmA).map(Format::Audio),
        b"ulaw" => read_g711(entry.body, AudioCodec::PcmU).map(Format::Audio),
        b"urim" => read_observations(entry.body).map(Format::Observations),
        _ => Err(MediaError::Unsupported { what: WHAT, reason: "it is none of avc1, hvc1, mp4a, alaw, ulaw, urim" }),
    }
}

fn read_video(body: &[u8], codec: VideoCodec, record: &[u8; 4]) -> Result<VideoFormat, MediaError> {
    let mut f = Fields::new(WHAT, body);
    f.skip(24)?;
    let (width, height) = (f.u16()?, f.u16()?);
    f.skip(50)?;
    let record = child(f.rest(), record, "configuration record")?;
    let format = params::video_format(codec, record.body)?;
    if (format.width, format.height) != (width.into(), height.into()) {
        return Err(MediaError::malformed(WHAT, "its size is not that of its parameter set"));
    }
    Ok(format)
}

fn audio_fields(body: &[u8]) -> Result<(u16, u16, &[u8]), MediaError> {
    let mut f = Fields::new(WHAT, body);
    f.skip(16)?;
    let channels = f.u16()?;
    f.skip(6)?;
    let rate = f.u16()?;
    f.skip(2)?;
    Ok((channels, rate, f.rest()))
}

fn read_g711(body: &[u8], codec: AudioCodec) -> Result<AudioFormat, MediaError> {
    let (channels, rate, _) = audio_fields(body)?;
    let channels = u8::try_from(channels).map_err(|_| MediaError::malformed(WHAT, "it has more than 255 channels"))?;
    Ok(params::g711_format(codec, rate.into(), channels))
}

fn read_aac(body: &[u8]) -> Result<AudioFormat, MediaError> {
    let (_, _, rest) = audio_fields(body)?;
    let esds = child(rest, b"esds", "esds box")?;
    let mut f = Fields::new("esds box", esds.body);
    f.skip(4)?;
    let mut f = descriptor(&mut f, 3)?;
    f.skip(2)?;
    if f.u8()? & 0xe0 != 0 {
        return Err(MediaError::Unsupported { what: "esds box", reason: "it depends on another stream" });
    }
    let mut f = descriptor(&mut f, 4)?;
    f.skip(13)?;
    params::aac_format(descriptor(&mut f, 5)?.rest())
}

/// The body of the next descriptor (ISO 14496-1 §8.3.3), which must have this tag; its length takes up to four bytes of seven bits.
fn descriptor<'a>(f: &mut Fields<'a>, tag: u8) -> Result<Fields<'a>, MediaError> {
    if f.u8()? != tag {
        return Err(MediaError::malformed("esds box", "a descriptor is missing"));
    }
    let mut length = 0usize;
    for _ in 0..4 {
        let byte = f.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok(Fields::new("esds box", f.bytes(length)?));
        }
    }
    Err(MediaError::malformed("esds box", "a descriptor's length is over four bytes"))
}

fn read_observations(body: &[u8]) -> Result<u8, MediaError> {
    let uri = child(body.get(8..).unwrap_or_default(), b"uri ", "uri box")?;
    let text = uri.body.get(4..).and_then(|t| t.strip_suffix(&[0])).and_then(|t| std::str::from_utf8(t).ok());
    let version = text.and_then(|t| t.strip_prefix(OBSERVATIONS_URI)).and_then(|v| v.parse::<u8>().ok());
    version.ok_or(MediaError::malformed(WHAT, "its URI does not name observations"))
}
