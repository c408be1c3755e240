//! A wall: many streams decoded, their latest pictures laid side by side, named, and encoded as one, on one thread that makes way.
//!
//! Belongs here: what is done with each message of the core. Does not belong here: one stream ([`source`]), pixels ([`canvas`]), the
//! encoder and letters (`film`), which camera is shown where (the core).
//!
//! A tile is drawn anew only when its picture is new, and its words are set once a screen.

pub mod canvas;
pub mod source;

use crate::{
    counts::Tally,
    film::{
        self, Stop,
        encode::Encoder,
        mark::{Font, Line},
    },
    note::Notes,
    wired,
};
use canvas::{At, BLACK, Canvas, GREY};
use gstreamer as gst;
use gstreamer_video as gst_video;
use source::Source;
use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufWriter, Read, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
};
use vision::protocol::{
    notes, stream,
    wall::{Down, FPS, GOP, PICTURE_MAX, Rect, SIZE, Screen, Spec, Up, read_down},
};

/// What the thread yields to: detection, which yields to recording.
const NICE: i32 = 10;
/// Height of letters, pixels: a part of their tile's height within these; the largest are read from 5 m on a TV of 43 inches.
const LETTERS: std::ops::RangeInclusive<f32> = 32.0..=48.0;
const LETTERS_PART: f32 = 5.0;
/// Of the line at the top, and of a plain screen's first and other lines.
const HEAD_LETTERS: f32 = 40.0;
const PLAIN_LETTERS: [f32; 2] = [150.0, 64.0];

/// Works until the core closes its end.
pub fn run(socket: &UnixStream, spec: &Spec, font: OwnedFd, notes: &Notes, tally: &Tally) {
    let failed = |why| stream::encode(&Up::Failed(why));
    film::run(socket, NICE, "a wall", failed, |down, up| Wall::new(spec, film::letters(font)?, up, tally)?.all(down, notes));
}

struct Wall<'a> {
    font: Font,
    up: BufWriter<UnixStream>,
    tally: &'a Tally,
    sources: BTreeMap<u16, Source>,
    screen: Screen,
    shown: Vec<Shown>,
    lost: BTreeMap<u32, Line>,
    canvas: Canvas,
    encoder: Encoder,
    told: bool,
    /// Times of pictures in the encoder, in their order.
    times: VecDeque<(domain::WallTime, i64)>,
    first: Option<i64>,
}

/// A tile's words, set once, and what stands in it.
struct Shown {
    name: Line,
    caption: Option<Line>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Nothing,
    Lost,
    Picture,
}

impl<'a> Wall<'a> {
    fn new(spec: &Spec, font: Font, up: BufWriter<UnixStream>, tally: &'a Tally) -> Result<Self, Stop> {
        let info = canvas_info().map_err(|e| Stop::Failed(wired::one_line(&e.message)))?;
        let encoder = Encoder::live(&info, spec.kbit, GOP).map_err(Stop::Failed)?;
        Ok(Self {
            font,
            up,
            tally,
            sources: BTreeMap::new(),
            screen: Screen::default(),
            shown: Vec::new(),
            lost: BTreeMap::new(),
            canvas: Canvas::default(),
            encoder,
            told: false,
            times: VecDeque::new(),
            first: None,
        })
    }

    fn all(&mut self, mut from: impl Read, notes: &Notes) -> Result<(), Stop> {
        let mut data = Vec::new();
        while let Some(message) = read_down(&mut from, &mut data)? {
            let _working = notes.begin(notes::decoding(0));
            match message {
                Down::Screen(screen) => self.show(screen),
                Down::Format { source, codec } => {
                    if let Some(source) = self.source(source) {
                        source.format(codec);
                    }
                }
                Down::Sample { source: number, head } => {
                    let Some(source) = self.source(number) else { continue };
                    match source.sample(&head, std::mem::take(&mut data)) {
                        Ok(pictures) => self.tally.decoded(pictures),
                        Err(fault) => self.say(&Up::Undecodable { source: number, what: fault.to_string() })?,
                    }
                }
                Down::Draw { at, pts } => self.picture(at, pts)?,
            }
        }
        Ok(())
    }

    /// A stream that is on the screen.
    fn source(&mut self, number: u16) -> Option<&mut Source> {
        self.sources.get_mut(&number)
    }

