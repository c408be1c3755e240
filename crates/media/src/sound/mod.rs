//! A camera's sound as browsers take it in MP4: AAC as it came, G.711 as FLAC without loss, and silence of either.
//!
//! Belongs here: what a packet becomes. Does not: when it is heard (see `live`), and what is recorded, which stays as it came.

mod aac;
mod bits;
mod flac;
mod g711;

use crate::{error::MediaError, fmp4};
use bytes::Bytes;
use domain::{AudioCodec, AudioFormat, Format};
use flac::Stream;

/// One sample of the track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// How long it is, in sampling periods.
    pub samples: u32,
    /// Its bytes.
    pub data: Bytes,
}

/// How the sound of one format is sent.
#[derive(Clone, Debug)]
pub struct Sound {
    rate: u32,
    channels: u8,
    codecs: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Aac { format: Format, samples: u32, silence: Bytes },
    G711 { law: AudioCodec, stream: Stream },
}

impl Sound {
    /// # Errors
    /// For AAC that is not LC or has more than two channels, and G.711 of a rate over 65,535 Hz or with other than 1 to 8 channels.
    pub fn of(audio: &AudioFormat) -> Result<Self, MediaError> {
        let (kind, codecs) = match audio.codec {
            AudioCodec::Aac => {
                let (samples, silence) = (aac::frame_samples(audio)?, aac::silence(audio.channels)?.into());
                (Kind::Aac { format: Format::Audio(audio.clone()), samples, silence }, audio.codecs.clone())
            }
            law => {
                let rate = u16::try_from(audio.sample_rate).ok().filter(|rate| *rate > 0);
                let rate = rate.ok_or(MediaError::DoesNotFit { what: "sampling rate", reason: "it is not 1 to 65535 Hz" })?;
                if !(1..=8).contains(&audio.channels) {
                    return Err(MediaError::DoesNotFit { what: "FLAC", reason: "it takes 1 to 8 channels" });
                }
                (Kind::G711 { law, stream: Stream { rate, channels: audio.channels } }, "flac".to_owned())
            }
        };
        Ok(Self { rate: audio.sample_rate, channels: audio.channels, codecs, kind })
    }

    /// Samples a second.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Channels.
    #[must_use]
    pub fn channels(&self) -> u8 {
        self.channels
    }

    /// RFC 6381 codec string: `flac`, `mp4a.40.2`.
    #[must_use]
    pub fn codecs(&self) -> &str {
        &self.codecs
    }

    /// The initialization segment of a track of this sound alone, in ticks of 90 kHz.
    ///
    /// # Errors
    /// When the format does not fit its sample entry.
    pub fn init(&self, track: u32) -> Result<Vec<u8>, MediaError> {
        match &self.kind {
            Kind::Aac { format, .. } => fmp4::init_segment(&[fmp4::Track { id: track, format }]),
            Kind::G711 { stream, .. } => fmp4::flac_init(track, stream.rate, stream.channels, &stream.info()),
        }
    }

    /// How long a packet is, in sampling periods.
    #[must_use]
    pub fn samples(&self, packet: &[u8]) -> u32 {
        match &self.kind {
            Kind::Aac { samples, .. } => *samples,
            Kind::G711 { .. } => u32::try_from(packet.len() / usize::from(self.channels)).unwrap_or(u32::MAX),
        }
    }

    /// What is sent of a packet whose first sample has this number. Bytes of G.711 that do not fill all channels are left out.
    #[must_use]
    pub fn frames(&self, first: u64, packet: &Bytes) -> Vec<Frame> {
        match &self.kind {
            Kind::Aac { samples, .. } => vec![Frame { samples: *samples, data: packet.clone() }],
            Kind::G711 { law, stream } => self.flac(*stream, first, &g711::expand(*law, packet)),
        }
    }

    /// Silence of so many sampling periods: of G.711 exactly, of AAC to the nearest frame. Nothing where that is none.
    #[must_use]
    pub fn silence(&self, first: u64, samples: u32) -> Vec<Frame> {
        match &self.kind {
            Kind::Aac { samples: each, silence, .. } => {
                let count = (samples.saturating_add(each / 2) / each) as usize;
                vec![Frame { samples: *each, data: silence.clone() }; count]
            }
            Kind::G711 { stream, .. } => {
                let zeros = vec![0; samples as usize * usize::from(self.channels)];
                self.flac(*stream, first, &zeros)
            }
        }
    }

    fn flac(&self, stream: Stream, first: u64, samples: &[i16]) -> Vec<Frame> {
        let width = usize::from(self.channels);
        let whole = samples.get(..samples.len() / width * width).unwrap_or_default();
        let blocks = whole.chunks(flac::BLOCK_MAX * width).zip(0_u64..);
        let frame = |(block, n): (&[i16], u64)| Frame {
            samples: (block.len() / width) as u32,
            data: stream.frame(first + n * flac::BLOCK_MAX as u64, block).into(),
        };
        blocks.map(frame).collect()
    }
}
