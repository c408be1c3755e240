//! A viewing copy: samples decoded, scaled, marked and encoded, one after the other on one thread that makes way for all others.
//!
//! Belongs here: what is done with each sample and each picture. Does not belong here: the encoder ([`encode`]), letters ([`mark`]).

pub mod encode;
pub mod mark;

use crate::{
    counts::Tally,
    decode::{self, Decoder, Fault, Frame, Order, Tap, Unit},
    note::Notes,
    wired,
};
use encode::Encoder;
use gstreamer as gst;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use mark::{Font, Line, Planes};
use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::UnixStream},
};
use vision::protocol::{
    Codec, SampleHead,
    copy::{Down, PICTURE_MAX, Spec, Up, read_down},
    notes, stream,
};

/// What the thread yields to: everything else the box does.
const NICE: i32 = 15;
/// A font larger than this is none we know.
const FONT_MAX: u64 = 64 << 20;
/// Words that wait for their pictures: no decoder holds back more.
const WORDS_MAX: usize = 128;
/// Letters are this part of the picture's height.
const LETTERS: f32 = 30.0;

/// Why a copy ends early.
#[derive(Debug)]
enum Stop {
    /// The core is told.
    Failed(String),
    /// There is no core any more, or it says what cannot be.
    Socket(io::Error),
}

impl From<io::Error> for Stop {
    fn from(e: io::Error) -> Self {
        Self::Socket(e)
    }
}

/// Works until the core shuts its end; the last words are `End` or `Failed`.
pub fn run(socket: &UnixStream, spec: &Spec, font: OwnedFd, notes: &Notes, tally: &Tally) {
    // Best effort; `None` is this thread on Linux.
    let _ = rustix::process::setpriority_process(None, NICE);
    let outcome = socket.try_clone().map_err(Stop::Socket).and_then(|up| {
        let mut copy = Copy::new(spec, font, up, tally)?;
        copy.all(BufReader::with_capacity(1 << 18, socket.try_clone()?), notes)
    });
    match outcome {
        Ok(()) => {}
        Err(Stop::Failed(why)) => {
            let mut last = socket;
            let _ = stream::encode(&Up::Failed(why)).and_then(|bytes| last.write_all(&bytes));
        }
        Err(Stop::Socket(e)) => crate::say(format_args!("a viewing copy broke off: {e}")),
    }
    let _ = socket.shutdown(Shutdown::Both);
}

/// Keeps pictures until they are worked on.
#[derive(Debug, Default)]
struct Came(Vec<Frame>);

impl Tap for Came {
    fn picture(&mut self, frame: Frame) {
        self.0.push(frame);
    }
}

struct Copy<'a> {
    spec: &'a Spec,
    font: Font,
    up: BufWriter<UnixStream>,
    tally: &'a Tally,
    codec: Option<Codec>,
    decoder: Option<Decoder<Came>>,
    /// For the next random access point, after the decoder gave up.
    waiting: bool,
    /// Words of samples whose pictures have not come yet, by their presentation times.
    words: VecDeque<(i64, String)>,
    /// Whether the first picture asked for was seen.
    begun: bool,
    film: Option<Film>,
}

impl<'a> Copy<'a> {
    fn new(spec: &'a Spec, font: OwnedFd, up: UnixStream, tally: &'a Tally) -> Result<Self, Stop> {
        let mut bytes = Vec::new();
        File::from(font).take(FONT_MAX).read_to_end(&mut bytes)?;
        let font = Font::read(bytes).ok_or_else(|| Stop::Failed("the font cannot be read".into()))?;
        let up = BufWriter::with_capacity(1 << 18, up);
        Ok(Self { spec, font, up, tally, codec: None, decoder: None, waiting: false, words: VecDeque::new(), begun: false, film: None })
    }

    fn all(&mut self, mut from: impl Read, notes: &Notes) -> Result<(), Stop> {
        let mut data = Vec::new();
        while let Some(message) = read_down(&mut from, &mut data)? {
            let _working = notes.begin(notes::decoding(0));
            match message {
                Down::Format(codec) => {
                    if self.codec.as_ref() != Some(&codec) {
                        self.drain()?;
                        self.codec = Some(codec);
                    }
                }
                Down::Sample { head, words } => self.sample(&head, words, std::mem::take(&mut data))?,
            }
        }
        self.drain()?;
        if let Some(film) = &mut self.film {
            film.encoder.finish();
            film.give(&mut self.up)?;
        }
        self.say(&Up::End)?;
        Ok(self.up.flush()?)
    }

    fn sample(&mut self, head: &SampleHead, words: String, data: Vec<u8>) -> Result<(), Stop> {
        if head.loss_before {
            self.drain()?;
            self.waiting = true;
        }
        if self.waiting && !head.random_access {
            return Ok(());
        }
        self.waiting = false;
        self.words.push_back((head.pts, words));
        if self.words.len() > WORDS_MAX {
            self.words.pop_front();
        }
        match self.decode(head, data) {
            Ok(()) => self.pictures(),
            Err(fault) => {
                self.pictures()?;
                (self.decoder, self.waiting) = (None, true);
                self.words.clear();
                self.say(&Up::Undecodable(fault.to_string()))
            }
        }
    }