    /// Draws all that stays the same until the next screen, and sets the words of tiles.
    fn show(&mut self, screen: Screen) {
        self.sources.retain(|n, _| screen.tiles.iter().any(|t| t.source == *n));
        for tile in &screen.tiles {
            self.sources.entry(tile.source).or_default();
        }
        let all = Rect { x: 0, y: 0, w: SIZE.0, h: SIZE.1 };
        self.canvas.fill(all, BLACK);
        if let Some(place) = screen.head_place {
            let half = place.w as usize / 2;
            let lines = [(&screen.head.0, At::TopLeft), (&screen.head.1, At::TopRight)];
            for (text, at) in lines.into_iter().filter(|(text, _)| !text.is_empty()) {
                self.canvas.write(&self.font.line(text, HEAD_LETTERS, half), place, at);
            }
        }
        let mut below = -i32::try_from(screen.lines.len().saturating_sub(1)).unwrap_or(0) * 50;
        for (n, text) in screen.lines.iter().enumerate() {
            let line = self.font.line(text, PLAIN_LETTERS[n.min(1)], SIZE.0 as usize - 80);
            self.canvas.write(&line, all, At::Middle(below));
            below += i32::try_from(line.height).unwrap_or(0) / 2 + 70;
        }
        let letters = |place: Rect| (place.h as f32 / LETTERS_PART).clamp(*LETTERS.start(), *LETTERS.end());
        let set = |text: &str, place: Rect| self.font.line(text, letters(place), place.w as usize);
        self.lost = screen.tiles.iter().map(|t| (t.place.w, set(&screen.lost, t.place))).collect();
        let shown = screen.tiles.iter().map(|tile| Shown {
            name: set(&tile.name, tile.place),
            caption: (!tile.caption.is_empty()).then(|| set(&tile.caption, tile.place)),
            state: State::Nothing,
        });
        self.shown = shown.collect();
        self.screen = screen;
    }

    /// Brings every tile up to now, and encodes.
    fn picture(&mut self, at: domain::WallTime, pts: i64) -> Result<(), Stop> {
        let mut fresh: BTreeMap<u16, bool> = BTreeMap::new();
        for (n, tile) in self.screen.tiles.iter().enumerate() {
            let (Some(shown), Some(source)) = (self.shown.get_mut(n), self.sources.get_mut(&tile.source)) else { continue };
            // One stream may be in two tiles.
            let fresh = *fresh.entry(tile.source).or_insert_with(|| source.take_fresh());
            let wanted = if source.alive(at) { State::Picture } else { State::Lost };
            if wanted == shown.state && !(fresh && wanted == State::Picture) {
                continue;
            }
            let picture = if wanted == State::Picture { source.picture(tile.place, self.screen.veiled, &tile.masks) } else { None };
            match picture {
                Some(Ok(picture)) => self.canvas.lay(tile.place, &picture),
                Some(Err(e)) => {
                    crate::say(format_args!("a tile of the wall: {e}"));
                    self.canvas.fill(tile.place, GREY);
                }
                None => {
                    self.canvas.fill(tile.place, GREY);
                    if let Some(line) = self.lost.get(&tile.place.w) {
                        self.canvas.write(line, tile.place, At::Middle(0));
                    }
                }
            }
            shown.state = wanted;
            if let Some(caption) = &shown.caption {
                self.canvas.write(caption, tile.place, At::TopLeft);
            }
            self.canvas.write(&shown.name, tile.place, At::BottomLeft);
        }
        self.encode(at, pts)
    }

    fn encode(&mut self, at: domain::WallTime, pts: i64) -> Result<(), Stop> {
        let first = *self.first.get_or_insert(pts);
        let micros = u64::try_from(pts.saturating_sub(first)).unwrap_or(0).saturating_mul(100) / 9;
        self.times.push_back((at, pts));
        self.encoder.push(gst::Buffer::from_slice(self.canvas.bytes().to_vec()), micros).map_err(Stop::Failed)?;
        let broken = |what: &str| Stop::Failed(what.to_owned());
        while let Some(unit) = self.encoder.take() {
            if !self.told {
                let config = self.encoder.config().ok_or_else(|| broken("the encoder tells no format"))?;
                self.up.write_all(&stream::encode(&Up::Format(config))?)?;
                self.told = true;
            }
            let (at, pts) = self.times.pop_front().ok_or_else(|| broken("the encoder gave more pictures than it got"))?;
            let bytes = unit.buffer.map_readable().map_err(|e| Stop::Failed(wired::one_line(&e.message)))?;
            let len =
                u32::try_from(bytes.len()).ok().filter(|n| *n as usize <= PICTURE_MAX).ok_or_else(|| broken("a picture is too large"))?;
            self.up.write_all(&stream::encode(&Up::Picture { at, pts, random_access: unit.random_access, len })?)?;
            self.up.write_all(&bytes)?;
        }
        Ok(self.up.flush()?)
    }

    fn say(&mut self, up: &Up) -> Result<(), Stop> {
        self.up.write_all(&stream::encode(up)?)?;
        Ok(self.up.flush()?)
    }
}

/// What all scaled pictures are made to be.
fn canvas_info() -> Result<gst_video::VideoInfo, gst::glib::BoolError> {
    let colorimetry = gst_video::VideoColorimetry::new(
        gst_video::VideoColorRange::Range16_235,
        gst_video::VideoColorMatrix::Bt601,
        gst_video::VideoTransferFunction::Bt601,
        gst_video::VideoColorPrimaries::Smpte170m,
    );
    gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, SIZE.0, SIZE.1)
        .fps(gst::Fraction::new(i32::try_from(FPS).unwrap_or(10), 1))
        .colorimetry(&colorimetry)
        .build()
}
