//! A viewing copy: samples decoded, scaled, covered, marked and encoded, one after the other on one thread that makes way for all others.
//!
//! Belongs here: what is done with each sample and each picture. Does not belong here: the encoder, masks and letters (`film`).

use crate::{
    counts::Tally,
    decode::{self, Decoder, Fault, Frame, Order, Unit},
    film::{
        self, Stop,
        canvas::Canvas,
        cover::Cover,
        encode::Encoder,
        feed::Came,
        inside,
        mark::{Font, Line},
        outlet::Outlet,
    },
    note::Notes,
};
use std::{
    collections::VecDeque,
    io::{BufWriter, Read, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
};
use vision::protocol::{
    Codec, SampleHead,
    copy::{Down, Spec, Up, read_down},
    notes, stream,
};

/// What the thread yields to: everything else the box does.
const NICE: i32 = 15;
/// Words that wait for their pictures: no decoder holds back more.
const WORDS_MAX: usize = 128;
/// Letters are this part of the picture's height.
const LETTERS: f32 = 30.0;

/// Works until the core shuts its end; the last words are `End` or `Failed`.
pub fn run(socket: &UnixStream, spec: &Spec, font: OwnedFd, notes: &Notes, tally: &Tally) {
    let failed = |why| stream::encode(&Up::Failed(why));
    film::run(socket, NICE, "a viewing copy", failed, |down, up| {
        if !spec.is_sound() {
            return Err(Stop::Failed("a viewing copy is asked for that cannot be".into()));
        }
        let font = if spec.title.is_empty() { None } else { Some(film::letters(font)?) };
        Copy::new(spec, font, up, tally).all(down, notes)
    });
}

struct Copy<'a> {
    spec: &'a Spec,
    /// None: nothing is written on pictures.
    font: Option<Font>,
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
    fn new(spec: &'a Spec, font: Option<Font>, up: BufWriter<UnixStream>, tally: &'a Tally) -> Self {
        Self { spec, font, up, tally, codec: None, decoder: None, waiting: false, words: VecDeque::new(), begun: false, film: None }
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
            film.outlet.encoder().finish();
            film.outlet.give(&mut self.up)?;
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
                None => self.film.insert(Film::new(self.spec, self.font.as_ref(), &frame).map_err(Stop::Failed)?),
            };
            film.add(self.spec, self.font.as_ref(), &frame, &words.map(|(_, w)| w).unwrap_or_default()).map_err(Stop::Failed)?;
            film.outlet.give(&mut self.up)?;
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
    canvas: Canvas,
    /// What is black, of pictures so large.
    cover: ((u32, u32), Cover),
    title: Option<Line>,
    words: Option<(String, Line)>,
    outlet: Outlet,
    first: Option<domain::WallTime>,
    micros: u64,
}

fn size(frame: &Frame) -> (u32, u32) {
    (frame.info.width(), frame.info.height())
}

/// A mask covers the same part of the camera's picture wherever that lies on the canvas.
fn cover(spec: &Spec, canvas: &Canvas, frame: &Frame) -> ((u32, u32), Cover) {
    let (width, height) = (canvas.info().width() as usize, canvas.info().height() as usize);
    (size(frame), Cover::new(&canvas.masks(frame, &spec.masks), (width, height)))
}

impl Film {
    fn new(spec: &Spec, font: Option<&Font>, frame: &Frame) -> Result<Self, String> {
        let (width, height) = inside(size(frame), spec.fit);
        let canvas = Canvas::new((width, height), frame)?;
        let cover = cover(spec, &canvas, frame);
        let outlet = Outlet::new(Encoder::new(canvas.info(), spec.kbit)?);
        let title = font.map(|font| font.line(&spec.title, height as f32 / LETTERS, width as usize));
        Ok(Self { canvas, cover, title, words: None, outlet, first: None, micros: 0 })
    }

    fn add(&mut self, spec: &Spec, font: Option<&Font>, frame: &Frame, words: &str) -> Result<(), String> {
        let (width, height) = (self.canvas.info().width() as usize, self.canvas.info().height() as usize);
        if let Some(font) = font
            && self.words.as_ref().is_none_or(|(text, _)| text != words)
        {
            self.words = Some((words.to_owned(), font.line(words, height as f32 / LETTERS, width)));
        }
        if self.cover.0 != size(frame) {
            self.cover = cover(spec, &self.canvas, frame);
        }
        let (cover, title, words) = (&self.cover.1, &self.title, &self.words);
        let picture = self.canvas.draw(frame, |planes| {
            cover.paint(planes);
            // In the middle: what cameras write themselves stands in the corners.
            let left = |line: &Line| width.saturating_sub(line.width) / 2;
            if let Some(title) = title {
                title.burn(planes, (left(title), 0));
            }
            if let Some((_, line)) = words {
                line.burn(planes, (left(line), height.saturating_sub(line.height)));
            }
        })?;
        // The encoder's times must rise; it uses them for its rate only, and the core has its own.
        let since = frame.capture.micros_since(*self.first.get_or_insert(frame.capture));
        self.micros = u64::try_from(since).unwrap_or(0).max(self.micros + 1000);
        self.outlet.push(picture, self.micros, (frame.capture, frame.pts))
    }
}