    fn decode(&mut self, head: &SampleHead, data: Vec<u8>) -> Result<(), Fault> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            None => {
                let codec = self.codec.as_ref().ok_or_else(|| Fault::Refused("a sample without a format".into()))?;
                self.decoder.insert(Decoder::new(&decode::caps(codec), Order::Exact, Came::default())?)
            }
        };
        decoder.push(Unit { pts: head.pts, dts: head.dts, capture: head.capture, random_access: head.random_access, data })
    }

    /// Lets the decoder's last pictures out and ends it.
    fn drain(&mut self) -> Result<(), Stop> {
        if let Some(decoder) = &mut self.decoder {
            decoder.finish();
        }
        self.pictures()?;
        self.decoder = None;
        self.words.clear();
        Ok(())
    }

    fn pictures(&mut self) -> Result<(), Stop> {
        let Some(decoder) = &self.decoder else { return Ok(()) };
        self.tally.decoded(decoder.take_decoded());
        for frame in decoder.tap(|t| std::mem::take(&mut t.0)) {
            let words = self.words.iter().position(|(pts, _)| *pts == frame.pts).and_then(|n| self.words.remove(n));
            self.begun |= frame.capture >= self.spec.from;
            if !self.begun || frame.capture >= self.spec.to {
                continue;
            }
            let film = match &mut self.film {
                Some(film) => film,
                None => self.film.insert(Film::new(self.spec, &self.font, &frame).map_err(Stop::Failed)?),
            };
            film.add(&self.font, &frame, &words.map(|(_, w)| w).unwrap_or_default()).map_err(Stop::Failed)?;
            film.give(&mut self.up)?;
        }
        Ok(())
    }

    fn say(&mut self, up: &Up) -> Result<(), Stop> {
        self.up.write_all(&stream::encode(up)?)?;
        // It may be long until the next one.
        Ok(self.up.flush()?)
    }
}

/// What is being made: one size from beginning to end, whatever the film changes to.
struct Film {
    canvas: gst_video::VideoInfo,
    converter: Option<(gst_video::VideoInfo, gst_video::VideoConverter)>,
    title: Line,
    words: Option<(String, Line)>,
    encoder: Encoder,
    told: bool,
    /// Capture and presentation times of pictures in the encoder, in their order.
    times: VecDeque<(domain::WallTime, i64)>,
    first: Option<domain::WallTime>,
    micros: u64,
}

impl Film {
    fn new(spec: &Spec, font: &Font, frame: &Frame) -> Result<Self, String> {
        let (width, height) = inside((frame.info.width(), frame.info.height()), spec.fit);
        let canvas = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, width, height)
            .colorimetry(&frame.info.colorimetry())
            // Pictures come when they come.
            .fps(gst::Fraction::new(0, 1))
            .build()
            .map_err(|e| wired::one_line(&e.message))?;
        let encoder = Encoder::new(&canvas, spec.kbit)?;
        let title = font.line(&spec.title, height as f32 / LETTERS, width as usize);
        Ok(Self { canvas, converter: None, title, words: None, encoder, told: false, times: VecDeque::new(), first: None, micros: 0 })
    }

    fn add(&mut self, font: &Font, frame: &Frame, words: &str) -> Result<(), String> {
        let fail = |e: gst::glib::BoolError| wired::one_line(&e.message);
        if self.converter.as_ref().is_none_or(|(info, _)| *info != frame.info) {
            self.converter = Some((frame.info.clone(), converter(&frame.info, &self.canvas).map_err(fail)?));
        }
        let Some((_, converter)) = &self.converter else { return Ok(()) };
        let source = gst_video::VideoFrameRef::from_buffer_ref_readable(&frame.buffer, &frame.info).map_err(fail)?;
        let mut picture = gst::Buffer::with_size(self.canvas.size()).map_err(fail)?;
        {
            let memory = picture.get_mut().ok_or("its memory is shared")?;
            let mut out = gst_video::VideoFrameRef::from_buffer_ref_writable(memory, &self.canvas).map_err(fail)?;
            converter.frame_ref(&source, &mut out);
            let (width, height) = (self.canvas.width() as usize, self.canvas.height() as usize);
            if self.words.as_ref().is_none_or(|(text, _)| text != words) {
                self.words = Some((words.to_owned(), font.line(words, height as f32 / LETTERS, width)));
            }
            let strides: Vec<usize> = out.plane_stride().iter().map(|s| usize::try_from(*s).unwrap_or(0)).collect();
            let data = out.planes_data_mut();
            let mut planes = data.into_iter().zip(strides);
            let (Some(luma), Some(blue), Some(red)) = (planes.next(), planes.next(), planes.next()) else {
                return Err("a picture has no three planes".into());
            };
            let mut planes = Planes { planes: [luma, blue, red], size: (width, height) };
            // In the middle: what cameras write themselves stands in the corners.
            let left = |line: &Line| width.saturating_sub(line.width) / 2;
            self.title.burn(&mut planes, (left(&self.title), 0));
            if let Some((_, line)) = &self.words {
                line.burn(&mut planes, (left(line), height.saturating_sub(line.height)));
            }
        }
        // The encoder's times must rise; it uses them for its rate only, and the core has its own.
        let since = frame.capture.micros_since(*self.first.get_or_insert(frame.capture));
        self.micros = u64::try_from(since).unwrap_or(0).max(self.micros + 1000);
        self.times.push_back((frame.capture, frame.pts));
        self.encoder.push(picture, self.micros)
    }

    /// Hands over what the encoder has ready.
    fn give(&mut self, up: &mut impl Write) -> Result<(), Stop> {
        let broken = |what: &str| Stop::Failed(what.to_owned());
        while let Some(unit) = self.encoder.take() {
            if !self.told {
                let config = self.encoder.config().ok_or_else(|| broken("the encoder tells no format"))?;
                up.write_all(&stream::encode(&Up::Format(config))?)?;
                self.told = true;
            }
            let (capture, pts) = self.times.pop_front().ok_or_else(|| broken("the encoder gave more pictures than it got"))?;
            let bytes = unit.buffer.map_readable().map_err(|e| Stop::Failed(wired::one_line(&e.message)))?;
            let len =
                u32::try_from(bytes.len()).ok().filter(|n| *n as usize <= PICTURE_MAX).ok_or_else(|| broken("a picture is too large"))?;
            up.write_all(&stream::encode(&Up::Picture { capture, pts, random_access: unit.random_access, len })?)?;
            up.write_all(&bytes)?;
        }
        Ok(())
    }
}

