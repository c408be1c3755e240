//! Pictures and sound in, fragments of sound out. Sans-I/O; the task that drives it is in the module above.

use super::line::{Fix, Line, Slot};
use crate::mux::{MuxError, Piece as Picture};
use bytes::Bytes;
use domain::{Format, Sample};
use media::{
    fmp4::{self, fragment_header},
    sound::{Frame, Sound},
};
use serde::Serialize;
use std::sync::Arc;

/// Its track's number; each track has a stream of its own.
const TRACK: u32 = 1;

/// Everything a browser asks before it can take the first byte of sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SoundInfo {
    /// RFC 6381 codec string: `flac`, `mp4a.40.2`.
    pub codecs: String,
    /// What `MediaSource.isTypeSupported` and `addSourceBuffer` take: `audio/mp4; codecs="flac"`.
    pub mime: String,
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u8,
}

/// One fragment of sound on its way to the listeners. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The same `Arc` until the format changes.
    pub(crate) info: Arc<SoundInfo>,
    pub(crate) init: Bytes,
    pub(crate) bytes: Bytes,
    /// Where it lies, 90 kHz.
    pub(crate) time: u64,
}

impl hub::Item for Piece {
    fn random_access(&self) -> bool {
        true
    }
    fn weight(&self) -> usize {
        self.bytes.len()
    }
    fn micros(&self) -> i64 {
        i64::try_from(self.time).unwrap_or(i64::MAX).saturating_mul(100) / 9
    }
    fn loss_before(&self) -> bool {
        false
    }
}

/// Turns the sound of one stream into fragments on the line of its pictures.
#[derive(Default)]
pub(super) struct Mux {
    line: Line,
    run: Option<Run>,
    sequence: u32,
}

/// What stays the same until the format changes.
struct Run {
    format: Arc<Format>,
    /// `None`: it cannot be sent; its samples are let go.
    head: Option<(Arc<SoundInfo>, Bytes, Sound)>,
}

impl Mux {
    /// A picture as the viewers get it. Returns silence where sound is missing.
    pub(super) fn picture(&mut self, picture: &Picture) -> Option<Piece> {
        let shown = picture.sample.pts.saturating_sub(picture.sample.dts).max(0);
        let time = picture.time.saturating_add_signed(shown);
        let due = self.line.picture(Fix { capture: picture.sample.capture, time, step: picture.duration });
        self.piece(due, None)
    }

    /// A packet of sound. `None` while there is no picture it belongs to.
    ///
    /// # Errors
    /// Once for each format that cannot be sent.
    pub(super) fn sound(&mut self, sample: &Sample) -> Result<Option<Piece>, MuxError> {
        self.enter_run(&sample.format)?;
        let Some((_, _, sound)) = self.run.as_ref().and_then(|run| run.head.as_ref()) else { return Ok(None) };
        let (samples, rate) = (sound.samples(&sample.data), sound.rate());
        if samples == 0 {
            return Ok(None);
        }
        let Some(silence) = self.line.sound(sample.capture, samples, rate) else { return Ok(None) };
        Ok(self.piece(silence, Some(&sample.data)))
    }

    /// One fragment of so much silence, and then this packet.
    fn piece(&mut self, silence: u32, packet: Option<&Bytes>) -> Option<Piece> {
        let (info, init, sound) = self.run.as_ref()?.head.as_ref()?;
        let mut made = sound.silence(self.line.next(), silence);
        let quiet: u64 = made.iter().map(|frame| u64::from(frame.samples)).sum();
        made.extend(packet.into_iter().flat_map(|packet| sound.frames(self.line.next() + quiet, packet)));
        let slots: Vec<_> = made.iter().map_while(|frame| self.line.take(frame.samples)).collect();
        let time = slots.first()?.time;
        let piece = |(frame, slot): (&Frame, &Slot)| {
            let size = u32::try_from(frame.data.len()).unwrap_or(u32::MAX);
            fmp4::Piece { duration: slot.duration, size, cts_offset: 0, random_access: true }
        };
        let pieces: Vec<_> = made.iter().zip(&slots).map(piece).collect();
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = fragment_header(self.sequence, TRACK, time, &pieces);
        made.iter().for_each(|frame| bytes.extend_from_slice(&frame.data));
        Some(Piece { info: Arc::clone(info), init: init.clone(), bytes: bytes.into(), time })
    }

    fn enter_run(&mut self, format: &Arc<Format>) -> Result<(), MuxError> {
        if let Some(run) = &mut self.run
            && (Arc::ptr_eq(&run.format, format) || run.format == *format)
        {
            run.format = Arc::clone(format);
            return Ok(());
        }
        let (head, result) = match describe(format) {
            Ok(head) => (Some(head), Ok(())),
            Err(e) => (None, Err(e)),
        };
        self.run = Some(Run { format: Arc::clone(format), head });
        result
    }
}

/// How sound of this format is sent, if it can be.
pub(super) fn describe(format: &Format) -> Result<(Arc<SoundInfo>, Bytes, Sound), MuxError> {
    let Format::Audio(audio) = format else { return Err(MuxError::NotSound) };
    let sound = Sound::of(audio)?;
    let init = sound.init(TRACK)?;
    let codecs = sound.codecs().to_owned();
    let mime = format!("audio/mp4; codecs=\"{codecs}\"");
    let info = SoundInfo { codecs, mime, sample_rate: sound.rate(), channels: sound.channels() };
    Ok((Arc::new(info), init.into(), sound))
}