/// Even sizes of the same shape, never larger than the picture.
fn inside(size: (u32, u32), fit: (u32, u32)) -> (u32, u32) {
    let (width, height) = (u64::from(size.0.max(2)), u64::from(size.1.max(2)));
    let (most_wide, most_high) = (u64::from(fit.0.max(2)), u64::from(fit.1.max(2)));
    // The tighter of the two bounds.
    let (num, den) = if width * most_high >= height * most_wide { (most_wide, width) } else { (most_high, height) };
    let scaled = |v: u64| if num >= den { v } else { v * num / den };
    let even = |v: u64| u32::try_from((v / 2 * 2).max(2)).unwrap_or(2);
    (even(scaled(width)), even(scaled(height)))
}

/// From pictures of one kind onto the canvas: whole, in their shape, black around them.
fn converter(from: &gst_video::VideoInfo, canvas: &gst_video::VideoInfo) -> Result<gst_video::VideoConverter, gst::glib::BoolError> {
    let mut config = gst_video::VideoConverterConfig::new();
    config.set_resampler_method(gst_video::VideoResamplerMethod::Linear);
    config.set_threads(1);
    let shape = |w: u32, h: u32| f64::from(w) / f64::from(h.max(1));
    // Cut to even sizes, or by rounding, the shape is still the same.
    if (shape(from.width(), from.height()) / shape(canvas.width(), canvas.height()) - 1.0).abs() > 0.02 {
        let (width, height) = (u64::from(from.width().max(2)), u64::from(from.height().max(2)));
        let (w, h) = (u64::from(canvas.width()), u64::from(canvas.height()));
        let (w, h) = if width * h >= height * w { (w, height * w / width) } else { (width * h / height, h) };
        let signed = |v: u64| i32::try_from((v / 2 * 2).max(2)).unwrap_or(2);
        let (w, h) = (signed(w), signed(h));
        let (all_w, all_h) = (signed(canvas.width().into()), signed(canvas.height().into()));
        config.set_dest_x((all_w - w) / 4 * 2);
        config.set_dest_y((all_h - h) / 4 * 2);
        config.set_dest_width(Some(w));
        config.set_dest_height(Some(h));
        config.set_fill_border(true);
        config.set_border_argb(0xff00_0000);
    }
    // Of the rate, and of fields, the converter wants to hear that they stay.
    let to = gst_video::VideoInfo::builder(canvas.format(), canvas.width(), canvas.height())
        .fps(from.fps())
        .interlace_mode(from.interlace_mode())
        .colorimetry(&canvas.colorimetry())
        .build()?;
    gst_video::VideoConverter::new(from, &to, Some(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_fit_and_keep_their_shape() {
        for (size, want) in [
            ((1920, 1080), (1920, 1080)),
            ((3840, 2160), (1920, 1080)),
            ((2560, 1920), (1440, 1080)),
            ((704, 577), (704, 576)),
            ((1080, 1920), (606, 1080)),
            ((1, 1), (2, 2)),
        ] {
            assert_eq!(inside(size, (1920, 1080)), want, "{size:?}");
        }
    }

    proptest! {
        #[test]
        fn any_size_fits(w: u16, h: u16) {
            let (wide, high) = inside((w.into(), h.into()), (1920, 1080));
            prop_assert!(wide <= 1920 && high <= 1080 && wide >= 2 && high >= 2 && wide % 2 == 0 && high % 2 == 0);
        }
    }
}
